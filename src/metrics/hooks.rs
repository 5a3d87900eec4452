//! Figures about hooks.

use crate::table::table;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

table! {
    /// What became of an attempt to tell a hook of an event.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum HookOutcome {
        /// The hook took it.
        Told, "told";
        /// The hook did not take it; it is tried again.
        Failed, "failed";
        /// It was given up.
        Dropped, "dropped";
    }
}

table! {
    /// What came of a question to a hook.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum QuestionOutcome {
        /// The hook allows it.
        Allowed, "allowed";
        /// The hook refuses it.
        Refused, "refused";
        /// The hook gave no answer that can be used.
        Unanswered, "unanswered";
    }
}

/// Questions to hooks. Each outcome has its own counter, resolved once.
pub struct QuestionFigures {
    outcomes: [(QuestionOutcome, Counter); QuestionOutcome::ALL.len()],
}

impl QuestionFigures {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let family: Family<OutcomeLabels, Counter> = Family::default();
        registry.register("hook_questions", "Questions to inline hooks by outcome", family.clone());
        let counter =
            |outcome: QuestionOutcome| family.get_or_create(&OutcomeLabels { outcome: outcome.name() }).clone();
        Self { outcomes: QuestionOutcome::ALL.map(|outcome| (outcome, counter(outcome))) }
    }

    /// Counts one question.
    pub fn count(&self, outcome: QuestionOutcome) {
        if let Some((_, counter)) = self.outcomes.iter().find(|(known, _)| *known == outcome) {
            counter.inc();
        }
    }
}

/// Attempts to tell hooks of events. Each outcome has its own counter, resolved once.
pub struct HookFigures {
    outcomes: [(HookOutcome, Counter); HookOutcome::ALL.len()],
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

impl HookFigures {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let family: Family<OutcomeLabels, Counter> = Family::default();
        registry.register("hook_events", "Attempts to tell hooks of events by outcome", family.clone());
        let counter = |outcome: HookOutcome| family.get_or_create(&OutcomeLabels { outcome: outcome.name() }).clone();
        Self { outcomes: HookOutcome::ALL.map(|outcome| (outcome, counter(outcome))) }
    }

    /// Counts one attempt.
    pub fn count(&self, outcome: HookOutcome) {
        if let Some((_, counter)) = self.outcomes.iter().find(|(known, _)| *known == outcome) {
            counter.inc();
        }
    }
}
