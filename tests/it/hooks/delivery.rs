//! Hooks are told of an event until they have taken it, or it expires.

use super::receiver::{Hasty, Manners, Receiver, SECRET};
use super::{failed, run, told, waiting, watched, with_hooks};
use crate::app::{ManualClock, START, TestApp};
use crate::cdi::multitenancy::put_app;
use crate::people::with_cheap_passwords;
use crate::store::scratch;
use crate::watched::{Mood, Watched};
use serde_json::json;
use sessiond::command::hook::operate::{DropEvents, ListEvents, RetryEvents, TestEventHooks, WaitingEvent};
use sessiond::command::scope::{Cause, Scope};
use sessiond::domain::ids::AppId;
use sessiond::jobs::hook_events::{HookRound, round};
use sessiond::jobs::unused_round;
use sessiond::store::memory::MemoryEngine;
use std::sync::Arc;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn scope(app: &TestApp) -> Scope {
    Scope { app: app.context.directory.app(&AppId::base()).unwrap(), cause: Cause::without_request("test") }
}

async fn list(app: &TestApp) -> Vec<WaitingEvent> {
    ListEvents { scope: scope(app), limit: 100 }.run(&app.context).await.unwrap()
}

fn saying(status: u16) -> Manners {
    Manners::Says(status, "whatever".to_owned())
}

#[tokio::test]
async fn whatever_a_receiver_does_wrong_the_event_is_told_again() {
    for (manners, words) in [
        (saying(500), "it answered 500"),
        (saying(404), "it answered 404"),
        (saying(302), "it answered 302"),
        (Manners::Redirects, "redirects to another place"),
        (Manners::Garbage, "127.0.0.1: "),
        (Manners::Floods(500), "it answered 500"),
        (Manners::Silent, "did not answer in time"),
        (Manners::HangsUp, "127.0.0.1: "),
    ] {
        let receiver = Receiver::with(manners.clone());
        let app = watched(with_hooks(&[(&receiver, &["*"])]).http_client(Hasty::new())).await;
        app.sign_up("anna@x.io", "right").await;
        assert_eq!(run(&app).await, failed(1, 5_000), "{manners:?}");
        let error = list(&app).await.remove(0).record.error.unwrap();
        assert!(error.contains(words), "{manners:?}: {error}");
        receiver.behave(saying(200));
        app.clock.advance(5_000);
        assert_eq!(run(&app).await, told(1), "{manners:?}");
        let received = receiver.received();
        assert_eq!(received.len(), 2, "a redirect is not followed: {manners:?}");
        // The receiver may have taken it the first time: it recognises it by its id.
        assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
        assert_eq!(received[0].body(), received[1].body());
        assert_ne!(received[0].header("webhook-timestamp"), received[1].header("webhook-timestamp"));
    }
}

#[tokio::test]
async fn what_follows_the_status_does_not_matter() {
    let receiver = Receiver::with(Manners::Floods(200));
    let app = watched(with_hooks(&[(&receiver, &["*"])])).await;
    app.sign_up("anna@x.io", "right").await;
    assert_eq!(run(&app).await, told(1));
}

#[tokio::test]
async fn pauses_grow_until_the_event_is_given_up() {
    let receiver = Receiver::with(saying(500));
    let app = watched(with_hooks(&[(&receiver, &["*"])]).test_mode()).await;
    app.sign_up("anna@x.io", "right").await;
    for pause in [5_000, 30_000, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, HOUR] {
        assert_eq!(run(&app).await, failed(1, pause));
        app.clock.advance(pause - 1);
        assert_eq!(run(&app).await, HookRound { next_ms: Some(1), ..HookRound::default() });
        app.clock.advance(1);
    }
    app.clock.advance(24 * HOUR);
    assert_eq!(run(&app).await, HookRound { dropped: 1, ..HookRound::default() });
    assert_eq!(waiting(&app).await, 0);
    let figures = app.get("/metrics").await.body();
    for line in
        ["sessiond_hook_events_total{outcome=\"failed\"} 7", "sessiond_hook_events_total{outcome=\"dropped\"} 1"]
    {
        assert!(figures.lines().any(|found| found == line), "{figures}");
    }
}

