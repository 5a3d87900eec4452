//! `sessiond users import`: hands a file of users over, some hundred lines at a time.
//!
//! Beside the file stand a note of how far the import has come, written after every step and removed at its end, and a
//! report of the lines that were not imported. An import that was interrupted goes on where the note says; users of the
//! step that was under way are found again by their e-mail address.

use super::super::common::{Answered, AppName, tenant};
use super::super::output::{self, Bar};
use super::files::{Report, Step};
use crate::control::{Progress, Task, UserLines};
use crate::domain::ids::{AppId, PUBLIC};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Import users from a file with one JSON object per line. Exit code 1 if lines were refused.
///
/// A user has an "email" and either a "passwordHash" (bcrypt, argon2 or Firebase scrypt; "hashingAlgorithm" is found out
/// if it is not given) or a "plaintextPassword" (slow: each has to be hashed), and may have: "userId" (your own id for
/// the user), "roles" (which must exist), "metadata" (an object), "verified" (of the e-mail address), "timeJoined" (ms
/// since 1970), "tenants" (instead of --tenant). A user is imported with everything or not at all. An account with the
/// same e-mail address is left as it is.
///
/// An import that was interrupted goes on when it is started again. Lines that were not imported are named, with the
/// reason, in FILE.report.jsonl.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The users.
    file: PathBuf,
    /// For users that name no tenants.
    #[arg(long, value_parser = tenant, default_value = PUBLIC)]
    tenant: String,
    /// Begin at the first line, even if an earlier import of this file was interrupted.
    #[arg(long)]
    restart: bool,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// How far an import has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    app: AppId,
    tenant: String,
    /// Bytes of the whole file: another length is another file.
    length: u64,
    /// Bytes of it that are done.
    done: u64,
    lines: u64,
    imported: u64,
    existing: u64,
    refused: u64,
    /// Bytes of the report that belong to what is done.
    report: u64,
}

impl State {
    /// Takes in what became of a step's lines.
    fn add(&mut self, step: &Step, answer: &Value, report: &mut Report) -> Result<()> {
        self.imported += output::number(answer, "imported");
        let mut named: Vec<(u64, &str, String)> = Vec::new();
        for (kind, count) in [("existing", &mut self.existing), ("refused", &mut self.refused)] {
            for row in output::rows(answer, kind) {
                let (index, why): (usize, String) = serde_json::from_value(row.clone())?;
                named.push((step.numbers.get(index).copied().unwrap_or_default(), kind, why));
                *count += 1;
            }
        }
        for number in &step.too_long {
            named.push((*number, "refused", "the line is too long".to_owned()));
            self.refused += 1;
        }
        named.sort_unstable();
        for (number, kind, why) in named {
            report.add(&json!({ "line": self.lines + number + 1, "outcome": kind, "reason": why }))?;
        }
        self.lines += step.count;
        self.done += step.bytes;
        self.report = report.length();
        Ok(())
    }
}

impl Import {
    pub(super) fn run(self) -> Result<ExitCode> {
        let file = File::open(&self.file).with_context(|| format!("reading {}", self.file.display()))?;
        let length = file.metadata()?.len();
        let mut state = self.begin(length)?;
        let resumed = state.done > 0;
        let mut report = Report::open(beside(&self.file, "report.jsonl"), state.report)?;
        let mut reader = BufReader::new(file);
        reader.seek(SeekFrom::Start(state.done))?;
        let mut worker = self.answered.worker()?;
        let bar = Bar::new();
        while let Some(mut step) = Step::read(&mut reader)? {
            let lines = UserLines::new(std::mem::take(&mut step.lines));
            let (app, tenant) = (state.app.clone(), state.tenant.clone());
            let answer = worker.run(Task::UsersImport { app, tenant, lines })?;
            state.add(&step, &answer, &mut report)?;
            self.note(&state)?;
            let doing = format!("{} users imported", state.imported);
            bar.show(Progress { doing, done: state.done, total: length });
        }
        drop(bar);
        worker.finish()?;
        // The next import of this file begins at its first line.
        let _ = fs::remove_file(self.note_path());
        Ok(self.conclude(&state, resumed, report))
    }

    /// Where to begin: at the start, or where an interrupted import has come to.
    fn begin(&self, length: u64) -> Result<State> {
        let (app, tenant) = (self.app.id(), self.tenant.clone());
        let fresh = State { app, tenant, length, done: 0, lines: 0, imported: 0, existing: 0, refused: 0, report: 0 };
        let path = self.note_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) if !self.restart => text,
            _ => return Ok(fresh),
        };
        let state: State = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; --restart begins again", path.display()))?;
        if state.length != length || state.app != fresh.app || state.tenant != fresh.tenant {
            bail!(
                "an import of {} was interrupted, and since then the file, --app or --tenant have changed; --restart \
                 begins again and leaves users alone that are there",
                self.file.display()
            );
        }
        output::note(format!("going on after line {} with the import that was interrupted", state.lines));
        Ok(state)
    }

    fn note_path(&self) -> PathBuf {
        beside(&self.file, "import.json")
    }

    /// Replaces the note as a whole: it is never half written.
    fn note(&self, state: &State) -> Result<()> {
        let (path, fresh) = (self.note_path(), beside(&self.file, "import.json.new"));
        fs::write(&fresh, serde_json::to_vec(state)?).with_context(|| format!("writing {}", fresh.display()))?;
        fs::rename(&fresh, &path).with_context(|| format!("writing {}", path.display()))
    }

    fn conclude(&self, state: &State, resumed: bool, report: Report) -> ExitCode {
        let report = report.finish();
        if self.answered.as_json() {
            output::json(&json!({
                "lines": state.lines,
                "imported": state.imported,
                "existing": state.existing,
                "refused": state.refused,
                "resumed": resumed,
                "report": report,
            }));
        } else {
            output::line(format!(
                "{} lines: {} users imported, {} there already, {} refused",
                state.lines, state.imported, state.existing, state.refused
            ));
            if let Some(report) = report {
                output::line(format!("lines that were not imported: {}", report.display()));
            }
        }
        if state.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// `users.jsonl` → `users.jsonl.<suffix>`.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{suffix}"));
    PathBuf::from(name)
}
