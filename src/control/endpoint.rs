//! Where a server listens for commands, and over which transport.

use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tokio::io::{AsyncRead, AsyncWrite};

/// Socket addresses hold about 104 bytes of path; longer paths use the TCP transport.
const MAX_SOCKET_PATH: usize = 100;
/// Stem of the names of control files: `control.sock`, or `control.tcp`.
const STEM: &str = "control";

/// The transport that carries the control lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A Unix socket with mode 0600.
    #[cfg(unix)]
    Unix,
    /// A loopback TCP port and a token, both written to a file with mode 0600.
    Tcp,
}

/// One of a folder's servers: at most one holds the store, any number live in memory only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instance {
    /// The one that holds the folder's lock.
    Store,
    /// An ephemeral one, identified by its process id.
    Ephemeral(u32),
}

/// A server's listening end.
pub struct Listener(Socket);

/// The file by which others find a listener. Dropping it removes the file: the last thing a server does, so that a
/// process that waits for it finds everything written and the folder free.
pub struct ControlFile(PathBuf);

enum Socket {
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
    Tcp(tokio::net::TcpListener, Secret<String>),
}

/// An accepted connection.
pub(super) type Connection = Box<dyn Duplex>;
/// Both directions of a connection.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Transport {
    /// The transport that this platform and this folder's path allow.
    #[must_use]
    pub fn for_folder(folder: &Path) -> Self {
        #[cfg(unix)]
        if folder.join("control-4294967295.sock.new").as_os_str().len() <= MAX_SOCKET_PATH {
            return Self::Unix;
        }
        let _ = (folder, MAX_SOCKET_PATH);
        Self::Tcp
    }

    const fn extension(self) -> &'static str {
        match self {
            #[cfg(unix)]
            Self::Unix => "sock",
            Self::Tcp => "tcp",
        }
    }
}

impl Instance {
    fn file_name(self, transport: Transport) -> String {
        let extension = transport.extension();
        match self {
            Self::Store => format!("{STEM}.{extension}"),
            Self::Ephemeral(pid) => format!("{STEM}-{pid}.{extension}"),
        }
    }
}

impl Listener {
    /// Listens in `folder`, which must exist. A file left by a server that was killed is replaced: the caller owns the
    /// instance's name, by the store's lock or by its process id.
    ///
    /// # Errors
    /// When the file cannot be created in the folder or the socket cannot be bound.
    pub fn bind(
        folder: &Path,
        instance: Instance,
        transport: Transport,
        entropy: &dyn Entropy,
    ) -> io::Result<(Self, ControlFile)> {
        let path = folder.join(instance.file_name(transport));
        let socket = match transport {
            #[cfg(unix)]
            Transport::Unix => Socket::Unix(bind_unix(&path)?),
            Transport::Tcp => {
                let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
                listener.set_nonblocking(true)?;
                let token = Secret::new(URL_SAFE_NO_PAD.encode(random_bytes::<32>(entropy)));
                let text = Secret::new(format!("{}\n{}\n", listener.local_addr()?, token.expose()));
                write_private(&path, text.expose().as_bytes())?;
                Socket::Tcp(tokio::net::TcpListener::from_std(listener)?, token)
            }
        };
        Ok((Self(socket), ControlFile(path)))
    }

    /// The next connection, and the token its first line must be (TCP only).
    ///
    /// # Errors
    /// When the system cannot accept a connection now (too many open files).
    pub(super) async fn accept(&self) -> io::Result<(Connection, Option<&Secret<String>>)> {
        match &self.0 {
            #[cfg(unix)]
            Socket::Unix(listener) => Ok((Box::new(listener.accept().await?.0), None)),
            Socket::Tcp(listener, token) => Ok((Box::new(listener.accept().await?.0), Some(token))),
        }
    }
}

impl Drop for ControlFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Binds under another name, closes the file to others, then moves it into place: no one can connect in between.
#[cfg(unix)]
fn bind_unix(path: &Path) -> io::Result<tokio::net::UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    let fresh = path.with_extension("sock.new");
    remove_if_there(&fresh)?;
    let listener = std::os::unix::net::UnixListener::bind(&fresh)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    fs::rename(&fresh, path)?;
    tokio::net::UnixListener::from_std(listener)
}

/// Writes a file that only its owner can read; it appears complete or not at all.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("tcp.new");
    remove_if_there(&fresh)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&fresh)?.write_all(bytes)?;
    fs::rename(&fresh, path)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Control files in `folder`, the store's server first. Killed servers may have left some behind.
#[must_use]
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(STEM) && (name.ends_with(".sock") || name.ends_with(".tcp"))
        })
        .collect();
    // The store's server comes first: its name is shorter, and "control." sorts after "control-".
    found.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    found
}
