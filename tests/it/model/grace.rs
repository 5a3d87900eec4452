//! Every row of the front door's refresh table, where it differs from the one of CDI ≤ 5.5.

use super::tables::{C1, C2, GRACE, Outcome, R1, Session, T0, Token, VALIDITY, theft};
use sessiond::domain::session::RefreshPolicy::{PromoteOnUse, PromoteWithGrace, RotateOnRefresh};
use sessiond::domain::session::event::{EventKind, ReuseSubtype};
use sessiond::domain::session::family::{FamilyRules, RefreshDecision};
use sessiond::domain::token_hash::TokenHash2;

/// A child that `R1` has minted after `C1` was used.
const LATE: Token = Token { name: "late", parent: Some("R1"), generation: 0 };

#[test]
fn the_previous_token_mints_children_until_the_window_closes_and_changes_nothing() {
    let mut session = Session::promoted();
    let before = session.0.clone();
    for ms in [0, 1, GRACE] {
        assert_eq!(session.refresh(PromoteWithGrace, R1, "late", T0.plus(ms)), Outcome::Child);
    }
    assert_eq!(session.0, before);
    assert_eq!(session.refresh(PromoteWithGrace, R1, "x", T0.plus(GRACE + 1)), theft(ReuseSubtype::RecentPrev));
    assert_eq!(session.0, before);
}

#[test]
fn what_the_previous_token_mints_is_of_the_generation_before() {
    let session = Session::promoted();
    let rules = FamilyRules { grace_ms: GRACE, refresh_validity_ms: VALIDITY, recent_reuse_is_theft: true };
    let decision = session.0.refresh(&R1.presented(), PromoteWithGrace, None, &rules, T0);
    let RefreshDecision::Grant(grant) = decision else { panic!("{decision:?}") };
    assert_eq!((grant.generation(), grant.awaits_use()), (0, true));
    assert_eq!(grant.events, [EventKind::GraceReplay { generation: 0 }]);
}

#[test]
fn a_late_child_takes_the_lineage_when_it_is_used() {
    let mut session = Session::promoted();
    assert!(session.verify(LATE, T0.plus(GRACE)).remint);
    assert!(session.is_current("late"));
    assert_eq!(session.previous(), Some((TokenHash2::of("R1"), T0)), "the window stays");
    assert_eq!(session.refresh(PromoteWithGrace, C1, "x", T0.plus(GRACE)), theft(ReuseSubtype::OrphanedBranch));
}

#[test]
fn an_unused_sibling_is_refreshed_however_late() {
    for sibling in [C2, LATE] {
        let mut session = Session::promoted();
        let late = T0.plus(GRACE + 3_600_000);
        assert!(!session.verify(sibling, late).remint, "an older request moves nothing");
        assert!(session.is_current("C1"));
        assert_eq!(session.refresh(PromoteWithGrace, sibling, "G", late), Outcome::Child);
        assert!(session.is_current(sibling.name));
        assert_eq!(session.0.expires, late.plus(VALIDITY));
        assert_eq!(session.refresh(PromoteWithGrace, C1, "x", late), theft(ReuseSubtype::OrphanedBranch));
    }
}

#[test]
fn an_unused_sibling_is_stale_after_the_next_promotion() {
    let mut session = Session::promoted();
    let grandchild = Token { name: "G1", parent: Some("C1"), generation: 1 };
    assert!(session.verify(grandchild, T0.plus(1)).remint);
    for token in [C2, LATE, R1] {
        let outcome = session.refresh(PromoteWithGrace, token, "x", T0.plus(2));
        assert_eq!(outcome, theft(ReuseSubtype::StaleLineage), "{token:?}");
    }
}

#[test]
fn what_was_displaced_stays_stale() {
    let mut session = Session::promoted();
    assert!(session.verify(C2, T0.plus(1)).remint);
    assert_eq!(session.refresh(PromoteWithGrace, C1, "x", T0.plus(2)), theft(ReuseSubtype::OrphanedBranch));
    assert_eq!(session.refresh(PromoteWithGrace, R1, "late", T0.plus(2)), Outcome::Child);
    assert!(session.is_current("C2"));
}

#[test]
fn a_list_of_displaced_tokens_that_is_full_ends_it() {
    let mut session = Session::promoted();
    session.0.displaced = vec![[7; 16]; 64];
    assert_eq!(session.refresh(PromoteWithGrace, R1, "x", T0), theft(ReuseSubtype::RecentPrev));
    assert_eq!(session.refresh(PromoteWithGrace, C2, "x", T0), theft(ReuseSubtype::OrphanedBranch));
}

#[test]
fn the_loser_of_a_re_rotation_is_no_sibling() {
    // Minted by a CDI 5.6 refresh after R1 was replaced, and displaced by the next one.
    let mut session = Session::rotated();
    let loser = Token { name: "L1", parent: Some("R1"), generation: 1 };
    session.refresh(RotateOnRefresh, R1, "L2", T0.plus(1));
    assert_eq!(session.refresh(PromoteWithGrace, loser, "x", T0.plus(2)), theft(ReuseSubtype::OrphanedBranch));
    assert_eq!(session.refresh(PromoteWithGrace, R1, "late", T0.plus(2)), Outcome::Child);
    assert!(session.is_current("L2"));
}

#[test]
fn without_a_grace_period_the_front_door_follows_the_protocol() {
    let rules = FamilyRules { grace_ms: 0, refresh_validity_ms: VALIDITY, recent_reuse_is_theft: true };
    for token in [R1, C2, LATE] {
        for policy in [PromoteOnUse, PromoteWithGrace] {
            let family = Session::promoted().0;
            let decision = family.refresh(&token.presented(), policy, None, &rules, T0.plus(1));
            assert!(matches!(decision, RefreshDecision::Reuse(_)), "{token:?} under {policy:?}");
        }
    }
}
