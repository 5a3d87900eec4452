//! `GET` and `PUT /recipe/user`: logins with a password.

use crate::app::TestApp;
use crate::cdi::recipe::EVERY_VERSION;
use crate::people::{by_password, by_provider, mapped, with_cheap_passwords, within};
use crate::refused::put;
use serde_json::{Value, json};

async fn two_users() -> (TestApp, String) {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "old").await;
    app.sign_up("joe@x.io", "old").await;
    app.people([by_provider("p", 1, "p@x.io")]).await;
    (app, id)
}

async fn update(app: &TestApp, body: Value) -> Value {
    app.put("/recipe/user", body).await.json()
}

#[tokio::test]
async fn email_and_password_change_together_or_alone() {
    let (app, id) = two_users().await;
    assert_eq!(update(&app, json!({"recipeUserId": id, "email": " JANE2@x.io "})).await, json!({"status": "OK"}));
    assert_eq!(app.sign_in("jane2@x.io", "old").await, "OK");
    assert_eq!(app.sign_in("jane@x.io", "old").await, "WRONG_CREDENTIALS_ERROR");
    assert_eq!(update(&app, json!({"recipeUserId": id, "password": "new"})).await, json!({"status": "OK"}));
    assert_eq!(app.sign_in("jane2@x.io", "old").await, "WRONG_CREDENTIALS_ERROR");
    assert_eq!(app.sign_in("jane2@x.io", "new").await, "OK");
    let both = json!({"recipeUserId": id, "email": "jane@x.io", "password": "newest"});
    assert_eq!(update(&app, both).await, json!({"status": "OK"}));
    assert_eq!(app.sign_in("jane@x.io", "newest").await, "OK");
    app.sign_up("jane2@x.io", "the address is free again").await;
}

#[tokio::test]
async fn an_address_of_another_login_is_refused_and_nothing_changes() {
    let (app, id) = two_users().await;
    let both = json!({"recipeUserId": id, "email": "joe@x.io", "password": "new"});
    let before = app.stored().await;
    assert_eq!(update(&app, both).await, json!({"status": "EMAIL_ALREADY_EXISTS_ERROR"}));
    assert_eq!(
        update(&app, json!({"recipeUserId": id, "email": " Joe@X.io"})).await["status"],
        "EMAIL_ALREADY_EXISTS_ERROR"
    );
    let old = app.put("/recipe/user", json!({"userId": id, "email": "joe@x.io"})).cdi("3.1").await.json();
    assert_eq!(old, json!({"status": "EMAIL_ALREADY_EXISTS_ERROR"}));
    assert!(app.stored().await == before);
    assert_eq!(app.sign_in("jane@x.io", "old").await, "OK");
    for email in ["jane@x.io", "p@x.io"] {
        assert_eq!(update(&app, json!({"recipeUserId": id, "email": email})).await, json!({"status": "OK"}), "{email}");
    }
}

#[tokio::test]
async fn an_address_is_taken_in_each_tenant_of_the_login_and_in_no_other() {
    let app = TestApp::new().await;
    for tenant in ["t1", "t2"] {
        app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": tenant})).await.ok();
    }
    app.people([
        within(["public", "t1"], by_password("a", 1, "a@x.io")),
        within(["t1"], by_password("b", 2, "b@x.io")),
        within(["t2"], by_password("c", 3, "c@x.io")),
    ])
    .await;
    let taken = json!({"status": "EMAIL_ALREADY_EXISTS_ERROR"});
    assert_eq!(update(&app, json!({"recipeUserId": "a", "email": "b@x.io"})).await, taken);
    assert_eq!(update(&app, json!({"recipeUserId": "b", "email": "a@x.io"})).await, taken);
    assert_eq!(update(&app, json!({"recipeUserId": "a", "email": "c@x.io"})).await, json!({"status": "OK"}));
    let found = async |prefix: &str, email: &str| {
        app.get(&format!("{prefix}/recipe/user?email={email}")).await.json()["user"]["id"].clone()
    };
    for (prefix, id) in [("", "a"), ("/t1", "a"), ("/t2", "c")] {
        assert_eq!(found(prefix, "c@x.io").await, id, "{prefix}");
        assert_eq!(found(prefix, "a@x.io").await, Value::Null, "{prefix}");
    }
}

