//! Pictures and videos: what they are is read from their bytes, and nothing is served that a browser would run.

use std::collections::BTreeSet;
use std::sync::Arc;

use commands::Caller;
use commands::gateways::ObjectMedia;
use commands::ports::MediaStore;
use domain::job::{JobEvent, JobTask};

use super::*;

fn part(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len() + 8).expect("a part is small");
    [size.to_be_bytes().as_slice(), name, body].concat()
}

/// A video of so many seconds.
fn video(seconds: u32) -> Vec<u8> {
    let header = |units: u32| [[0; 12].as_slice(), &1_u32.to_be_bytes(), &units.to_be_bytes()].concat();
    [
        part(b"ftyp", b"isom\0\0\0\0"),
        part(b"mdat", b"frames"),
        part(b"moov", &part(b"mvhd", &header(seconds))),
    ]
    .concat()
}

fn picture(number: u8) -> Vec<u8> {
    vec![0xFF, 0xD8, 0xFF, 0xE0, number]
}

async fn upload(client: &Client, token: &str, bytes: Vec<u8>) -> (u16, Value) {
    let request = client.post(&format!("/api/v1/reviews/upload/{token}"));
    answer(request.header("content-type", "text/html").body(bytes)).await
}

async fn named(client: &Client, token: &str, bytes: Vec<u8>) -> String {
    let (status, body) = upload(client, token, bytes).await;
    assert_eq!(status, 201, "{body}");
    body["media"].as_str().expect("it has a name").to_owned()
}

#[tokio::test]
async fn a_file_is_what_its_bytes_say_and_only_what_a_review_may_have() {
    let (server, admin, booking) = open().await;
    let customer = server.nobody();
    let token = issued(&admin, "link", &booking).await;
    for (bytes, status, refusal) in [
        (b"<svg onload=alert(1)>".to_vec(), 415, "MEDIA_TYPE_REFUSED"),
        (b"<!doctype html>".to_vec(), 415, "MEDIA_TYPE_REFUSED"),
        (Vec::new(), 415, "MEDIA_TYPE_REFUSED"),
        (video(31), 422, "VIDEO_TOO_LONG"),
        (video(0), 422, "VIDEO_UNREADABLE"),
        (vec![0xFF; 51 * 1_024 * 1_024], 413, "MEDIA_TOO_LARGE"),
    ] {
        let got = code(upload(&customer, &token, bytes).await);
        assert_eq!(got, (status, refusal.to_owned()));
    }
    let large = [picture(9), vec![0; 10 * 1_024 * 1_024]].concat();
    assert_eq!(
        code(upload(&customer, &token, large).await),
        (413, "MEDIA_TOO_LARGE".to_owned())
    );
    assert_eq!(
        code(upload(&customer, "nobody's", picture(1)).await),
        (404, "LINK_UNKNOWN".to_owned())
    );
    let mut names = Vec::new();
    for number in 1..=5 {
        names.push(named(&customer, &token, picture(number)).await);
    }
    // The same once more is the same file; a sixth is one too many.
    assert_eq!(named(&customer, &token, picture(1)).await, names[0]);
    let many = (422, "TOO_MANY_MEDIA".to_owned());
    assert_eq!(code(upload(&customer, &token, picture(6)).await), many);
    names.push(named(&customer, &token, video(30)).await);
    assert_eq!(code(upload(&customer, &token, video(29)).await), many);
    let twice = json!({"rating": 5, "media": [names[0], names[0]]});
    assert_eq!(code(submit(&customer, &token, twice).await), many);
    let (status, _) = submit(&customer, &token, json!({"rating": 5, "media": names})).await;
    assert_eq!(status, 200);
    assert_eq!(
        code(upload(&customer, &token, picture(1)).await),
        (410, "LINK_USED".to_owned())
    );
    let types = review(&server, &admin, &booking).await["media"].take();
    let types: Vec<&str> = types
        .as_array()
        .expect("media")
        .iter()
        .filter_map(|media| media["mediaType"].as_str())
        .collect();
    assert_eq!(types.len(), 6);
    assert_eq!(types[5], "video/mp4");
}

