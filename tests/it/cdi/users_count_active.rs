//! `GET /users/count/active`, and what marks a user as active.

use crate::app::{START, TestApp, new_session};
use crate::people::{by_password, by_provider, mapped, with_cheap_passwords};
use crate::store::golden;
use crate::watched::{Mood, Watched};
use serde_json::json;
use sessiond::domain::ids::{AppId, UserId};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::totp::TotpSecret;
use sessiond::store::activity::{self, ActiveRecord};
use std::sync::Arc;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

async fn active(app: &TestApp, prefix: &str, since: u64) -> u64 {
    let reply = app.get(&format!("{prefix}/users/count/active?since={since}")).await.ok().json();
    assert_eq!(reply, json!({"status": "OK", "count": reply["count"]}));
    reply["count"].as_u64().expect("a count")
}

fn refresh(token: &str) -> serde_json::Value {
    json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true})
}

#[tokio::test]
async fn users_count_once_from_the_moment_of_their_last_mark() {
    let app = TestApp::new().await;
    assert_eq!(active(&app, "", 0).await, 0);
    for user in ["u", "u", "v", &"w".repeat(1000)] {
        app.session(user).await;
    }
    assert_eq!(active(&app, "", 0).await, 3);
    assert_eq!(active(&app, "", START.0).await, 3);
    assert_eq!(active(&app, "", START.0 + 1).await, 0);
    app.clock.advance(5 * MINUTE);
    app.session("u").await;
    assert_eq!(active(&app, "", START.0 + 1).await, 1);
    assert_eq!(active(&app, "", START.0).await, 3);
}

#[tokio::test]
async fn a_user_is_marked_every_five_minutes_at_most() {
    let app = TestApp::new().await;
    app.session("u").await;
    app.clock.advance(5 * MINUTE - 1);
    app.session("u").await;
    assert_eq!(active(&app, "", START.0 + 1).await, 0, "still the first mark");
    app.clock.advance(1);
    app.session("u").await;
    assert_eq!(active(&app, "", START.0 + 5 * MINUTE).await, 1);
}

#[tokio::test]
async fn refreshing_and_signing_out_everywhere_mark_and_other_calls_do_not() {
    let app = TestApp::new().await;
    let session = app.session("u").await;
    let moment = |n: u64| START.0 + n * 10 * MINUTE;
    let next = || app.clock.advance(10 * MINUTE);

    next();
    let body = json!({"accessToken": session.access_token(), "enableAntiCsrf": false, "doAntiCsrfCheck": false,
        "checkDatabase": true});
    app.post("/recipe/session/verify", body).await.ok();
    app.get("/recipe/session/user?userId=u").await.ok();
    let body = json!({"accessToken": session.access_token(), "userDataInJWT": {"a": 1}});
    app.post("/recipe/session/regenerate", body).await.ok();
    let device = json!({"userId": "u", "deviceName": "d", "skew": 1, "period": 30, "secretKey": "MZXW6YTB"});
    app.post("/recipe/totp/device/import", device).await.ok();
    let code = TotpSecret::from_base32("MZXW6YTB").unwrap().code(app.context.now().seconds() / 30);
    let body = json!({"userId": "u", "totp": format!("{code:06}")});
    app.post("/recipe/totp/verify", body).await.ok();
    assert_eq!(active(&app, "", moment(1)).await, 0);

    let refreshed = app.post("/recipe/session/refresh", refresh(&session.refresh_token())).await.ok();
    assert_eq!(active(&app, "", moment(1)).await, 1);
    next();
    app.post("/recipe/session/remove", json!({"sessionHandles": [refreshed.handle()]})).await.ok();
    assert_eq!(active(&app, "", moment(2)).await, 0, "ending some sessions does not mark the user as active");

    app.session("v").await;
    next();
    app.post("/recipe/session/remove", json!({"userId": "v"})).await.ok();
    assert_eq!(active(&app, "", moment(3)).await, 1);
    next();
    app.post("/recipe/session/remove", json!({"userId": "v"})).await.ok();
    assert_eq!(active(&app, "", moment(4)).await, 0, "without a session to end, nothing is written");
}

