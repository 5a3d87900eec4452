//! A request during which another one is executed replies as it would before or after the other one.
//!
//! The other request is executed between each two reads of the first, one position after the other. So no reply may
//! depend on a user who was read half before and half after a change.
//! on a user who was seen half before and half after a change.

use crate::app::{TestApp, TestReply};
use crate::people::{by_provider, with_cheap_passwords, within};
use async_trait::async_trait;
use serde_json::{Value, json};
use sessiond::store::memory::MemoryEngine;
use sessiond::store::user;
use sessiond::store::{CommitError, Encoding, Engine, EngineStats, Key, Keyspace, Scan, StoreError, Tx};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What happens, and after how many reads.
struct Planned {
    reads: usize,
    event: Boxed<()>,
}

/// The pending event; nothing once it has happened.
#[derive(Clone, Default)]
struct Plan(Arc<Mutex<Option<Planned>>>);

impl Plan {
    fn arm(&self, reads: usize, event: Boxed<()>) {
        *self.0.lock().unwrap() = Some(Planned { reads, event });
    }

    /// True if it has not happened.
    fn disarm(&self) -> bool {
        self.0.lock().unwrap().take().is_some()
    }

    async fn before_read(&self) {
        let due = {
            let mut plan = self.0.lock().unwrap();
            match plan.as_mut() {
                Some(Planned { reads: 0, .. }) => plan.take(),
                Some(Planned { reads, .. }) => {
                    *reads -= 1;
                    None
                }
                None => None,
            }
        };
        if let Some(Planned { event, .. }) = due {
            event.await;
        }
    }
}

/// The memory engine with a plan.
#[derive(Default)]
struct Interrupted {
    engine: MemoryEngine,
    plan: Plan,
}

struct InterruptedTx {
    tx: Box<dyn Tx>,
    plan: Plan,
}

#[async_trait]
impl Engine for Interrupted {
    fn begin(&self) -> Box<dyn Tx> {
        Box::new(InterruptedTx { tx: self.engine.begin(), plan: self.plan.clone() })
    }

    fn encoding(&self) -> Encoding {
        self.engine.encoding()
    }

    fn stats(&self) -> EngineStats {
        self.engine.stats()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.engine.close().await
    }
}

#[async_trait]
impl Tx for InterruptedTx {
    async fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.plan.before_read().await;
        self.tx.get(key).await
    }

    fn put(&mut self, key: Key, value: Vec<u8>) {
        self.tx.put(key, value);
    }

    fn delete(&mut self, key: Key) {
        self.tx.delete(key);
    }

    fn add(&mut self, key: Key, delta: i64) {
        self.tx.add(key, delta);
    }

    fn has_written(&self, keyspace: Keyspace) -> bool {
        self.tx.has_written(keyspace)
    }

    async fn scan(&mut self, scan: &Scan) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        self.plan.before_read().await;
        self.tx.scan(scan).await
    }

    fn encoding(&self) -> Encoding {
        self.tx.encoding()
    }

    async fn commit(self: Box<Self>) -> Result<(), CommitError> {
        self.tx.commit().await
    }
}

/// Two users with passwords, `anna@x.io` a primary user; a role; a session of `bert@x.io`; and in the tenant `t1` a
/// primary user with that address.
#[derive(Clone)]
struct World {
    app: TestApp,
    plan: Plan,
    anna: String,
    bert: String,
    session: String,
}

impl World {
    async fn new() -> Self {
        let engine = Interrupted::default();
        let plan = engine.plan.clone();
        let app = with_cheap_passwords().store(Arc::new(engine)).build().await;
        let anna = app.sign_up("anna@x.io", "password").await;
        app.clock.advance(1);
        let bert = app.sign_up("bert@x.io", "password").await;
        assert_eq!(app.make_primary(&anna).await["status"], "OK");
        app.put("/recipe/role", json!({"role": "admin"})).await.ok();
        app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
        app.people([within(["t1"], by_provider("carl", 9, "bert@x.io"))]).await;
        assert_eq!(app.make_primary("carl").await["status"], "OK");
        let session = app.session(&bert).await.handle();
        Self { app, plan, anna, bert, session }
    }

    async fn post(&self, path: &str, body: Value) -> String {
        said(&self.app.post(path, body).await)
    }

    async fn put(&self, path: &str, body: Value) -> String {
        said(&self.app.put(path, body).await)
    }

