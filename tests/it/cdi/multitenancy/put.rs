use super::{created, put_app, put_domain, put_tenant};
use crate::app::{TestApp, new_session};
use serde_json::{Value, json};

const TENANT: &str = "/recipe/multitenancy/tenant/v2";
const APP: &str = "/recipe/multitenancy/app/v2";
const DOMAIN: &str = "/recipe/multitenancy/connectionuridomain/v2";

#[tokio::test]
async fn creating_says_new_once_and_the_target_works_at_once() {
    let app = TestApp::new().await;
    created(&put_app(&app, "a1", json!({})).await, true);
    created(&put_app(&app, " A1 ", json!({})).await, false);
    created(&put_tenant(&app, "/appid-a1", "t1", json!({})).await, true);
    created(&put_tenant(&app, "/appid-a1", "T1", json!({})).await, false);
    created(&put_domain(&app, "auth.example.com", json!({})).await, true);
    created(&put_domain(&app, "AUTH.example.com:8080", json!({})).await, false);
    app.get("/appid-a1/t1/recipe/multitenancy/tenant/v2").await.ok();
    let elsewhere = app.get("/appid-a1/recipe/multitenancy/tenant/v2").host("auth.example.com").await;
    assert_eq!(elsewhere.json()["status"], "TENANT_NOT_FOUND_ERROR", "domains have apps of their own");
}

#[tokio::test]
async fn an_absent_id_means_the_public_one() {
    let app = TestApp::new().await;
    for path in [TENANT, APP, DOMAIN] {
        created(&app.put(path, json!({})).await, false);
    }
    put_app(&app, "a1", json!({})).await.ok();
    created(&app.put(&format!("/appid-a1{TENANT}"), json!({"firstFactors": ["x"]})).await, false);
    let shown = app.get(&format!("/appid-a1{TENANT}")).await.json();
    assert_eq!(shown["firstFactors"], json!(["x"]));
}

#[tokio::test]
async fn ids_are_refused_with_their_sentences() {
    let app = TestApp::new().await;
    for (path, field, id, sentence) in [
        (TENANT, "tenantId", json!(" "), "tenantId should not be an empty String"),
        (TENANT, "tenantId", json!("Config"), "Cannot use 'config' as a tenantId"),
        (TENANT, "tenantId", json!("appid-x"), "tenantId must not start with 'appid-'"),
        (TENANT, "tenantId", json!("a_b"), "tenantId can only contain letters, numbers and hyphens"),
        (TENANT, "tenantId", json!(1), "Field name 'tenantId' is invalid in JSON input"),
        (TENANT, "tenantId", Value::Null, "Field name 'tenantId' is invalid in JSON input"),
        (APP, "appId", json!(""), "appId should not be an empty String"),
        (APP, "appId", json!("appid-x"), "appId must not start with 'appid-'"),
        (APP, "appId", json!("a.b"), "appId can only contain letters, numbers and hyphens"),
        (DOMAIN, "connectionUriDomain", json!(""), "connectionUriDomain should not be an empty String"),
        (DOMAIN, "connectionUriDomain", json!("http://x.io/y"), "connectionUriDomain is invalid"),
    ] {
        app.put(path, json!({field: id})).await.is_text(400, sentence);
    }
    app.put(TENANT, json!([])).await.is_text(400, "Invalid Json Input");
}

#[tokio::test]
async fn the_longest_names_hold_sessions_too() {
    let app = TestApp::new().await;
    let (name, host) = ("a".repeat(255), "a".repeat(62) + &".a".repeat(95) + "a");
    created(&put_domain(&app, &host, json!({})).await, true);
    let body = json!({ "appId": name });
    created(&app.put("/recipe/multitenancy/app/v2", body).header("host", &host).await, true);
    let (in_app, in_tenant) = (format!("/appid-{name}"), format!("/appid-{name}/{name}"));
    let body = json!({ "tenantId": name });
    created(&app.put(&format!("{in_app}/recipe/multitenancy/tenant/v2"), body).header("host", &host).await, true);
    let body = new_session(&"\0".repeat(256));
    let session = app.post(&format!("{in_tenant}/recipe/session"), body).header("host", &host).await.ok();
    let body = json!({"sessionHandles": [session.handle()]});
    let gone = app.post(&format!("{in_app}/recipe/session/remove"), body.clone()).header("host", &host).await.ok();
    assert_eq!(gone.json()["sessionHandlesRevoked"], body["sessionHandles"]);
}

