//! Apps and tenants in the path.

use crate::app::{TestApp, new_session};
use serde_json::json;

fn unknown(app: &str, tenant: &str) -> String {
    format!(
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (, {app}, {tenant})"
    )
}

#[tokio::test]
async fn an_unknown_app_is_a_bad_request_everywhere() {
    let app = TestApp::new().await;
    for path in ["/recipe/session/user?userId=u", "/hello", "/apiversion", "/.well-known/jwks.json", "/none", ""] {
        for tenant in ["", "/t1"] {
            app.get(&format!("/appid-none{tenant}{path}")).await.is_text(400, &unknown("none", "public"));
        }
    }
    app.get("/appid-NONE/hello").await.is_text(400, &unknown("none", "public"));
    app.get("/appid-/hello").await.is_text(400, &unknown("", "public"));
}

#[tokio::test]
async fn an_unknown_tenant_is_noticed_after_the_fields() {
    let app = TestApp::new().await;
    app.post("/none/recipe/session", new_session("u")).await.is_text(400, &unknown("public", "none"));
    let reply = app.post("/none/recipe/session", json!({})).await;
    reply.is_text(400, "Field name 'userId' is invalid in JSON input");
    let body = json!({"refreshToken": "x", "enableAntiCsrf": false, "useDynamicSigningKey": true});
    app.post("/None/recipe/session/refresh", body).await.is_text(400, &unknown("public", "none"));
}

#[tokio::test]
async fn below_3_0_a_tenant_in_the_path_is_not_found() {
    let app = TestApp::new().await;
    for path in ["/t1/recipe/session", "/t1/hello", "/t1", "/t1/.well-known/jwks.json"] {
        app.get(path).cdi("2.21").await.is_text(404, "Not found");
    }
    app.post("/public/recipe/session", new_session("u")).cdi("2.21").await.ok();
    app.post("/appid-public/recipe/session", new_session("u")).cdi("2.21").await.ok();
}

#[tokio::test]
async fn below_3_0_the_tenant_is_noticed_before_the_supported_list() {
    let app = TestApp::new().await;
    app.get("/t1/recipe/session").cdi("2.6").await.is_text(404, "Not found");
    app.get("/t1/recipe/session").cdi("x").await.is_text(400, "cdi-version header is invalid");
}

#[tokio::test]
async fn from_5_0_routes_of_the_app_refuse_a_tenant_after_the_fields() {
    let app = TestApp::new().await;
    let refusal = "Only public tenantId can call this app specific API";
    let jwt = json!({"algorithm": "RS256", "jwksDomain": "x", "payload": {}, "validity": 1});
    for version in ["5.0", "5.6"] {
        app.post("/t1/recipe/jwt", jwt.clone()).cdi(version).await.is_text(403, refusal);
        let reply = app.post("/t1/recipe/jwt", json!({})).cdi(version).await;
        reply.is_text(400, "Field name 'algorithm' is invalid in JSON input");
        app.get("/t1/recipe/jwt/jwks").cdi(version).await.is_text(403, refusal);
        app.get("/t1/apiversion").cdi(version).await.is_text(403, refusal);
        app.get("/t1/recipe/session/user?userId=u").cdi(version).await.is_text(403, refusal);
        app.post("/t1/recipe/session/remove", json!({"userId": "u"})).cdi(version).await.is_text(403, refusal);
    }
    for version in ["3.0", "4.0"] {
        app.post("/t1/recipe/jwt", jwt.clone()).cdi(version).await.ok();
        app.get("/t1/recipe/jwt/jwks").cdi(version).await.ok();
        app.get("/t1/recipe/session/user?userId=u").cdi(version).await.ok();
        app.post("/t1/recipe/session/remove", json!({"userId": "u"})).cdi(version).await.ok();
    }
}

#[tokio::test]
async fn from_5_6_verify_refuses_a_tenant() {
    let app = TestApp::new().await;
    let token = app.session("u").await.access_token();
    let body = json!({"accessToken": token, "doAntiCsrfCheck": false, "enableAntiCsrf": false, "checkDatabase": false});
    app.post("/t1/recipe/session/verify", body.clone()).cdi("5.5").await.ok();
    let reply = app.post("/t1/recipe/session/verify", body.clone()).cdi("5.6").await;
    reply.is_text(403, "Only public tenantId can call this app specific API");
    app.post("/public/recipe/session/verify", body).cdi("5.6").await.ok();
}

#[tokio::test]
async fn routes_that_follow_the_handle_do_not_look_at_the_paths_tenant() {
    let app = TestApp::new().await;
    let handle = app.session("u").await.handle();
    for path in ["recipe/session", "recipe/session/data", "recipe/jwt/data"] {
        app.get(&format!("/t1/{path}?sessionHandle={handle}")).await.ok();
    }
    app.post("/t1/recipe/session/remove", json!({"sessionHandles": [handle]})).await.ok();
}