    /// The reply; `null` for an error message.
    async fn get(&self, path: &str) -> Value {
        let reply = self.app.get(path).await;
        if said(&reply).ends_with('\n') { Value::Null } else { reply.json() }
    }

    async fn map(&self, external: &str) {
        let body = json!({"superTokensUserId": self.bert, "externalUserId": external, "force": true});
        assert_eq!(self.post("/recipe/userid/map", body).await, "OK");
    }
}

/// The status, or the message of a refused request.
fn said(reply: &TestReply) -> String {
    match reply.code() {
        200 => reply.text_at("/status"),
        400 => reply.body(),
        _ => panic!("{}", reply.body()),
    }
}

/// The event in the middle.
type Event = fn(World) -> Boxed<()>;
/// The request; returns the reply in short form.
type Request = fn(World) -> Boxed<String>;

fn link(world: World) -> Boxed<()> {
    Box::pin(async move {
        assert_eq!(world.app.link(&world.bert, &world.anna).await["status"], "OK");
    })
}

/// Adds a user who joined long before the others, and makes Bert a primary user.
fn old_friend(world: World) -> Boxed<()> {
    Box::pin(async move {
        world.app.people([by_provider("old", 5, "bertie@x.io")]).await;
        assert_eq!(world.app.make_primary(&world.bert).await["status"], "OK");
    })
}

/// Bert takes that user's place in lists.
fn link_old_friend(world: World) -> Boxed<()> {
    Box::pin(async move {
        assert_eq!(world.app.link("old", &world.bert).await["status"], "OK");
    })
}

fn unlink_old_friend(world: World) -> Boxed<()> {
    Box::pin(async move {
        let unlink = json!({"recipeUserId": "old"});
        assert_eq!(world.post("/recipe/accountlinking/user/unlink", unlink).await, "OK");
    })
}

fn unlink(world: World) -> Boxed<()> {
    Box::pin(async move {
        let unlink = json!({"recipeUserId": world.bert});
        assert_eq!(world.post("/recipe/accountlinking/user/unlink", unlink).await, "OK");
    })
}

fn map(world: World) -> Boxed<()> {
    Box::pin(async move { world.map("ext").await })
}

fn unmap(world: World) -> Boxed<()> {
    Box::pin(async move {
        let body = json!({"userId": "ext", "force": true});
        assert_eq!(world.post("/recipe/userid/map/remove", body).await, "OK");
    })
}

/// Bert gets the address that others request, and another user gets his old one.
fn move_on(world: World) -> Boxed<()> {
    Box::pin(async move {
        let body = json!({"recipeUserId": world.bert, "email": "new@x.io"});
        assert_eq!(world.put("/recipe/user", body).await, "OK");
        world.app.sign_up("bert@x.io", "another password").await;
    })
}

fn delete(world: World) -> Boxed<()> {
    Box::pin(async move {
        assert_eq!(world.post("/user/remove", json!({"userId": world.bert})).await, "OK");
    })
}

fn associate(world: World) -> Boxed<()> {
    Box::pin(async move {
        let added = world.post("/t1/recipe/multitenancy/tenant/user", json!({"recipeUserId": world.bert})).await;
        assert!(["OK", "ASSOCIATION_NOT_ALLOWED_ERROR"].contains(&added.as_str()), "{added}");
    })
}

fn role_again(world: World) -> Boxed<()> {
    Box::pin(async move {
        assert_eq!(world.post("/recipe/role/remove", json!({"role": "admin"})).await, "OK");
        assert_eq!(world.put("/recipe/role", json!({"role": "admin"})).await, "OK");
        assert_eq!(world.put("/recipe/user/role", json!({"userId": world.bert, "role": "admin"})).await, "OK");
    })
}

fn revoke_session(world: World) -> Boxed<()> {
    Box::pin(async move {
        let body = json!({"sessionHandles": [world.session]});
        assert_eq!(world.post("/recipe/session/remove", body).await, "OK");
    })
}

/// After `before`, the reply of each request when `event` happens before each of its reads.
async fn check(before: &[Event], event: Event, requests: &[(&str, Request)]) {
    let fresh = async || {
        let world = World::new().await;
        for event in before {
            event(world.clone()).await;
        }
        world
    };
    for (name, request) in requests {
        let world = fresh().await;
        let first = request(world.clone()).await;
        let world = fresh().await;
        event(world.clone()).await;
        let allowed = BTreeSet::from([first, request(world.clone()).await]);
        for reads in 0.. {
            let world = fresh().await;
            world.plan.arm(reads, event(world.clone()));
            let answer = request(world.clone()).await;
            if world.plan.disarm() {
                assert!(reads > 0, "{name}: nothing was read");
                break;
            }
            assert!(allowed.contains(&answer), "{name}, before read {reads}: {answer}, and not one of {allowed:?}");
            let broken = user::check(&*world.app.context.store).await.unwrap().described;
            assert!(broken.is_empty(), "{name}, before read {reads}: {broken:?}");
        }
    }
}

