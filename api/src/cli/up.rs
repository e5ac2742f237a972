//! `hibachi up`: everything in one process.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use super::serve::{Attempts, Keep, Past, listen, serve, stop_signal};
use super::watching::{Asking, Watched, Watching};
use super::{Verdict, note, say};
use crate::app::App;
use crate::checking::CheckEvery;
use crate::demo;
use crate::installation::{Installation, Location};
use crate::signing::SignHeads;

/// Start everything: a private database, the read models, the policies and the API.
#[derive(Debug, Args)]
pub(super) struct Up {
    #[command(flatten)]
    location: Location,
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    keep: Keep,
    #[command(flatten)]
    past: Past,
    #[command(flatten)]
    sign_heads: SignHeads,
    #[command(flatten)]
    check_every: CheckEvery,
    #[command(flatten)]
    attempts: Attempts,
    #[command(flatten)]
    watching: Watching,
    #[command(flatten)]
    asking: Asking,
    /// Set up the demo company on the first start; go on with it where that was interrupted.
    #[arg(long)]
    demo: bool,
}

impl Up {
    pub(super) async fn run(self) -> Result<Verdict> {
        let began = Instant::now();
        let listener = listen(self.listen).await?;
        let figures = self.watching.listen().await?;
        let installation = Installation::open(&self.location).await?;
        let here = format!("http://{}", listener.local_addr()?);
        let app = App::connect(&installation).await?.reached_at(&here);
        let app = self.past.by(self.keep.by(self.attempts.by(app)));
        let app = self.check_every.by(self.sign_heads.by(app, &installation));
        let app = self.asking.by(app.queueing_what_recurs());
        // Nobody is at the demo company's addresses.
        let app = if self.demo { app.logging_messages() } else { app };
        if self.demo && !demo::is_whole(&app).await? {
            note("setting up the demo company …");
            demo::company(&app).await?;
        }
        let watched = Watched::by(figures, &app)?;
        let workers = app.start_workers();
        let stop = stop_signal()?;
        let address = listener.local_addr()?;
        say(format_args!(
            "ready http://{address} ({} ms)",
            began.elapsed().as_millis()
        ));
        if self.demo {
            say_how_to_sign_in(address, &installation);
        }
        let database = app.database.clone();
        serve(app, listener, stop).await;
        watched.stop().await;
        workers.stop().await;
        database.close().await;
        installation.close().await?;
        Ok(Verdict::Well)
    }
}

fn say_how_to_sign_in(address: SocketAddr, installation: &Installation) {
    say(format_args!(
        "\nsign in   organisation {}, e-mail admin@demo.test, password {}\n          \
         also super@, support@, manager@, chef@, accountant@, auditor@demo.test",
        demo::SLUG,
        demo::PASSWORD,
    ));
    say(format_args!(
        "try       http://{address}/graphiql in a browser, or the tour in README.md"
    ));
    say("          hibachi replay verify --org my-hibachi    proves the log");
    say("          hibachi tax report --org my-hibachi --state CA --period 2026 --format csv");
    if let Some(psql) = &installation.psql {
        say(format_args!("look      {psql}"));
    }
    say("stop      Ctrl-C; the data stays");
}
