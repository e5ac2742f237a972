//! The whole program, served in the test's own process over a database of its own, and clients that talk to
//! it as anybody would: over HTTP. It runs in a runtime of its own. Its clock stands until the test sets it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::app::App;
use api::auth::NewPassword;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use commands::gateways::{SeededIds, SimulatedClock, ZipDirectory};
use commands::ports::{Clock, Ports};
use commands::{Caller, IdempotencyKey, Written};
use domain::access::{Role, StationScope};
use domain::chef::Chef;
use domain::decider::Decider;
use domain::envelope::Position;
use domain::ids::{ChefId, StationId, TenantId, UserId};
use domain::money::{Cents, RatePpm};
use domain::organisation::OrganisationCreated;
use domain::price_list::{ItemAdded, ItemKind, PriceListCommand, TravelBandSet};
use domain::station::{Station, StationCreated, StationSettings};
use domain::tax_rate::{Jurisdiction, TaxRateSet};
use domain::user::User;
use event_log::MasterKey;
use projections::{Unwatched, Waited, registry};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::database::TestDatabase;

/// Where the clock stands at first.
const START: &str = "2026-02-10T18:00:00Z";
/// When the stations opened: from when their prices are in force.
const OPENED: &str = "2020-01-01T08:00:00Z";
/// A Saturday evening on which a company at the start takes bookings.
pub const PARTY: &str = "2026-03-14T18:00:00";
/// [`PARTY`] as an instant: its clock in San Jose is seven hours behind UTC.
pub const PARTY_UTC: &str = "2026-03-15T01:00:00Z";
/// Password of every user.
pub const PASSWORD: &str = "a pass phrase of the tests";
/// What a program's ids follow from.
const SEED: u64 = 7;
/// How long to wait for a position that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running program.
pub struct Server {
    /// Its insides, for what no client can see.
    pub app: App,
    /// The company that most tests are about.
    pub company: Company,
    clock: Arc<SimulatedClock>,
    address: SocketAddr,
    runtime: Option<Runtime>,
    database: TestDatabase,
    /// How many programs were started beside it.
    other_nodes: AtomicU64,
}

impl Drop for Server {
    /// Ends the program before its database goes: a connection that is just being made would hold that up.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A company: San Jose with one chef, Sacramento with three, prices at which twelve adults, four children and
/// two sauces come to exactly 851.18, and Santa Clara County at 9.125 % until the end of March 2026.
#[derive(Debug, Clone)]
pub struct Company {
    /// The company.
    pub tenant: TenantId,
    /// What its people sign in to.
    pub slug: String,
    /// The station with one chef.
    pub san_jose: StationId,
    /// The station with three.
    pub sacramento: StationId,
}

/// What a company's workers have left to do at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
struct Behind {
    /// Policies that have not looked at the whole log.
    policies: i64,
    /// Processes for which a time has come.
    due: i64,
    /// Events that wait since a reaction failed.
    waiting: i64,
    /// Jobs that are to be done by now.
    jobs: i64,
}

impl Server {
    /// Starts the program with one company.
    ///
    /// # Panics
    /// When the test's database or the loopback interface does not answer.
    pub async fn start() -> Self {
        Self::start_as(|app| app).await
    }

    /// Starts the program with one company, changed before it serves.
    ///
    /// # Panics
    /// When the test's database or the loopback interface does not answer.
    pub async fn start_as(change: impl FnOnce(App) -> App + Send + 'static) -> Self {
        let database = TestDatabase::new().await;
        let clock = Arc::new(SimulatedClock::at(instant(START)));
        let ports = Ports {
            clock: clock.clone(),
            ids: Arc::new(SeededIds::new(SEED)),
            places: Arc::new(ZipDirectory),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("the machine has threads");
        let gateway = database.database().await;
        let program = runtime.spawn(async move {
            let app = change(App::compose(gateway, MasterKey::new([7; 32]), [8; 32], ports));
            let company = open(&app, "our-hibachi").await;
            let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
            let listener = listener.expect("the loopback interface has a free port");
            let address = listener.local_addr().expect("a listener has an address");
            let workers = app.start_workers();
            let router = api::http::router(app.clone());
            let serving = app.clone();
            tokio::spawn(async move {
                let _workers = workers;
                api::http::serve(&serving, listener, router, std::future::pending()).await;
            });
            (app, company, address)
        });
        let (app, company, address) = program.await.expect("the program starts");
        Self {
            app,
            company,
            clock,
            address,
            runtime: Some(runtime),
            database,
            other_nodes: AtomicU64::new(0),
        }
    }

    /// Another program over the same database, with the same clock and no workers.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn another_node(&self) -> App {
        // Nodes that give the same ids would take each other's events for their own.
        let seed = SEED + 1 + self.other_nodes.fetch_add(1, Ordering::Relaxed);
        let ports = Ports {
            clock: self.clock.clone(),
            ids: Arc::new(SeededIds::new(seed)),
            places: Arc::new(ZipDirectory),
        };
        let gateway = self.database.database().await;
        App::compose(gateway, MasterKey::new([7; 32]), [8; 32], ports)
    }

