//! `PUT /recipe/role` and `GET /recipe/roles`.

use super::{permissions_of, put_role, roles_of, says, sorted};
use crate::app::TestApp;
use crate::cdi::recipe::EVERY_VERSION;
use crate::refused::{post, put};
use serde_json::json;

async fn roles(app: &TestApp) -> Vec<String> {
    sorted(&app.get("/recipe/roles").await.ok(), "roles")
}

#[tokio::test]
async fn a_role_is_created_once_and_grows() {
    let app = TestApp::new().await;
    assert!(roles(&app).await.is_empty());
    says(&put_role(&app, "admin", &["read", "write", "read"]).await, "createdNewRole", true);
    says(&put_role(&app, "admin", &["write", "delete"]).await, "createdNewRole", false);
    assert_eq!(permissions_of(&app, "admin").await, ["delete", "read", "write"]);
    says(&app.put("/recipe/role", json!({"role": "admin"})).await, "createdNewRole", false);
    says(&put_role(&app, "admin", &[]).await, "createdNewRole", false);
    assert_eq!(permissions_of(&app, "admin").await, ["delete", "read", "write"]);
    says(&app.put("/recipe/role", json!({"role": "empty"})).await, "createdNewRole", true);
    assert!(permissions_of(&app, "empty").await.is_empty());
    assert_eq!(roles(&app).await, ["admin", "empty"]);
}

#[tokio::test]
async fn names_are_trimmed_and_case_matters() {
    let app = TestApp::new().await;
    says(&put_role(&app, "  Admin\t", &[" Read \n"]).await, "createdNewRole", true);
    says(&put_role(&app, "Admin", &["Read"]).await, "createdNewRole", false);
    says(&put_role(&app, "admin", &["read"]).await, "createdNewRole", true);
    assert_eq!(roles(&app).await, ["Admin", "admin"]);
    assert_eq!(permissions_of(&app, "%20Admin%20").await, ["Read"]);
}

#[tokio::test]
async fn what_is_no_role_is_refused() {
    let app = TestApp::new().await;
    let long = "ü".repeat(128);
    let (invalid, too_long) = (
        "Field name 'permissions' is invalid in JSON input",
        "Field name 'permissions' cannot contain a string longer than 255 bytes",
    );
    for version in ["2.14", "3.1", "5.6"] {
        for path in ["/recipe/role", "/recipe/role/permissions/remove"] {
            // For an existing role, and for one that does not exist.
            for role in ["there", "new"] {
                put_role(&app, "there", &["p"]).await;
                let body = json!({"role": role, "permissions": ["p", "q"]});
                let good = if path.ends_with("remove") { post(path, version, body) } else { put(path, version, body) };
                app.wants_texts(&good, &["role"]).await;
                app.refuses_each(
                    &good,
                    &[
                        (json!({"role": ""}), "Field name 'role' cannot be an empty String"),
                        (json!({"role": " \n"}), "Field name 'role' cannot be an empty String"),
                        (json!({"role": long}), "Field name 'role' cannot be longer than 255 bytes"),
                        (json!({"role": 1, "permissions": null}), "Field name 'role' is invalid in JSON input"),
                        (json!({"permissions": null}), invalid),
                        (json!({"permissions": "p"}), invalid),
                        (json!({"permissions": 1}), invalid),
                        (json!({"permissions": {}}), invalid),
                        (json!({"permissions": {"0": "p"}}), invalid),
                        (json!({"permissions": ["q", 1]}), invalid),
                        (json!({"permissions": ["q", null]}), invalid),
                        (json!({"permissions": ["q", ["p"]]}), invalid),
                        (json!({"permissions": ["q", ""]}), "Field name 'permissions' cannot contain an empty string"),
                        (json!({"permissions": ["q", " "]}), "Field name 'permissions' cannot contain an empty string"),
                        (json!({"permissions": ["q", long]}), too_long),
                    ],
                )
                .await;
            }
        }
        app.wants_texts(&post("/recipe/role/remove", version, json!({"role": "there"})), &["role"]).await;
        let good = post("/recipe/role/remove", version, json!({"role": "there"}));
        app.refuses_each(&good, &[(json!({"role": " "}), "Field name 'role' cannot be an empty String")]).await;
    }
    assert_eq!(roles(&app).await, ["there"]);
    assert_eq!(permissions_of(&app, "there").await, ["p"]);
    says(&put_role(&app, &long[2..], &[&long[2..]]).await, "createdNewRole", true);
}

