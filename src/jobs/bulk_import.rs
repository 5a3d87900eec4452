//! Imports waiting users: app by app, a batch at a time.

use super::step::BETWEEN_STEPS;
use crate::command::bulk_import::batch::{Counts, ImportBatch};
use crate::command::scope::{Cause, Scope};
use crate::context::Context;
use crate::fault::Fault;
use crate::store::bulk_import;
use tokio::time::sleep;

/// Imports all waiting users, including those added to the same app meanwhile.
///
/// # Errors
/// When the store fails or a password cannot be hashed; the next round takes up the users that were not imported.
pub async fn round(context: &Context) -> Result<Counts, Fault> {
    let (mut total, mut last) = (Counts::default(), None);
    loop {
        let next = bulk_import::next_app(context.store.begin().as_mut(), last.as_ref()).await;
        let next = next.map_err(|error| Fault::new("looking for waiting users", error))?;
        let Some(id) = next else { return Ok(total) };
        // Users of an app that is being removed are removed with it.
        while let Some(entry) = context.directory.app(&id) {
            let cause = Cause::without_request("bulk import");
            let Some(counts) = (ImportBatch { scope: Scope { app: entry, cause } }).run(context).await? else { break };
            total.imported += counts.imported;
            total.failed += counts.failed;
            sleep(BETWEEN_STEPS).await;
        }
        last = Some(id);
    }
}
