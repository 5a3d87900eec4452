//! Settings: sources, sentences, the generated reference.

mod reference;
mod rules;
mod sources;

use sessiond::config::{ConfigError, ConfigFile, Loaded, Sources, load};
use std::path::PathBuf;
use tempfile::TempDir;

/// Sources of one test, with a file of its own.
struct Given {
    folder: TempDir,
    sources: Sources,
}

impl Given {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), sources: Sources::default() }
    }

    /// A file with these lines after the version, which is line 1.
    fn file(self, lines: &str) -> Self {
        self.raw_file(&format!("core_config_version: 0\n{lines}\n"))
    }

    fn raw_file(mut self, text: &str) -> Self {
        std::fs::write(self.path(), text).unwrap();
        self.sources.config_file = ConfigFile::Required(self.path());
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn flag(mut self, key: &str, value: &str) -> Self {
        self.sources.flags.push((key.to_owned(), value.to_owned()));
        self
    }

    fn test_mode(mut self) -> Self {
        self.sources.test_mode = true;
        self
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("config.yaml")
    }

    #[track_caller]
    fn loaded(&self) -> Loaded {
        load(&self.sources).unwrap()
    }

    #[track_caller]
    fn refused(&self) -> String {
        load(&self.sources).map(|loaded| loaded.config.app).map_err(|error: ConfigError| error.to_string()).unwrap_err()
    }

    /// A sentence as it continues when there is a file.
    fn here(&self, sentence: &str) -> String {
        format!("{sentence} The config file can be found here: {}", self.path().display())
    }
}
