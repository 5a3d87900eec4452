//! `/recipe/userid…`.

mod external_user_id_info;
mod map;
mod remove;

use crate::app::TestApp;
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
