//! An app replies and behaves the same before and after its move.

use super::life::{app_id, live};
use super::transfer::{export, import, key, over, wanted};
use super::{put_app, put_tenant};
use crate::app::{TestApp, TestReply, new_session};
use crate::passwordless::Sent;
use crate::people::{FIREBASE, SIGNER_KEY, with_cheap_passwords};
use futures_util::FutureExt;
use serde_json::{Value, json};
use sessiond::command::tenancy::transfer::ImportApp;
use sessiond::domain::totp::TotpSecret;
use sessiond::jobs::bulk_import::round;
use sessiond::store::Engine;
use sessiond::store::memory::MemoryEngine;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// bcrypt of "abc".
const BCRYPT: &str = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";
/// Secret of imported authenticator apps.
const SECRET: &str = "GEZDGNBVGY3TQOJQ";

/// An app on a server, under the name that it has there.
struct Place<'a> {
    app: &'a TestApp,
    prefix: &'a str,
}

impl Place<'_> {
    async fn get(&self, path: &str) -> Value {
        let reply = self.app.get(&format!("{}{path}", self.prefix)).await;
        assert_eq!(reply.code(), 200, "{path}: {}", reply.body());
        reply.json()
    }

    async fn post(&self, path: &str, body: Value) -> TestReply {
        self.app.post(&format!("{}{path}", self.prefix), body).await
    }

    async fn status(&self, path: &str, body: Value) -> String {
        self.post(path, body).await.text_at("/status")
    }

    /// The code that a 30 s authenticator app shows, this many steps from now.
    fn code(&self, secret: &str, steps: u64) -> String {
        let secret = TotpSecret::from_base32(secret).unwrap();
        format!("{:06}", secret.code(self.app.context.now().seconds() / 30 + steps))
    }

    async fn totp(&self, tenant: &str, user: &str, code: &str) -> Value {
        self.post(&format!("{tenant}/recipe/totp/verify"), json!({"userId": user, "totp": code})).await.json()
    }

    async fn send(&self, to: Value) -> Sent {
        Sent(self.post("/t1/recipe/signinup/code", to).await.ok().json())
    }

    async fn consume(&self, body: Value) -> Value {
        self.post("/t1/recipe/signinup/code/consume", body).await.json()
    }
}

/// What users hold while their app moves.
struct Held {
    session: Value,
    replaced: Value,
    totp_secret: String,
    used_code: String,
    late: Sent,
    typed: Sent,
    followed: Sent,
    reset: String,
    verification: String,
    operator: String,
    dashboard: String,
    waiting: String,
}

/// An app in use in two tenants, with everything in progress.
async fn before(place: &Place<'_>) -> Held {
    let config = json!({"access_token_validity": 1800, "firebase_password_hashing_signer_key": SIGNER_KEY});
    put_app(place.app, "shop", config).await.ok();
    put_tenant(place.app, place.prefix, "t1", json!({"totp_max_attempts": 3})).await.ok();
    let session = live(place.app, &format!("{}/t1", place.prefix)).await;
    let late = place.send(json!({"email": "late@b.io"})).await;
    place.app.clock.advance(950_000);

    let body = json!({"userId": "crm-1", "deviceName": "phone", "skew": 1, "period": 30});
    let totp_secret = place.post("/recipe/totp/device", body).await.ok().text_at("/secret");
    let used_code = place.code(&totp_secret, 0);
    let body = json!({"userId": "crm-1", "deviceName": "phone", "totp": used_code});
    place.post("/recipe/totp/device/verify", body).await.ok();
    let body = json!({"userId": "closed", "deviceName": "d", "skew": 0, "period": 30, "secretKey": SECRET});
    place.post("/recipe/totp/device/import", body).await.ok();
    for tenant in ["", "/t1", "/t1", "/t1"] {
        assert_eq!(place.totp(tenant, "closed", "wrong").await["status"], "INVALID_TOTP_ERROR");
    }
    place.app.clock.advance(5000);

    let typed = place.send(json!({"email": "typed@b.io"})).await;
    assert_eq!(place.consume(typed.typed("wrong")).await["failedCodeInputAttemptCount"], 1);
    let followed = place.send(json!({"phoneNumber": "+49 30 12345"})).await;
    let firebase = json!({"email": "fire@b.io", "passwordHash": FIREBASE, "hashingAlgorithm": "firebase_scrypt"});
    place.post("/recipe/user/passwordhash/import", firebase).await.ok();
    let replaced = place.post("/recipe/session", new_session("u")).await.ok().json();
    place.post("/recipe/session/refresh", refresh(&replaced)).await.ok();
    let address = json!({"userId": "crm-1", "email": "a@b.io"});
    let reset = place.post("/t1/recipe/user/password/reset/token", address).await.ok().text_at("/token");
    let address = json!({"userId": "u", "email": "u@b.io"});
    let verification = place.post("/t1/recipe/user/email/verify/token", address).await.ok().text_at("/token");
    let operator = json!({"email": "ops@b.io", "password": "correct horse 1"});
    let owner = place.post("/recipe/dashboard/user", operator.clone()).await.ok().text_at("/user/userId");
    let dashboard = place.post("/recipe/dashboard/signin", operator).await.ok().text_at("/sessionId");
    let waiting = wait(place).await;
    Held {
        session,
        replaced,
        totp_secret,
        used_code,
        late,
        typed,
        followed,
        reset,
        verification,
        operator: owner,
        dashboard,
        waiting,
    }
}

