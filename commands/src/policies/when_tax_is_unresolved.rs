//! When there is no tax rate for a booking's place and day, a person is told, until there is one or none is needed. Of
//! bookings with a rate nothing is remembered: most have one.

use chrono::{NaiveDate, TimeDelta};
use domain::booking::{Booking, BookingEvent};
use domain::ids::{StationId, WorkItemId};
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_rate::{Jurisdiction, TaxPlace};
use domain::work_item::{WorkItemOpened, WorkKind};
use serde::{Deserialize, Serialize};

use super::{Answers, Policy, Reaction, Reply, WorkStep, when_deposit_captured::booking_of};

/// Tells of bookings whose tax nobody knows.
pub struct WhenTaxIsUnresolved;

/// A booking whose tax nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unresolved {
    station_id: StationId,
    /// Whose rate is missing.
    place: Jurisdiction,
    /// On which day, where that is known.
    on: Option<NaiveDate>,
    /// The item that says so; none while the booking is put away.
    item: Option<WorkItemId>,
}

/// A restoration of the last moment may be heard of some time after it.
const A_DAY: TimeDelta = TimeDelta::days(1);

impl Policy for WhenTaxIsUnresolved {
    type State = Unresolved;
    const NAME: &'static str = "when_tax_is_unresolved";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        let DomainEvent::Booking(booking) = &event.event else {
            return None;
        };
        let looked_at = match booking {
            BookingEvent::Requested(requested) => requested.tax_place.rate_ppm.is_none(),
            BookingEvent::TaxPlaceSet(set) => {
                set.before.rate_ppm.is_none() || set.tax_place.rate_ppm.is_none()
            }
            BookingEvent::Rescheduled(_)
            | BookingEvent::Cancelled(_)
            | BookingEvent::Expired(_)
            | BookingEvent::Deleted(_)
            | BookingEvent::Restored(_) => true,
            BookingEvent::TaxAdjusted(adjusted) => {
                adjusted.kept.is_some() && adjusted.tax_place.rate_ppm.is_none()
            }
            // A party that is held at another rate says so before.
            BookingEvent::Completed(_)
            | BookingEvent::DepositDueExtended(_)
            | BookingEvent::Confirmed(_)
            | BookingEvent::GuestCountChanged(_)
            | BookingEvent::MenuChanged(_)
            | BookingEvent::ChefAssigned(_)
            | BookingEvent::ChefUnassigned(_)
            | BookingEvent::NoteAdded(_)
            | BookingEvent::TermsAccepted(_) => false,
        };
        looked_at.then(|| event.stream.id.clone())
    }

    fn react(state: Option<Unresolved>, event: &Recorded) -> Reaction<Unresolved> {
        let DomainEvent::Booking(booking) = &event.event else {
            return Reaction::keep(state);
        };
        match booking {
            BookingEvent::Requested(requested) => {
                let on = requested.start.local.date();
                placed(state, event, requested.station_id, &requested.tax_place, Some(on))
            }
            BookingEvent::Rescheduled(moved) => {
                let on = moved.start.local.date();
                placed(state, event, moved.station_id, &moved.tax_place, Some(on))
            }
            BookingEvent::TaxPlaceSet(set) => {
                let on = state.as_ref().and_then(|known| known.on);
                placed(state, event, set.station_id, &set.tax_place, on)
            }
            // What is kept of a party that was called off may be a sale.
            BookingEvent::TaxAdjusted(adjusted) => match &adjusted.kept {
                Some(kept) => {
                    let known = state.as_ref().and_then(|known| known.on);
                    let on = known.unwrap_or(kept.called_off_on);
                    placed(state, event, adjusted.station_id, &adjusted.tax_place, Some(on))
                }
                None => Reaction::keep(state),
            },
            BookingEvent::Cancelled(_) | BookingEvent::Expired(_) => {
                settled(state, "no party is held, and no tax is owed")
            }
            BookingEvent::Deleted(deleted) => match state {
                Some(mut known) => Reaction {
                    reply: close(known.item.take(), "the booking was put away"),
                    wake_at: Some(deleted.restorable_until + A_DAY),
                    state: Some(known),
                },
                None => Reaction::keep(None),
            },
            BookingEvent::Restored(_) => match state {
                Some(known) => known.open(event, None),
                None => Reaction::keep(None),
            },
            BookingEvent::Completed(_)
            | BookingEvent::DepositDueExtended(_)
            | BookingEvent::Confirmed(_)
            | BookingEvent::GuestCountChanged(_)
            | BookingEvent::MenuChanged(_)
            | BookingEvent::ChefAssigned(_)
            | BookingEvent::ChefUnassigned(_)
            | BookingEvent::NoteAdded(_)
            | BookingEvent::TermsAccepted(_) => Reaction::keep(state),
        }
    }

    fn due(_process: &str, _state: Unresolved) -> Option<Reply> {
        None
    }
}

