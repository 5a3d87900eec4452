//! Sends the mails of all outboxes.

use super::step::PAGE;
use crate::command::outbox::deliver::{DeliverMail, DeliverOutcome};
use crate::context::Context;
use crate::domain::delivery::Due;
use crate::domain::time::Reading;
use crate::fault::Fault;
use crate::metrics::{CountersBy, MailOutcome};
use crate::store::outbox::{self, OutboxRecord, parse_key};
use crate::store::{Key, codec};
use futures_util::stream::{self, StreamExt};

/// Most mails on their way at once, so that one slow server does not hold up the others.
const AT_ONCE: usize = 8;
/// Most mails of one round. What is left follows in the next one, which begins at once.
const MAX_ROUND: usize = 256;

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Mails that servers took.
    pub sent: u64,
    /// Mails that were caught.
    pub caught: u64,
    /// Mails that were not taken and stay.
    pub failed: u64,
    /// Mails that were removed unsent.
    pub dropped: u64,
    /// In how many ms the next mail is due; `None` if none is waiting for its time.
    pub next_ms: Option<u64>,
}

impl Round {
    /// Counts an outcome; returns whether the mail is still there.
    fn note(&mut self, outcome: DeliverOutcome, figures: &CountersBy<MailOutcome>) -> bool {
        let (count, outcome) = match outcome {
            DeliverOutcome::Sent => (&mut self.sent, MailOutcome::Sent),
            DeliverOutcome::Caught => (&mut self.caught, MailOutcome::Caught),
            DeliverOutcome::Failed(_) => (&mut self.failed, MailOutcome::Failed),
            DeliverOutcome::Dropped => (&mut self.dropped, MailOutcome::Dropped),
            DeliverOutcome::Nothing => return true,
        };
        *count += 1;
        figures.count(outcome);
        outcome == MailOutcome::Failed
    }
}

/// Sends the mails that are due.
///
/// # Errors
/// When the store fails; what was not sent is left to the next round.
pub async fn round(context: &Context) -> Result<Round, Fault> {
    let (due, next_ms) = due(context).await?;
    let mut round = Round { next_ms, ..Round::default() };
    let sending = due.into_iter().map(|mail| Box::pin(mail.run(context)));
    let mut outcomes = stream::iter(sending).buffer_unordered(AT_ONCE);
    let (mut fault, mut some_left) = (None, false);
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(outcome) => some_left |= round.note(outcome, &context.metrics.mails),
            // The others are on their way: giving them up now could send them twice.
            Err(error) => fault = Some(error),
        }
    }
    if let Some(fault) = fault {
        return Err(fault);
    }
    if some_left {
        // Failures have changed when mails are due, also those of others of the same app.
        let (due, next_ms) = self::due(context).await?;
        round.next_ms = if due.is_empty() { next_ms } else { Some(0) };
    }
    Ok(round)
}

/// The mails that are due, and in how many ms the next one is.
async fn due(context: &Context) -> Result<(Vec<DeliverMail>, Option<u64>), Fault> {
    let now = context.clock.reading();
    let (mut pages, mut due, mut next_ms) = (outbox::pages(None, PAGE), Vec::new(), None::<u64>);
    loop {
        let page = pages.rows(context.store.begin().as_mut()).await;
        let page = page.map_err(|error| Fault::new("looking for mails to send", error))?;
        let Some(page) = page else { return Ok((due, next_ms)) };
        for (key, bytes) in &page {
            if due.len() >= MAX_ROUND {
                return Ok((due, Some(0)));
            }
            match when(context, key, bytes, &now) {
                Some((mail, 0)) => due.push(mail),
                Some((_, left)) => next_ms = Some(next_ms.map_or(left, |next| next.min(left))),
                None => {}
            }
        }
    }
}

/// In how many ms a mail is to be sent or dropped; `None` if not by itself, or if its tenant is being removed.
fn when(context: &Context, key: &Key, bytes: &[u8], now: &Reading) -> Option<(DeliverMail, u64)> {
    let (app, tenant, id) = parse_key(key)?;
    let entry = context.directory.app(&app)?;
    entry.tenant(&tenant)?;
    let mail = DeliverMail { app: entry, tenant, id };
    let record = match codec::decode::<OutboxRecord>(context.store.encoding(), key, bytes) {
        Ok(record) => record,
        Err(error) => {
            tracing::error!(%error, "skipping a damaged mail in the outbox");
            return None;
        }
    };
    let expiry = now.wall.until(record.expires);
    if expiry == 0 {
        return context.settled_clock.trusts(*now).then_some((mail, 0));
    }
    let left = match record.progress.due(now) {
        Due::Now => 0,
        Due::In(left) => left,
        Due::Held => expiry,
    };
    let pause = context.outbox.pause_left(&(app, record.kind.channel()), now.steady).unwrap_or(0);
    Some((mail, left.max(pause).min(expiry)))
}
