//! A bad line to Postgres: passes messages on, and cuts the connection where a seed says.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::seed::random;

/// Requests for encryption, which a Unix socket does not need.
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// What the line does to one request and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Both get through.
    Pass,
    /// Both get through, the request late.
    Late,
    /// The line is cut before the request gets there.
    CutBefore,
    /// The line is cut when a part of the request is there.
    CutWithin,
    /// The request is carried out, its answer swallowed and the line cut: what was committed is committed.
    CutAnswer,
    /// As before, with a part of the answer.
    CutWithinAnswer,
}

/// How often the line did what.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests that got through.
    pub passed: AtomicU64,
    /// Requests that got through late.
    pub late: AtomicU64,
    /// Cuts before a request.
    pub cut_before: AtomicU64,
    /// Cuts within a request.
    pub cut_within: AtomicU64,
    /// Cuts between a request that was carried out and its answer.
    pub cut_answer: AtomicU64,
    /// Cuts within the answer.
    pub cut_within_answer: AtomicU64,
}

/// How bad a line is.
#[derive(Debug, Clone, Copy)]
pub struct Badness {
    /// Cuts in a thousand requests.
    pub cuts: u32,
    /// Late ones in a thousand requests.
    pub late: u32,
    /// How late at most.
    pub delay: Duration,
}

#[derive(Debug)]
struct Line {
    badness: Badness,
    armed: AtomicBool,
    counts: Counts,
    random: Mutex<ChaCha8Rng>,
}

/// The line; gone with the value, and what goes over it is cut.
#[derive(Debug)]
pub struct Proxy {
    directory: TempDir,
    port: u16,
    line: Arc<Line>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// Opens a line to a server that listens on a Unix socket. It is good until it is armed.
    ///
    /// # Panics
    /// When the server is reached otherwise, or there is no temporary directory.
    pub fn open(server: &PgConnectOptions, badness: Badness, seed: u64) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("hibachi-line-")
            .tempdir()
            .expect("a temporary directory can be made");
        let name = format!(".s.PGSQL.{}", server.get_port());
        let socket_dir = server
            .get_socket()
            .expect("the test server listens on a Unix socket");
        let upstream = socket_dir.join(&name);
        let listener = UnixListener::bind(directory.path().join(&name)).expect("the directory is ours");
        let line = Arc::new(Line {
            badness,
            armed: AtomicBool::new(false),
            counts: Counts::default(),
            random: Mutex::new(random(seed, u64::MAX)),
        });
        let listening = tokio::spawn(listen(listener, upstream, Arc::clone(&line)));
        Self {
            directory,
            port: server.get_port(),
            line,
            listening,
        }
    }

    /// The same server over this line.
    pub fn through(&self, server: PgConnectOptions) -> PgConnectOptions {
        server.socket(self.directory.path()).port(self.port)
    }

    /// Makes the line bad, or good again.
    pub fn arm(&self, armed: bool) {
        self.line.armed.store(armed, Ordering::Relaxed);
    }

    /// What it did so far.
    pub fn counts(&self) -> &Counts {
        &self.line.counts
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Line {
    fn fate(&self) -> Fate {
        let counts = &self.counts;
        let (fate, count) = match self.draw() {
            number if number < self.badness.cuts => match number % 4 {
                0 => (Fate::CutBefore, &counts.cut_before),
                1 => (Fate::CutWithin, &counts.cut_within),
                2 => (Fate::CutAnswer, &counts.cut_answer),
                _ => (Fate::CutWithinAnswer, &counts.cut_within_answer),
            },
            number if number < self.badness.cuts + self.badness.late => (Fate::Late, &counts.late),
            _ => (Fate::Pass, &counts.passed),
        };
        count.fetch_add(1, Ordering::Relaxed);
        fate
    }

    /// A number below a thousand; the thousandth while the line is good.
    fn draw(&self) -> u32 {
        if self.armed.load(Ordering::Relaxed) {
            self.random().random_range(0..1000)
        } else {
            1000
        }
    }

    /// Some of so many bytes, but not all.
    fn part(&self, length: usize) -> usize {
        self.random().random_range(0..length.max(1))
    }

    fn delay(&self) -> Duration {
        let most = self.badness.delay;
        self.random().random_range(Duration::ZERO..=most)
    }

    fn random(&self) -> MutexGuard<'_, ChaCha8Rng> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(listener: UnixListener, upstream: PathBuf, line: Arc<Line>) {
    // Whoever is dropped here is cut.
    let mut calls = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while calls.try_join_next().is_some() {}
        let (upstream, line) = (upstream.clone(), Arc::clone(&line));
        calls.spawn(async move {
            // The server may be away, and an end of the line is no error here.
            if let Ok(server) = UnixStream::connect(upstream).await {
                drop(carry(client, server, line).await);
            }
        });
    }
}

