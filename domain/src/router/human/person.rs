//! Who wants a person: a manager, a human, somebody to speak to. Not who is one, brings one or feeds one.

use super::super::words::{Word, ahead, back, before};
use super::{introduces, is_unwanted};

/// Verbs with which somebody asks for a person.
const REACH: [&str; 34] = [
    "speak", "speaking", "talk", "talking", "chat", "call", "reach", "connect", "transfer", "contact", "get",
    "put", "give", "send", "pass", "forward", "escalate", "want", "need", "see", "hear", "like", "love",
    "prefer", "wish", "ask", "asking", "demand", "deal", "bring", "find", "message", "text", "email",
];

/// Verbs of talking alone.
const TALK: [&str; 10] = [
    "speak", "speaking", "talk", "talking", "chat", "connect", "transfer", "escalate", "call", "reach",
];

const MINE: [&str; 5] = ["my", "our", "his", "her", "their"];

/// Before a person who is counted.
const COUNTS: [&str; 19] = [
    "per",
    "each",
    "every",
    "one",
    "first",
    "second",
    "extra",
    "additional",
    "another",
    "single",
    "in",
    "pro",
    "por",
    "par",
    "which",
    "that",
    "this",
    "birthday",
    "contact",
];

/// What a message of nothing but the wish is made of.
const ALONE: [&str; 16] = [
    "a", "the", "person", "please", "pls", "hi", "hello", "hey", "now", "i", "want", "need", "to", "talk",
    "speak", "with",
];

/// After a person who is counted.
const COUNTED: [&str; 20] = [
    "count",
    "counts",
    "price",
    "prices",
    "rate",
    "rates",
    "cost",
    "costs",
    "minimum",
    "maximum",
    "min",
    "max",
    "limit",
    "party",
    "parties",
    "group",
    "total",
    "headcount",
    "charge",
    "fee",
];

/// Whether somebody asks to reach what stands at a place, right before it.
fn is_asked_for(words: &[Word], place: usize) -> bool {
    before(words, place, 6, |word| word.is_any(&TALK))
}

/// Manager, supervisor, agent, representative.
pub(super) fn asks_for_role(words: &[Word], place: usize) -> bool {
    const TRADES: [&str; 26] = [
        "property",
        "building",
        "apartment",
        "hoa",
        "venue",
        "office",
        "event",
        "events",
        "project",
        "account",
        "campaign",
        "hr",
        "travel",
        "estate",
        "leasing",
        "insurance",
        "rental",
        "community",
        "program",
        "marketing",
        "product",
        "sales",
        "thickening",
        "cleaning",
        "realty",
        "line",
    ];
    if is_unwanted(words, place) {
        return back(words, place, 1).is_some_and(|word| word.is_any(&["no"])) && is_missing(words, place);
    }
    if introduces(words, place) {
        return false;
    }
    if is_asked_for(words, place) {
        return true;
    }
    let whose = |word: &Word| word.is_any(&MINE);
    let of_customer = before(words, place, 3, whose);
    let of_trade = back(words, place, 1).is_some_and(|word| word.is_any(&TRADES));
    let elsewhere = ahead(words, place, 1).is_some_and(|word| word.is_any(&["of", "at", "for", "from"]))
        && ahead(words, place, 2).is_some_and(|word| word.is_any(&["the", "our", "my", "a", "an"]));
    let counted = back(words, place, 1).is_some_and(Word::is_number);
    !(of_customer || of_trade || elsewhere || counted)
}

/// Whether "no manager" says that one is missing, and not that none is needed.
fn is_missing(words: &[Word], place: usize) -> bool {
    let needed = |word: &Word| word.is_any(&["needed", "necessary", "required", "thanks", "please"]);
    let next = (1..=3).any(|by| ahead(words, place, by).is_some_and(needed));
    let need =
        back(words, place, 2).is_some_and(|word| word.is_any(&["need", "needs", "want", "have", "with"]));
    !next && !need
}

pub(super) fn is_sample(words: &[Word], place: usize) -> bool {
    ahead(words, place, 1).is_some_and(|next| {
        next.is("photo")
            || next.is("picture")
            || next.is("menu")
            || next.is("dish")
            || next.is_any(&["sample", "of", "selection"])
    })
}

