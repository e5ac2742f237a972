use proptest::prelude::*;

use super::*;

fn mail(from: &str, subject: &str, body: &str) -> String {
    format!("From: {from}\r\nSubject: {subject}\r\nDate: Fri, 20 Nov 2026 10:15:00 -0800\r\n\r\n{body}\r\n")
}

fn read(from: &str, subject: &str, body: &str) -> BankNotice {
    BankNotice::read(&mail(from, subject, body)).unwrap()
}

#[test]
fn several_banks_say_in_their_own_words_that_money_came() {
    let told = [
        (
            "no.reply.alerts@chase.com",
            "You received money with Zelle",
            "Zelle payment\nJANE DOE sent you money\nHere are the details:\nAmount: $1,100.00\nSent on: Nov 20, 2026\nTransaction number: 19287364550\nMemo: 48VE9-5YHXT",
            (110_000, "JANE DOE", Some("19287364550")),
        ),
        (
            "onlinebanking@ealerts.bankofamerica.com",
            "JANE DOE sent you $100.00",
            "Zelle\nJANE DOE sent you $100.00 on 11/20/2026. Confirmation: c4k9x2a7p. The money is in your account.",
            (10_000, "JANE DOE", Some("c4k9x2a7p")),
        ),
        (
            "alerts@notify.wellsfargo.com",
            "You've received money",
            "You received $100.00 from JANE DOE with Zelle\u{ae}. Confirmation number: WFCT0X7ABC12",
            (10_000, "JANE DOE", Some("WFCT0X7ABC12")),
        ),
        (
            "capitalone@notification.capitalone.com",
            "Money received",
            "Good news! Jane Doe just sent you $100.00 through Zelle. Reference number 77120-A1",
            (10_000, "Jane Doe", Some("77120-A1")),
        ),
        (
            "alerts@info6.citi.com",
            "Your Citi account alert",
            "You have got a Zelle payment of $100.00 from Jane Doe. It will be there in minutes.",
            (10_000, "Jane Doe", None),
        ),
        (
            "venmo@venmo.com",
            "Jane Doe paid you $100.00",
            "Jane Doe paid you $100.00\nfor 48ve9-5yhxt deposit\nTransaction ID\n3812345678901234567",
            (10_000, "Jane Doe", Some("3812345678901234567")),
        ),
    ];
    for (from, subject, body, (cents, sender, reference)) in told {
        let notice = read(from, subject, body);
        assert_eq!(notice.amount_cents, Cents(cents), "{from}");
        assert_eq!(notice.sender.as_deref(), Some(sender), "{from}");
        assert_eq!(notice.reference.as_deref(), reference, "{from}");
        let method = if from.contains("venmo") {
            PaymentMethod::Venmo
        } else {
            PaymentMethod::Zelle
        };
        assert_eq!(notice.method, method, "{from}");
        assert_eq!(notice.sent_at, Some("2026-11-20T18:15:00Z".parse().unwrap()));
    }
}

#[test]
fn a_booking_is_found_in_what_the_sender_wrote() {
    let notice = read(
        "a@b",
        "JANE DOE sent you $100.00",
        "with Zelle, for 48ve9-5yhxt and 1-2, thanks",
    );
    assert_eq!(notice.booking_numbers, ["48VE9-5YHXT"]);
}

#[test]
fn money_that_did_not_come_is_none_that_came() {
    for (subject, body, error) in [
        (
            "You sent $100.00",
            "to JANE DOE with Zelle",
            BankMailError::NotIncoming,
        ),
        (
            "Jane Doe requests $100.00",
            "on Venmo",
            BankMailError::NotIncoming,
        ),
        (
            "A transfer is scheduled",
            "Zelle: JANE DOE sent you $5.00",
            BankMailError::NotIncoming,
        ),
        ("Hello", "JANE DOE sent you $100.00", BankMailError::NoBank),
        ("Zelle", "JANE DOE sent you flowers", BankMailError::NoMoney),
        ("Zelle", "JANE DOE sent you $ten", BankMailError::NoMoney),
        ("Zelle", "JANE DOE sent you $0.00", BankMailError::NoMoney),
        (
            "Zelle",
            "JANE DOE sent you $999999999999.00",
            BankMailError::NoMoney,
        ),
        ("Zelle news", "Send money in minutes", BankMailError::NoMoney),
        (
            "Zelle",
            "Your payment of $50.00 to JANE DOE from Checking is on its way",
            BankMailError::NoMoney,
        ),
        ("Zelle", "A payment of $50.00 was made", BankMailError::NoMoney),
    ] {
        assert_eq!(
            BankNotice::read(&mail("a@b", subject, body)),
            Err(error),
            "{subject} {body}"
        );
    }
    assert_eq!(
        BankNotice::read(&"x".repeat(LONGEST + 1)),
        Err(BankMailError::TooLong)
    );
}

