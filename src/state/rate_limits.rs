//! [`RateLimits`]: what has been used of the front door's limits, in memory.
//!
//! Everything is bounded. What is dropped first is what would be forgotten first anyway, and addresses, accounts and
//! apps are kept apart: whoever wants an account's count to be dropped must use more of as many other accounts as fit
//! in, while their own addresses are counted, too. A restart forgets everything, which gives an attacker one more burst.

use crate::domain::limits::{ActionLimits, LimitedAction, LimitedBy, mailbox};
use crate::domain::network::network;
use crate::domain::rate::{Rate, Used};
use crate::domain::time::SteadyMillis;
use crate::state::bounded_table::BoundedTable;
use crate::state::directory::AppEntry;
use quick_cache::sync::Cache;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;

/// Maximum number of accounts with an address that has signed in to them.
const FAMILIAR: usize = 65_536;
/// What a success gives back, in tenths of one use.
const OF_A_SUCCESS: u64 = 9;
/// A whole use, in tenths.
const WHOLE: u64 = 10;
/// How many bursts of refusals an app's audit log gets in an hour.
const NOTED: Option<Rate> = Rate::new(120, 3_600_000);

/// What has been used of the limits of all apps.
pub struct RateLimits {
    tables: [(LimitedBy, BoundedTable<Entry>); LimitedBy::ALL.len()],
    /// The events about refusals that went into apps' audit logs.
    noted: BoundedTable<Entry>,
    /// Accounts, each with an address that has signed in to it.
    familiar: Cache<u64, ()>,
    hasher: RandomState,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            tables: LimitedBy::ALL.map(|by| (by, BoundedTable::default())),
            noted: BoundedTable::default(),
            familiar: Cache::new(FAMILIAR),
            hasher: RandomState::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    used: Used,
    /// Until when further refusals belong to the same burst.
    burst_until: SteadyMillis,
}

/// A request, as far as limits are concerned.
#[derive(Debug, Clone, Copy)]
pub struct LimitedRequest<'a> {
    /// The app that it is for.
    pub app: &'a AppEntry,
    /// That app's limits of what it does.
    pub limits: &'a ActionLimits,
    /// What it does.
    pub action: LimitedAction,
    /// The address of the person's device, if that is known.
    pub address: Option<IpAddr>,
    /// The account that it names, existing or not: an address or number, normalised, or a user's id.
    pub account: Option<&'a str>,
    /// The country of the phone number that it sends to.
    pub country: Option<&'a str>,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitReached {
    /// What it was counted by.
    pub by: LimitedBy,
    /// The limit.
    pub rate: Rate,
    /// When such a request will pass, in s: at least 1.
    pub retry_after_s: u64,
    /// Whether no such request was refused in the length of the limit's period.
    pub begins_burst: bool,
}

/// A count that a request adds to.
struct Count {
    by: LimitedBy,
    key: u64,
    rate: Rate,
}

impl RateLimits {
    /// Counts a request. If a limit is reached, it is counted nowhere.
    ///
    /// # Errors
    /// The first limit that is reached.
    pub fn admit(&self, request: &LimitedRequest<'_>, now: SteadyMillis) -> Result<(), LimitReached> {
        let counts = self.counts(request);
        for (place, count) in counts.iter().enumerate() {
            if let Err(reached) = self.add(count, now) {
                counts.iter().take(place).for_each(|count| self.give_back(count, WHOLE));
                return Err(reached);
            }
        }
        Ok(())
    }

    /// Notes that what was asked for with such a request succeeded: it costs its address and its account a tenth of what
    /// a failure costs, and the account is familiar with the address from now on.
    pub fn succeed(&self, request: &LimitedRequest<'_>) {
        let costs_less = |count: &&Count| !matches!(count.by, LimitedBy::Country | LimitedBy::App);
        // Before the account becomes familiar, because the request was counted as a stranger's.
        self.counts(request).iter().filter(costs_less).for_each(|count| self.give_back(count, OF_A_SUCCESS));
        self.familiarise(request);
    }

