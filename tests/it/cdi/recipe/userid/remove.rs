//! `POST /recipe/userid/map/remove`.

use super::{mapping, recipes_that_keep, unknown, with_tenant_and_role};
use crate::app::TestApp;
use crate::people::{by_password, mapped};
use serde_json::{Value, json};

const PATH: &str = "/recipe/userid/map/remove";

async fn remove(app: &TestApp, body: Value) -> Value {
    app.post(PATH, body).await.json()
}

fn existed(existed: bool) -> Value {
    json!({"status": "OK", "didMappingExist": existed})
}

#[tokio::test]
async fn it_removes_by_either_id() {
    for (id, id_type) in [("a", "ANY"), ("mine", "ANY"), ("a", "SUPERTOKENS"), ("mine", "EXTERNAL")] {
        let app = TestApp::new().await;
        app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
        let body = json!({"userId": id, "userIdType": id_type});
        assert_eq!(remove(&app, body.clone()).await, existed(true));
        assert_eq!(remove(&app, body).await, existed(false));
        assert_eq!(mapping(&app, "userId=a").await, unknown());
        assert_eq!(app.who_is("a").await["id"], "a");
    }
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
    for (id, id_type) in [("a", "EXTERNAL"), ("mine", "SUPERTOKENS"), ("x", "ANY")] {
        assert_eq!(remove(&app, json!({"userId": id, "userIdType": id_type})).await, existed(false));
    }
}

#[tokio::test]
async fn an_external_id_in_use_is_kept_unless_forced() {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
    app.session("mine").await;
    for id in ["a", "mine"] {
        app.post(PATH, json!({"userId": id})).await.is_text(400, "UserId is already in use in Session recipe");
    }
    assert_eq!(remove(&app, json!({"userId": "a", "force": true})).await, existed(true));
}

#[tokio::test]
async fn sessions_under_the_external_id_end_with_the_mapping() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), by_password("b", 2, "b@x.io")]).await;
    let (before, other) = (app.session("a").await.handle(), app.session("b").await.handle());
    app.post("/recipe/userid/map", json!({"superTokensUserId": "a", "externalUserId": "mine", "force": true}))
        .await
        .ok();
    // More than one transaction can end.
    for _ in 0..150 {
        app.session("mine").await;
    }
    let last = app.session("mine").await;
    assert_eq!(app.sessions_of("a").await.len(), 152);
    let commits = app.context.store.stats().commits;
    assert_eq!(remove(&app, json!({"userId": "mine", "force": true})).await, existed(true));
    assert!(app.context.store.stats().commits >= commits + 3, "64 at a time");
    assert_eq!(app.sessions_of("a").await, [before.as_str()], "a session started under the internal id continues");
    assert_eq!(app.sessions_of("mine").await, Vec::<String>::new());
    assert_eq!(app.sessions_of("b").await, [other]);
    let gone = app.get(&format!("/recipe/session?sessionHandle={}", last.handle())).await.json();
    assert_eq!(gone["status"], "UNAUTHORISED");
    let told = app.get(&format!("/recipe/session/timeline?sessionHandle={}", last.handle())).await.json();
    let end = told["events"].as_array().unwrap().last().unwrap();
    assert_eq!(end["event"], "revoked", "{told}");
    assert_eq!(end["call"], "POST /recipe/userid/map/remove");
    app.post("/user/remove", json!({"userId": "a"})).await.ok();
    assert_eq!(app.sessions_of("a").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_is_left_behind_that_begins_beside_the_removal() {
    for round in 0..30 {
        let app = TestApp::new().await;
        app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
        let beside: Vec<_> = (0..3)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move { app.session("a").await.handle() })
            })
            .collect();
        let body = json!({"userId": "a", "force": round % 2 == 0});
        let removed = app.post(PATH, body).await;
        for session in beside {
            session.await.unwrap();
        }
        if removed.code() == 200 {
            assert_eq!(app.sessions_of("mine").await, Vec::<String>::new(), "{round}: they are the user's, or gone");
        }
    }
}

#[tokio::test]
async fn what_stands_under_an_id_that_is_internal_too_is_no_obstacle() {
    let app = TestApp::new().await;
    app.people([by_password("b", 1, "b@x.io"), mapped("b", by_password("a", 1, "a@x.io"))]).await;
    app.session("b").await;
    assert_eq!(remove(&app, json!({"userId": "a"})).await, existed(true));
    assert_eq!(app.sessions_of("b").await.len(), 1, "it belongs to the user whose internal id it is");
}

