use super::Given;
use sessiond::config::{BaseConfig, RecentTokenReuse, may_bind};
use sessiond::domain::key::SigningAlgorithm;

const KEY: &str = "abcdefghijklmnopqrstuvwx";

/// Error messages that end with the position in the file.
#[test]
fn rules_about_tokens_and_threads_say_where_the_file_is() {
    for (lines, sentence) in [
        ("access_token_validity: 0", "'access_token_validity' must be between 1 and 86400000 seconds inclusive."),
        (
            "access_token_validity: 86400001",
            "'access_token_validity' must be between 1 and 86400000 seconds inclusive.",
        ),
        (
            "refresh_token_validity: 60",
            "'refresh_token_validity' must be strictly greater than 'access_token_validity'.",
        ),
        (
            "access_token_dynamic_signing_key_update_interval: 0.99",
            "'access_token_dynamic_signing_key_update_interval' must be greater than, equal to 1 hour.",
        ),
        (
            "access_token_signing_key_update_interval: 0",
            "'access_token_dynamic_signing_key_update_interval' must be greater than, equal to 1 hour.",
        ),
        (
            "refresh_token_rotation_grace_period: -1",
            "'refresh_token_rotation_grace_period' must be between 0 and 300 seconds inclusive.",
        ),
        (
            "refresh_token_rotation_grace_period: 301",
            "'refresh_token_rotation_grace_period' must be between 0 and 300 seconds inclusive.",
        ),
        ("access_token_validity_jitter: 0.26", "'access_token_validity_jitter' must be between 0 and 0.25 inclusive."),
        ("access_token_validity_jitter: -0.1", "'access_token_validity_jitter' must be between 0 and 0.25 inclusive."),
        ("max_server_pool_size: 0", "'max_server_pool_size' must be >= 1."),
    ] {
        let given = Given::new().file(lines);
        assert_eq!(given.refused(), given.here(sentence), "{lines}");
        let key = lines.split(':').next().unwrap();
        let value = lines.split(' ').nth(1).unwrap();
        assert_eq!(Given::new().flag(key, value).refused(), sentence, "without a file");
    }
}

