//! `sessiond config`, and messages about settings at startup.

use crate::cli::sandbox::Sandbox;
use serde_json::{Value, json};

fn setting<'a>(document: &'a Value, key: &str) -> &'a Value {
    document["settings"].as_array().unwrap().iter().find(|row| row["key"] == key).unwrap()
}

#[test]
fn every_value_comes_with_its_source_and_secrets_are_masked() {
    const KEY: &str = "a-very-secret-api-key-0123456789";
    let mut sandbox = Sandbox::new();
    sandbox.write("config.yaml", &format!("core_config_version: 0\napi_keys: {KEY}\naccess_token_validity: 120\n"));
    sandbox.set("REFRESH_TOKEN_VALIDITY", "9000");
    sandbox.set("SESSIOND_MASTER_KEY", "a-master-key-of-more-than-32-characters");
    let server = sandbox.serve(&["--ephemeral"]);
    for args in [["config", "--json"].as_slice(), &["config", "--json", "--offline"]] {
        let document = sandbox.json(args);
        assert_eq!(setting(&document, "access_token_validity")["value"], json!("120"));
        assert_eq!(setting(&document, "access_token_validity")["from"], json!("config file, line 3"));
        assert_eq!(setting(&document, "refresh_token_validity")["from"], json!("environment, REFRESH_TOKEN_VALIDITY"));
        assert_eq!(setting(&document, "base_path")["from"], json!("default"));
        assert_eq!(setting(&document, "api_keys")["value"], json!("********"));
        let text = document.to_string();
        assert!(!text.contains(KEY) && !text.contains("a-master-key"), "{text}");
    }
    assert_eq!(setting(&sandbox.json(&["config", "--json"]), "port")["from"], json!("command line"));
    let changed = sandbox.run(&["config", "--changed", "--offline"]).out;
    assert!(changed.contains("access_token_validity = 120") && !changed.contains("base_path"), "{changed}");
    assert!(!changed.contains(KEY), "{changed}");
    drop(server);
}

#[test]
fn an_unknown_key_is_warned_about_with_its_line_and_the_nearest_known_key() {
    let sandbox = Sandbox::new();
    sandbox.write("config.yaml", "core_config_version: 0\n\nacces_token_validity: 5\n");
    let offline = sandbox.run(&["config", "--changed"]);
    assert!(offline.err.contains("config.yaml, line 3: unknown key 'acces_token_validity'"), "{offline:?}");
    assert!(offline.err.contains("access_token_validity'"), "{offline:?}");
    let mut server = sandbox.serve(&["--ephemeral"]);
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    server.wait();
    assert!(server.err().contains("line 3: unknown key 'acces_token_validity'"), "{}", server.err());
}

#[test]
fn values_and_flags_may_have_white_space_around_them() {
    let mut sandbox = Sandbox::new();
    sandbox.write("c.yaml", "core_config_version: 0\nlog_level: \"WARN\\r\"\n");
    sandbox.set("SESSIOND_DATA_DIR", "elsewhere\r\n");
    sandbox.set("IP_DENY_REGEX", "'192\\.0\\.2\\.1'\n");
    let flags = ["--ephemeral", "--config", "c.yaml\r", "--log-format", "json\u{a0}", "--host", "127.0.0.1\n"];
    let server = sandbox.spawn(&[&["serve", "--port", " 0\r"], &flags[..]].concat());
    let mut server = server;
    server.wait_for_line("Started SuperTokens on 127.0.0.1:");
    for args in [["config", "--json"].as_slice(), &["config", "--json", "--offline", "--config", "c.yaml"]] {
        let document = sandbox.json(args);
        let row = |key| (setting(&document, key)["value"].clone(), setting(&document, key)["from"].clone());
        assert_eq!(row("log_level"), (json!("WARN"), json!("config file, line 2")));
        assert_eq!(row("data_dir"), (json!("elsewhere"), json!("environment, SESSIOND_DATA_DIR")));
        assert_eq!(row("ip_deny_regex"), (json!("192\\.0\\.2\\.1"), json!("environment, IP_DENY_REGEX")));
    }
    assert!(sandbox.path().join("elsewhere").exists());
}

