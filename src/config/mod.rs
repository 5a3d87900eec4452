//! Settings: what they are, where they come from, what they must satisfy.
//!
//! Precedence: built-in defaults, `config.yaml`, environment, command line; an app's or tenant's `coreConfig`
//! overrides per key. Units differ by key as the protocol has them (s, ms, minutes, hours); the typed structs here hold
//! milliseconds only.

mod app;
mod base;
pub mod load;
pub mod reference;
pub mod settings;
mod trust;
pub mod validate;
pub mod values;
mod yaml;

pub use crate::domain::key::SigningAlgorithm;
pub use app::{AppConfig, RecentTokenReuse};
pub use base::{
    BaseConfig, ConfigError, EffectiveSetting, HashingLimits, Limits, LogConfig, LogFormat, LogLevel, Origin,
};
pub use load::{ARCHIVE_KEY, ConfigFile, Loaded, NEW_MASTER_KEY, Sources, load, unquoted};
pub use trust::{AllowedOrigins, HostPattern, TrustedProxies};
pub use validate::may_bind;
