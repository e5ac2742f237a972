//! Access tokens: signed, good for ten minutes, and naming who has signed in where. What that person may do is looked up, so
//! that it is not what it was ten minutes ago.

use chrono::{DateTime, Duration, Utc};
use domain::ids::{SessionId, TenantId, UserId};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};

use super::token_keys::{KnownKeys, TokenKeys};

/// How long a token is good.
const LIFETIME: Duration = Duration::minutes(10);

/// Why a token or a key stands for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not signed by us, or not of our shape.
    #[error("this access token is not ours")]
    Forged,
    /// Too old.
    #[error("this access token has expired; refresh it, or sign in again")]
    Expired,
    /// The sign-in that it is of is over: signed out, revoked, or the person may sign in no more.
    #[error("this sign-in has ended; sign in again")]
    Ended,
    /// Not a key, or one that was revoked or has expired.
    #[error("this key opens nothing: it is unknown, revoked or expired")]
    NoKey,
    /// Whether it stands for somebody cannot be told now.
    #[error("who this is cannot be told now; try again")]
    Unavailable,
}

/// Who has signed in, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) tenant: TenantId,
    pub(super) user: UserId,
    pub(super) session: SessionId,
}

#[derive(Clone)]
pub(super) struct Tokens {
    keys: KnownKeys,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    org: TenantId,
    sid: SessionId,
    iat: i64,
    exp: i64,
}

impl Tokens {
    pub(super) fn new(keys: impl TokenKeys + 'static) -> Self {
        Self {
            keys: KnownKeys::of(keys),
        }
    }

    /// A token, and until when it is good. Fails where there is no key to be read.
    pub(super) fn issue(
        &self,
        holder: Holder,
        now: DateTime<Utc>,
    ) -> anyhow::Result<(String, DateTime<Utc>)> {
        let ring = self.keys.ring().map_err(anyhow::Error::msg)?;
        let expires_at = now + LIFETIME;
        let claims = Claims {
            sub: holder.user,
            org: holder.tenant,
            sid: holder.session,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(ring.newest.kid.clone());
        let token = jsonwebtoken::encode(&header, &claims, &ring.newest.encoding)?;
        Ok((token, expires_at))
    }

    pub(super) fn read(&self, token: &str, now: DateTime<Utc>) -> Result<Holder, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Forged)?;
        let kid = header.kid.ok_or(TokenError::Forged)?;
        let mut ring = self.keys.ring().map_err(|_| TokenError::Unavailable)?;
        if ring.named(&kid).is_none() {
            ring = self.keys.ring_with_more().map_err(|_| TokenError::Unavailable)?;
        }
        let key = ring.named(&kid).ok_or(TokenError::Forged)?;
        let mut validation = Validation::new(Algorithm::HS256);
        // Compared below with the clock that the rest of the program goes by.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation);
        let claims = claims.map_err(|_| TokenError::Forged)?.claims;
        if claims.exp <= now.timestamp() {
            return Err(TokenError::Expired);
        }
        let issued_at = DateTime::from_timestamp(claims.iat, 0).ok_or(TokenError::Forged)?;
        if !ring.honours(&kid, issued_at) {
            return Err(TokenError::Forged);
        }
        Ok(Holder {
            tenant: claims.org,
            user: claims.sub,
            session: claims.sid,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use uuid::Uuid;

    use super::super::token_keys::{RetiredKey, TokenKey, TokenRing};
    use super::*;

    const HOLDER: Holder = Holder {
        tenant: TenantId(Uuid::from_u128(1)),
        user: UserId(Uuid::from_u128(2)),
        session: SessionId(Uuid::from_u128(3)),
    };

    fn now() -> DateTime<Utc> {
        "2026-11-21T00:00:00Z".parse().unwrap()
    }

    #[derive(Clone)]
    struct Place(Arc<Mutex<TokenRing>>);

    impl TokenKeys for Place {
        fn read(&self) -> Result<TokenRing, String> {
            Ok(self.0.lock().unwrap().clone())
        }
    }

    #[test]
    fn a_token_is_good_for_ten_minutes() {
        let tokens = Tokens::new([7; 32]);
        let (token, expires_at) = tokens.issue(HOLDER, now()).unwrap();
        assert_eq!(tokens.read(&token, expires_at - Duration::seconds(1)), Ok(HOLDER));
        assert_eq!(tokens.read(&token, expires_at), Err(TokenError::Expired));
    }

    #[test]
    fn a_token_of_another_key_or_without_signature_is_forged() {
        let (token, _) = Tokens::new([8; 32]).issue(HOLDER, now()).unwrap();
        let tokens = Tokens::new([7; 32]);
        let (header, rest) = token.split_once('.').unwrap();
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}", rest.rsplit_once('.').unwrap().0);
        let renamed = {
            // The name of the right key over the signature of another.
            let (ours, _) = tokens.issue(HOLDER, now()).unwrap();
            format!("{}.{rest}", ours.split_once('.').unwrap().0)
        };
        for forged in [token.as_str(), &unsigned, &renamed, header, "", "x.y.z"] {
            assert_eq!(tokens.read(forged, now()), Err(TokenError::Forged), "{forged}");
        }
    }

    #[test]
    fn the_key_before_is_honoured_for_what_it_signed_in_its_time() {
        let (old, new) = (TokenKey::new(&[1; 32]), TokenKey::new(&[2; 32]));
        let place = Place(Arc::new(Mutex::new(TokenRing {
            newest: old.clone(),
            previous: None,
        })));
        let before = Tokens::new(place.clone());
        let (token, _) = before.issue(HOLDER, now()).unwrap();
        let rotated = |retired_at| TokenRing {
            newest: new.clone(),
            previous: Some(RetiredKey {
                key: old.clone(),
                retired_at: Some(retired_at),
            }),
        };
        *place.0.lock().unwrap() = rotated(now() + Duration::minutes(1));
        let after = Tokens::new(place.clone());
        assert_eq!(after.read(&token, now() + Duration::minutes(9)), Ok(HOLDER));
        let (newer, _) = after.issue(HOLDER, now()).unwrap();
        assert_ne!(token.split_once('.').unwrap().0, newer.split_once('.').unwrap().0);
        assert_eq!(after.read(&newer, now()), Ok(HOLDER));
        // Who has the key that was signs nothing with it any more.
        *place.0.lock().unwrap() = rotated(now() - Duration::minutes(3));
        assert_eq!(
            Tokens::new(place.clone()).read(&token, now()),
            Err(TokenError::Forged)
        );
        *place.0.lock().unwrap() = TokenRing {
            newest: new,
            previous: None,
        };
        assert_eq!(Tokens::new(place).read(&token, now()), Err(TokenError::Forged));
    }
}
