//! Providers at rest: their secrets are sealed, including those that an older version stored in plain text.

use super::life::app_id;
use super::{put_app, put_domain, put_tenant};
use crate::app::TestApp;
use crate::store::golden;
use serde_json::{Value, json};
use sessiond::command::key::ResealKeys;
use sessiond::command::tenancy::transfer::{ExportApp, ImportApp};
use sessiond::domain::ids::{AppId, TenantId};
use sessiond::jobs::providers::round;
use sessiond::state::key::MasterKey;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::provider::{self, ProviderRecord, ProviderRecordV1, ProviderText};
use sessiond::store::{Engine, Key, Keyspace, Scan, codec, sealing_key};
use std::sync::Arc;
use std::time::Duration;

const CONFIG: &str = "/recipe/multitenancy/config/thirdparty";
const TENANT: &str = "/recipe/multitenancy/tenant/v2";

/// Every secret of an application in a provider.
const SECRETS: [&str; 4] = ["secret-of-a-client", "private-key-of-a-team", "password-in-a-body", "token-in-a-header"];

fn apple() -> Value {
    json!({
        "thirdPartyId": "apple",
        "clients": [{
            "clientId": "id", "clientSecret": SECRETS[0],
            "additionalConfig": {"keyId": "k", "teamId": "t", "privateKey": SECRETS[1]},
        }],
        "tokenEndpointBodyParams": {"client_secret": SECRETS[2]},
        "userInfoEndpointHeaders": {"authorization": SECRETS[3]},
        "userInfoMap": {"fromIdTokenPayload": {}, "fromUserInfoAPI": {}},
    })
}

async fn over(store: &Arc<dyn Engine>) -> TestApp {
    TestApp::builder().store(Arc::clone(store)).build().await
}

async fn put(app: &TestApp, prefix: &str, config: Value) {
    app.put(&format!("{prefix}{CONFIG}"), json!({ "config": config })).await.ok();
}

async fn shown(app: &TestApp, prefix: &str) -> Value {
    app.get(&format!("{prefix}{TENANT}")).await.ok().json()["thirdParty"]["providers"].clone()
}

/// The places where the store holds a secret in plain text.
async fn found(store: &dyn Engine) -> Vec<String> {
    let mut places = Vec::new();
    for keyspace in Keyspace::ALL {
        let start = Key::of(keyspace);
        let scan = Scan { end: start.prefix_end(), start, reverse: false, limit: usize::MAX };
        for (key, bytes) in store.begin().scan(&scan).await.unwrap() {
            if SECRETS.iter().any(|secret| bytes.windows(secret.len()).any(|part| part == secret.as_bytes())) {
                places.push(key.to_string());
            }
        }
    }
    places
}

/// Stores a provider as version 1 did.
async fn store_plain(store: &dyn Engine, app: &AppId, tenant: &str, config: &Value) {
    let id = config["thirdPartyId"].as_str().unwrap();
    let mut tx = store.begin();
    let key = provider::key(app, &TenantId::new(tenant), id);
    codec::put(tx.as_mut(), key, &ProviderRecordV1 { provider: config.to_string() }).unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn no_secret_is_stored_as_it_is_and_all_are_there_after_a_restart() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = over(&store).await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    for prefix in ["", "/t1"] {
        put(&app, prefix, apple()).await;
    }
    assert_eq!(found(&*store).await, [""; 0]);
    let again = over(&store).await;
    for prefix in ["", "/t1"] {
        assert_eq!(shown(&again, prefix).await, json!([apple()]), "{prefix}");
    }
}

