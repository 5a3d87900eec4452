//! Every setting of the front door that may differ between apps takes effect in the app where it was set, and nowhere
//! else.

use super::{PASSWORD, claims, cookies, form};
use crate::app::{TestApp, TestReply};
use crate::cdi::multitenancy::put_app;
use http::Method;
use serde_json::{Value, json};
use sessiond::config::settings::{Level, SECTIONS, Status};
use sessiond::jobs::outbox::round;
use std::collections::BTreeSet;

/// Values that are not the default, each with its setting.
fn changes() -> Vec<(&'static str, Value)> {
    vec![
        ("api_domain", json!("http://a1.example")),
        ("website_domain", json!("https://elsewhere.example")),
        ("website_base_path", json!("/members")),
        ("app_name", json!("Shop")),
        ("api_base_path", json!("/api/login")),
        ("api_gateway_path", json!("/gateway")),
        // The set-up has this host only; without a tenant, nobody is served there.
        ("front_tenant_hosts", json!({"a1.example": "acme"})),
        ("front_rate_limiting", json!(false)),
        ("front_rate_limits", json!(r#"{"mail": {"account": "1/h"}}"#)),
        ("recipe_list", json!("userroles,emailpassword")),
        ("cookie_domain", json!(".a1.example")),
        ("older_cookie_domain", json!("a1.example")),
        ("cookie_secure", json!("false")),
        ("cookie_same_site", json!("strict")),
        ("access_token_path", json!("/private")),
        ("anti_csrf", json!("VIA_TOKEN")),
        ("token_transfer_method", json!("header")),
        ("session_expired_status_code", json!(440)),
        ("invalid_claim_status_code", json!(460)),
        ("use_dynamic_access_token_signing_key", json!(false)),
        ("expose_access_token_to_frontend_in_cookie_based_auth", json!(true)),
        ("session_client_details", json!(false)),
        ("sign_up_form_fields", json!(r#"[{"id": "name"}]"#)),
        ("passwordless_contact_method", json!("PHONE")),
        ("passwordless_flow_type", json!("MAGIC_LINK")),
        ("first_factors", json!("custom")),
        ("account_linking", json!("always")),
        ("totp_issuer", json!("Elsewhere")),
        ("totp_default_skew", json!(2)),
        ("totp_default_period", json!(60)),
        ("refuse_common_passwords", json!(false)),
        ("sign_up", json!("off")),
        ("sign_up_allowed_domains", json!("elsewhere.example")),
        ("sign_up_blocked_domains", json!("x.io")),
        ("account_exists_api", json!(false)),
        ("skip_adding_roles_to_access_token", json!(true)),
        ("skip_adding_permissions_to_access_token", json!(true)),
    ]
}

/// All that a browser sees of an app's front door, without what is different each time.
async fn seen(app: &TestApp, host: &str) -> Value {
    app.clock.advance(1);
    let email = format!("p{}@x.io", app.context.now().0);
    let website = format!("https://www.{host}");
    let post = async |path: &str, cookie: &str, body: Value| {
        let request = app.front_at(Method::POST, host, path).header("origin", &website).header("cookie", cookie);
        request.header("st-auth-mode", "cookie").json(&body).await
    };
    let up = post("/auth/signup", "", form(&email, PASSWORD)).await;
    let jar = cookies(&up);
    let mut second = form(&format!("second-{email}"), PASSWORD);
    second["shouldTryLinkingWithSessionUser"] = json!(true);
    let device = post("/auth/totp/device", &jar, json!({})).await;
    let added: Value = serde_json::from_str(&device.body()).unwrap_or_default();
    let secret = added["secret"].as_str().unwrap_or("?");
    let devices = app.front_at(Method::GET, host, "/auth/totp/device/list").header("cookie", &jar).await;
    let allowed = up.header("access-control-allow-origin").concat().replace(host, "HOST");
    json!({
        "discovery": app.front_at(Method::GET, host, "/auth/.well-known/openid-configuration").await
            .body().replace(host, "HOST"),
        "methods": app.front_at(Method::GET, host, "/auth/loginmethods").await.body(),
        "sign-up": up.code(),
        "exists": app.front_at(Method::GET, host, &format!("/auth/emailpassword/email/exists?email={email}")).await
            .body(),
        "common password": status(&post("/auth/signup", "", form(&format!("common-{email}"), "password1")).await),
        "allowed": allowed,
        "exposed": up.header("access-control-expose-headers").concat(),
        "cookies": attributes(&up, host),
        "claims": claims_of(&up),
        "key": key_of(&up),
        "browser": browser(app, host, &up).await,
        "mail": mail(app, host, &email).await,
        "mails": mails(app, host, &email).await,
        "duplicates": post("/auth/session/refresh", "sAccessToken=1; sAccessToken=2", json!({})).await.code(),
        "linked": post("/auth/signup", &jar, second).await.code(),
        "device": device.body().replace(secret, "SECRET").replace(&email, "EMAIL"),
        "devices": devices.body(),
        "unmet": post("/auth/totp/device", &strict(app, host, &up).await, json!({})).await.code(),
        "signed out": post("/auth/signout", "", json!({})).await.code(),
    })
}

fn status(reply: &TestReply) -> Value {
    let body: Value = serde_json::from_str(&reply.body()).unwrap_or_default();
    json!([reply.code(), body["status"]])
}

/// The names of the access token's claims, if there is one.
fn claims_of(reply: &TestReply) -> Value {
    match reply.header("front-token").first() {
        Some(token) if *token != "remove" => names(&claims(reply)),
        _ => json!(null),
    }
}

/// The prefix of the core's paths for the app with this host.
fn prefix(host: &str) -> String {
    host.strip_suffix(".example").filter(|id| *id != "base").map_or_else(String::new, |id| format!("/appid-{id}"))
}

/// What is kept of the browser that has signed up.
async fn browser(app: &TestApp, host: &str, up: &TestReply) -> Value {
    if claims_of(up).is_null() {
        return json!(null);
    }
    let handle = claims(up)["sessionHandle"].clone();
    let path = format!("{}/recipe/session/timeline?sessionHandle={}", prefix(host), handle.as_str().unwrap_or("?"));
    app.get(&path).await.json()["createdFrom"].clone()
}

/// The mail with a link for a new password.
async fn mail(app: &TestApp, host: &str, email: &str) -> Value {
    let form = json!({"formFields": [{"id": "email", "value": email}]});
    app.front_at(Method::POST, host, "/auth/user/password/reset/token").json(&form).await;
    round(&app.context).await.unwrap();
    let caught = app.context.mailer.caught.list();
    app.context.mailer.caught.clear();
    let Some(mail) = caught.first() else { return json!(null) };
    let link = mail.link.as_deref().unwrap_or_default().split('?').next().unwrap_or_default().replace(host, "HOST");
    // Who it is for, and the token, are different each time.
    json!({"link": link, "names the shop": mail.text.contains("Shop")})
}

/// Requires a factor of the person that nobody can set up here; returns their cookies.
async fn strict(app: &TestApp, host: &str, up: &TestReply) -> String {
    let prefix = prefix(host);
    let body: Value = serde_json::from_str(&up.body()).unwrap_or_default();
    if let Some(user) = body["user"]["id"].as_str() {
        let update = json!({"_supertokens": {"requiredSecondaryFactors": ["otp-phone"]}});
        let body = json!({"userId": user, "metadataUpdate": update});
        app.put(&format!("{prefix}/recipe/user/metadata"), body).await.ok();
    }
    cookies(up)
}

/// How many of many requests for a mail are not refused.
async fn mails(app: &TestApp, host: &str, email: &str) -> usize {
    let form = json!({"formFields": [{"id": "email", "value": format!("nobody-{email}")}]});
    let mut passed = 0;
    for _ in 0..25 {
        let reply = app.front_at(Method::POST, host, "/auth/user/password/reset/token").json(&form).await;
        passed += usize::from(reply.code() != 429);
    }
    passed
}

fn attributes(reply: &TestReply, host: &str) -> Vec<String> {
    let lines = reply.header("set-cookie").into_iter();
    let attributes = lines.filter_map(|line| Some(line.split_once(';')?.1.replace(host, "HOST")));
    // The expiry follows from the clock.
    let without = |line: String| line.split(';').filter(|part| !part.contains("Expires")).collect::<String>();
    attributes.map(without).collect()
}

fn names(claims: &Value) -> Value {
    json!(claims.as_object().unwrap().keys().collect::<Vec<_>>())
}

/// The first letter of the key's name: dynamic or static.
fn key_of(reply: &TestReply) -> Option<char> {
    use base64::Engine;
    let lines = reply.header("set-cookie");
    let cookie = lines.iter().find_map(|line| line.strip_prefix("sAccessToken="))?.split('.').next()?.to_owned();
    let head = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(cookie).ok()?;
    serde_json::from_slice::<Value>(&head).ok()?["kid"].as_str()?.chars().next()
}

async fn server() -> TestApp {
    let app = TestApp::builder()
        .setting("api_domain", "https://base.example")
        .setting("website_domain", "https://www.base.example")
        .setting("recipe_list", "emailverification,userroles,emailpassword,passwordless,multifactorauth,totp")
        .setting("bcrypt_log_rounds", "4")
        .build()
        .await;
    for id in ["a1", "a2"] {
        let domain = |start: &str| format!("https://{start}{id}.example");
        put_app(&app, id, json!({"api_domain": domain(""), "website_domain": domain("www.")})).await.ok();
    }
    app
}

#[test]
fn every_setting_that_may_differ_is_tried() {
    let sections = SECTIONS.iter().filter(|section| section.title.starts_with("Front door"));
    let settings = sections.flat_map(|section| section.settings);
    let differing = settings.filter(|setting| setting.level != Level::Core && setting.status == Status::Used);
    let expected: BTreeSet<_> = differing.map(|setting| setting.key).collect();
    assert_eq!(changes().into_iter().map(|(key, _)| key).collect::<BTreeSet<_>>(), expected);
}

#[tokio::test]
async fn an_apps_setting_acts_in_that_app_alone() {
    for (key, value) in changes() {
        let app = server().await;
        let usual = seen(&app, "a1.example").await;
        assert_eq!(seen(&app, "a2.example").await, usual, "{key}");
        assert_eq!(seen(&app, "base.example").await, usual, "{key}");
        put_app(&app, "a1", json!({key: value})).await.ok();
        assert_ne!(seen(&app, "a1.example").await, usual, "{key} has no effect");
        assert_eq!(seen(&app, "a2.example").await, usual, "{key} acts in another app");
        assert_eq!(seen(&app, "base.example").await, usual, "{key} acts in the base app");
    }
}

#[tokio::test]
async fn bad_settings_are_refused_with_their_place() {
    let app = server().await;
    for (settings, place) in [
        (json!({"api_domain": "https://a.io/path"}), "'api_domain' must be an origin"),
        (json!({"api_domain": "https://co.uk"}), "'api_domain' must not be a public suffix"),
        (json!({"website_domain": "https://a.io, ftp://b.io"}), "'website_domain' must be an origin"),
        (json!({"recipe_list": "emailpassword,nothing"}), "'nothing' is none"),
        (json!({"recipe_list": "emailpassword,emailpassword"}), "names emailpassword twice"),
        (json!({"cookie_domain": "elsewhere.example"}), "'cookie_domain' must be the host of 'api_domain'"),
        (json!({"cookie_domain": "a b"}), "'cookie_domain' must be a domain"),
        (json!({"session_expired_status_code": 403}), "must be different"),
        (json!({"session_expired_status_code": 429}), "'session_expired_status_code' must not be 429"),
        (json!({"front_rate_limits": "[]"}), "front_rate_limits must be an object"),
        (json!({"front_rate_limits": {"signin": {}}}), "front_rate_limits.signin is unknown: the actions are sign_in,"),
        (json!({"front_rate_limits": {"text": 1}}), "front_rate_limits.text must be an object"),
        (json!({"front_rate_limits": {"text": {"account": 5}}}), "front_rate_limits.text.account must be a rate"),
        (json!({"front_rate_limits": {"text": {"app": "5/w"}}}), "front_rate_limits.text.app must be a rate"),
        (json!({"front_rate_limits": {"mail": {"country": "5/h"}}}), "front_rate_limits.mail.country is unknown"),
        (json!({"front_tenant_hosts": {"a.io": "b_c"}}), "front_tenant_hosts[\"a.io\"] must be the id of a tenant"),
        (json!({"session_expired_status_code": 200}), "'session_expired_status_code' must be between 400 and 499"),
        (json!({"sign_up_form_fields": "[{\"name\": 1}]"}), "sign_up_form_fields[0] is no field of a form"),
        (json!({"sign_up_form_fields": "[{\"id\": \"\"}]"}), "sign_up_form_fields[0].id must not be empty"),
        (
            json!({"sign_up_form_fields": "[{\"id\":\"a\"},{\"id\":\"a\"}]"}),
            "sign_up_form_fields[1].id is that of an earlier field",
        ),
        (json!({"recipe_list": "emailpassword,totp"}), "'recipe_list' with totp needs multifactorauth"),
        (
            json!({"recipe_list": "emailpassword", "account_linking": "verified"}),
            "'account_linking' can be verified only with emailverification",
        ),
        (json!({"totp_issuer": "x".repeat(101)}), "'totp_issuer' must have 1 to 100 bytes"),
        (json!({"totp_default_period": 0}), "'totp_default_period' must be"),
        (json!({"first_factors": " , "}), "'first_factors' must name a factor"),
        (json!({"sign_up_allowed_domains": "a.io, b c"}), "'sign_up_allowed_domains' must be a comma-separated list"),
        (json!({"sign_up_blocked_domains": "*.a.io"}), "'*.a.io' is none"),
        (json!({"sign_up": "maybe"}), "sign_up"),
        (json!({"api_base_path": "/a b"}), "Invalid characters in api_base_path config"),
    ] {
        let refused = put_app(&app, "a1", settings.clone()).await;
        assert!(refused.body().contains(place), "{settings}: {}", refused.body());
    }
}
