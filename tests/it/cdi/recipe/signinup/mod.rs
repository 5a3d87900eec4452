//! `POST /recipe/signinup`.

mod code;
mod codes;

use super::EVERY_VERSION;
use crate::app::{START, TestApp, TestReply};
use crate::people::{by_password, by_provider, mapped, within};
use serde_json::{Value, json};
use sessiond::store::Keyspace;

/// A body for an account at `google`.
pub(super) fn google(user_id: &str, email: &str, is_verified: bool) -> Value {
    let email = json!({"id": email, "isVerified": is_verified});
    json!({"thirdPartyId": "google", "thirdPartyUserId": user_id, "email": email})
}

async fn sign(app: &TestApp, prefix: &str, user_id: &str, email: &str) -> TestReply {
    app.post(&format!("{prefix}/recipe/signinup"), google(user_id, email, false)).await.ok()
}

async fn is_verified(app: &TestApp, id: &str, email: &str) -> bool {
    let reply = app.get(&format!("/recipe/user/email/verify?userId={id}&email={email}")).await;
    reply.json()["isVerified"] == true
}

async fn two_tenants() -> TestApp {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app
}

#[tokio::test]
async fn the_first_call_signs_up_and_the_next_ones_in() {
    let app = TestApp::new().await;
    let first = sign(&app, "", "g1", " Jane@Example.org ").await.json();
    let id = first["recipeUserId"].as_str().unwrap();
    assert_eq!(id.len(), 36);
    let method = json!({
        "tenantIds": ["public"], "recipeUserId": id, "verified": false, "timeJoined": START.0, "recipeId": "thirdparty",
        "email": "jane@example.org", "thirdParty": {"id": "google", "userId": "g1"}, "webauthn": Value::Null,
    });
    let mut shown = first["user"]["loginMethods"][0].clone();
    shown["webauthn"] = Value::Null;
    assert_eq!((&first["createdNewUser"], &first["user"]["id"], shown), (&json!(true), &json!(id), method));

    app.clock.advance(1000);
    let again = sign(&app, "", "g1", "jane@example.org").await.json();
    assert_eq!(
        (&again["createdNewUser"], &again["user"], &again["recipeUserId"]),
        (&json!(false), &first["user"], &json!(id))
    );
}

#[tokio::test]
async fn every_version_has_its_shape() {
    for version in EVERY_VERSION {
        let app = TestApp::new().await;
        let reply = app.post("/recipe/signinup", google("g1", "a@x.io", true)).cdi(version).await.ok().json();
        let major: u32 = version.split('.').next().unwrap().parse().unwrap();
        assert_eq!(reply["createdNewUser"], true);
        assert_eq!(reply.get("recipeUserId").is_some(), major >= 4, "{version}");
        let user = &reply["user"];
        if major >= 4 {
            assert_eq!((&user["isPrimaryUser"], &user["loginMethods"][0]["verified"]), (&json!(false), &json!(true)));
            continue;
        }
        let mut expected = json!({
            "id": user["id"], "timeJoined": START.0, "email": "a@x.io", "thirdParty": {"id": "google", "userId": "g1"},
        });
        if major == 3 {
            expected["tenantIds"] = json!(["public"]);
        }
        assert_eq!(*user, expected, "{version}");
        let told = is_verified(&app, user["id"].as_str().unwrap(), "a@x.io").await;
        assert_eq!(told, version == "2.7", "{version}");
    }
}

