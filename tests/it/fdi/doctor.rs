//! `sessiond doctor`: a set-up that is wrong in one way is told so, in each way; one that is right hears nothing.

use super::{PASSWORD, cookies, form, sign_up};
use crate::app::{ManualClock, START, TestApp, TestAppBuilder, TestReply};
use crate::cdi::multitenancy::{put_app, put_tenant};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};
use sessiond::control::doctor::examine;
use sessiond::domain::anomaly::Anomaly;
use sessiond::domain::time::UnixMillis;
use std::collections::BTreeSet;

const API: &str = "api.shop.example";
const SHOP: &str = "https://www.shop.example";

/// A set-up in which all is well.
fn shop() -> TestAppBuilder {
    let builder = TestApp::builder().setting("api_domain", "https://api.shop.example").setting("website_domain", SHOP);
    let builder = builder.setting("trusted_proxies", "127.0.0.1").setting("smtp_host", "mx.shop.example");
    builder.setting("smtp_from_email", "shop@shop.example").master_key("a master key of more than 32 bytes")
}

async fn found(app: &TestApp) -> Vec<Value> {
    examine(&app.context).await.unwrap()["findings"].as_array().unwrap().clone()
}

async fn names(app: &TestApp) -> Vec<String> {
    found(app).await.iter().map(|finding| finding["name"].as_str().unwrap().to_owned()).collect()
}

/// A request of the website's page, by way of the proxy.
macro_rules! page {
    ($app:expr, $method:ident $path:literal) => {
        $app.front_at(Method::$method, API, $path)
            .header("origin", SHOP)
            .header("x-forwarded-for", "203.0.113.7")
            .header("x-forwarded-proto", "https")
            .header("rid", "session")
    };
}

async fn sign_up_at(app: &TestApp, email: &str) -> TestReply {
    let request = page!(app, POST "/auth/signup").header("st-auth-mode", "cookie");
    request.json(&form(email, PASSWORD)).await.ok()
}

/// One cookie of those that a browser would send.
fn only(jar: &str, name: &str) -> String {
    jar.split("; ").find(|cookie| cookie.starts_with(name)).unwrap().to_owned()
}

#[tokio::test]
async fn a_right_set_up_hears_nothing() {
    let app = shop().build().await;
    let jar = cookies(&sign_up_at(&app, "a@b.cd").await);
    assert_eq!(page!(app, POST "/auth/session/refresh").header("cookie", &jar).await.code(), 200);
    let jar = cookies(
        &page!(app, POST "/auth/signin").json(&form("a@b.cd", PASSWORD)).header("st-auth-mode", "cookie").await,
    );
    page!(app, GET "/auth/user/email/verify").header("cookie", &jar).await.ok();
    // What happens everywhere: health checks by address, links from elsewhere, keys for everybody, people who come
    // back after months, and sessions that have ended.
    app.front_at(Method::GET, "10.0.0.1", "/auth/jwt/jwks.json").await;
    let stranger = "https://news.example";
    app.front_at(Method::GET, API, "/auth/jwt/jwks.json").header("origin", stranger).await;
    app.front_at(Method::OPTIONS, API, "/auth/jwt/jwks.json").header("origin", stranger).await;
    app.front_at(Method::GET, API, "/auth/nowhere").header("referer", "https://news.example/").await;
    app.clock.advance(101 * 24 * 3_600_000);
    let back = only(&jar, "sAccessToken");
    page!(app, GET "/auth/user/email/verify").header("cookie", &back).await;
    page!(app, POST "/auth/session/refresh").header("cookie", &back).header("st-auth-mode", "cookie").await;
    for _ in 0..5 {
        // Pages ask whether somebody is signed in; in frames, too.
        for mode in ["cookie", "header"] {
            let visitor = page!(app, POST "/auth/session/refresh").header("st-auth-mode", mode);
            visitor.header("sec-fetch-storage-access", "none").await;
        }
    }
    assert_eq!(names(&app).await, [""; 0], "{:?}", found(&app).await);
    let development = TestApp::new().await;
    sign_up(&development, "a@b.cd").await;
    assert_eq!(names(&development).await, [""; 0]);
}

/// The anomalies that were told so far.
#[derive(Default)]
struct Told(BTreeSet<String>);

impl Told {
    async fn check(&mut self, app: &TestApp, expected: &str) {
        assert_eq!(names(app).await, [expected], "{:?}", found(app).await);
        assert!(self.0.insert(expected.to_owned()), "{expected} has two fixtures");
    }
}

