//! What `up`, `serve` and `work` are told of being watched and of being asked too much.

use std::net::SocketAddr;

use anyhow::Result;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::note;
use super::serve::listen;
use crate::app::{ANSWER_MEMORY_MIB, App};
use crate::http::{self, Edge, Network, PageOrigin, Patience};
use crate::live::{Live, LiveSettings};
use crate::throttle::{Allowance, Throttle};

/// Where the figures are.
#[derive(Debug, Args)]
pub(super) struct Watching {
    /// Where to listen for Prometheus, which finds the figures at /metrics. Nowhere where absent: they tell how much business
    /// there is, and whoever reaches the address may read them.
    #[arg(long, value_name = "ADDR", env = "HIBACHI_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
}

/// The listener of the figures, while it is there.
pub(super) struct Watched {
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Watching {
    /// Takes the address, before anything slow is done for nothing.
    pub(super) async fn listen(&self) -> Result<Option<TcpListener>> {
        match self.metrics_listen {
            Some(address) => Ok(Some(listen(address).await?)),
            None => Ok(None),
        }
    }
}

impl Watched {
    /// Answers whoever asks for the figures.
    pub(super) fn by(listener: Option<TcpListener>, app: &App) -> Result<Self> {
        let (stop, mut stopped) = watch::channel(false);
        let task = match listener {
            Some(listener) => {
                note(format_args!(
                    "figures at http://{}/metrics",
                    listener.local_addr()?
                ));
                let router = http::figures(app.clone());
                let app = App {
                    patience: Patience {
                        connections: 64,
                        ..Patience::default()
                    },
                    ..app.clone()
                };
                Some(tokio::spawn(async move {
                    let stop = async move {
                        // An error says that nobody can tell any more.
                        stopped.wait_for(|stop| *stop).await.ok();
                    };
                    http::serve(&app, listener, router, stop).await;
                }))
            }
            None => None,
        };
        Ok(Self { stop, task })
    }

    /// Ends it.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the listener of the figures did not end well");
        }
    }
}

/// How much of the admin API somebody may ask.
#[derive(Debug, Args)]
pub(super) struct Asking {
    /// Points that a person, or an address without sign-in, may spend at once; 0 for no limits at all. What an operation
    /// costs is in its answer.
    #[arg(
        long,
        value_name = "POINTS",
        env = "HIBACHI_CREDENTIAL_POINTS",
        default_value = "60000",
        value_parser = burst
    )]
    credential_points: u32,
    /// Points that come back to them each second.
    #[arg(
        long,
        value_name = "POINTS",
        env = "HIBACHI_CREDENTIAL_POINTS_PER_SECOND",
        default_value_t = 3_000,
        value_parser = clap::value_parser!(u32).range(1..=10_000_000)
    )]
    credential_points_per_second: u32,
    /// Points that all people of a company may spend at once.
    #[arg(
        long,
        value_name = "POINTS",
        env = "HIBACHI_COMPANY_POINTS",
        default_value = "300000",
        value_parser = burst
    )]
    company_points: u32,
    /// Points that come back to them each second.
    #[arg(
        long,
        value_name = "POINTS",
        env = "HIBACHI_COMPANY_POINTS_PER_SECOND",
        default_value_t = 15_000,
        value_parser = clap::value_parser!(u32).range(1..=10_000_000)
    )]
    company_points_per_second: u32,
    /// Connections of clients at a time.
    #[arg(
        long,
        value_name = "COUNT",
        env = "HIBACHI_CONNECTIONS",
        default_value_t = 8_192,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    connections: u32,
    /// Subscriptions of one person or key at a time.
    #[arg(
        long,
        value_name = "COUNT",
        env = "HIBACHI_CREDENTIAL_SUBSCRIPTIONS",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    credential_subscriptions: u32,
    /// Subscriptions of everybody at a time.
    #[arg(
        long,
        value_name = "COUNT",
        env = "HIBACHI_SUBSCRIPTIONS",
        default_value_t = 4_000,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    subscriptions: u32,
    /// Where a page is from that may ask the APIs from a browser, as https://www.example.com; may be given more than once.
    #[arg(
        long = "cors-origin",
        value_name = "ORIGIN",
        env = "HIBACHI_CORS_ORIGINS",
        value_delimiter = ','
    )]
    cors_origins: Vec<PageOrigin>,
    /// A proxy, or a network of them, whose word is taken for where a request comes from, as 10.0.0.0/8; may be given more
    /// than once.
    #[arg(
        long = "trusted-proxy",
        value_name = "CIDR",
        env = "HIBACHI_TRUSTED_PROXIES",
        value_delimiter = ','
    )]
    trusted_proxies: Vec<Network>,
    /// Memory for answers of the admin API, which are given again for as long as nothing happens in a company; 0 to make each
    /// anew.
    #[arg(
        long,
        value_name = "MIB",
        env = "HIBACHI_ANSWER_MEMORY",
        default_value_t = ANSWER_MEMORY_MIB,
        value_parser = clap::value_parser!(u16).range(0..=4096)
    )]
    answer_memory: u16,
}

/// Less than the largest operation costs would shut that out for ever.
fn burst(text: &str) -> Result<u32, String> {
    let points: u32 = text
        .parse()
        .map_err(|_| "this is not a number of points".to_owned())?;
    let largest = u32::try_from(crate::graphql::LARGEST).unwrap_or(u32::MAX);
    if points > 0 && points < largest {
        return Err(format!("an operation may cost {largest}: less would shut it out"));
    }
    Ok(points)
}

impl Asking {
    /// The program, with these limits.
    pub(super) fn by(&self, app: App) -> App {
        let allowance = |burst, per_second| Allowance { burst, per_second };
        let limited = self.credential_points > 0 && self.company_points > 0;
        let throttle = limited.then(|| {
            Throttle::new(
                allowance(self.credential_points, self.credential_points_per_second),
                allowance(self.company_points, self.company_points_per_second),
            )
        });
        let count = |count| usize::try_from(count).unwrap_or(usize::MAX);
        App {
            throttle,
            patience: Patience {
                connections: count(self.connections),
                ..Patience::default()
            },
            live: Live::new(LiveSettings {
                per_credential: count(self.credential_subscriptions),
                in_total: count(self.subscriptions),
                ..LiveSettings::default()
            }),
            edge: Edge {
                cors_origins: self.cors_origins.clone(),
                trusted_proxies: self.trusted_proxies.clone(),
                ..app.edge
            },
            answer_memory: usize::from(self.answer_memory) << 20,
            ..app
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_enough_for_the_largest_operation_or_there_is_none() {
        assert_eq!(burst("0"), Ok(0));
        assert_eq!(burst("20300"), Ok(20_300));
        assert!(burst("20299").is_err());
        assert!(burst("many").is_err());
    }
}
