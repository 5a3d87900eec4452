//! Rules about who may sign up hold for accounts at providers.

use super::own;
use super::provider::{CLIENT, Signer, TestProvider};
use crate::app::{TestApp, TestReply};
use http::Method;
use serde_json::json;

const RECIPES: &str = "emailverification,emailpassword,thirdparty";

async fn app(provider: &TestProvider, rule: (&str, &str)) -> TestApp {
    TestApp::builder()
        .setting("recipe_list", RECIPES)
        .setting("third_party_providers", &json!([own(provider)]).to_string())
        .setting("provider_private_networks", "127.0.0.0/8")
        .setting(rule.0, rule.1)
        .build()
        .await
}

/// Signs in with an id token of the provider.
async fn sign_in(app: &TestApp, provider: &TestProvider, signer: &Signer) -> TestReply {
    let tokens = json!({"id_token": signer.token(&provider.claims())});
    let body = json!({"thirdPartyId": "own", "oAuthTokens": tokens});
    app.front(Method::POST, "/auth/signinup").json(&body).await
}

#[tokio::test]
async fn nobody_new_comes_in_where_sign_up_is_closed_to_them() {
    let (provider, signer) = (TestProvider::start().await, Signer::new("a"));
    provider.says("/keys", &json!({"keys": [signer.jwk()]}));
    assert_eq!(provider.claims()["aud"], CLIENT);
    for rule in [("sign_up", "off"), ("sign_up_allowed_domains", "shop.example"), ("sign_up_blocked_domains", "X.io")] {
        let app = app(&provider, rule).await;
        let refused = sign_in(&app, &provider, &signer).await;
        assert_eq!(refused.json()["status"], "SIGN_IN_UP_NOT_ALLOWED", "{rule:?}");
        let reason = refused.text_at("/reason");
        assert!(reason.starts_with("Signing up is not possible"), "{reason}");
        assert_eq!(app.get("/users/count").await.ok().json()["count"], 0, "{rule:?}");

        // Whoever has an account signs in.
        let subject = provider.claims()["sub"].clone();
        let account =
            json!({"thirdPartyId": "own", "thirdPartyUserId": subject, "email": {"id": "p@x.io", "isVerified": true}});
        app.post("/recipe/signinup", account).await.ok();
        let known = sign_in(&app, &provider, &signer).await;
        assert_eq!(known.json()["status"], "OK", "{rule:?}: {}", known.body());
    }
    let open = app(&provider, ("sign_up_allowed_domains", "x.io")).await;
    assert_eq!(sign_in(&open, &provider, &signer).await.json()["status"], "OK");
}

#[tokio::test]
async fn signing_up_or_in_is_one_commit() {
    let (provider, signer) = (TestProvider::start().await, Signer::new("a"));
    provider.says("/keys", &json!({"keys": [signer.jwk()]}));
    for rule in ["off", "verified", "always"] {
        let app = app(&provider, ("account_linking", rule)).await;
        app.session("somebody").await;
        for is_new in [true, false] {
            let before = app.context.store.stats().commits;
            let reply = sign_in(&app, &provider, &signer).await.ok();
            assert_eq!(app.context.store.stats().commits, before + 1, "{rule}");
            assert_eq!(reply.json()["createdNewRecipeUser"], is_new, "{rule}");
            assert!(!reply.header("front-token").is_empty(), "{rule}");
        }
    }
}