#[tokio::test]
async fn a_mark_costs_no_commit_of_its_own() {
    let app = TestApp::new().await;
    // The first session creates the app's keys.
    app.session("first").await;
    let before = app.context.store.stats().commits;
    let session = app.session("u").await;
    app.clock.advance(10 * MINUTE);
    app.post("/recipe/session/refresh", refresh(&session.refresh_token())).await.ok();
    assert_eq!(app.context.store.stats().commits, before + 2);
    assert_eq!(active(&app, "", START.0 + 1).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_of_one_user_do_not_meet_in_the_mark() {
    let app = TestApp::new().await;
    let mut tokens = Vec::new();
    for _ in 0..32 {
        tokens.push(app.session("u").await.refresh_token());
    }
    for round in 1..5 {
        app.clock.advance(10 * MINUTE);
        let tasks: Vec<_> = tokens
            .iter()
            .map(|token| {
                let (app, body) = (app.clone(), refresh(token));
                tokio::spawn(async move { app.post("/recipe/session/refresh", body).await.ok().refresh_token() })
            })
            .collect();
        tokens.clear();
        for task in tasks {
            tokens.push(task.await.unwrap());
        }
        assert_eq!(active(&app, "", START.0 + round * 10 * MINUTE).await, 1);
    }
    assert_eq!(app.context.store.stats().conflicts, 0);
}

#[tokio::test]
async fn marks_are_of_the_app_and_go_with_it() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.post("/t1/recipe/session", new_session("u")).await.ok();
    for _ in 0..2 {
        app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
        assert_eq!(active(&app, "/appid-a1", 0).await, 0);
        app.post("/appid-a1/recipe/session", new_session("u")).await.ok();
        assert_eq!(active(&app, "/appid-a1", 0).await, 1, "an app of the same name starts afresh");
        app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
    }
    app.post("/recipe/multitenancy/tenant/remove", json!({"tenantId": "t1"})).await.ok();
    assert_eq!(active(&app, "", 0).await, 1, "the user stays in the app");
}

#[tokio::test]
async fn many_users_are_counted() {
    let app = TestApp::new().await;
    mark(&app, (0..2500).map(|n| START.plus(n % 5 * 5 * MINUTE))).await;
    assert_eq!(active(&app, "", START.0).await, 2500);
    assert_eq!(active(&app, "", START.0 + 15 * MINUTE).await, 1000);
}

/// Marks users at these moments.
async fn mark(app: &TestApp, moments: impl IntoIterator<Item = UnixMillis>) {
    let mut tx = app.context.store.begin();
    for (n, at) in moments.into_iter().enumerate() {
        activity::put(tx.as_mut(), &AppId::base(), &UserId::new(n.to_string()), at).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Moments of the last 40 days and of some hours to come, and what is counted of them.
fn scattered(count: u64) -> Vec<UnixMillis> {
    (0..count).map(|n| START.plus(5 * HOUR).minus(n * 7_919_777 % (40 * 24 * HOUR))).collect()
}

#[tokio::test]
async fn few_are_counted_to_the_millisecond_and_many_from_the_beginning_of_five_minutes() {
    for (many, slot, hour) in [(1024, 1, 1), (1025, 5 * MINUTE, HOUR)] {
        let app = TestApp::new().await;
        let marks = scattered(many);
        mark(&app, marks.iter().copied()).await;
        let since = |moment: u64| marks.iter().filter(|at| at.0 >= moment).count() as u64;
        let moments = (0..300).map(|n| START.0 - n * 11_400_000 - n % 3);
        let edges = (0..60).map(|n| (START.0 / HOUR - 17 * n) * HOUR);
        for moment in moments.chain(edges).chain(marks.iter().take(50).map(|at| at.0)).chain([0]) {
            assert_eq!(active(&app, "", moment).await, since(moment / slot * slot), "{many}: {moment}");
        }
        assert_eq!(active(&app, "", i64::MAX.unsigned_abs()).await, 0);
        let maus = app.get("/ee/featureflag").await.ok().json()["usageStats"]["maus"].clone();
        let first = |days: u64| START.0 - days * 24 * HOUR + 1;
        let expected: Vec<u64> = (1..=31).map(|days| since(first(days) / hour * hour)).collect();
        assert_eq!(maus, json!(expected), "{many}");
    }
}

#[tokio::test]
async fn very_many_cost_no_more_than_a_thousand() {
    let mut read = Vec::new();
    for marks in [1000, 60_000] {
        let engine = Watched::default();
        let app = TestApp::builder().store(Arc::new(engine.clone())).build().await;
        mark(&app, scattered(marks)).await;
        for path in ["/users/count/active?since=0", "/users/count/active?since=1699200000123", "/ee/featureflag"] {
            let before = engine.rows.get();
            app.get(path).await.ok();
            read.push(engine.rows.get() - before);
        }
    }
    let (few, many) = read.split_at(3);
    assert!(few.iter().zip(many).all(|(few, many)| many <= few), "rows read: {few:?}, {many:?}");
}

#[tokio::test]
async fn who_could_not_be_marked_is_marked_by_the_next_request() {
    let engine = Watched::default();
    let app = TestApp::builder().store(Arc::new(engine.clone())).build().await;
    app.session("first").await;
    engine.be(Mood::Refuses);
    assert!(app.post("/recipe/session", new_session("u")).await.code() >= 500);
    engine.be(Mood::Works);
    engine.conflicts.set(3);
    app.session("u").await;
    assert_eq!(active(&app, "", 0).await, 2);
}

#[tokio::test]
async fn who_gets_the_id_of_a_deleted_user_is_marked_at_once() {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io")), by_password("b", 2, "b@x.io")]).await;
    app.session("mine").await;
    assert_eq!(active(&app, "", 0).await, 1);
    app.post("/user/remove", json!({"userId": "mine"})).await.ok();
    assert_eq!(active(&app, "", 0).await, 0);
    app.post("/recipe/userid/map", json!({"superTokensUserId": "b", "externalUserId": "mine"})).await.ok();
    app.session("mine").await;
    assert_eq!(active(&app, "", 0).await, 1);
}

#[tokio::test]
async fn who_is_linked_and_unlinked_is_marked_again_at_once() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), by_password("b", 2, "b@x.io")]).await;
    app.session("b").await;
    app.group(&["a", "b"]).await;
    assert_eq!(active(&app, "", 0).await, 1, "linking marks the whole user as active, and nobody else");
    app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "b"})).await.ok();
    app.session("b").await;
    assert_eq!(active(&app, "", 0).await, 2);
}

