//! Who asks what, and how fast one thing after the other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use goose::config::{GooseConfiguration, GooseDefault, GooseDefaultType};
use goose::prelude::*;
use serde_json::{Value, json};

use crate::{api, company, number, samples};

const AVAILABILITY: &str =
    "query($station: ID!, $from: LocalDate!, $to: LocalDate!, $guests: Int!, $zip: String) {
    availability(stationId: $station, from: $from, to: $to, guests: $guests, zip: $zip) {
        start { local } chefsFree reason } }";
const QUOTE: &str = "query($input: QuoteInput!) { quote(input: $input) {
    total { minor } deposit { minor } lines { label quantity total { minor } } } }";
const BOOK: &str = "mutation($input: BookingRequestInput!) { bookingRequest(input: $input) {
    booking { id number status total { minor } } userErrors { code message } position } }";
const PAY: &str = "mutation($input: PaymentRecordInput!) { paymentRecord(input: $input) {
    payment { id status } userErrors { code message } position } }";
const VERIFY: &str = "mutation($input: PaymentVerifyInput!) { paymentVerify(input: $input) {
    payment { id status } userErrors { code message } position } }";
const BOOKINGS: &str = "{ bookings(first: 50) { nodes { number status start { local } total { minor }
    customer { name } payments(first: 5) { nodes { status amount { minor } } } } readInfo { position lagEvents } } }";

/// How long people look at what they see before they go on: 5 to 10 seconds.
const LOOKS: (u64, u64) = (5_000, 10_000);

/// Who asks, how many there are, and for how long it counts.
pub struct Case {
    users: Vec<(usize, Scenario)>,
    warm_up: u64,
    /// For how long it counts, in seconds.
    pub seconds: u64,
}

/// The case of a name.
pub fn named(name: &str) -> Option<Case> {
    let people = usize::try_from(number("LOAD_USERS", "1000")).ok()?;
    let busy = usize::try_from(number("LOAD_BUSY", "64")).ok()?;
    let quiet = usize::try_from(number("LOAD_QUIET", "10")).ok()?;
    let no_pause = (0, 0);
    let users = match name {
        "people" => [visitors(people, LOOKS), vec![(1, watcher())]].concat(),
        "saturated" => [visitors(busy, no_pause), vec![(1, watcher())]].concat(),
        "quiet_alone" => vec![(quiet, quiet_company())],
        "quiet_beside_noisy" | "quiet_beside_throttled" => {
            [visitors(busy, no_pause), vec![(quiet, quiet_company())]].concat()
        }
        _ => return None,
    };
    // Who pauses takes a while for a visit: so that each of its steps has its share of what counts.
    let longer = if name == "people" { 2 } else { 1 };
    Some(Case {
        users,
        warm_up: number("LOAD_WARM_UP", "15"),
        seconds: number("LOAD_SECONDS", "30") * longer,
    })
}

/// So many people: of ten, six look around, three book, one is of the staff.
fn visitors(people: usize, pause: (u64, u64)) -> Vec<(usize, Scenario)> {
    let (staff, booking) = ((people / 10).max(1), (people * 3 / 10).max(1));
    let looks = steps("looks", pause)
        .register_transaction(transaction!(browse))
        .register_transaction(transaction!(quote))
        .register_transaction(transaction!(quote));
    let books = steps("books", pause)
        .register_transaction(transaction!(browse))
        .register_transaction(transaction!(quote))
        .register_transaction(transaction!(book))
        .register_transaction(transaction!(pay))
        .register_transaction(transaction!(verify));
    let works = steps("works", pause).register_transaction(transaction!(bookings));
    vec![
        (people.saturating_sub(staff + booking).max(1), looks),
        (booking, books),
        (staff, works),
    ]
}

/// Somebody who looks twice a second whether the program is well.
fn watcher() -> Scenario {
    steps("watches", (400, 600)).register_transaction(transaction!(watch))
}

/// People of a company where little goes on: each asks for a price or the bookings, twice a second.
fn quiet_company() -> Scenario {
    steps("quiet", (400, 600))
        .register_transaction(transaction!(quiet_quote))
        .register_transaction(transaction!(quiet_bookings))
}

