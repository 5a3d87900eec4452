//! A tenant's life: something of every kind that an app can hold.

use crate::app::{TestApp, new_session};
use crate::mail::{add_to, mail};
use crate::session::driver::plain_session;
use serde_json::{Value, json};
use sessiond::command::scope::{Cause, Scope};
use sessiond::command::session::create::Created;
use sessiond::domain::ids::{AppId, PUBLIC, TenantId};
use sessiond::domain::mail::Mail;
use sessiond::domain::session::client::{Client, UserAgent};
use sessiond::domain::time::UnixMillis;
use sessiond::store::key::Belongs;
use sessiond::store::user_import::{self, ImportRecord};
use sessiond::store::{Engine, Key, Keyspace, Scan, kept_row};
use std::collections::BTreeMap;
use std::net::IpAddr;
use uuid::Uuid;

/// An app of the base domain.
pub(super) fn app_id(name: &str) -> AppId {
    AppId { connection_uri_domain: String::new(), app_id: name.to_owned() }
}

/// What the application shares with the provider that [`live`] adds.
pub(super) const CLIENT_SECRET: &str = "secret-at-the-provider";

/// Two users below `prefix` who sign up, sign in, are linked, mapped and given roles, and sign out again.
pub(super) async fn live(app: &TestApp, prefix: &str) -> Value {
    let at = |path: &str| format!("{prefix}{path}");
    let clients = json!([{"clientId": "c", "clientSecret": CLIENT_SECRET}]);
    let provider = json!({"config": {"thirdPartyId": "google", "clients": clients}});
    app.put(&at("/recipe/multitenancy/config/thirdparty"), provider).await.ok();
    app.put(&at("/recipe/role"), json!({"role": "admin", "permissions": ["read"]})).cdi("4.0").await.ok();
    let account = json!({"email": "a@b.io", "password": "correct horse"});
    let user = app.post(&at("/recipe/signup"), account.clone()).await.ok().text_at("/user/id");
    app.post(&at("/recipe/signin"), account).await.ok();
    let third =
        json!({"thirdPartyId": "google", "thirdPartyUserId": "g-1", "email": {"id": "a@b.io", "isVerified": true}});
    let third = app.post(&at("/recipe/signinup"), third).await.ok().text_at("/user/id");
    app.post(&at("/recipe/accountlinking/user/primary"), json!({"recipeUserId": user})).cdi("4.0").await.ok();
    let linked = json!({"recipeUserId": third, "primaryUserId": user});
    app.post(&at("/recipe/accountlinking/user/link"), linked).cdi("4.0").await.ok();
    let mapping = json!({"superTokensUserId": user, "externalUserId": "crm-1", "force": true});
    app.post(&at("/recipe/userid/map"), mapping).cdi("4.0").await.ok();
    app.put(&at("/recipe/user/metadata"), json!({"userId": "crm-1", "metadataUpdate": {"a": 1}})).cdi("4.0").await.ok();
    app.put(&at("/recipe/user/role"), json!({"userId": "crm-1", "role": "admin"})).await.ok();
    let address = json!({"userId": "crm-1", "email": "a@b.io"});
    let token = app.post(&at("/recipe/user/email/verify/token"), address.clone()).await.ok().text_at("/token");
    app.post(&at("/recipe/user/email/verify"), json!({"method": "token", "token": token})).await.ok();
    let other = json!({"userId": third, "email": "other@b.io"});
    app.post(&at("/recipe/user/email/verify/token"), other).await.ok();
    app.post(&at("/recipe/user/password/reset/token"), address).await.ok();
    let ended = app.post(&at("/recipe/session"), new_session("crm-1")).await.ok().handle();
    app.post(&at("/recipe/session/remove"), json!({"sessionHandles": [ended]})).await.ok();
    app.post(&at("/recipe/session"), new_session("crm-1")).await.ok().json()
}

/// The secret of the authenticator app that [`wait`] adds.
pub(super) const TOTP_SECRET: &str = "MZXW6YTB";

