//! `sessiond users` on a running server and on a stopped folder.

mod foreign;

use crate::cli::sandbox::{Sandbox, Server};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const HASH: &str = "$2a$04$abcdefghijklmnopqrstuu5Nk4bWpHwcT1WkA9CjIvp6XcSbYJ9iK";

/// Lines for the users in `range`, all different.
fn lines(range: std::ops::Range<usize>) -> String {
    let mut text = String::new();
    for n in range {
        let _ =
            writeln!(text, "{}", json!({ "email": format!("user{n}@x.io"), "passwordHash": HASH, "timeJoined": n }));
    }
    text
}

fn count(server: &Server) -> Value {
    let answer = server.request("GET", "/users/count", &[], "");
    serde_json::from_str::<Value>(&answer.body).expect("JSON")["count"].clone()
}

#[test]
fn users_come_with_everything_and_are_shown_and_listed() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let put = server.request("PUT", "/recipe/role", &[], r#"{"role":"admin","permissions":["write"]}"#);
    assert_eq!(put.status, 200, "{put:?}");
    let jane = json!({
        "email": "Jane@X.io", "passwordHash": HASH, "hashingAlgorithm": "bcrypt", "userId": "crm-1",
        "roles": ["admin"], "metadata": {"plan": "gold"}, "verified": true, "timeJoined": 17,
    });
    let joe = json!({ "email": "joe@y.io", "plaintextPassword": "correct horse", "timeJoined": 18 });
    let file = sandbox.write("users.jsonl", &format!("{jane}\n\n{joe}\n"));
    server.watch.secret(HASH);
    server.watch.secret("correct horse");
    let done = sandbox.json(&["users", "import", file.to_str().unwrap(), "--json"]);
    let expected = json!({
        "lines": 3, "imported": 2, "existing": 0, "refused": 0, "resumed": false, "report": null
    });
    assert_eq!(done, expected);
    let beside: Vec<_> = fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !beside.iter().any(|name| name.to_string_lossy().starts_with("users.jsonl.")),
        "nothing is left: {beside:?}"
    );

    let shown = sandbox.json(&["users", "show", "crm-1", "--json"]);
    assert_eq!(shown["roles"], json!({"public": ["admin"]}));
    assert_eq!((&shown["metadata"], &shown["liveSessions"]), (&json!({"plan": "gold"}), &json!(0)));
    let method = &shown["loginMethods"][0];
    assert_eq!(
        (&method["email"], &method["verified"], &method["timeJoined"]),
        (&json!("jane@x.io"), &json!(true), &json!(17))
    );
    assert_eq!(sandbox.json(&["users", "show", shown["internalId"].as_str().unwrap(), "--json"]), shown);
    let words = sandbox.run(&["users", "show", "crm-1"]);
    assert!(words.out.starts_with("user crm-1, joined 1970-01-01 00:00:00"), "{words:?}");
    assert!(words.out.contains("roles in public: admin\n"), "{words:?}");
    let told = sandbox.json(&["audit", "--json", "--user", "crm-1", "--kind", "role-assigned"]);
    assert_eq!((&told["events"][0]["detail"], &told["events"][0]["tenantId"]), (&json!("admin"), &json!("public")));
    let nobody = sandbox.run(&["users", "show", "nobody"]);
    assert_eq!((nobody.code, nobody.err.as_str()), (Some(1), "error: there is no user nobody in this app\n"));

    let listed = sandbox.run(&["users", "list", "--order", "desc"]);
    assert_eq!(listed.out.lines().count(), 2, "{listed:?}");
    assert!(listed.out.contains("emailpassword:joe@y.io\ncrm-1  "), "{listed:?}");
    let found = sandbox.json(&["users", "list", "--email", "x.i", "--json"]);
    assert_eq!(found["users"].as_array().map(Vec::len), Some(1));
    for ended in [words, listed] {
        server.watch.search(&ended.out);
    }
    let passkeys = sandbox.json(&["users", "list", "--recipe", "webauthn", "--json"]);
    assert_eq!(passkeys, json!({"users": []}));
    assert_eq!(sandbox.run(&["users", "list", "--recipe", "nope"]).err, "error: no recipe nope has users\n");
}

