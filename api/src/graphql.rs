//! The admin API: one file per noun. No rule of the business lives here; a resolver translates and passes on.

mod audit;
mod availability;
mod booking;
mod books;
mod calendar;
mod calendar_feed;
mod charges;
mod chef;
mod connection;
mod conversation;
mod customer;
mod dashboard;
mod document;
mod error;
mod escalation;
mod id;
mod job;
mod lead;
mod ledger;
mod loaders;
mod log;
mod measure;
mod message;
mod order;
mod payment;
mod price_list;
mod promo_code;
mod quote;
mod read;
mod review;
mod scalar;
mod session;
mod sign_in;
mod station;
mod tax;
mod work;

use async_graphql::{EmptySubscription, MergedObject, Request, Response, ServerError};

use crate::app::App;
use error::complete;
use loaders::Loaders;

pub use session::Session;

/// What can be asked of what customers say. A group of its own: roots nest as deep as there are in one.
#[derive(MergedObject, Default)]
pub struct CustomerVoiceQuery(
    review::ReviewQuery,
    review::ReviewStatsQuery,
    review::ReviewSettingsQuery,
    escalation::EscalationQuery,
    conversation::ConversationQuery,
    job::JobQuery,
    message::MessageQuery,
    message::MessageTemplateQuery,
    message::MessageSettingsQuery,
    lead::LeadQuery,
    lead::LeadStatsQuery,
    lead::LeadWindowQuery,
);

/// What can be done about what customers say.
#[derive(MergedObject, Default)]
pub struct CustomerVoiceMutation(
    review::ReviewMutation,
    review::ReviewSettingsMutation,
    escalation::EscalationMutation,
    conversation::ConversationMutation,
    job::JobMutation,
    message::MessageTemplateMutation,
    message::MessageSettingsMutation,
    lead::LeadMutation,
    customer::ConsentMutation,
    customer::LocaleMutation,
);

/// What can be asked.
#[derive(MergedObject, Default)]
pub struct Query(
    sign_in::SignInQuery,
    station::StationQuery,
    availability::AvailabilityQuery,
    chef::ChefQuery,
    customer::CustomerQuery,
    quote::QuoteQuery,
    price_list::PriceListQuery,
    price_list::PriceBulkQuery,
    promo_code::PromoCodeQuery,
    booking::BookingQuery,
    payment::PaymentQuery,
    work::WorkQuery,
    document::DocumentQuery,
    tax::TaxQuery,
    books::BooksQuery,
    CustomerVoiceQuery,
    audit::AuditQuery,
    calendar::CalendarQuery,
    dashboard::DashboardQuery,
    log::LogQuery,
);

/// What can be done. Every command carries an idempotency key: the same key gives the same result.
#[derive(MergedObject, Default)]
pub struct Mutation(
    sign_in::SignInMutation,
    price_list::PriceListMutation,
    price_list::PriceBulkMutation,
    price_list::PriceItemMutation,
    price_list::BookingPolicyMutation,
    promo_code::PromoCodeMutation,
    customer::CustomerMutation,
    booking::BookingMutation,
    booking::BookingChangeMutation,
    station::StationMutation,
    chef::ChefMutation,
    calendar_feed::CalendarFeedMutation,
    payment::PaymentMutation,
    payment::RefundMutation,
    work::WorkMutation,
    CustomerVoiceMutation,
    document::DocumentMutation,
    tax::TaxMutation,
);

type Inner = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// The schema over a running program.
#[derive(Clone)]
pub struct Schema {
    inner: Inner,
    app: App,
}

/// The deepest nesting and the largest cost of one operation. A list costs its length times what it holds.
const MAX_DEPTH: usize = 15;
const MAX_COMPLEXITY: usize = 20_000;

/// How many selections one operation comes to at most, fragments spread out.
const MAX_SELECTIONS: usize = 5_000;

/// How many fields one operation asks of the root at most: each is a question, a command or a guess at a
/// password of its own.
const MAX_ROOTS: usize = 30;

/// The schema over a running program.
pub fn schema(app: App) -> Schema {
    let inner = builder()
        .limit_depth(MAX_DEPTH)
        .limit_complexity(MAX_COMPLEXITY)
        .disable_suggestions()
        .data(app.clone())
        .finish();
    Schema { inner, app }
}

/// The schema as text: what clients are written against.
pub fn sdl() -> String {
    builder().finish().sdl_with_options(
        async_graphql::SDLExportOptions::new()
            .sorted_fields()
            .sorted_arguments()
            .sorted_enum_items(),
    )
}

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, EmptySubscription> {
    Inner::build(Query::default(), Mutation::default(), EmptySubscription)
}

/// Why a document is not even begun, where it is not. Selections come first: only then are there few enough
/// to look at one by one.
fn too_large(document: &async_graphql::parser::types::ExecutableDocument) -> Option<String> {
    if measure::selections(document) > MAX_SELECTIONS {
        return Some(format!(
            "a query selects at most {MAX_SELECTIONS} fields, fragments spread out"
        ));
    }
    let roots = measure::roots(document);
    (roots > MAX_ROOTS)
        .then(|| format!("an operation asks at most {MAX_ROOTS} fields of the root; this one asks {roots}"))
}

impl Schema {
    /// Answers one request of a session. Only people who are signed in may read the schema itself.
    pub async fn execute(&self, request: Request, session: Session) -> Response {
        let request_id = session.request_id.clone();
        let mut request = if session.viewer.is_some() {
            request
        } else {
            request.disable_introspection()
        };
        if let Some(viewer) = &session.viewer {
            request = request.data(Loaders::new(&self.app, viewer));
        }
        let document = request.parsed_query().ok().cloned();
        if let Some(message) = document.as_ref().and_then(too_large) {
            let refused = Response::from_errors(vec![ServerError::new(message, None)]);
            return complete(refused, &request_id);
        }
        let operation = request.operation_name.clone();
        let mut response = self.inner.execute(request.data(session)).await;
        if let Some(document) = document {
            response.data = order::as_asked(&document, operation.as_deref(), response.data);
        }
        complete(response, &request_id)
    }
}

#[cfg(test)]
mod tests {
    /// The committed schema is the one that the program serves. `HIBACHI_UPDATE=1` writes it anew.
    #[test]
    fn the_committed_schema_has_not_drifted() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
        let served = super::sdl();
        if std::env::var_os("HIBACHI_UPDATE").is_some() {
            std::fs::write(path, &served).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == served,
            "api/schema.graphql is not what the program serves: run make schema"
        );
    }

    #[test]
    fn there_is_no_float_in_the_schema() {
        assert!(!super::sdl().contains("Float"));
    }
}
