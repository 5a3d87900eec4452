//! Outbound mail: the outbox, the SMTP client, templates.

mod letters;
mod life;
mod outbox;
mod records;
pub(crate) mod server;
mod texts;
mod tls;

use crate::app::{TestApp, TestAppBuilder};
use async_trait::async_trait;
use server::SmtpServer;
use sessiond::command::outbox::Outbox;
use sessiond::domain::ids::{AppId, TenantId};
use sessiond::domain::mail::{Language, Mail, MailAddress, MailKind, SmtpServer as Settings};
use sessiond::jobs::outbox::{Round, round};
use sessiond::outbound::mail::{Letter, MailTransport, SendError};
use sessiond::store::Keyspace;
use uuid::Uuid;

/// The secret that the mails of these tests carry.
pub(crate) const TOKEN: &str = "bm90LWZvci1sb2dzLW5vci1mb3ItdGhlLXN0b3Jl";
const LIFETIME: u64 = 3_600_000;

/// A transport that sends nothing and says what it was asked to do.
pub(crate) struct Described;

#[async_trait]
impl MailTransport for Described {
    async fn send(&self, server: &Settings, letter: &Letter) -> Result<String, SendError> {
        let credentials = server.credentials.as_ref();
        let account = credentials.map(|it| format!("{}:{}", it.username, it.password.expose()));
        Ok(format!(
            "{} {} {:?} {account:?} {:?} {}",
            server.host, server.port, server.security, server.from, letter.subject
        ))
    }
}

/// An app that hands its mails to this server.
fn with_server(server: &SmtpServer) -> TestAppBuilder {
    let port = server.port.to_string();
    TestApp::builder()
        .setting("smtp_host", "127.0.0.1")
        .setting("smtp_port", &port)
        .setting("smtp_from_email", "shop@example.org")
        .setting("smtp_from_name", "The Shop")
}

/// A mail to Jane.
pub(crate) fn mail(app: &TestApp) -> Mail {
    app.keep_secret(TOKEN);
    Mail {
        tenant: TenantId::public(),
        to: MailAddress::parse("jane@example.org").unwrap().into(),
        kind: MailKind::PasswordReset,
        language: Language::En,
        app_name: "Shop".to_owned(),
        link: Some(format!("https://shop.example.org/auth/reset-password?token={TOKEN}&tenantId=public")),
        code: None,
        lifetime_ms: LIFETIME,
        expires: app.context.now().plus(LIFETIME),
    }
}

/// Writes a mail of an app, in a transaction of its own.
pub(crate) async fn add_to(app: &TestApp, id: &AppId, mail: &Mail) -> Uuid {
    let entry = app.context.directory.app(id).unwrap();
    let outbox = Outbox::of(&app.context, &entry).await.unwrap();
    let mut tx = app.context.store.begin();
    let id = outbox.add(&app.context, tx.as_mut(), mail).await.unwrap();
    tx.commit().await.unwrap();
    app.context.outbox.notify();
    id
}

/// Writes a mail of the base app.
pub(crate) async fn add(app: &TestApp, mail: &Mail) -> Uuid {
    add_to(app, &AppId::base(), mail).await
}

/// Does what the job does.
async fn run(app: &TestApp) -> Round {
    round(&app.context).await.unwrap()
}

/// Mails that are not sent yet.
async fn waiting(app: &TestApp) -> usize {
    app.rows(Keyspace::Outbox).await
}

const fn sent(count: u64) -> Round {
    Round { sent: count, caught: 0, failed: 0, dropped: 0, next_ms: None }
}

/// A round in which one mail failed, and when the next is due.
const fn failed(next_ms: u64) -> Round {
    Round { sent: 0, caught: 0, failed: 1, dropped: 0, next_ms: Some(next_ms) }
}
