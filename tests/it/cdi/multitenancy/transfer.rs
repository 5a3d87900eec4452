//! An app that is moved to another installation as an archive.

use super::life::{CLIENT_SECRET, TOTP_SECRET, app_id, fill, holdings, live, rows_of, wait};
use super::{put_app, put_tenant};
use crate::app::{TestApp, new_session};
use crate::people::with_cheap_passwords;
use crate::store::dump;
use crate::watched::Watched;
use serde_json::{Value, json};
use sessiond::command::tenancy::transfer::{ExportApp, ImportApp, Imported, TransferError};
use sessiond::domain::ids::AppId;
use sessiond::domain::totp::TotpSecret;
use sessiond::jobs::bulk_import::round;
use sessiond::state::key::MasterKey;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{Engine, Key, Keyspace, activity};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

const KEY: &str = "a key of an archive, long enough to be one";

pub(super) fn key() -> Option<MasterKey> {
    Some(MasterKey::new(KEY).unwrap())
}

pub(super) async fn over(store: &Arc<dyn Engine>) -> TestApp {
    with_cheap_passwords().store(Arc::clone(store)).build().await
}

pub(super) async fn export(app: &TestApp, id: &AppId, to: &Path, key: Option<MasterKey>) -> Result<u64, TransferError> {
    let command = ExportApp { app: id.clone(), to: to.to_owned(), key, plain: false };
    command.run(&app.context, Arc::new(|_, _, _| ())).await.map(|done| done.records.values().sum())
}

pub(super) fn wanted(from: &Path) -> ImportApp {
    ImportApp { from: from.to_owned(), as_id: None, domain: None, key: None, served: true }
}

pub(super) async fn import(app: &TestApp, wanted: ImportApp) -> Result<Imported, TransferError> {
    wanted.run(&app.context, Arc::new(|_, _, _| ())).await
}

/// The message that an operator gets.
async fn refusal(app: &TestApp, wanted: ImportApp) -> String {
    import(app, wanted).await.unwrap_err().to_string()
}

/// An app in use in two tenants, exported; and the last session of its public tenant.
struct Source {
    folder: TempDir,
    store: Arc<dyn Engine>,
    session: Value,
    /// A code that was sent in its other tenant.
    sent: Value,
}

impl Source {
    async fn new(key: Option<MasterKey>) -> Self {
        let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
        let app = over(&store).await;
        put_app(&app, "shop", json!({"access_token_validity": 1800})).await.ok();
        put_app(&app, "other", json!({})).await.ok();
        put_tenant(&app, "/appid-shop", "t1", json!({"password_reset_token_lifetime": 5000})).await.ok();
        live(&app, "/appid-shop/t1").await;
        live(&app, "/appid-other").await;
        let sent = wait(&app, "/appid-shop", "/t1").await;
        let session = app.post("/appid-shop/recipe/session", new_session("u")).await.ok().json();
        fill(&*store, &app_id("shop")).await;
        let source = Self { folder: TempDir::new().unwrap(), store, session, sent };
        let rows: usize = holdings(&*source.store, &app_id("shop")).await.values().map(Vec::len).sum();
        assert_eq!(export(&app, &app_id("shop"), &source.archive(), key).await.unwrap(), rows as u64);
        source
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("shop.archive")
    }
}

fn verify(session: &Value) -> Value {
    let token = &session["accessToken"]["token"];
    json!({"accessToken": token, "enableAntiCsrf": false, "doAntiCsrfCheck": false, "checkDatabase": true})
}

fn refresh(session: &Value) -> Value {
    json!({"refreshToken": session["refreshToken"]["token"], "enableAntiCsrf": false, "useDynamicSigningKey": true})
}

/// Sealed data opens and pending work continues: an authenticator app, a code that was sent, a user waiting to be
/// imported, a dashboard user.
async fn goes_on(there: &TestApp, sent: &Value) {
    let at = |path: &str| format!("/appid-shop{path}");
    let step = there.context.now().seconds() / 30;
    let code = format!("{:06}", TotpSecret::from_base32(TOTP_SECRET).unwrap().code(step));
    let totp = json!({"userId": "crm-1", "totp": code});
    there.post(&at("/recipe/totp/verify"), totp).await.ok();
    for (link, status) in
        [("A".repeat(43) + "=", "RESTART_FLOW_ERROR"), (sent["linkCode"].as_str().unwrap().to_owned(), "OK")]
    {
        let consume = json!({"preAuthSessionId": sent["preAuthSessionId"], "linkCode": link});
        let consumed = there.post(&at("/t1/recipe/signinup/code/consume"), consume).await;
        assert_eq!(consumed.text_at("/status"), status);
    }
    let counts = round(&there.context).await.unwrap();
    assert_eq!((counts.imported, counts.failed), (1, 0));
    let found = there.get(&at("/user/id?userId=crm-2")).await.ok().json();
    assert_eq!(found["user"]["phoneNumbers"], json!(["+4915112345678"]));
    let operator = json!({"email": "ops@b.io", "password": "correct horse 1"});
    there.post(&at("/recipe/dashboard/signin"), operator).await.ok();
}

