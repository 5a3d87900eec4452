//! [`BaseConfig`]: the settings of the whole server, and how apps and tenants derive theirs.

use crate::config::app::AppConfig;
use crate::config::flaws::Flaws;
use crate::config::front::FrontListener;
use crate::config::problem::Problem;
use crate::config::raw::{Raw, read};
use crate::config::settings::{self, Setting};
use crate::config::trust::{self, AllowedOrigins, HostPattern, TrustedProxies};
use crate::config::url_path::base_path;
use crate::config::validate::validate;
use crate::config::values::{Value, Values};
use crate::domain::secret::Secret;
use crate::domain::text;
use serde_json::{Map, Value as Json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The settings of the whole server.
#[derive(Debug, Clone)]
pub struct BaseConfig {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes any free one.
    pub port: u16,
    /// The listener of the front door.
    pub front: FrontListener,
    /// Prefix of every path: empty, or with a leading and without a trailing slash.
    pub base_path: String,
    /// Proxies that may report the address of their caller.
    pub trusted_proxies: TrustedProxies,
    /// Hosts under which apps without API keys are served, besides those that no outsider can own.
    pub allowed_hosts: Vec<HostPattern>,
    /// Pages that may call apps without API keys.
    pub allowed_origins: AllowedOrigins,
    /// Folder of the store.
    pub data_dir: PathBuf,
    /// Whether to keep everything in memory only.
    pub ephemeral: bool,
    /// Memory for cached records, in bytes.
    pub cache_bytes: u64,
    /// Limits on what a client may use.
    pub limits: Limits,
    /// How many passwords are hashed at once.
    pub hashing: HashingLimits,
    /// The settings of log lines.
    pub log: LogConfig,
    /// Folder of the templates that replace ours.
    pub templates_dir: Option<PathBuf>,
    /// The key of a hosted service's provider.
    pub saas_secret: Option<Secret<String>>,
    /// The only connection URI domain to serve.
    pub saas_load_only_cud: Option<String>,
    /// The key that seals private keys at rest, from `SESSIOND_MASTER_KEY` or the file named by
    /// `SESSIOND_MASTER_KEY_FILE`.
    pub master_key: Option<Secret<String>>,
    /// Whether rules are relaxed for test suites.
    pub test_mode: bool,
    /// The file that was read.
    pub config_path: Option<PathBuf>,
    /// The base app's settings.
    pub app: Arc<AppConfig>,
    values: Values,
    origins: Vec<Origin>,
}

/// Limits on what a client may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest request body in bytes.
    pub body_bytes: usize,
    /// Time for the request head.
    pub header_timeout: Duration,
    /// Time for the request body.
    pub body_timeout: Duration,
    /// Time without progress while a reply is sent.
    pub reply_timeout: Duration,
    /// Time between two requests of a connection.
    pub keep_alive_timeout: Duration,
    /// Maximum number of connections served at once.
    pub connections: usize,
    /// How long a stop waits for requests in progress.
    pub shutdown_timeout: Duration,
}

/// Limits on concurrent password hashing; bcrypt hashes as many at once as there are cores.
#[derive(Debug, Clone, Copy)]
pub struct HashingLimits {
    /// Maximum number of argon2 hashes at once.
    pub argon2: usize,
    /// Maximum number of Firebase hashes at once.
    pub firebase: usize,
    /// Maximum number of waiting sign-ins, per family of hashes.
    pub queue: usize,
}

/// Log lines: which to write, in which layout, and where.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// The least severe level to write.
    pub level: LogLevel,
    /// Layout of lines.
    pub format: LogFormat,
    /// File for DEBUG and INFO lines; none for standard output (in the background: `logs/info.log` in the data folder).
    pub info_path: Option<PathBuf>,
    /// File for WARN and ERROR lines; none for standard error (in the background: `logs/error.log` in the data folder).
    pub error_path: Option<PathBuf>,
}

/// The values of `log_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// Normal events and worse.
    Info,
    /// Warnings and worse.
    Warn,
    /// Failures.
    Error,
    /// Nothing.
    None,
}

/// The values of `log_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Plain text, for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The source of an effective value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The built-in default.
    Default,
    /// A line of `config.yaml`.
    File {
        /// The line number, counted from 1.
        line: usize,
    },
    /// An environment variable.
    Env(&'static str),
    /// The command line.
    Flag,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { line } => write!(f, "config file, line {line}"),
            Self::Env(name) => write!(f, "environment, {name}"),
            Self::Flag => f.write_str("command line"),
        }
    }
}

/// A setting as shown by `sessiond config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveSetting {
    /// Its key.
    pub key: &'static str,
    /// Its value; secrets are masked.
    pub value: String,
    /// The source of the value.
    pub origin: Origin,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read, or is not text.
    #[error("cannot read {file} {}: {why}", text::escape(&.path.to_string_lossy()))]
    Unreadable {
        /// What the file is for, such as "the config file".
        file: String,
        /// The path of the file.
        path: PathBuf,
        /// The OS error, or what is wrong with the content.
        why: String,
    },
    /// A value breaks a rule; the protocol's sentence.
    #[error("{0}")]
    Invalid(String),
    /// The configuration has problems, at least one.
    #[error("{}", summary(.0))]
    Refused(Vec<Problem>),
}

/// The first problem, in the protocol's words, and how many others there are.
fn summary(problems: &[Problem]) -> String {
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    match problems.len() {
        0 | 1 => first,
        count => format!("{first} (and {} more: \"sessiond config check\" lists them)", count - 1),
    }
}

