//! Links that become invalid before they are used, together with the password, address or login for which they were
//! sent; and those that do not.

use super::{RESET, consume, create, invalid, one_user};
use crate::app::TestApp;
use crate::people::{by_password, by_provider, method};
use serde_json::json;
use sessiond::domain::ids::AppId;
use sessiond::domain::user::Login;

#[tokio::test]
async fn a_new_password_ends_the_links_that_were_sent_for_the_old_one_whichever_way_it_comes() {
    let (app, jane) = one_user().await;
    app.people([by_provider("p", 1, "p@x.io")]).await;
    app.group(&["p", &jane]).await;
    let hash = app.stored_hash(&AppId::base(), "jane@x.io").await;
    let import = async |hash: &str| {
        let body = json!({"email": "jane@x.io", "passwordHash": hash});
        app.post("/recipe/user/passwordhash/import", body).await.ok();
    };
    let tokens = [create(&app, &jane, "jane@x.io").await, create(&app, "p", "jane@x.io").await];
    import(&hash).await;
    assert_eq!(consume(&app, &tokens[0]).await["status"], "OK", "it is the password that was there");
    // Made for the group, sent to the address of the login that gets the password.
    let of_login = create(&app, &jane, "jane@x.io").await;
    let body = json!({"method": "token", "token": tokens[1], "newPassword": "new"});
    app.post(RESET, body).cdi("3.1").await.ok();
    assert_eq!(consume(&app, &of_login).await, invalid());
    let tokens = [create(&app, &jane, "jane@x.io").await, create(&app, "p", "jane@x.io").await];
    import(&hash).await;
    for token in tokens {
        assert_eq!(consume(&app, &token).await, invalid());
    }
    assert_eq!(app.sign_in("jane@x.io", "old").await, "OK");
}

/// A token of the group, sent to the address of the login method that leaves it.
async fn token_for_who_leaves(app: &TestApp) -> String {
    app.people([by_password("a", 1, "a@x.io"), by_password("b", 2, "b@x.io")]).await;
    app.group(&["a", "b"]).await;
    create(app, "a", "b@x.io").await
}

#[tokio::test]
async fn whoever_has_the_mailbox_of_a_login_that_left_gets_no_further() {
    for (path, body) in [
        ("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "b"})),
        ("/user/remove", json!({"userId": "b", "removeAllLinkedAccounts": false})),
    ] {
        let app = TestApp::new().await;
        let token = token_for_who_leaves(&app).await;
        app.post(path, body).await.ok();
        assert_eq!(consume(&app, &token).await, invalid(), "{path}");
        let token = create(&app, "a", "a@x.io").await;
        assert_eq!(consume(&app, &token).await["status"], "OK", "a new one is good");
    }
    let app = TestApp::new().await;
    let token = token_for_who_leaves(&app).await;
    let own = create(&app, "b", "a@x.io").await;
    app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "b"})).await.ok();
    for token in [token, own] {
        assert_eq!(consume(&app, &token).await, invalid(), "and vice versa");
    }
}

