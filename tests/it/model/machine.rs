//! The interface that the properties run on, and the pure rules behind it.

use super::world::{GRACE, REFRESH_VALIDITY};
use sessiond::domain::session::RefreshPolicy::{self, RotateOnRefresh};
use sessiond::domain::session::event::ReuseSubtype;
use sessiond::domain::session::family::{Family, FamilyRules, Lineage, PresentedToken, RefreshDecision};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::token_hash::TokenHash2;

/// Refresh tokens are numbered as they are issued; the session's first is 0.
pub(super) type TokenId = usize;
/// Access tokens are numbered the same way.
pub(super) type AccessId = usize;

/// The outcome of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// New tokens: the next numbers.
    Granted,
    Theft(Option<ReuseSubtype>),
    /// No such session (any more).
    Gone,
}

/// The outcome of a verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Good {
        /// A new access token: the next number.
        reminted: bool,
    },
    Unauthorised,
}

/// One session on a server.
pub(super) trait Machine {
    fn create(now: u64) -> Self;
    fn refresh(&mut self, policy: RefreshPolicy, token: TokenId, now: u64) -> Outcome;
    fn verify(&mut self, policy: RefreshPolicy, access: AccessId, check_database: bool, now: u64) -> Seen;
    /// Whether it would be granted. Changes nothing. `None` when the machine can't tell without trying.
    fn would_grant(&self, policy: RefreshPolicy, token: TokenId, now: u64) -> Option<bool>;
}

pub(super) const RULES: FamilyRules =
    FamilyRules { grace_ms: GRACE, refresh_validity_ms: REFRESH_VALIDITY, recent_reuse_is_theft: true };

/// The rules alone.
pub(super) struct Pure {
    pub(super) family: Option<Family>,
    pub(super) tokens: Vec<PresentedToken>,
    pub(super) access: Vec<Lineage>,
    pub(super) rules: FamilyRules,
}

fn hash(token: TokenId) -> TokenHash2 {
    TokenHash2::of(&format!("token {token}"))
}

impl Machine for Pure {
    fn create(now: u64) -> Self {
        Self {
            family: Some(Family::new(hash(0), false, UnixMillis(now + REFRESH_VALIDITY))),
            tokens: vec![PresentedToken { hash: hash(0), parent: None, generation: 0 }],
            access: vec![Lineage { hash: hash(0), parent: None }],
            rules: RULES,
        }
    }

    fn refresh(&mut self, policy: RefreshPolicy, token: TokenId, now: u64) -> Outcome {
        let Some(family) = &mut self.family else { return Outcome::Gone };
        let presented = self.tokens[token];
        match family.refresh(&presented, policy, None, &self.rules, UnixMillis(now)) {
            RefreshDecision::Expired => Outcome::Gone,
            RefreshDecision::Grant(grant) => {
                let minted = hash(self.tokens.len());
                let parent = Some(presented.hash);
                self.tokens.push(PresentedToken { hash: minted, parent, generation: grant.generation() });
                self.access.push(Lineage { hash: minted, parent: parent.filter(|_| grant.awaits_use()) });
                *family = grant.complete(minted);
                Outcome::Granted
            }
            RefreshDecision::Reuse(reuse) => {
                if reuse.ends_session {
                    self.family = None;
                }
                assert!(reuse.is_theft, "the setting requires it");
                Outcome::Theft((policy == RotateOnRefresh).then_some(reuse.subtype))
            }
        }
    }

    fn verify(&mut self, policy: RefreshPolicy, access: AccessId, check_database: bool, now: u64) -> Seen {
        let lineage = self.access[access];
        if !(check_database || (policy.promotes_on_use() && lineage.parent.is_some())) {
            return Seen::Good { reminted: false };
        }
        let Some(family) = &mut self.family else { return Seen::Unauthorised };
        if policy == RotateOnRefresh {
            return if family.knows(&lineage) { Seen::Good { reminted: false } } else { Seen::Unauthorised };
        }
        if lineage.parent.is_none() {
            return Seen::Good { reminted: false };
        }
        let decision = family.verify(&lineage, false, &self.rules, UnixMillis(now));
        if let Some((next, _)) = decision.change {
            *family = next;
        }
        if decision.remint {
            self.access.push(Lineage { hash: lineage.hash, parent: None });
        }
        Seen::Good { reminted: decision.remint }
    }

    fn would_grant(&self, policy: RefreshPolicy, token: TokenId, now: u64) -> Option<bool> {
        Some(self.family.as_ref().is_some_and(|family| {
            let decision = family.refresh(&self.tokens[token], policy, None, &self.rules, UnixMillis(now));
            matches!(decision, RefreshDecision::Grant(_))
        }))
    }
}
