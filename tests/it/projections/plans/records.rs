//! The trail, tax lines, customers, leads and prices.

use domain::escalation::{EscalationSource, EscalationStatus};
use domain::ids::{BookingId, ConversationId, StationId};
use domain::tax_rate::PlaceConfirmation;
use domain::work_item::{WorkKind, WorkStatus};
use projections::audit_trail::{self, AuditFilter, AuditSort};
use projections::customer_list::{self, CustomerFilter};
use projections::escalation_list::{self, EscalationFilter};
use projections::lead_list::{self, LeadFilter, LeadStatus};
use projections::price_history::{self, PriceHistoryFilter};
use projections::promo_list;
use projections::tax_ledger::{self, TaxLineFilter, TaxLineKind};
use projections::work_list::{self, WorkFilter};
use projections::{At, Cursor, Slice, conversation_list, conversation_thread};

use super::fill::{booking, fill, id, station, user};
use super::{Case, Program, START, assert_along_an_index, at, kept_to};
use crate::projections::company::auditor;

#[tokio::test]
async fn the_trail_is_listed_along_an_index_whatever_it_is_asked_by() {
    let company = fill(&["audit_trail"]).await;
    let all = auditor();
    let (one_station, entity, actor) = (
        station(3).to_string(),
        booking(500).to_string(),
        user(7).to_string(),
    );
    for sort in [AuditSort::NewestFirst, AuditSort::OldestFirst] {
        macro_rules! entries {
            ($what:literal, $viewer:expr, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
                list!(&company, format!("entries by {}, {sort:?}", $what), "audit_trail", [$($value),*] $(, narrows $column)?,
                    |models, slice| audit_trail::page(models, $viewer, $filter, sort, slice, At::NOW), after ["125000"])
            };
        }
        let by = AuditFilter::default;
        entries!("nothing", &all, by(), []);
        entries!("reach", &kept_to(3), by(), [&one_station]);
        let of_entity = || AuditFilter {
            entity_id: Some(entity.clone()),
            ..by()
        };
        entries!("entity", &all, of_entity(), [&entity], narrows "entity_id");
        let of_type = || AuditFilter {
            entity_type: Some("station".to_owned()),
            ..by()
        };
        entries!("kind", &all, of_type(), ["station"], narrows "entity_type");
        let by_actor = || AuditFilter {
            actor_id: Some(actor.clone()),
            ..by()
        };
        entries!("actor", &all, by_actor(), [&actor], narrows "actor_id");
        let called = || AuditFilter {
            types: vec!["station.created".to_owned()],
            ..by()
        };
        entries!("type", &all, called(), ["station.created"], narrows "event_type");
        let paid = || AuditFilter {
            types: vec!["payment.claimed".to_owned(), "payment.verified".to_owned()],
            ..by()
        };
        entries!("types", &all, paid(), ["{payment.claimed,payment.verified}"]);
    }
}

#[tokio::test]
async fn tax_lines_are_listed_along_an_index_whatever_they_are_asked_by() {
    let company = fill(&["tax_ledger"]).await;
    let all = auditor();
    let (one_station, one_booking) = (station(3).to_string(), booking(500).to_string());
    macro_rules! lines {
        ($what:literal, $viewer:expr, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("tax lines by ", $what), "tax_ledger", [$($value),*] $(, narrows $column)?,
                |models, slice| tax_ledger::page(models, $viewer, $filter, slice, At::NOW), after ["2021-06-01", "125000"])
        };
    }
    let by = TaxLineFilter::default;
    lines!("nothing", &all, by(), []);
    lines!("reach", &kept_to(3), by(), [&one_station]);
    lines!(
        "state",
        &all,
        TaxLineFilter {
            state: Some("CA".to_owned()),
            ..by()
        },
        ["CA"]
    );
    let quarter = || TaxLineFilter {
        period: Some("2021-Q2".parse().unwrap()),
        ..by()
    };
    lines!("period", &all, quarter(), ["2021-04-01", "2021-07-01"], narrows "tax_on");
    let county = || TaxLineFilter {
        state: Some("CA".to_owned()),
        county: Some("County 7".to_owned()),
        ..quarter()
    };
    lines!("county", &all, county(), ["CA", "County 7", "2021-04-01", "2021-07-01"], narrows "county");
    let of_station = || TaxLineFilter {
        station_id: Some(StationId(station(3))),
        ..quarter()
    };
    lines!("station", &all, of_station(), [&one_station, "2021-04-01", "2021-07-01"], narrows "tax_on");
    lines!(
        "kind",
        &all,
        TaxLineFilter {
            kind: Some(TaxLineKind::Tip),
            ..by()
        },
        ["tip"]
    );
    let unsure = || TaxLineFilter {
        confirmation: Some(PlaceConfirmation::Needed),
        ..by()
    };
    lines!("confirmation", &all, unsure(), ["needed"]);
    let of_booking = || TaxLineFilter {
        booking_id: Some(BookingId(booking(500))),
        ..by()
    };
    lines!("booking", &all, of_booking(), [&one_booking], narrows "booking_id");
}

