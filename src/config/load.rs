//! Puts the sources together: built-in defaults, `config.yaml`, environment, command line.

use crate::config::base::{BaseConfig, ConfigError, Origin};
use crate::config::settings::{self, Kind, Setting, Status};
use crate::config::validate::Context;
use crate::config::values::{Raw, Value, Values, Written, read};
use crate::config::yaml;
use crate::domain::secret::Secret;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where settings may come from. The default has none: built-in settings.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file.
    pub config_file: ConfigFile,
    /// The process's environment.
    pub env: BTreeMap<String, String>,
    /// Keys and values that the command line sets.
    pub flags: Vec<(String, String)>,
    /// Relax the rules that test suites go below.
    pub test_mode: bool,
}

/// Which file to read.
#[derive(Debug, Clone, Default)]
pub enum ConfigFile {
    /// None.
    #[default]
    None,
    /// This one, if it is there.
    IfPresent(PathBuf),
    /// This one; it must be there.
    Required(PathBuf),
}

/// What loading brings.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: BaseConfig,
    /// One-line remarks for the log: unknown keys and the like.
    pub warnings: Vec<String>,
}

/// Environment variables of ours that are no settings.
const OTHER_ENV: [&str; 4] = [MASTER_KEY, MASTER_KEY_FILE, NEW_MASTER_KEY, ARCHIVE_KEY];
const PREFIX: &str = "SESSIOND_";
const MASTER_KEY: &str = "SESSIOND_MASTER_KEY";
const MASTER_KEY_FILE: &str = "SESSIOND_MASTER_KEY_FILE";
/// What `sessiond keys reseal` seals keys under from now on.
pub const NEW_MASTER_KEY: &str = "SESSIOND_NEW_MASTER_KEY";
/// What signing keys are sealed under in an archive of an app.
pub const ARCHIVE_KEY: &str = "SESSIOND_ARCHIVE_KEY";

/// Loads, checks and types the settings.
///
/// # Errors
/// When a file cannot be read or a value breaks a rule; the first one found.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut loading = Loading::default();
    let path = loading.file(&sources.config_file)?;
    let suffix = path.as_deref().map(here).unwrap_or_default();
    loading.environment(&sources.env, &suffix)?;
    for (key, text) in &sources.flags {
        let raw = Raw { text: text.as_str().into(), written: Written::Text };
        match settings::place(key) {
            Some(place) => loading.set(place, &raw, Origin::Flag, "on the command line")?,
            None => return Err(ConfigError::Invalid(format!("Invalid config key: {key}"))),
        }
    }
    let context = Context { test_mode: sources.test_mode, suffix };
    let mut config = BaseConfig::new(loading.values, loading.origins, &context)?;
    config.master_key = master_key(&sources.env)?;
    config.config_path = path;
    if config.app.brute_force_address_header.is_some() && config.trusted_proxies.is_empty() {
        let warning = "'brute_force_address_header' has no effect: 'trusted_proxies' names nobody who may send it.";
        loading.warnings.push(warning.to_owned());
    }
    Ok(Loaded { config, warnings: loading.warnings })
}

struct Loading {
    values: Values,
    origins: Vec<Origin>,
    warnings: Vec<String>,
    database_named: bool,
}

impl Default for Loading {
    fn default() -> Self {
        let origins = vec![Origin::Default; settings::ALL.len()];
        Self { values: Values::defaults(), origins, warnings: Vec::new(), database_named: false }
    }
}

