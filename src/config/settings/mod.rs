//! The settings: one table with every key, its environment name, type, default, level and description.
//!
//! Loading, `coreConfig` of apps and tenants, `sessiond config` and `docs/configuration.md` all read this table.

mod core;
mod front;
mod front_accounts;
mod hooks;
mod mail;
mod own;
mod recipes;
mod setting;
mod sms;
mod third_party;

pub use setting::{Default, Kind, Level, Range, Setting, Status};

use std::collections::HashMap;
use std::sync::LazyLock;

/// A part of the table, as shown in the reference.
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// Its settings, in the order in which they are checked and shown.
    pub settings: &'static [Setting],
}

/// The whole table.
pub const SECTIONS: &[Section] = &[
    Section { title: "Server", settings: core::SERVER },
    Section { title: "Access to the API", settings: core::ACCESS },
    Section { title: "Sessions and tokens", settings: core::SESSIONS },
    Section { title: "Storage and limits", settings: own::STORAGE_AND_LIMITS },
    Section { title: "Logs and telemetry", settings: core::LOGS },
    Section { title: "Sign-in recipes", settings: recipes::SIGN_IN },
    Section { title: "Third-party providers", settings: third_party::THIRD_PARTY },
    Section { title: "Protection of passwords", settings: own::PASSWORDS },
    Section { title: "Front door", settings: front::FRONT },
    Section { title: "Front door: limits", settings: front::FRONT_LIMITS },
    Section { title: "Front door: sessions", settings: front::FRONT_SESSIONS },
    Section { title: "Front door: recipes", settings: front::FRONT_RECIPES },
    Section { title: "Front door: accounts", settings: front_accounts::FRONT_ACCOUNTS },
    Section { title: "Mail", settings: mail::MAIL },
    Section { title: "Text messages", settings: sms::SMS },
    Section { title: "Hooks", settings: hooks::HOOKS },
    Section { title: "OAuth, SAML and bulk import", settings: recipes::FEDERATION },
];

/// Every setting; a setting's position here is its index in [`Values`](super::values::Values).
pub static ALL: LazyLock<Vec<&'static Setting>> =
    LazyLock::new(|| SECTIONS.iter().flat_map(|section| section.settings).collect());

static PLACES: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let keys = ALL.iter().enumerate();
    keys.flat_map(|(place, setting)| std::iter::once(setting.key).chain(setting.alias).map(move |key| (key, place)))
        .collect()
});

/// The position of a key (or an alias) in [`ALL`].
#[must_use]
pub fn place(key: &str) -> Option<usize> {
    PLACES.get(key).copied()
}

/// The setting with this key or alias.
#[must_use]
pub fn find(key: &str) -> Option<&'static Setting> {
    place(key).and_then(|place| ALL.get(place).copied())
}

/// The known name most similar to `unknown`, if it is close enough to be a typing error.
#[must_use]
pub fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(likeness, _)| *likeness > 0.86)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Keys of database plugins. sessiond keeps everything in its own store and does not use them.
#[must_use]
pub fn is_database_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key == "migration_mode" || ["postgresql_", "mysql_", "mongodb_"].iter().any(|prefix| key.starts_with(prefix))
}
