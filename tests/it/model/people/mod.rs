//! Account linking, deletion, mapping and the tenants of users against a naive model: one table with a row per login
//! method, as the original has it, in which every rule is a search over all rows.

mod association;

use crate::app::{START, TestApp, new_session};
use crate::people::{by_password, by_phone, by_provider};
use association::TENANTS;
use proptest::prelude::*;
use proptest::sample;
use serde_json::{Value, json};
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::user::{AccountInfo, Login, LoginMethod, ThirdPartyAccount, User};
use sessiond::store::user::{self, verified};
use std::collections::{BTreeMap, BTreeSet};

/// A row of the table.
#[derive(Debug, Clone)]
struct Row {
    group: String,
    linked: bool,
    method: LoginMethod,
}

#[derive(Debug, Clone, Default)]
struct Table {
    rows: BTreeMap<String, Row>,
    external: BTreeMap<String, String>,
    /// Handle of a living session → the login method's internal id and the session's tenant.
    sessions: BTreeMap<String, (String, &'static str)>,
}

/// The operations. Ids are chosen among all that ever existed, in either form.
#[derive(Debug, Clone)]
enum Step {
    Join {
        recipe: u8,
        email: u8,
        account: u8,
        tenants: u8,
    },
    Primary {
        id: u8,
    },
    Link {
        id: u8,
        to: u8,
    },
    Unlink {
        id: u8,
    },
    Delete {
        id: u8,
        all: bool,
    },
    Map {
        id: u8,
    },
    Session {
        id: u8,
        tenant: &'static str,
    },
    Associate {
        id: u8,
        tenant: &'static str,
    },
    Dissociate {
        id: u8,
        tenant: &'static str,
    },
    /// `ahead`: under an id that may be mapped to another user this many steps later, instead of a known one.
    Mark {
        id: u8,
        ahead: Option<u64>,
        email: u8,
        verified: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = any::<u8>();
    let step = prop_oneof![
        5 => (0..3_u8, 0..4_u8, 0..2_u8, 1..4_u8)
            .prop_map(|(recipe, email, account, tenants)| Step::Join { recipe, email, account, tenants }),
        3 => id.prop_map(|id| Step::Primary { id }),
        6 => (id, id).prop_map(|(id, to)| Step::Link { id, to }),
        3 => id.prop_map(|id| Step::Unlink { id }),
        2 => (id, proptest::bool::weighted(0.2)).prop_map(|(id, all)| Step::Delete { id, all }),
        1 => id.prop_map(|id| Step::Map { id }),
        3 => (id, sample::select(&TENANTS)).prop_map(|(id, tenant)| Step::Session { id, tenant }),
        5 => (id, sample::select(&TENANTS)).prop_map(|(id, tenant)| Step::Associate { id, tenant }),
        3 => (id, sample::select(&TENANTS)).prop_map(|(id, tenant)| Step::Dissociate { id, tenant }),
        6 => (id, proptest::option::weighted(0.2, 1..8_u64), 0..4_u8, proptest::bool::weighted(0.7))
            .prop_map(|(id, ahead, email, verified)| Step::Mark { id, ahead, email, verified }),
    ];
    proptest::collection::vec(step, 1..80)
}

impl Table {
    fn known(&self, id: &str) -> bool {
        self.rows.contains_key(id) || self.rows.values().any(|row| row.group == id)
    }

    /// The internal id of this user.
    fn resolve(&self, given: &str) -> Option<String> {
        if self.known(given) {
            return Some(given.to_owned());
        }
        self.external.iter().find(|(_, external)| *external == given).map(|(internal, _)| internal.clone())
    }

    fn shown(&self, id: &str) -> String {
        self.external.get(id).map_or_else(|| id.to_owned(), Clone::clone)
    }

    fn group_of(&self, id: &str) -> String {
        self.rows.get(id).map_or_else(|| id.to_owned(), |row| row.group.clone())
    }

    fn members(&self, group: &str) -> Vec<&Row> {
        self.rows.values().filter(|row| row.group == group).collect()
    }

    fn is_primary(&self, id: &str) -> bool {
        self.members(&self.group_of(id)).iter().any(|row| row.linked)
    }

