//! [`RecentSignIns`]: browsers that signed in a moment ago, and whether such browsers show tokens at all.
//!
//! A page asks for a refresh without a token for two reasons: nobody is signed in, which frontend SDKs find out in this
//! way, or somebody is, and the tokens get lost. Only a sign-in just before tells the two apart, and behind one address
//! it may have been somebody else's. So browsers of which tokens have come are not suspected at all. Strangers' requests
//! come in here, so it is bounded.

use crate::domain::ids::UserId;
use crate::domain::time::UnixMillis;
use crate::state::directory::AppEntry;
use quick_cache::sync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

/// A page asks for something within this time, in ms, after somebody has signed in.
const AT_ONCE_MS: u64 = 10_000;
/// Nobody signs in twice within this time, in ms, who sees that it worked.
const AGAIN_MS: u64 = 60_000;
/// How long browsers that have shown a token are not suspected, in ms: usual access tokens live an hour.
const SHOWN_MS: u64 = 2 * 3_600_000;
/// The most browsers that are remembered.
const REMEMBERED: usize = 8_192;

/// A browser, as far as requests tell it from others.
#[derive(Debug, Clone, Copy)]
pub struct Browser<'a> {
    /// The app that it uses.
    pub app: &'a AppEntry,
    /// Its address.
    pub address: IpAddr,
    /// Its `User-Agent`.
    pub user_agent: &'a [u8],
}

/// Where a page keeps the tokens of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// The browser, in cookies.
    Cookies,
    /// The page, which sends them in a header.
    Page,
}

/// What is known of a browser.
#[derive(Clone, Copy)]
enum Known {
    /// It has shown a token.
    Token { at: UnixMillis },
    /// It has signed in, and has shown none.
    SignIn { user: u64, keeper: Keeper, at: UnixMillis },
}

/// The browsers that signed in a moment ago, and those that show tokens.
pub struct RecentSignIns {
    browsers: Cache<u64, Known>,
    hasher: RandomState,
}

impl Default for RecentSignIns {
    fn default() -> Self {
        Self { browsers: Cache::new(REMEMBERED), hasher: RandomState::new() }
    }
}

impl RecentSignIns {
    /// Remembers a sign-in. True if the same user had just signed in with this browser and keeper, and it has shown no
    /// token since.
    pub fn note(&self, browser: Browser<'_>, user: &UserId, keeper: Keeper, now: UnixMillis) -> bool {
        let (place, user) = (self.place(browser), self.hasher.hash_one(user));
        let is_again = match self.browsers.get(&place) {
            Some(Known::Token { at }) if is_within(at, SHOWN_MS, now) => return false,
            Some(Known::SignIn { user: earlier, keeper: kept, at }) => {
                (earlier, kept) == (user, keeper) && is_within(at, AGAIN_MS, now)
            }
            Some(Known::Token { .. }) | None => false,
        };
        self.browsers.insert(place, Known::SignIn { user, keeper, at: now });
        is_again
    }

    /// Notes that a browser has shown a token.
    pub fn settle(&self, browser: Browser<'_>, now: UnixMillis) {
        let place = self.place(browser);
        // The usual case writes nothing.
        let is_known = |at| is_within(at, SHOWN_MS / 2, now);
        if !matches!(self.browsers.get(&place), Some(Known::Token { at }) if is_known(at)) {
            self.browsers.insert(place, Known::Token { at: now });
        }
    }

    /// Notes that a page in header mode has refreshed. True if it had just signed in, or refreshed, and has shown no
    /// access token since.
    pub fn renew(&self, browser: Browser<'_>, now: UnixMillis) -> bool {
        let place = self.place(browser);
        match self.browsers.get(&place) {
            Some(Known::SignIn { user, keeper: Keeper::Page, at }) if is_within(at, AT_ONCE_MS, now) => {
                self.browsers.insert(place, Known::SignIn { user, keeper: Keeper::Page, at: now });
                true
            }
            _ => {
                self.settle(browser, now);
                false
            }
        }
    }

    /// Notes that a browser came without any token, once for a sign-in: who should have kept those that it got a moment
    /// ago.
    pub fn miss(&self, browser: Browser<'_>, now: UnixMillis) -> Option<Keeper> {
        let place = self.place(browser);
        let Some(Known::SignIn { keeper, at, .. }) = self.browsers.get(&place) else { return None };
        self.browsers.remove(&place);
        is_within(at, AT_ONCE_MS, now).then_some(keeper)
    }

    /// The serial tells an app from an earlier one of the same name.
    fn place(&self, Browser { app, address, user_agent }: Browser<'_>) -> u64 {
        self.hasher.hash_one((app.serial, address, user_agent))
    }
}

const fn is_within(at: UnixMillis, ms: u64, now: UnixMillis) -> bool {
    now.0.saturating_sub(at.0) < ms
}
