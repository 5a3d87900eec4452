//! `GET /users/count`.

use super::{code, method, password, person, provider, save, with_tenant, within};
use crate::app::{START, TestApp};
use serde_json::{Value, json};

async fn count(app: &TestApp, path: &str) -> Value {
    app.get(path).await.ok().json()["count"].clone()
}

#[tokio::test]
async fn people_are_counted_once() {
    let app = TestApp::new().await;
    with_tenant(&app, "t1").await;
    let several = person([
        method("a", 1, password("a@x.io")),
        method("b", 2, provider("google", "g", "a@x.io")),
        within(method("c", 3, code(None, Some("+49170"))), &["public", "t1"]),
    ]);
    let nowhere = person([within(method("f", 4, password("f@x.io")), &[])]);
    for user in [several, person([method("d", 1, password("d@x.io"))]), nowhere] {
        save(&app, &[], &[&user]).await;
    }
    save(&app, &[], &[&person([within(method("e", 4, provider("google", "e", "e@x.io")), &["t1"])])]).await;
    for (path, expected) in [
        ("/users/count", 2),
        ("/t1/users/count", 2),
        ("/users/count?includeRecipeIds=passwordless", 1),
        ("/users/count?includeRecipeIds=passwordless,emailpassword", 2),
        ("/users/count?includeRecipeIds=totp", 0),
        ("/t1/users/count?includeRecipeIds=emailpassword", 0),
        ("/users/count?includeAllTenants=TRUE", 3),
        ("/users/count?includeAllTenants=yes", 2),
        ("/users/count?includeAllTenants=true&includeRecipeIds=thirdparty", 2),
    ] {
        assert_eq!(count(&app, path).await, expected, "{path}");
    }
    app.get("/users/count?includeRecipeIds=x").await.is_text(400, "Unknown recipe ID: x");
    let all = app.get("/t1/users/count?includeAllTenants=true").await;
    all.is_text(403, "Only public tenantId can call this app specific API");
    assert_eq!(app.get("/t1/users/count?includeAllTenants=true").cdi("4.0").await.ok().json()["count"], 3);
}

#[tokio::test]
async fn whoever_allows_an_approximate_count_is_told_that_it_is_exact() {
    let app = TestApp::new().await;
    let reply = app.get("/users/count?allowApproximate=true").await.json();
    assert_eq!(reply, json!({"status": "OK", "count": 0, "approximate": false, "asOf": START}));
    let plain = json!({"status": "OK", "count": 0});
    assert_eq!(app.get("/users/count").await.json(), plain);
    assert_eq!(app.get("/users/count?allowApproximate=true").cdi("5.4").await.json(), plain);
}

#[tokio::test]
async fn lists_longer_than_one_read_are_counted_whole() {
    let app = TestApp::new().await;
    let people: Vec<_> = (0..1500)
        .map(|n| {
            let email = format!("u{n}@x.io");
            let by_password = method(&format!("p{n}"), n / 7, password(&email));
            let by_provider = method(&format!("t{n}"), n / 3, provider("google", &email, &email));
            match n % 3 {
                0 => person([by_password]),
                1 => person([by_provider]),
                _ => person([by_password, by_provider]),
            }
        })
        .collect();
    save(&app, &[], &people.iter().collect::<Vec<_>>()).await;
    assert_eq!(count(&app, "/users/count").await, 1500);
    assert_eq!(count(&app, "/users/count?includeRecipeIds=thirdparty").await, 1000);
    assert_eq!(count(&app, "/users/count?includeAllTenants=true").await, 1500);
    assert_eq!(count(&app, "/users/count?includeAllTenants=true&includeRecipeIds=emailpassword").await, 1000);
}

#[tokio::test]
async fn the_whole_app_is_counted_on_its_public_tenant_from_5_0() {
    let app = TestApp::new().await;
    with_tenant(&app, "t1").await;
    save(&app, &[], &[&person([method("a", 1, password("a@x.io"))])]).await;
    let path = "/t1/users/count?includeAllTenants=true";
    for version in ["5.0", "5.6"] {
        app.get(path).cdi(version).await.is_text(403, "Only public tenantId can call this app specific API");
        assert_eq!(app.get("/t1/users/count").cdi(version).await.ok().json()["count"], 0, "{version}");
        assert_eq!(app.get("/users/count?includeAllTenants=true").cdi(version).await.ok().json()["count"], 1);
    }
    for version in ["3.0", "4.0"] {
        assert_eq!(app.get(path).cdi(version).await.ok().json()["count"], 1, "{version}");
    }
    let unknown = app.get("/nope/users/count").await;
    assert!(unknown.body().starts_with("AppId or tenantId not found => Tenant with"), "{}", unknown.body());
    assert_eq!(unknown.code(), 400);
}

#[tokio::test]
async fn a_flag_is_true_in_any_case_and_of_two_the_first_counts() {
    let app = TestApp::new().await;
    with_tenant(&app, "t1").await;
    save(&app, &[], &[&person([within(method("a", 1, password("a@x.io")), &["t1"])])]).await;
    for (query, all) in [
        ("includeAllTenants=True", true),
        ("includeAllTenants=true&includeAllTenants=false", true),
        ("includeAllTenants=false&includeAllTenants=true", false),
        ("includeAllTenants=", false),
        ("includeAllTenants=1", false),
        ("includealltenants=true", false),
    ] {
        assert_eq!(count(&app, &format!("/users/count?{query}")).await, u64::from(all), "{query}");
    }
    for (query, told) in [("TRUE", true), ("false", false), ("", false), ("yes", false)] {
        let reply = app.get(&format!("/users/count?allowApproximate={query}")).cdi("5.6").await.ok().json();
        assert_eq!((reply.get("approximate").is_some(), reply.get("asOf").is_some()), (told, told), "{query}");
    }
    for version in ["4.0", "5.5"] {
        let reply = app.get("/users/count?allowApproximate=true").cdi(version).await.json();
        assert_eq!(reply, json!({"status": "OK", "count": 0}), "{version}");
    }
}
