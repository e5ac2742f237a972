//! Letting people in from the server: `hibachi user`, and another key for access tokens beside a running program.

use std::fs;

use serde_json::{Value, json};
use tests::process::{Answer, Client, Installation, Running, SLUG, answer};

const PASSWORD: &str = "given on the server 1";

/// Runs a command about a person, with the password that it may ask for.
fn about(installation: &Installation, what: &str, more: &[&str]) -> Answer {
    let mut command = installation.command(&["user", what, "--org", SLUG]);
    command.args(more).env("HIBACHI_PASSWORD", PASSWORD);
    answer(command)
}

async fn sign_in(running: &Running, email: &str, password: &str) -> Value {
    let client = Client::nobody(&running.url);
    let document = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken
        userErrors { code } } }";
    let input = json!({"organisation": SLUG, "email": email, "password": password});
    client.data(document, json!({"input": input})).await["signIn"].take()
}

fn keys(installation: &Installation) -> (String, Option<String>) {
    let secrets = installation.data_dir().join("secrets");
    let newest = fs::read_to_string(secrets.join("token-key")).expect("there is a key");
    (
        newest,
        fs::read_to_string(secrets.join("token-key.previous")).ok(),
    )
}

#[tokio::test]
async fn people_are_let_in_and_keys_changed_while_the_program_runs() {
    let installation = Installation::demo();
    let running = installation.up(&[]);
    let new = ["--email", "owner@example.com", "--role", "SUPER_ADMIN"];
    let easy = {
        let mut command = installation.command(&["user", "create", "--org", SLUG]);
        command.args(new).env("HIBACHI_PASSWORD", "owner@example");
        answer(command)
    };
    assert_eq!(easy.code, Some(2), "{easy:?}");
    let nobody = about(&installation, "password", &new[..2]);
    assert_eq!(nobody.code, Some(2), "nobody was made half: {nobody:?}");
    let made = about(&installation, "create", &new);
    assert_eq!(made.code, Some(0), "{made:?}");
    let owner = ["--email", "owner@example.com"];
    let first = sign_in(&running, owner[1], PASSWORD).await;
    assert!(first["accessToken"].is_string(), "{first}");
    for _ in 0..5 {
        sign_in(&running, owner[1], "not the password").await;
    }
    let locked = sign_in(&running, owner[1], PASSWORD).await;
    assert_eq!(locked["userErrors"][0]["code"], "WRONG_CREDENTIALS");
    assert_eq!(about(&installation, "unlock", &owner).code, Some(0));
    let unlocked = sign_in(&running, owner[1], PASSWORD).await;
    assert!(unlocked["accessToken"].is_string(), "{unlocked}");
    assert_eq!(
        about(&installation, "unlock", &owner).code,
        Some(2),
        "nobody is locked out"
    );
    assert_eq!(
        about(&installation, "totp-reset", &owner).code,
        Some(2),
        "there is none"
    );
    assert_eq!(about(&installation, "password", &owner).code, Some(0));
    let nobody = about(&installation, "password", &["--email", "nobody@example.com"]);
    assert_eq!(nobody.code, Some(2), "{nobody:?}");

    let signed_in = sign_in(&running, owner[1], PASSWORD).await;
    let client = Client::nobody(&running.url).with_token(&signed_in["accessToken"]);
    let viewer = "{ viewer { email } }";
    client.data(viewer, json!({})).await;
    let before = keys(&installation);
    let said = installation.well(&["keys", "rotate-token"]);
    let after = keys(&installation);
    assert_ne!(before.0, after.0);
    let previous = after.1.expect("it is kept");
    assert!(
        previous.starts_with(before.0.trim()),
        "with the instant of its end"
    );
    assert!(!said.contains(after.0.trim()), "its name, and not the key");
    client.data(viewer, json!({})).await;
    let soon = installation.run(&["keys", "rotate-token"]);
    assert_eq!(soon.code, Some(2), "{soon:?}");

    installation.well(&["keys", "rotate-token", "--leaked"]);
    assert_eq!(keys(&installation).1, None);
    drop(running);
    let running = installation.up(&[]);
    let client = Client::nobody(&running.url).with_token(&signed_in["accessToken"]);
    let refused = client.ask(viewer, &json!({})).await.expect("an answer");
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let refresh = "mutation($input: TokenRefreshInput!) { tokenRefresh(input: $input) { accessToken } }";
    let input = json!({"input": {"refreshToken": signed_in["refreshToken"]}});
    let refreshed = Client::nobody(&running.url).data(refresh, input).await["tokenRefresh"].take();
    assert!(
        refreshed["accessToken"].is_string(),
        "nobody signs in again: {refreshed}"
    );
}
