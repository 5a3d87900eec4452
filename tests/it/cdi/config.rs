//! `GET /config`.

use crate::app::TestApp;
use serde_json::json;

const FILE: &str = "/etc/sessiond/config.yaml";

fn own() -> String {
    format!("/config?pid={}", std::process::id())
}

#[tokio::test]
async fn who_knows_the_process_is_told_its_file_without_a_key() {
    let app = TestApp::builder().setting("api_keys", "abcdefghijklmnopqrstuvwxyz").config_path(FILE).build().await;
    assert_eq!(app.get(&own()).await.json(), json!({"status": "OK", "path": FILE}));
    for pid in ["1", "0", "-1", "x", ""] {
        let reply = app.get(&format!("/config?pid={pid}")).await;
        assert_eq!(reply.json(), json!({"status": "NOT_ALLOWED"}), "{pid}");
    }
    app.get("/config").await.is_text(400, "Field name 'pid' is missing in GET request");
}

#[tokio::test]
async fn without_a_file_there_is_no_path_to_tell() {
    assert_eq!(TestApp::new().await.get(&own()).await.json(), json!({"status": "NOT_ALLOWED"}));
}

#[tokio::test]
async fn only_the_base_tenant_is_answered() {
    let app = TestApp::builder().config_path(FILE).build().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let sentence = "you can call this only from the base connection uri domain, public app and tenant";
    for prefix in ["/appid-a1", "/t1", "/none"] {
        app.get(&format!("{prefix}{}", own())).await.is_text(403, sentence);
    }
    app.get("/t1/config").await.is_text(400, "Field name 'pid' is missing in GET request");
    assert_eq!(app.get(&format!("/appid-public/public{}", own())).await.json()["status"], "OK");
}