impl Loading {
    /// Reads the file. Returns its absolute path if there was one.
    fn file(&mut self, file: &ConfigFile) -> Result<Option<PathBuf>, ConfigError> {
        let (path, required) = match file {
            ConfigFile::None => return Ok(None),
            ConfigFile::IfPresent(path) => (path, false),
            ConfigFile::Required(path) => (path, true),
        };
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if !required && error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ConfigError::Unreadable { path, source }),
        };
        let entries = yaml::entries(&text).map_err(|error| ConfigError::Malformed {
            path: path.clone(),
            line: error.line,
            what: error.what,
        })?;
        let version = entries.iter().find(|entry| entry.key == "core_config_version");
        if version.is_none_or(|entry| entry.raw.written == Written::Null) {
            return Err(ConfigError::Invalid(
                "'core_config_version' is not set in the config.yaml file. Please redownload and install SuperTokens"
                    .to_owned(),
            ));
        }
        for entry in &entries {
            let Some(place) = settings::place(&entry.key) else {
                self.unknown_key(&path, &entry.key, entry.line);
                continue;
            };
            let at = format!("in line {}.{}", entry.line, here(&path));
            self.set(place, &entry.raw, Origin::File { line: entry.line }, &at)?;
        }
        if self.values.int("core_config_version") != 0 {
            return Err(ConfigError::Invalid(format!("'core_config_version' must be 0.{}", here(&path))));
        }
        Ok(Some(path))
    }

    fn unknown_key(&mut self, path: &Path, key: &str, line: usize) {
        if settings::is_database_key(key) {
            self.database(&format!("'{key}' in {}, line {line}", path.display()));
            return;
        }
        let known = settings::ALL.iter().flat_map(|setting| std::iter::once(setting.key).chain(setting.alias));
        let hint = settings::nearest(key, known).map(|near| format!(" Did you mean '{near}'?")).unwrap_or_default();
        self.warnings.push(format!("{}, line {line}: unknown key '{key}' is ignored.{hint}", path.display()));
    }

    /// Database settings are named once, however many there are.
    fn database(&mut self, what: &str) {
        if !self.database_named {
            self.database_named = true;
            self.warnings
                .push(format!("Database settings ({what}) are ignored: sessiond keeps its data in its own store."));
        }
    }

    fn environment(&mut self, env: &BTreeMap<String, String>, suffix: &str) -> Result<(), ConfigError> {
        for (place, setting) in settings::ALL.iter().enumerate() {
            let Some((name, text)) = setting.env.and_then(|name| Some((name, env.get(name)?))) else { continue };
            let text = unquoted(text);
            if text.is_empty() {
                continue;
            }
            if setting.kind == Kind::Bool && !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false") {
                self.warnings
                    .push(format!("Environment variable {name} is neither true nor false: it counts as false."));
                self.values.set(place, Value::Bool(false));
                self.remember(place, Origin::Env(name));
                continue;
            }
            let raw = Raw { text: text.into(), written: Written::Text };
            self.set(place, &raw, Origin::Env(name), &format!("in the environment variable {name}.{suffix}"))?;
        }
        self.foreign_variables(env);
        Ok(())
    }

    /// Remarks on variables that look like ours, or like a database's.
    fn foreign_variables(&mut self, env: &BTreeMap<String, String>) {
        for name in env.keys() {
            if settings::is_database_key(name) && name.to_ascii_uppercase() == *name {
                self.database(&format!("environment variable {name}"));
            }
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            let ours = || settings::ALL.iter().filter_map(|setting| setting.env).chain(OTHER_ENV);
            if ours().any(|known| known == name) {
                continue;
            }
            let same_key = settings::find(&rest.to_ascii_lowercase()).and_then(|setting| setting.env);
            let near = || settings::nearest(rest, ours().filter_map(|name| name.strip_prefix(PREFIX)));
            let near = same_key.map(str::to_owned).or_else(|| near().map(|near| format!("{PREFIX}{near}")));
            let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
            self.warnings.push(format!("Unknown environment variable {name} is ignored.{hint}"));
        }
    }

    /// Sets one value; `at` completes the sentence about a wrong type.
    fn set(&mut self, place: usize, raw: &Raw<'_>, origin: Origin, at: &str) -> Result<(), ConfigError> {
        let Some(setting) = settings::ALL.get(place) else { return Ok(()) };
        let value = read(setting, raw).map_err(|sentence| ConfigError::Invalid(format!("{sentence}, {at}")))?;
        self.without_effect(setting, &value, &origin);
        self.values.set(place, value);
        self.remember(place, origin);
        Ok(())
    }

    fn without_effect(&mut self, setting: &Setting, value: &Value, origin: &Origin) {
        let Status::Without(reason) = setting.status else { return };
        if *value != Value::default_of(setting) && setting.key != "disable_telemetry" {
            self.warnings.push(format!("'{}' ({origin}) has no effect: {reason}.", setting.key));
        }
    }

    fn remember(&mut self, place: usize, origin: Origin) {
        if let Some(slot) = self.origins.get_mut(place) {
            *slot = origin;
        }
    }
}

fn here(path: &Path) -> String {
    format!(" The config file can be found here: {}", path.display())
}

/// An environment variable's value: without surrounding double quotes, and then with its escapes resolved, as Docker's
/// env files need it.
#[must_use]
pub fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return text.to_owned() };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            plain.push(char);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some(quoted @ ('"' | '\'' | '\\')) => plain.push(quoted),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

/// The master key, from the environment or the file that it names.
fn master_key(env: &BTreeMap<String, String>) -> Result<Option<Secret<String>>, ConfigError> {
    // Whether quotes reach us depends on who reads an env file: the same line must mean the same key.
    let given = |name| env.get(name).map(|text| unquoted(text)).filter(|text| !text.is_empty());
    match (given(MASTER_KEY), given(MASTER_KEY_FILE)) {
        (Some(_), Some(_)) => Err(ConfigError::Invalid(format!("Set {MASTER_KEY} or {MASTER_KEY_FILE}, not both"))),
        (Some(key), None) => Ok(Some(Secret::new(key))),
        (None, Some(path)) => {
            let path = PathBuf::from(path);
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => Secret::new(text),
                Err(source) => return Err(ConfigError::Unreadable { path, source }),
            };
            let key = text.expose().trim();
            if key.is_empty() {
                return Err(ConfigError::Invalid(format!(
                    "The file in {MASTER_KEY_FILE} is empty: {}",
                    path.display()
                )));
            }
            Ok(Some(Secret::new(key.to_owned())))
        }
        (None, None) => Ok(None),
    }
}

impl BaseConfig {
    /// Built-in settings with these over them, given as on the command line. For tests and embedding.
    ///
    /// # Errors
    /// The sentence of the first rule that fails.
    pub fn with(settings: &[(&str, &str)], test_mode: bool) -> Result<Self, ConfigError> {
        let flags = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let sources = Sources { flags, test_mode, ..Sources::default() };
        load(&sources).map(|loaded| loaded.config)
    }
}
