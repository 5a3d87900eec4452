//! Which app a request is for, and where the front door opens at all.

use super::{PASSWORD, form};
use crate::app::TestApp;
use crate::cdi::multitenancy::{put_app, put_tenant};
use http::Method;
use serde_json::json;
use sessiond::config::{BaseConfig, FrontOpening};

#[tokio::test]
async fn the_host_names_the_app() {
    let app = TestApp::builder().setting("api_domain", "https://auth.example.com").build().await;
    put_app(&app, "a1", json!({"api_domain": "https://one.example.org", "app_name": "One"})).await.ok();
    put_app(&app, "a2", json!({})).await.ok();
    let issuer = async |host: &str| {
        let reply = app.front_at(Method::GET, host, "/auth/.well-known/openid-configuration").await;
        reply.json()["issuer"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(issuer("one.example.org").await, "https://one.example.org/auth");
    assert_eq!(issuer("auth.example.com").await, "https://auth.example.com/auth");
    assert_eq!(issuer("ONE.example.org:8443").await, "https://one.example.org/auth");
    // Hosts that no app has, such as a proxy's own name, are the base app's.
    assert_eq!(issuer("internal").await, "https://auth.example.com/auth");

    put_app(&app, "a1", json!({"api_domain": "https://two.example.org"})).await.ok();
    assert_eq!(issuer("two.example.org").await, "https://two.example.org/auth");
    assert_eq!(issuer("one.example.org").await, "https://auth.example.com/auth");
}

#[tokio::test]
async fn users_of_the_front_door_are_users_of_the_core() {
    let app = TestApp::builder().setting("api_domain", "https://auth.example.com").build().await;
    put_app(&app, "a1", json!({"api_domain": "https://one.example.org"})).await.ok();
    put_tenant(&app, "/appid-a1", "t1", json!({})).await.ok();
    let path = "/auth/t1/signup";
    let up = app.front_at(Method::POST, "one.example.org", path).json(&form("a@b.cd", PASSWORD)).await;
    assert_eq!(up.code(), 401, "a tenant of this generation lets nobody in by itself: {}", up.body());
    let factors = json!({"tenantId": "t1", "firstFactors": ["emailpassword"]});
    app.put("/appid-a1/recipe/multitenancy/tenant/v2", factors).await.ok();
    let up = app.front_at(Method::POST, "one.example.org", path).json(&form("a@b.cd", PASSWORD)).await.ok();
    assert_eq!(up.json()["user"]["tenantIds"], json!(["t1"]));
    let body = json!({"email": "a@b.cd", "password": PASSWORD});
    app.post("/appid-a1/t1/recipe/signin", body.clone()).await.ok();
    let elsewhere = app.post("/appid-a1/recipe/signin", body).await;
    assert_eq!(elsewhere.json()["status"], "WRONG_CREDENTIALS_ERROR");
}

#[tokio::test]
async fn without_an_address_only_names_of_this_machine_are_served() {
    let app = TestApp::new().await;
    for host in ["localhost", "127.0.0.1:3568", "[::1]:3568", "app.localhost"] {
        assert_eq!(app.front_at(Method::GET, host, "/auth/loginmethods").await.code(), 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "10.0.0.1"] {
        let refused = app.front_at(Method::GET, host, "/auth/loginmethods").await;
        assert_eq!(refused.code(), 403, "{host}");
        assert!(refused.body().contains("api_domain"), "{}", refused.body());
    }
}

#[test]
fn it_opens_by_itself_only_for_development() {
    let opening = |settings: &[(&str, &str)]| BaseConfig::with(settings, false).expect("good settings").front.opening;
    let key = ("api_keys", "abcdefghijklmnopqrstuvwx");
    assert_eq!(opening(&[]), FrontOpening::Development);
    assert_eq!(opening(&[key]), FrontOpening::Closed);
    assert_eq!(opening(&[("host", "0.0.0.0")]), FrontOpening::Closed);
    assert_eq!(opening(&[("front", "off"), ("api_domain", "https://auth.example.com")]), FrontOpening::Closed);
    assert_eq!(opening(&[("front", "on"), key]), FrontOpening::Wanted);
    assert_eq!(opening(&[key, ("api_domain", "https://auth.example.com")]), FrontOpening::Wanted);
    let refused = BaseConfig::with(&[("front_host", "0.0.0.0")], false).expect_err("a public address").to_string();
    assert!(refused.contains("'api_domain' and 'app_name'"), "{refused}");
}
