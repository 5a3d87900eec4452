//! What the steps of jobs have in common.

use crate::context::Context;
use crate::store::{Key, codec};
use std::time::Duration;

/// The most rows examined in one step, and so the most deleted in one transaction.
pub(super) const PAGE: usize = 64;

/// Pause between two steps of a sweep: the store's clients come first, and deletes are spread out.
pub(super) const BETWEEN_STEPS: Duration = Duration::from_millis(25);

/// Pause after a step that failed.
pub(super) const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// The record, unless it is damaged: then that is logged, and the walk continues.
pub(super) fn decoded<R: codec::Record>(context: &Context, key: &Key, bytes: &[u8]) -> Option<R> {
    match codec::decode(context.store.encoding(), key, bytes) {
        Ok(record) => Some(record),
        Err(error) => {
            tracing::error!(%error, "skipping a damaged record while removing expired ones");
            None
        }
    }
}
