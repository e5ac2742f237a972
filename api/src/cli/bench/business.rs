//! A company's log as its business writes it: stations, prices, a tax rate, and bookings that are asked for, paid,
//! confirmed, and held or called off, many at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};
use domain::booking::Booking;
use domain::envelope::{Expectation, NewEvent, Position, StreamId};
use domain::ids::{BookingId, CommandId, EventId, TenantId};
use event_log::{Append, Outcome, StreamWrite};
use futures::TryStreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ours::{Ours, meta};

/// Stations of the company.
const STATIONS: usize = 4;
/// Bookings that are under way at the same time: each goes one step, then each the next.
const UNDER_WAY: u64 = 50;
/// Waves of bookings that are written at the same time.
const WAVES: usize = 8;
/// Events of a booking, if nothing else is said. Three of four are held, one is called off.
const STEPS: u64 = 5;
/// What was paid for a booking, in cents.
const PAID_CENTS: i64 = 85_118;

/// A company with its stations, whose bookings are numbered. Clones share the numbers.
#[derive(Clone)]
pub(super) struct Business {
    ours: Ours,
    stations: Arc<[Uuid]>,
    customers: Arc<[Uuid]>,
    /// Who cooks; where nobody is, nobody is assigned.
    chefs: Arc<[Uuid]>,
    next: Arc<AtomicU64>,
    /// Events of a booking.
    steps: u64,
}

/// One event of a stream.
struct Step {
    stream: String,
    name: &'static str,
    payload: Value,
}

impl Business {
    /// Opens the company: its stations, prices and rate, and a customer.
    pub(super) async fn open(ours: &Ours) -> Result<Self> {
        Self::open_with_steps(ours, STEPS).await
    }

    /// As [`open`](Self::open), where so many events are written for each booking: those that are more than five are of
    /// more payments.
    pub(super) async fn open_with_steps(ours: &Ours, steps: u64) -> Result<Self> {
        let business = Self {
            ours: ours.clone(),
            stations: (0..STATIONS).map(|_| ours.ids.next()).collect(),
            customers: [ours.ids.next()].into(),
            chefs: Arc::default(),
            next: Arc::default(),
            steps,
        };
        business.append(business.opening()).await?;
        Ok(business)
    }

    /// More business of a company that is there: bookings of its customers at its stations, which its chefs cook.
    pub(super) fn more(
        ours: &Ours,
        stations: Vec<Uuid>,
        customers: Vec<Uuid>,
        chefs: Vec<Uuid>,
        steps: u64,
    ) -> Self {
        Self {
            ours: ours.clone(),
            stations: stations.into(),
            customers: customers.into(),
            chefs: chefs.into(),
            next: Arc::default(),
            steps,
        }
    }

    /// The same business as another tenant's, whose log has its opening.
    pub(super) fn of(&self, tenant: TenantId) -> Self {
        let mut business = self.clone();
        business.ours.tenant = tenant;
        business
    }

    /// Writes so many events of bookings, or a few more.
    pub(super) async fn fill(&self, events: u64) -> Result<()> {
        let waves = events.div_ceil(UNDER_WAY * self.steps);
        futures::stream::iter((0..waves).map(Ok))
            .try_for_each_concurrent(WAVES, |_| self.wave())
            .await
    }

    /// Writes parties that were held, and nothing of what came before: so many tax lines.
    pub(super) async fn fill_held(&self, parties: u64) -> Result<()> {
        futures::stream::iter((0..parties.div_ceil(UNDER_WAY)).map(Ok))
            .try_for_each_concurrent(WAVES, async |wave| {
                let first = wave * UNDER_WAY;
                let held = (first..parties.min(first + UNDER_WAY)).map(|n| {
                    let id = self.ours.ids.next();
                    Step {
                        stream: id.to_string(),
                        name: "booking.completed",
                        payload: self.completed(n, id),
                    }
                });
                self.append(held.collect()).await.map(drop)
            })
            .await
    }

    /// Bookings that are under way at the same time, from beginning to end.
    async fn wave(&self) -> Result<()> {
        let first = self.next.fetch_add(UNDER_WAY, Ordering::Relaxed);
        let bookings: Vec<(u64, Uuid)> = (first..first + UNDER_WAY)
            .map(|n| (n, self.ours.ids.next()))
            .collect();
        for step in 0..self.steps {
            let steps = bookings.iter().map(|(n, id)| self.step(*n, *id, step));
            self.append(steps.collect()).await?;
        }
        Ok(())
    }

