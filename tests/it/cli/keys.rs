//! `sessiond keys` on a running server.

use crate::cli::sandbox::{Sandbox, Server};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The key that signed this access token.
fn kid_of(session: &Value) -> String {
    let token = session["accessToken"]["token"].as_str().unwrap();
    let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

fn verify(server: &Server, session: &Value) -> String {
    let body = json!({
        "accessToken": session["accessToken"]["token"],
        "enableAntiCsrf": false,
        "doAntiCsrfCheck": false,
        "checkDatabase": false,
    });
    server.post("/recipe/session/verify", &[], &body)["status"].as_str().unwrap().to_owned()
}

#[test]
fn rotating_on_a_running_server_publishes_a_new_key_and_logs_nobody_out() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let before = server.session("alice");
    let old = kid_of(&before);
    assert!(server.kids().contains(&old));

    let rotated = sandbox.json(&["keys", "rotate", "--immediate", "--json"]);
    let new = rotated["kid"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    let kids = server.kids();
    assert!(kids.contains(&new) && kids.contains(&old), "{kids:?}");
    assert_eq!(kid_of(&server.session("bob")), new);
    assert_eq!(verify(&server, &before), "OK");

    let rows = sandbox.json(&["keys", "list", "--json"]);
    let row = |kid: &str| rows["keys"].as_array().unwrap().iter().find(|row| row["kid"] == kid).unwrap().clone();
    assert_eq!((&row(&new)["signsNow"], &row(&new)["stage"]), (&json!(true), &json!("in_use")));
    assert_eq!((&row(&old)["signsNow"], &row(&old)["stage"]), (&json!(false), &json!("retired")));
}

#[test]
fn a_revoked_key_leaves_the_document_and_its_tokens_are_refused() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let session = server.session("alice");
    let kid = kid_of(&session);
    assert_eq!(verify(&server, &session), "OK");
    let revoked = sandbox.run(&["keys", "revoke", &kid, "--reason", "laptop lost"]);
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    assert!(!server.kids().contains(&kid));
    assert_eq!(verify(&server, &session), "TRY_REFRESH_TOKEN");
    let listed = sandbox.run(&["keys", "list"]).out;
    assert!(listed.contains("revoked because: laptop lost"), "{listed}");

    let again = sandbox.run(&["keys", "revoke", &kid]);
    assert_eq!(again.code, Some(1));
    let unknown = sandbox.run(&["keys", "revoke", "d-1"]);
    assert_eq!(unknown.err, "error: this app has no key d-1; see \"sessiond keys list\"\n");
}

#[test]
fn a_new_master_key_never_comes_as_an_argument() {
    let mut sandbox = Sandbox::new();
    let _server = sandbox.serve(&["--ephemeral"]);
    let none = sandbox.run(&["keys", "reseal"]);
    assert_eq!(none.code, Some(1));
    assert!(none.err.starts_with("error: no new master key: set SESSIOND_NEW_MASTER_KEY"), "{none:?}");
    sandbox.write("short", "too short\n");
    let short = sandbox.run(&["keys", "reseal", "--new-key-file", "short"]);
    assert_eq!(short.code, Some(1));
    assert!(short.err.starts_with("error: The master key is too short."), "{short:?}");
    sandbox.write("key", "0123456789012345678901234567890123456789\n");
    let sealed = sandbox.json(&["keys", "reseal", "--new-key-file", "key", "--json"]);
    assert_eq!(sealed["sealed"], json!(true));
    assert_eq!(sandbox.json(&["keys", "list", "--json"])["sealed"], json!(true));
    sandbox.set("SESSIOND_NEW_MASTER_KEY", "9876543210987654321098765432109876543210");
    assert_eq!(sandbox.run(&["keys", "reseal", "--plain"]).code, Some(1), "two different replies to one request");
    assert_eq!(sandbox.run(&["keys", "reseal"]).code, Some(0));
}
