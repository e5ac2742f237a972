//! The lines of the report by the day of payment up to a position: as they are stored, and as the log has them.

use std::collections::HashMap;

use domain::access::{StationScope, Viewer};
use domain::booking::BookingEvent;
use domain::envelope::Position;
use domain::ids::{BookingId, TenantId};
use domain::recorded::{DomainEvent, Recorded};
use futures::stream::{iter, try_unfold};
use futures::{Stream, TryStreamExt, pin_mut};
use tokio::sync::mpsc::{Receiver, channel};

use crate::engine::{Fold, ProjectionError, ReadError, ReadModels, Wanted, events_between};
use crate::period::Period;
use crate::tax_cash::{CashLineRow, TaxCash, TaxCashRow};

/// Cards of parties that were held whose money moved about a period: each day in a query of its own, so that it is read once
/// and not for each card. What moves later only widens the days of a card, and another place may be another state: which of
/// the cards' lines are of the report is told when it is known how they stood then.
const OF_REPORT: &str = "
    and last_on >= (select current_setting('hibachi.from')::date)
    and first_on <= (select current_setting('hibachi.last')::date)";
/// Bookings that are folded at the same time where the log is asked.
const AT_ONCE: usize = 65_536;

/// Which lines a report is of.
#[derive(Debug, Clone)]
struct Asked {
    tenant: TenantId,
    stations: StationScope,
    state: String,
    period: Period,
    position: Position,
}

impl Asked {
    fn of(viewer: &Viewer, state: &str, period: &Period, position: Position) -> Self {
        Self {
            tenant: viewer.tenant,
            stations: viewer.stations.clone(),
            state: state.to_owned(),
            period: period.clone(),
            position,
        }
    }

    /// The lines of a card that are of the report. The party counts on the first day that there is one.
    fn lines(&self, card: TaxCashRow) -> Vec<CashLineRow> {
        let within = self.stations.covers(card.station_id);
        let days = self.period.from()..=self.period.until();
        let mut lines = match card.as_of(self.position) {
            Some(card) if within && card.state == self.state => card.lines(),
            Some(_) | None => Vec::new(),
        };
        lines.retain(|line| days.contains(&line.paid_on));
        lines
    }
}

/// The stored lines of a report, a page of bookings at a time. Dropped, it reads on to the end of the page that it is at.
pub(crate) fn up_to(
    models: &ReadModels,
    viewer: &Viewer,
    state: &str,
    period: &Period,
    position: Position,
) -> Receiver<Result<Vec<CashLineRow>, ReadError>> {
    let asked = Asked::of(viewer, state, period, position);
    let wanted = Wanted {
        stations: viewer.stations.clone(),
        conditions: OF_REPORT,
        settings: vec![
            ("from", period.from().to_string()),
            ("last", period.until().to_string()),
        ],
    };
    let mut cards = models.pages_until::<TaxCash>(viewer.tenant, position, wanted);
    let (slots, pages) = channel(1);
    tokio::spawn(async move {
        // No page is read before there is a place for it, and none for nobody.
        while let Ok(slot) = slots.reserve().await {
            let Some(page) = cards.recv().await else {
                return;
            };
            let lines = page.map(|cards| cards.into_iter().flat_map(|card| asked.lines(card)).collect());
            slot.send(lines);
        }
    });
    pages
}

/// The lines of a report as the log has them, whatever is stored: the bookings of one part of the log after the other, so
/// that memory holds no more than one part's.
pub(crate) fn of_log(
    models: &ReadModels,
    viewer: &Viewer,
    state: &str,
    period: &Period,
    position: Position,
) -> impl Stream<Item = Result<CashLineRow, ProjectionError>> + Send + use<> {
    let asked = Asked::of(viewer, state, period, position);
    parts(models.clone(), asked, AT_ONCE)
}

