//! `/recipe/userid…`.

mod external_user_id_info;
mod map;
mod remove;

use crate::app::{TestApp, new_session};
use http::Method;
use serde_json::{Value, json};

/// Maps an id.
async fn map(app: &TestApp, internal: &str, external: &str) -> Value {
    app.post("/recipe/userid/map", json!({"superTokensUserId": internal, "externalUserId": external})).await.json()
}

/// The mapping of an id.
async fn mapping(app: &TestApp, query: &str) -> Value {
    app.get(&format!("/recipe/userid/map?{query}")).await.json()
}

fn unknown() -> Value {
    json!({"status": "UNKNOWN_MAPPING_ERROR"})
}

/// An app with a tenant and a role, for recipes to keep data in.
async fn with_tenant_and_role() -> TestApp {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.put("/recipe/role", json!({"role": "admin", "permissions": []})).await.ok();
    app
}

/// The recipes that keep data under an id, in the order in which they are checked: name, and how to leave data there,
/// below a tenant where that is possible.
fn recipes_that_keep(id: &str) -> [(&'static str, Method, &'static str, Value); 5] {
    let device = json!({"userId": id, "deviceName": "d", "skew": 1, "period": 30, "secretKey": "MZXW6YTB"});
    let email = json!({"userId": id, "email": "e@x.io"});
    [
        ("Session", Method::POST, "/t1/recipe/session", new_session(id)),
        ("UserMetadata", Method::PUT, "/recipe/user/metadata", json!({"userId": id, "metadataUpdate": {"n": 1}})),
        ("UserRoles", Method::PUT, "/t1/recipe/user/role", json!({"userId": id, "role": "admin"})),
        ("EmailVerification", Method::POST, "/t1/recipe/user/email/verify/token", email),
        ("TOTP", Method::POST, "/recipe/totp/device/import", device),
    ]
}
