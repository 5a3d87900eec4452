//! `GET` and `PUT /recipe/user/metadata`, `POST /recipe/user/metadata/remove`.

use super::{remove, show, update};
use crate::app::TestApp;
use crate::cdi::recipe::EVERY_VERSION;
use crate::people::{by_password, mapped};
use crate::refused::{post, put};
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
    update(&app, "u", json!({"a": 1})).await.ok();
    let invalid = "Field name 'metadataUpdate' is invalid in JSON input";
    for version in ["2.13", "3.1", "5.6"] {
        let good = put(path, version, json!({"userId": "u", "metadataUpdate": {"a": 2}}));
        app.wants_texts(&good, &["userId"]).await;
        for wrong in [json!(null), json!([]), json!([{}]), json!("{}"), json!(1), json!(true)] {
            app.refuses_each(&good, &[(json!({"metadataUpdate": wrong}), invalid)]).await;
        }
        app.refuses(&good, "", r#"{"userId":"u"}"#, (400, invalid)).await;
        // Text that is not a number, and half of a surrogate pair.
        let (number, half) =
            ("it has a number beyond 1.8e308", "it has half of a surrogate pair (such as \\ud83d alone)");
        let half = format!("{half}: text that was cut inside a character");
        for (wrong, reason) in [(r#"{"a":1e999}"#, number), (r#"{"a":"\ud83d"}"#, &half), (r#"{"\ud83d":1}"#, &half)] {
            let body = format!(r#"{{"userId":"u","metadataUpdate":{wrong}}}"#);
            app.refuses(&good, "", &body, (400, &format!("{invalid}: {reason}"))).await;
        }
        app.wants_texts(&post("/recipe/user/metadata/remove", version, json!({"userId": "u"})), &["userId"]).await;
    }
    assert_eq!(show(&app, "u").await, json!({"a": 1}));
}

#[tokio::test]
async fn of_a_member_that_is_sent_twice_the_last_counts() {
    let app = TestApp::new().await;
    let body = r#"{"metadataUpdate":{"a":0},"userId":"v","userId":"u","metadataUpdate":{"a":1,"b":2,"a":null,"b":3}}"#;
    let reply = app.request(http::Method::PUT, "/recipe/user/metadata").body(body).await.ok();
    assert_eq!(reply.json()["metadata"], json!({"b": 3}));
    assert_eq!(show(&app, "u").await, json!({"b": 3}));
    assert_eq!(show(&app, "v").await, json!({}));
    let shown = app.get("/recipe/user/metadata?userId=u&userId=v").await.ok().json();
    assert_eq!(shown["metadata"], json!({"b": 3}), "the first value of a parameter counts");
}

#[tokio::test]
async fn it_stands_under_the_id_that_is_given_in_one_app() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
    update(&app, "mine", json!({"n": 1})).await.ok();
    update(&app, "a", json!({"n": 2})).await.ok();
    assert_eq!((show(&app, "mine").await, show(&app, "a").await), (json!({"n": 1}), json!({"n": 2})));
    let path = "/appid-a1/recipe/user/metadata";
    assert_eq!(app.get(&format!("{path}?userId=mine")).await.json()["metadata"], json!({}));
    let body = json!({"userId": "mine", "metadataUpdate": {"n": 3}});
    assert_eq!(app.put(path, body).await.json(), json!({"status": "OK", "metadata": {"n": 3}}));
    let bulk = app.post(&format!("{path}/bulk"), json!({"userIds": ["mine", "a"]})).await.ok().json();
    assert_eq!(bulk["users"], json!([{"userId": "mine", "metadata": {"n": 3}}, {"userId": "a", "metadata": null}]));
    app.post(&format!("{path}/remove"), json!({"userId": "mine"})).await.ok();
    assert_eq!((show(&app, "mine").await, show(&app, "a").await), (json!({"n": 1}), json!({"n": 2})));
    remove(&app, "a").await;
    assert_eq!((show(&app, "mine").await, show(&app, "a").await), (json!({"n": 1}), json!({})));
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
    update(&app, "u", json!({"b": 1})).await.ok();
    for version in ["5.0", "5.6"] {
        for good in [
            put("/recipe/user/metadata", version, body()),
            post("/recipe/user/metadata/remove", version, json!({"userId": "u"})),
            post("/recipe/user/metadata/bulk", version, json!({"userIds": ["u"]})),
        ] {
            app.refuses(&good, "/t1", &good.body.to_string(), (403, refused)).await;
        }
        app.get("/t1/recipe/user/metadata?userId=u").cdi(version).await.is_text(403, refused);
    }
    app.post("/t1/recipe/user/metadata/remove", json!({"userId": "u"})).cdi("4.0").await.ok();
    assert_eq!(show(&app, "u").await, json!({}));
    app.put("/t1/recipe/user/metadata", body()).cdi("4.0").await.ok();
    assert_eq!(show(&app, "u").await, json!({"a": 1}));
}

/// The functions that deleting a user and renaming a user's data will call.
#[tokio::test]
async fn a_users_metadata_is_found_and_removed() {
    let app = TestApp::new().await;
    let user = UserId::new("u".repeat(300));
    let in_use = || async { stored::in_use(app.context.store.begin().as_mut(), &AppId::base(), &user).await.unwrap() };
    assert!(!in_use().await);
    update(&app, user.as_str(), json!({})).await.ok();
    assert!(in_use().await);
    let mut tx = app.context.store.begin();
    stored::remove_user(tx.as_mut(), &AppId::base(), &user);
    tx.commit().await.unwrap();
    assert!(!in_use().await);
}