#[tokio::test]
async fn bad_fields_are_named_in_order_and_nothing_is_written() {
    let app = TestApp::new().await;
    let missing = |name: &str| format!("Field name '{name}' is invalid in JSON input");
    for (body, name) in [
        (json!({}), "thirdPartyId"),
        (json!({"thirdPartyId": 1}), "thirdPartyId"),
        (json!({"thirdPartyId": "g"}), "thirdPartyUserId"),
        (json!({"thirdPartyId": "g", "thirdPartyUserId": "1"}), "email"),
        (json!({"thirdPartyId": "g", "thirdPartyUserId": "1", "email": "a@x.io"}), "email"),
        (json!({"thirdPartyId": "g", "thirdPartyUserId": "1", "email": {"isVerified": true}}), "id"),
        (json!({"thirdPartyId": "g", "thirdPartyUserId": "1", "email": {"id": "a@x.io"}}), "isVerified"),
        (
            json!({"thirdPartyId": "g", "thirdPartyUserId": "1", "email": {"id": "a", "isVerified": "true"}}),
            "isVerified",
        ),
    ] {
        app.post("/recipe/signinup", body).await.is_text(400, &missing(name));
    }
    let without = json!({"thirdPartyId": "g", "thirdPartyUserId": "1", "email": {"id": "a@x.io"}});
    app.post("/recipe/signinup", without.clone()).cdi("2.7").await.is_text(400, &missing("isVerified"));
    app.post("/recipe/signinup", google("1", &"a".repeat(513), false))
        .await
        .is_text(400, "Field name 'email' cannot be longer than 512 bytes");
    app.post("/nowhere/recipe/signinup", google("1", "a@x.io", false)).await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not \
         found: (, public, nowhere)",
    );
    assert_eq!(app.rows(Keyspace::User).await, 0);
    app.post("/recipe/signinup", without).cdi("2.8").await.ok();
    assert_eq!(app.rows(Keyspace::User).await, 1);
}

#[tokio::test]
async fn accounts_are_compared_as_they_are_in_their_tenant() {
    let app = two_tenants().await;
    let mut ids = std::collections::BTreeSet::new();
    for (prefix, user_id) in [("", "g1"), ("", "G1"), ("", " g1"), ("", ""), ("/t1", "g1")] {
        let reply = sign(&app, prefix, user_id, "same@x.io").await;
        assert_eq!(reply.json()["createdNewUser"], true);
        ids.insert(reply.text_at("/user/id"));
    }
    assert_eq!(ids.len(), 5, "the address does not matter");
    app.people([within(["public", "t1"], by_provider("both", 1, "b@x.io"))]).await;
    for prefix in ["", "/t1"] {
        let reply = sign(&app, prefix, "g-both", "b@x.io").await.json();
        assert_eq!((&reply["createdNewUser"], &reply["user"]["id"]), (&json!(false), &json!("both")), "{prefix}");
    }
    let long = "u".repeat(10_000);
    assert_eq!(sign(&app, "", &long, "l@x.io").await.json()["createdNewUser"], true);
    assert_eq!(sign(&app, "", &long, "l@x.io").await.json()["createdNewUser"], false);
    assert_eq!(sign(&app, "", &long[1..], "l@x.io").await.json()["createdNewUser"], true);
}

#[tokio::test]
async fn another_address_replaces_the_old_one_everywhere() {
    let app = TestApp::new().await;
    let id = sign(&app, "", "g1", "old@x.io").await.text_at("/user/id");
    let changed = sign(&app, "", "g1", "new@x.io").await.json();
    assert_eq!((&changed["createdNewUser"], &changed["user"]["emails"]), (&json!(false), &json!(["new@x.io"])));
    let by = async |email: &str| app.get(&format!("/recipe/users/by-email?email={email}")).await.ok().json();
    assert_eq!(by("old@x.io").await["users"], json!([]));
    assert_eq!(by("new@x.io").await["users"][0]["id"], json!(id));
}

#[tokio::test]
async fn a_primary_user_does_not_take_the_address_of_another_one() {
    let app = two_tenants().await;
    app.people([
        by_password("owner", 1, "taken@x.io"),
        within(["public", "t1"], by_provider("one", 2, "one@x.io")),
        by_provider("linked", 3, "linked@x.io"),
        by_provider("single", 4, "single@x.io"),
    ])
    .await;
    app.group(&["owner"]).await;
    app.group(&["one", "linked"]).await;
    let refused = json!({
        "status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR",
        "reason": "Email already associated with another primary user.",
    });
    for (prefix, user_id) in [("", "g-one"), ("", "g-linked"), ("/t1", "g-one")] {
        let reply = app.post(&format!("{prefix}/recipe/signinup"), google(user_id, "taken@x.io", true)).await;
        assert_eq!(reply.json(), refused, "{prefix} {user_id}");
    }
    let one = app.get("/user/id?userId=one").await.json();
    assert_eq!(one["user"]["emails"], json!(["linked@x.io", "one@x.io"]), "refused means unchanged");
    assert!(!is_verified(&app, "one", "taken@x.io").await);

    // A user who is not primary may have any address; addresses that a group already has are its own.
    sign(&app, "", "g-single", "taken@x.io").await;
    let own = sign(&app, "", "g-linked", "one@x.io").await.json();
    assert_eq!(
        (&own["user"]["emails"], &own["user"]["id"], &own["recipeUserId"]),
        (&json!(["one@x.io"]), &json!("one"), &json!("linked"))
    );
    let legacy = app.post("/recipe/signinup", google("g-linked", "one@x.io", false)).cdi("3.1").await.ok().json();
    assert_eq!(legacy["user"]["id"], "linked", "before account linking a user is one login method");
    // The abandoned address is free for other primary users.
    app.people([by_password("late", 5, "linked@x.io")]).await;
    app.group(&["late"]).await;
}

