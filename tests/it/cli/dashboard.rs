//! `sessiond dashboard users` on a running server and on a stopped folder.

use crate::cli::sandbox::{Ended, Sandbox};
use serde_json::json;
use std::io::Write as _;
use std::process::Stdio;

const PASSWORD: &str = "correct horse 1";

/// Runs a command with a text on stdin.
fn run_with(sandbox: &Sandbox, args: &[&str], stdin: &str) -> Ended {
    let mut command = sandbox.command(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn create(sandbox: &Sandbox, email: &str, stdin: &str) -> Ended {
    run_with(sandbox, &["dashboard", "users", "create", email], stdin)
}

#[test]
fn who_is_created_signs_in_until_deleted() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&[]);
    server.watch.secret(PASSWORD);
    let sign_in = |password: &str| {
        let body = json!({"email": "jane@x.io", "password": password});
        server.post("/recipe/dashboard/signin", &[], &body)["status"].clone()
    };
    let made =
        run_with(&sandbox, &["dashboard", "users", "create", " Jane@X.io ", "--json"], &format!("  {PASSWORD} \r\n"));
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""), "{made:?}");
    server.watch.search(&made.out);
    let user: serde_json::Value = serde_json::from_str(&made.out).unwrap();
    assert_eq!(user["email"], "jane@x.io");
    assert_eq!(sandbox.json(&["dashboard", "users", "list", "--json"]), json!({"users": [user]}));
    let listed = sandbox.run(&["dashboard", "users", "list"]).out;
    assert!(listed.starts_with("ID ") && listed.ends_with("  jane@x.io\n"), "{listed}");
    assert_eq!(sign_in(PASSWORD), "OK");
    assert_eq!(sign_in("correct horse 2"), "INVALID_CREDENTIALS_ERROR");
    let told = sandbox.json(&["audit", "--json", "--kind", "dashboard-user-created"]);
    assert_eq!(told["events"][0]["userId"], user["userId"], "{told}");

    let gone = sandbox.run(&["dashboard", "users", "delete", "JANE@x.io"]);
    assert_eq!((gone.code, gone.out.as_str()), (Some(0), "deleted, and signed out\n"), "{gone:?}");
    assert_eq!(sign_in(PASSWORD), "INVALID_CREDENTIALS_ERROR");
    let again = sandbox.json(&["dashboard", "users", "delete", user["userId"].as_str().unwrap(), "--json"]);
    assert_eq!(again, json!({"didUserExist": false}));
    assert_eq!(sandbox.json(&["dashboard", "users", "list", "--json"]), json!({"users": []}));
}

#[test]
fn refusals_say_what_is_wrong() {
    let sandbox = Sandbox::new();
    let _server = sandbox.serve(&["--ephemeral"]);
    assert_eq!(create(&sandbox, "jane@x.io", PASSWORD).code, Some(0));
    let long = format!("{}@x.io", "a".repeat(512));
    for (email, stdin, why) in [
        ("jane@x.io", PASSWORD, "a dashboard user with the address jane@x.io already exists"),
        ("jane", PASSWORD, "jane is not a valid e-mail address for the dashboard"),
        (&long, PASSWORD, "an e-mail address has at most 512 bytes"),
        ("joe@x.io", "short 1", "Password must contain at least 8 characters, including a number"),
        ("joe@x.io", "no number", "Password must contain at least one number"),
        ("joe@x.io", "", "no password: type one when asked, or pipe it in"),
        ("joe@x.io", "one line 1\nand another 2\n", "a password must be a single line"),
    ] {
        let refused = create(&sandbox, email, stdin);
        assert_eq!((refused.code, refused.err), (Some(1), format!("error: {why}\n")), "{email}");
    }
    let elsewhere = sandbox.run(&["dashboard", "users", "list", "--app", "none"]);
    assert_eq!(elsewhere.code, Some(1));
    assert!(elsewhere.err.starts_with("error: there is no app none"), "{elsewhere:?}");
    let argument = sandbox.run(&["dashboard", "users", "create", "joe@x.io", PASSWORD]);
    assert_eq!(argument.code, Some(2), "a password is no argument: {argument:?}");
    let refused = sandbox.run(&["dashboard", "users", "create", "joe@x.io", "--password", PASSWORD]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert_eq!(sandbox.json(&["dashboard", "users", "list", "--json"])["users"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_stopped_folder_is_worked_on_itself() {
    let sandbox = Sandbox::new();
    drop(sandbox.serve(&[]));
    let made = create(&sandbox, "jane@x.io", PASSWORD);
    assert_eq!(made.code, Some(0), "{made:?}");
    let server = sandbox.serve(&[]);
    server.watch.secret(PASSWORD);
    let body = json!({"email": "jane@x.io", "password": PASSWORD});
    assert_eq!(server.post("/recipe/dashboard/signin", &[], &body)["status"], "OK");
}

#[test]
fn completions_know_the_commands() {
    let script = Sandbox::new().run(&["completions", "bash"]).out;
    for verb in ["list", "create", "delete"] {
        assert!(script.contains(&format!("sessiond__subcmd__dashboard__subcmd__users__subcmd__{verb}")), "{verb}");
    }
}
