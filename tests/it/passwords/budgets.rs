//! Failed sign-ins delay the next ones, if the operator wants that.

use crate::app::TestApp;
use sessiond::domain::ids::TenantId;
use sessiond::domain::time::SteadyMillis;
use sessiond::state::password::SignInRefused;
use sessiond::state::password::budgets::{Attempt, SignInRealm, Who};
use std::net::IpAddr;

struct World {
    app: TestApp,
    now: u64,
}

impl World {
    async fn new(on: bool) -> Self {
        let app = TestApp::builder().setting("brute_force_protection", &on.to_string()).build().await;
        Self { app, now: 0 }
    }

    fn begin(&self, tenant: &str, email: &str, address: Option<&str>) -> Result<Attempt<'_>, (&'static str, u64)> {
        let app = self.app.context.directory.find("", "public").unwrap();
        let tenant = TenantId::new(tenant);
        let address: Option<IpAddr> = address.map(|address| address.parse().unwrap());
        let who = Who { app: &app, realm: SignInRealm::Tenant(&tenant), email, address };
        match self.app.context.budgets.begin(who, SteadyMillis(self.now)) {
            Ok(attempt) => Ok(attempt),
            Err(SignInRefused::TooManyFailures { of, retry_after_s, .. }) => Err((of, retry_after_s)),
            Err(other) => panic!("{other}"),
        }
    }

    fn fail(&self, email: &str) {
        self.begin("public", email, None).unwrap().record_failure();
    }

    fn refusal(&self, email: &str) -> Option<(&'static str, u64)> {
        self.begin("public", email, None).map(drop).err()
    }
}

const ACCOUNT: &str = "Too many failed sign-ins to this account";
const ADDRESS: &str = "Too many failed sign-ins from this address";

#[tokio::test]
async fn nothing_is_delayed_unless_it_was_asked_for() {
    let world = World::new(false).await;
    for _ in 0..1000 {
        world.begin("public", "a@x.io", Some("192.0.2.1")).unwrap().record_failure();
    }
}

#[tokio::test]
async fn delays_grow_with_each_failure_and_a_success_ends_them() {
    let mut world = World::new(true).await;
    for _ in 0..6 {
        world.fail("a@x.io");
    }
    for delay in [1, 2, 4, 8] {
        assert_eq!(world.refusal("a@x.io"), Some((ACCOUNT, delay)));
        assert_eq!(world.refusal("a@x.io"), Some((ACCOUNT, delay)), "a refused attempt costs nothing");
        world.now += delay * 1000 - 1;
        assert_eq!(world.refusal("a@x.io"), Some((ACCOUNT, 1)));
        world.now += 1;
        world.fail("a@x.io");
    }
    assert_eq!(world.refusal("b@x.io"), None, "another account");
    assert!(world.begin("other", "a@x.io", None).is_ok(), "the same address in another tenant is a different account");
    world.now += 16_000;
    world.begin("public", "a@x.io", None).unwrap().record_success();
    for _ in 0..6 {
        world.fail("a@x.io");
    }
}

#[tokio::test]
async fn attempts_without_a_verdict_count_for_nothing() {
    let world = World::new(true).await;
    for _ in 0..100 {
        drop(world.begin("public", "a@x.io", Some("192.0.2.1")).unwrap());
    }
    assert_eq!(world.refusal("a@x.io"), None);
}

#[tokio::test]
async fn attempts_made_at_once_get_no_more_tries() {
    let world = World::new(true).await;
    let underway: Vec<_> = (0..20).map_while(|_| world.begin("public", "a@x.io", None).ok()).collect();
    assert_eq!(underway.len(), 6);
    underway.into_iter().for_each(Attempt::record_failure);
    assert_eq!(world.refusal("a@x.io"), Some((ACCOUNT, 1)));
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_delayed_and_others_are_not() {
    let world = World::new(true).await;
    for number in 0..51 {
        world.begin("public", &format!("{number}@x.io"), Some("2001:db8::1")).unwrap().record_failure();
    }
    for address in ["2001:db8::1", "2001:db8::ffff"] {
        let refusal = world.begin("public", "new@x.io", Some(address)).map(drop).err();
        assert_eq!(refusal, Some((ADDRESS, 1)), "{address}");
    }
    assert!(world.begin("public", "new@x.io", Some("192.0.2.1")).is_ok());
    assert_eq!(world.refusal("new@x.io"), None, "the refused attempts were not counted for the account");
}

#[tokio::test]
async fn who_signs_in_well_from_a_shared_address_delays_nobody() {
    let world = World::new(true).await;
    for number in 0..500 {
        world.begin("public", &format!("{number}@x.io"), Some("192.0.2.1")).unwrap().record_success();
    }
}

#[tokio::test]
async fn a_delayed_account_is_free_again_when_its_owner_resets_the_password() {
    let world = World::new(true).await;
    for _ in 0..6 {
        world.fail("a@x.io");
    }
    let app = world.app.context.directory.find("", "public").unwrap();
    world.app.context.budgets.forget(&app, SignInRealm::Tenant(&TenantId::public()), "a@x.io");
    assert_eq!(world.refusal("a@x.io"), None);
}
