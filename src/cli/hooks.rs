//! `sessiond hooks`: events that hooks have not taken yet, and whether hooks can be reached at all.

use super::common::{Answered, AppName};
use super::output;
use crate::control::Task;
use crate::domain::text::count;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::process::ExitCode;
use uuid::Uuid;

/// Test hooks, and manage events that they have not taken yet.
///
/// An event that a hook does not take is tried again after 5 s, 30 s, 2 min, 10 min, 30 min, and then every hour, until
/// event_hook_retry_hours have passed.
#[derive(Debug, Args)]
pub(super) struct Hooks {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Test(Test),
    List(List),
    /// Tell hooks of events again now.
    Retry(Chosen),
    /// Remove events untold.
    ///
    /// A hook that is just being told may still take one.
    Drop(Chosen),
}

/// Tell every event hook of a test event now, and print what it answered.
#[derive(Debug, Args)]
struct Test {
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// List the events that hooks have not taken yet: by hook, oldest first.
#[derive(Debug, Args)]
struct List {
    /// Print at most this many events.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// What [`Verb::Retry`] and [`Verb::Drop`] are about.
#[derive(Debug, Args)]
struct Chosen {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

#[derive(Debug, Args)]
struct Which {
    /// Id of the event.
    #[arg(required_unless_present = "all", value_parser = event_id)]
    id: Option<Uuid>,
    /// All events of the app.
    #[arg(long, conflicts_with = "id")]
    all: bool,
}

/// The id of an event as hooks and `sessiond hooks list` show it.
fn event_id(text: &str) -> Result<Uuid, String> {
    let uuid = text.strip_prefix("evt_").unwrap_or(text);
    Uuid::parse_str(uuid).map_err(|_| "not an id like evt_018bcfe568007000800000000000000a".to_owned())
}

impl Hooks {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.verb {
            Verb::Test(Test { app, answered }) => answered.ask(Task::HooksTest { app: app.id() }, print_test),
            Verb::List(List { limit, app, answered }) => {
                answered.ask(Task::HooksList { app: app.id(), limit }, print_list)
            }
            Verb::Retry(Chosen { which, app, answered }) => {
                answered.ask(Task::HooksRetry { app: app.id(), id: which.id }, |answer| print_count(answer, "retried"))
            }
            Verb::Drop(Chosen { which, app, answered }) => {
                answered.ask(Task::HooksDrop { app: app.id(), id: which.id }, |answer| print_count(answer, "dropped"))
            }
        }
    }
}

fn print_test(answer: &Value) {
    let rows = output::rows(answer, "hooks").iter().map(|hook| {
        let text = |name| output::text(hook, name).to_owned();
        let status = if text("status") == "TAKEN" { "taken" } else { "not taken" };
        [text("hook"), status.to_owned(), text("answer")]
    });
    output::table(["HOOK", "EVENT", "ANSWER"], rows.collect());
}

fn print_count(answer: &Value, done: &str) {
    output::line(match output::number(answer, done) {
        0 => "No such event.".to_owned(),
        events => format!("{} {done}", count(events, "event")),
    });
}

fn print_list(answer: &Value) {
    let rows = output::rows(answer, "events");
    if rows.is_empty() {
        output::line("No events are waiting.");
        return;
    }
    let rows = rows.iter().map(|event| {
        let text = |name| output::text(event, name).to_owned();
        let (created, next) = (output::moment(event, "timeCreated"), output::moment(event, "nextAttempt"));
        let failures = output::number(event, "failures").to_string();
        [text("id"), created, text("type"), text("hook"), text("state"), next, failures, text("lastError")]
    });
    output::table(["ID", "HAPPENED", "TYPE", "HOOK", "STATE", "NEXT", "FAILURES", "LAST ERROR"], rows.collect());
}
