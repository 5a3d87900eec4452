//! The properties on the real commands: sealed tokens, signed tokens, records in a store.

use super::honest::never_refused;
use super::machine::{AccessId, Machine, Outcome, Seen, TokenId};
use super::thief::{anything_goes, two_cannot_share};
use super::world::{ACCESS_VALIDITY, START, World};
use crate::app::TestApp;
use crate::session::driver::{Driver, Held, told};
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use sessiond::command::session::refresh::Refreshed;
use sessiond::command::session::verify::Verified;
use sessiond::domain::session::RefreshPolicy;
use sessiond::domain::time::UnixMillis;
use tokio::runtime::{Builder, Runtime};

/// A separate server for each case.
struct Commands {
    runtime: Runtime,
    driver: Driver,
    refresh: Vec<String>,
    access: Vec<String>,
}

impl Machine for Commands {
    fn create(now: u64) -> Self {
        let runtime = Builder::new_current_thread().build().unwrap();
        // An hour more than the tests cover, plus the rounding down of `exp`.
        let access_validity = (ACCESS_VALIDITY + 3_600_000) / 1000;
        let builder = TestApp::builder()
            .setting("access_token_validity", &access_validity.to_string())
            .setting("access_token_validity_jitter", "0");
        let (driver, first) = runtime.block_on(async {
            let driver = Driver::with(builder).await;
            assert_eq!(driver.app.context.now(), UnixMillis(START));
            driver.app.clock.set(UnixMillis(now));
            let first = driver.create("u").await;
            (driver, first)
        });
        Self { runtime, driver, refresh: vec![first.refresh], access: vec![first.access] }
    }

    fn refresh(&mut self, policy: RefreshPolicy, token: TokenId, now: u64) -> Outcome {
        self.driver.app.clock.set(UnixMillis(now));
        match self.runtime.block_on(self.driver.refresh(policy, &self.refresh[token])) {
            Refreshed::Ok(issued) => {
                let held = Held::of(&issued);
                self.refresh.push(held.refresh);
                self.access.push(held.access);
                Outcome::Granted
            }
            Refreshed::TokenTheft { subtype, .. } => Outcome::Theft(subtype),
            Refreshed::Unauthorised { message: "Session missing in db or has expired", subtype: None } => Outcome::Gone,
            other => panic!("{}", told(&other)),
        }
    }

    fn verify(&mut self, policy: RefreshPolicy, access: AccessId, check_database: bool, now: u64) -> Seen {
        self.driver.app.clock.set(UnixMillis(now));
        match self.runtime.block_on(self.driver.verify(policy, &self.access[access], check_database)) {
            Verified::Ok { access_token, .. } => {
                let reminted = access_token.is_some();
                self.access.extend(access_token.map(|token| token.token.expose().clone()));
                Seen::Good { reminted }
            }
            Verified::Unauthorised(_) => Seen::Unauthorised,
            Verified::TryRefreshToken(sentence) => panic!("{sentence}"),
        }
    }

    fn would_grant(&self, _: RefreshPolicy, _: TokenId, _: u64) -> Option<bool> {
        None
    }
}

proptest! {
    #![proptest_config(super::cases(48))]

    #[test]
    fn an_honest_client_of_the_commands_is_never_refused(choices in vec(any::<u16>(), 0..200)) {
        never_refused::<Commands>(World::new(), choices)?;
    }

    #[test]
    fn whatever_is_presented_to_the_commands_the_naive_model_agrees(choices in vec(any::<u16>(), 0..150)) {
        anything_goes::<Commands>(World::new(), choices)?;
    }

    #[test]
    fn two_parties_cannot_both_go_on_with_the_commands(choices in vec(any::<u16>(), 0..100)) {
        two_cannot_share::<Commands>(World::new(), choices)?;
    }
}
