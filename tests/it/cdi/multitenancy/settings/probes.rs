//! One observation of the effect of each setting.

use super::{BASE, Probe, Spot, hooks, providers, texts};
use crate::app::{TestReply, new_session};
use crate::cdi::golden::header;
use crate::people::FIREBASE;
use http::Method;
use serde_json::{Value, json};
use sessiond::command::bulk_import::batch::ImportBatch;
use sessiond::command::outbox::operate::TestMail;
use sessiond::command::scope::{Cause, Scope};
use sessiond::domain::ids::AppId;
use sessiond::domain::mail::MailAddress;
use sessiond::outbound::mail::Delivery;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

pub(super) fn all() -> Vec<Probe> {
    let probe = |key, value, seen| Probe { key, value, by_domain_only: false, seen };
    let keys = json!("abcdefghijklmnopqrstuvwx");
    vec![
        probe("api_keys", keys, |spot| Box::pin(answer_from(spot, "127.0.0.1"))),
        probe("ip_allow_regex", json!(r"127\..*"), |spot| Box::pin(answer_from(spot, "192.0.2.1"))),
        probe("ip_deny_regex", json!(r"192\.0\..*"), |spot| Box::pin(answer_from(spot, "192.0.2.1"))),
        probe("supertokens_max_cdi_version", json!("5.0"), |spot| Box::pin(versions(spot))),
        probe("supertokens_min_cdi_version", json!("4.0"), |spot| Box::pin(answer_to_an_old_version(spot))),
        probe("access_token_validity", json!(60), |spot| Box::pin(lifetimes(spot, "accessToken"))),
        probe("access_token_validity_jitter", json!(0.25), |spot| Box::pin(lifetimes(spot, "accessToken"))),
        probe("refresh_token_validity", json!(90), |spot| Box::pin(lifetimes(spot, "refreshToken"))),
        probe("refresh_token_rotation_grace_period", json!(10), |spot| Box::pin(late_refresh(spot))),
        probe("access_token_dynamic_signing_key_update_interval", json!(1), |spot| Box::pin(keys_last(spot))),
        Probe {
            by_domain_only: true,
            ..probe("access_token_signing_key_dynamic", json!(false), |spot| Box::pin(signing_key_ends(spot)))
        },
        probe("access_token_signing_algorithm", json!("RS256"), |spot| Box::pin(algorithm(spot))),
        probe("refresh_token_format", json!("v2"), |spot| Box::pin(refresh_token_suffix(spot))),
        Probe {
            by_domain_only: true,
            ..probe("access_token_blacklisting", json!(true), |spot| Box::pin(verify_of_a_removed_session(spot)))
        },
        probe("session_timeline_retention_days", json!(0), |spot| Box::pin(timeline(spot))),
        probe("audit_retention_days", json!(0), |spot| Box::pin(audited_address(spot))),
        probe("brute_force_protection", json!(true), |spot| Box::pin(tenth_wrong_password(spot))),
        probe("brute_force_address_header", json!("x-real-ip"), |spot| Box::pin(audited_address(spot))),
        probe("password_reset_token_lifetime", json!(1000), |spot| Box::pin(late_reset(spot))),
        probe("email_verification_token_lifetime", json!(1000), |spot| Box::pin(late_verification(spot))),
        probe("passwordless_max_code_input_attempts", json!(2), |spot| {
            Box::pin(async move { wrong_code(spot).await["maximumCodeInputAttempts"].clone() })
        }),
        probe("passwordless_code_lifetime", json!(5000), |spot| {
            Box::pin(async move { code(&spot).await.json()["codeLifetime"].clone() })
        }),
        probe("totp_max_attempts", json!(2), |spot| Box::pin(totp_failures(spot, "maxNumberOfFailedAttempts"))),
        probe("totp_rate_limit_cooldown_sec", json!(7), |spot| Box::pin(totp_failures(spot, "retryAfterMs"))),
        probe("smtp_host", json!("localhost"), |spot| Box::pin(mail_sent(spot))),
        probe("smtp_port", json!(2525), |spot| Box::pin(mail_sent(spot))),
        probe("smtp_secure", json!("tls"), |spot| Box::pin(mail_sent(spot))),
        probe("smtp_auth_username", json!("apikey"), |spot| Box::pin(mail_sent(spot))),
        probe("smtp_password", json!("other"), |spot| Box::pin(mail_sent(spot))),
        probe("smtp_from_name", json!("Shop"), |spot| Box::pin(mail_sent(spot))),
        probe("smtp_from_email", json!("store@example.org"), |spot| Box::pin(mail_sent(spot))),
        probe("sms_twilio_account_sid", json!("AC2"), |spot| Box::pin(texts::sent(spot))),
        probe("sms_twilio_auth_token", json!("other"), |spot| Box::pin(texts::sent(spot))),
        probe("sms_twilio_from", json!("+15005550007"), |spot| Box::pin(texts::sent(spot))),
        probe("sms_twilio_messaging_service_sid", json!("MG1"), |spot| Box::pin(texts::sent(spot))),
        probe("sms_twilio_base_url", json!("https://other.test"), |spot| Box::pin(texts::sent(spot))),
        probe("sms_webhook_url", json!("https://hook.test"), |spot| Box::pin(texts::sent(spot))),
        probe("sms_webhook_secret", json!("c2Vjb25kLS1zZWNvbmQtLXNlY29uZC0tc2Vjb25k"), |spot| {
            Box::pin(texts::sent(spot))
        }),
        probe("mail_language", json!("de"), |spot| Box::pin(mail_sent(spot))),
        probe(
            "third_party_providers",
            json!(
                r#"[{"thirdPartyId": "github", "clients": [{"clientId": "i"}], "includeInNonPublicTenantsByDefault": true}]"#
            ),
            |spot| Box::pin(providers::listed(spot)),
        ),
        probe("provider_private_networks", json!("10.0.0.0/8"), |spot| Box::pin(providers::reached(spot))),
        probe("event_hooks", hooks::some(), |spot| Box::pin(hooks::told(spot))),
        probe("event_hook_retry_hours", json!(25), |spot| Box::pin(hooks::kept_for(spot))),
        probe("inline_hooks", hooks::inline(), |spot| Box::pin(hooks::asked(spot))),
        probe("hook_private_networks", json!("10.0.0.0/8"), |spot| Box::pin(hooks::told(spot))),
        probe("provider_timeout_ms", json!(500), |spot| Box::pin(providers::reached(spot))),
        probe("password_hashing_alg", json!("ARGON2"), |spot| Box::pin(stored_hash(spot))),
        probe("firebase_password_hashing_signer_key", json!("c2lnbmVy"), |spot| Box::pin(firebase_import(spot))),
        probe("bulk_migration_batch_size", json!(1), |spot| Box::pin(users_of_a_batch(spot))),
        probe("bulk_migration_parallelism", json!(1), |spot| Box::pin(passwords_hashed_at_once(spot))),
    ]
}

