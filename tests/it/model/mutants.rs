//! Each claim can fail: rules broken on purpose, judged by the claims alone (without the naive model).

use super::honest::never_refused;
use super::machine::{AccessId, Machine, Outcome, Pure, RULES, Seen, TokenId};
use super::thief::{anything_goes, two_cannot_share};
use super::world::{Checked, GRACE, World};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestError, TestRunner};
use sessiond::domain::session::RefreshPolicy::{self, PromoteOnUse, PromoteWithGrace};
use sessiond::domain::session::family::{Family, FamilyRules};
use sessiond::domain::time::UnixMillis;
use std::marker::PhantomData;

/// The defects in the rules.
trait Defect {
    const RULES: FamilyRules = RULES;

    /// Swaps the token that was presented.
    fn presents(_machine: &Pure, _policy: RefreshPolicy, token: TokenId, _now: u64) -> TokenId {
        token
    }

    /// Swaps the policy.
    fn follows(policy: RefreshPolicy) -> RefreshPolicy {
        policy
    }

    /// Tampers with the state after a step.
    fn after(_before: &Family, _family: &mut Family, _now: u64) {}
}

/// The rules with a defect.
struct Mutant<D>(Pure, PhantomData<D>);

impl<D: Defect> Mutant<D> {
    fn step<T>(&mut self, now: u64, step: impl FnOnce(&mut Pure) -> T) -> T {
        let before = self.0.family.clone();
        let result = step(&mut self.0);
        if let (Some(before), Some(family)) = (before, &mut self.0.family) {
            D::after(&before, family, now);
        }
        result
    }
}

impl<D: Defect> Machine for Mutant<D> {
    fn create(now: u64) -> Self {
        let mut machine = Pure::create(now);
        machine.rules = D::RULES;
        Self(machine, PhantomData)
    }

    fn refresh(&mut self, policy: RefreshPolicy, token: TokenId, now: u64) -> Outcome {
        let (policy, token) = (D::follows(policy), D::presents(&self.0, policy, token, now));
        self.step(now, |machine| machine.refresh(policy, token, now))
    }

    fn verify(&mut self, policy: RefreshPolicy, access: AccessId, check_database: bool, now: u64) -> Seen {
        self.step(now, |machine| machine.verify(policy, access, check_database, now))
    }

    fn would_grant(&self, policy: RefreshPolicy, token: TokenId, now: u64) -> Option<bool> {
        self.0.would_grant(policy, D::presents(&self.0, policy, token, now), now)
    }
}

/// A machine that can be judged only by its replies.
struct Blind<M>(M);

impl<M: Machine> Machine for Blind<M> {
    fn create(now: u64) -> Self {
        Self(M::create(now))
    }

    fn refresh(&mut self, policy: RefreshPolicy, token: TokenId, now: u64) -> Outcome {
        self.0.refresh(policy, token, now)
    }

    fn verify(&mut self, policy: RefreshPolicy, access: AccessId, check_database: bool, now: u64) -> Seen {
        self.0.verify(policy, access, check_database, now)
    }

    fn would_grant(&self, _: RefreshPolicy, _: TokenId, _: u64) -> Option<bool> {
        None
    }
}

