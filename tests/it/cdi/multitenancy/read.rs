use super::{put_app, put_domain, put_tenant};
use crate::app::TestApp;
use serde_json::{Value, json};

const TENANT: &str = "/recipe/multitenancy/tenant";

#[tokio::test]
async fn the_public_tenant_has_no_restrictions() {
    let app = TestApp::new().await;
    let v2 = json!({"status": "OK", "tenantId": "public", "thirdParty": {"providers": []}, "coreConfig": {}});
    assert_eq!(app.get(&format!("{TENANT}/v2")).await.json(), v2);
    let v1 = json!({"status": "OK", "tenantId": "public", "emailPassword": {"enabled": true},
        "thirdParty": {"enabled": true, "providers": []}, "passwordless": {"enabled": true}, "coreConfig": {}});
    assert_eq!(app.get(TENANT).cdi("3.1").await.json(), v1);
    assert_eq!(app.get(TENANT).await.json(), v1);
}

#[tokio::test]
async fn a_new_tenant_begins_without_first_factors() {
    let app = TestApp::new().await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    let v2 = app.get(&format!("/t1{TENANT}/v2")).await.json();
    assert_eq!(v2["firstFactors"], json!([]));
    let v1 = app.get(&format!("/t1{TENANT}")).await.json();
    assert_eq!(v1["emailPassword"], json!({"enabled": false}));
    assert_eq!(v1.get("firstFactors"), None, "an empty list is not shown in the first generation");
}

#[tokio::test]
async fn unknown_tenants_and_apps_are_a_status() {
    let app = TestApp::new().await;
    for prefix in ["/nope", "/appid-nope", "/appid-nope/t1"] {
        for path in [TENANT, "/recipe/multitenancy/tenant/v2"] {
            let reply = app.get(&format!("{prefix}{path}")).await;
            assert_eq!((reply.code(), reply.json()), (200, json!({"status": "TENANT_NOT_FOUND_ERROR"})), "{prefix}");
        }
    }
    let refused = app.get("/appid-nope/recipe/multitenancy/tenant/list/v2").await;
    assert_eq!(refused.code(), 400, "{}", refused.body());
}

#[tokio::test]
async fn first_generation_flags_depend_on_the_version() {
    let app = TestApp::new().await;
    let body = json!({"tenantId": "t1", "emailPasswordEnabled": true, "passwordlessEnabled": false});
    app.put(TENANT, body).cdi("4.0").await.ok();
    let path = format!("/t1{TENANT}");
    let enabled = |reply: &Value| {
        ["emailPassword", "thirdParty", "passwordless"].map(|recipe| reply[recipe]["enabled"] == json!(true))
    };
    assert_eq!(enabled(&app.get(&path).cdi("4.0").await.json()), [true, false, false]);
    let from_5 = app.get(&path).cdi("5.0").await.json();
    assert_eq!(enabled(&from_5), [true, false, false]);
    assert_eq!(from_5["firstFactors"], json!(["emailpassword"]));
    assert_eq!(app.get(&path).cdi("4.0").await.json().get("firstFactors"), None);

    app.put(TENANT, json!({"tenantId": "t1", "thirdPartyEnabled": true})).cdi("4.0").await.ok();
    app.put(TENANT, json!({"tenantId": "t1", "emailPasswordEnabled": false})).cdi("4.0").await.ok();
    assert_eq!(enabled(&app.get(&path).cdi("4.0").await.json()), [false, true, false]);
    let from_5 = app.get(&path).cdi("5.0").await.json();
    assert_eq!(enabled(&from_5), [true, true, false], "the flag remains although the list lacks the factor");
    assert_eq!(from_5["firstFactors"], json!(["thirdparty"]));
}

