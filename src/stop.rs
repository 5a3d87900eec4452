//! Stop requests, by signal or by command. The first is graceful, the second immediate.

use std::time::Duration;
use tokio::sync::watch;

/// How long a server may take to end after its store has failed.
const ABORT_AFTER: Duration = Duration::from_secs(5);

/// Counts how often a stop was requested; clones share the count.
#[derive(Debug, Clone)]
pub struct StopSwitch(watch::Sender<u32>);

impl Default for StopSwitch {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl StopSwitch {
    /// Requests a stop, or a quicker one.
    pub fn press(&self) {
        self.0.send_modify(|count| *count = count.saturating_add(1));
    }

    /// Waits until a stop has been requested `times` times.
    pub async fn pressed(self, times: u32) {
        // invariant: the sender lives as long as self, so waiting cannot fail
        let _ = self.0.subscribe().wait_for(|count| *count >= times).await;
    }
}

/// The end that was not requested: the store has failed.
#[derive(Debug, Clone)]
pub(crate) struct FailSwitch(watch::Sender<Option<String>>);

impl Default for FailSwitch {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl FailSwitch {
    /// Ends the server; if it does not end in time, the process is aborted.
    pub(crate) fn fail(&self, reason: &str) {
        self.0.send_modify(|known| {
            known.get_or_insert_with(|| reason.to_owned());
        });
        let _ = std::thread::Builder::new().name("abort".to_owned()).spawn(|| {
            std::thread::sleep(ABORT_AFTER);
            std::process::abort();
        });
    }

    /// Waits for a failure and returns its reason.
    pub(crate) async fn failed(&self) -> String {
        let mut watched = self.0.subscribe();
        // invariant: the sender lives as long as self, so waiting cannot fail
        watched.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone()).unwrap_or_default()
    }
}
