//! Figures of the gate.

use crate::table::table;

table! {
    /// What the gate answered a proxy.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum GateOutcome {
        /// The request may pass.
        Allowed, "allowed";
        /// The browser is sent to refresh its session.
        Bounced, "bounced";
        /// The browser is sent to a page on which the person signs in, or does what is still missing.
        SentToPage, "sent-to-page";
        /// No session, or one that has to be refreshed.
        Unauthorised, "unauthorised";
        /// The session does not fulfil what is required, or the request comes from a foreign page.
        Forbidden, "forbidden";
        /// The proxy asked wrongly.
        Misused, "misused";
        /// The store or a key failed.
        Failed, "failed";
    }
}

table! {
    /// What became of a page load whose session had to be refreshed.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum BounceOutcome {
        /// The session was refreshed.
        Refreshed, "refreshed";
        /// Another page load had just refreshed it, and this one got the same tokens.
        Shared, "shared";
        /// There is no session to refresh.
        SignedOut, "signed-out";
        /// It was asked to come again: it came by way of a foreign page, or had cookies of an earlier domain.
        Repeated, "repeated";
        /// It was sent to the website's page: the app's anti-CSRF tokens need a script.
        NeedsScript, "needs-script";
        /// It was no page load, or came from a foreign page.
        Refused, "refused";
        /// The browser came back again and again.
        Looped, "looped";
        /// Anything else went wrong.
        Failed, "failed";
    }
}
