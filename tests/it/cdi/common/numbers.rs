//! Numbers in data that callers store come back as they were written.

use crate::app::{TestApp, TestReply};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::json;
use sessiond::jobs::bulk_import::round;

/// Beyond 64 bits, with an exponent, with a redundant fraction, negative zero.
const NUMBERS: &str = r#"{"big":1000000000000000000000001,"low":-9223372036854775809,"high":18446744073709551616,"list":[1e2,1E2,1.0,-0,0.10,9007199254740993]}"#;

async fn send(app: &TestApp, method: Method, path: &str, body: &str) -> TestReply {
    app.request(method, path).body(body.to_owned()).await.ok()
}

/// The claims of a token, as text.
fn claims(token: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    String::from_utf8(claims).unwrap()
}

/// The text between the outer braces.
fn inside(object: &str) -> &str {
    object.strip_prefix('{').unwrap().strip_suffix('}').unwrap()
}

#[tokio::test]
async fn of_sessions_and_their_tokens() {
    let app = TestApp::new().await;
    for version in ["2.20", "3.1", "5.4", "5.6"] {
        let body = format!(
            r#"{{"userId":"u","enableAntiCsrf":false,"userDataInJWT":{NUMBERS},"userDataInDatabase":{NUMBERS}}}"#
        );
        let created = app.request(Method::POST, "/recipe/session").cdi(version).body(body).await.ok();
        assert!(created.body().contains(&format!(r#""userDataInJWT":{NUMBERS}"#)), "{}", created.body());
        let token = created.access_token();
        if version != "2.20" {
            assert!(claims(&token).contains(inside(NUMBERS)), "{}", claims(&token));
        }
        let shown = app.get(&format!("/recipe/session?sessionHandle={}", created.handle())).await.ok().body();
        assert_eq!(shown.matches(NUMBERS).count(), 2, "{shown}");
        let body =
            json!({"accessToken": token, "doAntiCsrfCheck": false, "enableAntiCsrf": false, "checkDatabase": true});
        let verified = app.post("/recipe/session/verify", body).cdi(version).await.ok();
        assert!(verified.body().contains(NUMBERS), "{}", verified.body());
        assert!(verified.json().get("accessToken").is_none(), "the payload is the one in the token");
        let body = format!(r#"{{"accessToken":"{token}"}}"#);
        let regenerated = app.request(Method::POST, "/recipe/session/regenerate").cdi(version).body(body).await.ok();
        assert!(regenerated.body().contains(NUMBERS), "{}", regenerated.body());
        let refreshed =
            json!({"refreshToken": created.refresh_token(), "enableAntiCsrf": false, "useDynamicSigningKey": true});
        let refreshed = app.post("/recipe/session/refresh", refreshed).cdi(version).await.ok();
        assert!(refreshed.body().contains(NUMBERS), "{}", refreshed.body());
    }
}

#[tokio::test]
async fn a_payload_that_is_written_otherwise_is_another_one() {
    let app = TestApp::new().await;
    let create = r#"{"userId":"u","enableAntiCsrf":false,"userDataInJWT":{"n":1.0,"m":[1]},"userDataInDatabase":{}}"#;
    let created = app.request(Method::POST, "/recipe/session").body(create).await.ok();
    let update = async |payload: &str| {
        let body = format!(r#"{{"sessionHandle":"{}","userDataInJWT":{payload}}}"#, created.handle());
        send(&app, Method::PUT, "/recipe/jwt/data", &body).await;
        let body = json!({"accessToken": created.access_token(), "doAntiCsrfCheck": false, "enableAntiCsrf": false,
            "checkDatabase": true});
        let verified = app.post("/recipe/session/verify", body).cdi("5.4").await.ok().json();
        verified.get("accessToken").map(|token| claims(token["token"].as_str().unwrap()))
    };
    assert_eq!(update(r#"{"m":[1],"n":1.0}"#).await, None, "the order is irrelevant");
    for payload in [r#""n":1,"m":[1]"#, r#""n":1.00,"m":[1]"#, r#""n":1.0,"m":[1e0]"#] {
        let new = update(&format!("{{{payload}}}")).await.expect("another payload");
        assert!(new.contains(payload), "{new}");
    }
}

#[tokio::test]
async fn of_jwts() {
    let app = TestApp::new().await;
    let body = format!(r#"{{"algorithm":"RS256","jwksDomain":"d","validity":3600,"payload":{NUMBERS}}}"#);
    let jwt = send(&app, Method::POST, "/recipe/jwt", &body).await.text_at("/jwt");
    assert!(claims(&jwt).contains(inside(NUMBERS)), "{}", claims(&jwt));
}

#[tokio::test]
async fn of_metadata_that_is_changed_beside_them() {
    let app = TestApp::new().await;
    let update = async |update: &str| {
        let body = format!(r#"{{"userId":"u","metadataUpdate":{update}}}"#);
        send(&app, Method::PUT, "/recipe/user/metadata", &body).await.body()
    };
    assert!(update(NUMBERS).await.contains(NUMBERS));
    let merged = format!(r#"{{{},"more":2e0}}"#, inside(NUMBERS));
    assert!(update(r#"{"more":2e0}"#).await.contains(&merged));
    assert!(app.get("/recipe/user/metadata?userId=u").await.body().contains(&merged));
    let bulk = app.post("/recipe/user/metadata/bulk", json!({"userIds": ["u"]})).await.ok().body();
    assert!(bulk.contains(&merged), "{bulk}");
}

#[tokio::test]
async fn of_users_who_are_imported() {
    let app = TestApp::new().await;
    let method = |number: usize| {
        format!(
            r#"[{{"recipeId":"thirdparty","thirdPartyId":"google","thirdPartyUserId":"g{number}","email":"u{number}@x.io"}}]"#
        )
    };
    let user = |number: usize| {
        format!(
            r#"{{"externalUserId":"e{number}","userMetadata":{NUMBERS},"more":{NUMBERS},"loginMethods":{}}}"#,
            method(number)
        )
    };
    send(&app, Method::POST, "/bulk-import/users", &format!(r#"{{"users":[{}]}}"#, user(1))).await;
    let waiting = app.get("/bulk-import/users").await.ok().body();
    assert_eq!(waiting.matches(NUMBERS).count(), 2, "{waiting}");
    assert_eq!(round(&app.context).await.unwrap().imported, 1);
    send(&app, Method::POST, "/bulk-import/import", &user(2)).await;
    for id in ["e1", "e2"] {
        let shown = app.get(&format!("/recipe/user/metadata?userId={id}")).await.ok().body();
        assert!(shown.contains(NUMBERS), "{shown}");
    }
}

#[tokio::test]
async fn of_providers() {
    let app = TestApp::new().await;
    let body = format!(
        r#"{{"config":{{"thirdPartyId":" custom ","clients":[{{"clientId":"id","additionalConfig":{NUMBERS}}}],"tokenEndpointBodyParams":{NUMBERS}}}}}"#
    );
    send(&app, Method::PUT, "/recipe/multitenancy/config/thirdparty", &body).await;
    let shown = app.get("/recipe/multitenancy/tenant/v2").await.ok().body();
    assert_eq!(shown.matches(NUMBERS).count(), 2, "{shown}");
    assert!(shown.contains(r#""thirdPartyId":"custom""#), "{shown}");
}

#[tokio::test]
async fn members_called_as_no_member_should_be_are_members_all_the_same() {
    let app = TestApp::new().await;
    for name in ["$serde_json::private::Number", "$serde_json::private::RawValue"] {
        let body = format!(r#"{{"userId":"u","metadataUpdate":{{"a":{{"{name}":"1"}}}}}}"#);
        let shown = send(&app, Method::PUT, "/recipe/user/metadata", &body).await.body();
        assert!(shown.contains(&format!(r#"{{"a":{{"{name}":"1"}}}}"#)), "{shown}");
    }
}

#[tokio::test]
async fn what_nobody_could_read_again_is_refused_with_its_field_and_the_reason() {
    let app = TestApp::new().await;
    let deep = format!("{}1{}", r#"{"a":"#.repeat(128), "}".repeat(128));
    let reasons = [
        (
            r#"{"a":"Ann \ud83d"}"#,
            "it has half of a surrogate pair (such as \\ud83d alone): text that was cut inside a character",
        ),
        (
            r#"{"a":[{"\udc00":1}]}"#,
            "it has half of a surrogate pair (such as \\ud83d alone): text that was cut inside a character",
        ),
        (r#"{"a":1e999}"#, "it has a number beyond 1.8e308"),
        (&deep, "it is nested more than 127 levels deep"),
    ];
    for (object, reason) in reasons {
        for (method, path, field, rest) in [
            (
                Method::POST,
                "/recipe/session",
                "userDataInJWT",
                r#""userId":"u","enableAntiCsrf":false,"userDataInDatabase":{}"#,
            ),
            (
                Method::POST,
                "/recipe/session",
                "userDataInDatabase",
                r#""userId":"u","enableAntiCsrf":false,"userDataInJWT":{}"#,
            ),
            (Method::PUT, "/recipe/user/metadata", "metadataUpdate", r#""userId":"u""#),
            (Method::POST, "/recipe/jwt", "payload", r#""algorithm":"RS256","jwksDomain":"d","validity":3600"#),
            (Method::POST, "/bulk-import/import", "userMetadata", r#""loginMethods":[]"#),
            (Method::PUT, "/recipe/multitenancy/config/thirdparty", "config", r#""skipValidation":true"#),
        ] {
            let reply = app.request(method, path).body(format!(r#"{{{rest},"{field}":{object}}}"#)).await;
            reply.is_text(400, &format!("Field name '{field}' is invalid in JSON input: {reason}"));
        }
        let reply = app.request(Method::POST, "/bulk-import/users").body(format!(r#"{{"users":[{object}]}}"#)).await;
        reply.is_text(400, &format!("Field name 'users' is invalid in JSON input: {reason}"));
    }
    for (path, body) in [("/recipe/signup", r#"{"email":"a@x.io","password":"\ud83d"}"#)] {
        let reply = app.request(Method::POST, path).body(body).await;
        let reason = reasons[0].1;
        reply.is_text(400, &format!("Field name 'password' is invalid in JSON input: {reason}"));
    }
}
