//! Hashing within an app: settings, the cost of unknown accounts, running threads.

use super::timing::assert_same_time;
use crate::app::{SeededEntropy, TestApp};
use crate::people::{FIREBASE, SIGNER_KEY};
use sessiond::config::AppConfig;
use sessiond::crypto::password::Check;
use sessiond::domain::password::HashParameters;
use sessiond::state::password::SignInRefused;

async fn with(settings: &[(&str, &str)]) -> TestApp {
    settings.iter().fold(TestApp::builder(), |builder, (key, value)| builder.setting(key, value)).build().await
}

fn config(app: &TestApp) -> &AppConfig {
    &app.context.directory.base().app
}

async fn hash(app: &TestApp, password: &str) -> String {
    app.context.hashing.hash(password, config(app).password_hashing, &SeededEntropy::new(7)).await.unwrap()
}

async fn check(app: &TestApp, stored: Option<&str>, password: &str) -> Check {
    app.context.hashing.check(stored, password, config(app)).await.unwrap()
}

#[tokio::test]
async fn new_hashes_follow_the_settings() {
    let defaults = TestApp::new().await;
    assert_eq!(config(&defaults).password_hashing, HashParameters::Bcrypt { cost: 11 });
    let argon2 = HashParameters::Argon2 { iterations: 1, memory_kib: 87_795, parallelism: 2 };
    assert_eq!(config(&with(&[("password_hashing_alg", "ARGON2")]).await).password_hashing, argon2);
    for (settings, prefix) in [
        ([("bcrypt_log_rounds", "4"), ("password_hashing_alg", "bcrypt")].as_slice(), "$2a$04$"),
        (&[("bcrypt_log_rounds", "1")], "$2a$04$"),
        (
            &[("password_hashing_alg", "ARGON2"), ("argon2_memory_kb", "64"), ("argon2_iterations", "3")],
            "$argon2id$v=19$m=64,t=3,p=2$",
        ),
    ] {
        let app = with(settings).await;
        let stored = hash(&app, "a password").await;
        assert!(stored.starts_with(prefix), "{stored}");
        assert_eq!(check(&app, Some(&stored), "a password").await, Check::Right);
        assert_eq!(check(&app, Some(&stored), "a passwore").await, Check::Wrong);
        assert_eq!(check(&app, None, "a password").await, Check::Wrong);
        assert_eq!(check(&app, Some("no hash"), "a password").await, Check::Wrong);
        // Hashes made with other settings verify as well.
        assert_eq!(check(&defaults, Some(&stored), "a password").await, Check::RightButOutdated);
    }
}

#[tokio::test]
async fn firebase_hashes_need_the_signer_key() {
    let app = with(&[("firebase_password_hashing_signer_key", SIGNER_KEY)]).await;
    assert_eq!(check(&app, Some(FIREBASE), "user1password").await, Check::RightButOutdated);
    let app = with(&[]).await;
    let outcome = app.context.hashing.check(Some(FIREBASE), "user1password", config(&app)).await;
    assert!(matches!(outcome, Err(SignInRefused::NoSignerKey)));
}

#[tokio::test]
async fn the_queue_has_the_size_that_was_set() {
    let app = with(&[("password_hashing_queue_size", "0"), ("bcrypt_log_rounds", "12")]).await;
    let cores = std::thread::available_parallelism().unwrap().get();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..cores + 3 {
        let app = app.clone();
        running.spawn(async move { app.context.hashing.check(None, "a password", config(&app)).await });
    }
    let outcomes = running.join_all().await;
    let busy =
        outcomes.iter().filter(|outcome| matches!(outcome, Err(SignInRefused::Busy { retry_after_s: 1.. }))).count();
    assert_eq!(busy, 3, "one per core, with no queue");
    let [bcrypt, ..] = app.context.hashing.stats();
    assert_eq!((bcrypt.refused, usize::try_from(bcrypt.done).unwrap()), (3, cores));
}

#[tokio::test]
async fn argon2_and_firebase_have_as_many_threads_as_was_set_and_do_not_wait_for_each_other() {
    let argon2 = {
        let parameters = [("password_hashing_alg", "ARGON2"), ("argon2_memory_kb", "65536")];
        hash(&with(&parameters).await, "a password").await
    };
    for (setting, stored) in
        [("argon2_hashing_pool_size", argon2.as_str()), ("firebase_password_hashing_pool_size", FIREBASE)]
    {
        for threads in [None, Some(1), Some(3)] {
            let size = threads.unwrap_or(1).to_string();
            let mut settings = vec![
                ("password_hashing_queue_size", "0"),
                ("bcrypt_log_rounds", "4"),
                ("firebase_password_hashing_signer_key", SIGNER_KEY),
            ];
            settings.extend(threads.map(|_| (setting, size.as_str())));
            let app = with(&settings).await;
            let mut running = tokio::task::JoinSet::new();
            for _ in 0..threads.unwrap_or(1) + 2 {
                let (app, stored) = (app.clone(), stored.to_owned());
                running.spawn(async move { app.context.hashing.check(Some(&stored), "wrong", config(&app)).await });
            }
            tokio::task::yield_now().await;
            check(&app, None, "of bcrypt, whose threads are idle").await;
            let outcomes = running.join_all().await;
            let busy = outcomes.iter().filter(|outcome| matches!(outcome, Err(SignInRefused::Busy { .. }))).count();
            assert_eq!(busy, 2, "{setting}: {threads:?}");
        }
    }
}

#[tokio::test]
async fn an_unknown_account_costs_the_time_of_a_wrong_password() {
    for settings in [
        [("bcrypt_log_rounds", "5"), ("password_hashing_alg", "bcrypt")],
        [("argon2_memory_kb", "1024"), ("password_hashing_alg", "ARGON2")],
    ] {
        let app = with(&settings).await;
        let stored = hash(&app, "a password").await;
        let unknown = async || assert_eq!(check(&app, None, "not the password").await, Check::Wrong);
        let wrong = async || assert_eq!(check(&app, Some(&stored), "not the password").await, Check::Wrong);
        assert_same_time(unknown, wrong).await;
    }
}