#[tokio::test]
async fn a_confirmed_address_is_verified_under_the_id_that_callers_use() {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_provider("a", 1, "a@x.io"))]).await;
    let reply = app.post("/recipe/signinup", google("g-a", "new@x.io", true)).await.ok().json();
    assert_eq!((&reply["user"]["id"], &reply["recipeUserId"]), (&json!("mine"), &json!("mine")));
    assert_eq!(reply["user"]["loginMethods"][0]["verified"], true);
    assert!(is_verified(&app, "mine", "new@x.io").await);
    assert!(!is_verified(&app, "a", "new@x.io").await);
    // An address not confirmed today was confirmed before.
    let reply = app.post("/recipe/signinup", google("g-a", "new@x.io", false)).await.ok().json();
    assert_eq!(reply["user"]["loginMethods"][0]["verified"], true);
    let reply = app.post("/recipe/signinup", google("g-a", "other@x.io", false)).await.ok().json();
    assert_eq!(reply["user"]["loginMethods"][0]["verified"], false);
}

#[tokio::test]
async fn who_claims_somebodys_address_at_a_provider_is_a_stranger() {
    let app = TestApp::new().await;
    app.people([by_password("jane", 1, "jane@x.io"), by_provider("hers", 2, "jane@x.io")]).await;
    app.group(&["jane", "hers"]).await;
    for version in ["2.7", "3.1", "4.0", "5.4"] {
        for is_verified in [false, true] {
            let account = format!("thief {version} {is_verified}");
            let reply =
                app.post("/recipe/signinup", google(&account, "jane@x.io", is_verified)).cdi(version).await.ok();
            let id = reply.text_at("/user/id");
            assert_eq!(reply.json()["createdNewUser"], true);
            let thief = app.get(&format!("/user/id?userId={id}")).await.ok().json()["user"].clone();
            assert_eq!((&thief["isPrimaryUser"], &thief["emails"]), (&json!(false), &json!(["jane@x.io"])));
            let primary = app.post("/recipe/accountlinking/user/primary", json!({"recipeUserId": id})).await.json();
            assert_eq!(primary["status"], "ACCOUNT_INFO_ALREADY_ASSOCIATED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR");
        }
    }
    let jane = app.get("/user/id?userId=jane").await.ok().json()["user"].clone();
    let methods = jane["loginMethods"].as_array().unwrap();
    assert_eq!(methods.len(), 2);
    assert!(methods.iter().all(|method| method["verified"] == false), "nobody verified the address for her: {jane}");
}

#[tokio::test]
async fn signing_in_marks_the_primary_user_as_active() {
    let app = TestApp::new().await;
    app.people([by_password("owner", 1, "a@x.io"), by_provider("linked", 2, "a@x.io")]).await;
    app.group(&["owner", "linked"]).await;
    app.clock.advance(3_600_000);
    let since = START.0 + 3_600_000;
    let active = async || app.get(&format!("/users/count/active?since={since}")).await.ok().json()["count"].clone();
    assert_eq!(active().await, 0);
    sign(&app, "", "g-linked", "a@x.io").await;
    assert_eq!(active().await, 1);
    app.clock.advance(600_000);
    sign(&app, "", "g-linked", "a@x.io").await;
    assert_eq!(active().await, 1, "it is the same one");
    sign(&app, "", "g-new", "b@x.io").await;
    assert_eq!(active().await, 2);
}