#[tokio::test]
async fn bad_input_is_named() {
    let app = TestApp::new().await;
    let path = "/users/count/active";
    app.get(path).await.is_text(400, "Field name 'since' is missing in GET request");
    let sentence = "Field name 'since' must be a long in the GET request";
    app.get(&format!("{path}?since=")).await.is_text(400, sentence);
    app.get(&format!("{path}?since=1.5")).await.is_text(400, sentence);
    app.get(&format!("{path}?since=-1")).await.is_text(400, "'since' query parameter must be >= 0");
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let refused = "Only public tenantId can call this app specific API";
    app.get(&format!("/t1{path}?since=0")).await.is_text(403, refused);
    app.get(&format!("/t1{path}?since=0")).cdi("4.0").await.ok();
}

#[test]
fn active_version_1() {
    let key = activity::key(&AppId::base(), &UserId::new("üser"));
    golden::newest("user_active", &key, &ActiveRecord { at: UnixMillis(1_700_000_000_000) });
}

#[tokio::test]
async fn linking_marks_the_primary_user_now_and_takes_the_others_mark_away() {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io")), mapped("b2", by_password("b", 2, "b@x.io"))]).await;
    for user in ["mine", "b2"] {
        app.session(user).await;
    }
    app.clock.advance(10 * MINUTE);
    app.make_primary("a").await;
    assert_eq!(active(&app, "", START.0 + 1).await, 0, "becoming primary does not mark the user as active");
    app.link("b2", "mine").await;
    assert_eq!((active(&app, "", START.0 + 1).await, active(&app, "", 0).await), (1, 1));
    app.clock.advance(10 * MINUTE);
    app.link("b2", "mine").await;
    app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "b"})).await.ok();
    let later = START.0 + 20 * MINUTE;
    assert_eq!(active(&app, "", later).await, 0, "neither is being linked already, nor unlinking");
}

