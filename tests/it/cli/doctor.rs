//! `sessiond doctor` on a running server.

use crate::cli::sandbox::Sandbox;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;

#[test]
fn a_finding_is_told_with_its_example_and_nothing_without() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["doctor"]).code, Some(1), "no server");
    let mut server = sandbox.serve(&["--ephemeral"]);
    let quiet = sandbox.run(&["doctor"]);
    assert_eq!((quiet.code, quiet.out.as_str()), (Some(0), "nothing found\n"), "{quiet:?}");
    assert_eq!(sandbox.json(&["doctor", "--json"]), json!({"findings": []}));
    let line = server.wait_for_line("Started the front door on http://localhost:");
    let port = line.rsplit_once("localhost:").unwrap().1.split(' ').next().unwrap().to_owned();
    let mut front = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let request = format!(
        "POST /auth/signin HTTP/1.1\r\nhost: localhost:{port}\r\norigin: https://a.example\r\nx-request-id: r-1\r\n\
         content-length: 0\r\nconnection: close\r\n\r\n"
    );
    front.write_all(request.as_bytes()).unwrap();
    front.read_to_string(&mut String::new()).unwrap();
    let found = sandbox.run(&["doctor"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.out.starts_with("origin-not-allowed: ") && found.out.contains("  way out: "), "{found:?}");
    assert!(found.out.contains("seen 1 time, last ") && found.out.contains("; app public, request r-1\n"), "{found:?}");
    assert!(found.out.ends_with("  1 different, such as https://a.example\n"), "{found:?}");
}
