//! What is kept for recipes to come, and the report.

use super::{builder, fixture, move_in, moved};
use crate::app::ManualClock;
use crate::store::golden;
use serde_json::json;
use sessiond::command::tenancy::transfer::{ExportApp, ImportApp};
use sessiond::domain::ids::AppId;
use sessiond::domain::time::UnixMillis;
use sessiond::domain::totp::TotpSecret;
use sessiond::store::kept_row::{self, KeptRowRecord};
use sessiond::store::{Key, Keyspace, Scan};
use std::sync::Arc;

#[test]
fn a_kept_row() {
    let key = kept_row::key(&AppId::base(), "saml_clients", 7);
    golden::newest("kept_row", &key, &KeptRowRecord { sealed_row: vec![5; 40] });
}

#[tokio::test]
async fn passkeys_and_saml_clients_are_kept_sealed() {
    let moved = moved("11.4.7").await;
    let mut tx = moved.app.context.store.begin();
    let mut passkeys = 0;
    for (app, clients) in [("public", 2), ("shop", 2)] {
        let id = AppId { connection_uri_domain: String::new(), app_id: app.to_owned() };
        let rows = kept_row::of(tx.as_mut(), &id, "saml_clients").await.expect("readable");
        assert!(!rows.is_empty() && rows.len() <= clients, "{app}");
        passkeys += kept_row::of(tx.as_mut(), &id, "webauthn_credentials").await.expect("readable").len();
        let has_text = |record: &KeptRowRecord| record.sealed_row.windows(6).any(|part| part == b"tenant");
        assert!(!rows.iter().any(|(_, record)| has_text(record)));
    }
    assert_eq!(passkeys, 12);
    assert!(moved.app.rows(Keyspace::KeptRow).await > passkeys);
}

/// Signing keys, the secret of refresh tokens, secrets of authenticator apps and providers, passwords that wait in the
/// queue: nothing of it is readable in a stolen folder.
#[tokio::test]
async fn secrets_are_sealed_under_the_master_key() {
    let clock = ManualClock::at(UnixMillis(1_796_053_323_847));
    let app = builder(&clock).master_key("a master key of at least 32 characters").build().await;
    move_in(&app, &fixture("core-11.4.7.sql.gz"), None).await.expect("moved in");
    let mut tx = app.context.store.begin();
    let mut bytes = Vec::new();
    for keyspace in Keyspace::ALL {
        let scan = Scan { start: Key::of(keyspace), end: None, reverse: false, limit: usize::MAX };
        bytes.extend(tx.scan(&scan).await.expect("readable").into_iter().flat_map(|(_, value)| value));
    }
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(has(b"refresh_token_validity"), "this looks at everything");
    // The version and algorithm at the beginning of an RSA key in PKCS#8.
    let pkcs8 = [0x02, 0x01, 0x00, 0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
    assert!(!has(&pkcs8) && !has(b"00f93bc62a9cf16a06cc7e797988b04d"), "keys");
    let authenticator = TotpSecret::from_base32("EOXIAX7O45HR5OQSC6HT4TIP2FSDEBPS").expect("a secret");
    assert!(!has(authenticator.expose()) && !has(b"g-secret") && !has(b"Queued-1"), "other secrets");
}

/// An app that was moved in goes on to another installation, with its secrets.
#[tokio::test]
async fn an_archive_of_a_moved_app_keeps_everybody_signed_in() {
    let moved = moved("11.4.7").await;
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("shop.archive");
    let export = ExportApp { app: AppId::in_base_domain("shop"), to: archive.clone(), key: None, plain: false };
    export.run(&moved.app.context, Arc::new(|_, _, _| ())).await.expect("exported");
    let there = builder(&moved.app.clock).seed(4).build().await;
    let import = ImportApp { from: archive, as_id: None, domain: None, key: None, served: true };
    import.run(&there.context, Arc::new(|_, _, _| ())).await.expect("imported");
    let session = moved.list("sessions").iter().find(|session| session["name"] == "fresh" && session["app"] == "shop");
    let token = session.expect("a session")["refreshTokens"][0]["token"].clone();
    let body = json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true});
    let answer = there.post("/appid-shop/recipe/session/refresh", body).cdi("5.4").await.json();
    assert_eq!(answer["status"], "OK", "{answer}");
    assert!(answer["refreshToken"]["token"].as_str().expect("a token").ends_with(".V2"));
}

#[tokio::test]
async fn the_report_accounts_for_every_row() {
    for version in ["9.2.6", "11.4.7", "12.0.7"] {
        let moved = moved(version).await;
        let (survey, report) = (&moved.outcome.survey, &moved.outcome.report);
        for (table, count) in &survey.rows {
            let found = report.tables.get(table).map_or(0, |table| table.read);
            assert_eq!(found, *count, "{version} {table}");
            let expected = moved.expected["counts"]["tables"][table].as_u64();
            assert!(expected.is_none_or(|expected| expected == *count), "{version} {table}: {expected:?}");
        }
        for (name, table) in &report.tables {
            let skipped: u64 = table.skipped.values().map(|skipped| skipped.count).sum();
            assert_eq!(table.read, table.moved + skipped, "{version} {name}");
        }
        assert!(report.moved() > report.skipped(), "{version}");
    }
}