fn session(spot: &Spot<'_>) -> impl Future<Output = TestReply> {
    spot.post("/recipe/session", new_session("u"))
}

async fn answer_from(spot: Spot<'_>, peer: &str) -> Value {
    json!(
        spot.request(Method::GET, "/recipe/session/user?userId=u&fetchAcrossAllTenants=false").from(peer).await.code()
    )
}

async fn versions(spot: Spot<'_>) -> Value {
    spot.get("/apiversion").await.json()["versions"].clone()
}

async fn answer_to_an_old_version(spot: Spot<'_>) -> Value {
    json!(spot.request(Method::GET, "/recipe/session/user?userId=u").cdi("3.1").await.code())
}

/// How long the tokens of a few sessions last (ms).
async fn lifetimes(spot: Spot<'_>, token: &str) -> Value {
    let mut lifetimes = Vec::new();
    for _ in 0..4 {
        let created = session(&spot).await.ok().json()[token].clone();
        lifetimes.push(created["expiry"].as_u64().unwrap() - created["createdTime"].as_u64().unwrap());
    }
    json!(lifetimes)
}

/// How the server replies to a replaced refresh token 20 s later.
async fn late_refresh(spot: Spot<'_>) -> Value {
    let token = session(&spot).await.ok().refresh_token();
    let body = json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true});
    let refresh = async || spot.request(Method::POST, "/recipe/session/refresh").json(&body).cdi("5.6").await.json();
    assert_eq!(refresh().await["status"], "OK");
    spot.app.clock.advance(20_000);
    refresh().await["status"].clone()
}

