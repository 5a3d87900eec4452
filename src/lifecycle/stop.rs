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

    /// Presses at SIGTERM, SIGINT and what the platform has in their place, until the process ends.
    pub async fn press_at_signals(self) {
        let Ok(mut signals) = Signals::new() else {
            tracing::warn!("signals cannot be received; stop with \"sessiond stop\"");
            return;
        };
        loop {
            signals.next().await;
            self.press();
        }
    }
}

/// The end that nobody asked for: the store has failed.
#[derive(Debug, Clone)]
pub(super) struct FailSwitch(watch::Sender<Option<String>>);

impl Default for FailSwitch {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl FailSwitch {
    /// Ends the server; should it not end by itself, the process is aborted.
    pub(super) fn fail(&self, reason: &str) {
        self.0.send_modify(|known| {
            known.get_or_insert_with(|| reason.to_owned());
        });
        let _ = std::thread::Builder::new().name("abort".to_owned()).spawn(|| {
            std::thread::sleep(ABORT_AFTER);
            std::process::abort();
        });
    }

    /// Waits for a failure; its reason.
    pub(super) async fn failed(&self) -> String {
        let mut watched = self.0.subscribe();
        // invariant: the sender lives as long as self, so waiting cannot fail
        watched.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone()).unwrap_or_default()
    }
}

/// Made once: a signal that arrives between two waits is not lost.
#[cfg(unix)]
struct Signals(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => (),
            _ = self.1.recv() => (),
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC, tokio::signal::windows::CtrlClose);

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?, tokio::signal::windows::ctrl_close()?))
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => (),
            _ = self.1.recv() => (),
        }
    }
}
