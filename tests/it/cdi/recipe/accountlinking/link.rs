//! `POST /recipe/accountlinking/user/link` and its check.

use crate::app::TestApp;
use crate::people::{by_password, by_phone, by_provider, mapped, within};
use serde_json::{Value, json};

async fn check(app: &TestApp, recipe_user_id: &str, primary_user_id: &str) -> Value {
    let query = format!("recipeUserId={recipe_user_id}&primaryUserId={primary_user_id}");
    app.get(&format!("/recipe/accountlinking/user/link/check?{query}")).await.json()
}

#[tokio::test]
async fn linked_methods_are_one_user_that_joined_with_its_oldest() {
    let app = TestApp::new().await;
    app.people([by_password("a", 20, "jane@x.io"), mapped("mine", by_provider("b", 10, "jane@x.io"))]).await;
    app.make_primary("a").await;
    assert_eq!(check(&app, "mine", "a").await, json!({"status": "OK", "accountsAlreadyLinked": false}));
    assert_eq!(app.who_is("b").await["methods"], json!(["mine"]), "a check changes nothing");
    let linked = app.link("mine", "a").await;
    assert_eq!((&linked["status"], &linked["accountsAlreadyLinked"]), (&json!("OK"), &json!(false)));
    let whole = app.get("/user/id?userId=b").await.json();
    assert_eq!(linked["user"], whole["user"]);
    assert_eq!((&linked["user"]["id"], &linked["user"]["timeJoined"]), (&json!("a"), &json!(10)));
    assert_eq!(app.who_is("mine").await, json!({"id": "a", "isPrimaryUser": true, "methods": ["mine", "a"]}));
}

#[tokio::test]
async fn the_primary_user_may_be_named_by_any_of_its_ids() {
    let app = TestApp::new().await;
    let people =
        ["a", "b", "c", "d"].map(|id| mapped(&format!("{id}-mine"), by_password(id, 1, &format!("{id}@x.io"))));
    app.people(people).await;
    app.group(&["a-mine", "b"]).await;
    assert_eq!(app.link("c", "b-mine").await["user"]["id"], "a-mine");
    assert_eq!(app.link("d-mine", "c").await["user"]["id"], "a-mine");
    for (method, primary) in [("a", "a"), ("b", "a-mine"), ("a-mine", "b"), ("d", "c")] {
        let already = app.link(method, primary).await;
        assert_eq!((&already["status"], &already["accountsAlreadyLinked"]), (&json!("OK"), &json!(true)));
        assert_eq!(already["user"]["id"], "a-mine");
        assert_eq!(check(&app, method, primary).await, json!({"status": "OK", "accountsAlreadyLinked": true}));
    }
}

#[tokio::test]
async fn a_method_of_another_primary_user_is_refused() {
    let app = TestApp::new().await;
    app.people(["a", "b", "c"].map(|id| by_password(id, 1, &format!("{id}@x.io")))).await;
    app.people([mapped("them", by_password("d", 1, "d@x.io"))]).await;
    app.group(&["a"]).await;
    app.group(&["them", "b"]).await;
    for method in ["b", "d", "them"] {
        let mut refused = json!({
            "status": "RECIPE_USER_ID_ALREADY_LINKED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR",
            "primaryUserId": "them",
            "description": "The input recipe user ID is already linked to another user ID",
        });
        assert_eq!(check(&app, method, "a").await, refused);
        refused["user"] = app.get("/user/id?userId=d").await.json()["user"].clone();
        assert_eq!(app.link(method, "a").await, refused);
    }
    for reply in [check(&app, "a", "c").await, app.link("b", "c").await, app.link("c", "c").await] {
        assert_eq!(reply, json!({"status": "INPUT_USER_IS_NOT_A_PRIMARY_USER"}));
    }
}

