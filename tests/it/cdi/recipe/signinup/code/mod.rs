//! `/recipe/signinup/code` and below.

mod check;
mod consume;
mod remove;

use crate::app::{START, TestApp};
use serde_json::{Value, json};

const CODE: &str = "/recipe/signinup/code";

#[tokio::test]
async fn a_code_is_told_in_every_form() {
    let app = TestApp::builder().setting("passwordless_code_lifetime", "1234").build().await;
    for to in [json!({"email": " Jane@X.io "}), json!({"phoneNumber": "+49 30 12345"})] {
        let reply = app.post(CODE, to).await.ok().json();
        let text = |member: &str| reply[member].as_str().unwrap().to_owned();
        assert_eq!((&reply["timeCreated"], &reply["codeLifetime"]), (&json!(START.0), &json!(1234)));
        let lengths = ["preAuthSessionId", "codeId", "deviceId", "userInputCode", "linkCode"].map(|m| text(m).len());
        assert_eq!(lengths, [43, 36, 44, 6, 43], "{reply}");
        assert!(text("userInputCode").bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(reply.as_object().unwrap().len(), 8);
    }
    let chosen = app.post(CODE, json!({"email": "e", "userInputCode": "any text"})).await.ok();
    assert_eq!(chosen.json()["userInputCode"], "any text");
}

#[tokio::test]
async fn a_device_gets_further_codes_but_none_twice() {
    let app = TestApp::new().await;
    let first = app.send(json!({"email": "jane@x.io", "userInputCode": "1"})).await;
    let again = app.post(CODE, json!({"deviceId": first.device(), "userInputCode": "1"})).await;
    assert_eq!(again.json(), json!({"status": "USER_INPUT_CODE_ALREADY_USED_ERROR"}));
    let second = app.send(json!({"deviceId": first.device()})).await;
    for member in ["preAuthSessionId", "deviceId"] {
        assert_eq!(first.0[member], second.0[member]);
    }
    assert_ne!(first.0["codeId"], second.0["codeId"]);
    let other = app.send(json!({"email": "jane@x.io", "userInputCode": "1"})).await;
    assert_ne!(first.0["linkCode"], other.0["linkCode"], "the same code on another device makes a different link");
    assert_eq!(app.consumed(second.typed("1")).await, "OK", "each of its codes is good");
    let gone = app.post(CODE, json!({"deviceId": first.device()})).await;
    assert_eq!(gone.json(), json!({"status": "RESTART_FLOW_ERROR"}));
}

#[tokio::test]
async fn bad_input_is_refused() {
    let app = TestApp::new().await;
    let one = "Please provide exactly one of email, phoneNumber or deviceId";
    for body in [
        json!({}),
        json!({"userInputCode": "1"}),
        json!({"email": "e", "phoneNumber": "p"}),
        json!({"email": "e", "deviceId": "AAAA"}),
        json!({"phoneNumber": "e", "deviceId": "AAAA"}),
        json!({"email": "e", "phoneNumber": "p", "deviceId": "AAAA"}),
    ] {
        app.post(CODE, body).await.is_text(400, one);
    }
    let empty = json!({"email": "e", "userInputCode": ""});
    app.post(CODE, empty).await.is_text(400, "userInputCode cannot be an empty string.");
    app.post(CODE, json!({"deviceId": "not base64!"})).await.is_text(400, "Input encoding error in deviceId");
    for field in ["email", "phoneNumber", "deviceId", "userInputCode"] {
        for value in [json!(1), Value::Null] {
            let mut body = json!({ field: value });
            if field == "userInputCode" {
                app.post(CODE, body.clone()).await.is_text(400, one);
                body["email"] = "e".into();
            }
            let reply = app.post(CODE, body).await;
            reply.is_text(400, &format!("Field name '{field}' is invalid in JSON input"));
        }
    }
    for body in [json!({"email": null, "phoneNumber": "p"}), json!({"email": 1, "deviceId": "!"})] {
        app.post(CODE, body).await.is_text(400, one);
    }
    let both = json!({"deviceId": "!", "userInputCode": ""});
    app.post(CODE, both).await.is_text(400, "userInputCode cannot be an empty string.");
    assert_eq!(app.post(CODE, json!({"deviceId": ""})).await.text_at("/status"), "RESTART_FLOW_ERROR");
    for to in ["email", "phoneNumber"] {
        app.post(CODE, json!({ to: "" })).await.ok();
        assert_eq!(app.post(CODE, json!({ to: "x".repeat(600) })).await.code(), 400);
    }
}

#[tokio::test]
async fn where_the_recipe_is_switched_off_old_versions_refuse() {
    let app = TestApp::new().await;
    let off = json!({"tenantId": "t1", "passwordlessEnabled": false});
    app.put("/recipe/multitenancy/tenant", off).cdi("3.1").await.ok();
    let link = json!({"preAuthSessionId": "x", "linkCode": "AAAA"});
    for (path, body) in [("code", json!({"email": "e"})), ("code/consume", link.clone()), ("code/check", link)] {
        let path = format!("/t1/recipe/signinup/{path}");
        let sentence = "Passwordless login not enabled for tenant";
        app.post(&path, body.clone()).cdi("5.0").await.is_text(403, sentence);
        app.post(&path, body.clone()).cdi("3.1").await.is_text(403, sentence);
        assert_eq!(app.post(&path, body).cdi("5.1").await.code(), 200);
    }
    for (path, body) in [("code/remove", json!({"codeId": "x"})), ("codes/remove", json!({"email": "e"}))] {
        app.post(&format!("/t1/recipe/signinup/{path}"), body).cdi("3.1").await.ok();
    }
    // Texts are read after that.
    let session = json!("x");
    for (path, body) in [
        ("code", json!({"deviceId": "!"})),
        ("code/consume", json!({"preAuthSessionId": session, "linkCode": "!"})),
        ("code/check", json!({"preAuthSessionId": session, "deviceId": "!", "userInputCode": "1"})),
    ] {
        let refused = app.post(&format!("/t1/recipe/signinup/{path}"), body.clone()).cdi("5.0").await;
        refused.is_text(403, "Passwordless login not enabled for tenant");
        let nowhere = app.post(&format!("/nowhere/recipe/signinup/{path}"), body).await;
        nowhere.is_text(
            400,
            "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId \
             combination not found: (, public, nowhere)",
        );
    }
}
