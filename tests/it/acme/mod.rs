//! Certificates by ACME, from an authority of the tests' own.

mod server;

use crate::app::{ManualClock, START, TestApp, TestServer};
use crate::cdi::multitenancy::put_app;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::json;
use server::{AcmeServer, Mood, shown};
use sessiond::jobs::acme::{AcmeRound, AcmeSchedule, round};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

/// A round that got certificates for these hosts.
fn issued(hosts: &[&str]) -> AcmeRound {
    AcmeRound { issued: hosts.iter().map(|host| (*host).to_owned()).collect(), failed: Vec::new() }
}

/// Asserts that a round got nothing for the one host, for this reason.
#[track_caller]
fn assert_failed(round: &AcmeRound, reason: &str) {
    let [(host, error)] = round.failed.as_slice() else { panic!("{round:?}") };
    assert_eq!((host.as_str(), round.issued.len()), ("front.test", 0), "{round:?}");
    assert!(error.to_string().contains(reason), "{error}");
}

/// A front door without a certificate, and an authority that can reach it.
struct Scene {
    app: TestApp,
    front: TestServer,
    authority: Arc<AcmeServer>,
    listening: TestServer,
    schedule: AcmeSchedule,
}

async fn scene(folder: &Path, clock: &ManualClock) -> Scene {
    scene_with(folder, clock, &[]).await
}

async fn scene_with(folder: &Path, clock: &ManualClock, more: &[(&str, &str)]) -> Scene {
    let authority = Arc::new(AcmeServer::new());
    let listening = TestServer::with(Arc::clone(&authority), crate::limits::limits()).await;
    let app = front_with(folder, clock, &directory(&listening), more).await;
    let front = TestServer::with_tls(Arc::clone(&app.fdi), crate::limits::limits(), &app.context.certificates).await;
    authority.reaches(front.address);
    Scene { app, front, authority, listening, schedule: AcmeSchedule::default() }
}

fn directory(listening: &TestServer) -> String {
    format!("http://{}/dir", listening.address)
}

async fn front(folder: &Path, clock: &ManualClock, directory: &str) -> TestApp {
    front_with(folder, clock, directory, &[]).await
}

async fn front_with(folder: &Path, clock: &ManualClock, directory: &str, more: &[(&str, &str)]) -> TestApp {
    let app = TestApp::builder().clock(clock).setting("api_domain", "https://front.test");
    let mut app = app.setting("front_acme", "on").setting("front_acme_contact_email", "admin@front.test");
    for (key, value) in more {
        app = app.setting(key, value);
    }
    app.setting("front_acme_directory", directory).setting("data_dir", folder.to_str().unwrap()).build().await
}

impl Scene {
    async fn round(&mut self) -> AcmeRound {
        round(&self.app.context, &mut self.schedule).await
    }

    async fn shown(&self, host: &str) -> Option<Vec<u8>> {
        shown(self.front.address, host, &["h2", "http/1.1"]).await
    }
}

