//! Deletes e-mail verification tokens that nobody used in time.

use super::sweep::decoded;
use crate::context::Context;
use crate::domain::time::UnixMillis;
use crate::domain::token_series::is_over;
use crate::fault::Fault;
use crate::store::emailverification::{self, TokenRecord};
use crate::store::{CommitError, Key};

/// Deletes those of a page that are over; how many.
pub(super) async fn delete_expired(app: &Context, page: &[(Key, Vec<u8>)], now: UnixMillis) -> Result<u64, Fault> {
    let over = |key: &Key, bytes: &[u8]| {
        decoded::<TokenRecord>(app, key, bytes).is_some_and(|record| is_over(record.expires, now))
    };
    let due: Vec<_> = page.iter().filter(|(key, bytes)| over(key, bytes)).map(|(key, _)| key).collect();
    if due.is_empty() {
        return Ok(0);
    }
    loop {
        let mut tx = app.store.begin();
        let mut deleted = 0;
        for key in &due {
            let gone = emailverification::delete_expired(tx.as_mut(), key, now).await;
            deleted += u64::from(gone.map_err(|error| Fault::new("deleting an e-mail verification token", error))?);
        }
        match tx.commit().await {
            Ok(()) => return Ok(deleted),
            // A token was used, or another one sent to the same address.
            Err(CommitError::Conflict) => {}
            Err(CommitError::Store(error)) => {
                return Err(Fault::new("committing deleted e-mail verification tokens", error));
            }
        }
    }
}
