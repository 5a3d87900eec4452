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
    pub(super) async fn add_device(&mut self) -> String {
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
    let refused = other.send(Method::POST, "/auth/totp/device/verify", body.clone()).await;
    assert_eq!(refused.code(), 403, "{}", refused.body());
    let verified = owner.send(Method::POST, "/auth/totp/device/verify", body).await.ok();
    assert_eq!((&verified.json()["wasAlreadyVerified"], verified.header("front-token").len()), (&json!(true), 0));
    require(&app, json!(["totp"])).await;
    assert_eq!(other.info().await.ok().json()["factors"]["next"], json!(["totp"]));
    assert_eq!(owner.info().await.ok().json()["factors"]["next"], json!([]));
}

#[tokio::test]
async fn another_device_is_added_or_removed_by_whoever_has_shown_a_code() {
    let app = app().await;
    let mut owner = Page::of(&app, &sign_up_by_header(&app, "a@b.cd").await);
    let stolen = app.front(Method::POST, "/auth/signin").json(&form("a@b.cd", PASSWORD)).await.ok();
    let mut thief = Page::of(&app, &stolen);
    // Prepared before there is any device that counts; nothing is required, then or later.
    let prepared = thief.send(Method::POST, "/auth/totp/device", json!({"deviceName": "mine"})).await.ok();
    let secret = owner.add_device().await;
    for (path, body) in [
        ("/auth/totp/device", json!({"deviceName": "other"})),
        ("/auth/totp/device/verify", json!({"deviceName": "mine", "totp": code(&app, &prepared.text_at("/secret"))})),
        ("/auth/totp/device/remove", json!({"deviceName": "phone"})),
    ] {
        let refused = thief.send(Method::POST, path, body).await;
        assert_eq!(
            (refused.code(), &refused.json()["claimValidationErrors"][0]["id"]),
            (403, &json!("st-mfa")),
            "{path}"
        );
    }
    let info = thief.info().await.ok().json();
    assert_eq!(
        info["factors"],
        json!({"next": [], "alreadySetup": ["emailpassword", "totp"], "allowedToSetup": ["emailpassword"]})
    );
    thief.send(Method::POST, "/auth/totp/device/remove", json!({"deviceName": "mine"})).await.ok();

    app.clock.advance(30_000);
    thief.send(Method::POST, "/auth/totp/verify", json!({"totp": code(&app, &secret)})).await.ok();
    let (mut shown, tablet) = (thief, json!({"deviceName": "tablet"}));
    shown.send(Method::POST, "/auth/totp/device", tablet.clone()).await.ok();
    let removed = shown.send(Method::POST, "/auth/totp/device/remove", json!({"deviceName": "phone"})).await.ok();
    assert_eq!(removed.json()["didDeviceExist"], true);
}

/// Lets a login method sign in to another tenant.
async fn associate(app: &TestApp, tenant: &str, id: &str) {
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": tenant, "firstFactors": null})).await.ok();
    let path = format!("/{tenant}/recipe/multitenancy/tenant/user");
    app.post(&path, json!({"recipeUserId": id})).await.ok();
}

#[tokio::test]
async fn codes_are_tried_and_used_once_in_all_tenants_together() {
    let app = app().await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    associate(&app, "t1", &up.text_at("/user/id")).await;
    let mut here = Page::of(&app, &up);
    let secret = here.add_device().await;
    let there = app.front(Method::POST, "/auth/t1/signin").json(&form("a@b.cd", PASSWORD)).await.ok();
    let mut there = Page::of(&app, &there);
    let used = json!({"totp": code(&app, &secret)});
    let again = there.send(Method::POST, "/auth/totp/verify", used.clone()).await;
    assert_eq!(again.json()["status"], "INVALID_TOTP_ERROR", "it was used to verify the device");
    for number in 2..=5 {
        let page = if number % 2 == 0 { &mut here } else { &mut there };
        let wrong = page.send(Method::POST, "/auth/totp/verify", json!({"totp": "no"})).await.json();
        assert_eq!(wrong["currentNumberOfFailedAttempts"], number);
    }
    for page in [&mut here, &mut there] {
        let closed = page.send(Method::POST, "/auth/totp/verify", json!({"totp": "no"})).await;
        assert_eq!(closed.json()["status"], "LIMIT_REACHED_ERROR");
    }
    let limits = app.context.directory.find("", "public").unwrap().config.totp;
    app.clock.advance(limits.cooldown_ms);
    for right in [true, false, true] {
        let shown = if right { code(&app, &secret) } else { "no".to_owned() };
        let reply = here.send(Method::POST, "/auth/totp/verify", json!({"totp": shown})).await.json();
        assert_eq!(reply["status"] == "OK", right, "{reply}");
        app.clock.advance(90_000);
    }
    let wrong = there.send(Method::POST, "/auth/totp/verify", json!({"totp": "no"})).await.json();
    assert_eq!(wrong["currentNumberOfFailedAttempts"], 1, "a right one ends the row everywhere");
}

#[tokio::test]
async fn a_factor_that_an_application_has_taken_away_does_not_come_back() {
    let app = app().await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let mut page = Page::of(&app, &up);
    page.add_device().await;
    require(&app, json!(["totp"])).await;
    let begun = json!({"c": {"emailpassword": 1}, "v": false});
    let payload = json!({"iss": claims(&up)["iss"], "st-mfa": begun, "plan": "gold"});
    let data = json!({"sessionHandle": claims(&up)["sessionHandle"], "userDataInJWT": payload});
    app.put("/recipe/jwt/data", data).await.ok();
    // The token still says that the factor is complete.
    let refused = page.send(Method::POST, "/auth/totp/device", json!({"deviceName": "other"})).await;
    assert_eq!(refused.code(), 403, "{}", refused.body());
    assert_eq!((&claims(&refused)["st-mfa"], &claims(&refused)["plan"]), (&begun, &json!("gold")));
    let info = page.info().await.ok();
    assert_eq!(info.json()["factors"]["next"], json!(["totp"]));
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
