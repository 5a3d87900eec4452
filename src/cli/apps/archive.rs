//! `sessiond apps export` and `import`: moving an app to another installation.

use super::super::common::Answered;
use super::super::output;
use super::named::{Named, domain};
use crate::config::{ARCHIVE_KEY, secret_file, secret_variable};
use crate::control::{PlainSecret, Task, WantedImport};
use crate::domain::tenancy;
use crate::domain::text::count;
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write an archive of an app: everything that belongs to it at one moment, even while the server is running.
///
/// A running server writes the file itself, with its own rights, to a path on its own machine. The archive holds
/// password hashes, sessions and signing keys: keep it as safe as the data folder. Signing keys are sealed in it under
/// the key in SESSIOND_ARCHIVE_KEY or --key-file, if one is given; the import needs the same.
#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    app: Named,
    /// The new file.
    to: PathBuf,
    #[command(flatten)]
    key: KeyFile,
    /// Write signing keys unsealed, even though this installation keeps them sealed.
    #[arg(long, conflicts_with = "key_file")]
    plain: bool,
    #[command(flatten)]
    answered: Answered,
}

/// Create an app from an archive; never overwrites an existing one.
///
/// The app is imported whole or not at all, and is served as soon as it exists. Tokens issued before remain valid, with
/// the same signing keys. Delete the app from its old installation before sending callers to the new one.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The archive.
    from: PathBuf,
    /// Import under this id instead of the archive's.
    #[arg(long = "as", value_name = "APP")]
    as_id: Option<String>,
    /// Import into this connection URI domain instead of the archive's.
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    #[command(flatten)]
    key: KeyFile,
    #[command(flatten)]
    answered: Answered,
}

/// The key of an archive.
#[derive(Debug, Args)]
struct KeyFile {
    /// File that holds the archive's key, at least 32 characters.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl KeyFile {
    /// Not an argument, because arguments are visible to every user of the machine.
    fn read(&self) -> Result<Option<PlainSecret>> {
        let variable = secret_variable(ARCHIVE_KEY, std::env::var_os(ARCHIVE_KEY).as_deref())?;
        match (&self.key_file, variable) {
            (Some(path), None) => Ok(Some(PlainSecret::new(secret_file("--key-file", path)?.expose().as_str()))),
            (None, variable) => Ok(variable.map(|key| PlainSecret::new(key.expose().as_str()))),
            (Some(_), Some(_)) => bail!("{ARCHIVE_KEY} and --key-file exclude each other"),
        }
    }
}

impl Export {
    pub(super) fn run(self) -> Result<ExitCode> {
        let key = self.key.read()?;
        if self.plain && key.is_some() {
            bail!("{ARCHIVE_KEY} and --plain exclude each other");
        }
        let task = Task::AppsExport { app: self.app.id()?, to: absolute(&self.to)?, key, plain: self.plain };
        self.answered.ask(task, print_exported)
    }
}

impl Import {
    pub(super) fn run(self) -> Result<ExitCode> {
        let as_id = self.as_id.as_deref().map(tenancy::app_id).transpose();
        let wanted = WantedImport {
            from: absolute(&self.from)?,
            as_id: as_id.map_err(|error| anyhow::anyhow!("{error}"))?,
            domain: self.domain.as_deref().map(domain).transpose()?,
            key: self.key.read()?,
        };
        self.answered.ask(Task::AppsImport(wanted), print_imported)
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot resolve the path {}", path.display()))
}

fn print_exported(answer: &Value) {
    let size = output::size(output::number(answer, "bytes"));
    let (app, records) = (output::text(answer, "appId"), count(output::number(answer, "count"), "record"));
    output::line(format!("{} holds app {app}: {records}, {size}", output::text(answer, "archive")));
    let sealed = answer.get("sealed") == Some(&Value::Bool(true));
    output::line(if sealed { "Its signing keys are sealed." } else { "Its signing keys are not sealed." });
}

fn print_imported(answer: &Value) {
    let (app, records) = (output::text(answer, "appId"), count(output::number(answer, "count"), "record"));
    output::line(format!("imported app {app}: {records}"));
}