#[test]
fn html_alternatives_and_encodings_are_read_as_a_person_would() {
    let html = "<html><style>p { color: red }</style><body><p>JANE&nbsp;DOE sent you <b>&#36;12.50</b></p> Zelle&reg;</body></html>";
    let of_html = format!("Subject: Alert\nContent-Type: text/html; charset=utf-8\n\n{html}");
    assert_eq!(BankNotice::read(&of_html).unwrap().amount_cents, Cents(1_250));
    let quoted = "Subject: Alert\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nJANE DOE sent you =\n=2412.50 with Zelle=C2=AE";
    let notice = BankNotice::read(quoted).unwrap();
    assert_eq!(
        (notice.amount_cents, notice.sender.as_deref()),
        (Cents(1_250), Some("JANE DOE"))
    );
    let parts = "Subject: Alert\nContent-Type: multipart/alternative;\n boundary=\"b1\"\n\nnothing\n--b1\nContent-Type: text/html\n\n<p>You sent $1.00</p>\n--b1\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSkFORSBET0Ugc2VudCB5b3UgJDEyLjUwIHdp\ndGggWmVsbGU=\n--b1--\n";
    assert_eq!(BankNotice::read(parts).unwrap().amount_cents, Cents(1_250));
}

#[test]
fn a_claim_fits_by_amount_and_the_better_the_more_agrees() {
    let notice = read(
        "a@b",
        "JANE DOE sent you $100.00",
        "with Zelle, for 48VE9-5YHXT. Confirmation: Z17-4",
    );
    let claim = OpenClaim {
        method: PaymentMethod::Zelle,
        total_cents: Cents(10_000),
        reference: None,
        booking_number: "00000-00000".to_owned(),
        customer: None,
    };
    let fits = |claim: OpenClaim| fit(&notice, &claim);
    let better = OpenClaim {
        customer: Some("Jane  Doe".to_owned()),
        ..claim.clone()
    };
    let best = OpenClaim {
        reference: Some("z 174".to_owned()),
        ..claim.clone()
    };
    let booked = OpenClaim {
        booking_number: "48VE9-5YHXT".to_owned(),
        ..claim.clone()
    };
    assert_eq!(
        [fits(claim.clone()), fits(better), fits(booked), fits(best)],
        [1, 3, 5, 9].map(Some)
    );
    assert_eq!(
        fits(OpenClaim {
            total_cents: Cents(1),
            ..claim.clone()
        }),
        None
    );
    assert_eq!(
        fits(OpenClaim {
            method: PaymentMethod::Venmo,
            ..claim
        }),
        None
    );
}

#[test]
fn no_name_is_in_a_debug_text() {
    let notice = read("a@b", "JANE DOE sent you $100.00", "with Zelle");
    assert!(!format!("{notice:?}").contains("JANE"));
}

proptest! {
    #[test]
    fn no_text_is_too_odd_to_be_read(text in "(?s).{0,400}") {
        let _ = BankNotice::read(&text);
        let _ = BankNotice::read(&format!("Subject: Zelle\nContent-Type: multipart/x; boundary=a\n\n--a\n{text}--a\n{text} sent you ${text}"));
        let _ = BankNotice::read(&format!("Content-Type: text/html\n\n<p>{text}<style{text}> paid you $1.00 venmo {text}"));
    }
}

#[test]
fn a_mail_of_nothing_but_styles_is_read_in_no_time() {
    let styles = "<style></style>".repeat(LONGEST / 15 - 20);
    let mail =
        format!("Content-Type: text/html\n\n{styles}<p>JANE DOE sent you $12.50 by Zelle</p><script>$1");
    assert_eq!(BankNotice::read(&mail).unwrap().amount_cents, Cents(1_250));
}
