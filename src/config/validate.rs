//! The rules that values must satisfy, in the protocol's order and wording.

use crate::config::flaws::Flaws;
use crate::config::front::FrontConfig;
use crate::config::hooks::HooksConfig;
use crate::config::ip_rule;
use crate::config::mail;
use crate::config::raw::check_visible;
use crate::config::settings;
use crate::config::sms;
use crate::config::third_party::ThirdPartyConfig;
use crate::config::trust::{self, AllowedOrigins, TrustedProxies};
use crate::config::url_path::base_path;
use crate::config::values::{Value, Values};
use crate::domain::loopback::is_loopback;
use crate::domain::password::limits;
use crate::domain::text;
use std::cmp::Ordering;

/// Every CDI version that a caller can use, oldest first.
pub const CDI_VERSIONS: [&str; 25] = [
    "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17", "2.18", "2.19", "2.20",
    "2.21", "3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6",
];

/// Checks every rule. Test mode lifts the lower limits, which test suites go below.
pub(super) fn validate(values: &Values, test_mode: bool) -> Flaws {
    let mut flaws = Flaws::default();
    tokens(values, test_mode, &mut flaws);
    recipes(values, &mut flaws);
    if values.int("max_server_pool_size") < 1 {
        flaws.add_naming_file(["max_server_pool_size"], "'max_server_pool_size' must be >= 1.");
    }
    flaws.keep(["api_keys"], api_keys(values));
    flaws.keep(["supertokens_saas_secret", "api_keys"], saas_secret(values));
    hashing(values, &mut flaws);
    flaws.keep(["base_path"], base_path(values.text("base_path").unwrap_or_default()));
    flaws.keep(["log_level"], log_level(values));
    for key in ["ip_allow_regex", "ip_deny_regex"] {
        flaws.keep([key], ip_rule::check(key, values.text(key)));
    }
    cdi_versions(values, &mut flaws);
    for key in ["bulk_migration_parallelism", "bulk_migration_batch_size"] {
        if values.int(key) < 1 {
            flaws.add([key], format!("Provided {key} must be >= 1"));
        }
    }
    let key = "webauthn_recover_account_token_lifetime";
    if values.int(key) <= 0 {
        flaws.add([key], format!("Provided {key} must be > 0"));
    }
    enums(values, &mut flaws);
    flaws.keep(["supertokens_saas_load_only_cud"], only_domain(values));
    oauth_urls(values, &mut flaws);
    own(values, &mut flaws);
    flaws
}

fn tokens(values: &Values, test_mode: bool, flaws: &mut Flaws) {
    const UPDATE_INTERVAL: &str = "access_token_dynamic_signing_key_update_interval";
    let access_s = values.int("access_token_validity");
    if !(1..=86_400_000).contains(&access_s) {
        let sentence = "'access_token_validity' must be between 1 and 86400000 seconds inclusive.";
        flaws.add_naming_file(["access_token_validity"], sentence);
    }
    #[expect(clippy::cast_precision_loss, reason = "beyond 86,400,000 it breaks the rule above")]
    let access_minutes = access_s as f64 / 60.0;
    if !test_mode && values.double("refresh_token_validity") <= access_minutes {
        let sentence = "'refresh_token_validity' must be strictly greater than 'access_token_validity'.";
        flaws.add_naming_file(["refresh_token_validity", "access_token_validity"], sentence);
    }
    if !test_mode && values.double(UPDATE_INTERVAL) < 1.0 {
        flaws.add_naming_file([UPDATE_INTERVAL], format!("'{UPDATE_INTERVAL}' must be greater than, equal to 1 hour."));
    }
    if !test_mode && !(0..=300).contains(&values.int("refresh_token_rotation_grace_period")) {
        let sentence = "'refresh_token_rotation_grace_period' must be between 0 and 300 seconds inclusive.";
        flaws.add_naming_file(["refresh_token_rotation_grace_period"], sentence);
    }
    if !(0.0..=0.25).contains(&values.double("access_token_validity_jitter")) {
        let sentence = "'access_token_validity_jitter' must be between 0 and 0.25 inclusive.";
        flaws.add_naming_file(["access_token_validity_jitter"], sentence);
    }
}

fn recipes(values: &Values, flaws: &mut Flaws) {
    for key in ["password_reset_token_lifetime", "email_verification_token_lifetime"] {
        if values.int(key) <= 0 {
            flaws.add([key], format!("'{key}' must be >= 0"));
        }
    }
    for key in [
        "passwordless_max_code_input_attempts",
        "passwordless_code_lifetime",
        "totp_max_attempts",
        "totp_rate_limit_cooldown_sec",
    ] {
        if values.int(key) <= 0 {
            flaws.add([key], format!("'{key}' must be > 0"));
        }
    }
}

