//! `sessiond users`: the people who sign in.

mod files;
mod format;
mod import;

use super::common::{Answered, AppName, tenant};
use super::output;
use crate::control::{Task, UsersWanted};
use crate::domain::ids::PUBLIC;
use crate::domain::json::Members;
use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::{Value, json};
use std::process::ExitCode;

/// List, show, delete and import users.
#[derive(Debug, Args)]
pub(super) struct Users {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Show(Show),
    Delete(Delete),
    Import(import::Import),
}

/// List users by the time they joined.
#[derive(Debug, Args)]
struct List {
    /// Users who may sign in to this tenant.
    #[arg(long, value_parser = tenant, default_value = PUBLIC)]
    tenant: String,
    /// Only users with a login method of this recipe: emailpassword, thirdparty, passwordless, webauthn.
    #[arg(long)]
    recipe: Option<String>,
    /// List the oldest or the newest first.
    #[arg(long, value_enum, default_value_t = Order::Asc)]
    order: Order,
    /// List at most this many; 0 for all.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    /// Only users whose e-mail address, or its domain, begins with this; at most 1000 are found.
    #[arg(long, value_name = "BEGINNING")]
    email: Option<String>,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

/// Show a user with login methods, roles, metadata and the number of live sessions.
#[derive(Debug, Args)]
struct Show {
    /// Any of the user's ids: internal or mapped, of the person or of a login method.
    id: String,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Delete a user with everything kept for it: sessions, roles, metadata, e-mail verifications, mapped ids.
///
/// Sessions end; their timelines are kept and name the deletion.
#[derive(Debug, Args)]
struct Delete {
    /// Any of the user's ids: internal or mapped, of the person or of a login method.
    id: String,
    /// Delete only the login method with this id and keep those linked to it.
    #[arg(long)]
    only_method: bool,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

impl Users {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.verb {
            Verb::List(list) => list.run(),
            Verb::Show(show) => show.run(),
            Verb::Delete(Delete { id, only_method, app, answered }) => {
                answered.ask(Task::UsersDelete { app: app.id(), user: id, only_method }, print_deleted)
            }
            Verb::Import(import) => import.run(),
        }
    }
}

impl List {
    /// Page after page, so that a long list costs neither side much memory; JSON is printed as one document.
    fn run(self) -> Result<ExitCode> {
        let mut worker = self.answered.worker()?;
        let mut left = if self.limit == 0 { usize::MAX } else { self.limit };
        let mut all = Vec::new();
        let mut wanted = UsersWanted {
            tenant: self.tenant,
            recipe: self.recipe,
            newest_first: self.order == Order::Desc,
            email: self.email,
            ..UsersWanted::default()
        };
        loop {
            wanted.limit = left;
            let task = Task::UsersList { app: self.app.id(), wanted: wanted.clone() };
            let mut answer = worker.run(task)?;
            let rows = output::rows(&answer, "users");
            left = left.saturating_sub(rows.len());
            if self.answered.as_json() {
                all.extend_from_slice(rows);
            } else {
                rows.iter().for_each(print_row);
            }
            let next = answer.get_mut("next").map(Value::take).unwrap_or_default();
            wanted.from = serde_json::from_value(next).context("the answer has no valid position to continue from")?;
            if left == 0 || wanted.from.is_none() {
                break;
            }
        }
        if self.answered.as_json() {
            output::json(&json!({ "users": all }));
        }
        worker.finish()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A user as it is printed for a script.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    user: Value,
    metadata: Option<Members>,
}

impl Show {
    fn run(self) -> Result<ExitCode> {
        let mut user = self.answered.answer(Task::UsersShow { app: self.app.id(), user: self.id })?;
        if self.answered.as_json() {
            let metadata = user.as_object_mut().and_then(|members| members.shift_remove("metadata"));
            let metadata = metadata.as_ref().and_then(Value::as_str).and_then(|text| Members::parse(text).ok());
            output::json(&Shown { user, metadata });
        } else {
            print_user(&user);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints one line: id, time of joining, and what the user signs in with.
fn print_row(user: &Value) {
    let mut names: Vec<String> = Vec::new();
    for method in output::rows(user, "loginMethods") {
        names.push(format!("{}:{}", output::text(method, "recipeId"), login_name(method)));
    }
    output::line(format!("{}  {}  {}", output::text(user, "id"), output::moment(user, "timeJoined"), names.join(" ")));
}

fn login_name(method: &Value) -> String {
    let account = method.get("thirdParty").filter(|account| !account.is_null());
    let account = account.map(|account| format!("{}/{}", output::text(account, "id"), output::text(account, "userId")));
    let names =
        [account, Some(output::text(method, "email").to_owned()), Some(output::text(method, "phoneNumber").to_owned())];
    names.into_iter().flatten().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(",")
}

fn print_user(user: &Value) {
    let primary = if user.get("isPrimaryUser") == Some(&Value::Bool(true)) { ", primary" } else { "" };
    output::line(format!("user {}{primary}, joined {}", output::text(user, "id"), output::moment(user, "timeJoined")));
    if user.get("id") != user.get("internalId") {
        output::line(format!("internal id {}", output::text(user, "internalId")));
    }
    for method in output::rows(user, "loginMethods") {
        let verified = if method.get("verified") == Some(&Value::Bool(true)) { "verified" } else { "not verified" };
        let tenants: Vec<_> = output::rows(method, "tenantIds").iter().map(output::plain).collect();
        output::line(format!(
            "{}  {}  {verified}, joined {}, tenants {}, id {}",
            output::text(method, "recipeId"),
            login_name(method),
            output::moment(method, "timeJoined"),
            tenants.join(" "),
            output::text(method, "recipeUserId"),
        ));
    }
    for (tenant, roles) in user.get("roles").and_then(Value::as_object).into_iter().flatten() {
        let roles: Vec<_> = roles.as_array().into_iter().flatten().map(output::plain).collect();
        if !roles.is_empty() {
            output::line(format!("roles in {tenant}: {}", roles.join(" ")));
        }
    }
    if let Some(metadata) = user.get("metadata").and_then(Value::as_str) {
        output::line(format!("metadata {metadata}"));
    }
    output::line(format!("{} live sessions", output::number(user, "liveSessions")));
}

fn print_deleted(answer: &Value) {
    match output::number(answer, "loginMethodsDeleted") {
        0 => output::line("No such user: nothing to delete."),
        methods => output::line(format!("deleted, {methods} login methods")),
    }
}
