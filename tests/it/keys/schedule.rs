//! The guarantees of the schedule, for any settings and any pattern of requests, on keys without secrets.

use proptest::prelude::*;
use sessiond::domain::key::{
    KeyKind, KeyLife, KeyRules, KeyStage, Kid, RefreshTokenFormat, RingPlan, SigningAlgorithm,
};
use sessiond::domain::time::UnixMillis;
use std::collections::HashMap;

const START: u64 = 1_700_000_000_000;
/// How much longer than its max-age a verifier may keep a document: slow networks, slow clocks. This is the overlap
/// minus the second that max-age is at least, and one for rounding.
const SLACK_MS: u64 = 58_000;

/// An app's keys as the server would keep them.
struct Keys {
    rules: KeyRules,
    /// Some caller requests RSA all the time.
    with_rsa: bool,
    all: Vec<KeyLife>,
}

impl Keys {
    fn new(rules: KeyRules) -> Self {
        Self { rules, with_rsa: false, all: Vec::new() }
    }

    fn with_rsa(rules: KeyRules) -> Self {
        Self { with_rsa: true, ..Self::new(rules) }
    }

    /// What a request at this time sees.
    fn at(&mut self, now: UnixMillis) -> RingPlan {
        for (kind, algorithm) in self.rules.due(&self.all, self.with_rsa, now) {
            self.make(kind, algorithm, now);
        }
        let plan = self.rules.advance(&mut self.all, now).expect("one of each kind was made");
        self.rules.delete_ended(&mut self.all, now);
        assert!(plan.valid_until > now);
        if let Some(rsa) = &plan.rsa {
            for kid in [&rsa.signing.dynamic, &rsa.signing.fixed] {
                let key = self.all.iter().find(|key| key.kid == *kid).expect("a key that signs is one of the app's");
                assert_eq!(key.algorithm, SigningAlgorithm::RS256);
            }
        }
        assert!(!self.with_rsa || plan.rsa.is_some(), "a caller that requests RSA gets it");
        plan
    }

    fn make(&mut self, kind: KeyKind, algorithm: SigningAlgorithm, now: UnixMillis) {
        let mut created = now;
        let kid = match kind {
            KeyKind::Static => Kid::new(format!("s-{}", self.all.len())),
            KeyKind::Dynamic => {
                while self.all.iter().any(|key| key.algorithm == algorithm && key.created == created) {
                    created = created.plus(1);
                }
                let mut named = created;
                while self.all.iter().any(|key| key.kid == Kid::dynamic(named)) {
                    named = named.plus(1);
                }
                Kid::dynamic(named)
            }
        };
        let interval = self.rules.update_interval_ms;
        self.all.push(KeyLife::created(kid, kind, algorithm, interval, created));
    }

    /// Every key that signs.
    fn signers(plan: &RingPlan) -> Vec<Kid> {
        let rsa = plan.rsa.iter().map(|rsa| &rsa.signing);
        rsa.chain([&plan.signing]).flat_map(|kids| [kids.dynamic.clone(), kids.fixed.clone()]).collect()
    }

    /// `max-age` of the document, as the server sends it.
    fn max_age_ms(&self, plan: &RingPlan, now: UnixMillis) -> u64 {
        (now.until(plan.next_key_due) / 1000).max(1) * 1000
    }
}

/// Actions of an operator, or the passing of time.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Fetch,
    Mint,
}

fn rules() -> impl Strategy<Value = KeyRules> {
    // as validated: U of an hour or more, V from a second on, overlap 60 s
    (1u64..400, 1u64..200_000, any::<bool>()).prop_map(|(hours, validity_s, rsa)| KeyRules {
        algorithm: if rsa { SigningAlgorithm::RS256 } else { SigningAlgorithm::EdDSA },
        is_algorithm_chosen: true,
        refresh_tokens: RefreshTokenFormat::Sealed,
        update_interval_ms: hours * 3_600_000,
        access_token_validity_ms: validity_s * 1000,
        overlap_ms: 60_000,
    })
}

fn steps(interval_ms: u64) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..interval_ms * 2).prop_map(Step::Wait),
        3 => (0u64..120_000).prop_map(Step::Wait),
        2 => Just(Step::Wait(interval_ms - 60_000)),
        2 => Just(Step::Wait(59_999)),
        2 => Just(Step::Wait(1)),
        4 => Just(Step::Fetch),
        4 => Just(Step::Mint),
    ];
    proptest::collection::vec(step, 1..60)
}

