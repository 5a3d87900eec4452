//! Dashboard users: the tasks about them.

use crate::command::dashboard::user::{CreateUser, DeleteUser, ListUsers, SaveUserOutcome};
use crate::command::dashboard::{DashboardUser, Named};
use crate::context::Context;
use crate::control::PlainSecret;
use crate::control::task_context::{failed, scope};
use crate::domain::ids::{AppId, UserId};
use crate::domain::user::{MAX_EMAIL, normalise_email};
use crate::state::password::SignInRefused;
use serde_json::{Value, json};

pub(super) async fn list(context: &Context, id: &AppId) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond dashboard users list")?;
    let users = ListUsers { scope }.run(context).await.map_err(failed)?;
    Ok(json!({ "users": users.iter().map(shown).collect::<Vec<_>>() }))
}

pub(super) async fn create(context: &Context, id: &AppId, email: &str, password: PlainSecret) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond dashboard users create")?;
    let email = normalise_email(email.trim());
    if email.len() > MAX_EMAIL {
        return Err(format!("an e-mail address has at most {MAX_EMAIL} bytes"));
    }
    // Sign-in trims passwords: one that is not trimmed here could never be used.
    let password = password.into_secret();
    let command = CreateUser { scope, email: email.clone(), password: password.expose().trim() };
    let saved = command.run(context).await.map_err(|refusal| match refusal {
        SignInRefused::Fault(fault) => failed(fault),
        other => other.to_string(),
    })?;
    match saved {
        SaveUserOutcome::Ok(user) => Ok(shown(&user)),
        SaveUserOutcome::InvalidEmail => Err(format!("{email} is not a valid e-mail address for the dashboard")),
        SaveUserOutcome::Weak(why) => Err(why.sentence().to_owned()),
        SaveUserOutcome::EmailTaken => Err(format!("a dashboard user with the address {email} already exists")),
        SaveUserOutcome::UnknownUser => Err("no such dashboard user".to_owned()),
    }
}

/// Deletes a user and ends their dashboard sessions.
pub(super) async fn delete(context: &Context, id: &AppId, user: &str) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond dashboard users delete")?;
    let named = match user.trim() {
        email if email.contains('@') => Named::Email(normalise_email(email)),
        id => Named::Id(UserId::new(id)),
    };
    let did_user_exist = DeleteUser { scope, named }.run(context).await.map_err(failed)?;
    Ok(json!({ "didUserExist": did_user_exist }))
}

/// A user as `--json` prints it, with the names of the protocol.
fn shown(user: &DashboardUser) -> Value {
    json!({ "email": user.email, "userId": user.id, "timeJoined": user.time_joined })
}
