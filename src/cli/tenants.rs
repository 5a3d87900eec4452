//! `sessiond tenants`: list, show, create and delete the tenants of an app.

use super::common::{Answered, AppName, tenant};
use super::output;
use crate::config::settings;
use crate::control::{NewTenant, OwnSettings, Task};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Map, Value};
use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

/// List, show, create and delete the tenants of an app.
#[derive(Debug, Args)]
pub(super) struct Tenants {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Show(Show),
    Create(Create),
    Delete(Delete),
}

/// List the tenants of an app.
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Show a tenant with its own settings, its providers and the number of its users.
#[derive(Debug, Args)]
struct Show {
    /// Id of the tenant.
    #[arg(value_name = "TENANT", value_parser = tenant)]
    id: String,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Create a tenant. Without --first-factors no one can sign in to it.
#[derive(Debug, Args)]
struct Create {
    /// Id of the tenant.
    #[arg(value_name = "TENANT")]
    id: String,
    #[command(flatten)]
    new: New,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Delete a tenant with its sessions, roles, codes and settings; users stay in the app, without it.
#[derive(Debug, Args)]
struct Delete {
    /// Id of the tenant.
    #[arg(value_name = "TENANT", value_parser = tenant)]
    id: String,
    #[command(flatten)]
    confirmed: Confirmed,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// The settings and factors of a new app or tenant.
#[derive(Debug, Args)]
pub(super) struct New {
    /// A setting of its own; may be repeated. See docs/configuration.md for the settings that may differ.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    settings: Vec<(String, Value)>,
    /// Factors that may start a sign-in: emailpassword, thirdparty, otp-email, otp-phone, link-email, link-phone.
    #[arg(long, value_name = "FACTORS", value_delimiter = ',')]
    first_factors: Option<Vec<String>>,
    /// Factors that must follow, such as totp.
    #[arg(long, value_name = "FACTORS", value_delimiter = ',')]
    second_factors: Option<Vec<String>>,
}

impl New {
    /// The same, as the server takes it.
    pub(super) fn state(self) -> Result<NewTenant> {
        let mut settings = Map::new();
        for (key, value) in self.settings {
            if settings.insert(key.clone(), value).is_some() {
                bail!("--set {key} was given twice");
            }
        }
        Ok(NewTenant {
            core_config: OwnSettings::new(settings),
            first_factors: self.first_factors,
            required_secondary_factors: self.second_factors,
        })
    }
}

/// Reads `key=value`; the setting's type decides whether the text is a number, a boolean or text.
fn setting(written: &str) -> Result<(String, Value), String> {
    let Some((key, text)) = written.split_once('=') else { return Err("it must be KEY=VALUE".to_owned()) };
    let is_text =
        settings::find(key).is_some_and(|setting| matches!(setting.kind, settings::Kind::Text | settings::Kind::Json));
    let value = if is_text { None } else { serde_json::from_str(text).ok() };
    Ok((key.to_owned(), value.unwrap_or_else(|| Value::String(text.to_owned()))))
}

/// Confirmation of a deletion.
#[derive(Debug, Args)]
pub(super) struct Confirmed {
    /// Do not ask for confirmation.
    #[arg(long, short = 'y')]
    yes: bool,
}

impl Confirmed {
    /// Has the operator type the name; without a terminal, --yes is required.
    pub(super) fn ask(&self, name: &str, what: &str, with: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            bail!("this deletes the {what} {name} with {with}: pass --yes to do it");
        }
        output::note(format!("This deletes the {what} {name} with {with}. Type its id to continue:"));
        let mut typed = String::new();
        io::stdin().lock().read_line(&mut typed)?;
        if typed.trim() != name {
            bail!("nothing was deleted");
        }
        Ok(())
    }
}

impl Tenants {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.verb {
            Verb::List(List { app, answered }) => answered.ask(Task::TenantsList { app: app.id() }, print_list),
            Verb::Show(Show { id, app, answered }) => {
                answered.ask(Task::TenantsShow { app: app.id(), tenant: id }, |tenant| {
                    output::line(format!("tenant {}", output::text(tenant, "tenantId")));
                    output::line(output::counted(tenant, "user"));
                    print_state(tenant);
                })
            }
            Verb::Create(Create { id, new, app, answered }) => {
                let task = Task::TenantsCreate { app: app.id(), tenant: id, new: new.state()? };
                answered.ask(task, |answer| output::line(format!("created {}", output::text(answer, "tenantId"))))
            }
            Verb::Delete(Delete { id, confirmed, app, answered }) => {
                confirmed.ask(&id, "tenant", "its sessions, roles, codes and settings")?;
                answered.ask(Task::TenantsDelete { app: app.id(), tenant: id }, print_deleted)
            }
        }
    }
}

fn print_list(answer: &Value) {
    let rows = output::rows(answer, "tenants").iter();
    let rows = rows.map(|row| [output::text(row, "tenantId").to_owned(), first_factors(row), second_factors(row)]);
    output::table(["TENANT", "FIRST FACTORS", "SECOND FACTORS"], rows.collect());
}

fn first_factors(row: &Value) -> String {
    match row.get("firstFactors").and_then(Value::as_array) {
        None => "all".to_owned(),
        Some(list) if list.is_empty() => "none".to_owned(),
        Some(list) => list.iter().map(output::plain).collect::<Vec<_>>().join(","),
    }
}

fn second_factors(row: &Value) -> String {
    let list = output::rows(row, "requiredSecondaryFactors");
    if list.is_empty() { "-".to_owned() } else { list.iter().map(output::plain).collect::<Vec<_>>().join(",") }
}

/// Prints the factors, providers and settings of a tenant, the public one of an app included.
pub(super) fn print_state(tenant: &Value) {
    output::line(format!("first factors: {}", first_factors(tenant)));
    output::line(format!("second factors: {}", second_factors(tenant)));
    let providers: Vec<_> = output::rows(tenant, "providers").iter().map(output::plain).collect();
    if !providers.is_empty() {
        output::line(format!("providers: {}", providers.join(" ")));
    }
    for (key, value) in tenant.get("coreConfig").and_then(Value::as_object).into_iter().flatten() {
        output::line(format!("{key}: {}", output::plain(value)));
    }
}

/// Prints the outcome of a deletion.
pub(super) fn print_deleted(answer: &Value) {
    let existed = answer.get("existed") == Some(&Value::Bool(true));
    output::line(if existed { "deleted" } else { "It did not exist: nothing to delete." });
}