/// Adds a waiting user with everything that an import may bring, and one whose import must fail.
async fn wait(place: &Place<'_>) -> String {
    let methods = json!([
        {"recipeId": "emailpassword", "email": "w@b.io", "passwordHash": BCRYPT, "hashingAlgorithm": "bcrypt",
            "isPrimary": true, "isVerified": true},
        {"recipeId": "thirdparty", "thirdPartyId": "google", "thirdPartyUserId": "g-w", "email": "w@b.io"},
        {"recipeId": "passwordless", "phoneNumber": "+4915112345678"},
    ]);
    let device = json!({"deviceName": "d", "secretKey": SECRET, "period": 30, "skew": 1});
    let user = json!({"externalUserId": "crm-w", "userMetadata": {"plan": "gold"}, "totpDevices": [device],
        "userRoles": [{"role": "admin", "tenantIds": ["public"]}], "loginMethods": methods});
    let taken = json!({"loginMethods": [{"recipeId": "emailpassword", "email": "fire@b.io", "passwordHash": BCRYPT,
        "hashingAlgorithm": "bcrypt"}]});
    let reply = place.post("/bulk-import/users", json!({"users": [user, taken]})).await.ok().json();
    reply["users"][0].as_str().unwrap().to_owned()
}

fn refresh(session: &Value) -> Value {
    json!({"refreshToken": session["refreshToken"]["token"], "enableAntiCsrf": false, "useDynamicSigningKey": true})
}

/// Everything that can be read of the app.
async fn read(place: &Place<'_>, held: &Held) -> Vec<(String, Value)> {
    let handle = |session: &Value| session["session"]["handle"].as_str().unwrap().to_owned();
    let paths = [
        "/.well-known/jwks.json",
        "/audit?limit=500",
        "/bulk-import/users",
        "/bulk-import/users/count",
        "/recipe/dashboard/users",
        &format!("/recipe/dashboard/user/sessions?userId={}", held.operator),
        "/recipe/multitenancy/tenant/list/v2",
        "/t1/recipe/multitenancy/tenant/v2",
        "/recipe/roles",
        "/recipe/role/permissions?role=admin",
        "/recipe/permission/roles?permission=read",
        "/t1/recipe/role/users?role=admin",
        "/t1/recipe/user/roles?userId=crm-1",
        &format!("/recipe/session?sessionHandle={}", handle(&held.session)),
        &format!("/recipe/session/timeline?sessionHandle={}", handle(&held.replaced)),
        "/recipe/session/user?userId=crm-1&fetchAcrossAllTenants=true",
        "/recipe/totp/device/list?userId=crm-1",
        "/recipe/user/email/verify?userId=crm-1&email=a@b.io",
        "/recipe/user/metadata?userId=crm-1",
        "/recipe/userid/map?userId=crm-1&userIdType=ANY",
        "/t1/recipe/signinup/codes?email=typed@b.io",
        "/t1/recipe/signinup/codes?phoneNumber=%2B493012345",
        "/user/id?userId=crm-1",
        "/users?limit=100",
        "/t1/users?limit=100&email=a@",
        "/t1/users/by-accountinfo?thirdPartyId=google&thirdPartyUserId=g-1&doUnionOfAccountInfo=false",
        "/users/count",
        "/users/count/active?since=0",
    ];
    let mut told = Vec::new();
    for path in paths {
        told.push((path.to_owned(), place.get(path).await));
    }
    told
}