#[tokio::test]
async fn each_wrong_set_up_is_named() {
    let mut told = Told::default();
    where_the_front_door_is(&mut told).await;
    cookies_and_clocks(&mut told).await;
    headers_keys_and_settings(&mut told).await;
    gates(&mut told).await;
    let all: BTreeSet<_> = Anomaly::ALL.iter().map(|anomaly| anomaly.name().to_owned()).collect();
    assert_eq!(told.0, all, "every anomaly has a fixture");
}

async fn where_the_front_door_is(told: &mut Told) {
    let app = shop().build().await;
    let evil = |method: Method| app.front_at(method, API, "/auth/signin").header("origin", "https://evil.example");
    evil(Method::POST).json(&form("a@b.cd", PASSWORD)).await;
    evil(Method::OPTIONS).await;
    told.check(&app, "origin-not-allowed").await;

    let app = shop().build().await;
    app.front_at(Method::GET, "other.example", "/auth/loginmethods").header("sec-fetch-site", "same-site").await;
    told.check(&app, "host-unknown").await;
    let app = TestApp::new().await;
    app.front_at(Method::GET, "other.example", "/auth/loginmethods").header("sec-fetch-site", "none").await;
    assert_eq!(names(&app).await, ["host-unknown"]);
    hosts_of_proxies().await;

    let app = shop().setting("front_tenant_hosts", r#"{"a.shop.example": "a"}"#).build().await;
    put_tenant(&app, "", "a", json!({})).await.ok();
    app.front_at(Method::GET, "a.shop.example", "/auth/a/loginmethods").await.ok();
    assert_eq!(names(&app).await, [""; 0]);
    app.front_at(Method::GET, "a.shop.example", "/auth/b/loginmethods").await;
    told.check(&app, "tenant-of-other-host").await;

    let app = shop().setting("front_tenant_hosts", r#"{"a.shop.example": "a"}"#).build().await;
    let other = json!({"api_domain": "https://a.shop.example", "front_tenant_hosts": {}});
    put_app(&app, "other", other).await.ok();
    told.check(&app, "front-host-shared").await;

    let plain = || shop().setting("api_domain", "http://api.shop.example").setting("website_domain", "");
    let app = plain().build().await;
    app.front_at(Method::GET, API, "/auth/loginmethods").header("x-forwarded-proto", "https").await;
    told.check(&app, "https-unknown").await;
    // Without that header, too: browsers send fetch metadata by https only, except to their own machine.
    for (host, expected) in [(API, &["https-unknown"][..]), ("localhost", &[])] {
        let app = plain().build().await;
        app.front_at(Method::GET, host, "/auth/loginmethods").header("sec-fetch-site", "same-site").await;
        assert_eq!(names(&app).await, expected, "{host}");
    }
    let app = shop().setting("api_domain", "http://api.shop.example").build().await;
    app.front_at(Method::GET, API, "/auth/loginmethods").header("sec-fetch-site", "same-site").await;
    assert_eq!(names(&app).await, ["https-unknown"], "and not what the settings alone look like");

    told.check(&shop().setting("api_domain", "http://api.shop.example").build().await, "http-api-of-https-page").await;
    let local = shop().setting("api_domain", "http://localhost:3568").build().await;
    assert_eq!(names(&local).await, [""; 0], "browsers call their own machine from https pages, too");

    let app = shop().setting("cookie_secure", "false").build().await;
    sign_up_at(&app, "a@b.cd").await;
    told.check(&app, "cookie-not-secure").await;

    let app = shop().setting("cookie_domain", "api.shop.example").build().await;
    let elsewhere = app.front_at(Method::POST, "10.0.0.1", "/auth/signup").header("st-auth-mode", "cookie");
    elsewhere.json(&form("a@b.cd", PASSWORD)).await.ok();
    told.check(&app, "cookie-domain-foreign").await;

    let app =
        shop().setting("website_domain", "https://www.other.example").setting("cookie_same_site", "lax").build().await;
    let other = app.front_at(Method::POST, API, "/auth/signup").header("origin", "https://www.other.example");
    other.header("st-auth-mode", "cookie").json(&form("a@b.cd", PASSWORD)).await.ok();
    told.check(&app, "same-site-too-strict").await;

    let app =
        shop().setting("website_domain", "https://www.other.example").setting("cookie_secure", "false").build().await;
    let other = app.front_at(Method::POST, API, "/auth/signup").header("origin", "https://www.other.example");
    assert_eq!(other.header("st-auth-mode", "cookie").json(&form("a@b.cd", PASSWORD)).await.code(), 500);
    told.check(&app, "same-site-none-insecure").await;
}

/// nginx puts an address of its own in place of `Host` if nobody tells it not to.
async fn hosts_of_proxies() {
    for (origin, expected) in [(SHOP, &["host-unknown"][..]), ("http://localhost:3000", &["origin-not-allowed"])] {
        let app = shop().build().await;
        app.front_at(Method::POST, "127.0.0.1:3568", "/auth/signin").header("origin", origin).await;
        assert_eq!(names(&app).await, expected, "{origin}");
    }
    // Without an address, this is development, unless other apps have one.
    let app = TestApp::new().await;
    let elsewhere = || app.front_at(Method::POST, "127.0.0.1", "/auth/signin").header("origin", SHOP);
    elsewhere().await;
    assert_eq!(names(&app).await, ["origin-not-allowed"]);
    let own = json!({"appId": "own", "coreConfig": {"app_name": "Own", "api_domain": "https://api.own.example"}});
    app.request(Method::PUT, "/recipe/multitenancy/app/v2").json(&own).await.ok();
    elsewhere().await;
    assert!(names(&app).await.contains(&"host-unknown".to_owned()), "{:?}", found(&app).await);
}

async fn cookies_and_clocks(told: &mut Told) {
    let app = shop().build().await;
    let jar = cookies(&sign_up_at(&app, "a@b.cd").await);
    page!(app, POST "/auth/session/refresh").header("cookie", &only(&jar, "sAccessToken")).await;
    told.check(&app, "refresh-cookie-missing").await;

    let app = shop().build().await;
    page!(app, POST "/auth/signin/code").await;
    app.front_at(Method::POST, API, "/wp/signin").await;
    assert_eq!(names(&app).await, [""; 0], "a recipe that is off, and strangers who try paths");
    page!(app, POST "/gateway/auth/session/refresh").await;
    told.check(&app, "path-unknown").await;
    assert_eq!(found(&app).await[0]["examples"], json!(["/gateway/auth/session/refresh"]));
    for path in ["/signup", "/gateway/auth/signin"] {
        let app = shop().build().await;
        app.front_at(Method::POST, API, path).header("origin", SHOP).await;
        assert_eq!(names(&app).await, ["path-unknown"], "{path}");
    }

    let app = shop().build().await;
    let jar = cookies(&sign_up_at(&app, "a@b.cd").await);
    page!(app, GET "/auth/user/email/verify").header("cookie", &format!("{jar}; sAccessToken=older")).await;
    told.check(&app, "duplicate-cookies").await;

    for (mode, header, expected) in [
        ("cookie", None, "cookies-not-sent"),
        ("header", None, "authorization-missing"),
        ("cookie", Some(("sec-fetch-site", "cross-site")), "third-party-cookies-blocked"),
    ] {
        let app = shop().build().await;
        sign_up_at(&app, "a@b.cd").await;
        for _ in 0..3 {
            assert_eq!(names(&app).await, [""; 0], "not before the third time");
            come_back_without(&app, mode, header).await;
        }
        told.check(&app, expected).await;
    }
    lost_tokens().await;

    let app = shop().build().await;
    let jar = cookies(&sign_up_at(&app, "a@b.cd").await);
    for _ in 0..3 {
        let again = page!(app, POST "/auth/signin").header("cookie", &only(&jar, "sAccessToken"));
        again.header("st-auth-mode", "cookie").json(&form("a@b.cd", PASSWORD)).await.ok();
    }
    told.check(&app, "sign-in-unnoticed").await;

    let app = shop().build().await;
    let jar = cookies(&sign_up_at(&app, "a@b.cd").await);
    app.clock.step(-120_000);
    page!(app, GET "/auth/user/email/verify").header("cookie", &jar).await;
    told.check(&app, "clocks-apart").await;

    let app = shop().build().await;
    let mut jar = cookies(&sign_up_at(&app, "a@b.cd").await);
    for _ in 0..5 {
        jar = cookies(&page!(app, POST "/auth/session/refresh").header("cookie", &jar).await);
    }
    told.check(&app, "refresh-too-early").await;
}

/// Somebody signs in, and the page asks for a refresh without a token.
async fn come_back_without(app: &TestApp, mode: &str, header: Option<(&str, &str)>) {
    let (name, value) = header.unwrap_or(("accept", "*/*"));
    let sign_in = page!(app, POST "/auth/signin").header("st-auth-mode", mode).header(name, value);
    sign_in.json(&form("a@b.cd", PASSWORD)).await.ok();
    page!(app, POST "/auth/session/refresh").header("st-auth-mode", mode).header(name, value).await;
}

/// What else becomes of tokens, and what only looks like it.
async fn lost_tokens() {
    let app = shop().setting("website_domain", "https://www.other.example").build().await;
    let other = |path: &str| {
        let request = app.front_at(Method::POST, API, path).header("origin", "https://www.other.example");
        request.header("x-forwarded-for", "203.0.113.7").header("x-forwarded-proto", "https")
    };
    for number in 0..3 {
        let sign_up = other("/auth/signup").header("st-auth-mode", "cookie");
        sign_up.json(&form(&format!("{number}@b.cd"), PASSWORD)).await.ok();
        other("/auth/session/refresh").await;
    }
    assert_eq!(names(&app).await, ["third-party-cookies-blocked"], "browsers without fetch metadata");

    // An office: everybody has one address, and one kind of browser. Tokens of some have come, others are visitors.
    let app = shop().build().await;
    let jar = cookies(&sign_up_at(&app, "a@b.cd").await);
    page!(app, GET "/auth/user/email/verify").header("cookie", &jar).await.ok();
    for _ in 0..5 {
        come_back_without(&app, "cookie", None).await;
    }
    assert_eq!(names(&app).await, [""; 0], "visitors of the same office");
    app.clock.advance(3 * 3_600_000);
    for _ in 0..5 {
        page!(app, POST "/auth/signin").header("st-auth-mode", "cookie").json(&form("a@b.cd", PASSWORD)).await.ok();
        app.clock.advance(15_000);
        page!(app, POST "/auth/session/refresh").header("st-auth-mode", "cookie").await;
    }
    assert_eq!(names(&app).await, [""; 0], "visitors later on");

    // In header mode, the page shows nothing that tells of the session that it has not noticed.
    let app = shop().build().await;
    for number in 0..4 {
        page!(app, POST "/auth/signup").json(&form(&format!("{number}@b.cd"), PASSWORD)).await.ok();
    }
    assert_eq!(names(&app).await, [""; 0], "different people");
    for _ in 0..4 {
        page!(app, POST "/auth/signin").json(&form("0@b.cd", PASSWORD)).await.ok();
    }
    assert_eq!(names(&app).await, ["sign-in-unnoticed"]);

    // A proxy that removes st-access-token: the page refreshes, and has nothing to show afterwards.
    let app = shop().build().await;
    let signed_up = page!(app, POST "/auth/signup").json(&form("a@b.cd", PASSWORD)).await;
    let mut token = signed_up.header("st-refresh-token")[0].to_owned();
    for _ in 0..5 {
        let refresh = page!(app, POST "/auth/session/refresh").header("authorization", &format!("Bearer {token}"));
        token = refresh.await.header("st-refresh-token")[0].to_owned();
    }
    assert_eq!(names(&app).await, ["refresh-too-early"]);
}

async fn headers_keys_and_settings(told: &mut Told) {
    let app = shop().setting("anti_csrf", "VIA_CUSTOM_HEADER").build().await;
    let jar = cookies(&sign_up_at(&app, "a@b.cd").await);
    let bare = app.front_at(Method::POST, API, "/auth/user/email/verify/token").header("origin", SHOP);
    bare.header("cookie", &jar).await;
    told.check(&app, "rid-missing").await;

    let app = shop().build().await;
    let later = ManualClock::at(UnixMillis(START.0 + 5_000));
    let elsewhere = shop().seed(2).clock(&later).build().await;
    let jar = cookies(&sign_up_at(&elsewhere, "a@b.cd").await);
    page!(app, GET "/auth/user/email/verify").header("cookie", &jar).await;
    told.check(&app, "unknown-key").await;

    let app = shop().setting("trusted_proxies", "10.0.0.0/8").build().await;
    app.front_at(Method::GET, API, "/auth/loginmethods").header("x-forwarded-for", "203.0.113.7").await.ok();
    told.check(&app, "proxy-not-trusted").await;

    // Almost too many permissions, and far too many.
    for (count, code) in [(97, 200), (300, 500)] {
        let app = shop().build().await;
        let permissions: Vec<String> = (0..count).map(|number| format!("permission-number-{number:02}")).collect();
        app.request(Method::PUT, "/recipe/role").json(&json!({"role": "r", "permissions": permissions})).await.ok();
        let user = sign_up_at(&app, "a@b.cd").await.json()["user"]["id"].clone();
        assert_eq!(names(&app).await, [""; 0]);
        let role = app.request(Method::PUT, "/recipe/user/role").json(&json!({"role": "r", "userId": user}));
        role.await.ok();
        let sign_in = page!(app, POST "/auth/signin").header("st-auth-mode", "cookie");
        assert_eq!(sign_in.json(&form("a@b.cd", PASSWORD)).await.code(), code, "{count}");
        assert_eq!(names(&app).await, ["cookie-too-large"], "{count}");
        if code == 500 {
            told.check(&app, "cookie-too-large").await;
        }
    }

    for (key, value, expected) in
        [("smtp_host", None, "mail-server-missing"), ("", Some("PHONE"), "text-service-missing")]
    {
        let mut builder = TestApp::builder().setting("api_domain", "https://api.shop.example");
        if key.is_empty() {
            builder = builder.setting("smtp_host", "mx.shop.example").setting("smtp_from_email", "shop@shop.example");
            builder =
                builder.setting("recipe_list", "passwordless").setting("passwordless_contact_method", value.unwrap());
        }
        told.check(&builder.master_key("a master key of more than 32 bytes").build().await, expected).await;
    }
    let app = TestApp::builder().setting("api_domain", "https://api.shop.example");
    let app = app.setting("smtp_host", "mx.shop.example").setting("smtp_from_email", "shop@shop.example");
    told.check(&app.build().await, "master-key-missing").await;

    let app = failing_mail().await;
    told.check(&app, "mail-failing").await;
}

async fn gates(told: &mut Told) {
    let asked = async |app: &TestApp, path: &str| {
        let request = app.front_at(Method::GET, "www.shop.example", path).header("x-forwarded-method", "GET");
        let request = request.header("x-forwarded-uri", "/").header("x-forwarded-proto", "https");
        request.header("x-forwarded-host", "www.shop.example").await
    };
    let app = shop().build().await;
    asked(&app, "/auth/gate?require&rloe=admin").await;
    told.check(&app, "gate-asked-wrongly").await;
    assert_eq!(found(&app).await[0]["examples"], json!(["there is no requirement 'rloe'"]));

    let app = shop().setting("trusted_proxies", "10.0.0.0/8").build().await;
    asked(&app, "/auth/gate").await;
    told.check(&app, "gate-proxy-not-trusted").await;

    let app = shop().build().await;
    let mut jar = cookies(&sign_up_at(&app, "a@b.cd").await);
    for _ in 0..6 {
        jar = cookies(&app.front_at(Method::GET, API, "/auth/session/refresh").header("cookie", &jar).await);
    }
    told.check(&app, "gate-loop").await;
}

/// A shop whose mail server refuses connections.
async fn failing_mail() -> TestApp {
    let app = shop().setting("smtp_host", "127.0.0.1").setting("smtp_port", "9").build().await;
    let jar = cookies(&sign_up_at(&app, "a@b.cd").await);
    page!(app, POST "/auth/user/email/verify/token").header("cookie", &jar).await.ok();
    let round = sessiond::jobs::outbox::round(&app.context).await.unwrap();
    assert_eq!(round.failed, 1);
    app
}

#[tokio::test]
async fn findings_hold_an_example_and_no_secrets() {
    let app = shop().build().await;
    let jar = cookies(&sign_up_at(&app, "secret@b.cd").await);
    page!(app, GET "/auth/user/email/verify").header("cookie", &format!("{jar}; sAccessToken=older")).await;
    page!(app, POST "/auth/session/refresh").header("cookie", &only(&jar, "sAccessToken")).await;
    for number in 0..100 {
        let origin = format!("https://{number}.evil.example");
        app.front_at(Method::POST, API, "/auth/signin").header("origin", &origin).await;
    }
    let answer = examine(&app.context).await.unwrap();
    let origins = &answer["findings"][0];
    assert_eq!(origins["name"], "origin-not-allowed");
    assert_eq!((&origins["count"], &origins["subjects"]), (&json!(100), &json!(64)));
    assert_eq!(origins["examples"].as_array().unwrap().len(), 3);
    assert_eq!((&origins["requestId"], &origins["lastSeen"]), (&json!("test"), &json!(START.0)));
    let text = answer.to_string();
    assert!(!text.contains("secret@") && !text.contains("203.0.113.7"), "{text}");
    for part in jar.split(['=', ';', ' ']).filter(|part| part.len() > 20) {
        assert!(!text.contains(part), "{text}");
    }
    assert!(URL_SAFE_NO_PAD.decode(only(&jar, "sAccessToken").split('.').nth(1).unwrap()).is_ok(), "tokens were there");
    app.clock.advance(24 * 3_600_000 + 1);
    assert_eq!(names(&app).await, [""; 0], "what was mended is forgotten after a day");
}
