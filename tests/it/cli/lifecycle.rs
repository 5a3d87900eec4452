//! serve, start, list, stop, ready: the life of a server.

use crate::cli::sandbox::{Sandbox, request};
#[cfg(unix)]
use rustix::process::Signal;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;

#[test]
fn a_server_says_that_it_has_started_in_its_own_and_in_the_originals_words() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let out = server.out();
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("Started sessiond ")), "{out}");
    let last = format!("Started SuperTokens on localhost:{} with PID: {}", server.port, server.pid());
    assert_eq!(lines.last(), Some(&last.as_str()), "wrappers read no further than this line");
    assert_eq!(server.request("GET", "/hello", &[], "").body, "Hello\n");
}

#[test]
fn a_server_that_needs_no_key_says_who_may_call() {
    let sandbox = Sandbox::new();
    let told = |args: &[&str]| {
        let mut server = sandbox.serve(&[&["--ephemeral"], args].concat());
        assert_eq!(sandbox.run(&["stop"]).code, Some(0));
        server.wait();
        server.out() + &server.err()
    };
    assert!(told(&[]).contains(", no API key: programs on this machine may call, web pages may not\n"));
    assert!(told(&["--host", "0.0.0.0"]).contains("No API key is set: anyone who can reach 0.0.0.0 may call"));
    sandbox.write("config.yaml", "core_config_version: 0\napi_keys: abcdefghijklmnopqrstuvwxyz\n");
    assert!(!told(&["--host", "0.0.0.0"]).contains("API key"));
}

#[cfg(unix)]
#[test]
fn localhost_answers_on_both_loopback_addresses() {
    let sandbox = Sandbox::new();
    for host in ["localhost", "localhost."] {
        let server = sandbox.serve(&["--ephemeral", "--host", host]);
        for address in ["127.0.0.1", "::1"] {
            let port = server.port;
            let connected = TcpStream::connect((address, port));
            // A machine without IPv6 has only the first one.
            let exists = std::net::TcpListener::bind((address, 0)).is_ok();
            assert_eq!(connected.is_ok(), exists, "{host} at {address}");
        }
    }
}

#[test]
fn the_started_file_holds_pid_and_base_path_and_goes_with_the_server() {
    let sandbox = Sandbox::new();
    sandbox.write("config.yaml", "core_config_version: 0\nbase_path: some/base\n");
    let mut server = sandbox.serve(&["--ephemeral"]);
    let file = sandbox.path().join(format!("data/.started/localhost-{}", server.port));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{}\n/some/base", server.pid()));
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    assert_eq!(server.wait().code(), Some(0));
    assert!(!file.exists());
}

#[test]
fn list_and_stop_know_only_instances_that_answer() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["list"]).out, "No sessiond instances running.\n");
    let nothing = sandbox.run(&["stop"]);
    assert_eq!((nothing.code, nothing.out.as_str()), (Some(0), "No sessiond instances are running.\n"));

    let mut one = sandbox.serve(&["--ephemeral"]);
    let two = sandbox.serve(&["--ephemeral"]);
    // A file left by a killed server: its pid belongs to another process now (this test).
    let stale = sandbox.path().join("data/.started/localhost-1");
    std::fs::write(&stale, format!("{}\n", std::process::id())).unwrap();

    let listed = sandbox.run(&["list"]).out;
    for server in [&one, &two] {
        let line =
            format!("-> Instance PID: {}, address: localhost:{}, config file loaded: none", server.pid(), server.port);
        assert!(listed.contains(&line), "{listed}");
    }
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(!stale.exists(), "stale files are cleaned");

    let unknown = sandbox.run(&["stop", "--id", "999999"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.starts_with("Unknown PID: 999999. Please use \"sessiond list\""), "{unknown:?}");

    let stopped = sandbox.run(&["stop", &format!("--id={}", one.pid())]);
    let line = format!("Successfully stopped sessiond with PID {}, running on localhost:{}\n", one.pid(), one.port);
    assert_eq!((stopped.code, stopped.out), (Some(0), line));
    assert_eq!(one.wait().code(), Some(0));
    let rows = sandbox.json(&["list", "--json"]);
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    assert_eq!(rows[0]["pid"], json!(two.pid()));
    assert_eq!(rows[0]["port"], json!(two.port));
}