#[tokio::test]
async fn a_provider_opens_for_its_tenant_and_its_id_alone() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = over(&store).await;
    put_app(&app, "a1", json!({})).await.ok();
    put_tenant(&app, "", "t1", json!({})).await.ok();
    put(&app, "", apple()).await;
    put(&app, "/appid-a1", json!({"thirdPartyId": "other"})).await;
    let a1 = app_id("a1");
    let mut tx = store.begin();
    let from = provider::key(&AppId::base(), &TenantId::public(), "apple");
    let stolen: ProviderRecord = codec::get(tx.as_mut(), &from).await.unwrap().unwrap();
    for to in
        [provider::key(&AppId::base(), &TenantId::new("t1"), "apple"), provider::key(&a1, &TenantId::public(), "apple")]
    {
        codec::put(tx.as_mut(), to, &stolen).unwrap();
    }
    tx.commit().await.unwrap();
    for prefix in ["/t1", "/appid-a1"] {
        app.get(&format!("{prefix}{TENANT}")).await.is_text(500, "Internal error");
    }
    assert_eq!(shown(&app, "").await, json!([apple()]));
    // A provider that cannot be opened can be replaced or removed.
    let body = json!({"config": {"thirdPartyId": "apple"}, "skipValidation": true});
    app.put(&format!("/t1{CONFIG}"), body).await.ok();
    assert_eq!(shown(&app, "/t1").await[0]["clients"], json!([]));
    app.post(&format!("/appid-a1{CONFIG}/remove"), json!({"thirdPartyId": "apple"})).await.ok();
    assert_eq!(shown(&app, "/appid-a1").await[0]["thirdPartyId"], "other");
}

#[tokio::test]
async fn what_an_older_version_stored_is_read_and_sealed_by_a_job() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = over(&store).await;
    put_app(&app, "a1", json!({})).await.ok();
    put_tenant(&app, "/appid-a1", "t1", json!({})).await.ok();
    let a1 = app_id("a1");
    // More than one page of them.
    for number in 0..70 {
        let mut config = apple();
        config["thirdPartyId"] = json!(format!("apple-{number:02}"));
        store_plain(&*store, &a1, "t1", &config).await;
    }
    store_plain(&*store, &AppId::base(), "public", &apple()).await;
    store_plain(&*store, &app_id("gone"), "public", &json!({"thirdPartyId": "x"})).await;
    assert_eq!(shown(&app, "").await, json!([apple()]), "it is read even before the app has keys");
    let before = shown(&app, "/appid-a1/t1").await;
    assert_eq!((before.as_array().unwrap().len(), found(&*store).await.len()), (70, 71));
    assert_eq!(round(&app.context).await.unwrap(), 71);
    assert_eq!(found(&*store).await, [""; 0]);
    assert_eq!(round(&app.context).await.unwrap(), 0);
    let again = over(&store).await;
    assert_eq!((shown(&again, "").await, shown(&again, "/appid-a1/t1").await), (json!([apple()]), before));
}

#[tokio::test]
async fn the_archive_of_an_older_version_is_taken_and_sealed() {
    let (here, there): (Arc<dyn Engine>, Arc<dyn Engine>) =
        (Arc::new(MemoryEngine::new()), Arc::new(MemoryEngine::new()));
    let app = over(&here).await;
    put_app(&app, "a1", json!({})).await.ok();
    store_plain(&*here, &app_id("a1"), "public", &apple()).await;
    let folder = tempfile::TempDir::new().unwrap();
    let archive = folder.path().join("a1.archive");
    let export = ExportApp { app: app_id("a1"), to: archive.clone(), key: None, plain: false };
    export.run(&app.context, Arc::new(|_, _, _| ())).await.unwrap();
    let app = over(&there).await;
    let as_id = Some("moved".to_owned());
    let import = ImportApp { from: archive, as_id, domain: None, key: None, served: true };
    import.run(&app.context, Arc::new(|_, _, _| ())).await.unwrap();
    assert_eq!((shown(&app, "/appid-moved").await, found(&*there).await.len()), (json!([apple()]), 1));
    assert_eq!(round(&app.context).await.unwrap(), 1);
    assert_eq!((shown(&app, "/appid-moved").await, found(&*there).await), (json!([apple()]), Vec::new()));
}

