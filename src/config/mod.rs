//! Settings: their definitions, their sources, and the rules they must satisfy.
//!
//! Precedence: built-in defaults, `config.yaml`, environment, command line; an app's or tenant's `coreConfig` overrides
//! single keys. Units differ by key as in the protocol (s, ms, minutes, hours); the typed structs here use milliseconds
//! only.

mod app;
mod base;
mod environment;
mod file;
mod flaws;
pub mod front;
mod hooks;
mod ip_rule;
pub mod load;
mod loading;
mod locate;
mod mail;
mod node;
mod problem;
pub mod raw;
pub mod reference;
mod secrets;
mod service_link;
pub mod settings;
mod sms;
mod sources;
mod third_party;
mod trust;
mod url_path;
pub mod validate;
pub mod values;
mod variable;
mod webhook;
mod yaml;

pub use crate::domain::key::SigningAlgorithm;
pub use app::{AppConfig, RecentTokenReuse};
pub use base::{
    BaseConfig, ConfigError, EffectiveSetting, HashingLimits, Limits, LogConfig, LogFormat, LogLevel, Origin,
};
pub use front::{AcmeConfig, CertificatePaths, FrontListener, FrontOpening, TlsSource};
pub use hooks::HooksConfig;
pub use load::{Examination, Loaded, data_dir, examine, load};
pub use mail::MailConfig;
pub use node::Position;
pub use problem::{Place, Problem, Source};
pub use secrets::{ARCHIVE_KEY, NEW_MASTER_KEY, secret_file, secret_variable};
pub use sms::SmsConfig;
pub use sources::{ConfigFile, Sources};
pub use third_party::ThirdPartyConfig;
pub use trust::{AllowedOrigins, HostPattern, TrustedProxies};
pub use validate::may_bind;
