//! `sessiond check`: reads everything and reports what is damaged or inconsistent.

use super::common::{self, DataDir, Json};
use super::output::{self, Bar};
use crate::app::OpenStore;
use crate::control::{Request, upkeep};
use crate::domain::text::count;
use crate::store::data_folder;
use anyhow::Result;
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

/// Read all data and report what is damaged or inconsistent; repairs nothing. Exit code 1 if anything was found.
///
/// Works on a running server, on a stopped folder, and on a backup (name it with --data-dir). Whether sessions, users,
/// roles and their indexes agree is not checked in a backup, after a crash, or in a read-only folder: restore it
/// and check the new folder.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    folder: DataDir,
    #[command(flatten)]
    json: Json,
}

impl Check {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let report = if let Some(mut client) = self.folder.server()? {
            let bar = Bar::new();
            client.request(&Request::Check, |progress| bar.show(progress))?
        } else {
            self.check_folder()?
        };
        if self.json.json {
            output::json(&report);
        } else {
            print(&report);
        }
        let sound = report.get("sound") == Some(&Value::Bool(true));
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn check_folder(&self) -> Result<Value> {
        let config = self.folder.offline_config()?;
        let mut readable = upkeep::Readable::default();
        let files = data_folder::check(&config.data_dir, &mut readable, &upkeep::translated(&output::bar()))?;
        // Checking references between records needs an open store, and opening one that is damaged or was not stopped
        // cleanly would change it.
        if !files.clean || !files.is_sound() || files.read_only {
            let way = if files.backup {
                "restore the backup and check the new folder"
            } else if files.read_only {
                "this folder is read-only; restore it into a new one and check that"
            } else {
                "that needs a folder whose server was stopped cleanly"
            };
            output::note(format!("not checked: whether sessions, users, roles and their indexes agree; {way}"));
            return Ok(upkeep::shown(&files));
        }
        let store = common::open(&config)?;
        common::block_on(async {
            let outcome = upkeep::with_cross_references(&store, files).await;
            close(&store).await?;
            outcome.map_err(anyhow::Error::msg)
        })
    }
}

async fn close(store: &OpenStore) -> Result<()> {
    Ok(store.engine.close().await?)
}

fn print(report: &Value) {
    let kinds = report.get("by_kind").and_then(Value::as_object).into_iter().flatten();
    let kinds: Vec<String> = kinds.map(|(kind, count)| format!("{count} {kind}")).collect();
    let (records, kinds) = (output::counted(report, "record"), kinds.join(", "));
    output::line(format!("{records} ({kinds}), up to frame {}", output::number(report, "frame")));
    let segments = count(output::number(report, "segments"), "journal segment");
    output::line(format!("{} and {segments} read", output::counted(report, "snapshot")));
    for note in output::rows(report, "notes") {
        output::line(format!("note: {}", output::plain(note)));
    }
    let findings = output::rows(report, "findings");
    for finding in findings {
        output::line(format!("DAMAGED {}: {}", output::text(finding, "place"), output::text(finding, "what")));
    }
    match output::number(report, "found") {
        0 => output::line("No damage found."),
        found => {
            let unlisted = found.saturating_sub(findings.len() as u64);
            if unlisted > 0 {
                output::line(format!("({unlisted} more findings of these kinds)"));
            }
            output::line(
                "Way out: a start repairs what snapshot and journal can repair; else restore a backup, or salvage what is \
                 readable into a new folder.",
            );
        }
    }
}
