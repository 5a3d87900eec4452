//! What arrives at an SMTP server, and what is caught without one.

use super::server::{Manners, SmtpServer};
use super::{TOKEN, add, mail, run, sent, waiting, with_server};
use crate::app::{START, TestApp};
use sessiond::domain::mail::{Language, Mail, MailAddress, MailKind};
use sessiond::jobs::outbox::Round;
use sessiond::outbound::mail::MAX_CAUGHT;
use std::fs;

#[tokio::test]
async fn a_letter_arrives_as_it_was_meant() {
    let server = SmtpServer::start();
    let app = with_server(&server).build().await;
    let id = add(&app, &mail(&app)).await;
    assert_eq!(run(&app).await, sent(1));
    assert_eq!(waiting(&app).await, 0);
    let received = server.received().remove(0);
    assert_eq!(received.account, None, "without a password nobody signs in");
    assert!(received.from.starts_with("FROM:<shop@example.org>"), "{}", received.from);
    assert_eq!(received.to, ["TO:<jane@example.org>"]);
    assert_eq!(received.header("From"), "\"The Shop\" <shop@example.org>");
    assert_eq!(received.header("To"), "<jane@example.org>");
    assert_eq!(received.header("Subject"), "Shop: choose a new password");
    assert_eq!(received.header("Date"), "Tue, 14 Nov 2023 22:13:20 +0000");
    assert_eq!(received.header("Message-ID"), format!("<{id}@example.org>"));
    assert_eq!(received.header("Auto-Submitted"), "auto-generated");
    assert_eq!(received.header("Content-Language"), "en");
    let link = mail(&app).link.unwrap();
    let text = received.part("text/plain");
    assert!(text.lines().any(|line| line == link), "{text}");
    assert!(text.contains("1 hour") && text.contains("meant for jane@example.org"), "{text}");
    let html = received.part("text/html");
    assert!(html.contains("lang=\"en\"") && html.contains("&amp;tenantId=public"), "{html}");
}

#[tokio::test]
async fn letters_of_every_language_arrive() {
    let server = SmtpServer::start();
    let app = with_server(&server).setting("smtp_from_name", "Läden & Söhne").build().await;
    for language in Language::ALL {
        let to = MailAddress::parse(&format!("{}@example.org", language.name())).unwrap().into();
        let code = Some("123456".to_owned());
        add(&app, &Mail { kind: MailKind::PasswordlessLogin, language, to, code, ..mail(&app) }).await;
    }
    assert_eq!(run(&app).await, sent(6));
    for received in server.received() {
        assert!(received.headers().iter().all(|line| line.is_ascii()), "{:?}", received.headers());
        let language = Language::from_tag(&received.header("Content-Language")).unwrap();
        let lifetime = language.lifetime(super::LIFETIME);
        for part in [received.part("text/plain"), received.part("text/html")] {
            assert!(part.contains(&lifetime) && part.contains("123456"), "{part}");
        }
        assert!(received.data.lines().all(|line| line.len() <= 998), "RFC 5322, 2.1.1");
    }
}