/// The keys in `api_keys`, without white space, sorted. Empty keys in the middle stay (and are too short).
#[must_use]
pub fn split_api_keys(list: &str) -> Vec<String> {
    let dense: String = list.chars().filter(|char| !text::is_blank(*char)).collect();
    let mut keys: Vec<String> = dense.split(',').map(str::to_owned).collect();
    while keys.len() > 1 && keys.last().is_some_and(String::is_empty) {
        keys.pop();
    }
    keys.sort();
    keys
}

fn is_key_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '=' | '-')
}

fn api_keys(values: &Values) -> Result<(), String> {
    for key in values.text("api_keys").map(split_api_keys).unwrap_or_default() {
        if key.len() < 20 {
            return Err("One of the API keys is too short. Please use at least 20 characters".to_owned());
        }
        if !key.chars().all(is_key_char) {
            return Err(
                "Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)"
                    .to_owned(),
            );
        }
    }
    Ok(())
}

fn saas_secret(values: &Values) -> Result<(), String> {
    let Some(secret) = values.text("supertokens_saas_secret") else { return Ok(()) };
    if values.text("api_keys").is_none() {
        return Err("supertokens_saas_secret can only be used when api_key is also defined".to_owned());
    }
    if secret.len() < 40 {
        return Err("supertokens_saas_secret is too short. Please use at least 40 characters".to_owned());
    }
    if !secret.chars().all(is_key_char) {
        return Err("Invalid characters in supertokens_saas_secret key. Please only use '=', '-' and alpha-numeric \
                    (including capitals)"
            .to_owned());
    }
    Ok(())
}

fn hashing(values: &Values, flaws: &mut Flaws) {
    let algorithm = values.text("password_hashing_alg").unwrap_or("BCRYPT");
    if algorithm.eq_ignore_ascii_case("BCRYPT") {
        return at_least_one(values, ["bcrypt_log_rounds"], flaws);
    }
    if !algorithm.eq_ignore_ascii_case("ARGON2") {
        return flaws.add(["password_hashing_alg"], "'password_hashing_alg' must be one of 'ARGON2' or 'BCRYPT'");
    }
    let keys = ["argon2_iterations", "argon2_parallelism", "argon2_memory_kb", "argon2_hashing_pool_size"];
    at_least_one(values, keys, flaws);
    let pools = ["argon2_hashing_pool_size", "max_server_pool_size"];
    if values.int(pools[0]) > values.int(pools[1]) {
        flaws.add(pools, "'argon2_hashing_pool_size' must be <= 'max_server_pool_size'");
    }
}

fn at_least_one<const N: usize>(values: &Values, keys: [&'static str; N], flaws: &mut Flaws) {
    for key in keys.into_iter().filter(|key| values.int(key) < 1) {
        flaws.add([key], format!("'{key}' must be >= 1"));
    }
}

fn log_level(values: &Values) -> Result<(), String> {
    let level = values.text("log_level").unwrap_or("INFO");
    if ["NONE", "DEBUG", "INFO", "WARN", "ERROR"].iter().any(|known| known.eq_ignore_ascii_case(level)) {
        return Ok(());
    }
    Err("'log_level' config must be one of \"NONE\",\"DEBUG\", \"INFO\", \"WARN\" or \"ERROR\".".to_owned())
}

fn cdi_versions(values: &Values, flaws: &mut Flaws) {
    const MIN: &str = "supertokens_min_cdi_version";
    const MAX: &str = "supertokens_max_cdi_version";
    let [max, min] = [MAX, MIN].map(|key| flaws.keep([key], cdi_version(values, key)).unwrap_or_default());
    if let (Some(min), Some(max)) = (min, max)
        && compare_versions(min, max) == Ordering::Greater
    {
        flaws.add([MIN, MAX], format!("{MIN} cannot be greater than {MAX}"));
    }
}

fn cdi_version<'v>(values: &'v Values, key: &str) -> Result<Option<&'v str>, String> {
    let Some(version) = values.text(key) else { return Ok(None) };
    if version.is_empty() || !version.split('.').all(is_number) {
        return Err(format!("{key} is not a valid semantic version"));
    }
    if !CDI_VERSIONS.contains(&version) {
        return Err(format!("{key} is not a supported version"));
    }
    Ok(Some(version))
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn compare_versions(a: &str, b: &str) -> Ordering {
    let numbers = |version: &str| version.split('.').filter_map(|part| part.parse().ok()).collect::<Vec<u32>>();
    numbers(a).cmp(&numbers(b))
}

