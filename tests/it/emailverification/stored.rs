//! Rows left by expiry, by deleting and renaming users, and by removing tenants.

use super::{EMAIL, address, create, is_verified, unverify, verify};
use crate::app::{START, TestApp};
use sessiond::command::emailverification::Address;
use sessiond::command::emailverification::create::CreateVerificationToken;
use sessiond::domain::ids::{AppId, UserId};
use sessiond::domain::one_time_token::OneTimeHash;
use sessiond::domain::token_series::{Series, SeriesId};
use sessiond::jobs::sweep::{Sweep, SweepCounts, sweep};
use sessiond::store::Keyspace;
use sessiond::store::emailverification::{self, Addressee};
use sessiond::store::user::verified;

/// The numbers of rows: marks, tokens, and tokens by user.
async fn rows(app: &TestApp) -> [usize; 3] {
    let mut counts = [0; 3];
    let of = [Keyspace::EmailVerified, Keyspace::EmailVerificationToken, Keyspace::EmailVerificationTokenByUser];
    for (count, keyspace) in counts.iter_mut().zip(of) {
        *count = app.rows(keyspace).await;
    }
    counts
}

fn user(id: &str) -> UserId {
    UserId::new(id)
}

async fn rename(app: &TestApp, from: &str, to: &str) {
    let mut tx = app.context.store.begin();
    verified::rename(tx.as_mut(), &AppId::base(), &user(from), &user(to)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn in_use(app: &TestApp, id: &str) -> bool {
    let mut tx = app.context.store.begin();
    emailverification::in_use(tx.as_mut(), &AppId::base(), &user(id)).await.unwrap()
}

#[tokio::test]
async fn a_use_deletes_every_row_of_the_address() {
    let app = TestApp::new().await;
    let token = create(&app, "u").await.unwrap();
    create(&app, "u").await.unwrap();
    create(&app, "v").await.unwrap();
    assert_eq!(rows(&app).await, [0, 3, 5]);
    assert!(verify(&app, &token).await);
    assert_eq!(rows(&app).await, [1, 1, 2]);
}

#[tokio::test]
async fn a_flood_of_uncounted_tokens_dies_at_once_and_its_rows_later() {
    let app = TestApp::new().await;
    let mut tx = app.context.store.begin();
    let Address { tenant, user_id, email, .. } = address(&app, "u");
    let addressee = Addressee { app: &AppId::base(), tenant: &tenant, user: &user_id, email: &email };
    let token = |number: usize| number.to_string();
    for number in 0..400 {
        // Nothing in the series: the record of a version that did not count tokens.
        let series = Series::new(SeriesId(1));
        addressee.add(tx.as_mut(), &OneTimeHash::of(&token(number)), series, START.plus(1000)).unwrap();
    }
    tx.commit().await.unwrap();
    assert!(verify(&app, &token(0)).await);
    let last = (1..400).map(token).next_back().unwrap();
    assert!(!verify(&app, &last).await);
    unverify(&app, "u").await;
    // Tokens of a new series beside dead ones.
    let new = create(&app, "u").await.unwrap();
    assert!(!verify(&app, &last).await);
    let [_, tokens, by_user] = rows(&app).await;
    assert!(tokens > 100 && by_user == tokens + 1, "{tokens} {by_user}");
    rename(&app, "u", "w").await;
    assert_eq!(rows(&app).await, [0, 1, 2], "only live data is renamed");
    assert!(!verify(&app, &last).await);
    assert!(verify(&app, &new).await && is_verified(&app, "w").await);
}

#[tokio::test]
async fn of_a_flood_of_tokens_the_newest_hundred_are_good() {
    for (used, good) in [(0, false), (300, false), (301, true), (400, true)] {
        let app = TestApp::new().await;
        let mut tokens = Vec::new();
        for _ in 0..=400 {
            tokens.push(create(&app, "u").await.unwrap());
        }
        assert_eq!(rows(&app).await, [0, 100, 101]);
        assert_eq!(verify(&app, &tokens[used]).await, good, "{used}");
        assert_eq!(verify(&app, &tokens[400]).await, !good && used != 400, "a series ends with the use of one");
        assert_eq!(rows(&app).await, [1, 0, 0]);
    }
}

#[tokio::test]
async fn a_series_that_moves_into_another_keeps_the_newest() {
    let app = TestApp::new().await;
    let mut own = Vec::new();
    let mut moved = Vec::new();
    for _ in 0..60 {
        own.push(create(&app, "to").await.unwrap());
        moved.push(create(&app, "from").await.unwrap());
    }
    rename(&app, "from", "to").await;
    assert_eq!(rows(&app).await, [0, 100, 101]);
    assert!(!verify(&app, &own[19]).await);
    for _ in 0..99 {
        create(&app, "to").await.unwrap();
    }
    assert!(!verify(&app, &moved[58]).await, "in their order");
    assert!(verify(&app, &moved[59]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_tokens_made_at_once_a_hundred_stay() {
    let app = TestApp::new().await;
    let makers: Vec<_> = (0..8)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    create(&app, "u").await.unwrap();
                }
            })
        })
        .collect();
    for maker in makers {
        maker.await.unwrap();
    }
    assert_eq!(rows(&app).await, [0, 100, 101]);
    let last = create(&app, "u").await.unwrap();
    assert!(verify(&app, &last).await);
    assert_eq!(rows(&app).await, [1, 0, 0]);
}

