//! A folder for one test, and the binary run inside it: no inherited variables, ports or data.

use crate::secrecy::Watch;
use serde_json::{Value, json};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A throw-away working directory.
pub(crate) struct Sandbox {
    folder: TempDir,
    environment: Vec<(String, OsString)>,
}

/// The outcome of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A server process; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    out: PathBuf,
    err: PathBuf,
    /// Secrets that it handed out and that must not appear in its output.
    pub(crate) watch: Watch,
}

/// A reply as received over the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Names and values of its headers.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head.lines().filter_map(|line| line.split_once(": "))
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers().find(|(other, _)| *other == name).map_or("", |(_, value)| value)
    }
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::with_prefix("sessiond-cli-").unwrap(), environment: Vec::new() }
    }

    /// Sets a variable for every command from now on.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.environment.push((name.to_owned(), value.into()));
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sessiond"));
        command.args(args).current_dir(self.path()).env_clear().stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.run_in(self.path(), args)
    }

    /// The same, with another working directory.
    pub(crate) fn run_in(&self, directory: &Path, args: &[&str]) -> Ended {
        let output = self.command(args).current_dir(directory).output().unwrap();
        Ended {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that must succeed and print JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{args:?} printed no JSON ({error}): {ended:?}"))
    }

    /// Starts `serve` on a free port and waits until it serves.
    pub(crate) fn serve(&self, args: &[&str]) -> Server {
        Self::serving(self.spawn(&[&["serve", "--port", "0"], args].concat()))
    }

    /// The port of the front door of a server whose `front_port` is 0.
    pub(crate) fn front_port(server: &mut Server) -> u16 {
        let line = server.wait_for_line("Started the front door on ");
        let address = line.split_once("http://localhost:").unwrap().1;
        address.split(|char: char| !char.is_ascii_digit()).next().unwrap().parse().unwrap()
    }

    /// The same, with arguments that need not be Unicode.
    pub(crate) fn serve_os(&self, args: &[&OsStr]) -> Server {
        let mut command = self.command(&["serve", "--port", "0"]);
        command.args(args);
        Self::serving(self.start(command))
    }

    /// The same, in a process with a limit on open files.
    pub(crate) fn serve_with_handles(&self, handles: u32) -> Server {
        self.serve_by(&format!("ulimit -n {handles}"))
    }

    /// The same, in a process that a shell prepares.
    pub(crate) fn serve_by(&self, preparation: &str) -> Server {
        let mut shell = Command::new("sh");
        let script = format!("{preparation} && exec {} serve --port 0", env!("CARGO_BIN_EXE_sessiond"));
        shell.args(["-c", &script]).current_dir(self.path()).env_clear().stdin(Stdio::null());
        shell.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Self::serving(self.start(shell))
    }

    fn serving(mut server: Server) -> Server {
        let line = server.wait_for_line("Started SuperTokens on ");
        let address = line.split_once("Started SuperTokens on ").unwrap().1;
        server.port = address.split(' ').next().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        server
    }

    /// Starts a command without waiting for anything.
    pub(crate) fn spawn(&self, args: &[&str]) -> Server {
        self.start(self.command(args))
    }

    fn start(&self, mut command: Command) -> Server {
        let outputs = tempfile::Builder::new().prefix("output-").tempdir_in(self.path()).unwrap().keep();
        let (out, err) = (outputs.join("stdout"), outputs.join("stderr"));
        let child = command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap()).spawn().unwrap();
        Server { child, port: 0, out, err, watch: Watch::new() }
    }
}

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn out(&self) -> String {
        fs::read_to_string(&self.out).unwrap()
    }

    pub(crate) fn err(&self) -> String {
        fs::read_to_string(&self.err).unwrap()
    }

    /// Waits for a line on stdout; fails when the process ends first.
    pub(crate) fn wait_for_line(&mut self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait().unwrap();
            let text = self.out();
            let whole_lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            if let Some(line) = whole_lines.map(str::trim_end).find(|line| line.contains(part)) {
                return line.to_owned();
            }
            assert!(ended.is_none(), "ended before {part:?}: {ended:?}\n{text}\n{}", self.err());
            assert!(Instant::now() < deadline, "no {part:?} in {PATIENCE:?}\n{text}\n{}", self.err());
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits for the process's end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still runs after {PATIENCE:?}\n{}\n{}", self.out(), self.err());
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Kills the process, as a crash would.
    /// Whether it is still running.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Stops every thread of the server; one that still runs could answer.
    #[cfg(unix)]
    pub(crate) fn pause(&self) {
        use rustix::process::{Pid, Signal, WaitOptions, waitpid};
        self.signal(Signal::STOP);
        let status = waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED).unwrap();
        assert!(status.is_some_and(|(_, status)| status.stopped()));
    }

    /// One request over a connection of its own.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        request(self.port, method, path, headers, body)
    }

    /// A POST that must be answered 200 with JSON, as SDKs of CDI 5.4 send it.
    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Value {
        let headers = [&[("cdi-version", "5.4"), ("content-type", "application/json")], headers].concat();
        let answer = self.request("POST", path, &headers, &body.to_string());
        assert_eq!(answer.status, 200, "POST {path}: {answer:?}");
        self.watch.reply(answer.body.as_bytes());
        serde_json::from_str(&answer.body).unwrap()
    }

    /// A new session of this user.
    pub(crate) fn session(&self, user: &str) -> Value {
        let answer = self.post(
            "/recipe/session",
            &[],
            &json!({
                "userId": user,
                "userDataInJWT": {},
                "userDataInDatabase": {},
                "enableAntiCsrf": false,
                "useDynamicSigningKey": true,
            }),
        );
        assert_eq!(answer["status"], "OK", "{answer}");
        answer
    }

    /// The JWKS document's key ids.
    pub(crate) fn kids(&self) -> Vec<String> {
        let answer = self.request("GET", "/.well-known/jwks.json", &[], "");
        let document: Value = serde_json::from_str(&answer.body).unwrap();
        document["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            self.watch.search(&self.out());
            self.watch.search(&self.err());
        }
    }
}

/// One request over a connection of its own.
pub(crate) fn request(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(text.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no reply: {reply:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
