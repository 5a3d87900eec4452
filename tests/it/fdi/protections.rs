//! Protections that have no module of their own; docs/security.md lists which test fails without which protection.

use super::linking::{by_code, make_primary};
use super::{PASSWORD, cookies, form, sign_up, sign_up_by_header};
use crate::app::{TestApp, TestAppBuilder};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::json;

const SHOP: &str = "https://www.shop.example";

fn shop() -> TestAppBuilder {
    TestApp::builder().setting("api_domain", "https://api.shop.example").setting("website_domain", SHOP)
}

#[tokio::test]
async fn via_custom_header_a_request_without_rid_does_nothing() {
    let app = shop().setting("anti_csrf", "VIA_CUSTOM_HEADER").build().await;
    let jar = cookies(&sign_up(&app, "a@b.cd").await);
    let send = |path: &str| app.front(Method::POST, path).header("cookie", &jar);
    for path in ["/auth/session/refresh", "/auth/signout"] {
        let refused = send(path).await;
        assert_eq!(refused.code(), 401, "{path}: {}", refused.body());
        assert!(refused.header("front-token").iter().all(|token| *token == "remove"), "{path}");
    }
    let alive = app.front(Method::GET, "/auth/user/email/verify").header("cookie", &jar).await;
    assert_eq!(alive.code(), 200, "reading needs none, and nobody was signed out: {}", alive.body());
    assert_eq!(send("/auth/session/refresh").header("rid", "session").await.code(), 200);
}

#[tokio::test]
async fn a_request_with_two_origins_is_a_strangers() {
    let app = shop().build().await;
    let sign_up = || app.front(Method::POST, "/auth/signup").header("origin", SHOP);
    let refused = sign_up().header("origin", "https://evil.example").json(&form("a@b.cd", PASSWORD)).await;
    assert_eq!(refused.code(), 403, "{}", refused.body());
    assert_eq!(sign_up().json(&form("a@b.cd", PASSWORD)).await.ok().json()["status"], "OK");
}

#[tokio::test]
async fn apples_callback_leads_to_the_websites_pages_alone() {
    let app = shop().setting("recipe_list", "thirdparty").build().await;
    let call = async |page: &str| {
        let state = STANDARD.encode(json!({ "frontendRedirectURI": page }).to_string());
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("state", &state).append_pair("code", "c");
        app.front(Method::POST, "/auth/callback/apple").body(form.finish()).await
    };
    let own = call("https://www.shop.example/auth/callback/apple").await;
    assert_eq!(own.code(), 303, "{}", own.body());
    assert!(own.header("location")[0].starts_with("https://www.shop.example/auth/callback/apple?"));
    for page in [
        "https://evil.example/",
        "https://www.shop.example.evil.example/",
        "http://www.shop.example/",
        "https://www.shop.example:444/",
        "https://www.shop.example@evil.example/",
        "//evil.example/",
        "javascript:alert(1)",
    ] {
        let refused = call(page).await;
        assert_eq!((refused.code(), refused.header("location").len()), (400, 0), "{page}: {}", refused.body());
    }
}

#[tokio::test]
async fn denied_addresses_are_refused_at_the_front_door() {
    let app = shop().setting("ip_deny_regex", r"192\.0\.2\..*").setting("trusted_proxies", "10.0.0.1").build().await;
    let read = |peer: &str| app.front(Method::GET, "/auth/loginmethods").from(peer);
    assert_eq!(read("192.0.2.1").await.code(), 403);
    assert_eq!(read("10.0.0.1").header("x-forwarded-for", "192.0.2.1").await.code(), 403);
    assert_eq!(read("198.51.100.1").await.code(), 200);
    // Nobody gets others locked out, or in, by a header of their own.
    assert_eq!(read("198.51.100.1").header("x-forwarded-for", "192.0.2.1").await.code(), 200);
    assert_eq!(read("192.0.2.1").header("x-forwarded-for", "198.51.100.1").await.code(), 403);
}

#[tokio::test]
async fn no_link_for_a_new_password_goes_to_an_address_that_is_not_shown_to_be_the_persons() {
    let app = TestApp::builder().setting("account_linking", "verified").build().await;
    let password = sign_up_by_header(&app, "planted@b.cd").await.text_at("/user/id");
    let owner = by_code(&app, "owner@b.cd").await;
    make_primary(&app, &owner).await;
    let link = json!({"recipeUserId": password, "primaryUserId": owner});
    assert_eq!(app.post("/recipe/accountlinking/user/link", link).await.ok().json()["status"], "OK");
    let ask = app.front(Method::POST, "/auth/user/password/reset/token");
    let refused = ask.json(&json!({"formFields": [{"id": "email", "value": "planted@b.cd"}]})).await;
    assert_eq!(refused.json()["status"], "PASSWORD_RESET_NOT_ALLOWED", "{}", refused.body());
}

#[tokio::test]
async fn a_name_that_is_pointed_at_a_development_server_reads_no_caught_mail() {
    let app = TestApp::builder().setting("api_domain", "http://localhost:3568").build().await;
    for (host, code) in [("localhost", 200), ("evil.example", 404)] {
        assert_eq!(app.front_at(Method::GET, host, "/auth/dev/mail.json").await.code(), code, "{host}");
    }
}
