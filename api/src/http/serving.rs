//! Connections: how many there may be, and how long one may take to say what it wants. A client that opens connections and
//! sends nothing, or a byte now and then, holds none of them for long.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::app::App;

/// What one program takes of its clients at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// Connections at a time; who comes then waits until one ends.
    pub connections: usize,
    /// How long a connection may take to send the head of its next request, from when it may send it.
    pub head: Duration,
    /// How long a request may take, its body included. A command that it began goes on to its end.
    pub request: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connections: 8_192,
            head: Duration::from_secs(30),
            request: Duration::from_secs(30),
        }
    }
}

/// The most bytes of a request's head.
const HEAD_BYTES: usize = 64 * 1024;
/// How long to wait after the system had no connection to give.
const BREATH: Duration = Duration::from_millis(200);

/// Serves until told to stop, then lets requests finish, and ends all who follow what happens.
pub async fn serve(app: &App, listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let App {
        patience,
        figures,
        live,
        ..
    } = app;
    let slots = Arc::new(Semaphore::new(patience.connections));
    let (stopping, stopped) = watch::channel(false);
    let service = TowerToHyperService::new(router);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut stop => break,
        };
        let (stream, peer, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // No file for it, mostly: those that are open end before long.
                tracing::warn!(%error, "a connection cannot be taken");
                sleep(BREATH).await;
                continue;
            }
        };
        let open = figures.requests.connected();
        let (service, stopped, head) = (service.clone(), stopped.clone(), patience.head);
        tokio::spawn(async move {
            attend(stream, peer, service, head, stopped).await;
            drop((open, slot));
        });
    }
    drop(listener);
    drop(stopped);
    stopping.send_replace(true);
    let all = async { tokio::join!(live.close(), stopping.closed()) };
    // Whoever sends its request forever is not waited for.
    if timeout(patience.request, all).await.is_err() {
        tracing::warn!("connections are cut: they did not end in time");
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await;
    let slot = slot.map_err(|_| io::Error::other("nobody takes connections any more"))?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // An answer goes out at once. Where that cannot be had, it goes out a little later.
                stream.set_nodelay(true).ok();
                return Ok((stream, peer, slot));
            }
            // Gone before it was there.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Answers one connection's requests until it ends, or the program does.
async fn attend(
    stream: TcpStream,
    peer: SocketAddr,
    service: TowerToHyperService<Router>,
    head: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades();
    let mut connection = pin!(connection);
    let told_to_stop = async {
        // An error says that nobody can tell any more.
        stopped.wait_for(|stopped| *stopped).await.is_ok()
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = told_to_stop => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
