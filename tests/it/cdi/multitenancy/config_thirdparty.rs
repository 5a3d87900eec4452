//! `PUT /recipe/multitenancy/config/thirdparty` and `POST …/remove`.

use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};
use sessiond::store::Keyspace;

async fn tenants() -> TestApp {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app
}

async fn put(app: &TestApp, prefix: &str, config: Value) -> TestReply {
    app.put(&format!("{prefix}/recipe/multitenancy/config/thirdparty"), json!({"config": config})).await
}

async fn put_as_it_is(app: &TestApp, config: Value) -> TestReply {
    let body = json!({"config": config, "skipValidation": true});
    app.put("/t1/recipe/multitenancy/config/thirdparty", body).await
}

async fn remove(app: &TestApp, prefix: &str, id: &str) -> Value {
    let path = format!("{prefix}/recipe/multitenancy/config/thirdparty/remove");
    app.post(&path, json!({"thirdPartyId": id})).await.json()
}

async fn shown(app: &TestApp, prefix: &str) -> Value {
    app.get(&format!("{prefix}/recipe/multitenancy/tenant/v2")).await.ok().json()["thirdParty"]["providers"].clone()
}

fn new(created: bool) -> Value {
    json!({"status": "OK", "createdNew": created})
}

fn with_defaults(id: &str) -> Value {
    json!({"thirdPartyId": id, "clients": [], "userInfoMap": {"fromIdTokenPayload": {}, "fromUserInfoAPI": {}}})
}

/// Everything a provider can have.
fn whole() -> Value {
    json!({
        "thirdPartyId": "custom", "name": "Custom",
        "clients": [
            {
                "clientType": "web", "clientId": "id", "clientSecret": "secret-of-the-web", "scope": ["a", "b"], "forcePKCE": true,
                "additionalConfig": {"k": {"n": [1, "x"]}},
            },
            {"clientId": "other"},
        ],
        "authorizationEndpoint": "https://p/auth", "authorizationEndpointQueryParams": {"a": "b", "c": null},
        "tokenEndpoint": "https://p/token", "tokenEndpointBodyParams": {"d": null},
        "userInfoEndpoint": "https://p/me", "userInfoEndpointQueryParams": {"e": null},
        "userInfoEndpointHeaders": {"f": null, "g": "h"},
        "jwksURI": "https://p/jwks", "oidcDiscoveryEndpoint": "https://p", "requireEmail": false,
        "userInfoMap": {
            "fromIdTokenPayload": {"userId": "sub", "email": "email", "emailVerified": "email_verified"},
            "fromUserInfoAPI": {"userId": "id"},
        },
    })
}

#[tokio::test]
async fn a_provider_is_shown_as_it_was_given_wherever_tenants_are() {
    let app = tenants().await;
    assert_eq!(put(&app, "/t1", whole()).await.json(), new(true));
    assert_eq!(shown(&app, "/t1").await, json!([whole()]));
    assert_eq!(shown(&app, "").await, json!([]));
    let first = app.get("/t1/recipe/multitenancy/tenant").cdi("3.1").await.ok().json();
    assert_eq!(first["thirdParty"], json!({"enabled": false, "providers": [whole()]}));
    for (list, tenants) in [
        ("tenant/list/v2", "/tenants"),
        ("tenant/list", "/tenants"),
        ("app/list/v2", "/apps/0/tenants"),
        ("app/list", "/apps/0/tenants"),
        ("connectionuridomain/list/v2", "/connectionUriDomains/0/apps/0/tenants"),
        ("connectionuridomain/list", "/connectionUriDomains/0/apps/0/tenants"),
    ] {
        let reply = app.get(&format!("/recipe/multitenancy/{list}")).await.ok().json();
        let providers = |place: usize| reply.pointer(&format!("{tenants}/{place}/thirdParty/providers")).cloned();
        assert_eq!((providers(0), providers(1)), (Some(json!([])), Some(json!([whole()]))), "{list}");
    }
}

#[tokio::test]
async fn the_same_id_replaces_and_another_adds() {
    let app = tenants().await;
    for (id, created) in [("g", true), ("G", true), (" g ", false), ("h", true)] {
        assert_eq!(put(&app, "/t1", json!({"thirdPartyId": id})).await.json(), new(created), "{id:?}");
    }
    assert_eq!(put(&app, "/t1", json!({"thirdPartyId": "h", "name": "H"})).await.json(), new(false));
    let mut h = with_defaults("h");
    h["name"] = json!("H");
    assert_eq!(shown(&app, "/t1").await, json!([with_defaults("G"), with_defaults("g"), h]));
    assert_eq!(put(&app, "", json!({"thirdPartyId": "g"})).await.json(), new(true), "each tenant has its own");
}

