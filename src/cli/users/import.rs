//! `sessiond users import`: hands a file of users over, some hundred lines at a time.
//!
//! Beside the file are a note of how far the import has come, written after every step and removed at its end, and a
//! report of the lines that were not imported. An import that was interrupted goes on where the note says. The store knows
//! the last step, too (it is written with the users): a step that it has done without the note knowing is answered and
//! not done again, and a store that lacks what the note says is done is refused.

use super::super::common::{Answered, AppName, Worker, tenant};
use super::super::output::{self, Bar};
use super::files::{Hashed, Report, Source, Step};
use super::format::refuse_other_formats;
use crate::control::{Progress, Task, UserLines};
use crate::domain::ids::{AppId, PUBLIC};
use crate::domain::import::{YEAR_2000, time_joined};
use crate::system;
use anyhow::{Context, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use uuid::Uuid;

/// Import users from a file with one JSON object per line, in UTF-8. Exit code 1 if lines were refused.
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
///
/// Exports of other products become such lines with jq. An Auth0 export with password hashes:
///
///   jq -c '{email, verified: .email_verified, passwordHash, userId: ("auth0|" + ._id."$oid")}' auth0.json
///
/// `firebase auth:export users.json`, with m, r and s from the project's password hash parameters, and the signer key in the
/// setting firebase_password_hashing_signer_key:
///
///   jq -c '.users[] | select(.passwordHash) | {email, verified: .emailVerified, userId: .localId,
///     timeJoined: (.createdAt | tonumber), passwordHash: "$f_scrypt$\(.passwordHash)$\(.salt)$m=14$r=8$s=Bw=="}' users.json
///
/// A JSON array: jq -c '.[]'. Moments in seconds: timeJoined: (.created_at * 1000); in words: (.created_at | fromdate * 1000).
/// People who sign in with other providers or with codes come in over HTTP (POST /bulk-import/users).
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The users; - for standard input (the report is stdin.report.jsonl then).
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
    /// Lines that say when the user joined.
    #[serde(default)]
    dated: u64,
    /// Of these, lines that say so of a moment before 2000.
    #[serde(default)]
    before_2000: u64,
}

impl State {
    /// Of an import that has not begun.
    fn new(app: AppId, tenant: String) -> Self {
        let import = system::new_id();
        Self {
            app,
            tenant,
            import,
            steps: 0,
            done: 0,
            sha256: Hashed::sha256_of_nothing(),
            lines: 0,
            imported: 0,
            existing: 0,
            refused: 0,
            report: 0,
            dated: 0,
            before_2000: 0,
        }
    }

    /// Counts when the users of a step joined, as far as the lines say so.
    fn look_at_times(&mut self, step: &Step) {
        for joined in step.lines.iter().filter_map(|line| time_joined(line)) {
            self.dated += 1;
            self.before_2000 += u64::from(joined < YEAR_2000);
        }
    }

    /// Asks the operator when most moments are too old to be meant.
    fn remark_on_times(&self) {
        if self.before_2000 * 2 > self.dated {
            output::note(format!(
                "{} of {} users with a 'timeJoined' joined before 2000: is it in seconds? It must be in milliseconds",
                self.before_2000, self.dated
            ));
        }
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
        for (number, why) in &step.refused {
            named.push((*number, "refused", (*why).to_owned()));
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
        let mut source = Source::open(&self.file)?;
        refuse_other_formats(source.reader.fill_buf()?, &source.shown)?;
        let mut worker = self.answered.worker()?;
        let (mut state, resumed) = self.begin(&mut source, &mut worker)?;
        let mut report = Report::open(beside(&source.path, "report.jsonl"), state.report)?;
        let bar = Bar::new();
        while let Some(mut step) = Step::read(&mut source.reader)? {
            state.look_at_times(&step);
            let lines = UserLines::new(std::mem::take(&mut step.lines));
            let (app, tenant, import) = (state.app.clone(), state.tenant.clone(), state.import);
            let answer = worker.run(Task::UsersImport { app, tenant, lines, import, step: state.steps })?;
            state.add(&step, &answer, &mut report)?;
            state.sha256 = source.reader.sha256();
            note(&source.path, &state)?;
            let doing = format!("{} users imported", state.imported);
            bar.show(Progress { doing, done: state.done, total: source.length });
        }
        drop(bar);
        // The next import of this file begins at its first line. The note goes first: an import whose steps the store has
        // forgotten cannot go on. A store that is not told forgets by itself, later.
        let _ = fs::remove_file(note_path(&source.path));
        let end = Task::UsersImportEnd { app: state.app.clone(), import: state.import };
        let _ = worker.run_reporting(end, output::bar());
        worker.finish()?;
        Ok(self.conclude(&state, resumed, report))
    }

    /// Where to begin: at the start, or where an interrupted import has come to; and whether it was interrupted.
    fn begin(&self, source: &mut Source, worker: &mut Worker) -> Result<(State, bool)> {
        let path = note_path(&source.path);
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
            note(&source.path, &fresh)?;
            return Ok((fresh, false));
        };
        let state: State = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; --restart begins again", path.display()))?;
        let same_file = source.reader.pass(state.done)? && source.reader.sha256() == state.sha256;
        if !same_file || state.app != fresh.app || state.tenant != fresh.tenant {
            bail!(
                "an import of {} was interrupted, and since then {} changed; --restart begins again and leaves users \
                 alone that are there",
                source.shown,
                if same_file { "--app or --tenant have" } else { "lines that are imported already have" },
            );
        }
        let resumed = state.steps > 0;
        if resumed {
            output::note(format!("going on after line {} with the import that was interrupted", state.lines));
        }
        Ok((state, resumed))
    }

    fn conclude(&self, state: &State, resumed: bool, report: Report) -> ExitCode {
        let report = report.finish();
        state.remark_on_times();
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

/// The note of how far an import of this file has come.
fn note_path(file: &Path) -> PathBuf {
    beside(file, "import.json")
}

/// Replaces the note as a whole: it is never half written.
fn note(file: &Path, state: &State) -> Result<()> {
    let (path, fresh) = (note_path(file), beside(file, "import.json.new"));
    fs::write(&fresh, serde_json::to_vec(state)?).with_context(|| format!("writing {}", fresh.display()))?;
    fs::rename(&fresh, &path).with_context(|| format!("writing {}", path.display()))
}

/// `users.jsonl` → `users.jsonl.<suffix>`.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{suffix}"));
    PathBuf::from(name)
}
