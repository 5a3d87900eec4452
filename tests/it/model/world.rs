//! A session under test: the machine and the naive model together, and the claims that hold after every step.

use super::Tape;
use super::machine::{AccessId, Machine, Outcome, Seen, TokenId};
use super::naive::Naive;
use proptest::test_runner::TestCaseError;
use sessiond::domain::session::RefreshPolicy::{self, PromoteOnUse, PromoteWithGrace, RotateOnRefresh};

pub(super) const START: u64 = 1_700_000_000_000;
pub(super) const GRACE: u64 = 30_000;
/// 100 days.
pub(super) const REFRESH_VALIDITY: u64 = 8_640_000_000;
/// Access tokens live longer than any test here: expiry is tested elsewhere.
pub(super) const ACCESS_VALIDITY: u64 = REFRESH_VALIDITY - 86_400_000;

pub(super) const POLICIES: [RefreshPolicy; 3] = [PromoteOnUse, RotateOnRefresh, PromoteWithGrace];

pub(super) type Checked<T> = Result<T, TestCaseError>;

macro_rules! claim {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(proptest::test_runner::TestCaseError::fail(format!($($what)+)));
        }
    };
}
pub(super) use claim;

pub(super) struct World<M> {
    machine: M,
    /// The model to compare with; mutants are judged by the claims alone.
    naive: Option<Naive>,
    pub(super) now: u64,
    /// Each refresh token's parent.
    parents: Vec<Option<TokenId>>,
    /// Which refresh token each access token belongs to, and when it was minted.
    access: Vec<(TokenId, u64)>,
    ledger: Ledger,
    /// The operations so far, for failure messages.
    story: String,
}

/// The current token, as seen from outside: derived from what was granted.
struct Ledger {
    current: TokenId,
    previous: Option<TokenId>,
    /// When `previous` was replaced.
    replaced_at: Option<u64>,
    /// Tokens that have been current and are not current now.
    dethroned: Vec<TokenId>,
    expires: u64,
}

/// The effect of a grant on the family.
enum Effect {
    /// Nothing: the current token again.
    Stays,
    /// `previous` is replaced by `current`.
    Replaces { previous: TokenId, current: TokenId },
    /// A token becomes current because of grace.
    ByGrace { current: TokenId },
    /// A token becomes current because nobody has used it.
    Moves { current: TokenId },
}

impl<M: Machine> World<M> {
    /// A new session with its naive model.
    pub(super) fn new() -> Self {
        Self { naive: Some(Naive::new(START)), ..Self::without_model() }
    }

    /// A new session that only the claims judge.
    pub(super) fn without_model() -> Self {
        Self {
            machine: M::create(START),
            naive: None,
            now: START,
            parents: vec![None],
            access: vec![(0, START)],
            ledger: Ledger {
                current: 0,
                previous: None,
                replaced_at: None,
                dethroned: Vec::new(),
                expires: START + REFRESH_VALIDITY,
            },
            story: String::new(),
        }
    }

    pub(super) fn token_count(&self) -> usize {
        self.parents.len()
    }

    pub(super) fn access_count(&self) -> usize {
        self.access.len()
    }

    pub(super) fn expires(&self) -> u64 {
        self.ledger.expires
    }

    /// Whether the access token will still be valid at the end of a grace period that starts now.
    pub(super) fn is_fresh(&self, access: AccessId) -> bool {
        self.now + GRACE <= self.access[access].1 + ACCESS_VALIDITY
    }

    fn tell(&mut self, what: &str) {
        self.story.push_str(&format!("\n  {:>10} ms: {what}", self.now - START));
    }

    /// Adds the operations to a failure message.
    pub(super) fn explain<T>(&self, result: Checked<T>) -> Checked<T> {
        result.map_err(|error| TestCaseError::fail(format!("{error}{}", self.story)))
    }

    /// Presents a refresh token.
    pub(super) fn refresh(&mut self, policy: RefreshPolicy, token: TokenId) -> Checked<Outcome> {
        let outcome = self.machine.refresh(policy, token, self.now);
        self.tell(&format!("refresh {token} ({policy:?}): {outcome:?}"));
        if let Some(naive) = &mut self.naive {
            let expected = naive.refresh(policy, token, self.now);
            claim!(outcome == expected, "model: refresh of {token} under {policy:?}: {outcome:?}, not {expected:?}");
        }
        if outcome == Outcome::Granted {
            let minted = self.parents.len();
            let ledger = &self.ledger;
            let of_current = token == ledger.current || self.parents[token] == Some(ledger.current);
            let effect = match policy {
                PromoteWithGrace if ledger.previous == Some(token) => {
                    self.claim_grace()?;
                    Effect::Stays
                }
                PromoteWithGrace if self.is_unused_sibling(token) => Effect::Moves { current: token },
                PromoteOnUse | PromoteWithGrace => self.use_effect(token, self.parents[token])?,
                RotateOnRefresh if of_current => Effect::Replaces { previous: token, current: minted },
                RotateOnRefresh => {
                    claim!(ledger.previous == Some(token), "stale replay: {token} was exchanged under {policy:?}");
                    Effect::ByGrace { current: minted }
                }
            };
            self.parents.push(Some(token));
            self.access.push((minted, self.now));
            self.follow(&effect)?;
        }
        self.check_lineages()?;
        Ok(outcome)
    }