#[tokio::test]
async fn an_app_arrives_with_every_row_and_its_sessions_go_on() {
    let source = Source::new(None).await;
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let there = over(&store).await;
    let nothing = dump(&*store).await;
    import(&there, wanted(&source.archive())).await.unwrap();
    let arrived = holdings(&*store, &app_id("shop")).await;
    assert_eq!(arrived, holdings(&*source.store, &app_id("shop")).await);
    assert!(arrived.values().all(|rows| !rows.is_empty()), "every keyspace has been transferred");
    let count: usize = arrived.values().map(Vec::len).sum();
    assert_eq!(dump(&*store).await.len(), nothing.len() + count, "and nothing of another app");

    let verified = there.post("/appid-shop/recipe/session/verify", verify(&source.session)).await.ok().json();
    assert_eq!(verified["session"]["userId"], "u");
    let here = over(&source.store).await;
    let jwks = "/appid-shop/.well-known/jwks.json";
    assert_eq!(there.get(jwks).await.json(), here.get(jwks).await.json());
    there.post("/appid-shop/recipe/session/refresh", refresh(&source.session)).await.ok();
    let account = json!({"email": "a@b.io", "password": "correct horse"});
    there.post("/appid-shop/t1/recipe/signin", account).await.ok();
    let tenant = there.get("/appid-shop/t1/recipe/multitenancy/tenant/v2").await.ok().json();
    assert_eq!(tenant["coreConfig"], json!({"password_reset_token_lifetime": 5000}));
    assert_eq!(tenant["thirdParty"]["providers"][0]["clients"][0]["clientSecret"], CLIENT_SECRET);
    let entry = there.context.directory.app(&app_id("shop")).unwrap();
    assert_eq!(entry.config.access_token_validity_ms, 1_800_000, "inherited and own settings are in effect");
    goes_on(&there, &source.sent).await;
}

#[tokio::test]
async fn an_archive_of_a_version_without_counters_arrives_with_them() {
    const COUNTERS: [Keyspace; 3] = [Keyspace::UserCount, Keyspace::AppUserCount, Keyspace::ActiveUserCount];
    let source = Source::new(None).await;
    let (id, archive) = (app_id("shop"), source.folder.path().join("older.archive"));
    let app = over(&source.store).await;
    let whole = holdings(&*source.store, &id).await;
    let mut tx = source.store.begin();
    for keyspace in COUNTERS {
        rows_of(&*source.store, &id, keyspace).await.into_iter().for_each(|(key, _)| tx.delete(key));
    }
    tx.commit().await.unwrap();
    export(&app, &id, &archive, None).await.unwrap();

    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let there = over(&store).await;
    import(&there, wanted(&archive)).await.unwrap();
    assert_eq!(holdings(&*store, &id).await, whole);
    assert_eq!(activity::check(&*store).await.unwrap().described, [""; 0]);
}

#[tokio::test]
async fn an_app_may_get_another_name() {
    let source = Source::new(None).await;
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let there = over(&store).await;
    let renamed = ImportApp { as_id: Some("store".to_owned()), ..wanted(&source.archive()) };
    import(&there, renamed).await.unwrap();
    let shop = holdings(&*source.store, &app_id("shop")).await;
    let moved = holdings(&*store, &app_id("store")).await;
    assert!(shop.iter().all(|(name, rows)| rows.len() == moved[name].len()));
    assert!(there.context.directory.app(&app_id("shop")).is_none());
    there.post("/appid-store/recipe/session/verify", verify(&source.session)).await.ok();
    there.post("/appid-store/recipe/session/refresh", refresh(&source.session)).await.ok();
    let tenant = there.get("/appid-store/t1/recipe/multitenancy/tenant/v2").await.ok().json();
    assert_eq!(tenant["thirdParty"]["providers"][0]["clients"][0]["clientSecret"], CLIENT_SECRET);
    let again = over(&store).await;
    again.post("/appid-store/t1/recipe/signin", json!({"email": "a@b.io", "password": "correct horse"})).await.ok();
}

