//! `sessiond mail` on a running server and on a stopped folder.

use crate::app::{START, TestApp};
use crate::cli::sandbox::Sandbox;
use crate::mail::server::{Manners, SmtpServer};
use crate::mail::{TOKEN, add, mail};
use serde_json::json;
use sessiond::domain::mail::Mail;
use sessiond::domain::time::UnixMillis;

/// Until the next century: the binary has the machine's clock.
const LATE: UnixMillis = UnixMillis(START.0 + 80 * 365 * 86_400_000);

/// A folder whose server sends by `server`.
fn sandbox(server: &SmtpServer) -> Sandbox {
    let mut sandbox = Sandbox::new();
    for (name, value) in [
        ("SESSIOND_SMTP_HOST", "127.0.0.1"),
        ("SESSIOND_SMTP_PORT", server.port.to_string().as_str()),
        ("SESSIOND_SMTP_FROM_EMAIL", "shop@example.org"),
    ] {
        sandbox.set(name, value);
    }
    sandbox
}

/// Leaves mails in the folder; their ids.
fn fill(sandbox: &Sandbox, count: usize) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let app = TestApp::builder().on_disk(&sandbox.path().join("data")).build().await;
        let mut ids = Vec::new();
        for _ in 0..count {
            app.clock.advance(1_000);
            ids.push(add(&app, &Mail { expires: LATE, ..mail(&app) }).await.to_string());
        }
        app.context.store.close().await.unwrap();
        ids
    })
}

#[test]
fn a_test_mail_tells_what_the_server_said() {
    let server = SmtpServer::start();
    let sandbox = sandbox(&server);
    let running = sandbox.serve(&["--ephemeral"]);
    let told = sandbox.run(&["mail", "test", " jane@example.org "]);
    let expected = format!("127.0.0.1:{} took the mail: 250 2.0.0 queued as 4711\n", server.port);
    assert_eq!((told.code, told.out, told.err.as_str()), (Some(0), expected, ""));
    assert_eq!(server.received()[0].header("Subject"), "sessiond: test message");
    server.behave(Manners { recipient: "550 5.7.1 relaying denied".to_owned(), ..Manners::default() });
    let refused = sandbox.run(&["mail", "test", "jane@example.org"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("did not take the mail") && refused.err.contains("relaying denied"), "{refused:?}");
    let wrong = sandbox.run(&["mail", "test", "jane"]);
    assert!(wrong.err.starts_with("error: jane is not an address"), "{wrong:?}");
    drop(running);
}

#[test]
fn without_a_server_a_test_mail_is_caught() {
    let sandbox = Sandbox::new();
    let running = sandbox.serve(&["--ephemeral"]);
    let caught = sandbox.json(&["mail", "test", "jane@example.org", "--json"]);
    assert_eq!(caught, json!({"status": "CAUGHT", "inMemoryOfServer": true, "missing": "smtp_host"}));
    assert!(sandbox.run(&["mail", "test", "jane@example.org"]).out.starts_with("caught: smtp_host is not set"));
    let text = sandbox.run(&["mail", "test", "+4915112345678"]);
    assert!(text.out.starts_with("caught: sms_twilio_account_sid is not set"), "{text:?}");
    drop(running);
}

#[test]
fn mails_are_listed_dropped_and_tried_again() {
    let server = SmtpServer::with(Manners { recipient: "550 5.1.1 no such user".to_owned(), ..Manners::default() });
    let sandbox = sandbox(&server);
    let ids = fill(&sandbox, 3);
    let told = sandbox.run(&["mail", "list"]).out;
    assert!(told.starts_with("ID ") && told.contains("jane@example.org") && told.contains("  due  "), "{told}");
    let dropped = sandbox.run(&["mail", "drop", &ids[0]]);
    assert_eq!((dropped.code, dropped.out.as_str()), (Some(0), "dropped\n"), "{dropped:?}");
    assert_eq!(sandbox.json(&["mail", "drop", &ids[0], "--json"]), json!({"didMailExist": false}));

    let mut running = sandbox.serve(&[]);
    running.watch.secret(TOKEN);
    let patience = std::time::Instant::now();
    let listed = loop {
        let listed = sandbox.json(&["mail", "list", "--json"]);
        let mails = listed["mails"].as_array().unwrap().clone();
        if mails.iter().all(|mail| mail["failures"] == 1) {
            break mails;
        }
        assert!(patience.elapsed().as_secs() < 30, "{listed}");
    };
    assert_eq!(listed.len(), 2);
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&json!(ids[1]), &json!("waiting")));
    assert!(listed[0]["lastError"].as_str().unwrap().contains("no such user"), "{listed:?}");
    assert!(!format!("{listed:?}").contains(TOKEN));

    server.behave(Manners::default());
    assert_eq!(sandbox.run(&["mail", "retry", &ids[1]]).out, "1 mail tried again\n");
    server.wait_for(1);
    // The first one may not have been removed yet.
    sandbox.json(&["mail", "retry", "--all", "--json"]);
    let received = server.wait_for(2);
    assert!(received.iter().all(|mail| mail.part("text/plain").contains(TOKEN)));
    let stopped = sandbox.run(&["stop"]);
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    running.wait();
    assert_eq!(sandbox.run(&["mail", "list"]).out, "No mails are waiting.\n");
    running.watch.search(&running.err());
}

#[test]
fn retry_wants_to_know_what() {
    let sandbox = Sandbox::new();
    for args in [&["mail", "retry"][..], &["mail", "retry", "x"], &["mail", "drop"], &["mail", "list", "--limit", "0"]]
    {
        assert_eq!(sandbox.run(args).code, Some(2), "{args:?}");
    }
}
