//! The refresh family: what a presented token may still do, and how that changes the session.
//!
//! A session is a family of refresh tokens. The family knows the hash of its *current* token, the hash of the token
//! that this one replaced (*previous*), and when that happened. Three state machines decide, of which the protocol has
//! the first two (CDI: session refresh, session verify):
//!
//! * [`RefreshPolicy::PromoteOnUse`] (CDI ≤ 5.5): the current token mints *children*, any number of them, and stays
//!   current. A child takes its parent's place when it is first used: by itself at refresh, or by its access token at
//!   verify (*promotion*).
//! * [`RefreshPolicy::RotateOnRefresh`] (CDI ≥ 5.6): a token is replaced the moment it is exchanged. For a grace period
//!   the previous token is still understood and rotates again: a client that lost the reply may retry.
//! * [`RefreshPolicy::PromoteWithGrace`] (the front door): `PromoteOnUse`, for pages that share a cookie jar but cannot
//!   lock one another out. They refresh with one token at about the same time, and one may use its child before the
//!   other's request arrives: so the previous token still mints children for a grace period.
//!
//! Where tokens are promoted, one more thing goes beyond the protocol. Two tabs may refresh at once; the child of one
//! may be used first while the cookie jar kept the child of the other. Such a *sibling*, first used within the grace
//! period after the promotion, moves the one live lineage to itself, rather than being called theft an hour later. The
//! period starts at the promotion and never restarts; what was displaced is stale from then on. Under `PromoteOnUse`
//! the parent itself is theft at once after its promotion. Under `PromoteWithGrace` a sibling that comes back at refresh
//! moves the lineage however late, until the next promotion: the jar may have kept it unused.
//!
//! No two parties can go on in one family: whichever token moves the lineage, the one that was current is refused for
//! ever, except the previous token within its grace period under `RotateOnRefresh` and `PromoteWithGrace`.
//!
//! Generations: [`Family::generation`] counts how often `previous` changed. A refresh token carries the generation in
//! which it was minted. So a child minted before a promotion can be distinguished from a replacement minted after it
//! without comparing clocks. A child that the previous token mints carries the generation before, as its siblings do.

use super::RefreshPolicy;
use super::event::{EventKind, ReuseSubtype, Use};
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash2;
use serde::{Deserialize, Serialize};

/// Maximum number of displaced hashes kept. Reaching it ends the time of siblings, so a full list never forgets one.
const MAX_DISPLACED: usize = 64;

/// The state of a session's refresh family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// The token that is live, together with its unused children.
    pub current: TokenHash2,
    /// The token that `current`'s generation replaced.
    pub previous: Option<Previous>,
    /// How often `previous` has changed.
    pub generation: u64,
    /// Short hashes of tokens that were current since `previous` was replaced, and are stale now.
    pub displaced: Vec<[u8; 16]>,
    /// Whether access tokens of this session are signed with the static key.
    pub use_static_key: bool,
    /// End of life unless promoted or rotated.
    pub expires: UnixMillis,
}

/// The replaced token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// Its hash.
    pub hash: TokenHash2,
    /// When it was replaced. The grace period starts here.
    pub replaced_at: UnixMillis,
}

/// The settings that the rules depend on.
#[derive(Debug, Clone, Copy)]
pub struct FamilyRules {
    /// Length of the grace period, in ms.
    pub grace_ms: u64,
    /// Lifetime of a refresh token, in ms.
    pub refresh_validity_ms: u64,
    /// Reuse of a *recent* token is reported as theft (else the caller is only signed out).
    pub recent_reuse_is_theft: bool,
}

/// A refresh token as presented, after decryption.
#[derive(Debug, Clone, Copy)]
pub struct PresentedToken {
    /// Its hash.
    pub hash: TokenHash2,
    /// The hash of the token it was minted from; the first token of a session has none.
    pub parent: Option<TokenHash2>,
    /// The family's generation when it was minted.
    pub generation: u64,
}

/// What an access token says about the refresh token it was minted with.
#[derive(Debug, Clone, Copy)]
pub struct Lineage {
    /// The hash of that refresh token.
    pub hash: TokenHash2,
    /// The hash of its parent; only in access tokens minted by a `PromoteOnUse` refresh and not used yet.
    pub parent: Option<TokenHash2>,
}

/// The outcome of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshDecision {
    /// The session's end of life has passed.
    Expired,
    /// New tokens are due.
    Grant(Grant),
    /// A replaced token came back.
    Reuse(Reuse),
}

/// New tokens are due. Mint the refresh token with [`Grant::generation`], then [`Grant::complete`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    family: Family,
    /// The generation of the new refresh token.
    generation: u64,
    /// Whether the new refresh token becomes current (otherwise it is a child that waits for its first use).
    rotates: bool,
    /// What happened, oldest first.
    pub events: Vec<EventKind>,
}

