use super::Given;
use sessiond::config::{BaseConfig, ConfigFile, LogFormat, LogLevel, Origin, Sources, load};

fn effective(config: &BaseConfig, key: &str) -> (String, Origin) {
    let row = config.effective_settings().into_iter().find(|row| row.key == key).unwrap();
    (row.value, row.origin)
}

#[test]
fn nothing_given_means_the_built_in_settings() {
    let loaded = load(&Sources::default()).unwrap();
    let config = loaded.config;
    assert!(loaded.warnings.is_empty());
    assert_eq!((config.host.as_str(), config.port, config.base_path.as_str()), ("localhost", 3567, ""));
    assert_eq!((config.log.level, config.log.format), (LogLevel::Info, LogFormat::Text));
    assert_eq!(config.limits.body_bytes, 1 << 20);
    assert_eq!(config.cache_bytes, 32 << 20);
    let app = &config.app;
    assert_eq!(app.access_token_validity_ms, 3_600_000);
    assert_eq!(app.refresh_token_validity_ms, 144_000 * 60_000);
    assert_eq!(app.refresh_token_rotation_grace_period_ms, 30_000);
    assert_eq!(app.dynamic_signing_key_update_interval_ms, 168 * 3_600_000);
    assert_eq!(app.signing_key_overlap_ms, 60_000);
    assert_eq!(app.session_timeline_retention_ms, 31 * 86_400_000);
    assert!(config.effective_settings().iter().all(|row| row.origin == Origin::Default));
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let given = Given::new()
        .file("port: 1\nhost: file\naccess_token_validity: 10")
        .env("SUPERTOKENS_PORT", "2")
        .env("SUPERTOKENS_HOST", "env")
        .flag("port", "3");
    let config = given.loaded().config;
    assert_eq!(effective(&config, "port"), ("3".to_owned(), Origin::Flag));
    assert_eq!(effective(&config, "host"), ("env".to_owned(), Origin::Env("SUPERTOKENS_HOST")));
    assert_eq!(effective(&config, "access_token_validity"), ("10".to_owned(), Origin::File { line: 4 }));
    assert_eq!((config.port, config.host.as_str()), (3, "env"));
    assert_eq!(config.config_path, Some(given.path()));
}

#[test]
fn a_file_must_say_its_version() {
    for text in ["", "# nothing\n", "port: 1\n", "core_config_version:\n", "core_config_version: ~\u{a0}\n"] {
        let given = Given::new().raw_file(text);
        let sentence = "'core_config_version' is not set in the config.yaml file. Please redownload and install SuperTokens, \
                        or add the line 'core_config_version: 0' to";
        assert_eq!(given.refused(), format!("{sentence} {}", given.path().display()), "{text:?}");
    }
    let given = Given::new().raw_file("core_config_version: 1");
    assert_eq!(given.refused(), given.here("'core_config_version' must be 0."));
}

#[test]
fn a_missing_file_matters_only_if_it_was_asked_for() {
    let mut given = Given::new();
    given.sources.config_file = ConfigFile::IfPresent(given.path());
    assert_eq!(given.loaded().config.config_path, None);
    given.sources.config_file = ConfigFile::Required(given.path());
    assert!(given.refused().starts_with(&format!("cannot read the config file {}: ", given.path().display())));
}

#[test]
fn malformed_files_are_named_with_their_line() {
    let given = Given::new().file("port: [1");
    assert!(given.refused().starts_with(&format!("{}, line ", given.path().display())), "{}", given.refused());
    assert!(Given::new().raw_file("- port").refused().ends_with("line 1: expected lines of the form `key: value`"));
}

#[test]
fn unknown_keys_are_warned_about_with_line_and_nearest_key() {
    let given = Given::new().file("acces_token_validity: 10\n\nsomething: {a: 1}");
    let path = given.path();
    assert_eq!(
        given.loaded().warnings,
        [
            format!(
                "{}, line 2: unknown key 'acces_token_validity' is ignored. Did you mean 'access_token_validity'?",
                path.display()
            ),
            format!("{}, line 4: unknown key 'something' is ignored.", path.display()),
        ]
    );
}

#[test]
fn database_settings_are_named_once() {
    let given = Given::new()
        .file("postgresql_connection_uri: \"postgresql://u:p@h/d\"\nmysql_host: x\nmigration_mode: LEGACY")
        .env("POSTGRESQL_PASSWORD", "p");
    let warnings = given.loaded().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("Database settings ('postgresql_connection_uri' in "), "{warnings:?}");
    assert!(!warnings[0].contains("u:p@h"));
}

#[test]
fn types_of_a_file_are_those_of_the_protocol() {
    let given = Given::new().file(
        "port: \"1234\"\naccess_token_validity: 20.0\nrefresh_token_validity: 600\ndisable_telemetry: \"True\"\n\
         api_keys: 12345678901234567890\nbase_path:\naccess_token_validity_jitter: null\nlog_level: null",
    );
    let config = given.loaded().config;
    assert_eq!((config.port, config.base_path.as_str()), (1234, ""));
    assert_eq!(config.app.access_token_validity_ms, 20_000);
    assert!((config.app.access_token_validity_jitter - 0.05).abs() < f64::EPSILON);
    assert!(config.app.api_keys[0].matches(b"12345678901234567890"));
    for (line, kind, shown) in [
        ("port: x", "int", "\"x\""),
        ("port: \"1.0\"", "int", "\"1.0\""),
        ("port: 1.5", "int", "\"1.5\""),
        ("port: 3000000000", "int", "\"3000000000\""),
        ("port: [1]", "int", "a list or an object"),
        ("access_token_validity: yes", "long", "\"yes\""),
        ("refresh_token_validity: many", "double", "\"many\""),
        ("refresh_token_validity: .inf", "double", "\".inf\""),
        ("disable_telemetry: 1", "boolean", "\"1\""),
        ("host: {}", "String", "a list or an object"),
    ] {
        let given = Given::new().file(line);
        let key = line.split(':').next().unwrap();
        let sentence = format!("'{key}' must be of type {kind}, not {shown}, in line 2.");
        assert_eq!(given.refused(), given.here(&sentence), "{line}");
    }
}

