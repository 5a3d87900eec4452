//! What is kept for recipes to come, and the report.

use super::moved;
use crate::store::golden;
use sessiond::domain::ids::AppId;
use sessiond::store::Keyspace;
use sessiond::store::kept_row::{self, KeptRowRecord};

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
