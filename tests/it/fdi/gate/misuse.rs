//! What visitors smuggle past a proxy, and what operators get wrong.

use super::{Visitor, ask, figure, header, page_load, shop};
use crate::app::TestApp;
use http::Method;
use serde_json::Value;
use sessiond::control::doctor::examine;

async fn findings(app: &TestApp) -> Vec<(String, String)> {
    let found = examine(&app.context).await.unwrap()["findings"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_gate = found.iter().filter(|finding| text(&finding["name"]).contains("gate"));
    of_gate.map(|finding| (text(&finding["name"]), text(&finding["examples"][0]))).collect()
}

#[tokio::test]
async fn a_typo_opens_no_door_and_is_named() {
    for (query, named) in [
        ("require&rloe=admin", "there is no requirement 'rloe'"),
        ("require&verified=true", "'verified' takes no value, and got 'true'"),
        ("role=admin", "its query must begin with 'require', not with 'role=admin'"),
        ("requires", "its query must begin with 'require', not with 'requires'"),
    ] {
        let app = shop().build().await;
        let visitor = Visitor::new(&app).await;
        let reply = page_load(ask(&app, query, "GET", "/?q=1")).header("cookie", &visitor.access()).await;
        assert_eq!(reply.code(), 500, "{query}");
        assert!(reply.text_at("/message").contains(named), "{query}: {}", reply.body());
        assert_eq!(findings(&app).await, [("gate-asked-wrongly".to_owned(), named.to_owned())]);
        assert_eq!(figure(&app, "sessiond_gate_requests_total{outcome=\"misused\"}").await, 1);
    }
}

#[tokio::test]
async fn the_pages_query_adds_nothing_and_takes_nothing_away() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    let code = async |query: &str, uri: &str| {
        let reply = ask(&app, query, "GET", uri).header("cookie", &visitor.access()).await;
        (reply.code(), reply.header("x-sessiond-user-id").len())
    };
    // Caddy hands on the page's query where the gate's address has none.
    assert_eq!(code("q=1&role=admin", "/?q=1&role=admin").await, (200, 1));
    // A visitor who copies the configuration stays out.
    assert_eq!(code("require&role=admin", "/?require&role=admin").await, (403, 0));
    assert_eq!(code("require&role=admin&require", "/?require").await, (500, 0));
    // And what a visitor writes is told to nobody.
    assert_eq!(code("require&nonsense", "/?require&nonsense").await, (500, 0));
    let told = findings(&app).await;
    assert_eq!(told.len(), 1, "only of the address: {told:?}");
    assert_eq!(told[0].1, "'require' is there twice");
}

#[tokio::test]
async fn only_trusted_proxies_are_believed() {
    let app = shop().setting("trusted_proxies", "10.0.0.1").build().await;
    let visitor = Visitor::new(&app).await;
    let ask = |peer: &str| ask(&app, "", "GET", "/").header("cookie", &visitor.access()).from(peer);
    assert_eq!(ask("10.0.0.1").await.code(), 200);
    let stranger = ask("203.0.113.9").await;
    assert_eq!((stranger.code(), stranger.header("authorization").len()), (500, 0));
    assert_eq!(findings(&app).await, [], "a stranger is nobody's mistake");
    let near = ask("10.0.0.2").await;
    assert_eq!(near.text_at("/message"), "The gate answers proxies only: 10.0.0.2 is not in trusted_proxies");
    assert_eq!(findings(&app).await, [("gate-proxy-not-trusted".to_owned(), "10.0.0.2".to_owned())]);
}

#[tokio::test]
async fn a_proxy_that_does_not_say_what_it_asks_about_is_told() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    let headers = ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-proto", "x-forwarded-host"];
    let values = ["GET", "/", "https", "app.shop.example"];
    for missing in headers {
        let mut request = app.front(Method::GET, "/auth/gate").header("cookie", &visitor.access());
        for (name, value) in headers.into_iter().zip(values).filter(|(name, _)| *name != missing) {
            request = request.header(name, value);
        }
        let reply = request.await;
        assert_eq!(reply.code(), 500);
        assert!(reply.text_at("/message").contains(missing), "{}", reply.body());
    }
    assert_eq!(findings(&app).await[0].0, "gate-asked-wrongly");
}

