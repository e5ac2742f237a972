//! Signing in, staying so, and what shows who somebody is: over HTTP, as any client would.

mod api_keys;
mod command_line;
mod lock_out;
mod recovery;
mod refresh;
mod sessions;
mod signing_keys;
mod totp;
mod users;

use chrono::{DateTime, Utc};
use domain::access::{Role, StationScope};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use tests::http::{Client, Company, PASSWORD, Server, with};

/// Signs in, with more beside the password, and gives the payload.
async fn sign_in(server: &Server, email: &str, more: Value) -> Value {
    let who = json!({"organisation": server.company.slug, "email": email, "password": PASSWORD});
    let document = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken
        secondFactorMissing viewer { email permissions } userErrors { code field message } } }";
    let input = with(who, more);
    let mut data = server.nobody().data(document, json!({"input": input})).await;
    data["signIn"].take()
}

/// The code with which a sign-in is refused; none where it is not.
fn code(payload: &Value) -> Option<&str> {
    payload["userErrors"][0]["code"].as_str()
}

async fn refresh(server: &Server, token: &Value) -> Value {
    let document =
        "mutation($input: TokenRefreshInput!) { tokenRefresh(input: $input) { accessToken refreshToken
        viewer { email } userErrors { code } } }";
    let input = json!({"refreshToken": token});
    let mut data = server.nobody().data(document, json!({"input": input})).await;
    data["tokenRefresh"].take()
}

/// What is asked of an access token.
async fn asks(server: &Server, token: &Value) -> Value {
    let client = server.nobody().with_token(token.as_str().expect("a token"));
    client.graphql("{ viewer { email } }", json!({})).await
}

/// Whether an access token or a key opens anything.
async fn opens(server: &Server, token: &Value) -> bool {
    let answer = asks(server, token).await;
    let code = &answer["errors"][0]["extensions"]["code"];
    assert!(code.is_null() || code == "UNAUTHENTICATED", "{answer}");
    code.is_null()
}

/// Sends a command that has no object, and gives its payload.
async fn account(client: &Client, name: &str, input_type: &str, show: &str, input: Value) -> Value {
    let document = format!(
        "mutation($input: {input_type}!) {{ {name}(input: $input) {{ {show} userErrors {{ code field }} }} }}"
    );
    let mut data = client.data(&document, json!({"input": input})).await;
    data[name].take()
}

/// The e-mail of a role's person in the company.
fn email(role: Role) -> String {
    format!("{}@our-hibachi.test", role.as_str().to_lowercase())
}

/// Somebody else of the company with a role.
async fn somebody(server: &Server, company: &Company, role: Role) -> Client {
    server.sign_in_at(company, role, StationScope::All).await
}

/// What an authenticator app shows: RFC 6238, made by the test's own hand.
fn app_shows(secret: &str, now: DateTime<Utc>) -> String {
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for letter in secret.bytes() {
        let digit = match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        bits = (bits << 5) | u32::from(digit);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).expect("eight bits"));
        }
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(&bytes).expect("a key of any length");
    mac.update(&(now.timestamp() / 30).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let number: [u8; 4] = hash[at..at + 4].try_into().expect("four bytes");
    format!("{:06}", (u32::from_be_bytes(number) & 0x7fff_ffff) % 1_000_000)
}

/// Sets a second factor up; gives its secret and the recovery codes.
async fn enrol(server: &Server, client: &Client, key: &str) -> (String, Vec<String>) {
    let begun = account(
        client,
        "totpEnrol",
        "TotpEnrolInput",
        "secret uri",
        json!({"password": PASSWORD}),
    )
    .await;
    assert_eq!(begun["userErrors"], json!([]));
    let secret = begun["secret"].as_str().expect("a secret").to_owned();
    assert!(begun["uri"].as_str().is_some_and(|uri| uri.contains(&secret)));
    let code = app_shows(&secret, server.now());
    let confirm = json!({"idempotencyKey": key, "code": code});
    let confirmed = account(
        client,
        "totpConfirm",
        "TotpConfirmInput",
        "recoveryCodes replayed",
        confirm,
    )
    .await;
    assert_eq!(confirmed["userErrors"], json!([]), "{confirmed}");
    let codes = confirmed["recoveryCodes"].as_array().expect("codes").iter();
    let codes = codes.map(|code| code.as_str().expect("a code").to_owned());
    (secret, codes.collect())
}

/// How many events of a type there are.
async fn events(server: &Server, event: &str) -> i64 {
    let mut tx = server.app.database.begin_read(server.company.tenant).await;
    let tx = tx.as_mut().expect("the log answers");
    let count = sqlx::query_scalar("select count(*) from events where tenant_id = $1 and event_type = $2");
    let count = count.bind(server.company.tenant.0).bind(event);
    count.fetch_one(&mut **tx).await.expect("the log answers")
}
