//! The outbox: mails are written in the transaction of the token that they carry, and sent by a job.
//!
//! ```ignore
//! let outbox = Outbox::of(context, &scope.app).await?;       // before the transaction
//! outbox.add(context, tx.as_mut(), &mail).await?;            // in every attempt
//! context.outbox.notify();                                   // after the commit
//! ```

mod code_message;
pub mod deliver;
pub mod operate;
mod token_mail;

pub use code_message::CodeMessage;
pub use token_mail::TokenMail;

use crate::context::Context;
use crate::crypto::sealing::MessageKey;
use crate::domain::delivery::Progress;
use crate::domain::entropy::time_ordered_uuid;
use crate::domain::ids::AppId;
use crate::domain::mail::Mail;
use crate::fault::{Fault, Gone};
use crate::outbound::mail::Services;
use crate::state::directory::AppEntry;
use crate::store::outbox::{self, OutboxRecord};
use crate::store::{Key, StoreError, Tx, tenant};
use uuid::Uuid;
use zeroize::Zeroizing;

/// An app's outbox: seals mails and opens them. A change of the master key does not affect it.
pub struct Outbox {
    app: AppId,
    key: MessageKey,
}

impl Outbox {
    /// The outbox of an app.
    ///
    /// # Errors
    /// When the store or the master key fails.
    pub async fn of(context: &Context, app: &AppEntry) -> Result<Self, Fault> {
        let ring = context.key_ring(app).await?;
        Ok(Self { app: app.id.clone(), key: ring.refresh_sealing.at_rest(b"sessiond outbox") })
    }

    /// Writes a mail; returns its id. It is sent after the commit, as soon as [`OutboxState::notify`] is called.
    ///
    /// # Errors
    /// When the mail is too large for the store, or its tenant was removed.
    ///
    /// [`OutboxState::notify`]: crate::state::outbox::OutboxState::notify
    pub async fn add(&self, context: &Context, tx: &mut dyn Tx, mail: &Mail) -> Result<Uuid, Fault> {
        // A read that the commit checks: nothing would ever remove a mail of a tenant that is gone.
        if !tenant::exists(tx, &self.app, &mail.tenant).await.map_err(failed)? {
            return Err(Fault::new("writing a mail", Gone { app: self.app.clone(), tenant: mail.tenant.clone() }));
        }
        let now = context.now();
        let id = time_ordered_uuid(context.entropy.as_ref(), now);
        let key = outbox::key(&self.app, &mail.tenant, &id);
        // invariant: a mail holds only serialisable data with string keys
        let text = Zeroizing::new(serde_json::to_vec(mail).unwrap_or_default());
        let record = OutboxRecord {
            kind: mail.kind,
            created: now,
            expires: mail.expires,
            progress: Progress::default(),
            error: None,
            sealed_mail: self.key.seal_at_rest(outbox::place(&self.app, &key), &text, context.entropy.as_ref()),
        };
        outbox::put(tx, key, &record).map_err(failed)?;
        Ok(id)
    }

    /// The mail in a record; `None` if it was not sealed by this app for this place.
    fn open(&self, key: &Key, record: &OutboxRecord) -> Option<Mail> {
        let text = self.key.open_at_rest(outbox::place(&self.app, key), &record.sealed_mail).map(Zeroizing::new)?;
        serde_json::from_slice(&text).ok()
    }
}

/// Who delivers an app's mails and text messages.
fn services(app: &AppEntry) -> Services<'_> {
    Services { mail: app.config.mail.server.as_deref(), text: app.config.sms.service.as_deref() }
}

fn failed(error: StoreError) -> Fault {
    Fault::new("reading or writing the outbox", error)
}
