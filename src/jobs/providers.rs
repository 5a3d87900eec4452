//! Seals providers of tenants that older versions stored unsealed.

use super::step::BETWEEN_STEPS;
use super::step::{PAGE, decoded};
use crate::command::tenancy::SealProvider;
use crate::context::Context;
use crate::fault::Fault;
use crate::store::Keyspace;
use crate::store::provider::{ProviderRecord, ProviderText, app_of};
use crate::store::walk::Pages;
use tokio::time::sleep;

/// Seals every provider that is not sealed yet; returns how many there were.
///
/// # Errors
/// When the store or the master key fails; what was not sealed is left to the next round.
pub async fn round(context: &Context) -> Result<u64, Fault> {
    let (mut pages, mut sealed) = (Pages::of_keyspace(Keyspace::ThirdPartyProvider, PAGE), 0);
    loop {
        let page = pages.rows(context.store.begin().as_mut()).await;
        let page = page.map_err(|error| Fault::new("looking for providers that are not sealed", error))?;
        let Some(page) = page else { return Ok(sealed) };
        for (key, bytes) in &page {
            let is_plain = |record: &ProviderRecord| matches!(record.provider, ProviderText::Plain(_));
            if !decoded(context, key, bytes).is_some_and(|record| is_plain(&record)) {
                continue;
            }
            // Providers of an app that is being removed are removed with it.
            let Some(entry) = app_of(key).and_then(|id| context.directory.app(&id)) else { continue };
            match (SealProvider { app: &entry, key }).run(context).await {
                Ok(was_plain) => sealed += u64::from(was_plain),
                Err(fault) if fault.gone().is_some() => {}
                Err(fault) => return Err(fault),
            }
        }
        if pages.next_key().is_some() {
            sleep(BETWEEN_STEPS).await;
        }
    }
}
