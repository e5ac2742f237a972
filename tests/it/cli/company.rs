//! `hibachi company`: how an installation that has none comes to its first company.

use serde_json::json;
use tests::process::{Client, Installation};

use super::assert_cannot_run;

#[tokio::test]
async fn a_company_joins_and_its_first_person_signs_in() {
    let installation = Installation::empty();
    let server = installation.postgres();
    let create = |slug, name| installation.run(&["company", "create", "--slug", slug, "--name", name]);
    for time in ["the first time", "said again"] {
        let created = create("ours", "Our Hibachi");
        assert_eq!(created.code, Some(0), "{time}: {created:?}");
    }
    assert_cannot_run(
        &create("ours", "Theirs"),
        "there is another company with the slug ours",
    );
    assert_cannot_run(&create("Not A Slug", "Ours"), "INVALID_SLUG");
    let mut first = installation.command(&[
        "user",
        "create",
        "--org",
        "ours",
        "--email",
        "first@ours.test",
        "--role",
        "SUPER_ADMIN",
    ]);
    let let_in = first
        .env("HIBACHI_PASSWORD", "marinade over charcoal")
        .status()
        .unwrap();
    assert!(let_in.success());
    let running = installation.up(&[]);
    let input = json!({
        "organisation": "ours", "email": "first@ours.test", "password": "marinade over charcoal",
    });
    let document = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }";
    let nobody = Client::nobody(&running.url);
    let signed_in = nobody.data(document, json!({ "input": input })).await;
    let first = nobody.with_token(&signed_in["signIn"]["accessToken"]);
    let viewer = first
        .data("{ viewer { role organisation { name slug } } }", json!({}))
        .await;
    assert_eq!(
        viewer["viewer"],
        json!({ "role": "SUPER_ADMIN", "organisation": { "name": "Our Hibachi", "slug": "ours" } })
    );
    drop(running);
    drop(server);
}
