//! Every projection there is: one line each.

use std::marker::PhantomData;

use super::error::ProjectionError;
use super::projection::{Of, Projection};
use crate::api_key_list::ApiKeyList;
use crate::audit_trail::AuditTrail;
use crate::booking_ledger::BookingLedger;
use crate::booking_list::BookingList;
use crate::books::Books;
use crate::chef_list::ChefList;
use crate::conversation_list::ConversationList;
use crate::conversation_thread::ConversationThread;
use crate::customer_list::CustomerList;
use crate::document_list::DocumentList;
use crate::escalation_list::EscalationList;
use crate::escalation_stats::EscalationStats;
use crate::job_list::JobList;
use crate::lead_list::LeadList;
use crate::message_list::MessageList;
use crate::message_template_list::MessageTemplateList;
use crate::payment_list::PaymentList;
use crate::price_history::PriceHistory;
use crate::price_list::PriceListView;
use crate::promo_list::PromoList;
use crate::review_list::ReviewList;
use crate::station_list::StationList;
use crate::tax_cash::TaxCash;
use crate::tax_ledger::TaxLedger;
use crate::tax_periods::TaxPeriods;
use crate::tax_rates::TaxRates;
use crate::tax_summary::TaxSummary;
use crate::user_list::UserList;
use crate::work_list::WorkList;

/// Every projection, in the order of the command line's lists.
// Inlined into another crate it would bring all of the engine there, once for each projection: three copies of thirty
// megabytes were in the program.
#[inline(never)]
pub fn registry() -> &'static [&'static dyn Projection] {
    &[
        &Of::<BookingList>(PhantomData),
        &Of::<PaymentList>(PhantomData),
        &Of::<WorkList>(PhantomData),
        &Of::<ReviewList>(PhantomData),
        &Of::<BookingLedger>(PhantomData),
        &Of::<TaxLedger>(PhantomData),
        &Of::<TaxSummary>(PhantomData),
        &Of::<TaxCash>(PhantomData),
        &Of::<Books>(PhantomData),
        &Of::<AuditTrail>(PhantomData),
        &Of::<PriceListView>(PhantomData),
        &Of::<PriceHistory>(PhantomData),
        &Of::<PromoList>(PhantomData),
        &Of::<CustomerList>(PhantomData),
        &Of::<StationList>(PhantomData),
        &Of::<DocumentList>(PhantomData),
        &Of::<LeadList>(PhantomData),
        &Of::<JobList>(PhantomData),
        &Of::<MessageList>(PhantomData),
        &Of::<MessageTemplateList>(PhantomData),
        &Of::<EscalationList>(PhantomData),
        &Of::<EscalationStats>(PhantomData),
        &Of::<ConversationList>(PhantomData),
        &Of::<ConversationThread>(PhantomData),
        &Of::<ChefList>(PhantomData),
        &Of::<TaxRates>(PhantomData),
        &Of::<TaxPeriods>(PhantomData),
        &Of::<UserList>(PhantomData),
        &Of::<ApiKeyList>(PhantomData),
    ]
}

/// The projection of a name.
///
/// # Errors
/// [`ProjectionError::Unknown`] when there is none.
pub fn projection(name: &str) -> Result<&'static dyn Projection, ProjectionError> {
    let found = registry().iter().find(|projection| projection.name() == name);
    found
        .copied()
        .ok_or_else(|| ProjectionError::Unknown(name.to_owned()))
}
