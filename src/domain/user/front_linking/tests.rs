use super::LinkingRule::{Always, Off, Verified};
use super::*;
use crate::domain::ids::TenantId;
use crate::domain::time::UnixMillis;
use crate::domain::user::{Login, PasswordHash};

const SHARED: &str = "a@x.io";

/// A user with a password login for each of these addresses, the first of which is the oldest.
fn user(id: &str, joined: u64, is_primary: bool, emails: &[&str]) -> User {
    let method = |(place, email): (usize, &&str)| LoginMethod {
        id: UserId::new(if place == 0 { id.to_owned() } else { format!("{id}{place}") }),
        external: None,
        tenants: [TenantId::public()].into(),
        time_joined: UnixMillis(joined + place as u64),
        login: Login::EmailPassword { email: (*email).to_owned(), password: PasswordHash::new("hash") },
    };
    let methods = emails.iter().enumerate().map(method).collect();
    User { id: UserId::new(id), is_primary, kept_mapping: None, methods }
}

fn known<'a>(user: &'a User, verified: &'a [bool]) -> Known<'a> {
    Known { user, verified }
}

fn infos() -> Vec<AccountInfo> {
    vec![AccountInfo::Email(SHARED.to_owned())]
}

fn sign_up(is_verified: bool, rule: LinkingRule, sharing: &[Known<'_>]) -> bool {
    Candidate { infos: &infos(), user: None, is_verified, session_user: None }.is_allowed(rule, sharing)
}

#[test]
fn without_verification_everybody_may_sign_up_and_in() {
    let (primary, plain) = (user("p", 1, true, &[SHARED]), user("u", 2, false, &[SHARED]));
    for rule in [Off, Always] {
        assert!(sign_up(false, rule, &[known(&primary, &[false]), known(&plain, &[false])]));
    }
}

#[test]
fn somebody_elses_address_needs_verification_on_both_sides() {
    let (primary, plain) = (user("p", 1, true, &[SHARED]), user("u", 2, false, &[SHARED]));
    assert!(sign_up(false, Verified, &[]));
    for (own, theirs, allowed) in [(false, true, false), (true, false, false), (true, true, true)] {
        assert_eq!(sign_up(own, Verified, &[known(&primary, &[theirs])]), allowed, "{own} {theirs}");
    }
    assert!(sign_up(false, Verified, &[known(&plain, &[true])]));
    assert!(!sign_up(true, Verified, &[known(&plain, &[false])]));
    let session_user = UserId::new("p");
    let second = Candidate { infos: &infos(), user: None, is_verified: true, session_user: Some(&session_user) };
    assert!(second.is_allowed(Verified, &[known(&primary, &[false])]));
}

#[test]
fn an_unverified_login_may_be_used_while_nobody_else_has_its_address() {
    let (own, other) = (user("u", 2, false, &[SHARED]), user("v", 1, false, &[SHARED]));
    let sign_in = |is_verified, sharing: &[Known<'_>]| {
        Candidate { infos: &infos(), user: Some(&own), is_verified, session_user: None }.is_allowed(Verified, sharing)
    };
    assert!(sign_in(false, &[known(&own, &[false])]));
    assert!(!sign_in(false, &[known(&own, &[false]), known(&other, &[true])]));
    assert!(sign_in(true, &[known(&own, &[true]), known(&other, &[false])]));
}

#[test]
fn nothing_is_linked_unless_both_have_verified_what_they_share() {
    let (own, primary) = (user("u", 2, false, &[SHARED]), user("p", 1, true, &["b@x.io", SHARED]));
    let step = |rule, mine: &[bool], theirs: &[bool]| {
        by_account_info(rule, known(&own, mine), &[known(&own, mine), known(&primary, theirs)])
    };
    let link = NextStep::LinkTo(UserId::new("p"));
    assert_eq!(step(Off, &[true], &[true, true]), NextStep::Stay);
    assert_eq!(step(Always, &[false], &[false, false]), link);
    assert_eq!(step(Verified, &[true], &[false, true]), link);
    assert_eq!(step(Verified, &[false], &[false, true]), NextStep::Stay);
    assert_eq!(step(Verified, &[true], &[true, false]), NextStep::Stay, "another address of theirs is verified");
}

#[test]
fn the_older_user_becomes_primary_first() {
    let (own, older) = (user("u", 2, false, &[SHARED]), user("o", 1, false, &[SHARED]));
    let step = |rule, mine: bool, theirs: bool| {
        by_account_info(rule, known(&own, &[mine]), &[known(&older, &[theirs]), known(&own, &[mine])])
    };
    let make = NextStep::MakePrimary(UserId::new("o"));
    assert_eq!(step(Always, false, false), make);
    assert_eq!(step(Verified, false, true), make);
    assert_eq!(step(Verified, true, false), NextStep::BecomePrimary);
    assert_eq!(step(Verified, false, false), NextStep::Stay);
    let alone = known(&own, &[true]);
    assert_eq!(by_account_info(Verified, alone, &[alone]), NextStep::BecomePrimary);
    let primary = user("p", 1, true, &[SHARED]);
    assert_eq!(by_account_info(Always, known(&primary, &[true]), &[]), NextStep::Stay);
}

#[test]
fn a_sessions_user_gets_what_one_of_the_two_has_verified() {
    let session = user("s", 1, true, &[SHARED, "b@x.io"]);
    let may = |rule, is_verified, of: &[bool]| may_link_to_session(rule, &infos(), is_verified, known(&session, of));
    assert!(!may(Off, true, &[true, true]));
    assert!(may(Always, false, &[false, false]));
    assert!(may(Verified, true, &[false, false]) && may(Verified, false, &[true, false]));
    assert!(!may(Verified, false, &[false, true]));
}

#[test]
fn addresses_of_others_are_not_taken_over() {
    let new = "new@x.io";
    let (own, other) = (user("u", 1, false, &[SHARED]), user("p", 2, true, &[new]));
    let primary = user("u", 1, true, &[SHARED]);
    let plain = user("v", 2, false, &[new]);
    let change = |user: &User, rule, verified, other: &User| {
        email_change(rule, known(user, &[true]), (new, verified), &[known(other, &[true])])
    };
    assert_eq!(change(&primary, Always, true, &other), EmailChange::Conflict);
    assert_eq!(change(&primary, Verified, false, &plain), EmailChange::TakeoverRisk);
    assert_eq!(change(&primary, Verified, true, &plain), EmailChange::Allowed);
    assert_eq!(change(&own, Verified, false, &other), EmailChange::TakeoverRisk);
    assert_eq!(change(&own, Verified, true, &other), EmailChange::Allowed);
    assert_eq!(change(&own, Always, false, &other), EmailChange::Allowed);
    assert_eq!(change(&own, Verified, false, &plain), EmailChange::Allowed);
}
