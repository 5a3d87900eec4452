use sessiond::config::{reference, settings};
use std::collections::HashSet;

#[test]
fn the_reference_in_docs_is_the_one_that_the_table_makes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let made = reference::markdown();
    if std::env::var_os("SESSIOND_BLESS").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        stored == made,
        "docs/configuration.md is out of date: run `SESSIOND_BLESS=1 cargo test --test it config` and commit it"
    );
}

#[test]
fn keys_and_environment_names_are_unique() {
    let mut keys = HashSet::new();
    let mut names = HashSet::new();
    for setting in settings::ALL.iter() {
        assert!(keys.insert(setting.key), "{} is there twice", setting.key);
        if let Some(alias) = setting.alias {
            assert!(keys.insert(alias), "{alias} is there twice");
        }
        if let Some(env) = setting.env {
            assert!(names.insert(env), "{env} is there twice");
        }
    }
    assert!(keys.len() > 60);
}

/// A setting has one entry in the table and is read in one place. One that nothing reads would be documented without
/// effect.
#[test]
fn every_setting_with_an_effect_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config");
    let files = ["app.rs", "base.rs", "file.rs", "third_party.rs", "trust.rs"]
        .map(|name| std::fs::read_to_string(format!("{folder}/{name}")).unwrap());
    for setting in settings::ALL.iter().filter(|setting| setting.status == settings::Status::Used) {
        let quoted = format!("\"{}\"", setting.key);
        assert!(files.iter().any(|text| text.contains(&quoted)), "nothing reads {}", setting.key);
    }
}
