//! Login methods that become one user, by a rule of the settings.

use super::second_factors::{Page, RECIPES};
use super::{PASSWORD, claims, form, sign_up_by_header};
use crate::app::{TestApp, TestReply};
use http::Method;
use serde_json::{Value, json};
use std::future::IntoFuture;

async fn app(rule: &str) -> TestApp {
    TestApp::builder().setting("account_linking", rule).setting("bcrypt_log_rounds", "4").build().await
}

/// Signs somebody in with a code mailed to an address, through the core; returns the user's id.
pub(super) async fn by_code(app: &TestApp, email: &str) -> String {
    let code = app.post("/recipe/signinup/code", json!({"email": email})).await.ok().json();
    let body = json!({
        "preAuthSessionId": code["preAuthSessionId"], "deviceId": code["deviceId"], "userInputCode": code["userInputCode"],
    });
    app.post("/recipe/signinup/code/consume", body).await.ok().text_at("/recipeUserId")
}

pub(super) async fn make_primary(app: &TestApp, id: &str) {
    app.post("/recipe/accountlinking/user/primary", json!({"recipeUserId": id})).await.ok();
}

/// A token for the address of a login method.
pub(super) async fn verification_token(app: &TestApp, id: &str, email: &str) -> Option<String> {
    let made = app.post("/recipe/user/email/verify/token", json!({"userId": id, "email": email})).await;
    made.json()["token"].as_str().map(str::to_owned)
}

async fn unverify(app: &TestApp, id: &str, email: &str) {
    app.post("/recipe/user/email/verify/remove", json!({"userId": id, "email": email})).await.ok();
}

async fn post(app: &TestApp, path: &str, body: Value) -> TestReply {
    app.front(Method::POST, path).json(&body).await
}

async fn methods_of(app: &TestApp, id: &str) -> usize {
    let user = app.get(&format!("/user/id?userId={id}")).await.ok().json();
    user["user"]["loginMethods"].as_array().unwrap().len()
}

#[tokio::test]
async fn always_links_to_whoever_has_the_address() {
    let app = app("always").await;
    let first = by_code(&app, "a@b.cd").await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    assert_eq!(up.text_at("/user/id"), first, "the older one is the person's id");
    assert_eq!(up.json()["user"]["isPrimaryUser"], true);
    assert_eq!(claims(&up)["sub"], json!(first));
    assert_ne!(claims(&up)["rsub"], json!(first));
    assert_eq!(claims(&up)["st-ev"]["v"], true, "the address was verified by the code");
    assert_eq!(methods_of(&app, &first).await, 2);
}

#[tokio::test]
async fn off_links_nobody_and_makes_nobody_primary() {
    let app = app("off").await;
    by_code(&app, "a@b.cd").await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    assert_eq!(up.json()["user"]["isPrimaryUser"], false);
    assert_eq!(methods_of(&app, &up.text_at("/user/id")).await, 1);
}

#[tokio::test]
async fn verified_refuses_who_has_not_shown_that_the_address_is_theirs() {
    let app = app("verified").await;
    let owner = by_code(&app, "a@b.cd").await;
    make_primary(&app, &owner).await;
    let refused = post(&app, "/auth/signup", form("a@b.cd", PASSWORD)).await;
    assert_eq!(refused.json()["status"], "SIGN_UP_NOT_ALLOWED");
    assert!(refused.text_at("/reason").ends_with("(ERR_CODE_007)"), "{}", refused.body());
    assert!(refused.header("front-token").is_empty());

    // Somebody who signed up before the owner came has to verify the address too.
    let early = sign_up_by_header(&app, "b@b.cd").await.text_at("/user/id");
    make_primary(&app, &by_code(&app, "b@b.cd").await).await;
    let refused = post(&app, "/auth/signin", form("b@b.cd", PASSWORD)).await;
    assert_eq!(refused.json()["status"], "SIGN_IN_NOT_ALLOWED");
    let refused = post(&app, "/auth/signin", form("b@b.cd", "a wrong one 1")).await;
    assert!(refused.text_at("/reason").ends_with("(ERR_CODE_008)"), "it is said before the password is looked at");
    assert_eq!(methods_of(&app, &early).await, 1);
}