#[test]
fn the_other_rules_have_their_sentences() {
    let short_key = "One of the API keys is too short. Please use at least 20 characters";
    for (lines, sentence) in [
        ("password_reset_token_lifetime: 0", "'password_reset_token_lifetime' must be >= 0"),
        ("email_verification_token_lifetime: -5", "'email_verification_token_lifetime' must be >= 0"),
        ("passwordless_max_code_input_attempts: 0", "'passwordless_max_code_input_attempts' must be > 0"),
        ("passwordless_code_lifetime: 0", "'passwordless_code_lifetime' must be > 0"),
        ("totp_max_attempts: 0", "'totp_max_attempts' must be > 0"),
        ("totp_rate_limit_cooldown_sec: 0", "'totp_rate_limit_cooldown_sec' must be > 0"),
        ("api_keys: short", short_key),
        ("api_keys: \"\"", short_key),
        ("api_keys: abcdefghijklmnopqrstuvwx,,abcdefghijklmnopqrstuvwx", short_key),
        (
            "api_keys: abcdefghijklmnopqrstuvwx_",
            "Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)",
        ),
        ("supertokens_saas_secret: x", "supertokens_saas_secret can only be used when api_key is also defined"),
        (
            "api_keys: abcdefghijklmnopqrstuvwx\nsupertokens_saas_secret: abcdefghijklmnopqrstuvwx",
            "supertokens_saas_secret is too short. Please use at least 40 characters",
        ),
        (
            "api_keys: abcdefghijklmnopqrstuvwx\nsupertokens_saas_secret: abcdefghijklmnopqrstuvwxabcdefghijklmnopqrstuv_x",
            "Invalid characters in supertokens_saas_secret key. Please only use '=', '-' and alpha-numeric (including \
             capitals)",
        ),
        ("password_hashing_alg: SHA", "'password_hashing_alg' must be one of 'ARGON2' or 'BCRYPT'"),
        ("bcrypt_log_rounds: 0", "'bcrypt_log_rounds' must be >= 1"),
        ("password_hashing_alg: argon2\nargon2_iterations: 0", "'argon2_iterations' must be >= 1"),
        ("password_hashing_alg: argon2\nargon2_memory_kb: 0", "'argon2_memory_kb' must be >= 1"),
        ("password_hashing_alg: argon2\nargon2_parallelism: 0", "'argon2_parallelism' must be >= 1"),
        ("password_hashing_alg: argon2\nargon2_hashing_pool_size: 0", "'argon2_hashing_pool_size' must be >= 1"),
        (
            "password_hashing_alg: argon2\nargon2_hashing_pool_size: 11",
            "'argon2_hashing_pool_size' must be <= 'max_server_pool_size'",
        ),
        ("bcrypt_log_rounds: 21", "'bcrypt_log_rounds' must be <= 20"),
        ("argon2_memory_kb: 1048577", "'argon2_memory_kb' must be <= 1048576"),
        ("argon2_parallelism: 1025", "'argon2_parallelism' must be <= 1024"),
        (
            "argon2_memory_kb: 1048576\nargon2_iterations: 33",
            "'argon2_memory_kb' times 'argon2_iterations' must be <= 33554432",
        ),
        ("password_hashing_queue_size: -1", "'password_hashing_queue_size' must be >= 0"),
        ("base_path: /a b", "Invalid characters in base_path config"),
        ("log_level: LOUD", "'log_level' config must be one of \"NONE\",\"DEBUG\", \"INFO\", \"WARN\" or \"ERROR\"."),
        ("ip_allow_regex: '['", "Provided regular expression is invalid for ip_allow_regex config"),
        ("ip_deny_regex: 'a)|(b'", "Provided regular expression is invalid for ip_deny_regex config"),
        ("supertokens_max_cdi_version: \"5.x\"", "supertokens_max_cdi_version is not a valid semantic version"),
        ("supertokens_max_cdi_version: \"9.9\"", "supertokens_max_cdi_version is not a supported version"),
        ("supertokens_min_cdi_version: \"\"", "supertokens_min_cdi_version is not a valid semantic version"),
        ("supertokens_min_cdi_version: \"2.6\"", "supertokens_min_cdi_version is not a supported version"),
        (
            "supertokens_min_cdi_version: \"2.10\"\nsupertokens_max_cdi_version: \"2.9\"",
            "supertokens_min_cdi_version cannot be greater than supertokens_max_cdi_version",
        ),
    ] {
        assert_eq!(Given::new().file(lines).refused(), sentence, "{lines}");
    }
}

#[test]
fn rules_of_later_recipes_and_our_own_have_their_sentences() {
    let urls = "oauth_provider_public_service_url, oauth_provider_admin_service_url, \
                oauth_provider_consent_login_base_url";
    for (lines, sentence) in [
        ("bulk_migration_parallelism: 0", "Provided bulk_migration_parallelism must be >= 1"),
        ("bulk_migration_batch_size: 0", "Provided bulk_migration_batch_size must be >= 1"),
        ("webauthn_recover_account_token_lifetime: 0", "Provided webauthn_recover_account_token_lifetime must be > 0"),
        (
            "recent_token_reuse_behaviour: PANIC",
            "recent_token_reuse_behaviour property is not set correctly. It must be one of [TOKEN_THEFT, UNAUTHORISED]",
        ),
        (
            "access_token_signing_algorithm: none",
            "access_token_signing_algorithm property is not set correctly. It must be one of [auto, EdDSA, RS256]",
        ),
        ("log_format: xml", "log_format property is not set correctly. It must be one of [text, json]"),
        ("supertokens_saas_load_only_cud: \"a/b\"", "supertokens_saas_load_only_cud is invalid"),
        ("oauth_provider_admin_service_url: nowhere", "oauth_provider_admin_service_url is not a valid URL"),
        (
            "oauth_provider_url_configured_in_oauth_provider: /x",
            "oauth_provider_url_configured_in_oauth_provider is not a valid URL",
        ),
        ("port: 65536", "'port' must be between 0 and 65535 inclusive."),
        (
            "session_timeline_retention_days: 3651",
            "'session_timeline_retention_days' must be between 0 and 3650 inclusive.",
        ),
        ("cache_size_mb: 0", "'cache_size_mb' must be >= 1"),
        ("max_request_body_kb: 0", "'max_request_body_kb' must be >= 1"),
        ("shutdown_timeout_ms: -1", "'shutdown_timeout_ms' must be >= 0"),
        ("data_dir: \"\"", "'data_dir' must not be empty"),
    ] {
        assert_eq!(Given::new().file(lines).refused(), sentence, "{lines}");
    }
    let some = Given::new().file("oauth_provider_public_service_url: http://localhost:4444");
    assert_eq!(some.refused(), format!("If any of the following is set, all of them has to be set: {urls}"));
}