    /// The database behind it, for looking past row-level security.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Opens a second company on the same platform.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn neighbour(&self) -> Company {
        open(&self.app, "other-hibachi").await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its figures, as Prometheus gets them.
    pub async fn figures(&self) -> String {
        self.app.figures.text(&self.app).await
    }

    /// What its clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Sets its clock. Tokens live ten minutes by it: sign in again.
    ///
    /// # Panics
    /// When the text is not an instant.
    pub fn set_clock(&self, to: &str) {
        self.clock.set(instant(to));
    }

    /// Somebody who has not signed in.
    pub fn nobody(&self) -> Client {
        let http = reqwest::Client::builder().no_proxy().build();
        Client {
            http: http.expect("a client without TLS needs nothing"),
            url: format!("http://{}/graphql", self.address),
            email: String::new(),
            slug: String::new(),
            token: None,
        }
    }

    /// Gives a person the password that all have.
    ///
    /// # Panics
    /// When it cannot be kept.
    pub async fn set_password(&self, company: &Company, user: UserId) {
        let new = NewPassword {
            password: PASSWORD.to_owned(),
            known: Vec::new(),
        };
        let auth = &self.app.auth;
        let password = auth.accept_password(new).await.expect("it is a good one");
        let set = auth.set_password(company.tenant, user, password).await;
        set.expect("the password can be kept");
    }

    /// A person of the company with a role for all stations, signed in.
    ///
    /// # Panics
    /// When the sign-in fails.
    pub async fn sign_in(&self, role: Role) -> Client {
        self.sign_in_at(&self.company, role, StationScope::All).await
    }

    /// A person of a company with a role for some stations, signed in. Called again, it is the same person.
    ///
    /// # Panics
    /// When the sign-in fails.
    pub async fn sign_in_at(&self, company: &Company, role: Role, stations: StationScope) -> Client {
        let email = format!("{}@{}.test", role.as_str().to_lowercase(), company.slug);
        let caller = Caller::system(company.tenant, "test");
        let written = self
            .app
            .commands
            .create_user(caller, key(&email), email.clone(), role, stations)
            .await
            .expect("the user can be created");
        if !written.replayed {
            let user = written
                .id_of(User::STREAM)
                .parse()
                .expect("a user's stream is a user's id");
            self.set_password(company, user).await;
        }
        let mut client = Client {
            email,
            slug: company.slug.clone(),
            ..self.nobody()
        };
        client.sign_in_again().await;
        client
    }

    /// Position of the last event in a company's log.
    ///
    /// # Panics
    /// When the log does not answer.
    pub async fn head(&self, company: &Company) -> i64 {
        let head = self.app.log.head(company.tenant).await;
        head.expect("the log answers").position.0
    }

    /// How many events there are that no policy wrote: what people and programs asked for, whatever reacts to it.
    ///
    /// # Panics
    /// When the log does not answer.
    pub async fn written(&self, company: &Company) -> i64 {
        let mut tx = self.app.database.begin_read(company.tenant).await;
        let tx = tx.as_mut().expect("the log answers");
        let by_others = "select count(*) from events
            where tenant_id = $1 and metadata->>'channel' is distinct from 'policy'";
        let count = sqlx::query_scalar(by_others).bind(company.tenant.0);
        count.fetch_one(&mut **tx).await.expect("the log answers")
    }