/// A person to talk to, and not one to be fed.
pub(super) fn asks_for_person(words: &[Word], place: usize) -> bool {
    let word = &words[place];
    if word.is_plural_of("person") && !word.is_possessive {
        return false;
    }
    let previous = back(words, place, 1);
    if previous.is_some_and(|word| word.is_any(&["real", "live", "actual", "human", "physical"])) {
        let missing = back(words, place, 2).is_some_and(|word| word.is_any(&["no"]));
        return missing || !is_unwanted(words, place);
    }
    if previous.is_some_and(|word| word.is_any(&COUNTS) || word.is_number())
        || ahead(words, place, 1).is_some_and(|word| word.is_any(&COUNTED))
        || is_priced(words, place)
        || is_somebodys(words, place)
        || is_fed(words, place)
    {
        return false;
    }
    if is_unwanted(words, place) {
        return false;
    }
    let alone = words.len() <= 6 && words.iter().all(|word| word.is_any(&ALONE));
    let asked = before(words, place, 5, |word| word.is_any(&REACH));
    let please = words
        .get(place + 1)
        .is_some_and(|word| word.is_any(&["please", "pls", "plz"]));
    let are_you = before(words, place, 3, |word| word.is_any(&["you", "this"]))
        && before(words, place, 4, |word| word.is_any(&["are", "is"]));
    let calls = ahead(words, place, 1)
        .is_some_and(|word| word.is_any(&["call", "contact", "help", "answer"]))
        && (2..=3).any(|by| ahead(words, place, by).is_some_and(|word| word.is_any(&["me", "us"])));
    alone || asked || please || are_you || calls
}

/// "how much a person", "55 a person".
fn is_priced(words: &[Word], place: usize) -> bool {
    back(words, place, 1).is_some_and(|word| word.is_any(&["a"]))
        && back(words, place, 2).is_some_and(|word| {
            word.is_number()
                || word.is_any(&[
                    "much", "cost", "price", "charge", "dollars", "bucks", "usd", "pay",
                ])
        })
}

/// "enough for a person".
fn is_fed(words: &[Word], place: usize) -> bool {
    let article = back(words, place, 1).is_some_and(|word| word.is_any(&["a", "the"]));
    let goes_on = ahead(words, place, 1).is_some_and(|word| word.is_any(&["to"]));
    article && !goes_on && back(words, place, 2).is_some_and(|word| word.is_any(&["for"]))
}

/// "a person with an allergy", "the person who booked", "a person to cook".
fn is_somebodys(words: &[Word], place: usize) -> bool {
    let Some(next) = ahead(words, place, 1) else {
        return false;
    };
    if next.is_any(&["to"]) {
        let does = ahead(words, place, 2);
        return !does.is_some_and(|does| {
            does.is_any(&[
                "talk", "speak", "call", "help", "answer", "chat", "contact", "respond",
            ])
        });
    }
    next.is_any(&[
        "with", "who", "whos", "paying", "hosting", "booking", "has", "is", "cant", "cannot", "doesnt",
        "allergic", "eats", "ate", "wants", "needs", "may", "at", "of", "that",
    ]) && !before(words, place, 4, |word| word.is_any(&TALK))
}

pub(super) fn asks_for_human(words: &[Word], place: usize) -> bool {
    let next = ahead(words, place, 1);
    let counted = words[place].is_plural_of("human")
        && back(words, place, 1).is_some_and(|word| word.is_number() || word.is_any(&["for", "of"]));
    let other = next.is_some_and(|next| {
        next.is_any(&[
            "resources",
            "resource",
            "rights",
            "sized",
            "grade",
            "consumption",
            "error",
        ])
    });
    if counted || other {
        return false;
    }
    let none = back(words, place, 1).is_some_and(|word| word.is_any(&["no"]));
    !is_unwanted(words, place) || (none && is_missing(words, place))
}

/// "speak to someone", "can somebody call me".
pub(super) fn speaks_to(words: &[Word], place: usize) -> bool {
    let to = back(words, place, 1).is_some_and(|word| word.is_any(&["to", "with"]))
        && back(words, place, 2).is_some_and(|word| {
            word.is_any(&[
                "speak", "speaking", "talk", "talking", "chat", "chatting", "spoke", "talked",
            ])
        });
    let calls = ahead(words, place, 1)
        .is_some_and(|word| word.is_any(&["call", "contact", "phone", "reach"]))
        && (2..=3).any(|by| ahead(words, place, by).is_some_and(|word| word.is_any(&["me", "us"])));
    (to || calls) && !is_unwanted(words, place)
}
