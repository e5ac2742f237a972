//! Price lists: at a time, many prices at once, and as files.

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, with};

const LIST: &str = "priceList { version items { item price { minor } } }";

async fn price_at(admin: &Client, station: &str, at: Option<&str>) -> Value {
    let asked = "query($id: ID!, $at: DateTime) { priceList(stationId: $id, at: $at) { items { item price { minor } } } }";
    let list = admin.data(asked, json!({"id": station, "at": at})).await;
    let items = list["priceList"]["items"].as_array().expect("a list");
    let adult = items.iter().find(|item| item["item"] == "adult");
    adult.map_or(Value::Null, |item| item["price"]["minor"].clone())
}

#[tokio::test]
async fn a_price_is_told_for_any_instant() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = global_id("Station", server.company.san_jose);
    let change = json!({
        "idempotencyKey": "may", "stationId": station, "item": "adult", "priceMinor": 6_500, "reason": "season",
        "effectiveFrom": "2026-05-01T07:00:00Z",
    });
    admin.done("priceChange", "", change).await;
    for (at, price) in [
        (None, json!(5_995)),
        (Some("2019-12-31T00:00:00Z"), Value::Null),
        (Some("2020-01-01T08:00:00Z"), json!(5_995)),
        (Some("2026-05-01T06:59:59Z"), json!(5_995)),
        (Some("2026-05-01T07:00:00Z"), json!(6_500)),
    ] {
        assert_eq!(price_at(&admin, &station, at).await, price, "{at:?}");
    }
}