/// A replaced token came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reuse {
    /// Which kind of replaced token.
    pub subtype: ReuseSubtype,
    /// Whether the session must be deleted with this.
    pub ends_session: bool,
    /// Whether the caller must be told of a theft (otherwise, that it is signed out).
    pub is_theft: bool,
    /// What happened.
    pub event: EventKind,
}

/// The outcome of a verify that looks at the session, where tokens are promoted on use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyDecision {
    /// Whether a new access token is due.
    pub remint: bool,
    /// The family's next state and the event that led to it, if it changes.
    pub change: Option<(Family, EventKind)>,
}

impl Grant {
    /// The generation that the new refresh token must carry.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the new tokens are signed with the static key.
    #[must_use]
    pub const fn use_static_key(&self) -> bool {
        self.family.use_static_key
    }

    /// Whether the new access token names its parent, so that its first use promotes.
    #[must_use]
    pub const fn awaits_use(&self) -> bool {
        !self.rotates
    }

    /// The family's next state, given the hash of the refresh token that was minted.
    #[must_use]
    pub fn complete(self, minted: TokenHash2) -> Family {
        let mut family = self.family;
        if self.rotates {
            family.current = minted;
        }
        family
    }
}

impl Family {
    /// The family of a new session.
    #[must_use]
    pub const fn new(first: TokenHash2, use_static_key: bool, expires: UnixMillis) -> Self {
        Self { current: first, previous: None, generation: 0, displaced: Vec::new(), use_static_key, expires }
    }

    /// Decides a refresh. `use_static_key` is the caller's choice; `None` keeps the session's.
    #[must_use]
    pub fn refresh(
        &self,
        presented: &PresentedToken,
        policy: RefreshPolicy,
        use_static_key: Option<bool>,
        rules: &FamilyRules,
        now: UnixMillis,
    ) -> RefreshDecision {
        if self.expires < now {
            return RefreshDecision::Expired;
        }
        let mut next = self.clone();
        next.use_static_key = use_static_key.unwrap_or(self.use_static_key);
        match policy {
            RefreshPolicy::PromoteOnUse | RefreshPolicy::PromoteWithGrace => {
                self.refresh_promoting(next, presented, policy, rules, now)
            }
            RefreshPolicy::RotateOnRefresh => self.refresh_rotating(next, presented, rules, now),
        }
    }

    fn refresh_promoting(
        &self,
        mut next: Self,
        presented: &PresentedToken,
        policy: RefreshPolicy,
        rules: &FamilyRules,
        now: UnixMillis,
    ) -> RefreshDecision {
        let mut events = Vec::with_capacity(2);
        if presented.hash == self.current {
            // The parent again: any number of children may be minted until one is used.
        } else if presented.parent == Some(self.current) {
            events.push(next.promote(presented.hash, Use::Refresh, rules, now));
        } else if self.is_sibling_at_refresh(presented, policy, rules, now) {
            events.push(next.move_to_sibling(presented.hash, Use::Refresh, rules, now));
        } else if policy == RefreshPolicy::PromoteWithGrace && self.may_mint_siblings(presented.hash, rules, now) {
            let generation = self.generation.saturating_sub(1);
            let events = vec![EventKind::GraceReplay { generation }];
            return RefreshDecision::Grant(Grant { family: next, generation, rotates: false, events });
        } else {
            return RefreshDecision::Reuse(self.reuse(presented, policy, rules, now));
        }
        let generation = next.generation;
        events.push(EventKind::Refreshed { generation });
        RefreshDecision::Grant(Grant { family: next, generation, rotates: false, events })
    }

    fn refresh_rotating(
        &self,
        mut next: Self,
        presented: &PresentedToken,
        rules: &FamilyRules,
        now: UnixMillis,
    ) -> RefreshDecision {
        let event = if presented.hash == self.current || presented.parent == Some(self.current) {
            next.replace(presented.hash, rules, now);
            EventKind::Rotated { generation: next.generation }
        } else if self.is_previous_in_grace(presented.hash, rules, now) {
            next.displace_current();
            EventKind::GraceReplay { generation: next.generation }
        } else {
            return RefreshDecision::Reuse(self.reuse(presented, RefreshPolicy::RotateOnRefresh, rules, now));
        };
        let generation = next.generation;
        RefreshDecision::Grant(Grant { family: next, generation, rotates: true, events: vec![event] })
    }

    /// Decides a verify that has to look at the session, where tokens are promoted on use: its access token awaits its
    /// first use, or the stored payload may differ from the token's (`payload_changed`).
    #[must_use]
    pub fn verify(
        &self,
        lineage: &Lineage,
        payload_changed: bool,
        rules: &FamilyRules,
        now: UnixMillis,
    ) -> VerifyDecision {
        let mut next = self.clone();
        // An access token names its parent only if its refresh token awaits its first use: one that names `previous`
        // was minted before the promotion, or by `previous` within its grace period.
        let event = if lineage.hash == self.current {
            None
        } else if lineage.parent == Some(self.current) {
            Some(next.promote(lineage.hash, Use::Verify, rules, now))
        } else if self.is_sibling(*lineage, rules, now) {
            Some(next.move_to_sibling(lineage.hash, Use::Verify, rules, now))
        } else {
            return VerifyDecision { remint: payload_changed, change: None };
        };
        VerifyDecision { remint: true, change: event.map(|event| (next, event)) }
    }

