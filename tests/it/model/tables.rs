//! Every row of the protocol's refresh and verify tables (CDI: session refresh, session verify), on the pure rules.

use sessiond::domain::session::RefreshPolicy::{self, PromoteOnUse, RotateOnRefresh};
use sessiond::domain::session::event::EventKind;
use sessiond::domain::session::event::{ReuseSubtype, Use};
use sessiond::domain::session::family::{
    Family, FamilyRules, Lineage, PresentedToken, RefreshDecision, VerifyDecision,
};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::token_hash::TokenHash2;

pub(super) const T0: UnixMillis = UnixMillis(1_000_000_000);
pub(super) const GRACE: u64 = 30_000;
pub(super) const VALIDITY: u64 = 8_640_000_000;
const RULES: FamilyRules = FamilyRules { grace_ms: GRACE, refresh_validity_ms: VALIDITY, recent_reuse_is_theft: true };

/// A refresh token: its name, its parent's, the generation it was minted in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) name: &'static str,
    pub(super) parent: Option<&'static str>,
    pub(super) generation: u64,
}

pub(super) const R1: Token = Token { name: "R1", parent: None, generation: 0 };
/// First and second child of `R1`, minted before anything was promoted.
pub(super) const C1: Token = Token { name: "C1", parent: Some("R1"), generation: 0 };
pub(super) const C2: Token = Token { name: "C2", parent: Some("R1"), generation: 0 };

impl Token {
    pub(super) fn presented(self) -> PresentedToken {
        PresentedToken {
            hash: TokenHash2::of(self.name),
            parent: self.parent.map(TokenHash2::of),
            generation: self.generation,
        }
    }

    fn lineage(self) -> Lineage {
        Lineage { hash: TokenHash2::of(self.name), parent: self.parent.map(TokenHash2::of) }
    }
}

/// A family as the tests drive it.
#[derive(Clone)]
pub(super) struct Session(pub(super) Family);

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Child,
    Rotated,
    Expired,
    Reuse { subtype: ReuseSubtype, ends_session: bool, is_theft: bool },
}

impl Session {
    fn new() -> Self {
        Self(Family::new(TokenHash2::of("R1"), false, T0.plus(VALIDITY)))
    }

    /// Refreshes at `now`; a granted token is named `minted`.
    pub(super) fn refresh(
        &mut self,
        policy: RefreshPolicy,
        token: Token,
        minted: &'static str,
        now: UnixMillis,
    ) -> Outcome {
        match self.0.refresh(&token.presented(), policy, None, &RULES, now) {
            RefreshDecision::Expired => Outcome::Expired,
            RefreshDecision::Reuse(reuse) => {
                Outcome::Reuse { subtype: reuse.subtype, ends_session: reuse.ends_session, is_theft: reuse.is_theft }
            }
            RefreshDecision::Grant(grant) => {
                let outcome = if grant.awaits_use() { Outcome::Child } else { Outcome::Rotated };
                self.0 = grant.complete(TokenHash2::of(minted));
                outcome
            }
        }
    }

    pub(super) fn verify(&mut self, token: Token, now: UnixMillis) -> VerifyDecision {
        let decision = self.0.verify(&token.lineage(), false, &RULES, now);
        if let Some((family, _)) = &decision.change {
            self.0 = family.clone();
        }
        decision
    }

    /// `R1` refreshed twice, then `C1` used at verify at `T0`.
    pub(super) fn promoted() -> Self {
        let mut session = Self::new();
        session.verify(C1, T0);
        session
    }

    /// `R1` rotated to `L1` at `T0`.
    pub(super) fn rotated() -> Self {
        let mut session = Self::new();
        assert_eq!(session.refresh(RotateOnRefresh, R1, "L1", T0), Outcome::Rotated);
        session
    }

    pub(super) fn is_current(&self, name: &str) -> bool {
        self.0.current == TokenHash2::of(name)
    }

    pub(super) fn previous(&self) -> Option<(TokenHash2, UnixMillis)> {
        self.0.previous.map(|previous| (previous.hash, previous.replaced_at))
    }
}

pub(super) const fn theft(subtype: ReuseSubtype) -> Outcome {
    Outcome::Reuse { subtype, ends_session: false, is_theft: true }
}

const fn ended(subtype: ReuseSubtype) -> Outcome {
    Outcome::Reuse { subtype, ends_session: true, is_theft: true }
}

// ---- CDI ≤ 5.5, refresh