#[tokio::test]
async fn each_generation_has_one_shape_at_every_version() {
    let app = TestApp::new().await;
    let lists = json!({"tenantId": "t1", "firstFactors": ["emailpassword"], "requiredSecondaryFactors": ["totp"]});
    app.put(&format!("{TENANT}/v2"), lists).cdi("3.0").await.ok();
    let v2 = json!({"status": "OK", "tenantId": "t1", "thirdParty": {"providers": []}, "coreConfig": {},
        "firstFactors": ["emailpassword"], "requiredSecondaryFactors": ["totp"]});
    let v1 = |enabled: [bool; 3]| {
        json!({"status": "OK", "tenantId": "t1", "emailPassword": {"enabled": enabled[0]},
            "thirdParty": {"enabled": enabled[1], "providers": []}, "passwordless": {"enabled": enabled[2]},
            "coreConfig": {}})
    };
    for version in ["3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6"] {
        let get = async |path: &str| app.get(&format!("/t1{TENANT}{path}")).cdi(version).await.json();
        assert_eq!(get("/v2").await, v2, "{version}");
        let shown = get("").await;
        if version < "5.0" {
            assert_eq!(shown, v1([true, false, false]), "{version}: by the list's factors");
            continue;
        }
        let mut with_lists = v1([true; 3]);
        with_lists["firstFactors"] = json!(["emailpassword"]);
        with_lists["requiredSecondaryFactors"] = json!(["totp"]);
        assert_eq!(shown, with_lists, "{version}: by the flags");
    }
}

#[tokio::test]
async fn a_null_list_beside_switched_off_recipes_is_computed() {
    let app = TestApp::new().await;
    app.put(TENANT, json!({"tenantId": "t1", "thirdPartyEnabled": true})).cdi("5.0").await.ok();
    let v2 = app.get(&format!("/t1{TENANT}/v2")).await.json();
    assert_eq!(v2["firstFactors"], json!(["thirdparty"]));
    let v1 = app.get(&format!("/t1{TENANT}")).cdi("5.0").await.json();
    assert_eq!(v1.get("firstFactors"), None);
}

#[tokio::test]
async fn lists_hold_everything_with_the_public_entries() {
    let app = TestApp::new().await;
    put_app(&app, "a1", json!({"access_token_validity": 10})).await.ok();
    put_tenant(&app, "/appid-a1", "t1", json!({})).await.ok();
    put_domain(&app, "one.io", json!({})).await.ok();
    let tenant = |id: &str, config: Value| {
        let mut body = json!({"tenantId": id, "thirdParty": {"providers": []}, "coreConfig": config});
        if id != "public" {
            body["firstFactors"] = json!([]);
        }
        body
    };
    let a1 = json!([tenant("public", json!({"access_token_validity": 10})), tenant("t1", json!({}))]);
    let public = json!([tenant("public", json!({}))]);
    let tenants = app.get("/appid-a1/recipe/multitenancy/tenant/list/v2").await.json();
    assert_eq!(tenants, json!({"status": "OK", "tenants": a1}));
    let apps = json!([{"appId": "a1", "tenants": a1}, {"appId": "public", "tenants": public}]);
    assert_eq!(app.get("/recipe/multitenancy/app/list/v2").await.json(), json!({"status": "OK", "apps": apps}));
    let domains = app.get("/recipe/multitenancy/connectionuridomain/list/v2").await.json();
    let other = json!([{"appId": "public", "tenants": public}]);
    assert_eq!(
        domains,
        json!({"status": "OK", "connectionUriDomains": [
            {"connectionUriDomain": "", "apps": apps}, {"connectionUriDomain": "one.io", "apps": other}]})
    );
    let first_generation = app.get("/recipe/multitenancy/app/list").cdi("3.1").await.json();
    assert_eq!(first_generation["apps"][0]["tenants"][1]["passwordless"], json!({"enabled": false}));
}

#[tokio::test]
async fn lists_are_for_the_public_entries_only() {
    let app = TestApp::new().await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    put_app(&app, "a1", json!({})).await.ok();
    put_domain(&app, "one.io", json!({})).await.ok();
    let tenants = "Only the public tenantId is allowed to list all tenants associated with this app";
    let apps = "Only the public tenantId and public appId is allowed to list all apps associated with this connection \
                uri domain";
    let domains = "Only the public tenantId, public appId and default connectionUriDomain is allowed to list all \
                   connectionUriDomains and appIds associated with this core";
    for suffix in ["", "/v2"] {
        app.get(&format!("/t1{TENANT}/list{suffix}")).await.is_text(403, tenants);
        for prefix in ["/t1", "/appid-a1"] {
            let path = format!("{prefix}/recipe/multitenancy/app/list{suffix}");
            app.get(&path).await.is_text(403, apps);
            let path = format!("{prefix}/recipe/multitenancy/connectionuridomain/list{suffix}");
            app.get(&path).await.is_text(403, domains);
        }
        let path = format!("/recipe/multitenancy/connectionuridomain/list{suffix}");
        app.get(&path).host("one.io").await.is_text(403, domains);
        app.get(&format!("/recipe/multitenancy/app/list{suffix}")).host("one.io").await.ok();
    }
}