#[tokio::test]
async fn many_prices_change_in_one_step_as_the_preview_has_it_or_not_at_all() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = global_id("Station", server.company.san_jose);
    let preview = "query($input: PriceBulkChangePreviewInput!) { priceBulkChangePreview(input: $input) {
        item old { minor } new { minor } refused { code field } } }";
    let asked = json!({"stationId": station, "by": {"share": "0.05"}, "roundToMinor": 5});
    let told = admin.data(preview, json!({"input": asked})).await;
    let row = |item: &str, old: i64, new: i64| json!({"item": item, "old": {"minor": old}, "new": {"minor": new}, "refused": null});
    assert_eq!(
        told["priceBulkChangePreview"],
        json!([
            row("adult", 5_995, 6_295),
            row("child", 2_995, 3_145),
            row("sauce", 599, 630)
        ])
    );
    let before = server.written(&server.company).await;
    let change = |key: &str, fields: Value| {
        let asked = with(
            asked.clone(),
            json!({"idempotencyKey": key, "reason": "beef costs more"}),
        );
        with(asked, fields)
    };
    let done = admin
        .done("priceBulkChange", LIST, change("all", json!({})))
        .await;
    assert_eq!(done["position"], before + 3, "three prices in one step");
    assert_eq!(
        done["priceList"]["items"],
        json!([
            {"item": "adult", "price": {"minor": 6_295}}, {"item": "child", "price": {"minor": 3_145}},
            {"item": "sauce", "price": {"minor": 630}},
        ])
    );
    let again = admin.done("priceBulkChange", "", change("all", json!({}))).await;
    assert_eq!(again["replayed"], true);
    // One that cannot change keeps all as they are, and the preview says which.
    let cheaper = json!({"by": {"amountMinor": -400}, "items": ["adult", "sauce"], "effectiveFrom": "2026-05-01T07:00:00Z"});
    let asked = with(json!({"stationId": station}), cheaper.clone());
    let told = admin.data(preview, json!({"input": asked})).await["priceBulkChangePreview"].take();
    assert_eq!(told[0]["refused"], Value::Null);
    assert_eq!(
        told[1]["refused"],
        json!({"code": "PRICE_OUT_OF_RANGE", "field": ["priceMinor"]})
    );
    let refused = admin
        .command("priceBulkChange", "", change("cheaper", cheaper))
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "PRICE_OUT_OF_RANGE");
    assert_eq!(refused["userErrors"][0]["field"], json!(["items"]));
    for (code, fields) in [
        ("INVALID_ADJUSTMENT", json!({"by": {"share": "5%"}})),
        ("INVALID_ADJUSTMENT", json!({"by": {"share": "0"}})),
        ("INVALID_ROUNDING", json!({"roundToMinor": 0})),
        ("INVALID_REASON", json!({"reason": ""})),
        ("ITEM_UNKNOWN", json!({"items": ["unicorn"]})),
        ("UNCHANGED", json!({"by": {"amountMinor": 1}})),
        (
            "EFFECTIVE_IN_PAST",
            json!({"effectiveFrom": "2026-01-01T00:00:00Z"}),
        ),
        ("VERSION_CONFLICT", json!({"expectedVersion": 1})),
        ("NOT_FOUND", json!({"stationId": "x"})),
    ] {
        let refused = admin
            .refused("priceBulkChange", change(&format!("{fields}"), fields))
            .await;
        assert_eq!(refused, code);
    }
    assert_eq!(server.written(&server.company).await, before + 3);
    // Who follows the log learns of every one of them.
    server.caught_up(&server.company).await;
    let history = "query($id: ID!) { priceHistory(first: 3, stationId: $id) { nodes {
        item old { minor } new { minor } reason position } } }";
    let history = admin.data(history, json!({"id": station})).await;
    let told: Vec<&Value> = history["priceHistory"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert_eq!(told[2]["item"], "adult");
    assert_eq!(told[2]["position"], before + 1);
    assert!(told.iter().all(|change| change["reason"] == "beef costs more"));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

async fn export(admin: &Client, station: &str) -> String {
    let asked = "query($id: ID!) { priceListExport(stationId: $id) }";
    let text = admin.data(asked, json!({"id": station})).await["priceListExport"].take();
    text.as_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_price_list_goes_out_as_a_file_and_comes_back_all_of_it_or_none() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = global_id("Station", server.company.san_jose);
    let file = export(&admin, &station).await;
    assert_eq!(
        file,
        "item,label,kind,price,min,max,effective_from\r\n\
         adult,adult,adult,59.95,29.97,179.85,\r\n\
         child,child,child,29.95,14.97,89.85,\r\n\
         sauce,sauce,add_on,5.99,2.99,17.97,\r\n"
    );
    let take = |key: &str, csv: &str| json!({"idempotencyKey": key, "stationId": station, "csv": csv, "reason": "new menu"});
    assert_eq!(
        admin.refused("priceListImport", take("same", &file)).await,
        "UNCHANGED"
    );
    let before = server.written(&server.company).await;
    let edited = file.replace("59.95", "62.95")
        + "tray,'=Tray,add_on,25.00,10.00,50.00,\r\nadult,adult,adult,64.95,29.97,179.85,2026-05-01T07:00:00Z\r\n";
    let preview = "query($input: PriceListImportPreviewInput!) { priceListImportPreview(input: $input) {
        changes { item old { minor } new { minor } effectiveFrom } badRows { line code message } } }";
    let previewed = async |csv: &str| {
        let asked = json!({"input": {"stationId": station, "csv": csv}});
        admin.data(preview, asked).await["priceListImportPreview"].take()
    };
    assert_eq!(
        previewed(&edited).await,
        json!({
            "changes": [
                {"item": "adult", "old": {"minor": 5_995}, "new": {"minor": 6_295}, "effectiveFrom": "2026-02-10T18:00:00+00:00"},
                {"item": "tray", "old": null, "new": {"minor": 2_500}, "effectiveFrom": "2026-02-10T18:00:00+00:00"},
                {"item": "adult", "old": {"minor": 6_295}, "new": {"minor": 6_495}, "effectiveFrom": "2026-05-01T07:00:00+00:00"},
            ],
            "badRows": [],
        })
    );
    assert_eq!(
        server.written(&server.company).await,
        before,
        "a preview writes nothing"
    );
    admin.done("priceListImport", LIST, take("edited", &edited)).await;
    assert_eq!(server.written(&server.company).await, before + 3);
    let after = export(&admin, &station).await;
    assert!(after.contains("tray,'=Tray,add_on,25.00"), "{after}");
    assert!(
        after.contains("adult,adult,adult,64.95,29.97,179.85,2026-05-01T07:00:00Z"),
        "{after}"
    );
    assert_eq!(
        admin.refused("priceListImport", take("twice", &after)).await,
        "UNCHANGED"
    );

    let bad = after
        .replace("29.95,14.97", "1.00,14.97")
        .replace("5.99,", "free,")
        + "odd,row\r\n";
    let refused = admin.command("priceListImport", "", take("bad", &bad)).await;
    let told: Vec<(String, String)> = refused["userErrors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|error| (error["field"][1].to_string(), error["code"].to_string()))
        .collect();
    let line = |line: &str, code: &str| (format!("\"{line}\""), format!("\"{code}\""));
    assert_eq!(
        told,
        [
            line("4", "PRICE_OUT_OF_RANGE"),
            line("5", "INVALID_ROW"),
            line("7", "INVALID_ROW")
        ]
    );
    assert_eq!(previewed(&bad).await["changes"], json!([]));
    assert_eq!(previewed(&bad).await["badRows"][0]["line"], 4);
    assert_eq!(
        admin.refused("priceListImport", take("head", "a,b\r\n")).await,
        "INVALID_HEADER"
    );
    assert_eq!(server.written(&server.company).await, before + 3);
    server.assert_rebuild_changes_nothing(&server.company).await;
}
