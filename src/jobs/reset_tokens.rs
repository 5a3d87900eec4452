//! Deletes password-reset tokens that nobody used in time: a page per step, as a sweep does.

use super::sweep::{PAGE, decoded};
use crate::app::App;
use crate::domain::time::UnixMillis;
use crate::domain::token_series::is_over;
use crate::fault::Fault;
use crate::store::passwordreset::{self, ResetTokenRecord};
use crate::store::session::just_after;
use crate::store::{CommitError, Key, Keyspace, Scan};

/// One walk over all tokens.
#[derive(Debug)]
pub struct Walk {
    next: Option<Key>,
    deleted: u64,
}

impl Default for Walk {
    fn default() -> Self {
        Self::new()
    }
}

impl Walk {
    /// At the first token.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: Some(Key::of(Keyspace::PasswordResetToken)), deleted: 0 }
    }

    /// How many were deleted so far.
    #[must_use]
    pub const fn deleted(&self) -> u64 {
        self.deleted
    }

    /// Looks at the next page. `false`: the walk is over.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn step(&mut self, app: &App, now: UnixMillis) -> Result<bool, Fault> {
        let Some(start) = self.next.take() else { return Ok(false) };
        let end = Key::of(Keyspace::PasswordResetToken).prefix_end();
        let page = app.store.begin().scan(&Scan { start, end, reverse: false, limit: PAGE }).await;
        let page = page.map_err(|error| Fault::new("walking over password-reset tokens", error))?;
        self.next = page.last().map(|(key, _)| just_after(key.clone()));
        let over = |key: &Key, bytes: &[u8]| {
            decoded::<ResetTokenRecord>(app, key, bytes).is_some_and(|record| is_over(record.expires, now))
        };
        let due: Vec<_> = page.iter().filter(|(key, bytes)| over(key, bytes)).map(|(key, _)| key).collect();
        self.deleted += delete(app, &due, now).await?;
        Ok(self.next.is_some())
    }
}

async fn delete(app: &App, due: &[&Key], now: UnixMillis) -> Result<u64, Fault> {
    if due.is_empty() {
        return Ok(0);
    }
    loop {
        let mut tx = app.store.begin();
        let mut deleted = 0;
        for key in due {
            let gone = passwordreset::delete_expired(tx.as_mut(), key, now).await;
            deleted += u64::from(gone.map_err(|error| Fault::new("deleting a password-reset token", error))?);
        }
        match tx.commit().await {
            Ok(()) => return Ok(deleted),
            // A token was used, or another one made for the same person.
            Err(CommitError::Conflict) => {}
            Err(CommitError::Store(error)) => {
                return Err(Fault::new("committing deleted password-reset tokens", error));
            }
        }
    }
}
