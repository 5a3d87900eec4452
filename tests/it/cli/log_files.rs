//! Log files that are rotated while the server runs.
#![cfg(unix)]

use crate::cli::sandbox::{Sandbox, Server};
use rustix::process::Signal;
use std::path::Path;

fn text(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_default()
}

#[track_caller]
fn wait_for(what: &str, done: impl Fn() -> bool) {
    let done = (0..2000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        done()
    });
    assert!(done, "{what}");
}

fn with_files(sandbox: &Sandbox) -> Server {
    let settings = "core_config_version: 0\ninfo_log_path: logs/info.log\nerror_log_path: logs/error.log\nunknown: 1\n";
    sandbox.write("config.yaml", settings);
    sandbox.serve(&["--ephemeral"])
}

#[test]
fn a_signal_opens_renamed_log_files_again() {
    let sandbox = Sandbox::new();
    let mut server = with_files(&sandbox);
    let logs = sandbox.path().join("logs");
    wait_for("the first lines", || text(&logs, "info.log").contains("Started SuperTokens"));
    for name in ["info.log", "error.log"] {
        std::fs::rename(logs.join(name), logs.join(format!("{name}.1"))).unwrap();
    }
    server.signal(Signal::USR1);
    wait_for("a new file", || text(&logs, "info.log").contains("log files were reopened"));
    assert!(logs.join("error.log").exists());
    let old = text(&logs, "info.log.1");
    server.session("alice");
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    server.wait();
    assert!(text(&logs, "info.log").contains("Goodbye"));
    assert_eq!(text(&logs, "info.log.1"), old, "nothing more goes to the old file");
    assert!(text(&logs, "error.log.1").contains("unknown key 'unknown'"));
}

#[test]
fn a_file_that_cannot_be_opened_again_is_written_to_where_it_is() {
    let sandbox = Sandbox::new();
    let mut server = with_files(&sandbox);
    let logs = sandbox.path().join("logs");
    std::fs::rename(&logs, sandbox.path().join("moved")).unwrap();
    std::fs::write(&logs, "in the way").unwrap();
    server.signal(Signal::USR1);
    wait_for("a warning", || {
        text(&sandbox.path().join("moved"), "error.log")
            .contains("a log file could not be reopened; writing continues to the old one")
    });
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    server.wait();
    assert!(text(&sandbox.path().join("moved"), "info.log").contains("Goodbye"));
}

#[test]
fn copies_of_log_files_that_are_cut_then_hold_no_gap() {
    let sandbox = Sandbox::new();
    let mut server = with_files(&sandbox);
    let logs = sandbox.path().join("logs");
    wait_for("the first lines", || text(&logs, "info.log").contains("Started SuperTokens"));
    std::fs::copy(logs.join("info.log"), logs.join("info.log.1")).unwrap();
    std::fs::File::options().write(true).open(logs.join("info.log")).unwrap().set_len(0).unwrap();
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    server.wait();
    let after = text(&logs, "info.log");
    assert!(after.contains("Goodbye") && !after.contains('\0'), "{after:?}");
}

#[test]
fn signals_that_ask_for_nothing_end_no_server() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    for (signal, said) in [(Signal::USR1, "SIGUSR1 is ignored"), (Signal::USR2, "SIGUSR2 is ignored")] {
        server.signal(signal);
        wait_for(said, || server.out().contains(said));
    }
    assert_eq!(server.request("GET", "/hello", &[], "").body, "Hello\n");
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
}
