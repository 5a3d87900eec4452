//! The real binary, started in a folder and ended in a chosen way.

use crate::http::Client;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a start may take, including recovery, before it counts as hanging.
const START_LIMIT: Duration = Duration::from_secs(120);

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Where browsers are served, if they are.
    pub(crate) front: Option<SocketAddr>,
}

/// Sets the environment of every process under proof.
pub(crate) fn set_for_proofs(command: &mut Command) {
    // How hard a password is to guess is not what is proven.
    command.env("BCRYPT_LOG_ROUNDS", "4");
    // A client whose reply was lost asks again within the grace period; a proof may ask later than after its usual 30 s.
    command.env("REFRESH_TOKEN_ROTATION_GRACE_PERIOD", "300");
}

impl Server {
    /// The command that serves `data` on a free port of loopback; its log goes to `log`.
    pub(crate) fn command(data: &Path, log: &Path) -> Command {
        let log = File::options().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sessiond"));
        command.args(["serve", "--host", "127.0.0.1", "--port", "0", "--data-dir"]).arg(data);
        set_for_proofs(&mut command);
        // Runs next to the folder, so that no config.yaml of ours is picked up.
        command.current_dir(data.parent().unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::from(log));
        command
    }

    /// Starts and waits for the line that names the port.
    ///
    /// When the server refuses to start: it must start after a crash.
    pub(crate) fn start(data: &Path, log: &Path) -> Self {
        Self::start_with(data, log, |_| ())
    }

    /// The same with more settings.
    pub(crate) fn start_with(data: &Path, log: &Path, set: impl FnOnce(&mut Command)) -> Self {
        let begin = Instant::now();
        let mut command = Self::command(data, log);
        set(&mut command);
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, receive) = mpsc::channel();
        std::thread::spawn(move || {
            let (mut seen, mut front) = (String::new(), None);
            for line in stdout.lines().map_while(Result::ok) {
                front = front.or_else(|| front_address(&line));
                if let Some(address) = started_address(&line) {
                    // Keeps reading, so that the server never blocks on its own log.
                    let _ = send.send(Ok((address, front)));
                }
                seen.push_str(&line);
                seen.push('\n');
            }
            let _ = send.send(Err(seen));
        });
        match receive.recv_timeout(START_LIMIT) {
            Ok(Ok((address, front))) => Self { child, address, front },
            Ok(Err(output)) => {
                let status = child.wait().unwrap();
                let errors = std::fs::read_to_string(log).unwrap_or_default();
                panic!("the server did not start ({status}):\n{output}\n{}", tail(&errors));
            }
            Err(_) => {
                let _ = child.kill();
                panic!("no start within {:?}: {}", begin.elapsed(), log.display());
            }
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Has the server compact its folder while it serves.
    pub(crate) fn compact(&self, data: &Path) -> Compaction {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sessiond"));
        command.args(["compact", "--data-dir"]).arg(data).current_dir(data.parent().unwrap());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Compaction(child.unwrap())
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by name without waiting.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "kill -s {name}");
    }

    /// A clean stop, which has to succeed.
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        assert!(status.success(), "a clean stop ended with {status}");
    }

    /// The process id, for `/proc`.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

/// A `sessiond compact` that has been started.
pub(crate) struct Compaction(Child);

impl Compaction {
    /// Waits for its end: true if the server did it, false if the server was gone before that.
    pub(crate) fn wait(mut self) -> bool {
        self.0.wait().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in `Started … on <host>:<port> with PID: <pid>`.
pub(crate) fn started_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("Started ")?.1.split_once(" on ")?;
    let (_, port) = rest.split_once(" with PID").map_or(rest, |(address, _)| address).rsplit_once(':')?;
    Some(SocketAddr::from(([127, 0, 0, 1], port.trim().parse().ok()?)))
}

/// The address in `Started the front door on http://localhost:<port> …`, which is said before the other one.
fn front_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("front door on http://localhost:")?;
    let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    Some(SocketAddr::from(([127, 0, 0, 1], digits.parse().ok()?)))
}

fn tail(text: &str) -> &str {
    let start = text.len().saturating_sub(3000);
    text.get(start..).unwrap_or(text)
}
