//! When users were last active, and how many have been since a given moment.
//!
//! A mark costs no wait for the disk: it is part of a transaction that is committed anyway. It is written without being
//! read, so that marks of one user do not conflict; recent marks are remembered in memory, and skipped.

use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::time::{SteadyMillis, UnixMillis};
use crate::fault::Fault;
use crate::state::directory::AppEntry;
use crate::store::activity::{self, ActiveRecord};
use crate::store::{StoreError, Tx};

/// A mark in a transaction: call [`Marked::committed`] once that is committed.
#[must_use]
#[derive(Debug, Clone, Copy)]
pub struct Marked(Option<(u64, SteadyMillis)>);

impl Marked {
    /// No user was marked.
    pub const NOBODY: Self = Self(None);

    /// Records that the transaction is committed: the user is not marked again for a while.
    pub fn committed(self, context: &Context) {
        if let Some((place, at)) = self.0 {
            context.activity.remember(place, at);
        }
    }
}

/// Marks a user (by the id that callers use) as active now, unless it was marked recently.
///
/// Call it in each attempt of a transaction that also writes something else.
///
/// # Errors
/// When a key is too long.
pub fn mark_active(
    tx: &mut dyn Tx,
    context: &Context,
    entry: &AppEntry,
    user: &UserId,
    now: UnixMillis,
) -> Result<Marked, StoreError> {
    let (place, steady) = (context.activity.place(entry, user), context.steady());
    if context.activity.is_marked(place, steady) {
        return Ok(Marked::NOBODY);
    }
    activity::put(tx, &entry.id, user, now)?;
    Ok(Marked(Some((place, steady))))
}

/// Counts the users of an app that were active.
pub struct CountActiveUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The earliest moment of activity that counts.
    pub since: UnixMillis,
}

impl CountActiveUsers {
    /// Returns the number of users active at that moment or later.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<u64, Fault> {
        let mut count = 0;
        each_mark(context, &self.scope, |at| count += u64::from(at >= self.since)).await?;
        Ok(count)
    }
}

/// Counts the users of an app that were active in the last 1, 2, … 31 days of 24 hours.
pub struct CountActiveByDays(pub Scope);

impl CountActiveByDays {
    /// The number of days to count separately.
    pub const DAYS: usize = 31;

    /// Returns a list in which entry `i` is the number of users active in the last `i + 1` days.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<[u64; Self::DAYS], Fault> {
        const DAY_MS: u64 = 24 * 60 * 60_000;
        let now = context.now();
        let mut counts = [0; Self::DAYS];
        each_mark(context, &self.0, |at| {
            let days_ago = usize::try_from(at.age(now).at_least() / DAY_MS).unwrap_or(usize::MAX);
            for count in counts.iter_mut().skip(days_ago) {
                *count += 1;
            }
        })
        .await?;
        Ok(counts)
    }
}

/// Reads the activity mark of each user of an app, a page at a time.
async fn each_mark(context: &Context, scope: &Scope, mut look: impl FnMut(UnixMillis)) -> Result<(), Fault> {
    let mut pages = activity::pages(&scope.app.id);
    loop {
        let page = pages.records::<ActiveRecord>(context.store.begin().as_mut()).await;
        let page = page.map_err(|error| Fault::new("counting active users", error))?;
        let Some(page) = page else { return Ok(()) };
        page.iter().for_each(|(_, mark)| look(mark.at));
        // Let requests pass during a long walk.
        tokio::task::yield_now().await;
    }
}
