//! Threats, disputes and complaints. Not a lawyer who dines, nor Sue.

use super::super::words::{Word, ahead, back, before};
use super::{introduces, is_negated};

/// A lawyer who is sent, and not one who is invited.
pub(super) fn threatens(words: &[Word], place: usize, noun: &str) -> bool {
    const EVENTS: [&str; 14] = [
        "party",
        "dinner",
        "event",
        "retreat",
        "office",
        "association",
        "friends",
        "group",
        "convention",
        "lunch",
        "banquet",
        "gathering",
        "firm",
        "holiday",
    ];
    let plural = words[place].is_plural_of(noun);
    let invited = back(words, place, 1).is_some_and(|word| word.is_number() || word.is_any(&["district"]))
        || ahead(words, place, 1).is_some_and(|word| word.is_any(&EVENTS))
        || (plural && before(words, place, 3, |word| word.is_any(&["for", "of", "are", "with"])));
    !invited && !introduces(words, place) && !is_negated(words, place)
}

/// To sue, and not Sue.
pub(super) fn sues(words: &[Word], place: usize) -> bool {
    const LEADS: [&str; 23] = [
        "will", "ill", "well", "gonna", "would", "id", "wed", "could", "can", "shall", "must", "should",
        "might", "may", "lets", "i", "we", "they", "gotta", "ima", "imma", "theyll", "legally",
    ];
    const FORMS: [&str; 10] = [
        "im", "were", "am", "are", "be", "being", "get", "getting", "got", "is",
    ];
    const TO: [&str; 16] = [
        "going",
        "have",
        "want",
        "ready",
        "about",
        "how",
        "able",
        "plan",
        "planning",
        "intend",
        "need",
        "like",
        "try",
        "trying",
        "threatening",
        "right",
    ];
    let word = &words[place];
    let previous = back(words, place, 1);
    let whom = ahead(words, place, 1).is_some_and(|next| {
        next.is_any(&[
            "you", "u", "ya", "yall", "your", "the", "them", "this", "him", "us", "everyone",
        ])
    });
    let led = previous.is_some_and(|word| word.is_any(&LEADS))
        || (!word.is_any(&["sue"]) && previous.is_some_and(|word| word.is_any(&FORMS)))
        || (previous.is_some_and(|word| word.is_any(&["to"]))
            && back(words, place, 2).is_some_and(|word| word.is_any(&TO)));
    let named = word.is_possessive || (word.is_capital && !word.begins && !whom);
    let alone = words.len() <= 2 && !word.is_capital;
    !named && (whom || led || alone) && !is_negated(words, place)
}

pub(super) fn complains(words: &[Word], place: usize) -> bool {
    let about_neighbours = ahead(words, place, 1).is_some_and(|word| word.is_any(&["from"]));
    let asked = before(words, place, 5, |word| word.is_any(&["you"]))
        && before(words, place, 6, |word| {
            word.is_any(&["have", "had", "do", "did", "ever", "get", "gotten"])
        })
        && words[place].is_plural_of("complaint");
    let others = before(words, place, 3, |word| {
        word.is("neighbor") || word.is("neighbour")
    });
    !about_neighbours && !asked && !others && !is_negated(words, place)
}

/// A refund that is in dispute, within a few words of each other.
pub(super) fn disputes_refund(words: &[Word], place: usize) -> bool {
    let near = (1..=3).any(|by| {
        let refund = |word: Option<&Word>| word.is_some_and(|word| word.is("refund"));
        refund(back(words, place, by)) || refund(ahead(words, place, by))
    });
    near && !is_negated(words, place)
}