#[tokio::test]
async fn removing_says_whether_it_was_there() {
    let app = tenants().await;
    put(&app, "/t1", json!({"thirdPartyId": "g"})).await.ok();
    let existed = |did| json!({"status": "OK", "didConfigExist": did});
    for (prefix, id, did) in
        [("", "g", false), ("/t1", "G", false), ("/t1", " ", false), ("/t1", " g ", true), ("/t1", "g", false)]
    {
        assert_eq!(remove(&app, prefix, id).await, existed(did), "{prefix} {id:?}");
    }
    assert_eq!(shown(&app, "/t1").await, json!([]));
    assert_eq!(app.rows(Keyspace::ThirdPartyProvider).await, 0);
}

#[tokio::test]
async fn bad_fields_are_named_and_change_nothing() {
    let app = tenants().await;
    let path = "/t1/recipe/multitenancy/config/thirdparty";
    let invalid = |name: &str| format!("Field name '{name}' is invalid in JSON input");
    for (body, name) in [
        (json!({}), "config"),
        (json!({"config": null}), "config"),
        (json!({"config": {}}), "thirdPartyId"),
        (json!({"config": {"thirdPartyId": null}}), "thirdPartyId"),
        (json!({"config": {"thirdPartyId": 1}}), "thirdPartyId"),
        (json!({"config": {"thirdPartyId": "g"}, "skipValidation": "x"}), "skipValidation"),
        (json!({"config": {"thirdPartyId": "g", "clients": "x"}}), "config"),
    ] {
        app.put(path, body).await.is_text(400, &invalid(name));
    }
    app.post(&format!("{path}/remove"), json!({})).await.is_text(400, &invalid("thirdPartyId"));
    app.post(&format!("{path}/remove"), json!({"thirdPartyId": 1})).await.is_text(400, &invalid("thirdPartyId"));
    assert_eq!(put(&app, "/nowhere", json!({"thirdPartyId": "g"})).await.code(), 400);
    assert_eq!(app.rows(Keyspace::ThirdPartyProvider).await, 0);
}

#[tokio::test]
async fn what_is_wrong_is_refused_unless_the_caller_waives_it() {
    let app = tenants().await;
    let refused = |what: &str| format!("Invalid third party config: {what}");
    let anonymous =
        json!({"thirdPartyId": "bad", "clients": [{"clientSecret": "secret-of-nobody", "scope": ["a", null]}]});
    for (config, what) in [
        (json!({"thirdPartyId": " "}), "thirdPartyId cannot be null or empty"),
        (anonymous.clone(), "clientId cannot be null"),
    ] {
        put(&app, "/t1", config).await.is_text(400, &refused(what));
    }
    assert_eq!(shown(&app, "/t1").await, json!([]));
    put_as_it_is(&app, anonymous.clone()).await.ok();
    assert_eq!(shown(&app, "/t1").await[0]["clients"], anonymous["clients"]);
    // It blocks the others until it is repaired.
    let good = json!({"thirdPartyId": "good"});
    put(&app, "/t1", good.clone()).await.is_text(400, &refused("clientId cannot be null"));
    put(&app, "", good.clone()).await.ok();
    put_as_it_is(&app, good.clone()).await.ok();
    put(&app, "/t1", json!({"thirdPartyId": "bad"})).await.ok();
    assert_eq!(put(&app, "/t1", good).await.json(), new(false));
}

#[tokio::test]
async fn none_of_several_simultaneous_providers_is_lost() {
    let app = tenants().await;
    let puts = (0..12).map(|n| {
        let app = &app;
        async move { put(app, "/t1", json!({"thirdPartyId": format!("p{n:02}")})).await.json() }
    });
    assert!(futures_util::future::join_all(puts).await.iter().all(|reply| *reply == new(true)));
    assert_eq!(shown(&app, "/t1").await.as_array().unwrap().len(), 12);
    let same = (0..12).map(|_| async { put(&app, "/t1", json!({"thirdPartyId": "one"})).await.json() });
    let created = futures_util::future::join_all(same).await.iter().filter(|reply| **reply == new(true)).count();
    assert_eq!(created, 1);
}

#[tokio::test]
async fn providers_go_with_their_tenant() {
    let app = tenants().await;
    put(&app, "", json!({"thirdPartyId": "stays"})).await.ok();
    for id in ["a", &"long".repeat(1000)] {
        put(&app, "/t1", json!({"thirdPartyId": id})).await.ok();
    }
    assert_eq!(app.rows(Keyspace::ThirdPartyProvider).await, 3);
    app.post("/recipe/multitenancy/tenant/remove", json!({"tenantId": "t1"})).await.ok();
    assert_eq!(app.rows(Keyspace::ThirdPartyProvider).await, 1);
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    assert_eq!(shown(&app, "/t1").await, json!([]));
}
