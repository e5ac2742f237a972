//! `hibachi prices`: a price list as a file, out and in again.

use std::fs;

use tests::process::{Installation, SLUG};

use super::assert_cannot_run;

const STATION: [&str; 4] = ["--org", SLUG, "--station", "San Jose"];

#[test]
fn a_price_list_goes_out_is_edited_and_comes_back_all_of_it_or_none() {
    let installation = Installation::demo();
    let file = installation.place().join("prices.csv");
    let path = file.to_str().expect("a path of text");
    let export = [&["prices", "export"][..], &STATION, &["--out", path]].concat();
    let import = [&["prices", "import", path, "--reason", "new menu"][..], &STATION].concat();
    assert_eq!(installation.well(&export), "");
    let first = fs::read_to_string(&file).expect("it was written");
    assert!(first.starts_with("item,label,kind,price,min,max,effective_from\r\nadult,Adult,adult,59.95,"));

    assert_eq!(installation.well(&import), "", "nothing is new");
    fs::write(&file, first.replace("59.95", "62.95")).expect("it can be written");
    let dry = [&import[..], &["--dry-run"]].concat();
    let told = installation.well(&dry);
    assert!(told.starts_with("adult: 59.95 -> 62.95 from "), "{told}");
    assert_eq!(
        installation
            .well(&[&["prices", "export"][..], &STATION].concat())
            .trim_end(),
        first.trim_end(),
        "a dry run changes nothing"
    );
    assert!(
        installation
            .well(&import)
            .starts_with("adult: 59.95 -> 62.95 from ")
    );
    assert_eq!(installation.well(&export), "");
    let changed = fs::read_to_string(&file).expect("it was written");
    assert_eq!(changed, first.replace("59.95", "62.95"));

    fs::write(&file, changed.replace("62.95", "free") + "odd,row\r\n").expect("it can be written");
    let bad = installation.run(&import);
    assert_eq!(bad.code, Some(1), "{bad:?}");
    let lines: Vec<&str> = bad.out.lines().collect();
    assert_eq!(lines.len(), 2, "{bad:?}");
    assert!(
        lines[0].starts_with("line 2: INVALID_ROW: price is \"free\""),
        "{bad:?}"
    );
    assert!(bad.err.contains("nothing was changed"), "{bad:?}");
    assert_eq!(installation.well(&export), "");
    assert_eq!(fs::read_to_string(&file).expect("it was written"), changed);

    let nowhere = ["prices", "export", "--org", SLUG, "--station", "Nowhere"];
    assert_cannot_run(&installation.run(&nowhere), "there is no station Nowhere");
}
