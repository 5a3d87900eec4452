//! `config.yaml`, and environment variables in lines that begin with `$`.
#![no_main]

use sessiond::config::{ConfigFile, Sources, load};
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
    let file = std::env::temp_dir().join(format!("sessiond-fuzz-{}.yaml", std::process::id()));
    std::fs::write(&file, yaml).expect("a writable folder for temporary files");
    sources.config_file = ConfigFile::Required(file);
    match load(&sources) {
        // Accepted settings can be shown without revealing secrets.
        Ok(loaded) => assert!(!loaded.config.effective_settings().is_empty()),
        Err(error) => assert!(!error.to_string().contains('\n'), "an error is one line: {error}"),
    }
});
