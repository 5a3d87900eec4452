//! Web pages: refused while no API key applies (decision 64).

use crate::app::{TestApp, TestReply};
use crate::cdi::routes::{good_requests, name};
use http::Method;
use serde_json::json;

const KEY: &str = "abcdefghijklmnopqrstuvwxyz";
/// Requires a key if there is one, and nothing else.
const PATH: &str = "/recipe/session/user?userId=u";
const OWN_HOST: &str = "localhost:3567";
const PAGE: &str = "http://localhost:3000";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Served,
    ForeignHost,
    ForeignPage,
}
use Answer::{ForeignHost, ForeignPage, Served};

#[track_caller]
fn answer(reply: &TestReply) -> Answer {
    let body = reply.body();
    match reply.code() {
        403 if body.contains("allowed_hosts") => ForeignHost,
        403 if body.contains("allowed_origins") => ForeignPage,
        403 => panic!("{body}"),
        _ => Served,
    }
}

async fn send(app: &TestApp, method: Method, headers: &[(&str, &str)]) -> Answer {
    let request = app.request(method, PATH);
    answer(&headers.iter().fold(request, |request, (name, value)| request.header(name, value)).await)
}

async fn with(settings: &[(&str, &str)]) -> TestApp {
    settings.iter().fold(TestApp::builder(), |app, (key, value)| app.setting(key, value)).build().await
}

#[tokio::test]
async fn programs_are_served_under_every_name_that_no_stranger_can_own() {
    let app = TestApp::new().await;
    for host in [
        "localhost:3567",
        "LOCALHOST.",
        "core.localhost",
        "127.0.0.1:3567",
        "[::1]:3567",
        "192.168.1.5",
        "sessiond:3567",
        "my_core",
        "core.internal",
        "core.railway.internal:3567",
        "host.docker.internal:3567",
        "core.auth.svc:3567",
        "core.auth.svc.cluster.local",
        "laptop.local",
        "nas.home.arpa",
        "",
    ] {
        assert_eq!(send(&app, Method::GET, &[("host", host)]).await, Served, "{host}");
    }
    assert_eq!(send(&app, Method::GET, &[]).await, Served);
}

#[tokio::test]
async fn names_that_a_stranger_can_own_are_refused() {
    let app = TestApp::new().await;
    for host in [
        "evil.example:3567",
        "EVIL.example.",
        "evil.test",
        "a.com",
        "localhost.evil.io",
        "127.0.0.1.nip.io",
        "a.xn--p1ai",
    ] {
        assert_eq!(send(&app, Method::GET, &[("host", host)]).await, ForeignHost, "{host}");
        let origin = format!("http://{}", host.to_ascii_lowercase());
        assert_eq!(send(&app, Method::POST, &[("host", host), ("origin", &origin)]).await, ForeignHost, "{host}");
    }
}

