//! `/recipe/role…`, `/recipe/permission/roles` and `/recipe/user/role…`.

mod assignments;
mod concurrent;
mod permissions;
mod removal;
mod role;

use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};

/// Creates a role, or adds to it.
async fn put_role(app: &TestApp, role: &str, permissions: &[&str]) -> TestReply {
    app.put("/recipe/role", json!({"role": role, "permissions": permissions})).await.ok()
}

/// Gives a user a role in the tenant of this prefix.
async fn assign(app: &TestApp, prefix: &str, user: &str, role: &str) -> TestReply {
    app.put(&format!("{prefix}/recipe/user/role"), json!({"userId": user, "role": role})).await
}

/// A list in a reply, sorted: the protocol promises no order.
#[track_caller]
fn sorted(reply: &TestReply, member: &str) -> Vec<String> {
    let json = reply.json();
    let list = json[member].as_array().unwrap_or_else(|| panic!("no {member} in {json}"));
    let mut texts: Vec<_> = list.iter().map(|text| text.as_str().expect("a text").to_owned()).collect();
    texts.sort();
    texts
}

/// The user's permissions in the tenant of this prefix.
async fn roles_of(app: &TestApp, prefix: &str, user: &str) -> Vec<String> {
    let user: String = form_urlencoded::byte_serialize(user.as_bytes()).collect();
    sorted(&app.get(&format!("{prefix}/recipe/user/roles?userId={user}")).await.ok(), "roles")
}

/// The users who have the role in the tenant of this prefix.
async fn users_of(app: &TestApp, prefix: &str, role: &str) -> Vec<String> {
    sorted(&app.get(&format!("{prefix}/recipe/role/users?role={role}")).await.ok(), "users")
}

/// The role's permissions.
async fn permissions_of(app: &TestApp, role: &str) -> Vec<String> {
    sorted(&app.get(&format!("/recipe/role/permissions?role={role}")).await.ok(), "permissions")
}

/// The roles that have the permission.
async fn roles_with(app: &TestApp, permission: &str) -> Vec<String> {
    sorted(&app.get(&format!("/recipe/permission/roles?permission={permission}")).await.ok(), "roles")
}

#[track_caller]
fn is_unknown(reply: &TestReply) {
    assert_eq!(reply.json(), json!({"status": "UNKNOWN_ROLE_ERROR"}));
}

#[track_caller]
fn says(reply: &TestReply, member: &str, value: bool) {
    assert_eq!(reply.json(), json!({"status": "OK", member: Value::Bool(value)}));
}
