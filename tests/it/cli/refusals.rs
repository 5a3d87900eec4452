//! Starts that must fail: one line with the cause and the remedy, exit code 1, nothing left behind.

use crate::cli::sandbox::{Ended, Sandbox};
use std::net::TcpListener;

/// The one line that a failed start prints.
#[track_caller]
fn crash(ended: &Ended) -> &str {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(!ended.out.contains("Started"), "{ended:?}");
    let lines: Vec<&str> = ended.err.lines().filter(|line| line.starts_with("What caused the crash: ")).collect();
    assert_eq!(lines.len(), 1, "{ended:?}");
    lines[0].strip_prefix("What caused the crash: ").unwrap()
}

#[test]
fn a_busy_port_is_named_with_the_originals_words() {
    let sandbox = Sandbox::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let ended = sandbox.run(&["serve", "--ephemeral", "--port", &port.to_string()]);
    let line = crash(&ended);
    assert!(line.starts_with("Error while starting webserver. Possible reasons:"), "{line}");
    assert!(line.contains(&port.to_string()) && line.contains("--port"), "{line}");
}

#[test]
fn a_host_that_is_not_ours_is_refused() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["serve", "--ephemeral", "--port", "0", "--host", "203.0.113.7"]);
    assert!(crash(&ended).starts_with("Error while starting webserver. Possible reasons:"), "{ended:?}");
}

#[test]
fn a_base_path_that_no_request_can_have_is_refused_before_anybody_is_told_of_a_server() {
    let sandbox = Sandbox::new();
    for path in ["/ü", "/core?x"] {
        sandbox.write("config.yaml", &format!("core_config_version: 0\nbase_path: {path}\n"));
        let ended = sandbox.run(&["serve", "--ephemeral", "--port", "0"]);
        let line = crash(&ended);
        assert!(line.starts_with("Invalid characters in base_path config: no request can have "), "{line}");
    }
}

#[test]
fn a_data_folder_that_cannot_be_one_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "not a folder");
    for folder in ["file", "file/inside", "/proc/sessiond"] {
        let ended = sandbox.run(&["serve", "--port", "0", "--data-dir", folder]);
        let line = crash(&ended);
        assert!(line.contains(folder) && line.contains("--data-dir"), "{line}");
    }
}

#[test]
fn broken_yaml_is_named_with_its_line() {
    let sandbox = Sandbox::new();
    sandbox.write("config.yaml", "core_config_version: 0\nport: [1,\n");
    let ended = sandbox.run(&["serve", "--ephemeral", "--port", "0"]);
    let line = crash(&ended);
    assert!(line.contains("config.yaml, line "), "{line}");
}

#[test]
fn a_config_file_that_is_not_there_is_named() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["serve", "--config", "missing.yaml", "--port", "0"]);
    assert!(crash(&ended).contains("missing.yaml"), "{ended:?}");
}

#[test]
fn relaxed_rules_stay_on_this_machine_unless_forced() {
    let sandbox = Sandbox::new();
    let args = ["serve", "--ephemeral", "--port", "0", "--host", "0.0.0.0", "--dev"];
    let ended = sandbox.run(&args);
    assert!(crash(&ended).contains("'0.0.0.0'") && crash(&ended).contains("--dev-anywhere"), "{ended:?}");
    drop(sandbox.serve(&["--ephemeral", "--host", "0.0.0.0", "--dev", "--dev-anywhere"]));
}

#[test]
fn an_unknown_command_is_answered_in_the_originals_words() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["frobnicate"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.err,
        "Unknown command 'frobnicate'. Please use \"sessiond --help\" to see the list of available commands\n"
    );
}

#[test]
fn a_program_word_that_makes_no_sense_is_refused() {
    let sandbox = Sandbox::new();
    let port = sandbox.run(&["serve", "port=many"]);
    assert_eq!((port.code, port.err.as_str()), (Some(1), "error: \"many\" is not a port number\n"));
    let config = sandbox.run(&["serve", "configFile=relative.yaml"]);
    assert_eq!(config.err, "error: configPath option must be an absolute path only\n");
}
