//! Recipes of the protocol that are not there yet.

use crate::app::TestApp;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn their_routes_say_so() {
    let app = TestApp::new().await;
    let reply = app.post("/recipe/webauthn/options/register", json!({"email": "a@example.org"})).await;
    reply.is_text(501, "WebAuthn (passkeys) is not available in sessiond yet");
    let reply = app.get("/recipe/oauth/clients/list").await;
    reply.is_text(501, "The OAuth2 provider is not available in sessiond yet");
    let reply = app.post("/recipe/saml/login", json!({})).await;
    reply.is_text(501, "SAML is not available in sessiond yet");
}

#[tokio::test]
async fn what_the_protocol_does_not_name_is_unknown_as_everywhere() {
    let app = TestApp::new().await;
    app.get("/recipe/webauthn").await.is_text(404, "Not found");
    app.request(Method::DELETE, "/recipe/saml/login").await.is_text(405, "Method not supported");
    app.post("/none/recipe/saml/login", json!({})).await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (, public, none)",
    );
}

#[tokio::test]
async fn a_key_is_asked_for_first() {
    let app = TestApp::builder().setting("api_keys", "a-key-of-twenty-characters").build().await;
    app.get("/recipe/oauth/clients/list").await.is_text(401, "Invalid API key");
    app.get("/.well-known/sp-metadata").await.is_text(501, "SAML is not available in sessiond yet");
}
