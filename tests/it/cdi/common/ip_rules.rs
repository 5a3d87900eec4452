//! `ip_allow_regex` and `ip_deny_regex`.

use crate::app::TestApp;

async fn with(key: &str, rule: &str) -> TestApp {
    TestApp::builder().setting(key, rule).build().await
}

#[tokio::test]
async fn denied_peers_get_an_empty_403_everywhere() {
    let app = with("ip_deny_regex", r"10\.0\.0\.\d+").await;
    for path in ["/hello", "/", "/recipe/session/user?userId=u", "/.well-known/jwks.json", "/none", "/apiversion"] {
        app.get(path).from("10.0.0.7").await.is_text(403, "");
        assert_ne!(app.get(path).from("10.0.1.7").await.code(), 403);
    }
}

#[tokio::test]
async fn only_allowed_peers_may_call() {
    let app = with("ip_allow_regex", r"127\.0\.0\.1|::1").await;
    for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        app.get("/hello").from(peer).await.is_text(200, "Hello");
    }
    for peer in ["127.0.0.2", "10.0.0.1", "::2"] {
        app.get("/hello").from(peer).await.is_text(403, "");
    }
}

#[tokio::test]
async fn rules_match_the_whole_address() {
    let app = with("ip_allow_regex", r"127\.0\.0\.1").await;
    app.get("/hello").from("127.0.0.10").await.is_text(403, "");
    let app = with("ip_deny_regex", "10.0.0.1|10.0.0.2").await;
    app.get("/hello").from("10.0.0.11").await.is_text(200, "Hello");
    app.get("/hello").from("10.0.0.2").await.is_text(403, "");
}

#[tokio::test]
async fn deny_wins_over_allow() {
    let app = TestApp::builder().setting("ip_allow_regex", ".*").setting("ip_deny_regex", "10.*").build().await;
    app.get("/hello").from("10.1.1.1").await.is_text(403, "");
    app.get("/hello").from("11.1.1.1").await.is_text(200, "Hello");
}

#[tokio::test]
async fn an_ipv6_peer_may_be_spelled_in_full() {
    let app = with("ip_allow_regex", "0:0:0:0:0:0:0:1").await;
    app.get("/hello").from("::1").await.is_text(200, "Hello");
    let app = with("ip_deny_regex", "2001:db8:0:0:0:0:0:1").await;
    app.get("/hello").from("2001:db8::1").await.is_text(403, "");
}

#[tokio::test]
async fn rules_come_before_the_api_key_and_hold_for_unknown_apps_and_tenants() {
    let app = TestApp::builder()
        .setting("api_keys", "abcdefghijklmnopqrstuvwxyz")
        .setting("ip_deny_regex", "10.*")
        .build()
        .await;
    for path in ["/recipe/session", "/none/recipe/session", "/appid-none/recipe/session", "/appid-none/hello"] {
        app.get(path).from("10.1.1.1").await.is_text(403, "");
    }
}
