//! Where settings may come from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Where settings may come from. The default has none: built-in settings.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file.
    pub config_file: ConfigFile,
    /// The process's environment.
    pub env: BTreeMap<String, OsString>,
    /// Keys and values that the command line sets.
    pub flags: Vec<(String, OsString)>,
    /// Relax the rules that test suites go below.
    pub test_mode: bool,
}

/// Which file to read.
#[derive(Debug, Clone, Default)]
pub enum ConfigFile {
    /// None.
    #[default]
    None,
    /// This one, if it is there.
    IfPresent(PathBuf),
    /// This one; it must be there.
    Required(PathBuf),
}
