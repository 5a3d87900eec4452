//! `POST /recipe/role/remove`: takes effect at once, however much is left to delete.

use super::{assign, is_unknown, permissions_of, put_role, roles_of, says, users_of};
use crate::app::TestApp;
use crate::store::rows_of;
use crate::watched::Watched;
use serde_json::json;
use sessiond::command::scope::{Cause, Scope};
use sessiond::command::usermetadata::UpdateMetadata;
use sessiond::command::userroles::assign::AssignRole;
use sessiond::command::userroles::removal::finish_pending;
use sessiond::command::userroles::role::PutRole;
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::json::JsonObject;
use sessiond::domain::userroles::RoleName;
use sessiond::fault::Gone;
use sessiond::store::userroles::assignment::Assignment;
use sessiond::store::{CommitError, Engine, Keyspace, userroles as stored};
use std::sync::Arc;
use std::time::Duration;

async fn remove(app: &TestApp, role: &str, existed: bool) {
    says(&app.post("/recipe/role/remove", json!({"role": role})).await, "didRoleExist", existed);
}

/// Gives many users a role without HTTP, thousands per transaction.
async fn assign_many(store: &dyn Engine, tenant: &str, role: &str, count: usize) {
    let (app, tenant, role) = (AppId::base(), TenantId::new(tenant), RoleName::new(role).unwrap());
    let incarnation = stored::get(store.begin().as_mut(), &app, &role).await.unwrap().unwrap().incarnation;
    for batch in 0..count.div_ceil(1000) {
        let mut tx = store.begin();
        for n in batch * 1000..count.min((batch + 1) * 1000) {
            let user = UserId::new(format!("user{n:06}"));
            let assignment = Assignment { app: &app, tenant: &tenant, user: &user, role: &role };
            assignment.put(tx.as_mut(), incarnation).unwrap();
        }
        tx.commit().await.unwrap();
    }
}

async fn counts(store: &dyn Engine) -> [usize; 2] {
    [rows_of(store, Keyspace::UserRole).await.len(), rows_of(store, Keyspace::RoleUser).await.len()]
}

#[tokio::test]
async fn a_role_goes_with_its_permissions_and_assignments() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let meta = rows_of(&*app.context.store, Keyspace::Meta).await.len();
    remove(&app, "admin", false).await;
    for role in ["admin", "admin2", "a"] {
        put_role(&app, role, &["read"]).await;
        assign(&app, "", "u", role).await.ok();
        assign(&app, "/t1", "u", role).await.ok();
    }
    remove(&app, " admin ", true).await;
    remove(&app, "admin", false).await;
    for prefix in ["", "/t1"] {
        assert_eq!(roles_of(&app, prefix, "u").await, ["a", "admin2"]);
    }
    is_unknown(&app.get("/recipe/role/permissions?role=admin").await);
    is_unknown(&app.get("/recipe/role/users?role=admin").await);
    is_unknown(&assign(&app, "", "u", "admin").await);
    assert_eq!(super::roles_with(&app, "read").await, ["a", "admin2"]);
    assert_eq!(counts(&*app.context.store).await, [4, 4]);
    assert_eq!(rows_of(&*app.context.store, Keyspace::RoleByPermission).await.len(), 2);
    assert_eq!(rows_of(&*app.context.store, Keyspace::Meta).await.len(), meta, "its marker is gone");
    app.post("/recipe/role/remove", json!({})).await.is_text(400, "Field name 'role' is invalid in JSON input");
}

#[tokio::test]
async fn a_role_of_very_many_users_goes_in_small_steps() {
    let store = Watched::default();
    let app = TestApp::builder().store(Arc::new(store.clone())).build().await;
    for tenant in ["t1", "t2", "t3"] {
        app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": tenant})).await.ok();
    }
    for role in ["admin", "stays"] {
        put_role(&app, role, &["read"]).await;
    }
    assign_many(&store, "public", "admin", 100_000).await;
    assign_many(&store, "t1", "stays", 300).await;
    assign_many(&store, "t2", "admin", 700).await;
    assign_many(&store, "t2", "stays", 10).await;
    assign_many(&store, "t3", "admin", 256).await;
    store.largest.set(0);
    remove(&app, "admin", true).await;
    assert_eq!(counts(&store).await, [310, 310]);
    assert!(store.largest.get() <= 512, "two rows for each of 256 assignments");
}

