//! The same claims for refresh tokens in the form of the original core, which do not carry the family's generation: it
//! is taken as 0, and parents and the list of displaced tokens must be enough.

use super::honest::never_refused;
use super::machine::{AccessId, Machine, Outcome, Pure, Seen, TokenId};
use super::thief::{anything_goes, two_cannot_share};
use super::world::World;
use proptest::collection::vec;
use proptest::prelude::*;
use sessiond::domain::session::RefreshPolicy;

/// The rules, with tokens without a generation.
struct WithoutGeneration(Pure);

impl Machine for WithoutGeneration {
    fn create(now: u64) -> Self {
        Self(Pure::create(now))
    }

    fn refresh(&mut self, policy: RefreshPolicy, token: TokenId, now: u64) -> Outcome {
        let outcome = self.0.refresh(policy, token, now);
        self.0.tokens.iter_mut().for_each(|token| token.generation = 0);
        outcome
    }

    fn verify(&mut self, policy: RefreshPolicy, access: AccessId, check_database: bool, now: u64) -> Seen {
        self.0.verify(policy, access, check_database, now)
    }

    fn would_grant(&self, policy: RefreshPolicy, token: TokenId, now: u64) -> Option<bool> {
        self.0.would_grant(policy, token, now)
    }
}

proptest! {
    #![proptest_config(super::cases(1500))]

    #[test]
    fn whatever_is_presented_the_naive_model_agrees(choices in vec(any::<u16>(), 0..200)) {
        anything_goes::<WithoutGeneration>(World::new(), choices)?;
    }

    #[test]
    fn two_parties_cannot_both_go_on(choices in vec(any::<u16>(), 0..120)) {
        two_cannot_share::<WithoutGeneration>(World::new(), choices)?;
    }

    #[test]
    fn an_honest_client_is_never_refused(choices in vec(any::<u16>(), 0..400)) {
        never_refused::<WithoutGeneration>(World::new(), choices)?;
    }
}
