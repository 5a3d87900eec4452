//! Mail servers with TLS: who they are is checked, and a password never leaves before that.

use super::server::{Manners, Received, SmtpServer};
use super::{add, failed, mail, run, sent, waiting, with_server};
use crate::app::TestApp;
use crate::authority::Authority;
use sessiond::outbound::mail::SmtpTransport;
use std::sync::Arc;
use std::time::Duration;

const PASSWORD: &str = "Mail-Passw0rd";

/// A server with a certificate for the name or address.
fn server(authority: &Authority, name: &str, is_implicit: bool) -> SmtpServer {
    let mut manners =
        Manners { tls: Some(authority.issue(&[name]).server_config()), is_implicit, ..Manners::default() };
    manners.extensions.push("STARTTLS".to_owned());
    SmtpServer::with(manners)
}

/// An app that signs in there and trusts the authority.
async fn app(server: &SmtpServer, secure: &str, authority: &Authority) -> TestApp {
    let transport = SmtpTransport::with_patience(Duration::from_secs(5)).trusting(vec![authority.der.clone()]);
    let app = with_server(server).mail(Arc::new(transport));
    let app = app.setting("smtp_secure", secure).setting("smtp_password", PASSWORD).build().await;
    app.keep_secret(PASSWORD);
    app
}

/// Nothing of a sign-in or a mail came without TLS.
#[track_caller]
fn assert_only_greetings_in_the_clear(server: &SmtpServer) {
    for line in server.in_the_clear() {
        let is_greeting = line.starts_with("EHLO ") || line == "STARTTLS" || line == "QUIT";
        // A client that gives up in the middle of a handshake leaves bytes that are no line.
        assert!(is_greeting || !line.is_ascii(), "{line}");
    }
}

#[tokio::test]
async fn a_letter_and_its_password_travel_encrypted() {
    for (secure, is_implicit) in [("starttls", false), ("opportunistic", false), ("tls", true)] {
        let authority = Authority::new();
        let server = server(&authority, "127.0.0.1", is_implicit);
        let app = app(&server, secure, &authority).await;
        add(&app, &mail(&app)).await;
        assert_eq!(run(&app).await, sent(1), "{secure}");
        let Received { account, is_encrypted, .. } = server.received().remove(0);
        assert!(is_encrypted, "{secure}");
        assert_eq!(account, Some(("shop@example.org".to_owned(), PASSWORD.to_owned())), "{secure}");
        assert_only_greetings_in_the_clear(&server);
    }
}

#[tokio::test]
async fn a_server_that_cannot_show_who_it_is_gets_nothing() {
    let (trusted, other) = (Authority::new(), Authority::new());
    for (secure, is_implicit) in [("starttls", false), ("opportunistic", false), ("tls", true)] {
        for (authority, name) in [(&other, "127.0.0.1"), (&trusted, "mx.test")] {
            let server = server(authority, name, is_implicit);
            let app = app(&server, secure, &trusted).await;
            add(&app, &mail(&app)).await;
            assert_eq!(run(&app).await, failed(5_000), "{secure}, {name}");
            assert_eq!(waiting(&app).await, 1, "the mail waits for a better day");
            assert!(server.received().is_empty(), "{secure}, {name}");
            assert_only_greetings_in_the_clear(&server);
        }
    }
}

#[tokio::test]
async fn an_offer_that_was_removed_on_the_way_ends_the_conversation() {
    let authority = Authority::new();
    // What an attacker on the way makes of it: the same server without the offer.
    let server = SmtpServer::start();
    let app = app(&server, "starttls", &authority).await;
    add(&app, &mail(&app)).await;
    assert_eq!(run(&app).await, failed(5_000));
    assert!(server.received().is_empty());
    assert_only_greetings_in_the_clear(&server);
    assert!(server.connections() > 0);
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_in_the_clear() {
    let authority = Authority::new();
    let server = SmtpServer::start();
    let app = app(&server, "tls", &authority).await;
    add(&app, &mail(&app)).await;
    assert_eq!(run(&app).await, failed(5_000));
    assert!(server.received().is_empty());
    assert_only_greetings_in_the_clear(&server);
}
