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