impl BaseConfig {
    /// The typed form of loaded values that [`validate`] has accepted.
    ///
    /// # Errors
    /// The sentence of the first rule that fails.
    pub(super) fn new(values: Values, origins: Vec<Origin>, test_mode: bool) -> Result<Self, String> {
        let saas_load_only_cud = values.text("supertokens_saas_load_only_cud");
        let trusted_proxies = TrustedProxies::read(&values, &mut Flaws::default());
        Ok(Self {
            host: values.text("host").unwrap_or("localhost").to_owned(),
            port: u16::try_from(values.int("port")).unwrap_or_default(),
            front: FrontListener::read(&values)?,
            base_path: base_path(values.text("base_path").unwrap_or_default())?,
            trusted_proxies: trusted_proxies.ok_or("'trusted_proxies' cannot be read")?,
            allowed_hosts: trust::allowed_hosts(&values)?,
            allowed_origins: AllowedOrigins::read(&values)?,
            data_dir: values.path("data_dir").unwrap_or(Path::new("data")).into(),
            ephemeral: values.flag("ephemeral"),
            cache_bytes: values.unsigned("cache_size_mb") << 20,
            limits: limits(&values),
            hashing: hashing(&values),
            log: log(&values),
            templates_dir: values.given_path("front_templates_dir").map(PathBuf::from),
            saas_secret: values.text("supertokens_saas_secret").map(|secret| Secret::new(secret.to_owned())),
            saas_load_only_cud: saas_load_only_cud
                .and_then(|cud| crate::domain::tenancy::connection_uri_domain(cud).ok()),
            master_key: None,
            test_mode,
            config_path: None,
            app: Arc::new(AppConfig::from_values(&values, None)),
            values,
            origins,
        })
    }

    /// True if some callers of the base app need no key: it has none.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.app.api_keys.is_empty() && self.saas_secret.is_none()
    }

    /// True if the front door has no address of its own, and so serves this machine only.
    #[must_use]
    pub fn is_front_local(&self) -> bool {
        self.app.front.as_ref().is_none_or(|front| front.api.origin.is_none())
    }

    /// Every setting with its effective value and the source of that value.
    #[must_use]
    pub fn effective_settings(&self) -> Vec<EffectiveSetting> {
        let rows = settings::ALL.iter().enumerate().zip(&self.origins);
        rows.map(|((place, setting), origin)| EffectiveSetting {
            key: setting.key,
            value: self.values.at(place).shown(setting),
            origin: origin.clone(),
        })
        .collect()
    }

    /// The server's values.
    pub(crate) const fn values(&self) -> &Values {
        &self.values
    }

    /// Applies a `coreConfig` to values. `null` means the built-in value.
    ///
    /// # Errors
    /// `Invalid config key: <k>` or the type rule's sentence.
    pub(crate) fn overlay(&self, values: &mut Values, core_config: &Map<String, Json>) -> Result<(), String> {
        for (key, json) in core_config {
            let (place, setting) = core_config_key(key)?;
            let raw = Raw::from_json(json);
            let value = if raw.is_null() {
                Value::default_of(setting)
            } else {
                read(setting, &raw).map_err(|error| error.for_caller())?
            };
            values.set(place, value);
        }
        Ok(())
    }

    /// Checks every rule for values of an app or a tenant.
    ///
    /// # Errors
    /// The sentence of the first rule that fails.
    pub(crate) fn check(&self, values: &Values) -> Result<(), String> {
        validate(values, self.test_mode).first()
    }
}

/// Looks up a key of a `coreConfig`.
///
/// # Errors
/// `Invalid config key: <k>`.
fn core_config_key(key: &str) -> Result<(usize, &'static Setting), String> {
    let known = settings::place(key).and_then(|place| Some((place, *settings::ALL.get(place)?)));
    known.ok_or_else(|| format!("Invalid config key: {key}"))
}

fn limits(values: &Values) -> Limits {
    let duration = |key| Duration::from_millis(values.unsigned(key));
    let size = |key| usize::try_from(values.unsigned(key)).unwrap_or(usize::MAX);
    Limits {
        body_bytes: size("max_request_body_kb").saturating_mul(1024),
        header_timeout: duration("request_header_timeout_ms"),
        body_timeout: duration("request_body_timeout_ms"),
        reply_timeout: duration("reply_timeout_ms"),
        keep_alive_timeout: duration("keep_alive_timeout_ms"),
        connections: size("max_connections"),
        shutdown_timeout: duration("shutdown_timeout_ms"),
    }
}

fn hashing(values: &Values) -> HashingLimits {
    let size = |key| usize::try_from(values.unsigned(key)).unwrap_or(usize::MAX);
    HashingLimits {
        argon2: size("argon2_hashing_pool_size").max(1),
        firebase: size("firebase_password_hashing_pool_size").max(1),
        queue: size("password_hashing_queue_size"),
    }
}

fn log(values: &Values) -> LogConfig {
    let path = |key| values.given_path(key).map(PathBuf::from);
    LogConfig {
        level: match values.text("log_level").unwrap_or("INFO").to_ascii_uppercase().as_str() {
            "DEBUG" => LogLevel::Debug,
            "WARN" => LogLevel::Warn,
            "ERROR" => LogLevel::Error,
            "NONE" => LogLevel::None,
            _ => LogLevel::Info,
        },
        format: match values.text("log_format") {
            Some(format) if format.eq_ignore_ascii_case("json") => LogFormat::Json,
            _ => LogFormat::Text,
        },
        info_path: path("info_log_path"),
        error_path: path("error_log_path"),
    }
}
