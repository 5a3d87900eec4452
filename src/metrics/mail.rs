//! Outcomes of attempts to send mails.

use crate::table::table;

table! {
    /// What became of an attempt to send a mail.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum MailOutcome {
        /// A server took it.
        Sent, "sent";
        /// It was caught, because no server is configured.
        Caught, "caught";
        /// The server did not take it; it stays in the outbox.
        Failed, "failed";
        /// It was removed unsent: its token had expired.
        Dropped, "dropped";
    }
}
