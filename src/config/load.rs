//! Combines the sources: built-in defaults, `config.yaml`, environment, command line.

use crate::config::base::{BaseConfig, ConfigError};
use crate::config::flaws::Flaws;
use crate::config::loading::Loading;
use crate::config::problem::Problem;
use crate::config::sources::Sources;
use crate::config::validate::validate;
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

/// Everything that there is to say about a configuration.
#[derive(Debug)]
pub struct Examination {
    /// The settings; `None` if there are errors.
    pub config: Option<BaseConfig>,
    /// Why the server would not start.
    pub errors: Vec<Problem>,
    /// What may not be meant: unknown keys and the like.
    pub warnings: Vec<Problem>,
}

/// Loads, checks and converts the settings.
///
/// # Errors
/// When a source cannot be read or a value breaks a rule: [`ConfigError::Refused`] with everything that is wrong.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let Examination { config, errors, warnings } = examine(sources);
    let warnings = warnings.iter().map(ToString::to_string).collect();
    config.map(|config| Loaded { config, warnings }).ok_or(ConfigError::Refused(errors))
}

/// Loads and checks the settings, and goes on after an error where it can.
#[must_use]
pub fn examine(sources: &Sources) -> Examination {
    let mut loading = Loading::default();
    let path = file::take(&mut loading, &sources.config_file);
    environment::take(&mut loading, &sources.env);
    loading.flags(&sources.flags);
    let mut errors = loading.take_errors();
    errors.extend(loading.unreadable());
    let flaws = if loading.is_incomplete { Flaws::default() } else { validate(&loading.values, sources.test_mode) };
    let are_kept = flaws.is_empty() && errors.is_empty();
    errors.extend(flaws.into_iter().filter_map(|flaw| loading.problem(flaw)));
    let master_key = secrets::master_key(&sources.env, &mut loading);
    errors.extend(loading.take_errors());
    let mut config = None;
    if are_kept && errors.is_empty() {
        match BaseConfig::new(loading.values.clone(), loading.origins.clone(), sources.test_mode) {
            Ok(mut valid) => {
                valid.master_key = master_key;
                valid.config_path = path;
                config = Some(valid);
            }
            Err(sentence) => errors.push(Problem::new(sentence)),
        }
    }
    if let Some(config) = &config {
        let remarks = remarks(config, &loading);
        loading.warnings.extend(remarks);
    }
    Examination { config, errors, warnings: loading.warnings }
}

/// The data folder of a server with these sources, even if their other settings are invalid.
#[must_use]
pub fn data_dir(sources: &Sources) -> PathBuf {
    let mut loading = Loading::default();
    let _ = file::take(&mut loading, &sources.config_file);
    environment::take(&mut loading, &sources.env);
    loading.flags(&sources.flags);
    loading.values.path("data_dir").map_or_else(|| PathBuf::from("data"), PathBuf::from)
}

/// Warnings about settings that have no effect.
fn remarks(config: &BaseConfig, loading: &Loading) -> Vec<Problem> {
    let remark = |key, sentence: String| Problem::new(sentence).at_all(loading.places(&[key]));
    let rule = |key, consequence: &str| {
        let pattern = config.values().text(key).filter(|pattern| ip_rule::matches_no_address(pattern))?;
        let pattern = text::quote(pattern);
        let sentence =
            format!("No address matches '{key}' ({pattern}), so it {consequence}: it is a regular expression.");
        Some(remark(key, sentence))
    };
    let header = config.app.brute_force_address_header.is_some() && config.trusted_proxies.is_empty();
    let header = header.then(|| {
        let sentence = "'brute_force_address_header' has no effect: 'trusted_proxies' is empty, so no one may send it.";
        remark("brute_force_address_header", sentence.to_owned())
    });
    let rules = [rule("ip_allow_regex", "lets nobody in"), rule("ip_deny_regex", "denies nobody")];
    header.into_iter().chain(rules.into_iter().flatten()).collect()
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
