//! `GET /users/by-accountinfo`.

use super::{code, ids, listed, method, passkey, password, person, provider, save, with_tenant, within};
use crate::app::TestApp;
use crate::people::mapped;
use serde_json::json;

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
    let jane = person([
        method("jane", 9, password("jane@x.io")),
        method("j2", 8, provider("google", "g1", "jane@x.io")),
        within(method("j3", 7, code(None, Some("+491701234567"))), &["t1"]),
    ]);
    let joe = person([method("joe", 1, provider("google", "g2", "jane@x.io"))]);
    for user in [jane, joe, person([method("key", 5, passkey("key@x.io", "AbC"))])] {
        save(&app, &[], &[&user]).await;
    }
    for (query, either, all) in [
        ("", vec![], vec![]),
        ("email=%20Jane@X.io", vec!["joe", "jane"], vec!["joe", "jane"]),
        ("email=jane", vec![], vec![]),
        ("thirdPartyId=google&thirdPartyUserId=g1", vec!["jane"], vec!["jane"]),
        ("email=jane@x.io&thirdPartyId=google&thirdPartyUserId=g2", vec!["joe", "jane"], vec!["joe"]),
        // the phone number is known only in another tenant, but another criterion has found the person here
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

#[tokio::test]
async fn what_is_empty_or_written_otherwise_is_nobodys() {
    let app = TestApp::new().await;
    for user in [
        person([method("jane", 1, password("jane+a@x.io")), method("phone", 2, code(None, Some("+491701234567")))]),
        person([method("joe", 3, provider("google", "g1", "joe@x.io"))]),
        person([method("key", 4, passkey("key@x.io", "AbC"))]),
    ] {
        save(&app, &[], &[&user]).await;
    }
    let found = async |query: &str| listed(&app, &format!("/users/by-accountinfo?{query}")).await;
    for criterion in [
        "email=",
        "email=%20",
        "phoneNumber=",
        "thirdPartyId=&thirdPartyUserId=",
        "thirdPartyId=google&thirdPartyUserId=",
        "thirdPartyId=Google&thirdPartyUserId=g1",
        "thirdPartyId=google&thirdPartyUserId=G1",
        "thirdPartyId=google&thirdPartyUserId=g",
        "webauthnCredentialId=",
        "webauthnCredentialId=abc",
        // A plus is a space in a query: callers write %2B.
        "email=jane+a@x.io",
        "phoneNumber=+491701234567",
        "email=%00",
        "email=joe@x.io%00",
    ] {
        for union in [true, false] {
            assert_eq!(found(&format!("doUnionOfAccountInfo={union}&{criterion}")).await, [""; 0], "{criterion}");
        }
    }
    for (criterion, empty) in [
        ("email=joe@x.io", "thirdPartyId=google&thirdPartyUserId="),
        ("email=jane%2Ba@x.io", "phoneNumber="),
        ("email=key@x.io", "webauthnCredentialId="),
        ("phoneNumber=%2B491701234567", "email="),
    ] {
        let all = format!("doUnionOfAccountInfo=false&{criterion}&{empty}");
        assert_eq!(found(&all).await, [""; 0], "an empty one has to hold as well: {all}");
        assert_eq!(found(&format!("doUnionOfAccountInfo=true&{criterion}&{empty}")).await.len(), 1, "{criterion}");
    }
    assert_eq!(found("doUnionOfAccountInfo=true&email=jane%2Ba@x.io").await, ["jane"]);
    assert_eq!(found("doUnionOfAccountInfo=true&email=joe@x.io&email=key@x.io").await, ["joe"], "the first one counts");
    let both = "doUnionOfAccountInfo=false&doUnionOfAccountInfo=true&email=joe@x.io&webauthnCredentialId=AbC";
    assert_eq!(found(both).await, [""; 0], "the first one counts");
    app.get("/nope/users/by-accountinfo?doUnionOfAccountInfo=true").await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (, public, nope)",
    );
}

#[tokio::test]
async fn a_tenant_finds_its_own_people_whole_and_by_their_mapped_ids() {
    let app = TestApp::new().await;
    with_tenant(&app, "t1").await;
    let jane = person([
        mapped("crm-1", method("a", 9, password("jane@x.io"))),
        within(mapped("crm-2", method("b", 8, provider("google", "g1", "jane@y.io"))), &["t1"]),
        within(method("c", 7, passkey("key@x.io", "AbC")), &["t1"]),
    ]);
    save(&app, &[], &[&jane]).await;
    for (path, found) in [
        ("/users", "email=jane@x.io", true),
        ("/t1/users", "email=jane@x.io", false),
        ("/t1/users", "email=jane@y.io", true),
        ("/users", "thirdPartyId=google&thirdPartyUserId=g1", false),
        ("/t1/users", "thirdPartyId=google&thirdPartyUserId=g1", true),
        ("/users", "webauthnCredentialId=AbC", false),
        ("/t1/users", "webauthnCredentialId=AbC", true),
    ]
    .map(|(prefix, query, found)| (format!("{prefix}/by-accountinfo?doUnionOfAccountInfo=true&{query}"), found))
    {
        for version in ["3.0", "4.0", "5.2", "5.3"] {
            let reply = app.get(&path).cdi(version).await.ok().json();
            let expected: &[&str] = if found { &["crm-1"] } else { &[] };
            assert_eq!(ids(&reply), expected, "{path} at {version}");
            if found {
                let methods: Vec<_> = reply["users"][0]["loginMethods"].as_array().unwrap().iter().collect();
                let ids: Vec<_> = methods.iter().map(|method| method["recipeUserId"].as_str().unwrap()).collect();
                assert_eq!(ids, ["c", "crm-2", "crm-1"], "{path} at {version}");
                assert_eq!(reply["users"][0].get("webauthn").is_some(), version == "5.3", "{path} at {version}");
            }
        }
    }
}

#[tokio::test]
async fn people_come_in_the_order_in_which_they_joined() {
    let app = TestApp::new().await;
    for (id, joined) in [("c", 3), ("a", 1), ("d", 4), ("b", 2)] {
        save(&app, &[], &[&person([method(id, joined, provider("google", id, "one@x.io"))])]).await;
    }
    for union in [true, false] {
        let path = format!("/users/by-accountinfo?doUnionOfAccountInfo={union}&email=one@x.io");
        assert_eq!(listed(&app, &path).await, ["a", "b", "c", "d"]);
    }
}
