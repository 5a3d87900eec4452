//! Sends one mail of the outbox.

use super::{Outbox, failed, services};
use crate::command::transact::{Step, transact_unqueued};
use crate::context::Context;
use crate::domain::delivery::{Due, Failure, MAX_REFUSALS, Progress};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::mail::{Channel, Mail};
use crate::fault::Fault;
use crate::outbound::mail::{Delivery, SendError};
use crate::state::directory::AppEntry;
use crate::store::Key;
use crate::store::outbox::{self, OutboxRecord};
use std::sync::Arc;
use uuid::Uuid;

/// Sends a mail, if it is due, and removes it from the outbox.
pub struct DeliverMail {
    /// The app.
    pub app: Arc<AppEntry>,
    /// The tenant that its token belongs to.
    pub tenant: TenantId,
    /// The mail's id.
    pub id: Uuid,
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliverOutcome {
    /// The server took it.
    Sent,
    /// It was caught.
    Caught,
    /// It was removed unsent: its token has expired.
    Dropped,
    /// The server did not take it; it stays.
    Failed(Failure),
    /// There was nothing to do: it is not due, or somebody else has removed it.
    Nothing,
}

impl DeliverMail {
    /// Sends the mail and returns what became of it.
    ///
    /// # Errors
    /// When the store fails. If the mail was sent before, this process remembers it and does not send it again.
    pub async fn run(self, context: &Context) -> Result<DeliverOutcome, Fault> {
        let record = outbox::get(context.store.begin().as_mut(), &self.key()).await.map_err(failed)?;
        let Some(record) = record else { return Ok(DeliverOutcome::Nothing) };
        if context.outbox.is_sent(&self.message()) {
            self.remove(context).await?;
            return Ok(DeliverOutcome::Nothing);
        }
        let now = context.clock.reading();
        if now.wall >= record.expires {
            // With a wrong clock, a mail could seem to have expired; it is not sent, but not lost either.
            return match context.settled_clock.trusts(now) {
                true => self.drop_unsent(context).await,
                false => Ok(DeliverOutcome::Nothing),
            };
        }
        let channel = record.kind.channel();
        let is_paused =
            context.outbox.is_closing() || context.outbox.pause_left(&self.server(channel), now.steady).is_some();
        if is_paused || record.progress.due(&now) != Due::Now {
            return Ok(DeliverOutcome::Nothing);
        }
        let Some(mail) = Outbox::of(context, &self.app).await?.open(&self.key(), &record) else {
            return self.hold(context).await;
        };
        self.send(context, &record, mail).await
    }

    fn key(&self) -> Key {
        outbox::key(&self.app.id, &self.tenant, &self.id)
    }

    fn message(&self) -> (AppId, Uuid) {
        (self.app.id.clone(), self.id)
    }

    fn server(&self, channel: Channel) -> (AppId, Channel) {
        (self.app.id.clone(), channel)
    }

    async fn send(&self, context: &Context, record: &OutboxRecord, mail: Mail) -> Result<DeliverOutcome, Fault> {
        let (id, app, to) = (self.id, &self.app.id, mail.to.clone());
        let Some(letter) = context.mailer.write(id, app.clone(), mail, record.created).await else {
            return self.hold(context).await;
        };
        match context.mailer.deliver(services(&self.app), letter, context.now()).await {
            Ok(delivery) => {
                context.outbox.remember_sent(self.message());
                context.outbox.resume(&self.server(record.kind.channel()));
                self.remove(context).await?;
                Ok(if delivery == Delivery::Caught { DeliverOutcome::Caught } else { DeliverOutcome::Sent })
            }
            Err(SendError { failure, what }) => {
                // Addresses are sealed at rest and stay out of the logs.
                let what = what.replace(to.as_str(), "(recipient)");
                self.note_failure(context, record.kind.channel(), failure, &what).await?;
                Ok(DeliverOutcome::Failed(failure))
            }
        }
    }

    async fn note_failure(
        &self,
        context: &Context,
        channel: Channel,
        failure: Failure,
        what: &str,
    ) -> Result<(), Fault> {
        let (app, now) = (&self.app.id, context.clock.reading());
        if failure == Failure::Unavailable {
            context.outbox.pause(self.server(channel), now.steady);
        } else {
            context.outbox.resume(&self.server(channel));
        }
        let progress = self.update(context, what, |progress| progress.failed(failure, now)).await?;
        let is_held = progress.is_some_and(|progress| progress.due(&now) == Due::Held);
        let next =
            if is_held { "it is held until `sessiond mail retry`, or until it expires" } else { "it stays queued" };
        tracing::warn!(app = app.app_id, mail = %self.id, "a mail was not sent, {next}: {what}");
        Ok(())
    }

    /// Keeps a mail that this process cannot read or word: another version may be able to.
    async fn hold(&self, context: &Context) -> Result<DeliverOutcome, Fault> {
        let what = "it cannot be opened with this app's key, or not be put into words";
        tracing::error!(app = self.app.id.app_id, mail = %self.id, "a mail in the outbox is held: {what}");
        self.update(context, what, |progress| Progress { refusals: MAX_REFUSALS, ..progress }).await?;
        Ok(DeliverOutcome::Failed(Failure::Refused))
    }

    /// Changes the progress of the mail, unless it is gone; returns the new one.
    async fn update(
        &self,
        context: &Context,
        what: &str,
        change: impl Fn(Progress) -> Progress,
    ) -> Result<Option<Progress>, Fault> {
        let (key, change) = (&self.key(), &change);
        transact_unqueued(&*context.store, "committing a mail's progress", |mut tx| async move {
            let Some(mut record) = outbox::get(tx.as_mut(), key).await.map_err(failed)? else {
                return Ok(Step::Done(None));
            };
            record.progress = change(record.progress);
            record.error = Some(what.to_owned());
            outbox::put(tx.as_mut(), key.clone(), &record).map_err(failed)?;
            Ok(Step::Commit(tx, Some(record.progress)))
        })
        .await
    }

    async fn drop_unsent(&self, context: &Context) -> Result<DeliverOutcome, Fault> {
        self.remove(context).await?;
        tracing::info!(app = self.app.id.app_id, mail = %self.id, "a mail was dropped unsent: its token has expired");
        Ok(DeliverOutcome::Dropped)
    }

    async fn remove(&self, context: &Context) -> Result<(), Fault> {
        let key = &self.key();
        transact_unqueued(&*context.store, "removing a mail from the outbox", |mut tx| async move {
            outbox::delete(tx.as_mut(), key.clone());
            Ok(Step::Commit(tx, ()))
        })
        .await?;
        context.outbox.forget_sent(&self.message());
        Ok(())
    }
}
