//! [`AppConfig`]: the typed settings of one app or tenant.

use crate::config::flaws::Flaws;
use crate::config::front::FrontConfig;
use crate::config::hooks::HooksConfig;
use crate::config::ip_rule;
use crate::config::mail::MailConfig;
use crate::config::sms::SmsConfig;
use crate::config::third_party::ThirdPartyConfig;
use crate::config::trust::person_header;
use crate::config::validate::split_api_keys;
use crate::config::values::Values;
use crate::domain::key::{RefreshTokenFormat, SigningAlgorithm};
use crate::domain::password::HashParameters;
use crate::domain::passwordless::CodeRules;
use crate::domain::secret::Secret;
use crate::domain::totp::attempts::Limits as TotpLimits;
use http::HeaderName;
use regex::Regex;
use std::sync::Arc;

/// The effective settings of one app (or tenant): the base settings with its own `coreConfig` over them.
///
/// A new recipe adds its settings here, read from [`Values`] in [`AppConfig::from_values`].
#[derive(Debug, Clone)]
pub struct AppConfig {
    /// Keys that give access to the API; empty means no key is needed.
    pub api_keys: Vec<Secret<String>>,
    /// Lifetime of access tokens in ms.
    pub access_token_validity_ms: u64,
    /// The maximum fraction (0 to 0.25) by which an access token's lifetime is shortened at random.
    pub access_token_validity_jitter: f64,
    /// Lifetime of refresh tokens in ms (configured in minutes).
    pub refresh_token_validity_ms: u64,
    /// How long after a rotation the replaced token is still understood, in ms (configured in s).
    pub refresh_token_rotation_grace_period_ms: u64,
    /// How reuse of a recently replaced refresh token is reported (CDI ≥ 5.6).
    pub recent_token_reuse_behaviour: RecentTokenReuse,
    /// How often a new dynamic signing key is made, in ms (configured in hours).
    pub dynamic_signing_key_update_interval_ms: u64,
    /// How long a new key is published before it signs, in ms: 60 s, or a fifth of a shorter interval (test mode).
    pub signing_key_overlap_ms: u64,
    /// CDI < 2.21: whether to sign with dynamic keys.
    pub access_token_signing_key_dynamic: bool,
    /// CDI < 2.21: whether to look sessions up at verify.
    pub access_token_blacklisting: bool,
    /// The kind of key that signs this app's tokens; `None` for `auto`.
    pub access_token_signing_algorithm: Option<SigningAlgorithm>,
    /// The form of new refresh tokens.
    pub refresh_token_format: RefreshTokenFormat,
    /// How long an ended session's timeline is kept, in ms (configured in days, 31 by default).
    pub session_timeline_retention_ms: u64,
    /// How long an event of the audit log is kept, in ms (configured in days, 31 by default); 0 for no log.
    pub audit_retention_ms: u64,
    /// How long an e-mail verification token is valid, in ms.
    pub email_verification_token_lifetime_ms: u64,
    /// How new passwords are hashed.
    pub password_hashing: HashParameters,
    /// The key with which imported Firebase hashes are checked, in base64.
    pub firebase_signer_key: Option<Secret<String>>,
    /// Lifetime of password-reset tokens in ms.
    pub password_reset_token_lifetime_ms: u64,
    /// How long passwordless codes are valid, and how often they may be guessed.
    pub passwordless: CodeRules,
    /// The limit on wrong codes of authenticator apps.
    pub totp: TotpLimits,
    /// Maximum number of users that the import job takes in one transaction.
    pub import_batch: u64,
    /// Maximum number of passwords of imported users that are hashed at once.
    pub import_parallelism: u64,
    /// How its mails are sent.
    pub mail: MailConfig,
    /// How its text messages are sent.
    pub sms: SmsConfig,
    /// Whether failed sign-ins are counted and delay the next ones.
    pub brute_force_protection: bool,
    /// The header in which trusted callers pass the address of the person for whom they act.
    pub brute_force_address_header: Option<HeaderName>,
    /// The settings of third-party providers.
    pub third_party: ThirdPartyConfig,
    /// The programs that are told of events, and how they are called.
    pub hooks: HooksConfig,
    /// A rule that peers must match to be allowed to call.
    pub ip_allow: Option<Regex>,
    /// A rule for peers that may not call; takes precedence over `ip_allow`.
    pub ip_deny: Option<Regex>,
    /// Highest CDI version to offer.
    pub max_cdi_version: Option<String>,
    /// Lowest CDI version to accept.
    pub min_cdi_version: Option<String>,
    /// The front door; `None` if stored settings of it are no longer valid: then it is closed for this app.
    pub front: Option<Arc<FrontConfig>>,
}

