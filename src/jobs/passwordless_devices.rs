//! Passwordless sign-ins never completed: devices whose codes have all expired, by their tenant's rules.

use super::step::decoded;
use super::walk::Expiring;
use crate::context::Context;
use crate::domain::ids::{AppId, TenantId};
use crate::domain::passwordless::{CodeRules, Device};
use crate::domain::time::Reading;
use crate::store::passwordless::{Devices, parse_key};
use crate::store::{Key, Keyspace, StoreError, Tx};

/// The job's kind of row: passwordless devices.
#[derive(Debug)]
pub struct PasswordlessDevices;

impl Expiring for PasswordlessDevices {
    const KEYSPACE: Keyspace = Keyspace::PasswordlessDevice;
    const WHAT: &'static str = "passwordless sign-ins";

    fn is_expired(context: &Context, key: &Key, bytes: &[u8], now: Reading) -> bool {
        let Some((id, tenant, _)) = parse_key(key) else { return false };
        decoded::<Device>(context, key, bytes)
            .is_some_and(|device| device.is_expired(rules(context, &id, &tenant), now.wall))
    }

    async fn delete(context: &Context, tx: &mut dyn Tx, key: &Key, now: Reading) -> Result<bool, StoreError> {
        let Some((id, tenant, hash)) = parse_key(key) else { return Ok(false) };
        let devices = Devices { app: &id, tenant: &tenant };
        // Read again: another code may have been created since.
        let Some(device) = devices.get(tx, &hash).await? else { return Ok(false) };
        if !device.is_expired(rules(context, &id, &tenant), now.wall) {
            return Ok(false);
        }
        devices.save(tx, &hash, Some(&device), None)?;
        Ok(true)
    }
}

/// The tenant's rules, or the server's for a tenant that is just being removed.
fn rules(context: &Context, id: &AppId, tenant: &TenantId) -> CodeRules {
    let entry = context.directory.app(id).and_then(|entry| entry.tenant(tenant));
    entry.map_or_else(|| context.directory.base().app.passwordless, |entry| entry.config.passwordless)
}