#[test]
fn the_current_token_mints_children_any_number_of_times_and_stays_current() {
    let mut session = Session::new();
    for minute in 0..100 {
        assert_eq!(session.refresh(PromoteOnUse, R1, "C1", T0.plus(minute * 60_000)), Outcome::Child);
    }
    assert!(session.is_current("R1"));
    assert_eq!(session.previous(), None);
    assert_eq!(session.0.expires, T0.plus(VALIDITY), "the end of life does not change");
    assert_eq!(session.0.generation, 0);
}

#[test]
fn a_child_at_refresh_is_promoted_and_then_mints_like_a_parent() {
    let mut session = Session::new();
    let now = T0.plus(5);
    assert_eq!(session.refresh(PromoteOnUse, C1, "G1", now), Outcome::Child);
    assert!(session.is_current("C1"));
    assert_eq!(session.previous(), Some((TokenHash2::of("R1"), now)));
    assert_eq!(session.0.expires, now.plus(VALIDITY));
}

#[test]
fn a_parent_that_was_promoted_past_is_theft_at_once() {
    let mut session = Session::promoted();
    assert_eq!(session.refresh(PromoteOnUse, R1, "x", T0), theft(ReuseSubtype::RecentPrev));
}

#[test]
fn an_older_token_is_theft() {
    let mut session = Session::promoted();
    let c1_as_parent = Token { name: "G1", parent: Some("C1"), generation: 1 };
    session.refresh(PromoteOnUse, c1_as_parent, "x", T0);
    assert_eq!(session.refresh(PromoteOnUse, R1, "x", T0), theft(ReuseSubtype::StaleLineage));
    assert_eq!(session.refresh(PromoteOnUse, C2, "x", T0), theft(ReuseSubtype::StaleLineage));
}

#[test]
fn theft_in_the_legacy_flow_leaves_the_session_and_its_current_token() {
    let mut session = Session::promoted();
    session.refresh(PromoteOnUse, R1, "x", T0);
    assert_eq!(session.refresh(PromoteOnUse, C1, "G1", T0), Outcome::Child);
}

#[test]
fn a_session_is_expired_one_ms_after_its_end() {
    for policy in [PromoteOnUse, RotateOnRefresh] {
        let end = T0.plus(VALIDITY);
        assert_ne!(Session::new().refresh(policy, R1, "x", end), Outcome::Expired);
        assert_eq!(Session::new().refresh(policy, R1, "x", end.plus(1)), Outcome::Expired);
    }
}

#[test]
fn the_key_type_changes_on_refresh_and_is_kept_when_nothing_is_asked() {
    for policy in [PromoteOnUse, RotateOnRefresh] {
        let family = Session::new().0;
        for (asked, stored) in [(Some(true), true), (Some(false), false), (None, false)] {
            let decision = family.refresh(&R1.presented(), policy, asked, &RULES, T0);
            let RefreshDecision::Grant(grant) = decision else { panic!("{decision:?}") };
            assert_eq!(grant.use_static_key(), stored);
            assert_eq!(grant.complete(TokenHash2::of("n")).use_static_key, stored);
        }
    }
}

// ---- CDI ≤ 5.5, verify

#[test]
fn an_access_token_of_a_child_promotes_and_is_minted_anew() {
    let mut session = Session::new();
    let decision = session.verify(C1, T0.plus(7));
    assert!(decision.remint);
    assert_eq!(decision.change.map(|(_, event)| event), Some(EventKind::Promoted { by: Use::Verify, generation: 1 }));
    assert!(session.is_current("C1"));
    assert_eq!(session.previous(), Some((TokenHash2::of("R1"), T0.plus(7))));
    assert_eq!(session.0.expires, T0.plus(7 + VALIDITY));
}

#[test]
fn an_access_token_of_the_current_token_is_minted_anew_without_a_change() {
    let mut session = Session::promoted();
    assert_eq!(session.verify(C1, T0.plus(1)), VerifyDecision { remint: true, change: None });
}

#[test]
fn an_access_token_of_an_older_token_is_good_but_gets_no_new_one() {
    let mut session = Session::promoted();
    assert_eq!(session.verify(R1, T0), VerifyDecision { remint: false, change: None });
    assert_eq!(session.verify(C2, T0.plus(GRACE + 1)), VerifyDecision { remint: false, change: None });
}

#[test]
fn a_changed_payload_is_minted_even_for_an_older_token() {
    let session = Session::promoted();
    let decision = session.0.verify(&C2.lineage(), true, &RULES, T0.plus(GRACE + 1));
    assert_eq!(decision, VerifyDecision { remint: true, change: None });
}

// ---- CDI ≤ 5.5, siblings

