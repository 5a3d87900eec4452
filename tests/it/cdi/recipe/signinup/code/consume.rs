//! `POST /recipe/signinup/code/consume`.

use crate::app::{START, TestApp};
use crate::cdi::recipe::EVERY_VERSION;
use crate::people::{by_password, mapped, method};
use serde_json::json;
use sessiond::domain::user::Login;

const CONSUME: &str = "/recipe/signinup/code/consume";
const RESTART: &str = "RESTART_FLOW_ERROR";

#[tokio::test]
async fn the_first_code_signs_up_and_the_next_one_in() {
    let app = TestApp::new().await;
    let sent = app.send(json!({"email": " Jane@x.io "})).await;
    let first = app.consume(sent.input()).await.ok().json();
    let id = first["recipeUserId"].as_str().unwrap();
    let method = json!({
        "tenantIds": ["public"], "recipeUserId": id, "verified": true, "timeJoined": START.0,
        "recipeId": "passwordless", "email": "jane@x.io",
    });
    assert_eq!((&first["createdNewUser"], &first["user"]["id"]), (&json!(true), &json!(id)));
    assert_eq!((&first["user"]["loginMethods"], &first["user"]["emails"]), (&json!([method]), &json!(["jane@x.io"])));
    let device = json!({
        "preAuthSessionId": sent.0["preAuthSessionId"], "failedCodeInputAttemptCount": 0, "email": "jane@x.io",
    });
    assert_eq!(first["consumedDevice"], device);
    let verified = app.get(&format!("/recipe/user/email/verify?userId={id}&email=jane@x.io")).await.json();
    assert_eq!(verified["isVerified"], true);

    app.clock.advance(1000);
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    assert_eq!(app.consumed(sent.typed("wrong")).await, "INCORRECT_USER_INPUT_CODE_ERROR");
    let again = app.consume(sent.link()).await.ok().json();
    assert_eq!((&again["createdNewUser"], &again["user"]), (&json!(false), &first["user"]));
    assert_eq!(again["consumedDevice"]["failedCodeInputAttemptCount"], 1);
    for body in [sent.link(), sent.input()] {
        assert_eq!(app.consumed(body).await, RESTART, "used up");
    }
}

#[tokio::test]
async fn a_confirmed_address_is_verified_under_the_id_that_callers_use() {
    let app = TestApp::new().await;
    let login = Login::Passwordless { email: Some("jane@x.io".to_owned()), phone_number: None };
    app.people([mapped("mine", method("a", 1, login))]).await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    let reply = app.consume(sent.link()).await.ok().json();
    assert_eq!(reply["user"]["loginMethods"][0]["verified"], true);
    for (id, verified) in [("mine", true), ("a", false)] {
        let mark = app.get(&format!("/recipe/user/email/verify?userId={id}&email=jane@x.io")).await.json();
        assert_eq!(mark["isVerified"], verified, "{id}");
    }
    let user = app.get("/user/id?userId=a").await.ok().json();
    assert_eq!(user["user"]["loginMethods"][0]["verified"], true);
}

#[tokio::test]
async fn a_phone_number_signs_up_too() {
    let app = TestApp::new().await;
    let sent = app.send(json!({"phoneNumber": "+49 (30) 123-456"})).await;
    let reply = app.consume(sent.link()).await.ok().json();
    let user = &reply["user"];
    assert_eq!((&user["phoneNumbers"], &user["emails"]), (&json!(["+4930123456"]), &json!([])));
    assert_eq!(
        (&user["loginMethods"][0]["phoneNumber"], &user["loginMethods"][0]["verified"]),
        (&json!("+4930123456"), &json!(true))
    );
    assert_eq!(reply["consumedDevice"]["phoneNumber"], "+4930123456");
    assert_eq!(reply["consumedDevice"].get("email"), None);
}

#[tokio::test]
async fn every_version_has_its_shape() {
    for version in EVERY_VERSION {
        let app = TestApp::new().await;
        let sent = app.send(json!({"email": "a@x.io"})).await;
        let reply = app.post(CONSUME, sent.link()).cdi(version).await.ok().json();
        let major: u32 = version.split('.').next().unwrap().parse().unwrap();
        assert_eq!(reply["createdNewUser"], true);
        assert_eq!(reply.get("recipeUserId").is_some(), major >= 4, "{version}");
        assert_eq!(reply.get("consumedDevice").is_some(), major >= 5, "{version}");
        let user = &reply["user"];
        if major >= 4 {
            assert_eq!((&user["isPrimaryUser"], &user["loginMethods"][0]["verified"]), (&json!(false), &json!(true)));
            continue;
        }
        let mut expected = json!({"id": user["id"], "timeJoined": START.0, "email": "a@x.io"});
        if major == 3 {
            expected["tenantIds"] = json!(["public"]);
        }
        assert_eq!(*user, expected, "{version}");
        let path = format!("/recipe/user/email/verify?userId={}&email=a@x.io", user["id"].as_str().unwrap());
        assert_eq!(app.get(&path).await.json()["isVerified"], false, "{version}: old callers say it themselves");
    }
}