/// Authenticator apps: used codes stay used, locked-out users stay locked out, and the rest works.
async fn second_factors(place: &Place<'_>, held: &Held) {
    assert_eq!(place.totp("", "crm-1", &held.used_code).await["status"], "INVALID_TOTP_ERROR");
    assert_eq!(place.totp("", "crm-1", &place.code(&held.totp_secret, 1)).await["status"], "OK");
    let closed = place.totp("/t1", "closed", &place.code(SECRET, 0)).await;
    let expected = json!({"status": "LIMIT_REACHED_ERROR", "currentNumberOfFailedAttempts": 3,
        "maxNumberOfFailedAttempts": 3, "retryAfterMs": 895_000});
    assert_eq!(closed, expected);
    assert_eq!(place.totp("", "closed", "wrong").await["currentNumberOfFailedAttempts"], 2);
    assert_eq!(place.totp("", "closed", &place.code(SECRET, 0)).await["status"], "OK");
}

/// Codes that were sent: typed in, followed as a link, too late; each works once, and only in its tenant.
async fn codes(place: &Place<'_>, held: &Held) {
    let late = place.consume(held.late.input()).await;
    assert_eq!(
        (&late["status"], &late["failedCodeInputAttemptCount"]),
        (&json!("EXPIRED_USER_INPUT_CODE_ERROR"), &json!(1))
    );
    assert_eq!(place.consume(held.late.link()).await["status"], "RESTART_FLOW_ERROR");
    let elsewhere = place.status("/recipe/signinup/code/consume", held.typed.input()).await;
    assert_eq!(elsewhere, "RESTART_FLOW_ERROR");
    assert_eq!(place.consume(held.typed.typed("wrong")).await["failedCodeInputAttemptCount"], 2);
    let another = place.send(json!({"deviceId": held.typed.device()})).await;
    let checked = place.status("/t1/recipe/signinup/code/check", another.link()).await;
    assert_eq!(checked, "OK");
    for body in [held.typed.input(), held.followed.link()] {
        let consumed = place.consume(body.clone()).await;
        assert_eq!((&consumed["status"], &consumed["createdNewUser"]), (&json!("OK"), &json!(true)));
        assert_eq!(place.consume(body).await["status"], "RESTART_FLOW_ERROR");
    }
}

/// Passwords, accounts at providers, tokens sent by mail.
async fn accounts(place: &Place<'_>, held: &Held) {
    let sign_in = async |tenant: &str, email: &str, password: &str| {
        place.status(&format!("{tenant}/recipe/signin"), json!({"email": email, "password": password})).await
    };
    assert_eq!(sign_in("/t1", "a@b.io", "correct horse").await, "OK");
    assert_eq!(sign_in("/t1", "a@b.io", "wrong horse").await, "WRONG_CREDENTIALS_ERROR");
    assert_eq!(sign_in("", "fire@b.io", "user1password").await, "OK");
    let email = json!({"id": "a@b.io", "isVerified": false});
    let google = json!({"thirdPartyId": "google", "thirdPartyUserId": "g-1", "email": email});
    let known = place.post("/t1/recipe/signinup", google).await.ok().json();
    assert_eq!((&known["createdNewUser"], &known["user"]["id"]), (&json!(false), &json!("crm-1")));
    let reset = json!({"method": "token", "token": held.reset, "newPassword": "a new horse"});
    assert_eq!(place.status("/t1/recipe/user/password/reset", reset.clone()).await, "OK");
    assert_eq!(place.status("/t1/recipe/user/password/reset", reset).await, "RESET_PASSWORD_INVALID_TOKEN_ERROR");
    assert_eq!(sign_in("/t1", "a@b.io", "a new horse").await, "OK");
    let verify = json!({"method": "token", "token": held.verification});
    assert_eq!(place.status("/t1/recipe/user/email/verify", verify).await, "OK");
    assert_eq!(place.get("/recipe/user/email/verify?userId=u&email=u@b.io").await["isVerified"], true);
}

/// Sessions of users and of dashboard users.
async fn sessions(place: &Place<'_>, held: &Held) {
    let verify = json!({"accessToken": held.session["accessToken"]["token"], "enableAntiCsrf": false,
        "doAntiCsrfCheck": false, "checkDatabase": true});
    let verified = place.post("/recipe/session/verify", verify).await.ok().json();
    assert_eq!((&verified["session"]["userId"], &verified["session"]["tenantId"]), (&json!("crm-1"), &json!("t1")));
    let fresh = place.post("/recipe/session/refresh", refresh(&held.session)).await.ok().json();
    assert_eq!(fresh["session"]["handle"], held.session["session"]["handle"]);
    place.post("/recipe/session/refresh", refresh(&fresh)).await.ok();
    let operator = json!({"sessionId": held.dashboard});
    assert_eq!(place.status("/recipe/dashboard/session/verify", operator).await, "OK");
    // A user who refreshed before the move has a newer token, so this one coming back is theft, wherever it is
    // presented.
    place.app.clock.advance(600_000);
    assert_eq!(place.status("/recipe/session/refresh", refresh(&held.replaced)).await, "TOKEN_THEFT_DETECTED");
}

