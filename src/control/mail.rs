//! Mails that are not sent yet: the tasks about them.

use crate::command::outbox::operate::{DropMail, ListMail, RetryMail, TestMail, WaitingMail};
use crate::context::Context;
use crate::control::task_context::{TaskContext, failed, scope};
use crate::domain::delivery::{Due, Progress};
use crate::domain::ids::AppId;
use crate::domain::mail::Addressee;
use crate::domain::time::{Reading, UnixMillis};
use crate::outbound::mail::Delivery;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) async fn test(tasks: &TaskContext<'_>, id: &AppId, to: &str) -> Result<Value, String> {
    let context = tasks.context;
    let scope = scope(context, id, None, "sessiond mail test")?;
    let to = to.trim();
    let to = Addressee::try_from(to.to_owned()).map_err(|error| format!("{to} is not an address: {error}"))?;
    let config = &scope.app.config;
    let (host, setting) = match to {
        Addressee::Mailbox(_) => {
            (config.mail.server.as_ref().map(|it| format!("{}:{}", it.host, it.port)), "smtp_host")
        }
        Addressee::Phone(_) => (config.sms.service.as_ref().map(|it| it.host()), "sms_twilio_account_sid"),
    };
    let outcome = TestMail { scope, to }.run(context).await;
    match outcome.ok_or("the built-in template cannot be used")? {
        Ok(Delivery::Sent(answer)) => Ok(json!({ "status": "SENT", "server": host, "answer": answer })),
        Ok(Delivery::Caught) => Ok(json!({ "status": "CAUGHT", "inMemoryOfServer": tasks.served, "missing": setting })),
        Err(error) => Err(format!("{} did not take the mail: {error}", host.unwrap_or_default())),
    }
}

pub(super) async fn list(context: &Context, id: &AppId, limit: u32) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond mail list")?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mails = ListMail { scope, limit }.run(context).await.map_err(failed)?;
    let now = context.clock.reading();
    Ok(json!({ "mails": mails.iter().map(|mail| shown(mail, &now)).collect::<Vec<_>>() }))
}

pub(super) async fn retry(context: &Context, id: &AppId, mail: Option<Uuid>) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond mail retry")?;
    let retried = RetryMail { scope, id: mail }.run(context).await.map_err(failed)?;
    Ok(json!({ "retried": retried }))
}

pub(super) async fn drop(context: &Context, id: &AppId, mail: Uuid) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond mail drop")?;
    let dropped = DropMail { scope, id: mail }.run(context).await.map_err(failed)?;
    Ok(json!({ "didMailExist": dropped }))
}

/// What a message waits for, and when it is sent.
pub(super) fn state(progress: &Progress, now: &Reading) -> (&'static str, Option<UnixMillis>) {
    match progress.due(now) {
        Due::Now => ("due", Some(now.wall)),
        Due::In(left) => ("waiting", Some(now.wall.plus(left))),
        Due::Held => ("held", None),
    }
}

/// A mail without what it carries: the token stays between the server and the recipient.
fn shown(mail: &WaitingMail, now: &Reading) -> Value {
    let record = &mail.record;
    let (state, due) = state(&record.progress, now);
    json!({
        "id": mail.id,
        "kind": record.kind.name(),
        "to": mail.to.as_ref().map(Addressee::as_str),
        "tenantId": mail.tenant.as_str(),
        "timeCreated": record.created,
        "expiry": record.expires,
        "state": state,
        "nextAttempt": due,
        "failures": record.progress.failures,
        "lastError": record.error,
    })
}
