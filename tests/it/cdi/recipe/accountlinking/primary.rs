//! `POST /recipe/accountlinking/user/primary` and its check.

use super::{same_account, taken};
use crate::app::TestApp;
use crate::cdi::recipe::EVERY_VERSION;
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

#[tokio::test]
async fn what_is_in_the_way_is_named_accounts_at_providers_first_and_nothing_changes() {
    let app = TestApp::new().await;
    app.people([
        mapped("jane", within(["public", "t1"], by_password("p", 1, "jane@x.io"))),
        by_phone("c", 2, "+49170"),
        by_provider("g", 3, "g@x.io"),
    ])
    .await;
    app.group(&["p", "c", "g"]).await;
    // All the group's account info is reserved in t1, where one of its methods is.
    app.people([
        within(["t1"], same_account("g", "account", "free@x.io")),
        within(["t1"], by_phone("phone", 2, "+49170")),
        within(["t1"], by_provider("email", 3, "g@x.io")),
    ])
    .await;
    let before = app.stored().await;
    for (id, what) in [("account", "third party login"), ("phone", "phone number"), ("email", "email")] {
        assert_eq!(check(&app, id).await, taken("jane", what));
        assert_eq!(app.make_primary(id).await, taken("jane", what));
    }
    assert!(app.stored().await == before, "a refused request changes nothing");

    let app = TestApp::new().await;
    app.people([within(["public", "t1"], by_password("p", 1, "jane@x.io")), by_provider("g", 3, "g@x.io")]).await;
    app.group(&["p", "g"]).await;
    app.people([within(["t1"], same_account("g", "both", "jane@x.io"))]).await;
    assert_eq!(app.make_primary("both").await, taken("p", "third party login"));
}

#[tokio::test]
async fn every_version_makes_primary_users_and_shows_them_whole() {
    for version in EVERY_VERSION {
        let app = TestApp::new().await;
        app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
        let path = "/recipe/accountlinking/user/primary";
        let may = app.get(&format!("{path}/check?recipeUserId=a")).cdi(version).await.json();
        assert_eq!(may, json!({"status": "OK", "wasAlreadyAPrimaryUser": false}), "{version}");
        let made = app.post(path, json!({"recipeUserId": "mine"})).cdi(version).await.ok().json();
        assert_eq!((&made["user"]["id"], &made["user"]["isPrimaryUser"]), (&json!("mine"), &json!(true)), "{version}");
        assert_eq!(made["user"]["loginMethods"][0]["recipeUserId"], "mine", "{version}");
    }
}

#[tokio::test]
async fn no_type_but_the_right_one_is_taken() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io")]).await;
    let before = app.stored().await;
    let path = "/recipe/accountlinking/user/primary";
    for wrong in [json!(null), json!(1), json!(true), json!(["a"]), json!({"id": "a"})] {
        let reply = app.post(path, json!({"recipeUserId": wrong})).await;
        reply.is_text(400, "Field name 'recipeUserId' is invalid in JSON input");
    }
    for unknown in ["", " a", "A", "a\0"] {
        app.post(path, json!({"recipeUserId": unknown})).await.is_text(400, "Unknown user ID provided");
    }
    app.get(&format!("{path}/check?recipeUserId=&recipeUserId=a")).await.is_text(400, "Unknown user ID provided");
    app.post(path, json!([])).await.is_text(400, "Invalid Json Input");
    assert!(app.stored().await == before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_have_one_address_and_become_primary_at_once_one_does() {
    for _ in 0..20 {
        let app = TestApp::new().await;
        app.people([by_password("p", 1, "jane@x.io")]).await;
        app.people(["a", "b", "c", "d"].map(|id| by_provider(id, 2, "jane@x.io"))).await;
        let tasks: Vec<_> = ["p", "a", "b", "c", "d"]
            .into_iter()
            .map(|id| {
                let app = app.clone();
                tokio::spawn(async move { (id, app.make_primary(id).await) })
            })
            .collect();
        let (mut made, mut refused) = (Vec::new(), Vec::new());
        for task in tasks {
            let (id, reply) = task.await.unwrap();
            if reply["status"] == "OK" { made.push(id) } else { refused.push(reply) }
        }
        assert_eq!((made.len(), refused.len()), (1, 4));
        for reply in refused {
            assert_eq!(reply, taken(made[0], "email"));
        }
    }
}
