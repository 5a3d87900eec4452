//! Figures about requests that are refused because there were too many.

use crate::domain::limits::{LimitedAction, LimitedBy};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Refused requests of the front door.
pub struct LimitFigures {
    refused: Family<LimitLabels, Counter>,
    /// Requests with a limit whose sender's address is not known.
    pub without_address: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    action: &'static str,
    by: &'static str,
}

impl LimitFigures {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let refused: Family<LimitLabels, Counter> = Family::default();
        registry.register("front_refused", "Requests refused by a limit, by action and limit", refused.clone());
        let without_address = Counter::default();
        let help = "Requests with a limit whose sender's address is not known";
        registry.register("front_without_address", help, without_address.clone());
        Self { refused, without_address }
    }

    /// Counts a refused request.
    pub fn refuse(&self, action: LimitedAction, by: LimitedBy) {
        self.refused.get_or_create(&LimitLabels { action: action.name(), by: by.name() }).inc();
    }
}