#[test]
fn the_first_rule_in_the_protocols_order_wins() {
    let ordered = [
        ("access_token_validity", "0", "'access_token_validity' must be between"),
        ("refresh_token_validity", "0", "'refresh_token_validity' must be strictly"),
        ("access_token_dynamic_signing_key_update_interval", "0", "'access_token_dynamic_signing_key_update_interval'"),
        ("refresh_token_rotation_grace_period", "999", "'refresh_token_rotation_grace_period'"),
        ("access_token_validity_jitter", "1", "'access_token_validity_jitter'"),
        ("password_reset_token_lifetime", "0", "'password_reset_token_lifetime'"),
        ("passwordless_code_lifetime", "0", "'passwordless_code_lifetime'"),
        ("totp_max_attempts", "0", "'totp_max_attempts'"),
        ("max_server_pool_size", "0", "'max_server_pool_size'"),
        ("api_keys", "short", "One of the API keys"),
        ("supertokens_saas_secret", "x", "supertokens_saas_secret can only be used"),
        ("password_hashing_alg", "x", "'password_hashing_alg'"),
        ("base_path", "a b", "Invalid characters in base_path"),
        ("log_level", "x", "'log_level'"),
        ("ip_allow_regex", "(", "Provided regular expression"),
        ("supertokens_max_cdi_version", "x", "supertokens_max_cdi_version"),
        ("bulk_migration_batch_size", "0", "Provided bulk_migration_batch_size"),
        ("webauthn_recover_account_token_lifetime", "0", "Provided webauthn"),
        ("recent_token_reuse_behaviour", "x", "recent_token_reuse_behaviour property"),
        ("oauth_provider_public_service_url", "x", "oauth_provider_public_service_url is not"),
    ];
    for (index, (_, _, sentence)) in ordered.iter().enumerate() {
        let broken = ordered.iter().skip(index);
        let given = broken.fold(Given::new(), |given, (key, value, _)| given.flag(key, value));
        assert!(given.refused().starts_with(sentence), "expected {sentence}, got {}", given.refused());
    }
}

#[test]
fn test_mode_relaxes_three_rules_and_the_overlap() {
    let given = Given::new()
        .file(
            "access_token_validity: 2\nrefresh_token_validity: 0.0001\nrefresh_token_rotation_grace_period: 1000\n\
             access_token_dynamic_signing_key_update_interval: 0.001",
        )
        .test_mode();
    let config = given.loaded().config;
    assert!(config.test_mode);
    assert_eq!(config.app.refresh_token_validity_ms, 6);
    assert_eq!(config.app.refresh_token_rotation_grace_period_ms, 1_000_000);
    assert_eq!((config.app.dynamic_signing_key_update_interval_ms, config.app.signing_key_overlap_ms), (3600, 720));
    assert!(Given::new().flag("access_token_validity", "0").test_mode().refused().contains("between 1 and"));
    assert!(Given::new().flag("access_token_validity_jitter", "0.3").test_mode().refused().contains("jitter"));
    assert!(Given::new().flag("api_keys", "short").test_mode().refused().contains("too short"));
}

#[test]
fn test_mode_listens_on_this_machine_only_unless_forced() {
    for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]"] {
        assert_eq!(may_bind(host, true, false), Ok(()), "{host}");
    }
    for host in ["0.0.0.0", "::", "10.0.0.1", "example.com", "", "localhost.evil.com"] {
        let refusal = may_bind(host, true, false).unwrap_err();
        assert!(refusal.contains(&format!("'{host}'")), "{refusal}");
        assert_eq!(may_bind(host, true, true), Ok(()));
        assert_eq!(may_bind(host, false, false), Ok(()));
    }
}

#[test]
fn base_paths_are_normalised() {
    for (written, path) in [
        ("", ""),
        ("/", ""),
        ("a", "/a"),
        ("/a/", "/a"),
        ("//a//b//", "/a/b"),
        (" /A ", "/A"),
        ("a/b", "/a/b"),
        ("/a%C3%BC/v1.0~:@", "/a%C3%BC/v1.0~:@"),
    ] {
        assert_eq!(BaseConfig::with(&[("base_path", written)], false).unwrap().base_path, path, "{written:?}");
    }
}

