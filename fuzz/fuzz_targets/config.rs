//! `config.yaml`, and environment variables in lines that begin with `$`.
#![no_main]

use sessiond::config::{ConfigFile, Examination, Source, Sources, examine};
use std::fmt::Write as _;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut sources = Sources::default();
    let mut yaml = String::from("core_config_version: 0\n");
    for line in text.lines() {
        match line.strip_prefix('$').and_then(|rest| rest.split_once('=')) {
            Some((name, value)) => drop(sources.env.insert(name.to_owned(), value.into())),
            None => writeln!(yaml, "{line}").expect("a string takes all"),
        }
    }
    // In YAML, a carriage return ends a line, too.
    let lines = yaml.replace("\r\n", "\n").replace('\r', "\n").lines().count();
    let file = std::env::temp_dir().join(format!("sessiond-fuzz-{}.yaml", std::process::id()));
    std::fs::write(&file, yaml).expect("a writable folder for temporary files");
    sources.config_file = ConfigFile::Required(file);
    let Examination { config, errors, warnings } = examine(&sources);
    assert_eq!(config.is_some(), errors.is_empty(), "settings are there unless something is wrong: {errors:?}");
    // Accepted settings can be shown without revealing secrets.
    assert!(config.is_none_or(|config| !config.effective_settings().is_empty()));
    for problem in errors.iter().chain(&warnings) {
        assert!(!problem.line().contains('\n'), "a problem is one line: {problem:?}");
        for place in &problem.places {
            if let Source::File { position: Some(at), .. } = &place.source {
                assert!((1..=lines + 1).contains(&at.line) && at.column > 0, "a place of the file: {problem:?}");
            }
        }
    }
});