#[tokio::test]
async fn account_infos_count_in_all_tenants_of_both_and_providers_before_addresses() {
    let app = TestApp::new().await;
    let elsewhere = |id, email| within(["t1"], by_provider(id, 1, email));
    app.people([
        by_password("a", 1, "jane@x.io"),
        within(["t1"], by_password("b", 1, "other@x.io")),
        // Primary in t1, where linking b would bring a's address.
        mapped("they", elsewhere("c", "jane@x.io")),
        by_phone("d", 1, "+49"),
        within(["t1"], by_phone("e", 1, "+49")),
        within(["t1"], by_password("i", 1, "i@x.io")),
    ])
    .await;
    for id in ["a", "c", "e", "i"] {
        app.make_primary(id).await;
    }
    let refused = |primary: &str, what: &str| {
        json!({
            "status": "ACCOUNT_INFO_ALREADY_ASSOCIATED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR",
            "primaryUserId": primary,
            "description": format!("This user's {what} is already associated with another user ID"),
        })
    };
    assert_eq!(check(&app, "b", "a").await, refused("they", "email"));
    assert_eq!(app.link("b", "a").await, refused("they", "email"));
    assert_eq!(app.who_is("b").await["isPrimaryUser"], false);
    // d alone is in another tenant than e; with i it is not.
    assert_eq!(app.link("d", "i").await, refused("e", "phone number"));

    // The same account at a provider, in two tenants, with addresses of two other people.
    let mut twin = within(["t2"], by_provider("c", 1, "else@x.io"));
    twin.id = sessiond::domain::ids::UserId::new("f");
    app.people([twin, within(["t1"], by_password("g", 1, "else@x.io"))]).await;
    app.make_primary("g").await;
    app.people([within(["t1"], by_phone("h", 1, "+50"))]).await;
    app.make_primary("h").await;
    assert_eq!(app.link("f", "h").await, refused("they", "third party login"));
}

#[tokio::test]
async fn sessions_of_the_linked_method_end_and_tell_why() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), mapped("mine", by_password("b", 1, "b@x.io"))]).await;
    app.make_primary("a").await;
    app.session("a").await;
    let handle = app.session("mine").await.handle();
    app.link("b", "a").await;
    assert_eq!(app.sessions_of("mine").await, [""; 0]);
    assert_eq!(app.sessions_of("a").await.len(), 1);
    let told = app.get(&format!("/recipe/session/timeline?sessionHandle={handle}")).await.json();
    let last = told["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["event"], &last["call"]), (&json!("revoked"), &json!("POST /recipe/accountlinking/user/link")));
    let again = app.session("mine").await.handle();
    app.link("b", "a").await;
    assert_eq!(app.sessions_of("mine").await, [again], "only a new link ends sessions");
}

#[tokio::test]
async fn more_sessions_than_one_transaction_ends_end_too() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), by_password("b", 1, "b@x.io")]).await;
    app.make_primary("a").await;
    for _ in 0..130 {
        app.session("b").await;
    }
    app.link("b", "a").await;
    assert_eq!(app.sessions_of("b").await, [""; 0]);
    assert_eq!(app.who_is("b").await["methods"], json!(["a", "b"]));
}

#[tokio::test]
async fn a_refused_link_ends_no_session() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), by_provider("b", 1, "c@x.io"), by_password("c", 1, "c@x.io")]).await;
    app.make_primary("a").await;
    app.make_primary("c").await;
    for _ in 0..70 {
        app.session("b").await;
    }
    assert_ne!(app.link("b", "a").await["status"], "OK");
    assert_eq!(app.sessions_of("b").await.len(), 70);
}

#[tokio::test]
async fn ids_of_nobody_and_missing_fields_are_refused() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io")]).await;
    let path = "/recipe/accountlinking/user/link";
    for body in [json!({"recipeUserId": "a", "primaryUserId": "x"}), json!({"recipeUserId": "x", "primaryUserId": "a"})]
    {
        let query = format!(
            "{path}/check?recipeUserId={}&primaryUserId={}",
            body["recipeUserId"].as_str().unwrap(),
            body["primaryUserId"].as_str().unwrap()
        );
        app.get(&query).await.is_text(400, "Unknown user ID provided");
        app.post(path, body).await.is_text(400, "Unknown user ID provided");
    }
    app.post(path, json!({"recipeUserId": "a"}))
        .await
        .is_text(400, "Field name 'primaryUserId' is invalid in JSON input");
}