/// Runs a property until it fails; returns the failure.
fn first_failure<M: Machine>(property: fn(World<M>, Vec<u16>) -> Checked<()>) -> String {
    let config = Config { cases: 20_000, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    match runner.run(&vec(any::<u16>(), 0..300), |choices| property(World::without_model(), choices)) {
        Err(TestError::Fail(reason, _)) => reason.to_string(),
        other => panic!("the defect went unnoticed: {other:?}"),
    }
}

fn is_noticed<M: Machine>(property: fn(World<M>, Vec<u16>) -> Checked<()>, claim: &str) {
    let said = first_failure(property);
    assert!(said.contains(claim), "{said}");
}

/// Position of the machine's current token among those issued.
fn current(machine: &Pure) -> Option<TokenId> {
    let current = machine.family.as_ref()?.current;
    machine.tokens.iter().position(|token| token.hash == current)
}

/// A move or a re-rotation restarts the grace period.
struct GraceReArmed;
impl Defect for GraceReArmed {
    fn after(before: &Family, family: &mut Family, now: u64) {
        if let (Some(before_previous), Some(previous)) = (&before.previous, &mut family.previous)
            && before_previous.hash == previous.hash
            && before.current != family.current
        {
            previous.replaced_at = UnixMillis(now);
        }
    }
}

/// A token displaced by a move may come back.
struct DisplacedForgotten;
impl Defect for DisplacedForgotten {
    fn after(_: &Family, family: &mut Family, _: u64) {
        family.displaced.clear();
    }
}

/// The protocol without the sibling improvement.
struct NoSiblings;
impl Defect for NoSiblings {
    fn after(_: &Family, family: &mut Family, _: u64) {
        family.displaced = vec![[0; 16]; 64];
    }
}

/// The window ends a millisecond late.
struct WindowTooLong;
impl Defect for WindowTooLong {
    const RULES: FamilyRules = FamilyRules { grace_ms: GRACE + 1, ..RULES };
}

/// The window ends a millisecond early.
struct WindowTooShort;
impl Defect for WindowTooShort {
    const RULES: FamilyRules = FamilyRules { grace_ms: GRACE - 1, ..RULES };
}

/// A parent that was promoted past is forgiven.
struct ParentForgiven;
impl Defect for ParentForgiven {
    fn presents(machine: &Pure, policy: RefreshPolicy, token: TokenId, _: u64) -> TokenId {
        let previous = machine.family.as_ref().and_then(|family| family.previous);
        let is_parent = previous.is_some_and(|previous| previous.hash == machine.tokens[token].hash);
        if policy == PromoteOnUse && is_parent { current(machine).unwrap_or(token) } else { token }
    }
}

/// At the front door, a parent that was promoted past is forgiven however late it comes back.
struct ParentForgivenForGood;
impl Defect for ParentForgivenForGood {
    fn presents(machine: &Pure, policy: RefreshPolicy, token: TokenId, _: u64) -> TokenId {
        let previous = machine.family.as_ref().and_then(|family| family.previous);
        let is_parent = previous.is_some_and(|previous| previous.hash == machine.tokens[token].hash);
        if policy == PromoteWithGrace && is_parent { current(machine).unwrap_or(token) } else { token }
    }
}

/// The front door follows the other machine: a parent that was promoted past is theft at once, a late sibling, too.
struct NoLateRequests;
impl Defect for NoLateRequests {
    fn follows(policy: RefreshPolicy) -> RefreshPolicy {
        if policy == PromoteWithGrace { PromoteOnUse } else { policy }
    }
}

/// Whatever is presented is taken for the current token.
struct AllForgiven;
impl Defect for AllForgiven {
    fn presents(machine: &Pure, _: RefreshPolicy, token: TokenId, _: u64) -> TokenId {
        current(machine).unwrap_or(token)
    }
}

#[test]
fn grace_that_is_re_armed_is_noticed() {
    is_noticed::<Mutant<GraceReArmed>>(anything_goes, "two live lineages");
}

#[test]
fn grace_used_late_is_noticed_without_looking_inside() {
    is_noticed::<Blind<Mutant<GraceReArmed>>>(anything_goes, "grace re-armed");
}

#[test]
fn a_displaced_token_that_comes_back_is_noticed() {
    is_noticed::<Mutant<DisplacedForgotten>>(anything_goes, "two live lineages");
}

#[test]
fn without_siblings_an_honest_client_is_signed_out() {
    is_noticed::<Mutant<NoSiblings>>(never_refused, "false logout");
}

#[test]
fn a_window_that_is_a_millisecond_short_signs_an_honest_client_out() {
    is_noticed::<Mutant<WindowTooShort>>(never_refused, "false logout");
}

#[test]
fn a_window_that_is_a_millisecond_long_is_noticed() {
    is_noticed::<Mutant<WindowTooLong>>(anything_goes, "two live lineages");
}

#[test]
fn a_forgiven_parent_is_noticed() {
    is_noticed::<Mutant<ParentForgiven>>(anything_goes, "two live lineages");
}

#[test]
fn a_parent_that_is_forgiven_for_good_at_the_front_door_is_noticed() {
    is_noticed::<Mutant<ParentForgivenForGood>>(anything_goes, "two live lineages");
    is_noticed::<Blind<Mutant<ParentForgivenForGood>>>(anything_goes, "stale replay");
}

#[test]
fn without_late_requests_an_honest_client_of_the_front_door_is_signed_out() {
    is_noticed::<Mutant<NoLateRequests>>(never_refused, "false logout");
}

#[test]
fn a_stale_replay_is_noticed_without_looking_inside() {
    is_noticed::<Blind<Mutant<ParentForgiven>>>(anything_goes, "stale replay");
    is_noticed::<Blind<Mutant<DisplacedForgotten>>>(anything_goes, "stale replay");
}

#[test]
fn two_parties_that_share_a_family_are_noticed() {
    is_noticed::<Blind<Mutant<AllForgiven>>>(two_cannot_share, "stale replay");
}