#[tokio::test]
async fn official_sdks_are_no_pages() {
    let app = TestApp::new().await;
    for headers in [
        // Node's fetch, Python's httpx, Go's client, curl with -d, and a browser's address bar.
        &[("sec-fetch-mode", "cors"), ("accept", "*/*"), ("accept-language", "*"), ("user-agent", "node")][..],
        &[("user-agent", "python-httpx/0.28"), ("accept-encoding", "gzip, deflate"), ("connection", "keep-alive")],
        &[("user-agent", "Go-http-client/1.1"), ("accept-encoding", "gzip")],
        &[("user-agent", "curl/8.5"), ("content-type", "application/x-www-form-urlencoded")],
        &[("user-agent", "kube-probe/1.30")],
        &[("user-agent", "Mozilla/5.0 (X11)"), ("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")],
    ] {
        for method in [Method::GET, Method::POST] {
            let headers = [&[("host", OWN_HOST)], headers].concat();
            let is_browser = headers.iter().any(|(_, value)| value.starts_with("Mozilla"));
            let expected = if is_browser && method == Method::POST { ForeignPage } else { Served };
            assert_eq!(send(&app, method, &headers).await, expected, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_however_they_send() {
    let app = TestApp::new().await;
    let firefox = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:60.0)");
    for (headers, expected) in [
        (&[("origin", PAGE)][..], ForeignPage),
        (&[("origin", "null")], ForeignPage),
        (&[("origin", "https://localhost:3567"), ("origin", PAGE)], ForeignPage),
        (&[("origin", "file://")], ForeignPage),
        (&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], ForeignPage),
        (&[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate")], ForeignPage),
        (&[("sec-fetch-site", "another"), ("origin", "http://localhost:3567")], ForeignPage),
        (&[("referer", "http://localhost:3000/a?b")], ForeignPage),
        // Browsers from before 2020 send no more than this with a form.
        (&[firefox, ("content-type", "text/plain")], ForeignPage),
        (&[firefox, ("content-type", "multipart/form-data; boundary=x")], ForeignPage),
        (&[firefox], ForeignPage),
        (&[firefox, ("content-type", "application/json")], Served),
        // A page of the same origin as the server can only be the server's own.
        (&[firefox, ("origin", "http://localhost:3567"), ("sec-fetch-site", "same-origin")], Served),
        (&[("referer", "http://localhost:3567/users")], Served),
    ] {
        let headers = [&[("host", OWN_HOST)], headers].concat();
        assert_eq!(send(&app, Method::POST, &headers).await, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn an_api_key_lets_anybody_call_from_anywhere() {
    let app = with(&[("api_keys", KEY)]).await;
    for headers in [("host", "auth.example.com"), ("origin", PAGE), ("sec-fetch-site", "cross-site")] {
        let reply = app.get(PATH).key(KEY).header(headers.0, headers.1).await;
        assert_eq!(reply.code(), 200, "{headers:?}");
        app.get(PATH).header(headers.0, headers.1).await.is_text(401, "Invalid API key");
    }
}

#[tokio::test]
async fn each_app_is_judged_by_its_own_keys() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "keyed", "coreConfig": {"api_keys": KEY}})).await.ok();
    let at = |path: &str| app.get(&format!("{path}{PATH}")).header("origin", PAGE);
    assert_eq!(at("/appid-keyed").key(KEY).await.code(), 200);
    assert_eq!(answer(&at("").key(KEY).await), ForeignPage);
    // Pages may not find out whether an app exists, either.
    assert_eq!(answer(&at("/appid-none").await), ForeignPage);
    assert_eq!(app.get(&format!("/appid-none{PATH}")).await.code(), 400);
}

#[tokio::test]
async fn what_is_public_is_open_to_pages_and_tells_them_nothing() {
    let app = TestApp::new().await;
    let mut public = Vec::new();
    for mounted in app.cdi.table().routes() {
        let (route, method) = (mounted.route, Method::from_bytes(mounted.route.verb.name().as_bytes()).unwrap());
        for (query, body) in &good_requests()[&name(route)] {
            for (header, value) in [("host", "evil.example"), ("origin", PAGE), ("sec-fetch-site", "same-site")] {
                let request = app.request(method.clone(), &format!("{}?{query}", route.path)).body(body.clone());
                let request = route.rid.into_iter().fold(request, |request, rid| request.header("rid", rid));
                let reply = request.header(header, value).await;
                match answer(&reply) {
                    Served => public.push(route.path),
                    refused => assert_eq!(refused == ForeignHost, header == "host", "{}", route.label),
                }
            }
        }
    }
    public.sort_unstable();
    public.dedup();
    assert_eq!(public, ["/", "/.well-known/jwks.json", "/hello"]);
}

#[tokio::test]
async fn hosts_and_origins_can_be_allowed() {
    let app = with(&[("allowed_hosts", "core.example.com, *.example.net"), ("allowed_origins", PAGE)]).await;
    for (host, expected) in [
        ("core.example.com:3567", Served),
        ("a.b.example.net", Served),
        ("example.net", ForeignHost),
        ("other.example.com", ForeignHost),
    ] {
        assert_eq!(send(&app, Method::GET, &[("host", host)]).await, expected, "{host}");
    }
    let site = ("sec-fetch-site", "cross-site");
    assert_eq!(send(&app, Method::POST, &[("host", OWN_HOST), ("origin", PAGE), site]).await, Served);
    assert_eq!(send(&app, Method::POST, &[("host", OWN_HOST), ("referer", "http://localhost:3000/a")]).await, Served);
    assert_eq!(send(&app, Method::POST, &[("host", OWN_HOST), ("origin", "http://localhost:3001")]).await, ForeignPage);
    assert_eq!(send(&app, Method::POST, &[("host", OWN_HOST), site]).await, ForeignPage);

    let app = with(&[("allowed_hosts", "*"), ("allowed_origins", "*")]).await;
    let page = [("host", "evil.example"), ("origin", "https://a.io"), site];
    assert_eq!(send(&app, Method::POST, &page).await, Served);
}

#[tokio::test]
async fn the_configured_host_and_connection_uri_domains_are_own_names() {
    let app = with(&[("host", "core.example.com")]).await;
    assert_eq!(send(&app, Method::GET, &[("host", "core.example.com:3567")]).await, Served);
    assert_eq!(send(&app, Method::GET, &[("host", "auth.example.com")]).await, ForeignHost);
    let domain = json!({"connectionUriDomain": "auth.example.com"});
    app.put("/recipe/multitenancy/connectionuridomain/v2", domain).await.ok();
    assert_eq!(send(&app, Method::GET, &[("host", "auth.example.com.:3567")]).await, Served);
}
