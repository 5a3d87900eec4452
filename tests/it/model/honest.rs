//! No false logout: an honest client, as the module above defines it, is never refused.

use super::Tape;
use super::machine::{AccessId, Machine, Outcome, Pure, Seen, TokenId};
use super::world::{Checked, GRACE, World, claim};
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use sessiond::domain::session::RefreshPolicy::{self, PromoteOnUse, PromoteWithGrace, RotateOnRefresh};

/// A refresh token and its access token, from one reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    refresh: TokenId,
    access: AccessId,
}

pub(super) struct Client<'a, M> {
    pub(super) world: World<M>,
    tape: &'a mut Tape,
    jar: Pair,
    /// A sibling of the jar's pair was used: by then this one must be used too, or refreshed at the front door.
    due: Option<u64>,
    /// Access tokens that were used.
    used: Vec<AccessId>,
}

impl<'a, M: Machine> Client<'a, M> {
    pub(super) fn new(world: World<M>, tape: &'a mut Tape) -> Self {
        Self { world, tape, jar: Pair { refresh: 0, access: 0 }, due: None, used: Vec::new() }
    }

    /// The refresh token in the jar.
    pub(super) const fn refresh_token(&self) -> TokenId {
        self.jar.refresh
    }

    /// Continues until the tape is over, or for this many rounds.
    pub(super) fn live(&mut self, rounds: usize) -> Checked<()> {
        for _ in 0..rounds {
            if self.tape.is_over() && self.due.is_none() {
                break;
            }
            match self.due.take() {
                Some(due) => {
                    self.some_time_passes(u64::MAX);
                    let is_late = self.world.now > due;
                    let first = if is_late { PromoteWithGrace } else { self.promoting_policy() };
                    self.promoting_round(first)?;
                }
                None => {
                    self.some_time_passes(u64::MAX);
                    if self.tape.once_in(3) {
                        self.rotating_round()?;
                    } else {
                        let first = self.promoting_policy();
                        self.promoting_round(first)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Time passes, but not beyond `latest`, and never beyond the session's end.
    fn some_time_passes(&mut self, latest: u64) {
        let before = self.world.now;
        self.world.pass_time(self.tape);
        let latest = latest.min(self.world.expires()).max(before);
        self.world.now = self.world.now.min(latest);
    }

    fn newest_pair(&self) -> Pair {
        Pair { refresh: self.world.token_count() - 1, access: self.world.access_count() - 1 }
    }

    /// CDI ≤ 5.5 and front door, even mixed: tabs refresh with one token; replies are lost, duplicated, reordered; the
    /// children get used. At the front door, the requests of tabs that nothing locks out may come as late as that.
    fn promoting_round(&mut self, first: RefreshPolicy) -> Checked<()> {
        let parent = self.jar.refresh;
        let tabs = 1 + if self.tape.once_in(8) { self.tape.next(50) } else { self.tape.next(3) };
        let mut replies = Vec::new();
        for tab in 0..tabs {
            let policy = if tab == 0 { first } else { self.promoting_policy() };
            replies.extend(self.tab_refreshes(policy, parent)?);
            self.some_time_passes(u64::MAX);
            self.old_request_arrives()?;
        }
        let mut window_ends = None;
        let mut taken = Vec::new();
        while !replies.is_empty() {
            let pair = replies.remove(self.tape.next(replies.len()));
            self.some_time_passes(u64::MAX);
            let is_late = window_ends.is_some_and(|end| self.world.now > end);
            if is_late && self.tape.once_in(2) {
                break; // dropped, like all that come after it
            }
            if taken.contains(&pair.refresh) || !self.world.is_fresh(pair.access) {
                continue; // duplicated: a reply is taken only once; or so late that its access token has expired
            }
            taken.push(pair.refresh);
            self.jar = pair;
            let choice = self.tape.next(4);
            match window_ends {
                None if choice == 0 => {} // not used for now
                None => {
                    self.some_time_passes(u64::MAX);
                    let policy = self.promoting_policy();
                    self.call_api(policy)?;
                    window_ends = Some(self.world.now + GRACE);
                }
                // Another child was used: this one is used in time, at verify now or at refresh in the next round.
                Some(end) if is_late || choice == 0 && replies.is_empty() => self.due = Some(end),
                Some(end) => {
                    self.some_time_passes(end);
                    let policy = self.promoting_policy();
                    self.call_api(policy)?;
                }
            }
            if let Some(end) = window_ends
                && !is_late
                && self.due.is_none()
                && self.tape.once_in(3)
            {
                self.some_time_passes(end);
                replies.extend(self.tab_refreshes(PromoteWithGrace, parent)?);
            }
        }
        Ok(())
    }

    fn promoting_policy(&mut self) -> RefreshPolicy {
        if self.tape.once_in(2) { PromoteWithGrace } else { PromoteOnUse }
    }

    /// A tab refreshes; the reply arrives once, twice or never.
    fn tab_refreshes(&mut self, policy: RefreshPolicy, token: TokenId) -> Checked<impl Iterator<Item = Pair> + use<M>> {
        let outcome = self.world.refresh(policy, token)?;
        claim!(outcome == Outcome::Granted, "false logout: a tab's refresh under {policy:?}: {outcome:?}");
        let copies = [1, 1, 1, 2, 0][self.tape.next(5)];
        Ok(std::iter::repeat_n(self.newest_pair(), copies))
    }

    /// CDI ≥ 5.6: one refresh at a time; a lost reply is requested again in time.
    fn rotating_round(&mut self) -> Checked<()> {
        let before = self.jar;
        let outcome = self.world.refresh(RotateOnRefresh, before.refresh)?;
        claim!(outcome == Outcome::Granted, "false logout: a refresh: {outcome:?}");
        let window_ends = self.world.now + GRACE;
        while self.tape.once_in(3) {
            self.some_time_passes(window_ends);
            self.call_api(RotateOnRefresh)?;
            let outcome = self.world.refresh(RotateOnRefresh, before.refresh)?;
            claim!(outcome == Outcome::Granted, "false logout: asking again for a lost reply: {outcome:?}");
        }
        self.jar = self.newest_pair();
        self.some_time_passes(u64::MAX);
        let seen = self.world.verify(RotateOnRefresh, before.access, true)?;
        claim!(seen != Seen::Unauthorised, "false logout: an access token of the previous refresh");
        self.call_api(RotateOnRefresh)
    }

    /// Requests with the jar's access token; what verify returns may get lost.
    fn call_api(&mut self, policy: RefreshPolicy) -> Checked<()> {
        for _ in 0..=self.tape.next(3) {
            let check_database = self.tape.once_in(2);
            let seen = self.world.verify(policy, self.jar.access, check_database)?;
            claim!(seen != Seen::Unauthorised, "false logout: the jar's access token under {policy:?}");
            self.used.push(self.jar.access);
            if seen == (Seen::Good { reminted: true }) && !self.tape.once_in(4) {
                self.jar.access = self.world.access_count() - 1;
            }
        }
        Ok(())
    }

    /// A late request of some tab, with an access token that was used before: not a reason to sign anyone out.
    fn old_request_arrives(&mut self) -> Checked<()> {
        if self.used.is_empty() || !self.tape.once_in(4) {
            return Ok(());
        }
        let access = self.used[self.tape.next(self.used.len())];
        let check_database = self.tape.once_in(2);
        let seen = self.world.verify(PromoteOnUse, access, check_database)?;
        claim!(seen != Seen::Unauthorised, "false logout: an access token that was used before");
        Ok(())
    }
}

pub(super) fn never_refused<M: Machine>(world: World<M>, choices: Vec<u16>) -> Checked<()> {
    let mut tape = Tape::new(choices);
    let mut client = Client::new(world, &mut tape);
    let lived = client.live(usize::MAX);
    client.world.explain(lived)
}

proptest! {
    #![proptest_config(super::cases(1500))]

    #[test]
    fn an_honest_client_is_never_refused(choices in vec(any::<u16>(), 0..400)) {
        never_refused::<Pure>(World::new(), choices)?;
    }
}