#[tokio::test]
async fn customers_and_leads_are_listed_along_an_index_whatever_they_are_asked_by() {
    let company = fill(&["customer_list", "lead_list"]).await;
    let all = auditor();
    let place = [START, "01930000-0000-7000-8000-000000000001"];
    macro_rules! customers {
        ($what:literal, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("customers by ", $what), "customer_list", [$($value),*] $(, narrows $column)?,
                |models, slice| customer_list::page(models, &all, $filter, slice, At::NOW), after place)
        };
    }
    let by = CustomerFilter::default;
    customers!("nothing", by(), []);
    let by_email = || CustomerFilter {
        email_key: Some("e500".to_owned()),
        ..by()
    };
    customers!("email", by_email(), ["e500"], narrows "email_key");
    let by_phone = || CustomerFilter {
        phone_key: Some("p500".to_owned()),
        ..by()
    };
    customers!("phone", by_phone(), ["p500"], narrows "phone_key");

    macro_rules! leads {
        ($what:literal, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("leads by ", $what), "lead_list", [$($value),*] $(, narrows $column)?,
                |models, slice| lead_list::page(models, &all, $filter, slice, At::NOW), after place)
        };
    }
    let by = LeadFilter::default;
    leads!("nothing", by(), []);
    let lost = || LeadFilter {
        status: Some(LeadStatus::Lost),
        ..by()
    };
    leads!("status", lost(), ["lost"], narrows "status");
    let due = || LeadFilter {
        follow_up_before: Some(at(START)),
        ..by()
    };
    leads!("call", due(), [START], narrows "follow_up_at");
}

#[tokio::test]
async fn the_work_queue_is_listed_along_an_index_whatever_it_is_asked_by() {
    let company = fill(&["work_list"]).await;
    let all = auditor();
    let one_booking = booking(500).to_string();
    macro_rules! items {
        ($what:literal, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("work by ", $what), "work_list", [$($value),*] $(, narrows $column)?,
                |models, slice| work_list::page(models, &all, $filter, slice, At::NOW),
                after [START, "01930000-0000-7000-8000-000000000001"])
        };
    }
    let by = WorkFilter::default;
    items!("nothing", by(), []);
    let open = || WorkFilter {
        status: Some(WorkStatus::Open),
        ..by()
    };
    items!("status", open(), ["open"], narrows "status");
    let disputes = || WorkFilter {
        kind: Some(WorkKind::Dispute),
        ..open()
    };
    items!("kind", disputes(), ["open", "dispute"], narrows "kind");
    let of_booking = || WorkFilter {
        booking_id: Some(BookingId(booking(500))),
        ..by()
    };
    items!("booking", of_booking(), [&one_booking], narrows "booking_id");
}

#[tokio::test]
async fn prices_are_listed_along_an_index_whatever_they_are_asked_by() {
    let company = fill(&["price_history"]).await;
    let all = auditor();
    let one_station = station(3).to_string();
    macro_rules! prices {
        ($what:literal, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("prices by ", $what), "price_history", [$($value),*] $(, narrows $column)?,
                |models, slice| price_history::page(models, &all, $filter, slice, At::NOW), after ["125000"])
        };
    }
    let by = || PriceHistoryFilter {
        station_id: StationId(station(3)),
        item: None,
        from: None,
        to: None,
    };
    prices!("station", by(), [&one_station], narrows "station_id");
    let of_item = || PriceHistoryFilter {
        item: Some("item 7".to_owned()),
        ..by()
    };
    prices!("item", of_item(), [&one_station, "item 7"], narrows "item");
    prices!(
        "from",
        PriceHistoryFilter {
            from: Some(at(START)),
            ..by()
        },
        [&one_station, START]
    );
    prices!(
        "to",
        PriceHistoryFilter {
            to: Some(at(START)),
            ..by()
        },
        [&one_station, START]
    );
}

#[tokio::test]
async fn promo_codes_are_listed_along_an_index() {
    let company = fill(&["promo_list"]).await;
    let all = auditor();
    list!(&company, "promo codes", "promo_list", [],
        |models, slice| promo_list::page(models, &all, slice, At::NOW),
        after [START, "01930000-0000-7000-8000-08000007a120"]);
}

#[tokio::test]
async fn escalations_and_conversations_are_listed_along_an_index_whatever_they_are_asked_by() {
    let company = fill(&["escalation_list", "conversation_list", "conversation_thread"]).await;
    let all = auditor();
    let one_conversation = id(11, 500).to_string();
    const NOBODY: &str = "01930000-0000-7000-8000-000000000001";
    macro_rules! escalations {
        ($what:literal, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("escalations by ", $what), "escalation_list", [$($value),*] $(, narrows $column)?,
                |models, slice| escalation_list::page(models, &all, $filter, slice, At::NOW),
                after ["1", START, NOBODY])
        };
    }
    let by = EscalationFilter::default;
    escalations!("nothing", by(), []);
    let open = || EscalationFilter {
        status: vec![EscalationStatus::Open],
        ..by()
    };
    escalations!("status", open(), ["open"], narrows "status");
    let keyword = || EscalationFilter {
        source: Some(EscalationSource::Keyword),
        ..by()
    };
    escalations!("source", keyword(), ["keyword"], narrows "source");
    let of_conversation = || EscalationFilter {
        conversation_id: Some(ConversationId(id(11, 500))),
        ..by()
    };
    escalations!("conversation", of_conversation(), [&one_conversation], narrows "conversation_id");
    let of_station = || EscalationFilter {
        station_id: Some(StationId(station(3))),
        ..by()
    };
    escalations!("station", of_station(), [&station(3).to_string()], narrows "station_id");
    list!(&company, "conversations", "conversation_list", [],
        |models, slice| conversation_list::page(models, &all, slice, At::NOW), after [START, NOBODY]);
    let thread = ConversationId(id(11, 500));
    for (before, values) in [
        (None, vec![one_conversation.as_str(), "50"]),
        (
            Some(domain::envelope::Position(5_000)),
            vec![one_conversation.as_str(), "5000", "50"],
        ),
    ] {
        let program = Program::over(&company).await;
        let asked = (49, before);
        conversation_thread::last(&program.models, &all, thread, asked, At::NOW)
            .await
            .unwrap();
        let case = Case {
            name: "a thread",
            table: "conversation_thread",
            values: &values,
            narrows: Some("conversation_id"),
        };
        assert_along_an_index(&program, case).await;
    }
}
