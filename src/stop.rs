//! The wish to stop: by signal or by command. Once is graceful, twice is at once.

use std::time::Duration;
use tokio::sync::watch;

/// How long a server whose store has failed may take to end.
const ABORT_AFTER: Duration = Duration::from_secs(5);

/// Counts how often a stop was asked for; clones share the count.
#[derive(Debug, Clone)]
pub struct StopSwitch(watch::Sender<u32>);

impl Default for StopSwitch {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl StopSwitch {
    /// Asks for a stop, or for a quicker one.
    pub fn press(&self) {
        self.0.send_modify(|count| *count = count.saturating_add(1));
    }

    /// Waits until a stop was asked for `times` times.
    pub async fn pressed(self, times: u32) {
        // invariant: the sender lives as long as self, so waiting cannot fail
        let _ = self.0.subscribe().wait_for(|count| *count >= times).await;
    }

    /// Presses at SIGTERM, SIGINT and what the platform has in their place, until the process ends. A hang-up is one of
    /// them unless the server is `detached` from its terminal, or was started to outlive it (`nohup`).
    pub async fn press_at_signals(self, detached: bool) {
        let Ok(mut signals) = Signals::new() else {
            tracing::warn!("signals cannot be received; stop with \"sessiond stop\"");
            return;
        };
        loop {
            match signals.next().await {
                Received::HangUp if detached => {
                    tracing::info!("SIGHUP is ignored: settings are read at the start; stop and start to change them");
                }
                Received::HangUp | Received::Stop => self.press(),
            }
        }
    }
}

/// The end that nobody asked for: the store has failed.
#[derive(Debug, Clone)]
pub(crate) struct FailSwitch(watch::Sender<Option<String>>);

impl Default for FailSwitch {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl FailSwitch {
    /// Ends the server; should it not end by itself, the process is aborted.
    pub(crate) fn fail(&self, reason: &str) {
        self.0.send_modify(|known| {
            known.get_or_insert_with(|| reason.to_owned());
        });
        let _ = std::thread::Builder::new().name("abort".to_owned()).spawn(|| {
            std::thread::sleep(ABORT_AFTER);
            std::process::abort();
        });
    }

    /// Waits for a failure; its reason.
    pub(crate) async fn failed(&self) -> String {
        let mut watched = self.0.subscribe();
        // invariant: the sender lives as long as self, so waiting cannot fail
        watched.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone()).unwrap_or_default()
    }
}

/// What a signal asks for.
enum Received {
    Stop,
    #[cfg_attr(windows, expect(dead_code, reason = "there is no such signal"))]
    HangUp,
}

/// Made once: a signal that arrives between two waits is not lost.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    /// `None` when the process was started with hang-ups ignored: that is left as it is.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = if hang_ups_are_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())?, hang_up })
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
            _ = hang_up => Received::HangUp,
        }
    }
}

/// True when whoever started this process wants it to outlive a hang-up. Known on Linux only, where the kernel tells
/// which signals are ignored as a mask; SIGHUP is its lowest bit.
#[cfg(unix)]
fn hang_ups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC, tokio::signal::windows::CtrlClose);

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?, tokio::signal::windows::ctrl_close()?))
    }

    async fn next(&mut self) -> Received {
        tokio::select! {
            _ = self.0.recv() => Received::Stop,
            _ = self.1.recv() => Received::Stop,
        }
    }
}
