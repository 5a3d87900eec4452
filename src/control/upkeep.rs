//! Backup, check and compaction of an open data folder, while serving.

use crate::app::OpenStore;
use crate::control::{Report, WorkProgress};
use crate::store::maintenance::{Audit, CheckReport, Finding, Maintain};
use crate::store::{Encoding, Engine, Key, Progress as StoreProgress, StoreError};
use crate::store::{activity, passwordless, records, session, user, userroles};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// Writes a backup into a new folder.
///
/// # Errors
/// One sentence for the operator.
pub async fn backup(store: &OpenStore, to: PathBuf, report: Report) -> Result<Value, String> {
    let engine = disk(store, "back up")?;
    let report = on_thread(move || engine.backup(&to, &translated(&report))).await?;
    Ok(json!(report))
}

/// Gives back the disk space that the index, older snapshots and older journal segments take.
///
/// # Errors
/// One sentence for the operator.
pub async fn compact(store: &OpenStore, report: Report) -> Result<Value, String> {
    let engine = disk(store, "compact")?;
    let report = on_thread(move || engine.compact(&translated(&report))).await?;
    Ok(json!(report))
}

/// Gives back disk space if much of it is no longer needed: called after work that leaves much behind.
pub async fn reclaim(engine: Arc<dyn Engine>, report: Report) {
    if let Err(error) = on_thread(move || engine.reclaim(&translated(&report))).await {
        tracing::warn!(error, "disk space could not be given back; run \"sessiond compact\" to try again");
    }
}

/// Reads everything and reports what is damaged or inconsistent.
///
/// # Errors
/// One sentence for the operator. Damage is a finding, not an error.
pub async fn check(store: &OpenStore, report: Report) -> Result<Value, String> {
    let engine = disk(store, "check")?;
    let files = on_thread(move || engine.check(&mut Readable::default(), &translated(&report))).await?;
    with_cross_references(store, files).await
}

/// Checks that records whose checksums match can be read: a newer version may have written them.
#[derive(Debug, Default)]
pub struct Readable {
    findings: Vec<Finding>,
    unlisted: u64,
}

/// The most records described one by one; more are only counted.
const MAX_DESCRIBED: usize = 100;

impl Audit for Readable {
    fn record(&mut self, key: &Key, value: &[u8]) {
        let Err(error) = records::check(Encoding::Binary, key, value) else { return };
        if self.findings.len() == MAX_DESCRIBED {
            self.unlisted += 1;
            return;
        }
        let what = match error {
            StoreError::Damaged { what, .. } => what,
            other => other.to_string(),
        };
        self.findings.push(Finding { place: key.to_string(), what });
    }

    fn finish(&mut self) -> Vec<Finding> {
        let mut findings = std::mem::take(&mut self.findings);
        if self.unlisted > 0 {
            let what = format!("{} more of them cannot be read", self.unlisted);
            findings.push(Finding { place: "records".to_owned(), what });
        }
        findings
    }
}

/// Adds to a report on files what only the records' meaning reveals.
///
/// # Errors
/// When the store fails.
pub async fn with_cross_references(store: &OpenStore, mut files: CheckReport) -> Result<Value, String> {
    let engine = &store.engine;
    let sessions = session::check(&**engine).await.map_err(|error| error.to_string())?;
    let users = user::check(&**engine).await.map_err(|error| error.to_string())?;
    let activity = activity::check(&**engine).await.map_err(|error| error.to_string())?;
    let roles = userroles::check(&**engine).await.map_err(|error| error.to_string())?;
    let passwordless = passwordless::check(&**engine).await.map_err(|error| error.to_string())?;
    let all = [
        ("sessions", sessions),
        ("users", users),
        ("activity", activity),
        ("roles", roles),
        ("passwordless sign-ins", passwordless),
    ];
    for (place, found) in all {
        files.found += found.broken;
        files.findings.extend(found.described.into_iter().map(|what| Finding { place: place.to_owned(), what }));
    }
    Ok(shown(&files))
}

/// A check's report as `--json` prints it.
#[must_use]
pub fn shown(report: &CheckReport) -> Value {
    let mut shown = json!(report);
    if let Some(members) = shown.as_object_mut() {
        members.insert("sound".to_owned(), json!(report.is_sound()));
    }
    shown
}

/// Passes a store's progress on in the form of the control plane.
pub fn translated(report: &Report) -> impl Fn(StoreProgress) + use<> {
    let report = Arc::clone(report);
    move |now| report(WorkProgress { doing: now.stage.to_owned(), done: now.done, total: now.total })
}

fn disk(store: &OpenStore, verb: &str) -> Result<Arc<dyn Maintain>, String> {
    let nothing = || format!("this server keeps everything in memory: there is nothing to {verb}");
    store.maintenance.clone().ok_or_else(nothing)
}

async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(panic) => Err(format!("the work ended unexpectedly: {panic}; see the server's log")),
    }
}
