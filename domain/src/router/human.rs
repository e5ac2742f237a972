//! Words that only a person may answer, each in its sense: "a real person, please", not "price per person".

use super::HumanWord;
use super::words::{Word, ahead, back, before};

mod person;
mod threat;

use person::{asks_for_human, asks_for_person, asks_for_role, is_sample, speaks_to};
use threat::{complains, disputes_refund, sues, threatens};

/// Words that say no.
const NO: [&str; 29] = [
    "not", "no", "never", "without", "nobody", "none", "neither", "nor", "isnt", "arent", "wasnt", "werent",
    "aint", "dont", "doesnt", "didnt", "cant", "cannot", "couldnt", "wont", "wouldnt", "shouldnt", "hasnt",
    "havent", "hadnt", "hardly", "barely", "zero", "nothing",
];

/// Where what says no does not reach past.
const PARTS: [&str; 14] = [
    "i", "we", "you", "he", "she", "they", "but", "because", "so", "and", "or", "until", "unless", "just",
];

/// The worst word of a message that only a person may answer.
pub(super) fn worst(words: &[Word]) -> Option<HumanWord> {
    (0..words.len())
        .filter_map(|place| at(words, place))
        .min_by_key(|word| (word.severity(), rank(*word)))
}

/// Of words of the same severity the one that says most.
fn rank(word: HumanWord) -> u8 {
    match word {
        HumanWord::SpeakToSomeone | HumanWord::Person | HumanWord::Human => 1,
        HumanWord::Manager
        | HumanWord::Supervisor
        | HumanWord::Complaint
        | HumanWord::Lawsuit
        | HumanWord::Attorney
        | HumanWord::Lawyer
        | HumanWord::Sue
        | HumanWord::Agent
        | HumanWord::Representative
        | HumanWord::Frustrated
        | HumanWord::Angry
        | HumanWord::Unacceptable
        | HumanWord::RefundDispute => 0,
    }
}

fn at(words: &[Word], place: usize) -> Option<HumanWord> {
    let word = &words[place];
    if word.is("manager") {
        return asks_for_role(words, place).then_some(HumanWord::Manager);
    }
    if word.is("supervisor") {
        return asks_for_role(words, place).then_some(HumanWord::Supervisor);
    }
    if word.is("agent") {
        return asks_for_role(words, place).then_some(HumanWord::Agent);
    }
    if word.is("representative") {
        return (asks_for_role(words, place) && !is_sample(words, place))
            .then_some(HumanWord::Representative);
    }
    if word.is("person") {
        return asks_for_person(words, place).then_some(HumanWord::Person);
    }
    if word.is("human") {
        return asks_for_human(words, place).then_some(HumanWord::Human);
    }
    if word.is("lawyer") {
        return threatens(words, place, "lawyer").then_some(HumanWord::Lawyer);
    }
    if word.is("attorney") {
        return threatens(words, place, "attorney").then_some(HumanWord::Attorney);
    }
    if word.is("lawsuit") {
        return (!is_negated(words, place)).then_some(HumanWord::Lawsuit);
    }
    if word.is_any(&["sue", "sues", "sued", "suing"]) {
        return sues(words, place).then_some(HumanWord::Sue);
    }
    if word.is("complaint") || word.is_any(&["complain", "complaining"]) {
        return complains(words, place).then_some(HumanWord::Complaint);
    }
    if word.is_any(&["frustrated"]) {
        return (!is_negated(words, place)).then_some(HumanWord::Frustrated);
    }
    if word.is_any(&["angry"]) {
        let named = ahead(words, place, 1).is_some_and(|next| next.is("bird") || next.is("orchard"));
        return (!named && !is_negated(words, place)).then_some(HumanWord::Angry);
    }
    if word.is_any(&["unacceptable"]) {
        return (!is_negated(words, place)).then_some(HumanWord::Unacceptable);
    }
    if word.is("dispute") || word.is_any(&["disputing", "disputed"]) {
        return disputes_refund(words, place).then_some(HumanWord::RefundDispute);
    }
    if word.is_any(&["someone", "somebody", "anyone", "anybody"]) {
        return speaks_to(words, place).then_some(HumanWord::SpeakToSomeone);
    }
    None
}

/// The place of what says no to a word, in the same part of the sentence.
fn denial(words: &[Word], place: usize) -> Option<usize> {
    const REACH_OF_NO: usize = 7;
    for by in 1..=REACH_OF_NO {
        let word = back(words, place, by)?;
        if word.is_any(&NO) {
            return Some(place - by).filter(|no| !asks_with_no(words, *no));
        }
        if word.is_any(&PARTS) {
            return None;
        }
    }
    None
}

/// Whether a feeling or a threat is denied: "not angry at all", "no complaints".
fn is_negated(words: &[Word], place: usize) -> bool {
    denial(words, place).is_some()
}

/// Whether a wish for a person is denied: "I don't need a manager", "not a human". "I can't get to talk to a human" is a
/// wish.
fn is_unwanted(words: &[Word], place: usize) -> bool {
    denial(words, place).is_some_and(|no| {
        let wants = |word: &Word| {
            word.is_any(&[
                "need",
                "want",
                "wish",
                "require",
                "have",
                "care",
                "looking",
                "asking",
                "necessary",
                "wanna",
            ])
        };
        let avoided = back(words, no, 1).is_some_and(|word| word.is_any(&["rather", "prefer", "id"]));
        place - no <= 2 || avoided || ahead(words, no, 1).is_some_and(wants)
    })
}

/// Whether what says no asks instead, or says more: "isn't there a manager", "not only angry".
fn asks_with_no(words: &[Word], place: usize) -> bool {
    const WHOM: [&str; 9] = [
        "there", "you", "i", "we", "anyone", "someone", "somebody", "a", "this",
    ];
    let next = ahead(words, place, 1);
    let is_next = |listed: &[&str]| next.is_some_and(|next| next.is_any(listed));
    let more = words[place].is_any(&["not", "no"])
        && is_next(&["only", "just", "merely", "simply", "longer", "one", "way"]);
    let verb = words[place].is_any(&[
        "isnt", "arent", "cant", "couldnt", "wont", "wouldnt", "dont", "doesnt", "shouldnt",
    ]);
    let first = words[place].begins
        || back(words, place, 1).is_some_and(|word| word.is_any(&["why", "so", "and", "but"]));
    more || (verb && first && is_next(&WHOM))
}

/// Whether "I am a manager", "as the representative of": whoever says it is one.
fn introduces(words: &[Word], place: usize) -> bool {
    if before(words, place, 6, |word| {
        word.is_any(&["need", "want", "get", "demand"])
    }) {
        return false;
    }
    (1..=4).any(|by| {
        let Some(word) = back(words, place, by) else {
            return false;
        };
        let earlier = back(words, place, by + 1);
        let asks = |who: Option<&Word>| {
            who.is_none_or(|who| {
                who.is_any(&[
                    "there", "where", "who", "this", "that", "it", "what", "how", "when", "why",
                ])
            })
        };
        let is_article = |word: &Word| word.is_any(&["a", "an", "the", "one", "our", "their"]);
        let article = (1..by).any(|between| back(words, place, between).is_some_and(is_article));
        let follows = back(words, place, by - 1).is_some_and(is_article) && by > 1;
        let soon = earlier.is_some_and(|word| word.is_any(&["soon", "long", "far"]));
        (word.is_any(&["im", "hes", "shes"]) && (article || by == 1))
            || (word.is_any(&["as"]) && follows && !soon)
            || (word.is_any(&["am", "is", "are", "was"]) && follows && !asks(earlier))
    })
}