#[tokio::test]
async fn verification_links_and_replaces_the_session() {
    let app = app("verified").await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let id = up.text_at("/user/id");
    let owner = by_code(&app, "a@b.cd").await;
    make_primary(&app, &owner).await;
    let token = verification_token(&app, &id, "a@b.cd").await.unwrap();
    let mut page = Page::of(&app, &up);
    let verified = page.send(Method::POST, "/auth/user/email/verify", json!({"token": token})).await.ok();
    let new = claims(&verified);
    assert_eq!((&new["sub"], &new["rsub"], &new["st-ev"]["v"]), (&json!(owner), &json!(id), &json!(true)));
    assert_ne!(new["sessionHandle"], claims(&up)["sessionHandle"]);
    assert_eq!(verified.header("st-refresh-token").len(), 1);
    let bearer = format!("Bearer {}", up.header("st-refresh-token").concat());
    let refreshed = app.front(Method::POST, "/auth/session/refresh").header("authorization", &bearer).await;
    assert_eq!(refreshed.code(), 401, "the sessions from before are over");
}

#[tokio::test]
async fn the_session_that_replaces_one_has_the_first_factor_alone() {
    let app = TestApp::builder()
        .setting("recipe_list", RECIPES)
        .setting("account_linking", "verified")
        .setting("bcrypt_log_rounds", "4")
        .build()
        .await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let (id, mut page) = (up.text_at("/user/id"), Page::of(&app, &up));
    app.clock.advance(5_000);
    // The app of somebody who may not be the owner of the address: it says nothing of the owner's second factor.
    page.add_device().await;
    assert_eq!(page.info().await.ok().json()["factors"]["alreadySetup"], json!(["emailpassword", "totp"]));
    let owner = by_code(&app, "a@b.cd").await;
    make_primary(&app, &owner).await;
    let update = json!({"_supertokens": {"requiredSecondaryFactors": ["totp"]}});
    app.put("/recipe/user/metadata", json!({"userId": owner, "metadataUpdate": update})).await.ok();
    let token = verification_token(&app, &id, "a@b.cd").await.unwrap();
    let verified = page.send(Method::POST, "/auth/user/email/verify", json!({"token": token})).await.ok();
    let (before, after) = (claims(&up), claims(&verified));
    assert_ne!(after["sessionHandle"], before["sessionHandle"]);
    let first = &before["st-mfa"]["c"]["emailpassword"];
    assert_eq!(after["st-mfa"], json!({"c": {"emailpassword": first}, "v": false}));
}

#[tokio::test]
async fn an_address_that_the_primary_user_has_not_verified_links_nobody() {
    let app = app("verified").await;
    // Whoever made this account has a phone and claims the address; it was never theirs.
    let claimed = by_code(&app, "a@b.cd").await;
    make_primary(&app, &claimed).await;
    unverify(&app, &claimed, "a@b.cd").await;
    let refused = post(&app, "/auth/signup", form("a@b.cd", PASSWORD)).await;
    assert_eq!(refused.json()["status"], "SIGN_UP_NOT_ALLOWED");
    let up = sign_up_by_header(&app, "c@b.cd").await;
    let id = up.text_at("/user/id");
    let later = by_code(&app, "c@b.cd").await;
    make_primary(&app, &later).await;
    unverify(&app, &later, "c@b.cd").await;
    let token = verification_token(&app, &id, "c@b.cd").await.unwrap();
    post(&app, "/auth/user/email/verify", json!({"token": token})).await.ok();
    assert_eq!(methods_of(&app, &id).await, 1);
    assert_eq!(methods_of(&app, &later).await, 1);
}

#[tokio::test]
async fn a_second_login_method_needs_a_verified_address_on_one_side() {
    let app = app("verified").await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let id = up.text_at("/user/id");
    let mut page = Page::of(&app, &up);
    let second = |email: &str| {
        let mut body = form(email, PASSWORD);
        body["shouldTryLinkingWithSessionUser"] = json!(true);
        body
    };
    let refused = page.send(Method::POST, "/auth/signup", second("b@b.cd")).await;
    assert_eq!(refused.code(), 403, "{}", refused.body());
    let reason = json!({"message": "wrong value", "expectedValue": true, "actualValue": false});
    assert_eq!(refused.json()["claimValidationErrors"], json!([{"id": "st-ev", "reason": reason}]));
    let token = verification_token(&app, &id, "a@b.cd").await.unwrap();
    page.send(Method::POST, "/auth/user/email/verify", json!({"token": token})).await.ok();
    let refused = page.send(Method::POST, "/auth/signup", second("b@b.cd")).await;
    assert!(refused.text_at("/reason").ends_with("(ERR_CODE_013)"), "{}", refused.body());
    assert_eq!(methods_of(&app, &id).await, 1);
    // The login method exists, and can be linked once its address is verified.
    let users = app.get("/users/by-accountinfo?email=b@b.cd&doUnionOfAccountInfo=true").await.ok();
    let other = users.text_at("/users/0/id");
    let token = verification_token(&app, &other, "b@b.cd").await.unwrap();
    app.post("/recipe/user/email/verify", json!({"method": "token", "token": token})).await.ok();
    let linked = page.send(Method::POST, "/auth/signin", second("b@b.cd")).await.ok();
    assert_eq!(linked.text_at("/user/id"), id);
    assert!(linked.header("st-refresh-token").is_empty(), "the session goes on");
}

