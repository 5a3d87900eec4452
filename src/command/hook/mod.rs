//! Hooks: programs of the operator's that are told what has happened, and asked what may happen.
//!
//! ```ignore
//! raise(tx.as_mut(), context, scope, &event).await?;    // in every attempt; the commit wakes the job that tells hooks
//! ```

pub mod ask;
pub mod deliver;
pub mod operate;
mod raise;

pub use raise::{is_wanted, raise};

use crate::context::Context;
use crate::crypto::sealing::MessageKey;
use crate::fault::Fault;
use crate::state::directory::AppEntry;
use crate::store::StoreError;
use uuid::Uuid;

/// The key under which an event is sealed: one of its own, so that random nonces cannot run out. A change of the master
/// key does not affect it.
async fn sealing_key(context: &Context, app: &AppEntry, id: &Uuid) -> Result<MessageKey, Fault> {
    let ring = context.key_ring(app).await?;
    Ok(ring.refresh_sealing.at_rest(&[&b"sessiond hook event "[..], id.as_bytes()].concat()))
}

fn failed(error: StoreError) -> Fault {
    Fault::new("reading or writing events of hooks", error)
}
