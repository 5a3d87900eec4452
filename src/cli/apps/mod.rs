//! `sessiond apps`: list, show, create, delete, and move apps.

mod archive;
mod named;

pub(super) use named::Named;

use super::common::Answered;
use super::output;
use super::tenants::{self, Confirmed, New};
use crate::control::Task;
use crate::domain::ids::PUBLIC;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::process::ExitCode;

/// List, show, create, delete, export and import apps.
#[derive(Debug, Args)]
pub(super) struct Apps {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Show(Show),
    Create(Create),
    Delete(Delete),
    Export(archive::Export),
    Import(archive::Import),
}

/// List all apps.
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    answered: Answered,
}

/// Show an app with its own settings and the number of its users.
#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    app: Named,
    #[command(flatten)]
    answered: Answered,
}

/// Create an app.
#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    app: Named,
    #[command(flatten)]
    new: New,
    #[command(flatten)]
    answered: Answered,
}

/// Delete an app with all its users, sessions, keys and settings.
#[derive(Debug, Args)]
struct Delete {
    #[command(flatten)]
    app: Named,
    /// Delete its other tenants too.
    #[arg(long)]
    with_tenants: bool,
    #[command(flatten)]
    confirmed: Confirmed,
    #[command(flatten)]
    answered: Answered,
}

impl Apps {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.verb {
            Verb::List(List { answered }) => answered.ask(Task::AppsList, print_list),
            Verb::Show(Show { app, answered }) => answered.ask(Task::AppsShow { app: app.id()? }, print_app),
            Verb::Create(Create { app, new, answered }) => {
                let task = Task::AppsCreate { app: app.id()?, new: new.state()? };
                answered.ask(task, |answer| output::line(format!("created {}", output::text(answer, "appId"))))
            }
            Verb::Delete(Delete { app, with_tenants, confirmed, answered }) => {
                let id = app.id()?;
                confirmed.ask(&id.app_id, "app", "all its users, sessions, keys and settings")?;
                answered.ask(Task::AppsDelete { app: id, with_tenants }, tenants::print_deleted)
            }
            Verb::Export(export) => export.run(),
            Verb::Import(import) => import.run(),
        }
    }
}

fn print_list(answer: &Value) {
    let rows = output::rows(answer, "apps").iter().map(|app| {
        let domain = output::text(app, "connectionUriDomain");
        let tenants = output::number(app, "tenants").to_string();
        [output::text(app, "appId").to_owned(), tenants, domain.to_owned()]
    });
    output::table(["APP", "TENANTS", "DOMAIN"], rows.collect());
}

fn print_app(app: &Value) {
    let (id, domain) = (output::text(app, "appId"), output::text(app, "connectionUriDomain"));
    let of_domain = if domain.is_empty() { String::new() } else { format!(" of {domain}") };
    let public = if id == PUBLIC { " (the app that always exists)" } else { "" };
    output::line(format!("app {id}{of_domain}{public}"));
    output::line(format!("{}, {}", output::counted(app, "tenant"), output::counted(app, "user")));
    tenants::print_state(app);
}