#[tokio::test]
async fn a_server_seals_when_it_starts() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = over(&store).await;
    store_plain(&*store, &AppId::base(), "public", &apple()).await;
    let jobs = sessiond::jobs::start(&app.context);
    let sealed = async {
        while !found(&*store).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), sealed).await.expect("sealed in time");
    jobs.end(&app.context).await;
    assert_eq!(shown(&app, "").await, json!([apple()]));
}

#[tokio::test]
async fn a_change_of_the_master_key_leaves_providers_readable() {
    const MASTER: &str = "a master key of at least 32 characters";
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = over(&store).await;
    put(&app, "", apple()).await;
    let new = MasterKey::new(MASTER).unwrap();
    ResealKeys { new: Some(&new) }.run(&app.context).await.unwrap();
    assert_eq!(shown(&app, "").await, json!([apple()]));
    let again = TestApp::builder().store(Arc::clone(&store)).master_key(MASTER).build().await;
    assert_eq!(shown(&again, "").await, json!([apple()]));
    put(&again, "", json!({"thirdPartyId": "google"})).await;
    ResealKeys { new: None }.run(&again.context).await.unwrap();
    assert_eq!(shown(&over(&store).await, "").await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_list_of_all_apps_makes_no_keys_and_keeps_none_in_memory() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = over(&store).await;
    put_app(&app, "a1", json!({})).await.ok();
    put_app(&app, "without", json!({})).await.ok();
    put_domain(&app, "one.io", json!({})).await.ok();
    put(&app, "/appid-a1", apple()).await;
    let again = over(&store).await;
    let list = again.get("/recipe/multitenancy/connectionuridomain/list/v2").await.ok().json();
    let apps = &list["connectionUriDomains"][0]["apps"];
    assert_eq!(apps[0]["tenants"][0]["thirdParty"]["providers"], json!([apple()]));
    assert_eq!((again.context.keys.in_memory(), again.rows(Keyspace::SealingKey).await), (0, 1));
}

#[tokio::test]
async fn without_its_key_a_provider_can_be_replaced() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = over(&store).await;
    put(&app, "", apple()).await;
    let mut tx = store.begin();
    sealing_key::delete(tx.as_mut(), &AppId::base());
    tx.commit().await.unwrap();
    let again = over(&store).await;
    again.get(TENANT).await.is_text(500, "Internal error");
    again.put(CONFIG, json!({"config": apple(), "skipValidation": true})).await.ok();
    assert_eq!(shown(&again, "").await, json!([apple()]));
}

#[test]
fn a_stored_provider_looks_like_this_for_ever() {
    let key = provider::key(&AppId::base(), &TenantId::new("t1"), "custom");
    let record = ProviderRecord { provider: ProviderText::Sealed(vec![7; 48]) };
    golden::newest("third_party_provider", &key, &record);
    let text = concat!(
        r#"{"thirdPartyId":"custom","name":"Custom","clients":[{"clientType":"web","clientId":"id","#,
        r#""clientSecret":"secret","scope":["a","b"],"forcePKCE":true,"additionalConfig":{"k":{"n":[1,"x"]}}},"#,
        r#"{"clientId":"other"}],"authorizationEndpoint":"https://p/auth","#,
        r#""authorizationEndpointQueryParams":{"a":"b","c":null},"tokenEndpoint":"https://p/token","#,
        r#""tokenEndpointBodyParams":{"d":null},"userInfoEndpoint":"https://p/me","#,
        r#""userInfoEndpointQueryParams":{"e":null},"userInfoEndpointHeaders":{"f":null,"g":"h"},"#,
        r#""jwksURI":"https://p/jwks","oidcDiscoveryEndpoint":"https://p","requireEmail":false,"#,
        r#""userInfoMap":{"fromIdTokenPayload":{"userId":"sub","email":"email","emailVerified":"email_verified"},"#,
        r#""fromUserInfoAPI":{"userId":"id"}}}"#,
    );
    golden::any_version("third_party_provider", 1, &ProviderRecord { provider: ProviderText::Plain(text.to_owned()) });
}
