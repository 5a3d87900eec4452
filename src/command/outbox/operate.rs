//! What operators do with the outbox.

use super::{Outbox, failed, services};
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact_unqueued};
use crate::context::Context;
use crate::domain::delivery::Progress;
use crate::domain::entropy::time_ordered_uuid;
use crate::domain::ids::TenantId;
use crate::domain::mail::{Addressee, Channel, Mail, MailKind};
use crate::fault::Fault;
use crate::outbound::mail::{Delivery, SendError};
use crate::store::Key;
use crate::store::outbox::{self, OutboxRecord, parse_key};
use uuid::Uuid;

/// Rows read at once.
const PAGE: usize = 256;

/// How long the token of a test mail would be valid, in ms.
const TEST_LIFETIME_MS: u64 = 3_600_000;

/// Lists the mails of an app that are not sent yet, oldest first.
pub struct ListMail {
    /// The app, and who asks.
    pub scope: Scope,
    /// The most mails to return.
    pub limit: usize,
}

/// A mail that is not sent yet.
pub struct WaitingMail {
    /// The tenant that its token belongs to.
    pub tenant: TenantId,
    /// Its id.
    pub id: Uuid,
    /// Its recipient; `None` if it cannot be opened.
    pub to: Option<Addressee>,
    /// Its record.
    pub record: OutboxRecord,
}

impl ListMail {
    /// Returns the mails.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<WaitingMail>, Fault> {
        let (mut pages, mut found) = (outbox::pages(Some(&self.scope.app.id), PAGE.min(self.limit)), Vec::new());
        while found.len() < self.limit {
            let rows = pages.records::<OutboxRecord>(context.store.begin().as_mut()).await.map_err(failed)?;
            let Some(rows) = rows else { break };
            found.extend(rows);
        }
        if found.is_empty() {
            // Opening an outbox would make keys for an app that has none yet.
            return Ok(Vec::new());
        }
        found.truncate(self.limit);
        let outbox = Outbox::of(context, &self.scope.app).await?;
        let opened = found.into_iter().filter_map(|(key, record)| {
            let (_, tenant, id) = parse_key(&key)?;
            let to = outbox.open(&key, &record).map(|mail| mail.to);
            Some(WaitingMail { tenant, id, to, record })
        });
        Ok(opened.collect())
    }
}

/// Has mails tried again now, also those that are held.
pub struct RetryMail {
    /// The app, and who asks.
    pub scope: Scope,
    /// The mail; all of the app without.
    pub id: Option<Uuid>,
}

impl RetryMail {
    /// Makes the mails due; returns how many there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<u64, Fault> {
        let app = &self.scope.app.id;
        let keys = keys(context, &self.scope, self.id).await?;
        let mut renewed = 0;
        for some in keys.chunks(PAGE) {
            renewed += transact_unqueued(&*context.store, "committing mails to be tried again", |mut tx| async move {
                let mut renewed = 0;
                for key in some {
                    let Some(mut record) = outbox::get(tx.as_mut(), key).await.map_err(failed)? else { continue };
                    record.progress = Progress::default();
                    outbox::put(tx.as_mut(), key.clone(), &record).map_err(failed)?;
                    renewed += 1;
                }
                Ok(Step::Commit(tx, renewed))
            })
            .await?;
        }
        Channel::ALL.into_iter().for_each(|channel| context.outbox.resume(&(app.clone(), channel)));
        context.outbox.notify();
        Ok(renewed)
    }
}

/// The keys of an app's mails, or of the one with this id.
async fn keys(context: &Context, scope: &Scope, id: Option<Uuid>) -> Result<Vec<Key>, Fault> {
    let is_wanted = |key: &Key| id.is_none_or(|id| parse_key(key).is_some_and(|(_, _, other)| other == id));
    let mut tx = context.store.begin();
    let (mut pages, mut found) = (outbox::pages(Some(&scope.app.id), PAGE), Vec::new());
    while let Some(rows) = pages.rows(tx.as_mut()).await.map_err(failed)? {
        found.extend(rows.into_iter().map(|(key, _)| key).filter(is_wanted));
    }
    Ok(found)
}

/// Removes a mail unsent. Its token stays valid.
pub struct DropMail {
    /// The app, and who asks.
    pub scope: Scope,
    /// The mail.
    pub id: Uuid,
}

impl DropMail {
    /// Removes the mail; returns whether there was one. It may just be on its way.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<bool, Fault> {
        let Some(key) = &keys(context, &self.scope, Some(self.id)).await?.pop() else { return Ok(false) };
        transact_unqueued(&*context.store, "removing a mail", |mut tx| async move {
            if outbox::get(tx.as_mut(), key).await.map_err(failed)?.is_none() {
                return Ok(Step::Done(false));
            }
            outbox::delete(tx.as_mut(), key.clone());
            Ok(Step::Commit(tx, true))
        })
        .await
    }
}

/// Sends a mail without a token, or a text message with a code that is worth nothing, at once and past the outbox, to see
/// whether the settings work.
pub struct TestMail {
    /// The app, and who asks.
    pub scope: Scope,
    /// The recipient.
    pub to: Addressee,
}

impl TestMail {
    /// Sends the mail and returns what the server said, or that it was caught; `None` if it could not be put into words.
    pub async fn run(self, context: &Context) -> Option<Result<Delivery, SendError>> {
        let (app, now) = (&self.scope.app, context.now());
        let (kind, code) = match &self.to {
            Addressee::Mailbox(_) => (MailKind::Test, None),
            Addressee::Phone(_) => (MailKind::PasswordlessText, Some("000000".to_owned())),
        };
        let mail = Mail {
            tenant: TenantId::public(),
            to: self.to,
            kind,
            language: app.config.mail.language,
            app_name: "sessiond".to_owned(),
            link: None,
            code,
            lifetime_ms: TEST_LIFETIME_MS,
            expires: now.plus(TEST_LIFETIME_MS),
        };
        let id = time_ordered_uuid(context.entropy.as_ref(), now);
        let letter = context.mailer.write(id, app.id.clone(), mail, now).await?;
        Some(context.mailer.deliver(services(app), letter, now).await)
    }
}
