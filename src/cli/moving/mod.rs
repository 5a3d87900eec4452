//! `sessiond move`: in from a SuperTokens core.

mod place;

use super::common::{DataDir, Json, block_on};
use super::output::{self, Bar};
use crate::app;
use crate::command::move_in::{MigrationMode, MoveIn, MovedIn};
use crate::config::BaseConfig;
use crate::control::WorkProgress;
use crate::move_in::source::Source;
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use place::Place;
use serde_json::{Value, json};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Move an installation in from a SuperTokens core.
#[derive(Debug, Args)]
pub(super) struct Move {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    In(In),
}

/// Make a new data folder from a dump of a SuperTokens core's PostgreSQL database (core 6.0 to 12).
///
/// Users keep their ids and passwords, and everybody stays signed in: sessions, signing keys and the secret of refresh
/// tokens come along. Stop the core before you dump its database, and do not start it again: what it does afterwards is
/// not here, and a token that both have refreshed counts as stolen.
///
/// The folder is built beside its place and put there when it is complete; after an interruption run the command again.
#[derive(Debug, Args)]
struct In {
    /// The dump: a file made by pg_dump, plain or compressed with gzip; `-` for standard input. Other forms (custom,
    /// tar, directory) are read with pg_restore if that is installed.
    source: PathBuf,
    /// Move in without keeping the result: say what would come and what would not.
    #[arg(long)]
    dry_run: bool,
    /// The core's migration_mode (core 12), unless its tables show it: LEGACY, DUAL_WRITE_READ_OLD, DUAL_WRITE_READ_NEW
    /// or MIGRATED.
    #[arg(long, value_name = "MODE", value_parser = mode)]
    migration_mode: Option<MigrationMode>,
    #[command(flatten)]
    folder: DataDir,
    #[command(flatten)]
    json: Json,
}

fn mode(text: &str) -> Result<MigrationMode, String> {
    MigrationMode::parse(text)
        .ok_or_else(|| "it is LEGACY, DUAL_WRITE_READ_OLD, DUAL_WRITE_READ_NEW or MIGRATED".to_owned())
}

impl Move {
    pub(super) fn run(self) -> Result<ExitCode> {
        let Verb::In(command) = self.verb;
        command.run()
    }
}

impl In {
    fn run(self) -> Result<ExitCode> {
        let mut config = self.folder.new_folder_config()?;
        if config.ephemeral {
            bail!("ephemeral is set: there would be no folder to move into");
        }
        let place = Place::beside(&config.data_dir)?;
        config.data_dir = place.data();
        match self.move_in(&place, config) {
            Ok(moved) => {
                let target = place.target().to_owned();
                if self.dry_run {
                    place.discard();
                } else {
                    place.finish()?;
                }
                self.print(&moved, &target);
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                place.discard();
                Err(error)
            }
        }
    }

    fn move_in(&self, place: &Place, config: BaseConfig) -> Result<MovedIn> {
        let source = self.open(place)?;
        let config = Arc::new(config);
        block_on(async {
            let context = app::open(&config).await?;
            let bar = Bar::new();
            let show = |doing: &'static str, done, total| {
                bar.show(WorkProgress { doing: doing.to_owned(), done, total });
            };
            let moved = MoveIn { source, mode: self.migration_mode }.run(&context, &show).await;
            context.store.close().await?;
            Ok(moved?)
        })
    }

    fn open(&self, place: &Place) -> Result<Source> {
        let shown = self.source.display();
        if let Some(text) = self.source.to_str()
            && ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme))
        {
            bail!(
                "a live database cannot be read yet: make a dump of it (pg_dump --no-owner … > dump.sql) and name that"
            );
        }
        if self.source == Path::new("-") {
            let path = place.dump();
            let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
            return Ok(Source::spool(io::stdin().lock(), file, &path)?);
        }
        Source::open(&self.source).with_context(|| format!("cannot read {shown}"))
    }

    fn print(&self, moved: &MovedIn, target: &Path) {
        if self.json.json {
            output::json(&as_json(moved, self.dry_run));
            return;
        }
        let report = &moved.report;
        let rows = report.tables.iter().map(|(name, table)| {
            let reasons = table.skipped.iter().map(|(reason, skipped)| format!("{}: {reason}", skipped.count));
            [name.clone(), table.read.to_string(), table.moved.to_string(), reasons.collect::<Vec<_>>().join("; ")]
        });
        output::table(["TABLE", "READ", "MOVED", "LEFT OUT"], rows.collect());
        for note in &report.notes {
            output::line(format!("note: {note}"));
        }
        let apps: Vec<&str> = moved.apps.iter().map(|app| app.app_id.as_str()).collect();
        let release = moved.survey.release.name();
        let (moved, skipped) = (report.moved(), report.skipped());
        output::line(format!("core {release}, apps {}: {moved} rows moved, {skipped} left out", apps.join(", ")));
        if self.dry_run {
            output::line("nothing was kept (--dry-run)");
        } else {
            output::line(format!(
                "{} is ready: start sessiond on it with the settings of the core's config.yaml, which are not in the dump",
                target.display()
            ));
        }
    }
}

fn as_json(moved: &MovedIn, is_dry: bool) -> Value {
    let tables = moved.report.tables.iter().map(|(name, table)| {
        let skipped = table
            .skipped
            .iter()
            .map(|(reason, skipped)| json!({"reason": reason, "count": skipped.count, "examples": skipped.examples}));
        let skipped: Vec<Value> = skipped.collect();
        (name.clone(), json!({"read": table.read, "moved": table.moved, "skipped": skipped}))
    });
    json!({
        "core": moved.survey.release.name(),
        "apps": moved.apps.iter().map(|app| &app.app_id).collect::<Vec<_>>(),
        "tables": tables.collect::<serde_json::Map<_, _>>(),
        "notes": moved.report.notes,
        "moved": moved.report.moved(),
        "skipped": moved.report.skipped(),
        "dryRun": is_dry,
    })
}
