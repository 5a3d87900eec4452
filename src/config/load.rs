//! Combines the sources: built-in defaults, `config.yaml`, environment, command line.

use crate::config::base::{BaseConfig, ConfigError};
use crate::config::loading::Loading;
use crate::config::sources::Sources;
use crate::config::validate::Context;
use crate::config::{environment, file, ip_rule, secrets};
use crate::domain::text;
use std::path::PathBuf;

/// The result of loading.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: BaseConfig,
    /// Warnings of one line each for the log: unknown keys and the like.
    pub warnings: Vec<String>,
}

/// Loads, checks and converts the settings.
///
/// # Errors
/// When a file cannot be read or a value breaks a rule; the first one found.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut loading = Loading::default();
    let path = file::take(&mut loading, &sources.config_file)?;
    environment::take(&mut loading, &sources.env);
    loading.flags(&sources.flags)?;
    let (values, origins, mut warnings) = loading.finish()?;
    let suffix = path.as_deref().map(file::location).unwrap_or_default();
    let context = Context { test_mode: sources.test_mode, suffix };
    let mut config = BaseConfig::new(values, origins, &context)?;
    config.master_key = secrets::master_key(&sources.env, &mut warnings)?;
    config.config_path = path;
    if config.app.brute_force_address_header.is_some() && config.trusted_proxies.is_empty() {
        let warning = "'brute_force_address_header' has no effect: 'trusted_proxies' is empty, so no one may send it.";
        warnings.push(warning.to_owned());
    }
    warnings.extend(dead_rules(&config));
    Ok(Loaded { config, warnings })
}

/// The data folder of a server with these sources, even if their other settings are invalid.
#[must_use]
pub fn data_dir(sources: &Sources) -> PathBuf {
    let mut loading = Loading::default();
    // A file that cannot be read does not name a folder.
    let _ = file::take(&mut loading, &sources.config_file);
    environment::take(&mut loading, &sources.env);
    let _ = loading.flags(&sources.flags);
    loading.values.path("data_dir").map_or_else(|| PathBuf::from("data"), PathBuf::from)
}

/// Warnings about IP rules that have no effect.
fn dead_rules(config: &BaseConfig) -> Vec<String> {
    let rule = |key, consequence: &str| {
        let pattern = config.values().text(key).filter(|pattern| ip_rule::matches_no_address(pattern))?;
        let pattern = text::quote(pattern);
        Some(format!("No address matches '{key}' ({pattern}), so it {consequence}: it is a regular expression."))
    };
    [rule("ip_allow_regex", "lets nobody in"), rule("ip_deny_regex", "denies nobody")].into_iter().flatten().collect()
}

impl BaseConfig {
    /// The built-in settings with these on top, given as on the command line. For tests and embedding.
    ///
    /// # Errors
    /// The sentence of the first rule that fails.
    pub fn with(settings: &[(&str, &str)], test_mode: bool) -> Result<Self, ConfigError> {
        let flags = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        let sources = Sources { flags, test_mode, ..Sources::default() };
        load(&sources).map(|loaded| loaded.config)
    }
}
