//! A month of one booking. People outside do what people do: a customer asks, pays, and answers; a chef says that the party
//! was held. All else comes by itself, as the clock goes on.

use std::fmt::Write;
use std::sync::Arc;

use api::app::App;
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Role;
use domain::message::MessageChannel;
use replays::history::{Asked, Related, history};
use replays::personal::Personal;
use serde_json::{Value, json};
use tests::carrier::Double;
use tests::http::{Client, Server, party};
use tests::stripe::StripeDouble;

/// How far the clock goes at a time.
const STEP: TimeDelta = TimeDelta::hours(6);

struct Month {
    server: Server,
    cards: StripeDouble,
    post: Arc<Double>,
    staff: Client,
    /// How far the log was at each look, and what the clock said.
    looks: Vec<(i64, DateTime<Utc>)>,
}

impl Month {
    async fn begin() -> Self {
        let cards = StripeDouble::start().await;
        let post = Arc::new(Double::of(&[MessageChannel::Email]));
        let (charging, carrying) = (cards.clone(), post.clone());
        let server = Server::start_as(move |app| {
            let app = charging.charge(app);
            App {
                commands: app.commands.sending_through(carrying),
                ..app
            }
        })
        .await;
        let staff = server.sign_in(Role::Admin).await;
        Self {
            server,
            cards,
            post,
            staff,
            looks: Vec::new(),
        }
    }

    async fn look(&mut self) {
        let head = self.server.quiet(&self.server.company).await;
        self.looks.push((head, self.server.now()));
    }

    /// The customer pays by card, and the provider tells of it.
    async fn pays(&mut self, booking: &Value, kind: &str, cents: i64) {
        let intent = json!({
            "idempotencyKey": kind, "bookingId": booking, "kind": kind, "amountMinor": cents, "tipMinor": 0,
        });
        let made = self.staff.done("paymentIntentCreate", "clientSecret", intent);
        made.await;
        let paid = self.cards.pay(&self.cards.newest());
        let now = self.server.now();
        let told = self
            .cards
            .tell(&self.staff, "payment_intent.succeeded", &paid, now);
        told.await;
        self.look().await;
    }

    /// Lets the clock go on, six hours at a time, and nobody does anything.
    async fn until(&mut self, to: &str) {
        let to: DateTime<Utc> = to.parse().expect("an instant");
        while self.server.now() < to {
            let next = (self.server.now() + STEP).min(to);
            self.server.set_clock(&next.to_rfc3339());
            self.look().await;
        }
        self.staff.sign_in_again().await;
    }

    /// What the clock said when an event was there.
    fn said(&self, position: i64) -> DateTime<Utc> {
        let look = self.looks.iter().find(|(head, _)| *head >= position);
        look.expect("all was looked at").1
    }

    /// The link in the last letter that has one.
    fn link(&self) -> String {
        let letters = self.post.taken();
        let link = letters
            .iter()
            .rev()
            .find_map(|letter| letter.text.split("/review/").nth(1))
            .and_then(|rest| rest.split_whitespace().next());
        link.expect("a letter with a link").to_owned()
    }

    /// The booking's story, a line for each event: when by the clock, who, and what.
    async fn story(&self, number: &str) -> String {
        let (log, tenant) = (&self.server.app.log, self.server.company.tenant);
        let asked: Asked = number.parse().expect("a booking's number");
        let stream = asked.find(log, tenant).await.expect("there is such a booking");
        let personal = Personal::read(log, tenant).await.expect("the log answers");
        let told = history(log, tenant, stream, Related::Woven, &personal).await;
        let told = told.expect("there is a story");
        let zone = told.zone.expect("a booking has a zone");
        let mut text = String::new();
        for step in &told.steps {
            let at = self.said(step.entry.position.0).with_timezone(&zone);
            let by = match step.entry.actor_kind.as_str() {
                "policy" | "system" => step.entry.actor_id.as_str(),
                "customer" => "the customer",
                _ => "staff",
            };
            let (kind, what) = (&step.entry.event_type, &step.entry.summary);
            let what = what
                .replace(number, "NUMBER")
                .replace(" handed over to double, for", " handed over, for");
            writeln!(text, "{}  {kind}  ({by})\n    {what}", at.format("%b %d %H:%M"))
                .expect("text is written");
        }
        text
    }
}

#[tokio::test]
async fn a_month_from_request_to_review_to_escalation_goes_by_the_clock() {
    let mut month = Month::begin().await;
    let asked = month
        .staff
        .done("bookingRequest", "booking { id number }", party("sam"));
    let booking = asked.await["booking"].take();
    month.look().await;
    // The deposit is asked for six hours before it is due, and then paid.
    month.until("2026-02-11T14:00:00Z").await;
    month.pays(&booking["id"], "DEPOSIT", 10_000).await;
    month.until("2026-03-13T02:00:00Z").await;
    month.pays(&booking["id"], "BALANCE", 75_118).await;
    // The party; the chef says that it was held.
    month.until("2026-03-15T03:35:00Z").await;
    let held = json!({"idempotencyKey": "held", "bookingId": booking["id"]});
    month.staff.done("bookingComplete", "", held).await;
    month.look().await;
    // The customer is asked how it was, forgets, is reminded twice, and tells.
    month.until("2026-03-23T02:00:00Z").await;
    let customer = month.server.nobody();
    let words = json!({"rating": 2, "text": "The rice was cold.", "name": "Sam"});
    let answer = customer.post(&format!("/api/v1/reviews/submit/{}", month.link()));
    let answer = answer.json(&words).send().await.expect("the program answers");
    assert_eq!(answer.status(), 200);
    month.look().await;

    let number = booking["number"].as_str().expect("a number");
    let story = month.story(number).await;
    assert_eq!(story, include_str!("month.txt"), "{story}");
    let query =
        "{ escalations(first: 5) { nodes { source severity status customer: subject { __typename } } } }";
    month.server.caught_up(&month.server.company).await;
    let called: Value = month.staff.data(query, json!({})).await;
    let called = &called["escalations"]["nodes"];
    assert_eq!(called.as_array().map(Vec::len), Some(1), "{called}");
    assert_eq!(called[0]["source"], "RATING");
    month
        .server
        .assert_rebuild_changes_nothing(&month.server.company)
        .await;
}
