//! Sign-in, and who is signed in.

use async_graphql::{Context, Enum, ID, InputObject, Interface, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::access::{Role as DomainRole, Viewer as DomainViewer};
use domain::decider::Decider;
use domain::document::DocumentNumber;
use domain::envelope::{Position, StreamId};
use domain::ids::{
    BookingId, ChefId, ConversationId, CustomerId, EscalationId, LeadId, PaymentId, PromoCodeId, ReviewId,
    StationId, WorkItemId,
};
use domain::user::User;
use event_log::Opened;
use projections::{
    At, audit_trail, booking_list, chef_list, customer_list, document_list, escalation_list, lead_list,
    payment_list, promo_list, station_list, work_list,
};

use super::audit::AuditEntry;
use super::booking::Booking;
use super::chef::Chef;
use super::conversation::{self, Conversation};
use super::customer::Customer;
use super::document::Document;
use super::error::{UserError, fault, refused_question, unread};
use super::escalation::Escalation;
use super::id::{Noun, global, named, parts};
use super::lead::Lead;
use super::loaders::ERASED;
use super::payment::Payment;
use super::promo_code::PromoCode;
use super::review::{self, Review};
use super::session::{app, viewer};
use super::station::{Station, stations_of};
use super::work::WorkItem;
use crate::auth::SignInError;

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
}

/// A company on the platform.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub(super) struct Organisation {
    /// Name on documents.
    name: String,
    /// Short name at sign-in.
    slug: String,
    #[graphql(skip)]
    tenant: domain::ids::TenantId,
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
pub(super) struct Viewer(DomainViewer);

#[Object]
impl Viewer {
    /// Opaque id of the user.
    async fn user_id(&self) -> ID {
        named("User", &self.0.user.to_string())
    }
    /// E-mail that was signed in with.
    async fn email(&self, ctx: &Context<'_>) -> Result<String> {
        let user = app(ctx)
            .commands
            .user(self.0.tenant, self.0.user)
            .await
            .map_err(refused_question)?;
        let Some(user) = user else {
            return Ok(String::new());
        };
        // Not through the request's loaders: who is just signing in has none yet.
        let stream = StreamId::new(User::STREAM, self.0.user.to_string());
        match app(ctx)
            .vault
            .open(self.0.tenant, &stream, "email", &user.email)
            .await
        {
            Ok(Opened::Text(email)) => Ok(email),
            Ok(Opened::Erased) => Ok(ERASED.to_owned()),
            Err(error) => Err(fault("UNAVAILABLE", &error)),
        }
    }
    /// Role.
    async fn role(&self) -> Role {
        self.0.role.into()
    }
    /// The company.
    async fn organisation(&self, ctx: &Context<'_>) -> Result<Organisation> {
        organisation(ctx, &self.0).await
    }
    /// The stations within reach.
    async fn stations(&self, ctx: &Context<'_>) -> Result<Vec<Station>> {
        stations_of(ctx, &self.0).await
    }
    /// What the role may do.
    async fn permissions(&self) -> Vec<&'static str> {
        self.0
            .role
            .permissions()
            .iter()
            .map(|permission| permission.as_str())
            .collect()
    }
}

async fn organisation(ctx: &Context<'_>, viewer: &DomainViewer) -> Result<Organisation> {
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

/// Sign-in and nodes.
#[derive(Default)]
pub(super) struct SignInQuery;

#[Object]
impl SignInQuery {
    /// Who is signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        Ok(Viewer(viewer(ctx)?.clone()))
    }

    /// Anything by its global id; null for what is not there or not within reach.
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
        domain::ids::TenantId::NAME if id == viewer.tenant.to_string() => {
            Some(Node::Organisation(organisation(ctx, viewer).await?))
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

/// Who wants to sign in.
#[derive(InputObject)]
pub(super) struct SignInInput {
    /// Slug of the company.
    organisation: String,
    /// E-mail.
    email: String,
    /// Password.
    #[graphql(secret)]
    password: String,
}

/// What a sign-in came to.
#[derive(SimpleObject)]
pub(super) struct SignInPayload {
    /// Send it with every request, as `Authorization: Bearer …`. Good for ten minutes.
    access_token: Option<String>,
    /// Until when it is good.
    expires_at: Option<DateTime<Utc>>,
    /// Who is signed in.
    viewer: Option<Viewer>,
    /// Why nobody is.
    user_errors: Vec<UserError>,
}

/// Sign-in.
#[derive(Default)]
pub(super) struct SignInMutation;

#[Object]
impl SignInMutation {
    /// Signs somebody in. Says WRONG_CREDENTIALS whatever is wrong.
    async fn sign_in(&self, ctx: &Context<'_>, input: SignInInput) -> Result<SignInPayload> {
        match app(ctx)
            .auth
            .sign_in(&input.organisation, &input.email, input.password)
            .await
        {
            Ok(signed_in) => Ok(SignInPayload {
                access_token: Some(signed_in.access_token),
                expires_at: Some(signed_in.expires_at),
                viewer: Some(Viewer(signed_in.viewer)),
                user_errors: Vec::new(),
            }),
            Err(SignInError::WrongCredentials) => Ok(SignInPayload {
                access_token: None,
                expires_at: None,
                viewer: None,
                user_errors: vec![UserError::new(
                    "WRONG_CREDENTIALS",
                    &[],
                    SignInError::WrongCredentials.to_string(),
                )],
            }),
            Err(error @ SignInError::Unavailable(_)) => Err(fault("UNAVAILABLE", &error)),
        }
    }
}
