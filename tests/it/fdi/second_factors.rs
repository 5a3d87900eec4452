//! Second factors: what is required, what counts, and what may be added when.

use super::{PASSWORD, claims, form, sign_up_by_header};
use crate::app::{START, TestApp, TestReply};
use http::Method;
use serde_json::{Value, json};
use sessiond::domain::totp::TotpSecret;

/// The recipes of a front door with second factors.
pub(super) const RECIPES: &str = "emailverification,emailpassword,multifactorauth,totp";

async fn app() -> TestApp {
    TestApp::builder().setting("recipe_list", RECIPES).setting("bcrypt_log_rounds", "4").build().await
}

/// Somebody with a session, whose tokens are in the page.
pub(super) struct Page<'a> {
    pub(super) app: &'a TestApp,
    pub(super) token: String,
}

impl<'a> Page<'a> {
    pub(super) fn of(app: &'a TestApp, reply: &TestReply) -> Self {
        Self { app, token: reply.header("st-access-token").concat() }
    }

    pub(super) async fn send(&mut self, method: Method, path: &str, body: Value) -> TestReply {
        let bearer = format!("Bearer {}", self.token);
        let reply = self.app.front(method, path).header("authorization", &bearer).json(&body).await;
        if let [token] = reply.header("st-access-token").as_slice() {
            (*token).clone_into(&mut self.token);
        }
        reply
    }

    pub(super) async fn info(&mut self) -> TestReply {
        self.send(Method::PUT, "/auth/mfa/info", json!({})).await
    }

    /// Adds an authenticator app and shows its first code; returns its secret.
    async fn add_device(&mut self) -> String {
        let added = self.send(Method::POST, "/auth/totp/device", json!({"deviceName": "phone"})).await.ok();
        let secret = added.text_at("/secret");
        let body = json!({"deviceName": "phone", "totp": code(self.app, &secret)});
        self.send(Method::POST, "/auth/totp/device/verify", body).await.ok();
        secret
    }
}

/// The code that an authenticator app shows now.
pub(super) fn code(app: &TestApp, secret: &str) -> String {
    let secret = TotpSecret::from_base32(secret).expect("a secret");
    format!("{:06}", secret.code(app.context.now().seconds() / 30))
}

async fn require(app: &TestApp, factors: Value) {
    let body = json!({"tenantId": "public", "requiredSecondaryFactors": factors});
    app.put("/recipe/multitenancy/tenant/v2", body).await.ok();
}

#[tokio::test]
async fn a_factor_that_is_required_is_set_up_and_completed() {
    let app = app().await;
    require(&app, json!(["totp"])).await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let now_s = START.0 / 1000;
    assert_eq!(claims(&up)["st-mfa"], json!({"c": {"emailpassword": now_s}, "v": false}));
    let mut page = Page::of(&app, &up);
    let info = page.info().await.ok().json();
    let factors = json!({"next": ["totp"], "alreadySetup": ["emailpassword"], "allowedToSetup": ["totp"]});
    assert_eq!(info["factors"], factors);
    assert_eq!((&info["emails"], &info["phoneNumbers"]), (&json!({"emailpassword": ["a@b.cd"]}), &json!({})));

    let added = page.send(Method::POST, "/auth/totp/device", json!({})).await.ok();
    let (name, secret) = (added.text_at("/deviceName"), added.text_at("/secret"));
    let uri = format!("otpauth://totp/sessiond:a@b.cd?secret={secret}&issuer=sessiond&digits=6&period=30");
    assert_eq!(added.text_at("/qrCodeString"), uri);
    app.clock.advance(1_000);
    let verify = json!({"deviceName": name, "totp": code(&app, &secret)});
    let verified = page.send(Method::POST, "/auth/totp/device/verify", verify).await.ok();
    assert_eq!(verified.json()["wasAlreadyVerified"], false);
    assert_eq!(claims(&verified)["st-mfa"], json!({"c": {"emailpassword": now_s, "totp": now_s + 1}, "v": true}));
    assert_eq!(claims(&verified)["sessionHandle"], claims(&up)["sessionHandle"]);
}

#[tokio::test]
async fn who_has_only_the_first_factor_can_neither_add_nor_remove_the_second() {
    let app = app().await;
    require(&app, json!(["totp"])).await;
    let mut owner = Page::of(&app, &sign_up_by_header(&app, "a@b.cd").await);
    let secret = owner.add_device().await;
    let stolen = app.front(Method::POST, "/auth/signin").json(&form("a@b.cd", PASSWORD)).await.ok();
    let mut thief = Page::of(&app, &stolen);
    for (path, body) in [
        ("/auth/totp/device", json!({"deviceName": "mine"})),
        ("/auth/totp/device/remove", json!({"deviceName": "phone"})),
        ("/auth/totp/device/verify", json!({"deviceName": "phone", "totp": "000000"})),
    ] {
        let refused = thief.send(Method::POST, path, body).await;
        assert_eq!(refused.code(), 403, "{path}: {}", refused.body());
        let body = refused.json();
        assert_eq!(
            (&body["message"], &body["claimValidationErrors"][0]["id"]),
            (&json!("invalid claim"), &json!("st-mfa"))
        );
    }
    let wrong = thief.send(Method::POST, "/auth/totp/verify", json!({"totp": "1"})).await;
    let expected = json!({
        "status": "INVALID_TOTP_ERROR", "currentNumberOfFailedAttempts": 1, "maxNumberOfFailedAttempts": 5,
    });
    assert_eq!(wrong.json(), expected);
    assert_eq!(thief.info().await.ok().json()["factors"]["next"], json!(["totp"]));
    app.clock.advance(30_000);
    let right = thief.send(Method::POST, "/auth/totp/verify", json!({"totp": code(&app, &secret)})).await.ok();
    assert_eq!(claims(&right)["st-mfa"]["v"], true);
}

