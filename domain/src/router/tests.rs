use proptest::prelude::*;

use super::*;

/// A message of the table, with what it should be heard as.
struct Labelled {
    set: String,
    intent: Intent,
    word: Option<String>,
    text: String,
}

fn table() -> Vec<Labelled> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/router.tsv");
    let lines = std::fs::read_to_string(path).unwrap();
    let labelled = |line: &str| {
        let cells: Vec<&str> = line.splitn(4, '\t').collect();
        let [set, intent, word, text] = cells.as_slice() else {
            panic!("four cells: {line}");
        };
        Labelled {
            set: (*set).to_owned(),
            intent: Intent::parse(intent).unwrap_or_else(|| panic!("an intent: {line}")),
            word: (*word != "-").then(|| word.replace('_', " ")),
            text: text.replace("\\n", "\n").replace("\\t", "\t"),
        }
    };
    lines
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(labelled)
        .collect()
}

/// How often each intent is heard as each, as a table: what it is down, what it is heard as across.
fn confusion(labelled: &[&Labelled]) -> String {
    let mut lines = format!("{:<13}", "");
    for heard in Intent::ALL {
        lines += &format!("{:>6.5}", heard.as_str());
    }
    lines += "  right\n";
    for is in Intent::ALL {
        let of: Vec<&&Labelled> = labelled.iter().filter(|one| one.intent == is).collect();
        lines += &format!("{:<13}", is.as_str());
        for heard in Intent::ALL {
            let count = of.iter().filter(|one| hear(&one.text).intent == heard).count();
            lines += &format!("{count:>6}");
        }
        let right = of.iter().filter(|one| hear(&one.text).intent == is).count();
        lines += &format!("  {right}/{}\n", of.len());
    }
    lines
}

