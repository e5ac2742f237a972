//! The key that signs access tokens is changed, and nobody is signed out.

use std::sync::{Arc, Mutex};

use api::auth::{RetiredKey, TokenKey, TokenKeys, TokenRing};
use chrono::TimeDelta;
use domain::access::Role;
use serde_json::json;
use tests::http::Server;

use super::{email, opens, refresh, sign_in};

/// Keys that the test changes.
#[derive(Clone)]
struct Place(Arc<Mutex<TokenRing>>);

impl TokenKeys for Place {
    fn read(&self) -> Result<TokenRing, String> {
        Ok(self.0.lock().expect("no test panics with it").clone())
    }
}

#[tokio::test]
async fn a_new_key_signs_and_the_one_before_is_honoured_until_its_tokens_end() {
    let (old, new) = (TokenKey::new(&[1; 32]), TokenKey::new(&[2; 32]));
    let place = Place(Arc::new(Mutex::new(TokenRing {
        newest: old.clone(),
        previous: None,
    })));
    let keys = place.clone();
    let server = Server::start_as(move |app| app.signing_tokens_with(keys)).await;
    server.sign_in(Role::Admin).await;
    let before = sign_in(&server, &email(Role::Admin), json!({})).await;
    *place.0.lock().expect("no test panics with it") = TokenRing {
        newest: new,
        previous: Some(RetiredKey {
            key: old,
            retired_at: Some(server.now()),
        }),
    };
    // Another program has read the new key already, and signs with it.
    let app = server.another_node().await.signing_tokens_with(place.clone());
    let theirs = app
        .auth
        .refresh(
            before["refreshToken"].as_str().expect("a token"),
            api::auth::Origin::default(),
        )
        .await
        .expect("it is good");
    assert!(opens(&server, &json!(theirs.access_token)).await);
    assert!(opens(&server, &before["accessToken"]).await);
    assert!(
        app.auth
            .recognise(before["accessToken"].as_str().expect("a token"))
            .await
            .is_ok()
    );
    server.set_clock("2026-02-10T18:09:59Z");
    assert!(opens(&server, &before["accessToken"]).await);
    server.set_clock("2026-02-10T18:10:00Z");
    assert!(!opens(&server, &before["accessToken"]).await);
    let after = refresh(&server, &json!(theirs.refresh_token)).await;
    assert!(
        opens(&server, &after["accessToken"]).await,
        "nobody is signed out"
    );
    assert!(server.now() > theirs.expires_at - TimeDelta::seconds(1));
}
