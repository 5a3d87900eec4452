//! The operating system's clock, random source and folders, which tests replace with their own.

use crate::domain::entropy::{Entropy, random_bytes, time_ordered_uuid};
use crate::domain::time::{BootId, Clock, SteadyMillis, UnixMillis};
use rand::TryRng;
use rand::rngs::SysRng;
use std::io::{self, Write};
use std::path::Path;
use std::sync::LazyLock;
use uuid::Uuid;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> UnixMillis {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        UnixMillis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    fn steady(&self) -> SteadyMillis {
        SteadyMillis(running_ms().saturating_sub(RUN.began_ms))
    }

    fn boot(&self) -> BootId {
        RUN.boot
    }
}

/// A run of the steady clock.
struct Run {
    boot: BootId,
    /// The value of [`running_ms`] when it began.
    began_ms: u64,
}

/// The run that this process belongs to: that of the boot, if the system identifies it, otherwise its own.
static RUN: LazyLock<Run> = LazyLock::new(|| match name_of_boot() {
    Some(boot) => Run { boot, began_ms: 0 },
    None => Run { boot: BootId(random_bytes(&SystemEntropy)), began_ms: running_ms() },
});

/// Linux's id of this boot: a UUID. A sandbox may hide it.
#[cfg(target_os = "linux")]
fn name_of_boot() -> Option<BootId> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Uuid::try_parse(text.trim()).ok().map(|id| BootId(id.into_bytes()))
}

#[cfg(not(target_os = "linux"))]
const fn name_of_boot() -> Option<BootId> {
    None
}

/// Milliseconds since the boot. Unlike the standard library's, this clock keeps running while the machine sleeps: a
/// laptop that wakes has not jumped.
#[cfg(target_os = "linux")]
fn running_ms() -> u64 {
    let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(since_boot.tv_sec), u64::try_from(since_boot.tv_nsec));
    seconds.unwrap_or_default() * 1000 + nanos.unwrap_or_default() / 1_000_000
}

/// Milliseconds since the first call.
#[cfg(not(target_os = "linux"))]
fn running_ms() -> u64 {
    static FIRST: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    u64::try_from(FIRST.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = SysRng.try_fill_bytes(bytes) {
            // Without randomness every token would be guessable: no server is better than such a server.
            // Written directly, because the log's writer would not get to it any more.
            let _ = writeln!(io::stderr(), "What caused the crash: the system's random source failed: {error}");
            std::process::abort();
        }
    }
}

/// An id for something started by the command line.
#[must_use]
pub fn new_id() -> Uuid {
    time_ordered_uuid(&SystemEntropy, SystemClock.now())
}

/// Creates a folder that only its owner can enter; an existing folder is left as it is.
///
/// # Errors
/// The OS error.
pub fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