#[test]
fn environment_values_are_unwrapped_and_empty_ones_ignored() {
    let config = Given::new()
        .env("SESSIOND_DATA_DIR", "\"\\t/a\\\\b\\n\"")
        .env("SUPERTOKENS_HOST", "")
        .env("SUPERTOKENS_PORT", "\"\"")
        .env("IP_ALLOW_REGEX", "\"10\\\\..*\"")
        .loaded()
        .config;
    assert_eq!(config.data_dir.to_str(), Some("/a\\b"));
    assert_eq!((config.host.as_str(), config.port), ("localhost", 3567));
    assert!(config.app.ip_allow.as_ref().unwrap().is_match("10.1"));
}

#[test]
fn numbers_of_the_environment_are_strict_and_odd_truth_values_false() {
    for value in ["1.0", "x", "1 1", "3000000000"] {
        assert_eq!(
            Given::new().env("SUPERTOKENS_PORT", value).refused(),
            format!("'port' must be of type int, not \"{value}\", in the environment variable SUPERTOKENS_PORT.")
        );
    }
    let loaded = Given::new().env("ACCESS_TOKEN_BLACKLISTING", "TRUE").env("EPHEMERAL", "x").loaded();
    assert!(loaded.config.app.access_token_blacklisting && loaded.warnings.is_empty());
    let loaded = Given::new().env("ACCESS_TOKEN_SIGNING_KEY_DYNAMIC", "1").loaded();
    assert!(!loaded.config.app.access_token_signing_key_dynamic);
    assert_eq!(
        loaded.warnings,
        [
            "Environment variable ACCESS_TOKEN_SIGNING_KEY_DYNAMIC is neither true nor false but \"1\": it counts as false."
        ]
    );
}

#[test]
fn unknown_variables_of_ours_are_warned_about() {
    let warnings = Given::new()
        .env("SESSIOND_CACHE_SIZE", "1")
        .env("SESSIOND_PORT", "1")
        .env("SESSIOND_QQQ", "1")
        .env("SESSIOND_DATA_DIR", "d")
        .env("OTHER_SESSIOND_THING", "1")
        .loaded()
        .warnings;
    assert_eq!(
        warnings,
        [
            "Unknown environment variable SESSIOND_CACHE_SIZE is ignored. Did you mean SESSIOND_CACHE_SIZE_MB?",
            "Unknown environment variable SESSIOND_PORT is ignored. Did you mean SUPERTOKENS_PORT?",
            "Unknown environment variable SESSIOND_QQQ is ignored.",
        ]
    );
}

#[test]
fn settings_without_effect_say_why() {
    let given = Given::new().file("max_server_pool_size: 20\ndisable_telemetry: true");
    assert_eq!(
        given.loaded().warnings,
        ["'max_server_pool_size' (config file, line 2) has no effect: requests are not bound to threads here."]
    );
}

#[test]
fn the_master_key_comes_from_the_environment_or_a_file() {
    let key = "correct horse battery staple 1234";
    let master = |given: &Given| given.loaded().config.master_key.map(|key| key.expose().clone());
    assert_eq!(master(&Given::new()), None);
    assert_eq!(master(&Given::new().env("SESSIOND_MASTER_KEY", key)).as_deref(), Some(key));
    let quoted = format!("\"{key}\"");
    assert_eq!(master(&Given::new().env("SESSIOND_MASTER_KEY", &quoted)).as_deref(), Some(key));
    let given = Given::new();
    let file = given.folder.path().join("key");
    std::fs::write(&file, format!("{key}\n")).unwrap();
    let given = given.env("SESSIOND_MASTER_KEY_FILE", file.to_str().unwrap());
    assert_eq!(master(&given).as_deref(), Some(key));
    let both = given.env("SESSIOND_MASTER_KEY", key);
    assert_eq!(both.refused(), "Set SESSIOND_MASTER_KEY or SESSIOND_MASTER_KEY_FILE, not both");
    std::fs::write(&file, "\n").unwrap();
    let empty = Given::new().env("SESSIOND_MASTER_KEY_FILE", file.to_str().unwrap());
    assert!(empty.refused().starts_with("The file in SESSIOND_MASTER_KEY_FILE is empty"));
}

#[test]
fn secrets_are_masked_wherever_settings_are_shown() {
    let key = "abcdefghijklmnopqrstuvwx";
    let secret = "S".repeat(40);
    let signer = "firebase-signer-key";
    let config = Given::new()
        .file(&format!("api_keys: {key}\nsupertokens_saas_secret: {secret}"))
        .env("FIREBASE_PASSWORD_HASHING_SIGNER_KEY", signer)
        .env("SESSIOND_MASTER_KEY", "correct horse battery staple 1234")
        .loaded()
        .config;
    assert_eq!(effective(&config, "api_keys"), ("********".to_owned(), Origin::File { line: 2 }));
    let shown = format!("{config:?} {:?}", config.effective_settings());
    for text in [key, &secret, signer, "correct horse"] {
        assert!(!shown.contains(text), "{text} is shown");
    }
}

#[test]
fn a_flag_must_name_a_setting() {
    assert_eq!(Given::new().flag("no_such_key", "1").refused(), "Invalid config key: no_such_key");
    assert_eq!(Given::new().flag("port", "x").refused(), "'port' must be of type int, not \"x\", on the command line");
}
