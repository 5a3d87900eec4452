//! `sessiond users import` of files as other programs write them.

use super::{HASH, count, lines};
use crate::cli::sandbox::{Ended, Sandbox};
use serde_json::{Value, json};
use sessiond::domain::time::Clock as _;
use sessiond::system::SystemClock;
use std::fs;
use std::process::Stdio;

/// Imports a file with these bytes.
fn import(sandbox: &Sandbox, bytes: &[u8]) -> Ended {
    fs::write(sandbox.path().join("users.jsonl"), bytes).unwrap();
    sandbox.run(&["users", "import", "users.jsonl"])
}

/// Line number and reason for each line that was not imported.
fn report(sandbox: &Sandbox, name: &str) -> Vec<(u64, String)> {
    let text = fs::read_to_string(sandbox.path().join(name)).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| (row["line"].as_u64().unwrap(), row["reason"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn lines_that_are_not_utf_8_are_refused_and_store_nothing() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let mut file = Vec::new();
    for line in [
        br#"{"email":"a@example.org","plaintextPassword":"p\xe4sswort12"}"#.as_slice(),
        br#"{"email":"m\xfcller@example.org","plaintextPassword":"passwort12"}"#,
        br#"{"email":"m\xf6ller@example.org","plaintextPassword":"passwort12"}"#,
        br#"{"email":"b@example.org","plaintextPassword":"passwort12"}"#,
        br#"{"email":"c@example.org","plaintextPassword":"cut \xc3"}"#,
        br#"{"email":"d@example.org","plaintextPassword":"passwort12","metadata":{"\xff":1}}"#,
    ] {
        // A raw string keeps `\x…` literally.
        let mut rest = line;
        while let Some(at) = rest.windows(2).position(|pair| pair == br"\x") {
            file.extend_from_slice(&rest[..at]);
            let digits = std::str::from_utf8(&rest[at + 2..at + 4]).unwrap();
            file.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &rest[at + 4..];
        }
        file.extend_from_slice(rest);
        file.push(b'\n');
    }
    let ended = import(&sandbox, &file);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.starts_with("6 lines: 1 user imported, 0 existing, 5 refused\n"), "{ended:?}");
    let refused = [1, 2, 3, 5, 6].map(|line| (line, "the line is not UTF-8".to_owned()));
    assert_eq!(report(&sandbox, "users.jsonl.report.jsonl"), refused);
    assert_eq!(count(&server), 1);
    assert!(sandbox.run(&["users", "list"]).out.ends_with("emailpassword:b@example.org\n"));
}

#[test]
fn users_do_not_join_in_the_future_and_seconds_are_remarked_on() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let now_ms = SystemClock.now().0;
    let file = |times: &[u64]| {
        let line = |(number, ms): (usize, &u64)| {
            json!({"email": format!("u{number}-{ms}@x.io"), "passwordHash": HASH, "timeJoined": ms}).to_string() + "\n"
        };
        times.iter().enumerate().map(line).collect::<String>()
    };
    let ended = import(&sandbox, file(&[now_ms - 1000, now_ms + 3_600_000, now_ms * 1000]).as_bytes());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let refused = [2, 3].map(|line| (line, "timeJoined cannot be in future".to_owned()));
    assert_eq!(report(&sandbox, "users.jsonl.report.jsonl"), refused);
    assert_eq!((count(&server), ended.err.as_str()), (json!(1), ""));
    let ended = import(&sandbox, file(&[now_ms / 1000, now_ms / 1000 - 1, now_ms - 2000]).as_bytes());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let remark = "2 of 3 users with a 'timeJoined' joined before 2000: is it in seconds? It must be in milliseconds\n";
    assert_eq!(ended.err, remark);
    let ended = import(&sandbox, file(&[now_ms / 1000 - 2, now_ms - 3000]).as_bytes());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "one of the two may really be that old");
}

#[test]
fn what_is_not_lines_is_named_once_with_the_way_out() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let user = json!({"email": "a@x.io", "passwordHash": HASH});
    let utf_16: Vec<u8> = format!("\u{feff}{user}\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let array = serde_json::to_string_pretty(&json!([user, user])).unwrap();
    for (bytes, what, command) in [
        (array.as_bytes(), "a JSON array", "jq -c '.[]' users.jsonl"),
        (serde_json::to_string_pretty(&user).unwrap().as_bytes(), "JSON over several lines", "jq -c . users.jsonl"),
        (
            br#"{"users":[{"localId":"1"}]}"#,
            "one JSON object with a list of users in it",
            "jq -c '.users[]' users.jsonl",
        ),
        (b"email,passwordHash\na@x.io,x\n", "a table (CSV)", "csv.DictReader(sys.stdin)]' < users.jsonl"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "compressed with gzip", "gzip -dc users.jsonl"),
        (&utf_16, "UTF-16", "iconv -f UTF-16 -t UTF-8 users.jsonl"),
    ] {
        let ended = import(&sandbox, bytes);
        assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{ended:?}");
        assert!(
            ended.err.starts_with(&format!("error: users.jsonl is {what}, not one JSON object per line: ")),
            "{ended:?}"
        );
        assert!(ended.err.ends_with(&format!("{command} | sessiond users import -\n")), "{ended:?}");
        let beside = fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(!beside.into_iter().any(|name| name.to_string_lossy().starts_with("users.jsonl.")), "{what}");
    }
    assert_eq!(count(&server), 0);
}

#[test]
fn users_come_through_standard_input() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let mut text = lines(0..700);
    text.push_str("no user\n");
    sandbox.write("users.jsonl", &text);
    for (argument, imported) in [("-", 700), ("/dev/stdin", 0)] {
        let mut cat = std::process::Command::new("cat");
        let mut cat = cat.arg(sandbox.path().join("users.jsonl")).stdout(Stdio::piped()).spawn().unwrap();
        let mut command = sandbox.command(&["users", "import", argument]);
        let done = command.stdin(cat.stdout.take().unwrap()).output().unwrap();
        assert!(cat.wait().unwrap().success());
        let out = String::from_utf8(done.stdout).unwrap();
        let told = format!("701 lines: {imported} users imported, {} existing, 1 refused\n", 700 - imported);
        assert!(out.starts_with(&told), "{out}");
        assert!(out.ends_with("lines that were not imported: stdin.report.jsonl\n"), "{out}");
        let report = report(&sandbox, "stdin.report.jsonl");
        assert_eq!(report.last(), Some(&(701, "the line is not a JSON object".to_owned())));
        assert!(!sandbox.path().join("stdin.import.json").exists());
        assert_eq!(count(&server), 700);
    }
}

#[test]
fn numbers_in_metadata_are_shown_as_they_were_written() {
    let sandbox = Sandbox::new();
    let _server = sandbox.serve(&["--ephemeral"]);
    let metadata = r#"{"big":1000000000000000000000001,"list":[1e2,-0,1.00]}"#;
    let line = format!(r#"{{"email":"a@x.io","passwordHash":"{HASH}","userId":"crm-1","metadata":{metadata}}}"#);
    assert_eq!(import(&sandbox, line.as_bytes()).code, Some(0));
    let shown = sandbox.run(&["users", "show", "crm-1"]).out;
    assert!(shown.contains(&format!("metadata {metadata}\n")), "{shown}");
    let shown = sandbox.run(&["users", "show", "crm-1", "--json"]).out;
    assert_eq!(shown.split_whitespace().collect::<String>().matches(metadata).count(), 1, "{shown}");
    assert_eq!(sandbox.json(&["users", "show", "crm-1", "--json"])["liveSessions"], 0);
}