#[test]
fn what_cannot_be_imported_is_named_with_its_line() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let mut text = lines(0..600);
    let bad = [
        "not json".to_owned(),
        json!({ "email": "x", "passwordHash": HASH }).to_string(),
        json!({ "email": "a@x.io", "passwordHash": "md5" }).to_string(),
        json!({ "email": "a@x.io", "passwordHash": HASH, "hashingAlgorithm": "argon2" }).to_string(),
        json!({ "email": "a@x.io", "passwordHash": HASH, "roles": ["ghost"] }).to_string(),
        json!({ "email": "a@x.io", "passwordHash": HASH, "tenants": ["nowhere"] }).to_string(),
        json!({ "email": "USER7@x.io", "passwordHash": HASH }).to_string(),
        json!({ "email": "a@x.io", "passwordHash": HASH, "userId": "one" }).to_string(),
        json!({ "email": "b@x.io", "passwordHash": HASH, "userId": "one" }).to_string(),
        format!("{{\"email\":\"{}\"}}", "l".repeat(2 << 20)),
    ];
    text.push_str(&bad.join("\n"));
    let file = sandbox.write("users.jsonl", &text);
    let ended = sandbox.run(&["users", "import", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.starts_with("610 lines: 601 users imported, 1 existing, 8 refused\n"), "{ended:?}");
    let report = fs::read_to_string(sandbox.path().join("users.jsonl.report.jsonl")).unwrap();
    let rows: Vec<Value> = report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<(u64, &str)> =
        rows.iter().map(|row| (row["line"].as_u64().unwrap(), row["reason"].as_str().unwrap())).collect();
    let expected = [
        (601, "the line is not a JSON object"),
        (602, "'email' is not an e-mail address"),
        (603, "'passwordHash' is not a usable bcrypt, argon2 or Firebase scrypt hash"),
        (604, "'passwordHash' does not match 'hashingAlgorithm'"),
        (605, "there is no role 'ghost'"),
        (606, "there is no tenant nowhere"),
        (607, "an account with this 'email' already exists in tenant public"),
        (609, "'userId' is the id of another user"),
        (610, "the line is too long"),
    ];
    assert_eq!(told, expected);
    assert_eq!(rows[6]["outcome"], "existing");
    assert_eq!(count(&server), 601);
    server.watch.search(&report);
}

#[test]
fn a_deleted_user_is_gone_with_everything() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let line = json!({ "email": "jane@x.io", "passwordHash": HASH, "userId": "crm-1", "metadata": {"a": 1} });
    let file = sandbox.write("users.jsonl", &line.to_string());
    assert_eq!(sandbox.run(&["users", "import", file.to_str().unwrap()]).code, Some(0));
    server.session("crm-1");
    assert_eq!(sandbox.json(&["users", "show", "crm-1", "--json"])["liveSessions"], 1);
    assert_eq!(sandbox.run(&["users", "delete", "crm-1"]).out, "deleted, 1 login methods\n");
    assert_eq!(sandbox.run(&["users", "show", "crm-1"]).code, Some(1));
    assert_eq!(sandbox.run(&["sessions", "list", "crm-1"]).out, "No live sessions.\n");
    let metadata = server.request("GET", "/recipe/user/metadata?userId=crm-1", &[], "");
    assert_eq!(serde_json::from_str::<Value>(&metadata.body).unwrap()["metadata"], json!({}));
    let again = sandbox.json(&["users", "delete", "crm-1", "--json"]);
    assert_eq!(again, json!({"loginMethodsDeleted": 0}));
}

/// The progress file next to a file, if there is one.
fn note(file: &Path) -> Option<Value> {
    let text = fs::read_to_string(format!("{}.import.json", file.display())).ok()?;
    Some(serde_json::from_str(&text).expect("never half written"))
}

/// Starts an import and kills it after at least this many steps. Returns whether it was killed before its end.
fn interrupted(sandbox: &Sandbox, file: &Path, arguments: &[&str], steps: u64) -> bool {
    let mut import = sandbox.spawn(&[&["users", "import", file.to_str().unwrap()], arguments].concat());
    let deadline = Instant::now() + Duration::from_mins(1);
    while note(file).is_none_or(|note| note["steps"].as_u64().unwrap() < steps) && import.runs() {
        assert!(Instant::now() < deadline, "{}", import.err());
        std::thread::sleep(Duration::from_millis(1));
    }
    import.kill();
    note(file).is_some()
}