#[tokio::test]
async fn sealed_keys_are_opened_with_the_archives_key_and_sealed_anew() {
    let source = Source::new(key()).await;
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let master = "the master key of the other installation";
    let there = TestApp::builder().store(Arc::clone(&store)).master_key(master).build().await;
    let before = dump(&*store).await;
    let without = refusal(&there, wanted(&source.archive())).await;
    assert!(without.contains("SESSIOND_ARCHIVE_KEY or --key-file"), "{without}");
    let wrong = MasterKey::new("another key, which is long enough as well").ok();
    let wrong = refusal(&there, ImportApp { key: wrong, ..wanted(&source.archive()) }).await;
    assert_eq!(wrong, "the keys in this archive are sealed under another key than the one given");
    assert_eq!(dump(&*store).await, before, "a refused import changes nothing");
    import(&there, ImportApp { key: key(), ..wanted(&source.archive()) }).await.unwrap();
    there.post("/appid-shop/recipe/session/verify", verify(&source.session)).await.ok();
    there.post("/appid-shop/recipe/session/refresh", refresh(&source.session)).await.ok();
    goes_on(&there, &source.sent).await;

    let folder = TempDir::new().unwrap();
    let refused = export(&there, &app_id("shop"), &folder.path().join("a"), None).await.unwrap_err().to_string();
    assert!(refused.contains("or pass --plain"), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");
}

#[tokio::test]
async fn no_secret_half_is_in_a_sealed_archive() {
    let sealed = Source::new(key()).await;
    let plain = Source::new(None).await;
    // Blocks are compressed, but keys are random, so they appear in them unchanged.
    let find = |source: &Source, needle: &[u8]| {
        let bytes = fs::read(source.archive()).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    };
    for (source, shown) in [(&plain, true), (&sealed, false)] {
        let rows = holdings(&*source.store, &app_id("shop")).await;
        let secret = &rows["sealing_key"][0].1;
        assert_eq!(find(source, &secret[secret.len() - 32..]), shown);
        assert!(!find(source, CLIENT_SECRET.as_bytes()), "providers are sealed under that key");
    }
}

#[tokio::test]
async fn the_public_app_becomes_another_app_although_it_may_lack_a_record_of_its_own() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("public.archive");
    let from = TestApp::new().await;
    let session = from.post("/recipe/session", new_session("u")).await.ok().json();
    export(&from, &AppId::base(), &archive, None).await.unwrap();

    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let there = over(&store).await;
    import(&there, ImportApp { as_id: Some("shop".to_owned()), ..wanted(&archive) }).await.unwrap();
    for app in [there, over(&store).await] {
        app.post("/appid-shop/recipe/session/verify", verify(&session)).await.ok();
        app.put("/appid-shop/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_refused_before_anything_is_written() {
    let source = Source::new(None).await;
    let key = Key::of_app(Keyspace::Tenant, &app_id("shop")).text("t9");
    // A version to come, with a good checksum.
    let mut hasher = crc32fast::Hasher::new();
    [&[key.keyspace as u8], key.bytes.as_slice(), &[99, 7]].into_iter().for_each(|bytes| hasher.update(bytes));
    let from = over(&source.store).await;
    let mut tx = source.store.begin();
    tx.put(key, [&[99], hasher.finalize().to_le_bytes().as_slice(), &[7]].concat());
    tx.commit().await.unwrap();
    let archive = source.folder.path().join("unreadable.archive");
    export(&from, &app_id("shop"), &archive, None).await.unwrap();

    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let there = over(&store).await;
    let before = dump(&*store).await;
    let refused = refusal(&there, wanted(&archive)).await;
    assert!(refused.contains("tenant/") && refused.contains("99"), "{refused}");
    assert_eq!(dump(&*store).await, before);
}

#[tokio::test]
async fn what_is_there_is_never_overwritten() {
    let source = Source::new(None).await;
    let app = over(&source.store).await;
    let before = dump(&*source.store).await;
    assert_eq!(
        refusal(&app, wanted(&source.archive())).await,
        "the app shop already exists here; nothing is overwritten. --as imports it under another id"
    );
    let public = ImportApp { as_id: Some("public".to_owned()), ..wanted(&source.archive()) };
    let served = refusal(&app, public).await;
    assert!(served.contains("only into a folder that no server uses"), "{served}");
    app.post("/recipe/session", new_session("u")).await.ok();
    let public = ImportApp { as_id: Some("public".to_owned()), served: false, ..wanted(&source.archive()) };
    let held = refusal(&app, public).await;
    assert!(held.contains("already holds data"), "{held}");
    let elsewhere = ImportApp { domain: Some("x.io".to_owned()), ..wanted(&source.archive()) };
    assert_eq!(
        refusal(&app, elsewhere).await,
        "there is no connection URI domain x.io here: create it first, or name another one with --domain"
    );
    let rows = dump(&*source.store).await;
    assert!(before.iter().all(|(key, value)| rows.get(key) == Some(value)));
    let exists = export(&app, &app_id("shop"), &source.archive(), None).await.unwrap_err().to_string();
    assert!(exists.ends_with("it exists; nothing is overwritten"), "{exists}");
    let unknown = export(&app, &app_id("nope"), &source.folder.path().join("b"), None).await.unwrap_err().to_string();
    assert_eq!(unknown, "there is no such app; see \"sessiond apps list\"");
}

#[tokio::test]
async fn the_public_app_of_a_new_folder_can_be_filled() {
    let source = Source::new(None).await;
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let there = over(&store).await;
    let public = ImportApp { as_id: Some("public".to_owned()), served: false, ..wanted(&source.archive()) };
    import(&there, public).await.unwrap();
    let again = over(&store).await;
    again.post("/recipe/session/verify", verify(&source.session)).await.ok();
    again.post("/t1/recipe/signin", json!({"email": "a@b.io", "password": "correct horse"})).await.ok();
}

#[tokio::test]
async fn a_cut_or_damaged_archive_is_named_and_changes_nothing() {
    let source = Source::new(None).await;
    let whole = fs::read(source.archive()).unwrap();
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let there = over(&store).await;
    let before = dump(&*store).await;
    let path = source.folder.path().join("bad.archive");
    let mut cases: Vec<Vec<u8>> = Vec::new();
    for part in 0..24 {
        let place = part * whole.len() / 24;
        cases.push(whole[..place].to_vec());
        let mut flipped = whole.clone();
        flipped[place] ^= 0x40;
        cases.push(flipped);
    }
    cases.push([whole.as_slice(), b"more"].concat());
    for bad in cases {
        fs::write(&path, &bad).unwrap();
        let told = refusal(&there, wanted(&path)).await;
        assert!(told.contains("bad.archive") && told.contains("export the app again"), "{told}");
    }
    fs::write(&path, "{\"not\": \"an archive\"}".repeat(9)).unwrap();
    assert!(refusal(&there, wanted(&path)).await.contains("bad.archive"));
    assert!(refusal(&there, wanted(&path.with_extension("gone"))).await.ends_with("there is no such file"));
    assert_eq!(dump(&*store).await, before);
}

/// The process may end after any commit: the next start finds either nothing or everything.
#[tokio::test]
async fn an_import_that_is_cut_off_anywhere_leaves_nothing() {
    let source = Source::new(None).await;
    let mut finished = false;
    for commits in 1..20 {
        let engine = Watched::yielding();
        let store: Arc<dyn Engine> = Arc::new(engine.clone());
        let there = over(&store).await;
        let before = dump(&*engine.inner).await;
        engine.left.set(commits);
        let outcome = import(&there, wanted(&source.archive())).await;
        engine.left.set(0);
        drop(there);
        let after: Arc<dyn Engine> = Arc::clone(&engine.inner) as _;
        let again = over(&after).await;
        if outcome.is_ok() {
            finished = true;
            again.post("/appid-shop/recipe/session/verify", verify(&source.session)).await.ok();
            break;
        }
        assert!(again.context.directory.app(&app_id("shop")).is_none(), "after {commits} commits");
        assert_eq!(dump(&*after).await, before, "after {commits} commits");
        import(&again, wanted(&source.archive())).await.unwrap();
    }
    assert!(finished, "some number of commits must be enough");
}

#[tokio::test]
async fn an_export_is_of_one_moment_beside_the_traffic_of_a_data_folder() {
    let folder = TempDir::new().unwrap();
    let app = TestApp::builder().on_disk(&folder.path().join("data")).build().await;
    put_app(&app, "shop", json!({})).await.ok();
    for user in 0..40 {
        app.post("/appid-shop/recipe/session", new_session(&format!("u{user}"))).await.ok();
    }
    let before = holdings(&*app.context.store, &app_id("shop")).await;
    let archive = folder.path().join("a");
    let shop = app_id("shop");
    let traffic = async {
        for user in 0..40 {
            app.post("/appid-shop/recipe/session", new_session(&format!("v{user}"))).await.ok();
        }
    };
    let (exported, ()) = tokio::join!(export(&app, &shop, &archive, None), traffic);
    exported.unwrap();
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let there = over(&store).await;
    import(&there, wanted(&archive)).await.unwrap();
    let arrived = holdings(&*store, &shop).await;
    let sessions = arrived["session"].len();
    assert!((40..=80).contains(&sessions), "{sessions}");
    assert_eq!(arrived["session_by_user"].len(), sessions, "a session is there with its index or not at all");
    assert!(before["session"].iter().all(|row| arrived["session"].contains(row)));
    app.context.store.close().await.unwrap();
}
