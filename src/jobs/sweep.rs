//! Removes expired sessions, the timelines of ended sessions after their retention time, expired tokens,
//! old dashboard sessions, and old events of the audit log.
//!
//! There is no index by expiry. A sweep walks the rows steadily, a page per step, and deletes what is due in the page:
//! the cost per step is bounded however many sessions there are, and an engine that reclaims space slowly never sees a
//! mass delete.

use super::step::{PAGE, decoded};
use super::{audit, email_tokens};
use crate::command::scope::{Cause, Scope};
use crate::command::session::ending::end_session;
use crate::command::transact::{Step, transact_unqueued};
use crate::config::AppConfig;
use crate::context::Context;
use crate::domain::ids::AppId;
use crate::domain::session::event::EventKind;
use crate::domain::time::UnixMillis;
use crate::domain::token_series;
use crate::fault::Fault;
use crate::store::dashboard::DashboardSessionRecord;
use crate::store::session::{self, Ending, SessionRecord, clients, parse_row_key};
use crate::store::timeline::{TimelineRecord, purge_at};
use crate::store::walk::Pages;
use crate::store::{Key, Keyspace};

/// The kinds of rows that a sweep walks over, in this order.
const STAGES: [Keyspace; 5] = [
    Keyspace::Session,
    Keyspace::Timeline,
    Keyspace::EmailVerificationToken,
    Keyspace::AuditEvent,
    Keyspace::DashboardSession,
];

/// One walk over all rows that expire, kind by kind.
#[derive(Debug)]
pub struct Sweep {
    /// The current stage and what is left of it; `None` after the last one.
    pages: Option<(Keyspace, Pages)>,
    removed: SweepCounts,
}

/// The number of rows that a sweep has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepCounts {
    /// Sessions past their end of life.
    pub sessions: u64,
    /// Timelines past their retention time.
    pub timelines: u64,
    /// E-mail verification tokens past their lifetime.
    pub email_tokens: u64,
    /// Events of the audit log past their retention time.
    pub audit_events: u64,
    /// Dashboard sessions past their lifetime.
    pub dashboard_sessions: u64,
}

/// Executes a whole sweep without pauses: for tests and at an operator's request.
///
/// # Errors
/// When the store fails.
pub async fn sweep(context: &Context, now: UnixMillis) -> Result<SweepCounts, Fault> {
    let mut sweep = Sweep::new();
    while sweep.step(context, now).await? {}
    Ok(sweep.removed())
}

impl Default for Sweep {
    fn default() -> Self {
        Self::new()
    }
}

/// A stage at its first row.
fn first_page_of(stage: Keyspace) -> (Keyspace, Pages) {
    (stage, Pages::of_keyspace(stage, PAGE))
}

impl Sweep {
    /// A sweep that begins at the first row.
    #[must_use]
    pub fn new() -> Self {
        Self { pages: STAGES.first().copied().map(first_page_of), removed: SweepCounts::default() }
    }

    /// A sweep that begins at the first row that is not before `next`, where an earlier sweep stopped.
    #[must_use]
    pub fn starting_at(next: Key) -> Self {
        let stage = STAGES.into_iter().find(|stage| *stage == next.keyspace);
        let Some((stage, pages)) = stage.map(first_page_of) else { return Self::new() };
        Self { pages: Some((stage, pages.from(Some(next)))), removed: SweepCounts::default() }
    }

    /// Where the next step continues; `None` at the end.
    #[must_use]
    pub fn next_key(&self) -> Option<&Key> {
        self.pages.as_ref().and_then(|(_, pages)| pages.next_key())
    }

    /// What has been removed so far.
    #[must_use]
    pub const fn removed(&self) -> SweepCounts {
        self.removed
    }

    /// Processes the next page. `false`: the walk is over.
    ///
    /// # Errors
    /// When the store fails; the step can be repeated.
    pub async fn step(&mut self, context: &Context, now: UnixMillis) -> Result<bool, Fault> {
        let Some((keyspace, mut pages)) = self.pages.clone() else { return Ok(false) };
        let page = pages.rows(context.store.begin().as_mut()).await;
        let page = page.map_err(|error| Fault::new("walking over rows that may be due", error))?.unwrap_or_default();
        match keyspace {
            Keyspace::Session => self.removed.sessions += self.expire(context, &page, now).await?,
            Keyspace::EmailVerificationToken => {
                self.removed.email_tokens += email_tokens::delete_expired(context, &page, now).await?;
            }
            Keyspace::DashboardSession => {
                self.removed.dashboard_sessions += purge_dashboard(context, &page, now).await?;
            }
            Keyspace::AuditEvent => {
                let purged = audit::purge(context, &page, now).await?;
                self.removed.audit_events += purged.events;
                if let Some(key) = purged.skip_to {
                    pages.skip_to(key);
                }
            }
            _ => self.removed.timelines += self.purge(context, &page, now).await?,
        }
        let next_stage = || STAGES.into_iter().skip_while(|stage| *stage != keyspace).nth(1).map(first_page_of);
        self.pages = if pages.next_key().is_some() { Some((keyspace, pages)) } else { next_stage() };
        Ok(self.pages.is_some())
    }