/// Somebody who does one thing after the other, with a pause after each, and again.
fn steps(name: &str, (least, most): (u64, u64)) -> Scenario {
    let pause = (Duration::from_millis(least), Duration::from_millis(most));
    Scenario::new(name)
        .register_transaction(transaction!(enter).set_on_start())
        .set_wait_time(pause.0, pause.1)
        .expect("the shortest time is not the longest")
}

impl Case {
    /// Lets them ask, and samples what they hear.
    ///
    /// # Errors
    /// When goose cannot run it.
    pub async fn run(&self) -> Result<(), GooseError> {
        let began = Instant::now();
        let from = began + Duration::from_secs(self.warm_up);
        samples::count_between(from, from + Duration::from_secs(self.seconds));
        let whole = |seconds: u64| usize::try_from(seconds).expect("it is no year");
        let users: usize = self.users.iter().map(|(users, _)| users).sum();
        // All are there after two thirds of the time that does not count.
        let arriving = (self.warm_up * 2 / 3).max(1);
        let counted = self.warm_up - arriving + self.seconds + 1;
        let mut attack = GooseAttack::initialize_with_config(GooseConfiguration::default())?;
        for (users, scenario) in &self.users {
            attack = attack.register_scenario(scenario.clone().set_weight(*users)?);
        }
        attack
            .set_default(GooseDefault::Host, company::known().url.as_str())?
            .set_default(GooseDefault::Users, users)?
            .set_default(GooseDefault::IncreaseTime, whole(arriving))?
            .set_default(GooseDefault::RunTime, whole(counted))?
            // What is measured is measured here, to the last byte and in microseconds.
            .set_default(GooseDefault::NoMetrics, true)?
            .set_default(GooseDefault::NoTelnet, true)?
            .set_default(GooseDefault::Quiet, 2_usize)?
            .execute()
            .await?;
        Ok(())
    }
}

/// What a user carries from one step to the next.
#[derive(Clone)]
struct Visit {
    key: &'static str,
    station: usize,
    booking: Option<Value>,
    payment: Option<Value>,
}

