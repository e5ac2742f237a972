//! Sign-in, and who is signed in.

mod mutation;

use async_graphql::{Context, Description, Enum, ID, Interface, Object, Result, SimpleObject};
use domain::access::{Role as DomainRole, Viewer as DomainViewer};
use domain::decider::Decider;
use domain::document::DocumentNumber;
use domain::envelope::{Position, StreamId};
use domain::ids::{
    ApiKeyId, BookingId, ChefId, ConversationId, CustomerId, EscalationId, LeadId, PaymentId, PromoCodeId,
    ReviewId, StationId, TenantId, UserId, WorkItemId,
};
use domain::user::User as UserAggregate;
use event_log::Opened;
use projections::{
    At, audit_trail, booking_list, chef_list, customer_list, document_list, escalation_list, lead_list,
    payment_list, promo_list, station_list, work_list,
};

use super::account::fault_of;
use super::api_key::{self, ApiKey};
use super::audit::AuditEntry;
use super::booking::Booking;
use super::chef::Chef;
use super::conversation::{self, Conversation};
use super::customer::Customer;
use super::document::Document;
use super::error::{fault, refused_question, unread};
use super::escalation::Escalation;
use super::id::{Noun, global, named, parts};
use super::lead::Lead;
use super::loaders::ERASED;
use super::payment::Payment;
use super::promo_code::PromoCode;
use super::review::{self, Review};
use super::session::{app, recognised, viewer};
use super::station::{Station, stations_of};
use super::user::{self, User};
use super::work::WorkItem;
use crate::auth::{FactorState, NewPassword, Recognised, SignedInAs};

pub(super) use mutation::SignInMutation;

/// Anything that has a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque id, unique over all types."))]
pub(super) enum Node {
    Organisation(Organisation),
    Station(Station),
    Chef(Chef),
    Customer(Customer),
    Booking(Booking),
    Payment(Payment),
    Document(Document),
    PromoCode(PromoCode),
    Review(Review),
    Escalation(Escalation),
    Conversation(Conversation),
    Lead(Lead),
    WorkItem(WorkItem),
    AuditEntry(AuditEntry),
    User(User),
    ApiKey(ApiKey),
}

/// A company on the platform.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub(super) struct Organisation {
    /// Name on documents.
    pub(super) name: String,
    /// Short name at sign-in.
    slug: String,
    #[graphql(skip)]
    tenant: TenantId,
}

#[async_graphql::ComplexObject]
impl Organisation {
    /// Opaque id.
    async fn id(&self) -> ID {
        global(self.tenant)
    }
}

/// What a person of the company is there for.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainRole")]
pub(super) enum Role {
    /// Everything, users included.
    SuperAdmin,
    /// All operations of the assigned stations, but not users.
    Admin,
    /// Bookings, customers and leads; no prices, no tax.
    CustomerSupport,
    /// The own station.
    StationManager,
    /// The own schedule; sees no money.
    Chef,
    /// Reads payments and tax, closes periods, exports.
    Accountant,
    /// Reads everything; changes nothing.
    Auditor,
}

/// Who is signed in.
#[derive(Description)]
pub(super) struct Viewer(Recognised);

#[Object(use_type_description)]
impl Viewer {
    /// Opaque id of the user.
    async fn user_id(&self) -> ID {
        named("User", &self.0.viewer.user.to_string())
    }
    /// E-mail that was signed in with.
    async fn email(&self, ctx: &Context<'_>) -> Result<String> {
        email_of(ctx, self.0.viewer.tenant, self.0.viewer.user).await
    }
    /// Role.
    async fn role(&self) -> Role {
        self.0.viewer.role.into()
    }
    /// The company.
    async fn organisation(&self, ctx: &Context<'_>) -> Result<Organisation> {
        organisation_of(ctx, &self.0.viewer).await
    }
    /// The stations within reach; none while a second factor is missing.
    async fn stations(&self, ctx: &Context<'_>) -> Result<Vec<Station>> {
        match self.0.signed_in {
            SignedInAs::Full => stations_of(ctx, &self.0.viewer).await,
            SignedInAs::WithoutSecondFactor => Ok(Vec::new()),
        }
    }
    /// What the role may do; with a key, what of it the key is for. Nothing while a second factor is missing.
    async fn permissions(&self) -> Vec<&'static str> {
        let permissions = match self.0.signed_in {
            SignedInAs::Full => self.0.viewer.permissions(),
            SignedInAs::WithoutSecondFactor => Vec::new(),
        };
        permissions
            .into_iter()
            .map(|permission| permission.as_str())
            .collect()
    }
    /// Whether the person signs in with a second factor.
    async fn second_factor(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.factor(ctx).await?.confirmed_at.is_some())
    }
    /// Whether the company demands a second factor of the role that the person does not have: all that is left to do is to
    /// set one up.
    async fn second_factor_missing(&self) -> bool {
        self.0.signed_in == SignedInAs::WithoutSecondFactor
    }
    /// How many recovery codes are left to the person.
    async fn recovery_codes_left(&self, ctx: &Context<'_>) -> Result<i32> {
        let left = self.factor(ctx).await?.recovery_codes;
        Ok(i32::try_from(left).unwrap_or(i32::MAX))
    }
}

impl Viewer {
    async fn factor(&self, ctx: &Context<'_>) -> Result<FactorState> {
        let (tenant, user) = (self.0.viewer.tenant, self.0.viewer.user);
        let state = app(ctx).auth.factor_state(tenant, user).await;
        state.map_err(fault_of)
    }
}

