//! Settings: sources, error messages, the generated reference.

mod environment;
mod everything;
mod files;
mod reference;
mod rules;
mod sources;
pub(crate) mod white_space;

use sessiond::config::{ConfigError, ConfigFile, Loaded, Origin, Sources, load};
use std::ffi::OsString;
use std::path::PathBuf;
use tempfile::TempDir;

/// The sources of one test, with a separate file.
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
        self.bytes(text.as_bytes());
        self.sources.config_file = ConfigFile::Required(self.path());
        self
    }

    fn bytes(&self, bytes: &[u8]) {
        std::fs::write(self.path(), bytes).unwrap();
    }

    fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.sources.env.insert(name.to_owned(), value.into());
        self
    }

    fn flag(mut self, key: &str, value: impl Into<OsString>) -> Self {
        self.sources.flags.push((key.to_owned(), value.into()));
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

    /// The value of a setting and its source.
    #[track_caller]
    fn effective(&self, key: &str) -> (String, Origin) {
        let row = self.loaded().config.effective_settings().into_iter().find(|row| row.key == key).unwrap();
        (row.value, row.origin)
    }

    /// The end of an error message when there is a file.
    fn here(&self, sentence: &str) -> String {
        format!("{sentence} The config file can be found here: {}", self.path().display())
    }
}
