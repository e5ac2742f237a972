//! `hibachi bench page`: a page of 50 bookings with what belongs to each, over HTTP, beside PostGraphile over the same tables.

mod rival;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow, ensure};
use clap::Args;
use domain::ids::TenantId;
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::Executor;
use uuid::Uuid;

use self::rival::PostGraphile;
use super::Ask;
use super::business::Business;
use super::report::{OURS, Report};
use super::served::Served;
use super::work::{Done, Miss, Work};
use super::world::World;
use crate::cli::note;
use crate::demo;
use crate::installation::Scratch;

/// Every case's name, how many ask, and how often.
const ASKED: [(&str, u32, Often); 4] = [
    ("page_1", 1, Often::Again),
    ("page_50", 50, Often::Again),
    ("page_anew_1", 1, Often::Once),
    ("page_anew_50", 50, Often::Once),
];
/// Every case's name.
pub(super) const CASES: [&str; 4] = [ASKED[0].0, ASKED[1].0, ASKED[2].0, ASKED[3].0];

/// How often a question is asked in the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Often {
    /// Again and again, while nothing happens: as dashboards do.
    Again,
    /// Once: the answer is made each time. Of ours alone, whom it makes a difference to.
    Once,
}

/// Events of a booking: asked for, paid, confirmed, a chef, held or called off, two more payments.
const STEPS: u64 = 10;
/// Pages that are asked for in turn, from the latest on.
const PAGES: usize = 64;
const ROWS: usize = 50;

const QUERY: &str = "query($after: String) { bookings(first: 50, after: $after, sort: START_DESC) { nodes {
    number status start { local zone } total { minor } customer { name email } chefs { name }
    payments(first: 5) { nodes { kind status amount { minor } } }
    audit(first: 10) { nodes { summary recordedAt actor { kind } } } } pageInfo { hasNextPage endCursor } } }";

#[derive(Debug, Args)]
pub(in crate::cli) struct PageBench {
    #[command(flatten)]
    pub(super) ask: Ask,
    /// Events of the company.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    events: u64,
    /// Starts PostGraphile on the database that DATABASE_URL names, as `make page` has it. Without it there is no rival.
    #[arg(long, value_name = "PROGRAM")]
    postgraphile: Option<PathBuf>,
}

impl PageBench {
    pub(super) async fn measure(&self, world: &World, scratch: &Scratch, report: &mut Report) -> Result<()> {
        let served = Served::start(world, scratch).await?;
        demo::company(&served.app).await?;
        let tenant = served.app.organisation(demo::SLUG).await?.tenant;
        self.fill(world, &served, tenant).await?;
        let http = Client::builder().no_proxy().build()?;
        let token = served
            .sign_in(demo::SLUG, "admin@demo.test".to_owned(), demo::PASSWORD)
            .await?;
        let mut peers = vec![(
            OURS,
            Pages::of(&http, &served.address, Some(token), QUERY, "bookings").await?,
        )];
        let rival = match &self.postgraphile {
            Some(program) => Some(PostGraphile::start(program, world, scratch).await?),
            None => None,
        };
        if let Some(rival) = &rival {
            let query = PostGraphile::query(world, tenant).await?;
            let pages = Pages::of(&http, &rival.address, None, &query, "allBookingLists").await?;
            peers.push((rival::NAME, pages));
        }
        for round in 1..=self.ask.rounds {
            for (case, clients, often) in ASKED {
                if !self.ask.wants(case) {
                    continue;
                }
                for (peer, pages) in &peers {
                    let often = if *peer == OURS { often } else { Often::Again };
                    let work = Asking {
                        pages: pages.clone(),
                        often,
                    };
                    report.add(case, peer, clients, round, &world.measure(&work, clients).await?)?;
                }
            }
        }
        drop(rival);
        served.stop().await
    }

    /// Writes what the demo company has not, and lets the read models follow.
    async fn fill(&self, world: &World, served: &Served, tenant: TenantId) -> Result<()> {
        let ids = async |select: &'static str| -> Result<Vec<Uuid>> {
            Ok(sqlx::query_scalar(select)
                .bind(tenant.0)
                .fetch_all(&world.owner)
                .await?)
        };
        let business = Business::more(
            &served.of(world, tenant),
            ids("select station_id from station_list where tenant_id = $1").await?,
            ids("select customer_id from customer_list where tenant_id = $1").await?,
            ids("select chef_id from chef_list where tenant_id = $1").await?,
            STEPS,
        );
        business.fill(self.events).await?;
        note(format_args!(
            "{} events are written; the read models follow",
            self.events
        ));
        served.app.views.catch_up(tenant).await?;
        world.owner.execute("vacuum (analyze)").await?;
        Ok(())
    }
}

/// Pages of a list. Clones share the turn.
#[derive(Clone)]
struct Pages {
    http: Client,
    url: Arc<str>,
    token: Option<Arc<str>>,
    query: Arc<str>,
    /// The cursors that they come after.
    cursors: Arc<[Value]>,
    turn: Arc<AtomicUsize>,
}

/// Pages that are asked for in turn.
#[derive(Clone)]
struct Asking {
    pages: Pages,
    often: Often,
}

impl Pages {
    /// Walks over the pages from the first on, and remembers how each is asked for.
    async fn of(
        http: &Client,
        address: &str,
        token: Option<String>,
        query: &str,
        list: &str,
    ) -> Result<Self> {
        let mut pages = Self {
            http: http.clone(),
            url: format!("http://{address}/graphql").into(),
            token: token.map(Into::into),
            query: query.into(),
            cursors: Arc::default(),
            turn: Arc::default(),
        };
        let (mut cursors, mut after) = (Vec::new(), Value::Null);
        while cursors.len() < PAGES {
            let answer: Value = serde_json::from_str(&pages.ask(query, &after).await?)?;
            ensure!(answer.get("errors").is_none(), "a page is refused: {answer}");
            let page = &answer["data"][list];
            if page["nodes"].as_array().map_or(0, Vec::len) < ROWS {
                break;
            }
            cursors.push(after);
            after = page["pageInfo"]["endCursor"].clone();
        }
        ensure!(!cursors.is_empty(), "there is no page of {ROWS} bookings");
        pages.cursors = cursors.into();
        Ok(pages)
    }

    async fn ask(&self, query: &str, after: &Value) -> Result<String> {
        let body = json!({ "query": query, "variables": { "after": after } });
        let mut request = self.http.post(&*self.url).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{status}: {text}");
        Ok(text)
    }
}

impl Work for Asking {
    async fn once(&self) -> Result<Done, Miss> {
        let pages = &self.pages;
        let turn = pages.turn.fetch_add(1, Ordering::Relaxed);
        let after = &pages.cursors[turn % pages.cursors.len()];
        let answer = match self.often {
            Often::Again => pages.ask(&pages.query, after).await?,
            Often::Once => pages.ask(&format!("{} # {turn}", pages.query), after).await?,
        };
        // Read to the end, but not parsed: that would be our own time, the same for all.
        if answer.contains("\"errors\"") || !answer.contains("\"endCursor\"") {
            return Err(Miss::Failed(anyhow!("the answer is {answer}")));
        }
        Ok(Done { events: 1, loaded: 0 })
    }
}
