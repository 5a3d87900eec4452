//! Multitenancy: connection URI domains, apps and tenants.

mod config_thirdparty;
mod core_config;
mod interrupted;
mod life;
mod moved;
mod providers_at_rest;
mod put;
mod read;
mod remove;
mod scale;
mod sdk_setup;
mod settings;
mod tenant_user;
mod transfer;
mod white_space;

use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};

/// Creates or changes an app of the base domain.
pub(crate) async fn put_app(app: &TestApp, id: &str, core_config: Value) -> TestReply {
    app.put("/recipe/multitenancy/app/v2", json!({"appId": id, "coreConfig": core_config})).await
}

/// Creates or changes a tenant of an app (`""` for the public one).
pub(crate) async fn put_tenant(app: &TestApp, prefix: &str, id: &str, core_config: Value) -> TestReply {
    let body = json!({"tenantId": id, "coreConfig": core_config});
    app.put(&format!("{prefix}/recipe/multitenancy/tenant/v2"), body).await
}

/// Creates a connection URI domain.
async fn put_domain(app: &TestApp, name: &str, core_config: Value) -> TestReply {
    let body = json!({"connectionUriDomain": name, "coreConfig": core_config});
    app.put("/recipe/multitenancy/connectionuridomain/v2", body).await
}

#[track_caller]
fn created(reply: &TestReply, new: bool) {
    assert_eq!(reply.json(), json!({"status": "OK", "createdNew": new}), "{}", reply.body());
}
