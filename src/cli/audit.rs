//! `sessiond audit`: who signed in, who was refused, what changed.

use super::common::{Answered, AppName};
use super::{moment, output};
use crate::control::Task;
use crate::domain::audit::AuditKind;
use anyhow::Result;
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

/// Print the audit log, newest first.
#[derive(Debug, Args)]
pub(super) struct Audit {
    /// Only events about this user.
    #[arg(long)]
    user: Option<String>,
    /// Only events of this kind.
    #[arg(long, value_parser = kinds())]
    kind: Option<String>,
    /// Print at most this many events.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Only events from this moment on (2026-11-23T09:00:00Z, or seconds or milliseconds since 1970).
    #[arg(long, value_name = "MOMENT", value_parser = moment::read)]
    from: Option<u64>,
    /// Only events before this moment.
    #[arg(long, value_name = "MOMENT", value_parser = moment::read)]
    to: Option<u64>,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

impl Audit {
    pub(super) fn run(self) -> Result<ExitCode> {
        let Self { user, kind, limit, from, to, app, answered } = self;
        answered.ask(Task::Audit { app: app.id(), user, kind, limit, from, to }, print)
    }
}

fn kinds() -> clap::builder::PossibleValuesParser {
    AuditKind::ALL.map(AuditKind::name).into()
}

fn print(answer: &Value) {
    let rows = output::rows(answer, "events");
    if rows.is_empty() {
        output::line("No such events.");
    }
    for event in rows {
        let mut line = format!("{}  {}", output::moment(event, "time"), output::text(event, "kind"));
        for (name, value) in event.as_object().into_iter().flatten() {
            if name != "time" && name != "kind" {
                line.push_str(&format!("  {name}={}", output::plain(value)));
            }
        }
        output::line(line);
    }
}