#[tokio::test]
async fn a_link_for_a_new_password_gives_one_to_whoever_has_only_codes() {
    let app = app("verified").await;
    let owner = by_code(&app, "a@b.cd").await;
    make_primary(&app, &owner).await;
    let made = app.post("/recipe/user/password/reset/token", json!({"userId": owner, "email": "a@b.cd"})).await.ok();
    let fields = json!([{"id": "password", "value": PASSWORD}]);
    let body = json!({"method": "token", "token": made.text_at("/token"), "formFields": fields});
    let reset = post(&app, "/auth/user/password/reset", body.clone()).await.ok();
    assert!(reset.header("front-token").is_empty(), "no session begins");
    let signed_in = post(&app, "/auth/signin", form("a@b.cd", PASSWORD)).await.ok();
    assert_eq!(signed_in.text_at("/user/id"), owner);
    assert_eq!(methods_of(&app, &owner).await, 2);
    assert_eq!(
        post(&app, "/auth/user/password/reset", body).await.json()["status"],
        "RESET_PASSWORD_INVALID_TOKEN_ERROR"
    );
}

#[tokio::test]
async fn a_password_of_another_tenant_may_be_used_in_the_sessions() {
    let app = app("always").await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let id = up.text_at("/user/id");
    for tenant in ["t1", "t2"] {
        let factors = json!({"tenantId": tenant, "firstFactors": ["emailpassword"]});
        app.put("/recipe/multitenancy/tenant/v2", factors).await.ok();
    }
    // The person has a session in a tenant where the password is not known.
    let code = app.post("/t1/recipe/signinup/code", json!({"email": "a@b.cd"})).await.ok().json();
    let body = json!({
        "preAuthSessionId": code["preAuthSessionId"], "deviceId": code["deviceId"], "userInputCode": code["userInputCode"],
    });
    let other = app.post("/t1/recipe/signinup/code/consume", body).await.ok().text_at("/recipeUserId");
    let link = json!({"recipeUserId": other, "primaryUserId": id});
    app.post("/recipe/accountlinking/user/link", link).await.ok();
    let session = json!({
        "userId": other, "enableAntiCsrf": false, "userDataInJWT": {}, "userDataInDatabase": {},
        "useDynamicSigningKey": true,
    });
    let session = app.post("/t1/recipe/session", session).await.ok();
    let mut page = Page { app: &app, token: session.text_at("/accessToken/token") };
    let second = |word: &str| {
        let mut body = form("a@b.cd", word);
        body["shouldTryLinkingWithSessionUser"] = json!(true);
        body
    };
    let wrong = page.send(Method::POST, "/auth/t1/signin", second("a wrong one 1")).await;
    assert_eq!(wrong.json()["status"], "WRONG_CREDENTIALS_ERROR");
    let tenants = async || {
        let user = app.get(&format!("/user/id?userId={id}")).await.ok().json();
        let methods = user["user"]["loginMethods"].as_array().unwrap().clone();
        methods.iter().find(|method| method["recipeId"] == "emailpassword").unwrap()["tenantIds"].clone()
    };
    assert_eq!(tenants().await, json!(["public"]));
    page.send(Method::POST, "/auth/t1/signin", second(PASSWORD)).await.ok();
    assert_eq!(tenants().await, json!(["public", "t1"]));
}

#[tokio::test]
async fn an_address_that_has_a_password_is_taken_rather_than_refused() {
    let app = app("verified").await;
    sign_up_by_header(&app, "a@b.cd").await;
    make_primary(&app, &by_code(&app, "a@b.cd").await).await;
    let taken = post(&app, "/auth/signup", form("a@b.cd", PASSWORD)).await;
    assert_eq!(taken.json()["status"], "FIELD_ERROR");
}