#[tokio::test]
async fn wrong_codes_count_until_the_device_goes() {
    let app = TestApp::builder().setting("passwordless_max_code_input_attempts", "3").build().await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    for count in [1, 2] {
        let reply = app.consume(sent.typed("wrong")).await.json();
        let expected = json!({
            "status": "INCORRECT_USER_INPUT_CODE_ERROR",
            "failedCodeInputAttemptCount": count, "maximumCodeInputAttempts": 3,
        });
        assert_eq!(reply, expected);
    }
    app.send(json!({"deviceId": sent.device()})).await;
    assert_eq!(app.consumed(sent.typed("wrong")).await, RESTART);
    for body in [sent.input(), sent.link()] {
        assert_eq!(app.consumed(body).await, RESTART);
    }
    assert_eq!(app.get("/users/count").await.json()["count"], 0);
}

#[tokio::test]
async fn a_late_code_is_told_apart_from_a_wrong_one_and_counts() {
    let app = TestApp::builder().setting("passwordless_code_lifetime", "1000").build().await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    app.clock.advance(1001);
    let late = app.consume(sent.input()).await.json();
    let expected = json!({
        "status": "EXPIRED_USER_INPUT_CODE_ERROR", "failedCodeInputAttemptCount": 1, "maximumCodeInputAttempts": 5,
    });
    assert_eq!(late, expected);
    assert_eq!(app.consumed(sent.link()).await, RESTART);
    let listed = app.get("/recipe/signinup/codes?email=jane@x.io").await.json();
    assert_eq!(listed["devices"][0]["failedCodeInputAttemptCount"], 1, "a late link does not count");
    let fresh = app.send(json!({"deviceId": sent.device()})).await;
    app.clock.advance(1000);
    assert_eq!(app.consumed(fresh.input()).await, "OK", "it is valid until its last millisecond");
}

#[tokio::test]
async fn a_lowered_limit_holds_for_devices_that_are_there() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let sent = app.post("/t1/recipe/signinup/code", json!({"email": "jane@x.io"})).await.ok().json();
    let sent = crate::passwordless::Sent(sent);
    for _ in 0..3 {
        let reply = app.post(&format!("/t1{CONSUME}"), sent.typed("wrong")).await;
        assert_eq!(reply.text_at("/status"), "INCORRECT_USER_INPUT_CODE_ERROR");
    }
    let config = json!({"tenantId": "t1", "coreConfig": {"passwordless_max_code_input_attempts": 2}});
    app.put("/recipe/multitenancy/tenant/v2", config).await.ok();
    let reply = app.post(&format!("/t1{CONSUME}"), sent.input()).await;
    assert_eq!(reply.text_at("/status"), RESTART);
}

#[tokio::test]
async fn bad_input_is_refused() {
    let app = TestApp::new().await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    let other = app.send(json!({"email": "joe@x.io"})).await;
    let one = "Please provide exactly one of linkCode or deviceId+userInputCode";
    let id = &sent.0["preAuthSessionId"];
    for body in [
        json!({"preAuthSessionId": id}),
        json!({"preAuthSessionId": id, "deviceId": "AAAA"}),
        json!({"preAuthSessionId": id, "userInputCode": "1"}),
        json!({"preAuthSessionId": id, "linkCode": "AAAA", "userInputCode": "1"}),
        json!({"preAuthSessionId": id, "linkCode": "AAAA", "deviceId": "AAAA"}),
    ] {
        app.consume(body).await.is_text(400, one);
    }
    let field = "Field name 'preAuthSessionId' is invalid in JSON input";
    for body in [json!({"linkCode": "AAAA"}), json!({"linkCode": 1}), json!({"preAuthSessionId": null}), json!({})] {
        app.consume(body).await.is_text(400, field);
    }
    app.consume(json!({"preAuthSessionId": id, "linkCode": 1, "deviceId": "AAAA"})).await.is_text(400, one);
    app.consume(json!({"preAuthSessionId": id, "linkCode": null, "userInputCode": "1"})).await.is_text(400, one);
    for (body, wrong) in [
        (json!({"preAuthSessionId": id, "linkCode": null}), "linkCode"),
        (json!({"preAuthSessionId": id, "deviceId": 1, "userInputCode": 1}), "deviceId"),
        (json!({"preAuthSessionId": id, "deviceId": "!", "userInputCode": 1}), "userInputCode"),
    ] {
        app.consume(body).await.is_text(400, &format!("Field name '{wrong}' is invalid in JSON input"));
    }
    for (member, value) in [("linkCode", "!"), ("linkCode", "+/+/"), ("deviceId", "!")] {
        let body = json!({"preAuthSessionId": id, member: value, "userInputCode": "1"});
        let mut body = body;
        if member == "linkCode" {
            body.as_object_mut().unwrap().remove("userInputCode");
        }
        app.consume(body).await.is_text(400, &format!("Input encoding error in {member}"));
    }
    let mismatch = "preAuthSessionId and deviceId doesn't match";
    for mut body in [sent.link(), sent.input(), sent.typed("wrong")] {
        for wrong in [&other.0["preAuthSessionId"], &json!("nonsense"), &json!("")] {
            body["preAuthSessionId"] = wrong.clone();
            app.consume(body.clone()).await.is_text(400, mismatch);
        }
    }
    let listed = app.get("/recipe/signinup/codes?email=jane@x.io").await.json();
    assert_eq!(listed["devices"][0]["failedCodeInputAttemptCount"], 0, "none of that counts");
    let unknown = json!({"preAuthSessionId": id, "linkCode": "AAAA"});
    assert_eq!(app.consumed(unknown).await, RESTART);
    let unknown = json!({"preAuthSessionId": "x", "deviceId": "AAAA", "userInputCode": "1"});
    assert_eq!(app.consumed(unknown).await, RESTART);
    let mut padded = sent.link();
    padded["preAuthSessionId"] = format!("{}=", id.as_str().unwrap()).into();
    app.consume(padded).await.ok();
}

