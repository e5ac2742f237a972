//! A mail server of another's making (aiosmtpd) on the loopback interface, and what it has taken.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::tools::tool;

/// The server, told what to do.
const PROGRAM: &str = include_str!("../doubles/smtp.py");

/// A mail server.
#[derive(Debug)]
pub struct MailServer {
    child: Child,
    /// It ends when this is closed.
    _input: Option<ChildStdin>,
    port: u16,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl MailServer {
    /// Starts one at any port, to which nobody signs in. It refuses `nobody@…` for good, and `later@…` once.
    ///
    /// # Panics
    /// When it does not start: without Python, or before `make tools`.
    pub fn start() -> Self {
        Self::start_at(0, "")
    }

    /// Starts one at a port, or any for 0, to which `hibachi` signs in by this password.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn start_at(port: u16, password: &str) -> Self {
        let place = tool("aiosmtpd-1.4.6");
        let mut child = Command::new("python3")
            .args(["-c", PROGRAM])
            .arg(place)
            .args([&port.to_string(), password])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python can be run");
        let out = child.stdout.take().expect("its output was asked for");
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let port = lines.next().expect("the mail server starts");
        let taken = Arc::new(Mutex::new(Vec::new()));
        let keep = taken.clone();
        thread::spawn(move || {
            for line in lines {
                let mail = serde_json::from_str(&line).expect("it says what it takes");
                keep.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
            }
        });
        Self {
            _input: child.stdin.take(),
            child,
            port: port.parse().expect("it says its port"),
            taken,
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it has taken, as soon as it is so many, or after a while what there is: sender, recipients, headers by name in
    /// lower case, text, and the raw message. It says what it has taken some time after it took it.
    pub fn taken(&self, wanted: usize) -> Vec<Value> {
        let taken = || self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for _ in 0..250 {
            if taken().len() >= wanted {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        taken()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first header of a name, in lower case.
pub fn header<'a>(mail: &'a Value, name: &str) -> Option<&'a str> {
    let headers = mail["headers"].as_array()?;
    let found = headers.iter().find(|header| header[0] == name)?;
    found[1].as_str()
}