#[tokio::test]
async fn a_moment_is_any_long_from_0_and_the_first_of_two_counts() {
    let app = TestApp::new().await;
    app.session("u").await;
    assert_eq!(active(&app, "", i64::MAX.unsigned_abs()).await, 0);
    assert_eq!(active(&app, "", 0).await, 1);
    let count = app.get("/users/count/active?since=0&since=x").await.ok().json()["count"].clone();
    assert_eq!(count, 1);
    for bad in ["9223372036854775808", "0x1", "1e3", "%200", "true"] {
        let reply = app.get(&format!("/users/count/active?since={bad}")).await;
        reply.is_text(400, "Field name 'since' must be a long in the GET request");
    }
    let reply = app.get("/users/count/active?since=-9223372036854775808").await;
    reply.is_text(400, "'since' query parameter must be >= 0");
}

#[tokio::test]
async fn who_signs_in_is_active_as_a_whole_and_who_fails_is_not() {
    let app = with_cheap_passwords().build().await;
    let jane = app.sign_up("jane@x.io", "a password").await;
    let code = app.send(json!({"email": "jane@x.io"})).await;
    let code = app.consume(code.input()).await.ok().text_at("/recipeUserId");
    app.people([mapped("owner", by_provider("o", 1, "o@x.io"))]).await;
    app.group(&["o", &jane, &code]).await;
    let in_the_last = async || active(&app, "", app.context.now().0 - 9 * MINUTE).await;

    app.clock.advance(10 * MINUTE);
    assert_eq!(app.sign_in("jane@x.io", "another").await, "WRONG_CREDENTIALS_ERROR");
    assert_eq!(in_the_last().await, 0);
    assert_eq!(app.sign_in("jane@x.io", "a password").await, "OK");
    assert_eq!((in_the_last().await, active(&app, "", 0).await), (1, 1));

    app.clock.advance(10 * MINUTE);
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    app.consume(sent.typed("wrong")).await;
    assert_eq!(in_the_last().await, 0);
    app.consume(sent.link()).await.ok();
    assert_eq!((in_the_last().await, active(&app, "", 0).await), (1, 1));
}

#[tokio::test]
async fn a_mark_goes_with_the_user_to_another_id_and_back() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), by_password("b", 2, "b@x.io")]).await;
    let map = |external: &str| json!({"superTokensUserId": "a", "externalUserId": external, "force": true});
    let unmap = json!({"userId": "a", "force": true});
    app.session("a").await;
    app.post("/recipe/userid/map", map("mine")).await.ok();
    assert_eq!(active(&app, "", 0).await, 1);
    app.session("mine").await;
    assert_eq!(active(&app, "", 0).await, 1);
    app.clock.advance(10 * MINUTE);
    app.post("/recipe/userid/map/remove", unmap.clone()).await.ok();
    assert_eq!((active(&app, "", 0).await, active(&app, "", START.0 + 1).await), (1, 0), "no activity is marked");
    app.session("a").await;
    assert_eq!((active(&app, "", 0).await, active(&app, "", START.0 + 1).await), (1, 1));

    // A mark under another user's internal id belongs to that user.
    app.session("b").await;
    app.post("/recipe/userid/map", map("b")).await.ok();
    assert_eq!(active(&app, "", 0).await, 2);
    app.post("/recipe/userid/map/remove", unmap).await.ok();
    assert_eq!(active(&app, "", 0).await, 2);
    app.post("/user/remove", json!({"userId": "a"})).await.ok();
    assert_eq!(active(&app, "", 0).await, 1);
}
