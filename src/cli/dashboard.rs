//! `sessiond dashboard`: the users of the dashboard.

use super::common::{Answered, AppName};
use super::{output, password};
use crate::control::Task;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::process::ExitCode;

/// Manage access to the dashboard.
#[derive(Debug, Args)]
pub(super) struct Dashboard {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    Users(Users),
}

/// List, create and delete dashboard users.
///
/// They are operators of one app and separate from its users.
#[derive(Debug, Args)]
struct Users {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Create(Create),
    Delete(Delete),
}

/// List dashboard users, oldest first.
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Create a dashboard user.
///
/// The password is prompted for on a terminal, without echo, and read from stdin otherwise; never from an
/// argument: arguments are visible to every user of the machine. It needs at least 8 characters, a letter and a digit.
#[derive(Debug, Args)]
struct Create {
    /// E-mail address to sign in with.
    email: String,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Delete a dashboard user and end their dashboard sessions.
#[derive(Debug, Args)]
struct Delete {
    /// E-mail address or id.
    user: String,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

impl Dashboard {
    pub(super) fn run(self) -> Result<ExitCode> {
        let Part::Users(users) = self.part;
        match users.verb {
            Verb::List(List { app, answered }) => answered.ask(Task::DashboardUsersList { app: app.id() }, print_list),
            Verb::Create(Create { email, app, answered }) => {
                let password = password::new_password()?;
                answered.ask(Task::DashboardUsersCreate { app: app.id(), email, password }, |user| {
                    output::line(format!("created {} {}", output::text(user, "userId"), output::text(user, "email")));
                })
            }
            Verb::Delete(Delete { user, app, answered }) => {
                answered.ask(Task::DashboardUsersDelete { app: app.id(), user }, print_deleted)
            }
        }
    }
}

fn print_list(answer: &Value) {
    let rows = output::rows(answer, "users").iter().map(|user| {
        let (id, email) = (output::text(user, "userId").to_owned(), output::text(user, "email").to_owned());
        [id, output::moment(user, "timeJoined"), email]
    });
    output::table(["ID", "JOINED", "EMAIL"], rows.collect());
}

fn print_deleted(answer: &Value) {
    if answer.get("didUserExist") == Some(&Value::Bool(true)) {
        output::line("deleted, and signed out");
    } else {
        output::line("No such user: nothing to delete.");
    }
}
