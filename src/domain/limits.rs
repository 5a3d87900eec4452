//! What is limited at the front door, and by what it is counted.

use crate::domain::rate::Rate;
use crate::table::table;

table! {
    /// What a request does that has a limit.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum LimitedAction {
        /// Signs in with a password.
        SignIn, "sign_in";
        /// Signs up with a password.
        SignUp, "sign_up";
        /// Has a mail sent.
        Mail, "mail";
        /// Has a text message sent.
        Text, "text";
        /// Shows a code, or the token of a link or of a provider.
        Code, "code";
        /// Asks whether an account exists, or for what a provider has to be asked.
        Lookup, "lookup";
    }
}

table! {
    /// By what requests are counted together.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum LimitedBy {
        /// The network address of the person's device; with IPv6, its /64.
        Address, "address";
        /// The account that is named, from one address.
        AccountAtAddress, "account_at_address";
        /// The account that is named, from all addresses that have not signed in to it.
        Account, "account";
        /// The country of the phone number, in one app.
        Country, "country";
        /// The app.
        App, "app";
    }
}

/// The limits of one action; none where there is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ActionLimits {
    /// By the address.
    pub address: Option<Rate>,
    /// By account and address; by account alone, twice as much.
    pub account: Option<Rate>,
    /// By the country of a phone number.
    pub country: Option<Rate>,
    /// By the app.
    pub app: Option<Rate>,
}

impl ActionLimits {
    /// The rate by which something is counted.
    #[must_use]
    pub fn by(&self, by: LimitedBy) -> Option<Rate> {
        match by {
            LimitedBy::Address => self.address,
            LimitedBy::AccountAtAddress => self.account,
            LimitedBy::Account => self.account.map(Rate::doubled),
            LimitedBy::Country => self.country,
            LimitedBy::App => self.app,
        }
    }
}

/// The mailbox of an e-mail address, as far as it can be told from its text: what follows a plus sign in the local part is
/// a label at most providers. Anything else is itself.
#[must_use]
pub fn mailbox(account: &str) -> (&str, &str) {
    let (local, domain) = account.rsplit_once('@').unwrap_or((account, ""));
    match local.split_once('+') {
        Some((mailbox, _)) if !mailbox.is_empty() => (mailbox, domain),
        _ => (local, domain),
    }
}

#[cfg(test)]
mod tests {
    use super::mailbox;

    #[test]
    fn labels_are_no_part_of_a_mailbox() {
        assert_eq!(mailbox("jane+shop+2@example.org"), mailbox("jane@example.org"));
        assert_ne!(mailbox("jane@example.org"), mailbox("jane@example.com"));
        assert_ne!(mailbox("+4915112345678"), mailbox("+4915112345679"));
        assert_ne!(mailbox("+a@example.org"), mailbox("+b@example.org"));
    }
}