#[tokio::test]
async fn factor_lists_are_refused_with_their_sentences() {
    let app = TestApp::new().await;
    for field in ["firstFactors", "requiredSecondaryFactors"] {
        let put = |value: Value| app.put(TENANT, json!({"tenantId": "t1", field: value}));
        put(json!(["a", "a"])).await.is_text(400, &format!("{field} input should not contain duplicate values"));
        for bad in ["", "a b", "[a]"] {
            let sentence = format!("{field} should contain only 0-9,a-z,A-Z,_,.,- characters");
            put(json!([bad])).await.is_text(400, &sentence);
        }
        put(json!("a")).await.is_text(400, &format!("Field name '{field}' is invalid in JSON input"));
        put(json!([1])).await.is_text(400, &format!("Field name '{field}' is invalid in JSON input"));
    }
    assert_eq!(
        app.get(&format!("/t1{TENANT}")).await.json()["status"],
        "TENANT_NOT_FOUND_ERROR",
        "nothing was created"
    );
}

#[tokio::test]
async fn the_second_generation_refuses_switches() {
    let app = TestApp::new().await;
    for (field, name) in [
        ("emailPasswordEnabled", "emailPasswordEnabled"),
        ("thirdPartyEnabled", "thirdParty"),
        ("passwordlessEnabled", "passwordless"),
    ] {
        for path in [TENANT, APP, DOMAIN] {
            let sentence = format!("{name} is not a valid input for this API");
            app.put(path, json!({field: true})).await.is_text(400, &sentence);
        }
    }
}

#[tokio::test]
async fn the_first_generation_makes_public_tenants_with_and_others_without_recipes() {
    let app = TestApp::new().await;
    let enabled = |reply: &Value| {
        ["emailPassword", "thirdParty", "passwordless"].map(|recipe| reply[recipe]["enabled"] == json!(true))
    };
    for (number, version) in ["3.0", "4.0", "5.0", "5.6"].into_iter().enumerate() {
        let (id, host) = (format!("a{number}"), format!("d{number}.io"));
        let put = async |path: &str, body: Value| {
            created(&app.put(path, body).cdi(version).await, true);
        };
        put("/recipe/multitenancy/app", json!({ "appId": id })).await;
        put("/recipe/multitenancy/connectionuridomain", json!({ "connectionUriDomain": host })).await;
        put(&format!("/appid-{id}/recipe/multitenancy/tenant"), json!({"tenantId": "t1"})).await;
        let path = "/recipe/multitenancy/tenant";
        let of_app = app.get(&format!("/appid-{id}{path}")).cdi(version).await.json();
        let of_domain = app.get(path).cdi(version).host(&host).await.json();
        let of_tenant = app.get(&format!("/appid-{id}/t1{path}")).cdi(version).await.json();
        assert_eq!([of_app, of_domain, of_tenant].map(|reply| enabled(&reply)), [[true; 3], [true; 3], [false; 3]]);
        let off = json!({"appId": id, "thirdPartyEnabled": false});
        created(&app.put("/recipe/multitenancy/app", off).cdi(version).await, false);
        let of_app = app.get(&format!("/appid-{id}{path}/v2")).await.json();
        let left = ["emailpassword", "link-email", "link-phone", "otp-email", "otp-phone"];
        let mut shown: Vec<_> = of_app["firstFactors"].as_array().unwrap().clone();
        shown.sort_by_key(Value::to_string);
        assert_eq!(shown, left, "{version}");
    }
}

