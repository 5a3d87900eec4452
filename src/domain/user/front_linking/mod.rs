//! Which login methods the front door links by itself (protocol: 21, 3).
//!
//! Everything here decides on what is known at one moment. Whether two users can be one at all, the store decides when
//! the result is written.

use super::{AccountInfo, LoginMethod, User};
use crate::domain::ids::UserId;

/// Whether login methods with the same address or phone number become one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkingRule {
    /// No.
    Off,
    /// If all of them are verified.
    Verified,
    /// Always.
    Always,
}

/// A user with what is known about its addresses and phone numbers.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The user.
    pub user: &'a User,
    /// For each of its login methods, in order: whether its address or phone number is verified.
    pub verified: &'a [bool],
}

impl<'a> Known<'a> {
    /// The login methods, each with whether it is verified.
    pub fn methods(self) -> impl Iterator<Item = (&'a LoginMethod, bool)> {
        self.user.methods.iter().zip(self.verified.iter().copied())
    }

    /// True if the oldest login method is verified; for a user that is not primary, its only one.
    #[must_use]
    pub fn is_verified(self) -> bool {
        self.methods().next().is_some_and(|(_, verified)| verified)
    }

    /// True if one of the login methods has one of these addresses or phone numbers, verified.
    #[must_use]
    pub fn has_verified(self, infos: &[AccountInfo]) -> bool {
        self.methods().any(|(method, verified)| verified && has_contact(method, infos))
    }

    /// True if whoever reads mail at this address could take over somebody else's account with a link sent there: no
    /// login method has shown that the address is the person's, and there are other addresses or phone numbers.
    #[must_use]
    pub fn may_be_taken_over(self, email: &str) -> bool {
        let has_more = self.methods().any(|(method, _)| {
            method.login.phone_number().is_some() || method.login.email().is_some_and(|other| other != email)
        });
        !self.has_verified(&[AccountInfo::Email(email.to_owned())]) && has_more
    }
}

/// True if a login method has one of these addresses or phone numbers. Accounts at providers are not compared: nobody
/// verifies them.
fn has_contact(method: &LoginMethod, infos: &[AccountInfo]) -> bool {
    infos.iter().any(|info| match info {
        AccountInfo::Email(email) => method.login.email() == Some(email),
        AccountInfo::PhoneNumber(number) => method.login.phone_number() == Some(number),
        AccountInfo::ThirdParty(_) => false,
    })
}

/// A sign-up or sign-in that is to be allowed.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its account infos.
    pub infos: &'a [AccountInfo],
    /// The user who signs in; `None` at sign-up.
    pub user: Option<&'a User>,
    /// Whether its address or phone number is verified, or will be by the sign-in itself.
    pub is_verified: bool,
    /// The user of the session that it belongs to, by the id that callers see.
    pub session_user: Option<&'a UserId>,
}

impl Candidate<'_> {
    /// True unless the sign-in could give one person's account to another (protocol: 21, 3.2). `sharing` are the users
    /// of the tenant who have one of its account infos.
    #[must_use]
    pub fn is_allowed(&self, rule: LinkingRule, sharing: &[Known<'_>]) -> bool {
        let is_settled = self.user.is_some_and(|user| user.is_primary || self.is_verified);
        let is_alone =
            sharing.iter().all(|other| self.user.is_some_and(|user| sharing.len() == 1 && user.id == other.user.id));
        if rule != LinkingRule::Verified || is_settled || is_alone {
            return true;
        }
        let is_sessions = |other: &Known<'_>| self.session_user == Some(other.user.shown_id());
        match sharing.iter().find(|other| other.user.is_primary) {
            Some(primary) => self.is_verified && (is_sessions(primary) || primary.has_verified(self.infos)),
            None => sharing.iter().all(|other| is_sessions(other) || other.has_verified(self.infos)),
        }
    }
}

