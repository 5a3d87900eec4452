//! When users were last active, and how many have been since a given moment.
//!
//! A mark costs no wait for the disk: it is part of a transaction that is committed anyway. Sessions of one user do not
//! conflict in it: the user is claimed in memory first, and a user that was marked recently is skipped.
//!
//! In an app with few marks, they are counted one by one, to the millisecond; with more, counters are used, whose cost
//! does not grow with the number of users. They are precise to five minutes, which is how far a mark may lag anyway.

use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::state::directory::AppEntry;
use crate::state::recent_marks::Claim;
use crate::store::activity::count::{self, Level, Slots};
use crate::store::activity::{self, ActiveRecord};
use crate::store::{StoreError, Tx};

/// A mark in a transaction: call [`Marked::committed`] once that is committed. If it is dropped instead, the user counts
/// as not marked.
#[must_use]
pub struct Marked(Option<Claim>);

impl Marked {
    /// No user was marked.
    pub const NOBODY: Self = Self(None);

    /// Records that the transaction is committed: the user is not marked again for a while.
    pub fn committed(self) {
        if let Some(claim) = self.0 {
            claim.keep();
        }
    }
}

/// Marks a user (by the id that callers use) as active now, unless it was marked recently or is being marked.
///
/// Call it in each attempt of a transaction that also writes something else.
///
/// # Errors
/// When the store fails.
pub async fn mark_active(
    tx: &mut dyn Tx,
    context: &Context,
    entry: &AppEntry,
    user: &UserId,
    now: UnixMillis,
) -> Result<Marked, StoreError> {
    let Some(claim) = context.activity.claim(entry, user, context.steady()) else { return Ok(Marked::NOBODY) };
    activity::put(tx, &entry.id, user, now).await?;
    Ok(Marked(Some(claim)))
}

/// The largest number of marks that are read one by one.
const FEW: u64 = activity::PAGE as u64;

/// Counts the users of an app that were active.
pub struct CountActiveUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The earliest moment of activity that counts. If there are many marks, it is rounded down to five minutes.
    pub since: UnixMillis,
}

impl CountActiveUsers {
    /// Returns the number of users active at that moment or later.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<u64, Fault> {
        let days = days(context, &self.scope).await?;
        if count::sum(&days) > FEW {
            let mut tx = context.store.begin();
            return count::since(tx.as_mut(), &self.scope.app.id, &days, self.since).await.map_err(failed);
        }
        let mut count = 0;
        each_mark(context, &self.scope, |at| count += u64::from(at >= self.since)).await?;
        Ok(count)
    }
}

/// Counts the users of an app that were active in the last 1, 2, … 31 days of 24 hours. If there are many marks, the
/// beginning of each is rounded down to the hour.
pub struct CountActiveByDays(pub Scope);

impl CountActiveByDays {
    /// The number of days to count separately.
    pub const DAYS: usize = 31;

    /// Returns a list in which entry `i` is the number of users active in the last `i + 1` days.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<[u64; Self::DAYS], Fault> {
        let now = context.now();
        let days = days(context, &self.0).await?;
        let mut counts = if count::sum(&days) > FEW {
            self.by_hours(context, now).await?
        } else {
            self.by_marks(context, now).await?
        };
        // So far each user is counted on the day of the mark only.
        let mut sum = 0;
        for count in &mut counts {
            sum += *count;
            *count = sum;
        }
        Ok(counts)
    }

    async fn by_marks(&self, context: &Context, now: UnixMillis) -> Result<[u64; Self::DAYS], Fault> {
        let mut counts = [0; Self::DAYS];
        each_mark(context, &self.0, |at| {
            let days_ago = usize::try_from(at.age(now).at_least() / DAY_MS).unwrap_or(usize::MAX);
            if let Some(count) = counts.get_mut(days_ago) {
                *count += 1;
            }
        })
        .await?;
        Ok(counts)
    }

    async fn by_hours(&self, context: &Context, now: UnixMillis) -> Result<[u64; Self::DAYS], Fault> {
        // The first hour of the last day, of the last two days, …: what is exactly a day old is of the day before.
        let mut first = now;
        let hours = [(); Self::DAYS].map(|()| {
            first = first.minus(DAY_MS);
            Level::Hour.slot(first.plus(1))
        });
        let [.., oldest] = hours;
        let mut tx = context.store.begin();
        let slots = count::slots(tx.as_mut(), &self.0.app.id, Level::Hour, oldest..u64::MAX).await.map_err(failed)?;
        let mut counts = [0; Self::DAYS];
        for (slot, number) in slots {
            let day = hours.iter().zip(&mut counts).find(|(first, _)| slot >= **first);
            if let Some((_, count)) = day {
                *count += number;
            }
        }
        Ok(counts)
    }
}

const DAY_MS: u64 = 24 * 60 * 60_000;

fn failed(error: StoreError) -> Fault {
    Fault::new("counting active users", error)
}

/// The marks of an app by day.
async fn days(context: &Context, scope: &Scope) -> Result<Slots, Fault> {
    count::days(context.store.begin().as_mut(), &scope.app.id).await.map_err(failed)
}

/// Reads the activity mark of each user of an app, a page at a time.
async fn each_mark(context: &Context, scope: &Scope, mut look: impl FnMut(UnixMillis)) -> Result<(), Fault> {
    let mut pages = activity::pages(&scope.app.id);
    loop {
        let page = pages.records::<ActiveRecord>(context.store.begin().as_mut()).await.map_err(failed)?;
        let Some(page) = page else { return Ok(()) };
        page.iter().for_each(|(_, mark)| look(mark.at));
        // Let requests pass during a long walk.
        tokio::task::yield_now().await;
    }
}