#[tokio::test]
async fn a_primary_user_may_take_the_address_of_one_in_other_tenants() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.people([
        by_password("a", 1, "a@x.io"),
        within(["t1"], by_provider("p", 2, "p@x.io")),
        within(["public", "t1"], by_password("b", 3, "b@x.io")),
    ])
    .await;
    for id in ["a", "p", "b"] {
        app.group(&[id]).await;
    }
    let reason = "New email is associated with another primary user ID";
    let refused = json!({"status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR", "reason": reason});
    let before = app.stored().await;
    assert_eq!(update(&app, json!({"recipeUserId": "b", "email": "p@x.io"})).await, refused);
    for version in ["2.7", "3.1"] {
        let old = app.put("/recipe/user", json!({"userId": "b", "email": "p@x.io"})).cdi(version).await.json();
        assert_eq!(old, refused, "{version}");
    }
    assert!(app.stored().await == before);
    assert_eq!(update(&app, json!({"recipeUserId": "a", "email": "p@x.io"})).await, json!({"status": "OK"}));
}

#[tokio::test]
async fn marks_of_verified_addresses_stay_with_the_address() {
    let (app, id) = two_users().await;
    let body = json!({"userId": id, "email": "jane@x.io"});
    let token = app.post("/recipe/user/email/verify/token", body).await.ok().text_at("/token");
    app.post("/recipe/user/email/verify", json!({"method": "token", "token": token})).await.ok();
    let shown = async || {
        let user = app.get(&format!("/user/id?userId={id}")).await.json()["user"].clone();
        (user["emails"][0].clone(), user["loginMethods"][0]["verified"].clone())
    };
    assert_eq!(shown().await, (json!("jane@x.io"), json!(true)));
    assert_eq!(update(&app, json!({"recipeUserId": id, "email": "new@x.io"})).await["status"], "OK");
    assert_eq!(shown().await, (json!("new@x.io"), json!(false)));
    let mark = app.get(&format!("/recipe/user/email/verify?userId={id}&email=jane@x.io")).await.json();
    assert_eq!(mark["isVerified"], true);
    assert_eq!(update(&app, json!({"recipeUserId": id, "email": "jane@x.io"})).await["status"], "OK");
    assert_eq!(shown().await, (json!("jane@x.io"), json!(true)));
}

#[tokio::test]
async fn a_primary_user_may_not_take_the_address_of_another_one() {
    let (app, id) = two_users().await;
    app.group(&["p"]).await;
    assert_eq!(update(&app, json!({"recipeUserId": id, "email": "p@x.io"})).await["status"], "OK");
    assert_eq!(update(&app, json!({"recipeUserId": id, "email": "jane@x.io"})).await["status"], "OK");
    app.group(&[&id]).await;
    let refused = update(&app, json!({"recipeUserId": id, "email": "p@x.io", "password": "new"})).await;
    let reason = "New email is associated with another primary user ID";
    assert_eq!(refused, json!({"status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR", "reason": reason}));
    assert_eq!(app.sign_in("jane@x.io", "old").await, "OK");
    // Even if that user has a password there, which alone causes a different refusal.
    let joe = app.sign_up("joe2@x.io", "old").await;
    let joes = json!({"recipeUserId": id, "email": "joe2@x.io"});
    assert_eq!(update(&app, joes.clone()).await, json!({"status": "EMAIL_ALREADY_EXISTS_ERROR"}));
    app.group(&[&joe]).await;
    assert_eq!(update(&app, joes).await, json!({"status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR", "reason": reason}));
    // Its own reservation moves with the address.
    assert_eq!(update(&app, json!({"recipeUserId": id, "email": "new@x.io"})).await["status"], "OK");
    app.people([by_provider("q", 1, "jane@x.io"), by_provider("r", 1, "new@x.io")]).await;
    assert_eq!(app.make_primary("q").await["status"], "OK");
    let taken = "ACCOUNT_INFO_ALREADY_ASSOCIATED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR";
    assert_eq!(app.make_primary("r").await["status"], taken);
}

#[tokio::test]
async fn only_logins_with_a_password_can_be_changed() {
    let (app, id) = two_users().await;
    app.group(&["p", &id]).await;
    for unknown in ["nobody", "p", ""] {
        let reply = update(&app, json!({"recipeUserId": unknown, "password": "new"})).await;
        assert_eq!(reply, json!({"status": "UNKNOWN_USER_ID_ERROR"}), "{unknown}");
    }
    app.people([mapped("mine", by_password("m", 1, "m@x.io"))]).await;
    for known in [id.as_str(), "m", "mine"] {
        assert_eq!(update(&app, json!({"recipeUserId": known, "password": "new"})).await["status"], "OK", "{known}");
    }
}

