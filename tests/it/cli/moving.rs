//! `sessiond move in`: from a dump to a folder on which a server starts.

use crate::cli::sandbox::Sandbox;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

fn dump() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", "core", "core-9.2.6.sql.gz"].iter().collect()
}

/// What is in the sandbox.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_moved_folder_is_whole_and_is_served() {
    let sandbox = Sandbox::new();
    let dump = dump();
    let source = dump.to_str().expect("a path");
    let dry = sandbox.json(&["move", "in", source, "--data-dir", "data", "--dry-run", "--json"]);
    assert_eq!((&dry["core"], &dry["dryRun"]), (&json!("9.0 to 9.2"), &json!(true)));
    assert_eq!(names(sandbox.path()), [""; 0], "a dry run keeps nothing");

    let moved = sandbox.run(&["move", "in", source, "--data-dir", "data"]);
    assert_eq!(moved.code, Some(0), "{moved:?}");
    assert!(moved.out.contains("session_info") && moved.out.contains("is ready"), "{moved:?}");
    assert_eq!(names(sandbox.path()), ["data"]);
    let checked = sandbox.run(&["check", "--data-dir", "data"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");

    let again = sandbox.run(&["move", "in", source, "--data-dir", "data"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.err.contains("holds something already"), "{again:?}");

    let server = sandbox.serve(&["--data-dir", "data"]);
    let body = json!({"email": "dov.dahl@example.org", "password": "Wind-mill 7 amber"});
    assert_eq!(server.post("/recipe/signin", &[], &body)["status"], "OK");
    let listed = sandbox.run(&["keys", "list", "--data-dir", "data"]);
    assert!(listed.out.contains("moved in") && listed.out.contains("new ones: v2."), "{listed:?}");
}

#[test]
fn a_dump_from_standard_input_is_moved_in() {
    let sandbox = Sandbox::new();
    let ended = sandbox
        .command(&["move", "in", "-", "--data-dir", "data", "--json"])
        .stdin(fs::File::open(dump()).expect("the dump"))
        .output()
        .expect("run");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(names(sandbox.path()), ["data"]);
}

#[test]
fn what_cannot_be_moved_in_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let text = sandbox.write("not-a-dump.sql", "SELECT 1;\n-- PostgreSQL database dump complete\n");
    for (source, part) in [
        (text.to_str().expect("a path"), "no tables of a SuperTokens core"),
        ("missing.sql", "missing.sql"),
        ("postgres://localhost/x", "a live database cannot be read yet"),
    ] {
        let ended = sandbox.run(&["move", "in", source, "--data-dir", "data"]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains(part), "{ended:?}");
        assert_eq!(names(sandbox.path()), ["not-a-dump.sql"], "{source}");
    }
    // A folder of that name that is not ours is not deleted.
    fs::create_dir(sandbox.path().join("data.moving-in")).expect("a folder");
    let ended = sandbox.run(&["move", "in", dump().to_str().expect("a path"), "--data-dir", "data"]);
    assert!(ended.code == Some(1) && ended.err.contains("is in the way"), "{ended:?}");
}

/// What an interrupted attempt left is deleted by the next one.
#[test]
fn an_interrupted_attempt_can_be_repeated() {
    let sandbox = Sandbox::new();
    let beside = sandbox.path().join("data.moving-in");
    fs::create_dir_all(beside.join("data").join("journal")).expect("a folder");
    fs::write(beside.join("moving-in"), "").expect("a mark");
    fs::write(beside.join("data").join("identity"), "half").expect("a half folder");
    fs::write(beside.join("dump"), "half").expect("a half dump");
    let moved = sandbox.run(&["move", "in", dump().to_str().expect("a path"), "--data-dir", "data"]);
    assert_eq!(moved.code, Some(0), "{moved:?}");
    assert_eq!(names(sandbox.path()), ["data"]);
}
