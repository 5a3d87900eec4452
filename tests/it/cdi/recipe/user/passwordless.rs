//! `GET` and `PUT /recipe/user` of the passwordless recipe.

use crate::app::{TestApp, TestReply};
use crate::people::{by_password, by_phone, mapped, method};
use serde_json::{Value, json};
use sessiond::domain::user::{Login, LoginMethod};

async fn find(app: &TestApp, path: &str, version: &str) -> TestReply {
    app.get(path).header("rId", "passwordless").cdi(version).await
}

async fn put(app: &TestApp, body: Value) -> Value {
    app.put("/recipe/user", body).header("rid", "passwordless").await.json()
}

fn by_email(id: &str, joined: u64, email: &str) -> LoginMethod {
    method(id, joined, Login::Passwordless { email: Some(email.to_owned()), phone_number: None })
}

async fn people() -> TestApp {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.people([by_password("owner", 1, "o@x.io"), mapped("mine", by_email("a", 2, "a@x.io"))]).await;
    app.people([by_phone("b", 3, "+493012345")]).await;
    app
}

/// E-mail address and phone number of a login method.
async fn contacts(app: &TestApp, id: &str) -> [Value; 2] {
    let user = find(app, &format!("/recipe/user?userId={id}"), "3.1").await.ok().json()["user"].clone();
    [user["email"].clone(), user["phoneNumber"].clone()]
}

#[tokio::test]
async fn people_are_found_by_id_and_by_contact() {
    let app = people().await;
    app.group(&["owner", "a"]).await;
    for query in ["userId=a", "userId=mine", "email=A@x.io"] {
        let user = find(&app, &format!("/recipe/user?{query}"), "3.1").await.ok().json()["user"].clone();
        assert_eq!((&user["id"], &user["email"]), (&json!("mine"), &json!("a@x.io")), "{query}");
    }
    let by_id = find(&app, "/recipe/user?userId=mine", "4.0").await.ok().json()["user"].clone();
    assert_eq!((&by_id["isPrimaryUser"], by_id["loginMethods"].as_array().unwrap().len()), (&json!(true), 1));
    let whole = find(&app, "/recipe/user?email=a@x.io", "4.0").await.ok().json()["user"].clone();
    assert_eq!((&whole["id"], whole["loginMethods"].as_array().unwrap().len()), (&json!("owner"), 2));
    let by_number = find(&app, "/recipe/user?phoneNumber=%2B49%2030%2012345", "3.1").await.ok().json();
    assert_eq!(by_number["user"]["id"], "b");
    for (query, status) in [
        ("userId=owner", "UNKNOWN_USER_ID_ERROR"),
        ("userId=", "UNKNOWN_USER_ID_ERROR"),
        ("email=o@x.io", "UNKNOWN_EMAIL_ERROR"),
        ("phoneNumber=1", "UNKNOWN_PHONE_NUMBER_ERROR"),
    ] {
        assert_eq!(find(&app, &format!("/recipe/user?{query}"), "3.1").await.json(), json!({"status": status}));
    }
    let there = find(&app, "/t1/recipe/user?email=a@x.io", "3.1").await;
    assert_eq!(there.json(), json!({"status": "UNKNOWN_EMAIL_ERROR"}));
    let one = "Please provide exactly one of userId, email or phoneNumber";
    for query in ["", "userId=a&email=e", "email=e&phoneNumber=p", "userId=a&email=e&phoneNumber=p"] {
        find(&app, &format!("/recipe/user?{query}"), "3.1").await.is_text(400, one);
    }
    find(&app, "/t1/recipe/user?userId=a", "5.0")
        .await
        .is_text(403, "Only public tenantId can call this app specific API");
}

#[tokio::test]
async fn contacts_are_kept_set_and_cleared() {
    let app = people().await;
    let ok = json!({"status": "OK"});
    assert_eq!(put(&app, json!({"recipeUserId": "mine", "phoneNumber": "+49 30 99999"})).await, ok);
    assert_eq!(contacts(&app, "a").await, [json!("a@x.io"), json!("+493099999")]);
    assert_eq!(put(&app, json!({"recipeUserId": "a"})).await, ok, "nothing to do");
    assert_eq!(put(&app, json!({"recipeUserId": "a", "email": null})).await, ok);
    assert_eq!(contacts(&app, "a").await, [Value::Null, json!("+493099999")]);
    assert_eq!(put(&app, json!({"recipeUserId": "a", "email": " N@x.io", "phoneNumber": null})).await, ok);
    assert_eq!(contacts(&app, "a").await, [json!("n@x.io"), Value::Null]);
    let sentence = "You cannot clear both email and phone number of a user";
    for body in [
        json!({"recipeUserId": "a", "email": null}),
        json!({"recipeUserId": "a", "email": null, "phoneNumber": null}),
        json!({"recipeUserId": "b", "phoneNumber": null}),
    ] {
        app.put("/recipe/user", body).header("rid", "passwordless").await.is_text(400, sentence);
    }
    // The address is free again, and signs in nobody who used to have it.
    let sent = app.send(json!({"email": "a@x.io"})).await;
    assert_eq!(app.consume(sent.link()).await.ok().json()["createdNewUser"], true);
    let sent = app.send(json!({"email": "n@x.io"})).await;
    assert_eq!(app.consume(sent.link()).await.ok().json()["user"]["id"], "mine");
}

