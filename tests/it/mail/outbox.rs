//! Mails are tried again until they are sent or expire, and survive restarts.

use super::server::{Manners, SmtpServer};
use super::{LIFETIME, TOKEN, add, add_to, failed, mail, run, sent, waiting, with_server};
use crate::app::{ManualClock, START, TestApp};
use crate::store::{assert_holds_none_of, scratch};
use crate::watched::{Mood, Watched};
use serde_json::json;
use sessiond::command::outbox::Outbox;
use sessiond::command::outbox::operate::{DropMail, ListMail, RetryMail, WaitingMail};
use sessiond::command::scope::{Cause, Scope};
use sessiond::domain::delivery::Due;
use sessiond::domain::ids::AppId;
use sessiond::jobs::outbox::{Round, round};
use sessiond::store::memory::MemoryEngine;
use std::sync::Arc;

const MINUTE: u64 = 60_000;

fn scope(app: &TestApp) -> Scope {
    Scope { app: app.context.directory.app(&AppId::base()).unwrap(), cause: Cause::without_request("test") }
}

async fn list(app: &TestApp) -> Vec<WaitingMail> {
    ListMail { scope: scope(app), limit: 100 }.run(&app.context).await.unwrap()
}

fn saying(recipient: &str) -> Manners {
    Manners { recipient: recipient.to_owned(), ..Manners::default() }
}

#[tokio::test]
async fn a_mail_of_a_transaction_that_did_not_commit_is_never_sent() {
    let server = SmtpServer::start();
    let app = with_server(&server).build().await;
    let outbox = Outbox::of(&app.context, &scope(&app).app).await.unwrap();
    let mut tx = app.context.store.begin();
    outbox.add(&app.context, tx.as_mut(), &mail(&app)).await.unwrap();
    drop(tx);
    assert_eq!(run(&app).await, Round::default());
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn what_is_stored_and_logged_holds_neither_token_nor_address() {
    let server = SmtpServer::with(saying("451 4.3.0 try <jane@example.org> again"));
    let app = with_server(&server).build().await;
    app.keep_secret("jane@example.org");
    add(&app, &mail(&app)).await;
    assert_eq!(run(&app).await, failed(5_000));
    app.session("u").await;
    assert_holds_none_of(&*app.context.store, &[TOKEN.as_bytes(), b"jane@example.org"]).await;
    let waiting = list(&app).await.remove(0);
    assert_eq!(waiting.to.unwrap().as_str(), "jane@example.org");
    let error = waiting.record.error.unwrap();
    assert!(error.contains("451") && error.contains("try <(recipient)> again"), "{error}");
}

#[tokio::test]
async fn a_deferred_mail_is_tried_again_with_growing_pauses() {
    let server = SmtpServer::with(saying("451 4.7.1 greylisted"));
    let app = with_server(&server).build().await;
    add(&app, &mail(&app)).await;
    for pause in [5_000, 30_000, 2 * MINUTE, 10 * MINUTE] {
        assert_eq!(run(&app).await, failed(pause));
        app.clock.advance(pause - 1);
        assert_eq!(run(&app).await, Round { next_ms: Some(1), ..Round::default() });
        app.clock.advance(1);
    }
    server.behave(Manners::default());
    assert_eq!(run(&app).await, sent(1));
    assert_eq!(waiting(&app).await, 0);
    let figures = app.get("/metrics").await.body();
    for line in ["sessiond_mails_total{outcome=\"failed\"} 4", "sessiond_mails_total{outcome=\"sent\"} 1"] {
        assert!(figures.lines().any(|found| found == line), "{figures}");
    }
}

#[tokio::test]
async fn a_refused_mail_is_held_until_an_operator_decides() {
    let server = SmtpServer::with(saying("550 5.1.1 no such user"));
    let app = with_server(&server).build().await;
    let id = add(&app, &mail(&app)).await;
    add(&app, &mail(&app)).await;
    for _ in 0..3 {
        assert_eq!(run(&app).await.failed, 2);
        app.clock.advance(10 * MINUTE);
    }
    assert_eq!(run(&app).await.failed, 0);
    let now = sessiond::domain::time::Clock::reading(&app.clock);
    assert!(list(&app).await.iter().all(|mail| mail.record.progress.due(&now) == Due::Held));
    server.behave(Manners::default());
    assert!(DropMail { scope: scope(&app), id }.run(&app.context).await.unwrap());
    assert!(!DropMail { scope: scope(&app), id }.run(&app.context).await.unwrap());
    assert_eq!(RetryMail { scope: scope(&app), id: Some(id) }.run(&app.context).await.unwrap(), 0);
    assert_eq!(RetryMail { scope: scope(&app), id: None }.run(&app.context).await.unwrap(), 1);
    assert_eq!(run(&app).await, sent(1));
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_left_alone_for_a_while_and_other_apps_go_on() {
    let (good, bad) =
        (SmtpServer::start(), SmtpServer::with(Manners { hang_up_at: Some("CONNECT"), ..Manners::default() }));
    let app = with_server(&bad).build().await;
    let config = json!({"smtp_port": good.port});
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "other", "coreConfig": config})).await.ok();
    let other = AppId { app_id: "other".to_owned(), ..AppId::base() };
    for _ in 0..30 {
        add(&app, &mail(&app)).await;
    }
    add_to(&app, &other, &mail(&app)).await;
    let round = run(&app).await;
    assert_eq!(round.sent, 1, "{round:?}");
    assert!(round.failed <= 8, "only those that were already under way: {round:?}");
    let tried = bad.connections();
    assert_eq!(run(&app).await, Round { next_ms: Some(5_000), ..Round::default() });
    assert_eq!(bad.connections(), tried);
    bad.behave(Manners::default());
    app.clock.advance(5_000);
    assert_eq!(run(&app).await.sent, 30);
}

