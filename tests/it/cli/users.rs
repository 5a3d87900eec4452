//! `sessiond users` on a running server and on a stopped folder.

use crate::cli::sandbox::{Sandbox, Server};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const HASH: &str = "$2a$04$abcdefghijklmnopqrstuu5Nk4bWpHwcT1WkA9CjIvp6XcSbYJ9iK";

/// Lines of users `range`, all different.
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
    assert!(ended.out.starts_with("610 lines: 601 users imported, 1 there already, 8 refused\n"), "{ended:?}");
    let report = fs::read_to_string(sandbox.path().join("users.jsonl.report.jsonl")).unwrap();
    let rows: Vec<Value> = report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<(u64, &str)> =
        rows.iter().map(|row| (row["line"].as_u64().unwrap(), row["reason"].as_str().unwrap())).collect();
    let expected = [
        (601, "the line is no JSON object"),
        (602, "'email' is no e-mail address"),
        (603, "'passwordHash' is no bcrypt, argon2 or Firebase scrypt hash that could be checked"),
        (604, "'passwordHash' is not of that 'hashingAlgorithm'"),
        (605, "there is no role 'ghost'"),
        (606, "there is no tenant nowhere"),
        (607, "an account with this 'email' is there already in tenant public"),
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

/// The note that an import interrupted after its first step leaves.
fn interrupted(file: &Path, lines: usize) {
    let text = fs::read_to_string(file).unwrap();
    let done: usize = text.lines().take(lines).map(|line| line.len() + 1).sum();
    let note = json!({
        "app": {"connection_uri_domain": "", "app_id": "public"}, "tenant": "public", "length": text.len(), "done": done,
        "lines": lines, "imported": lines, "existing": 0, "refused": 0, "report": 0,
    });
    fs::write(format!("{}.import.json", file.display()), note.to_string()).unwrap();
}

#[test]
fn an_interrupted_import_goes_on_and_doubles_nobody() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    // 700 came in, but the note of the second step was not written any more
    let first = sandbox.write("first.jsonl", &lines(0..700));
    assert_eq!(sandbox.run(&["users", "import", first.to_str().unwrap()]).code, Some(0));
    let file = sandbox.write("users.jsonl", &lines(0..2000));
    interrupted(&file, 500);
    let path = file.to_str().unwrap();
    let changed = sandbox.run(&["users", "import", path, "--app", "other"]);
    assert!(changed.err.contains("--restart begins again"), "{changed:?}");
    let done = sandbox.json(&["users", "import", path, "--json"]);
    assert_eq!((&done["imported"], &done["existing"], &done["resumed"]), (&json!(1800), &json!(200), &json!(true)));
    assert_eq!(count(&server), 2000);

    interrupted(&file, 500);
    let again = sandbox.json(&["users", "import", path, "--restart", "--json"]);
    assert_eq!((&again["imported"], &again["existing"], &again["resumed"]), (&json!(0), &json!(2000), &json!(false)));
    let all = sandbox.run(&["users", "list", "--limit", "0"]);
    assert_eq!(all.out.lines().count(), 2000);
    let page = sandbox.json(&["users", "list", "--limit", "750", "--order", "desc", "--json"]);
    let rows = page["users"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[749]["timeJoined"]), (750, &json!(1250)));
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
        (Some(0), Some("1200 lines: 1200 users imported, 0 there already, 0 refused"))
    );
    let server = sandbox.serve(&[]);
    assert_eq!(count(&server), 1200);
    assert_eq!(sandbox.json(&["check", "--json"])["sound"], json!(true));
}
