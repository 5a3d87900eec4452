//! `GET /users/by-accountinfo`.

use super::{code, listed, method, password, person, provider, save, with_tenant, within};
use crate::app::TestApp;
use serde_json::json;
use sessiond::domain::user::Login;

#[tokio::test]
async fn bad_input_gets_the_protocols_sentences() {
    let app = TestApp::new().await;
    let path = "/users/by-accountinfo";
    app.get(path).await.is_text(400, "Field name 'doUnionOfAccountInfo' is missing in GET request");
    for flag in ["TRUE", "", "1"] {
        let reply = app.get(&format!("{path}?doUnionOfAccountInfo={flag}")).await;
        reply.is_text(400, "'doUnionOfAccountInfo' should be either 'true' or 'false'");
    }
    let sentence = "If 'thirdPartyId' is provided, 'thirdPartyUserId' must also be provided, and vice versa";
    for half in ["thirdPartyId=google", "thirdPartyUserId=1"] {
        app.get(&format!("{path}?doUnionOfAccountInfo=true&{half}")).await.is_text(400, sentence);
    }
}

#[tokio::test]
async fn one_criterion_or_all_of_them() {
    let app = TestApp::new().await;
    with_tenant(&app, "t1").await;
    let passkey = Login::Webauthn { email: "key@x.io".to_owned(), credential_ids: vec!["AbC".to_owned()] };
    let jane = person([
        method("jane", 9, password("jane@x.io")),
        method("j2", 8, provider("google", "g1", "jane@x.io")),
        within(method("j3", 7, code(None, Some("+491701234567"))), &["t1"]),
    ]);
    let joe = person([method("joe", 1, provider("google", "g2", "jane@x.io"))]);
    for user in [jane, joe, person([method("key", 5, passkey)])] {
        save(&app, &[], &[&user]).await;
    }
    for (query, either, all) in [
        ("", vec![], vec![]),
        ("email=%20Jane@X.io", vec!["joe", "jane"], vec!["joe", "jane"]),
        ("email=jane", vec![], vec![]),
        ("thirdPartyId=google&thirdPartyUserId=g1", vec!["jane"], vec!["jane"]),
        ("email=jane@x.io&thirdPartyId=google&thirdPartyUserId=g2", vec!["joe", "jane"], vec!["joe"]),
        // the phone number is known in another tenant only, but another criterion has found the person here
        ("email=jane@x.io&phoneNumber=%2B49%20170%201234567", vec!["joe", "jane"], vec!["jane"]),
        ("phoneNumber=%2B491701234567", vec![], vec![]),
        ("webauthnCredentialId=AbC", vec!["key"], vec!["key"]),
        ("webauthnCredentialId=nope", vec![], vec![]),
        ("webauthnCredentialId=AbC&email=jane@x.io", vec!["joe", "key", "jane"], vec![]),
    ] {
        let path = |union| format!("/users/by-accountinfo?doUnionOfAccountInfo={union}&{query}");
        assert_eq!(listed(&app, &path(true)).await, either, "any of {query}");
        assert_eq!(listed(&app, &path(false)).await, all, "all of {query}");
    }
    let in_t1 = listed(&app, "/t1/users/by-accountinfo?doUnionOfAccountInfo=true&phoneNumber=%2B491701234567").await;
    assert_eq!(in_t1, ["jane"]);
}

#[tokio::test]
async fn users_are_whole_at_every_version() {
    let app = TestApp::new().await;
    save(&app, &[], &[&person([method("jane", 9, password("jane@x.io"))])]).await;
    let path = "/users/by-accountinfo?doUnionOfAccountInfo=false&email=jane@x.io";
    let user = app.get(path).cdi("3.1").await.ok().json()["users"][0].clone();
    assert_eq!(user["loginMethods"][0]["recipeUserId"], json!("jane"));
}