#[tokio::test]
async fn a_picture_is_the_companys_to_see_until_it_is_published_and_gone_with_its_customer() {
    let (server, mut admin, booking) = open().await;
    let (customer, token) = (server.nobody(), issued(&admin, "link", &booking).await);
    let name = named(&customer, &token, picture(1)).await;
    let unused = named(&customer, &token, picture(2)).await;
    let body = json!({"rating": 4, "text": "Lovely", "media": [name]});
    assert_eq!(submit(&customer, &token, body).await.0, 200);
    let shown = review(&server, &admin, &booking).await;
    let path = shown["media"][0]["path"]
        .as_str()
        .expect("it has a path")
        .to_owned();
    let fetch = async |token: Option<&str>, path: &str| {
        let request = customer.get(path);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.expect("the program answers")
    };
    assert_eq!(fetch(None, &path).await.status().as_u16(), 404);
    let chef = server.sign_in(Role::Chef).await;
    assert_eq!(fetch(chef.token.as_deref(), &path).await.status().as_u16(), 404);
    assert_eq!(fetch(admin.token.as_deref(), &path).await.status().as_u16(), 200);
    let approve = json!({"idempotencyKey": "yes", "reviewId": shown["id"], "approve": true});
    admin.done("reviewModerate", "", approve).await;
    let public = fetch(None, &path).await;
    assert_eq!(public.status().as_u16(), 200);
    for (header, value) in [
        ("content-type", "image/jpeg"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
    ] {
        assert_eq!(public.headers()[header], value);
    }
    let disposition = public.headers()["content-disposition"].to_str().expect("text");
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    assert_eq!(public.bytes().await.expect("bytes").to_vec(), picture(1));
    let never_sent = path.replace(&name, &unused);
    assert_eq!(fetch(None, &never_sent).await.status().as_u16(), 404);

    let query = "query($id: ID!) { booking(id: $id) { customer { id } } }";
    let customer_id = admin.data(query, json!({"id": booking})).await["booking"]["customer"]["id"].take();
    let erase = json!({
        "idempotencyKey": "erase", "customerId": customer_id, "reason": "asked for it by letter of 2 March",
    });
    admin.done("customerErase", "", erase).await;
    until("the picture is gone", async || {
        react(&server).await;
        fetch(None, &path).await.status().as_u16() == 404
    })
    .await;
    admin.sign_in_again().await;
    assert_eq!(review(&server, &admin, &booking).await["text"], "[erased]");
    let (_, list) = answer(customer.get("/api/v1/reviews/published/our-hibachi")).await;
    assert_eq!(list["reviews"][0]["text"], Value::Null);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn who_is_erased_is_not_asked_any_more() {
    let (server, mut admin, booking) = open().await;
    later(&server, &mut admin, ASKED).await;
    let (_, token) = sent(&server).await.remove(0);
    let query = "query($id: ID!) { booking(id: $id) { customer { id } } }";
    let customer_id = admin.data(query, json!({"id": booking})).await["booking"]["customer"]["id"].take();
    let erase = json!({
        "idempotencyKey": "erase", "customerId": customer_id, "reason": "asked for it by letter of 2 March",
    });
    admin.done("customerErase", "", erase).await;
    until("the question is called off", async || {
        react(&server).await;
        review(&server, &admin, &booking).await["status"] == "CANCELLED"
    })
    .await;
    assert_eq!(
        code(validate(&server.nobody(), &token).await),
        (410, "LINK_CANCELLED".to_owned())
    );
    let input = json!({"idempotencyKey": "no", "bookingId": booking});
    assert_eq!(admin.refused("reviewLinkIssue", input).await, "CUSTOMER_ERASED");
    assert!(
        sent(&server).await.is_empty(),
        "nobody can read the link any more"
    );
}

/// Names of a company's uploads.
async fn kept(store: &ObjectMedia, server: &Server) -> BTreeSet<String> {
    let folder = format!("{}/reviews", server.company.tenant);
    let listed = store.list(&folder).await.expect("the store answers");
    let file = |(name, _): (String, i64)| name.rsplit('/').next().expect("a name has parts").to_owned();
    listed.into_iter().map(file).collect()
}

/// Lets all that recurs be done after a night.
async fn night(server: &Server, to: &str) {
    let commands = &server.app.commands;
    let tenant = server.company.tenant;
    server.set_clock(to);
    let queued = commands.queue_recurring(tenant).await.expect("the log answers");
    assert_eq!(queued, 2, "{to}");
    until("what recurs is done", async || {
        commands.do_jobs(tenant).await.expect("the jobs go on");
        let schedules = commands.job_schedules(&Caller::system(tenant, "test")).await;
        let schedules = schedules.expect("the log answers");
        schedules
            .iter()
            .all(|schedule| schedule.last_done_at == Some(server.now()))
    })
    .await;
}

#[tokio::test]
async fn uploads_that_no_review_names_are_destroyed_at_night_and_no_others() {
    let store = ObjectMedia::in_memory();
    let media = Arc::new(store.clone());
    let change = |app: App| App {
        commands: app.commands.keeping_media(media),
        ..app
    };
    let (server, mut admin, [answered, silent]) = open_as(change, ["answered", "silent"]).await;
    let customer = server.nobody();
    let token = issued(&admin, "answered link", &answered).await;
    let named_file = named(&customer, &token, picture(1)).await;
    named(&customer, &token, picture(2)).await;
    let body = json!({"rating": 5, "media": [named_file]});
    assert_eq!(submit(&customer, &token, body).await.0, 200);
    let token = issued(&admin, "silent link", &silent).await;
    let unsent = named(&customer, &token, picture(3)).await;
    assert_eq!(kept(&store, &server).await.len(), 3);

    let seeded = server.app.commands.queue_recurring(server.company.tenant).await;
    assert_eq!(seeded.expect("the log answers"), 0);
    // Who has not answered yet may still name what was uploaded.
    night(&server, "2026-03-15T13:00:00Z").await;
    let expected = BTreeSet::from([named_file.clone(), unsent.clone()]);
    assert_eq!(kept(&store, &server).await, expected);
    let folder = format!("{}/reviews", server.company.tenant);
    let listed = store.list(&folder).await.expect("the store answers");
    let late = listed.into_iter().find(|(name, _)| name.ends_with(&unsent));
    let (late, _) = late.expect("it is kept");
    // Not any more, after thirty days: what was uploaded goes then, and what came in that moment in the next night.
    later(&server, &mut admin, "2026-04-30T06:00:00Z").await;
    assert_eq!(review(&server, &admin, &silent).await["status"], "EXPIRED");
    until("it is gone", async || kept(&store, &server).await.len() == 1).await;
    store.put(&late, picture(3)).await.expect("the store answers");
    night(&server, "2026-04-30T06:00:00Z").await;
    assert_eq!(kept(&store, &server).await, BTreeSet::from([named_file]));
    // A run is told of right after it is done.
    until("both are told", async || {
        destroyed(&server).await == [Some(1), Some(1)]
    })
    .await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// How many files each look through the uploads has destroyed, as the log tells.
async fn destroyed(server: &Server) -> Vec<Option<i64>> {
    let events = events(server).await;
    let told = events.iter().filter_map(|event| {
        let DomainEvent::Job(JobEvent::Completed(completed)) = &event.event else {
            return None;
        };
        (completed.job.task == JobTask::SweepMedia).then_some(completed.count)
    });
    told.collect()
}
