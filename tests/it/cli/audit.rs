//! `sessiond audit` on a running server and on a stopped server's folder.

use crate::cli::sandbox::Sandbox;
use serde_json::{Value, json};

fn kinds(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[test]
fn what_changed_is_printed_newest_first_and_narrowed() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    assert_eq!(sandbox.run(&["audit"]).out, "No such events.\n");
    for user in ["alice", "bob"] {
        let body = json!({"userId": user, "email": format!("{user}@example.org")});
        let made = server.post("/recipe/user/email/verify/token", &[], &body);
        server.post("/recipe/user/email/verify", &[], &json!({"method": "token", "token": made["token"]}));
        server.post("/recipe/user/email/verify/remove", &[], &body);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let all = sandbox.json(&["audit", "--json"]);
    assert_eq!(kinds(&all).len(), 4);
    assert_eq!(all["events"][3]["userId"], "alice");
    assert_eq!(kinds(&sandbox.json(&["audit", "--json", "--limit", "3"])).len(), 3);
    let narrowed = sandbox.json(&["audit", "--json", "--user", "bob", "--kind", "email-verified"]);
    assert_eq!(kinds(&narrowed), ["email-verified"]);
    assert_eq!(kinds(&sandbox.json(&["audit", "--json", "--to", "2020-01-01T00:00:00Z"])), Vec::<&str>::new());

    let words = sandbox.run(&["audit", "--user", "alice", "--kind", "email-verified"]).out;
    assert!(words.contains("email-verified  userId=alice  tenantId=public  login=a***@example.org"), "{words}");
    let unknown = sandbox.run(&["audit", "--app", "nowhere"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.contains("there is no app nowhere"), "{unknown:?}");
    assert_eq!(sandbox.run(&["audit", "--kind", "invented"]).code, Some(2));
}