/// The values of `recent_token_reuse_behaviour`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RecentTokenReuse {
    /// `TOKEN_THEFT`: report it.
    #[default]
    TokenTheft,
    /// `UNAUTHORISED`: only end the session.
    Unauthorised,
}

impl Default for AppConfig {
    /// The built-in settings.
    fn default() -> Self {
        Self::from_values(&Values::defaults(), None)
    }
}

impl AppConfig {
    /// The typed form of values that have been validated.
    ///
    /// `parent` provides its compiled IP rules where they are the same, so that apps do not compile them again.
    #[must_use]
    pub fn from_values(values: &Values, parent: Option<&Self>) -> Self {
        let interval_ms = millis(values.double("access_token_dynamic_signing_key_update_interval"), HOUR_MS).max(1);
        Self {
            api_keys: values
                .text("api_keys")
                .map(split_api_keys)
                .unwrap_or_default()
                .into_iter()
                .map(Secret::new)
                .collect(),
            access_token_validity_ms: values.unsigned("access_token_validity").saturating_mul(1000),
            access_token_validity_jitter: values.double("access_token_validity_jitter"),
            refresh_token_validity_ms: millis(values.double("refresh_token_validity"), MINUTE_MS),
            refresh_token_rotation_grace_period_ms: values.unsigned("refresh_token_rotation_grace_period") * 1000,
            recent_token_reuse_behaviour: match values.text("recent_token_reuse_behaviour") {
                Some(text) if text.eq_ignore_ascii_case("UNAUTHORISED") => RecentTokenReuse::Unauthorised,
                _ => RecentTokenReuse::TokenTheft,
            },
            dynamic_signing_key_update_interval_ms: interval_ms,
            signing_key_overlap_ms: if interval_ms < MINUTE_MS { interval_ms / 5 } else { MINUTE_MS },
            access_token_signing_key_dynamic: values.flag("access_token_signing_key_dynamic"),
            access_token_blacklisting: values.flag("access_token_blacklisting"),
            access_token_signing_algorithm: match values.text("access_token_signing_algorithm") {
                Some(text) if text.eq_ignore_ascii_case("RS256") => Some(SigningAlgorithm::RS256),
                Some(text) if text.eq_ignore_ascii_case("EdDSA") => Some(SigningAlgorithm::EdDSA),
                _ => None,
            },
            refresh_token_format: match values.text("refresh_token_format") {
                Some(text) if text.eq_ignore_ascii_case("sealed") => RefreshTokenFormat::Sealed,
                Some(text) if text.eq_ignore_ascii_case("v2") => RefreshTokenFormat::V2,
                _ => RefreshTokenFormat::Auto,
            },
            session_timeline_retention_ms: values.unsigned("session_timeline_retention_days") * 24 * HOUR_MS,
            audit_retention_ms: values.unsigned("audit_retention_days") * 24 * HOUR_MS,
            email_verification_token_lifetime_ms: values.unsigned("email_verification_token_lifetime"),
            password_hashing: password_hashing(values),
            firebase_signer_key: values
                .text("firebase_password_hashing_signer_key")
                .map(|key| Secret::new(key.to_owned())),
            password_reset_token_lifetime_ms: values.unsigned("password_reset_token_lifetime"),
            passwordless: CodeRules {
                lifetime_ms: values.unsigned("passwordless_code_lifetime"),
                attempts_max: values.unsigned("passwordless_max_code_input_attempts"),
            },
            totp: TotpLimits {
                attempts: u32::try_from(values.unsigned("totp_max_attempts")).unwrap_or(u32::MAX),
                cooldown_ms: values.unsigned("totp_rate_limit_cooldown_sec") * 1000,
            },
            import_batch: values.unsigned("bulk_migration_batch_size"),
            import_parallelism: values.unsigned("bulk_migration_parallelism"),
            mail: MailConfig::from_values(values),
            sms: SmsConfig::from_values(values),
            brute_force_protection: values.flag("brute_force_protection"),
            brute_force_address_header: person_header(values).ok().flatten(),
            third_party: ThirdPartyConfig::read(values, &mut Flaws::default()).unwrap_or_else(ThirdPartyConfig::none),
            hooks: HooksConfig::read(values, &mut Flaws::default()).unwrap_or_else(HooksConfig::none),
            ip_allow: compiled(
                values.text("ip_allow_regex"),
                parent.and_then(|parent| parent.ip_allow.as_ref()),
                NO_ADDRESS,
            ),
            ip_deny: compiled(
                values.text("ip_deny_regex"),
                parent.and_then(|parent| parent.ip_deny.as_ref()),
                EVERY_ADDRESS,
            ),
            max_cdi_version: values.text("supertokens_max_cdi_version").map(str::to_owned),
            min_cdi_version: values.text("supertokens_min_cdi_version").map(str::to_owned),
            front: front(values, parent),
        }
    }
}