#[tokio::test]
async fn versions_name_the_login_differently_and_bad_input_gets_its_sentence() {
    let (app, id) = two_users().await;
    for (version, body, sentence) in [
        ("5.6", json!({"userId": id, "email": "a"}), "Field name 'recipeUserId' is invalid in JSON input"),
        ("3.1", json!({"recipeUserId": id, "email": "a"}), "Field name 'userId' is invalid in JSON input"),
    ] {
        app.put("/recipe/user", body).cdi(version).await.is_text(400, sentence);
    }
    for (version, field) in [("2.7", "userId"), ("3.1", "userId"), ("4.0", "recipeUserId"), ("5.6", "recipeUserId")] {
        let good = put("/recipe/user", version, json!({field: id, "email": "new@x.io", "password": "new"}));
        app.wants_texts(&good, &[field]).await;
        app.wants_texts_if_any(&good, &["email", "password"]).await;
        let too_long = "Field name 'email' cannot be longer than 512 bytes";
        app.refuses_each(
            &good,
            &[
                (json!({"password": ""}), "Password cannot be an empty string"),
                (json!({"email": "a".repeat(513)}), too_long),
            ],
        )
        .await;
        let neither = json!({field: id, "Email": "new@x.io", "newPassword": "new"}).to_string();
        app.refuses(&good, "", &neither, (400, "You have to provide either email or password.")).await;
        let body = good.body.to_string();
        match version {
            "2.7" => app.refuses(&good, "/t1", &body, (404, "Not found")).await,
            "5.6" => {
                let refusal = "Only public tenantId can call this app specific API";
                app.refuses(&good, "/t1", &body, (403, refusal)).await;
            }
            _ => {}
        }
    }
    assert_eq!(app.sign_in("jane@x.io", "old").await, "OK");
    app.put("/recipe/user", json!({"userId": id, "password": "new"})).cdi("3.1").await.ok();
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.put("/t1/recipe/user", json!({"userId": id, "password": "newer"})).cdi("3.1").await.ok();
    assert_eq!(app.sign_in("jane@x.io", "newer").await, "OK");
    let other = app.put("/recipe/user", json!({"recipeUserId": id, "password": "rid"})).header("rid", "anything");
    other.await.ok();
    for (version, own, others) in [("3.1", "userId", "recipeUserId"), ("5.6", "recipeUserId", "userId")] {
        let body = json!({own: id, others: "p", "password": format!("of {version}")});
        app.put("/recipe/user", body).cdi(version).await.ok();
        assert_eq!(app.sign_in("jane@x.io", &format!("of {version}")).await, "OK", "the other name means nothing");
    }
}

#[tokio::test]
async fn a_login_is_shown_by_id_or_by_address() {
    let (app, id) = two_users().await;
    app.group(&["p", &id]).await;
    let by_id = app.get(&format!("/recipe/user?userId={id}")).await.ok().json();
    assert_eq!((&by_id["user"]["id"], &by_id["user"]["isPrimaryUser"]), (&json!(id), &json!(true)));
    assert_eq!(by_id["user"]["loginMethods"].as_array().unwrap().len(), 1);
    assert!(by_id.get("recipeUserId").is_none());
    let by_email = app.get("/recipe/user?email=JANE%40x.io").await.ok().json();
    assert_eq!((&by_email["user"]["id"], &by_email["user"]["isPrimaryUser"]), (&json!("p"), &json!(true)));
    let old = app.get(&format!("/recipe/user?userId={id}")).cdi("2.7").await.ok().json();
    assert_eq!(old["user"], json!({"id": id, "timeJoined": crate::app::START.0, "email": "jane@x.io"}));
    for (query, status) in [
        ("userId=p", "UNKNOWN_USER_ID_ERROR"),
        ("userId=", "UNKNOWN_USER_ID_ERROR"),
        ("email=p%40x.io", "UNKNOWN_EMAIL_ERROR"),
        ("email=", "UNKNOWN_EMAIL_ERROR"),
    ] {
        assert_eq!(app.get(&format!("/recipe/user?{query}")).await.json(), json!({"status": status}), "{query}");
    }
    app.get("/recipe/user").await.is_text(400, "Please provide one of userId or email");
    app.get("/recipe/user?userId=a&email=b").await.is_text(400, "Please provide only one of userId or email");
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let elsewhere = app.get("/t1/recipe/user?email=jane%40x.io").await;
    assert_eq!(elsewhere.json(), json!({"status": "UNKNOWN_EMAIL_ERROR"}));
    let strict = app.get(&format!("/t1/recipe/user?userId={id}")).await;
    strict.is_text(403, "Only public tenantId can call this app specific API");
    app.get(&format!("/t1/recipe/user?userId={id}")).cdi("3.1").await.ok();
}

