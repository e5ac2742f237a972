//! Languages that customers are written to in.

use serde::{Deserialize, Serialize};

/// A language as BCP 47 names it, with or without a country: `en`, `es`, `en-US`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Locale(String);

impl Locale {
    /// What the program itself writes: American English.
    pub fn english() -> Self {
        Self("en".to_owned())
    }

    /// The language of a tag: two or three lower-case letters, and two upper-case ones of a country after a hyphen.
    pub fn parse(tag: &str) -> Option<Self> {
        let (language, country) = match tag.split_once('-') {
            Some((language, country)) => (language, Some(country)),
            None => (tag, None),
        };
        let is_language =
            (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_country = country.is_none_or(|country| {
            country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase())
        });
        (is_language && is_country).then(|| Self(tag.to_owned()))
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Itself, and without its country after it: what is looked for where a text is wanted in it.
    pub fn and_language(&self) -> Vec<Self> {
        let language = self
            .0
            .split_once('-')
            .map(|(language, _)| Self(language.to_owned()));
        std::iter::once(self.clone()).chain(language).collect()
    }

    /// Whether it is some English.
    pub fn is_english(&self) -> bool {
        self.0 == "en" || self.0.starts_with("en-")
    }
}

impl Default for Locale {
    fn default() -> Self {
        Self::english()
    }
}

impl std::fmt::Display for Locale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_letters_and_maybe_a_country() {
        for tag in ["en", "es", "es-MX", "fil"] {
            assert_eq!(Locale::parse(tag).unwrap().as_str(), tag);
        }
        for odd in ["", "e", "EN", "en-us", "en_US", "en-", "english", "es-419", "é"] {
            assert_eq!(Locale::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_text_is_looked_for_in_the_country_and_then_in_the_language() {
        let names = |tag: &str| {
            let found = Locale::parse(tag).unwrap().and_language();
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names("es-MX"), ["es-MX", "es"]);
        assert_eq!(names("es"), ["es"]);
    }
}
