//! A stream ends when whoever follows stands no more as they did, and says why.

use chrono::TimeDelta;
use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server};

use super::{
    CHANGES, Events, Heard, OPEN_EVENTS, OPEN_SOCKET, Part, Socket, both, code, figure_becomes, happen,
    server,
};

/// Sends a command that has no object.
async fn command(client: &Client, name: &str, input_type: &str, input: Value) -> Value {
    let document =
        format!("mutation($input: {input_type}!) {{ {name}(input: $input) {{ userErrors {{ code }} }} }}");
    let done = client.data(&document, json!({"input": input})).await;
    assert_eq!(done[name]["userErrors"], json!([]), "{name}");
    done
}

async fn user_id(client: &Client) -> Value {
    client.data("{ viewer { userId } }", json!({})).await["viewer"]["userId"].take()
}

/// Both ways of following are told why they end, and that they do.
async fn end(server: &Server, (mut socket, mut events): (Socket, Events), why: &str) {
    let (answer, id) = events.answer().await;
    assert_eq!((code(&answer), id), (why, None));
    assert_eq!(
        [events.next().await, events.next().await],
        [Part::Complete, Part::Ended]
    );
    let said = socket.said().await;
    assert_eq!((&said["type"], &said["id"]), (&json!("error"), &json!("a")));
    assert_eq!(code(&json!({"errors": said["payload"]})), why);
    assert_eq!(socket.heard().await, Heard::Closed(4403, why.to_owned()));
    for open in [OPEN_SOCKET, OPEN_EVENTS] {
        figure_becomes(server, open, 0).await;
    }
    assert!(
        server
            .figures()
            .await
            .contains(&format!("hibachi_subscriptions_ended_total{{code=\"{why}\"}}"))
    );
}

/// What does not happen here: that somebody stands no more as they did is an event as well.
fn quietly() -> Value {
    json!({"types": ["station.created"]})
}

#[tokio::test]
async fn whoever_signs_out_or_is_signed_out_is_told_nothing_more() {
    let server = server().await;
    let admin = server.sign_in(Role::Admin).await;
    let following = both(&server, &admin, quietly()).await;
    admin
        .data("mutation { signOut { userErrors { code } } }", json!({}))
        .await;
    end(&server, following, "UNAUTHENTICATED").await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = server.sign_in(Role::Admin).await;
    let following = both(&server, &admin, quietly()).await;
    let sessions = admin.data("{ sessions { id current } }", json!({})).await["sessions"].take();
    let current = sessions
        .as_array()
        .expect("a list")
        .iter()
        .find(|session| session["current"] == true);
    let revoke = json!({"idempotencyKey": "end", "sessionId": current.expect("this one")["id"]});
    command(&owner, "sessionRevoke", "SessionRevokeInput", revoke).await;
    end(&server, following, "UNAUTHENTICATED").await;
}

#[tokio::test]
async fn whoever_is_deactivated_or_gets_another_role_is_told_nothing_more_wherever_that_was_done() {
    let server = server().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = server.sign_in(Role::Admin).await;
    let following = both(&server, &admin, quietly()).await;
    let id = user_id(&admin).await;
    let other = json!({"idempotencyKey": "role", "userId": id, "role": "ACCOUNTANT"});
    command(&owner, "userRoleChange", "UserRoleChangeInput", other).await;
    end(&server, following, "RIGHTS_CHANGED").await;
    // The same sign-in goes on with what it may do now.
    let following = both(&server, &admin, quietly()).await;
    let stations = json!({"idempotencyKey": "stations", "userId": id, "role": "ACCOUNTANT",
        "stationIds": [tests::http::global_id("Station", server.company.san_jose)]});
    command(&owner, "userRoleChange", "UserRoleChangeInput", stations).await;
    end(&server, following, "RIGHTS_CHANGED").await;
    let following = both(&server, &admin, quietly()).await;
    // Through another program, of which this one is not told.
    let app = server.another_node().await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("there is a port");
    let address = listener.local_addr().expect("a listener has an address");
    let serving = tokio::spawn(async move {
        let router = api::http::router(app.clone());
        api::http::serve(&app, listener, router, std::future::pending()).await;
    });
    let off = json!({"idempotencyKey": "off", "userId": id, "reason": "leaves us"});
    command(&owner.at(address), "userDeactivate", "UserDeactivateInput", off).await;
    end(&server, following, "UNAUTHENTICATED").await;
    serving.abort();
}

#[tokio::test]
async fn a_key_follows_until_it_is_revoked() {
    let server = server().await;
    let admin = server.sign_in(Role::Admin).await;
    let make =
        "mutation($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { secret apiKey { id } } }";
    let input =
        json!({"idempotencyKey": "key", "name": "screen", "scopes": ["booking:read", "schedule:read"]});
    let made = admin.data(make, json!({"input": input})).await["apiKeyCreate"].take();
    let program = server
        .nobody()
        .with_token(made["secret"].as_str().expect("it is shown"));
    let (mut socket, mut events) = both(&server, &program, json!({})).await;
    let at = happen(&server.app, &server.company, "somebody").await;
    assert_eq!(super::position(&socket.change("a").await), at);
    assert_eq!(super::position(&events.change().await), at);
    let revoke = json!({"idempotencyKey": "revoke", "apiKeyId": made["apiKey"]["id"], "reason": "it leaked"});
    command(&admin, "apiKeyRevoke", "ApiKeyRevokeInput", revoke).await;
    end(&server, (socket, events), "UNAUTHENTICATED").await;
    let mut socket = Socket::strange(&server).await;
    socket.introduce(&program).await;
    assert_eq!(
        socket.heard().await,
        Heard::Closed(4403, "UNAUTHENTICATED".to_owned())
    );
}

#[tokio::test]
async fn an_access_token_that_expires_ends_what_it_began_and_the_next_goes_on() {
    let server = server().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let following = both(&server, &admin, json!({})).await;
    let seen = server.head(&server.company).await;
    let later = server.now() + TimeDelta::minutes(11);
    server.set_clock(&later.to_rfc3339());
    end(&server, following, "UNAUTHENTICATED").await;
    let missed = happen(&server.app, &server.company, "meanwhile").await;
    admin.sign_in_again().await;
    let mut events = Events::resumed(&admin, CHANGES, &json!({}), Some(&seen.to_string())).await;
    assert_eq!(super::position(&events.change().await), missed);
}