#[tokio::test]
async fn both_generations_change_one_tenant() {
    let app = TestApp::new().await;
    let shown = async || {
        let v2 = app.get(&format!("/t1{TENANT}")).await.ok().json();
        (v2["firstFactors"].clone(), v2["requiredSecondaryFactors"].clone())
    };
    let first = async |version: &'static str, mut change: Value| {
        change["tenantId"] = json!("t1");
        app.put("/recipe/multitenancy/tenant", change).cdi(version).await.ok();
    };
    // No sign-in can begin until the first generation switches something on.
    put_tenant(&app, "", "t1", json!({})).await.ok();
    first("5.0", json!({"emailPasswordEnabled": true})).await;
    assert_eq!(shown().await, (json!(["emailpassword"]), Value::Null));
    // A recipe that comes with the second factors is no first one.
    first("5.0", json!({"requiredSecondaryFactors": ["otp-email"]})).await;
    assert_eq!(shown().await, (json!(["emailpassword"]), json!(["otp-email"])));
    // What is on keeps its factors.
    app.put(TENANT, json!({"tenantId": "t1", "firstFactors": ["link-email"]})).await.ok();
    first("3.1", json!({"passwordlessEnabled": true, "thirdPartyEnabled": true})).await;
    assert_eq!(shown().await.0, json!(["link-email", "thirdparty"]));
    first("4.0", json!({"passwordlessEnabled": false})).await;
    assert_eq!(shown().await, (json!(["thirdparty"]), json!(["otp-email"])));
    // Without a list the flags say what begins, also when one more is switched off.
    first("5.0", json!({"firstFactors": null, "thirdPartyEnabled": false})).await;
    first("4.0", json!({"emailPasswordEnabled": false})).await;
    let left: Vec<Value> = serde_json::from_value(shown().await.0).unwrap();
    assert!(
        left.iter()
            .all(|factor| ["otp-email", "otp-phone", "link-email", "link-phone"].contains(&factor.as_str().unwrap()))
    );
}

#[tokio::test]
async fn settings_are_an_object() {
    let app = TestApp::new().await;
    for bad in [Value::Null, json!([]), json!("{}"), json!(1)] {
        for (path, field) in [(TENANT, "tenantId"), (APP, "appId"), (DOMAIN, "connectionUriDomain")] {
            let reply = app.put(path, json!({field: "x", "coreConfig": bad})).await;
            reply.is_text(400, "Field name 'coreConfig' is invalid in JSON input");
        }
    }
    assert_eq!(
        (app.context.directory.apps().len(), app.context.directory.find("", "public").unwrap().tenant_count()),
        (1, 1)
    );
}

#[tokio::test]
async fn what_is_omitted_stays() {
    let app = TestApp::new().await;
    let all = json!({"tenantId": "t1", "firstFactors": ["b", "a"], "requiredSecondaryFactors": ["totp"],
        "coreConfig": {"password_reset_token_lifetime": 5}});
    app.put(TENANT, all).await.ok();
    created(&app.put(TENANT, json!({"tenantId": "t1"})).await, false);
    let shown = app.get(&format!("/t1{TENANT}")).await.json();
    assert_eq!(shown["firstFactors"], json!(["a", "b"]));
    assert_eq!(shown["requiredSecondaryFactors"], json!(["totp"]));
    assert_eq!(shown["coreConfig"], json!({"password_reset_token_lifetime": 5}));
    app.put(TENANT, json!({"tenantId": "t1", "firstFactors": null, "requiredSecondaryFactors": []})).await.ok();
    let shown = app.get(&format!("/t1{TENANT}")).await.json();
    assert_eq!((shown.get("firstFactors"), shown.get("requiredSecondaryFactors")), (None, None));
}

#[tokio::test]
async fn a_tenant_is_put_by_the_public_or_the_same_tenant() {
    let app = TestApp::new().await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    created(&put_tenant(&app, "/t1", "t1", json!({})).await, false);
    put_tenant(&app, "/t1", "t2", json!({}))
        .await
        .is_text(403, "You must use the public or same tenant to add/update a tenant");
    for body in [json!({}), json!({"tenantId": "public"})] {
        app.put(&format!("/t1{TENANT}"), body)
            .await
            .is_text(403, "You must use the public or same app to add/update an app");
    }
    // After the id, and before everything else.
    app.put(&format!("/nope{TENANT}"), json!({"tenantId": "a_b", "coreConfig": 1}))
        .await
        .is_text(400, "tenantId can only contain letters, numbers and hyphens");
    app.put(&format!("/nope{TENANT}"), json!({"coreConfig": 1})).await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (, public, nope)",
    );
}