#[tokio::test]
async fn codes_and_people_are_of_a_tenant() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    for body in [sent.link(), sent.input()] {
        assert_eq!(app.post(&format!("/t1{CONSUME}"), body).await.text_at("/status"), RESTART);
    }
    let here = app.consume(sent.link()).await.ok().json();
    let sent = app.post("/t1/recipe/signinup/code", json!({"email": "jane@x.io"})).await.ok().json();
    let there = app.post(&format!("/t1{CONSUME}"), crate::passwordless::Sent(sent).link()).await.ok().json();
    assert_eq!((&there["createdNewUser"], &there["user"]["tenantIds"]), (&json!(true), &json!(["t1"])));
    assert_ne!(here["user"]["id"], there["user"]["id"]);
}

#[tokio::test]
async fn linked_people_sign_in_as_one_and_other_recipes_do_not_count() {
    let app = TestApp::new().await;
    let login = Login::Passwordless { email: Some("jane@x.io".to_owned()), phone_number: None };
    app.people([by_password("a", 1, "jane@x.io"), method("b", 2, login)]).await;
    app.group(&["a", "b"]).await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    let reply = app.consume(sent.link()).await.ok().json();
    assert_eq!((&reply["createdNewUser"], &reply["user"]["id"]), (&json!(false), &json!("a")));
    assert_eq!(reply["recipeUserId"], "b");
    let methods = reply["user"]["loginMethods"].as_array().unwrap();
    let verified: Vec<_> = methods.iter().map(|method| &method["verified"]).collect();
    assert_eq!(verified, [&json!(false), &json!(true)], "the address is confirmed for this login method");

    app.people([by_password("c", 3, "joe@x.io")]).await;
    app.make_primary("c").await;
    let sent = app.send(json!({"email": "joe@x.io"})).await;
    let reply = app.consume(sent.link()).await.ok().json();
    assert_eq!((&reply["createdNewUser"], &reply["user"]["isPrimaryUser"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn sign_ins_and_refusals_are_in_the_audit_log_and_people_are_active() {
    let app = TestApp::new().await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    app.consume(sent.typed("wrong")).await;
    app.clock.advance(1);
    app.consume(sent.input()).await.ok();
    app.clock.advance(1);
    let again = app.send(json!({"email": "jane@x.io"})).await;
    app.consume(again.link()).await.ok();
    let events = app.get("/audit").await.ok().json()["events"].clone();
    let told: Vec<_> = events.as_array().unwrap().iter().map(|event| (&event["kind"], &event["detail"])).collect();
    let mut kinds: Vec<_> = told.iter().map(|(kind, _)| kind.as_str().unwrap()).collect();
    assert_eq!((kinds.remove(0), kinds.pop()), ("signed-in", Some("sign-in-refused")));
    kinds.sort_unstable();
    assert_eq!(kinds, ["email-verified", "signed-up"]);
    assert_eq!(told[3].1, &json!("wrong code"));
    for event in events.as_array().unwrap() {
        assert_eq!((&event["recipeId"], &event["login"]), (&json!("passwordless"), &json!("j***@x.io")), "{event}");
    }
    assert_eq!(app.get("/users/count/active?since=0").await.json()["count"], 1);
}

#[tokio::test]
async fn attempts_on_somebodys_contact_are_told_under_the_id_that_callers_use() {
    let app = TestApp::new().await;
    let login = Login::Passwordless { email: Some("jane@x.io".to_owned()), phone_number: None };
    app.people([by_password("a", 1, "jane@x.io"), mapped("mine", method("b", 2, login))]).await;
    app.group(&["a", "b"]).await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    for path in [CONSUME, "/recipe/signinup/code/check"] {
        app.post(path, sent.typed("wrong")).await;
    }
    let told = app.get("/audit?kind=sign-in-refused").await.ok().json();
    for event in told["events"].as_array().unwrap() {
        assert_eq!((&event["userId"], &event["recipeUserId"]), (&json!("a"), &json!("mine")));
    }
    assert_eq!(told["events"].as_array().unwrap().len(), 2);
}