/// The e-mail that somebody signs in with.
pub(super) async fn email_of(ctx: &Context<'_>, tenant: TenantId, id: UserId) -> Result<String> {
    let user = app(ctx)
        .commands
        .user(tenant, id)
        .await
        .map_err(refused_question)?;
    let Some(user) = user else {
        return Ok(String::new());
    };
    // Not through the request's loaders: who is just signing in has none yet.
    let stream = StreamId::new(UserAggregate::STREAM, id.to_string());
    let vault = &app(ctx).vault;
    match vault.open(tenant, &stream, "email", &user.email).await {
        Ok(Opened::Text(email)) => Ok(email),
        Ok(Opened::Erased) => Ok(ERASED.to_owned()),
        Err(error) => Err(fault("UNAVAILABLE", &error)),
    }
}

/// The company of somebody.
pub(super) async fn organisation_of(ctx: &Context<'_>, viewer: &DomainViewer) -> Result<Organisation> {
    let companies = app(ctx)
        .database
        .organisations()
        .await
        .map_err(|error| fault("UNAVAILABLE", &error))?;
    let company = companies
        .into_iter()
        .find(|company| company.tenant == viewer.tenant);
    let company = company.ok_or_else(|| super::error::coded("NOT_FOUND", "there is no such organisation"))?;
    Ok(Organisation {
        name: company.name,
        slug: company.slug,
        tenant: company.tenant,
    })
}

/// A password that somebody of the viewer's company is to have who signs in with an e-mail.
pub(super) async fn new_password(
    ctx: &Context<'_>,
    viewer: &DomainViewer,
    password: String,
    email: &str,
) -> Result<NewPassword> {
    let company = organisation_of(ctx, viewer).await?;
    Ok(NewPassword::of_company(password, &company.name, &company.slug).with_email(email))
}

/// Sign-in and nodes.
#[derive(Default)]
pub(super) struct SignInQuery;

#[Object]
impl SignInQuery {
    /// Who is signed in, also while a second factor is missing.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        Ok(Viewer(recognised(ctx)?.clone()))
    }

    /// Anything by its global id; null for what is not there or not within reach. It needs the right that its type does.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id of anything that has one.")] id: ID,
    ) -> Result<Option<Node>> {
        viewer(ctx)?;
        let Some((name, id)) = parts(&id) else {
            return Ok(None);
        };
        node_of(ctx, &name, &id, At::NOW).await
    }
}

/// Anything by its type and id; none for what is not there or not within reach.
pub(super) async fn node_of(ctx: &Context<'_>, name: &str, id: &str, at: At) -> Result<Option<Node>> {
    let viewer = viewer(ctx)?;
    let views = &app(ctx).views;
    macro_rules! row {
        ($id:ty, $found:expr) => {
            match id.parse::<$id>() {
                Ok(id) => {
                    let found = $found(id).await.map_err(unread)?;
                    found.value.map(|row| (row, found.info))
                }
                Err(_) => None,
            }
        };
    }
    Ok(match name {
        TenantId::NAME if id == viewer.tenant.to_string() => {
            Some(Node::Organisation(organisation_of(ctx, viewer).await?))
        }
        StationId::NAME => row!(StationId, |id| station_list::one(views, viewer, id, at))
            .map(|(row, _)| Node::Station(Station(row))),
        ChefId::NAME => row!(ChefId, |id| chef_list::one(views, viewer, id, at))
            .map(|(row, _)| Node::Chef(Chef { row, at })),
        CustomerId::NAME => row!(CustomerId, |id| customer_list::one(views, viewer, id, at))
            .map(|(row, _)| Node::Customer(Customer(row))),
        BookingId::NAME => row!(BookingId, |id| booking_list::one(views, viewer, id, at))
            .map(|(row, info)| Node::Booking(Booking { row, at, info })),
        PaymentId::NAME => row!(PaymentId, |id| payment_list::one(views, viewer, id, at))
            .map(|(row, _)| Node::Payment(Payment { row, at })),
        DocumentNumber::NAME => row!(DocumentNumber, |id| document_list::one(views, viewer, id, at))
            .map(|(row, _)| Node::Document(Document { row, at })),
        PromoCodeId::NAME => row!(PromoCodeId, |id| promo_list::one(views, viewer, id, at))
            .map(|(row, _)| Node::PromoCode(PromoCode(row))),
        ReviewId::NAME => match id.parse() {
            Ok(id) => review::one(ctx, id, at).await?.map(Node::Review),
            Err(_) => None,
        },
        ConversationId::NAME => match id.parse() {
            Ok(id) => conversation::one(ctx, id, at).await?.map(Node::Conversation),
            Err(_) => None,
        },
        EscalationId::NAME => row!(EscalationId, |id| escalation_list::one(views, viewer, id, at))
            .map(|(row, _)| Node::Escalation(Escalation { row, at })),
        LeadId::NAME => row!(LeadId, |id| lead_list::one(views, viewer, id, at))
            .map(|(row, _)| Node::Lead(Lead { row, at })),
        WorkItemId::NAME => row!(WorkItemId, |id| work_list::one(views, viewer, id, at))
            .map(|(row, _)| Node::WorkItem(WorkItem { row, at })),
        UserId::NAME => match id.parse() {
            Ok(id) => user::one(ctx, id, at).await?.map(Node::User),
            Err(_) => None,
        },
        ApiKeyId::NAME => match id.parse() {
            Ok(id) => api_key::one(ctx, id, at).await?.map(Node::ApiKey),
            Err(_) => None,
        },
        "AuditEntry" => {
            let position = id.parse().map(Position).unwrap_or_default();
            let row = audit_trail::one(views, viewer, position, at)
                .await
                .map_err(unread)?
                .value;
            row.map(|row| Node::AuditEntry(AuditEntry(row)))
        }
        _ => None,
    })
}