#[tokio::test]
async fn a_smuggled_method_or_host_is_refused() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    let post = || ask(&app, "", "POST", "/x").header("cookie", &visitor.access());
    for (name, value, code) in [
        ("x-original-method", "GET", 403),
        ("x-forwarded-method", "GET", 403),
        ("x-original-method", "POST", 200),
        ("x-original-uri", "/public", 403),
        ("x-forwarded-host", "evil.example", 403),
        ("x-original-host", "evil.example", 403),
        ("x-original-proto", "http", 403),
        ("x-http-method-override", "GET", 200),
    ] {
        let reply = post().header(name, value).await;
        assert_eq!(reply.code(), code, "{name}: {value}");
    }
    assert_eq!(findings(&app).await, [], "visitors do that");
}

#[tokio::test]
async fn what_a_foreign_page_sends_does_not_pass() {
    let app = shop().setting("website_domain", "https://www.shop.example").build().await;
    let visitor = Visitor::new_at(&app, "https://www.shop.example").await;
    let code = async |method: &str, name: &str, value: &str, upgrade: bool| {
        let mut request = ask(&app, "", method, "/x").header("cookie", &visitor.access()).header(name, value);
        if upgrade {
            request = request.header("connection", "upgrade").header("upgrade", "websocket");
            request = request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        }
        request.await.code()
    };
    for (method, is_websocket) in [("POST", false), ("DELETE", false), ("X-OWN", false), ("GET", true)] {
        for (name, value, expected) in [
            ("origin", "https://app.shop.example", 200),
            ("origin", "https://www.shop.example", 200),
            ("origin", "https://user-content.shop.example", 403),
            ("origin", "http://app.shop.example", 403),
            ("origin", "https://evil.example", 403),
            ("origin", "null", 403),
            ("referer", "https://evil.example/page", 403),
            ("sec-fetch-site", "cross-site", 403),
            ("sec-fetch-site", "same-site", 403),
            ("sec-fetch-site", "same-origin", 200),
        ] {
            assert_eq!(code(method, name, value, is_websocket).await, expected, "{method} {name}: {value}");
        }
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        assert_eq!(code(method, "sec-fetch-site", "cross-site", false).await, 200, "a link, or an image");
    }
    assert!(findings(&app).await.is_empty());
}

#[tokio::test]
async fn csrf_modes_look_at_the_method_of_the_request_that_is_asked_about() {
    let app = shop().setting("anti_csrf", "VIA_CUSTOM_HEADER").build().await;
    let visitor = Visitor::new(&app).await;
    let ask = |method: &str| ask(&app, "", method, "/").header("cookie", &visitor.access());
    assert_eq!(ask("GET").await.code(), 200);
    assert_eq!(ask("POST").await.code(), 401);
    assert_eq!(ask("POST").header("rid", "anti-csrf").await.code(), 200);
}

#[tokio::test]
async fn the_gate_has_one_path_that_proxies_can_close() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    for (path, code) in [
        ("/auth/gate", 200),
        ("/auth/gate/", 404),
        ("/auth/gate//", 404),
        ("/auth//gate", 404),
        ("/auth/%67ate", 404),
        ("/auth/Gate", 404),
        ("/auth/a/../gate", 404),
    ] {
        let mut request = app.front(Method::GET, path).header("cookie", &visitor.access());
        for (name, value) in [("method", "GET"), ("uri", "/"), ("proto", "https"), ("host", "app.shop.example")] {
            request = request.header(&format!("x-forwarded-{name}"), value);
        }
        assert_eq!(request.await.code(), code, "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::HEAD, Method::DELETE] {
        let reply = app.front(method, "/auth/gate").header("cookie", &visitor.access()).await;
        assert!(reply.header("authorization").is_empty());
    }
}

#[tokio::test]
async fn nothing_that_a_visitor_sends_comes_back() {
    let app = shop().build().await;
    let visitor = Visitor::new(&app).await;
    let mut request = ask(&app, "", "GET", "/").header("cookie", &visitor.access());
    let names = sessiond::http::gate::identity::HEADERS.iter().map(http::HeaderName::as_str);
    for name in names.clone().chain(["authorization"]) {
        request = request.header(name, "evil");
    }
    let passed = request.await;
    for name in names.chain(["authorization"]) {
        assert_ne!(header(&passed, name), "evil", "{name}");
    }
}
