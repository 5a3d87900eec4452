//! The command line's side of the control plane. Blocking: a command does one thing at a time.

use crate::config::BaseConfig;
use crate::control::protocol::MAX_LINE;
use crate::control::{Frame, Request, WorkProgress, endpoint};
use serde_json::Value;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a server may take to identify itself.
const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to a running server.
pub struct Client {
    read: BufReader<Box<dyn Read + Send>>,
    write: Box<dyn Write + Send>,
    /// The server's description of itself, as it answered.
    pub server: Greeting,
    /// The file it was found by; the server removes it as its last act.
    pub path: PathBuf,
}

/// A server's description of itself: the answer to [`Request::Ready`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Greeting {
    /// Its process id.
    pub pid: u32,
    /// True once it answers requests and its store works.
    pub ready: bool,
    /// The reason, when `ready` is false.
    pub reason: Option<String>,
    /// Host as configured.
    pub host: String,
    /// Port it listens on.
    pub port: u16,
    /// Its version.
    pub version: String,
    /// The configuration file it read.
    pub config_file: Option<String>,
    /// True when nothing is kept on disk.
    pub ephemeral: bool,
}

/// Why a request to a running server failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The server refused; the text is its own.
    #[error("{0}")]
    Refused(String),
    /// The connection broke.
    #[error("the connection to the running server broke: {0}")]
    Broken(#[from] io::Error),
    /// The server's answer did not follow the protocol.
    #[error("the running server answered something unexpected: {0}")]
    Unexpected(String),
}

/// The servers found in a folder.
#[derive(Default)]
pub struct Found {
    /// Those that answer; the one that holds the store comes first.
    pub clients: Vec<Client>,
    /// How many accepted the connection but do not answer: alive, but stuck.
    pub unresponsive: usize,
}

/// Finds the servers of `folder`.
#[must_use]
pub fn find(folder: &Path) -> Found {
    let mut found = Found::default();
    for path in endpoint::files(folder) {
        let Ok((read, write, timeout)) = open_stream(&path) else { continue };
        match Client::greet(path, read, write, timeout) {
            Ok(client) => found.clients.push(client),
            Err(ControlError::Broken(error)) if is_timeout(&error) => found.unresponsive += 1,
            // Closed in the middle of a line: it is just stopping.
            Err(_) => {}
        }
    }
    found
}

/// Whether an error means that a read timed out; the kind differs by platform.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Whether a process accepts connections behind a control file.
#[must_use]
pub fn answers(file: &Path) -> bool {
    open_stream(file).is_ok()
}

impl Client {
    fn greet(
        path: PathBuf,
        read: Box<dyn Read + Send>,
        write: Box<dyn Write + Send>,
        timeout: SetTimeout,
    ) -> Result<Self, ControlError> {
        let mut client = Self { read: BufReader::new(read), write, server: Greeting::unknown(), path };
        let greeting = client.request(&Request::Ready, |_| ())?;
        client.server =
            serde_json::from_value(greeting).map_err(|error| ControlError::Unexpected(error.to_string()))?;
        timeout(None)?;
        Ok(client)
    }

    /// Sends a request and waits until it is finished.
    ///
    /// # Errors
    /// When the server refuses, or the connection breaks.
    pub fn request(
        &mut self,
        request: &Request,
        mut progress: impl FnMut(WorkProgress),
    ) -> Result<Value, ControlError> {
        let mut bytes = serde_json::to_vec(request).map_err(io::Error::from)?;
        bytes.push(b'\n');
        self.write.write_all(&bytes)?;
        loop {
            let mut text = String::new();
            (&mut self.read).take(MAX_LINE).read_line(&mut text)?;
            if text.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            match serde_json::from_str(&text).map_err(|error| ControlError::Unexpected(error.to_string()))? {
                Frame::Progress(now) => progress(now),
                Frame::Done(value) => return Ok(value),
                Frame::Failed(sentence) => return Err(ControlError::Refused(sentence)),
            }
        }
    }
}

impl Greeting {
    /// Describes this process, serving with these settings on this port.
    #[must_use]
    pub fn new(config: &BaseConfig, port: u16) -> Self {
        Self {
            pid: std::process::id(),
            ready: false,
            reason: None,
            host: config.host.clone(),
            port,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config_file: config.config_path.as_ref().map(|path| path.display().to_string()),
            ephemeral: config.ephemeral,
        }
    }

    fn unknown() -> Self {
        Self {
            pid: 0,
            ready: false,
            reason: None,
            host: String::new(),
            port: 0,
            version: String::new(),
            config_file: None,
            ephemeral: false,
        }
    }
}

type SetTimeout = Box<dyn FnOnce(Option<Duration>) -> io::Result<()>>;
type Halves = (Box<dyn Read + Send>, Box<dyn Write + Send>, SetTimeout);

fn open_stream(path: &Path) -> io::Result<Halves> {
    #[cfg(unix)]
    if path.extension().is_some_and(|extension| extension == "sock") {
        let stream = std::os::unix::net::UnixStream::connect(path)?;
        stream.set_read_timeout(Some(GREETING_TIMEOUT))?;
        let (write, control) = (stream.try_clone()?, stream.try_clone()?);
        return Ok((Box::new(stream), Box::new(write), Box::new(move |timeout| control.set_read_timeout(timeout))));
    }
    let text = fs::read_to_string(path)?;
    let (address, token) = text.split_once('\n').ok_or(io::ErrorKind::InvalidData)?;
    let address: SocketAddr = address.parse().map_err(|_| io::ErrorKind::InvalidData)?;
    if !address.ip().is_loopback() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let stream = TcpStream::connect_timeout(&address, GREETING_TIMEOUT)?;
    stream.set_read_timeout(Some(GREETING_TIMEOUT))?;
    let (mut write, control) = (stream.try_clone()?, stream.try_clone()?);
    write.write_all(format!("{}\n", token.trim_end()).as_bytes())?;
    Ok((Box::new(stream), Box::new(write), Box::new(move |timeout| control.set_read_timeout(timeout))))
}
