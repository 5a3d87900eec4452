//! [`Letter`]: a mail in words, and what becomes of it.

use crate::domain::ids::AppId;
use crate::domain::mail::{HeaderText, Mail};
use crate::domain::time::UnixMillis;
use std::fmt;
use uuid::Uuid;

/// A mail in words.
#[derive(Clone)]
pub struct Letter {
    /// Its id; the same if it is sent again.
    pub id: Uuid,
    /// The app that sends it.
    pub app: AppId,
    /// What it is made from.
    pub mail: Mail,
    /// Its date.
    pub date: UnixMillis,
    /// Its subject.
    pub subject: HeaderText,
    /// Its words as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl fmt::Debug for Letter {
    /// Leaves out the words: they hold the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter")
            .field("id", &self.id)
            .field("app", &self.app)
            .field("mail", &self.mail)
            .finish_non_exhaustive()
    }
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The server took it, with these words.
    Sent(String),
    /// It was caught, because no server is configured.
    Caught,
}