    /// The stateless check at verify (CDI ≥ 5.6): the access token belongs to the current or the previous token.
    #[must_use]
    pub fn knows(&self, lineage: &Lineage) -> bool {
        let known =
            |hash: TokenHash2| hash == self.current || self.previous.is_some_and(|previous| previous.hash == hash);
        known(lineage.hash) || lineage.parent.is_some_and(known)
    }

    /// `current` gives way to its child. The child was minted before, so `previous` becomes its parent.
    fn promote(&mut self, child: TokenHash2, by: Use, rules: &FamilyRules, now: UnixMillis) -> EventKind {
        let parent = self.current;
        self.replace(parent, rules, now);
        self.current = child;
        EventKind::Promoted { by, generation: self.generation }
    }

    /// `replaced` becomes the previous token; the caller sets the new current one.
    fn replace(&mut self, replaced: TokenHash2, rules: &FamilyRules, now: UnixMillis) {
        self.previous = Some(Previous { hash: replaced, replaced_at: now });
        self.generation = self.generation.saturating_add(1);
        self.displaced.clear();
        self.expires = now.plus(rules.refresh_validity_ms);
    }

    /// The lineage moves to the sibling; the grace period stays where it is.
    fn move_to_sibling(&mut self, sibling: TokenHash2, by: Use, rules: &FamilyRules, now: UnixMillis) -> EventKind {
        self.displace_current();
        self.current = sibling;
        self.expires = now.plus(rules.refresh_validity_ms);
        EventKind::SiblingMoved { by, generation: self.generation }
    }

    fn displace_current(&mut self) {
        // A full list has ended the time of siblings: what is not on it is refused as well.
        if self.may_have_siblings() {
            self.displaced.push(self.current.short());
        }
    }

    fn is_sibling_at_refresh(
        &self,
        presented: &PresentedToken,
        policy: RefreshPolicy,
        rules: &FamilyRules,
        now: UnixMillis,
    ) -> bool {
        let lineage = presented.lineage();
        let has_no_end = policy == RefreshPolicy::PromoteWithGrace && rules.grace_ms > 0;
        presented.generation < self.generation
            && (self.is_sibling(lineage, rules, now) || has_no_end && self.is_unused_sibling(lineage))
    }

    /// True within the grace period only: at verify, an older request must not move the lineage an hour later.
    fn is_sibling(&self, lineage: Lineage, rules: &FamilyRules, now: UnixMillis) -> bool {
        self.is_unused_sibling(lineage)
            && lineage.parent.is_some_and(|parent| self.is_previous_in_grace(parent, rules, now))
    }

    fn is_unused_sibling(&self, lineage: Lineage) -> bool {
        self.previous.is_some_and(|previous| lineage.parent == Some(previous.hash))
            && self.may_have_siblings()
            && !self.displaced.contains(&lineage.hash.short())
    }

    fn may_mint_siblings(&self, hash: TokenHash2, rules: &FamilyRules, now: UnixMillis) -> bool {
        self.may_have_siblings() && self.is_previous_in_grace(hash, rules, now)
    }

    /// False once tokens could have been displaced that are not on the list.
    const fn may_have_siblings(&self) -> bool {
        self.displaced.len() < MAX_DISPLACED
    }

    fn is_previous_in_grace(&self, hash: TokenHash2, rules: &FamilyRules, now: UnixMillis) -> bool {
        let is_expired =
            |previous: Previous| previous.replaced_at.age(now).has_reached(rules.grace_ms.saturating_add(1));
        self.previous.is_some_and(|previous| previous.hash == hash && !is_expired(previous))
    }

    fn reuse(&self, presented: &PresentedToken, policy: RefreshPolicy, rules: &FamilyRules, now: UnixMillis) -> Reuse {
        let previous = self.previous.map(|previous| previous.hash);
        let subtype = if previous == Some(presented.hash) {
            ReuseSubtype::RecentPrev
        } else if previous.is_some() && presented.parent == previous {
            ReuseSubtype::OrphanedBranch
        } else {
            ReuseSubtype::StaleLineage
        };
        let ends_session = policy == RefreshPolicy::RotateOnRefresh;
        let is_theft = !ends_session || subtype == ReuseSubtype::StaleLineage || rules.recent_reuse_is_theft;
        let event = EventKind::ReuseDetected {
            subtype,
            policy,
            generation: presented.generation,
            after_ms: self.previous.and_then(|previous| previous.replaced_at.age(now).known()),
            request_id: String::new(),
        };
        Reuse { subtype, ends_session, is_theft, event }
    }
}

impl PresentedToken {
    const fn lineage(&self) -> Lineage {
        Lineage { hash: self.hash, parent: self.parent }
    }
}
