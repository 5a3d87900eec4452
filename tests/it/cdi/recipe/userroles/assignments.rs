//! `PUT /recipe/user/role`, `POST /recipe/user/role/remove`, `GET /recipe/user/roles` and `GET /recipe/role/users`.

use super::{assign, is_unknown, put_role, roles_of, says, users_of};
use crate::app::{TestApp, TestReply};
use crate::people::{by_password, mapped};
use crate::refused::{post, put};
use crate::store::rows_of;
use serde_json::json;
use sessiond::domain::ids::{AppId, UserId};
use sessiond::store::{Engine, Keyspace, userroles};

async fn unassign(app: &TestApp, prefix: &str, user: &str, role: &str) -> TestReply {
    app.post(&format!("{prefix}/recipe/user/role/remove"), json!({"userId": user, "role": role})).await
}

#[tokio::test]
async fn a_user_has_roles_in_each_tenant_by_itself() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    put_role(&app, "admin", &[]).await;
    put_role(&app, "user", &[]).await;
    says(&assign(&app, "", "u", " admin ").await, "didUserAlreadyHaveRole", false);
    says(&assign(&app, "/public", "u", "admin").await, "didUserAlreadyHaveRole", true);
    says(&assign(&app, "/t1", "u", "admin").await, "didUserAlreadyHaveRole", false);
    says(&assign(&app, "", "u", "user").await, "didUserAlreadyHaveRole", false);
    says(&assign(&app, "", "v", "user").await, "didUserAlreadyHaveRole", false);
    assert_eq!(roles_of(&app, "", "u").await, ["admin", "user"]);
    assert_eq!(roles_of(&app, "/t1", "u").await, ["admin"]);
    assert_eq!(users_of(&app, "", "user").await, ["u", "v"]);
    assert_eq!(users_of(&app, "", "%20user%0A").await, ["u", "v"]);
    assert_eq!(users_of(&app, "/t1", "admin").await, ["u"]);
    assert!(users_of(&app, "/t1", "user").await.is_empty());
    says(&unassign(&app, "", "u", " admin").await, "didUserHaveRole", true);
    says(&unassign(&app, "", "u", "admin").await, "didUserHaveRole", false);
    says(&unassign(&app, "/t1", "v", "admin").await, "didUserHaveRole", false);
    assert_eq!(roles_of(&app, "", "u").await, ["user"]);
    assert_eq!(roles_of(&app, "/t1", "u").await, ["admin"]);
    assert!(users_of(&app, "", "admin").await.is_empty());
}

#[tokio::test]
async fn unknown_roles_and_tenants_and_bad_input_are_told_apart() {
    let app = TestApp::new().await;
    is_unknown(&assign(&app, "", "u", "admin").await);
    is_unknown(&unassign(&app, "", "u", "admin").await);
    is_unknown(&app.get("/recipe/role/users?role=admin").await);
    assert!(roles_of(&app, "", "u").await.is_empty());
    put_role(&app, "admin", &[]).await;
    put_role(&app, "user", &[]).await;
    assign(&app, "", "u", "user").await.ok();
    let unknown = "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId \
                   combination not found: (, public, t1)";
    for version in ["3.0", "4.0", "5.0", "5.6"] {
        app.get("/t1/recipe/user/roles?userId=u").cdi(version).await.is_text(400, unknown);
        app.get("/t1/recipe/role/users?role=admin").cdi(version).await.is_text(400, unknown);
    }
    let (admin, user) = (json!({"userId": "u", "role": "admin"}), json!({"userId": "u", "role": "user"}));
    for version in ["2.14", "3.1", "5.6"] {
        for good in
            [put("/recipe/user/role", version, admin.clone()), post("/recipe/user/role/remove", version, user.clone())]
        {
            app.wants_texts(&good, &["userId", "role"]).await;
            let empty = "Field name 'role' cannot be an empty String";
            app.refuses_each(
                &good,
                &[
                    (json!({"userId": 1, "role": ""}), "Field name 'userId' is invalid in JSON input"),
                    (json!({"role": ""}), empty),
                    (json!({"role": " \n"}), empty),
                    (json!({"role": "r".repeat(256)}), "Field name 'role' cannot be longer than 255 bytes"),
                ],
            )
            .await;
            app.is_of_a_tenant(&good).await;
        }
    }
    let before = app.stored().await;
    is_unknown(&assign(&app, "", "u", "Admin").await);
    is_unknown(&unassign(&app, "", "u", "User").await);
    assert!(app.stored().await == before);
    assert_eq!(roles_of(&app, "", "u").await, ["user"]);
    app.get("/recipe/user/roles").await.is_text(400, "Field name 'userId' is missing in GET request");
}