fn rules_and_steps() -> impl Strategy<Value = (KeyRules, Vec<Step>)> {
    rules().prop_flat_map(|rules| steps(rules.update_interval_ms).prop_map(move |steps| (rules, steps)))
}

/// First longer, while the key signs, and then shorter: found by the property below.
#[test]
fn a_shorter_interval_ends_no_token_that_was_signed_under_a_longer_one() {
    const HOUR: u64 = 3_600_000;
    let rules = |algorithm, hours| KeyRules {
        algorithm,
        is_algorithm_chosen: true,
        refresh_tokens: RefreshTokenFormat::Sealed,
        update_interval_ms: hours * HOUR,
        access_token_validity_ms: 34 * HOUR,
        overlap_ms: 60_000,
    };
    let mut keys = Keys::new(rules(SigningAlgorithm::RS256, 1));
    keys.at(UnixMillis(START));
    let after = |hours| UnixMillis(START + hours * HOUR);
    keys.rules = rules(SigningAlgorithm::RS256, 162);
    let signs = keys.at(UnixMillis(START)).signing.dynamic;
    keys.rules = rules(SigningAlgorithm::EdDSA, 57);
    assert_eq!(keys.at(after(56)).signing.dynamic, signs, "until the other algorithm's key is known");
    assert_ne!(keys.at(after(68)).signing.dynamic, signs);
    keys.rules = rules(SigningAlgorithm::EdDSA, 1);
    for hours in 68..=56 + 34 {
        assert!(keys.at(after(hours)).verifying.contains(&signs), "its last token lives after {hours} hours");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// A verifier that keeps the document for its max-age and a little longer, and only then fetches a new one, knows
    /// every key that signs.
    #[test]
    fn a_verifier_that_caches_the_document_never_meets_an_unknown_key(
        (rules, steps) in rules_and_steps(),
        with_rsa: bool,
    ) {
        let mut keys = Keys { with_rsa, ..Keys::new(rules) };
        let mut now = UnixMillis(START);
        let mut cached: Option<(Vec<Kid>, UnixMillis)> = None;
        for step in steps {
            match step {
                Step::Wait(ms) => now = now.plus(ms),
                Step::Fetch => {
                    let plan = keys.at(now);
                    if cached.as_ref().is_none_or(|(_, until)| now >= *until) {
                        let until = now.plus(keys.max_age_ms(&plan, now) + SLACK_MS);
                        cached = Some((plan.verifying, until));
                    }
                }
                Step::Mint => {
                    let plan = keys.at(now);
                    for kid in Keys::signers(&plan) {
                        prop_assert!(plan.verifying.contains(&kid), "the server knows its own key");
                        if let Some((kids, until)) = &cached && now < *until {
                            prop_assert!(kids.contains(&kid), "{kid} signs at {now:?}");
                        }
                    }
                }
            }
        }
    }

    /// A token is accepted for its whole lifetime, whatever the schedule does to the keys.
    #[test]
    fn no_token_outlives_its_key((rules, steps) in rules_and_steps(), asks in any::<u64>()) {
        let mut keys = Keys::new(rules);
        let mut now = UnixMillis(START);
        let mut tokens: Vec<(Kid, UnixMillis)> = Vec::new();
        for (index, step) in steps.into_iter().enumerate() {
            keys.with_rsa = asks >> (index % 64) & 1 == 1;
            match step {
                Step::Wait(ms) => now = now.plus(ms),
                Step::Mint | Step::Fetch => {
                    let plan = keys.at(now);
                    let expiry = now.plus(rules.access_token_validity_ms);
                    tokens.extend(Keys::signers(&plan).into_iter().map(|kid| (kid, expiry)));
                }
            }
            let plan = keys.at(now);
            for (kid, expiry) in &tokens {
                prop_assert!(now > *expiry || plan.verifying.contains(kid), "{kid} at {now:?}, token until {expiry:?}");
            }
        }
    }

    /// As above, while the operator changes algorithm and interval at will.
    #[test]
    fn changed_settings_sign_nobody_out(
        rules in rules(),
        changes in proptest::collection::vec((rules(), 0u64..3_000_000_000, any::<bool>()), 1..30),
    ) {
        let mut keys = Keys::new(rules);
        let mut now = UnixMillis(START);
        let mut tokens: Vec<(Kid, UnixMillis)> = Vec::new();
        for (changed, wait, with_rsa) in changes {
            keys.with_rsa = with_rsa;
            // a shorter lifetime is meant to end tokens; everything else is not
            keys.rules = KeyRules { access_token_validity_ms: rules.access_token_validity_ms, ..changed };
            let expiry = now.plus(rules.access_token_validity_ms);
            tokens.extend(Keys::signers(&keys.at(now)).into_iter().map(|kid| (kid, expiry)));
            now = now.plus(wait);
            let plan = keys.at(now);
            for (kid, expiry) in &tokens {
                prop_assert!(now > *expiry || plan.verifying.contains(kid), "{kid}");
            }
        }
    }

    /// Until a plan says that it must be recomputed, recomputing it changes nothing.
    #[test]
    fn a_plan_holds_until_it_says((rules, steps) in rules_and_steps(), part in 0.0..1.0f64, with_rsa: bool) {
        let mut keys = Keys { with_rsa, ..Keys::new(rules) };
        let mut now = UnixMillis(START);
        for step in steps {
            if let Step::Wait(ms) = step {
                now = now.plus(ms);
            }
            let plan = keys.at(now);
            let span = now.until(plan.valid_until);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a span")]
            let inside = now.plus(((span - 1) as f64 * part) as u64);
            let before = keys.all.clone();
            let again = keys.at(inside);
            prop_assert_eq!(&before, &keys.all, "no key changed its stage meanwhile");
            prop_assert_eq!((&again.signing, &again.rsa), (&plan.signing, &plan.rsa));
            prop_assert_eq!(&again.verifying, &plan.verifying);
            now = inside;
        }
    }

    /// However often a key is requested, one is created per interval, and only a few are alive.
    #[test]
    fn keys_do_not_pile_up(
        rules in rules(),
        waits in proptest::collection::vec(0u64..10_000_000, 1..200),
        with_rsa: bool,
    ) {
        let mut keys = Keys { with_rsa, ..Keys::new(rules) };
        let mut now = UnixMillis(START);
        for wait in waits {
            now = now.plus(wait);
            keys.at(now);
        }
        for algorithm in [SigningAlgorithm::EdDSA, SigningAlgorithm::RS256] {
            let of_one: Vec<_> = keys.all.iter().filter(|key| key.algorithm == algorithm).collect();
            let dynamic = of_one.iter().filter(|key| key.kind == KeyKind::Dynamic).count() as u64;
            prop_assert!(dynamic <= (now.0 - START) / (rules.update_interval_ms - 60_000) + 2);
            let signing = of_one.iter().filter(|key| key.may_sign() && key.kind == KeyKind::Dynamic).count();
            prop_assert!(signing <= 2);
            let wanted = algorithm == rules.algorithm || with_rsa && algorithm == SigningAlgorithm::RS256;
            let statics = of_one.iter().filter(|key| key.kind == KeyKind::Static).count();
            prop_assert_eq!(statics, usize::from(wanted));
        }
        let mut names = HashMap::new();
        for key in &keys.all {
            prop_assert!(names.insert(key.kid.clone(), ()).is_none(), "{} twice", key.kid);
        }
    }
}

const EDDSA: KeyRules = KeyRules {
    algorithm: SigningAlgorithm::EdDSA,
    is_algorithm_chosen: true,
    refresh_tokens: RefreshTokenFormat::Sealed,
    update_interval_ms: 168 * 3_600_000,
    access_token_validity_ms: 3_600_000,
    overlap_ms: 60_000,
};

fn algorithms(keys: &Keys, plan: &RingPlan) -> Vec<SigningAlgorithm> {
    let of = |kid: &Kid| keys.all.iter().find(|key| key.kid == *kid).expect("a key of the app").algorithm;
    plan.verifying.iter().map(of).collect()
}

#[test]
fn rsa_keys_are_made_when_they_are_asked_for_and_stand_first_in_the_document() {
    use SigningAlgorithm::{EdDSA, RS256};
    let mut keys = Keys::new(EDDSA);
    let plan = keys.at(UnixMillis(START));
    assert_eq!((plan.rsa.as_ref(), algorithms(&keys, &plan)), (None, vec![EdDSA, EdDSA]));
    keys.with_rsa = true;
    let now = UnixMillis(START + 1000);
    let asked = keys.at(now);
    assert_eq!(asked.signing, plan.signing, "others are not affected");
    assert_eq!(algorithms(&keys, &asked), [RS256, RS256, EdDSA, EdDSA]);
    assert_eq!(asked.rsa.expect("a caller gets one").signing.dynamic, Kid::dynamic(now), "at once");
}

#[test]
fn an_rsa_key_that_nobody_asks_for_any_more_is_used_until_its_interval_ends() {
    let mut keys = Keys::with_rsa(EDDSA);
    let rsa = keys.at(UnixMillis(START)).rsa.expect("it was asked for").signing.dynamic;
    keys.with_rsa = false;
    let created = keys.all.iter().find(|key| key.kid == rsa).expect("made").created;
    let end = created.plus(EDDSA.update_interval_ms);
    let last = keys.at(UnixMillis(end.0 - 1));
    assert_eq!(last.rsa.expect("it continues to serve").signing.dynamic, rsa);
    assert!(last.verifying.contains(&rsa));
    let after = keys.at(end);
    assert_eq!(after.rsa, None);
    assert!(after.verifying.contains(&rsa), "its tokens stay valid");
    let key = keys.all.iter().find(|key| key.kid == rsa).expect("kept");
    assert_eq!(key.stage(), KeyStage::Retired);
    // a caller that comes back later is served all the same
    keys.with_rsa = true;
    let later = end.plus(1_000_000);
    assert_eq!(keys.at(later).rsa.expect("asked for").signing.dynamic, Kid::dynamic(later));
}

#[test]
fn rsa_readers_are_never_given_a_key_that_they_cannot_read() {
    // an app that switches to RS256 continues to sign with the old key for a minute, but not for them
    let mut keys = Keys::new(EDDSA);
    let old = keys.at(UnixMillis(START)).signing;
    keys.rules.algorithm = SigningAlgorithm::RS256;
    let plan = keys.at(UnixMillis(START + 1000));
    assert_eq!(plan.signing, old);
    let rsa = plan.rsa.expect("the app's own").signing;
    assert_ne!(rsa.dynamic, old.dynamic);
    let later = keys.at(UnixMillis(START + 61_000));
    assert_eq!(later.signing, rsa);
    // and back: the RSA key continues for them, next to the new one
    keys.rules.algorithm = SigningAlgorithm::EdDSA;
    keys.at(UnixMillis(START + 100_000));
    let back = keys.at(UnixMillis(START + 160_000));
    assert_eq!(back.signing.dynamic, Kid::dynamic(UnixMillis(START + 100_000)));
    assert_eq!(back.rsa.expect("still there").signing, rsa);
}

#[test]
fn only_legal_steps_are_taken() {
    let new = || KeyLife::created(Kid::new("d-1"), KeyKind::Dynamic, SigningAlgorithm::EdDSA, 1000, UnixMillis(1));
    let at = UnixMillis(2);
    type Take = fn(&mut KeyLife, UnixMillis) -> bool;
    let steps: [(KeyStage, Take); 5] = [
        (KeyStage::Published, |key, at| key.publish(at).is_ok()),
        (KeyStage::InUse, |key, at| key.use_first(at).is_ok()),
        (KeyStage::Retired, |key, at| key.retire(at).is_ok()),
        (KeyStage::Revoked, |key, at| key.revoke(at, "why").is_ok()),
        (KeyStage::Deleted, |key, at| key.delete(at).is_ok()),
    ];
    use KeyStage::{Created, Deleted, InUse, Published, Retired, Revoked};
    let ways: [(&[KeyStage], &[KeyStage]); 6] = [
        (&[], &[Published, Revoked]),
        (&[Published], &[InUse, Retired, Revoked]),
        (&[Published, InUse], &[Retired, Revoked]),
        (&[Published, InUse, Retired], &[Revoked, Deleted]),
        (&[Published, InUse, Revoked], &[Deleted]),
        (&[Published, InUse, Retired, Deleted], &[]),
    ];
    for (way, legal) in ways {
        for (stage, step) in steps {
            let mut key = new();
            for taken in way {
                assert!(steps.iter().find(|(to, _)| to == taken).unwrap().1(&mut key, at));
            }
            let from = key.stage();
            assert_eq!(from, way.last().copied().unwrap_or(Created));
            assert_eq!(step(&mut key, at), legal.contains(&stage), "{from:?} to {stage:?}");
            let expected = if legal.contains(&stage) { stage } else { from };
            assert_eq!(key.stage(), expected, "an illegal step changes nothing");
        }
    }
}
