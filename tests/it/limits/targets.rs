//! The destination of a request: its target, or else its `Host` (RFC 9112, 3.2).

use super::soon;
use super::wire::Wire;
use crate::app::{TestApp, TestServer};
use serde_json::json;

const KEY: &str = "abcdefghijklmnopqrstuvwxyz";
const DOMAIN: &str = "auth.example.com";

/// The status for a request line's target and a `Host`, on a server where one domain needs a key and the base app none.
async fn statuses(cases: &[(&str, &str, u16)]) {
    let app = TestApp::new().await;
    let body = json!({"connectionUriDomain": DOMAIN, "coreConfig": {"api_keys": KEY}});
    app.put("/recipe/multitenancy/connectionuridomain/v2", body).await.ok();
    let server = TestServer::start(&app).await;
    for (target, host, status) in cases {
        let mut wire = Wire::open(&server).await;
        wire.send(format!("GET {target} HTTP/1.1\r\n{host}\r\n").as_bytes()).await;
        let reply = soon(wire.reply()).await;
        assert_eq!(reply.code, *status, "{target} {host:?}: {}", reply.body);
    }
}

#[tokio::test]
async fn the_authority_of_a_target_takes_the_place_of_the_host() {
    statuses(&[
        ("/users", "host: 127.0.0.1\r\n", 200),
        ("/users", "host: auth.example.com\r\n", 401),
        ("http://auth.example.com/users", "host: 127.0.0.1\r\n", 401),
        ("http://AUTH.example.com:3567/users", "host: 127.0.0.1\r\n", 401),
        ("http://user@auth.example.com/users", "host: 127.0.0.1\r\n", 401),
        ("http://auth.example.com/users", "", 401),
        ("http://127.0.0.1/users", "host: auth.example.com\r\n", 200),
        ("http://auth.example.com", "host: 127.0.0.1\r\n", 200),
        // Still two, and a proxy may have used either.
        ("http://auth.example.com/users", "host: a\r\nhost: b\r\n", 400),
    ])
    .await;
}

#[tokio::test]
async fn a_dot_at_the_end_of_a_host_changes_nothing() {
    statuses(&[
        ("/users", "host: auth.example.com.\r\n", 401),
        ("/users", "host: auth.example.com.:3567\r\n", 401),
        ("http://auth.example.com./users", "host: x\r\n", 401),
    ])
    .await;
}
