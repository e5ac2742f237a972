//! The program as it serves, over a scratch database.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use commands::gateways::{SystemClock, ZipDirectory};
use commands::ports::Ports;
use domain::ids::TenantId;
use event_log::{Database, MasterKey};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::ours::Ours;
use super::world::World;
use crate::app::{App, POOL};
use crate::auth::{Origin, SignInAsk};
use crate::http;
use crate::installation::Scratch;

/// The program on an address of its own, with no company yet.
pub(super) struct Served {
    pub(super) app: App,
    pub(super) address: String,
    database: Database,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Served {
    pub(super) async fn start(world: &World, scratch: &Scratch) -> Result<Self> {
        let database = Database::connect(scratch.database.clone(), POOL).await?;
        let ports = Ports {
            clock: Arc::new(SystemClock),
            ids: world.ids.port(),
            places: Arc::new(ZipDirectory),
        };
        // Nothing here outlives the run, so any keys will do.
        let app = App::compose(database.clone(), MasterKey::new([7; 32]), [8; 32], ports);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let (serving, router) = (app.clone(), http::router(app.clone()));
        let serving = tokio::spawn(async move {
            let stop = async {
                // An error says that nobody can tell any more.
                stopped.await.ok();
            };
            http::serve(&serving, listener, router, stop).await;
        });
        Ok(Self {
            app,
            address,
            database,
            stop,
            serving,
        })
    }

    /// A company's log, as the program writes it.
    pub(super) fn of(&self, world: &World, tenant: TenantId) -> Ours {
        Ours {
            log: self.app.log.clone(),
            commands: self.app.commands.clone(),
            tenant,
            ids: world.ids.clone(),
        }
    }

    /// An access token of somebody of a company.
    pub(super) async fn sign_in(&self, organisation: &str, email: String, password: &str) -> Result<String> {
        let ask = SignInAsk {
            organisation: organisation.to_owned(),
            email,
            password: password.to_owned(),
            proof: None,
            origin: Origin::default(),
        };
        Ok(self.app.auth.sign_in(ask).await?.access_token)
    }

    pub(super) async fn stop(self) -> Result<()> {
        if self.stop.send(()).is_err() {
            bail!("the server has ended before it was told to");
        }
        self.serving.await.context("the server did not end well")?;
        self.app.log.shut_down().await;
        self.database.close().await;
        Ok(())
    }
}