fn enums(values: &Values, flaws: &mut Flaws) {
    for setting in settings::ALL.iter().filter(|setting| !setting.one_of.is_empty()) {
        let value = values.text(setting.key).unwrap_or_default();
        let is_known = setting.one_of.iter().any(|known| known.eq_ignore_ascii_case(value));
        if !is_known && !flaws.is_about(setting.key) {
            let (key, known) = (setting.key, setting.one_of.join(", "));
            flaws.add([key], format!("{key} property is not set correctly. It must be one of [{known}]"));
        }
    }
}

fn only_domain(values: &Values) -> Result<(), String> {
    match values.text("supertokens_saas_load_only_cud") {
        Some(domain) if crate::domain::tenancy::connection_uri_domain(domain).is_err() => {
            Err("supertokens_saas_load_only_cud is invalid".to_owned())
        }
        _ => Ok(()),
    }
}

fn oauth_urls(values: &Values, flaws: &mut Flaws) {
    let required = [
        "oauth_provider_public_service_url",
        "oauth_provider_admin_service_url",
        "oauth_provider_consent_login_base_url",
    ];
    for key in required.into_iter().chain(["oauth_provider_url_configured_in_oauth_provider"]) {
        if values.text(key).is_some_and(|url| !is_url(url)) {
            flaws.add([key], format!("{key} is not a valid URL"));
        }
    }
    let given = required.iter().filter(|key| values.text(key).is_some()).count();
    if given != 0 && given != required.len() {
        let keys = required.join(", ");
        flaws.add(required, format!("If any of the following is set, all of them has to be set: {keys}"));
    }
}

fn is_url(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some_and(|host| !host.is_empty()))
}

/// Rules that only sessiond has.
fn own(values: &Values, flaws: &mut Flaws) {
    for (place, setting) in settings::ALL.iter().enumerate() {
        if let Value::Int(number) = values.at(place) {
            flaws.keep([setting.key], setting.range.check(setting.key, *number));
        }
        if !flaws.is_about(setting.key) {
            flaws.keep([setting.key], check_visible(setting, values.at(place)));
        }
    }
    flaws.keep(["argon2_memory_kb", "argon2_iterations"], affordable_hashes(values));
    TrustedProxies::read(values, flaws);
    flaws.keep(["allowed_hosts"], trust::allowed_hosts(values));
    flaws.keep(["allowed_origins"], AllowedOrigins::read(values));
    flaws.keep(["brute_force_address_header"], trust::person_header(values));
    front(values, flaws);
    mail::check(values, flaws);
    sms::check(values, flaws);
    ThirdPartyConfig::read(values, flaws);
    HooksConfig::read(values, flaws);
    if values.text("host").is_some_and(str::is_empty) {
        flaws.add(["host"], "'host' must not be empty");
    }
    if values.path("data_dir").is_none() {
        flaws.add(["data_dir"], "'data_dir' must not be empty");
    }
}

/// The front door's own rules; beyond this machine it needs an address and a name of its own.
fn front(values: &Values, flaws: &mut Flaws) {
    FrontConfig::read(values, flaws);
    let host = values.text("front_host").unwrap_or_default();
    if host.is_empty() {
        flaws.add(["front_host"], "'front_host' must not be empty");
    } else if !is_loopback(host) && values.text("api_domain").is_none() {
        let sentence = format!(
            "'front_host' may be '{host}' only if 'api_domain' and 'app_name' are set: without them the front door is \
             for development on this machine"
        );
        flaws.add(["front_host"], sentence);
    }
}

/// Hashes that would take minutes or all memory could not be checked later, so they are not made.
fn affordable_hashes(values: &Values) -> Result<(), String> {
    if values.unsigned("argon2_memory_kb").saturating_mul(values.unsigned("argon2_iterations"))
        > limits::MAX_ARGON2_WORK
    {
        let most = limits::MAX_ARGON2_WORK;
        return Err(format!("'argon2_memory_kb' times 'argon2_iterations' must be <= {most}"));
    }
    Ok(())
}

/// Whether a server may listen on `host`: in test mode only on this machine's own addresses, unless forced.
///
/// Test mode lifts rules that protect sessions, so it must not be reachable from outside by mistake.
///
/// # Errors
/// A sentence that says what to do.
pub fn may_bind(host: &str, test_mode: bool, forced: bool) -> Result<(), String> {
    if !test_mode || is_loopback(host) || forced {
        return Ok(());
    }
    Err(format!(
        "Test mode relaxes the rules that protect sessions, so it listens on localhost only, not on '{host}'. Leave test \
         mode, choose a loopback host, or force it with --dev-anywhere."
    ))
}