    /// Asks for one more booking and says where that stands in the log.
    pub(super) async fn request(&self) -> Result<Position> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let asked = self.step(n, self.ours.ids.next(), 0);
        self.append(vec![asked]).await
    }

    /// One step of the n-th booking: once it is confirmed a chef is assigned, where there are any.
    fn step(&self, n: u64, id: Uuid, step: u64) -> Step {
        match step {
            4 if !self.chefs.is_empty() => Step {
                stream: id.to_string(),
                name: "booking.chef_assigned",
                payload: self.assigned(n, id),
            },
            5.. if !self.chefs.is_empty() => self.other_step(n, id, step - 1),
            _ => self.other_step(n, id, step),
        }
    }

    fn other_step(&self, n: u64, id: Uuid, step: u64) -> Step {
        let is_called_off = n % 4 == 3;
        let mut stream = id;
        let (name, payload) = match (step, is_called_off) {
            (0, _) => ("booking.requested", self.requested(n, id)),
            (1, _) => ("payment.claimed", self.claimed(n, id)),
            (2, _) => ("payment.verified", self.verified(n, id)),
            (3, _) => {
                let confirmed = json!({
                    "payment_id": id, "captured_cents": PAID_CENTS, "confirmed_at": "2026-11-02T00:00:01Z",
                });
                ("booking.confirmed", confirmed)
            }
            (4, false) => ("booking.completed", self.completed(n, id)),
            (4, true) => ("booking.cancelled", self.cancelled(n)),
            (more, _) => {
                // Each of a stream of its own: claimed, then found.
                stream = Uuid::from_u128(id.as_u128().wrapping_add(u128::from((more - STEPS) / 2 + 1)));
                if (more - STEPS).is_multiple_of(2) {
                    ("payment.claimed", self.claimed(n, id))
                } else {
                    ("payment.verified", self.verified(n, id))
                }
            }
        };
        Step {
            stream: stream.to_string(),
            name,
            payload,
        }
    }

    fn station(&self, n: u64) -> Uuid {
        nth(&self.stations, n)
    }

    fn customer(&self, n: u64) -> Uuid {
        nth(&self.customers, n)
    }

    fn opening(&self) -> Vec<Step> {
        let step = |stream: &str, name, payload| Step {
            stream: stream.to_owned(),
            name,
            payload,
        };
        let contact = json!({"name": self.sealed(0, "n"), "email": self.sealed(0, "e"), "phone": null});
        let registered =
            json!({"contact": contact, "email_key": "k", "phone_key": null, "sms_consent": null});
        let rate = json!({
            "jurisdiction": jurisdiction(), "rate_ppm": 91_250, "effective_from": "2021-07-01",
            "effective_until": null, "source": "CDTFA",
        });
        let mut steps = vec![
            step(
                "bench",
                "organisation.created",
                json!({"name": "Bench", "slug": "bench"}),
            ),
            step("CA/santa clara", "tax_rate.set", rate),
            step(&self.customer(0).to_string(), "customer.registered", registered),
        ];
        for station in self.stations.iter().map(Uuid::to_string) {
            let settings = json!({
                "slots": ["12:00:00", "18:00:00"], "event_mins": 120, "setup_mins": 60, "teardown_mins": 30,
                "guests_per_chef": 25, "lead_hours": 48, "horizon_days": 365,
            });
            let created = json!({
                "name": "Station", "zone": "America/Los_Angeles", "zip": "95112", "state": "CA", "settings": settings,
            });
            let adult = json!({
                "item": "adult", "label": "Adult", "kind": "adult", "price_cents": 5_500, "min_cents": 1_000,
                "max_cents": 20_000, "effective_from": "2026-01-01T00:00:00Z",
            });
            steps.push(step(&station, "station.created", created));
            steps.push(step(&station, "price_list.item_added", adult));
        }
        steps
    }

    fn sealed(&self, n: u64, text: &str) -> Value {
        json!({"subject": self.customer(n), "sealed": text.repeat(80)})
    }

    fn requested(&self, n: u64, id: Uuid) -> Value {
        let day = day(n);
        json!({
            "number": number(id), "customer_id": self.customer(n), "station_id": self.station(n),
            "venue": {
                "street": self.sealed(n, "s"), "city": "San Jose", "county": "Santa Clara", "state": "CA", "zip": "95112",
            },
            "start": {
                "utc": format!("{day}T20:00:00Z"), "local": format!("{day}T12:00:00"),
                "zone": "America/Los_Angeles", "offset_secs": -28_800, "moved_forward_secs": 0,
            },
            "blocked_from": format!("{day}T18:40:00Z"), "blocked_until": format!("{day}T22:30:00Z"),
            "guests": guests(), "chefs_needed": 1, "station_chefs": 1,
            "quote": {
                "lines": [{
                    "kind": "guests", "item": "adult", "label": "Adult", "quantity": 14, "unit_cents": 6_079,
                    "total_cents": PAID_CENTS,
                }],
                "total_cents": PAID_CENTS, "deposit_cents": 10_000, "price_list_version": 1,
            },
            "policy": {
                "deposit_cents": 10_000, "deposit_due_hours": 24, "gratuity": null, "cancellation_tiers": [],
            },
            "deposit_due_at": "2026-11-02T00:00:00Z", "tax_place": tax_place(),
            "travel": {"tenths_of_mile": 70, "minutes": 20, "source": "bench"}, "source": null,
            "terms_version": null, "note": null, "requested_at": "2026-11-01T00:00:00.5Z",
        })
    }

    fn paid(&self, n: u64, id: Uuid) -> Value {
        json!({
            "booking_id": id, "number": number(id), "station_id": self.station(n), "event_on": day(n),
            "jurisdiction": jurisdiction(), "rate_ppm": 91_250,
        })
    }

    fn claimed(&self, n: u64, id: Uuid) -> Value {
        json!({
            "booking": self.paid(n, id), "kind": "balance", "method": "zelle", "amount_cents": PAID_CENTS,
            "tip_cents": 1_500, "reference": "R-1", "claimed_at": "2026-11-01T00:00:00Z",
        })
    }

    fn verified(&self, n: u64, id: Uuid) -> Value {
        json!({
            "booking": self.paid(n, id), "method": "zelle", "amount_cents": PAID_CENTS, "tip_cents": 1_500,
            "note": null, "verified_at": "2026-11-02T00:00:00Z",
        })
    }

    fn assigned(&self, n: u64, id: Uuid) -> Value {
        let day = day(n);
        json!({
            "station_id": self.station(n), "number": number(id), "chef_id": nth(&self.chefs, n),
            "blocked_from": format!("{day}T18:40:00Z"), "blocked_until": format!("{day}T22:30:00Z"),
            "zone": "America/Los_Angeles", "day": [format!("{day}T00:00:00Z"), format!("{day}T23:59:59Z")],
            "week": [format!("{day}T00:00:00Z"), format!("{day}T23:59:59Z")],
            "caps": {"per_day": null, "per_week": null}, "assigned_at": "2026-11-02T00:00:02Z",
        })
    }

    fn completed(&self, n: u64, id: Uuid) -> Value {
        json!({
            "station_id": self.station(n), "number": number(id), "event_on": day(n), "guests": guests(),
            "gross_cents": PAID_CENTS, "travel_cents": 0, "gratuity_cents": 0,
            "tax": {"rate_ppm": 91_250, "net_cents": 78_000, "tax_cents": 7_118}, "tax_place": tax_place(),
            "venue_zip": "95112", "venue_city": "San Jose", "completed_at": "2026-12-06T05:00:00Z",
        })
    }

    fn cancelled(&self, n: u64) -> Value {
        json!({
            "station_id": self.station(n), "by": "customer", "reason": "ill", "hours_before": 200,
            "refund": {"tier": {"hours_before": 168, "refund_ppm": 500_000, "deposit_back": "kept"}},
            "cancelled_at": "2026-11-20T00:00:00Z",
        })
    }

    /// Writes steps of different streams in one append, and says where the last stands in the log.
    async fn append(&self, steps: Vec<Step>) -> Result<Position> {
        let command = self.ours.ids.next();
        let write = |step: Step| {
            let kind = step.name.split_once('.').map_or(step.name, |(kind, _)| kind);
            StreamWrite {
                stream: StreamId {
                    kind: kind.into(),
                    id: step.stream,
                },
                expected: Expectation::Any,
                events: vec![NewEvent {
                    event_id: EventId(self.ours.ids.next()),
                    event_type: step.name,
                    event_version: newest(step.name),
                    payload: domain::canonical::json(&step.payload),
                    claims: Vec::new(),
                }],
            }
        };
        let append = Append {
            tenant: self.ours.tenant,
            command_id: CommandId(command),
            digest: [7; 32],
            streams: steps.into_iter().map(write).collect(),
            reads: Vec::new(),
            erases: Vec::new(),
            meta: meta(self.ours.tenant, command),
        };
        match self.ours.log.append(append).await? {
            Outcome::Appended(receipt) => Ok(receipt.last),
            outcome @ (Outcome::Conflict { .. }
            | Outcome::Replayed(_)
            | Outcome::ClaimRefused { .. }
            | Outcome::IdempotencyMismatch) => bail!("an append came to {outcome:?}"),
        }
    }
}

/// The newest version of an event, which is the one that is written.
fn newest(name: &str) -> u16 {
    let kinds = domain::recorded::catalogue();
    kinds
        .iter()
        .find(|kind| kind.name == name)
        .map_or(1, |kind| kind.version)
}

/// The n-th of those that take turns.
fn nth(all: &[Uuid], n: u64) -> Uuid {
    all[usize::try_from(n).unwrap_or_default() % all.len()]
}

fn number(id: Uuid) -> String {
    Booking::number(BookingId(id))
}

fn day(n: u64) -> String {
    format!("2026-{:02}-{:02}", 1 + n / 28 % 12, 1 + n % 28)
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