    /// The head of a company's log once its policies have said what there is to say, and its jobs are done.
    ///
    /// # Panics
    /// When the log does not answer, or they answer each other without end.
    pub async fn quiet(&self, company: &Company) -> i64 {
        let mut behind = Behind::default();
        for _ in 0..400 {
            // What the program's own workers hold at the moment is passed over, and waited for.
            let reacted = self.app.commands.react(company.tenant).await;
            reacted.expect("policies react");
            let done = self.app.commands.do_jobs(company.tenant).await;
            done.expect("the jobs go on");
            let head = self.head(company).await;
            behind = self.behind(company, head).await;
            if behind == Behind::default() && self.head(company).await == head {
                return head;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the policies answer each other without end: {behind:?}");
    }

    async fn behind(&self, company: &Company, head: i64) -> Behind {
        let mut tx = self.app.database.begin_read(company.tenant).await;
        let tx = tx.as_mut().expect("the log answers");
        let behind = "select
            (select count(*) from policy_checkpoints where tenant_id = $1 and position < $2) as policies,
            (select count(*) from policy_states where tenant_id = $1 and wake_at <= $3) as due,
            (select count(*) from policy_waiting where tenant_id = $1) as waiting,
            (select count(*) from jobs where tenant_id = $1 and run_at <= $3) as jobs";
        let behind = sqlx::query_as(behind).bind(company.tenant.0).bind(head);
        let behind = behind.bind(self.now()).fetch_one(&mut **tx).await;
        behind.expect("the log answers")
    }

    /// Waits until every read model of a company holds all that has happened, and says up to where.
    ///
    /// # Panics
    /// When one does not get there.
    pub async fn caught_up(&self, company: &Company) -> i64 {
        let head = Position(self.head(company).await);
        for projection in registry() {
            let waited = self
                .app
                .views
                .wait_for(company.tenant, projection.name(), head, PATIENCE)
                .await
                .expect("the read models answer");
            assert_eq!(waited, Waited::Reached, "{}", projection.name());
        }
        head.0
    }

    /// Every read model of a company is what its log gives, and building it anew changes nothing.
    ///
    /// # Panics
    /// When one is not, naming what differs.
    pub async fn assert_rebuild_changes_nothing(&self, company: &Company) {
        // What the policies still have to say is said before, or rows come between the two looks.
        let mut head = self.head(company).await;
        loop {
            let reacted = self.app.commands.react(company.tenant).await;
            reacted.expect("the policies go on");
            let done = self.app.commands.do_jobs(company.tenant).await;
            done.expect("the jobs go on");
            let then = std::mem::replace(&mut head, self.head(company).await);
            if then == head {
                break;
            }
        }
        self.caught_up(company).await;
        for projection in registry() {
            let checked = projection
                .check(&self.app.views, company.tenant, &Unwatched)
                .await
                .expect("the read models answer");
            assert_eq!(checked.differences, [], "{}", projection.name());
            let rebuilt = projection
                .rebuild(&self.app.views, company.tenant, &Unwatched)
                .await
                .expect("the read models answer");
            assert_eq!(rebuilt.differences, Some(vec![]), "{}", projection.name());
            assert_eq!(rebuilt.rows, checked.rows, "{}", projection.name());
        }
    }
}

/// Somebody who talks to the program.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    slug: String,
    email: String,
    /// What is sent as `Authorization: Bearer …`.
    pub token: Option<String>,
}

impl Client {
    /// Signs in once more: a token lives ten minutes by the program's clock.
    ///
    /// # Panics
    /// When the sign-in fails.
    pub async fn sign_in_again(&mut self) {
        self.token = None;
        let input = json!({"organisation": self.slug, "email": self.email, "password": PASSWORD});
        let document =
            "mutation($input: SignInInput!) { signIn(input: $input) { accessToken userErrors { code } } }";
        let signed_in = self.data(document, json!({"input": input})).await;
        let token = signed_in["signIn"]["accessToken"].as_str();
        self.token = Some(token.expect("the password is right").to_owned());
    }

    /// Somebody of a company, signed in by e-mail.
    ///
    /// # Panics
    /// When the sign-in fails.
    pub async fn sign_in_as(&self, company: &Company, email: &str) -> Self {
        let mut client = Self {
            email: email.to_owned(),
            slug: company.slug.clone(),
            ..self.clone()
        };
        client.sign_in_again().await;
        client
    }

    /// The same person with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same person at another program over the same database.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self {
            url: format!("http://{address}/graphql"),
            ..self.clone()
        }
    }