async fn carry(mut client: UnixStream, mut server: UnixStream, line: Arc<Line>) -> io::Result<()> {
    let startup = startup(&mut client).await?;
    server.write_all(&startup).await?;
    // The answer to the startup comes first.
    let fates = Mutex::new(VecDeque::from([Fate::Pass]));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        ended = requests(from_client, to_server, &line, &fates) => ended,
        ended = answers(from_server, to_client, &line, &fates) => ended,
    }
}

/// The client's first message, after encryption was declined.
async fn startup(client: &mut UnixStream) -> io::Result<Vec<u8>> {
    loop {
        let length = client.read_u32().await?;
        let mut body = vec![0; usize::try_from(length.saturating_sub(4)).map_err(io::Error::other)?];
        client.read_exact(&mut body).await?;
        let code = body.first_chunk().map_or(0, |code| u32::from_be_bytes(*code));
        if ENCRYPTION.contains(&code) {
            client.write_all(b"N").await?;
            continue;
        }
        return Ok([&length.to_be_bytes(), body.as_slice()].concat());
    }
}

/// One message: its type, and all its bytes.
async fn message(from: &mut OwnedReadHalf) -> io::Result<(u8, Vec<u8>)> {
    let kind = from.read_u8().await?;
    let length = from.read_u32().await?;
    let mut bytes = [[kind].as_slice(), &length.to_be_bytes()].concat();
    let whole = usize::try_from(length).map_err(io::Error::other)? + 1;
    bytes.resize(whole, 0);
    from.read_exact(&mut bytes[5..]).await?;
    Ok((kind, bytes))
}

/// A request ends with `Sync` or is a simple query; each has one answer, which ends with `ReadyForQuery`.
async fn requests(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    line: &Line,
    fates: &Mutex<VecDeque<Fate>>,
) -> io::Result<()> {
    let mut request = Vec::new();
    loop {
        let (kind, bytes) = message(&mut client).await?;
        request.extend(bytes);
        match kind {
            b'S' | b'Q' => {}
            // A password and a farewell are sent for themselves.
            b'p' | b'X' => {
                server.write_all(&request).await?;
                request.clear();
                continue;
            }
            _ => continue,
        }
        let fate = line.fate();
        match fate {
            Fate::Pass | Fate::CutAnswer | Fate::CutWithinAnswer => {}
            Fate::Late => tokio::time::sleep(line.delay()).await,
            Fate::CutBefore => return Ok(()),
            Fate::CutWithin => {
                let part = line.part(request.len());
                server.write_all(&request[..part]).await?;
                return server.shutdown().await;
            }
        }
        fates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(fate);
        server.write_all(&request).await?;
        request.clear();
    }
}

async fn answers(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    line: &Line,
    fates: &Mutex<VecDeque<Fate>>,
) -> io::Result<()> {
    let mut swallowed = Vec::new();
    loop {
        let (kind, bytes) = message(&mut server).await?;
        let fate = {
            let mut fates = fates.lock().unwrap_or_else(PoisonError::into_inner);
            let fate = fates.front().copied().unwrap_or(Fate::Pass);
            if kind == b'Z' {
                fates.pop_front();
            }
            fate
        };
        if !matches!(fate, Fate::CutAnswer | Fate::CutWithinAnswer) {
            client.write_all(&bytes).await?;
            continue;
        }
        swallowed.extend(bytes);
        if kind == b'Z' {
            if fate == Fate::CutWithinAnswer {
                let part = line.part(swallowed.len());
                client.write_all(&swallowed[..part]).await?;
            }
            return client.shutdown().await;
        }
    }
}
