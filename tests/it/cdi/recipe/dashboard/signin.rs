//! `POST /recipe/dashboard/signin`.

use super::{PASSWORD, cheap, sign_in, user};
use serde_json::json;

#[tokio::test]
async fn the_right_password_opens_and_nothing_else_does() {
    let app = cheap().build().await;
    user(&app, "a@x.io").await;
    let reply = sign_in(&app, " A@X.io", &format!("{PASSWORD} ")).await.ok();
    assert_eq!(reply.text_at("/sessionId").len(), 36);
    assert_eq!(reply.json().as_object().unwrap().len(), 2);
    assert_ne!(sign_in(&app, "a@x.io", PASSWORD).await.text_at("/sessionId"), reply.text_at("/sessionId"));
    for (email, password) in [("a@x.io", "dash-board-2"), ("b@x.io", PASSWORD), ("not an address", "x")] {
        assert_eq!(sign_in(&app, email, password).await.json(), json!({"status": "INVALID_CREDENTIALS_ERROR"}));
    }
    sign_in(&app, "a@x.io", " ").await.is_text(400, "Field name 'password' cannot be an empty String");
    app.post("/recipe/dashboard/signin", json!({"email": 1, "password": PASSWORD}))
        .await
        .is_text(400, "Field name 'email' is invalid in JSON input");
}

#[tokio::test]
async fn an_unknown_address_costs_a_hash_too() {
    let app = cheap().build().await;
    user(&app, "a@x.io").await;
    let hashed = || app.context.hashing.stats()[0].done;
    let before = hashed();
    sign_in(&app, "b@x.io", PASSWORD).await;
    assert_eq!(hashed(), before + 1);
}

#[tokio::test]
async fn failures_delay_the_dashboard_and_not_the_user_with_that_address() {
    let app = cheap().setting("brute_force_protection", "true").build().await;
    user(&app, "a@x.io").await;
    app.post("/recipe/signup", json!({"email": "a@x.io", "password": PASSWORD})).await.ok();
    let mut failed = 0;
    while sign_in(&app, "a@x.io", "wrong-1").await.code() == 200 {
        failed += 1;
        assert!(failed < 100, "it ends");
    }
    let delayed = sign_in(&app, "a@x.io", PASSWORD).await;
    assert_eq!(delayed.code(), 429);
    app.post("/recipe/signin", json!({"email": "a@x.io", "password": PASSWORD})).await.ok();
    // A new password resets the count.
    app.put("/recipe/dashboard/user", json!({"email": "a@x.io", "newPassword": PASSWORD})).await.ok();
    sign_in(&app, "a@x.io", PASSWORD).await.ok();
}
