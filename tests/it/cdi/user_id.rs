//! `GET /user/id` and the user object.

use crate::app::TestApp;
use crate::people::{by_password, mapped, within};
use serde_json::json;
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::user::{ExternalId, Login, LoginMethod, PasswordHash, ThirdPartyAccount, User};
use sessiond::store::user;

#[tokio::test]
async fn an_unknown_id_is_taken_as_it_is_by_sdks() {
    let app = TestApp::new().await;
    assert_eq!(app.get("/user/id?userId=u").await.json(), json!({"status": "UNKNOWN_USER_ID_ERROR"}));
    app.get("/user/id").await.is_text(400, "Field name 'userId' is missing in GET request");
}

fn method(id: &str, joined: u64, login: Login) -> LoginMethod {
    let tenants = [TenantId::public()].into();
    LoginMethod { id: UserId::new(id), external: None, tenants, time_joined: UnixMillis(joined), login }
}

/// A primary user with a login method of every recipe.
async fn jane(app: &TestApp) -> User {
    let password = PasswordHash::new("$2a$04$hash");
    let mut jane = User::new(method("a", 30, Login::EmailPassword { email: "jane@x.io".to_owned(), password }));
    jane.is_primary = true;
    jane.methods[0].external = Some(ExternalId { id: UserId::new("crm-1"), info: None });
    let account = ThirdPartyAccount { id: "google".to_owned(), user_id: "g1".to_owned() };
    jane.methods.push(method("b", 10, Login::ThirdParty { account, email: "jane@x.io".to_owned() }));
    let phone_number = Some("+491701234567".to_owned());
    jane.methods.push(method("c", 20, Login::Passwordless { email: None, phone_number }));
    let credential_ids = vec!["AbC".to_owned()];
    jane.methods.push(method("d", 40, Login::Webauthn { email: "key@x.io".to_owned(), credential_ids }));
    jane.sort();
    let mut tx = app.context.store.begin();
    user::save(tx.as_mut(), &AppId::base(), &[], &[&jane]).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    jane
}

#[tokio::test]
async fn every_id_of_a_person_leads_to_the_whole_person() {
    let app = TestApp::new().await;
    jane(&app).await;
    let public = json!(["public"]);
    let whole = json!({"status": "OK", "user": {
    "id": "crm-1", "isPrimaryUser": true, "tenantIds": public, "timeJoined": 10,
    "emails": ["jane@x.io", "key@x.io"], "phoneNumbers": ["+491701234567"],
    "thirdParty": [{"id": "google", "userId": "g1"}], "webauthn": {"credentialIds": ["AbC"]},
    "loginMethods": [
        {"tenantIds": public, "recipeUserId": "b", "verified": false, "timeJoined": 10, "recipeId": "thirdparty",
            "email": "jane@x.io", "thirdParty": {"id": "google", "userId": "g1"}},
        {"tenantIds": public, "recipeUserId": "c", "verified": true, "timeJoined": 20, "recipeId": "passwordless",
            "phoneNumber": "+491701234567"},
        {"tenantIds": public, "recipeUserId": "crm-1", "verified": false, "timeJoined": 30,
            "recipeId": "emailpassword", "email": "jane@x.io"},
        {"tenantIds": public, "recipeUserId": "d", "verified": false, "timeJoined": 40, "recipeId": "webauthn",
            "email": "key@x.io", "webauthn": {"credentialIds": ["AbC"]}},
    ]}});
    for id in ["a", "b", "c", "d", "crm-1"] {
        assert_eq!(app.get(&format!("/user/id?userId={id}")).await.json(), whole, "{id}");
    }
}

#[tokio::test]
async fn an_address_is_verified_under_the_id_that_callers_see() {
    let app = TestApp::new().await;
    jane(&app).await;
    for (user, email) in [("crm-1", "jane@x.io"), ("d", "key@x.io"), ("a", "jane@x.io"), ("c", "jane@x.io")] {
        let body = json!({"userId": user, "email": email});
        let token = app.post("/recipe/user/email/verify/token", body).await.ok().text_at("/token");
        app.post("/recipe/user/email/verify", json!({"method": "token", "token": token})).await.ok();
    }
    let user = app.get("/user/id?userId=a").await.ok().json()["user"].clone();
    let methods = user["loginMethods"].as_array().expect("methods");
    let verified: Vec<_> = methods.iter().map(|method| (&method["recipeUserId"], &method["verified"])).collect();
    let [yes, no] = [json!(true), json!(false)];
    let expected = [(json!("b"), &no), (json!("c"), &yes), (json!("crm-1"), &yes), (json!("d"), &yes)];
    assert!(verified.into_iter().eq(expected.iter().map(|(id, verified)| (id, *verified))), "{user}");
}

#[tokio::test]
async fn below_5_3_passkeys_are_login_methods_without_details() {
    let app = TestApp::new().await;
    jane(&app).await;
    for version in ["2.7", "4.0", "5.2"] {
        let user = app.get("/user/id?userId=a").cdi(version).await.json()["user"].clone();
        assert_eq!(user.get("webauthn"), None, "{version}");
        assert_eq!(user["emails"], json!(["jane@x.io"]), "{version}");
        assert_eq!(user["loginMethods"].as_array().map(Vec::len), Some(4), "{version}");
        assert_eq!(user["loginMethods"][3].get("webauthn"), None, "{version}");
    }
}

