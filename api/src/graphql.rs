//! The admin API: one file per noun. No rule of the business lives here; a resolver translates and passes on.

mod account;
mod answer;
mod api_key;
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
mod feature_flag;
mod id;
mod job;
mod lead;
mod ledger;
mod limits;
mod live;
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
mod remembered;
mod review;
mod scalar;
mod scale;
mod session;
mod sign_in;
mod station;
mod subscribe;
mod tax;
mod user;
mod work;

use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{MergedObject, Request, Response, ServerError, ValidationMode};

use crate::app::App;
use crate::throttle::{Credential, Left, Throttled};
use error::complete;
use limits::{MAX_COMPLEXITY, MAX_DEPTH};
use live::Subscription;
use remembered::Remembered;

pub(crate) use scale::LARGEST;
pub use session::Session;
pub use subscribe::Followed;

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

/// What can be asked of the people who sign in, and of what the company is let into.
#[derive(MergedObject, Default)]
pub struct PeopleQuery(
    user::UserQuery,
    account::AccountQuery,
    api_key::ApiKeyQuery,
    feature_flag::FeatureFlagQuery,
);

/// What can be done about the people who sign in, and about what the company is let into.
#[derive(MergedObject, Default)]
pub struct PeopleMutation(
    user::UserMutation,
    user::UserAccessMutation,
    account::AccountMutation,
    account::SecondFactorMutation,
    api_key::ApiKeyMutation,
    feature_flag::FeatureFlagMutation,
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
    PeopleQuery,
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
    PeopleMutation,
);

type Inner = async_graphql::Schema<Query, Mutation, Subscription>;

/// The schema over a running program.
#[derive(Clone)]
pub struct Schema {
    inner: Inner,
    /// Checks and weighs what the other answers.
    twin: Inner,
    app: Arc<App>,
    remembered: Remembered,
}

/// Points that an operation costs which is not begun: it was read, and held against the schema.
const REFUSED: u32 = 10;

/// An answer, and what it has cost.
pub struct Answered {
    /// The answer.
    pub response: Response,
    /// The answer's data as JSON where they were made before, in place of those of the response.
    pub data: Option<Arc<str>>,
    /// What is left to whoever asked; nothing where that is not counted, or where it was not come to.
    pub left: Vec<Left>,
    /// That they have asked too much, where they have.
    pub throttled: Option<Throttled>,
}

impl Answered {
    fn refused(response: Response, request_id: &str) -> Self {
        Self {
            response: complete(response, request_id),
            data: None,
            left: Vec::new(),
            throttled: None,
        }
    }
}

/// The schema over a running program.
pub fn schema(app: Arc<App>) -> Schema {
    let twin = builder()
        .limit_depth(MAX_DEPTH)
        .limit_complexity(MAX_COMPLEXITY)
        .disable_suggestions()
        .extension(scale::Weigh)
        .finish();
    let inner = builder()
        // The twin has held it against every rule.
        .validation_mode(ValidationMode::Fast)
        .disable_suggestions()
        .data(session::Running::of(&app))
        .finish();
    let remembered = Remembered::new(app.answer_memory);
    if app.answer_memory > 0 {
        remembered.keep_swept();
    }
    Schema {
        inner,
        twin,
        app,
        remembered,
    }
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

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    Inner::build(Query::default(), Mutation::default(), Subscription)
}

/// An operation that may be done: it fits the schema and its limits, and is paid.
struct Admitted {
    request: Request,
    document: ExecutableDocument,
    /// What it costs.
    points: u32,
    left: Vec<Left>,
}

impl Schema {
    /// Checks and weighs an operation, and takes what it costs out of the allowance of whoever asks.
    async fn admit(
        &self,
        request: Request,
        session: &Session,
        who: &Credential,
        place: Place,
    ) -> Result<Admitted, Box<Answered>> {
        let weighed = self.weigh(request, session, place).await;
        let points = weighed.as_ref().map_or(REFUSED, |(points, ..)| *points);
        let left = self.spend(who, points).map_err(|throttled| {
            self.app.figures.requests.throttled(throttled.whose);
            Box::new(Answered {
                response: Response::default(),
                data: None,
                left: throttled.left.clone(),
                throttled: Some(throttled),
            })
        })?;
        match weighed {
            Ok((points, request, document)) => {
                self.app.figures.requests.weighed(points);
                Ok(Admitted {
                    request,
                    document,
                    points,
                    left,
                })
            }
            Err(unfit) => Err(Box::new(Answered {
                left,
                ..Answered::refused(*unfit, &session.request_id)
            })),
        }
    }

    /// What an operation costs, and the operation as it is to be done; or why it does not fit.
    async fn weigh(
        &self,
        mut request: Request,
        session: &Session,
        place: Place,
    ) -> Result<(u32, Request, ExecutableDocument), Box<Response>> {
        let refused = |error| Box::new(Response::from_errors(vec![error]));
        let document = request.parsed_query().map_err(refused)?.clone();
        if let Some(too_large) = limits::too_large(&document) {
            return Err(Box::new(too_large));
        }
        if let Some(error) = place.misses(&document, request.operation_name.as_deref()) {
            return Err(refused(error));
        }
        let may_look = session.viewer().is_some();
        let introspecting = |request: Request| {
            if may_look {
                request
            } else {
                request.disable_introspection()
            }
        };
        let weighed = introspecting(same(&request, &document));
        let points = scale::weigh(&self.twin, weighed, &document).await?;
        Ok((points, introspecting(request), document))
    }

    fn spend(&self, who: &Credential, points: u32) -> Result<Vec<Left>, Throttled> {
        match &self.app.throttle {
            Some(throttle) => throttle.spend(who, points, self.app.clock.now()),
            None => Ok(Vec::new()),
        }
    }
}

/// Where an operation came in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where one answer is given.
    Answer,
    /// Where many are.
    Stream,
}

impl Place {
    /// Why an operation is not for this place, where it is not.
    fn misses(self, document: &ExecutableDocument, operation: Option<&str>) -> Option<ServerError> {
        let follows = measure::kind_of(document, operation)? == OperationType::Subscription;
        let message = match self {
            Self::Answer if follows => "follow a subscription at /graphql/live or /graphql/stream, not here",
            Self::Stream if !follows => {
                "only subscriptions are followed here: send anything else to /graphql"
            }
            Self::Answer | Self::Stream => return None,
        };
        let mut error = ServerError::new(message, None);
        error
            .extensions
            .get_or_insert_default()
            .set("code", "OPERATION_ELSEWHERE");
        Some(error)
    }
}

/// The same request once more, with nothing of who sends it.
fn same(request: &Request, document: &ExecutableDocument) -> Request {
    let mut same = Request::new(request.query.clone()).variables(request.variables.clone());
    same.operation_name = request.operation_name.clone();
    same.set_parsed_query(document.clone());
    same
}

#[cfg(test)]
mod tests;