    /// Ends the sessions of a page that are past their end of life.
    async fn expire(&self, context: &Context, page: &[(Key, Vec<u8>)], now: UnixMillis) -> Result<u64, Fault> {
        let due: Vec<_> = page
            .iter()
            .filter(|(key, bytes)| {
                decoded::<SessionRecord>(context, key, bytes).is_some_and(|row| is_expired(&row, now))
            })
            .filter_map(|(key, _)| parse_row_key(key))
            .collect();
        if due.is_empty() {
            return Ok(0);
        }
        let due = &due;
        let ended = transact_unqueued(&*context.store, "committing expired sessions", |mut tx| async move {
            let mut ended = 0;
            // Read again: a scan is not part of what the commit checks, and a session may have been refreshed since.
            for (id, handle) in due {
                let found = session::get(tx.as_mut(), id, handle).await;
                let found = found.map_err(|error| Fault::new("loading an expired session", error))?;
                let Some(record) = found.filter(|row| is_expired(row, now)) else { continue };
                let at = record.family.expires;
                let ending = Ending { event: EventKind::Expired, at, purge_at: purge_at(retention(context, id), now) };
                match context.directory.app(id) {
                    Some(app) => {
                        let scope = Scope { app, cause: Cause::without_request("expiry") };
                        end_session(tx.as_mut(), context, &scope, handle, (record, ending)).await?;
                    }
                    // An app that is being removed has nobody to tell.
                    None => session::end(tx.as_mut(), id, handle, record, ending)
                        .map_err(|error| Fault::new("ending an expired session", error))?,
                }
                ended += 1;
            }
            Ok(Step::Commit(tx, ended))
        });
        let ended = ended.await?;
        context.events.notify();
        context.metrics.sessions.expired.inc_by(ended);
        Ok(ended)
    }

    /// Deletes the timelines of a page whose retention time is over.
    async fn purge(&self, context: &Context, page: &[(Key, Vec<u8>)], now: UnixMillis) -> Result<u64, Fault> {
        let mut due = Vec::new();
        for (key, bytes) in page {
            let Some((app, handle)) = parse_row_key(key) else { continue };
            let record = decoded::<TimelineRecord>(context, key, bytes);
            if let Some(record) = record.filter(|record| record.is_expired(retention(context, &app), now)) {
                due.push((key, clients::key(&app, &record.user_id, &handle)));
            }
        }
        let keys = due.iter().flat_map(|(timeline, clients)| [*timeline, clients]);
        delete(context, keys, "committing purged timelines").await?;
        Ok(due.len() as u64)
    }
}

/// Deletes the expired dashboard sessions of a page.
async fn purge_dashboard(context: &Context, page: &[(Key, Vec<u8>)], now: UnixMillis) -> Result<u64, Fault> {
    let over = |record: &DashboardSessionRecord| token_series::is_expired(record.expires, now);
    let due = page.iter().filter(|(key, bytes)| decoded(context, key, bytes).is_some_and(|record| over(&record)));
    delete(context, due.map(|(key, _)| key), "committing purged dashboard sessions").await
}

/// Deletes rows whose expiry nothing extends: they need no second read.
async fn delete(context: &Context, due: impl Iterator<Item = &Key>, doing: &'static str) -> Result<u64, Fault> {
    let mut tx = context.store.begin();
    let mut deleted = 0;
    for key in due {
        tx.delete(key.clone());
        deleted += 1;
    }
    if deleted > 0 {
        tx.commit().await.map_err(|error| Fault::new(doing, error))?;
    }
    Ok(deleted)
}

fn is_expired(record: &SessionRecord, now: UnixMillis) -> bool {
    record.family.expires <= now
}

/// How long the app keeps timelines; the default for an app that is just being removed.
fn retention(context: &Context, id: &AppId) -> u64 {
    let config = |config: &AppConfig| config.session_timeline_retention_ms;
    context.directory.app(id).map_or_else(|| config(&context.directory.base().app), |entry| config(&entry.config))
}
