//! Settings of sign-in recipes. Those of future recipes are already read and checked, so that existing files and apps
//! work.

use super::setting::{Default, Kind, Setting, setting};
use crate::domain::password::limits;
use Default::{Cores, Int, Null, Text};

pub(super) const SIGN_IN: &[Setting] = &[
    setting(
        "password_reset_token_lifetime",
        "PASSWORD_RESET_TOKEN_LIFETIME",
        Kind::Long,
        Int(3_600_000),
        "How long a password-reset token is valid.",
    )
    .unit("ms")
    .per_tenant(),
    setting(
        "email_verification_token_lifetime",
        "EMAIL_VERIFICATION_TOKEN_LIFETIME",
        Kind::Long,
        Int(86_400_000),
        "How long an email-verification token is valid.",
    )
    .unit("ms")
    .per_tenant(),
    setting(
        "passwordless_max_code_input_attempts",
        "PASSWORDLESS_MAX_CODE_INPUT_ATTEMPTS",
        Kind::Int,
        Int(5),
        "Wrong codes before a passwordless sign-in has to be started again.",
    )
    .per_tenant(),
    setting(
        "passwordless_code_lifetime",
        "PASSWORDLESS_CODE_LIFETIME",
        Kind::Long,
        Int(900_000),
        "How long a passwordless code is valid.",
    )
    .unit("ms")
    .per_tenant(),
    setting("totp_max_attempts", "TOTP_MAX_ATTEMPTS", Kind::Int, Int(5), "Wrong TOTP codes before a pause.")
        .per_tenant(),
    setting(
        "totp_rate_limit_cooldown_sec",
        "TOTP_RATE_LIMIT_COOLDOWN_SEC",
        Kind::Int,
        Int(900),
        "The pause after too many wrong TOTP codes.",
    )
    .unit("s")
    .per_tenant(),
    setting(
        "webauthn_recover_account_token_lifetime",
        "WEBAUTHN_RECOVER_ACCOUNT_TOKEN_LIFETIME",
        Kind::Long,
        Int(3_600_000),
        "How long a passkey-recovery token is valid.",
    )
    .unit("ms")
    .per_app()
    .later(),
    setting(
        "password_hashing_alg",
        "PASSWORD_HASHING_ALG",
        Kind::Text,
        Text("BCRYPT"),
        "How new passwords are hashed.",
    )
    .one_of(&["ARGON2", "BCRYPT"])
    .per_app(),
    setting(
        "bcrypt_log_rounds",
        "BCRYPT_LOG_ROUNDS",
        Kind::Int,
        Int(11),
        "Cost of a bcrypt hash; values below 4 count as 4.",
    )
    .at_most(limits::MAX_BCRYPT_COST as i64),
    setting("argon2_iterations", "ARGON2_ITERATIONS", Kind::Int, Int(1), "Passes of an argon2 hash."),
    setting("argon2_memory_kb", "ARGON2_MEMORY_KB", Kind::Int, Int(87_795), "Memory of an argon2 hash.")
        .unit("KiB")
        .at_most(limits::MAX_ARGON2_MEMORY_KIB as i64),
    setting("argon2_parallelism", "ARGON2_PARALLELISM", Kind::Int, Int(2), "Lanes of an argon2 hash.")
        .at_most(limits::MAX_ARGON2_PARALLELISM as i64),
    setting(
        "argon2_hashing_pool_size",
        "ARGON2_HASHING_POOL_SIZE",
        Kind::Int,
        Int(1),
        "Argon2 hashes computed at once.",
    ),
    setting(
        "firebase_password_hashing_pool_size",
        "FIREBASE_PASSWORD_HASHING_POOL_SIZE",
        Kind::Int,
        Int(1),
        "Imported Firebase hashes computed at once.",
    ),
    setting(
        "firebase_password_hashing_signer_key",
        "FIREBASE_PASSWORD_HASHING_SIGNER_KEY",
        Kind::Text,
        Null,
        "Signer key of imported Firebase hashes.",
    )
    .per_app()
    .secret(),
];

pub(super) const FEDERATION: &[Setting] = &[
    setting(
        "oauth_provider_public_service_url",
        "OAUTH_PROVIDER_PUBLIC_SERVICE_URL",
        Kind::Text,
        Null,
        "Public address of the OAuth provider.",
    )
    .unit("URL")
    .per_app()
    .protected()
    .hidden()
    .later(),
    setting(
        "oauth_provider_admin_service_url",
        "OAUTH_PROVIDER_ADMIN_SERVICE_URL",
        Kind::Text,
        Null,
        "Admin address of the OAuth provider.",
    )
    .unit("URL")
    .per_app()
    .protected()
    .hidden()
    .later(),
    setting(
        "oauth_provider_consent_login_base_url",
        "OAUTH_PROVIDER_CONSENT_LOGIN_BASE_URL",
        Kind::Text,
        Null,
        "Where the OAuth provider sends browsers for login and consent.",
    )
    .unit("URL")
    .per_app()
    .protected()
    .hidden()
    .later(),
    setting(
        "oauth_provider_url_configured_in_oauth_provider",
        "OAUTH_PROVIDER_URL_CONFIGURED_IN_OAUTH_PROVIDER",
        Kind::Text,
        Null,
        "The OAuth provider's address as configured in the provider; the public one unless set.",
    )
    .unit("URL")
    .per_app()
    .protected()
    .hidden()
    .later(),
    setting(
        "oauth_client_secret_encryption_key",
        "OAUTH_CLIENT_SECRET_ENCRYPTION_KEY",
        Kind::Text,
        Null,
        "Encrypts the secrets of OAuth clients.",
    )
    .hidden()
    .secret()
    .later(),
    setting(
        "saml_legacy_acs_url",
        "SAML_LEGACY_ACS_URL",
        Kind::Text,
        Null,
        "Assertion consumer address of older set-ups.",
    )
    .per_app()
    .protected()
    .hidden()
    .later(),
    setting(
        "saml_sp_entity_id",
        "SAML_SP_ENTITY_ID",
        Kind::Text,
        Text("https://saml.supertokens.com"),
        "Our entity id towards SAML identity providers.",
    )
    .per_tenant()
    .later(),
    setting(
        "saml_claims_validity",
        "SAML_CLAIMS_VALIDITY",
        Kind::Long,
        Int(300_000),
        "How long received SAML claims are kept.",
    )
    .unit("ms")
    .per_tenant()
    .later(),
    setting(
        "saml_relay_state_validity",
        "SAML_RELAY_STATE_VALIDITY",
        Kind::Long,
        Int(300_000),
        "How long a SAML sign-in may take.",
    )
    .unit("ms")
    .per_tenant()
    .later(),
    setting(
        "bulk_migration_parallelism",
        "BULK_MIGRATION_PARALLELISM",
        Kind::Int,
        Cores,
        "Passwords of imported users hashed at once, at most half of the cores (or two).",
    )
    .per_app(),
    setting(
        "bulk_migration_batch_size",
        "BULK_MIGRATION_BATCH_SIZE",
        Kind::Int,
        Int(8000),
        "Waiting users imported in one transaction, at most 250.",
    )
    .per_app(),
    setting(
        "bulk_migration_sleep_between_rounds_in_batch_ms",
        "BULK_MIGRATION_SLEEP_BETWEEN_ROUNDS_IN_BATCH_MS",
        Kind::Long,
        Int(1000),
        "Pause between import rounds.",
    )
    .unit("ms")
    .per_app()
    .without("there are 25 ms between batches; use smaller batches to reduce the load"),
];