#[tokio::test]
async fn a_certificate_is_ordered_proved_used_and_kept() {
    let (folder, clock) = (TempDir::new().unwrap(), ManualClock::at(START));
    let mut scene = scene(folder.path(), &clock).await;
    assert_eq!(scene.shown("front.test").await, None);
    assert_eq!(scene.round().await, issued(&["front.test"]));
    let first = scene.shown("front.test").await.expect("a certificate");
    assert_eq!(scene.authority.issued(), [first]);
    assert_eq!(scene.round().await, AcmeRound::default());
    assert_eq!(scene.authority.contacts(), [json!(["mailto:admin@front.test"])]);
    // The proof is shown to nobody once it is over.
    assert_eq!(shown(scene.front.address, "front.test", &["acme-tls/1"]).await, None);

    let files: Vec<_> = std::fs::read_dir(folder.path().join("acme")).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    #[cfg(unix)]
    for file in files {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    // After a restart, nothing is ordered, and later the account is the same.
    let directory = directory(&scene.listening);
    scene.app = front(folder.path(), &clock, &directory).await;
    scene.schedule = AcmeSchedule::default();
    assert_eq!(scene.round().await, AcmeRound::default());
    assert_eq!(
        scene.app.context.certificates.of_host("front.test").map(|kept| kept.expires.0),
        Some(1_706_745_600_000)
    );
    assert_eq!(scene.authority.accounts(), 1);
}

#[tokio::test]
async fn it_is_renewed_when_a_third_of_its_time_is_left() {
    let (folder, clock) = (TempDir::new().unwrap(), ManualClock::at(START));
    let mut scene = scene(folder.path(), &clock).await;
    assert_eq!(scene.round().await, issued(&["front.test"]));
    let first = scene.shown("front.test").await;
    // It is valid for 92 days from the first of November on.
    clock.advance(45 * DAY);
    assert_eq!(scene.round().await, AcmeRound::default());
    clock.advance(5 * DAY);
    scene.authority.behave(Mood::Refusing);
    assert_failed(&scene.round().await, "rateLimited");
    assert_eq!(scene.shown("front.test").await, first, "the old one serves meanwhile");
    scene.authority.behave(Mood::Fair);
    clock.advance(5 * MINUTE);
    assert_eq!(scene.round().await, issued(&["front.test"]));
    assert_eq!(scene.shown("front.test").await.as_ref(), scene.authority.issued().last());
    assert_ne!(scene.shown("front.test").await, first);
    assert_eq!(scene.authority.accounts(), 1);
}

#[tokio::test]
async fn an_authority_that_misbehaves_is_asked_again_after_a_pause_that_grows() {
    for (mood, reason) in [
        (Mood::Refusing, "rateLimited"),
        (Mood::Broken, "missing data"),
        (Mood::Unconvinced, "the authority was not convinced that the host is ours"),
        (Mood::WithoutOurChallenge, "does not offer TLS-ALPN-01"),
        (Mood::IssuingForOtherKey, "the private key is not that of the certificate"),
        (Mood::IssuingForOtherHost, "not valid for front.test"),
        (Mood::IssuingExpired, "not valid for front.test"),
        (Mood::IssuingNonsense, "there is no certificate"),
    ] {
        let (folder, clock) = (TempDir::new().unwrap(), ManualClock::at(START));
        let mut scene = scene(folder.path(), &clock).await;
        scene.authority.behave(mood);
        assert_failed(&scene.round().await, reason);
        assert_eq!(scene.shown("front.test").await, None, "{mood:?}");
        assert!(scene.app.context.certificates.proof("front.test").is_none(), "{mood:?}");
        for pause in [5 * MINUTE, 10 * MINUTE] {
            let asked = scene.authority.requests();
            clock.advance(pause - 1);
            assert_eq!(scene.round().await, AcmeRound::default(), "{mood:?}");
            assert_eq!(scene.authority.requests(), asked, "{mood:?}");
            clock.advance(1);
            assert_failed(&scene.round().await, reason);
        }
        scene.authority.behave(Mood::Fair);
        clock.advance(20 * MINUTE);
        assert_eq!(scene.round().await, issued(&["front.test"]), "{mood:?}");
        assert!(scene.shown("front.test").await.is_some());
    }
}

#[tokio::test]
async fn pauses_go_on_after_a_restart() {
    let (folder, clock) = (TempDir::new().unwrap(), ManualClock::at(START));
    let mut scene = scene(folder.path(), &clock).await;
    scene.authority.behave(Mood::Refusing);
    for pause in [5 * MINUTE, 10 * MINUTE] {
        assert_failed(&scene.round().await, "rateLimited");
        clock.advance(pause - 1);
        // A service that fails for another reason is started again every few seconds.
        scene.schedule = AcmeSchedule::default();
        let asked = scene.authority.requests();
        assert_eq!(scene.round().await, AcmeRound::default());
        assert_eq!(scene.authority.requests(), asked);
        clock.advance(1);
    }
    scene.authority.behave(Mood::Fair);
    assert_eq!(scene.round().await, issued(&["front.test"]));
    let kept = folder.path().join("acme/pauses.json");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "{}");
    // Nonsense, and the end of a pause that a wrong clock has put far ahead, keep nobody waiting for ever.
    for (text, wait) in [("nonsense", 0), (r#"{"front.test":{"count":1,"retry":99999999999999}}"#, 12 * 60 * MINUTE)] {
        std::fs::write(&kept, text).unwrap();
        std::fs::remove_file(folder.path().join("acme/front.test.pem")).unwrap();
        let mut again = self::scene(folder.path(), &clock).await;
        if wait > 0 {
            assert_eq!(again.round().await, AcmeRound::default());
            clock.advance(wait);
        }
        assert_eq!(again.round().await, issued(&["front.test"]), "{text}");
    }
}

#[tokio::test]
async fn an_account_is_bound_to_the_one_that_the_operator_has_there() {
    const KEY: &[u8] = b"a key that the authority has made";
    let written = BASE64.encode(KEY);
    for (key_id, key, is_right) in [
        ("", "", false),
        ("other", written.as_str(), false),
        ("kid-1", "d3Jvbmcga2V5", false),
        ("kid-1", written.as_str(), true),
    ] {
        let (folder, clock) = (TempDir::new().unwrap(), ManualClock::at(START));
        let settings = [("front_acme_eab_key_id", key_id), ("front_acme_eab_key", key)];
        let settings = if key_id.is_empty() { &settings[..0] } else { &settings[..] };
        let mut scene = scene_with(folder.path(), &clock, settings).await;
        scene.authority.demand_external_account("kid-1", KEY);
        match is_right {
            true => assert_eq!(scene.round().await, issued(&["front.test"])),
            false => assert_failed(&scene.round().await, "externalAccountRequired"),
        }
    }
}

#[tokio::test]
async fn a_nonce_that_is_not_taken_is_replaced() {
    let (folder, clock) = (TempDir::new().unwrap(), ManualClock::at(START));
    let mut scene = scene(folder.path(), &clock).await;
    scene.authority.behave(Mood::ForgettingNonces);
    assert_eq!(scene.round().await, issued(&["front.test"]));
}

#[tokio::test]
async fn each_host_has_its_own_and_none_waits_for_another() {
    let (folder, clock) = (TempDir::new().unwrap(), ManualClock::at(START));
    let mut scene = scene(folder.path(), &clock).await;
    for (id, origin) in [
        ("a1", "https://one.test"),
        ("a2", "https://refused.test"),
        ("a3", "https://two.test:8443"),
        ("a4", "https://192.0.2.1"),
        ("a5", "https://app.localhost"),
    ] {
        put_app(&scene.app, id, json!({"api_domain": origin})).await.ok();
    }
    let round = scene.round().await;
    assert_eq!(round.issued, ["front.test", "one.test", "two.test"]);
    assert_eq!(round.failed.iter().map(|(host, _)| host.as_str()).collect::<Vec<_>>(), ["refused.test"]);
    let mut hosts = scene.authority.hosts();
    hosts.sort();
    assert_eq!(hosts, ["front.test", "one.test", "refused.test", "two.test"]);
    let (one, two) = (scene.shown("one.test").await, scene.shown("ONE.test").await);
    assert!(one.is_some() && one == two);
    assert_ne!(one, scene.shown("two.test").await);
    assert_eq!(scene.shown("refused.test").await, None);
    assert_eq!(scene.shown("unknown.test").await, None);
}

#[tokio::test]
async fn nobody_is_asked_unless_the_settings_say_so() {
    let (folder, clock) = (TempDir::new().unwrap(), ManualClock::at(START));
    let scene = scene(folder.path(), &clock).await;
    let directory = directory(&scene.listening);
    let files = [("front_tls_cert", "cert.pem"), ("front_tls_key", "key.pem")];
    let settings: [&[(&str, &str)]; 3] = [&[], &files, &[("front_acme", "on"), ("front", "off")]];
    for more in settings {
        let app = TestApp::builder().setting("api_domain", "https://front.test");
        let mut app = app.setting("front_acme_directory", &directory);
        for (key, value) in more {
            app = app.setting(key, value);
        }
        assert_eq!(round(&app.build().await.context, &mut AcmeSchedule::default()).await, AcmeRound::default());
    }
    assert_eq!(scene.authority.requests(), 0);
}