#[test]
fn an_import_that_is_killed_again_and_again_imports_everybody_once() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let mut text = lines(0..8000);
    // Each refused line is also reported only once.
    for line in [0, 3000, 7999] {
        text.insert_str(text.match_indices('\n').nth(line).unwrap().0 + 1, "no user\n");
    }
    let file = sandbox.write("users.jsonl", &text);
    let mut kills = 0;
    while kills < 8 && interrupted(&sandbox, &file, &[], kills * 2) {
        kills += 1;
    }
    assert!(kills > 2, "{kills}");
    let ended = sandbox.run(&["users", "import", file.to_str().unwrap(), "--json"]);
    let done: Value = serde_json::from_str(&ended.out).expect("JSON");
    let expected = json!({
        "lines": 8003, "imported": 8000, "existing": 0, "refused": 3, "resumed": true,
        "report": file.with_extension("jsonl.report.jsonl"),
    });
    assert_eq!(done, expected, "{ended:?}");
    let report = fs::read_to_string(file.with_extension("jsonl.report.jsonl")).unwrap();
    let refused: Vec<u64> =
        report.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].as_u64().unwrap()).collect();
    assert_eq!(refused, [2, 3002, 8001]);
    assert_eq!(count(&server), 8000);
    let path = file.to_str().unwrap();
    let again = sandbox.run(&["users", "import", path, "--restart"]);
    assert!(again.out.starts_with("8003 lines: 0 users imported, 8000 existing, 3 refused\n"), "{again:?}");
    let page = sandbox.json(&["users", "list", "--limit", "750", "--order", "desc", "--json"]);
    let rows = page["users"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[749]["timeJoined"]), (750, &json!(7250)));
}

#[test]
fn an_import_goes_on_with_the_same_file_only() {
    let sandbox = Sandbox::new();
    let _server = sandbox.serve(&["--ephemeral"]);
    let text = lines(0..20_000);
    let file = sandbox.write("users.jsonl", &text);
    let path = file.to_str().unwrap();
    assert!(interrupted(&sandbox, &file, &[], 2), "killed before its end");
    let other = sandbox.run(&["users", "import", path, "--app", "other"]);
    assert!(other.err.contains("--app or --tenant have changed; --restart starts over"), "{other:?}");
    sandbox.write("users.jsonl", &text.replacen("user7@", "user8@", 1));
    let edited = sandbox.run(&["users", "import", path]);
    assert_eq!(edited.code, Some(1), "{edited:?}");
    assert!(edited.err.contains("lines that are already imported have changed; --restart starts over"), "{edited:?}");
    sandbox.write("users.jsonl", &text[..100]);
    let cut = sandbox.run(&["users", "import", path]);
    assert!(cut.err.contains("lines that are already imported have changed"), "{cut:?}");
    // Lines after the last step may be corrected.
    sandbox.write("users.jsonl", &format!("{}{}", text.replacen("user19999@", "jane@", 1), lines(20_000..20_001)));
    let done = sandbox.json(&["users", "import", path, "--json"]);
    let counts = (&done["imported"], &done["existing"], &done["resumed"]);
    assert_eq!(counts, (&json!(20_001), &json!(0), &json!(true)));
    assert_eq!(sandbox.json(&["users", "list", "--email", "jane@", "--json"])["users"].as_array().unwrap().len(), 1);
}

#[test]
fn an_import_does_not_go_on_in_a_store_that_lacks_its_steps() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    assert_eq!(sandbox.run(&["backup", "monday"]).code, Some(0));
    let file = sandbox.write("users.jsonl", &lines(0..20_000));
    let path = file.to_str().unwrap();
    assert!(interrupted(&sandbox, &file, &[], 2), "killed before its end");
    assert_eq!(sandbox.run(&["restore", "monday", "restored"]).code, Some(0));
    let ended = sandbox.run(&["users", "import", path, "--data-dir", "restored"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.err.contains("the store does not know of the lines that this import has done")
            && ended.err.contains("--restart"),
        "{ended:?}"
    );
    let there = sandbox.json(&["users", "list", "--limit", "0", "--data-dir", "restored", "--json"]);
    assert_eq!(there, json!({"users": []}), "it stopped before the first line");
    // The import that holds them still accepts the rest.
    let done = sandbox.json(&["users", "import", path, "--json"]);
    assert_eq!((&done["imported"], &done["existing"]), (&json!(20_000), &json!(0)));
    drop(server);
}

#[test]
fn a_stopped_folder_takes_users_too() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    drop(server);
    let file = sandbox.write("users.jsonl", &lines(0..1200));
    let ended = sandbox.run(&["users", "import", file.to_str().unwrap()]);
    assert_eq!(
        (ended.code, ended.out.lines().next()),
        (Some(0), Some("1200 lines: 1200 users imported, 0 existing, 0 refused"))
    );
    let server = sandbox.serve(&[]);
    assert_eq!(count(&server), 1200);
    assert_eq!(sandbox.json(&["check", "--json"])["sound"], json!(true));
}