    /// A POST to the GraphQL endpoint that carries the token and nothing else yet.
    pub fn raw(&self) -> reqwest::RequestBuilder {
        let request = self.http.post(&self.url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// A POST to another place of the program, without a token.
    ///
    /// # Panics
    /// When the path makes no address.
    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        let url = reqwest::Url::parse(&self.url).and_then(|url| url.join(path));
        self.http.post(url.expect("the path is one"))
    }

    /// Any other request to the program.
    ///
    /// # Panics
    /// When the path makes no address.
    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        let url = reqwest::Url::parse(&self.url).and_then(|url| url.join(path));
        self.http.get(url.expect("the path is one"))
    }

    /// The answer to a query as it came over the wire.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn text(&self, query: &str, variables: &Value) -> String {
        let body = json!({"query": query, "variables": variables});
        let answer = self.raw().json(&body).send().await.expect("the program answers");
        answer.text().await.expect("the answer is text")
    }

    /// The whole answer to a query, errors and all.
    ///
    /// # Panics
    /// When no JSON comes.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let text = self.text(query, &variables).await;
        serde_json::from_str(&text).expect("the program answers with JSON")
    }

    /// The data that a query asks for.
    ///
    /// # Panics
    /// When the answer has errors.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.graphql(query, variables).await;
        assert_eq!(answer["errors"], Value::Null, "{query}");
        answer["data"].take()
    }

    /// The payload of a command: `object` says what of its object to show.
    ///
    /// # Panics
    /// When the answer has errors.
    pub async fn command(&self, name: &str, object: &str, input: Value) -> Value {
        let mut data = self.data(&mutation(name, object), json!({"input": input})).await;
        data[name].take()
    }

    /// The payload of a command that must be done.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn done(&self, name: &str, object: &str, input: Value) -> Value {
        let payload = self.command(name, object, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{name}");
        payload
    }

    /// The code with which a command is refused.
    ///
    /// # Panics
    /// When it is done instead, or says nothing to a person.
    pub async fn refused(&self, name: &str, input: Value) -> String {
        let payload = self.command(name, "", input).await;
        let refused = &payload["userErrors"][0];
        assert!(
            refused["message"]
                .as_str()
                .is_some_and(|message| message.len() > 10),
            "{payload}"
        );
        assert_eq!(payload["position"], Value::Null);
        refused["code"].as_str().expect("a refusal has a code").to_owned()
    }
}

/// A mutation of one command, with what of its object to show.
pub fn mutation(name: &str, object: &str) -> String {
    let input = match name {
        "bookingComplete" | "bookingRestore" => "BookingActionInput".to_owned(),
        "escalationJoin" => "EscalationActionInput".to_owned(),
        "taxPeriodClose" => "TaxPeriodInput".to_owned(),
        "bookingNoteAdd" => "BookingNoteInput".to_owned(),
        "chefSkillsSet" => "ChefSkillsInput".to_owned(),
        "chefAvailabilitySet" => "ChefAvailabilityInput".to_owned(),
        "chefDateExceptionSet" => "ChefDateExceptionInput".to_owned(),
        "chefTimeOffAdd" | "chefTimeOffCancel" => "ChefTimeOffInput".to_owned(),
        "chefCapsSet" => "ChefCapsInput".to_owned(),
        "chefStationJoin" | "chefStationLeave" => "ChefStationInput".to_owned(),
        "calendarIssue" | "calendarRevoke" => "CalendarFeedInput".to_owned(),
        "userReactivate" | "userUnlock" | "userTotpReset" => "UserActionInput".to_owned(),
        "totpDisable" | "recoveryCodesRenew" => "WithPasswordInput".to_owned(),
        name => format!("{}{}Input", name[..1].to_uppercase(), &name[1..]),
    };
    format!(
        "mutation($input: {input}!) {{ {name}(input: $input) {{
            {object} userErrors {{ code field message }} position replayed }} }}"
    )
}

/// A party of exactly 851.18 in San Jose on [`PARTY`], asked for by somebody new who is named after the key.
pub fn party(key: &str) -> Value {
    json!({
        "idempotencyKey": key,
        "customer": {"name": format!("Guest {key}"), "email": format!("{key}@example.com")},
        "venue": {"street": "1 Main St", "city": "San Jose", "state": "CA", "zip": "95112"},
        "start": PARTY,
        "guests": {"adults": 12, "children": 4},
        "addOns": [{"item": "sauce", "quantity": 2}],
    })
}

