//! Whatever many people ask for at the same time, no station has more parties than chefs at any instant, no chef is at
//! two parties at once, and nothing is held for a party that is off. What happened is judged by what the log says, by
//! other code than that which decided.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, Utc};
use commands::booking::{
    BookingChef, BookingChefRelease, BookingDelete, BookingGuestCountChange, BookingInput, BookingReschedule,
    BookingRestore, CustomerInput, OnBehalfOf, SmsConsent, VenueInput,
};
use commands::{Caller, CommandError, Commands, IdempotencyKey, Written};
use domain::booking::{Booking, BookingEvent, CancelledBy, FeeAgreed};
use domain::decider::Decider;
use domain::envelope::Position;
use domain::guests::Guests;
use domain::ids::{BookingId, ChefId, StationId};
use domain::recorded::{DomainEvent, Recorded};
use domain::station::StationEvent;
use event_log::HeldClaim;
use futures::future::join_all;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use tests::http::Server;
use tests::seed::{random, remark, seed};

const WAVES: usize = 12;
const AT_ONCE: usize = 16;

/// Something that somebody asks for.
#[derive(Debug, Clone)]
enum Ask {
    Request(NaiveDateTime, i32),
    Reschedule(BookingId, NaiveDateTime),
    Guests(BookingId, i32),
    Cancel(BookingId),
    Delete(BookingId),
    Restore(BookingId),
    Assign(BookingId, ChefId),
    Unassign(BookingId, ChefId),
}

/// One of few slots, so that they are fought for.
fn slot(random: &mut ChaCha8Rng) -> NaiveDateTime {
    let day =
        NaiveDate::from_ymd_opt(2026, 3, 14).expect("a day") + Duration::days(random.random_range(0..3));
    let hour = *[12, 15, 18, 21].choose(random).expect("there are some");
    day.and_hms_opt(hour, 0, 0).expect("a whole hour")
}

fn ask(random: &mut ChaCha8Rng, bookings: &[BookingId], chefs: &[ChefId]) -> Ask {
    let guests = *[8, 20, 26, 40, 51].choose(random).expect("there are some");
    let Some(booking) = bookings.choose(random).copied() else {
        return Ask::Request(slot(random), guests);
    };
    let chef = *chefs.choose(random).expect("there are some");
    match random.random_range(0..16) {
        0..4 => Ask::Request(slot(random), guests),
        4..7 => Ask::Reschedule(booking, slot(random)),
        7..9 => Ask::Guests(booking, guests),
        9 => Ask::Cancel(booking),
        10 => Ask::Delete(booking),
        11 => Ask::Restore(booking),
        12..15 => Ask::Assign(booking, chef),
        _ => Ask::Unassign(booking, chef),
    }
}

fn party(station: StationId, name: &str, start: NaiveDateTime, adults: i32) -> BookingInput {
    BookingInput {
        station: Some(station),
        customer: CustomerInput {
            id: None,
            name: Some(name.to_owned()),
            email: Some(format!("{name}@example.com")),
            phone: None,
            sms_consent: SmsConsent::NotGiven,
        },
        venue: VenueInput {
            street: "1 Main St".to_owned(),
            city: "Sacramento".to_owned(),
            state: "CA".to_owned(),
            zip: "95814".to_owned(),
        },
        start,
        guests: Guests {
            adults,
            children: 0,
            under6: 0,
        },
        add_ons: vec![],
        promo_code: None,
        source: None,
        terms_version: None,
        note: None,
    }
}

async fn give(
    commands: Commands,
    caller: Caller,
    station: StationId,
    name: String,
    ask: Ask,
) -> Result<Written, CommandError> {
    let key = IdempotencyKey::of_reaction("test", &name);
    let expected_version = None;
    match ask {
        Ask::Request(start, adults) => {
            let input = party(station, &name, start, adults);
            commands.request_booking(caller, key, input).await
        }
        Ask::Reschedule(booking_id, start) => {
            let ask = BookingReschedule {
                booking_id,
                expected_version,
                start,
                venue: None,
                fee: FeeAgreed::Yes,
                on_behalf_of: OnBehalfOf::Customer,
                reason: None,
            };
            commands.reschedule_booking(caller, key, ask).await
        }
        Ask::Guests(booking_id, adults) => {
            let ask = BookingGuestCountChange {
                booking_id,
                expected_version,
                guests: Guests {
                    adults,
                    children: 0,
                    under6: 0,
                },
                reason: None,
            };
            commands.change_guest_count(caller, key, ask).await
        }
        Ask::Cancel(id) => {
            let why = "plans changed".to_owned();
            commands
                .cancel_booking(caller, key, id, None, CancelledBy::Customer, why)
                .await
        }
        Ask::Delete(booking_id) => {
            let ask = BookingDelete {
                booking_id,
                expected_version,
                reason: "made by mistake".to_owned(),
            };
            commands.delete_booking(caller, key, ask).await
        }
        Ask::Restore(booking_id) => {
            let ask = BookingRestore {
                booking_id,
                expected_version,
                reason: None,
            };
            commands.restore_booking(caller, key, ask).await
        }
        Ask::Assign(booking_id, chef_id) => {
            let ask = BookingChef {
                booking_id,
                expected_version,
                chef_id,
            };
            commands.assign_chef(caller, key, ask).await
        }
        Ask::Unassign(booking_id, chef_id) => {
            let ask = BookingChefRelease {
                booking_id,
                expected_version,
                chef_id,
                reason: None,
            };
            commands.unassign_chef(caller, key, ask).await
        }
    }
}