#[test]
fn a_flag_that_cannot_be_read_is_shown_as_it_is() {
    let sandbox = Sandbox::new();
    let port = sandbox.run(&["serve", "--port", "35\u{200b}67"]);
    assert!(port.err.contains(r#""35\u{200b}67" is not a port number"#), "{port:?}");
    let word = sandbox.run(&["serve", "port=x\r"]);
    assert_eq!((word.code, word.err.as_str()), (Some(1), "error: \"x\\r\" is not a port number\n"));
    let level = sandbox.run(&["serve", "--log-level", "IN\u{feff}FO", "--port", "0"]);
    assert!(
        level
            .err
            .contains(r#"'log_level' holds the invisible character \u{feff}: "IN\u{feff}FO", on the command line"#)
    );
}

#[test]
fn a_configuration_file_is_named_once() {
    let sandbox = Sandbox::new();
    let (one, two) =
        (sandbox.write("1.yaml", "core_config_version: 0\n"), sandbox.write("2.yaml", "core_config_version: 0\n"));
    let twice = sandbox.run(&["config", "--config", "1.yaml", "--config", "2.yaml"]);
    assert_eq!(twice.code, Some(2), "{twice:?}");
    let word = format!("configFile={}", two.display());
    let both = sandbox.run(&["serve", "--config", one.to_str().unwrap(), &word]);
    assert_eq!(both.code, Some(1), "{both:?}");
    assert!(both.err.contains("two configuration files were given"), "{both:?}");
}

#[test]
fn completions_know_the_values_of_a_flag() {
    let script = Sandbox::new().run(&["completions", "bash"]).out;
    assert!(script.contains("\"text json\""), "{script}");
}

#[test]
fn commands_find_the_folder_that_the_configuration_names() {
    let mut sandbox = Sandbox::new();
    sandbox.write("config.yaml", "core_config_version: 0\ndata_dir: elsewhere\n");
    let server = sandbox.serve(&["--ephemeral"]);
    assert!(sandbox.path().join("elsewhere").exists() && !sandbox.path().join("data").exists());
    assert_eq!(sandbox.json(&["ready", "--json"])["pid"], json!(server.pid()));
    sandbox.set("SESSIOND_DATA_DIR", "other");
    assert_eq!(sandbox.run(&["ready"]).code, Some(1), "the environment takes precedence over the file");
}

#[test]
fn log_lines_go_where_the_settings_say() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "config.yaml",
        "core_config_version: 0\ninfo_log_path: logs/info.log\nerror_log_path: logs/error.log\nlog_format: json\n\
         log_level: DEBUG\nunknown: 1\n",
    );
    let mut server = sandbox.serve(&["--ephemeral"]);
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    server.wait();
    let read = |name: &str| std::fs::read_to_string(sandbox.path().join(name)).unwrap();
    for text in [read("logs/info.log"), read("logs/error.log"), server.out()] {
        for line in text.lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "not JSON: {line}");
        }
    }
    assert!(read("logs/info.log").contains("Started SuperTokens on"));
    assert!(read("logs/error.log").contains("unknown key 'unknown'"));
    assert!(server.out().contains("Started SuperTokens on"), "wrappers still see it");
    assert_eq!(server.err(), "");
}

#[test]
fn log_level_none_leaves_only_the_lines_that_wrappers_wait_for() {
    let sandbox = Sandbox::new();
    sandbox.write("config.yaml", "core_config_version: 0\nunknown: 1\n");
    let mut server = sandbox.serve(&["--ephemeral", "--log-level", "NONE"]);
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    server.wait();
    let out = server.out();
    assert_eq!(out.lines().count(), 5, "{out}");
    assert!(out.ends_with("Stopping webserver...\nGoodbye\n"), "{out}");
    assert_eq!(server.err(), "");
}