#[tokio::test]
async fn a_tenant_without_the_recipe_refuses_callers_that_leave_that_to_us() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1", "firstFactors": ["emailpassword"]})).await.ok();
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t2", "firstFactors": []})).await.ok();
    let sentence = "ThirdParty login not enabled for tenant";
    for (tenant, version, enabled) in [
        ("t1", "3.0", false),
        ("t1", "3.1", false),
        ("t1", "4.0", false),
        ("t1", "5.0", true),
        ("t1", "5.1", true),
        ("t2", "4.0", false),
        ("t2", "5.0", false),
        ("t2", "5.1", true),
        ("t2", "5.6", true),
        ("public", "3.1", true),
    ] {
        let reply = app.post(&format!("/{tenant}/recipe/signinup"), google("g", "a@x.io", false)).cdi(version).await;
        if enabled {
            reply.ok();
        } else {
            reply.is_text(403, sentence);
        }
    }
    // Fields come first.
    app.post("/t1/recipe/signinup", json!({}))
        .cdi("4.0")
        .await
        .is_text(400, "Field name 'thirdPartyId' is invalid in JSON input");
}

#[tokio::test]
async fn the_audit_log_tells_of_it() {
    let app = TestApp::new().await;
    for (email, is_verified) in [("a@x.io", false), ("a@x.io", false), ("b@x.io", true), ("b@x.io", true)] {
        app.post("/recipe/signinup", google("g1", email, is_verified)).await.ok();
        app.clock.advance(1);
    }
    let told = app.get("/audit").await.ok().json();
    let mut kinds: Vec<_> =
        told["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    // The three from the same moment are in any order.
    kinds[1..4].sort_unstable();
    assert_eq!(kinds, ["signed-in", "email-changed", "email-verified", "signed-in", "signed-in", "signed-up"]);
}

#[tokio::test]
async fn a_sign_in_that_is_refused_for_its_address_is_told() {
    let app = TestApp::new().await;
    app.people([by_provider("a", 1, "a@x.io"), by_provider("b", 2, "b@x.io")]).await;
    app.group(&["a"]).await;
    app.group(&["b"]).await;
    let reply = app.post("/recipe/signinup", google("g-a", "b@x.io", true)).await.json();
    assert_eq!(reply["status"], "EMAIL_CHANGE_NOT_ALLOWED_ERROR");
    let told = app.get("/audit?kind=sign-in-refused").await.ok().json();
    let event = &told["events"][0];
    assert_eq!(
        (&event["userId"], &event["recipeId"], &event["login"]),
        (&json!("a"), &json!("thirdparty"), &json!("b***@x.io"))
    );
    assert_eq!(event["detail"], "another primary user has the new e-mail address");
    assert_eq!(told["events"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn sign_ups_are_counted_by_recipe() {
    let app = crate::people::with_cheap_passwords().build().await;
    for _ in 0..2 {
        app.post("/recipe/signinup", google("g1", "a@x.io", false)).await.ok();
        app.post("/recipe/signup", json!({"email": "a@x.io", "password": "a password"})).await;
    }
    app.sign_up("b@x.io", "a password").await;
    let text = app.get("/metrics").await.body();
    for (recipe, count) in [("thirdparty", 1), ("emailpassword", 2), ("passwordless", 0), ("webauthn", 0)] {
        let line = format!("sessiond_sign_ups_total{{recipe=\"{recipe}\"}} {count}");
        assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn of_many_at_once_one_signs_up() {
    let app = TestApp::new().await;
    let all = (0..24).map(|_| async { sign(&app, "", "g1", "a@x.io").await.json() });
    let replies = futures_util::future::join_all(all).await;
    let created = replies.iter().filter(|reply| reply["createdNewUser"] == true).count();
    let ids: std::collections::BTreeSet<_> = replies.iter().map(|reply| reply["user"]["id"].to_string()).collect();
    assert_eq!((created, ids.len(), app.rows(Keyspace::User).await), (1, 1, 1));
}

#[tokio::test]
async fn of_two_primary_users_who_want_one_address_one_gets_it() {
    let app = TestApp::new().await;
    app.people([by_provider("a", 1, "a@x.io"), by_provider("b", 2, "b@x.io")]).await;
    app.group(&["a"]).await;
    app.group(&["b"]).await;
    let wish = async |account: &str| app.post("/recipe/signinup", google(account, "c@x.io", false)).await.json();
    let (one, other) = tokio::join!(wish("g-a"), wish("g-b"));
    let mut statuses = [one["status"].as_str().unwrap(), other["status"].as_str().unwrap()];
    statuses.sort_unstable();
    assert_eq!(statuses, ["EMAIL_CHANGE_NOT_ALLOWED_ERROR", "OK"]);
}