/// A waiting user is imported with everything, under the id announced before.
async fn arrivals(place: &Place<'_>, held: &Held) {
    let counts = round(&place.app.context).await.unwrap();
    assert_eq!((counts.imported, counts.failed), (1, 1));
    let failed = place.get("/bulk-import/users?status=FAILED").await;
    assert_eq!(failed["users"].as_array().unwrap().len(), 1);
    let user = place.get("/user/id?userId=crm-w").await["user"].clone();
    let account = json!([{"id": "google", "userId": "g-w"}]);
    assert_eq!((&user["emails"], &user["thirdParty"]), (&json!(["w@b.io"]), &account));
    assert_eq!((&user["phoneNumbers"], &user["isPrimaryUser"]), (&json!(["+4915112345678"]), &json!(true)));
    assert_eq!(user["loginMethods"].as_array().unwrap().len(), 3, "{user}");
    let ids = place.get("/recipe/userid/map?userId=crm-w&userIdType=EXTERNAL").await;
    assert_eq!(ids["superTokensUserId"], json!(held.waiting));
    assert_eq!(place.status("/recipe/signin", json!({"email": "w@b.io", "password": "abc"})).await, "OK");
    assert_eq!(place.totp("", "crm-w", &place.code(SECRET, 0)).await["status"], "OK");
    assert_eq!(place.get("/recipe/user/roles?userId=crm-w").await["roles"], json!(["admin"]));
    assert_eq!(place.get("/recipe/user/metadata?userId=crm-w").await["metadata"], json!({"plan": "gold"}));
}

/// Everything in progress continues.
async fn goes_on(place: &Place<'_>, held: &Held) {
    second_factors(place, held).await;
    codes(place, held).await;
    accounts(place, held).await;
    arrivals(place, held).await;
    sessions(place, held).await;
}

/// Exports the app of `here` and compares it with the imported app `there`.
async fn moves(here: &TestApp, there: TestApp, archive: &Path, wanted: ImportApp, prefix: &str) -> TestApp {
    let source = Place { app: here, prefix: "/appid-shop" };
    let held = before(&source).await;
    export(here, &app_id("shop"), archive, key()).await.unwrap();
    let told = read(&source, &held).await;
    there.clock.set(here.context.now());
    let as_public = prefix.is_empty();
    import(&there, ImportApp { key: key(), ..wanted }).await.unwrap();
    assert!(there.context.imports.notified().now_or_never().is_some(), "waiting users are imported at once");
    // The public app is imported while nothing is served, and appears at the next start.
    let there = if as_public { again(&there).await } else { there };
    let target = Place { app: &there, prefix };
    for ((path, before), (_, after)) in told.iter().zip(read(&target, &held).await) {
        assert_eq!(after, *before, "{path}");
    }
    goes_on(&target, &held).await;
    // It also remains at its old place until it is deleted there.
    goes_on(&source, &held).await;
    there
}

/// Restarts over the same records.
async fn again(app: &TestApp) -> TestApp {
    let again = over(&app.context.store).await;
    again.clock.set(app.context.now());
    again
}

#[tokio::test]
async fn everything_is_there_and_goes_on() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("a");
    let there = with_cheap_passwords().seed(2).build().await;
    moves(&with_cheap_passwords().build().await, there, &archive, wanted(&archive), "/appid-shop").await;
}

#[tokio::test]
async fn it_does_so_under_another_name_and_other_master_keys_on_disk() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("a");
    let on_disk = |name: &str, seed| {
        let builder = with_cheap_passwords().seed(seed).on_disk(&folder.path().join(name));
        builder.master_key(&format!("the master key of the installation {name}"))
    };
    let (here, there) = (on_disk("here", 1).build().await, on_disk("there", 2).build().await);
    let renamed = ImportApp { as_id: Some("store".to_owned()), ..wanted(&archive) };
    let there = moves(&here, there, &archive, renamed, "/appid-store").await;
    for app in [here, there] {
        app.context.store.close().await.unwrap();
    }
}

#[tokio::test]
async fn it_does_so_as_the_public_app_of_a_new_folder() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("a");
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let public = ImportApp { as_id: Some("public".to_owned()), served: false, ..wanted(&archive) };
    moves(&with_cheap_passwords().build().await, over(&store).await, &archive, public, "").await;
}