/// What a place of the tax means: nothing more to say where its rate is known.
fn placed(
    state: Option<Unresolved>,
    event: &Recorded,
    station_id: StationId,
    place: &TaxPlace,
    on: Option<NaiveDate>,
) -> Reaction<Unresolved> {
    if place.rate_ppm.is_some() {
        return settled(state, "there is a rate");
    }
    let next = Unresolved {
        station_id,
        place: place.jurisdiction.clone(),
        on,
        item: None,
    };
    match state {
        Some(known) if known.place == next.place && known.on == on => Reaction::keep(Some(known)),
        // Another rate is missing now: that is another item.
        Some(known) => next.open(event, known.item),
        None => next.open(event, None),
    }
}

fn settled(state: Option<Unresolved>, because: &'static str) -> Reaction<Unresolved> {
    Reaction {
        state: None,
        wake_at: None,
        reply: close(state.and_then(|known| known.item), because),
    }
}

fn close(item: Option<WorkItemId>, because: &'static str) -> Option<Reply> {
    item.map(|id| Reply::Work(vec![WorkStep::Close { id, because }]))
}

impl Unresolved {
    fn open(mut self, event: &Recorded, before: Option<WorkItemId>) -> Reaction<Self> {
        let id = WorkKind::TaxUnresolved.item(&event.event_id.to_string());
        let booking_id = booking_of(&event.stream.id);
        let on = self.on.map(|day| format!(" on {day}")).unwrap_or_default();
        let opened = WorkItemOpened {
            kind: WorkKind::TaxUnresolved,
            station_id: Some(self.station_id),
            booking_id,
            booking_number: booking_id.map(Booking::number),
            payment_id: None,
            amount_cents: None,
            detail: format!(
                "there is no tax rate for {}, {}{on}: load one before the period is closed, or set the place by hand",
                self.place.county, self.place.state
            ),
            mail: None,
            provider_event: None,
            opened_at: event.recorded_at,
        };
        self.item = Some(id);
        let because = "the tax belongs to another place or day";
        let before = before.map(|id| WorkStep::Close { id, because });
        let steps = before.into_iter().chain([WorkStep::Open { id, opened }]);
        Reaction {
            reply: Some(Reply::Work(steps.collect())),
            wake_at: None,
            state: Some(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::policies::testing::Story;

    fn place(county: &str, rate: Option<i64>) -> Value {
        json!({
            "jurisdiction": {"state": "NV", "county": county, "city": null}, "rate_ppm": rate,
            "rate_effective_from": rate.map(|_| "2021-07-01"), "method": "city_zip", "confirmation": "not_needed",
        })
    }

    fn booked(rate: Option<i64>) -> (Story<WhenTaxIsUnresolved>, Vec<String>) {
        let mut story = Story::new();
        let said = story.work("booking.requested", json!({"tax_place": place("Washoe", rate)}));
        (story, said)
    }

    #[test]
    fn a_booking_without_a_rate_is_said_once_and_settled_when_there_is_one() {
        let (mut story, said) = booked(None);
        assert_eq!(said, ["open tax_unresolved nothing"]);
        let held = json!({"tax": null, "tax_place": place("Washoe", None)});
        assert_eq!(story.work("booking.completed", held), Vec::<String>::new());
        let set = json!({"before": place("Washoe", None), "tax_place": place("Washoe", Some(82_650))});
        assert_eq!(
            story.work("booking.tax_place_set", set),
            ["close: there is a rate"]
        );
    }

    #[test]
    fn one_with_a_rate_is_not_said_until_it_loses_it() {
        let (mut story, said) = booked(Some(82_650));
        assert_eq!(said, Vec::<String>::new());
        assert!(story.is_over(), "nothing is remembered of it");
        let moved = json!({"tax_place": place("Elko", None)});
        assert_eq!(
            story.work("booking.rescheduled", moved),
            ["open tax_unresolved nothing"]
        );
        let again = json!({"tax_place": place("Storey", None)});
        assert_eq!(
            story.work("booking.rescheduled", again),
            [
                "close: the tax belongs to another place or day",
                "open tax_unresolved nothing"
            ]
        );
    }

    #[test]
    fn nobody_looks_for_the_rate_of_a_party_that_is_not_held() {
        for (end, because) in [
            ("booking.cancelled", "close: no party is held, and no tax is owed"),
            ("booking.expired", "close: no party is held, and no tax is owed"),
            ("booking.deleted", "close: the booking was put away"),
        ] {
            let (mut story, _) = booked(None);
            assert_eq!(story.work(end, json!({})), [because]);
        }
        let (mut story, _) = booked(None);
        story.work("booking.cancelled", json!({"kept": "sale"}));
        let kept = json!({"tax_place": place("Washoe", None)});
        assert_eq!(
            story.work("booking.tax_adjusted", kept.clone()),
            ["open tax_unresolved nothing"]
        );
        assert_eq!(story.work("booking.tax_adjusted", kept), Vec::<String>::new());
        let (mut story, _) = booked(None);
        story.work("booking.deleted", json!({}));
        assert_eq!(
            story.work("booking.restored", json!({"status": "confirmed"})),
            ["open tax_unresolved nothing"]
        );
    }
}