/// The users in a reply: whether they are primary and mapped, when they joined, and how they sign in.
fn shown(reply: &Value) -> String {
    let users = reply["users"].as_array().unwrap().iter();
    let who = users.map(|user| {
        let methods = user["loginMethods"].as_array().unwrap();
        let emails: Vec<_> = methods.iter().map(|method| method["email"].to_string()).collect();
        let mapped = user["id"] == "ext";
        format!("{} {mapped} {}: {}", user["isPrimaryUser"], user["timeJoined"], emails.join(" "))
    });
    who.collect::<Vec<_>>().join("; ")
}

/// A page of users.
const LISTS: &[(&str, Request)] = &[
    ("list", |world| Box::pin(async move { shown(&world.get("/users").await) })),
    ("list, newest first", |world| {
        Box::pin(async move { shown(&world.get("/users?timeJoinedOrder=DESC&limit=1").await) })
    }),
];

const SEARCH: &[(&str, Request)] =
    &[("search", |world| Box::pin(async move { shown(&world.get("/users?email=anna;bert").await) }))];

const LOOK_UPS: &[(&str, Request)] = &[
    ("user by id", |world| {
        Box::pin(async move { world.get(&format!("/user/id?userId={}", world.bert)).await["status"].to_string() })
    }),
    ("user by account info", |world| {
        Box::pin(async move {
            let found = world.get("/users/by-accountinfo?email=bert@x.io&doUnionOfAccountInfo=true").await;
            found["users"].as_array().unwrap().len().to_string()
        })
    }),
    ("login by id", |world| {
        Box::pin(async move {
            let reply = world.app.get(&format!("/recipe/user?userId={}", world.bert)).cdi("3.0").await;
            reply.text_at("/status")
        })
    }),
    ("login by e-mail", |world| {
        Box::pin(async move { world.get("/recipe/user?email=bert@x.io").await["status"].to_string() })
    }),
    ("mapping", |world| {
        Box::pin(
            async move { world.get(&format!("/recipe/userid/map?userId={}", world.bert)).await["status"].to_string() },
        )
    }),
    ("may be primary", |world| {
        Box::pin(async move {
            let path = format!("/recipe/accountlinking/user/primary/check?recipeUserId={}", world.bert);
            world.get(&path).await["status"].to_string()
        })
    }),
    ("sessions", |world| {
        Box::pin(async move {
            let sessions = world.get(&format!("/recipe/session/user?userId={}", world.bert)).await;
            sessions["sessionHandles"].as_array().unwrap().len().to_string()
        })
    }),
    ("session", |world| {
        Box::pin(async move {
            let found = world.get(&format!("/recipe/session?sessionHandle={}", world.session)).await;
            format!("{}{}", found["status"], found["userId"])
        })
    }),
    ("timeline", |world| {
        Box::pin(async move {
            world.get(&format!("/recipe/session/timeline?sessionHandle={}", world.session)).await["status"].to_string()
        })
    }),
];

