//! Secrets that have no key in the table: they come from the environment, or from files of their own.

use crate::config::base::ConfigError;
use crate::config::file::read_text;
use crate::config::loading::Loading;
use crate::config::problem::{Problem, Source};
use crate::config::variable::{empty, find, unquote_double, value};
use crate::domain::secret::Secret;
use crate::domain::text;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

const MASTER_KEY: &str = "SESSIOND_MASTER_KEY";
const MASTER_KEY_FILE: &str = "SESSIOND_MASTER_KEY_FILE";
/// The key under which `sessiond keys reseal` seals keys from now on.
pub const NEW_MASTER_KEY: &str = "SESSIOND_NEW_MASTER_KEY";
/// The key under which signing keys are sealed in an app's archive.
pub const ARCHIVE_KEY: &str = "SESSIOND_ARCHIVE_KEY";

/// Our environment variables that are not settings.
pub(super) const VARIABLES: [&str; 4] = [MASTER_KEY, MASTER_KEY_FILE, NEW_MASTER_KEY, ARCHIVE_KEY];

/// The secret in an environment variable; `None` when it is blank.
///
/// # Errors
/// When it is not UTF-8.
pub fn secret_variable(name: &str, given: Option<&OsStr>) -> Result<Option<Secret<String>>, ConfigError> {
    let Some(given) = given else { return Ok(None) };
    let Some(text) = given.to_str() else {
        return Err(ConfigError::Invalid(format!("The environment variable {name} must be valid UTF-8")));
    };
    // Whether the quotes arrive here depends on the program that reads an env file: the same line must mean the same
    // key.
    Ok(secret(&Secret::new(unquote_double(text))))
}

/// The secret in a file; `source` is the variable or the flag that names the file.
///
/// # Errors
/// When the file cannot be read, is not text or is blank.
pub fn secret_file(source: &str, path: &Path) -> Result<Secret<String>, ConfigError> {
    let text = Secret::new(read_text(path, &format!("the file in {source}"))?);
    let empty = || ConfigError::Invalid(format!("The file in {source} is empty: {}", path.display()));
    secret(&text).ok_or_else(empty)
}

/// The text without white space at its ends; `None` if it is blank. Invisible characters are kept: data folders may be
/// sealed under a key that contains some, which shows only when one is opened.
fn secret(text: &Secret<String>) -> Option<Secret<String>> {
    let text = text.expose().trim();
    (!text::trim(text).is_empty()).then(|| Secret::new(text.to_owned()))
}

/// The master key, from the environment or the file named there.
pub(super) fn master_key(env: &BTreeMap<String, OsString>, loading: &mut Loading) -> Option<Secret<String>> {
    let variable = |name: &str| Source::Variable(name.to_owned());
    let file = value(env, MASTER_KEY_FILE);
    let named = if file.is_some() { MASTER_KEY_FILE } else { MASTER_KEY };
    let mut refuse = |error: ConfigError| {
        let sentence = error.to_string();
        loading.fail(Problem::new(sentence.clone()).logged_as(sentence).at(None, variable(named)));
    };
    let key = secret_variable(MASTER_KEY, find(env, MASTER_KEY)).map_err(&mut refuse).ok()?;
    let Some(path) = file else {
        if key.as_ref().is_some_and(|key| key.expose().starts_with('\'')) {
            let remark = format!("{MASTER_KEY} begins with a single quote, which is a part of the key.");
            loading.warn(remark, None, variable(MASTER_KEY));
        }
        if key.is_none() {
            for name in [MASTER_KEY, MASTER_KEY_FILE].into_iter().filter(|name| find(env, name).is_some()) {
                loading.warn(empty(name), None, variable(name));
            }
        }
        return key;
    };
    if key.is_some() {
        refuse(ConfigError::Invalid(format!("Set {MASTER_KEY} or {MASTER_KEY_FILE}, not both")));
        return None;
    }
    secret_file(MASTER_KEY_FILE, Path::new(&path)).map_err(refuse).ok()
}