#[test]
fn a_base_path_that_no_request_can_have_is_refused() {
    for written in
        ["/ü", "/core?x", "/core#x", "/a/../b", "/.", "/%2e%2E", "/a%", "/a%zz", "/a%2", "/<x>", "/a\\b", "/a|b"]
    {
        let error = BaseConfig::with(&[("base_path", written)], false).unwrap_err().to_string();
        assert!(
            error.starts_with("Invalid characters in base_path config: no request can have "),
            "{written}: {error}"
        );
    }
}

#[test]
fn enumerations_and_versions_are_read_without_regard_to_case() {
    let settings = [
        ("recent_token_reuse_behaviour", "unauthorised"),
        ("access_token_signing_algorithm", "rs256"),
        ("log_level", " debug "),
        ("supertokens_min_cdi_version", "2.9"),
        ("supertokens_max_cdi_version", "2.10"),
    ];
    let config = BaseConfig::with(&settings, false).unwrap();
    assert_eq!(config.app.recent_token_reuse_behaviour, RecentTokenReuse::Unauthorised);
    assert_eq!(config.app.access_token_signing_algorithm, Some(SigningAlgorithm::RS256));
    assert_eq!(config.app.max_cdi_version.as_deref(), Some("2.10"));
}

#[test]
fn api_keys_are_split_without_white_space() {
    let list = format!(" {KEY} ,\t{}, ", KEY.to_uppercase());
    let config = BaseConfig::with(&[("api_keys", &list)], false).unwrap();
    assert_eq!(config.app.api_keys.len(), 2);
    assert!(config.app.api_keys.iter().any(|key| key.matches(KEY.as_bytes())));
}

#[test]
fn ip_rules_match_the_whole_address() {
    let config = BaseConfig::with(&[("ip_allow_regex", "10|127.*"), ("ip_deny_regex", "  ")], false).unwrap();
    let allow = config.app.ip_allow.as_ref().unwrap();
    assert!(allow.is_match("127.0.0.1") && allow.is_match("10") && !allow.is_match("10.0.0.1"));
    assert!(config.app.ip_deny.is_none());
}

#[test]
fn the_versions_of_settings_are_those_of_the_interface() {
    use sessiond::http::cdi::version::CdiVersion;
    let spoken: Vec<_> = CdiVersion::supported_up_to(CdiVersion::LATEST).collect();
    assert_eq!(spoken, sessiond::config::validate::CDI_VERSIONS);
}

#[test]
fn lists_of_whom_to_believe_name_what_is_no_item_of_theirs() {
    for (key, good, bad) in [
        ("trusted_proxies", " 10.0.0.0/8, ::1,192.0.2.7 ,fd00::/8,", "10.0.0.0/33"),
        ("trusted_proxies", "0.0.0.0/0", "proxy.internal"),
        ("allowed_hosts", "core.example.com, *.Example.net.,my_core,*", "core.example.com:3567"),
        ("allowed_hosts", "127.0.0.1", "http://core"),
        ("allowed_hosts", "*.a", "a.*"),
        ("allowed_origins", "http://localhost:3000, https://a.example.com,http://[::1]:80", "localhost:3000"),
        ("allowed_origins", "*", "http://localhost/x"),
        ("allowed_origins", "http://a", "null"),
        ("allowed_origins", "HTTP://A", "http://a/"),
    ] {
        assert!(BaseConfig::with(&[(key, good)], false).is_ok(), "{key}: {good}");
        let error = BaseConfig::with(&[(key, &format!("{good},{bad}"))], false).map(|_| ());
        let error = if good.contains('*') && key == "allowed_origins" {
            BaseConfig::with(&[(key, bad)], false).unwrap_err().to_string()
        } else {
            error.unwrap_err().to_string()
        };
        assert!(error.starts_with(&format!("'{key}' must be a comma-separated list of ")), "{error}");
        assert!(error.ends_with(&format!(": '{bad}' is none")), "{error}");
    }
    for (key, value) in [("brute_force_address_header", "x y"), ("trusted_proxy_header", "x-real-ip")] {
        let error = BaseConfig::with(&[(key, value)], false).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}
