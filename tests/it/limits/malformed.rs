//! Requests that no honest client sends: answered with 4xx or cut off, never a failure, and the server survives.

use super::wire::Wire;
use super::{get, impatient, soon};
use crate::app::{TestApp, TestReply, TestServer, new_session};
use crate::people::{by_password, with_cheap_passwords};
use http::Method;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use sessiond::store::{user, userroles};

/// Bytes that are not HTTP, or only just.
fn broken_heads() -> Vec<Vec<u8>> {
    let text = [
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nbroken\r\n\r\n",
        "GET / HTTP/1.1\r\n: empty\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost b\r\n\r\n",
        "get / http/1.1\r\n\r\n",
        "GET hello HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET http:// HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    ];
    let mut all: Vec<Vec<u8>> = text.iter().map(|text| text.as_bytes().to_vec()).collect();
    all.push(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec());
    all.push(b"GET /\x00 HTTP/1.1\r\nhost: x\r\n\r\n".to_vec());
    all.push(b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n".to_vec());
    all.push(b"GET / HTTP/1.1\r\nx: \xff\x00\r\n\r\n".to_vec());
    let many: String = (0..500).map(|number| format!("x-{number}: y\r\n")).collect();
    all.push(format!("GET / HTTP/1.1\r\n{many}\r\n").into_bytes());
    all
}

#[tokio::test]
async fn broken_heads_are_refused_and_the_server_lives() {
    let app = TestApp::new().await;
    let server = TestServer::with(app.cdi.clone(), impatient()).await;
    for bytes in broken_heads() {
        let mut wire = Wire::open(&server).await;
        wire.try_send(&bytes).await;
        let code = soon(wire.reply_or_close()).await;
        let shown = String::from_utf8_lossy(&bytes).chars().take(80).collect::<String>();
        assert!(
            code.is_none_or(|code| (400..500).contains(&code) || code == 501 || code == 505),
            "{code:?} for {shown:?}"
        );
    }
    let mut wire = Wire::open(&server).await;
    wire.send(&get("/hello")).await;
    assert_eq!(soon(wire.reply()).await.body, "Hello\n");
}

#[tokio::test]
async fn random_bytes_are_refused_and_the_server_lives() {
    let app = TestApp::new().await;
    let server = TestServer::with(app.cdi.clone(), impatient()).await;
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..50 {
        let bytes: Vec<u8> = (0..random.random_range(1..2_000)).map(|_| random.random()).collect();
        let mut wire = Wire::open(&server).await;
        wire.try_send(&bytes).await;
        drop(wire);
    }
    let mut wire = Wire::open(&server).await;
    wire.send(&get("/hello")).await;
    assert_eq!(soon(wire.reply()).await.body, "Hello\n");
}

/// Values that are valid nowhere, and some that are valid somewhere.
const ODD: [&str; 22] = [
    "null",
    "true",
    "0",
    "-1",
    "1e999",
    "1.5",
    "9223372036854775808",
    "\"\"",
    "\"x\"",
    "\"\\u0000\"",
    "\"a.b.c\"",
    "\"_none\"",
    "\"00000000-0000-4000-8000-000000000000\"",
    "[]",
    "[null]",
    "[\"x\"]",
    "{}",
    "{\"a\":null}",
    "{\"sub\":1}",
    "\"AQAAAAE\"",
    "\"token\"",
    "\"$2a$04$abcdefghijklmnopqrstuu5Nk4bWpHwcT1WkA9CjIvp6XcSbYJ9iK\"",
];

/// Every field that a session endpoint reads.
const FIELDS: [&str; 17] = [
    "userId",
    "enableAntiCsrf",
    "userDataInJWT",
    "userDataInDatabase",
    "useDynamicSigningKey",
    "accessTokenValidity",
    "accessToken",
    "antiCsrfToken",
    "doAntiCsrfCheck",
    "checkDatabase",
    "refreshToken",
    "sessionHandle",
    "sessionHandles",
    "algorithm",
    "jwksDomain",
    "payload",
    "validity",
];

/// Every field that an endpoint of users, roles or metadata reads.
const FIELDS_OF_PEOPLE: [&str; 17] = [
    "userId",
    "recipeUserId",
    "email",
    "password",
    "method",
    "token",
    "newPassword",
    "passwordHash",
    "hashingAlgorithm",
    "role",
    "permissions",
    "metadataUpdate",
    "userIds",
    "removeAllLinkedAccounts",
    "superTokensUserId",
    "externalUserId",
    "primaryUserId",
];

/// Sends bodies with these fields and odd values to every route that takes a body and whose path begins like this.
async fn throw_odd_fields(app: &TestApp, (seed, rounds): (u64, usize), fields: &[&str], paths: &[&str]) {
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..rounds {
        let members: Vec<String> = fields
            .iter()
            .filter_map(|field| {
                let value = ODD[random.random_range(0..ODD.len())];
                random.random_bool(0.8).then(|| format!("\"{field}\":{value}"))
            })
            .collect();
        let body = format!("{{{}}}", members.join(","));
        let version = ["2.7", "2.21", "3.1", "4.0", "5.4", "5.6"][random.random_range(0..6)];
        for mounted in app.cdi.table().routes() {
            let method = match format!("{:?}", mounted.route.verb).as_str() {
                "POST" => Method::POST,
                "PUT" => Method::PUT,
                _ => continue,
            };
            if !paths.iter().any(|path| mounted.route.path.starts_with(path)) {
                continue;
            }
            let reply = app.request(method, mounted.route.path).cdi(version).body(body.clone()).await;
            // the protocol answers 500 to an access token that is not a JWT
            let expected = reply.code() < 500 || mounted.route.path == "/recipe/session/regenerate";
            assert!(expected, "{} {version} {body}: {}", mounted.route.label, reply.body());
        }
    }
}

#[tokio::test]
async fn odd_fields_never_make_an_endpoint_fail() {
    let app = TestApp::new().await;
    throw_odd_fields(&app, (11, 400), &FIELDS, &["/recipe/session", "/recipe/jwt"]).await;
}

#[tokio::test]
async fn odd_fields_never_make_an_endpoint_of_people_fail_nor_leave_halves_behind() {
    let paths = ["/recipe/sign", "/recipe/user", "/recipe/role", "/recipe/accountlinking", "/user/remove"];
    for round in 0..8 {
        let app = with_cheap_passwords().build().await;
        // Names, an id and an address that are among the values.
        app.put("/recipe/role", json!({"role": "x", "permissions": ["x"]})).await.ok();
        app.people([by_password("x", 1, "x")]).await;
        throw_odd_fields(&app, (round, 50), &FIELDS_OF_PEOPLE, &paths).await;
        let store = &*app.context.store;
        assert_eq!(user::check(store).await.unwrap().described, [""; 0], "{round}");
        assert_eq!(userroles::check(store).await.unwrap().described, [""; 0], "{round}");
    }
}

#[tokio::test]
async fn odd_queries_never_make_an_endpoint_fail() {
    let app = TestApp::new().await;
    for query in [
        "%",
        "%zz",
        "%ff",
        "a=%00",
        "sessionHandle=%ff&userId=%00",
        "&&&",
        "=",
        "sessionHandle=_",
        "userId=%F0%9F%98%80",
    ] {
        for mounted in app.cdi.table().routes() {
            if format!("{:?}", mounted.route.verb) == "GET" {
                let reply = app.get(&format!("{}?{query}", mounted.route.path)).await;
                // 501 is the reply of a recipe that does not exist yet
                let failed = reply.code() >= 500 && reply.code() != 501;
                assert!(!failed, "{} {query}: {}", mounted.route.label, reply.body());
            }
        }
    }
}

/// The start of a reply's body, for messages.
fn start(reply: &TestReply) -> String {
    reply.body().chars().take(200).collect()
}

/// With a body limit above the record limit, the store decides.
#[tokio::test]
async fn what_no_engine_stores_is_refused_in_one_line_and_leaves_nothing() {
    let app = TestApp::new().await;
    let huge = "x".repeat(5 << 20);
    let mut body = new_session("u");
    body["userDataInDatabase"] = json!({"a": huge});
    let reply = app.post("/recipe/session", body).await;
    assert_eq!(reply.code(), 413, "{}", start(&reply));
    assert!(reply.body().starts_with("The data to be stored is too large: "), "{}", start(&reply));
    assert_eq!(app.get("/recipe/session/user?userId=u").await.json()["sessionHandles"], json!([]));

    let handle = app.session("u").await.handle();
    let body = json!({"sessionHandle": handle, "userDataInJWT": {"a": huge}});
    assert_eq!(app.put("/recipe/jwt/data", body).await.code(), 413);
    let shown = app.get(&format!("/recipe/session?sessionHandle={handle}")).await.ok().json();
    assert_eq!(shown["userDataInJWT"], json!({}));
}

#[tokio::test]
async fn a_user_id_may_be_longer_than_any_key() {
    let app = TestApp::new().await;
    let long = "x".repeat(5_000);
    let handle = app.session(&long).await.handle();
    let listed = app.get(&format!("/recipe/session/user?userId={long}")).await.json()["sessionHandles"].clone();
    assert_eq!(listed, json!([handle]));
}