/// The front door's settings, if they and those of its hooks are valid; the parent's where they are the same, so that
/// apps and tenants share them.
fn front(values: &Values, parent: Option<&AppConfig>) -> Option<Arc<FrontConfig>> {
    let own = FrontConfig::read(values, &mut Flaws::default())?;
    // Without its hooks, the front door would let in whom they refuse.
    HooksConfig::read(values, &mut Flaws::default())?;
    let shared = parent.and_then(|parent| parent.front.as_ref()).filter(|front| ***front == own);
    Some(shared.map_or_else(|| Arc::new(own), Arc::clone))
}

fn password_hashing(values: &Values) -> HashParameters {
    let number = |key| u32::try_from(values.unsigned(key)).unwrap_or(u32::MAX);
    match values.text("password_hashing_alg") {
        Some(text) if text.eq_ignore_ascii_case("ARGON2") => HashParameters::Argon2 {
            iterations: number("argon2_iterations"),
            memory_kib: number("argon2_memory_kb"),
            parallelism: number("argon2_parallelism"),
        },
        _ => HashParameters::Bcrypt { cost: number("bcrypt_log_rounds") },
    }
}

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// `count` units in ms. Capped so that adding it to the present gives a number that JSON readers represent exactly.
fn millis(count: f64, unit_ms: u64) -> u64 {
    const MAX_MS: f64 = 4_000_000_000_000_000.0;
    #[expect(clippy::cast_precision_loss, reason = "units are small")]
    let product = (count * unit_ms as f64).round().clamp(0.0, MAX_MS);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=MOST")]
    let millis = product as u64;
    millis
}

const NO_ADDRESS: &str = "[a&&b]";
const EVERY_ADDRESS: &str = "";

/// The compiled rule. A stored rule that is no longer valid (settings of tenants are not checked again at start) admits
/// nobody: `closed` replaces it.
fn compiled(pattern: Option<&str>, parent: Option<&Regex>, closed: &str) -> Option<Regex> {
    let pattern = pattern?;
    if let Some(parent) = parent
        && parent.as_str() == ip_rule::whole(pattern)
    {
        return Some(parent.clone());
    }
    ip_rule::compile(Some(pattern)).unwrap_or_else(|_| Regex::new(closed).ok())
}