const CHANGES: &[(&str, Request)] = &[
    ("new address", |world| {
        Box::pin(
            async move { world.put("/recipe/user", json!({"recipeUserId": world.bert, "email": "new@x.io"})).await },
        )
    }),
    ("new password", |world| {
        Box::pin(
            async move { world.put("/recipe/user", json!({"recipeUserId": world.bert, "password": "password"})).await },
        )
    }),
    ("sign-in", |world| Box::pin(async move { world.app.sign_in("bert@x.io", "password").await })),
    ("sign-up", |world| {
        Box::pin(
            async move { world.post("/recipe/signup", json!({"email": "bert@x.io", "password": "password"})).await },
        )
    }),
    ("import of a hash", |world| {
        Box::pin(async move {
            let hash = world.app.stored_hash(&sessiond::domain::ids::AppId::base(), "anna@x.io").await;
            world.post("/recipe/user/passwordhash/import", json!({"email": "bert@x.io", "passwordHash": hash})).await
        })
    }),
    ("reset token", |world| {
        Box::pin(async move {
            world.post("/recipe/user/password/reset/token", json!({"userId": world.bert, "email": "e"})).await
        })
    }),
    ("end of sessions", |world| {
        Box::pin(async move {
            let body = json!({"userId": world.bert, "revokeAcrossAllTenants": true});
            world.post("/recipe/session/remove", body).await;
            world.app.sessions_of(&world.bert).await.len().to_string()
        })
    }),
    ("primary", |world| {
        Box::pin(
            async move { world.post("/recipe/accountlinking/user/primary", json!({"recipeUserId": world.bert})).await },
        )
    }),
    ("link", |world| {
        Box::pin(async move {
            let body = json!({"recipeUserId": world.bert, "primaryUserId": world.anna});
            world.post("/recipe/accountlinking/user/link", body).await
        })
    }),
    ("role", |world| {
        Box::pin(async move { world.put("/recipe/user/role", json!({"userId": world.bert, "role": "admin"})).await })
    }),
    ("association", |world| {
        Box::pin(
            async move { world.post("/t1/recipe/multitenancy/tenant/user", json!({"recipeUserId": world.bert})).await },
        )
    }),
];

#[tokio::test]
async fn who_is_linked_to_somebody_with_the_same_address_is_looked_up_once() {
    const LOOK_UP: &[(&str, Request)] = &[("user by account info", |world| {
        Box::pin(
            async move { shown(&world.get("/users/by-accountinfo?email=bert@x.io&doUnionOfAccountInfo=true").await) },
        )
    })];
    fn namesake(world: World) -> Boxed<()> {
        Box::pin(async move {
            world.app.people([by_provider("dora", 9, "bert@x.io")]).await;
            assert_eq!(world.app.make_primary("dora").await["status"], "OK");
        })
    }
    fn link_to_namesake(world: World) -> Boxed<()> {
        Box::pin(async move {
            assert_eq!(world.app.link(&world.bert, "dora").await["status"], "OK");
        })
    }
    check(&[namesake], link_to_namesake, LOOK_UP).await;
}

#[tokio::test]
async fn who_is_being_linked_is_always_found() {
    check(&[], link, LOOK_UPS).await;
    check(&[], link, LISTS).await;
    check(&[], link, SEARCH).await;
    check(&[old_friend], link_old_friend, LISTS).await;
    check(&[old_friend], link_old_friend, SEARCH).await;
    check(&[old_friend, link_old_friend], delete, LISTS).await;
    check(&[], link, CHANGES).await;
}

#[tokio::test]
async fn who_is_being_unlinked_is_always_found() {
    check(&[link], unlink, LOOK_UPS).await;
    check(&[link], unlink, LISTS).await;
    check(&[link], unlink, SEARCH).await;
    check(&[old_friend, link_old_friend], unlink_old_friend, LISTS).await;
    check(&[old_friend, link_old_friend], unlink_old_friend, SEARCH).await;
    check(&[link], unlink, CHANGES).await;
}

#[tokio::test]
async fn who_is_being_mapped_is_always_found() {
    check(&[], map, LOOK_UPS).await;
    check(&[], map, LISTS).await;
    check(&[], map, SEARCH).await;
    check(&[], map, CHANGES).await;
    check(&[map], unmap, LOOK_UPS).await;
    check(&[map], unmap, CHANGES).await;
}

#[tokio::test]
async fn whose_address_passes_on_is_told_what_is_so() {
    check(&[], move_on, LOOK_UPS).await;
    check(&[], move_on, CHANGES).await;
    check(&[link], move_on, LOOK_UPS).await;
    check(&[link], move_on, CHANGES).await;
}

#[tokio::test]
async fn who_is_being_deleted_is_there_or_not() {
    check(&[], delete, LOOK_UPS).await;
    check(&[], delete, LISTS).await;
    check(&[], delete, SEARCH).await;
    check(&[link], delete, LISTS).await;
    check(&[link], delete, SEARCH).await;
    check(&[], delete, CHANGES).await;
    check(&[], revoke_session, LOOK_UPS).await;
}

#[tokio::test]
async fn of_a_link_and_a_tenant_that_do_not_go_together_one_comes_to_be() {
    check(&[], associate, CHANGES).await;
    check(&[link], associate, CHANGES).await;
}

#[tokio::test]
async fn a_role_that_is_made_again_is_had_or_not() {
    check(&[], role_again, CHANGES).await;
}
