//! The thread that writes full memtables into the index.

use super::batch;
use super::index::Index;
use super::memtable::Memtable;
use super::queue::Control;
use super::shared::{SledShared, closed};
use super::view::View;
use crate::store::StoreError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Tables with more rows than this, as left by imports, are written on all cores.
const MANY_ROWS: usize = 1 << 15;
/// A memtable that is not full is flushed after this time: salvage can only recover from the index what has been
/// flushed to it.
const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// How often the committer checks, while it waits, whether the engine has ended.
const CHECK_EVERY: Duration = Duration::from_millis(50);

/// Flushes every table that the committer has frozen, until the engine ends.
pub(super) fn run(shared: &SledShared) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        while !shared.flush_wanted.is_finished() {
            flush_frozen(shared)?;
            shared.flush_wanted.wait(FLUSH_EVERY);
        }
        Ok(())
    }));
    match outcome {
        Ok(Ok(()) | Err(StoreError::Stopped { .. })) => {}
        Ok(Err(error)) => shared.fail(&error.to_string()),
        Err(_) => shared.fail("the flusher panicked"),
    }
}

fn flush_frozen(shared: &SledShared) -> Result<(), StoreError> {
    let Some(view) = shared.view.load_full() else { return Ok(()) };
    let Some(table) = &view.flushing else {
        // Nothing was frozen within the longest time between flushes: flush the young table if it holds anything.
        return if view.young.last_frame() > 0 { shared.queue.control(Control::Flush) } else { Ok(()) };
    };
    flush(&view.index, table, &mut || {
        // Dropped without a close: the next start brings the index up to date.
        if shared.flush_wanted.is_finished() { Err(closed()) } else { Ok(()) }
    })?;
    // No other thread changes a view with a frozen table.
    let young = Arc::clone(&view.young);
    shared.view.store(Some(Arc::new(View { young, flushing: None, index: Arc::clone(&view.index) })));
    shared.flushed.raise();
    Ok(())
}

/// Writes a table into the index and records up to which frame the index is now complete.
pub(super) fn flush(
    index: &Index,
    table: &Memtable,
    pause: &mut dyn FnMut() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    table.with_all(
        |sorted| {
            if sorted.len() > MANY_ROWS { batch::apply(index, sorted) } else { index.apply(sorted, pause) }
        },
    )?;
    let last = table.last_frame();
    if last > 0 { index.set_frame(last) } else { Ok(()) }
}

/// Freezes the committer's table when it is full, and gives it a new one. Waits if the flusher is a whole table behind.
/// Called only by the committer.
pub(super) fn make_room(shared: &SledShared) -> Result<(), StoreError> {
    let view = shared.view.load_full().ok_or_else(closed)?;
    let bytes = view.young.bytes();
    if bytes < shared.memtable_bytes || view.flushing.is_some() && bytes < 2 * shared.memtable_bytes {
        return Ok(());
    }
    wait(shared)?;
    freeze(shared)
}

/// Freezes the committer's table unless another one is being flushed. Called only by the committer.
pub(super) fn freeze(shared: &SledShared) -> Result<(), StoreError> {
    let view = shared.view.load_full().ok_or_else(closed)?;
    if view.flushing.is_none() && view.young.last_frame() > 0 {
        let (frozen, index) = (Arc::clone(&view.young), Arc::clone(&view.index));
        shared.view.store(Some(Arc::new(View { young: Arc::default(), flushing: Some(frozen), index })));
        shared.flush_wanted.raise();
    }
    Ok(())
}

/// Waits until no table is being flushed. Called only by the committer, so nothing is frozen in the meantime.
pub(super) fn wait(shared: &SledShared) -> Result<(), StoreError> {
    loop {
        let view = shared.view.load_full().ok_or_else(closed)?;
        if view.flushing.is_none() {
            return Ok(());
        }
        if let Some(reason) = shared.queue.stopped() {
            return Err(StoreError::Stopped { reason });
        }
        shared.flushed.wait(CHECK_EVERY);
    }
}