/// Whether a verifier may keep the keys for two hours.
async fn keys_last(spot: Spot<'_>) -> Value {
    let cache = spot.get("/.well-known/jwks.json").await.0.cache_control.unwrap();
    let max_age: u64 = cache.trim_start_matches("max-age=").split(',').next().unwrap().parse().unwrap();
    json!(max_age > 7200)
}

/// The algorithm of the key that signs once a new key has been published for a minute.
async fn algorithm(spot: Spot<'_>) -> Value {
    session(&spot).await.ok();
    spot.app.clock.advance(61_000);
    let token = session(&spot).await.ok().access_token();
    header(&token)["alg"].clone()
}

/// What follows the last dot of a refresh token.
async fn refresh_token_suffix(spot: Spot<'_>) -> Value {
    let token = session(&spot).await.ok().refresh_token();
    json!(token.rsplit_once('.').map(|(_, suffix)| suffix))
}

/// Whether the signing key is one that gets replaced: a static one expires ten years after the epoch.
async fn signing_key_ends(spot: Spot<'_>) -> Value {
    let request = spot.request(Method::POST, "/recipe/session").json(&new_session("u")).cdi("2.20");
    json!(request.await.ok().json()["jwtSigningPublicKeyExpiryTime"] != json!(315_360_000_000_u64))
}

async fn verify_of_a_removed_session(spot: Spot<'_>) -> Value {
    let send = async |path: &str, body: Value| spot.request(Method::POST, path).json(&body).cdi("2.20").await;
    let created = send("/recipe/session", new_session("u")).await;
    send("/recipe/session/remove", json!({"sessionHandles": [created.handle()]})).await;
    let body = json!({"accessToken": created.access_token(), "doAntiCsrfCheck": false, "enableAntiCsrf": false});
    send("/recipe/session/verify", body).await.json()["status"].clone()
}

/// Whether the timeline of an ended session is still available.
async fn timeline(spot: Spot<'_>) -> Value {
    let handle = session(&spot).await.ok().handle();
    spot.post("/recipe/session/remove", json!({"sessionHandles": [handle]})).await.ok();
    spot.get(&format!("/recipe/session/timeline?sessionHandle={handle}")).await.json()["status"].clone()
}

/// Whose addresses the audit log holds for a refused sign-in.
async fn audited_address(spot: Spot<'_>) -> Value {
    let body = json!({"email": spot.new_email(), "password": "wrong"});
    let request = spot.request(Method::POST, "/recipe/signin").json(&body);
    request.header("x-forwarded-for", "192.0.2.7").header("x-real-ip", "192.0.2.8").await;
    let told = spot.get("/audit?limit=1").await.ok().json();
    json!([told["events"][0]["client"], told["events"][0]["caller"]])
}

async fn tenth_wrong_password(spot: Spot<'_>) -> Value {
    let email = spot.new_email();
    spot.sign_up(&email).await;
    let mut code = 0;
    for _ in 0..10 {
        code = spot.post("/recipe/signin", json!({"email": email, "password": "wrong"})).await.code();
    }
    json!(code)
}

async fn late_reset(spot: Spot<'_>) -> Value {
    let email = spot.new_email();
    let body = json!({"userId": spot.sign_up(&email).await, "email": email});
    let token = spot.post("/recipe/user/password/reset/token", body).await.ok().text_at("/token");
    spot.app.clock.advance(5000);
    spot.post("/recipe/user/password/reset/token/consume", json!({"token": token})).await.json()["status"].clone()
}

async fn late_verification(spot: Spot<'_>) -> Value {
    let email = spot.new_email();
    let body = json!({"userId": spot.sign_up(&email).await, "email": email});
    let token = spot.post("/recipe/user/email/verify/token", body).await.ok().text_at("/token");
    spot.app.clock.advance(5000);
    spot.post("/recipe/user/email/verify", json!({"method": "token", "token": token})).await.json()["status"].clone()
}

async fn code(spot: &Spot<'_>) -> TestReply {
    spot.post("/recipe/signinup/code", json!({"email": spot.new_email()})).await.ok()
}

