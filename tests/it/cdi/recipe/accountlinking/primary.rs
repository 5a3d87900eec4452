//! `POST /recipe/accountlinking/user/primary` and its check.

use crate::app::TestApp;
use crate::people::{by_password, by_phone, by_provider, mapped, within};
use serde_json::{Value, json};

async fn check(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/recipe/accountlinking/user/primary/check?recipeUserId={id}")).await.json()
}

#[tokio::test]
async fn a_user_becomes_primary_once() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "jane@x.io")]).await;
    assert_eq!(check(&app, "a").await, json!({"status": "OK", "wasAlreadyAPrimaryUser": false}));
    assert_eq!(app.who_is("a").await["isPrimaryUser"], false, "a check changes nothing");
    for already in [false, true] {
        let made = app.make_primary("a").await;
        assert_eq!((&made["status"], &made["wasAlreadyAPrimaryUser"]), (&json!("OK"), &json!(already)));
        assert_eq!((&made["user"]["id"], &made["user"]["isPrimaryUser"]), (&json!("a"), &json!(true)));
        assert_eq!(made["user"]["loginMethods"][0]["email"], "jane@x.io");
    }
    assert_eq!(check(&app, "a").await, json!({"status": "OK", "wasAlreadyAPrimaryUser": true}));
}

#[tokio::test]
async fn an_account_info_belongs_to_one_primary_user_of_a_tenant() {
    let app = TestApp::new().await;
    app.people([
        mapped("jane", by_password("a", 1, "jane@x.io")),
        by_provider("b", 2, "jane@x.io"),
        within(["t1"], by_provider("c", 3, "jane@x.io")),
        by_phone("d", 4, "+4917"),
        by_phone("e", 5, "+4918"),
    ])
    .await;
    app.group(&["a", "d"]).await;
    let refused = json!({
        "status": "ACCOUNT_INFO_ALREADY_ASSOCIATED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR",
        "primaryUserId": "jane",
        "description": "This user's email is already associated with another user ID",
    });
    assert_eq!(check(&app, "b").await, refused);
    assert_eq!(app.make_primary("b").await, refused);
    assert_eq!(app.who_is("b").await["isPrimaryUser"], false);
    assert_eq!(app.make_primary("c").await["status"], "OK", "in another tenant");
    assert_eq!(app.make_primary("e").await["status"], "OK");
}

#[tokio::test]
async fn a_linked_method_cannot_be_primary_itself() {
    let app = TestApp::new().await;
    app.people([mapped("jane", by_password("a", 1, "a@x.io")), mapped("jane2", by_password("b", 2, "b@x.io"))]).await;
    app.group(&["jane", "b"]).await;
    let refused = json!({
        "status": "RECIPE_USER_ID_ALREADY_LINKED_WITH_PRIMARY_USER_ID_ERROR",
        "primaryUserId": "jane",
        "description": "This user ID is already linked to another user ID",
    });
    for id in ["b", "jane2"] {
        assert_eq!(check(&app, id).await, refused);
        assert_eq!(app.make_primary(id).await, refused);
    }
}

#[tokio::test]
async fn ids_of_nobody_and_missing_fields_are_refused() {
    let app = TestApp::new().await;
    let path = "/recipe/accountlinking/user/primary";
    app.post(path, json!({"recipeUserId": "x"})).await.is_text(400, "Unknown user ID provided");
    app.get(&format!("{path}/check?recipeUserId=x")).await.is_text(400, "Unknown user ID provided");
    app.post(path, json!({})).await.is_text(400, "Field name 'recipeUserId' is invalid in JSON input");
    app.get(&format!("{path}/check")).await.is_text(400, "Field name 'recipeUserId' is missing in GET request");
    app.post(&format!("/t1{path}"), json!({"recipeUserId": "x"}))
        .await
        .is_text(403, "Only public tenantId can call this app specific API");
}
