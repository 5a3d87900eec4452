//! How many users were last active when: counters that are updated with every change of a mark.
//!
//! [`Keyspace::ActiveUserCount`]: (domain, app, level, slot) → counter. Time is divided into slots on three levels: days,
//! hours and five minutes since 1970. A mark is counted in one slot of each [`Level`]. The marks since a moment are those
//! of the days after its day, of that day's hours after its hour, and of that hour's slots from its own on: a few short
//! scans, however many users there are. The moment is thereby rounded down to five minutes.

use super::mark::ActiveRecord;
use crate::domain::ids::AppId;
use crate::domain::time::UnixMillis;
use crate::store::key::KeyReader;
use crate::store::tally::Tally;
use crate::store::walk::Pages;
use crate::store::{Encoding, Key, Keyspace, StoreError, Tx, codec, counter};
use std::ops::Range;

/// Counters read at once.
const PAGE: usize = 1024;

/// The length of a slot. The byte is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// Days of 24 hours, UTC.
    Day = 1,
    /// Hours.
    Hour = 2,
    /// Five minutes.
    FiveMinutes = 3,
}

/// Hours of a day.
const HOURS: u64 = 24;
/// Slots of five minutes in an hour.
const FIVES: u64 = 12;

impl Level {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Hour, Self::FiveMinutes];

    const fn length_ms(self) -> u64 {
        match self {
            Self::Day => 24 * 60 * 60_000,
            Self::Hour => 60 * 60_000,
            Self::FiveMinutes => 5 * 60_000,
        }
    }

    /// The slot of a moment, counted from 1970 on.
    #[must_use]
    pub const fn slot(self, at: UnixMillis) -> u64 {
        at.0 / self.length_ms()
    }
}

/// The key of a counter.
#[must_use]
pub fn key(app: &AppId, level: Level, slot: u64) -> Key {
    Key::of_app(Keyspace::ActiveUserCount, app).raw(&[level as u8]).raw(&slot.to_be_bytes())
}

/// Updates the counters for a change of a user's mark.
pub(super) fn change(tx: &mut dyn Tx, app: &AppId, before: Option<UnixMillis>, after: Option<UnixMillis>) {
    for level in Level::ALL {
        let [old, new] = [before, after].map(|at| at.map(|at| level.slot(at)));
        if old == new {
            continue;
        }
        for (slot, by) in [(old, -1), (new, 1)] {
            if let Some(slot) = slot {
                tx.add(key(app, level, slot), by);
            }
        }
    }
}

/// The counters of marks, as they are established and checked.
pub const MARKS: Tally = Tally {
    note: "active users counted",
    rows: Keyspace::UserActive,
    counters: &[Keyspace::ActiveUserCount],
    noun: "marks",
    places,
};

fn places(encoding: Encoding, row: &Key, bytes: &[u8]) -> Result<Vec<Key>, StoreError> {
    let ActiveRecord { at } = codec::decode(encoding, row, bytes)?;
    let Some(app) = KeyReader::new(row).app() else { return Ok(Vec::new()) };
    Ok(Level::ALL.into_iter().map(|level| key(&app, level, level.slot(at))).collect())
}

/// Marks by their slot, in the order of time. A slot without a mark is left out.
pub type Slots = Vec<(u64, u64)>;

/// The marks of an app in these slots of a level.
///
/// # Errors
/// When the store fails.
pub async fn slots(tx: &mut dyn Tx, app: &AppId, level: Level, range: Range<u64>) -> Result<Slots, StoreError> {
    let (start, end) = (key(app, level, range.start), key(app, level, range.end));
    let mut pages = Pages::between(start, end, PAGE);
    let mut slots = Slots::new();
    while let Some(rows) = pages.rows(tx).await? {
        for (key, bytes) in &rows {
            let number = counter::decode(tx.encoding(), key, Some(bytes))?;
            if let Some(slot) = key.bytes.last_chunk() {
                slots.push((u64::from_be_bytes(*slot), u64::try_from(number).unwrap_or_default()));
            }
        }
    }
    Ok(slots)
}

/// The marks of an app by day.
///
/// # Errors
/// When the store fails.
pub async fn days(tx: &mut dyn Tx, app: &AppId) -> Result<Slots, StoreError> {
    slots(tx, app, Level::Day, 0..u64::MAX).await
}

/// All marks of these slots.
#[must_use]
pub fn sum(slots: &[(u64, u64)]) -> u64 {
    slots.iter().fold(0, |sum, (_, number)| u64::saturating_add(sum, *number))
}

/// The marks of an app since a moment, rounded down to the start of its five minutes. `days` are those of [`days`].
///
/// The counters are read one after the other: a user who is marked at that moment may be counted twice or not at all.
///
/// # Errors
/// When the store fails.
pub async fn since(tx: &mut dyn Tx, app: &AppId, days: &[(u64, u64)], moment: UnixMillis) -> Result<u64, StoreError> {
    let [day, hour, five] = Level::ALL.map(|level| level.slot(moment));
    let days = days.get(days.partition_point(|(slot, _)| *slot <= day)..).unwrap_or_default();
    let hours = slots(tx, app, Level::Hour, hour + 1..(day + 1) * HOURS).await?;
    let fives = slots(tx, app, Level::FiveMinutes, five..(hour + 1) * FIVES).await?;
    Ok(sum(days).saturating_add(sum(&hours)).saturating_add(sum(&fives)))
}
