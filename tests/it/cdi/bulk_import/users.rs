//! `/bulk-import/users`, `…/count` and `…/remove`.

use super::{add, added, by_hash, by_number, count, list, run, values, with_method, wrong};
use crate::app::TestApp;
use serde_json::json;
use sessiond::store::Keyspace;

#[tokio::test]
async fn users_wait_under_the_ids_that_will_be_theirs() {
    let app = TestApp::new().await;
    let ids = added(&app, (0..3).map(by_number).collect()).await;
    assert_eq!(ids.len(), 3);
    let now = app.context.now();
    let mut shown = by_number(2);
    shown.as_object_mut().unwrap().extend(
        [("id", json!(ids[2])), ("status", json!("NEW")), ("createdAt", json!(now)), ("updatedAt", json!(now))]
            .map(|(name, value)| (name.to_owned(), value)),
    );
    assert_eq!(list(&app, "?limit=1").await["users"], json!([shown]), "newest first");
    assert_eq!(app.who_is(&ids[0]).await, json!(null));
    assert_eq!(run(&app).await, (3, 0));
    for id in &ids {
        assert_eq!(app.who_is(id).await["id"], json!(id));
    }
    assert_eq!((count(&app, "").await, list(&app, "").await["users"].clone()), (0, json!([])));
}

