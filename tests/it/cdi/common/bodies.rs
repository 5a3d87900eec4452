//! Reading JSON bodies and queries.

use crate::app::{TestApp, TestReply, new_session};
use serde_json::{Value, json};

async fn send(body: &str) -> TestReply {
    TestApp::new().await.post("/recipe/session", json!({})).body(body.to_owned()).await
}

#[tokio::test]
async fn what_is_no_object_is_invalid_json_input() {
    for body in [
        "",
        " ",
        "null",
        "1",
        "\"a\"",
        "[]",
        "[{}]",
        "{",
        "}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{}x",
        "{} {}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":tru}",
        "{\"a\":01}",
        "{\"a\":\"\n\"}",
        "userId=u",
    ] {
        send(body).await.is_text(400, "Invalid Json Input");
    }
    let app = TestApp::new().await;
    let reply = app.post("/recipe/session", json!({})).body(&b"{\"userId\":\"\xff\"}"[..]).await;
    reply.is_text(400, "Invalid Json Input");
}

#[tokio::test]
async fn a_deeply_nested_body_is_refused_not_fatal() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let body = format!(
        "{{\"userId\":\"u\",\"enableAntiCsrf\":false,\"userDataInJWT\":{{\"a\":{deep}}},\"userDataInDatabase\":{{}}}}"
    );
    let sentence = "Field name 'userDataInJWT' is invalid in JSON input: it is nested more than 127 levels deep";
    send(&body).await.is_text(400, sentence);
}

#[tokio::test]
async fn missing_and_mistyped_fields_share_one_sentence_and_the_first_counts() {
    let cases: [(&str, Value); 4] = [
        ("userId", json!(1)),
        ("enableAntiCsrf", json!("true")),
        ("userDataInJWT", json!([])),
        ("userDataInDatabase", json!("{}")),
    ];
    for (field, wrong) in &cases {
        let sentence = format!("Field name '{field}' is invalid in JSON input");
        for broken in [None, Some(wrong), Some(&Value::Null)] {
            let app = TestApp::new().await;
            let mut body = new_session("u");
            match broken {
                Some(value) => body[*field] = value.clone(),
                None => drop(body.as_object_mut().map(|members| members.remove(*field))),
            }
            app.post("/recipe/session", body).await.is_text(400, &sentence);
        }
    }
    send("{}").await.is_text(400, "Field name 'userId' is invalid in JSON input");
}

#[tokio::test]
async fn an_optional_field_may_be_absent_but_not_null_or_mistyped() {
    let app = TestApp::new().await;
    app.post("/recipe/session", new_session("u")).cdi("5.5").await.ok();
    for wrong in [json!(null), json!("true"), json!(1), json!({})] {
        let mut body = new_session("u");
        body["useDynamicSigningKey"] = wrong;
        let reply = app.post("/recipe/session", body).cdi("5.5").await;
        reply.is_text(400, "Field name 'useDynamicSigningKey' is invalid in JSON input");
    }
}

#[tokio::test]
async fn a_long_may_be_a_number_or_a_string_of_digits() {
    let app = TestApp::new().await;
    for good in [json!(1000), json!("1000"), json!(1000.9), json!(1e3)] {
        let mut body = new_session("u");
        body["accessTokenValidity"] = good;
        app.post("/recipe/session", body).await.ok();
    }
    for bad in [json!("x"), json!(""), json!("10.5"), json!(null), json!(true), json!([1000]), json!(1e300)] {
        let mut body = new_session("u");
        body["accessTokenValidity"] = bad;
        let reply = app.post("/recipe/session", body).await;
        reply.is_text(400, "Field name 'accessTokenValidity' is invalid in JSON input");
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_of_doubled_ones_the_last_counts() {
    let reply = send(
        "{\"userId\":\"first\",\"more\":[1,{}],\"enableAntiCsrf\":false,\"userDataInJWT\":{},\"userDataInDatabase\":{},\
         \"userId\":\"last\"}",
    )
    .await
    .ok();
    assert_eq!(reply.json()["session"]["userId"], "last");
}

#[tokio::test]
async fn text_may_be_escaped_and_of_any_script() {
    let body = "{\"user\\u0049d\":\"a\\u00e9\\n\\\"\\ud83d\\ude00 ü\",\"enableAntiCsrf\":false,\"userDataInJWT\":{},\
                \"userDataInDatabase\":{}}";
    assert_eq!(send(body).await.ok().json()["session"]["userId"], "aé\n\"😀 ü");
    // half of a surrogate pair is not text
    let body = body.replace("\\ude00", "");
    let sentence = "Field name 'userId' is invalid in JSON input: it has half of a surrogate pair (such as \\ud83d alone): \
                    text that was cut inside a character";
    send(&body).await.is_text(400, sentence);
}

#[tokio::test]
async fn the_content_type_is_not_looked_at() {
    let app = TestApp::new().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
        app.post("/recipe/session", new_session("u")).header("content-type", kind).await.ok();
    }
}

#[tokio::test]
async fn a_missing_parameter_is_named_and_an_empty_one_is_present() {
    let app = TestApp::new().await;
    let sentence = "Field name 'userId' is missing in GET request";
    for query in ["", "?", "?userid=u", "?other=1"] {
        app.get(&format!("/recipe/session/user{query}")).await.is_text(400, sentence);
    }
    for query in ["?userId=", "?userId", "?x=1&userId=u"] {
        app.get(&format!("/recipe/session/user{query}")).await.ok();
    }
}

#[tokio::test]
async fn a_query_that_is_not_utf_8_is_refused() {
    let app = TestApp::new().await;
    app.session("m\u{fffd}ller").await;
    let sentence = "The query is not UTF-8 once it is percent-decoded";
    // Latin-1, half of an e with an accent, and half of a surrogate pair.
    for spelling in ["m%FCller", "%C3", "%C3&x=%A9", "%ED%A0%BD"] {
        app.get(&format!("/recipe/session/user?userId={spelling}")).await.is_text(400, sentence);
        app.get(&format!("/recipe/session/user?userId=u&other={spelling}")).await.is_text(400, sentence);
    }
    for spelling in ["m%C3%BCller", "%F0%9F%98%80", "%", "%zz", "100%"] {
        app.get(&format!("/recipe/session/user?userId={spelling}")).await.ok();
    }
}

#[tokio::test]
async fn parameters_are_decoded() {
    let app = TestApp::new().await;
    app.session("a b&c/é").await;
    for spelling in ["a+b%26c%2Fé", "a%20b%26c/%C3%A9"] {
        let reply = app.get(&format!("/recipe/session/user?userId={spelling}")).await.ok();
        assert_eq!(reply.json()["sessionHandles"].as_array().map(Vec::len), Some(1), "{spelling}");
    }
}
