//! `GET` and `PUT /recipe/user/metadata`, `POST /recipe/user/metadata/remove`.

use super::{remove, show, update};
use crate::app::TestApp;
use crate::cdi::recipe::EVERY_VERSION;
use serde_json::json;
use sessiond::domain::ids::{AppId, UserId};
use sessiond::store::usermetadata as stored;

#[tokio::test]
async fn updates_are_merged_at_the_top_only() {
    let app = TestApp::new().await;
    assert_eq!(show(&app, "u").await, json!({}));
    let first = json!({"a": {"x": 1, "none": null}, "b": [null], "c": 1.5, "d": "ü\u{0}"});
    assert_eq!(update(&app, "u", first.clone()).await.json(), json!({"status": "OK", "metadata": first}));
    assert_eq!(show(&app, "u").await, first);
    let second = update(&app, "u", json!({"a": {"y": null}, "c": null, "never": null})).await.ok().json();
    assert_eq!(second["metadata"], json!({"a": {"y": null}, "b": [null], "d": "ü\u{0}"}));
    assert_eq!(show(&app, "u").await, second["metadata"]);
    assert_eq!(update(&app, "u", json!({})).await.json(), second);
    assert_eq!(show(&app, "v").await, json!({}));
}

#[tokio::test]
async fn numbers_and_names_come_back_as_they_were() {
    let app = TestApp::new().await;
    let text = r#"{"userId":"u","metadataUpdate":{"":0,"big":18446744073709551615,"neg":-9223372036854775808,"f":0.1,"é\"":[1.0,true]}}"#;
    let request = app.request(http::Method::PUT, "/recipe/user/metadata").body(text);
    let body = request.await.ok().body();
    let kept = r#"{"":0,"big":18446744073709551615,"neg":-9223372036854775808,"f":0.1,"é\"":[1.0,true]}"#;
    assert_eq!(body, format!("{{\"status\":\"OK\",\"metadata\":{kept}}}\n"));
    assert_eq!(app.get("/recipe/user/metadata?userId=u").await.body(), body);
}

#[tokio::test]
async fn removed_metadata_is_gone() {
    let app = TestApp::new().await;
    remove(&app, "u").await;
    update(&app, "u", json!({"a": 1})).await.ok();
    update(&app, "v", json!({"a": 1})).await.ok();
    remove(&app, "u").await;
    remove(&app, "u").await;
    assert_eq!(show(&app, "u").await, json!({}));
    assert_eq!(show(&app, "v").await, json!({"a": 1}));
}

#[tokio::test]
async fn any_text_is_a_user_id() {
    let app = TestApp::new().await;
    let long = "ü".repeat(2000);
    let users = ["", " u ", "ü\0", &"u".repeat(256), &"u".repeat(257), &format!("sha256:{}", "0".repeat(64)), &long];
    for (n, user) in users.iter().enumerate() {
        update(&app, user, json!({"n": n})).await.ok();
    }
    for (n, user) in users.iter().enumerate() {
        assert_eq!(show(&app, user).await, json!({"n": n}));
    }
    remove(&app, &long).await;
    assert_eq!(show(&app, &long).await, json!({}));
}

#[tokio::test]
async fn bad_input_is_refused() {
    let app = TestApp::new().await;
    let path = "/recipe/user/metadata";
    app.get(path).await.is_text(400, "Field name 'userId' is missing in GET request");
    let update = "Field name 'metadataUpdate' is invalid in JSON input";
    let user = "Field name 'userId' is invalid in JSON input";
    app.put(path, json!({"metadataUpdate": {}})).await.is_text(400, user);
    app.put(path, json!({"userId": null, "metadataUpdate": {}})).await.is_text(400, user);
    for wrong in [json!(null), json!([]), json!("{}"), json!(1)] {
        app.put(path, json!({"userId": "u", "metadataUpdate": wrong})).await.is_text(400, update);
    }
    app.put(path, json!({"userId": "u"})).await.is_text(400, update);
    app.post("/recipe/user/metadata/remove", json!({})).await.is_text(400, user);
    app.request(http::Method::PUT, path).body("{").await.is_text(400, "Invalid Json Input");
}

#[tokio::test]
async fn what_no_record_holds_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    let megabyte = "x".repeat(1 << 20);
    for name in ["a", "b", "c"] {
        update(&app, "u", json!({name: megabyte})).await.ok();
    }
    assert_eq!(update(&app, "u", json!({"d": megabyte})).await.code(), 413);
    let kept = show(&app, "u").await;
    assert_eq!(kept.as_object().unwrap().keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    update(&app, "u", json!({"a": null, "d": megabyte})).await.ok();
}

#[tokio::test]
async fn every_version_has_the_recipe() {
    let app = TestApp::new().await;
    for version in EVERY_VERSION {
        let body = json!({"userId": version, "metadataUpdate": {"v": version}});
        let merged = json!({"status": "OK", "metadata": {"v": version}});
        assert_eq!(app.put("/recipe/user/metadata", body).cdi(version).await.json(), merged);
        let path = format!("/recipe/user/metadata?userId={version}");
        assert_eq!(app.get(&path).cdi(version).await.json(), merged);
        let ids = json!({"userIds": [version]});
        let listed = json!({"status": "OK", "users": [{"userId": version, "metadata": {"v": version}}]});
        assert_eq!(app.post("/recipe/user/metadata/bulk", ids).cdi(version).await.json(), listed);
        app.post("/recipe/user/metadata/remove", json!({"userId": version})).cdi(version).await.ok();
        assert_eq!(app.get(&path).cdi(version).await.json()["metadata"], json!({}));
    }
}

#[tokio::test]
async fn a_tenant_in_the_path_is_refused_from_5_0_and_ignored_before() {
    let app = TestApp::new().await;
    let refused = "Only public tenantId can call this app specific API";
    let body = || json!({"userId": "u", "metadataUpdate": {"a": 1}});
    app.put("/t1/recipe/user/metadata", body()).cdi("5.0").await.is_text(403, refused);
    app.get("/t1/recipe/user/metadata?userId=u").await.is_text(403, refused);
    app.post("/t1/recipe/user/metadata/remove", json!({"userId": "u"})).await.is_text(403, refused);
    app.post("/t1/recipe/user/metadata/bulk", json!({"userIds": ["u"]})).await.is_text(403, refused);
    app.put("/t1/recipe/user/metadata", body()).cdi("4.0").await.ok();
    assert_eq!(show(&app, "u").await, json!({"a": 1}));
}

/// What deleting a user, and giving a user's data another id, will ask.
#[tokio::test]
async fn a_users_metadata_is_found_and_removed() {
    let app = TestApp::new().await;
    let user = UserId::new("u".repeat(300));
    let in_use = || async { stored::in_use(app.app.store.begin().as_mut(), &AppId::base(), &user).await.unwrap() };
    assert!(!in_use().await);
    update(&app, user.as_str(), json!({})).await.ok();
    assert!(in_use().await);
    let mut tx = app.app.store.begin();
    stored::remove_user(tx.as_mut(), &AppId::base(), &user);
    tx.commit().await.unwrap();
    assert!(!in_use().await);
}
