//! [`Setting`]: the description of one setting.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name in `config.yaml` and in `coreConfig`.
    pub key: &'static str,
    /// A second name for the setting.
    pub alias: Option<&'static str>,
    /// Its environment variable; `None` for the few that have none.
    pub env: Option<&'static str>,
    /// The type of its value.
    pub kind: Kind,
    /// The value if it is not set.
    pub default: Default,
    /// The level at which it may differ.
    pub level: Level,
    /// Whether it is protected from callers that use an ordinary key while `supertokens_saas_secret` is set.
    pub protected: bool,
    /// Whether it is left out of the dashboard's listing.
    pub hidden: bool,
    /// Whether its value must not be shown: it is masked in every listing.
    pub secret: bool,
    /// The values it may have, compared without regard to case; empty if it is not an enumeration.
    pub one_of: &'static [&'static str],
    /// The whole numbers it may have. Settings of the protocol have no range here: their rules have their own order and
    /// wording (`config/validate.rs`).
    pub range: Range,
    /// The unit of its value; empty if it has none.
    pub unit: &'static str,
    /// Its description.
    pub about: &'static str,
    /// How sessiond treats it.
    pub status: Status,
}

/// The type of a setting's value; the names are those in the protocol's sentences.
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
    /// JSON as text; in a file it may also be YAML, and in a `coreConfig` it may stand as it is.
    Json,
    /// A file or a folder; need not be Unicode.
    Path,
    /// `true` or `false`.
    Bool,
}

/// The range of whole numbers that a setting may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The smallest, if limited.
    pub min: Option<i64>,
    /// The largest, if limited.
    pub max: Option<i64>,
}

impl Range {
    /// Any number of the setting's type.
    const ANY: Self = Self { min: None, max: None };

    /// Checks a setting's value against the range.
    ///
    /// # Errors
    /// A sentence that names the setting and the range.
    pub fn check(self, key: &str, value: i64) -> Result<(), String> {
        if self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max) {
            return Ok(());
        }
        match self {
            Self { min: Some(min), max: Some(max) } => {
                Err(format!("'{key}' must be between {min} and {max} inclusive."))
            }
            Self { min: Some(min), max: None } => Err(format!("'{key}' must be >= {min}")),
            Self { max, .. } => Err(format!("'{key}' must be <= {}", max.unwrap_or_default())),
        }
    }
}

impl Kind {
    /// The type's name in `'<key>' must be of type <name>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Long => "long",
            Self::Double => "double",
            Self::Text | Self::Path => "String",
            Self::Json => "JSON",
            Self::Bool => "boolean",
        }
    }
}

/// The value of a setting that is not set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Default {
    /// No value.
    Null,
    /// This integer.
    Int(i64),
    /// This number.
    Double(f64),
    /// This text or path.
    Text(&'static str),
    /// This boolean.
    Bool(bool),
    /// The number of the machine's cores.
    Cores,
}

/// The level at which a setting may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The same for the whole server.
    Core,
    /// May differ per app; the same in all tenants of an app.
    App,
    /// May differ per tenant.
    Tenant,
}

/// How sessiond treats a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It has the effect in its description.
    Used,
    /// Read and checked, so that existing files work; has no effect until the recipe that uses it exists.
    Later,
    /// Read and checked; has no effect in sessiond, for this reason.
    Without(&'static str),
}

/// A setting with the usual attributes: core level, shown, used.
pub(super) const fn setting(
    key: &'static str,
    env: &'static str,
    kind: Kind,
    default: Default,
    about: &'static str,
) -> Setting {
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
        range: Range::ANY,
        unit: "",
        about,
        status: Status::Used,
    }
}

impl Setting {
    pub(super) const fn per_app(self) -> Self {
        Self { level: Level::App, ..self }
    }

    pub(super) const fn per_tenant(self) -> Self {
        Self { level: Level::Tenant, ..self }
    }

    pub(super) const fn protected(self) -> Self {
        Self { protected: true, ..self }
    }

    pub(super) const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }

    pub(super) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    pub(super) const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    pub(super) const fn one_of(self, values: &'static [&'static str]) -> Self {
        Self { one_of: values, ..self }
    }

    pub(super) const fn at_least(self, min: i64) -> Self {
        Self { range: Range { min: Some(min), ..self.range }, ..self }
    }

    pub(super) const fn at_most(self, max: i64) -> Self {
        Self { range: Range { max: Some(max), ..self.range }, ..self }
    }

    pub(super) const fn alias(self, alias: &'static str) -> Self {
        Self { alias: Some(alias), ..self }
    }

    pub(super) const fn without_env(self) -> Self {
        Self { env: None, ..self }
    }

    pub(super) const fn later(self) -> Self {
        Self { status: Status::Later, ..self }
    }

    pub(super) const fn without(self, reason: &'static str) -> Self {
        Self { status: Status::Without(reason), ..self }
    }
}