/// Adds an authenticator app, a signed-in dashboard user, a user waiting to be imported and a row kept from another core,
/// all of the app; and in one of its tenants a mail to be sent, and a code that was sent, which is returned.
pub(super) async fn wait(app: &TestApp, of_app: &str, tenant: &str) -> Value {
    let at = |path: &str| format!("{of_app}{path}");
    let device = json!({"userId": "crm-1", "deviceName": "d", "skew": 1, "period": 30, "secretKey": TOTP_SECRET});
    app.post(&at("/recipe/totp/device/import"), device).await.ok();
    let in_tenant = |path: &str| format!("{of_app}{tenant}{path}");
    let attempt = json!({"userId": "crm-1", "totp": "no code"});
    let attempt = app.post(&in_tenant("/recipe/totp/verify"), attempt).await;
    assert_eq!(attempt.text_at("/status"), "INVALID_TOTP_ERROR");
    let operator = json!({"email": "ops@b.io", "password": "correct horse 1"});
    app.post(&at("/recipe/dashboard/user"), operator.clone()).await.ok();
    app.post(&at("/recipe/dashboard/signin"), operator).await.ok();
    let method = json!({"recipeId": "passwordless", "phoneNumber": "+4915112345678"});
    let users = json!({"users": [{"externalUserId": "crm-2", "loginMethods": [method]}]});
    app.post(&at("/bulk-import/users"), users).await.ok();
    let named = |path: &str, prefix: &str| path.strip_prefix(prefix).unwrap_or(PUBLIC).to_owned();
    let mut tx = app.context.store.begin();
    let kept = kept_row::key(&app_id(&named(of_app, "/appid-")), "saml_clients", 1);
    kept_row::put(tx.as_mut(), kept, vec![1; 40]).expect("a row");
    tx.commit().await.expect("a working store");
    let of_tenant = Mail { tenant: TenantId::new(named(tenant, "/")), ..mail(app) };
    add_to(app, &app_id(&named(of_app, "/appid-")), &of_tenant).await;
    let ended = sign_in_from_browser(app, &app_id(&named(of_app, "/appid-")), of_tenant.tenant).await;
    app.post(&in_tenant("/recipe/session/remove"), json!({"sessionHandles": [ended]})).await.ok();
    app.post(&in_tenant("/recipe/signinup/code"), json!({"email": "sent@b.io"})).await.ok().json()
}

/// A session of which the browser is known; returns its handle.
async fn sign_in_from_browser(app: &TestApp, id: &AppId, tenant: TenantId) -> String {
    let entry = app.context.directory.app(id).expect("the app");
    let client = Client { address: IpAddr::from([192, 0, 2, 1]), user_agent: UserAgent::of(b"Browser/1") };
    let mut command = plain_session(Scope { app: entry, cause: Cause::without_request("test") }, tenant, "crm-1");
    command.options.client = Some(client);
    let Created::Ok(issued) = command.run(&app.context).await.expect("a working store") else { panic!("no session") };
    issued.session.handle.to_string()
}

/// Something in every keyspace that belongs to apps, also in those that no request writes.
pub(super) async fn fill(store: &dyn Engine, app: &AppId) {
    let mut tx = store.begin();
    let import = ImportRecord { step: 0, lines: [7; 32], at: UnixMillis(1), outcomes: Vec::new() };
    user_import::put(tx.as_mut(), app, Uuid::from_u128(7), &import).unwrap();
    tx.put(Key::of_app(Keyspace::UserListingV1, app).text("public").text("row"), Vec::new());
    tx.commit().await.unwrap();
    for (kind, rows) in holdings(store, app).await {
        assert!(!rows.is_empty(), "nothing in {kind}");
    }
}

/// The rows of an app in one keyspace.
pub(super) async fn rows_of(store: &dyn Engine, app: &AppId, keyspace: Keyspace) -> Vec<(Key, Vec<u8>)> {
    let start = Key::of_app(keyspace, app);
    store.begin().scan(&Scan { end: start.prefix_end(), start, reverse: false, limit: usize::MAX }).await.unwrap()
}

/// All rows of an app that an archive carries, by keyspace.
pub(super) async fn holdings(store: &dyn Engine, app: &AppId) -> BTreeMap<&'static str, Vec<(Key, Vec<u8>)>> {
    let mut all = BTreeMap::new();
    let is_carried = |keyspace: &Keyspace| keyspace.belongs() != Belongs::Installation && !keyspace.is_on_its_way();
    for keyspace in Keyspace::ALL.into_iter().filter(is_carried) {
        all.insert(keyspace.name(), rows_of(store, app, keyspace).await);
    }
    all
}
