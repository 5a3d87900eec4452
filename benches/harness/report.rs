//! The table and its JSON.

use super::load::Tally;
use serde_json::{Value, json};

/// The target of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// Server CPU at most this many times the floor's.
    Times(f64),
    /// Server CPU at most this many microseconds above the floor's.
    Above(f64),
    /// For orientation only.
    None,
}

/// One side of a row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Side {
    /// Replies per second.
    pub(crate) rate: f64,
    /// Median latency in microseconds.
    pub p50: u32,
    /// 99th percentile in microseconds.
    pub p99: u32,
    /// Server CPU per reply in microseconds.
    pub(crate) cpu: f64,
}

impl Side {
    /// The figures of a tally.
    pub(crate) fn of(tally: &mut Tally) -> Self {
        Self { rate: tally.rate(), p50: tally.quantile(0.5), p99: tally.quantile(0.99), cpu: tally.cpu_us() }
    }

    fn json(self) -> Value {
        json!({ "requests_per_s": self.rate.round(), "p50_us": self.p50, "p99_us": self.p99, "cpu_us": tenth(self.cpu) })
    }
}

/// sessiond compared with the floor.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What was sent.
    pub(crate) name: String,
    /// Connections.
    pub(crate) connections: usize,
    /// The server under test.
    pub(crate) sessiond: Side,
    /// The bare warp server with bodies of the same sizes.
    pub(crate) floor: Side,
    /// The target.
    pub(crate) target: Target,
    /// Replies that were not as expected.
    pub(crate) errors: u64,
}

impl Row {
    fn target(&self) -> (String, Option<bool>) {
        match self.target {
            Target::Times(most) => (format!("<= {most:.1}x"), Some(self.sessiond.cpu <= most * self.floor.cpu)),
            Target::Above(most) => (format!("<= +{most:.0} us"), Some(self.sessiond.cpu <= self.floor.cpu + most)),
            Target::None => (String::new(), None),
        }
    }
}

/// A figure without a floor.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    /// What was measured.
    pub(crate) name: String,
    /// The figure.
    pub(crate) value: f64,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// The limit, if there is one.
    pub(crate) target: Option<f64>,
    /// Remarks.
    pub(crate) note: String,
}

/// Everything that was measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    /// Comparisons with the floor.
    pub(crate) rows: Vec<Row>,
    /// The rest.
    pub(crate) facts: Vec<Fact>,
}

impl Report {
    /// Adds a figure and shows it at once, so that long runs show progress.
    pub(crate) fn fact(
        &mut self,
        name: &str,
        value: f64,
        unit: &'static str,
        target: Option<f64>,
        note: impl Into<String>,
    ) {
        let fact = Fact { name: name.to_owned(), value, unit, target, note: note.into() };
        println!("{}", fact_line(&fact));
        self.facts.push(fact);
    }

    /// Adds a comparison and shows it at once.
    pub(crate) fn row(&mut self, row: Row) {
        if self.rows.is_empty() {
            println!("{ROW_HEAD}");
        }
        println!("{}", row_line(&row));
        self.rows.push(row);
    }

    /// The whole table again, in Markdown.
    pub(crate) fn print(&self) {
        if !self.rows.is_empty() {
            println!("\n{ROW_HEAD}");
            self.rows.iter().for_each(|row| println!("{}", row_line(row)));
        }
        if !self.facts.is_empty() {
            println!("\n| figure | value | target | | note |\n| --- | ---: | ---: | --- | --- |");
            self.facts.iter().for_each(|fact| println!("{}", fact_line(fact)));
        }
    }

    /// The same for programs, as JSON.
    pub(crate) fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let (target, met) = row.target();
                json!({
                    "name": row.name, "connections": row.connections, "errors": row.errors, "target": target, "met": met,
                    "sessiond": row.sessiond.json(), "floor": row.floor.json(),
                })
            })
            .collect();
        let facts: Vec<Value> = self
            .facts
            .iter()
            .map(|fact| {
                json!({
                    "name": fact.name, "value": fact.value, "unit": fact.unit, "target": fact.target,
                    "met": fact.target.map(|most| fact.value <= most), "note": fact.note,
                })
            })
            .collect();
        json!({ "rows": rows, "facts": facts })
    }
}

const ROW_HEAD: &str = "\
| request | conns | req/s | p50 ms | p99 ms | CPU us | floor req/s | floor p50 | floor p99 | floor CPU | times | above | target | |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |";

fn row_line(row: &Row) -> String {
    let (ours, floor) = (row.sessiond, row.floor);
    let (target, met) = row.target();
    let errors = if row.errors == 0 { String::new() } else { format!(" ({} errors)", row.errors) };
    format!(
        "| {} | {} | {:.0} | {:.2} | {:.2} | **{:.1}** | {:.0} | {:.2} | {:.2} | {:.1} | {:.2} | {:+.1} | {target} | {}{errors} |",
        row.name,
        row.connections,
        ours.rate,
        millis(ours.p50),
        millis(ours.p99),
        ours.cpu,
        floor.rate,
        millis(floor.p50),
        millis(floor.p99),
        floor.cpu,
        ours.cpu / floor.cpu.max(1e-9),
        ours.cpu - floor.cpu,
        verdict(met),
    )
}

fn fact_line(fact: &Fact) -> String {
    let target = fact.target.map_or(String::new(), |most| format!("<= {} {}", number(most), fact.unit));
    let met = verdict(fact.target.map(|most| fact.value <= most));
    format!("| {} | {} {} | {target} | {met} | {} |", fact.name, number(fact.value), fact.unit, fact.note)
}

fn verdict(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "",
    }
}

/// Microseconds as milliseconds.
pub(crate) fn millis(micros: u32) -> f64 {
    f64::from(micros) / 1000.0
}

/// KiB as MiB.
pub(crate) fn mib(kib: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "memory sizes are below 2^52")]
    let kib = kib as f64;
    kib / 1024.0
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