/// A party as the log tells it.
#[derive(Debug, Clone)]
struct Party {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    needed: i32,
    over: bool,
    deleted: bool,
    crew: BTreeSet<ChefId>,
}

impl Party {
    fn holds(&self) -> bool {
        !self.over && !self.deleted
    }
}

/// The station as the log tells it.
#[derive(Debug, Default)]
struct Told {
    chefs: i32,
    parties: BTreeMap<BookingId, Party>,
}

impl Told {
    fn tell(&mut self, station: StationId, event: &Recorded) {
        if let DomainEvent::Station(StationEvent::ChefJoined(_)) = &event.event
            && event.stream.id == station.to_string()
        {
            self.chefs += 1;
        }
        let DomainEvent::Booking(happened) = &event.event else {
            return;
        };
        let id: BookingId = event.stream.id.parse().expect("an id");
        if let BookingEvent::Requested(requested) = happened {
            let party = Party {
                from: requested.blocked_from,
                until: requested.blocked_until,
                needed: requested.chefs_needed,
                over: false,
                deleted: false,
                crew: BTreeSet::new(),
            };
            self.parties.insert(id, party);
        } else {
            change(self.parties.get_mut(&id).expect("it was asked for"), happened);
        }
        self.check(&format!("{} at {}", event.event.name(), event.position));
    }

    /// No instant over capacity, no chef twice, no more chefs than are needed.
    fn check(&self, about: &str) {
        let holding: Vec<&Party> = self.parties.values().filter(|party| party.holds()).collect();
        for start in holding.iter().map(|party| party.from) {
            let then: Vec<&&Party> = holding
                .iter()
                .filter(|party| party.from <= start && start < party.until)
                .collect();
            let needed: i32 = then.iter().map(|party| party.needed).sum();
            assert!(
                needed <= self.chefs,
                "{needed} chefs of {} at {start} after {about}",
                self.chefs
            );
            let busy: Vec<ChefId> = then.iter().flat_map(|party| party.crew.iter().copied()).collect();
            let once: BTreeSet<ChefId> = busy.iter().copied().collect();
            assert_eq!(
                busy.len(),
                once.len(),
                "a chef is at two parties at {start} after {about}"
            );
        }
        for party in holding {
            let crew = i32::try_from(party.crew.len()).expect("a few");
            assert!(
                crew <= party.needed,
                "{crew} of {} chefs after {about}",
                party.needed
            );
        }
    }

    /// What should be held of the station and of its chefs' time.
    fn held(&self, station: StationId) -> BTreeSet<HeldClaim> {
        let mut held = BTreeSet::new();
        for (id, party) in self.parties.iter().filter(|(_, party)| party.holds()) {
            let holder = domain::envelope::StreamId::new(Booking::STREAM, id.to_string());
            held.insert(HeldClaim::Capacity {
                resource: format!("station:{station}"),
                holder: holder.clone(),
                from: party.from,
                until: party.until,
                units: party.needed,
            });
            for chef in &party.crew {
                held.insert(HeldClaim::Interval {
                    resource: format!("chef:{chef}"),
                    holder: holder.clone(),
                    from: party.from,
                    until: party.until,
                });
            }
        }
        held
    }
}

