//! Moving in from original cores: every answer that the core gave must hold here.
//!
//! `tests/fixtures/core/` holds databases of cores 9.2.6, 11.4.7 and 12.0.7 as dumps, and beside each what that core
//! answered for every token, password and list in it. All people are invented.

mod answers;
mod dumps;
mod lists;
mod records;
mod tokens;

use crate::app::{ManualClock, TestApp, TestAppBuilder};
use flate2::read::GzDecoder;
use serde_json::Value;
use sessiond::command::move_in::{MigrationMode, MoveIn, MoveInError, MovedIn};
use sessiond::domain::time::UnixMillis;
use sessiond::move_in::source::Source;
use sessiond::store::memory::MemoryEngine;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The well-known sample key with which the Firebase hashes were made.
const SIGNER_KEY: &str = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";

pub(super) fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", "core", name].iter().collect()
}

/// An installation that was moved in, at the moment of its dump.
pub(super) struct Moved {
    pub(super) app: TestApp,
    /// What the core said.
    pub(super) expected: Value,
    pub(super) outcome: MovedIn,
}

pub(super) fn builder(clock: &ManualClock) -> TestAppBuilder {
    let builder = TestApp::builder().clock(clock).setting("firebase_password_hashing_signer_key", SIGNER_KEY);
    builder.setting("bcrypt_log_rounds", "4")
}

/// Moves a dump into an empty store.
pub(super) async fn move_in(app: &TestApp, dump: &Path, mode: Option<MigrationMode>) -> Result<MovedIn, MoveInError> {
    let source = Source::open(dump).expect("a dump");
    MoveIn { source, mode }.run(&app.context, &|_, _, _| ()).await
}

/// Moves in the database of a core of this version.
pub(super) async fn moved(version: &str) -> Moved {
    let mut text = String::new();
    let answers = File::open(fixture(&format!("core-{version}.json.gz"))).expect("the core's answers");
    GzDecoder::new(answers).read_to_string(&mut text).expect("the core's answers");
    let expected: Value = serde_json::from_str(&text).expect("the core's answers");
    let clock = ManualClock::at(UnixMillis(expected["dumpedAt"].as_u64().expect("a time")));
    let store = Arc::new(MemoryEngine::new());
    let empty = builder(&clock).store(Arc::clone(&store) as _).build().await;
    let mode = (version == "12.0.7").then_some(MigrationMode::New);
    let outcome = move_in(&empty, &fixture(&format!("core-{version}.sql.gz")), mode).await.expect("moved in");
    drop(empty);
    let app = builder(&clock).store(store).seed(2).build().await;
    Moved { app, expected, outcome }
}

impl Moved {
    /// The members of a list of the core's answers.
    pub(super) fn list(&self, name: &str) -> &[Value] {
        self.expected[name].as_array().map_or(&[], Vec::as_slice)
    }
}

/// The path of a route of an app and a tenant.
pub(super) fn path(app: &Value, tenant: &Value, route: &str) -> String {
    let part = |value: &Value, prefix: &str| match value.as_str() {
        None | Some("public") => String::new(),
        Some(name) => format!("/{prefix}{name}"),
    };
    format!("{}{}{route}", part(app, "appid-"), part(tenant, ""))
}

/// Sorted by their text, for lists without an order.
pub(super) fn sorted(list: &Value) -> Vec<String> {
    let mut texts: Vec<String> = list.as_array().into_iter().flatten().map(Value::to_string).collect();
    texts.sort_unstable();
    texts
}
