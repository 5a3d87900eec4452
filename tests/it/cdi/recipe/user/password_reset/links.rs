//! Links that end before they are used: with the password, the address or the login that they were sent for.

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
    // Made for the group, for the address of the login that gets the password.
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

/// A token of the group for the address of the login method that leaves it.
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
        assert_eq!(consume(&app, &token).await, invalid(), "the other way round, too");
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
    assert_eq!(consume(&app, &token).await["status"], "OK", "a number is no mailbox");
}
