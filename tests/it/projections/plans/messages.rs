//! Messages and their templates.

use domain::ids::{BookingId, CustomerId};
use domain::message::MessageStatus;
use projections::message_list::{self, MessageFilter};
use projections::{At, Cursor, Slice, message_template_list};

use super::fill::{booking, customer, fill, station};
use super::{Case, Program, START, assert_along_an_index, kept_to};
use crate::projections::company::auditor;

#[tokio::test]
async fn messages_are_listed_along_an_index_whatever_they_are_asked_by() {
    let company = fill(&["message_list"]).await;
    let all = auditor();
    let (one_station, one_customer) = (station(3).to_string(), customer(77).to_string());
    let one_booking = booking(77).to_string();
    macro_rules! messages {
        ($what:literal, $viewer:expr, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("messages by ", $what), "message_list", [$($value),*] $(, narrows $column)?,
                |models, slice| message_list::page(models, $viewer, $filter, slice, At::NOW),
                after [START, "01930000-0000-7000-8000-000000000001"])
        };
    }
    messages!("nothing", &all, MessageFilter::default(), []);
    messages!("reach", &kept_to(3), MessageFilter::default(), [&one_station]);
    let to_customer = || MessageFilter {
        customer_id: Some(CustomerId(customer(77))),
        ..MessageFilter::default()
    };
    messages!("customer", &all, to_customer(), [&one_customer], narrows "customer_id");
    let about_booking = || MessageFilter {
        booking_id: Some(BookingId(booking(77))),
        ..MessageFilter::default()
    };
    messages!("booking", &all, about_booking(), [&one_booking], narrows "booking_id");
    let failed = || MessageFilter {
        status: Some(MessageStatus::Failed),
        ..MessageFilter::default()
    };
    messages!("status", &all, failed(), ["failed"], narrows "status");
}

#[tokio::test]
async fn templates_are_listed_along_an_index() {
    let company = fill(&["message_template_list"]).await;
    let all = auditor();
    list!(&company, "templates", "message_template_list", [],
        |models, slice| message_template_list::page(models, &all, slice, At::NOW),
        after ["event_reminder", "sms", "l1", "01930000-0000-7000-8000-000000000001"]);
}