#[tokio::test]
async fn a_sweep_deletes_tokens_after_their_time_only() {
    let app = TestApp::new().await;
    let mut tokens = Vec::new();
    for n in 0..200 {
        tokens.push(create(&app, &format!("u{n}")).await.unwrap());
    }
    app.clock.advance(1);
    let young = create(&app, "u0").await.unwrap();
    assert_eq!(sweep(&app.context, START.plus(1000)).await.unwrap(), SweepCounts::default());
    assert_eq!(rows(&app).await, [0, 201, 401]);
    let removed = sweep(&app.context, START.plus(1001)).await.unwrap();
    assert_eq!(removed, SweepCounts { email_tokens: 200, ..SweepCounts::default() });
    assert_eq!(rows(&app).await, [0, 1, 2], "the young token keeps its series");
    app.clock.set(START.plus(1001));
    assert!(verify(&app, &young).await);

    create(&app, "v").await.unwrap();
    let mut steps = Sweep::new();
    while steps.step(&app.context, START.plus(10_000)).await.unwrap() {}
    assert_eq!(steps.removed().email_tokens, 1);
    assert_eq!(rows(&app).await, [1, 0, 0], "the series is deleted with its last token");
}

#[tokio::test]
async fn a_user_is_removed_with_marks_and_tokens_of_all_tenants() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", serde_json::json!({"tenantId": "t1"})).await.ok();
    for id in ["u", "u2", &"u".repeat(300)] {
        let token = create(&app, id).await.unwrap();
        verify(&app, &token).await;
        unverify(&app, id).await;
        create(&app, id).await.unwrap();
        let tenant = sessiond::domain::ids::TenantId::new("t1");
        let address = Address { tenant, ..address(&app, id) };
        CreateVerificationToken { address, lifetime_ms: 1, mail: None }.run(&app.context).await.unwrap();
        let mut tx = app.context.store.begin();
        verified::mark(tx.as_mut(), &AppId::base(), &user(id), "other@b.c", START).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(rows(&app).await, [3, 6, 12]);
    for (left, id) in [(2, "u"), (1, &"u".repeat(300)), (0, "u2")] {
        assert!(in_use(&app, id).await);
        let mut tx = app.context.store.begin();
        verified::remove(tx.as_mut(), &AppId::base(), &user(id)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!in_use(&app, id).await);
        assert_eq!(rows(&app).await, [left, 2 * left, 4 * left]);
    }
}

#[tokio::test]
async fn a_renamed_user_keeps_marks_and_tokens() {
    let app = TestApp::new().await;
    let token = create(&app, "from").await.unwrap();
    let second = create(&app, "from").await.unwrap();
    let own = create(&app, "to").await.unwrap();
    let mut tx = app.context.store.begin();
    verified::mark(tx.as_mut(), &AppId::base(), &user("from"), "other@b.c", START).await.unwrap();
    tx.commit().await.unwrap();
    rename(&app, "from", "to").await;
    assert!(!in_use(&app, "from").await);
    assert_eq!(rows(&app).await, [1, 3, 4]);
    rename(&app, "to", "to").await;
    assert_eq!(rows(&app).await, [1, 3, 4]);
    assert!(verify(&app, &token).await);
    assert!(is_verified(&app, "to").await && !is_verified(&app, "from").await);
    assert!(!verify(&app, &second).await && !verify(&app, &own).await, "they belong to one address now");
    let mut tx = app.context.store.begin();
    let id = AppId::base();
    assert!(emailverification::is_verified(tx.as_mut(), &id, &user("to"), "other@b.c").await.unwrap());
    assert!(!emailverification::is_verified(tx.as_mut(), &id, &user("from"), EMAIL).await.unwrap());
}
