//! check, backup, restore, compact, salvage: the commands around what the store tests cover.

use crate::cli::sandbox::{Sandbox, Server};
use serde_json::{Value, json};

fn handles(sandbox: &Sandbox, args: &[&str]) -> usize {
    let listed = sandbox.json(&[&["sessions", "list", "alice", "--json"], args].concat());
    listed["sessions"].as_array().unwrap().len()
}

fn stop(sandbox: &Sandbox, mut server: Server) {
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    assert_eq!(server.wait().code(), Some(0));
}

fn refresh(server: &Server, session: &Value) -> Value {
    let token = &session["refreshToken"]["token"];
    let body = json!({ "refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true });
    server.post("/recipe/session/refresh", &[], &body)
}

#[test]
fn a_backup_of_a_running_server_is_restored_and_served() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    let session = server.session("alice");
    let backup = sandbox.json(&["backup", "kept/monday", "--json"]);
    assert!(backup["bytes"].as_u64() > Some(0), "{backup}");
    server.session("alice");
    assert_eq!(handles(&sandbox, &[]), 2, "the server continued");
    let again = sandbox.run(&["backup", "kept/monday"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.err.contains("nothing is overwritten"), "{again:?}");
    stop(&sandbox, server);

    let sound = sandbox.run(&["check", "--data-dir", "kept/monday"]);
    assert_eq!(sound.code, Some(0), "{sound:?}");
    assert!(sound.out.contains("this is a backup") && !sound.out.contains("next start"), "{sound:?}");
    assert!(sound.err.contains("restore the backup and check the new folder"), "{sound:?}");
    assert_eq!(sandbox.run(&["restore", "kept/monday", "fresh"]).code, Some(0));
    let fresh = sandbox.run(&["check", "--data-dir", "fresh"]);
    assert!(fresh.code == Some(0) && !fresh.err.contains("not checked"), "{fresh:?}");
    let refused = sandbox.run(&["restore", "kept/monday", "fresh"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("fresh") && refused.err.contains("nothing is overwritten"), "{refused:?}");
    let server = sandbox.serve(&["--data-dir", "fresh"]);
    assert_eq!(handles(&sandbox, &["--data-dir", "fresh"]), 1, "later writes are not in the backup");
    assert_eq!(refresh(&server, &session)["status"], "OK");
}

#[test]
fn a_stopped_folder_is_backed_up_and_restored_as_of_a_moment() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    server.session("alice");
    stop(&sandbox, server);
    let first = sandbox.json(&["backup", "first", "--json"]);
    let server = sandbox.serve(&[]);
    server.session("alice");
    stop(&sandbox, server);

    let moment = first["time"].to_string();
    let restored = sandbox.run(&["restore", "data", "then", "--until", &moment]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert_eq!(handles(&sandbox, &["--data-dir", "then"]), 1);
    assert_eq!(handles(&sandbox, &[]), 2);
    let here = sandbox.path().join("here");
    std::fs::create_dir(&here).unwrap();
    let restored = sandbox.run_in(&here, &["restore", "../data", "."]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert_eq!(handles(&sandbox, &["--data-dir", "here"]), 2);
    let frame = first["frame"].to_string();
    assert_eq!(sandbox.json(&["restore", "data", "then2", "--until-frame", &frame, "--json"])["frame"], first["frame"]);

    let nonsense = sandbox.run(&["restore", "data", "then3", "--until", "yesterday"]);
    assert_eq!(nonsense.code, Some(2), "{nonsense:?}");
    assert!(nonsense.err.contains("not a moment like 2026-11-23T09:00:00Z"), "{nonsense:?}");
    let seconds = (first["time"].as_u64().unwrap() / 1000 + 60).to_string();
    assert_eq!(sandbox.json(&["restore", "data", "seconds", "--until", &seconds, "--json"])["notes"], json!([]));
    assert_eq!(handles(&sandbox, &["--data-dir", "seconds"]), 2, "a number of ten digits is read as seconds");
    let digits = sandbox.run(&["restore", "data", "then3", "--until", "20261123"]);
    assert!(digits.code == Some(2) && digits.err.contains("10 digits (seconds since 1970)"), "{digits:?}");
    let early = sandbox.run(&["restore", "data", "then3", "--until", "2001-01-01T00:00:00Z"]);
    assert!(early.code == Some(1) && early.err.contains("the first moment that can be reached is 2"), "{early:?}");
    assert!(early.err.contains("(frame 1)") && !sandbox.path().join("then3").exists(), "{early:?}");
    let missing = sandbox.run(&["restore", "nowhere", "then3"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.err.contains("nowhere") && !sandbox.path().join("then3").exists(), "{missing:?}");
}

#[test]
fn check_is_sound_on_a_running_server_and_on_its_stopped_folder() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    for _ in 0..20 {
        server.session("alice");
    }
    let running = sandbox.json(&["check", "--json"]);
    assert_eq!((&running["sound"], &running["by_kind"]["session"]), (&json!(true), &json!(20)));
    stop(&sandbox, server);
    let stopped = sandbox.run(&["check"]);
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    assert!(stopped.out.ends_with("No damage found.\n"), "{stopped:?}");
}

#[test]
fn check_names_what_is_damaged_and_salvage_saves_the_rest() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    for _ in 0..20 {
        server.session("alice");
    }
    stop(&sandbox, server);
    // One byte in the middle of the longest journal segment.
    let journal = std::fs::read_dir(sandbox.path().join("data/journal")).unwrap().map(|entry| entry.unwrap().path());
    let longest = journal.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&longest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&longest, bytes).unwrap();

    let damaged = sandbox.run(&["check"]);
    assert_eq!(damaged.code, Some(1), "{damaged:?}");
    assert!(damaged.out.contains("DAMAGED") && damaged.out.contains("journal"), "{damaged:?}");
    let salvaged = sandbox.run(&["salvage", "data", "saved"]);
    assert_eq!(salvaged.code, Some(1), "something was lost: {salvaged:?}");
    assert!(salvaged.out.contains("saved holds "), "{salvaged:?}");
    let server = sandbox.serve(&["--data-dir", "saved"]);
    assert_eq!(server.request("GET", "/hello", &[], "").status, 200);
}

#[test]
fn compact_keeps_everything_beside_the_traffic_and_on_a_stopped_folder() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    let session = server.session("alice");
    let beside = sandbox.run(&["compact"]);
    assert_eq!((beside.code, beside.err.as_str()), (Some(0), ""), "{beside:?}");
    assert!(beside.out.contains(" before, ") && beside.out.ends_with(" records\n"), "{beside:?}");
    assert_eq!(server.request("GET", "/hello", &[], "").status, 200);
    let report = sandbox.json(&["compact", "--json"]);
    let records = report["records"].as_u64();
    assert!(records > Some(0), "{report}");
    stop(&sandbox, server);
    let report = sandbox.json(&["compact", "--json"]);
    assert_eq!(report["records"].as_u64(), records, "{report}");
    let server = sandbox.serve(&[]);
    assert_eq!(refresh(&server, &session)["status"], "OK");
}

#[test]
fn a_server_in_memory_has_nothing_to_back_up_or_to_compact() {
    let sandbox = Sandbox::new();
    let _server = sandbox.serve(&["--ephemeral"]);
    for (command, doing) in [(["backup", "copy"].as_slice(), "back up"), (&["compact"], "compact")] {
        let refused = sandbox.run(command);
        let line = format!("error: this server keeps everything in memory: there is nothing to {doing}\n");
        assert_eq!((refused.code, refused.err), (Some(1), line));
    }
}

#[test]
fn restore_and_salvage_refuse_a_data_folder_they_would_ignore() {
    let sandbox = Sandbox::new();
    for command in ["restore", "salvage"] {
        let refused = sandbox.run(&[command, "from", "to", "--data-dir", "data"]);
        assert!(refused.code == Some(2) && refused.err.contains("--data-dir"), "{refused:?}");
    }
}

#[test]
fn the_folder_of_a_server_with_relaxed_rules_is_worked_on_after_its_stop() {
    let sandbox = Sandbox::new();
    // Refused without --dev: refresh tokens would not outlive access tokens.
    sandbox.write("config.yaml", "core_config_version: 0\naccess_token_validity: 3600\nrefresh_token_validity: 1\n");
    assert_eq!(sandbox.run(&["serve", "--port", "0"]).code, Some(1), "the settings are relaxed");
    let server = sandbox.serve(&["--dev"]);
    server.session("alice");
    stop(&sandbox, server);
    let commands: [&[&str]; 6] = [
        &["check"],
        &["sessions", "list", "alice"],
        &["keys", "list"],
        &["backup", "copy"],
        &["restore", "copy", "fresh"],
        &["compact"],
    ];
    for command in commands {
        let ended = sandbox.run(command);
        assert_eq!(ended.code, Some(0), "{command:?}: {ended:?}");
    }
}

#[test]
fn the_version_names_the_storage_engine_that_is_built_in() {
    let locked = include_str!("../../../Cargo.lock");
    let (_, after) = locked.split_once("name = \"sled\"\nversion = \"").unwrap();
    let line = format!("Storage engine version: {}\n", after.split('"').next().unwrap());
    let ended = Sandbox::new().run(&["--version"]);
    assert!(ended.out.contains(&line), "{line} {ended:?}");
}