#[tokio::test]
async fn roles_stand_under_the_id_that_is_given() {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
    put_role(&app, "admin", &[]).await;
    put_role(&app, "user", &[]).await;
    says(&assign(&app, "", "mine", "admin").await, "didUserAlreadyHaveRole", false);
    assert_eq!(roles_of(&app, "", "mine").await, ["admin"]);
    assert!(roles_of(&app, "", "a").await.is_empty());
    says(&assign(&app, "", "a", "user").await, "didUserAlreadyHaveRole", false);
    assert_eq!(roles_of(&app, "", "mine").await, ["admin"]);
    assert_eq!(users_of(&app, "", "admin").await, ["mine"]);
    says(&unassign(&app, "", "a", "admin").await, "didUserHaveRole", false);
    says(&unassign(&app, "", "Mine", "admin").await, "didUserHaveRole", false);
    says(&unassign(&app, "", "mine", "admin").await, "didUserHaveRole", true);
}

#[tokio::test]
async fn any_text_is_a_user_id() {
    let app = TestApp::new().await;
    put_role(&app, "admin", &[]).await;
    let long = "ü".repeat(2000);
    let at_the_limit = "u".repeat(256);
    let like_a_hash = format!("sha256:{}", "0".repeat(64));
    let users = ["", " u ", "ü\0", &at_the_limit, &format!("{at_the_limit}x"), &like_a_hash, &long, &long[2..]];
    for user in users {
        assert!(roles_of(&app, "", user).await.is_empty());
        says(&assign(&app, "", user, "admin").await, "didUserAlreadyHaveRole", false);
        says(&assign(&app, "", user, "admin").await, "didUserAlreadyHaveRole", true);
        assert_eq!(roles_of(&app, "", user).await, ["admin"]);
    }
    let mut all = users.map(str::to_owned);
    all.sort();
    assert_eq!(users_of(&app, "", "admin").await, all);
    says(&unassign(&app, "", &long, "admin").await, "didUserHaveRole", true);
    assert_eq!(users_of(&app, "", "admin").await.len(), 7);
}

#[tokio::test]
async fn long_lists_are_whole() {
    let app = TestApp::new().await;
    let roles: Vec<_> = (0..300).map(|n| format!("role{n:03}")).collect();
    let users: Vec<_> = (0..600).map(|n| format!("user{n:03}")).collect();
    for role in &roles {
        put_role(&app, role, &[]).await;
        assign(&app, "", "user000", role).await.ok();
    }
    for user in &users {
        assign(&app, "", user, "role000").await.ok();
    }
    assert_eq!(roles_of(&app, "", "user000").await, roles);
    assert_eq!(users_of(&app, "", "role000").await, users);
}

/// The functions that deleting a user and renaming a user's data will call.
#[tokio::test]
async fn a_users_roles_are_found_and_removed_in_all_tenants() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let long = "u".repeat(300);
    let store: &dyn Engine = &*app.context.store;
    for role in ["one", "two"] {
        put_role(&app, role, &[]).await;
    }
    let in_use =
        async |user: &str| userroles::in_use(store.begin().as_mut(), &AppId::base(), &UserId::new(user)).await.unwrap();
    for user in ["u", &long] {
        assert!(!in_use(user).await);
        assign(&app, "/t1", user, "one").await.ok();
        assert!(in_use(user).await);
        assign(&app, "", user, "two").await.ok();
    }
    assign(&app, "", "u2", "one").await.ok();
    for user in ["u", &long] {
        let mut tx = store.begin();
        userroles::remove_user(tx.as_mut(), &AppId::base(), &UserId::new(user)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!in_use(user).await);
        assert!(roles_of(&app, "/t1", user).await.is_empty());
    }
    assert_eq!(users_of(&app, "", "one").await, ["u2"]);
    for keyspace in [Keyspace::UserRole, Keyspace::RoleUser] {
        assert_eq!(rows_of(store, keyspace).await.len(), 1);
    }
}
