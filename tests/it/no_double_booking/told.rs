//! Stations, chefs and parties as the log tells them, judged event by event.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use chrono_tz::America::Los_Angeles;
use domain::booking::{Booking, BookingEvent, UnassignedBecause};
use domain::chef::ChefEvent;
use domain::decider::Decider;
use domain::envelope::StreamId;
use domain::ids::{BookingId, ChefId, StationId};
use domain::recorded::{DomainEvent, Recorded};
use domain::station::StationEvent;
use event_log::HeldClaim;

/// A party as the log tells it.
#[derive(Debug, Clone)]
struct Party {
    station: StationId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    on: NaiveDate,
    needed: i32,
    /// Nobody is there any more, or ever will be.
    over: bool,
    deleted: bool,
    /// Whether it gave back what it had taken.
    released: bool,
    /// Whether staff has taken somebody off who was promised by name: what was promised is then for staff to mend.
    broken: bool,
    crew: BTreeSet<ChefId>,
}

impl Party {
    fn stands(&self) -> bool {
        !self.over && !self.deleted
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }
}

/// When a chef works on every day, by the clock of both stations: from, until.
pub(super) type Hours = (NaiveTime, NaiveTime);

/// The company as the log tells it.
#[derive(Debug, Default)]
pub(super) struct Told {
    stations: BTreeMap<StationId, BTreeSet<ChefId>>,
    off: BTreeSet<(ChefId, NaiveDate)>,
    parties: BTreeMap<BookingId, Party>,
    /// How often somebody of several stations was held by name.
    pub(super) by_name: usize,
    /// What the test has set: who works when, and how many parties a day.
    pub(super) hours: BTreeMap<ChefId, Hours>,
    pub(super) per_day: BTreeMap<ChefId, usize>,
}

impl Told {
    /// Adds what happened, and says which party was promised more by it.
    pub(super) fn tell(&mut self, event: &Recorded) -> Option<BookingId> {
        if let DomainEvent::Station(StationEvent::ChefJoined(joined)) = &event.event {
            let station = event.stream.id.parse().expect("an id");
            self.stations.entry(station).or_default().insert(joined.chef_id);
        }
        if let DomainEvent::Chef(ChefEvent::TimeOffAdded(added)) = &event.event {
            let chef = event.stream.id.parse().expect("an id");
            let days = added.from.iter_days().take_while(|day| *day <= added.to);
            self.off.extend(days.map(|day| (chef, day)));
        }
        let DomainEvent::Booking(happened) = &event.event else {
            return None;
        };
        self.happened(event, happened)
    }

    fn happened(&mut self, event: &Recorded, happened: &BookingEvent) -> Option<BookingId> {
        let id: BookingId = event.stream.id.parse().expect("an id");
        let about = format!("{} at {}", event.event.name(), event.position);
        let before = self.parties.get(&id).cloned();
        let mut party = match (happened, before.clone()) {
            (BookingEvent::Requested(requested), None) => Party {
                station: requested.station_id,
                from: requested.blocked_from,
                until: requested.blocked_until,
                on: requested.start.local.date(),
                needed: requested.chefs_needed,
                over: false,
                deleted: false,
                released: false,
                broken: false,
                crew: BTreeSet::new(),
            },
            (_, Some(party)) => changed(party, happened),
            (_, None) => panic!("{about}: it was not asked for"),
        };
        if let BookingEvent::ChefAssigned(cooks) = happened {
            self.by_name += usize::from(!self.own(party.station).contains(&cooks.chef_id));
        }
        if let BookingEvent::ChefUnassigned(off) = happened {
            let named = !self.own(party.station).contains(&off.chef_id);
            party.broken |= named && off.because == UnassignedBecause::Staff;
        }
        self.parties.insert(id, party.clone());
        let grows = before.is_none_or(|before| {
            !before.stands() || before.needed < party.needed || before.from != party.from
        });
        if party.stands() && !grows {
            self.nobody_is_at_two_parties(&party, &about);
        }
        let crew = i32::try_from(party.crew.len()).expect("a few");
        assert!(
            crew <= party.needed,
            "{crew} of {} chefs after {about}",
            party.needed
        );
        grows.then_some(id)
    }

    /// The chefs of a station who work nowhere else.
    fn own(&self, station: StationId) -> BTreeSet<ChefId> {
        let others = self.stations.iter().filter(|(id, _)| **id != station);
        let others: BTreeSet<ChefId> = others.flat_map(|(_, chefs)| chefs.iter().copied()).collect();
        &self.stations[&station] - &others
    }

    /// How many of the chefs whom nobody named a party is to have.
    fn unnamed(&self, party: &Party) -> i32 {
        let named = (&party.crew - &self.own(party.station)).len();
        party.needed - i32::try_from(named).expect("a few")
    }

    fn works(&self, chef: ChefId, at: DateTime<Utc>) -> bool {
        let there = at.with_timezone(&Los_Angeles).naive_local();
        let hours = self.hours.get(&chef);
        let in_hours = hours.is_none_or(|(from, until)| (*from..*until).contains(&there.time()));
        in_hours && !self.off.contains(&(chef, there.date()))
    }

