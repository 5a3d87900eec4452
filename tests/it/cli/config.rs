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

const WRONG: &str = "core_config_version: 0\nport: x\n\naccess_token_validity: 6000000\nrefresh_token_validity: 600\n\
                     sign_up_form_fields:\n- id: ''\nunknown_thing: 1\n";

#[test]
fn a_check_says_everything_at_once_and_starts_nothing() {
    let mut sandbox = Sandbox::new();
    let file = sandbox.write("wrong.yaml", WRONG);
    sandbox.set("SESSIOND_FRONT_PORT", "far");
    let found = sandbox.run(&["config", "check", "wrong.yaml"]);
    let file = file.display();
    let expected = [
        format!("{file}:2:7: error: 'port' must be of type int, not \"x\""),
        "  'port': int, 0 to 65535; default: 3567".to_owned(),
        "environment variable SESSIOND_FRONT_PORT: error: 'front_port' must be of type int, not \"far\"".to_owned(),
        "  'front_port': int, 0 to 65535; default: 3568".to_owned(),
        format!("{file}:5:25: error: 'refresh_token_validity' must be strictly greater than 'access_token_validity'."),
        format!("  'access_token_validity' is set here: {file}:4:24"),
        format!("{file}:7:3: error: sign_up_form_fields[0].id must not be empty"),
        "  'sign_up_form_fields': JSON; default: \"[]\"".to_owned(),
        format!("{file}:8:1: warning: unknown key 'unknown_thing' is ignored."),
        "4 errors, 1 warning".to_owned(),
    ];
    assert_eq!(
        (found.code, found.out.lines().collect::<Vec<_>>()),
        (Some(1), expected.iter().map(String::as_str).collect())
    );
    let json = sandbox.run(&["config", "check", "wrong.yaml", "--json"]);
    let document: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.code, &document["accepted"]), (Some(1), &json!(false)));
    let first = &document["errors"][0];
    assert_eq!(first["places"], json!([{"setting": "port", "file": file.to_string(), "line": 2, "column": 7}]));
    assert_eq!(document["errors"][1]["places"], json!([{"setting": "front_port", "variable": "SESSIOND_FRONT_PORT"}]));
    assert_eq!(document["warnings"].as_array().unwrap().len(), 1);
    assert!(!sandbox.path().join("data").exists());
}

#[test]
fn a_check_of_good_settings_succeeds_and_reads_standard_input() {
    use std::io::Write;
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["config", "check"]).out, "0 errors, 0 warnings\n", "without a file");
    let check = |text: &str| {
        let mut command = sandbox.command(&["config", "check", "-"]);
        let mut child =
            command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(check("core_config_version: 0\nport: 1\n"), (Some(0), "0 errors, 0 warnings\n".to_owned()));
    let (code, text) = check(WRONG);
    assert!(code == Some(1) && text.starts_with("standard input:2:7: error: "), "{text}");
    let (code, _) = check("core_config_version: 0\nrefresh_token_validity: 1\n");
    assert_eq!(code, Some(1));
    sandbox.write("short.yaml", "core_config_version: 0\nrefresh_token_validity: 1\n");
    assert_eq!(sandbox.run(&["config", "check", "short.yaml", "--dev"]).code, Some(0));
    assert_eq!(sandbox.run(&["config", "check", "none.yaml"]).code, Some(1));
}

#[test]
fn a_check_looks_at_the_templates() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path().join("own/mail")).unwrap();
    sandbox.write("own/mail/layout.txt", "{{ subject");
    sandbox.write("config.yaml", "core_config_version: 0\nfront_templates_dir: own\n");
    let found = sandbox.run(&["config", "check"]);
    assert!(
        found.code == Some(0) && found.out.starts_with("own/mail/layout.txt: warning: cannot be used: "),
        "{found:?}"
    );
}

#[test]
fn a_server_that_does_not_start_says_all_reasons() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("config.yaml", WRONG);
    let refused = sandbox.run(&["serve", "--ephemeral"]);
    let file = file.display();
    let expected = format!(
        "What caused the crash: 'port' must be of type int, not \"x\", in line 2. The config file can be found here: \
         {file}\nWhat caused the crash: 'refresh_token_validity' must be strictly greater than 'access_token_validity'. \
         The config file can be found here: {file}\nWhat caused the crash: sign_up_form_fields[0].id must not be empty \
         ({file}:7:3)\n"
    );
    assert_eq!((refused.code, refused.err), (Some(1), expected));
    let shown = sandbox.run(&["config"]);
    assert!(shown.err.ends_with("(and 2 more: \"sessiond config check\" lists them)\n"), "{shown:?}");
}
