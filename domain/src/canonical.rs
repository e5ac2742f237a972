//! Canonical JSON (RFC 8785): one text per value, so that a hash over it is a hash over the fact.

use serde::Serialize;

/// The canonical JSON text of a value of ours.
///
/// # Panics
/// Only for values that JSON has no form for (a map with non-text keys, a non-finite number); no
/// event or command has such a field, and a test writes every event.
pub fn json<T: Serialize>(value: &T) -> String {
    serde_json_canonicalizer::to_string(value).expect("our events and commands have a JSON form")
}

#[cfg(test)]
mod tests {
    use super::json;

    #[test]
    fn keys_are_sorted_and_no_space_is_left() {
        let value =
            serde_json::json!({"b": 1, "a": {"z": "é\n", "y": [-9_007_199_254_740_991_i64, null, true]}});
        assert_eq!(
            json(&value),
            "{\"a\":{\"y\":[-9007199254740991,null,true],\"z\":\"é\\n\"},\"b\":1}"
        );
    }
}
