//! Where people sign in from: the sign-ins that were tried, and the address and program of each, sealed for the person.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId};
use domain::ids::{SubjectId, TenantId, UserId};
use domain::user::User;
use event_log::{Opened, SealedField, Transaction};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Auth, SignInError};

/// How many tried sign-ins of a person are kept, the last ones.
const KEPT: i64 = 200;

/// The longest name of a program that is kept, in characters.
const LONGEST_AGENT: usize = 200;

/// Where a request comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The address.
    pub address: Option<IpAddr>,
    /// What the program calls itself.
    pub agent: Option<String>,
}

/// What a sign-in that was tried came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInOutcome {
    /// The person was signed in.
    SignedIn,
    /// The password or the second factor was wrong.
    Wrong,
    /// Nobody signs in at the moment: too many guesses were wrong.
    Locked,
    /// The password was right; the second factor was asked for.
    SecondFactor,
}

impl SignInOutcome {
    const ALL: [Self; 4] = [Self::SignedIn, Self::Wrong, Self::Locked, Self::SecondFactor];

    /// The word in the table.
    fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::Wrong => "wrong",
            Self::Locked => "locked",
            Self::SecondFactor => "second_factor",
        }
    }
}

/// A sign-in that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedSignIn {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub tried_at: DateTime<Utc>,
    /// What it came to.
    pub outcome: SignInOutcome,
    /// Where it came from; none once that cannot be opened any more.
    pub origin: Option<Origin>,
}

/// The field that an origin is sealed for.
const ORIGIN: &str = "origin";

impl Auth {
    /// Seals an origin for a person.
    pub(super) async fn seal_origin(
        &self,
        tenant: TenantId,
        user: UserId,
        origin: &Origin,
    ) -> Result<String, SignInError> {
        let agent = origin.agent.as_ref();
        let kept = Origin {
            address: origin.address,
            agent: agent.map(|agent| agent.chars().take(LONGEST_AGENT).collect()),
        };
        let text = serde_json::to_string(&kept).map_err(|error| SignInError::Unavailable(error.into()))?;
        let (subject, stream) = (SubjectId(user.0), stream(user));
        let sealed = self.vault.seal(tenant, subject, &stream, ORIGIN, &text).await?;
        Ok(sealed.sealed)
    }

    /// Opens origins of a person, in their order; none where one cannot be any more.
    pub(super) async fn open_origins(
        &self,
        tenant: TenantId,
        user: UserId,
        sealed: Vec<Option<String>>,
    ) -> Result<Vec<Option<Origin>>, SignInError> {
        let sealed: Vec<Option<Sealed>> = sealed
            .into_iter()
            .map(|text| {
                text.map(|sealed| Sealed {
                    subject: SubjectId(user.0),
                    sealed,
                })
            })
            .collect();
        let stream = stream(user);
        let fields: Vec<SealedField<'_>> = sealed
            .iter()
            .flatten()
            .map(|sealed| SealedField {
                stream: &stream,
                field: ORIGIN,
                sealed,
            })
            .collect();
        let mut opened = self.vault.open_many(tenant, &fields).await?.into_iter();
        let origins = sealed.iter().map(|sealed| {
            sealed.as_ref()?;
            match opened.next()? {
                Opened::Text(text) => serde_json::from_str(&text).ok(),
                Opened::Erased => None,
            }
        });
        Ok(origins.collect())
    }

    /// Keeps a sign-in that was tried, and forgets those that are too long ago.
    pub(super) async fn keep_tried(
        &self,
        tx: &mut Transaction,
        of: (TenantId, UserId),
        outcome: SignInOutcome,
        origin: &str,
    ) -> Result<(), sqlx::Error> {
        let (tenant, user) = of;
        sqlx::query(
            "insert into sign_ins (tenant_id, sign_in_id, user_id, tried_at, outcome, origin)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(tenant.0)
        .bind(self.commands.new_id())
        .bind(user.0)
        .bind(self.clock.now())
        .bind(outcome.as_str())
        .bind(origin)
        .execute(&mut **tx)
        .await?;
        sqlx::query(
            "delete from sign_ins where tenant_id = $1 and user_id = $2 and sign_in_id <= (
                 select sign_in_id from sign_ins where tenant_id = $1 and user_id = $2
                 order by sign_in_id desc offset $3 limit 1)",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(KEPT)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Sign-ins of a person that were tried, the last first, from before one of them on.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`].
    pub async fn tried(
        &self,
        tenant: TenantId,
        user: UserId,
        before: Option<Uuid>,
        first: u16,
    ) -> Result<Vec<TriedSignIn>, SignInError> {
        let mut tx = self.database.begin_read(tenant).await?;
        let rows: Vec<(Uuid, DateTime<Utc>, String, Option<String>)> = sqlx::query_as(
            "select sign_in_id, tried_at, outcome, origin from sign_ins
             where tenant_id = $1 and user_id = $2 and ($3::uuid is null or sign_in_id < $3)
             order by sign_in_id desc limit $4",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(before)
        .bind(i64::from(first))
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let sealed = rows.iter().map(|(.., origin)| origin.clone()).collect();
        let origins = self.open_origins(tenant, user, sealed).await?;
        let tried = rows.into_iter().zip(origins);
        Ok(tried
            .filter_map(|((id, tried_at, word, _), origin)| {
                let outcome = SignInOutcome::ALL
                    .into_iter()
                    .find(|outcome| outcome.as_str() == word)?;
                Some(TriedSignIn {
                    id,
                    tried_at,
                    outcome,
                    origin,
                })
            })
            .collect())
    }
}

fn stream(user: UserId) -> StreamId {
    StreamId::new(User::STREAM, user.to_string())
}
