//! Linking and second factors under sequences of steps, against what everybody has really shown.
//!
//! Two people know both addresses; each reads mail at one of them and knows only passwords of their own. Nobody uses a
//! link that somebody else has asked for. A thief knows the first person's password and nothing else. There are two
//! tenants, each of which may require an authenticator app. Then, whatever they do and in whatever order:
//!
//! * **Nobody is let into somebody else's account** (under `verified`): login methods that two people have made are
//!   never one user's.
//! * **No factor counts that was not shown**: a session's claim names only factors that were completed in it and that
//!   no application has taken away since, and says that it is enough only if one of the required ones is among them.
//! * **No factor is added by a session that lacks it**: once somebody has an authenticator app, whoever adds or removes
//!   one has shown a code in that session.

mod world;

use crate::model::cases;
use proptest::prelude::*;
use sessiond::domain::user::front_linking::LinkingRule;
use world::run;

/// The browser of the thief, after those of the two people.
const THIEF: usize = 2;

/// What somebody does. The first member is who.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Signs up with an address, in their session or without, in the second tenant or the first.
    SignUp(usize, usize, bool, bool),
    /// Signs in with an address and their own password, likewise.
    SignIn(usize, usize, bool, bool),
    /// Signs in with the first person's address and password.
    Steal(bool),
    /// Signs in with a code mailed to their address, and is linked as at the front door.
    Code(usize),
    /// Signs in with a provider that reports an address without vouching for it.
    Provider(usize, usize),
    /// An application of the core makes one of their login methods without a password primary.
    Primary(usize),
    /// An application of the core lets their login methods into the second tenant, or takes them out of it.
    Move(usize, bool),
    /// An application of the core makes one of their login methods a user of its own again.
    Unlink(usize, usize),
    /// Uses the link by which they verify their own address for a login method that they have made.
    Verify(usize),
    /// Adds an authenticator app.
    Device(usize),
    /// Shows a code to verify it: the right one, or another.
    VerifyDevice(usize, bool),
    /// Removes it.
    RemoveDevice(usize),
    /// Shows a code of it.
    Totp(usize, bool),
    /// An operator requires TOTP of everybody in the first tenant or the second, or of nobody.
    RequireOfAll(bool, bool),
    /// An operator requires TOTP of them.
    Require(usize, bool),
    /// An application of the core takes TOTP away from their session.
    TakeAway(usize),
    /// Asks what is to do.
    Info(usize),
    /// Signs out.
    SignOut(usize),
    /// The server errs: see [`Fault`].
    Err(usize, Fault),
}

/// A mistake of a server, to show that the model notices.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// A session counts TOTP as complete.
    Factor,
    /// A session does not know that a factor is required.
    Requirement,
    /// The first person's login is linked to the second person's.
    Link,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, anybody, flag) = (|| 0..2_usize, || 0..=THIEF, any::<bool>);
    // Mostly one's own address, and the right code.
    let address =
        || (who(), proptest::bool::weighted(0.7)).prop_map(|(who, own)| (who, if own { who } else { 1 - who }));
    let coded = || (anybody(), proptest::bool::weighted(0.75));
    let rarely = || proptest::bool::weighted(0.25);
    let step = prop_oneof![
        4 => (address(), flag(), rarely()).prop_map(|((who, email), flag, t)| Step::SignUp(who, email, flag, t)),
        5 => (address(), flag(), rarely()).prop_map(|((who, email), flag, t)| Step::SignIn(who, email, flag, t)),
        3 => rarely().prop_map(Step::Steal),
        3 => who().prop_map(Step::Code),
        3 => address().prop_map(|(who, email)| Step::Provider(who, email)),
        2 => who().prop_map(Step::Primary),
        2 => (who(), proptest::bool::weighted(0.8)).prop_map(|(who, into)| Step::Move(who, into)),
        1 => (who(), 0..3_usize).prop_map(|(who, which)| Step::Unlink(who, which)),
        4 => who().prop_map(Step::Verify),
        4 => anybody().prop_map(Step::Device),
        6 => coded().prop_map(|(who, right)| Step::VerifyDevice(who, right)),
        2 => anybody().prop_map(Step::RemoveDevice),
        4 => coded().prop_map(|(who, right)| Step::Totp(who, right)),
        1 => (flag(), flag()).prop_map(|(t, on)| Step::RequireOfAll(t, on)),
        2 => (who(), flag()).prop_map(|(who, on)| Step::Require(who, on)),
        1 => anybody().prop_map(Step::TakeAway),
        3 => anybody().prop_map(Step::Info),
        1 => anybody().prop_map(Step::SignOut),
    ];
    proptest::collection::vec(step, 5..70)
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn nobody_is_let_in_by_somebody_elses_login(steps in steps()) {
        run(LinkingRule::Verified, "verified", &steps);
    }

    #[test]
    fn no_factor_counts_that_was_not_shown(steps in steps()) {
        run(LinkingRule::Always, "always", &steps);
    }
}

/// A person with an authenticator app, and one without.
const BEGUN: [Step; 4] =
    [Step::SignUp(0, 0, false, false), Step::SignUp(1, 1, false, false), Step::Device(0), Step::VerifyDevice(0, true)];

fn run_with(fault: Step) {
    run(LinkingRule::Verified, "verified", &[&BEGUN[..], &[Step::Info(0), Step::Info(1), fault]].concat());
}

#[test]
#[should_panic(expected = "after {\"emailpassword\"}")]
fn a_factor_that_nobody_has_shown_is_noticed() {
    run_with(Step::Err(1, Fault::Factor));
}

#[test]
#[should_panic(expected = "is enough")]
fn a_requirement_that_is_not_met_is_noticed() {
    run_with(Step::Err(1, Fault::Requirement));
}

#[test]
#[should_panic(expected = "is one user, made by")]
fn a_link_between_two_people_is_noticed() {
    run_with(Step::Err(0, Fault::Link));
}