    /// Ids of the other primary users that have an account info of these groups in a tenant of these groups, with the
    /// kind of info: only the kinds that are reported first.
    fn in_the_way(&self, groups: &[&str]) -> Option<(AccountInfo, BTreeSet<String>)> {
        let tenants = |rows: &[&Row]| rows.iter().flat_map(|row| row.method.tenants.clone()).collect::<BTreeSet<_>>();
        let infos =
            |rows: &[&Row]| rows.iter().flat_map(|row| row.method.login.account_infos()).collect::<BTreeSet<_>>();
        let own: Vec<&Row> = groups.iter().flat_map(|group| self.members(group)).collect();
        let mut found: Vec<(AccountInfo, String)> = Vec::new();
        for row in self.rows.values().filter(|row| row.linked && !groups.contains(&row.group.as_str())) {
            let theirs = self.members(&row.group);
            if tenants(&theirs).intersection(&tenants(&own)).next().is_some() {
                let shared: Vec<_> = infos(&theirs).intersection(&infos(&own)).cloned().collect();
                found.extend(shared.into_iter().map(|info| (info, row.group.clone())));
            }
        }
        let kind = |info: &AccountInfo| std::mem::discriminant(info);
        let first = found.iter().map(|(info, _)| info).min()?.clone();
        let holders = found.iter().filter(|(info, _)| kind(info) == kind(&first)).map(|(_, group)| group.clone());
        Some((first.clone(), holders.collect()))
    }

    fn sign_out(&mut self, id: &str) {
        self.sessions.retain(|_, (owner, _)| owner != id);
    }

    /// An id that no longer belongs to any user.
    fn forget(&mut self, id: &str) {
        self.external.remove(id);
        self.sign_out(id);
    }

    /// The user that has this id, as it is shown.
    fn user(&self, id: &str) -> Value {
        let group = self.group_of(id);
        let mut rows = self.members(&group);
        rows.sort_by_key(|row| (row.method.time_joined, row.method.id.clone()));
        let methods: Vec<String> = rows.iter().map(|row| self.shown(row.method.id.as_str())).collect();
        json!({"id": self.shown(&group), "isPrimaryUser": self.is_primary(&group), "methods": methods})
    }
}

/// The server together with the table.
struct World {
    app: TestApp,
    table: Table,
    /// Every id that ever existed.
    ids: Vec<String>,
}

fn new_method(id: &str, joined: u64, recipe: u8, (email, account): (u8, u8), tenants: u8) -> LoginMethod {
    let email = format!("e{email}@x.io");
    let mut method = match recipe {
        0 => by_password(id, joined, &email),
        // Users of different tenants share accounts.
        1 => {
            let account = ThirdPartyAccount { id: "google".to_owned(), user_id: format!("g{account}") };
            LoginMethod { login: Login::ThirdParty { account, email }, ..by_provider(id, joined, "") }
        }
        _ => by_phone(id, joined, &format!("+49{account}")),
    };
    let named = TENANTS.iter().enumerate().filter(|(bit, _)| tenants & (1 << bit) != 0);
    method.tenants = named.map(|(_, name)| TenantId::new(*name)).collect();
    method
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
        Self { app, table: Table::default(), ids: vec!["nobody".to_owned()] }
    }

    /// Mostly one of a living login method; sometimes any that ever was.
    fn id(&self, choice: u8) -> String {
        let (place, any) = (usize::from(choice / 4), choice.is_multiple_of(4) || self.table.rows.is_empty());
        if any {
            self.ids[place % self.ids.len()].clone()
        } else {
            let id = self.table.rows.keys().nth(place % self.table.rows.len()).unwrap();
            if choice % 4 == 1 { self.table.group_of(id) } else { id.clone() }
        }
    }

    async fn step(&mut self, step: &Step, round: u64) {
        match *step {
            Step::Join { recipe, email, account, tenants } => {
                let id = format!("u{round}");
                self.join(id.clone(), new_method(&id, round / 2, recipe, (email, account), tenants)).await;
            }
            Step::Primary { id } => self.make_primary(&self.id(id)).await,
            Step::Link { id, to } => self.link(&self.id(id), &self.id(to)).await,
            Step::Unlink { id } => self.unlink(&self.id(id)).await,
            Step::Delete { id, all } => self.delete(&self.id(id), all).await,
            Step::Map { id } => self.map(&self.id(id), format!("mine{round}")).await,
            Step::Session { id, tenant } => self.session(&self.id(id), tenant).await,
            Step::Associate { id, tenant } => self.associate(&self.id(id), tenant).await,
            Step::Dissociate { id, tenant } => self.dissociate(&self.id(id), tenant).await,
            Step::Mark { id, ahead, email, verified } => {
                let id = ahead.map_or_else(|| self.id(id), |steps| format!("mine{}", round + steps));
                self.mark(&UserId::new(id), &format!("e{email}@x.io"), verified).await;
            }
        }
    }