#[test]
fn the_table_is_heard_as_it_is_labelled() {
    let table = table();
    assert!(table.len() >= 120);
    let mut wrong = Vec::new();
    for one in &table {
        let verdict = hear(&one.text);
        let word = verdict.human_word.map(|word| word.as_str().to_owned());
        if word != one.word {
            wrong.push(format!(
                "{:?}: heard the word {word:?}, is {:?}",
                one.text, one.word
            ));
        }
        if verdict.intent != one.intent {
            wrong.push(format!(
                "{:?}: heard as {}, is {}",
                one.text,
                verdict.intent.as_str(),
                one.intent.as_str()
            ));
        }
    }
    let mut shown = String::new();
    for set in ["a", "b"] {
        let of: Vec<&Labelled> = table.iter().filter(|one| one.set == set).collect();
        shown += &format!("set {set}, {} messages\n{}\n", of.len(), confusion(&of));
    }
    insta::assert_snapshot!("confusion", shown);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_word_counts_in_its_sense() {
    for text in [
        "price per person",
        "what is it for one more person",
        "55-person party",
        "is it cheaper if each person pays",
        "we need to add an extra person",
        "can we meet in person",
        "the birthday person is my mother",
        "who is the contact person",
        "how much for a person",
        "a person with a nut allergy",
        "I need a person to cook for us",
        "human resources is planning this",
        "enough for 12 humans",
        "I'm not angry",
        "nobody is angry",
        "it is an Angry Birds party",
        "no complaints so far",
        "without complaint",
        "can't complain",
        "I'm a lawyer",
        "my husband is an attorney",
        "a party for 20 lawyers",
        "dinner for our attorneys",
        "our law firm: 40 lawyers",
        "Sue Miller will open the gate",
        "please call Sue at the door",
        "I am Sue",
        "this is Sue's party",
        "there was an issue with the link",
        "we pursue a deal",
        "I am the manager of a restaurant",
        "as a property manager I book often",
        "our manager pays",
        "the HOA manager allows it",
        "I'm a travel agent",
        "my agent books for me",
        "as the representative of our club",
        "send representative photos",
        "I don't need a human",
        "no need to speak to someone",
        "I'd rather not talk to a person",
        "I have no complaint and no lawsuit in mind",
        "management",
        "personal chef",
        "humane",
        "urgent",
        "persona",
    ] {
        assert_eq!(hear(text).human_word, None, "{text}");
    }
}

#[test]
fn a_wish_for_a_person_is_heard_however_it_is_put() {
    for (text, word) in [
        ("can i talk to a PERSON", HumanWord::Person),
        ("person please", HumanWord::Person),
        ("real person", HumanWord::Person),
        ("are you a real person?", HumanWord::Person),
        ("is there no manager I can talk to", HumanWord::Manager),
        ("why can't I talk to a human", HumanWord::Human),
        ("I can't get to talk to a human", HumanWord::Human),
        ("don't you have a supervisor", HumanWord::Supervisor),
        ("let me speak to the store manager", HumanWord::Manager),
        ("I need your managers' number", HumanWord::Manager),
        ("ｍａｎａｇｅｒ", HumanWord::Manager),
        ("man\u{200b}ager", HumanWord::Manager),
        ("MÁNAGER", HumanWord::Manager),
        ("Hola! agent, por favor", HumanWord::Agent),
        ("not only angry but out of money", HumanWord::Angry),
        ("I'm suing", HumanWord::Sue),
        ("you will be sued", HumanWord::Sue),
        ("I want to sue", HumanWord::Sue),
        ("I WILL SUE", HumanWord::Sue),
        ("to avoid a lawsuit pay me", HumanWord::Lawsuit),
        ("the refund is in dispute", HumanWord::RefundDispute),
        ("I've got complaints", HumanWord::Complaint),
        ("can someone call me", HumanWord::SpeakToSomeone),
        ("my lawyers are on it", HumanWord::Lawyer),
        ("<b>manager</b>", HumanWord::Manager),
        ("'; select human from people; --", HumanWord::Human),
    ] {
        assert_eq!(hear(text).human_word, Some(word), "{text}");
    }
}

#[test]
fn a_wish_for_a_person_without_such_a_word_is_one() {
    for text in [
        "please call me back",
        "I'm not talking to an operator?",
        "customer service",
    ] {
        let verdict = hear(text);
        assert!(verdict.is_human_only() && verdict.human_word.is_none(), "{text}");
    }
}

#[test]
fn of_several_words_the_worst_is_told() {
    assert_eq!(
        hear("get me a manager or I will sue you").human_word,
        Some(HumanWord::Sue)
    );
    assert_eq!(
        hear("a human please, I am frustrated").human_word,
        Some(HumanWord::Frustrated)
    );
}

#[test]
fn the_assistant_takes_up_again_with_its_own_words_alone() {
    for text in [
        "what is the price",
        "COSTS?",
        "can I book",
        "the schedule",
        "menus",
        "which date",
        "what time",
        "how many chefs",
        "location",
        "area",
        "do you serve here",
        "available",
        "availability",
        "12 guests",
        "dietary",
        "an allergy",
        "allergies",
        "vegan",
        "vegetarian",
        "halal",
        "kosher",
        "setup",
        "equipment",
        "cancel",
        "reschedule",
        "travel",
        "fees",
        "distance",
    ] {
        assert!(hear(text).is_resumable, "{text}");
    }
    for text in [
        "hello?",
        "are you there",
        "ok",
        "",
        "a manager and the price",
        "this was a waste of time",
        "the chef was rude",
        "timely",
        "outdated",
    ] {
        assert!(!hear(text).is_resumable, "{text}");
    }
}

#[test]
fn the_longest_and_the_strangest_messages_are_heard_in_time() {
    let strange = [
        String::new(),
        " ".repeat(LONGEST_HEARD),
        "🎉".repeat(LONGEST_HEARD),
        "a".repeat(LONGEST_HEARD),
        "a ".repeat(LONGEST_HEARD),
        "person ".repeat(LONGEST_HEARD),
        "not ".repeat(LONGEST_HEARD) + "angry",
        "how much ".repeat(LONGEST_HEARD),
        "'".repeat(LONGEST_HEARD),
        "\u{0301}".repeat(LONGEST_HEARD),
        "\0\u{7f}\u{202e}".repeat(LONGEST_HEARD),
        "(((((a*)*)*)*)*)!".repeat(LONGEST_HEARD),
    ];
    let began = std::time::Instant::now();
    for text in &strange {
        hear(text);
    }
    // Each is a few milliseconds of an unoptimised build; what is not linear takes minutes.
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
}

proptest! {
    #[test]
    fn any_text_is_heard_and_a_case_changes_nothing(text in "\\PC{0,300}") {
        let verdict = hear(&text);
        prop_assert!(verdict.is_human_only() || verdict.human_word.is_none());
        prop_assert!(!(verdict.is_human_only() && verdict.is_resumable));
    }

    #[test]
    fn words_of_the_table_in_any_order_are_heard(words in prop::collection::vec(0_usize..12, 0..60)) {
        const SAID: [&str; 12] = [
            "person", "not", "manager", "a", "the", "price", "per", "sue", "?", "i", "talk to", "refund dispute",
        ];
        let text: Vec<&str> = words.iter().map(|word| SAID[*word]).collect();
        let text = text.join(" ");
        prop_assert_eq!(hear(&text).is_human_only(), hear(&text.to_uppercase()).is_human_only());
    }
}
