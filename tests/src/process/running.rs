//! A `hibachi` that runs until it is told to stop.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Client;

/// Setting up the demo company takes half a minute where two other tests do the same.
const START: Duration = Duration::from_secs(100);
/// Requests and Postgres may take their time to end.
const STOP: Duration = Duration::from_secs(30);

/// A `hibachi up` that is ready. Told to stop, and waited for, when the value goes.
#[derive(Debug)]
pub struct Running {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
    /// Where it listens, `http://127.0.0.1:…`.
    pub url: String,
    /// From the start of the process to `ready`.
    pub took: Duration,
}

/// What is left of it.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed after `ready`.
    pub out: Vec<String>,
    /// What it said beside that.
    pub err: Vec<String>,
}

impl Running {
    /// Starts a command and waits for the line that says that it is ready.
    ///
    /// # Panics
    /// When that line does not come.
    pub fn start(mut command: Command) -> Self {
        let began = Instant::now();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be run");
        let out = lines(child.stdout.take().expect("its output was asked for"));
        let err = lines(child.stderr.take().expect("its output was asked for"));
        let mut running = Self {
            child,
            out,
            err,
            url: String::new(),
            took: Duration::ZERO,
        };
        let line = running.line();
        let ready = line
            .strip_prefix("ready ")
            .and_then(|rest| rest.split_whitespace().next());
        running.url = ready
            .unwrap_or_else(|| panic!("instead of ready: {line}"))
            .to_owned();
        running.took = began.elapsed();
        running
    }

    /// The next line that it prints.
    ///
    /// # Panics
    /// When none comes.
    pub fn line(&mut self) -> String {
        self.out.recv_timeout(START).unwrap_or_else(|none| {
            let said: Vec<String> = self.err.try_iter().collect();
            panic!("no line came ({none}); it said {said:?}")
        })
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("process numbers are small"))
    }

    /// That it has not ended.
    ///
    /// # Panics
    /// When it cannot be looked at.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// A person of the demo company, signed in: `admin`, `accountant`, `auditor` and so on.
    ///
    /// # Panics
    /// When the sign-in fails.
    pub async fn sign_in(&self, who: &str) -> Client {
        self.sign_in_by(who, api::demo::PASSWORD).await
    }

    /// The same by a password that somebody has set since.
    ///
    /// # Panics
    /// When the sign-in fails.
    pub async fn sign_in_by(&self, who: &str, password: &str) -> Client {
        Client::sign_in(&self.url, who, password).await
    }

    /// Sends it a signal and waits for its end.
    ///
    /// # Panics
    /// When it outlives its time.
    pub fn stop(mut self, signal: Signal) -> Ended {
        kill(self.pid(), signal).expect("it is our child, and has not been waited for");
        // Its output closes with the last that holds it.
        let out =
            until_closed(&self.out).unwrap_or_else(|so_far| panic!("it runs on; it printed {so_far:?}"));
        let err = until_closed(&self.err).unwrap_or_else(|so_far| panic!("it runs on; it said {so_far:?}"));
        let status = self.child.wait().expect("it is our child");
        Ended { status, out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_alive() {
            // In order first, so that its Postgres is gone before its directory is.
            let _ = kill(self.pid(), Signal::SIGTERM);
            if until_closed(&self.out).is_err() {
                let _ = self.child.kill();
            }
        }
        let _ = self.child.wait();
    }
}

fn lines(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    receive
}

fn until_closed(lines: &Receiver<String>) -> Result<Vec<String>, Vec<String>> {
    let deadline = Instant::now() + STOP;
    let mut heard = Vec::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => heard.push(line),
            Err(RecvTimeoutError::Disconnected) => return Ok(heard),
            Err(RecvTimeoutError::Timeout) => return Err(heard),
        }
    }
}
