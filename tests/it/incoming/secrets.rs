//! Who proves to be which provider, and for which company.

use super::*;

/// Known answers, checked against the providers' own software.
#[tokio::test]
async fn notices_and_handshakes_with_known_answers_are_answered_so() {
    let server = open().await;
    let client = server.nobody();
    let vectors: Value = serde_json::from_str(include_str!("../../golden/webhook_vectors.json"))
        .expect("the vectors are JSON");
    let meta = vectors["meta"].as_array().expect("a list");
    let (signed, handshakes): (Vec<&Value>, Vec<&Value>) =
        meta.iter().partition(|vector| vector["payload"].is_string());
    assert_eq!((signed.len(), handshakes.len()), (3, 1));
    for vector in signed {
        let header = [(
            "X-Hub-Signature-256",
            vector["header"].as_str().expect("a header"),
        )];
        let body = vector["payload"].as_str().expect("a body").to_owned();
        let (status, said) = post(&client, "/webhooks/meta", &header, body.clone()).await;
        let expected = match (vector["expect"].as_str(), body.starts_with('{')) {
            (Some("accept"), true) => 200,
            // Signed, and no notice.
            (Some("accept"), false) => 400,
            _ => 401,
        };
        assert_eq!(status, expected, "{}: {said}", vector["name"]);
    }
    let said = said(&server, &server.company).await;
    assert_eq!(said.len(), 1);
    assert_eq!(
        (said[0].channel, said[0].text.as_str()),
        (ConversationChannel::Messenger, "Hibachi for 12 on Saturday?")
    );

    let handshake = handshakes[0]["request"].as_str().expect("a request");
    let path = handshake.strip_prefix("GET ").expect("a GET");
    let answer = client.get(path).send().await.expect("the program answers");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain");
    assert_eq!(answer.text().await.expect("a text"), handshakes[0]["expect_body"]);
    for other in [
        path.replace("vt_test", "vt_tesT"),
        path.replace("subscribe", "unsubscribe"),
        path.replace("1158201444", "%0d%0aSet-Cookie:x"),
        "/webhooks/meta".to_owned(),
    ] {
        let answer = client.get(&other).send().await.expect("the program answers");
        assert_eq!(answer.status(), 403, "{other}");
    }

    let [handshake, wrong, _] = &vectors["ringcentral"].as_array().expect("a list")[..] else {
        panic!("three of RingCentral")
    };
    let token = handshake["request_headers"]["Validation-Token"]
        .as_str()
        .expect("a token");
    let secret = format!(
        "/webhooks/ringcentral/{}/{RINGCENTRAL_TOKEN}",
        server.company.slug
    );
    let asked = client.post(&secret).header("Validation-Token", token);
    let answer = asked.send().await.expect("the program answers");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["validation-token"], token);
    let size: usize = answer
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    assert!(size < 900, "{size}");
    assert_eq!(answer.text().await.expect("a text"), "");
    // Not for whoever asks: only where the address or the header shows that it is our subscription.
    for path in ["/webhooks/ringcentral".to_owned(), secret.replace("0001", "0002")] {
        let (status, _) = post(&client, &path, &[("Validation-Token", token)], "").await;
        assert_eq!(status, 401, "{path}");
    }
    let wrong = wrong["request_headers"]["Verification-Token"]
        .as_str()
        .expect("a token");
    for path in ["/webhooks/ringcentral", &secret] {
        for headers in [&[("Verification-Token", wrong)][..], &[]] {
            let body = sms("1", "+14085550123", "hi").to_string();
            assert_eq!(post(&client, path, headers, body).await.0, 401, "{path}");
        }
    }
    assert_eq!(super::said(&server, &server.company).await.len(), 1);
}

#[tokio::test]
async fn what_is_forged_is_turned_away_and_noted_once_an_hour() {
    let server = open().await;
    let client = server.nobody();
    let body = whatsapp("1", "14085550123", "hello").to_string();
    let good = signature(APP_SECRET, &body);
    let forged = signature("another", &body);
    for _ in 0..3 {
        for headers in [&[("X-Hub-Signature-256", forged.as_str())][..], &[]] {
            assert_eq!(
                post(&client, "/webhooks/meta", headers, body.clone()).await.0,
                401
            );
        }
        let changed = body.replace("hello", "hullo");
        let header = [("X-Hub-Signature-256", good.as_str())];
        assert_eq!(post(&client, "/webhooks/meta", &header, changed).await.0, 401);
    }
    assert_eq!(
        refused(&server, &server.company).await,
        [("meta".to_owned(), "forged"), ("meta".to_owned(), "unsigned")]
    );
    for slug in ["no-such-company", &server.company.slug] {
        let path = format!("/webhooks/meta/{slug}");
        let header = [("X-Hub-Signature-256", forged.as_str())];
        let (status, _) = post(&client, &path, &header, body.clone()).await;
        assert_eq!(status, 401, "who cannot sign is not told who is here");
    }
    let header = [("X-Hub-Signature-256", good.as_str())];
    let (status, _) = post(&client, "/webhooks/meta/no-such-company", &header, body).await;
    assert_eq!(status, 404);
    let large = "x".repeat((3 << 20) + 1);
    assert_eq!(
        post(&client, "/webhooks/meta", &header, large.clone()).await.0,
        413
    );
    let token = [("Verification-Token", RINGCENTRAL_TOKEN)];
    assert_eq!(post(&client, "/webhooks/ringcentral", &token, large).await.0, 413);
    assert_eq!(said(&server, &server.company).await, []);

    let deaf = Server::start().await;
    let client = deaf.nobody();
    for path in ["/webhooks/meta", "/webhooks/ringcentral"] {
        assert_eq!(post(&client, path, &header, "{}").await.0, 404, "{path}");
    }
    let asked = client
        .get("/webhooks/meta")
        .send()
        .await
        .expect("the program answers");
    assert_eq!(asked.status(), 404);
}

#[tokio::test]
async fn a_companys_secret_speaks_for_that_company_alone() {
    let server = open_with(
        "our-hibachi:0123456789abcdef0123456789abcdef other-hibachi:theirs",
        RINGCENTRAL_TOKEN,
    )
    .await;
    let neighbour = server.neighbour().await;
    let client = server.nobody();
    let body = whatsapp("1", "14085550123", "to us").to_string();
    let ours = signature(APP_SECRET, &body);
    let header = [("X-Hub-Signature-256", ours.as_str())];
    let theirs = format!("/webhooks/meta/{}", neighbour.slug);
    assert_eq!(post(&client, &theirs, &header, body.clone()).await.0, 401);
    // One address for all: the secret says whose it is.
    assert_eq!(post(&client, "/webhooks/meta", &header, body).await.0, 200);
    assert_eq!(said(&server, &server.company).await.len(), 1);
    assert_eq!(said(&server, &neighbour).await, []);
    // A token of the whole installation does not.
    assert_eq!(
        tell_ringcentral(&client, &sms("1", "+14085550123", "to whom?"))
            .await
            .0,
        404
    );
    let path = format!("/webhooks/ringcentral/{}", neighbour.slug);
    let token = [("Verification-Token", RINGCENTRAL_TOKEN)];
    let body = sms("1", "+14085550123", "to them").to_string();
    assert_eq!(post(&client, &path, &token, body).await.0, 200);
    assert_eq!(said(&server, &neighbour).await.len(), 1);
    assert_eq!(
        refused(&server, &neighbour).await,
        [("meta".to_owned(), "forged")]
    );
}
