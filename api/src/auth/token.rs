//! Access tokens: signed, good for ten minutes, and carrying all that a rule about access may look at.

use chrono::{DateTime, Duration, Utc};
use domain::access::{Role, StationScope, Viewer};
use domain::ids::{TenantId, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// How long a token is good.
const LIFETIME: Duration = Duration::minutes(10);

/// Why a token stands for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not signed by us, or not of our shape.
    #[error("this access token is not ours")]
    Forged,
    /// Too old.
    #[error("this access token has expired; sign in again")]
    Expired,
}

#[derive(Clone)]
pub(super) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    org: TenantId,
    role: Role,
    stations: StationScope,
    iat: i64,
    exp: i64,
}

impl Tokens {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
        }
    }

    pub(super) fn issue(&self, viewer: &Viewer, now: DateTime<Utc>) -> (String, DateTime<Utc>) {
        let expires_at = now + LIFETIME;
        let claims = Claims {
            sub: viewer.user,
            org: viewer.tenant,
            role: viewer.role,
            stations: viewer.stations.clone(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding);
        (
            token.expect("our claims have a JSON form and the key fits the algorithm"),
            expires_at,
        )
    }

    pub(super) fn read(&self, token: &str, now: DateTime<Utc>) -> Result<Viewer, TokenError> {
        let mut validation = Validation::new(Algorithm::HS256);
        // Compared below with the clock that the rest of the program goes by.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation);
        let claims = claims.map_err(|_| TokenError::Forged)?.claims;
        if claims.exp <= now.timestamp() {
            return Err(TokenError::Expired);
        }
        Ok(Viewer {
            tenant: claims.org,
            user: claims.sub,
            role: claims.role,
            stations: claims.stations,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn viewer() -> Viewer {
        Viewer {
            tenant: TenantId(Uuid::from_u128(1)),
            user: UserId(Uuid::from_u128(2)),
            role: Role::Auditor,
            stations: StationScope::All,
        }
    }

    #[test]
    fn a_token_is_good_for_ten_minutes() {
        let tokens = Tokens::new(&[7; 32]);
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        let (token, expires_at) = tokens.issue(&viewer(), now);
        assert_eq!(
            tokens.read(&token, expires_at - Duration::seconds(1)),
            Ok(viewer())
        );
        assert_eq!(tokens.read(&token, expires_at), Err(TokenError::Expired));
    }

    #[test]
    fn a_token_of_another_key_or_without_signature_is_forged() {
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        let (token, _) = Tokens::new(&[8; 32]).issue(&viewer(), now);
        let tokens = Tokens::new(&[7; 32]);
        let (header, rest) = token.split_once('.').unwrap();
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}", rest.rsplit_once('.').unwrap().0);
        for forged in [token.as_str(), &unsigned, header, "", "x.y.z"] {
            assert_eq!(tokens.read(forged, now), Err(TokenError::Forged), "{forged}");
        }
    }
}