async fn wrong_code(spot: Spot<'_>) -> Value {
    let sent = code(&spot).await.json();
    let body = json!({
        "preAuthSessionId": sent["preAuthSessionId"], "deviceId": sent["deviceId"], "userInputCode": "wrong"
    });
    spot.post("/recipe/signinup/code/consume", body).await.json()
}

/// A member of the reply to the last of several wrong codes, each of which except the first follows a failure.
async fn totp_failures(spot: Spot<'_>, member: &str) -> Value {
    let user = spot.new_email();
    let device = json!({"userId": user, "deviceName": "phone", "skew": 1, "period": 30});
    spot.whole_app().post("/recipe/totp/device", device).await.ok();
    for _ in 0..10 {
        let reply = spot.post("/recipe/totp/verify", json!({"userId": user, "totp": "000000"})).await.json();
        if !reply[member].is_null() {
            return reply[member].clone();
        }
    }
    Value::Null
}

/// The prefix of a new password's hash.
async fn stored_hash(spot: Spot<'_>) -> Value {
    let email = spot.new_email();
    spot.sign_up(&email).await;
    json!(spot.app.stored_hash(&app_id(&spot), &email).await[..3])
}

pub(super) fn app_id(spot: &Spot<'_>) -> AppId {
    AppId {
        connection_uri_domain: spot.place.host.trim_start_matches(BASE.host).to_owned(),
        app_id: spot.place.app.strip_prefix("/appid-").unwrap_or("public").to_owned(),
    }
}

async fn firebase_import(spot: Spot<'_>) -> Value {
    let body = json!({"email": spot.new_email(), "passwordHash": FIREBASE, "hashingAlgorithm": "firebase_scrypt"});
    json!(spot.post("/recipe/user/passwordhash/import", body).await.code())
}

/// How many of two waiting users the job imports at once.
async fn users_of_a_batch(spot: Spot<'_>) -> Value {
    let spot = spot.whole_app();
    let user = |email: String| json!({"loginMethods": [{"recipeId": "passwordless", "email": email}]});
    let users = [user(spot.new_email()), user(spot.new_email())];
    spot.post("/bulk-import/users", json!({ "users": users })).await.ok();
    let first = batch(&spot).run(&spot.app.context).await.unwrap().unwrap().imported;
    while batch(&spot).run(&spot.app.context).await.unwrap().is_some() {}
    json!(first)
}

fn batch(spot: &Spot<'_>) -> ImportBatch {
    let app = spot.app.context.directory.app(&app_id(spot)).unwrap();
    let cause = Cause::without_request("test");
    ImportBatch { scope: Scope { app, cause } }
}

/// How many passwords of users to import wait while every thread is busy.
async fn passwords_hashed_at_once(spot: Spot<'_>) -> Value {
    let spot = spot.whole_app();
    let user = |email: String| json!({"loginMethods": [{"recipeId": "emailpassword", "email": email, "plainTextPassword": "right"}]});
    let users: Vec<_> = (0..4).map(|_| user(spot.new_email())).collect();
    spot.post("/bulk-import/users", json!({ "users": users })).await.ok();
    let busy = spot.app.busy_with_bcrypt(10).await;
    let mut running = pin!(batch(&spot).run(&spot.app.context));
    let bcrypt = || spot.app.context.hashing.stats()[0].waiting;
    let waiting = poll_fn(|context| match (running.as_mut().poll(context), bcrypt()) {
        (Poll::Pending, 0) => Poll::Pending,
        (_, waiting) => Poll::Ready(waiting),
    })
    .await;
    running.await.unwrap();
    // The next observation begins with idle threads.
    busy.join_all().await;
    json!(waiting)
}

/// How a test mail is sent, and its subject.
async fn mail_sent(spot: Spot<'_>) -> Value {
    let app = spot.app.context.directory.app(&spot.app_id()).unwrap();
    let scope = Scope { app, cause: Cause::without_request("test") };
    let test = TestMail { scope, to: MailAddress::parse("jane@example.org").unwrap().into() };
    match test.run(&spot.app.context).await.unwrap() {
        Ok(Delivery::Sent(told)) => json!(told),
        other => panic!("{other:?}"),
    }
}
