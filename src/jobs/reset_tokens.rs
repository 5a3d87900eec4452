//! Expired password-reset tokens that were never used.

use super::step::decoded;
use super::walk::Expiring;
use crate::context::Context;
use crate::domain::time::Reading;
use crate::domain::token_series::is_expired;
use crate::store::passwordreset::{self, ResetTokenRecord};
use crate::store::{Key, Keyspace, StoreError, Tx};

/// The job's kind of row: password-reset tokens.
#[derive(Debug)]
pub struct ResetTokens;

impl Expiring for ResetTokens {
    const KEYSPACE: Keyspace = Keyspace::PasswordResetToken;
    const WHAT: &'static str = "password-reset tokens";

    fn is_expired(context: &Context, key: &Key, bytes: &[u8], now: Reading) -> bool {
        decoded::<ResetTokenRecord>(context, key, bytes).is_some_and(|record| is_expired(record.expires, now.wall))
    }

    async fn delete(_context: &Context, tx: &mut dyn Tx, key: &Key, now: Reading) -> Result<bool, StoreError> {
        passwordreset::delete_expired(tx, key, now.wall).await
    }
}
