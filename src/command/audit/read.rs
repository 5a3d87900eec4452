//! `GET /audit` and `sessiond audit`.

use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::audit::AuditKind;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::store::audit::{self, AuditPlace, AuditRecord};
use serde_json::{Map, Value, json};
use std::fmt;

/// Events read at once.
const PAGE: usize = 256;
/// The most events read for one page: if few of them match, the page is shorter and its cursor continues.
const MAX_EXAMINED: usize = 20 * PAGE;

/// Reads events, newest first.
pub struct ReadAudit {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Only events about this user, or one of its login methods by id; all without.
    pub user_id: Option<UserId>,
    /// Only events of this kind; all without.
    pub kind: Option<AuditKind>,
    /// The first moment to include.
    pub from: UnixMillis,
    /// The first moment to exclude.
    pub to: Option<UnixMillis>,
    /// Where the previous page ended.
    pub cursor: Option<Cursor>,
    /// The most events to return.
    pub limit: usize,
}

/// A page of events.
pub struct AuditPage {
    /// The events, newest first.
    pub events: Vec<AuditEntry>,
    /// Where to continue; `None` when there are no more events.
    pub next: Option<Cursor>,
}

/// The place that the next page's events come before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(AuditPlace);

impl Cursor {
    /// Parses what [`Cursor`]'s `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (at, random) = text.split_at_checked(16).filter(|_| is_plain)?;
        let number = |part| u64::from_str_radix(part, 16).ok();
        Some(Self(AuditPlace { at: UnixMillis(number(at)?), random: number(random)?.to_be_bytes() }))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.0.at.0, u64::from_be_bytes(self.0.random))
    }
}

/// An event and its place in the log.
pub struct AuditEntry {
    place: AuditPlace,
    record: AuditRecord,
}

impl AuditEntry {
    /// The event as JSON; absent values are left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let record = &self.record;
        let mut shown = Map::new();
        shown.insert("time".to_owned(), json!(self.place.at));
        shown.insert("kind".to_owned(), json!(record.kind.name()));
        let texts = [
            ("userId", record.user.as_ref().map(UserId::as_str)),
            ("recipeUserId", record.recipe_user.as_ref().map(UserId::as_str)),
            ("tenantId", record.tenant.as_ref().map(TenantId::as_str)),
            ("recipeId", record.recipe.as_deref()),
            ("login", record.login.as_deref()),
            ("detail", record.detail.as_deref()),
            ("call", Some(record.call.as_str())),
            ("caller", record.caller.as_deref()),
            ("client", record.client.as_deref()),
            ("requestId", Some(record.request_id.as_str()).filter(|id| !id.is_empty())),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                shown.insert(name.to_owned(), json!(text));
            }
        }
        Value::Object(shown)
    }
}

impl ReadAudit {
    /// Returns a page of events.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<AuditPage, Fault> {
        let entry = &self.scope.app;
        // Events past their retention time are never shown, deleted or not.
        let oldest = context.now().minus(entry.config.audit_retention_ms);
        let from = self.from.max(oldest.plus(1));
        let limits = [self.to.map(AuditPlace::first), self.cursor.map(|cursor| cursor.0)];
        let mut before = limits.into_iter().flatten().min();
        let mut events = Vec::new();
        for _ in 0..MAX_EXAMINED / PAGE {
            let mut tx = context.store.begin();
            let page = audit::newest(tx.as_mut(), &entry.id, from, before.as_ref(), PAGE).await;
            let page = page.map_err(|error| Fault::new("reading the audit log", error))?;
            let is_last = page.len() < PAGE;
            for (place, record) in page {
                if events.len() == self.limit {
                    return Ok(AuditPage { events, next: before.map(Cursor) });
                }
                before = Some(place);
                if self.matches(&record) {
                    events.push(AuditEntry { place, record });
                }
            }
            if is_last {
                return Ok(AuditPage { events, next: None });
            }
        }
        Ok(AuditPage { events, next: before.map(Cursor) })
    }

    fn matches(&self, record: &AuditRecord) -> bool {
        let is_about =
            |id: &UserId| [&record.user, &record.recipe_user].into_iter().any(|about| about.as_ref() == Some(id));
        self.kind.is_none_or(|kind| kind == record.kind) && self.user_id.as_ref().is_none_or(is_about)
    }
}
