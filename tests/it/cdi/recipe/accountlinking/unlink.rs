//! `POST /recipe/accountlinking/user/unlink`.

use crate::app::TestApp;
use crate::people::{by_password, by_provider, mapped};
use serde_json::{Value, json};

async fn unlink(app: &TestApp, id: &str) -> Value {
    app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": id})).await.json()
}

fn ok(deleted: bool, was_linked: bool) -> Value {
    json!({"status": "OK", "wasRecipeUserDeleted": deleted, "wasLinked": was_linked})
}

/// a and b as one user under a's mapped id.
async fn pair() -> TestApp {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "jane@x.io")), by_provider("b", 2, "jane@x.io")]).await;
    assert_eq!(unlink(&app, "b").await, ok(false, false));
    app.group(&["a", "b"]).await;
    app
}

#[tokio::test]
async fn an_unlinked_method_is_a_user_of_its_own_and_signed_out() {
    let app = pair().await;
    let (own, others) = (app.session("b").await.handle(), app.session("mine").await.handle());
    assert_eq!(unlink(&app, "b").await, ok(false, true));
    assert_eq!(app.who_is("b").await, json!({"id": "b", "isPrimaryUser": false, "methods": ["b"]}));
    assert_eq!(app.who_is("a").await, json!({"id": "mine", "isPrimaryUser": true, "methods": ["mine"]}));
    assert_eq!((app.sessions_of("b").await.len(), app.sessions_of("mine").await), (0, vec![others]));
    let told = app.get(&format!("/recipe/session/timeline?sessionHandle={own}")).await.json();
    assert_eq!(told["events"][1]["call"], "POST /recipe/accountlinking/user/unlink");
    assert_ne!(app.make_primary("b").await["status"], "OK", "the address is still reserved");
    assert_eq!(unlink(&app, "mine").await, ok(false, true));
    assert_eq!(app.make_primary("b").await["status"], "OK", "and is free now");
}

#[tokio::test]
async fn an_unlinked_founder_is_deleted_and_its_id_stays() {
    let app = pair().await;
    app.session("mine").await;
    assert_eq!(unlink(&app, "mine").await, ok(true, true));
    for id in ["a", "b", "mine"] {
        assert_eq!(app.who_is(id).await, json!({"id": "mine", "isPrimaryUser": true, "methods": ["b"]}), "{id}");
    }
    assert_eq!(app.sessions_of("mine").await, [""; 0]);
    assert_eq!(unlink(&app, "a").await, ok(false, false), "no login method has that id");
    app.people([by_password("a2", 3, "jane@x.io")]).await;

    assert_eq!(unlink(&app, "b").await, ok(false, true));
    assert_eq!(app.who_is("b").await, json!({"id": "b", "isPrimaryUser": false, "methods": ["b"]}));
    for id in ["a", "mine"] {
        assert_eq!(app.who_is(id).await, Value::Null, "{id}");
    }
}

#[tokio::test]
async fn the_only_method_stops_being_primary() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "jane@x.io")]).await;
    app.make_primary("a").await;
    assert_eq!(unlink(&app, "a").await, ok(false, true));
    assert_eq!(app.who_is("a").await["isPrimaryUser"], false);
    assert_eq!(unlink(&app, "a").await, ok(false, false));
}

#[tokio::test]
async fn ids_of_nobody_are_refused() {
    let app = TestApp::new().await;
    let path = "/recipe/accountlinking/user/unlink";
    app.post(path, json!({"recipeUserId": "x"})).await.is_text(400, "Unknown user ID provided");
    app.post(path, json!({"recipeUserId": 1})).await.is_text(400, "Field name 'recipeUserId' is invalid in JSON input");
}

