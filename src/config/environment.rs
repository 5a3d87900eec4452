//! Environment variables: the settings in them, and warnings about those that look like settings.

use crate::config::base::Origin;
use crate::config::loading::Loading;
use crate::config::problem::Source;
use crate::config::raw::Raw;
use crate::config::secrets;
use crate::config::service_link::Links;
use crate::config::settings::{self, Kind, Setting};
use crate::config::values::Value;
use crate::config::variable::{empty, find, value};
use crate::domain::text;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

const PREFIX: &str = "SESSIOND_";

/// Takes the settings from the process's environment.
pub(super) fn take(loading: &mut Loading, env: &BTreeMap<String, OsString>) {
    let links = Links::of(env);
    for (place, setting) in settings::ALL.iter().enumerate() {
        let Some(name) = setting.env else { continue };
        let Some(given) = value(env, name) else {
            // Somebody meant to protect the server: a secret without a value must not go unnoticed.
            if (setting.secret || setting.protected) && find(env, name).is_some() {
                loading.warn(empty(name), Some(setting.key), variable(name));
            }
            continue;
        };
        match links.address(name, &given) {
            Some(address) => {
                let remark = format!(
                    "Environment variable {name} ({address}) was set by Kubernetes or Docker for a service of that \
                     name: it is ignored. 'enableServiceLinks: false' in the pod's specification keeps such variables \
                     away."
                );
                loading.warn(remark, Some(setting.key), variable(name));
            }
            None => take_one(loading, place, setting, name, &given),
        }
    }
    warn_unknown(loading, env, &links);
}

fn variable(name: &str) -> Source {
    Source::Variable(name.to_owned())
}

fn take_one(loading: &mut Loading, place: usize, setting: &Setting, name: &'static str, given: &OsStr) {
    let raw = Raw::of_process(given);
    let is_own = name.starts_with(PREFIX);
    let is_truth = |text: &str| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    match raw.as_text() {
        // The original takes any other text for false. A switch of our own is refused, as in the file.
        Some(text) if setting.kind == Kind::Bool && !is_own && !is_truth(text) => {
            let text = text::quote(text);
            let remark =
                format!("Environment variable {name} is neither true nor false but {text}: it counts as false.");
            loading.warn(remark, Some(setting.key), variable(name));
            loading.accept(place, Value::Bool(false), Origin::Env(name));
        }
        _ => loading.set(place, &raw, Origin::Env(name), variable(name)),
    }
}

/// Warns about variables that look like ours, or like a database's.
fn warn_unknown(loading: &mut Loading, env: &BTreeMap<String, OsString>, links: &Links<'_>) {
    for (name, given) in env {
        let name = text::trim(name);
        if links.names(name, given) {
            continue;
        }
        if settings::is_database_key(name) && name.to_ascii_uppercase() == *name {
            loading.name_database(&format!("environment variable {name}"), variable(name));
        }
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let ours = || settings::ALL.iter().filter_map(|setting| setting.env).chain(secrets::VARIABLES);
        if ours().any(|known| known == name) {
            continue;
        }
        let same_key = settings::find(&rest.to_ascii_lowercase()).and_then(|setting| setting.env);
        let near = || settings::nearest(rest, ours().filter_map(|name| name.strip_prefix(PREFIX)));
        let near = same_key.map(str::to_owned).or_else(|| near().map(|near| format!("{PREFIX}{near}")));
        let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        let name = text::escape(name);
        loading.warn(format!("Unknown environment variable {name} is ignored.{hint}"), None, variable(&name));
    }
}
