//! Mails go with their app and their tenant, and the job sends them at once.

use super::server::{Manners, SmtpServer};
use super::{add, add_to, mail, run, sent, waiting, with_server};
use crate::app::TestApp;
use crate::store::scratch;
use serde_json::json;
use sessiond::command::outbox::Outbox;
use sessiond::command::tenancy::transfer::{ExportApp, ImportApp};
use sessiond::domain::ids::{AppId, TenantId};
use sessiond::domain::mail::Mail;
use sessiond::jobs;
use sessiond::jobs::outbox::Round;
use std::sync::Arc;
use std::time::Duration;

fn other() -> AppId {
    AppId { app_id: "other".to_owned(), ..AppId::base() }
}

async fn put_other(app: &TestApp) {
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "other"})).await.ok();
}

#[tokio::test]
async fn an_app_takes_its_mails_with_it() {
    let server = SmtpServer::start();
    let app = with_server(&server).build().await;
    put_other(&app).await;
    let entry = app.context.directory.app(&other()).unwrap();
    let outbox = Outbox::of(&app.context, &entry).await.unwrap();
    add_to(&app, &other(), &mail(&app)).await;
    let mut late = app.context.store.begin();
    outbox.add(&app.context, late.as_mut(), &mail(&app)).await.unwrap();
    app.post("/recipe/multitenancy/app/remove", json!({"appId": "other"})).await.ok();
    assert_eq!(waiting(&app).await, 0);
    assert!(late.commit().await.is_err(), "it has read that the tenant is there");
    let mut tx = app.context.store.begin();
    let gone = outbox.add(&app.context, tx.as_mut(), &mail(&app)).await.unwrap_err();
    assert!(gone.gone().is_some(), "{}", gone.chain());
    assert_eq!(run(&app).await, Round::default());
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn mails_of_a_removed_tenant_are_not_sent() {
    let server = SmtpServer::start();
    let app = with_server(&server).build().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let of_tenant = Mail { tenant: TenantId::new("t1"), ..mail(&app) };
    add(&app, &of_tenant).await;
    assert_eq!(run(&app).await, sent(1));
    add(&app, &of_tenant).await;
    app.post("/recipe/multitenancy/tenant/remove", json!({"tenantId": "t1"})).await.ok();
    assert_eq!(waiting(&app).await, 0);
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    assert_eq!(run(&app).await, Round::default());
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn an_archive_holds_no_mails_because_both_sides_would_send_them() {
    let app = TestApp::new().await;
    put_other(&app).await;
    add_to(&app, &other(), &mail(&app)).await;
    let folder = scratch();
    let to = folder.path().join("other.archive");
    let export = ExportApp { app: other(), to: to.clone(), key: None, plain: false };
    let exported = export.run(&app.context, Arc::new(|_, _, _| ())).await.unwrap();
    assert!(!exported.records.contains_key("outbox"), "{:?}", exported.records);
    let there = TestApp::new().await;
    let import = ImportApp { from: to, as_id: None, domain: None, key: None, served: true };
    import.run(&there.context, Arc::new(|_, _, _| ())).await.unwrap();
    assert_eq!((waiting(&app).await, waiting(&there).await), (1, 0));
}

/// The real job, with real time: it must not wait for its next tick, a minute later.
#[tokio::test(flavor = "multi_thread")]
async fn the_job_sends_at_once_what_was_there_and_what_is_added() {
    let server = SmtpServer::start();
    let app = with_server(&server).build().await;
    add(&app, &mail(&app)).await;
    let running = jobs::start(&app.context);
    let receive = |count| {
        let started = std::time::Instant::now();
        server.wait_for(count);
        started.elapsed()
    };
    assert!(tokio::task::block_in_place(|| receive(1)) < Duration::from_secs(10));
    add(&app, &mail(&app)).await;
    assert!(tokio::task::block_in_place(|| receive(2)) < Duration::from_secs(10));
    running.end(&app.context).await;
    assert_eq!(waiting(&app).await, 0);
}

/// A stop lets a mail that is on its way arrive, and begins no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_sending_between_two_mails() {
    let server = SmtpServer::with(Manners { recipient: "451 later".to_owned(), ..Manners::default() });
    let app = with_server(&server).build().await;
    let running = jobs::start(&app.context);
    running.end(&app.context).await;
    assert!(app.context.outbox.is_closing());
    add(&app, &mail(&app)).await;
    assert_eq!(run(&app).await, Round { next_ms: Some(0), ..Round::default() });
    assert_eq!((server.connections(), waiting(&app).await), (0, 1));
}