    async fn join(&mut self, id: String, method: LoginMethod) {
        let taken = self.table.login_is_taken(&method, &method.tenants);
        let mut tx = self.app.context.store.begin();
        let saved = user::save(tx.as_mut(), &AppId::base(), &[], &[&User::new(method.clone())]).await.unwrap();
        assert_eq!(saved.is_err(), taken);
        if !taken {
            tx.commit().await.unwrap();
            self.table.rows.insert(id.clone(), Row { group: id.clone(), linked: false, method });
            self.ids.push(id);
        }
    }

    async fn make_primary(&mut self, given: &str) {
        let path = "/recipe/accountlinking/user/primary";
        let reply = self.app.post(path, json!({"recipeUserId": given})).await;
        let Some(id) = self.table.resolve(given) else { return reply.is_text(400, "Unknown user ID provided") };
        let (reply, group) = (reply.json(), self.table.group_of(&id));
        if self.table.is_primary(&id) {
            if group == id {
                assert_eq!((&reply["status"], &reply["wasAlreadyAPrimaryUser"]), (&json!("OK"), &json!(true)));
            } else {
                assert_eq!(reply["status"], "RECIPE_USER_ID_ALREADY_LINKED_WITH_PRIMARY_USER_ID_ERROR");
                assert_eq!(reply["primaryUserId"], self.table.shown(&group));
            }
        } else if !self.is_refused(&reply, &[&id]) {
            assert_eq!((&reply["status"], &reply["wasAlreadyAPrimaryUser"]), (&json!("OK"), &json!(false)));
            self.table.rows.get_mut(&id).unwrap().linked = true;
        }
    }

    /// Whether other primary users are in the way; in that case the reply has to say so.
    fn is_refused(&self, reply: &Value, groups: &[&str]) -> bool {
        let Some((info, holders)) = self.table.in_the_way(groups) else { return false };
        assert_eq!(reply["status"], "ACCOUNT_INFO_ALREADY_ASSOCIATED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR", "{reply}");
        assert_eq!(reply["description"], info.taken_sentence());
        assert!(holders.iter().any(|holder| reply["primaryUserId"] == self.table.shown(holder)), "{reply} {holders:?}");
        true
    }

    async fn link(&mut self, given: &str, to: &str) {
        let body = json!({"recipeUserId": given, "primaryUserId": to});
        let reply = self.app.post("/recipe/accountlinking/user/link", body).await;
        let (Some(id), Some(primary)) = (self.table.resolve(given), self.table.resolve(to)) else {
            return reply.is_text(400, "Unknown user ID provided");
        };
        let reply = reply.json();
        let (own, group) = (self.table.group_of(&id), self.table.group_of(&primary));
        if !self.table.is_primary(&primary) {
            assert_eq!(reply["status"], "INPUT_USER_IS_NOT_A_PRIMARY_USER");
        } else if self.table.is_primary(&id) {
            if own == group {
                assert_eq!((&reply["status"], &reply["accountsAlreadyLinked"]), (&json!("OK"), &json!(true)));
            } else {
                assert_eq!(reply["status"], "RECIPE_USER_ID_ALREADY_LINKED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR");
                assert_eq!(reply["primaryUserId"], self.table.shown(&own));
            }
        } else if !self.is_refused(&reply, &[&id, &group]) {
            assert_eq!((&reply["status"], &reply["accountsAlreadyLinked"]), (&json!("OK"), &json!(false)));
            let row = self.table.rows.get_mut(&id).unwrap();
            (row.group, row.linked) = (group, true);
            self.table.sign_out(&id);
        }
    }

    async fn unlink(&mut self, given: &str) {
        let reply = self.app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": given})).await;
        let Some(id) = self.table.resolve(given) else { return reply.is_text(400, "Unknown user ID provided") };
        let group = self.table.group_of(&id);
        let others = self.table.members(&group).len() > 1;
        let linked = self.table.rows.get(&id).is_some_and(|row| row.linked);
        let deleted = linked && others && group == id;
        assert_eq!(
            reply.json(),
            json!({"status": "OK", "wasRecipeUserDeleted": deleted, "wasLinked": linked}),
            "{given}"
        );
        if !linked {
            return;
        }
        self.table.sign_out(&id);
        if deleted {
            self.table.rows.remove(&id);
            return;
        }
        let row = self.table.rows.get_mut(&id).unwrap();
        (row.group, row.linked) = (id.clone(), false);
        if group != id && !others {
            self.table.forget(&group);
        }
    }

