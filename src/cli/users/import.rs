//! `sessiond users import`: sends a file of users to the server, a few hundred lines at a time.
//!
//! Next to the file are a note of how far the import has got, written after every step and removed at the end, and a
//! report of the lines that were not imported. An interrupted import continues where the note says. The store also
//! knows the last step (it is written together with the users): a step that was executed before the note could record
//! it is answered and not executed again, and a store that lacks steps recorded in the note is refused.

use super::super::common::{Answered, AppName, Worker, tenant};
use super::super::output::{self, Bar};
use super::files::{HashingReader, Report, Source, Step};
use super::format::refuse_other_formats;
use crate::control::{Task, UserLines, WorkProgress};
use crate::domain::ids::{AppId, PUBLIC};
use crate::domain::import::{YEAR_2000, time_joined};
use crate::domain::text::count;
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
/// A user has an "email" and either a "passwordHash" (bcrypt, argon2 or Firebase scrypt; "hashingAlgorithm" is detected
/// if it is not given) or a "plaintextPassword" (slow: each has to be hashed), and may have: "userId" (your own id for
/// the user), "roles" (which must exist), "metadata" (an object), "verified" (of the e-mail address), "timeJoined" (ms
/// since 1970), "tenants" (instead of --tenant). A user is imported with everything or not at all. An existing account
/// with the same e-mail address is left unchanged.
///
/// An interrupted import continues when it is started again, unless the lines already imported have changed or the
/// store was restored to a state without them. Lines that were not imported are listed, with the reason, in
/// FILE.report.jsonl.
///
/// Exports from other products can be converted with jq. An Auth0 export with password hashes:
///
///   jq -c '{email, verified: .email_verified, passwordHash, userId: ("auth0|" + ._id."$oid")}' auth0.json
///
/// `firebase auth:export users.json`, with m, r and s from the project's password hash parameters, and the signer key
/// in the setting firebase_password_hashing_signer_key:
///
///   jq -c '.users[] | select(.passwordHash) | {email, verified: .emailVerified, userId: .localId,
///     timeJoined: (.createdAt | tonumber), passwordHash: "$f_scrypt$\(.passwordHash)$\(.salt)$m=14$r=8$s=Bw=="}' users.json
///
/// A JSON array: jq -c '.[]'. Times in seconds: timeJoined: (.created_at * 1000); as text:
/// (.created_at | fromdate * 1000). Users who sign in with other providers or with codes are imported over HTTP
/// (POST /bulk-import/users).
#[derive(Debug, Args)]
pub(super) struct Import {
    /// File of users; - for standard input (the report is then stdin.report.jsonl).
    file: PathBuf,
    /// Tenant for users that name no tenants.
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

/// How far an import has got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    app: AppId,
    tenant: String,
    /// The id by which the store knows this import.
    import: Uuid,
    /// Number of completed steps.
    steps: u64,
    /// Number of bytes of the file that are imported.
    done: u64,
    /// SHA-256 of those bytes, in hex.
    sha256: String,
    lines: u64,
    imported: u64,
    existing: u64,
    refused: u64,
    /// Length of the report for what is imported, in bytes.
    report: u64,
    /// Number of lines with a time of joining.
    #[serde(default)]
    dated: u64,
    /// Number of those whose time of joining is before 2000.
    #[serde(default)]
    before_2000: u64,
}

impl State {
    /// The state of an import that has not begun.
    fn new(app: AppId, tenant: String) -> Self {
        let import = system::new_id();
        Self {
            app,
            tenant,
            import,
            steps: 0,
            done: 0,
            sha256: HashingReader::sha256_of_nothing(),
            lines: 0,
            imported: 0,
            existing: 0,
            refused: 0,
            report: 0,
            dated: 0,
            before_2000: 0,
        }
    }

    /// Counts the times of joining in a step, where lines have them.
    fn check_times(&mut self, step: &Step) {
        for joined in step.lines.iter().filter_map(|line| time_joined(line)) {
            self.dated += 1;
            self.before_2000 += u64::from(joined < YEAR_2000);
        }
    }

    /// Warns the operator when most times of joining are implausibly old.
    fn warn_about_times(&self) {
        if self.before_2000 * 2 > self.dated {
            output::note(format!(
                "{} of {} users with a 'timeJoined' joined before 2000: is it in seconds? It must be in milliseconds",
                self.before_2000, self.dated
            ));
        }
    }

    /// Records the outcome of a step's lines.
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
            state.check_times(&step);
            let lines = UserLines::new(std::mem::take(&mut step.lines));
            let (app, tenant, import) = (state.app.clone(), state.tenant.clone(), state.import);
            let answer = worker.run(Task::UsersImport { app, tenant, lines, import, step: state.steps })?;
            state.add(&step, &answer, &mut report)?;
            state.sha256 = source.reader.sha256();
            note(&source.path, &state)?;
            let doing = format!("{} imported", count(state.imported, "user"));
            bar.show(WorkProgress { doing, done: state.done, total: source.length });
        }
        drop(bar);
        // The next import of this file begins at its first line. The note is removed first: an import whose steps the
        // store has forgotten cannot continue. A store that is not notified forgets them later anyway.
        let _ = fs::remove_file(note_path(&source.path));
        let end = Task::UsersImportEnd { app: state.app.clone(), import: state.import };
        let _ = worker.run_reporting(end, output::bar());
        worker.finish()?;
        Ok(self.conclude(&state, resumed, report))
    }

    /// Where to begin: at the start, or where an interrupted import left off; and whether it was interrupted.
    fn begin(&self, source: &mut Source, worker: &mut Worker) -> Result<(State, bool)> {
        let path = note_path(&source.path);
        let text = fs::read_to_string(&path).ok();
        let fresh = State::new(self.app.id(), self.tenant.clone());
        if self.restart
            && let Some(abandoned) = text.as_deref().and_then(|text| serde_json::from_str::<State>(text).ok())
            && abandoned.app == fresh.app
        {
            let end = Task::UsersImportEnd { app: abandoned.app, import: abandoned.import };
            worker.run_reporting(end, output::bar())?;
        }
        let Some(text) = text.filter(|_| !self.restart) else {
            // Written before the first step, so that a step cut short right afterwards is known to be of this import.
            note(&source.path, &fresh)?;
            return Ok((fresh, false));
        };
        let state: State = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; --restart starts over", path.display()))?;
        let same_file = source.reader.skip(state.done)? && source.reader.sha256() == state.sha256;
        if !same_file || state.app != fresh.app || state.tenant != fresh.tenant {
            bail!(
                "an import of {} was interrupted, and since then {} changed; --restart starts over and leaves existing \
                 users unchanged",
                source.shown,
                if same_file { "--app or --tenant have" } else { "lines that are already imported have" },
            );
        }
        let resumed = state.steps > 0;
        if resumed {
            output::note(format!("continuing the interrupted import after line {}", state.lines));
        }
        Ok((state, resumed))
    }

    fn conclude(&self, state: &State, resumed: bool, report: Report) -> ExitCode {
        let report = report.finish();
        state.warn_about_times();
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
                "{}: {} imported, {} existing, {} refused",
                count(state.lines, "line"),
                count(state.imported, "user"),
                state.existing,
                state.refused
            ));
            if let Some(report) = report {
                output::line(format!("lines that were not imported: {}", report.display()));
            }
        }
        if state.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Path of the note of how far an import of this file has got.
fn note_path(file: &Path) -> PathBuf {
    beside(file, "import.json")
}

/// Replaces the note atomically: it is never half written.
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
