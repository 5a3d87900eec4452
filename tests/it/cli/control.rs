//! The control plane over both transports, with a handler of the test's own.

use async_trait::async_trait;
use serde_json::{Value, json};
use sessiond::control::client::{self, Greeting};
use sessiond::control::endpoint::{ControlFile, Instance, Listener, Transport};
use sessiond::control::server::{Handler, Reporter, serve};
use sessiond::control::{Request, WorkProgress};
use sessiond::system::SystemEntropy;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;

struct Fake(Greeting);

#[async_trait]
impl Handler for Fake {
    async fn handle(&self, request: Request, progress: &Reporter) -> Result<Value, String> {
        match request {
            Request::Ready => Ok(json!(self.0)),
            Request::Config => {
                for done in 1..=3 {
                    progress.report(WorkProgress { doing: "counting".to_owned(), done, total: 3 });
                }
                Ok(json!({ "counted": 3 }))
            }
            _ => Err("not today; ask tomorrow".to_owned()),
        }
    }
}

fn greeting(pid: u32) -> Greeting {
    Greeting {
        pid,
        ready: true,
        reason: None,
        host: "localhost".to_owned(),
        port: 1,
        version: "0".to_owned(),
        config_file: None,
        ephemeral: false,
    }
}

/// A server in `folder` for as long as the pair lives.
fn start(folder: &Path, instance: Instance, transport: Transport, pid: u32) -> (Runtime, ControlFile) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let entered = runtime.enter();
    let (listener, file) = Listener::bind(folder, instance, transport, &SystemEntropy).unwrap();
    runtime.spawn(serve(listener, Arc::new(Fake(greeting(pid)))));
    drop(entered);
    (runtime, file)
}

fn transports() -> Vec<Transport> {
    vec![
        #[cfg(unix)]
        Transport::Unix,
        Transport::Tcp,
    ]
}

fn only_file(folder: &Path) -> std::path::PathBuf {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn requests_are_answered_with_progress_result_or_refusal() {
    for transport in transports() {
        let folder = TempDir::new().unwrap();
        let runtime = start(folder.path(), Instance::Store, transport, 7);
        let mut client = client::find(folder.path()).clients.remove(0);
        assert_eq!(client.server, greeting(7));
        let mut seen: Vec<WorkProgress> = Vec::new();
        assert_eq!(client.request(&Request::Config, |progress| seen.push(progress)).unwrap(), json!({ "counted": 3 }));
        assert_eq!(
            seen.iter().map(|progress| (progress.done, progress.total)).collect::<Vec<_>>(),
            [(1, 3), (2, 3), (3, 3)]
        );
        let refusal = client.request(&Request::Stop, |_| ()).unwrap_err();
        assert_eq!(refusal.to_string(), "not today; ask tomorrow");
        drop(runtime);
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_open_the_control_file() {
    use std::os::unix::fs::PermissionsExt;
    for transport in transports() {
        let folder = TempDir::new().unwrap();
        let _runtime = start(folder.path(), Instance::Store, transport, 7);
        let mode = std::fs::metadata(only_file(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{transport:?}");
    }
}

#[test]
fn the_file_of_a_killed_server_is_replaced_and_goes_with_the_new_one() {
    for transport in transports() {
        let folder = TempDir::new().unwrap();
        let runtime = start(folder.path(), Instance::Store, transport, 1);
        let file = only_file(folder.path());
        let kept = folder.path().join("kept");
        std::fs::hard_link(&file, &kept).unwrap();
        drop(runtime);
        assert!(!file.exists(), "a stopped server removes its file");
        std::fs::rename(&kept, &file).unwrap();
        assert!(client::find(folder.path()).clients.is_empty(), "nobody answers behind a stale file");
        let _runtime = start(folder.path(), Instance::Store, transport, 2);
        assert_eq!(client::find(folder.path()).clients[0].server.pid, 2);
    }
}

#[test]
fn the_server_that_holds_the_store_is_found_first() {
    let folder = TempDir::new().unwrap();
    let [store, memory] = [Instance::Store, Instance::Ephemeral(9)];
    let _nine = start(folder.path(), memory, Transport::for_folder(folder.path()), 9);
    let _one = start(folder.path(), store, Transport::for_folder(folder.path()), 1);
    let found: Vec<u32> = client::find(folder.path()).clients.iter().map(|client| client.server.pid).collect();
    assert_eq!(found, [1, 9]);
}

#[test]
fn a_wrong_token_is_answered_with_nothing() {
    let folder = TempDir::new().unwrap();
    let _runtime = start(folder.path(), Instance::Store, Transport::Tcp, 7);
    let text = std::fs::read_to_string(only_file(folder.path())).unwrap();
    let address = text.lines().next().unwrap();
    for first in ["wrong\n", "\n", "{\"op\":\"ready\"}\n"] {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(first.as_bytes()).unwrap();
        let _ = stream.write_all(b"{\"op\":\"ready\"}\n");
        let mut line = String::new();
        let _ = BufReader::new(stream).read_line(&mut line);
        assert_eq!(line, "", "{first:?}");
    }
}

#[test]
fn a_request_that_is_not_understood_is_refused_and_the_connection_lives() {
    let folder = TempDir::new().unwrap();
    let _runtime = start(folder.path(), Instance::Store, Transport::Tcp, 7);
    let text = std::fs::read_to_string(only_file(folder.path())).unwrap();
    let (address, token) = text.split_once('\n').unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "{token}{{\"op\":\"fly\"}}\nnonsense\n{{\"op\":\"ready\"}}\n").unwrap();
    let lines: Vec<String> = BufReader::new(stream).lines().take(3).map(Result::unwrap).collect();
    assert!(lines[0].starts_with("{\"failed\":\"the running server does not understand this request"), "{lines:?}");
    assert!(lines[1].starts_with("{\"failed\":"), "{lines:?}");
    assert!(lines[2].starts_with("{\"done\":{\"pid\":7"), "{lines:?}");
}

#[cfg(unix)]
#[test]
fn a_folder_too_deep_for_a_socket_is_served_over_tcp() {
    let folder = TempDir::new().unwrap();
    let deep = folder.path().join("d".repeat(120));
    std::fs::create_dir(&deep).unwrap();
    assert_eq!(Transport::for_folder(folder.path()), Transport::Unix);
    assert_eq!(Transport::for_folder(&deep), Transport::Tcp);
    let _runtime = start(&deep, Instance::Store, Transport::for_folder(&deep), 7);
    assert_eq!(client::find(&deep).clients[0].server.pid, 7);
}

#[test]
fn who_has_not_shown_the_token_is_not_listened_to_for_long() {
    let folder = TempDir::new().unwrap();
    let _runtime = start(folder.path(), Instance::Store, Transport::Tcp, 7);
    let text = std::fs::read_to_string(only_file(folder.path())).unwrap();
    let (address, token) = text.split_once('\n').unwrap();
    let token = token.trim_end();
    for (spaces, understood) in [(0, true), (100, true), (1_000, false), (200_000, false)] {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let _ = write!(stream, "{token}{}\n{{\"op\":\"ready\"}}\n", " ".repeat(spaces));
        let mut line = String::new();
        let _ = BufReader::new(stream).read_line(&mut line);
        assert_eq!(line.starts_with("{\"done\":"), understood, "{spaces} spaces: {line}");
    }
}
