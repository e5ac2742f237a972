//! Who is asked: the demo company with chefs enough for everybody, a quiet company beside it, and keys for the programs
//! that speak for users.

use std::fs;
use std::sync::OnceLock;

use reqwest::Client;
use serde_json::{Value, json};

use crate::{api, number, setting};

const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }";
const STATIONS: &str = "{ stations(first: 10) { nodes { id zip } } }";
const REGISTER: &str =
    "mutation($input: ChefRegisterInput!) { chefRegister(input: $input) { userErrors { code message } } }";
const STATION: &str =
    "mutation($input: StationCreateInput!) { stationCreate(input: $input) { userErrors { code message } } }";
const KEY: &str = "mutation($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { secret userErrors { code message } } }";
const SCOPES: [&str; 10] = [
    "booking:read",
    "booking:write",
    "customer:read",
    "customer:write",
    "money:read",
    "payment:read",
    "payment:write",
    "price:read",
    "schedule:read",
    "station:read",
];

/// What users need to know of whom they ask.
#[derive(Debug)]
pub struct Known {
    /// Where the program listens.
    pub url: String,
    /// Keys of the busy company; users share them.
    pub keys: Vec<String>,
    /// The busy company's stations: their ids and ZIPs.
    pub stations: Vec<(String, String)>,
    /// The quiet company's.
    pub quiet_key: String,
    pub quiet_zip: String,
}

static KNOWN: OnceLock<Known> = OnceLock::new();

/// What was learnt.
pub fn known() -> &'static Known {
    KNOWN.get().expect("it was learnt first")
}

/// Hires chefs and makes keys, which it keeps in `LOAD_KEYS`, a file.
pub async fn set_up() -> Result<(), Box<dyn std::error::Error>> {
    let http = api::client().build()?;
    let url = setting("LOAD_URL", None);
    let token = sign_in(&http, &url, "my-hibachi", "admin@demo.test", "hibachi-demo-1").await?;
    let chefs = number("LOAD_CHEFS", "60");
    for (station, _) in stations(&http, &url, &token).await? {
        for chef in 0..chefs {
            let input = json!({
                "idempotencyKey": format!("load chef {station} {chef}"), "name": format!("Chef {chef}"), "stationIds": [station],
            });
            api::expect(&http, &url, &token, REGISTER, json!({ "input": input })).await?;
        }
    }
    let mut keys = Vec::new();
    for key in 0..number("LOAD_KEY_COUNT", "20") {
        keys.push(make_key(&http, &url, &token, &format!("load key {key}")).await?);
    }
    let token = sign_in(
        &http,
        &url,
        "quiet",
        "owner@quiet.test",
        &setting("HIBACHI_PASSWORD", None),
    )
    .await?;
    let input = json!({
        "idempotencyKey": "load station", "name": "San Jose", "state": "CA", "zip": "95112", "zone": "America/Los_Angeles",
    });
    api::expect(&http, &url, &token, STATION, json!({ "input": input })).await?;
    let quiet = make_key(&http, &url, &token, "load").await?;
    fs::write(
        setting("LOAD_KEYS", None),
        json!({ "keys": keys, "quiet": quiet }).to_string(),
    )?;
    Ok(())
}

/// Reads the keys and finds the stations.
pub async fn learn() -> Result<(), Box<dyn std::error::Error>> {
    let http = api::client().build()?;
    let url = setting("LOAD_URL", None);
    let kept: Value = serde_json::from_str(&fs::read_to_string(setting("LOAD_KEYS", None))?)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let keys: Vec<String> = kept["keys"].as_array().into_iter().flatten().map(text).collect();
    let stations = stations(&http, &url, &keys[0]).await?;
    let quiet_key = text(&kept["quiet"]);
    let quiet = self::stations(&http, &url, &quiet_key).await?;
    let (_, quiet_zip) = quiet
        .into_iter()
        .next()
        .ok_or("the quiet company has no station")?;
    let known = Known {
        url,
        keys,
        stations,
        quiet_key,
        quiet_zip,
    };
    KNOWN.set(known).map_err(|_| "it was learnt before")?;
    Ok(())
}

async fn sign_in(
    http: &Client,
    url: &str,
    company: &str,
    email: &str,
    password: &str,
) -> Result<String, String> {
    let input = json!({ "organisation": company, "email": email, "password": password });
    let said = api::expect(http, url, "", SIGN_IN, json!({ "input": input })).await?;
    Ok(said["signIn"]["accessToken"]
        .as_str()
        .unwrap_or_default()
        .to_owned())
}

async fn make_key(http: &Client, url: &str, token: &str, name: &str) -> Result<String, String> {
    let input = json!({ "idempotencyKey": name, "name": name, "scopes": SCOPES });
    let said = api::expect(http, url, token, KEY, json!({ "input": input })).await?;
    let secret = said["apiKeyCreate"]["secret"].as_str();
    secret
        .map(str::to_owned)
        .ok_or_else(|| format!("the key {name} was made before"))
}

async fn stations(http: &Client, url: &str, token: &str) -> Result<Vec<(String, String)>, String> {
    let said = api::expect(http, url, token, STATIONS, json!({})).await?;
    let nodes = said["stations"]["nodes"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(nodes
        .iter()
        .map(|node| (text(&node["id"]), text(&node["zip"])))
        .collect())
}