#[tokio::test]
async fn a_receiver_that_is_down_is_asked_rarely_and_holds_up_nobody() {
    let [down, up] = [Receiver::with(Manners::HangsUp), Receiver::start()];
    let app = watched(with_hooks(&[(&down, &["session.*"]), (&up, &["session.*"])])).await;
    for user in 0..100 {
        app.session(&user.to_string()).await;
    }
    let mut reached = 0;
    loop {
        let round = run(&app).await;
        reached += round.told;
        if round.told == 0 {
            assert_eq!(round, HookRound { next_ms: Some(5_000), ..HookRound::default() });
            break;
        }
    }
    assert_eq!(reached, 100);
    let tried = down.received().len();
    assert!(tried <= 32, "only those that were already under way: {tried}");
    down.behave(saying(200));
    app.clock.advance(5_000);
    while run(&app).await.told > 0 {}
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn one_event_that_a_receiver_cannot_take_holds_up_no_other_one() {
    let receiver = Receiver::with(saying(500));
    let app = watched(with_hooks(&[(&receiver, &["*"])])).await;
    app.session("one").await;
    assert_eq!(run(&app).await, failed(1, 5_000));
    receiver.behave(saying(200));
    app.session("two").await;
    assert_eq!(run(&app).await, HookRound { next_ms: Some(5_000), ..told(1) });
}

#[tokio::test]
async fn events_survive_restarts_also_with_sealed_keys() {
    let receiver = Receiver::with(saying(500));
    let (store, clock) = (Arc::new(MemoryEngine::new()), ManualClock::at(START));
    let key = "a master key that is long enough to be one";
    let start =
        async || watched(with_hooks(&[(&receiver, &["*"])]).store(store.clone()).clock(&clock).master_key(key)).await;
    let app = start().await;
    app.sign_up("anna@x.io", "right").await;
    assert_eq!(run(&app).await, failed(1, 5_000));
    drop(app);
    receiver.behave(saying(200));
    clock.reboot(5_000);
    assert_eq!(run(&start().await).await, told(1));
    assert_eq!(receiver.received()[1].body()["data"]["login"], "anna@x.io");
}

#[tokio::test]
async fn events_survive_on_disk() {
    let (receiver, folder) = (Receiver::start(), scratch());
    let app = watched(with_hooks(&[(&receiver, &["*"])]).on_disk(folder.path())).await;
    app.session("anna").await;
    app.context.store.close().await.unwrap();
    drop(app);
    let app = watched(with_hooks(&[(&receiver, &["*"])]).on_disk(folder.path())).await;
    assert_eq!(run(&app).await, told(1));
    app.context.store.close().await.unwrap();
}

#[tokio::test]
async fn an_event_that_was_told_but_cannot_be_removed_is_not_told_again() {
    let (receiver, store) = (Receiver::start(), Watched::default());
    let app = watched(with_hooks(&[(&receiver, &["*"])]).store(Arc::new(store.clone()))).await;
    app.session("anna").await;
    store.be(Mood::Refuses);
    round(&app.context).await.unwrap_err();
    round(&app.context).await.unwrap_err();
    assert_eq!((receiver.received().len(), waiting(&app).await), (1, 1));
    store.be(Mood::Works);
    run(&app).await;
    assert_eq!((receiver.received().len(), waiting(&app).await), (1, 0));
}

#[tokio::test]
async fn a_jump_of_the_clock_loses_no_event() {
    let receiver = Receiver::start();
    let app = watched(with_hooks(&[(&receiver, &["*"])]).test_mode()).await;
    run(&app).await;
    app.session("anna").await;
    let jump = i64::try_from(100 * HOUR).unwrap();
    app.clock.step(jump);
    assert_eq!(run(&app).await, HookRound::default(), "it seems to have expired: neither told nor dropped");
    app.clock.step(-jump);
    assert_eq!(run(&app).await, told(1));
}

#[tokio::test]
async fn operators_list_retry_and_drop() {
    let receiver = Receiver::with(saying(500));
    let app = watched(with_hooks(&[(&receiver, &["*"])])).await;
    app.session("one").await;
    app.clock.advance(1);
    app.session("two").await;
    assert_eq!(run(&app).await.failed, 2);
    let listed = list(&app).await;
    assert_eq!(listed.iter().map(|event| event.hook.clone().unwrap()).collect::<Vec<_>>(), {
        let host = format!("127.0.0.1:{}", receiver.port);
        [host.clone(), host]
    });
    let id = Some(listed[0].id);
    assert_eq!(DropEvents { scope: scope(&app), id }.run(&app.context).await.unwrap(), 1);
    assert_eq!(DropEvents { scope: scope(&app), id }.run(&app.context).await.unwrap(), 0);
    receiver.behave(saying(200));
    assert_eq!(run(&app).await.told, 0);
    assert_eq!(RetryEvents { scope: scope(&app), id: None }.run(&app.context).await.unwrap(), 1);
    assert_eq!(run(&app).await, told(1));
}

#[tokio::test]
async fn a_test_event_tells_what_each_hook_answered() {
    let [good, bad] = [Receiver::start(), Receiver::with(saying(401))];
    let app = watched(with_hooks(&[(&good, &["*"]), (&bad, &["user.*"])])).await;
    let tested = TestEventHooks { scope: scope(&app) }.run(&app.context).await;
    let answers: Vec<_> = tested.into_iter().map(|hook| hook.answer.map_err(|error| error.what)).collect();
    assert_eq!(answers, [Ok(204), Err("it answered 401".to_owned())]);
    assert_eq!(good.take_types(), ["hook.test"]);
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn a_hook_that_is_taken_out_is_told_nothing_and_its_events_expire() {
    let (receiver, store) = (Receiver::start(), Arc::new(MemoryEngine::new()));
    let clock = ManualClock::at(START);
    let app = watched(with_hooks(&[(&receiver, &["*"])]).store(store.clone()).clock(&clock)).await;
    app.session("anna").await;
    drop(app);
    let app = TestApp::builder().test_mode().store(store).clock(&clock).build().await;
    assert_eq!(run(&app).await, HookRound::default());
    assert_eq!(list(&app).await[0].hook, None);
    assert_eq!(unused_round(&app.context).await, Some(0));
    clock.advance(24 * HOUR);
    assert_eq!(unused_round(&app.context).await, Some(1));
    assert_eq!((receiver.received().len(), waiting(&app).await), (0, 0));
}

#[tokio::test]
async fn a_secret_can_be_replaced_while_both_are_in_use() {
    let receiver = Receiver::start();
    let new = "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LQ==";
    let hook = json!([{"url": receiver.url(), "secret": new, "previousSecret": SECRET, "events": ["*"]}]);
    let builder = with_cheap_passwords().setting("event_hooks", &hook.to_string());
    let app = watched(builder.setting("hook_private_networks", "127.0.0.1")).await;
    app.session("anna").await;
    assert_eq!(run(&app).await, told(1));
    let received = receiver.received().remove(0);
    assert!(received.is_signed_with(new) && received.is_signed_with(SECRET));
    assert!(!received.is_signed_with("whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI="));
}

#[tokio::test]
async fn apps_have_hooks_of_their_own() {
    let [base, other] = [Receiver::start(), Receiver::start()];
    let app = watched(with_hooks(&[(&base, &["session.*"])])).await;
    let hooks = json!([{"url": other.url(), "secret": SECRET, "events": ["session.*"]}]);
    put_app(&app, "a1", json!({"event_hooks": hooks})).await.ok();
    app.post("/appid-a1/recipe/session", crate::app::new_session("anna")).await.ok();
    assert_eq!(run(&app).await, told(1));
    assert_eq!((base.received().len(), other.received().len()), (0, 1));
    assert_eq!(other.received()[0].body()["data"]["appId"], "a1");
}

#[tokio::test]
async fn callers_cannot_have_private_networks_called() {
    let receiver = Receiver::start();
    let app = watched(with_cheap_passwords()).await;
    let hook = |url: &str| json!({"event_hooks": [{"url": url, "secret": SECRET, "events": ["*"]}]});
    let refused = put_app(&app, "a1", hook(&receiver.url())).await;
    assert_eq!(refused.code(), 400);
    assert!(refused.body().contains("event_hooks[0].url leads to 127.0.0.1"), "{}", refused.body());
    // A private address that is no loopback one, or only a resolver knows, is refused when it is called.
    put_app(&app, "a1", hook("https://10.255.255.1/")).await.ok();
    app.post("/appid-a1/recipe/session", crate::app::new_session("anna")).await.ok();
    assert_eq!(run(&app).await, failed(1, 5_000));
    let a1 = AppId { app_id: "a1".to_owned(), ..AppId::base() };
    let of_a1 = Scope { app: app.context.directory.app(&a1).unwrap(), ..scope(&app) };
    let error = ListEvents { scope: of_a1, limit: 9 }.run(&app.context).await.unwrap().remove(0).record.error.unwrap();
    assert!(error.contains("not public; add its network to hook_private_networks"), "{error}");
}
