//! The handling of signals.

use crate::logs::LogFiles;
use crate::stop::StopSwitch;
use std::sync::Arc;
use tokio::sync::Notify;

/// Triggers `stop` at SIGTERM, SIGINT and their equivalents on other platforms, until the process ends. A hang-up is
/// one of them unless the server is `detached` from its terminal, or was started to outlive it (`nohup`). Where there is
/// no terminal to hang up, it notifies `reload` instead, if there is something to reload. SIGUSR1 reopens the log files,
/// for tools that rotate them by renaming.
pub(super) async fn handle(
    mut signals: Signals,
    stop: StopSwitch,
    detached: bool,
    logs: LogFiles,
    reload: Option<Arc<Notify>>,
) {
    let reload = reload.filter(|_| detached || !has_terminal());
    loop {
        match (signals.next().await, &reload) {
            (Received::HangUp, Some(reload)) => reload.notify_one(),
            (Received::HangUp, None) if detached => {
                tracing::info!("SIGHUP is ignored: settings are only read at start; restart the server to change them");
            }
            (Received::HangUp | Received::Stop, _) => stop.press(),
            (Received::User1, _) if logs.is_empty() => {
                tracing::info!("SIGUSR1 is ignored: there are no log files to reopen");
            }
            (Received::User1, _) => {
                logs.reopen();
                tracing::info!("log files were reopened");
            }
            (Received::User2, _) => tracing::info!("SIGUSR2 is ignored"),
        }
    }
}

/// True if the process would get a hang-up from a terminal that is closed.
fn has_terminal() -> bool {
    cfg!(not(unix)) || std::fs::File::open("/dev/tty").is_ok()
}

/// The action that a signal requests.
enum Received {
    Stop,
    #[cfg_attr(windows, expect(dead_code, reason = "there is no such signal"))]
    HangUp,
    #[cfg_attr(windows, expect(dead_code, reason = "there is no such signal"))]
    User1,
    #[cfg_attr(windows, expect(dead_code, reason = "there is no such signal"))]
    User2,
}

/// Created once, so that a signal that arrives between two waits is not lost.
#[cfg(unix)]
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    user1: tokio::signal::unix::Signal,
    /// Received only because it would otherwise end the process.
    user2: tokio::signal::unix::Signal,
    /// `None` when the process was started with hang-ups ignored: they stay ignored.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = if hang_ups_are_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            user1: signal(SignalKind::user_defined1())?,
            user2: signal(SignalKind::user_defined2())?,
            hang_up,
        })
    }

    async fn next(&mut self) -> Received {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => Received::Stop,
            _ = self.interrupt.recv() => Received::Stop,
            _ = self.user1.recv() => Received::User1,
            _ = self.user2.recv() => Received::User2,
            _ = hang_up => Received::HangUp,
        }
    }
}

/// True when the process was started to outlive a hang-up. Known on Linux only, where the kernel shows the ignored
/// signals as a mask; SIGHUP is its lowest bit.
#[cfg(unix)]
fn hang_ups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(windows)]
pub(super) struct Signals(tokio::signal::windows::CtrlC, tokio::signal::windows::CtrlClose);

#[cfg(windows)]
impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?, tokio::signal::windows::ctrl_close()?))
    }

    async fn next(&mut self) -> Received {
        tokio::select! {
            _ = self.0.recv() => Received::Stop,
            _ = self.1.recv() => Received::Stop,
        }
    }
}
