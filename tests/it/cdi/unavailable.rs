//! Recipes of the protocol that do not exist yet.

use crate::app::TestApp;
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;

const WEBAUTHN: &str = "WebAuthn (passkeys) is not available in sessiond yet";
const OAUTH: &str = "The OAuth2 provider is not available in sessiond yet";
const SAML: &str = "SAML is not available in sessiond yet";

/// Every route that the protocol names for these recipes.
const ROUTES: [(&str, &str, &[&str]); 9] = [
    (
        WEBAUTHN,
        "POST /recipe/webauthn/",
        &[
            "options/register",
            "options/signin",
            "signup",
            "signin",
            "user/credential/register",
            "user/recover/token",
            "user/recover/token/consume",
        ],
    ),
    (WEBAUTHN, "GET /recipe/webauthn/", &["options", "user/credential", "user/credential/list", "user/recover"]),
    (WEBAUTHN, "DELETE /recipe/webauthn/", &["options/remove", "user/credential/remove"]),
    (WEBAUTHN, "PUT /recipe/webauthn/", &["user/email"]),
    (
        OAUTH,
        "POST /recipe/oauth/",
        &[
            "clients",
            "clients/remove",
            "auth",
            "token",
            "introspect",
            "token/revoke",
            "tokens/revoke",
            "session/revoke",
        ],
    ),
    (
        OAUTH,
        "GET /recipe/oauth/",
        &["clients", "clients/list", "auth/requests/login", "auth/requests/consent", "sessions/logout"],
    ),
    (
        OAUTH,
        "PUT /recipe/oauth/",
        &[
            "clients",
            "auth/requests/login/accept",
            "auth/requests/login/reject",
            "auth/requests/consent/accept",
            "auth/requests/consent/reject",
            "auth/requests/logout/accept",
            "auth/requests/logout/reject",
        ],
    ),
    (SAML, "POST /recipe/saml/", &["clients/remove", "login", "callback", "user", "legacy/callback", "legacy/token"]),
    (SAML, "GET /recipe/saml/", &["clients/list", "legacy/authorize", "legacy/userinfo"]),
];

/// Method, path and error message of each.
fn routes() -> Vec<(Method, String, &'static str)> {
    let below = ROUTES.iter().flat_map(|(sentence, start, paths)| {
        let (method, start) = start.split_once(' ').unwrap();
        paths.iter().map(move |path| (method.parse().unwrap(), format!("{start}{path}"), *sentence))
    });
    let rest = [
        (Method::PUT, "/recipe/saml/clients".to_owned(), SAML),
        (Method::GET, "/.well-known/sp-metadata".to_owned(), SAML),
    ];
    below.chain(rest).collect()
}

#[tokio::test]
async fn each_of_their_routes_says_so_whatever_is_sent() {
    let app = TestApp::new().await;
    for (method, path, sentence) in routes() {
        for version in ["2.7", "2.21", "3.1", "4.0", "5.0", "5.2", "5.3", "5.4", "5.6"] {
            app.request(method.clone(), &path).cdi(version).await.is_text(501, sentence);
        }
        for body in ["", "{}", "[", r#"{"email": "a@example.org"}"#] {
            app.request(method.clone(), &path).body(body).await.is_text(501, sentence);
        }
    }
}

#[test]
fn no_route_of_theirs_is_beside_that_list() {
    let theirs = |path: &str| {
        ["/recipe/webauthn", "/recipe/oauth", "/recipe/saml", "/.well-known/sp-metadata"]
            .iter()
            .any(|start| path.starts_with(start))
    };
    let listed: BTreeSet<_> = routes().into_iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    let all = include_str!("../../fixtures/cdi_endpoints.txt").lines();
    let mounted = all.filter_map(|line| {
        let mut words = line.split_whitespace();
        let (method, path) = (words.next()?, words.next()?);
        theirs(path).then(|| format!("{method} {path}"))
    });
    assert_eq!(mounted.collect::<BTreeSet<_>>(), listed);
}

#[tokio::test]
async fn tenants_have_them_where_the_protocol_has_them() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    for (method, path, sentence) in routes() {
        app.request(method.clone(), &format!("/appid-a1{path}")).await.is_text(501, sentence);
        let below = app.request(method.clone(), &format!("/t1{path}")).cdi("5.0").await;
        if sentence == OAUTH {
            below.is_text(403, "Only public tenantId can call this app specific API");
        } else {
            below.is_text(501, sentence);
        }
        app.request(method, &format!("/t1{path}")).cdi("4.0").await.is_text(501, sentence);
    }
}

#[tokio::test]
async fn what_the_protocol_does_not_name_is_unknown_as_everywhere() {
    let app = TestApp::new().await;
    app.get("/recipe/webauthn").await.is_text(404, "Not found");
    app.request(Method::DELETE, "/recipe/saml/login").await.is_text(405, "Method not supported");
    app.post("/none/recipe/saml/login", json!({})).await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (, public, none)",
    );
}

#[tokio::test]
async fn a_key_is_asked_for_first() {
    let app = TestApp::builder().setting("api_keys", "a-key-of-twenty-characters").build().await;
    let open = ["/recipe/saml/legacy/token", "/recipe/saml/legacy/userinfo", "/.well-known/sp-metadata"];
    for (method, path, sentence) in routes() {
        let reply = app.request(method.clone(), &path).await;
        if open.contains(&path.as_str()) {
            reply.is_text(501, sentence);
        } else {
            reply.is_text(401, "Invalid API key");
        }
        app.request(method, &path).key("a-key-of-twenty-characters").await.is_text(501, sentence);
    }
}
