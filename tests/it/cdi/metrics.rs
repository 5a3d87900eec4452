//! `GET /metrics`.

use crate::app::TestApp;
use serde_json::json;
use sessiond::http::server::Dispatch;

/// The value of a metric by its full name with labels.
fn figure(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn requests_are_counted_by_route_and_class() {
    let app = TestApp::new().await;
    app.session("u").await;
    app.session("u").await;
    app.post("/recipe/session", json!({})).await;
    app.get("/nothing/here").await;
    let text = app.get("/metrics").await.body();
    let create =
        |class| figure(&text, &format!("sessiond_requests_total{{route=\"POST /recipe/session\",class=\"{class}\"}}"));
    assert_eq!((create("2xx"), create("4xx"), create("5xx")), (Some(2.0), Some(1.0), Some(0.0)));
    assert_eq!(figure(&text, "sessiond_requests_total{route=\"other\",class=\"4xx\"}"), Some(1.0));
    assert_eq!(figure(&text, "sessiond_request_seconds_count{route=\"POST /recipe/session\"}"), Some(3.0));
    assert_eq!(figure(&text, "sessiond_sessions_created_total"), Some(2.0));
    assert!(figure(&text, "sessiond_commits_total").is_some_and(|commits| commits >= 2.0), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn figures_of_the_whole_server_need_the_base_apps_key() {
    let app = TestApp::builder().setting("api_keys", "abcdefghijklmnopqrstuvwxyz").build().await;
    app.get("/metrics").await.is_text(401, "Invalid API key");
    let reply = app.get("/metrics").key("abcdefghijklmnopqrstuvwxyz").await;
    assert_eq!((reply.code(), reply.0.content_type), (200, sessiond::metrics::CONTENT_TYPE));
}

#[tokio::test]
async fn no_figure_names_a_user_a_handle_or_a_token() {
    let app = TestApp::new().await;
    let session = app.session("some-user").await;
    let text = app.get("/metrics").await.body();
    for secret in ["some-user", &session.handle(), &session.access_token(), &session.refresh_token()] {
        assert!(!text.contains(secret));
    }
}

#[tokio::test]
async fn lineage_moves_outcomes_keys_and_panics_are_counted() {
    let app = TestApp::new().await;
    let body = |token: &str| json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true});
    let refresh =
        async |version: &str, token: &str| app.post("/recipe/session/refresh", body(token)).cdi(version).await;
    let first = app.session("u").await.refresh_token();
    let second = refresh("5.5", &first).await.ok().refresh_token();
    let third = refresh("5.5", &second).await.ok().refresh_token();
    refresh("5.6", &third).await.ok();
    refresh("5.6", &third).await.ok();
    refresh("5.6", &first).await;
    refresh("5.6", "x").await;
    app.cdi.record_panic();
    app.clock.advance(5_000);
    let text = app.get("/metrics").await.body();
    for (name, value) in [
        ("sessiond_lineage_moves_total{kind=\"promoted\"}", 1.0),
        ("sessiond_lineage_moves_total{kind=\"sibling\"}", 0.0),
        ("sessiond_lineage_moves_total{kind=\"grace\"}", 1.0),
        ("sessiond_refreshes_total{outcome=\"ok\"}", 4.0),
        ("sessiond_refreshes_total{outcome=\"theft\"}", 1.0),
        ("sessiond_refreshes_total{outcome=\"unauthorised\"}", 1.0),
        ("sessiond_panics_total", 1.0),
        ("sessiond_apps", 1.0),
        ("sessiond_published_keys", 2.0),
        ("sessiond_signing_key_age_seconds", 5.0),
    ] {
        assert_eq!(figure(&text, name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn key_figures_are_of_all_apps_in_memory() {
    let app = TestApp::new().await;
    let before = app.get("/metrics").await.body();
    assert_eq!(figure(&before, "sessiond_key_rings"), Some(0.0));
    assert_eq!(figure(&before, "sessiond_published_keys"), Some(0.0));
    assert_eq!(figure(&before, "sessiond_signing_key_age_seconds"), None, "without a key there is no age");
    for id in ["a1", "a2"] {
        app.put("/recipe/multitenancy/app/v2", json!({"appId": id})).await.ok();
        app.post(&format!("/appid-{id}/recipe/session"), crate::app::new_session("u")).await.ok();
        app.clock.advance(5_000);
    }
    let text = app.get("/metrics").await.body();
    for (name, value) in [
        ("sessiond_key_rings", 2.0),
        ("sessiond_published_keys", 4.0),
        ("sessiond_signing_key_age_seconds", 10.0),
        ("sessiond_next_key_change_seconds", 168.0 * 3600.0 - 60.0 - 10.0),
    ] {
        assert_eq!(figure(&text, name), Some(value), "{name}");
    }
    assert!(!text.contains("a1"), "no figure names an app");
}
