//! Dumps that are damaged, cut, or of something else: named, and nothing is written.

use super::{builder, fixture, move_in};
use crate::app::{ManualClock, START, TestApp};
use flate2::read::GzDecoder;
use sessiond::command::move_in::MoveInError;
use sessiond::store::Keyspace;
use std::fs::File;
use std::io::Read;

fn text(version: &str) -> String {
    let mut text = String::new();
    let file = File::open(fixture(&format!("core-{version}.sql.gz"))).expect("a dump");
    GzDecoder::new(file).read_to_string(&mut text).expect("a dump");
    text
}

/// Moves in this text, and returns the sentence with which it is refused.
async fn refused(dump: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.sql");
    std::fs::write(&path, dump).expect("writable");
    let app = empty().await;
    let error = move_in(&app, &path, None).await.expect_err("refused");
    // Before anything is written the dump is read to its end.
    if !matches!(error, MoveInError::Row { .. }) {
        for keyspace in [Keyspace::App, Keyspace::Tenant, Keyspace::User, Keyspace::SigningKey] {
            assert_eq!(app.rows(keyspace).await, 0, "{error}");
        }
    }
    error.to_string()
}

async fn empty() -> TestApp {
    builder(&ManualClock::at(START)).build().await
}

#[tokio::test]
async fn a_dump_that_was_cut_is_refused() {
    let dump = text("9.2.6");
    let lines: Vec<usize> = dump.match_indices('\n').map(|(at, _)| at).collect();
    for at in (0..lines.len() - 8).step_by(lines.len() / 12) {
        for end in [lines[at] + 1, lines[at].saturating_sub(1)] {
            let sentence = refused(&dump[..end]).await;
            assert!(sentence.contains("ends early") || sentence.contains("line "), "{sentence}");
        }
    }
}

#[tokio::test]
async fn what_is_no_dump_of_a_core_is_named() {
    let dump = text("9.2.6");
    for (changed, part) in [
        ("SELECT 1;\n-- PostgreSQL database dump complete\n".to_owned(), "no tables of a SuperTokens core"),
        (dump.replace("COPY public.", "COPY other."), ""),
        (dump.replace(" (app_id, tenant_id, session_handle", " (x_id, tenant_id, session_handle"), "session_info"),
        (dump.replace("client_encoding = 'UTF8'", "client_encoding = 'LATIN1'"), "--encoding=UTF8"),
        (dump.replace("app_id_to_user_id", "something_else"), "older than 6.0"),
    ] {
        if part.is_empty() {
            // Another schema is found by itself.
            continue;
        }
        let sentence = refused(&changed).await;
        assert!(sentence.contains(part), "{sentence}");
    }
    let old =
        "COPY public.session_info (session_handle, user_id) FROM stdin;\n\\.\n-- PostgreSQL database dump complete\n";
    assert!(refused(old).await.contains("older than 6.0"));
    let twice = format!("{}{}", dump, dump.replace("COPY public.", "COPY copy_of."));
    assert!(refused(&twice).await.contains("several cores"));
}

#[tokio::test]
async fn another_schema_and_a_prefix_are_found_and_foreign_tables_stay_behind() {
    let dump = text("9.2.6").replace("COPY public.", "COPY \"Auth data\".st_");
    let foreign = "COPY shop.orders (id, \"it's, odd\") FROM stdin;\n1\t\\x01\\q\n\\.\n";
    let dump = dump.replacen("COPY ", &format!("{foreign}COPY "), 1);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.sql");
    std::fs::write(&path, dump).expect("writable");
    let app = empty().await;
    let outcome = move_in(&app, &path, None).await.expect("moved in");
    assert_eq!(outcome.report.tables["app_id_to_user_id"].moved, 17);
    assert!(outcome.report.notes.iter().any(|note| note.contains("shop.orders")));
    // And not a second time.
    assert!(matches!(move_in(&app, &path, None).await, Err(MoveInError::NotEmpty)));
}

#[tokio::test]
async fn the_mode_of_a_core_12_must_be_known_when_its_tables_disagree() {
    let app = empty().await;
    let error = move_in(&app, &fixture("core-12.0.7.sql.gz"), None).await.expect_err("refused");
    assert!(error.to_string().contains("--migration-mode"), "{error}");
    assert_eq!(app.rows(Keyspace::Tenant).await, 0);
}

/// Cores from before 3.0 kept addresses as they were typed. Two that differ only in case are one here.
#[tokio::test]
async fn of_two_users_with_one_address_the_older_keeps_it_and_the_other_is_named() {
    let dump = text("9.2.6");
    let start = dump.find("COPY public.emailpassword_users ").expect("the table");
    let table = dump[start..].split("\n\\.\n").next().expect("rows");
    let mut rows: Vec<Vec<&str>> = table.lines().skip(1).map(|row| row.split('\t').collect()).collect();
    // app_id, user_id, email, password_hash, time_joined
    rows.sort_by_key(|row| row[4]);
    let [older, younger] = [&rows[0], &rows[1]];
    let claimed = younger.join("\t").replace(younger[2], &older[2].to_uppercase());
    let changed = dump.replace(&younger.join("\t"), &claimed);
    assert_ne!(changed, dump);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.sql");
    std::fs::write(&path, changed).expect("writable");
    let app = empty().await;
    let report = move_in(&app, &path, None).await.expect("moved in").report;
    let table = &report.tables["app_id_to_user_id"];
    assert_eq!((table.read, table.moved), (17, 16));
    let lost = &table.skipped["another user has the same login"];
    assert_eq!((lost.count, lost.examples.as_slice()), (1, [younger[1].to_owned()].as_slice()));
    let owner = app
        .get(&format!("/users/by-accountinfo?doUnionOfAccountInfo=false&email={}", older[2]))
        .cdi("5.1")
        .await
        .json();
    assert_eq!(owner["users"].as_array().map(Vec::len), Some(1), "{owner}");
}
