use super::*;
use crate::decider::Event;
use crate::ids::SubjectId;

#[test]
fn two_spellings_of_a_contact_fold_to_one() {
    let a = PlainContact::check(" Ana ", Some("Ana@Example.com "), Some("(408) 555-0100"))
        .ok()
        .unwrap();
    let b = PlainContact::check("Ana", Some("ana@example.com"), Some("+1 408 555 0100"))
        .ok()
        .unwrap();
    assert!(a == b);
}

#[test]
fn a_contact_that_reaches_nobody_is_refused() {
    let check = |name, email, phone| PlainContact::check(name, email, phone).err();
    assert_eq!(check("", Some("a@b.co"), None), Some(CustomerError::BadName));
    assert_eq!(check("Ana", None, Some(" ")), Some(CustomerError::NoContact));
    for email in [
        "ana", "@b.co", "ana@", "a b@c.de", "ana@host", "ana@.de", "a@@b.co",
    ] {
        assert_eq!(
            check("Ana", Some(email), None),
            Some(CustomerError::BadEmail),
            "{email}"
        );
    }
    for phone in ["123", "call me", "1234567890123456"] {
        assert_eq!(
            check("Ana", None, Some(phone)),
            Some(CustomerError::BadPhone),
            "{phone}"
        );
    }
}

#[test]
fn a_customer_holds_each_way_to_be_reached() {
    let sealed = Sealed {
        subject: SubjectId(uuid::Uuid::nil()),
        sealed: String::new(),
    };
    let registered = CustomerRegistered {
        contact: Contact {
            name: sealed.clone(),
            email: Some(sealed),
            phone: None,
        },
        email_key: Some("k".to_owned()),
        phone_key: None,
        sms_consent: None,
    };
    assert_eq!(
        registered.claims(),
        [Claim::TakeUnique {
            scope: CUSTOMER_EMAIL.into(),
            key: "k".to_owned()
        }]
    );
    let mut customer = Customer::default();
    let register = CustomerCommand::Register(registered);
    customer.evolve(&customer.decide(register.clone()).unwrap()[0]);
    assert_eq!(customer.decide(register), Err(CustomerError::Exists));
}

fn erase(reason: &str) -> CustomerCommand {
    CustomerCommand::Erase {
        reason: reason.to_owned(),
        destroyed: vec![DestroyedKey {
            subject: SubjectId(uuid::Uuid::nil()),
            key_id: Some("00112233445566aa".to_owned()),
        }],
    }
}

fn known() -> Customer {
    let sealed = Sealed {
        subject: SubjectId(uuid::Uuid::nil()),
        sealed: String::new(),
    };
    Customer {
        registered: Some(CustomerRegistered {
            contact: Contact {
                name: sealed,
                email: None,
                phone: None,
            },
            email_key: Some("e".to_owned()),
            phone_key: Some("p".to_owned()),
            sms_consent: None,
        }),
        ..Customer::default()
    }
}

#[test]
fn an_erased_customer_gives_back_what_found_them() {
    let mut customer = known();
    let events = customer.decide(erase("  asked to be forgotten ")).unwrap();
    let CustomerEvent::Erased(receipt) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(receipt.reason, "asked to be forgotten");
    let released = |scope: &'static str, key: &str| Claim::ReleaseUnique {
        scope: scope.into(),
        key: key.to_owned(),
    };
    assert_eq!(
        receipt.claims(),
        [released(CUSTOMER_EMAIL, "e"), released(CUSTOMER_PHONE, "p")]
    );
    let destroyed: Vec<SubjectId> = receipt.destroyed.iter().map(|key| key.subject).collect();
    assert!(!destroyed.is_empty());
    assert_eq!(events[0].erases(), destroyed);
    assert_eq!(events[0].claims(), receipt.claims());
    assert!(customer.known().is_ok());
    customer.evolve(&events[0]);
    assert_eq!(customer.known(), Err(CustomerError::Erased));
    assert_eq!(customer.erased(), Some(receipt));
}

#[test]
fn a_customer_is_erased_once_for_a_reason() {
    let mut customer = known();
    assert_eq!(
        Customer::default().decide(erase("asked to be forgotten")),
        Err(CustomerError::NotFound)
    );
    for reason in ["", "  too short   ", &"x".repeat(501)] {
        assert_eq!(
            customer.decide(erase(reason)),
            Err(CustomerError::BadReason),
            "{reason}"
        );
    }
    customer.evolve(&customer.decide(erase("asked to be forgotten")).unwrap()[0]);
    assert_eq!(
        customer.decide(erase("asked to be forgotten")),
        Err(CustomerError::Erased)
    );
}

