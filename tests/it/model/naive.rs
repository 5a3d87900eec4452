//! The naive model: the protocol's tables over a complete history of which token held the seat, and when.

use super::machine::{AccessId, Outcome, Seen, TokenId};
use super::world::{GRACE, REFRESH_VALIDITY};
use sessiond::domain::session::RefreshPolicy::{self, PromoteOnUse, PromoteWithGrace, RotateOnRefresh};
use sessiond::domain::session::event::ReuseSubtype;

/// A refresh token: the one it was exchanged for, and how many seats had been taken by then.
struct Minted {
    parent: Option<TokenId>,
    seats_before: usize,
}

/// An access token: the refresh token it belongs to, and the parent that it names.
struct Access {
    token: TokenId,
    parent: Option<TokenId>,
}

/// A token became current.
struct Seat {
    token: TokenId,
    /// The token that this one replaced for good; `None` for moves inside the grace period.
    replaced: Option<TokenId>,
    at: u64,
}

/// A session's whole history.
pub(super) struct Naive {
    tokens: Vec<Minted>,
    access: Vec<Access>,
    seats: Vec<Seat>,
    expires: u64,
    over: bool,
}

impl Naive {
    pub(super) fn new(now: u64) -> Self {
        Self {
            tokens: vec![Minted { parent: None, seats_before: 0 }],
            access: vec![Access { token: 0, parent: None }],
            seats: vec![Seat { token: 0, replaced: None, at: now }],
            expires: now + REFRESH_VALIDITY,
            over: false,
        }
    }

    fn current(&self) -> TokenId {
        self.seats.last().unwrap().token
    }

    /// The token that was replaced last, when, and which seat that was.
    fn replacement(&self) -> Option<(TokenId, u64, usize)> {
        let at = self.seats.iter().rposition(|seat| seat.replaced.is_some())?;
        Some((self.seats[at].replaced?, self.seats[at].at, at))
    }

    fn parent(&self, token: TokenId) -> Option<TokenId> {
        self.tokens[token].parent
    }

    /// A child of the replaced token, minted before the replacement, that has not held the seat since; inside the
    /// window.
    fn may_move_to(&self, token: TokenId, parent: Option<TokenId>, now: u64) -> bool {
        self.is_unused_sibling(token, parent) && self.replacement().is_some_and(|(_, at, _)| now <= at + GRACE)
    }

    fn is_unused_sibling(&self, token: TokenId, parent: Option<TokenId>) -> bool {
        self.replacement().is_some_and(|(replaced, _, seat)| {
            parent == Some(replaced)
                && self.tokens[token].seats_before <= seat
                && self.seats[seat..].iter().all(|seat| seat.token != token)
        })
    }

    fn is_previous_in_grace(&self, token: TokenId, now: u64) -> bool {
        self.replacement().is_some_and(|(replaced, at, _)| replaced == token && now <= at + GRACE)
    }

    fn replace(&mut self, by: TokenId, replaced: TokenId, now: u64) {
        self.seats.push(Seat { token: by, replaced: Some(replaced), at: now });
        self.expires = now + REFRESH_VALIDITY;
    }

    fn mint(&mut self, parent: TokenId, access_names_parent: bool) -> TokenId {
        self.mint_as_of(parent, self.seats.len(), access_names_parent)
    }

    /// Mints as if only this many seats had been taken.
    fn mint_as_of(&mut self, parent: TokenId, seats_before: usize, access_names_parent: bool) -> TokenId {
        self.tokens.push(Minted { parent: Some(parent), seats_before });
        let token = self.tokens.len() - 1;
        self.access.push(Access { token, parent: access_names_parent.then_some(parent) });
        token
    }

    pub(super) fn refresh(&mut self, policy: RefreshPolicy, token: TokenId, now: u64) -> Outcome {
        if self.over || self.expires < now {
            return Outcome::Gone;
        }
        let parent = self.parent(token);
        let (is_current, is_child) = (token == self.current(), parent == Some(self.current()));
        match policy {
            PromoteOnUse | PromoteWithGrace if is_current => {}
            PromoteOnUse | PromoteWithGrace if is_child => self.replace(token, self.current(), now),
            PromoteOnUse if self.may_move_to(token, parent, now) => self.move_to(token, now),
            PromoteWithGrace if self.is_unused_sibling(token, parent) => self.move_to(token, now),
            PromoteWithGrace if self.is_previous_in_grace(token, now) => {
                let seats_before = self.replacement().map_or(0, |(.., seat)| seat);
                self.mint_as_of(token, seats_before, true);
                return Outcome::Granted;
            }
            PromoteOnUse | PromoteWithGrace => return Outcome::Theft(None),
            RotateOnRefresh if is_current || is_child => {
                let minted = self.mint(token, false);
                self.replace(minted, token, now);
                return Outcome::Granted;
            }
            RotateOnRefresh if self.is_previous_in_grace(token, now) => {
                let minted = self.mint(token, false);
                self.seats.push(Seat { token: minted, replaced: None, at: now });
                return Outcome::Granted;
            }
            RotateOnRefresh => {
                self.over = true;
                return Outcome::Theft(Some(self.subtype(token)));
            }
        }
        self.mint(token, true);
        Outcome::Granted
    }

    fn move_to(&mut self, token: TokenId, now: u64) {
        self.seats.push(Seat { token, replaced: None, at: now });
        self.expires = now + REFRESH_VALIDITY;
    }

    fn subtype(&self, token: TokenId) -> ReuseSubtype {
        match self.replacement() {
            Some((previous, ..)) if previous == token => ReuseSubtype::RecentPrev,
            Some((previous, ..)) if self.parent(token) == Some(previous) => ReuseSubtype::OrphanedBranch,
            _ => ReuseSubtype::StaleLineage,
        }
    }

    pub(super) fn verify(&mut self, policy: RefreshPolicy, access: AccessId, check_database: bool, now: u64) -> Seen {
        let Access { token, parent } = self.access[access];
        let looks = check_database || (policy.promotes_on_use() && parent.is_some());
        if !looks {
            return Seen::Good { reminted: false };
        }
        if self.over {
            return Seen::Unauthorised;
        }
        let current = self.current();
        if policy == RotateOnRefresh {
            let previous = self.replacement().map(|(previous, ..)| previous);
            let known = |token| token == current || Some(token) == previous;
            let good = known(token) || parent.is_some_and(known);
            return if good { Seen::Good { reminted: false } } else { Seen::Unauthorised };
        }
        let Some(parent) = parent else { return Seen::Good { reminted: false } };
        if token != current {
            if parent == current {
                self.replace(token, current, now);
            } else if self.may_move_to(token, Some(parent), now) {
                self.move_to(token, now);
            } else {
                return Seen::Good { reminted: false };
            }
        }
        self.access.push(Access { token, parent: None });
        Seen::Good { reminted: true }
    }
}
