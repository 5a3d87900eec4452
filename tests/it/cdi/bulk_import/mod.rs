//! `/bulk-import/…`.

mod fields;
mod import;
mod job;
mod users;

use crate::app::{TestApp, TestReply};
use crate::store::rows_of;
use serde_json::{Value, json};
use sessiond::command::bulk_import::batch::Counts;
use sessiond::jobs::bulk_import::round;
use sessiond::store::Keyspace;

/// bcrypt of "abc".
const HASH: &str = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";

/// A user with an account at a provider, named by a number.
fn by_number(number: usize) -> Value {
    json!({"loginMethods": [{"recipeId": "thirdparty", "thirdPartyId": "google", "thirdPartyUserId": format!("g{number}"),
        "email": format!("u{number}@x.io")}]})
}

/// A user with one login method.
#[expect(clippy::needless_pass_by_value, reason = "`json!` reads better without a borrow")]
fn with_method(method: Value) -> Value {
    json!({"loginMethods": [method]})
}

fn by_hash(email: &str) -> Value {
    json!({"recipeId": "emailpassword", "email": email, "passwordHash": HASH, "hashingAlgorithm": "bcrypt"})
}

async fn add(app: &TestApp, users: Vec<Value>) -> TestReply {
    app.post("/bulk-import/users", json!({ "users": users })).await
}

/// Adds valid users; returns their ids.
async fn added(app: &TestApp, users: Vec<Value>) -> Vec<String> {
    serde_json::from_value(add(app, users).await.ok().json()["users"].clone()).unwrap()
}

/// Does what the job does.
async fn run(app: &TestApp) -> (u64, u64) {
    let Counts { imported, failed } = round(&app.context).await.unwrap();
    (imported, failed)
}

async fn count(app: &TestApp, query: &str) -> u64 {
    app.get(&format!("/bulk-import/users/count{query}")).await.ok().json()["count"].as_u64().unwrap()
}

async fn list(app: &TestApp, query: &str) -> Value {
    app.get(&format!("/bulk-import/users{query}")).await.ok().json()
}

/// The error messages of failed users, newest first.
async fn messages(app: &TestApp) -> Vec<String> {
    let users = list(app, "?status=FAILED").await["users"].clone();
    users.as_array().unwrap().iter().map(|user| user["errorMessage"].as_str().unwrap().to_owned()).collect()
}

/// What is wrong with users, according to the JSON inside the reply's text.
#[track_caller]
fn wrong(reply: &TestReply) -> Value {
    assert_eq!((reply.code(), reply.0.content_type), (400, sessiond::http::exchange::TEXT), "{}", reply.body());
    serde_json::from_str(&reply.body()).unwrap()
}

/// Every value in the store.
async fn values(app: &TestApp, keyspace: Keyspace) -> Vec<Vec<u8>> {
    rows_of(&*app.context.store, keyspace).await.into_iter().map(|(_, value)| value).collect()
}
