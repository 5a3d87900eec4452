//! Login methods are added to tenants and removed from them: a search over all rows, like everything else here.

use super::{Table, World};
use serde_json::{Value, json};
use sessiond::domain::ids::TenantId;
use sessiond::domain::user::{AccountInfo, Login, LoginMethod};
use std::collections::BTreeSet;

/// The tenants of the model's app.
pub(super) const TENANTS: [&str; 2] = ["public", "t1"];

impl Table {
    /// Whether another login method signs in with the same login in one of these tenants.
    pub(super) fn login_is_taken(&self, method: &LoginMethod, tenants: &BTreeSet<TenantId>) -> bool {
        self.rows.values().map(|row| &row.method).any(|other| {
            other.id != method.id
                && other.login.recipe() == method.login.recipe()
                && other.login.identities() == method.login.identities()
                && !other.tenants.is_disjoint(tenants)
        })
    }

    /// Ids of the users, as they are shown, with a login method in a tenant.
    fn users_in(&self, tenant: &TenantId) -> BTreeSet<String> {
        let there = self.rows.values().filter(|row| row.method.tenants.contains(tenant));
        there.map(|row| self.shown(&row.group)).collect()
    }
}

fn taken_status(login: &Login) -> &'static str {
    match login {
        Login::EmailPassword { .. } => "EMAIL_ALREADY_EXISTS_ERROR",
        Login::ThirdParty { .. } => "THIRD_PARTY_USER_ALREADY_EXISTS_ERROR",
        Login::Passwordless { .. } => "PHONE_NUMBER_ALREADY_EXISTS_ERROR",
        Login::Webauthn { .. } => unreachable!("no user of the model signs up with a passkey"),
    }
}

fn reason(info: &AccountInfo) -> &'static str {
    match info {
        AccountInfo::Email(_) => "Another primary user with email already exists: ",
        AccountInfo::PhoneNumber(_) => "Another primary user with phone number already exists: ",
        AccountInfo::ThirdParty(_) => "Another primary user with third party info already exists: ",
    }
}

impl World {
    pub(super) async fn associate(&mut self, given: &str, tenant: &str) {
        let path = format!("/{tenant}/recipe/multitenancy/tenant/user");
        let reply = self.app.post(&path, json!({"recipeUserId": given})).await.json();
        let id = self.table.resolve(given);
        let Some(row) = id.and_then(|id| self.table.rows.get(&id)).cloned() else {
            return assert_eq!(reply, json!({"status": "UNKNOWN_USER_ID_ERROR"}), "{given}");
        };
        let (id, tenant) = (row.method.id.as_str().to_owned(), TenantId::new(tenant));
        if row.method.tenants.contains(&tenant) {
            return assert_eq!(reply, json!({"status": "OK", "wasAlreadyAssociated": true}));
        }
        if self.table.login_is_taken(&row.method, &[tenant.clone()].into()) {
            return assert_eq!(reply, json!({"status": taken_status(&row.method.login)}));
        }
        let mut then = self.table.clone();
        then.rows.get_mut(&id).unwrap().method.tenants.insert(tenant);
        let in_the_way = then.in_the_way(&[&row.group]).filter(|_| row.linked);
        if let Some((info, holders)) = in_the_way {
            assert_eq!(reply["status"], "ASSOCIATION_NOT_ALLOWED_ERROR", "{reply}");
            let said = |holder: &String| reply["reason"] == format!("{}{}", reason(&info), then.shown(holder));
            assert!(holders.iter().any(said), "{reply} {holders:?}");
        } else {
            assert_eq!(reply, json!({"status": "OK", "wasAlreadyAssociated": false}));
            self.table = then;
        }
    }

    pub(super) async fn dissociate(&mut self, given: &str, tenant: &str) {
        let path = format!("/{tenant}/recipe/multitenancy/tenant/user/remove");
        let reply = self.app.post(&path, json!({"recipeUserId": given})).await.json();
        let id = self.table.resolve(given);
        let Some(row) = id.and_then(|id| self.table.rows.get_mut(&id)) else {
            return assert_eq!(reply, json!({"status": "UNKNOWN_USER_ID_ERROR"}), "{given}");
        };
        let was = row.method.tenants.remove(&TenantId::new(tenant));
        let id = row.method.id.as_str().to_owned();
        self.table.sessions.retain(|_, (owner, place)| *owner != id || *place != tenant);
        assert_eq!(reply, json!({"status": "OK", "wasAssociated": was}));
    }

    /// Every tenant lists its users, and every login method names its tenants.
    pub(super) async fn check_tenants(&self) {
        for tenant in TENANTS {
            let page = self.app.get(&format!("/{tenant}/users?limit=500")).await.ok().json();
            let users = page["users"].as_array().unwrap();
            let listed: Vec<&Value> = users.iter().map(|user| &user["id"]).collect();
            let expected = self.table.users_in(&TenantId::new(tenant));
            assert_eq!(listed.len(), expected.len(), "a user is listed twice in {tenant}: {listed:?}");
            assert_eq!(listed.into_iter().map(|id| id.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(), expected);
            for method in users.iter().flat_map(|user| user["loginMethods"].as_array().unwrap()) {
                let row = self.table.resolve(method["recipeUserId"].as_str().unwrap()).map(|id| &self.table.rows[&id]);
                let tenants: BTreeSet<TenantId> = serde_json::from_value::<Vec<String>>(method["tenantIds"].clone())
                    .unwrap()
                    .iter()
                    .map(TenantId::new)
                    .collect();
                assert_eq!(Some(&tenants), row.map(|row| &row.method.tenants), "{method}");
            }
        }
    }
}

/// The model can detect a wrong reply: with a row that the server does not have, it expects a different one.
#[tokio::test]
#[should_panic(expected = "EMAIL_ALREADY_EXISTS_ERROR")]
async fn the_table_notices_an_association_that_should_have_been_refused() {
    let mut world = World::new().await;
    world.join("a".to_owned(), super::new_method("a", 1, 0, (1, 0), 1)).await;
    world.join("b".to_owned(), super::new_method("b", 2, 0, (1, 0), 2)).await;
    world.dissociate("b", "t1").await;
    world.table.rows.get_mut("b").unwrap().method.tenants.insert(TenantId::new("t1"));
    world.associate("a", "t1").await;
}
