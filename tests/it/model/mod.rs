//! The refresh family: the protocol's tables row by row, and property tests against a naive model.
//!
//! # What an honest client may do
//!
//! One user agent with 1 to 50 tabs over one token store (the *jar*), as the official frontend SDKs keep it. Its
//! replies may be lost, duplicated or reordered, and the server may be killed between commit and reply; the clock may
//! be at any boundary. The client stays signed in as long as it keeps to these rules:
//!
//! 1. The jar takes refresh token and access token of one reply together, and no reply twice. An access token that a
//!    verify returns replaces only the one that its request carried.
//! 2. `PromoteOnUse` (CDI ≤ 5.5): any number of tabs may refresh with the same token at once, and a lost reply may be
//!    requested again at any time. While such a request is in progress no child of that token is used, and while a
//!    reply is in progress no child is refreshed. If a reply overwrites the jar after another child was used, the new
//!    pair is used within the grace period that the first use started, or dropped; a pair that was overwritten without
//!    having been used is never used.
//!    At the front door (`PromoteWithGrace`) such a request may also arrive after a child was used, within that grace
//!    period; and a pair that has overwritten the jar may also be refreshed there first, however late.
//! 3. `RotateOnRefresh` (CDI ≥ 5.6): one refresh at a time (the SDKs lock across tabs). A lost reply is requested again
//!    with the same token within the grace period that the first exchange started; of duplicated requests the reply to
//!    the last one handled counts. Requests carry access tokens of the current or the previous refresh.
//! 4. The machine changes (backends of different versions) only between such rounds, once the jar's pair is settled: it
//!    has been used, or no sibling of it has.
//!
//! Everything else is a replay. These claims are checked after every step against the server's replies:
//!
//! * **No false logout**: within the rules, no refresh and no verify is refused ([`honest`]).
//! * **Every stale replay is caught**: a token outside the family's lineage is refused and reported; two parties
//!   cannot both continue to refresh ([`thief`]).
//! * **Never two live lineages**: of all tokens ever issued only the current one and its children are valid, within
//!   the grace period those that the rules name, and at the front door siblings that nobody has used ([`world`]).
//! * **Grace is never extended**: nothing is granted because of grace later than one grace period after the
//!   replacement ([`world`]).
//!
//! [`naive`] is the model: it keeps the whole history and knows nothing of hashes, generations or bounds. The
//! properties run on the pure rules ([`machine`]) and on the real commands over the memory engine ([`commands`]).
//! [`mutants`] breaks the rules on purpose and shows that each claim detects it.

mod commands;
mod grace;
mod honest;
mod machine;
mod mutants;
mod naive;
mod people;
mod tables;
mod thief;
mod v2;
mod world;

use proptest::prelude::ProptestConfig;

/// This many cases of a property, or `SESSIOND_MODEL_SCALE` times as many for a long run.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let scale = std::env::var("SESSIOND_MODEL_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    ProptestConfig { cases: usual * scale, failure_persistence: None, ..ProptestConfig::default() }
}

/// A tape of choices: proptest shrinks it, the tests read it.
#[derive(Debug, Clone)]
struct Tape {
    choices: Vec<u16>,
    at: usize,
}

impl Tape {
    fn new(choices: Vec<u16>) -> Self {
        Self { choices, at: 0 }
    }

    /// One of `n` choices; the first one when the tape is over.
    fn next(&mut self, n: usize) -> usize {
        let choice = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(choice) % n
    }

    /// True once in `n` times; never when the tape is over.
    fn once_in(&mut self, n: usize) -> bool {
        self.next(n) == n - 1
    }

    fn is_over(&self) -> bool {
        self.at >= self.choices.len()
    }
}