#[tokio::test]
async fn every_version_shows_the_one_login_in_its_shape() {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 5, "a@x.io")), by_provider("p", 1, "p@x.io")]).await;
    app.group(&["p", "a"]).await;
    for (number, version) in EVERY_VERSION.into_iter().enumerate() {
        let at_least = |first: &str| EVERY_VERSION.iter().position(|one| *one == first).unwrap() <= number;
        let mut expected = json!({"id": "mine", "timeJoined": 5, "email": "a@x.io"});
        if at_least("3.0") {
            expected["tenantIds"] = json!(["public"]);
        }
        if at_least("4.0") {
            expected = json!({
                "id": "mine", "isPrimaryUser": true, "tenantIds": ["public"], "timeJoined": 5, "emails": ["a@x.io"],
                "phoneNumbers": [], "thirdParty": [],
                "loginMethods": [{
                    "tenantIds": ["public"], "recipeUserId": "mine", "verified": false, "timeJoined": 5,
                    "recipeId": "emailpassword", "email": "a@x.io",
                }],
            });
        }
        if at_least("5.3") {
            expected["webauthn"] = json!({"credentialIds": []});
        }
        for id in ["a", "mine"] {
            let shown = app.get(&format!("/recipe/user?userId={id}")).cdi(version).await.json();
            assert_eq!(shown, json!({"status": "OK", "user": expected}), "{id} at {version}");
        }
        let by_email = app.get("/recipe/user?email=A@x.io").cdi(version).await.ok().json();
        let id = if at_least("4.0") { "p" } else { "mine" };
        assert_eq!((&by_email["user"]["id"], by_email.as_object().unwrap().len()), (&json!(id), 2), "{version}");
    }
}

#[tokio::test]
async fn accounts_are_of_one_app() {
    let (app, id) = two_users().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    let before = app.stored().await;
    let body = json!({"recipeUserId": id, "email": "new@x.io", "password": "new"});
    let changed = app.put("/appid-a1/recipe/user", body).await.json();
    assert_eq!(changed, json!({"status": "UNKNOWN_USER_ID_ERROR"}));
    assert!(app.stored().await == before);
    let shown = app.get(&format!("/appid-a1/recipe/user?userId={id}")).await.json();
    assert_eq!(shown, json!({"status": "UNKNOWN_USER_ID_ERROR"}));
    let credentials = json!({"email": "jane@x.io", "password": "old"});
    let sign_in = app.post("/appid-a1/recipe/signin", credentials.clone()).await.json();
    assert_eq!(sign_in, json!({"status": "WRONG_CREDENTIALS_ERROR"}));
    let there = app.post("/appid-a1/recipe/signup", credentials).await.ok().text_at("/user/id");
    let body = json!({"recipeUserId": there, "email": "joe@x.io", "password": "new"});
    assert_eq!(
        app.put("/appid-a1/recipe/user", body).await.json(),
        json!({"status": "OK"}),
        "taken in the other app only"
    );
    assert_eq!([app.sign_in("jane@x.io", "old").await, app.sign_in("joe@x.io", "old").await], ["OK", "OK"]);
}

#[tokio::test]
async fn of_a_parameter_that_is_given_twice_the_first_counts() {
    let (app, id) = two_users().await;
    let found = app.get(&format!("/recipe/user?userId={id}&userId=nobody")).await.ok().json();
    assert_eq!(found["user"]["id"], json!(id));
    let found = app.get(&format!("/recipe/user?userId=nobody&userId={id}")).await.json();
    assert_eq!(found, json!({"status": "UNKNOWN_USER_ID_ERROR"}));
    app.get("/recipe/user?userId=&email=").await.is_text(400, "Please provide only one of userId or email");
    let long = format!("/recipe/user?email={}", "x".repeat(5_000));
    assert_eq!(app.get(&long).await.json(), json!({"status": "UNKNOWN_EMAIL_ERROR"}));
}

#[tokio::test]
async fn two_logins_of_one_person_do_not_share_an_address() {
    let (app, jane) = two_users().await;
    let joe = app.sign_up("joe2@x.io", "old").await;
    app.group(&[&jane, &joe]).await;
    let refused = update(&app, json!({"recipeUserId": jane, "email": "joe2@x.io"})).await;
    assert_eq!(refused, json!({"status": "EMAIL_ALREADY_EXISTS_ERROR"}));
    for email in ["jane@x.io", "joe2@x.io"] {
        assert_eq!(app.sign_in(email, "old").await, "OK", "{email}");
    }
}

#[tokio::test]
async fn a_change_of_address_or_password_ends_the_links_that_were_sent_before() {
    let (app, id) = two_users().await;
    for change in [json!({"email": "new@x.io"}), json!({"password": "new"})] {
        let token = json!({"userId": id, "email": "jane@x.io"});
        let token = app.post("/recipe/user/password/reset/token", token).await.ok().text_at("/token");
        let mut body = change;
        body["recipeUserId"] = json!(id);
        assert_eq!(update(&app, body).await["status"], "OK");
        let used = app.post("/recipe/user/password/reset/token/consume", json!({"token": token})).await.json();
        assert_eq!(used, json!({"status": "RESET_PASSWORD_INVALID_TOKEN_ERROR"}));
    }
}