/// An input with some of its fields set anew.
///
/// # Panics
/// When either is not an object.
pub fn with(mut input: Value, fields: Value) -> Value {
    let (Value::Object(fields), Some(input_fields)) = (fields, input.as_object_mut()) else {
        panic!("an input is an object");
    };
    input_fields.extend(fields);
    input
}

/// The global id that the API would show.
pub fn global_id(kind: &str, id: impl std::fmt::Display) -> String {
    URL_SAFE_NO_PAD.encode(format!("{kind}:{id}"))
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant in RFC 3339")
}

fn key(name: &str) -> IdempotencyKey {
    IdempotencyKey::of_reaction("test", name)
}

/// Opens a company through the real commands.
async fn open(app: &App, slug: &str) -> Company {
    let tenant = TenantId(Uuid::new_v5(&Uuid::NAMESPACE_DNS, slug.as_bytes()));
    let caller = Caller::system(tenant, "test");
    let created = OrganisationCreated {
        name: format!("Company {slug}"),
        slug: slug.to_owned(),
    };
    app.commands
        .create_organisation(caller.clone(), created)
        .await
        .expect("the company can be created");
    let company = Company {
        tenant,
        slug: slug.to_owned(),
        san_jose: station(app, &caller, "San Jose", "95112", 1).await,
        sacramento: station(app, &caller, "Sacramento", "95814", 3).await,
    };
    for (rate, from, until) in [
        (91_250, "2021-07-01", Some("2026-03-31")),
        (97_500, "2026-04-01", None),
    ] {
        let set = TaxRateSet {
            jurisdiction: Jurisdiction {
                state: "CA".to_owned(),
                county: "Santa Clara".to_owned(),
                city: None,
            },
            rate_ppm: RatePpm(rate),
            effective_from: from.parse().expect("a day"),
            effective_until: until.map(|day| day.parse().expect("a day")),
            source: "test".to_owned(),
            before_ppm: None,
            correction: None,
            zips: Vec::new(),
        };
        let done = app.commands.set_tax_rate(caller.clone(), key(from), set).await;
        done.expect("the rate can be set");
    }
    app.views.catch_up(tenant).await.expect("the read models answer");
    company
}

async fn station(app: &App, caller: &Caller, name: &str, zip: &str, chefs: u8) -> StationId {
    let commands = &app.commands;
    let created = StationCreated {
        name: name.to_owned(),
        zone: chrono_tz::America::Los_Angeles,
        zip: zip.parse().expect("a ZIP code"),
        state: "CA".to_owned(),
        settings: StationSettings::default(),
    };
    let opened = commands
        .create_station(caller.clone(), key(name), created)
        .await
        .expect("the station can be opened");
    let station: StationId = id(&opened, Station::STREAM);
    for number in 1..=chefs {
        let chef = format!("chef {number} of {name}");
        let known = commands
            .register_chef(caller.clone(), key(&chef), chef.clone())
            .await
            .expect("the chef can be registered");
        let known: ChefId = id(&known, Chef::STREAM);
        commands
            .join_chef(caller.clone(), key(&format!("{chef} joins")), station, known)
            .await
            .expect("the chef can join");
    }
    let item = |item: &str, kind, price: i64| PriceListCommand::AddItem {
        added: ItemAdded {
            item: item.to_owned(),
            label: item.to_owned(),
            kind,
            price_cents: Cents(price),
            min_cents: Cents(price / 2),
            max_cents: Cents(price * 3),
            effective_from: instant(OPENED),
        },
        now: instant(OPENED),
    };
    let set = [
        item("adult", ItemKind::Adult, 5_995),
        item("child", ItemKind::Child, 2_995),
        item("sauce", ItemKind::AddOn, 599),
        PriceListCommand::SetTravelBand(TravelBandSet {
            free_miles: 25,
            per_mile_cents: Cents(200),
            max_miles: 100,
            before: None,
        }),
    ];
    for (number, command) in set.into_iter().enumerate() {
        commands
            .set_prices(
                caller.clone(),
                key(&format!("{name} price {number}")),
                station,
                command,
            )
            .await
            .expect("the price can be set");
    }
    station
}

fn id<I: std::str::FromStr<Err = uuid::Error>>(written: &Written, stream: &str) -> I {
    written.id_of(stream).parse().expect("the stream's id is a UUID")
}
