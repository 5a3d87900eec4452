//! Expired password-reset tokens that were never used.

use super::step::decoded;
use super::walk::Expiring;
use crate::context::Context;
use crate::domain::time::Reading;
use crate::domain::token_series::is_over;
use crate::store::passwordreset::{self, ResetTokenRecord};
use crate::store::{Key, Keyspace, StoreError, Tx};

/// The job's kind of row: password-reset tokens.
#[derive(Debug)]
pub struct ResetTokens;

impl Expiring for ResetTokens {
    const KEYSPACE: Keyspace = Keyspace::PasswordResetToken;
    const WHAT: &'static str = "password-reset tokens";

    fn is_over(app: &Context, key: &Key, bytes: &[u8], now: Reading) -> bool {
        decoded::<ResetTokenRecord>(app, key, bytes).is_some_and(|record| is_over(record.expires, now.wall))
    }

    async fn delete(_app: &Context, tx: &mut dyn Tx, key: &Key, now: Reading) -> Result<bool, StoreError> {
        passwordreset::delete_expired(tx, key, now.wall).await
    }
}