    fn nobody_is_at_two_parties(&self, party: &Party, about: &str) {
        let others = self.parties.values().filter(|other| other.stands());
        let then: Vec<&Party> = others.filter(|other| other.overlaps(party)).collect();
        for chef in &party.crew {
            let has = |other: &&&Party| other.crew.contains(chef);
            assert_eq!(
                then.iter().filter(has).count(),
                1,
                "a chef at two parties after {about}"
            );
            let cap = self.per_day.get(chef).copied().unwrap_or(usize::MAX);
            let of_day = self
                .parties
                .values()
                .filter(|other| other.on == party.on && other.crew.contains(chef));
            assert!(
                of_day.count() <= cap,
                "a chef cooks more than {cap} after {about}"
            );
        }
    }

    /// What was just promised can be kept as far as the rule says: at no instant are more chefs promised than work then, of
    /// those of the station alone; all others are named.
    pub(super) fn promised(&self, id: BookingId, about: &str) {
        let party = &self.parties[&id];
        if !party.stands() || self.unnamed(party) == 0 {
            return;
        }
        let own = self.own(party.station);
        let mut at = party.from;
        while at < party.until {
            let then = self
                .parties
                .values()
                .filter(|other| other.stands() && other.station == party.station)
                .filter(|other| other.from <= at && at < other.until);
            let promised: i32 = then.map(|other| self.unnamed(other)).sum();
            let working = own.iter().filter(|chef| self.works(**chef, at)).count();
            let working = i32::try_from(working).expect("a few");
            assert!(
                promised <= working,
                "{promised} of {working} chefs at {at} after {about}"
            );
            at += Duration::minutes(30);
        }
    }

    /// Finds a crew for each party that stands at a station whose own chefs work whenever it does, and says for how many.
    pub(super) fn crews(&self, station: StationId) -> usize {
        let mut parties: Vec<&Party> = self
            .parties
            .values()
            .filter(|party| party.station == station && party.stands() && !party.broken)
            .collect();
        parties.sort_by_key(|party| party.from);
        let mut free_from: BTreeMap<ChefId, DateTime<Utc>> = self
            .own(station)
            .into_iter()
            .map(|chef| (chef, DateTime::<Utc>::MIN_UTC))
            .collect();
        for party in &parties {
            for _ in 0..self.unnamed(party) {
                let free = free_from.iter().find(|(_, from)| **from <= party.from);
                let chef = *free.unwrap_or_else(|| panic!("nobody for {party:?}")).0;
                free_from.insert(chef, party.until);
            }
        }
        parties.len()
    }

    /// What should be held of the stations and of their chefs' time.
    pub(super) fn held(&self) -> BTreeSet<HeldClaim> {
        let mut held = BTreeSet::new();
        let holding = self
            .parties
            .iter()
            .filter(|(_, party)| !party.released && !party.deleted);
        for (id, party) in holding {
            let holder = StreamId::new(Booking::STREAM, id.to_string());
            let units = self.unnamed(party);
            if units > 0 {
                held.insert(HeldClaim::Capacity {
                    resource: format!("station:{}", party.station),
                    holder: holder.clone(),
                    from: party.from,
                    until: party.until,
                    units,
                });
            }
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

    /// Who cooks where.
    pub(super) fn crew(&self) -> BTreeSet<(BookingId, ChefId)> {
        let crew = |(id, party): (&BookingId, &Party)| {
            let id = *id;
            party.crew.clone().into_iter().map(move |chef| (id, chef))
        };
        self.parties.iter().flat_map(crew).collect()
    }
}

fn changed(mut party: Party, event: &BookingEvent) -> Party {
    match event {
        BookingEvent::Rescheduled(moved) => {
            party.from = moved.place.blocked_from;
            party.until = moved.place.blocked_until;
            party.on = moved.start.local.date();
            party.needed = moved.place.chefs_needed;
            party.broken = false;
        }
        BookingEvent::GuestCountChanged(changed) => party.needed = changed.place.chefs_needed,
        BookingEvent::Cancelled(_) | BookingEvent::Expired(_) => {
            party.over = true;
            party.released = true;
        }
        // Who marks a party as held may do so while people are there.
        BookingEvent::Completed(completed) => {
            party.over = completed.completed_at >= party.until;
            party.released = party.over;
        }
        BookingEvent::Deleted(_) => party.deleted = true,
        BookingEvent::Restored(_) => {
            party.deleted = false;
            party.broken = false;
        }
        BookingEvent::ChefAssigned(assigned) => {
            assert_eq!(
                (assigned.blocked_from, assigned.blocked_until),
                (party.from, party.until)
            );
            assert!(party.crew.insert(assigned.chef_id));
        }
        BookingEvent::ChefUnassigned(unassigned) => assert!(party.crew.remove(&unassigned.chef_id)),
        BookingEvent::Requested(_) => panic!("asked for twice"),
        BookingEvent::Confirmed(_)
        | BookingEvent::DepositDueExtended(_)
        | BookingEvent::MenuChanged(_)
        | BookingEvent::NoteAdded(_)
        | BookingEvent::TermsAccepted(_)
        | BookingEvent::TaxPlaceSet(_)
        | BookingEvent::TaxAdjusted(_) => {}
    }
    party
}
