//! [`CaughtMail`]: where mails end up as long as no server is configured.

use super::Letter;
use crate::domain::mail::MailKind;
use crate::domain::time::UnixMillis;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The most letters kept; the oldest make room.
pub const MAX_CAUGHT: usize = 200;

/// A box in memory with the newest letters that were not sent anywhere. Lost at exit.
#[derive(Default)]
pub struct CaughtMail(Mutex<VecDeque<Arc<Letter>>>);

/// A caught letter as developers read it; the JSON form of `GET /auth/dev/mail.json`. It holds a living token.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaughtMailView {
    /// Its id.
    pub id: Uuid,
    /// The connection URI domain of the app; empty for the base one.
    pub connection_uri_domain: String,
    /// The app.
    pub app_id: String,
    /// The tenant of its token.
    pub tenant_id: String,
    /// What it is for.
    pub kind: MailKind,
    /// The recipient.
    pub to: String,
    /// The language of its text.
    pub language: &'static str,
    /// When it was written, in ms since 1970.
    pub time: UnixMillis,
    /// When its token expires, in ms since 1970.
    pub expires: UnixMillis,
    /// Its subject.
    pub subject: String,
    /// The link with the token, if it carries one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The code, if it carries one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its words as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl CaughtMail {
    /// Keeps a letter.
    pub(super) fn put(&self, letter: Letter) {
        let mut letters = self.letters();
        if letters.len() >= MAX_CAUGHT {
            letters.pop_front();
        }
        letters.push_back(Arc::new(letter));
    }

    /// The letters, newest first.
    #[must_use]
    pub fn list(&self) -> Vec<CaughtMailView> {
        let letters: Vec<_> = self.letters().iter().rev().map(Arc::clone).collect();
        letters.iter().map(|letter| CaughtMailView::of(letter)).collect()
    }

    /// Forgets all letters.
    pub fn clear(&self) {
        self.letters().clear();
    }

    fn letters(&self) -> MutexGuard<'_, VecDeque<Arc<Letter>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CaughtMailView {
    fn of(letter: &Letter) -> Self {
        let Letter { id, app, mail, date, subject, text, html } = letter;
        Self {
            id: *id,
            connection_uri_domain: app.connection_uri_domain.clone(),
            app_id: app.app_id.clone(),
            tenant_id: mail.tenant.as_str().to_owned(),
            kind: mail.kind,
            to: mail.to.as_str().to_owned(),
            language: mail.language.name(),
            time: *date,
            expires: mail.expires,
            subject: subject.as_str().to_owned(),
            link: mail.link.clone(),
            code: mail.code.clone(),
            text: text.clone(),
            html: html.clone(),
        }
    }
}