#[tokio::test]
async fn what_is_kept_for_a_deleted_founder_stays_with_the_group() {
    let app = pair().await;
    app.put("/recipe/role", json!({"role": "admin", "permissions": []})).await.ok();
    for id in ["mine", "b"] {
        app.put("/recipe/user/metadata", json!({"userId": id, "metadataUpdate": {"of": id}})).await.ok();
        app.put("/recipe/user/role", json!({"userId": id, "role": "admin"})).await.ok();
        let body = json!({"userId": id, "email": "jane@x.io"});
        let token = app.post("/recipe/user/email/verify/token", body).await.ok().text_at("/token");
        app.post("/recipe/user/email/verify", json!({"method": "token", "token": token})).await.ok();
    }
    let kept = async |id: &str| {
        let metadata = app.get(&format!("/recipe/user/metadata?userId={id}")).await.json()["metadata"].clone();
        let roles = app.get(&format!("/recipe/user/roles?userId={id}")).await.json()["roles"].clone();
        let email = app.get(&format!("/recipe/user/email/verify?userId={id}&email=jane@x.io")).await.json();
        (metadata, roles, email["isVerified"].clone())
    };
    let all = |id: &str| (json!({"of": id}), json!(["admin"]), json!(true));
    assert_eq!(unlink(&app, "a").await, ok(true, true));
    assert_eq!([kept("mine").await, kept("b").await], [all("mine"), all("b")]);
    let mapping = app.get("/recipe/userid/map?userId=mine").await.json();
    assert_eq!((&mapping["superTokensUserId"], &mapping["externalUserId"]), (&json!("a"), &json!("mine")));
    // Also for a method that is not linked.
    assert_eq!(unlink(&app, "b").await, ok(false, true));
    assert_eq!([kept("mine").await, kept("b").await], [all("mine"), all("b")]);
    assert_eq!(app.get("/user/id?userId=b").await.json()["user"]["loginMethods"][0]["verified"], true);
}

#[tokio::test]
async fn a_group_of_one_stays_a_primary_user_and_takes_others_in() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), by_password("b", 2, "b@x.io"), by_password("c", 3, "c@x.io")]).await;
    app.group(&["a", "b"]).await;
    assert_eq!(unlink(&app, "a").await, ok(true, true));
    assert_eq!(app.who_is("b").await, json!({"id": "a", "isPrimaryUser": true, "methods": ["b"]}));
    assert_eq!(app.make_primary("a").await["wasAlreadyAPrimaryUser"], true, "its id is still the group's");
    assert_eq!(app.make_primary("b").await["primaryUserId"], "a");
    assert_eq!(app.link("c", "a").await["user"]["id"], "a");
    assert_eq!(app.who_is("c").await, json!({"id": "a", "isPrimaryUser": true, "methods": ["b", "c"]}));
    // The founder's login no longer belongs to anyone.
    app.people([by_password("d", 4, "a@x.io")]).await;
    assert_eq!(app.make_primary("d").await["status"], "OK");
}

#[tokio::test]
async fn no_type_but_the_right_one_is_taken_and_a_refusal_changes_nothing() {
    let app = pair().await;
    app.people([by_password("alone", 3, "c@x.io")]).await;
    for id in ["mine", "b", "alone"] {
        app.session(id).await;
    }
    let before = app.stored().await;
    let path = "/recipe/accountlinking/user/unlink";
    for wrong in [json!(null), json!(1), json!(true), json!(["b"]), json!({"id": "b"})] {
        let reply = app.post(path, json!({"recipeUserId": wrong})).await;
        reply.is_text(400, "Field name 'recipeUserId' is invalid in JSON input");
    }
    for unknown in ["", " b", "B", "jane@x.io"] {
        app.post(path, json!({"recipeUserId": unknown})).await.is_text(400, "Unknown user ID provided");
    }
    app.post(path, json!({"userId": "b"})).await.is_text(400, "Field name 'recipeUserId' is invalid in JSON input");
    app.post(path, json!([])).await.is_text(400, "Invalid Json Input");
    let below_a_tenant = app.post(&format!("/t1{path}"), json!({"recipeUserId": "b"})).await;
    below_a_tenant.is_text(403, "Only public tenantId can call this app specific API");
    assert_eq!(unlink(&app, "alone").await, ok(false, false), "a user in no group stays signed in");
    assert!(app.stored().await == before);
}
