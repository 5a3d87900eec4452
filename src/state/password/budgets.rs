//! Failed sign-ins, remembered in memory: per account, and per address where the application reports it.
//!
//! Off unless `brute_force_protection` is on. Only sign-ins are delayed; live sessions are not affected. The memory is
//! bounded, and a restart forgets everything: that gives an attacker a few attempts, no more.

use crate::domain::ids::TenantId;
use crate::domain::network::network;
use crate::domain::password::budget::{ACCOUNT, ADDRESS, BudgetRules, Failures};
use crate::domain::time::SteadyMillis;
use crate::state::bounded_table::BoundedTable;
use crate::state::directory::AppEntry;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use super::SignInRefused;

const OF_ACCOUNT: &str = "Too many failed sign-ins to this account";
const OF_ADDRESS: &str = "Too many failed sign-ins from this address";

/// The failures of all accounts and addresses.
pub struct Budgets {
    accounts: Table,
    addresses: Table,
    hasher: RandomState,
}

impl Default for Budgets {
    fn default() -> Self {
        Self { accounts: Table::new(&ACCOUNT), addresses: Table::new(&ADDRESS), hasher: RandomState::new() }
    }
}

/// The account and origin of a sign-in.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// The app.
    pub app: &'a AppEntry,
    /// The realm that the person signs in to.
    pub realm: SignInRealm<'a>,
    /// The account's e-mail address, normalised.
    pub email: &'a str,
    /// The person's address, if the application reported it.
    pub address: Option<IpAddr>,
}

/// What a person signs in to. Accounts with the same e-mail address in different realms are unrelated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignInRealm<'a> {
    /// A tenant, as one of its users.
    Tenant(&'a TenantId),
    /// The dashboard, as one of its users.
    Dashboard,
}

/// An attempt in progress. It counts as a failure until it is [settled](Self::record_success); dropped without a verdict
/// (the queue was full, the caller went away) it is not counted.
#[must_use]
pub struct Attempt<'a> {
    counted: Option<Counted<'a>>,
}

struct Counted<'a> {
    budgets: &'a Budgets,
    account: u64,
    address: Option<u64>,
}

impl Budgets {
    /// Begins an attempt.
    ///
    /// # Errors
    /// When account or address have to wait; then the attempt is not counted and changes nothing.
    pub fn begin(&self, who: Who<'_>, now: SteadyMillis) -> Result<Attempt<'_>, SignInRefused> {
        if !who.app.config.brute_force_protection {
            return Ok(Attempt { counted: None });
        }
        let account = self.account(who.app, who.realm, who.email);
        let address = who.address.map(|address| self.hasher.hash_one((who.app.serial, network(address))));
        let refused = |of, who: u64, wait_ms: u64| SignInRefused::TooManyFailures {
            of,
            retry_after_s: wait_ms.div_ceil(1000).max(1),
            delay: self.hasher.hash_one((of, who, now.plus(wait_ms))),
        };
        if let Some(address) = address {
            self.addresses.begin(address, now).map_err(|wait| refused(OF_ADDRESS, address, wait))?;
        }
        if let Err(wait) = self.accounts.begin(account, now) {
            if let Some(address) = address {
                self.addresses.take_back(address);
            }
            return Err(refused(OF_ACCOUNT, account, wait));
        }
        Ok(Attempt { counted: Some(Counted { budgets: self, account, address }) })
    }

    /// Forgets an account's failures: its owner has proved their identity in another way, such as a password reset.
    pub fn forget(&self, app: &AppEntry, realm: SignInRealm<'_>, email: &str) {
        if app.config.brute_force_protection {
            self.accounts.forget(self.account(app, realm, email));
        }
    }

    fn account(&self, app: &AppEntry, realm: SignInRealm<'_>, email: &str) -> u64 {
        self.hasher.hash_one((app.serial, realm, email))
    }
}

impl Attempt<'_> {
    /// Records that the password was wrong.
    pub fn record_failure(mut self) {
        self.counted = None;
    }

    /// Records that the password was right: the account's count is reset, the address gets this attempt back.
    pub fn record_success(mut self) {
        if let Some(Counted { budgets, account, address }) = self.counted.take() {
            budgets.accounts.forget(account);
            if let Some(address) = address {
                budgets.addresses.take_back(address);
            }
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some(Counted { budgets, account, address }) = self.counted.take() {
            budgets.accounts.take_back(account);
            if let Some(address) = address {
                budgets.addresses.take_back(address);
            }
        }
    }
}

struct Table {
    rules: &'static BudgetRules,
    failures: BoundedTable<Failures>,
}

impl Table {
    fn new(rules: &'static BudgetRules) -> Self {
        Self { rules, failures: BoundedTable::default() }
    }

    /// Counts an attempt; fails with the time it still has to wait, in ms. Of the failures that still count, the fewest
    /// weigh least, then the oldest.
    fn begin(&self, key: u64, now: SteadyMillis) -> Result<(), u64> {
        let weight = |failures: &Failures| {
            let remembered = failures.remembered(self.rules, now);
            (remembered > 0).then(|| (remembered, failures.last()))
        };
        self.failures.change(key, weight, |failures| {
            if let Some(wait) = failures.wait(self.rules, now) {
                return Err(wait);
            }
            *failures = failures.with_attempt(self.rules, now);
            Ok(())
        })
    }

    fn take_back(&self, key: u64) {
        // What has been forgotten meanwhile stays forgotten.
        self.failures.change(key, |_| None::<()>, |failures| *failures = failures.without_attempt());
    }

    fn forget(&self, key: u64) {
        self.failures.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::bounded_table::CAPACITY;

    #[test]
    fn a_flood_of_names_neither_grows_the_table_nor_frees_the_account_under_attack() {
        let table = Table::new(&ACCOUNT);
        let now = SteadyMillis(1_000);
        let victim = 0;
        for _ in 0..6 {
            table.begin(victim, now).unwrap();
        }
        assert!(table.begin(victim, now).is_err());
        for name in 1..=200_000 {
            table.begin(name, now.plus(name / 1_000)).unwrap();
        }
        assert!(table.failures.len() <= CAPACITY, "{}", table.failures.len());
        assert!(table.begin(victim, now.plus(200)).is_err());
    }
}
