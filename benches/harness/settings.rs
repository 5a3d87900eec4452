//! What to measure and for how long.

use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Compares sessiond with a bare warp server and measures how it scales.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo bench --bench http --")]
pub(crate) struct Settings {
    /// Sessions to load for the rows about scale; 1000000 for the full table.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) sessions: u64,

    /// Sessions of other users that exist before the rows are measured, to see what growth costs.
    #[arg(long, default_value_t = 0)]
    pub(crate) loaded: u64,

    /// Users to import for the figures about lists; 1000000 for the full table.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) users: u64,

    /// Apps to create, and tenants of one app, for the figures about many of them.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) tenants: u64,

    /// Seconds of one measured window; each row alternates windows of sessiond and the floor.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) seconds: f64,

    /// Windows of each side per row.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: u32,

    /// Seconds of the mixed full load.
    #[arg(long, default_value_t = 15.0)]
    pub(crate) mixed_seconds: f64,

    /// Numbers of connections to compare at.
    #[arg(long, value_delimiter = ',', default_value = "16,64")]
    pub(crate) connections: Vec<usize>,

    /// Cache sizes in MiB for the table of cache sizes.
    #[arg(long, value_delimiter = ',', default_value = "")]
    pub(crate) caches: Vec<String>,

    /// Only rows and facts whose name contains one of these words.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// A smoke run of a few seconds: says that the harness works, not how fast the server is.
    #[arg(long)]
    pub(crate) quick: bool,

    /// Leaves out everything about start, memory, disk and scale.
    #[arg(long)]
    pub(crate) rows_only: bool,

    /// Also writes the results to this file as JSON.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,

    /// Server binary to measure instead of the one that cargo built.
    #[arg(long)]
    pub(crate) server: Option<PathBuf>,

    /// Folder for the data folders; should be on the disk that is to be measured.
    #[arg(long)]
    pub(crate) folder: Option<PathBuf>,

    /// Runs the bare warp server instead (the harness starts itself with this).
    #[arg(long, hide = true)]
    pub(crate) floor: bool,

    /// Passed by `cargo bench`; means nothing.
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

impl Settings {
    /// The settings as given, shortened when `--quick` is among them.
    #[must_use]
    pub(crate) fn read() -> Self {
        let mut settings = Self::parse();
        if settings.quick {
            settings.sessions = settings.sessions.min(300);
            settings.users = settings.users.min(300);
            settings.tenants = settings.tenants.min(30);
            settings.seconds = 0.1;
            settings.rounds = 1;
            settings.mixed_seconds = 0.5;
            settings.connections = vec![4];
        }
        settings
    }

    /// One measured window.
    #[must_use]
    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// True if this row or fact is to be measured.
    #[must_use]
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| name.contains(word.as_str()))
    }
}
