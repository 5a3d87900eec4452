//! `sessiond config`: effective settings and where each came from; `config check` says what is wrong with them.

mod check;

use super::common::{DataDir, Json};
use super::output;
use crate::config;
use crate::control::{Request, operator};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::process::ExitCode;

/// Show the effective settings and where each came from; secrets are masked.
///
/// Asks the running server, if there is one; otherwise shows what a server started here would use.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Config {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    folder: DataDir,
    #[command(flatten)]
    json: Json,
    /// Show what a server started here would use, even if one is running.
    #[arg(long)]
    offline: bool,
    /// Show only settings that differ from the defaults.
    #[arg(long)]
    changed: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
}

impl Config {
    pub(super) fn run(&self) -> Result<ExitCode> {
        if let Some(Command::Check(command)) = &self.command {
            return Ok(command.run());
        }
        let server = if self.offline { None } else { self.folder.server()? };
        let mut document = if let Some(mut client) = server {
            client.request(&Request::Config, |_| ())?
        } else {
            let loaded = config::load(&self.folder.sources())?;
            for warning in &loaded.warnings {
                output::note(format!("warning: {warning}"));
            }
            operator::effective(&loaded.config)
        };
        if self.changed
            && let Some(rows) = document.get_mut("settings").and_then(Value::as_array_mut)
        {
            rows.retain(|row| row.get("from").and_then(Value::as_str) != Some("default"));
        }
        if self.json.json {
            output::json(&document);
        } else {
            print(&document);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(document: &Value) {
    output::line(format!("config file: {}", document.get("configFile").and_then(Value::as_str).unwrap_or("none")));
    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    for row in document.get("settings").and_then(Value::as_array).into_iter().flatten() {
        output::line(format!("{} = {}  ({})", text(row, "key"), text(row, "value"), text(row, "from")));
    }
}