#[test]
fn a_consent_is_given_for_a_text_renewed_for_another_and_taken_back() {
    let set = |channel, text_version: Option<&str>, through: &str| CustomerCommand::SetConsent {
        channel,
        text_version: text_version.map(str::to_owned),
        through: through.to_owned(),
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    };
    use ConsentChannel::{Email, Sms};
    let sealed = Sealed {
        subject: SubjectId(uuid::Uuid::nil()),
        sealed: String::new(),
    };
    let mut customer = Customer::default();
    assert_eq!(
        customer.decide(set(Email, Some("2026-01"), "staff")),
        Err(CustomerError::NotFound)
    );
    customer.evolve(&CustomerEvent::Registered(CustomerRegistered {
        contact: Contact {
            name: sealed,
            email: None,
            phone: None,
        },
        email_key: None,
        phone_key: None,
        sms_consent: Consent::check(
            "booking_request",
            "2026-01",
            "2026-11-20T00:00:00Z".parse().unwrap(),
        )
        .ok(),
    }));
    assert_eq!(
        customer.consent(Sms).map(|given| given.text_version.as_str()),
        Some("2026-01")
    );
    assert_eq!(customer.consent(Email), None);
    for (refused, error) in [
        (set(Sms, Some("2026-01"), "staff"), CustomerError::Unchanged),
        (set(Email, None, "staff"), CustomerError::Unchanged),
        (set(Email, Some(" "), "staff"), CustomerError::BadTextVersion),
        (set(Email, Some("1"), "By Phone"), CustomerError::BadThrough),
        (set(Sms, None, ""), CustomerError::BadThrough),
    ] {
        assert_eq!(customer.decide(refused), Err(error));
    }
    let renewed = customer.decide(set(Sms, Some("2026-02"), "web")).unwrap();
    let [CustomerEvent::ConsentGiven(given)] = renewed.as_slice() else {
        panic!("{renewed:?}");
    };
    assert_eq!(given.before.as_deref(), Some("2026-01"));
    customer.evolve(&renewed[0]);
    let withdrawn = customer.decide(set(Sms, None, "stop_reply")).unwrap();
    customer.evolve(&withdrawn[0]);
    assert_eq!(customer.consent(Sms), None);
    customer.evolve(&customer.decide(set(Email, Some("e-1"), "web")).unwrap()[0]);
    customer.evolve(&CustomerEvent::Erased(CustomerErased {
        reason: "asked for it".to_owned(),
        destroyed: Vec::new(),
        email_key: None,
        phone_key: None,
    }));
    assert_eq!(
        customer.decide(set(Sms, Some("2026-02"), "web")),
        Err(CustomerError::Erased)
    );
    assert_eq!(customer.consent(Email), None, "nobody is left to be written to");
}

#[test]
fn a_customer_is_written_to_in_a_language_until_another_is_said() {
    let mut customer = known();
    let locale = |tag: Option<&str>| CustomerCommand::SetLocale {
        locale: tag.map(|tag| Locale::parse(tag).unwrap()),
        now: "2026-02-10T18:00:00Z".parse().unwrap(),
    };
    assert_eq!(customer.decide(locale(None)), Err(CustomerError::Unchanged));
    for (to, before) in [
        (Some("es-MX"), None),
        (Some("en"), Some("es-MX")),
        (None, Some("en")),
    ] {
        let events = customer.decide(locale(to)).unwrap();
        let [CustomerEvent::LocaleSet(set)] = events.as_slice() else {
            panic!("{events:?}");
        };
        let told = (set.locale.as_ref(), set.before.as_ref());
        assert_eq!(
            (told.0.map(Locale::as_str), told.1.map(Locale::as_str)),
            (to, before)
        );
        customer.evolve(&events[0]);
        assert_eq!(customer.locale().map(Locale::as_str), to);
    }
    customer.evolve(&customer.decide(locale(Some("es"))).unwrap()[0]);
    customer.evolve(&customer.decide(erase("asked to be forgotten")).unwrap()[0]);
    assert_eq!(customer.locale(), None);
    assert_eq!(customer.decide(locale(Some("en"))), Err(CustomerError::Erased));
    assert_eq!(
        Customer::default().decide(locale(Some("en"))),
        Err(CustomerError::NotFound)
    );
}