#[tokio::test]
async fn a_role_has_a_bounded_number_of_permissions() {
    let app = TestApp::new().await;
    let many: Vec<_> = (0..10_000).map(|n| format!("p{n:05}")).collect();
    app.put("/recipe/role", json!({"role": "admin", "permissions": many})).await.ok();
    let one_more = || app.put("/recipe/role", json!({"role": "admin", "permissions": ["one more"]}));
    let before = app.stored().await;
    one_more().await.is_text(400, "A role cannot have more than 10000 permissions");
    assert!(app.stored().await == before);
    assert_eq!(permissions_of(&app, "admin").await, many);
    let body = json!({"role": "admin", "permissions": ["p00000"]});
    app.post("/recipe/role/permissions/remove", body).await.ok();
    one_more().await.ok();
}

#[tokio::test]
async fn many_roles_are_listed_whole() {
    let app = TestApp::new().await;
    let mut names: Vec<_> = (0..600).map(|n| format!("role {n:03} \0ü")).collect();
    for name in &names {
        put_role(&app, name, &["p"]).await;
    }
    names.sort();
    assert_eq!(roles(&app).await, names);
    assert_eq!(super::roles_with(&app, "p").await, names);
}

#[tokio::test]
async fn every_version_has_the_recipe() {
    let app = TestApp::new().await;
    for version in EVERY_VERSION {
        let body = json!({"role": version, "permissions": ["read"]});
        says(&app.put("/recipe/role", body).cdi(version).await, "createdNewRole", true);
        let body = json!({"userId": version, "role": version});
        says(&app.put("/recipe/user/role", body.clone()).cdi(version).await, "didUserAlreadyHaveRole", false);
        let reply = app.get(&format!("/recipe/user/roles?userId={version}")).cdi(version).await;
        assert_eq!(reply.json(), json!({"status": "OK", "roles": [version]}));
        let reply = app.get(&format!("/recipe/role/users?role={version}")).cdi(version).await;
        assert_eq!(reply.json(), json!({"status": "OK", "users": [version]}));
        let reply = app.get(&format!("/recipe/role/permissions?role={version}")).cdi(version).await;
        assert_eq!(reply.json(), json!({"status": "OK", "permissions": ["read"]}));
        let reply = app.get("/recipe/permission/roles?permission=read").cdi(version).await;
        assert_eq!(reply.json(), json!({"status": "OK", "roles": [version]}));
        assert_eq!(app.get("/recipe/roles").cdi(version).await.json(), json!({"status": "OK", "roles": [version]}));
        says(&app.post("/recipe/user/role/remove", body).cdi(version).await, "didUserHaveRole", true);
        let body = json!({"role": version});
        app.post("/recipe/role/permissions/remove", body.clone()).cdi(version).await.ok();
        says(&app.post("/recipe/role/remove", body).cdi(version).await, "didRoleExist", true);
    }
}

#[tokio::test]
async fn a_tenant_in_the_path_is_refused_from_5_0_and_ignored_before() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    put_role(&app, "there", &["p"]).await;
    let refused = "Only public tenantId can call this app specific API";
    for tenant in ["t1", "unknown"] {
        for version in ["5.0", "5.6"] {
            for good in [
                put("/recipe/role", version, json!({"role": "there", "permissions": ["q"]})),
                put("/recipe/role", version, json!({"role": "new"})),
                post("/recipe/role/remove", version, json!({"role": "there"})),
                post("/recipe/role/permissions/remove", version, json!({"role": "there"})),
            ] {
                app.refuses(&good, &format!("/{tenant}"), &good.body.to_string(), (403, refused)).await;
            }
            for path in ["roles", "role/permissions?role=a", "permission/roles?permission=a"] {
                app.get(&format!("/{tenant}/recipe/{path}")).cdi(version).await.is_text(403, refused);
            }
        }
        for version in ["3.0", "4.0"] {
            let role = json!({"role": format!("{tenant}{version}")});
            says(&app.put(&format!("/{tenant}/recipe/role"), role).cdi(version).await, "createdNewRole", true);
        }
    }
    app.put("/t1/recipe/role", json!({"role": "admin"})).cdi("2.21").await.is_text(404, "Not found");
    assert_eq!(roles(&app).await, ["t13.0", "t14.0", "there", "unknown3.0", "unknown4.0"]);
}

#[tokio::test]
async fn each_app_has_its_own() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    put_role(&app, "admin", &["read"]).await;
    super::assign(&app, "", "user", "admin").await.ok();
    assert_eq!(app.get("/appid-a1/recipe/roles").await.json(), json!({"status": "OK", "roles": []}));
    says(&app.put("/appid-a1/recipe/role", json!({"role": "admin"})).await, "createdNewRole", true);
    assert!(roles_of(&app, "/appid-a1", "user").await.is_empty());
    says(&app.post("/appid-a1/recipe/role/remove", json!({"role": "admin"})).await, "didRoleExist", true);
    assert_eq!(roles_of(&app, "", "user").await, ["admin"]);
}