#[test]
fn start_leaves_a_server_behind_and_stop_ends_it() {
    let sandbox = Sandbox::new();
    let started = sandbox.run(&["start", "--port", "0", "--with-space", "512"]);
    assert_eq!(started.code, Some(0), "{started:?}");
    assert!(started.err.contains("--with-space is ignored"), "{started:?}");
    let line = started.out.lines().last().unwrap();
    let (address, pid) =
        line.strip_prefix("Started SuperTokens on localhost:").unwrap().split_once(" with PID: ").unwrap();
    let port = address.parse().unwrap();
    assert_eq!(request(port, "GET", "/hello", &[], "").body, "Hello\n");
    assert_eq!(sandbox.run(&["ready"]).code, Some(0));
    let stopped = sandbox.run(&["stop"]);
    assert_eq!(stopped.out, format!("Successfully stopped sessiond with PID {pid}, running on localhost:{port}\n"));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the port is closed");
    let log = std::fs::read_to_string(sandbox.path().join("data/logs/info.log")).unwrap();
    assert!(
        log.contains("Started SuperTokens on") && log.contains("Goodbye"),
        "a detached server logs to files: {log}"
    );
}

#[test]
fn switches_of_the_originals_runtime_are_ignored_with_one_line() {
    let sandbox = Sandbox::new();
    let switches = ["--javaagent", "--jmx", "--jmx-port=9010", "--jmx-authenticate=false", "--jmx-ssl=false"];
    let started = sandbox.run(&[&["start", "--port", "0", "--ephemeral"], &switches[..]].concat());
    assert_eq!(started.code, Some(0), "{started:?}");
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    let line = "note: ignored, because there is no Java runtime here: --javaagent, --jmx, --jmx-port, \
                --jmx-authenticate, --jmx-ssl\n";
    assert_eq!(started.err, line);
}

#[test]
fn a_start_that_fails_says_why_and_ends_with_1() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("bad.yaml", "core_config_version: 0\naccess_token_validity: 0\n");
    let failed = sandbox.run(&["start", "--with-config", config.to_str().unwrap(), "--port", "0"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.out.contains("What caused the crash: 'access_token_validity' must be between 1 and"), "{failed:?}");
    assert!(failed.err.contains("Unable to start sessiond. Please try again"), "{failed:?}");
}

#[test]
fn the_originals_program_words_are_understood() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral", "test_mode", "DEV", "host=127.0.0.1", "forceNoInMemDB=true"]);
    let config = sandbox.json(&["config", "--json"]);
    let rows = config["settings"].as_array().unwrap();
    let host = rows.iter().find(|row| row["key"] == "host").unwrap();
    assert_eq!((&host["value"], &host["from"]), (&json!("127.0.0.1"), &json!("command line")));
    assert_eq!(server.request("GET", "/hello", &[], "").status, 200);
}

#[test]
fn readiness_is_an_exit_code() {
    let sandbox = Sandbox::new();
    let nobody = sandbox.run(&["ready"]);
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.err.starts_with("error: no server runs on data; start one with"), "{nobody:?}");
    let server = sandbox.serve(&["--ephemeral"]);
    let ready = sandbox.run(&["ready"]);
    assert_eq!(
        (ready.code, ready.out),
        (Some(0), format!("ready: localhost:{} with PID {}\n", server.port, server.pid()))
    );
    assert_eq!(sandbox.json(&["ready", "--json"])["pid"], json!(server.pid()));
}

/// A request whose body is still being sent and which the server is reading, as it has announced.
#[cfg(unix)]
fn half_a_request(port: u16) -> TcpStream {
    let mut slow = TcpStream::connect(("127.0.0.1", port)).unwrap();
    slow.write_all(b"POST /hello HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n").unwrap();
    let mut interim = [0; 25];
    slow.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    slow.write_all(b"{").unwrap();
    slow
}

#[cfg(unix)]
#[test]
fn a_signal_lets_running_requests_finish_and_takes_no_new_ones() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let sandbox = Sandbox::new();
        let mut server = sandbox.serve(&["--ephemeral"]);
        let mut slow = half_a_request(server.port);
        server.signal(signal);
        server.wait_for_line("Stopping webserver...");
        slow.write_all(b"}").unwrap();
        let mut reply = String::new();
        slow.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
        assert_eq!(server.wait().code(), Some(0));
        assert_eq!(server.out().lines().last(), Some("Goodbye"));
        assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
    }
}

