//! The sources of settings.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// The sources of settings. The default has none: built-in settings only.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The configuration file.
    pub config_file: ConfigFile,
    /// The process's environment.
    pub env: BTreeMap<String, OsString>,
    /// Keys and values given on the command line.
    pub flags: Vec<(String, OsString)>,
    /// Whether to relax the rules for test suites.
    pub test_mode: bool,
}

/// Which configuration file to read.
#[derive(Debug, Clone, Default)]
pub enum ConfigFile {
    /// No file.
    #[default]
    None,
    /// This file, if it exists.
    IfPresent(PathBuf),
    /// This file; it must exist.
    Required(PathBuf),
    /// What standard input holds.
    StandardInput,
}