    /// Notes that the address has signed in to the account.
    pub fn familiarise(&self, request: &LimitedRequest<'_>) {
        if let Some(key) = self.place(request) {
            self.familiar.insert(key, ());
        }
    }

    /// Whether a burst of refusals may go into the app's audit log. Counts it.
    pub fn may_note(&self, app: &AppEntry, now: SteadyMillis) -> bool {
        let key = self.hasher.hash_one(app.serial);
        NOTED.is_some_and(|rate| use_one(&self.noted, key, rate, now).is_ok())
    }

    /// The number of counts that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tables.iter().map(|(_, table)| table.len()).sum()
    }

    /// True if nothing is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a request adds to. Whoever comes from a familiar address shares neither the account's limit nor, unless
    /// something is sent, the app's: strangers cannot use up what they have.
    fn counts(&self, request: &LimitedRequest<'_>) -> Vec<Count> {
        let LimitedRequest { app, limits, action, address, account, country } = *request;
        let is_familiar = self.place(request).is_some_and(|key| self.familiar.get(&key).is_some());
        let sends = matches!(action, LimitedAction::Mail | LimitedAction::Text);
        let address = address.map(network);
        let account =
            account.map(|account| if action == LimitedAction::Mail { mailbox(account) } else { (account, "") });
        let key = |by: LimitedBy| match by {
            LimitedBy::Address => Some(self.key(app, action, address?)),
            LimitedBy::AccountAtAddress => Some(self.key(app, action, (address?, account?))),
            LimitedBy::Account => account.filter(|_| !is_familiar).map(|account| self.key(app, action, account)),
            LimitedBy::Country => country.map(|country| self.key(app, action, country)),
            LimitedBy::App => (sends || !is_familiar).then(|| self.key(app, action, ())),
        };
        LimitedBy::ALL.into_iter().filter_map(|by| Some(Count { by, key: key(by)?, rate: limits.by(by)? })).collect()
    }

    /// Of an app that was removed and created again, everything is new.
    fn key(&self, app: &AppEntry, action: LimitedAction, of: impl Hash) -> u64 {
        self.hasher.hash_one((app.serial, action, of))
    }

    /// Where an account with an address is remembered.
    fn place(&self, request: &LimitedRequest<'_>) -> Option<u64> {
        Some(self.hasher.hash_one((request.app.serial, network(request.address?), mailbox(request.account?))))
    }

    fn add(&self, count: &Count, now: SteadyMillis) -> Result<(), LimitReached> {
        let Count { by, key, rate } = *count;
        let Some(table) = self.table(by) else { return Ok(()) };
        use_one(table, key, rate, now).map_err(|(wait_ms, begins_burst)| LimitReached {
            by,
            rate,
            retry_after_s: wait_ms.div_ceil(1_000).max(1),
            begins_burst,
        })
    }

    fn give_back(&self, count: &Count, tenths: u64) {
        if let Some(table) = self.table(count.by) {
            // What has been forgotten meanwhile stays forgotten.
            table.change(count.key, |_| None::<()>, |entry| entry.used = entry.used.without(count.rate, tenths));
        }
    }

    fn table(&self, by: LimitedBy) -> Option<&BoundedTable<Entry>> {
        self.tables.iter().find(|(known, _)| *known == by).map(|(_, table)| table)
    }
}

/// Adds a use, or fails with the ms to wait, and whether this begins a burst of refusals.
fn use_one(table: &BoundedTable<Entry>, key: u64, rate: Rate, now: SteadyMillis) -> Result<(), (u64, bool)> {
    let weight = |entry: &Entry| Some(entry.used.left_us(now)).filter(|left| *left > 0);
    table.change(key, weight, |entry| match entry.used.with_one(rate, now) {
        Ok(used) => {
            entry.used = used;
            Ok(())
        }
        Err(wait_ms) => {
            let begins_burst = entry.burst_until <= now;
            entry.burst_until = now.plus(rate.period_ms());
            Err((wait_ms, begins_burst))
        }
    })
}