#[tokio::test]
async fn whoever_has_the_mailbox_of_an_old_address_gets_no_further() {
    let app = TestApp::new().await;
    let login = Login::Passwordless { email: Some("c@x.io".to_owned()), phone_number: None };
    app.people([by_password("a", 1, "a@x.io"), by_provider("b", 2, "b@x.io"), method("c", 3, login)]).await;
    app.group(&["a", "b", "c"]).await;
    let google = |email: &str| json!({"thirdPartyId": "google", "thirdPartyUserId": "g-b", "email": {"id": email, "isVerified": false}});
    let token = create(&app, "a", "b@x.io").await;
    app.post("/recipe/signinup", google("b@x.io")).await.ok();
    assert_eq!(consume(&app, &token).await["status"], "OK", "nothing has changed");
    let token = create(&app, "a", "b@x.io").await;
    app.post("/recipe/signinup", google("new-b@x.io")).await.ok();
    assert_eq!(consume(&app, &token).await, invalid());
    for change in [json!({"email": "new-c@x.io"}), json!({"email": null, "phoneNumber": "+493012345"})] {
        let token = create(&app, "a", "c@x.io").await;
        let mut body = json!({"recipeUserId": "c"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        app.put("/recipe/user", body).header("rid", "passwordless").await.ok();
        assert_eq!(consume(&app, &token).await, invalid(), "{change}");
    }
    let token = create(&app, "a", "c@x.io").await;
    let number = json!({"recipeUserId": "c", "phoneNumber": "+493012346"});
    app.put("/recipe/user", number).header("rid", "passwordless").await.ok();
    assert_eq!(consume(&app, &token).await["status"], "OK", "a phone number is not a mailbox");
}

const UNLINK: &str = "/recipe/accountlinking/user/unlink";

/// `p` signs in with a provider and is primary, `a` and `b` sign in with passwords; each has its own address.
async fn group() -> TestApp {
    let app = TestApp::new().await;
    app.people([by_provider("p", 1, "p@x.io"), by_password("a", 2, "a@x.io"), by_password("b", 3, "b@x.io")]).await;
    app.group(&["p", "a", "b"]).await;
    app
}

/// A token for each id and each address.
async fn tokens(app: &TestApp, ids: &[&'static str]) -> Vec<((&'static str, &'static str), String)> {
    let mut tokens = Vec::new();
    for id in ids {
        for email in ["p@x.io", "a@x.io", "b@x.io", "elsewhere@y.io"] {
            tokens.push(((*id, email), create(app, id, email).await));
        }
    }
    tokens
}

/// The tokens that are still valid. Using one uses up all tokens of its id, so each app is used to try one.
async fn living(ids: &[&'static str], change: impl AsyncFn(&TestApp)) -> Vec<(&'static str, &'static str)> {
    let mut living = Vec::new();
    for number in 0..4 * ids.len() {
        let app = group().await;
        let tokens = tokens(&app, ids).await;
        change(&app).await;
        let (of, token) = &tokens[number];
        if consume(&app, token).await["status"] == "OK" {
            living.push(*of);
        }
    }
    living
}

#[tokio::test]
async fn unlinking_ends_links_only_where_id_and_address_part() {
    let unlink = async |app: &TestApp| {
        app.post(UNLINK, json!({"recipeUserId": "a"})).await.ok();
    };
    let of_rest = |id| ["p@x.io", "b@x.io"].map(|email| (id, email));
    let expected = [&of_rest("p")[..], &[("a", "a@x.io")], &of_rest("b")].concat();
    assert_eq!(living(&["p", "a", "b"], unlink).await, expected);
}

#[tokio::test]
async fn a_login_that_goes_takes_its_links_and_those_to_its_address_along_and_no_others() {
    let of_rest = |id| ["p@x.io", "b@x.io"].map(|email| (id, email));
    let deleted = async |app: &TestApp| {
        let body = json!({"userId": "a", "removeAllLinkedAccounts": false});
        app.post("/user/remove", body).await.ok();
    };
    assert_eq!(living(&["p", "a", "b"], deleted).await, [of_rest("p"), of_rest("b")].concat());
    // The id of the group's founder remains the group's id.
    let of_rest = |id| ["a@x.io", "b@x.io"].map(|email| (id, email));
    let founder = async |app: &TestApp| {
        let body = json!({"userId": "p", "removeAllLinkedAccounts": false});
        app.post("/user/remove", body).await.ok();
    };
    assert_eq!(living(&["p", "a"], founder).await, [of_rest("p"), of_rest("a")].concat());
    let unlinked = async |app: &TestApp| {
        app.post(UNLINK, json!({"recipeUserId": "p"})).await.ok();
    };
    assert_eq!(living(&["p", "a"], unlinked).await, [of_rest("p"), of_rest("a")].concat());
    let everything = async |app: &TestApp| {
        app.post("/user/remove", json!({"userId": "p"})).await.ok();
    };
    assert_eq!(living(&["p", "a"], everything).await, []);
}

#[tokio::test]
async fn a_new_address_ends_the_links_to_the_old_one_for_every_id() {
    let change = async |app: &TestApp| {
        app.put("/recipe/user", json!({"recipeUserId": "a", "email": "new@x.io"})).await.ok();
    };
    let of_rest = |id| ["p@x.io", "b@x.io"].map(|email| (id, email));
    assert_eq!(living(&["p", "a", "b"], change).await, [of_rest("p"), of_rest("a"), of_rest("b")].concat());
}

#[tokio::test]
async fn a_new_password_ends_the_links_that_would_set_it_and_no_others() {
    let change = async |app: &TestApp| {
        app.put("/recipe/user", json!({"recipeUserId": "a", "password": "new"})).await.ok();
    };
    let of_others = |id| ["p@x.io", "b@x.io", "elsewhere@y.io"].map(|email| (id, email));
    let expected = [&of_others("p")[..], &[("a", "b@x.io")], &of_others("b")].concat();
    assert_eq!(living(&["p", "a", "b"], change).await, expected);
}

#[tokio::test]
async fn linking_mapping_and_tenants_end_no_link() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.people([by_provider("p", 1, "p@x.io"), by_password("a", 2, "a@x.io")]).await;
    app.group(&["p"]).await;
    let create_both = async || [create(&app, "a", "a@x.io").await, create(&app, "p", "p@x.io").await];
    let before = create_both().await;
    app.link("a", "p").await;
    let map = json!({"superTokensUserId": "a", "externalUserId": "mine", "force": true});
    app.post("/recipe/userid/map", map).await.ok();
    let tenant_user = json!({"recipeUserId": "mine"});
    app.post("/t1/recipe/multitenancy/tenant/user", tenant_user.clone()).await.ok();
    app.post("/t1/recipe/multitenancy/tenant/user/remove", tenant_user).await.ok();
    app.post("/recipe/userid/map/remove", json!({"userId": "mine", "force": true})).await.ok();
    for token in before {
        assert_eq!(consume(&app, &token).await["status"], "OK");
    }
}

/// The flow in SDKs that lost a link: it was made for the login's own id and address while it was linked.
#[tokio::test]
async fn a_link_to_a_logins_own_address_outlives_its_group() {
    let app = group().await;
    let token = create(&app, "a", "a@x.io").await;
    app.post(UNLINK, json!({"recipeUserId": "a"})).await.ok();
    assert_eq!(consume(&app, &token).await, json!({"status": "OK", "userId": "a", "email": "a@x.io"}));
}
