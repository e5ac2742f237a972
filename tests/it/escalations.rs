//! Escalations: who is called, in what order, who takes over, and what the figures say.

use domain::access::{Role, StationScope};
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, party, with};

const ESCALATION: &str = "escalation { id version status reason code source severity assignee openedAt targetAt
    isOverdue ageMinutes joinedAt resolvedAt note surveyScore subject { __typename id } conversationId bookingId }";

async fn open(admin: &Client, key: &str, more: Value) -> Value {
    let input = with(
        json!({"idempotencyKey": key, "reason": format!("because of {key}")}),
        more,
    );
    admin.done("escalationOpen", ESCALATION, input).await["escalation"].take()
}

fn act(key: &str, escalation: &Value) -> Value {
    json!({"idempotencyKey": key, "escalationId": escalation["id"]})
}

async fn queue(server: &Server, client: &Client, filter: Value) -> Vec<String> {
    server.caught_up(&server.company).await;
    let query = "query($filter: EscalationFilter) { escalations(first: 50, filter: $filter) {
        nodes { reason } totalCount { value } } }";
    let found = client.data(query, json!({"filter": filter})).await;
    let nodes = found["escalations"]["nodes"].as_array().expect("a list").clone();
    assert_eq!(found["escalations"]["totalCount"]["value"], nodes.len());
    let reason = |node: &Value| {
        node["reason"]
            .as_str()
            .expect("a reason")
            .replace("because of ", "")
    };
    nodes.iter().map(reason).collect()
}