#[tokio::test]
async fn a_wrong_password_is_not_the_mails_fault() {
    let server = SmtpServer::with(Manners { signed_in: "535 5.7.8 no".to_owned(), ..Manners::default() });
    let app = with_server(&server).setting("smtp_password", "wrong-pw").build().await;
    app.keep_secret("wrong-pw");
    add(&app, &mail(&app)).await;
    for pause in [5_000, 30_000, 2 * MINUTE, 10 * MINUTE] {
        assert_eq!(run(&app).await, failed(pause), "never held");
        app.clock.advance(pause);
    }
    server.behave(Manners::default());
    assert_eq!(run(&app).await, sent(1));
}

#[tokio::test]
async fn a_broken_or_slow_conversation_is_repeated_with_the_same_letter() {
    for stage in ["EHLO", "MAIL", "RCPT", "DATA", "."] {
        let server = SmtpServer::with(Manners { hang_up_at: Some(stage), ..Manners::default() });
        let app = with_server(&server).build().await;
        add(&app, &mail(&app)).await;
        assert_eq!(run(&app).await, failed(5_000), "{stage}");
        server.behave(Manners::default());
        app.clock.advance(5_000);
        assert_eq!(run(&app).await, sent(1), "{stage}");
        let received = server.received();
        // It was taken twice if only the answer was lost: then both are the same, and have the same id.
        assert_eq!(received.len(), if stage == "." { 2 } else { 1 });
        assert_eq!(received[0].data, received.last().unwrap().data);
    }
    let server = SmtpServer::with(Manners { silent_at: Some("MAIL"), ..Manners::default() });
    let patience = std::time::Duration::from_millis(200);
    let transport = sessiond::outbound::mail::SmtpTransport::with_patience(patience);
    let app = with_server(&server).mail(Arc::new(transport)).build().await;
    add(&app, &mail(&app)).await;
    assert_eq!(run(&app).await, failed(5_000));
}

#[tokio::test]
async fn a_mail_expires_with_its_token() {
    let server = SmtpServer::with(saying("451 later"));
    let app = with_server(&server).test_mode().build().await;
    add(&app, &mail(&app)).await;
    assert_eq!(run(&app).await, failed(5_000));
    server.behave(Manners::default());
    app.clock.advance(LIFETIME);
    assert_eq!(run(&app).await, Round { dropped: 1, ..Round::default() });
    assert_eq!(waiting(&app).await, 0);
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_jump_of_the_clock_loses_no_mail() {
    let server = SmtpServer::start();
    let app = with_server(&server).test_mode().build().await;
    run(&app).await;
    add(&app, &mail(&app)).await;
    app.clock.step(10 * i64::try_from(LIFETIME).unwrap());
    assert_eq!(
        run(&app).await,
        Round::default(),
        "it seems to have expired, so it is not sent, but not dropped either"
    );
    app.clock.step(-10 * i64::try_from(LIFETIME).unwrap());
    assert_eq!(run(&app).await, sent(1));
}

#[tokio::test]
async fn mails_survive_restarts_also_with_sealed_keys() {
    let server = SmtpServer::with(saying("451 later"));
    let (store, clock) = (Arc::new(MemoryEngine::new()), ManualClock::at(START));
    let key = "a master key that is long enough to be one";
    let start = async || with_server(&server).store(store.clone()).clock(&clock).master_key(key).build().await;
    let app = start().await;
    add(&app, &mail(&app)).await;
    assert_eq!(run(&app).await, failed(5_000));
    drop(app);
    clock.advance(1_000);
    let app = start().await;
    assert_eq!(run(&app).await, Round { next_ms: Some(4_000), ..Round::default() });
    server.behave(Manners::default());
    clock.reboot(4_000);
    assert_eq!(run(&start().await).await, sent(1));
}

#[tokio::test]
async fn mails_survive_on_disk() {
    let (server, folder) = (SmtpServer::start(), scratch());
    let app = with_server(&server).on_disk(folder.path()).build().await;
    add(&app, &mail(&app)).await;
    app.context.store.close().await.unwrap();
    drop(app);
    let app = with_server(&server).on_disk(folder.path()).build().await;
    assert_eq!(run(&app).await, sent(1));
    assert_eq!(waiting(&app).await, 0);
    app.context.store.close().await.unwrap();
}

#[tokio::test]
async fn a_sent_mail_whose_record_cannot_be_removed_is_not_sent_again() {
    let (server, store) = (SmtpServer::start(), Watched::default());
    let app = with_server(&server).store(Arc::new(store.clone())).build().await;
    add(&app, &mail(&app)).await;
    store.be(Mood::Refuses);
    round(&app.context).await.unwrap_err();
    round(&app.context).await.unwrap_err();
    assert_eq!((server.received().len(), waiting(&app).await), (1, 1));
    store.be(Mood::Works);
    run(&app).await;
    assert_eq!((server.received().len(), waiting(&app).await), (1, 0));
}