    /// Presents an access token. Tokens near their expiry are left alone.
    pub(super) fn verify(&mut self, policy: RefreshPolicy, access: AccessId, check_database: bool) -> Checked<Seen> {
        let (token, minted) = self.access[access];
        if self.now > minted + ACCESS_VALIDITY {
            return Ok(Seen::Good { reminted: false });
        }
        let seen = self.machine.verify(policy, access, check_database, self.now);
        self.tell(&format!("verify of {token} by access token {access} ({policy:?}, {check_database}): {seen:?}"));
        if let Some(naive) = &mut self.naive {
            let expected = naive.verify(policy, access, check_database, self.now);
            claim!(seen == expected, "model: verify of {access} under {policy:?}: {seen:?}, not {expected:?}");
        }
        if seen == (Seen::Good { reminted: true }) {
            let effect = self.use_effect(token, self.parents[token])?;
            self.access.push((token, self.now));
            self.follow(&effect)?;
        }
        self.check_lineages()?;
        Ok(seen)
    }

    /// A token was used successfully under `PromoteOnUse`: checks what it must have been.
    fn use_effect(&self, token: TokenId, parent: Option<TokenId>) -> Checked<Effect> {
        let ledger = &self.ledger;
        if token == ledger.current {
            return Ok(Effect::Stays);
        }
        if parent == Some(ledger.current) {
            return Ok(Effect::Replaces { previous: ledger.current, current: token });
        }
        claim!(self.is_unused_sibling(token), "stale replay: {token} was used while {} is current", ledger.current);
        Ok(Effect::ByGrace { current: token })
    }

    fn follow(&mut self, effect: &Effect) -> Checked<()> {
        let before = self.ledger.current;
        match *effect {
            Effect::Stays => return Ok(()),
            Effect::Replaces { previous, current } => {
                self.ledger.previous = Some(previous);
                self.ledger.current = current;
                self.ledger.replaced_at = Some(self.now);
                self.ledger.expires = self.now + REFRESH_VALIDITY;
            }
            Effect::ByGrace { current } => {
                self.claim_grace()?;
                self.ledger.current = current;
            }
            Effect::Moves { current } => self.ledger.current = current,
        }
        self.ledger.dethroned.push(before);
        Ok(())
    }

    /// A child of the replaced token that has never been current.
    fn is_unused_sibling(&self, token: TokenId) -> bool {
        let parent = self.parents[token];
        parent.is_some()
            && parent == self.ledger.previous
            && !self.ledger.dethroned.contains(&token)
            && token != self.ledger.current
    }

    /// The grace period has not ended.
    fn claim_grace(&self) -> Checked<()> {
        let since = self.ledger.replaced_at.map(|at| self.now - at);
        claim!(since.is_some_and(|ms| ms <= GRACE), "grace re-armed: used {since:?} ms after the replacement");
        Ok(())
    }

    /// Never two live lineages: now, at the end of the window, and right after it.
    fn check_lineages(&self) -> Checked<()> {
        let ledger = &self.ledger;
        let window_end = ledger.replaced_at.map(|at| at + GRACE);
        let moments = [Some(self.now), window_end, window_end.map(|end| end + 1)];
        for moment in moments.into_iter().flatten().filter(|moment| *moment >= self.now) {
            let open = window_end.is_some_and(|end| moment <= end);
            for (policy, token) in POLICIES.into_iter().flat_map(|p| (0..self.parents.len()).map(move |t| (p, t))) {
                if self.machine.would_grant(policy, token, moment) != Some(true) {
                    continue;
                }
                let parent = self.parents[token];
                let of_current = token == ledger.current || parent == Some(ledger.current);
                let is_previous = ledger.previous == Some(token);
                let is_allowed = match policy {
                    RotateOnRefresh => open && is_previous,
                    PromoteOnUse => open && self.is_unused_sibling(token),
                    PromoteWithGrace => open && is_previous || self.is_unused_sibling(token),
                };
                claim!(
                    of_current || is_allowed,
                    "two live lineages: {token} and {} under {policy:?} at {moment}",
                    ledger.current
                );
            }
        }
        Ok(())
    }

    /// Time passes: a little, a lot, or up to one of the boundaries.
    pub(super) fn pass_time(&mut self, tape: &mut Tape) {
        let around = |moment: u64| [moment - 1, moment, moment + 1];
        let grace_ends = around(self.ledger.replaced_at.unwrap_or(self.now) + GRACE);
        let session_ends = around(self.ledger.expires);
        let target = match tape.next(16) {
            0..=5 => self.now,
            6 | 7 => self.now + 1,
            8 | 9 => self.now + 5_000,
            10 => self.now + 3_600_000,
            11..=13 => grace_ends[tape.next(3)],
            14 => self.now + GRACE,
            _ if tape.once_in(4) => session_ends[tape.next(3)],
            _ => self.now,
        };
        self.now = self.now.max(target);
    }
}