#[tokio::test]
async fn ids_are_compared_as_they_are_and_of_two_the_first_counts() {
    let app = TestApp::new().await;
    app.people([within(["t1"], mapped("Mine", by_password("a", 1, "a@x.io")))]).await;
    app.people([within([], by_password("nowhere", 1, "a@x.io"))]).await;
    let long = "a".repeat(100_000);
    for unknown in ["", "A", "mine", "%20a", "a%20", "a%00", "%00", "a@x.io", &long, "b&userId=a"] {
        assert_eq!(app.who_is(unknown).await, json!(null), "{unknown}");
    }
    for (id, shown) in [("a", "Mine"), ("Mine", "Mine"), ("a&userId=nobody", "Mine"), ("nowhere", "nowhere")] {
        assert_eq!(app.who_is(id).await["id"], shown, "{id}");
    }
}

#[tokio::test]
async fn an_app_knows_nobody_of_another_one() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    app.people([mapped("mine", by_password("a", 1, "a@x.io")), by_password("b", 2, "b@x.io")]).await;
    app.group(&["a", "b"]).await;
    let before = app.stored().await;
    for id in ["a", "mine", "b"] {
        let found = app.get(&format!("/appid-a1/user/id?userId={id}")).await.json();
        assert_eq!(found, json!({"status": "UNKNOWN_USER_ID_ERROR"}), "{id}");
        let found = app.get(&format!("/appid-a1/recipe/userid/map?userId={id}")).await.json();
        assert_eq!(found, json!({"status": "UNKNOWN_MAPPING_ERROR"}), "{id}");
        let path = "/appid-a1/recipe/accountlinking/user";
        for step in ["primary", "unlink"] {
            let reply = app.post(&format!("{path}/{step}"), json!({"recipeUserId": id})).await;
            reply.is_text(400, "Unknown user ID provided");
        }
        let both = json!({"recipeUserId": id, "primaryUserId": id});
        app.post(&format!("{path}/link"), both).await.is_text(400, "Unknown user ID provided");
        app.post("/appid-a1/user/remove", json!({"userId": id})).await.ok();
        let removed = app.post("/appid-a1/recipe/userid/map/remove", json!({"userId": id, "force": true})).await.json();
        assert_eq!(removed, json!({"status": "OK", "didMappingExist": false}), "{id}");
        let note = json!({"userId": id, "externalUserIdInfo": "n"});
        let noted = app.put("/appid-a1/recipe/userid/external-user-id-info", note).await.json();
        assert_eq!(noted, json!({"status": "UNKNOWN_MAPPING_ERROR"}), "{id}");
        let map = json!({"superTokensUserId": id, "externalUserId": "other", "force": true});
        let mapped = app.post("/appid-a1/recipe/userid/map", map).await.json();
        assert_eq!(mapped, json!({"status": "UNKNOWN_SUPERTOKENS_USER_ID_ERROR"}), "{id}");
    }
    let sought = "/appid-a1/users/by-accountinfo?doUnionOfAccountInfo=true&email=a@x.io";
    for path in [sought, "/appid-a1/users", "/appid-a1/users?email=a"] {
        assert_eq!(app.get(path).await.ok().json()["users"], json!([]), "{path}");
    }
    assert_eq!(app.get("/appid-a1/users/count?includeAllTenants=true").await.json()["count"], 0);
    assert!(app.stored().await == before, "nothing of the other app has changed");
}

#[tokio::test]
async fn below_5_0_routes_of_the_app_do_not_look_at_the_tenant_in_the_path() {
    for (version, tenant) in [("3.0", "t1"), ("3.1", "nope"), ("4.0", "t1"), ("4.0", "nope")] {
        let app = TestApp::new().await;
        app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
        app.people([by_password("a", 1, "a@x.io"), by_password("b", 2, "b@x.io")]).await;
        let get = async |path: &str| app.get(&format!("/{tenant}{path}")).cdi(version).await.ok();
        let post = async |path: &str, body| app.post(&format!("/{tenant}{path}"), body).cdi(version).await.ok();
        post("/recipe/userid/map", json!({"superTokensUserId": "a", "externalUserId": "mine"})).await;
        get("/recipe/userid/map?userId=mine").await;
        post("/recipe/userid/external-user-id-info", json!({"userId": "a", "externalUserIdInfo": "n"})).await;
        post("/recipe/userid/map/remove", json!({"userId": "a"})).await;
        get("/recipe/accountlinking/user/primary/check?recipeUserId=a").await;
        post("/recipe/accountlinking/user/primary", json!({"recipeUserId": "a"})).await;
        get("/recipe/accountlinking/user/link/check?recipeUserId=b&primaryUserId=a").await;
        post("/recipe/accountlinking/user/link", json!({"recipeUserId": "b", "primaryUserId": "a"})).await;
        assert_eq!(get("/user/id?userId=b").await.text_at("/user/id"), "a", "{tenant} at {version}");
        assert_eq!(get("/users/count/active?since=0").await.json()["count"], 1, "{tenant} at {version}");
        let unlinked = post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "b"})).await.json();
        assert_eq!(unlinked["wasLinked"], true, "{tenant} at {version}");
        post("/user/remove", json!({"userId": "a"})).await;
        assert_eq!((app.who_is("a").await, &app.who_is("b").await["id"]), (json!(null), &json!("b")));
    }
}
