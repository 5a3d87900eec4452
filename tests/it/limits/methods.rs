//! Methods that no endpoint has.

use super::soon;
use super::wire::Wire;
use crate::app::{TestApp, TestServer};

async fn answer(method: &str, path: &str) -> (u16, String, String) {
    let server = TestServer::start(&TestApp::new().await).await;
    let mut wire = Wire::open(&server).await;
    wire.send(format!("{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await;
    let reply = if method == "HEAD" { soon(wire.head_reply()).await } else { soon(wire.reply()).await };
    (reply.code, reply.body, reply.head)
}

#[tokio::test]
async fn options_and_trace_are_not_supported() {
    for method in ["OPTIONS", "TRACE"] {
        let (code, body, _) = answer(method, "/recipe/session").await;
        assert_eq!((code, body.as_str()), (405, "Method not supported\n"), "{method}");
    }
}

#[tokio::test]
async fn head_is_not_supported_and_has_no_body() {
    for path in ["/recipe/session", "/apiversion", "/nothing/at/all"] {
        let (code, body, head) = answer("HEAD", path).await;
        assert_eq!((code, body.as_str()), (405, ""), "{path}");
        assert!(head.contains("content-length: 21"), "{head}");
    }
}

#[tokio::test]
async fn health_checks_may_use_head() {
    let server = TestServer::start(&TestApp::new().await).await;
    let mut wire = Wire::open(&server).await;
    for path in ["/hello", "/", "/public/hello", "/metrics"] {
        for method in ["HEAD", "GET"] {
            wire.send(format!("{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await;
        }
        // A body after the first reply would be read as the head of the second.
        let (head, get) = (soon(wire.head_reply()).await, soon(wire.reply()).await);
        assert_eq!((head.code, get.code), (200, 200), "{path}");
        assert!(head.head.contains("content-length: ") && !get.body.is_empty(), "{path}: {head:?}");
    }
}

#[tokio::test]
async fn other_methods_are_not_implemented() {
    for method in ["PATCH", "BREW"] {
        assert_eq!(answer(method, "/recipe/session").await.0, 501, "{method}");
    }
}

#[tokio::test]
async fn no_cors_headers_and_no_etag_are_sent() {
    let (_, _, head) = answer("GET", "/hello").await;
    for name in ["access-control", "etag", "cache-control"] {
        assert!(!head.contains(name), "{head}");
    }
}

#[tokio::test]
async fn a_refused_method_is_answered_with_those_there_are() {
    for (method, path, allowed) in [
        ("DELETE", "/recipe/session", "get, post"),
        ("OPTIONS", "/public/recipe/session", "get, post"),
        ("TRACE", "/recipe/session/refresh", "post"),
        ("OPTIONS", "/hello", "get, head, post, put, delete"),
        ("HEAD", "/apiversion", "get"),
        ("OPTIONS", "/nothing/at/all", ""),
    ] {
        let (code, _, head) = answer(method, path).await;
        let line = head.lines().find_map(|line| line.strip_prefix("allow:")).map(str::trim);
        assert_eq!((code, line), (405, Some(allowed)), "{method} {path}: {head}");
    }
    for (method, path) in [("GET", "/hello"), ("GET", "/nothing/at/all"), ("PATCH", "/hello")] {
        let (_, _, head) = answer(method, path).await;
        assert!(!head.contains("allow:"), "{method} {path}: {head}");
    }
}
