//! Dashboard users: the tasks about them.

use crate::command::dashboard::user::{CreateUser, DeleteUser, ListUsers, Saved};
use crate::command::dashboard::{DashboardUser, Named};
use crate::context::Context;
use crate::control::PlainSecret;
use crate::control::task_context::{failed, scope};
use crate::domain::ids::{AppId, UserId};
use crate::domain::user::{EMAIL_MAX, normalise_email};
use crate::state::password::Unserved;
use serde_json::{Value, json};

pub(super) async fn list(app: &Context, id: &AppId) -> Result<Value, String> {
    let scope = scope(app, id, None, "sessiond dashboard users list")?;
    let users = ListUsers { scope }.run(app).await.map_err(failed)?;
    Ok(json!({ "users": users.iter().map(shown).collect::<Vec<_>>() }))
}

pub(super) async fn create(app: &Context, id: &AppId, email: &str, password: PlainSecret) -> Result<Value, String> {
    let scope = scope(app, id, None, "sessiond dashboard users create")?;
    let email = normalise_email(email.trim());
    if email.len() > EMAIL_MAX {
        return Err(format!("an e-mail address has at most {EMAIL_MAX} bytes"));
    }
    // Sign-in trims passwords: one that is not trimmed here could never be used.
    let password = password.into_secret();
    let command = CreateUser { scope, email: email.clone(), password: password.expose().trim() };
    let saved = command.run(app).await.map_err(|unserved| match unserved {
        Unserved::Fault(fault) => failed(fault),
        other => other.to_string(),
    })?;
    match saved {
        Saved::Ok(user) => Ok(shown(&user)),
        Saved::InvalidEmail => Err(format!("{email} is not a valid e-mail address for the dashboard")),
        Saved::Weak(why) => Err(why.sentence().to_owned()),
        Saved::EmailTaken => Err(format!("a dashboard user with the address {email} already exists")),
        Saved::UnknownUser => Err("no such dashboard user".to_owned()),
    }
}

/// Deletes a user and ends their dashboard sessions.
pub(super) async fn delete(app: &Context, id: &AppId, user: &str) -> Result<Value, String> {
    let scope = scope(app, id, None, "sessiond dashboard users delete")?;
    let named = match user.trim() {
        email if email.contains('@') => Named::Email(normalise_email(email)),
        id => Named::Id(UserId::new(id)),
    };
    let did_user_exist = DeleteUser { scope, named }.run(app).await.map_err(failed)?;
    Ok(json!({ "didUserExist": did_user_exist }))
}

/// A user as `--json` prints it, with the names of the protocol.
fn shown(user: &DashboardUser) -> Value {
    json!({ "email": user.email, "userId": user.id, "timeJoined": user.time_joined })
}