#[test]
fn a_sibling_inside_the_window_takes_the_lineage_and_the_window_stays() {
    for by in [Use::Verify, Use::Refresh] {
        let mut session = Session::promoted();
        let now = T0.plus(GRACE);
        match by {
            Use::Verify => assert!(session.verify(C2, now).remint),
            Use::Refresh => assert_eq!(session.refresh(PromoteOnUse, C2, "x", now), Outcome::Child),
        }
        assert!(session.is_current("C2"));
        assert_eq!(session.previous(), Some((TokenHash2::of("R1"), T0)), "not re-armed");
        assert_eq!(session.0.generation, 1);
    }
}

#[test]
fn a_sibling_one_ms_after_the_window_is_theft_at_refresh_and_moves_nothing_at_verify() {
    let mut session = Session::promoted();
    let late = T0.plus(GRACE + 1);
    assert!(!session.verify(C2, late).remint);
    assert!(session.is_current("C1"));
    assert_eq!(session.refresh(PromoteOnUse, C2, "x", late), theft(ReuseSubtype::OrphanedBranch));
}

#[test]
fn what_a_sibling_displaced_is_stale() {
    let mut session = Session::promoted();
    session.verify(C2, T0.plus(1));
    assert_eq!(session.verify(C1, T0.plus(2)), VerifyDecision { remint: false, change: None });
    assert_eq!(session.refresh(PromoteOnUse, C1, "x", T0.plus(2)), theft(ReuseSubtype::OrphanedBranch));
    let grandchild = Token { name: "G1", parent: Some("C1"), generation: 1 };
    assert_eq!(session.refresh(PromoteOnUse, grandchild, "x", T0.plus(2)), theft(ReuseSubtype::StaleLineage));
    assert!(session.is_current("C2"));
}

#[test]
fn the_parent_is_theft_after_a_sibling_moved_too() {
    let mut session = Session::promoted();
    session.verify(C2, T0.plus(1));
    assert_eq!(session.refresh(PromoteOnUse, R1, "x", T0.plus(2)), theft(ReuseSubtype::RecentPrev));
}

#[test]
fn fifty_tabs_may_each_use_their_own_child_inside_the_window() {
    let mut session = Session::new();
    let names: Vec<&'static str> = (0..50).map(|tab| &*Box::leak(format!("tab{tab}").into_boxed_str())).collect();
    let child = |name| Token { name, parent: Some("R1"), generation: 0 };
    for (tab, name) in names.iter().enumerate() {
        assert!(session.verify(child(name), T0.plus(tab as u64)).remint, "{name}");
        assert!(session.is_current(name));
    }
    for name in &names[..49] {
        assert_eq!(session.refresh(PromoteOnUse, child(name), "x", T0.plus(60)), theft(ReuseSubtype::OrphanedBranch));
    }
}

#[test]
fn too_many_siblings_close_the_window_instead_of_forgetting_a_displaced_one() {
    let mut session = Session::new();
    let names: Vec<&'static str> = (0..70).map(|tab| &*Box::leak(format!("tab{tab}").into_boxed_str())).collect();
    let child = |name| Token { name, parent: Some("R1"), generation: 0 };
    for name in &names {
        session.verify(child(name), T0);
    }
    assert!(session.is_current("tab64"), "the promotion and 64 moves");
    for name in names.iter().filter(|name| **name != "tab64") {
        assert_eq!(session.refresh(PromoteOnUse, child(name), "x", T0), theft(ReuseSubtype::OrphanedBranch), "{name}");
    }
}

// ---- CDI ≥ 5.6, refresh

#[test]
fn case_1_the_current_token_is_replaced_at_once() {
    let mut session = Session::new();
    let now = T0.plus(9);
    assert_eq!(session.refresh(RotateOnRefresh, R1, "L1", now), Outcome::Rotated);
    assert!(session.is_current("L1"));
    assert_eq!(session.previous(), Some((TokenHash2::of("R1"), now)));
    assert_eq!((session.0.expires, session.0.generation), (now.plus(VALIDITY), 1));
}

#[test]
fn case_2_a_legacy_child_of_the_current_token_is_replaced_at_once() {
    let mut session = Session::new();
    assert_eq!(session.refresh(RotateOnRefresh, C1, "L1", T0), Outcome::Rotated);
    assert!(session.is_current("L1"));
    assert_eq!(session.previous(), Some((TokenHash2::of("C1"), T0)), "the presented token, not its parent");
}

#[test]
fn case_3_the_previous_token_re_rotates_until_the_window_closes_and_never_re_arms_it() {
    let mut session = Session::rotated();
    let before = session.0.clone();
    for (ms, name) in [(0, "L2"), (GRACE / 2, "L3"), (GRACE, "L4")] {
        assert_eq!(session.refresh(RotateOnRefresh, R1, name, T0.plus(ms)), Outcome::Rotated);
        assert!(session.is_current(name));
        assert_eq!(session.0.previous, before.previous);
        assert_eq!((session.0.expires, session.0.generation), (before.expires, before.generation));
    }
    let late = T0.plus(GRACE + 1);
    assert_eq!(session.refresh(RotateOnRefresh, R1, "x", late), ended(ReuseSubtype::RecentPrev));
}