/// What is done to link a login method to others with the same account infos.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Nothing: it stays as it is.
    Stay,
    /// It is linked to this primary user.
    LinkTo(UserId),
    /// This other user, who was there before, becomes primary. Then there is a next step.
    MakePrimary(UserId),
    /// It becomes a primary user itself.
    BecomePrimary,
}

/// The next step for a user that has one login method (protocol: 21, 3.3). `sharing` are the users of the tenant who
/// have one of its account infos.
///
/// Under [`LinkingRule::Verified`], both sides must have verified what they have in common. The SDKs do not look at the
/// primary user's side for addresses: somebody who signs up first with another person's address would be given that
/// person's verified login later.
#[must_use]
pub fn by_account_info(rule: LinkingRule, own: Known<'_>, sharing: &[Known<'_>]) -> NextStep {
    if rule == LinkingRule::Off || own.user.is_primary {
        return NextStep::Stay;
    }
    let infos: Vec<AccountInfo> = own.user.account_infos().into_iter().collect();
    let is_enough = |is_verified: bool| rule == LinkingRule::Always || is_verified;
    let others = || sharing.iter().filter(|other| other.user.id != own.user.id);
    if let Some(primary) = others().find(|other| other.user.is_primary) {
        return match is_enough(own.is_verified() && primary.has_verified(&infos)) {
            true => NextStep::LinkTo(primary.user.id.clone()),
            false => NextStep::Stay,
        };
    }
    let older = others().min_by_key(|other| other.user.position()).filter(|other| {
        let (theirs, ours) = (other.user.time_joined(), own.user.time_joined());
        theirs <= ours && is_enough(other.is_verified())
    });
    match older {
        Some(older) => NextStep::MakePrimary(older.user.id.clone()),
        None if is_enough(own.is_verified()) => NextStep::BecomePrimary,
        None => NextStep::Stay,
    }
}

/// True if a user may become primary by itself, when somebody wants to be linked to it.
#[must_use]
pub fn may_become_primary(rule: LinkingRule, user: Known<'_>) -> bool {
    match rule {
        LinkingRule::Off => false,
        LinkingRule::Verified => user.is_verified(),
        LinkingRule::Always => true,
    }
}

/// True if a login method may be linked to the user of the session in which it is used (protocol: 21, 3.4).
#[must_use]
pub fn may_link_to_session(rule: LinkingRule, infos: &[AccountInfo], is_verified: bool, session: Known<'_>) -> bool {
    match rule {
        LinkingRule::Off => false,
        LinkingRule::Verified => is_verified || session.has_verified(infos),
        LinkingRule::Always => true,
    }
}

/// Whether a login method may get another address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailChange {
    /// It may.
    Allowed,
    /// Another primary user has the address.
    Conflict,
    /// The owner of the address might take the account for their own.
    TakeoverRisk,
}

/// Whether a login method of this user may get an address (protocol: 21, 3.5). `sharing` are the users of one of its
/// tenants who have the address; the answer has to be the same for each of its tenants.
#[must_use]
pub fn email_change(
    rule: LinkingRule,
    own: Known<'_>,
    (email, is_verified): (&str, bool),
    sharing: &[Known<'_>],
) -> EmailChange {
    let others = || sharing.iter().filter(|other| other.user.id != own.user.id);
    let has_primary = others().any(|other| other.user.is_primary);
    let address = [AccountInfo::Email(email.to_owned())];
    let is_at_risk = rule == LinkingRule::Verified && !is_verified;
    if own.user.is_primary {
        return match () {
            () if has_primary => EmailChange::Conflict,
            () if is_at_risk && !own.has_verified(&address) && others().next().is_some() => EmailChange::TakeoverRisk,
            () => EmailChange::Allowed,
        };
    }
    let has_it = own.user.methods.iter().any(|method| has_contact(method, &address));
    if is_at_risk && !has_it && has_primary { EmailChange::TakeoverRisk } else { EmailChange::Allowed }
}

#[cfg(test)]
mod tests;