#[tokio::test]
async fn who_is_not_there_or_taken_is_told() {
    let app = people().await;
    app.people([by_email("c", 4, "c@x.io")]).await;
    for id in ["nobody", "owner", ""] {
        let reply = put(&app, json!({"recipeUserId": id, "email": null, "phoneNumber": null})).await;
        assert_eq!(reply, json!({"status": "UNKNOWN_USER_ID_ERROR"}));
    }
    let reply = put(&app, json!({"recipeUserId": "a", "email": "c@x.io"})).await;
    assert_eq!(reply, json!({"status": "EMAIL_ALREADY_EXISTS_ERROR"}));
    let reply = put(&app, json!({"recipeUserId": "a", "phoneNumber": "+49 30 12345"})).await;
    assert_eq!(reply, json!({"status": "PHONE_NUMBER_ALREADY_EXISTS_ERROR"}));
    assert_eq!(put(&app, json!({"recipeUserId": "a", "email": "o@x.io"})).await["status"], "OK", "another recipe's");
    assert_eq!(put(&app, json!({"recipeUserId": "a", "email": "a@x.io"})).await["status"], "OK");

    app.people([by_password("d", 5, "d@x.io")]).await;
    app.group(&["d"]).await;
    app.group(&["b"]).await;
    app.group(&["a"]).await;
    let reply = put(&app, json!({"recipeUserId": "a", "email": "d@x.io"})).await;
    let reason = "New email is associated with another primary user ID";
    assert_eq!(reply, json!({"status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR", "reason": reason}));
    app.people([by_password("e", 6, "e@x.io"), by_phone("f", 7, "+493077777")]).await;
    app.group(&["e", "f"]).await;
    // A user whose own login method no longer has a number, but whose group has reserved it.
    assert_eq!(put(&app, json!({"recipeUserId": "f", "email": "f@x.io"})).await["status"], "OK");
    let reply = put(&app, json!({"recipeUserId": "a", "phoneNumber": "+493077777"})).await;
    let reason = "New phone number is associated with another primary user ID";
    assert_eq!(reply, json!({"status": "PHONE_NUMBER_CHANGE_NOT_ALLOWED_ERROR", "reason": reason}));
    assert_eq!(contacts(&app, "a").await, [json!("a@x.io"), Value::Null]);
}

#[tokio::test]
async fn a_number_that_another_primary_user_has_in_another_tenant_is_reserved() {
    let app = people().await;
    // b is in both tenants; in the second one, only its group's other method has the number.
    app.post("/t1/recipe/multitenancy/tenant/user", json!({"recipeUserId": "a"})).await.ok();
    app.people([crate::people::within(["t1"], by_phone("t", 9, "+493055555")), by_password("g", 8, "g@x.io")]).await;
    app.group(&["g", "t"]).await;
    app.people([by_email("h", 10, "h@x.io")]).await;
    app.group(&["h"]).await;
    let reply = put(&app, json!({"recipeUserId": "h", "phoneNumber": "+493055555"})).await;
    let reason = "New phone number is associated with another primary user ID";
    assert_eq!(reply, json!({"status": "PHONE_NUMBER_CHANGE_NOT_ALLOWED_ERROR", "reason": reason}));
}

#[tokio::test]
async fn old_callers_name_the_user_and_bad_fields_are_refused() {
    let app = people().await;
    let request = |body: Value| app.put("/recipe/user", body).header("rid", "passwordless");
    request(json!({"userId": "a", "email": "n@x.io"})).cdi("3.1").await.ok();
    request(json!({"userId": "a"})).cdi("4.0").await.is_text(400, "Field name 'recipeUserId' is invalid in JSON input");
    request(json!({"recipeUserId": "a"})).cdi("3.1").await.is_text(400, "Field name 'userId' is invalid in JSON input");
    for field in ["email", "phoneNumber"] {
        let reply = request(json!({"recipeUserId": "a", field: 1})).await;
        reply.is_text(400, &format!("Field name '{field}' is invalid in JSON input"));
    }
    let reply = app.put("/t1/recipe/user", json!({"recipeUserId": "a"})).header("rid", "passwordless").await;
    reply.is_text(403, "Only public tenantId can call this app specific API");
}

#[tokio::test]
async fn changes_are_in_the_audit_log() {
    let app = people().await;
    put(&app, json!({"recipeUserId": "a", "email": "n@x.io", "phoneNumber": "+493099999"})).await;
    app.clock.advance(1);
    put(&app, json!({"recipeUserId": "a", "email": null})).await;
    app.clock.advance(1);
    put(&app, json!({"recipeUserId": "a"})).await;
    let events = app.get("/audit").await.ok().json()["events"].clone();
    let mut told: Vec<_> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["kind"].as_str().unwrap(), event["login"].as_str().unwrap()))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [("email-changed", "n***@x.io"), ("email-changed", "n***@x.io"), ("phone-number-changed", "+4***99")]
    );
}
