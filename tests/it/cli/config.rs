//! `sessiond config`, and what a start says about settings.

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
fn commands_find_the_folder_that_the_configuration_names() {
    let mut sandbox = Sandbox::new();
    sandbox.write("config.yaml", "core_config_version: 0\ndata_dir: elsewhere\n");
    let server = sandbox.serve(&["--ephemeral"]);
    assert!(sandbox.path().join("elsewhere").exists() && !sandbox.path().join("data").exists());
    assert_eq!(sandbox.json(&["ready", "--json"])["pid"], json!(server.pid()));
    sandbox.set("SESSIOND_DATA_DIR", "other");
    assert_eq!(sandbox.run(&["ready"]).code, Some(1), "the environment wins over the file");
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
    assert_eq!(out.lines().count(), 4, "{out}");
    assert!(out.ends_with("Stopping webserver...\nGoodbye\n"), "{out}");
    assert_eq!(server.err(), "");
}