#[tokio::test]
async fn what_an_interrupted_removal_left_counts_for_nobody() {
    let store = Watched::default();
    let app = TestApp::builder().store(Arc::new(store.clone())).build().await;
    put_role(&app, "admin", &["read"]).await;
    assign_many(&store, "public", "admin", 1000).await;
    // The removal itself and one step; then the disk is full, or the power is off.
    store.left.set(3);
    remove(&app, "admin", true).await;
    assert_eq!(counts(&store).await, [744, 744]);
    let app = TestApp::builder().store(Arc::new(store.inner.as_ref().clone())).build().await;
    assert!(roles_of(&app, "", "user000999").await.is_empty());
    is_unknown(&app.get("/recipe/role/users?role=admin").await);
    is_unknown(&assign(&app, "", "user000999", "admin").await);
    let user = UserId::new("user000999");
    let in_use = || async { stored::in_use(app.context.store.begin().as_mut(), &AppId::base(), &user).await.unwrap() };
    assert!(!in_use().await);

    says(&put_role(&app, "admin", &["write"]).await, "createdNewRole", true);
    assert!(roles_of(&app, "", "user000999").await.is_empty(), "a new role begins without users");
    assert!(users_of(&app, "", "admin").await.is_empty());
    let body = json!({"userId": "user000998", "role": "admin"});
    says(&app.post("/recipe/user/role/remove", body).await, "didUserHaveRole", false);
    says(&assign(&app, "", "user000999", "admin").await, "didUserAlreadyHaveRole", false);
    assert!(in_use().await);

    assert_eq!(finish_pending(&*app.context.store).await.unwrap(), 1);
    assert_eq!(counts(&*app.context.store).await, [1, 1], "all of the old role's rows, none of the new one's");
    assert_eq!(users_of(&app, "", "admin").await, ["user000999"]);
    assert_eq!(permissions_of(&app, "admin").await, ["write"]);
    assert_eq!(finish_pending(&*app.context.store).await.unwrap(), 0);
}

#[tokio::test]
async fn a_row_written_again_between_look_and_deletion_stays() {
    let store = Watched::default();
    let app = TestApp::builder().store(Arc::new(store.clone())).build().await;
    put_role(&app, "admin", &[]).await;
    assign_many(&store, "public", "admin", 2).await;
    store.left.set(2);
    remove(&app, "admin", true).await;
    store.left.set(0);
    put_role(&app, "admin", &[]).await;
    let removed = stored::removal::pending(store.begin().as_mut(), 1).await.unwrap().remove(0);
    let mut late = store.begin();
    removed.step(late.as_mut(), removed.start(), 256).await.unwrap();
    assign(&app, "", "user000001", "admin").await.ok();
    assert!(matches!(late.commit().await, Err(CommitError::Conflict)));
    assert_eq!(finish_pending(&store).await.unwrap(), 1);
    assert_eq!(roles_of(&app, "", "user000001").await, ["admin"]);
    assert_eq!(counts(&store).await, [1, 1]);
}

#[tokio::test]
async fn a_server_takes_up_interrupted_removals_when_it_starts() {
    let store = Watched::default();
    let app = TestApp::builder().store(Arc::new(store.clone())).build().await;
    put_role(&app, "admin", &[]).await;
    assign_many(&store, "public", "admin", 1000).await;
    store.left.set(2);
    remove(&app, "admin", true).await;
    assert_eq!(counts(&store).await, [1000, 1000]);
    store.left.set(0);
    let jobs = sessiond::jobs::start(&app.context);
    let all_gone = async {
        while counts(&store).await != [0, 0] {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_gone).await.expect("the job deletes the rows");
    jobs.end(&app.context).await;
}

#[tokio::test]
async fn an_app_takes_its_unfinished_removals_with_it() {
    let store = Watched::default();
    let app = TestApp::builder().store(Arc::new(store.clone())).build().await;
    let before = rows_of(&store, Keyspace::Meta).await.len();
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    app.put("/appid-a1/recipe/role", json!({"role": "admin"})).await.ok();
    assign(&app, "/appid-a1", "u", "admin").await.ok();
    store.left.set(2);
    says(&app.post("/appid-a1/recipe/role/remove", json!({"role": "admin"})).await, "didRoleExist", true);
    store.left.set(0);
    assert_eq!(rows_of(&store, Keyspace::Meta).await.len(), before + 1);
    app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
    assert_eq!(rows_of(&store, Keyspace::Meta).await.len(), before);
    assert_eq!(counts(&store).await, [0, 0]);
}

/// Requests that were in progress when their tenant or app was removed.
#[tokio::test]
async fn what_comes_late_is_not_written() {
    let app = TestApp::new().await;
    let id = AppId { connection_uri_domain: String::new(), app_id: "a1".to_owned() };
    let store: &dyn Engine = &*app.context.store;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    app.put("/appid-a1/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.put("/appid-a1/recipe/role", json!({"role": "admin"})).await.ok();
    let cause = Cause::without_request("test");
    let scope = Scope { app: app.context.directory.app(&id).unwrap(), cause };
    let role = RoleName::new("admin").unwrap();
    let (tenant, user_id) = (TenantId::new("t1"), UserId::new("u"));
    app.post("/appid-a1/recipe/multitenancy/tenant/remove", json!({"tenantId": "t1"})).await.ok();
    let late =
        AssignRole { scope: scope.clone(), tenant: tenant.clone(), user_id: user_id.clone(), role: role.clone() };
    assert_eq!(late.run(&app.context).await.unwrap_err().gone(), Some(&Gone { app: id.clone(), tenant }));
    app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
    let gone = Gone { app: id, tenant: TenantId::public() };
    let late = PutRole { scope: scope.clone(), role, permissions: Vec::new() };
    assert_eq!(late.run(&app.context).await.unwrap_err().gone(), Some(&gone));
    let late = UpdateMetadata { scope, user_id, update: JsonObject::empty() };
    assert_eq!(late.run(&app.context).await.unwrap_err().gone(), Some(&gone));
    for keyspace in [Keyspace::Role, Keyspace::UserRole, Keyspace::RoleUser, Keyspace::UserMetadata] {
        assert!(rows_of(store, keyspace).await.is_empty(), "{keyspace:?}");
    }
}
