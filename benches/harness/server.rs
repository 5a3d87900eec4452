//! Server processes: start, address, CPU time, memory, stop, kill.

use anyhow::{Context as _, bail};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A started server.
pub(crate) struct Server {
    child: Child,
    /// The address it listens on.
    pub(crate) address: SocketAddr,
    /// The address of its front door, if it has one.
    pub(crate) front: Option<SocketAddr>,
    /// Time from the process's start until it replied to its first `/hello`.
    pub(crate) first_hello: Duration,
}

/// What to start.
#[derive(Debug, Clone)]
pub(crate) struct Sessiond {
    /// The binary.
    pub(crate) binary: PathBuf,
    /// The data folder.
    pub(crate) folder: PathBuf,
    /// Settings as environment variables.
    pub(crate) environment: Vec<(String, String)>,
}

/// Limits that are counted, as they are anywhere, but that the few accounts of a measurement do not reach.
const BEYOND_REACH: &str = r#"{"sign_in": {"account": "100000/s", "app": "100000/s"}, "sign_up": {"app": "100000/s"},
    "mail": {"app": "100000/s"}}"#;

impl Sessiond {
    /// Starts `sessiond serve` on a free port of the loopback interface.
    ///
    /// # Errors
    /// When it does not start; its log is quoted.
    pub(crate) fn start(&self) -> anyhow::Result<Server> {
        std::fs::create_dir_all(&self.folder)?;
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--host", "127.0.0.1", "--port", "0", "--data-dir"]).arg(self.folder.join("data"));
        command.current_dir(&self.folder).envs(self.environment.iter().cloned());
        // Variables set in the operator's environment must not affect a measurement.
        command.env("INFO_LOG_PATH", "null").env("ERROR_LOG_PATH", "null");
        command.env("SESSIOND_FRONT_HOST", "127.0.0.1").env("SESSIOND_FRONT_PORT", "0");
        command.env("SESSIOND_FRONT_RATE_LIMITS", BEYOND_REACH);
        Server::start(command, &self.folder.join("server.log"))
    }
}

/// How the last of the lines begins in which a server says where it is.
const LAST_LINES: [&str; 2] = ["Started SuperTokens", "Started the floor"];

impl Server {
    /// Starts the bare warp server in a separate process.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start_floor(folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--floor");
        Self::start(command, &folder.join("floor.log"))
    }

    pub(crate) fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let began = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let stdout = child.stdout.take().context("the server has no standard output")?;
        let (send, receive) = mpsc::channel();
        // Keeps reading for the server's whole life, so that it never blocks on a full pipe.
        std::thread::spawn(move || {
            let mut addresses = Vec::new();
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let Some(address) = address_in(&line) else { continue };
                addresses.push(address);
                if LAST_LINES.iter().any(|last| line.starts_with(last)) {
                    // Later lines only need to be read.
                    let _ = send.send(std::mem::take(&mut addresses));
                }
            }
        });
        match receive.recv_timeout(Duration::from_secs(600)) {
            Ok(addresses) => {
                let address = *addresses.first().context("no address")?;
                let front = addresses.into_iter().find(|other| *other != address);
                let mut server = Self { child, address, front, first_hello: Duration::ZERO };
                // The floor replies 404, which is a reply too.
                hello(address)?;
                server.first_hello = began.elapsed();
                Ok(server)
            }
            Err(reason) => {
                let _ = child.kill();
                let status = child.wait()?;
                bail!("the server never printed its address ({reason}, {status}): {}", std::fs::read_to_string(log)?)
            }
        }
    }

    /// CPU time so far, in user and kernel mode, of all current and past threads.
    ///
    /// From `/proc/<pid>/stat`: the kernel scales the two parts to the scheduler's exact sum, in steps of 10 ms.
    ///
    /// # Errors
    /// When `/proc` has no such information (not Linux, or the server has died).
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).context("CPU time needs /proc")?;
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = |field: usize| after_name.split_whitespace().nth(field).and_then(|text| text.parse::<u64>().ok());
        let (Some(user), Some(system)) = (ticks(11), ticks(12)) else { bail!("unknown form of /proc/<pid>/stat") };
        Ok(Duration::from_millis((user + system) * 10))
    }

    /// Resident memory in KiB: (now, highest so far).
    ///
    /// # Errors
    /// When `/proc` has no such information.
    pub(crate) fn resident_kib(&self) -> anyhow::Result<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        };
        field("VmRSS:").zip(field("VmHWM:")).context("unknown form of /proc/<pid>/status")
    }

    /// Asks the server to stop and waits until it has stopped.
    ///
    /// # Errors
    /// When it ends with a failure.
    pub(crate) fn stop(mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        self.terminate()?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the server stopped with {status}");
        }
        Ok(began.elapsed())
    }

    /// Kills the process at once, as `kill -9` does.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    #[cfg(unix)]
    fn terminate(&self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id())?;
        let pid = rustix::process::Pid::from_raw(pid).context("no process id")?;
        Ok(rustix::process::kill_process(pid, rustix::process::Signal::TERM)?)
    }

    #[cfg(not(unix))]
    fn terminate(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if the process has ended already, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Requests `/hello` until there is a reply.
fn hello(address: SocketAddr) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let answered = TcpStream::connect(address).and_then(|mut stream| {
            stream.write_all(b"GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
            stream.read_exact(&mut [0; 12])
        });
        match answered {
            Ok(()) => return Ok(()),
            Err(error) if began.elapsed() > Duration::from_secs(60) => return Err(error.into()),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// The `127.0.0.1:port` in a line of the server's output.
fn address_in(line: &str) -> Option<SocketAddr> {
    let from = line.get(line.find("127.0.0.1:")?..)?;
    let end = from.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':')).unwrap_or(from.len());
    from.get(..end)?.parse().ok()
}

/// Bytes that a folder's files take on disk.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn disk_bytes(folder: &Path) -> anyhow::Result<u64> {
    let mut total = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            total += disk_bytes(&entry.path())?;
        } else {
            total += allocated(&metadata);
        }
    }
    Ok(total)
}

#[cfg(unix)]
fn allocated(metadata: &std::fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.blocks() * 512
}

#[cfg(not(unix))]
fn allocated(metadata: &std::fs::Metadata) -> u64 {
    metadata.len()
}