#[tokio::test]
async fn pages_follow_each_other() {
    let app = TestApp::new().await;
    let mut ids = Vec::new();
    for part in 0..3 {
        ids.extend(added(&app, (0..7).map(|number| by_number(part * 7 + number)).collect()).await);
        app.clock.advance(5);
    }
    ids.reverse();
    for query in ["", "&status=NEW"] {
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = list(&app, &format!("?limit=6{query}{token}")).await;
            seen.extend(page["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["nextPaginationToken"].as_str() else { break };
            token = format!("&paginationToken={}", next.replace('+', "%2B").replace('=', "%3D"));
        }
        assert_eq!(seen, ids, "{query}");
    }
    assert_eq!(list(&app, "?limit=21").await.get("nextPaginationToken"), None);
    assert_eq!(list(&app, "?status=FAILED").await["users"], json!([]));
    let counts = [count(&app, "").await, count(&app, "?status=NEW").await, count(&app, "?status=PROCESSING").await];
    assert_eq!(counts, [21, 21, 0]);
}

#[tokio::test]
async fn bad_queries_are_refused() {
    let app = TestApp::new().await;
    let get = async |query: &str| app.get(&format!("/bulk-import/users?{query}")).await;
    get("limit=0").await.is_text(400, "limit must a positive integer with min value 1");
    get("limit=-1").await.is_text(400, "limit must a positive integer with min value 1");
    get("limit=501").await.is_text(400, "Max limit allowed is 500");
    get("limit=x").await.is_text(400, "Field name 'limit' must be an int in the GET request");
    get("status=new").await.is_text(400, "Invalid value for status. Pass one of NEW, PROCESSING, or FAILED!");
    get("paginationToken=x").await.is_text(400, "invalid pagination token");
    let status = app.get("/bulk-import/users/count?status=DONE").await;
    status.is_text(400, "Invalid value for status. Pass one of NEW, PROCESSING, or FAILED!");
}

#[tokio::test]
async fn users_are_removed_before_they_are_imported() {
    let app = TestApp::new().await;
    let ids = added(&app, (0..3).map(by_number).collect()).await;
    let remove = async |ids: serde_json::Value| app.post("/bulk-import/users/remove", json!({ "ids": ids })).await;
    let unknown = "018f0000-0000-7000-8000-000000000000";
    let reply = remove(json!([ids[1], "x", unknown])).await.json();
    assert_eq!(reply, json!({"deletedIds": [ids[1]], "invalidIds": ["x", unknown]}));
    assert_eq!(run(&app).await, (2, 0));
    assert_eq!(app.who_is(&ids[1]).await, json!(null));
    let gone = remove(json!([ids[0], ids[1]])).await.json();
    assert_eq!(gone, json!({"deletedIds": [], "invalidIds": [ids[0], ids[1]]}), "imported users remain");
    assert_eq!(app.who_is(&ids[0]).await["id"], json!(ids[0]));
    assert_eq!(remove(json!([])).await.json(), json!({"deletedIds": [], "invalidIds": []}));
    remove(json!([""])).await.is_text(400, "Field name 'ids' cannot contain an empty string");
    remove(json!([1])).await.is_text(400, "Field name 'ids' is invalid in JSON input");
    remove(json!(vec!["x"; 501])).await.is_text(400, "Field name 'ids' cannot contain more than 500 elements");
}

#[tokio::test]
async fn ten_thousand_at_once_and_no_more() {
    let app = TestApp::builder().setting("max_request_body_kb", "8192").build().await;
    let reply = add(&app, (0..10_001).map(by_number).collect()).await;
    assert_eq!(wrong(&reply), json!({"error": "You can only add 10000 users at a time."}));
    assert_eq!(add(&app, Vec::new()).await.json(), json!({"status": "OK"}));
    assert_eq!(added(&app, (0..10_000).map(by_number).collect()).await.len(), 10_000);
    assert_eq!(count(&app, "").await, 10_000);
    for (query, shown) in [("", 100), ("?limit=500", 500)] {
        assert_eq!(list(&app, query).await["users"].as_array().unwrap().len(), shown, "{query}");
    }
    let not_objects = app.post("/bulk-import/users", json!({"users": [1]})).await;
    not_objects.is_text(400, "Field name 'users' is invalid in JSON input");
    app.post("/bulk-import/users", json!({})).await.is_text(400, "Field name 'users' is invalid in JSON input");
}

#[tokio::test]
async fn one_bad_user_keeps_all_of_them_out() {
    let app = TestApp::new().await;
    let reply = add(&app, vec![by_number(1), json!({}), by_number(2), json!({"loginMethods": []})]).await;
    let told = json!({
        "error": "Data has missing or invalid fields. Please check the users field for more details.",
        "users": [
            {"index": 1, "errors": ["loginMethods is required."]},
            {"index": 3, "errors": ["At least one loginMethod is required."]},
        ],
    });
    assert_eq!(wrong(&reply), told);
    assert_eq!(count(&app, "").await, 0);
}

#[tokio::test]
async fn who_waits_keeps_secrets_from_store_and_callers() {
    let app = TestApp::new().await;
    let mut user =
        with_method(json!({"recipeId": "emailpassword", "email": "a@x.io", "plainTextPassword": "pass-of-a"}));
    user["totpDevices"] = json!([{"secretKey": "GEZDGNBVGY3TQOJQ", "deviceName": "phone"}]);
    added(&app, vec![user, with_method(by_hash("b@x.io"))]).await;
    for value in values(&app, Keyspace::BulkImport).await {
        let text = String::from_utf8_lossy(&value);
        assert!(!["pass-of-a", "GEZDGNB", "$2a$06", "a@x.io"].iter().any(|secret| text.contains(secret)), "{text}");
    }
    let shown = list(&app, "").await;
    let text = shown.to_string();
    assert!(!["pass-of-a", "GEZDGNB", "$2a$06"].iter().any(|secret| text.contains(secret)), "{text}");
    assert_eq!(shown["users"][1]["totpDevices"], json!([{"deviceName": "phone"}]));
    assert_eq!(shown["users"][0]["loginMethods"][0]["email"], "b@x.io");
}

#[tokio::test]
async fn users_wait_in_their_app_and_below_no_tenant() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    app.post("/appid-a1/bulk-import/users", json!({"users": [by_number(1)]})).await.ok();
    added(&app, vec![by_number(1), by_number(2)]).await;
    assert_eq!(count(&app, "").await, 2);
    assert_eq!(run(&app).await, (3, 0));
    let of_app = app.get("/appid-a1/users/count").await.json();
    assert_eq!((of_app["count"].clone(), app.get("/users/count").await.json()["count"].clone()), (json!(1), json!(2)));
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let below = app.post("/t1/bulk-import/users", json!({"users": [by_number(3)]})).await;
    below.is_text(403, "Only public tenantId can call this app specific API");
    app.post("/appid-a1/bulk-import/users", json!({"users": [by_number(3)]})).await.ok();
    app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
    assert_eq!([app.rows(Keyspace::BulkImport).await, app.rows(Keyspace::BulkImportByStatus).await], [0, 0]);
}

#[tokio::test]
async fn nobody_waits_in_memory() {
    let app = TestApp::builder().setting("ephemeral", "true").build().await;
    const REFUSED: &str = "This API is not supported in the in-memory database.";
    add(&app, vec![by_number(1)]).await.is_text(400, REFUSED);
    app.get("/bulk-import/users").await.is_text(400, REFUSED);
    app.get("/bulk-import/users/count").await.is_text(400, REFUSED);
    app.post("/bulk-import/users/remove", json!({"ids": []})).await.is_text(400, REFUSED);
    app.post("/bulk-import/import", by_number(1)).await.is_text(400, REFUSED);
}