#[tokio::test]
async fn the_queue_has_the_worst_first_then_the_oldest_and_what_was_seen_to_last() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::CustomerSupport).await;
    let first = open(&admin, "first", json!({"severity": 1})).await;
    open(&admin, "mild", json!({"severity": 3})).await;
    server.set_clock("2026-02-10T18:05:00Z");
    open(&admin, "worst", json!({"severity": 1})).await;
    open(&admin, "middle", json!({})).await;
    let all = json!({});
    assert_eq!(
        queue(&server, &admin, all.clone()).await,
        ["first", "worst", "middle", "mild"]
    );
    let resolve = with(act("done", &first), json!({"note": "seen to"}));
    admin.done("escalationResolve", ESCALATION, resolve).await;
    assert_eq!(
        queue(&server, &admin, all).await,
        ["worst", "middle", "mild", "first"]
    );
    let waiting = json!({"status": ["OPEN"]});
    assert_eq!(queue(&server, &admin, waiting).await, ["worst", "middle", "mild"]);
    // What waits is a figure of the dashboard, and of the company as a whole where it is of no station.
    let manager = server.sign_in(Role::Admin).await;
    let figure =
        "query($station: ID) { dashboard(from: \"2026-02-01\", to: \"2026-02-28\", stationId: $station) {
        openEscalations } }";
    let (station, nowhere) = (global_id("Station", server.company.san_jose), Value::Null);
    for (station, waiting) in [(nowhere, 3), (json!(station), 0)] {
        let found = manager.data(figure, json!({"station": station})).await;
        assert_eq!(found["dashboard"]["openEscalations"], waiting, "{station}");
        let rows = json!({"status": ["OPEN"], "stationId": station});
        assert_eq!(queue(&server, &manager, rows).await.len(), waiting, "{station}");
    }
    let more = json!({"status": ["OPEN", "RESOLVED"], "source": "STAFF"});
    assert_eq!(queue(&server, &admin, more).await.len(), 4);
    assert_eq!(
        queue(&server, &admin, json!({"source": "RATING"})).await,
        Vec::<String>::new()
    );
    // A target passes by the clock.
    server.set_clock("2026-02-10T18:20:01Z");
    admin.sign_in_again().await;
    let query = "{ escalations(first: 1) { nodes { ageMinutes isOverdue targetAt } } }";
    let worst = admin.data(query, json!({})).await["escalations"]["nodes"][0].take();
    assert_eq!(
        worst,
        json!({"ageMinutes": 15, "isOverdue": true, "targetAt": "2026-02-10T18:20:00+00:00"})
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn an_escalation_is_assigned_taken_over_resolved_and_asked_about() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let booking = support
        .done("bookingRequest", "booking { id }", party("party"))
        .await["booking"]["id"]
        .take();
    let opened = open(
        &support,
        "broken table",
        json!({"bookingId": booking, "severity": 2}),
    )
    .await;
    assert_eq!(
        (&opened["status"], &opened["source"], &opened["subject"]["id"]),
        (&json!("OPEN"), &json!("STAFF"), &booking)
    );
    assert_eq!(opened["targetAt"], "2026-02-10T19:00:00+00:00");
    let me = support.data("{ viewer { userId } }", json!({})).await["viewer"]["userId"].take();
    let assigned = support
        .done("escalationAssign", ESCALATION, act("mine", &opened))
        .await["escalation"]
        .take();
    assert_eq!(
        (&assigned["status"], &assigned["assignee"]),
        (&json!("ASSIGNED"), &me)
    );
    let stale = with(act("join", &opened), json!({"expectedVersion": 1}));
    assert_eq!(support.refused("escalationJoin", stale).await, "VERSION_CONFLICT");
    let joined = support
        .done("escalationJoin", ESCALATION, act("join again", &opened))
        .await["escalation"]
        .take();
    assert_eq!(joined["status"], "JOINED");
    let early = with(act("early", &opened), json!({"score": 5}));
    assert_eq!(support.refused("escalationSurvey", early).await, "WRONG_STATE");
    let resolve = with(act("resolve", &opened), json!({"note": "paid for the table"}));
    let resolved = support
        .done("escalationResolve", ESCALATION, resolve.clone())
        .await;
    assert_eq!(
        (&resolved["escalation"]["status"], &resolved["escalation"]["note"]),
        (&json!("RESOLVED"), &json!("paid for the table"))
    );
    let again = support.done("escalationResolve", ESCALATION, resolve).await;
    assert_eq!(again["replayed"], true);
    let survey = with(act("survey", &opened), json!({"score": 4}));
    let asked = support.done("escalationSurvey", ESCALATION, survey).await;
    assert_eq!(asked["escalation"]["surveyScore"], 4);
    let trail = "query($id: ID!) { auditLog(first: 10, filter: {entityId: $id}) { nodes { type summary } } }";
    let auditor = server.sign_in(Role::Auditor).await;
    server.caught_up(&server.company).await;
    let told = auditor.data(trail, json!({"id": opened["id"]})).await;
    let types: Vec<&str> = told["auditLog"]["nodes"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["type"].as_str())
        .collect();
    assert_eq!(
        types,
        [
            "escalation.surveyed",
            "escalation.resolved",
            "escalation.joined",
            "escalation.assigned",
            "escalation.opened"
        ]
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_code() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let manager = server.sign_in(Role::StationManager).await;
    let nobody = "01930000-0000-7000-8000-000000000001";
    let ask = |key: &str, more: Value| with(json!({"idempotencyKey": key, "reason": "a good reason"}), more);
    for (what, more, code) in [
        ("short", json!({"reason": "x"}), "INVALID_REASON"),
        ("severity", json!({"severity": 4}), "INVALID_SEVERITY"),
        ("severity 0", json!({"severity": 0}), "INVALID_SEVERITY"),
        (
            "booking",
            json!({"bookingId": global_id("Booking", nobody)}),
            "NOT_FOUND",
        ),
        ("no id", json!({"bookingId": "what"}), "NOT_FOUND"),
        (
            "conversation",
            json!({"conversationId": global_id("Conversation", nobody)}),
            "NOT_FOUND",
        ),
    ] {
        assert_eq!(
            support.refused("escalationOpen", ask(what, more)).await,
            code,
            "{what}"
        );
    }
    let missing = json!({"id": global_id("Escalation", nobody)});
    assert_eq!(
        support.refused("escalationJoin", act("none", &missing)).await,
        "NOT_FOUND"
    );
    let opened = open(&support, "asked by customer", json!({"askedBy": "CUSTOMER"})).await;
    assert_eq!(opened["source"], "REQUEST");
    let to = |key: &str, user: Value| with(act(key, &opened), json!({"assigneeId": user}));
    assert_eq!(
        support
            .refused("escalationAssign", to("nobody", json!(global_id("User", nobody))))
            .await,
        "NOT_FOUND"
    );
    let him = manager.data("{ viewer { userId } }", json!({})).await["viewer"]["userId"].take();
    assert_eq!(
        support.refused("escalationAssign", to("manager", him)).await,
        "MAY_NOT_ASSIGN",
        "a station manager may see escalations, and not see to them"
    );
    support
        .done("escalationAssign", ESCALATION, act("me", &opened))
        .await;
    assert_eq!(
        support
            .refused("escalationAssign", act("me again", &opened))
            .await,
        "ALREADY_ASSIGNED"
    );
    support
        .done("escalationJoin", ESCALATION, act("join", &opened))
        .await;
    let admin = server.sign_in(Role::Admin).await;
    assert_eq!(
        admin.refused("escalationJoin", act("too", &opened)).await,
        "HUMAN_JOINED"
    );
    let note = with(act("note", &opened), json!({"note": "no"}));
    assert_eq!(support.refused("escalationResolve", note).await, "INVALID_NOTE");
    let note = with(act("resolve", &opened), json!({"note": "called back"}));
    support.done("escalationResolve", ESCALATION, note.clone()).await;
    assert_eq!(
        support
            .refused(
                "escalationResolve",
                with(note, json!({"idempotencyKey": "twice"}))
            )
            .await,
        "WRONG_STATE"
    );
    for (key, score, code) in [("six", 6, "INVALID_SCORE"), ("minus", -1, "INVALID_SCORE")] {
        let survey = with(act(key, &opened), json!({"score": score}));
        assert_eq!(support.refused("escalationSurvey", survey).await, code);
    }
    let survey = with(act("survey", &opened), json!({"score": 1}));
    support.done("escalationSurvey", ESCALATION, survey.clone()).await;
    let twice = with(survey, json!({"idempotencyKey": "survey twice"}));
    assert_eq!(
        support.refused("escalationSurvey", twice).await,
        "ALREADY_SURVEYED"
    );
}

#[tokio::test]
async fn a_person_of_one_station_sees_its_escalations_alone() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let booking = support
        .done("bookingRequest", "booking { id }", party("party"))
        .await["booking"]["id"]
        .take();
    open(&support, "san jose", json!({"bookingId": booking})).await;
    open(&support, "nowhere", json!({})).await;
    for (station, sees) in [
        (server.company.san_jose, vec!["san jose"]),
        (server.company.sacramento, vec![]),
    ] {
        let scope = StationScope::Only(vec![station]);
        let role = if sees.is_empty() {
            Role::StationManager
        } else {
            Role::Admin
        };
        let kept = server.sign_in_at(&server.company, role, scope).await;
        assert_eq!(queue(&server, &kept, json!({})).await, sees);
    }
    let neighbour = server.neighbour().await;
    let other = server
        .sign_in_at(&neighbour, Role::SuperAdmin, StationScope::All)
        .await;
    let list = "{ escalations(first: 5) { nodes { id } } }";
    assert_eq!(
        other.data(list, json!({})).await["escalations"]["nodes"],
        json!([])
    );
}