fn change(party: &mut Party, event: &BookingEvent) {
    match event {
        BookingEvent::Rescheduled(moved) => {
            party.from = moved.place.blocked_from;
            party.until = moved.place.blocked_until;
            party.needed = moved.place.chefs_needed;
        }
        BookingEvent::GuestCountChanged(changed) => party.needed = changed.place.chefs_needed,
        BookingEvent::Cancelled(_) | BookingEvent::Expired(_) | BookingEvent::Completed(_) => {
            party.over = true
        }
        BookingEvent::Deleted(_) => party.deleted = true,
        BookingEvent::Restored(_) => party.deleted = false,
        BookingEvent::ChefAssigned(assigned) => {
            assert_eq!(
                (assigned.blocked_from, assigned.blocked_until),
                (party.from, party.until)
            );
            assert!(party.crew.insert(assigned.chef_id));
        }
        BookingEvent::ChefUnassigned(unassigned) => assert!(party.crew.remove(&unassigned.chef_id)),
        BookingEvent::Requested(_)
        | BookingEvent::Confirmed(_)
        | BookingEvent::DepositDueExtended(_)
        | BookingEvent::MenuChanged(_)
        | BookingEvent::NoteAdded(_)
        | BookingEvent::TermsAccepted(_) => {}
    }
}

/// Everything in the log, judged event by event.
async fn told(server: &Server, station: StationId) -> Told {
    let mut told = Told::default();
    let mut at = Position::START;
    loop {
        let page = server.app.log.read(server.company.tenant, at, 500, None).await;
        let page = page.expect("the log answers");
        let Some(last) = page.last() else { return told };
        at = last.position;
        for event in page {
            told.tell(station, &Recorded::try_from(event).expect("it can be read"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_at_once_nobody_is_booked_twice_and_nothing_is_left_behind() {
    let server = Server::start().await;
    let (tenant, station) = (server.company.tenant, server.company.sacramento);
    let mut random = random(seed(), 0);
    let caller = Caller::system(tenant, "test");
    let chefs: Vec<ChefId> = {
        let joined = server
            .app
            .log
            .read(tenant, Position::START, 200, Some(&["station.chef_joined"]));
        let joined = joined.await.expect("the log answers");
        let of_station = joined
            .into_iter()
            .filter(|event| event.stream.id == station.to_string());
        let chef = |event| {
            let recorded = Recorded::try_from(event).expect("it can be read");
            let DomainEvent::Station(StationEvent::ChefJoined(joined)) = recorded.event else {
                panic!("another event")
            };
            joined.chef_id
        };
        of_station.map(chef).collect()
    };
    assert_eq!(chefs.len(), 3);
    let mut bookings: Vec<BookingId> = Vec::new();
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for wave in 0..WAVES {
        let asks: Vec<Ask> = (0..AT_ONCE)
            .map(|_| ask(&mut random, &bookings, &chefs))
            .collect();
        let given = asks.iter().enumerate().map(|(number, ask)| {
            let name = format!("wave{wave}-{number}");
            let given = give(
                server.app.commands.clone(),
                caller.clone(),
                station,
                name,
                ask.clone(),
            );
            tokio::spawn(given)
        });
        for (ask, outcome) in asks.iter().zip(join_all(given).await) {
            let outcome = match outcome.expect("no command panics") {
                Ok(written) => {
                    if matches!(ask, Ask::Request(..)) {
                        bookings.push(written.id_of(Booking::STREAM).parse().unwrap());
                    }
                    "done".to_owned()
                }
                Err(CommandError::Refused(refused)) => refused.code.to_owned(),
                Err(CommandError::Conflict) => "CONFLICT".to_owned(),
                Err(error) => panic!("{ask:?}: {error}"),
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
    }
    remark(format_args!("{outcomes:?}"));
    assert!(outcomes["done"] >= AT_ONCE, "{outcomes:?}");
    assert!(
        outcomes.contains_key("SLOT_UNAVAILABLE"),
        "they fight: {outcomes:?}"
    );

    let told = told(&server, station).await;
    let (_, held) = server.app.log.held_claims(tenant).await.expect("the log answers");
    let of_time: BTreeSet<HeldClaim> = held
        .iter()
        .filter(|claim| match claim {
            HeldClaim::Capacity { resource, .. } => resource.starts_with("station:"),
            HeldClaim::Interval { .. } => true,
            HeldClaim::Unique { .. } => false,
        })
        .cloned()
        .collect();
    assert_eq!(of_time, told.held(station));
    // A party counts towards a chef's day and week as long as the chef is to cook it, and no longer.
    let counted = held.iter().filter_map(|claim| match claim {
        HeldClaim::Capacity { resource, holder, .. } => {
            let chef = resource.strip_prefix("chef_day:")?;
            Some((holder.id.parse().unwrap(), chef.parse().unwrap()))
        }
        HeldClaim::Interval { .. } | HeldClaim::Unique { .. } => None,
    });
    let counted: BTreeSet<(BookingId, ChefId)> = counted.collect();
    let crews = told
        .parties
        .iter()
        .flat_map(|(id, party)| party.crew.iter().map(|chef| (*id, *chef)));
    assert_eq!(counted, crews.collect());
    let verified = replays::verify_claims(&server.app.log, tenant, &()).await;
    assert!(verified.is_ok(), "{verified:?}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}
