//! `sessiond users import`: hands a file of users over, some hundred lines at a time.
//!
//! Beside the file stand a note of how far the import has come, written after every step and removed at its end, and a
//! report of the lines that were not imported. An import that was interrupted goes on where the note says. The store knows
//! the last step, too (it is written with the users): a step that it has done without the note knowing is answered and
//! not done again, and a store that lacks what the note says is done is refused.

use super::super::common::{Answered, AppName, Worker, tenant};
use super::super::output::{self, Bar};
use super::files::{Hashed, Report, Step};
use crate::control::{Progress, Task, UserLines};
use crate::domain::ids::{AppId, PUBLIC};
use crate::system;
use anyhow::{Context, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use uuid::Uuid;

/// Import users from a file with one JSON object per line. Exit code 1 if lines were refused.
///
/// A user has an "email" and either a "passwordHash" (bcrypt, argon2 or Firebase scrypt; "hashingAlgorithm" is found out
/// if it is not given) or a "plaintextPassword" (slow: each has to be hashed), and may have: "userId" (your own id for
/// the user), "roles" (which must exist), "metadata" (an object), "verified" (of the e-mail address), "timeJoined" (ms
/// since 1970), "tenants" (instead of --tenant). A user is imported with everything or not at all. An account with the
/// same e-mail address is left as it is.
///
/// An import that was interrupted goes on when it is started again, unless the lines before that place have changed or the
/// store was restored to a state without them. Lines that were not imported are named, with the
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
    /// By which the store knows this import.
    import: Uuid,
    /// Steps that are done.
    steps: u64,
    /// Bytes of the file that are done.
    done: u64,
    /// SHA-256 of them, in hex.
    sha256: String,
    lines: u64,
    imported: u64,
    existing: u64,
    refused: u64,
    /// Bytes of the report that belong to what is done.
    report: u64,
}

impl State {
    /// Of an import that has not begun.
    fn new(app: AppId, tenant: String) -> Self {
        let import = system::new_id();
        let (sha256, report) = (Hashed::sha256_of_nothing(), 0);
        Self { app, tenant, import, steps: 0, done: 0, sha256, lines: 0, imported: 0, existing: 0, refused: 0, report }
    }

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
        self.steps += 1;
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
        let mut reader = Hashed::new(file);
        let mut worker = self.answered.worker()?;
        let (mut state, resumed) = self.begin(&mut reader, &mut worker)?;
        let mut report = Report::open(beside(&self.file, "report.jsonl"), state.report)?;
        let bar = Bar::new();
        while let Some(mut step) = Step::read(&mut reader)? {
            let lines = UserLines::new(std::mem::take(&mut step.lines));
            let (app, tenant, import) = (state.app.clone(), state.tenant.clone(), state.import);
            let answer = worker.run(Task::UsersImport { app, tenant, lines, import, step: state.steps })?;
            state.add(&step, &answer, &mut report)?;
            state.sha256 = reader.sha256();
            self.note(&state)?;
            let doing = format!("{} users imported", state.imported);
            bar.show(Progress { doing, done: state.done, total: length });
        }
        drop(bar);
        // The next import of this file begins at its first line. The note goes first: an import whose steps the store has
        // forgotten cannot go on. A store that is not told forgets by itself, later.
        let _ = fs::remove_file(self.note_path());
        let end = Task::UsersImportEnd { app: state.app.clone(), import: state.import };
        let _ = worker.run_reporting(end, output::bar());
        worker.finish()?;
        Ok(self.conclude(&state, resumed, report))
    }

    /// Where to begin: at the start, or where an interrupted import has come to; and whether it was interrupted.
    fn begin(&self, reader: &mut Hashed, worker: &mut Worker) -> Result<(State, bool)> {
        let path = self.note_path();
        let text = fs::read_to_string(&path).ok();
        let fresh = State::new(self.app.id(), self.tenant.clone());
        if self.restart
            && let Some(given_up) = text.as_deref().and_then(|text| serde_json::from_str::<State>(text).ok())
            && given_up.app == fresh.app
        {
            let end = Task::UsersImportEnd { app: given_up.app, import: given_up.import };
            worker.run_reporting(end, output::bar())?;
        }
        let Some(text) = text.filter(|_| !self.restart) else {
            // Before the first step, so that one that is done without another word is known to be of this import.
            self.note(&fresh)?;
            return Ok((fresh, false));
        };
        let state: State = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; --restart begins again", path.display()))?;
        let same_file = reader.pass(state.done)? && reader.sha256() == state.sha256;
        if !same_file || state.app != fresh.app || state.tenant != fresh.tenant {
            bail!(
                "an import of {} was interrupted, and since then {} changed; --restart begins again and leaves users \
                 alone that are there",
                self.file.display(),
                if same_file { "--app or --tenant have" } else { "lines that are imported already have" },
            );
        }
        let resumed = state.steps > 0;
        if resumed {
            output::note(format!("going on after line {} with the import that was interrupted", state.lines));
        }
        Ok((state, resumed))
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