#[tokio::test]
async fn a_device_that_is_verified_already_completes_nothing() {
    let app = app().await;
    let mut owner = Page::of(&app, &sign_up_by_header(&app, "a@b.cd").await);
    owner.add_device().await;
    let other = app.front(Method::POST, "/auth/signin").json(&form("a@b.cd", PASSWORD)).await.ok();
    let mut other = Page::of(&app, &other);
    let body = json!({"deviceName": "phone", "totp": "no code at all"});
    let verified = other.send(Method::POST, "/auth/totp/device/verify", body).await.ok();
    assert_eq!(verified.json()["wasAlreadyVerified"], true);
    require(&app, json!(["totp"])).await;
    assert_eq!(other.info().await.ok().json()["factors"]["next"], json!(["totp"]));
    assert_eq!(owner.info().await.ok().json()["factors"]["next"], json!([]));
}

#[tokio::test]
async fn what_is_required_of_one_person_holds_in_the_sessions_that_there_are() {
    let app = app().await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let mut page = Page::of(&app, &up);
    assert_eq!(claims(&up)["st-mfa"]["v"], true);
    let update = json!({"_supertokens": {"requiredSecondaryFactors": ["totp", "otp-phone"]}});
    let body = json!({"userId": up.text_at("/user/id"), "metadataUpdate": update});
    app.put("/recipe/user/metadata", body).await.ok();
    let info = page.info().await.ok();
    assert_eq!(claims(&info)["st-mfa"]["v"], false);
    assert_eq!(info.json()["factors"]["next"], json!(["totp"]), "what is not served cannot be next");
    require(&app, json!(["otp-email"])).await;
    page.add_device().await;
    assert_eq!(page.info().await.ok().json()["factors"]["next"], json!([]), "one of them is enough");
}

#[tokio::test]
async fn a_factor_that_nobody_can_complete_is_the_operators_mistake() {
    let app = app().await;
    require(&app, json!(["custom"])).await;
    let mut page = Page::of(&app, &sign_up_by_header(&app, "a@b.cd").await);
    let failed = page.info().await;
    assert_eq!(failed.code(), 500);
    assert!(failed.body().contains("they are not allowed to (custom)"), "{}", failed.body());
}

#[tokio::test]
async fn a_session_from_before_second_factors_has_completed_what_it_began_with() {
    let app = app().await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let handle = claims(&up)["sessionHandle"].clone();
    let data = json!({"sessionHandle": handle, "userDataInJWT": {"iss": claims(&up)["iss"]}});
    app.put("/recipe/jwt/data", data).await.ok();
    app.clock.advance(5_000);
    let bearer = format!("Bearer {}", up.header("st-refresh-token").concat());
    let refreshed = app.front(Method::POST, "/auth/session/refresh").header("authorization", &bearer).await;
    let mut page = Page::of(&app, &refreshed);
    let info = page.info().await.ok();
    assert_eq!(claims(&info)["st-mfa"], json!({"c": {"emailpassword": START.0 / 1000}, "v": true}));
}

#[tokio::test]
async fn bad_bodies_are_refused_after_the_session() {
    let app = app().await;
    let mut page = Page::of(&app, &sign_up_by_header(&app, "a@b.cd").await);
    for (path, body, sentence) in [
        ("device", json!({"deviceName": 1}), "deviceName must be a string"),
        ("device", json!({"deviceName": null}), "deviceName must be a string"),
        ("device", json!({"deviceName": ""}), "deviceName cannot be empty"),
        ("device/remove", json!({"deviceName": ""}), "deviceName is required and must be a non-empty string"),
        ("device/verify", json!({"totp": "1"}), "deviceName is required and must be a string"),
        ("device/verify", json!({"deviceName": "x"}), "totp is required and must be a string"),
        ("verify", json!({"totp": 1}), "totp is required and must be a string"),
    ] {
        let path = format!("/auth/totp/{path}");
        let refused = page.send(Method::POST, &path, body.clone()).await;
        assert_eq!((refused.code(), refused.json()), (400, json!({"message": sentence})), "{path}");
        let nobody = app.front(Method::POST, &path).json(&body).await;
        assert_eq!((nobody.code(), nobody.header("front-token").len()), (401, 0), "{path}");
    }
}