    async fn delete(&mut self, given: &str, all: bool) {
        let body = json!({"userId": given, "removeAllLinkedAccounts": all});
        assert_eq!(self.app.post("/user/remove", body).await.json(), json!({"status": "OK"}));
        let Some(id) = self.table.resolve(given) else { return };
        let group = self.table.group_of(&id);
        let gone: Vec<String> = if all {
            self.table.members(&group).iter().map(|row| row.method.id.as_str().to_owned()).collect()
        } else {
            self.table.rows.get(&id).map(|_| id.clone()).into_iter().collect()
        };
        for id in &gone {
            self.table.rows.remove(id);
        }
        for id in gone.iter().chain([&group]) {
            if !self.table.known(id) {
                self.table.forget(id);
            }
        }
    }

    async fn map(&mut self, given: &str, external: String) {
        let body = json!({"superTokensUserId": given, "externalUserId": external, "force": true});
        let status = self.app.post("/recipe/userid/map", body).await.json()["status"].clone();
        if !self.table.known(given) {
            assert_eq!(status, "UNKNOWN_SUPERTOKENS_USER_ID_ERROR");
        } else if self.table.external.contains_key(given) {
            assert_eq!(status, "USER_ID_MAPPING_ALREADY_EXISTS_ERROR");
        } else {
            assert_eq!(status, "OK");
            self.table.external.insert(given.to_owned(), external.clone());
            self.ids.push(external);
        }
    }

    async fn session(&mut self, given: &str, tenant: &'static str) {
        let reply = self.app.post(&format!("/{tenant}/recipe/session"), new_session(given)).await.ok();
        if let Some(id) = self.table.resolve(given) {
            self.table.sessions.insert(reply.handle(), (id, tenant));
        }
    }

    /// Marks addresses as verified, or no longer verified. The table does not model this: the store's own check
    /// compares the copies.
    async fn mark(&self, id: &UserId, email: &str, verified: bool) {
        let mut tx = self.app.context.store.begin();
        if verified {
            verified::mark(tx.as_mut(), &AppId::base(), id, email, START).await.unwrap();
        } else {
            verified::unmark(tx.as_mut(), &AppId::base(), id, email).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// The server agrees with the table.
    async fn check(&self, ended: &BTreeSet<String>) {
        for id in &self.ids {
            let expected = self.table.resolve(id).map_or(Value::Null, |internal| self.table.user(&internal));
            assert_eq!(self.app.who_is(id).await, expected, "{id}");
        }
        for (handle, (owner, _)) in &self.table.sessions {
            let shown = self.app.get(&format!("/recipe/session?sessionHandle={handle}")).await.ok().json();
            assert_eq!(shown["userId"], self.table.shown(&self.table.group_of(owner)), "{owner}");
        }
        for handle in ended {
            let shown = self.app.get(&format!("/recipe/session?sessionHandle={handle}")).await.json();
            assert_eq!(shown["status"], "UNAUTHORISED");
        }
        let rows = user::check(self.app.context.store.as_ref()).await.unwrap();
        assert_eq!(rows.broken, 0, "{rows:?}");
    }
}

proptest! {
    #![proptest_config(super::cases(96))]

    #[test]
    fn people_are_linked_deleted_mapped_and_moved_as_in_one_plain_table(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            let mut ended = BTreeSet::new();
            for (step, round) in steps.iter().zip(1..) {
                let before: BTreeSet<String> = world.table.sessions.keys().cloned().collect();
                world.step(step, round).await;
                ended.extend(before.into_iter().filter(|handle| !world.table.sessions.contains_key(handle)));
                world.check(&ended).await;
                world.check_tenants().await;
            }
        });
    }
}

/// The model can detect a wrong reply: a table without conflicts expects success where the server refuses.
#[tokio::test]
async fn the_table_notices_a_reservation() {
    let mut world = World::new().await;
    world.join("a".to_owned(), new_method("a", 1, 0, (1, 0), 1)).await;
    world.join("b".to_owned(), new_method("b", 2, 1, (1, 0), 3)).await;
    world.make_primary("a").await;
    let holders = BTreeSet::from(["a".to_owned()]);
    assert_eq!(world.table.in_the_way(&["b"]), Some((AccountInfo::Email("e1@x.io".to_owned()), holders)));
    world.make_primary("b").await;
    assert_eq!(world.app.who_is("b").await["isPrimaryUser"], false);
}
