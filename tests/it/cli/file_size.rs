//! A limit on file sizes (`ulimit -f`, `LimitFSIZE`): treated like a full disk, never a silent end.

use crate::cli::sandbox::{Sandbox, Server};
use serde_json::{Value, json};

fn create(server: &Server, data: &str) -> (u16, Value) {
    let body = json!({ "userId": "alice", "userDataInJWT": {}, "userDataInDatabase": {"data": data},
        "enableAntiCsrf": false, "useDynamicSigningKey": true });
    let headers = [("cdi-version", "5.4"), ("content-type", "application/json")];
    let answer = server.request("POST", "/recipe/session", &headers, &body.to_string());
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

#[test]
fn writes_that_would_outgrow_the_limit_are_refused_and_the_server_goes_on() {
    let sandbox = Sandbox::new();
    // 80 MiB, of which 64 are reserved, in units of 512 bytes.
    let mut server = sandbox.serve_by("ulimit -f 163840");
    let data = "x".repeat(500_000);
    let (mut handles, mut refused) = (Vec::new(), 0);
    while refused < 3 {
        assert!(handles.len() < 400, "200 MB in files of 80");
        match create(&server, &data) {
            (200, reply) => handles.push(reply["session"]["handle"].as_str().unwrap().to_owned()),
            (500, _) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(!handles.is_empty());
    for handle in &handles {
        let path = format!("/recipe/session?sessionHandle={handle}");
        let answer = server.request("GET", &path, &[("cdi-version", "5.4")], "");
        assert!(answer.status == 200 && answer.body.contains("\"OK\""), "{}", answer.status);
    }
    assert!(server.runs());
    let log = server.out() + &server.err();
    assert!(log.contains("limit on file sizes (ulimit -f, LimitFSIZE): writes are refused"), "{log}");
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    assert_eq!(server.wait().code(), Some(0));
    let server = sandbox.serve(&[]);
    assert_eq!(create(&server, &data).0, 200, "without the limit writes are accepted");
    let listed = sandbox.json(&["sessions", "list", "alice", "--json"]);
    assert_eq!(listed["sessions"].as_array().unwrap().len(), handles.len() + 1);
}

#[test]
fn a_folder_that_the_limit_kept_from_healing_heals_without_it() {
    let sandbox = Sandbox::new();
    let mut server = sandbox.serve(&[]);
    for _ in 0..50 {
        server.session("alice");
    }
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    assert_eq!(server.wait().code(), Some(0));
    let journal = std::fs::read_dir(sandbox.path().join("data/journal")).unwrap().map(|entry| entry.unwrap().path());
    let longest = journal.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&longest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&longest, bytes).unwrap();
    for blocks in [1, 64, 1024] {
        let script = format!("ulimit -f {blocks} && exec {} serve --port 0", env!("CARGO_BIN_EXE_sessiond"));
        let mut shell = std::process::Command::new("sh");
        // A pipe has no size.
        let output = shell.args(["-c", &script]).current_dir(sandbox.path()).env_clear().output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{blocks}: {:?} {err}", output.status);
        assert!(err.contains("What caused the crash: ") && err.contains("limit on file sizes"), "{blocks}: {err}");
    }
    let _server = sandbox.serve(&[]);
    let listed = sandbox.json(&["sessions", "list", "alice", "--json"]);
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 50);
}