fn parts(
    models: ReadModels,
    asked: Asked,
    at_once: usize,
) -> impl Stream<Item = Result<CashLineRow, ProjectionError>> + Send {
    let parts = try_unfold(Some(Position::START), move |after| {
        let (models, asked) = (models.clone(), asked.clone());
        async move {
            let Some(after) = after else {
                return Ok::<_, ProjectionError>(None);
            };
            let events = events_between::<TaxCash>(&models, asked.tenant, after, asked.position).await?;
            pin_mut!(events);
            let mut part = Part::of(at_once);
            while let Some(event) = events.try_next().await? {
                part.take(&event);
            }
            let (cards, next) = part.end();
            let lines: Vec<CashLineRow> = cards.into_iter().flat_map(|card| asked.lines(card)).collect();
            Ok(Some((lines, next)))
        }
    });
    parts
        .map_ok(|lines| iter(lines.into_iter().map(Ok)))
        .try_flatten()
}

/// The first so many bookings that are asked for in the events that it is given.
struct Part {
    at_once: usize,
    cards: HashMap<BookingId, TaxCashRow>,
    taken: usize,
    /// The request of the last of them.
    last: Option<Position>,
    /// Whether more are asked for after it.
    more: bool,
}

impl Part {
    fn of(at_once: usize) -> Self {
        Self {
            at_once,
            cards: HashMap::new(),
            taken: 0,
            last: None,
            more: false,
        }
    }

    fn take(&mut self, event: &Recorded) {
        let Some(key) = TaxCash::key(event) else {
            return;
        };
        let before = self.cards.remove(&key);
        if let DomainEvent::Booking(BookingEvent::Requested(_)) = &event.event {
            if self.taken == self.at_once {
                self.more = true;
                return;
            }
            self.taken += 1;
            self.last = Some(event.position);
        } else if before.is_none() {
            // Of a booking of another part.
            return;
        }
        if let Some(card) = TaxCash::apply(before, event) {
            self.cards.insert(key, card);
        }
    }

    /// The cards in the order of their requests; and after which position the next part begins, where there is one.
    fn end(self) -> (Vec<TaxCashRow>, Option<Position>) {
        let mut cards: Vec<TaxCashRow> = self.cards.into_values().collect();
        cards.sort_by_key(|card| card.position);
        (cards, self.last.filter(|_| self.more))
    }
}

#[cfg(test)]
mod tests {
    use domain::payment::PaymentEvent;

    use super::*;
    use crate::testing::{booking_event, completed, fold, requested, verified};

    /// The same events of a booking of its own.
    fn of(booking: u128, mut event: Recorded) -> Recorded {
        let id = BookingId(uuid::Uuid::from_u128(booking));
        if let DomainEvent::Payment(PaymentEvent::Verified(it)) = &mut event.event {
            it.booking.booking_id = id;
        } else {
            event.stream.id = id.to_string();
        }
        event
    }

    #[test]
    fn the_log_in_parts_gives_the_cards_of_the_whole_log() {
        let mut events = Vec::new();
        for booking in 1..=5 {
            let position = i64::try_from(booking).unwrap();
            let asked = booking_event(position, 1, BookingEvent::Requested(requested(85_118)));
            events.push(of(booking, asked));
        }
        for booking in [3, 1, 5, 2] {
            let position = 10 + 10 * i64::try_from(booking).unwrap();
            events.push(of(booking, verified(position, 85_118, 0)));
            let held = BookingEvent::Completed(completed(85_118, Some(91_250)));
            events.push(of(booking, booking_event(position + 1, 2, held)));
        }
        let mut whole: Vec<TaxCashRow> = fold::<TaxCash>(&events).iter().cloned().collect();
        whole.sort_by_key(|card| card.position);
        assert_eq!(whole.len(), 5);
        for at_once in [1, 2, 4, 5, 6] {
            let mut cards = Vec::new();
            let mut after = Some(Position::START);
            while let Some(from) = after {
                let mut part = Part::of(at_once);
                let later = events.iter().filter(|event| event.position > from);
                later.for_each(|event| part.take(event));
                assert!(part.cards.len() <= at_once);
                let (found, next) = part.end();
                cards.extend(found);
                after = next;
            }
            assert_eq!(cards, whole, "{at_once} at once");
        }
    }
}