#[tokio::test]
async fn made_up_addresses_are_for_passwords_that_are_added() {
    let app = app("always").await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let email = format!("{}@stfakeemail.supertokens.com", up.text_at("/user/id"));
    assert_eq!(post(&app, "/auth/signup", form(&email, PASSWORD)).await.json()["status"], "FIELD_ERROR");
    let mut body = form(&email, "another word 1");
    body["shouldTryLinkingWithSessionUser"] = json!(true);
    let added = Page::of(&app, &up).send(Method::POST, "/auth/signup", body).await.ok();
    assert_eq!(added.text_at("/user/id"), up.text_at("/user/id"));
    let alone = post(&app, "/auth/signin", form(&email, "another word 1")).await;
    assert_eq!(alone.json()["status"], "WRONG_CREDENTIALS_ERROR", "it begins no session");

    // What was made up for somebody else is not free.
    let other = sign_up_by_header(&app, "b@b.cd").await;
    let theirs = format!("{}@stfakeemail.supertokens.com", other.text_at("/user/id"));
    for email in [theirs.as_str(), "7.provider@stfakeemail.supertokens.com", "x@y.fakeemail.com"] {
        let mut body = form(email, "another word 1");
        body["shouldTryLinkingWithSessionUser"] = json!(true);
        let refused = Page::of(&app, &up).send(Method::POST, "/auth/signup", body).await;
        assert_eq!(refused.json()["status"], "FIELD_ERROR", "{email}");
    }
}

#[tokio::test]
async fn a_session_that_has_ended_adds_no_login_method_and_no_device() {
    let app = TestApp::builder().setting("recipe_list", RECIPES).setting("account_linking", "always").build().await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let handle = claims(&up)["sessionHandle"].as_str().unwrap().to_owned();
    app.post("/recipe/session/remove", json!({"sessionHandles": [handle]})).await.ok();
    let mut body = form("thief@b.cd", PASSWORD);
    body["shouldTryLinkingWithSessionUser"] = json!(true);
    for (method, path, body) in [
        (Method::POST, "/auth/signup", body),
        (Method::POST, "/auth/totp/device", json!({"deviceName": "phone"})),
        (Method::PUT, "/auth/mfa/info", json!({})),
        (Method::GET, "/auth/user/email/verify", Value::Null),
    ] {
        let refused = Page::of(&app, &up).send(method, path, body).await;
        assert_eq!(refused.code(), 401, "{path}: {}", refused.body());
    }
    assert_eq!(methods_of(&app, &up.text_at("/user/id")).await, 1);
    Page::of(&app, &up).send(Method::POST, "/auth/signout", json!({})).await.ok();
}

#[tokio::test]
async fn only_linking_lets_a_session_go_on_as_the_primary_users() {
    let app = app("verified").await;
    for (email, is_revoked) in [("a@b.cd", false), ("c@b.cd", true)] {
        let up = sign_up_by_header(&app, email).await;
        let id = up.text_at("/user/id");
        if is_revoked {
            let handle = claims(&up)["sessionHandle"].as_str().unwrap().to_owned();
            app.post("/recipe/session/remove", json!({"sessionHandles": [handle]})).await.ok();
        }
        let primary = by_code(&app, email).await;
        make_primary(&app, &primary).await;
        let token = verification_token(&app, &id, email).await.unwrap();
        app.post("/recipe/user/email/verify", json!({"method": "token", "token": token})).await.ok();
        app.post("/recipe/accountlinking/user/link", json!({"recipeUserId": id, "primaryUserId": primary})).await.ok();
        let asked = Page::of(&app, &up).send(Method::GET, "/auth/user/email/verify", Value::Null).await;
        match is_revoked {
            false => assert_eq!(claims(&asked)["sub"], json!(primary)),
            true => assert_eq!(asked.code(), 401, "{}", asked.body()),
        }
    }
}

#[tokio::test]
async fn second_login_methods_need_the_setting() {
    let app = app("off").await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let mut body = form("b@b.cd", PASSWORD);
    body["shouldTryLinkingWithSessionUser"] = json!(true);
    let refused = Page::of(&app, &up).send(Method::POST, "/auth/signup", body).await;
    assert_eq!(refused.code(), 500, "{}", refused.body());
}

#[tokio::test]
async fn sign_ups_at_once_with_one_address_become_one_user() {
    let app = app("always").await;
    let owner = by_code(&app, "a@b.cd").await;
    let one = app.front(Method::POST, "/auth/signup").json(&form("a@b.cd", PASSWORD));
    let other = app.post("/recipe/accountlinking/user/primary", json!({"recipeUserId": owner}));
    let (up, _) = tokio::join!(one.into_future(), other.into_future());
    assert_eq!(up.ok().text_at("/user/id"), owner);
    assert_eq!(methods_of(&app, &owner).await, 2);
}