/// Numbers that look like chance, and never come twice: a counter that is stirred.
fn chance(below: u64) -> u64 {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let drawn = DRAWN.fetch_add(1, Ordering::Relaxed).wrapping_add(run());
    let mut stirred = drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    stirred = (stirred ^ (stirred >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    stirred = (stirred ^ (stirred >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (stirred ^ (stirred >> 31)) % below
}

/// A number of this run, so that no key of another comes again.
fn run() -> u64 {
    static RUN: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    *RUN.get_or_init(|| {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("it is after 1970");
        since.as_secs() * 1_000_000
    })
}

/// A key that nobody has used: of this run, and of its own.
fn fresh_key() -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    format!("load {} {}", run(), MADE.fetch_add(1, Ordering::Relaxed))
}

/// A day from a week to eleven months ahead, `2027-03-02`: no library for one date.
fn day(ahead: u64) -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    let days = i64::try_from(since.as_secs() / 86_400 + ahead).expect("the year is not so far");
    // Howard Hinnant's civil_from_days.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn party() -> (String, u64) {
    let start = format!("{}T{}:00:00", day(7 + chance(320)), 12 + 3 * chance(4));
    (start, 8 + chance(13))
}

async fn enter(user: &mut GooseUser) -> TransactionResult {
    user.set_client_builder(api::client()).await?;
    let known = company::known();
    let keys = known.keys.len() as u64;
    let visit = Visit {
        key: &known.keys[usize::try_from(chance(keys)).expect("there are few")],
        station: usize::try_from(chance(known.stations.len() as u64)).expect("there are few"),
        booking: None,
        payment: None,
    };
    user.set_session_data(visit);
    Ok(())
}

fn visit(user: &GooseUser) -> &Visit {
    user.get_session_data().expect("they have entered")
}

async fn ask(user: &GooseUser, what: &'static str, document: &str, variables: Value) -> Option<Value> {
    let url = &company::known().url;
    api::ask(&user.client, url, visit(user).key, what, document, variables).await
}

async fn browse(user: &mut GooseUser) -> TransactionResult {
    let (station, zip) = &company::known().stations[visit(user).station];
    let ahead = 7 + chance(300);
    let variables = json!({
        "station": station, "from": day(ahead), "to": day(ahead + 6), "guests": 10, "zip": zip,
    });
    ask(user, "browse", AVAILABILITY, variables).await;
    Ok(())
}

async fn quote(user: &mut GooseUser) -> TransactionResult {
    let (_, zip) = &company::known().stations[visit(user).station];
    let (start, adults) = party();
    let input = json!({ "start": start, "zip": zip, "guests": { "adults": adults, "children": 2 } });
    ask(user, "quote", QUOTE, json!({ "input": input })).await;
    Ok(())
}

async fn book(user: &mut GooseUser) -> TransactionResult {
    let (station, zip) = &company::known().stations[visit(user).station];
    let city = if zip == "95814" { "Sacramento" } else { "San Jose" };
    let key = fresh_key();
    let (start, adults) = party();
    let input = json!({
        "idempotencyKey": key, "stationId": station, "start": start, "guests": { "adults": adults, "children": 2 },
        "customer": { "name": "Guest of a load", "email": format!("{}@example.com", key.replace(' ', ".")) },
        "venue": { "street": "1 Main St", "city": city, "state": "CA", "zip": zip },
    });
    let booked = ask(user, "book", BOOK, json!({ "input": input })).await;
    let visit = user.get_session_data_mut::<Visit>().expect("they have entered");
    visit.booking = booked.map(|said| said["bookingRequest"]["booking"]["id"].clone());
    Ok(())
}

async fn pay(user: &mut GooseUser) -> TransactionResult {
    let visit = user.get_session_data_mut::<Visit>().expect("they have entered");
    visit.payment = None;
    // Whose slot was taken by somebody else has nothing to pay.
    let Some(booking) = visit.booking.take() else {
        return Ok(());
    };
    let key = fresh_key();
    let input = json!({
        "idempotencyKey": key, "bookingId": booking, "kind": "DEPOSIT", "method": "ZELLE", "amountMinor": 10_000,
        "reference": key,
    });
    let paid = ask(user, "pay", PAY, json!({ "input": input })).await;
    let visit = user.get_session_data_mut::<Visit>().expect("they have entered");
    visit.payment = paid.map(|said| said["paymentRecord"]["payment"]["id"].clone());
    Ok(())
}

async fn verify(user: &mut GooseUser) -> TransactionResult {
    let visit = user.get_session_data_mut::<Visit>().expect("they have entered");
    let Some(payment) = visit.payment.take() else {
        return Ok(());
    };
    let input = json!({ "idempotencyKey": fresh_key(), "paymentId": payment, "accept": true });
    ask(user, "verify", VERIFY, json!({ "input": input })).await;
    Ok(())
}

async fn bookings(user: &mut GooseUser) -> TransactionResult {
    ask(user, "page of 50", BOOKINGS, json!({})).await;
    Ok(())
}

async fn watch(user: &mut GooseUser) -> TransactionResult {
    api::look(&user.client, &company::known().url).await;
    Ok(())
}

async fn quiet_quote(user: &mut GooseUser) -> TransactionResult {
    let known = company::known();
    let (start, adults) = party();
    let input = json!({ "start": start, "zip": known.quiet_zip, "guests": { "adults": adults } });
    api::ask(
        &user.client,
        &known.url,
        &known.quiet_key,
        "quiet quote",
        QUOTE,
        json!({ "input": input }),
    )
    .await;
    Ok(())
}

async fn quiet_bookings(user: &mut GooseUser) -> TransactionResult {
    let known = company::known();
    api::ask(
        &user.client,
        &known.url,
        &known.quiet_key,
        "quiet page",
        BOOKINGS,
        json!({}),
    )
    .await;
    Ok(())
}