#[test]
fn case_4a_follows_the_setting() {
    let session = Session::rotated();
    for (recent_reuse_is_theft, late) in [(true, GRACE + 1), (false, GRACE + 1)] {
        let rules = FamilyRules { recent_reuse_is_theft, ..RULES };
        let decision = session.0.refresh(&R1.presented(), RotateOnRefresh, None, &rules, T0.plus(late));
        let RefreshDecision::Reuse(reuse) = decision else { panic!("{decision:?}") };
        assert_eq!((reuse.subtype, reuse.ends_session), (ReuseSubtype::RecentPrev, true));
        assert_eq!(reuse.is_theft, recent_reuse_is_theft);
    }
}

#[test]
fn case_4b_a_child_of_the_previous_token_is_an_orphaned_branch_even_inside_the_window() {
    let mut session = Session::promoted();
    assert_eq!(session.refresh(RotateOnRefresh, C2, "x", T0.plus(1)), ended(ReuseSubtype::OrphanedBranch));
    let mut session = Session::rotated();
    session.refresh(RotateOnRefresh, R1, "L2", T0.plus(1));
    let loser = Token { name: "L1", parent: Some("R1"), generation: 1 };
    assert_eq!(session.refresh(RotateOnRefresh, loser, "x", T0.plus(2)), ended(ReuseSubtype::OrphanedBranch));
}

#[test]
fn case_4c_anything_else_is_theft_whatever_the_setting() {
    let mut session = Session::rotated();
    let l1 = Token { name: "L1", parent: Some("R1"), generation: 1 };
    session.refresh(RotateOnRefresh, l1, "M1", T0.plus(1));
    let rules = FamilyRules { recent_reuse_is_theft: false, ..RULES };
    let decision = session.0.refresh(&R1.presented(), RotateOnRefresh, None, &rules, T0.plus(1));
    let RefreshDecision::Reuse(reuse) = decision else { panic!("{decision:?}") };
    assert_eq!((reuse.subtype, reuse.ends_session, reuse.is_theft), (ReuseSubtype::StaleLineage, true, true));
}

// ---- CDI ≥ 5.6, verify

#[test]
fn the_stateless_check_knows_the_current_the_previous_and_their_children() {
    let session = Session::promoted();
    assert!(session.0.knows(&C1.lineage()), "current");
    assert!(session.0.knows(&R1.lineage()), "previous");
    assert!(session.0.knows(&C2.lineage()), "child of previous");
    assert!(session.0.knows(&Token { name: "G1", parent: Some("C1"), generation: 1 }.lineage()), "child of current");
    assert!(!session.0.knows(&Token { name: "Z", parent: Some("Y"), generation: 0 }.lineage()));
    assert!(!session.0.knows(&Token { name: "Z", parent: None, generation: 0 }.lineage()));
}

// ---- crossing between the machines

#[test]
fn the_loser_of_a_re_rotation_is_no_sibling_in_the_legacy_machine() {
    let mut session = Session::rotated();
    session.refresh(RotateOnRefresh, R1, "L2", T0.plus(1));
    let loser = Token { name: "L1", parent: Some("R1"), generation: 1 };
    assert_eq!(session.refresh(PromoteOnUse, loser, "x", T0.plus(2)), theft(ReuseSubtype::OrphanedBranch));
}

#[test]
fn a_re_rotation_displaces_a_promoted_child_for_good() {
    let mut session = Session::promoted();
    assert_eq!(session.refresh(RotateOnRefresh, R1, "L1", T0.plus(1)), Outcome::Rotated);
    assert_eq!(session.verify(C1, T0.plus(2)), VerifyDecision { remint: false, change: None });
    assert_eq!(session.refresh(PromoteOnUse, C1, "x", T0.plus(2)), theft(ReuseSubtype::OrphanedBranch));
}

#[test]
fn a_rotated_token_goes_on_in_the_legacy_machine_and_back() {
    let mut session = Session::rotated();
    let l1 = Token { name: "L1", parent: Some("R1"), generation: 1 };
    assert_eq!(session.refresh(PromoteOnUse, l1, "C", T0.plus(1)), Outcome::Child);
    let child = Token { name: "C", parent: Some("L1"), generation: 1 };
    assert_eq!(session.refresh(RotateOnRefresh, child, "L2", T0.plus(2)), Outcome::Rotated);
    assert!(session.is_current("L2"));
}
