//! Outcomes of what is sent to hooks.

use crate::table::table;

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
