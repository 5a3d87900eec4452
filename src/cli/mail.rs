//! `sessiond mail`: mails that are not sent yet, and whether mails can be sent at all.

use super::common::{Answered, AppName};
use super::output;
use crate::control::Task;
use crate::domain::text::count;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::process::ExitCode;
use uuid::Uuid;

/// Test the sending of mail, and manage mails that are not sent yet.
///
/// A mail that cannot be sent is tried again after 5 s, 30 s, 2 min, 10 min, 30 min, and then every hour until the token
/// that it carries expires. One that the server has refused for good three times is held.
#[derive(Debug, Args)]
pub(super) struct Mail {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Test(Test),
    List(List),
    Retry(Retry),
    Drop(Drop),
}

/// Send a test mail or text message now, and print what the server said.
#[derive(Debug, Args)]
struct Test {
    /// Address to send it to, or a phone number such as +4915112345678.
    address: String,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// List the mails that are not sent yet, oldest first.
#[derive(Debug, Args)]
struct List {
    /// Print at most this many mails.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Try mails again now, also those that are held.
#[derive(Debug, Args)]
struct Retry {
    /// Id of the mail.
    #[arg(required_unless_present = "all")]
    id: Option<Uuid>,
    /// Try all mails of the app again.
    #[arg(long, conflicts_with = "id")]
    all: bool,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Remove a mail unsent.
///
/// The token that it carries stays valid until it expires. A mail that is just on its way may still arrive.
#[derive(Debug, Args)]
struct Drop {
    /// Id of the mail.
    id: Uuid,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

impl Mail {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.verb {
            Verb::Test(Test { address, app, answered }) => {
                answered.ask(Task::MailTest { app: app.id(), to: address }, print_test)
            }
            Verb::List(List { limit, app, answered }) => {
                answered.ask(Task::MailList { app: app.id(), limit }, print_list)
            }
            Verb::Retry(Retry { id, all: _, app, answered }) => {
                answered.ask(Task::MailRetry { app: app.id(), id }, |answer| match output::number(answer, "retried") {
                    0 => output::line("No such mail: nothing to try again."),
                    retried => output::line(format!("{} tried again", count(retried, "mail"))),
                })
            }
            Verb::Drop(Drop { id, app, answered }) => answered.ask(Task::MailDrop { app: app.id(), id }, |answer| {
                let existed = answer.get("didMailExist") == Some(&Value::Bool(true));
                output::line(if existed { "dropped" } else { "No such mail: nothing to drop." });
            }),
        }
    }
}

fn print_test(answer: &Value) {
    let missing = output::text(answer, "missing");
    if output::text(answer, "status") == "SENT" {
        let (server, words) = (output::text(answer, "server"), output::text(answer, "answer"));
        output::line(format!("{server} took the mail: {words}"));
    } else if answer.get("inMemoryOfServer") == Some(&Value::Bool(true)) {
        output::line(format!("caught: {missing} is not set, so it is not sent but kept in the server's memory"));
    } else {
        output::line(format!("not sent: {missing} is not set, so a server would catch it"));
    }
}

fn print_list(answer: &Value) {
    let rows = output::rows(answer, "mails");
    if rows.is_empty() {
        output::line("No mails are waiting.");
        return;
    }
    let rows = rows.iter().map(|mail| {
        let text = |name| output::text(mail, name).to_owned();
        let (created, next) = (output::moment(mail, "timeCreated"), output::moment(mail, "nextAttempt"));
        let failures = output::number(mail, "failures").to_string();
        [text("id"), created, text("kind"), text("to"), text("state"), next, failures, text("lastError")]
    });
    output::table(["ID", "WRITTEN", "KIND", "TO", "STATE", "NEXT", "FAILURES", "LAST ERROR"], rows.collect());
}
