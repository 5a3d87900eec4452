//! Deletes expired e-mail verification tokens that were never used.

use super::step::decoded;
use crate::command::transact::{Step, transact_unqueued};
use crate::context::Context;
use crate::domain::time::UnixMillis;
use crate::domain::token_series::is_expired;
use crate::fault::Fault;
use crate::store::Key;
use crate::store::emailverification::{self, VerificationTokenRecord};

/// Deletes the expired tokens of a page; returns how many.
pub(super) async fn delete_expired(context: &Context, page: &[(Key, Vec<u8>)], now: UnixMillis) -> Result<u64, Fault> {
    let over = |key: &Key, bytes: &[u8]| {
        decoded::<VerificationTokenRecord>(context, key, bytes).is_some_and(|record| is_expired(record.expires, now))
    };
    let due: Vec<_> = page.iter().filter(|(key, bytes)| over(key, bytes)).map(|(key, _)| key).collect();
    if due.is_empty() {
        return Ok(0);
    }
    let due = &due;
    // It conflicts when a token is used meanwhile, or another one is sent to the same address.
    transact_unqueued(&*context.store, "committing deleted e-mail verification tokens", |mut tx| async move {
        let mut deleted = 0;
        for key in due {
            let gone = emailverification::delete_expired(tx.as_mut(), key, now).await;
            deleted += u64::from(gone.map_err(|error| Fault::new("deleting an e-mail verification token", error))?);
        }
        Ok(Step::Commit(tx, deleted))
    })
    .await
}
