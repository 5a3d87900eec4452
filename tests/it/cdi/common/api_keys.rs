//! API keys.

use crate::app::TestApp;

const KEY: &str = "abcdefghijklmnopqrstuvwxyz";
const OTHER: &str = "0123456789-=ABCDEFGHIJKL";
const SECRET: &str = "a-secret-of-the-provider-with-forty-characters";
/// Requires a key and nothing else.
const PATH: &str = "/recipe/session/user?userId=u";

async fn app() -> TestApp {
    TestApp::builder().setting("api_keys", &format!("{KEY}, {OTHER}")).build().await
}

#[tokio::test]
async fn without_configured_keys_anybody_may_call() {
    let app = TestApp::new().await;
    assert_eq!(app.get(PATH).await.code(), 200);
    assert_eq!(app.get(PATH).key("whatever").await.code(), 200);
}

#[tokio::test]
async fn any_configured_key_opens() {
    let app = app().await;
    for key in [KEY, OTHER] {
        assert_eq!(app.get(PATH).key(key).await.code(), 200);
        assert_eq!(app.get(PATH).key(&format!("  {key} ")).await.code(), 200);
    }
}

#[tokio::test]
async fn missing_and_wrong_keys_are_refused() {
    let app = app().await;
    app.get(PATH).await.is_text(401, "Invalid API key");
    let longer = format!("{KEY}x");
    let both = format!("{KEY},{OTHER}");
    for key in ["", "wrong", &KEY[1..], &KEY.to_uppercase(), &longer, &both] {
        app.get(PATH).key(key).await.is_text(401, "Invalid API key");
    }
}

#[tokio::test]
async fn the_authorization_header_will_do() {
    let app = app().await;
    for value in [KEY.to_owned(), format!("Bearer {KEY}"), format!("bearer  {KEY} "), format!("BEARER {KEY}")] {
        assert_eq!(app.get(PATH).header("authorization", &value).await.code(), 200, "{value}");
    }
    for value in [format!("Basic {KEY}"), format!("Bearer{KEY}"), "Bearer ".to_owned(), "Bearer".to_owned()] {
        app.get(PATH).header("authorization", &value).await.is_text(401, "Invalid API key");
    }
}

#[tokio::test]
async fn the_api_key_header_wins_even_when_it_is_wrong() {
    let app = app().await;
    let reply = app.get(PATH).key("wrong").header("authorization", KEY).await;
    reply.is_text(401, "Invalid API key");
    assert_eq!(app.get(PATH).key(KEY).header("authorization", "wrong").await.code(), 200);
}

#[tokio::test]
async fn some_endpoints_need_no_key() {
    let app = app().await;
    for path in ["/hello", "/", "/.well-known/jwks.json"] {
        assert_eq!(app.get(path).await.code(), 200, "{path}");
    }
    for path in ["/apiversion", "/metrics", "/recipe/jwt/jwks", "/telemetry", "/user/id?userId=u"] {
        app.get(path).await.is_text(401, "Invalid API key");
    }
}

#[tokio::test]
async fn the_key_is_checked_before_version_and_fields() {
    let app = app().await;
    app.get("/recipe/session").cdi("nonsense").await.is_text(401, "Invalid API key");
    app.get("/recipe/session").cdi("nonsense").key(KEY).await.is_text(400, "cdi-version header is invalid");
}

#[tokio::test]
async fn the_providers_secret_opens_every_app() {
    let app = TestApp::builder().setting("api_keys", KEY).setting("supertokens_saas_secret", SECRET).build().await;
    assert_eq!(app.get(PATH).key(SECRET).await.code(), 200);
    assert_eq!(app.get(PATH).key(KEY).await.code(), 200);
    app.get(PATH).key(&SECRET[1..]).await.is_text(401, "Invalid API key");
}

#[tokio::test]
async fn an_unknown_app_has_no_key_to_check() {
    let app = app().await;
    app.get("/appid-none/recipe/session/user?userId=u").await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (, none, public)",
    );
}

#[tokio::test]
async fn an_unknown_tenant_of_a_known_app_has_the_apps_keys() {
    app().await.get("/none/recipe/session/user?userId=u").await.is_text(401, "Invalid API key");
}
