//! A small company whose events the tests append by hand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::access::{Role, StationScope, Viewer};
use domain::envelope::{Expectation, NewEvent, Position, StreamId};
use domain::ids::{BookingId, CommandId, EventId, StationId, TenantId, UserId};
use event_log::{Append, EventLog, Outcome, StreamWrite};
use projections::ReadModels;
use serde_json::{Value, json};
use tests::database::TestDatabase;
use uuid::Uuid;

use crate::catalogue::golden;

pub(crate) const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e));
pub(crate) const SAN_JOSE: StationId = StationId(Uuid::from_u128(0x51));
pub(crate) const OAKLAND: StationId = StationId(Uuid::from_u128(0x52));
const CUSTOMER: Uuid = Uuid::from_u128(0xc1);

pub(crate) struct Company {
    pub(crate) database: TestDatabase,
    pub(crate) log: EventLog,
    pub(crate) models: ReadModels,
    next: AtomicU64,
}

fn sealed(text: &str) -> Value {
    json!({"subject": CUSTOMER, "sealed": text})
}

/// The id of the n-th booking, and of its payment.
pub(crate) fn id(n: u64) -> Uuid {
    Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0000 + u128::from(n))
}

impl Company {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await;
        let log = database.log().await;
        log.database()
            .create_organisation(TENANT, "ours", "Ours")
            .await
            .expect("the test database answers");
        let models = ReadModels::new(log.clone());
        Self {
            database,
            log,
            models,
            next: AtomicU64::new(1),
        }
    }

    /// Appends one event to a stream and says where it is.
    pub(crate) async fn append(&self, id: &str, name: &'static str, payload: Value) -> Position {
        self.append_version(id, name, newest(name), payload).await
    }

    /// As [`append`](Self::append), as a program wrote it for which that version was the newest.
    pub(crate) async fn append_version(
        &self,
        id: &str,
        name: &'static str,
        event_version: u16,
        payload: Value,
    ) -> Position {
        self.append_all(vec![(id.to_owned(), name, event_version, payload)])
            .await
    }

    /// Appends events of different streams at once, and says where the last is.
    async fn append_all(&self, events: Vec<(String, &'static str, u16, Value)>) -> Position {
        let number = u128::from(self.next.fetch_add(1, Ordering::Relaxed));
        let write =
            |(index, (id, name, event_version, payload)): (usize, (String, &'static str, u16, Value))| {
                let kind = name.split_once('.').expect("names have a dot").0;
                let index = u128::try_from(index).expect("a count fits");
                StreamWrite {
                    stream: StreamId {
                        kind: kind.into(),
                        id,
                    },
                    expected: Expectation::Any,
                    events: vec![NewEvent {
                        event_id: EventId(Uuid::from_u128(number << 8 | index << 64)),
                        event_type: name,
                        event_version,
                        payload: domain::canonical::json(&payload),
                        claims: vec![],
                    }],
                }
            };
        let append = Append {
            tenant: TENANT,
            command_id: CommandId(Uuid::from_u128(number)),
            digest: [0; 32],
            streams: events.into_iter().enumerate().map(write).collect(),
            reads: vec![],
            erases: Vec::new(),
            meta: BTreeMap::from(
                [
                    ("actor_kind", "system"),
                    ("actor_id", "test"),
                    ("channel", "cli"),
                    ("correlation_id", "c"),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
            ),
        };
        let outcome = self.log.append(append).await.expect("the log takes it");
        let Outcome::Appended(receipt) = outcome else {
            panic!("{outcome:?}");
        };
        receipt.last
    }

    /// Two stations with prices and rates, and a customer.
    pub(crate) async fn open(&self) {
        self.append(
            "ours",
            "organisation.created",
            json!({"name": "Ours", "slug": "ours"}),
        )
        .await;
        for (station, name, zip) in [(SAN_JOSE, "San Jose", "95112"), (OAKLAND, "Oakland", "94601")] {
            let id = station.to_string();
            let settings = json!({
                "slots": ["12:00:00", "18:00:00"], "event_mins": 120, "setup_mins": 60, "teardown_mins": 30,
                "guests_per_chef": 25, "lead_hours": 48, "horizon_days": 365,
            });
            let zone = "America/Los_Angeles";
            let created =
                json!({"name": name, "zone": zone, "zip": zip, "state": "CA", "settings": settings});
            self.append(&id, "station.created", created).await;
            self.append(&id, "station.chef_joined", json!({"chef_id": id}))
                .await;
            let adult = json!({
                "item": "adult", "label": "Adult", "kind": "adult", "price_cents": 5_500, "min_cents": 1_000,
                "max_cents": 20_000, "effective_from": "2026-01-01T00:00:00Z",
            });
            self.append(&id, "price_list.item_added", adult).await;
        }
        let raised = json!({
            "item": "adult", "old_cents": 5_500, "new_cents": 6_000, "reason": "season",
            // Finer than Postgres keeps: what is stored and what is folded must agree all the same.
            "effective_from": "2026-06-01T00:00:00.123456789Z",
        });
        self.append(&SAN_JOSE.to_string(), "price_list.price_changed", raised)
            .await;
        let rate = json!({
            "jurisdiction": {"state": "CA", "county": "Santa Clara", "city": null}, "rate_ppm": 91_250,
            "effective_from": "2021-07-01", "effective_until": null, "source": "CDTFA",
        });
        self.append("CA/santa clara", "tax_rate.set", rate).await;
        let contact = json!({"name": sealed("n"), "email": sealed("e"), "phone": null});
        let registered =
            json!({"contact": contact, "email_key": "k", "phone_key": null, "sms_consent": null});
        self.append(&CUSTOMER.to_string(), "customer.registered", registered)
            .await;
        let captured = json!({
            "contact": contact, "station_id": SAN_JOSE, "zip": "95112", "wanted_start": "2026-12-05T18:00:00",
            "guests": guests(), "failure": "SLOT_UNAVAILABLE", "source": null, "captured_at": "2026-11-01T00:00:00Z",
        });
        self.append(&id(0).to_string(), "lead.captured", captured).await;
    }

    /// The n-th booking, at one station or the other.
    pub(crate) async fn request(&self, n: u64) -> Position {
        self.append(&id(n).to_string(), "booking.requested", requested(n))
            .await
    }

    /// Many bookings, a hundred at a time.
    pub(crate) async fn request_many(&self, bookings: std::ops::RangeInclusive<u64>) {
        let all: Vec<u64> = bookings.collect();
        for some in all.chunks(100) {
            let event = |n: &u64| {
                let name = "booking.requested";
                (id(*n).to_string(), name, newest(name), requested(*n))
            };
            self.append_all(some.iter().map(event).collect()).await;
        }
    }

    /// Its payment, found, with a tip on every other.
    pub(crate) async fn pay(&self, n: u64) -> Position {
        let tip = if n.is_multiple_of(2) { 1_500 } else { 0 };
        let payment = id(n).to_string();
        let claimed = json!({
            "booking": paid_booking(n), "kind": "balance", "method": "zelle", "amount_cents": 85_118,
            "tip_cents": tip, "reference": "a\tb\\N\n", "claimed_at": "2026-11-01T00:00:00Z",
        });
        self.append(&payment, "payment.claimed", claimed).await;
        let verified = json!({
            "booking": paid_booking(n), "method": "zelle", "amount_cents": 85_118, "tip_cents": tip, "note": null,
            "verified_at": "2026-11-02T00:00:00Z",
        });
        self.append(&payment, "payment.verified", verified).await
    }

    /// It was held.
    pub(crate) async fn complete(&self, n: u64) -> Position {
        let booking = id(n).to_string();
        let confirmed = json!({
            "payment_id": id(n), "captured_cents": 85_118, "confirmed_at": "2026-11-02T00:00:01Z",
        });
        self.append(&booking, "booking.confirmed", confirmed).await;
        let completed = json!({
            "station_id": station(n), "number": number(n), "event_on": day(n), "guests": guests(),
            "gross_cents": 85_118, "travel_cents": 0, "gratuity_cents": 0,
            "tax": {"rate_ppm": 91_250, "net_cents": 78_000, "tax_cents": 7_118}, "tax_place": tax_place(),
            "venue_zip": "95112", "venue_city": "San Jose", "completed_at": "2026-12-06T05:00:00Z",
        });
        self.append(&booking, "booking.completed", completed).await
    }

    /// It was called off.
    pub(crate) async fn cancel(&self, n: u64) -> Position {
        let cancelled = json!({
            "station_id": station(n), "by": "customer", "reason": "ill", "hours_before": 200,
            "refund": {"tier": {"hours_before": 168, "refund_ppm": 500_000, "deposit_back": "kept"}},
            "cancelled_at": "2026-11-20T00:00:00Z",
        });
        self.append(&id(n).to_string(), "booking.cancelled", cancelled)
            .await
    }

    /// A company with bookings in every state.
    pub(crate) async fn busy(bookings: u64) -> Self {
        let company = Self::new().await;
        company.open().await;
        for n in 1..=bookings {
            company.request(n).await;
            match n % 4 {
                0 => {
                    company.pay(n).await;
                    company.complete(n).await;
                }
                1 => {
                    company.pay(n).await;
                    company.cancel(n).await;
                }
                2 => {
                    company.pay(n).await;
                }
                _ => {}
            }
        }
        let (chef, profile) = (id(0).to_string(), json!({"name": sealed("c")}));
        company.append(&chef, "chef.registered", profile).await;
        company
            .append(&chef, "chef.caps_set", json!({"per_day": 2, "per_week": null}))
            .await;
        for (name, id) in [
            ("promo_code.created", id(0).to_string()),
            ("work_item.opened", id(0).to_string()),
            ("review.link_issued", id(0).to_string()),
            ("job.failed", id(0).to_string()),
            ("message.requested", id(0).to_string()),
            ("message_template.saved", id(0).to_string()),
            ("escalation.opened", id(0).to_string()),
            ("conversation.started", id(0).to_string()),
            ("conversation.message_posted", id(0).to_string()),
            ("document.issued", id(1).to_string()),
            ("tax_period.closed", "CA".to_owned()),
            ("user.created", id(0).to_string()),
            ("user.api_key_created", id(0).to_string()),
        ] {
            let example = golden().into_iter().find(|event| event.name == name);
            let payload = example.expect("there is one of each").payload;
            company.append(&id, name, payload).await;
        }
        company
    }
}

/// The newest version of an event; of one that nobody knows, the first.
fn newest(name: &str) -> u16 {
    let kinds = domain::recorded::catalogue();
    let known = kinds.iter().find(|kind| kind.name == name);
    known.map_or(1, |kind| kind.version)
}

/// Bookings alternate between the stations.
pub(crate) fn station(n: u64) -> StationId {
    if n.is_multiple_of(3) { OAKLAND } else { SAN_JOSE }
}

pub(crate) fn number(n: u64) -> String {
    domain::booking::Booking::number(BookingId(id(n)))
}

fn day(n: u64) -> String {
    format!("2026-12-{:02}", 1 + n % 20)
}

fn city(n: u64) -> &'static str {
    ["Oakland", "San José", "MILPITAS"][usize::try_from(n % 3).expect("0 to 2")]
}

fn guests() -> Value {
    json!({"adults": 14, "children": 2, "under6": 0})
}

fn jurisdiction() -> Value {
    json!({"state": "CA", "county": "Santa Clara", "city": null})
}

fn tax_place() -> Value {
    json!({
        "jurisdiction": jurisdiction(), "rate_ppm": 91_250, "rate_effective_from": "2021-07-01",
        "method": "zip_only", "confirmation": "needed",
    })
}

fn paid_booking(n: u64) -> Value {
    json!({
        "booking_id": id(n), "number": number(n), "station_id": station(n), "event_on": day(n),
        "jurisdiction": jurisdiction(), "rate_ppm": 91_250,
    })
}

fn requested(n: u64) -> Value {
    let day = day(n);
    json!({
        "number": number(n), "customer_id": CUSTOMER, "station_id": station(n),
        "venue": {
            "street": sealed("s"), "city": city(n),
            "county": "Santa Clara", "state": "CA", "zip": "95112",
        },
        "start": {
            "utc": format!("{day}T20:00:00Z"), "local": format!("{day}T12:00:00"), "zone": "America/Los_Angeles",
            "offset_secs": -28_800, "moved_forward_secs": 0,
        },
        "blocked_from": format!("{day}T18:40:00Z"), "blocked_until": format!("{day}T22:30:00Z"),
        "guests": guests(), "chefs_needed": 1, "station_chefs": 1,
        "quote": {
            "lines": [{
                "kind": "guests", "item": "adult", "label": "Adult", "quantity": 14, "unit_cents": 6_079,
                "total_cents": 85_118,
            }],
            "total_cents": 85_118, "deposit_cents": 10_000, "price_list_version": 1,
        },
        "policy": {
            "deposit_cents": 10_000, "deposit_due_hours": 24, "gratuity": null, "cancellation_tiers": [],
        },
        "deposit_due_at": "2026-11-02T00:00:00Z", "tax_place": tax_place(),
        "travel": {"tenths_of_mile": 70, "minutes": 20, "source": "test"}, "source": null,
        "terms_version": null, "note": null, "requested_at": "2026-11-01T00:00:00.5Z",
    })
}

/// Somebody who sees all of the company, or some of its stations.
pub(crate) fn viewer(role: Role, stations: StationScope) -> Viewer {
    Viewer {
        tenant: TENANT,
        user: UserId(Uuid::nil()),
        role,
        stations,
        through: None,
    }
}

/// Somebody who sees everything.
pub(crate) fn auditor() -> Viewer {
    viewer(Role::Auditor, StationScope::All)
}
