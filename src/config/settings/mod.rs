//! The settings: one table with every key, its environment name, type, default, level and meaning.
//!
//! Loading, `coreConfig` of apps and tenants, `sessiond config` and `docs/configuration.md` all read this table.

mod core;
mod own;
mod recipes;

use std::collections::HashMap;
use std::sync::LazyLock;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name in `config.yaml` and in `coreConfig`.
    pub key: &'static str,
    /// A second name that means the same.
    pub alias: Option<&'static str>,
    /// Its environment variable; none for the few that have no such name.
    pub env: Option<&'static str>,
    /// Type of its value.
    pub kind: Kind,
    /// Value when nobody sets it.
    pub default: Default,
    /// Where it may differ.
    pub level: Level,
    /// Protected from callers that use an ordinary key while `supertokens_saas_secret` is set.
    pub protected: bool,
    /// Left out of the dashboard's listing.
    pub hidden: bool,
    /// Must not be shown: masked in every listing.
    pub secret: bool,
    /// Values it may have, compared without regard to case; empty when it is no enumeration.
    pub one_of: &'static [&'static str],
    /// Unit of its value; empty when it has none.
    pub unit: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What sessiond does with it.
    pub status: Status,
}

/// Type of a setting's value; the names are those of the protocol's sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 32-bit integer.
    Int,
    /// 64-bit integer.
    Long,
    /// Number with a fraction.
    Double,
    /// Text.
    Text,
    /// `true` or `false`.
    Bool,
}

impl Kind {
    /// The type's name in `'<key>' must be of type <name>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Long => "long",
            Self::Double => "double",
            Self::Text => "String",
            Self::Bool => "boolean",
        }
    }
}

/// Value of a setting that nobody set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Default {
    /// No value.
    Null,
    /// This integer.
    Int(i64),
    /// This number.
    Double(f64),
    /// This text.
    Text(&'static str),
    /// This truth value.
    Bool(bool),
    /// As many as the machine has cores.
    Cores,
}

/// Where a setting may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Set for the whole server only.
    Core,
    /// May differ per app, is equal in all tenants of an app.
    App,
    /// May differ per tenant.
    Tenant,
}

/// What sessiond does with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It has the effect that is described.
    Used,
    /// Read and checked, so that existing files work; without effect until the recipe that uses it exists.
    Later,
    /// Read and checked; sessiond has nothing that it could act on.
    Without(&'static str),
}

/// A setting with the defaults of the table: core level, shown, used.
const fn setting(key: &'static str, env: &'static str, kind: Kind, default: Default, about: &'static str) -> Setting {
    Setting {
        key,
        alias: None,
        env: Some(env),
        kind,
        default,
        level: Level::Core,
        protected: false,
        hidden: false,
        secret: false,
        one_of: &[],
        unit: "",
        about,
        status: Status::Used,
    }
}

impl Setting {
    const fn per_app(self) -> Self {
        Self { level: Level::App, ..self }
    }

    const fn per_tenant(self) -> Self {
        Self { level: Level::Tenant, ..self }
    }

    const fn protected(self) -> Self {
        Self { protected: true, ..self }
    }

    const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }

    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    const fn one_of(self, values: &'static [&'static str]) -> Self {
        Self { one_of: values, ..self }
    }

    const fn alias(self, alias: &'static str) -> Self {
        Self { alias: Some(alias), ..self }
    }

    const fn without_env(self) -> Self {
        Self { env: None, ..self }
    }

    const fn later(self) -> Self {
        Self { status: Status::Later, ..self }
    }

    const fn without(self, reason: &'static str) -> Self {
        Self { status: Status::Without(reason), ..self }
    }
}

/// A part of the table, as the reference shows it.
pub struct Section {
    /// Heading.
    pub title: &'static str,
    /// Its settings, in the order in which they are checked and shown.
    pub settings: &'static [Setting],
}

/// The whole table.
pub const SECTIONS: [Section; 8] = [
    Section { title: "Server", settings: core::SERVER },
    Section { title: "Access to the API", settings: core::ACCESS },
    Section { title: "Sessions and tokens", settings: core::SESSIONS },
    Section { title: "Storage and limits", settings: own::STORAGE_AND_LIMITS },
    Section { title: "Logs and telemetry", settings: core::LOGS },
    Section { title: "Sign-in recipes", settings: recipes::SIGN_IN },
    Section { title: "Protection of passwords", settings: own::PASSWORDS },
    Section { title: "OAuth, SAML and bulk import", settings: recipes::FEDERATION },
];

/// Every setting; a setting's place in it is its index in [`Values`](super::values::Values).
pub static ALL: LazyLock<Vec<&'static Setting>> =
    LazyLock::new(|| SECTIONS.iter().flat_map(|section| section.settings).collect());

static PLACES: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let keys = ALL.iter().enumerate();
    keys.flat_map(|(place, setting)| std::iter::once(setting.key).chain(setting.alias).map(move |key| (key, place)))
        .collect()
});

/// Where a key (or an alias) stands in [`ALL`].
#[must_use]
pub fn place(key: &str) -> Option<usize> {
    PLACES.get(key).copied()
}

/// The setting with this key or alias.
#[must_use]
pub fn find(key: &str) -> Option<&'static Setting> {
    place(key).and_then(|place| ALL.get(place).copied())
}

/// The known name that looks most like `unknown`, if one is close enough to be a typing error.
#[must_use]
pub fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(likeness, _)| *likeness > 0.86)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Keys of database plugins. sessiond keeps everything in its own store, so they say nothing to it.
#[must_use]
pub fn is_database_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key == "migration_mode" || ["postgresql_", "mysql_", "mongodb_"].iter().any(|prefix| key.starts_with(prefix))
}