#[tokio::test]
async fn bad_fields_are_refused() {
    let app = TestApp::new().await;
    app.post(PATH, json!({"userId": ""})).await.is_text(400, "Field name 'userId' cannot be an empty String");
    app.post(PATH, json!({"userId": "a", "userIdType": "BOTH"}))
        .await
        .is_text(400, "Field name 'userIdType' should be one of 'SUPERTOKENS', 'EXTERNAL' or 'ANY'");
    app.post(PATH, json!({"userId": "a", "force": 1}))
        .await
        .is_text(400, "Field name 'force' is invalid in JSON input");
}

#[tokio::test]
async fn whatever_stands_under_the_external_id_keeps_it_in_any_tenant() {
    let recipes = recipes_that_keep("mine");
    for (first, (recipe, ..)) in recipes.iter().enumerate() {
        let app = with_tenant_and_role().await;
        app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
        for (kept_by, method, path, body) in &recipes[first..] {
            app.request(method.clone(), path).json(body).await.ok();
            let before = app.stored().await;
            for version in ["3.1", "4.0", "5.6"] {
                let refused = app.post(PATH, json!({"userId": "a", "force": false})).cdi(version).await;
                refused.is_text(400, &format!("UserId is already in use in {recipe} recipe"));
            }
            assert!(app.stored().await == before, "{recipe}, {kept_by}");
        }
        assert_eq!(remove(&app, json!({"userId": "mine", "force": true})).await, existed(true));
    }
}

#[tokio::test]
async fn what_stands_under_the_internal_id_is_no_obstacle_and_stays() {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
    app.put("/recipe/user/metadata", json!({"userId": "a", "metadataUpdate": {"n": 1}})).await.ok();
    app.post("/recipe/user/email/verify/token", json!({"userId": "a", "email": "a@x.io"})).await.ok();
    assert_eq!(remove(&app, json!({"userId": "mine"})).await, existed(true));
    assert_eq!(app.get("/recipe/user/metadata?userId=a").await.json()["metadata"], json!({"n": 1}));
}

#[tokio::test]
async fn an_internal_id_without_a_mapping_is_not_taken_for_an_external_one() {
    let app = TestApp::new().await;
    app.people([by_password("b", 1, "b@x.io"), mapped("b", by_password("a", 1, "a@x.io"))]).await;
    let before = app.stored().await;
    for body in [json!({"userId": "b"}), json!({"userId": "b", "userIdType": "ANY", "force": true})] {
        assert_eq!(remove(&app, body).await, existed(false));
    }
    assert!(app.stored().await == before);
    assert_eq!(remove(&app, json!({"userId": "b", "userIdType": "EXTERNAL"})).await, existed(true));
    assert_eq!(app.who_is("a").await["id"], "a");
}

#[tokio::test]
async fn each_method_of_a_group_loses_its_own_mapping() {
    let app = TestApp::new().await;
    app.people([mapped("one", by_password("a", 1, "a@x.io")), mapped("two", by_password("b", 2, "b@x.io"))]).await;
    app.group(&["a", "b"]).await;
    assert_eq!(remove(&app, json!({"userId": "two"})).await, existed(true));
    assert_eq!(app.who_is("b").await, json!({"id": "one", "isPrimaryUser": true, "methods": ["one", "b"]}));
    assert_eq!(remove(&app, json!({"userId": " a "})).await, existed(true));
    assert_eq!(app.who_is("b").await, json!({"id": "a", "isPrimaryUser": true, "methods": ["a", "b"]}));
}

#[tokio::test]
async fn no_type_but_the_right_one_is_taken() {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
    let before = app.stored().await;
    let invalid = |name: &str| format!("Field name '{name}' is invalid in JSON input");
    for wrong in [json!(1), json!(true), json!(["a"]), json!({}), json!(null)] {
        app.post(PATH, json!({"userId": wrong})).await.is_text(400, &invalid("userId"));
        if !wrong.is_null() {
            let body = json!({"userId": "a", "userIdType": wrong});
            app.post(PATH, body).await.is_text(400, &invalid("userIdType"));
        }
        if !wrong.is_boolean() {
            app.post(PATH, json!({"userId": "a", "force": wrong})).await.is_text(400, &invalid("force"));
        }
    }
    app.post(PATH, json!([])).await.is_text(400, "Invalid Json Input");
    app.post(PATH, json!({"userId": "\t\n"})).await.is_text(400, "Field name 'userId' cannot be an empty String");
    assert!(app.stored().await == before);
    // Python's SDK sends it.
    assert_eq!(remove(&app, json!({"userId": "a", "userIdType": null})).await, existed(true));
}