#[tokio::test]
async fn figures_count_what_the_assistant_saw_to_alone_and_how_long_the_rest_took() {
    let server = Server::start().await;
    let mut support = server.sign_in(Role::CustomerSupport).await;
    let say = async |key: &str, conversation: Option<&Value>, text: &str| {
        let input = json!({"idempotencyKey": key, "conversationId": conversation, "text": text});
        let said = support.done("messagePost", "conversation { id }", input).await;
        said["conversation"]["id"].clone()
    };
    for number in 0..3 {
        say(&format!("alone {number}"), None, "how much is it?").await;
    }
    // One that wanted a person, and went on with the assistant before one came.
    let back = say("wants a person", None, "a manager please").await;
    say("goes on", Some(&back), "or just tell me the price").await;
    // And one that a person sees to.
    let angry = say("angry", None, "I am angry").await;
    let of = json!({"conversationId": angry});
    let query =
        "query($filter: EscalationFilter) { escalations(first: 1, filter: $filter) { nodes { id } } }";
    server.caught_up(&server.company).await;
    let call = support.data(query, json!({"filter": of})).await["escalations"]["nodes"][0].take();
    server.set_clock("2026-02-10T18:07:30Z");
    let resolve = with(act("resolve", &call), json!({"note": "called back"}));
    support.done("escalationResolve", "", resolve).await;
    server.caught_up(&server.company).await;
    let stats =
        "query($day: LocalDate!) { escalationStats(from: $day, to: $day) { conversations handledWithoutHuman
        rate opened resolved medianMinutesToResolve readInfo { stale } } }";
    support.sign_in_again().await;
    assert_eq!(
        support.data(stats, json!({"day": "2026-02-10"})).await["escalationStats"],
        json!({
            "conversations": 5, "handledWithoutHuman": 4, "rate": "0.8", "opened": 2, "resolved": 1,
            "medianMinutesToResolve": "7", "readInfo": {"stale": false},
        })
    );
    let before = support.data(stats, json!({"day": "2026-02-09"})).await;
    assert_eq!(
        (
            &before["escalationStats"]["rate"],
            &before["escalationStats"]["medianMinutesToResolve"]
        ),
        (&json!("0"), &Value::Null)
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}
