//! The binary, run and interrupted.

use crate::http::Client;
use crate::server::{set_for_proofs, started_address};
use rand::RngExt;
use rand::rngs::StdRng;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// System calls that change a folder, or make a change durable.
const CALLS: [&str; 17] = [
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "rmdir",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "ftruncate",
    "fallocate",
    "copy_file_range",
    "sendfile",
    "write",
    "pwrite64",
    "writev",
];

/// The kind of interruption.
#[derive(Debug, Clone)]
pub(super) enum Blow {
    None,
    /// `kill -9` after a while.
    Kill(Duration),
    /// SIGTERM after a while.
    Term(Duration),
    /// `kill -9` instead of a thread's n-th call of this system call.
    Before {
        call: &'static str,
        time: usize,
    },
    /// No file may grow beyond this many bytes.
    FileSize(u64),
}

impl Blow {
    /// A signal at a random moment of the next `within`.
    pub(super) fn random(rng: &mut StdRng, within: Duration) -> Self {
        let after = within.mul_f64(rng.random_range(0.0..1.0));
        if rng.random_range(0..4) == 0 { Self::Term(after) } else { Self::Kill(after) }
    }
}

/// A command of the binary.
pub(super) struct Program {
    arguments: Vec<String>,
    directory: PathBuf,
    /// Done once it serves, not when it ends.
    serves: bool,
}

/// The outcome of a run.
#[derive(Debug)]
pub(super) struct Ended {
    /// It got as far as it should, interrupted or not.
    pub(super) is_done: bool,
    pub(super) took: Duration,
    /// Its output.
    pub(super) err: String,
}

impl Program {
    /// A server on `data`.
    pub(super) fn serve(data: &Path) -> Self {
        let mut program = Self::on(data, &["serve", "--host", "127.0.0.1", "--port", "0"]);
        program.serves = true;
        program
    }

    /// A command on `data`, which must be inside a folder in which the command can run.
    pub(super) fn on(data: &Path, arguments: &[&str]) -> Self {
        let folder = ["--data-dir", data.to_str().unwrap()];
        Self::command(data.parent().unwrap(), &[arguments, &folder].concat())
    }

    /// A command in a folder.
    pub(super) fn command(directory: &Path, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { arguments, directory: directory.to_owned(), serves: false }
    }

    fn started(&self, wrapper: &[String]) -> Running {
        let output = tempfile::tempdir().unwrap();
        let binary = env!("CARGO_BIN_EXE_sessiond").to_owned();
        let words: Vec<&String> = wrapper.iter().chain([&binary]).chain(&self.arguments).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(&self.directory);
        set_for_proofs(&mut command);
        let file = |name: &str| Stdio::from(File::create(output.path().join(name)).unwrap());
        command.stdin(Stdio::null()).stdout(file("out")).stderr(file("err")).process_group(0);
        Running { began: Instant::now(), child: command.spawn().unwrap(), output, serves: self.serves }
    }

    /// Starts it; a server is serving afterwards.
    pub(super) fn start(&self) -> Running {
        let mut running = self.started(&[]);
        assert!(!self.serves || running.wait(None), "{}", running.said("err"));
        running
    }

    /// Runs it to its end, or until it is interrupted. A server that serves is killed.
    pub(super) fn run(&self, blow: &Blow) -> Ended {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut running = match blow {
            Blow::Before { call, time } => {
                let inject = format!("inject={call}:signal=KILL:when={time}");
                let trace = format!("trace={call}");
                self.started(&words(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject]))
            }
            Blow::FileSize(limit) => self.started(&words(&["prlimit", &format!("--fsize={limit}"), "--"])),
            Blow::None | Blow::Kill(_) | Blow::Term(_) => self.started(&[]),
        };
        let is_done = match blow {
            Blow::Kill(after) => running.wait(Some((*after, Signal::KILL))),
            Blow::Term(after) => running.wait(Some((*after, Signal::TERM))),
            _ => running.wait(None),
        };
        let took = running.began.elapsed();
        Ended { is_done, took, err: running.said("err") }
    }
}

/// The system calls of a run that change something, each with how many times one thread makes it.
pub(super) fn calls_of(program: &Program) -> Vec<(&'static str, usize)> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let trace = format!("trace={}", CALLS.join(","));
    let words = ["strace", "-f", "-qq", "-e", "signal=none", "-e", &trace, "-o", log.path().to_str().unwrap()];
    program.started(&words.map(str::to_owned)).wait(None);
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let text = fs::read_to_string(log.path()).unwrap();
    for line in text.lines().filter(|line| !line.contains("resumed>")) {
        let mut words = line.split_whitespace();
        let (thread, call) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let name = call.split('(').next().unwrap_or_default();
        if let Some(name) = CALLS.iter().find(|known| **known == name) {
            *counts.entry((thread.to_owned(), name)).or_default() += 1;
        }
    }
    let mut most: BTreeMap<&str, usize> = BTreeMap::new();
    for ((_, name), count) in counts {
        let known = most.entry(name).or_default();
        *known = count.max(*known);
    }
    assert!(most.len() > 3, "strace reports nothing (this test needs it, and permission to trace): {text}");
    CALLS.iter().flat_map(|name| (1..=most.get(name).copied().unwrap_or(0)).map(|time| (*name, time))).collect()
}

/// A running process; killed with its children when dropped.
pub(super) struct Running {
    began: Instant,
    child: Child,
    output: tempfile::TempDir,
    serves: bool,
}

impl Running {
    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.output.path().join(name)).unwrap_or_default()
    }

    fn address(&self) -> Option<SocketAddr> {
        self.said("out").lines().find_map(started_address)
    }

    pub(super) fn client(&self) -> Client {
        Client::new(self.address().expect("it serves"))
    }

    fn signal(&self, signal: Signal) {
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }

    /// Waits until it is done or has ended; true if it is done. A signal is sent when its time comes.
    fn wait(&mut self, mut signal: Option<(Duration, Signal)>) -> bool {
        loop {
            let status = self.child.try_wait().unwrap();
            if self.serves && self.address().is_some() {
                return true;
            }
            if let Some(status) = status {
                return !self.serves && status.success();
            }
            if let Some((_, signal)) = signal.take_if(|(after, _)| self.began.elapsed() >= *after) {
                self.signal(signal);
            }
            assert!(self.began.elapsed() < PATIENCE, "it hangs: {} {}", self.said("out"), self.said("err"));
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    /// Waits for its end.
    pub(super) fn end(mut self) -> Ended {
        self.serves = false;
        let is_done = self.wait(None);
        Ended { is_done, took: self.began.elapsed(), err: self.said("err") }
    }

    /// A clean stop.
    pub(super) fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.child.wait().unwrap();
        assert!(status.success(), "a clean stop ended with {status}: {}", self.said("err"));
    }

    /// `kill -9`.
    pub(super) fn kill(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}
