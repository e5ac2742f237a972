use super::*;
use crate::decider::{Decider, Refusal};
use crate::locale::Locale;

fn words(subject: Option<&str>, text: &str) -> TemplateWords {
    TemplateWords {
        subject: subject.map(str::to_owned),
        text: text.to_owned(),
    }
}

fn refused(
    subject: Option<&str>,
    text: &str,
    kind: MessageKind,
    channel: MessageChannel,
) -> (&'static str, String) {
    let error = words(subject, text).check(kind, channel).unwrap_err();
    (error.code(), error.to_string())
}

#[test]
fn variables_are_filled_and_nothing_else_is_touched() {
    let wording = Wording::parse("{{ customer_name }}: {a} $ {{review_link}}.", TemplatePart::Text).unwrap();
    let mut values = BTreeMap::from([(Variable::CustomerName, "{{Sam}}".to_owned())]);
    assert_eq!(wording.fill(&values), Err(MissingVariable(Variable::ReviewLink)));
    values.insert(Variable::ReviewLink, "http://x".to_owned());
    assert_eq!(wording.fill(&values).unwrap(), "{{Sam}}: {a} $ http://x.");
}

#[test]
fn a_text_with_a_variable_that_there_is_not_is_none_and_says_where() {
    let mail = |text: &str| {
        refused(
            Some("Hello"),
            text,
            MessageKind::EventReminder,
            MessageChannel::Email,
        )
    };
    assert_eq!(
        mail("Hello {{customer_name}},\nñandú {{name}}"),
        (
            "UNKNOWN_VARIABLE",
            "there is no variable {{name}} (line 2, column 7)".to_owned()
        )
    );
    assert_eq!(mail("{{}}").0, "UNKNOWN_VARIABLE");
    assert_eq!(mail("{{{{customer_name}}}}").0, "UNKNOWN_VARIABLE");
    assert_eq!(
        mail("Hello {{customer_name"),
        (
            "INVALID_TEMPLATE",
            "a variable begins with {{ and ends with }}: this one does not end (line 1, column 7)".to_owned()
        )
    );
    assert_eq!(
        mail("{{review_link}}"),
        (
            "VARIABLE_NOT_AVAILABLE",
            "messages of this kind have no {{review_link}} (line 1, column 1)".to_owned()
        )
    );
    let subject = words(Some("{{nobody}}"), "x").check(MessageKind::EventReminder, MessageChannel::Email);
    assert_eq!(subject.unwrap_err().field(), ["subject"]);
}

#[test]
fn a_template_is_as_its_channel_takes_it() {
    fn of(subject: Option<&str>, text: &str, channel: MessageChannel) -> String {
        refused(subject, text, MessageKind::EventReminder, channel).1
    }
    let (mail, sms) = (MessageChannel::Email, MessageChannel::Sms);
    assert_eq!(of(None, "x", mail), "mail has a subject line");
    assert_eq!(of(Some("x"), "x", sms), "only mail has a subject line");
    assert_eq!(of(Some(" "), "x", mail), "there is nothing to say");
    assert_eq!(of(None, "\n", sms), "there is nothing to say");
    assert_eq!(
        of(Some("x\nBcc: everybody"), "x", mail),
        "there is a control character (line 1, column 2)"
    );
    assert_eq!(
        of(None, "a\n\u{0}", sms),
        "there is a control character (line 2, column 1)"
    );
    assert_eq!(
        of(Some(&"x".repeat(201)), "x", mail),
        "it has 201 characters: at most 200 fit"
    );
    assert_eq!(
        of(None, &"x".repeat(1_600), sms),
        "as a text message it would be of 11 parts: at most 10 are sent"
    );
    assert_eq!(
        of(None, &"x".repeat(2_001), sms),
        "it has 2001 characters: at most 2000 fit"
    );
    let long = words(None, &"x".repeat(2_001));
    let whatsapp = MessageChannel::Whatsapp;
    assert!(long.check(MessageKind::EventReminder, whatsapp).is_ok());
}

#[test]
fn a_subject_line_stays_on_one_line_whatever_a_customer_is_called() {
    let template = words(Some("For {{customer_name}}"), "x").parse().unwrap();
    let values = BTreeMap::from([(Variable::CustomerName, "Sam\r\nBcc: all@example.com".to_owned())]);
    let written = template.write(&values).unwrap();
    assert_eq!(written.subject.unwrap(), "For Sam  Bcc: all@example.com");
}

#[test]
fn every_kind_comes_with_a_template_that_its_channels_take() {
    for kind in MessageKind::ALL {
        for channel in MessageChannel::ALL {
            let template = built_in(kind, channel).check(kind, channel).unwrap();
            let written = template.write(&Variable::examples()).unwrap();
            assert_eq!(written.subject.is_some(), channel == MessageChannel::Email);
            let length = SmsLength::of(&written.text);
            assert_eq!(
                (length.alphabet, length.parts <= 2),
                (SmsAlphabet::Gsm7, true),
                "{kind:?}"
            );
        }
    }
    for variable in Variable::ALL {
        assert_eq!(Variable::parse(variable.as_str()), Some(variable));
        assert!(MessageKind::ALL.into_iter().any(|kind| kind.knows(variable)));
    }
}

fn save(text: &str) -> MessageTemplateCommand {
    MessageTemplateCommand::Save {
        template: TemplateOf {
            kind: MessageKind::EventReminder,
            channel: MessageChannel::Sms,
            locale: Locale::parse("es").unwrap(),
        },
        words: words(None, text),
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    }
}

fn retire(reason: &str) -> MessageTemplateCommand {
    MessageTemplateCommand::Retire {
        reason: reason.to_owned(),
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    }
}

#[test]
fn a_template_keeps_counting_its_wordings_and_may_be_given_up_and_taken_up_again() {
    let mut template = MessageTemplate::default();
    assert_eq!(template.decide(retire("not ours")), Err(TemplateError::NotFound));
    for (number, text) in [(1, "Hola"), (2, "Hola {{customer_name}}")] {
        template.evolve(&template.decide(save(text)).unwrap()[0]);
        assert_eq!(template.in_use().unwrap(), (number, &words(None, text)));
        assert_eq!(template.decide(save(text)), Err(TemplateError::Unchanged));
    }
    assert_eq!(template.decide(retire(" x ")), Err(TemplateError::BadReason));
    template.evolve(&template.decide(retire("nobody reads it")).unwrap()[0]);
    assert_eq!(template.in_use(), None);
    assert_eq!(
        template.decide(retire("nobody reads it")),
        Err(TemplateError::Retired)
    );
    template.evolve(&template.decide(save("Hola")).unwrap()[0]);
    assert_eq!(template.in_use().unwrap().0, 3);
}

#[test]
fn there_is_one_template_for_each_kind_channel_and_language() {
    let of = |kind, channel, locale: &str| {
        let locale = Locale::parse(locale).unwrap();
        TemplateOf {
            kind,
            channel,
            locale,
        }
        .id()
    };
    let one = of(MessageKind::EventReminder, MessageChannel::Sms, "es");
    assert_eq!(one, of(MessageKind::EventReminder, MessageChannel::Sms, "es"));
    assert_ne!(one, of(MessageKind::EventReminder, MessageChannel::Sms, "es-MX"));
    assert_ne!(one, of(MessageKind::EventReminder, MessageChannel::Email, "es"));
    assert_ne!(one, of(MessageKind::RefundGiven, MessageChannel::Sms, "es"));
}
