//! The path grammar: case, slashes, prefixes, base path.

use crate::app::{TestApp, new_session};

#[tokio::test]
async fn paths_match_in_any_case_and_with_one_slash_at_the_end() {
    let app = TestApp::new().await;
    for path in ["/recipe/session", "/recipe/session/", "/Recipe/SESSION", "/RECIPE/session/", "//recipe//session"] {
        app.post(path, new_session("u")).await.ok();
    }
    app.post("/recipe/session//", new_session("u")).await.ok();
}

#[tokio::test]
async fn the_default_app_and_tenant_may_be_named() {
    let app = TestApp::new().await;
    for prefix in ["/public", "/appid-public", "/appid-public/public", "/APPID-Public/PUBLIC"] {
        let reply = app.post(&format!("{prefix}/recipe/session"), new_session("u")).await.ok();
        assert_eq!(reply.json()["session"]["tenantId"], "public");
    }
}

#[tokio::test]
async fn an_encoded_letter_is_that_letter() {
    let app = TestApp::builder().setting("base_path", "/auth").build().await;
    for path in ["/auth/%72ecipe/session", "/auth/recipe/%73%45ssion", "/%61uth/p%75blic/recipe/session%2F/"] {
        let expected = if path.contains("%2F") { 404 } else { 200 };
        assert_eq!(app.post(path, new_session("u")).await.code(), expected, "{path}");
    }
    app.get("/auth/%2ewell-known%2Fjwks.json").await.is_text(404, "Not found");
    assert_eq!(app.get("/auth/%2Ewell%2dknown/jwks.json").await.code(), 200);
    for broken in ["/auth/%", "/auth/%7", "/auth/%7g", "/auth/%C3%A9", "/auth/%00", "/auth/%252f", "/auth/%2572ecipe"] {
        app.get(broken).await.is_text(404, "Not found");
    }
}

#[tokio::test]
async fn unknown_paths_are_not_found_and_need_no_key() {
    let app = TestApp::builder().setting("api_keys", "abcdefghijklmnopqrstuvwxyz").build().await;
    for path in [
        "/nothing",
        "/recipe",
        "/recipe/nothing",
        "/recipe/session/nothing",
        "/public/public/recipe/session",
        "/public/appid-public/recipe/session",
        "/a_b/recipe/session",
        "/recipe/recipe/session",
        "/hello/recipe/session",
        "/users/recipe/session",
        "/config/recipe/session",
        "/hello/hello",
        "/recipe%2fsession",
        "/appid-public/nothing/at/all",
        "/../hello",
    ] {
        app.get(path).await.is_text(404, "Not found");
    }
}

#[tokio::test]
async fn the_root_answers_like_hello_behind_every_prefix() {
    let app = TestApp::builder().setting("api_keys", "abcdefghijklmnopqrstuvwxyz").build().await;
    for path in ["/", "", "/public", "/public/", "/appid-public", "/appid-public/public", "/appid-public/public/"] {
        app.get(path).await.is_text(200, "Hello");
    }
    app.get("/unknown-tenant").await.is_text(404, "Not found");
}

#[tokio::test]
async fn the_base_path_stands_before_everything() {
    let app = TestApp::builder().setting("base_path", "/auth/core").build().await;
    app.get("/auth/core/hello").await.is_text(200, "Hello");
    app.get("/auth/core").await.is_text(200, "Hello");
    app.get("/auth/core/").await.is_text(200, "Hello");
    app.post("/auth/core/public/recipe/session/", new_session("u")).await.ok();
    for path in ["/hello", "/", "/auth", "/auth/corehello", "/Auth/core/hello", "/auth/core2"] {
        app.get(path).await.is_text(404, "Not found");
    }
}

#[tokio::test]
async fn a_base_path_may_be_percent_encoded_in_any_case() {
    for written in ["/%C3%BC/%61", "/%c3%bc/a"] {
        let app = TestApp::builder().setting("base_path", written).build().await;
        for path in ["/%C3%BC/a/hello", "/%c3%Bc/%61/hello"] {
            app.get(path).await.is_text(200, "Hello");
        }
        app.get("/%C3%BD/a/hello").await.is_text(404, "Not found");
    }
}

#[tokio::test]
async fn a_host_that_is_none_is_refused() {
    let app = TestApp::new().await;
    for host in ["", "localhost", "my_core:3567", "127.0.0.1:1", "[::1]:1", "core.internal.:80"] {
        app.get("/hello").host(host).await.is_text(200, "Hello");
    }
    for host in ["a b", "a/b", "user@a", "a:b", "<b>", "::1", "[a]"] {
        let reply = app.get("/hello").host(host).await;
        reply.is_text(400, "The Host header is not a host with an optional port");
    }
}

#[tokio::test]
async fn a_request_for_two_hosts_is_for_none() {
    let app = TestApp::new().await;
    app.get("/hello").host("one.io").await.is_text(200, "Hello");
    for (first, second) in [("one.io", "two.io"), ("one.io", "one.io"), ("", "one.io")] {
        let reply = app.get("/hello").host(first).host(second).await;
        reply.is_text(400, "A request must not have more than one Host header");
    }
}
