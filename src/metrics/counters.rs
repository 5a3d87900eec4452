//! [`CountersBy`]: one counter for each value of a label.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Counters of one figure, one for each value of its label, such as an outcome. Each is resolved once, when the figure
/// is registered.
pub struct CountersBy<T> {
    counters: Vec<(T, Counter)>,
}

impl<T: Copy + PartialEq> CountersBy<T> {
    /// Registers the figure, with a counter for each of `all`; `label` is the label's name, `value` its value.
    pub(super) fn registered<const N: usize>(
        registry: &mut Registry,
        (name, help): (&str, &str),
        (label, value): (&'static str, fn(T) -> &'static str),
        all: [T; N],
    ) -> Self {
        let family: Family<[(&'static str, &'static str); 1], Counter> = Family::default();
        registry.register(name, help, family.clone());
        let counter = |kind: T| family.get_or_create(&[(label, value(kind))]).clone();
        Self { counters: all.map(|kind| (kind, counter(kind))).into() }
    }

    /// Counts one of this kind.
    pub fn count(&self, kind: T) {
        if let Some((_, counter)) = self.counters.iter().find(|(known, _)| *known == kind) {
            counter.inc();
        }
    }
}
