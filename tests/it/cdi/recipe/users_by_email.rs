//! `GET /recipe/users/by-email`.

use crate::app::TestApp;
use crate::people::{by_password, by_provider, mapped, within};
use serde_json::{Value, json};

async fn ids(app: &TestApp, path: &str, version: &str) -> Vec<Value> {
    let reply = app.get(path).cdi(version).await.ok().json();
    reply["users"].as_array().unwrap().iter().map(|user| user["id"].clone()).collect()
}

#[tokio::test]
async fn people_with_that_address_at_a_provider_are_found_in_the_tenant() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.people([
        by_password("password", 1, "a@x.io"),
        mapped("mine", by_provider("one", 2, "a@x.io")),
        by_provider("two", 3, "a@x.io"),
        by_provider("other", 4, "b@x.io"),
        within(["t1"], by_provider("there", 5, "a@x.io")),
    ])
    .await;
    app.group(&["password", "one", "two"]).await;
    let here = "/recipe/users/by-email?email=%20A%40x.io";
    assert_eq!(ids(&app, here, "5.4").await, ["password"], "the person once");
    assert_eq!(ids(&app, here, "3.1").await, ["mine", "two"], "before account linking each login method");
    assert_eq!(ids(&app, "/t1/recipe/users/by-email?email=a@x.io", "4.0").await, ["there"]);
    assert!(ids(&app, "/recipe/users/by-email?email=c@x.io", "4.0").await.is_empty());
    assert!(ids(&app, "/recipe/users/by-email?email=", "4.0").await.is_empty());
}

#[tokio::test]
async fn the_address_is_required() {
    let app = TestApp::new().await;
    app.get("/recipe/users/by-email").await.is_text(400, "Field name 'email' is missing in GET request");
}
