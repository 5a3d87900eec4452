//! Backup, check and compaction of an open data folder, beside its traffic.

use crate::app::OpenStore;
use crate::control::{Progress, Report};
use crate::store::maintenance::{CheckReport, Finding, Maintain, NoAudit};
use crate::store::{Engine, Progress as StoreProgress, StoreError, passwordless, session, user, userroles};
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

/// Gives back the disk space that the index, older snapshots and older journal take.
///
/// # Errors
/// One sentence for the operator.
pub async fn compact(store: &OpenStore, report: Report) -> Result<Value, String> {
    let engine = disk(store, "compact")?;
    let report = on_thread(move || engine.compact(&translated(&report))).await?;
    Ok(json!(report))
}

/// Gives back disk space if much of it is taken by what is no longer needed: after work that leaves much behind.
pub async fn reclaim(engine: Arc<dyn Engine>, report: Report) {
    if let Err(error) = on_thread(move || engine.reclaim(&translated(&report))).await {
        tracing::warn!(error, "disk space could not be given back; \"sessiond compact\" tries again");
    }
}

/// Reads everything and says what does not hold.
///
/// # Errors
/// One sentence for the operator. Damage is no error but a finding.
pub async fn check(store: &OpenStore, report: Report) -> Result<Value, String> {
    let engine = disk(store, "check")?;
    let files = on_thread(move || engine.check(&mut NoAudit, &translated(&report))).await?;
    with_cross_references(store, files).await
}

/// Completes a report on files with what only the records' meaning shows.
///
/// # Errors
/// When the store fails.
pub async fn with_cross_references(store: &OpenStore, mut files: CheckReport) -> Result<Value, String> {
    let engine = &store.engine;
    let sessions = session::check(&**engine).await.map_err(|error| error.to_string())?;
    let users = user::check(&**engine).await.map_err(|error| error.to_string())?;
    let roles = userroles::check(&**engine).await.map_err(|error| error.to_string())?;
    let passwordless = passwordless::check(&**engine).await.map_err(|error| error.to_string())?;
    let all = [("sessions", sessions), ("users", users), ("roles", roles), ("passwordless sign-ins", passwordless)];
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

/// Passes a store's progress on in the control plane's words.
pub fn translated(report: &Report) -> impl Fn(StoreProgress) + use<> {
    let report = Arc::clone(report);
    move |now| report(Progress { doing: now.stage.to_owned(), done: now.done, total: now.total })
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
