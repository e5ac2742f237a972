//! Reviews.

use domain::ids::{BookingId, CustomerId, StationId};
use domain::review::{Moderation, ReviewStatus};
use projections::review_list::{self, ReviewFilter};
use projections::{At, Cursor, Slice};

use super::fill::{booking, customer, fill, station};
use super::{Case, Program, START, assert_along_an_index, kept_to};
use crate::projections::company::{TENANT, auditor};

#[tokio::test]
async fn reviews_are_listed_along_an_index_whatever_they_are_asked_by() {
    let company = fill(&["review_list"]).await;
    let all = auditor();
    let (one_booking, one_customer, one_station) = (
        booking(500).to_string(),
        customer(500).to_string(),
        station(3).to_string(),
    );
    macro_rules! reviews {
        ($what:literal, $viewer:expr, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("reviews by ", $what), "review_list", [$($value),*] $(, narrows $column)?,
                |models, slice| review_list::page(models, $viewer, $filter, slice, At::NOW),
                after [START, "01930000-0000-7000-8000-000000000001"])
        };
    }
    let by = ReviewFilter::default;
    reviews!("nothing", &all, by(), []);
    reviews!("reach", &kept_to(3), by(), [&one_station]);
    let opened = || ReviewFilter {
        status: vec![ReviewStatus::Opened],
        ..by()
    };
    reviews!("status", &all, opened(), ["opened"], narrows "status");
    let awaiting = || ReviewFilter {
        moderation: Some(Moderation::Awaiting),
        ..by()
    };
    reviews!("moderation", &all, awaiting(), ["submitted", "awaiting"], narrows "moderation");
    let worst = || ReviewFilter {
        min_rating: Some(1),
        max_rating: Some(1),
        ..by()
    };
    reviews!("rating", &all, worst(), ["1"], narrows "rating");
    let of_booking = || ReviewFilter {
        booking_id: Some(BookingId(booking(500))),
        ..by()
    };
    reviews!("booking", &all, of_booking(), [&one_booking], narrows "booking_id");
    let of_customer = || ReviewFilter {
        customer_id: Some(CustomerId(customer(500))),
        ..by()
    };
    reviews!("customer", &all, of_customer(), [&one_customer], narrows "customer_id");
    macro_rules! published {
        ($what:literal, $station:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("what is published of ", $what), "review_list", [$($value),*] $(, narrows $column)?,
                |models, slice| review_list::published(models, TENANT, $station, slice),
                after [START, "01930000-0000-7000-8000-000000000001"])
        };
    }
    published!("all", None, ["approved"]);
    let here = Some(StationId(station(3)));
    published!("a station", here, ["approved", &one_station], narrows "station_id");
}
