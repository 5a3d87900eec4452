//! `sessiond sessions` on a running server.

use crate::cli::sandbox::{Sandbox, request};
use serde_json::{Value, json};

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

#[test]
fn a_users_sessions_are_listed_and_ended_by_handle_or_by_user() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let handles: Vec<String> = (0..3).map(|_| text(&server.session("alice"), "/session/handle").to_owned()).collect();
    server.session("bob");

    let listed = sandbox.json(&["sessions", "list", "alice", "--json"]);
    let mut found: Vec<&str> =
        listed["sessions"].as_array().unwrap().iter().map(|row| text(row, "/sessionHandle")).collect();
    found.sort_unstable();
    let mut expected: Vec<&str> = handles.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);

    let one = sandbox.run(&["sessions", "revoke", &handles[0], "not-a-handle"]);
    assert_eq!((one.code, one.out), (Some(0), format!("ended {}\n", handles[0])));
    let rest = sandbox.json(&["sessions", "revoke", "--user", "alice", "--json"]);
    assert_eq!(rest["sessionHandlesRevoked"].as_array().map(Vec::len), Some(2));
    assert_eq!(sandbox.run(&["sessions", "list", "alice"]).out, "No live sessions.\n");
    assert_eq!(sandbox.json(&["sessions", "list", "bob", "--json"])["sessions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn why_tells_what_ended_a_session() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let created = server.session("alice");
    let handle = text(&created, "/session/handle");
    let alive = sandbox.json(&["sessions", "why", handle, "--json"]);
    // the same names as in GET /recipe/session/timeline
    assert_eq!((alive.get("timeEnded"), &alive["eventsOmitted"]), (Some(&Value::Null), &0.into()));

    assert_eq!(sandbox.run(&["sessions", "revoke", handle]).code, Some(0));
    let story = sandbox.json(&["sessions", "why", handle, "--json"]);
    assert!(story["timeEnded"].is_u64(), "{story}");
    let events = story["events"].as_array().unwrap();
    assert!(events.len() >= 2, "{story}");
    assert!(story.to_string().contains("sessiond sessions revoke"), "the cause is named: {story}");

    let words = sandbox.run(&["sessions", "why", handle]).out;
    assert!(words.starts_with(text(&story, "/summary")), "{words}");
    let unknown = sandbox.run(&["sessions", "why", "00000000-0000-4000-8000-000000000000"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.starts_with("error: nothing is known of the session"), "{unknown:?}");
}

#[test]
fn theft_is_found_in_the_story() {
    let sandbox = Sandbox::new();
    let server = sandbox.serve(&["--ephemeral"]);
    let created = server.session("alice");
    let refresh = |token: &str| {
        server.post(
            "/recipe/session/refresh",
            &[],
            &json!({ "refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true }),
        )
    };
    let first = text(&created, "/refreshToken/token");
    let second = refresh(first);
    let third = refresh(text(&second, "/refreshToken/token"));
    assert_eq!(third["status"], "OK");
    assert_eq!(refresh(first)["status"], "TOKEN_THEFT_DETECTED");
    let story = sandbox.json(&["sessions", "why", text(&created, "/session/handle"), "--json"]);
    assert!(story["events"].as_array().unwrap().len() >= 3, "{story}");
    for token in [first, text(&second, "/refreshToken/token"), text(&third, "/accessToken/token")] {
        assert!(!story.to_string().contains(token), "a story holds no tokens");
    }
}

#[test]
fn what_does_not_exist_is_named() {
    let sandbox = Sandbox::new();
    let _server = sandbox.serve(&["--ephemeral"]);
    let app = sandbox.run(&["sessions", "list", "alice", "--app", "nope"]);
    assert_eq!(app.code, Some(1));
    assert!(app.err.starts_with("error: there is no app nope;"), "{app:?}");
    let tenant = sandbox.run(&["sessions", "list", "alice", "--tenant", "nope"]);
    assert_eq!((tenant.code, tenant.err.as_str()), (Some(1), "error: there is no tenant nope in this app\n"));
    let public = sandbox.run(&["sessions", "list", "alice", "--tenant", "PUBLIC"]);
    assert_eq!((public.code, public.out.as_str()), (Some(0), "No live sessions.\n"));
}

#[test]
fn browsers_are_shown_with_the_sessions_that_they_use() {
    let mut sandbox = Sandbox::new();
    sandbox.set("SESSIOND_FRONT_PORT", "0");
    let mut server = sandbox.serve(&["--ephemeral"]);
    let port = Sandbox::front_port(&mut server);
    let fields = json!([{"id": "email", "value": "a@b.cd"}, {"id": "password", "value": "correct horse 1"}]);
    let agent = [("user-agent", "Browser/1\u{202e} (X)")];
    let body = json!({ "formFields": fields }).to_string();
    let up = request(port, "POST", "/auth/signup", &agent, &body);
    assert_eq!(up.status, 200, "{}", up.body);
    let user = serde_json::from_str::<Value>(&up.body).unwrap()["user"]["id"].as_str().unwrap().to_owned();
    let listed = sandbox.json(&["sessions", "list", &user, "--json"]);
    let from = json!({"address": "127.0.0.1", "userAgent": "Browser/1 (X)"});
    assert_eq!(listed["sessions"][0]["createdFrom"], from);
    let refreshed =
        [("user-agent", "Browser/2"), ("authorization", &format!("Bearer {}", up.header("st-refresh-token")))];
    assert_eq!(request(port, "POST", "/auth/session/refresh", &refreshed, "").status, 200);
    let handle = text(&listed, "/sessions/0/sessionHandle");
    for args in [["sessions", "list", &user], ["sessions", "why", handle]] {
        let words = sandbox.run(&args).out;
        assert!(words.contains("  created from 127.0.0.1, Browser/1 (X)\n"), "{words}");
        assert!(words.contains(" from 127.0.0.1, Browser/2\n"), "{words}");
    }
}
