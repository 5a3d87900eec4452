//! [`Report`]: what became of every row of a dump.

use std::collections::BTreeMap;

/// Examples kept of each reason.
const EXAMPLES: usize = 3;

/// What became of the rows of a dump.
#[derive(Debug, Default)]
pub struct Report {
    /// By table, under the name that the original gives it by default.
    pub tables: BTreeMap<String, TableReport>,
    /// What will differ from before, or is to be done by the operator; a sentence each.
    pub notes: Vec<String>,
}

/// What became of the rows of a table.
#[derive(Debug, Default)]
pub struct TableReport {
    /// Rows read.
    pub read: u64,
    /// Rows that are here now.
    pub moved: u64,
    /// Rows that are not, by reason.
    pub skipped: BTreeMap<&'static str, Skipped>,
}

/// Rows that were left out for one reason.
#[derive(Debug, Default)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// Names of the first few.
    pub examples: Vec<String>,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is here now, or is part of something that is.
    Moved,
    /// It was left out, for this reason; what it is called.
    Skipped(&'static str, String),
}

impl Report {
    /// Records what became of a row.
    pub(super) fn note(&mut self, table: &str, fate: Fate) {
        if !self.tables.contains_key(table) {
            self.tables.insert(table.to_owned(), TableReport::default());
        }
        let Some(report) = self.tables.get_mut(table) else { return };
        report.read += 1;
        match fate {
            Fate::Moved => report.moved += 1,
            Fate::Skipped(reason, name) => report.skip(reason, name),
        }
    }

    /// Corrects the record of a row that was first counted as moved.
    pub(super) fn lost(&mut self, table: &str, reason: &'static str, name: String) {
        let report = self.tables.entry(table.to_owned()).or_default();
        report.moved = report.moved.saturating_sub(1);
        report.skip(reason, name);
    }

    /// Rows that were left out.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.tables.values().flat_map(|table| table.skipped.values()).map(|skipped| skipped.count).sum()
    }

    /// Rows that are here now.
    #[must_use]
    pub fn moved(&self) -> u64 {
        self.tables.values().map(|table| table.moved).sum()
    }
}

impl TableReport {
    fn skip(&mut self, reason: &'static str, name: String) {
        let skipped = self.skipped.entry(reason).or_default();
        skipped.count += 1;
        if skipped.examples.len() < EXAMPLES {
            skipped.examples.push(name);
        }
    }
}
