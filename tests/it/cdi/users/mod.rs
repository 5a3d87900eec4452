//! `/users` and the routes below it. Users are written straight into the store: any recipe, any time.

mod by_accountinfo;
mod count;
mod list;
mod paging;
mod search;

use crate::app::TestApp;
use serde_json::{Value, json};
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::user::{Login, LoginMethod, PasswordHash, ThirdPartyAccount, User};
use sessiond::store::user;

/// A login method in the public tenant.
fn method(id: &str, joined: u64, login: Login) -> LoginMethod {
    let tenants = [TenantId::public()].into();
    LoginMethod { id: UserId::new(id), external: None, tenants, time_joined: UnixMillis(joined), login }
}

fn password(email: &str) -> Login {
    Login::EmailPassword { email: email.to_owned(), password: PasswordHash::new("$2a$04$hash") }
}

fn provider(provider: &str, user: &str, email: &str) -> Login {
    let account = ThirdPartyAccount { id: provider.to_owned(), user_id: user.to_owned() };
    Login::ThirdParty { account, email: email.to_owned() }
}

fn code(email: Option<&str>, phone: Option<&str>) -> Login {
    Login::Passwordless { email: email.map(str::to_owned), phone_number: phone.map(str::to_owned) }
}

fn passkey(email: &str, credential: &str) -> Login {
    Login::Webauthn { email: email.to_owned(), credential_ids: vec![credential.to_owned()] }
}

/// The same method in these tenants.
fn within(method: LoginMethod, tenants: &[&str]) -> LoginMethod {
    LoginMethod { tenants: tenants.iter().map(|name| TenantId::new(*name)).collect(), ..method }
}

/// A person with these methods; primary if there are several.
fn person(methods: impl IntoIterator<Item = LoginMethod>) -> User {
    let mut methods = methods.into_iter();
    let mut user = User::new(methods.next().expect("a method"));
    user.methods.extend(methods);
    user.is_primary = user.methods.len() > 1;
    user.sort();
    user
}

/// Replaces users.
async fn save(app: &TestApp, before: &[&User], after: &[&User]) {
    let mut tx = app.context.store.begin();
    user::save(tx.as_mut(), &AppId::base(), before, after).await.unwrap().unwrap();
    tx.commit().await.unwrap();
}

/// A tenant of the base app.
async fn with_tenant(app: &TestApp, name: &str) {
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": name, "firstFactors": null})).await.ok();
}

/// The ids in a reply's `users`.
fn ids(reply: &Value) -> Vec<String> {
    let users = reply["users"].as_array().unwrap_or_else(|| panic!("no users in {reply}"));
    let id = |user: &Value| user["id"].as_str().or_else(|| user["user"]["id"].as_str()).map(str::to_owned);
    users.iter().map(|user| id(user).unwrap_or_else(|| panic!("no id in {user}"))).collect()
}

/// The ids that a request's reply lists.
async fn listed(app: &TestApp, path: &str) -> Vec<String> {
    ids(&app.get(path).await.ok().json())
}
