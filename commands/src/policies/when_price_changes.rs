//! When a price changes, customers who want to hear from the company and whose party is still to come are told: the changes
//! of a day once. Their bookings keep their prices.

use domain::price_list::PriceListEvent;
use domain::recorded::{DomainEvent, Recorded};

use super::{News, Reply};
use crate::message::PriceNews;

/// Tells subscribers of prices.
pub struct WhenPriceChanges;

impl News for WhenPriceChanges {
    const NAME: &'static str = "when_price_changes";

    fn news(event: &Recorded) -> Option<Reply> {
        let DomainEvent::PriceList(PriceListEvent::PriceChanged(_)) = &event.event else {
            return None;
        };
        // A price list is its station's.
        Some(Reply::TellOfPrices(PriceNews {
            station_id: event.stream.id.parse().ok()?,
            on: event.recorded_at.date_naive(),
            since: event.recorded_at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policies::testing::{BOOKING, Story};

    #[test]
    fn a_change_of_prices_is_told_and_a_new_item_is_not() {
        let mut story = Story::<WhenPriceChanges>::new();
        assert_eq!(story.tell("price_list.item_added", json!({})), None);
        let Some(Reply::TellOfPrices(news)) = story.tell("price_list.price_changed", json!({})) else {
            panic!("subscribers are told");
        };
        assert_eq!(news.station_id.0, BOOKING);
        assert_eq!(news.on, "2026-03-01".parse().unwrap());
    }
}