#[cfg(unix)]
#[test]
fn a_server_without_a_terminal_of_its_own_outlives_a_hang_up() {
    let sandbox = Sandbox::new();
    let started = sandbox.run(&["start", "--port", "0"]);
    assert_eq!(started.code, Some(0), "{started:?}");
    let line = started.out.lines().last().unwrap();
    let (address, pid) =
        line.strip_prefix("Started SuperTokens on localhost:").unwrap().split_once(" with PID: ").unwrap();
    let port = address.parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::HUP).unwrap();
    rustix::process::kill_process(pid, Signal::HUP).unwrap();
    let log = sandbox.path().join("data/logs/info.log");
    let said = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::read_to_string(&log).unwrap().contains("SIGHUP is ignored")
    });
    assert!(said, "{}", std::fs::read_to_string(&log).unwrap());
    assert_eq!(request(port, "GET", "/hello", &[], "").body, "Hello\n");
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_hang_up_that_was_ignored_before_stays_ignored() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve_by("trap '' HUP");
    server.signal(Signal::HUP);
    assert_eq!(server.request("GET", "/hello", &[], "").body, "Hello\n");
    server.session("still-here");
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    assert!(!server.out().is_empty());
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_the_wait() {
    let sandbox = Sandbox::new();
    sandbox.write("config.yaml", "core_config_version: 0\nshutdown_timeout_ms: 60000\n");
    let mut server = sandbox.serve(&["--ephemeral"]);
    let _slow = half_a_request(server.port);
    server.signal(Signal::TERM);
    server.wait_for_line("Stopping webserver...");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(130));
}

#[test]
fn uninstall_refuses_while_an_instance_runs_and_leaves_the_data() {
    let sandbox = Sandbox::new();
    let mut server = sandbox.serve(&["--ephemeral"]);
    let refused = sandbox.run(&["uninstall"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.starts_with("More than one sessiond instance is still running. Please run \"sessiond stop\""));
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    server.wait();

    let copy = sandbox.path().join(format!("copy{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(env!("CARGO_BIN_EXE_sessiond"), &copy).unwrap();
    let output = loop {
        let mut command = std::process::Command::new(&copy);
        match command.arg("uninstall").current_dir(sandbox.path()).env_clear().output() {
            // A process that another test has just started still holds the copy open for writing.
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            output => break output.unwrap(),
        }
    };
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.ends_with("Uninstallation successful. Sorry to see you go :(\n"), "{out}");
    assert!(!copy.exists());
    assert!(sandbox.path().join("data").exists());
}

#[cfg(unix)]
#[test]
fn a_server_that_does_not_answer_is_told_from_one_that_is_not_there() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    server.pause();
    let commands = ["ready", "stop", "list"].map(|verb| sandbox.spawn(&[verb]));
    for mut command in commands {
        assert_eq!(command.wait().code(), Some(1));
        assert!(command.err().starts_with("error: a server runs on data but does not answer"), "{}", command.err());
    }
    server.signal(Signal::CONT);
    assert_eq!(sandbox.run(&["ready"]).code, Some(0), "its files are still there");
}

#[test]
fn a_server_in_memory_serves_without_any_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "not a folder");
    let server = sandbox.serve(&["--ephemeral", "--data-dir", "file"]);
    assert_eq!(server.request("GET", "/hello", &[], "").body, "Hello\n");
    server.session("alice");
}

#[test]
fn a_flood_of_connections_leaves_file_handles_for_the_store() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve_with_handles(256);
    let flood: Vec<_> = (0..400).map(|_| std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap()).collect();
    // A backup needs file handles for the command's connection, for a new journal segment and for the copies.
    let ended = sandbox.run(&["backup", "copy"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(server.out().contains("64 connections") || server.err().contains("64 connections"), "{}", server.err());
    drop(flood);
    server.session("still-here");
}

/// The allocator's build reads its settings from that file; without it there would be an arena per core.
#[test]
#[cfg(target_os = "linux")]
fn the_allocator_keeps_little_for_itself() {
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_sessiond"))
        .arg("--version")
        .env("_RJEM_MALLOC_CONF", "stats_print:true")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    let set = [
        "narenas: 1",
        "dirty_decay_ms: 1000",
        "muzzy_decay_ms: 0",
        "tcache_nslots_small_max: 1000",
        "lg_tcache_nslots_mul: 2",
        "tcache_gc_incr_bytes: 1048576",
    ];
    // The text in brackets after a setting says how it can be changed.
    let is = |line: &str, setting| line.trim().split(" (").next() == Some(&format!("opt.{setting}"));
    for setting in set {
        assert!(told.lines().any(|line| is(line, setting)), "{setting}: {told}");
    }
}