#[tokio::test]
async fn a_password_is_used_with_either_mechanism() {
    for mechanism in ["AUTH PLAIN", "AUTH LOGIN"] {
        let server = SmtpServer::with(Manners { extensions: vec![mechanism.to_owned()], ..Manners::default() });
        for (username, expected) in [(None, "shop@example.org"), (Some("apikey"), "apikey")] {
            let signing_in = with_server(&server).setting("smtp_password", "pässword");
            let app = match username {
                None => signing_in.build().await,
                Some(name) => signing_in.setting("smtp_auth_username", name).build().await,
            };
            app.keep_secret("pässword");
            add(&app, &mail(&app)).await;
            assert_eq!(run(&app).await, sent(1), "{mechanism}");
            let account = server.received().pop().unwrap().account.unwrap();
            assert_eq!(account, (expected.to_owned(), "pässword".to_owned()), "{mechanism}");
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_if_the_encryption_asked_for_is_not_there() {
    let server = SmtpServer::start();
    for secure in ["starttls", "tls"] {
        let app =
            with_server(&server).setting("smtp_secure", secure).setting("smtp_password", "secret-pw").build().await;
        app.keep_secret("secret-pw");
        add(&app, &mail(&app)).await;
        assert_eq!(run(&app).await.failed, 1, "{secure}");
        assert_eq!(waiting(&app).await, 1);
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn no_text_adds_a_header_a_recipient_or_a_command() {
    let server = SmtpServer::start();
    let evil = "Shop\r\nBcc: eve@x.io\r\nX-Evil: 1\r\n\r\nbody\r\n.\r\nMAIL FROM:<eve@x.io>";
    let app = with_server(&server).build().await;
    let plain = ["From", "To", "Date", "Subject", "Message-ID", "Auto-Submitted", "Content-Language", "MIME-Version"];
    let link = format!("https://x.io/?token={TOKEN}\r\n.\r\nRCPT TO:<eve@x.io>");
    add(&app, &Mail { app_name: evil.to_owned(), link: Some(link), ..mail(&app) }).await;
    assert_eq!(run(&app).await, sent(1));
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].to, ["TO:<jane@example.org>"]);
    let headers = received[0].headers();
    let names: Vec<_> = headers.iter().map(|line| line.split(':').next().unwrap()).collect();
    let expected = |name: &&str| plain.contains(name) || *name == "Content-Type";
    assert!(names.iter().all(expected), "{names:?}");
    assert_eq!(names.len(), plain.len() + 1, "{names:?}");
}

#[tokio::test]
async fn an_international_address_that_the_server_does_not_know_concerns_that_mail_alone() {
    let server = SmtpServer::start();
    let app = with_server(&server).build().await;
    let to = MailAddress::parse("jörg@example.org").unwrap().into();
    add(&app, &Mail { to, ..mail(&app) }).await;
    add(&app, &mail(&app)).await;
    let round = run(&app).await;
    assert_eq!((round.sent, round.failed), (1, 1));
    assert_eq!(server.received()[0].to, ["TO:<jane@example.org>"]);
}

#[tokio::test]
async fn without_a_server_the_newest_mails_are_caught() {
    let app = TestApp::new().await;
    let id = add(&app, &mail(&app)).await;
    assert_eq!(run(&app).await, Round { caught: 1, ..Round::default() });
    assert_eq!(waiting(&app).await, 0);
    let caught = app.context.mailer.caught.list().remove(0);
    let view = serde_json::to_value(&caught).unwrap();
    assert_eq!(view["id"], id.to_string());
    assert_eq!((&view["to"], &view["kind"]), (&"jane@example.org".into(), &"password-reset".into()));
    assert_eq!(
        (&view["appId"], &view["tenantId"], &view["time"]),
        (&"public".into(), &"public".into(), &START.0.into())
    );
    assert_eq!(view["link"], mail(&app).link.unwrap());
    assert!(caught.text.contains(TOKEN) && caught.html.contains(TOKEN));
    for number in 0..MAX_CAUGHT {
        add(&app, &Mail { app_name: format!("Shop {number}"), ..mail(&app) }).await;
    }
    while run(&app).await.caught > 0 {}
    let caught = app.context.mailer.caught.list();
    assert_eq!(caught.len(), MAX_CAUGHT);
    assert!(caught.iter().all(|letter| letter.id != id), "the oldest made room");
    app.context.mailer.caught.clear();
    assert!(app.context.mailer.caught.list().is_empty());
}

#[tokio::test]
async fn a_template_of_the_operators_is_used_unless_it_is_broken() {
    let folder = crate::store::scratch();
    fs::create_dir(folder.path().join("mail")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join("mail").join(name), text).unwrap();
    let app = TestApp::builder().setting("front_templates_dir", folder.path().to_str().unwrap()).build().await;
    let text = async || {
        add(&app, &mail(&app)).await;
        run(&app).await;
        app.context.mailer.caught.list().remove(0).text
    };
    let ours = text().await;
    write("password-reset.txt", "Dear {{ email }}, go to {{ link }} within {{ lifetime }}.");
    assert_eq!(text().await, format!("Dear jane@example.org, go to {} within 1 hour.", mail(&app).link.unwrap()));
    write("password-reset.txt", "{{ link.nothing.here }}");
    assert_eq!(text().await, ours);
    write("password-reset.txt", "{% if %}");
    assert_eq!(text().await, ours);
}
