//! Figures about mails.

use crate::table::table;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

table! {
    /// What became of an attempt to send a mail.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum MailOutcome {
        /// A server took it.
        Sent, "sent";
        /// It was caught, because no server is configured.
        Caught, "caught";
        /// The server did not take it; it stays in the outbox.
        Failed, "failed";
        /// It was removed unsent: its token had expired.
        Dropped, "dropped";
    }
}

/// Attempts to send mails. Each outcome has its own counter, resolved once.
pub struct MailFigures {
    outcomes: [(MailOutcome, Counter); MailOutcome::ALL.len()],
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

impl MailFigures {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let family: Family<OutcomeLabels, Counter> = Family::default();
        registry.register("mails", "Attempts to send mails by outcome", family.clone());
        let counter = |outcome: MailOutcome| family.get_or_create(&OutcomeLabels { outcome: outcome.name() }).clone();
        Self { outcomes: MailOutcome::ALL.map(|outcome| (outcome, counter(outcome))) }
    }

    /// Counts one attempt.
    pub fn count(&self, outcome: MailOutcome) {
        if let Some((_, counter)) = self.outcomes.iter().find(|(known, _)| *known == outcome) {
            counter.inc();
        }
    }
}
