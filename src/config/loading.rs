//! [`Loading`]: the settings collected from the sources so far, later sources over earlier ones.

use crate::config::base::{ConfigError, Origin};
use crate::config::raw::{Raw, check_visible, read};
use crate::config::settings::{self, Setting, Status};
use crate::config::values::{Value, Values};
use std::ffi::OsString;

/// The settings collected from the sources so far.
pub(super) struct Loading {
    pub(super) values: Values,
    pub(super) warnings: Vec<String>,
    origins: Vec<Origin>,
    /// Values that could not be read and were not overridden by a later source.
    errors: Vec<SettingError>,
    is_database_named: bool,
}

struct SettingError {
    place: usize,
    sentence: String,
}

impl Default for Loading {
    fn default() -> Self {
        let origins = vec![Origin::Default; settings::ALL.len()];
        let (warnings, errors) = (Vec::new(), Vec::new());
        Self { values: Values::defaults(), warnings, origins, errors, is_database_named: false }
    }
}

impl Loading {
    /// Takes the settings from the command line.
    pub(super) fn flags(&mut self, flags: &[(String, OsString)]) -> Result<(), ConfigError> {
        for (key, given) in flags {
            match settings::place(key) {
                Some(place) => self.set(place, &Raw::of_process(given), Origin::Flag, "on the command line"),
                None => return Err(ConfigError::Invalid(format!("Invalid config key: {key}"))),
            }
        }
        Ok(())
    }

    /// The result of all sources: values, their origins, warnings.
    ///
    /// # Errors
    /// The first value that could not be read.
    pub(super) fn finish(self) -> Result<(Values, Vec<Origin>, Vec<String>), ConfigError> {
        match self.errors.into_iter().next() {
            Some(error) => Err(ConfigError::Invalid(error.sentence)),
            None => Ok((self.values, self.origins, self.warnings)),
        }
    }

    /// Sets a value, overriding earlier sources; `at` completes the error sentence about a value that cannot be read.
    pub(super) fn set(&mut self, place: usize, raw: &Raw<'_>, origin: Origin, at: &str) {
        let Some(setting) = settings::ALL.get(place) else { return };
        let value = read(setting, raw).map_err(|error| error.with_value());
        match value.and_then(|value| check_visible(setting, &value).map(|()| value)) {
            Ok(value) => self.accept(place, value, origin),
            Err(sentence) => self.refuse(place, format!("{sentence}, {at}")),
        }
    }

    /// Sets a value that has been read. An unreadable value from an earlier source no longer matters.
    pub(super) fn accept(&mut self, place: usize, value: Value, origin: Origin) {
        let Some(setting) = settings::ALL.get(place) else { return };
        for error in self.errors.extract_if(.., |error| error.place == place) {
            self.warnings.push(format!("{} It is ignored: {origin} wins.", full_stop(error.sentence)));
        }
        self.warn_without_effect(setting, &value, &origin);
        self.values.set(place, value);
        if let Some(slot) = self.origins.get_mut(place) {
            *slot = origin;
        }
    }

    /// Records that a source's value cannot be read.
    pub(super) fn refuse(&mut self, place: usize, sentence: String) {
        self.errors.retain(|error| error.place != place);
        self.errors.push(SettingError { place, sentence });
    }

    /// Whether the value that counts for a setting could be read.
    pub(super) fn is_readable(&self, key: &str) -> bool {
        self.errors.iter().all(|error| settings::place(key) != Some(error.place))
    }

    /// Database settings are reported once, however many there are.
    pub(super) fn name_database(&mut self, what: &str) {
        if !self.is_database_named {
            self.is_database_named = true;
            self.warnings
                .push(format!("Database settings ({what}) are ignored: sessiond keeps its data in its own store."));
        }
    }

    fn warn_without_effect(&mut self, setting: &Setting, value: &Value, origin: &Origin) {
        let Status::Without(reason) = setting.status else { return };
        if *value != Value::default_of(setting) && setting.key != "disable_telemetry" {
            self.warnings.push(format!("'{}' ({origin}) has no effect: {reason}.", setting.key));
        }
    }
}

fn full_stop(sentence: String) -> String {
    if sentence.ends_with('.') { sentence } else { format!("{sentence}.") }
}
