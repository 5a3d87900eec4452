//! `sessiond sessions`: lists a user's sessions, explains why one ended, ends sessions.

use super::common::{Answered, AppName, tenant};
use super::output;
use crate::control::{Revoke, Task};
use crate::domain::text::count;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::process::ExitCode;

/// List, explain and end sessions.
#[derive(Debug, Args)]
pub(super) struct Sessions {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Why(Why),
    Revoke(RevokeArgs),
}

/// List a user's live sessions.
#[derive(Debug, Args)]
struct List {
    /// Id of the user.
    user: String,
    /// Only sessions of this tenant.
    #[arg(long, value_parser = tenant)]
    tenant: Option<String>,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Show what happened to a session, even after its end.
#[derive(Debug, Args)]
struct Why {
    /// The session's handle.
    handle: String,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// End sessions.
#[derive(Debug, Args)]
struct RevokeArgs {
    /// Handles of the sessions to end.
    #[arg(required_unless_present = "user")]
    handles: Vec<String>,
    /// End all sessions of this user instead.
    #[arg(long, conflicts_with = "handles")]
    user: Option<String>,
    /// With --user: only sessions of this tenant.
    #[arg(long, requires = "user", value_parser = tenant)]
    tenant: Option<String>,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

impl Sessions {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.verb {
            Verb::List(List { user, tenant, app, answered }) => {
                answered.ask(Task::SessionsList { app: app.id(), user, tenant }, print_list)
            }
            Verb::Why(Why { handle, app, answered }) => {
                answered.ask(Task::SessionsWhy { app: app.id(), handle }, print_story)
            }
            Verb::Revoke(RevokeArgs { handles, user, tenant, app, answered }) => {
                let which = match user {
                    Some(user) => Revoke::User(user, tenant),
                    None => Revoke::Handles(handles),
                };
                answered.ask(Task::SessionsRevoke { app: app.id(), which }, print_revoked)
            }
        }
    }
}

fn print_list(answer: &Value) {
    let rows = output::rows(answer, "sessions");
    if rows.is_empty() {
        output::line("No live sessions.");
    }
    for row in rows {
        let (created, expiry) = (output::moment(row, "timeCreated"), output::moment(row, "expiry"));
        output::line(format!("{}  created {created}, expires {expiry}", output::text(row, "sessionHandle")));
        print_clients(row);
    }
}

/// Prints from where a session was created and last refreshed, where that is known.
fn print_clients(session: &Value) {
    let of = |client: &Value| {
        let agent = output::text(client, "userAgent");
        let said = if agent.is_empty() { String::new() } else { format!(", {agent}") };
        format!("{}{said}", output::text(client, "address"))
    };
    if let Some(client) = session.get("createdFrom") {
        output::line(format!("  created from {}", of(client)));
    }
    if let Some(client) = session.get("refreshedFrom") {
        output::line(format!("  refreshed {} from {}", output::moment(client, "time"), of(client)));
    }
}

fn print_story(answer: &Value) {
    output::line(output::text(answer, "summary"));
    output::line(format!(
        "session {} of user {}",
        output::text(answer, "sessionHandle"),
        output::text(answer, "userId")
    ));
    print_clients(answer);
    for event in output::rows(answer, "events") {
        let mut line = format!("{}  {}", output::moment(event, "time"), output::text(event, "event"));
        for (name, value) in event.as_object().into_iter().flatten() {
            if name != "time" && name != "event" && !value.is_null() {
                line.push_str(&format!("  {name}={}", output::plain(value)));
            }
        }
        output::line(line);
    }
    match answer.get("eventsOmitted").and_then(Value::as_u64) {
        Some(0) | None => {}
        Some(omitted) => {
            let omitted = count(omitted, "event");
            output::line(format!("({omitted} after the first not kept)"));
        }
    }
}

fn print_revoked(answer: &Value) {
    let rows = output::rows(answer, "sessionHandlesRevoked");
    if rows.is_empty() {
        output::line("No such live sessions: nothing to end.");
    }
    for handle in rows {
        output::line(format!("ended {}", output::plain(handle)));
    }
}
