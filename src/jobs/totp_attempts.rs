//! Attempts with one-time codes that no longer count.

use super::step::decoded;
use super::walk::Expiring;
use crate::context::Context;
use crate::domain::time::Reading;
use crate::domain::totp::attempts::Attempts;
use crate::store::totp::{self, TotpAttemptsRecord, parse_attempts_key};
use crate::store::{Key, Keyspace, StoreError, Tx};

/// The job's kind of row: attempts with one-time codes.
#[derive(Debug)]
pub struct TotpAttempts;

impl Expiring for TotpAttempts {
    const KEYSPACE: Keyspace = Keyspace::TotpAttempts;
    const WHAT: &'static str = "one-time codes";

    fn is_expired(context: &Context, key: &Key, bytes: &[u8], now: Reading) -> bool {
        // Rows of a tenant that is being removed are removed with it.
        let tenant = parse_attempts_key(key).and_then(|(id, tenant, _)| context.directory.app(&id)?.tenant(&tenant));
        let Some(tenant) = tenant else { return false };
        decoded::<TotpAttemptsRecord>(context, key, bytes)
            .is_some_and(|row| Attempts::from(row).are_over(tenant.config.totp.cooldown_ms, &now))
    }

    async fn delete(context: &Context, tx: &mut dyn Tx, key: &Key, now: Reading) -> Result<bool, StoreError> {
        let row = tx.get(key).await?;
        let over = row.is_some_and(|bytes| Self::is_expired(context, key, &bytes, now));
        if over {
            totp::remove_attempts(tx, key.clone());
        }
        Ok(over)
    }
}