#[tokio::test]
async fn an_app_is_put_by_the_public_or_the_same_app() {
    let app = TestApp::new().await;
    put_app(&app, "a1", json!({})).await.ok();
    put_tenant(&app, "", "t1", json!({})).await.ok();
    created(&app.put(&format!("/appid-a1{APP}"), json!({"appId": "a1"})).await, false);
    let sentence = "You must use the public or same app to add/update an app";
    app.put(&format!("/appid-a1{APP}"), json!({"appId": "a2"})).await.is_text(403, sentence);
    app.put(&format!("/appid-a1{APP}"), json!({})).await.is_text(403, sentence);
    app.put(&format!("/t1{APP}"), json!({"appId": "a2"})).await.is_text(403, sentence);
}

#[tokio::test]
async fn a_domain_is_put_by_the_base_or_the_same_domain() {
    let app = TestApp::new().await;
    put_domain(&app, "one.io", json!({})).await.ok();
    put_app(&app, "a1", json!({})).await.ok();
    created(&app.put(DOMAIN, json!({"connectionUriDomain": "one.io"})).host("one.io").await, false);
    let sentence = "You must use the default or same connectionUriDomain to create/update a connectionUriDomain";
    let two = json!({"connectionUriDomain": "two.io"});
    app.put(DOMAIN, two.clone()).host("one.io").await.is_text(403, sentence);
    app.put(APP, json!({"appId": "in-one"})).host("one.io").await.ok();
    app.put(TENANT, json!({"tenantId": "t1"})).host("one.io").await.ok();
    for inside in ["/appid-in-one", "/t1"] {
        let one = json!({"connectionUriDomain": "one.io", "coreConfig": {"access_token_validity": 60}});
        app.put(&format!("{inside}{DOMAIN}"), one).host("one.io").await.is_text(403, sentence);
    }
    app.put(&format!("/appid-a1{DOMAIN}"), two).await.is_text(403, sentence);
}

#[tokio::test]
async fn the_first_generation_has_its_own_rules_for_empty_lists() {
    let app = TestApp::new().await;
    let put = |body: Value, version: &'static str| app.put("/recipe/multitenancy/tenant", body).cdi(version);
    put(json!({"tenantId": "t1", "firstFactors": []}), "5.0")
        .await
        .is_text(400, "firstFactors cannot be empty. Set null instead to remove all first factors.");
    put(json!({"tenantId": "t1", "requiredSecondaryFactors": []}), "5.0").await.is_text(
        400,
        "requiredSecondaryFactors cannot be empty. Set null instead to remove all required secondary factors.",
    );
    created(&put(json!({"tenantId": "t1", "firstFactors": []}), "4.0").await, true);
    put(json!({"tenantId": "t1", "emailPasswordEnabled": false, "firstFactors": ["emailpassword"]}), "5.0")
        .await
        .is_text(
            400,
            "Invalid core config: firstFactors should not contain 'emailpassword' because emailPassword is disabled \
             for the tenant.",
        );
    put(json!({"tenantId": "t1", "emailPasswordEnabled": "yes"}), "5.0")
        .await
        .is_text(400, "Field name 'emailPasswordEnabled' is invalid in JSON input");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_simultaneous_creators_one_is_told_it_was_new() {
    let app = TestApp::new().await;
    for round in 0..5 {
        let tasks: Vec<_> = (0..32)
            .map(|index| {
                let app = app.clone();
                tokio::spawn(async move {
                    let reply = if index % 2 == 0 {
                        put_app(&app, &format!("a{round}"), json!({})).await
                    } else {
                        put_tenant(&app, "", &format!("t{round}"), json!({})).await
                    };
                    (index % 2, reply.ok().json()["createdNew"] == json!(true))
                })
            })
            .collect();
        let mut new = [0, 0];
        for task in tasks {
            let (kind, created) = task.await.unwrap();
            new[kind] += usize::from(created);
        }
        assert_eq!(new, [1, 1], "round {round}");
    }
}
