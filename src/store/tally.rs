//! [`Tally`]: counters that are updated with every change of the rows they count. A store without them is counted once,
//! and a check compares them with the rows, one app after the other.

use super::cross_references::CrossReferences;
use super::key::KeyReader;
use super::walk::Pages;
use super::{CommitError, Encoding, Engine, Key, Keyspace, Scan, StoreError, codec, counter};
use std::collections::BTreeMap;

/// Rows read at once. Between two batches other tasks get the thread.
const PAGE: usize = 512;
/// Counters written in one transaction, or those of one app: there can be millions of them.
const COUNTERS_PER_STEP: usize = 10_000;

/// The keys of the counters that count a row; none for a key that cannot belong to a row.
pub(super) type Places = fn(Encoding, &Key, &[u8]) -> Result<Vec<Key>, StoreError>;

/// Rows, and the counters that count them.
pub struct Tally {
    /// The name of the note in `meta` that says that a store's counters are maintained.
    pub(super) note: &'static str,
    /// The rows, which are an app's.
    pub(super) rows: Keyspace,
    /// The counters.
    pub(super) counters: &'static [Keyspace],
    /// What a row is called.
    pub(super) noun: &'static str,
    /// Where a row is counted.
    pub(super) places: Places,
}

impl Tally {
    /// The key of the note that counters are kept.
    pub(super) fn note(&self) -> Key {
        Key::of(Keyspace::Meta).text(self.note)
    }

    /// The stored counters of an app.
    async fn stored(&self, engine: &dyn Engine, app: &Prefix) -> Result<BTreeMap<Key, Vec<u8>>, StoreError> {
        let mut all = BTreeMap::new();
        for keyspace in self.counters {
            let mut pages = Pages::of(app.within(*keyspace), PAGE);
            while let Some(rows) = pages.rows(engine.begin().as_mut()).await? {
                all.extend(rows);
                tokio::task::yield_now().await;
            }
        }
        Ok(all)
    }

    /// Counts the rows of an app.
    async fn count(&self, engine: &dyn Engine, app: &Prefix) -> Result<Counted, StoreError> {
        let mut counted = Counted { numbers: BTreeMap::new(), is_whole: true };
        let mut pages = Pages::of(app.within(self.rows), PAGE);
        while let Some(rows) = pages.rows(engine.begin().as_mut()).await? {
            for (key, bytes) in &rows {
                match (self.places)(engine.encoding(), key, bytes) {
                    Ok(places) => places.into_iter().for_each(|place| *counted.numbers.entry(place).or_default() += 1),
                    Err(error) => {
                        tracing::warn!(%error, "a row is not counted");
                        counted.is_whole = false;
                    }
                }
            }
            tokio::task::yield_now().await;
        }
        Ok(counted)
    }
}

/// The numbers that an app's rows add up to, by the key of their counter.
struct Counted {
    numbers: BTreeMap<Key, i64>,
    /// Every row could be read.
    is_whole: bool,
}

/// The beginning of all keys of an app.
struct Prefix(Vec<u8>);

impl Prefix {
    fn within(&self, keyspace: Keyspace) -> Key {
        Key { keyspace, bytes: self.0.clone() }
    }
}

/// All apps that have rows or counters, one after the other.
struct Apps<'a> {
    engine: &'a dyn Engine,
    tally: &'a Tally,
    /// Where the search for the next one starts; `None` after the last.
    from: Option<Vec<u8>>,
}

impl<'a> Apps<'a> {
    const fn of(engine: &'a dyn Engine, tally: &'a Tally) -> Self {
        Self { engine, tally, from: Some(Vec::new()) }
    }

    async fn advance(&mut self) -> Result<Option<Prefix>, StoreError> {
        while let Some(key) = self.first().await? {
            if let Some(app) = KeyReader::new(&key).app() {
                let prefix = Key::of_app(key.keyspace, &app);
                self.from = prefix.prefix_end().map(|end| end.bytes);
                return Ok(Some(Prefix(prefix.bytes)));
            }
            self.from = Some(key.successor().bytes);
        }
        Ok(None)
    }

    /// The first key of a row or counter from there on.
    async fn first(&self) -> Result<Option<Key>, StoreError> {
        let Some(from) = &self.from else { return Ok(None) };
        let mut first: Option<Key> = None;
        for keyspace in [self.tally.rows].iter().chain(self.tally.counters) {
            let start = Key { keyspace: *keyspace, bytes: from.clone() };
            let rows = self.engine.begin().scan(&Scan { start, end: None, reverse: false, limit: 1 }).await?;
            let found = rows.into_iter().map(|(key, _)| key);
            first = first.into_iter().chain(found).min_by(|a, b| a.bytes.cmp(&b.bytes));
        }
        Ok(first)
    }
}

/// Counts the rows of a store that has no counters yet: a new one, one from an older version, or a salvaged one. Nothing
/// else may use the store in the meantime; if it is interrupted, it starts over.
///
/// # Errors
/// When the store fails. Rows that cannot be read are not counted.
pub(super) async fn establish(engine: &dyn Engine, tally: &Tally) -> Result<(), StoreError> {
    if engine.begin().get(&tally.note()).await?.is_some() {
        return Ok(());
    }
    let (mut tx, mut written) = (engine.begin(), 0);
    let mut apps = Apps::of(engine, tally);
    while let Some(app) = apps.advance().await? {
        let (stale, numbers) = (tally.stored(engine, &app).await?, tally.count(engine, &app).await?.numbers);
        written += stale.len() + numbers.len();
        stale.into_keys().for_each(|key| tx.delete(key));
        numbers.into_iter().for_each(|(key, number)| tx.add(key, number));
        if written >= COUNTERS_PER_STEP {
            committed(std::mem::replace(&mut tx, engine.begin()).commit().await)?;
            written = 0;
        }
    }
    codec::put_marker(tx.as_mut(), tally.note());
    committed(tx.commit().await)
}

fn committed(outcome: Result<(), CommitError>) -> Result<(), StoreError> {
    outcome.map_err(|error| match error {
        CommitError::Store(error) => error,
        CommitError::Conflict => StoreError::Stopped { reason: "rows were counted twice at once".to_owned() },
    })
}

/// Compares counters with the sums over the rows. On a busy server nearly every counter changes during the walk, so a
/// difference is checked a second time, and reported only if the counter did not change in between.
///
/// # Errors
/// When the store fails.
pub(super) async fn check(engine: &dyn Engine, tally: &Tally, found: &mut CrossReferences) -> Result<(), StoreError> {
    if engine.begin().get(&tally.note()).await?.is_none() {
        // The counters are maintained from the server's next start on.
        return Ok(());
    }
    let mut apps = Apps::of(engine, tally);
    while let Some(app) = apps.advance().await? {
        let suspects = suspects(engine, tally, &app, found).await?;
        if !suspects.is_empty() {
            for (key, (counter, rows)) in confirmed(engine, tally, &app, suspects).await? {
                found.report(format!("{key} is {counter}, but there are {rows} {}", tally.noun));
            }
        }
    }
    Ok(())
}

/// Counters with their number and that of the rows.
type Numbers = BTreeMap<Key, (i64, i64)>;

/// The counters of an app that differ from the rows, some of which were read later.
async fn suspects(
    engine: &dyn Engine,
    tally: &Tally,
    app: &Prefix,
    found: &mut CrossReferences,
) -> Result<Numbers, StoreError> {
    let stored = tally.stored(engine, app).await?;
    let mut rows = tally.count(engine, app).await?;
    let mut suspects = Numbers::new();
    for (key, bytes) in stored {
        let there = rows.numbers.remove(&key).unwrap_or_default();
        match counter::decode(engine.encoding(), &key, Some(&bytes)) {
            Ok(number) if number == there => {}
            Ok(number) => drop(suspects.insert(key, (number, there))),
            Err(damaged) => found.report(damaged.to_string()),
        }
    }
    suspects.extend(rows.numbers.into_iter().map(|(key, there)| (key, (0, there))));
    Ok(if rows.is_whole { suspects } else { Numbers::new() })
}

/// Those that differ as before while they do not change.
async fn confirmed(engine: &dyn Engine, tally: &Tally, app: &Prefix, suspects: Numbers) -> Result<Numbers, StoreError> {
    let mut looks = Vec::with_capacity(suspects.len());
    for (key, numbers) in suspects {
        let mut look = engine.begin();
        if counter::get(look.as_mut(), &key).await? == numbers.0 {
            looks.push((key, numbers, look));
        }
    }
    let rows = tally.count(engine, app).await?;
    let mut confirmed = Numbers::new();
    for (key, numbers, look) in looks {
        // The commit of this look shows whether the counter is still the same.
        match look.commit().await {
            Ok(()) if rows.numbers.get(&key).copied().unwrap_or_default() == numbers.1 => {
                confirmed.insert(key, numbers);
            }
            Ok(()) | Err(CommitError::Conflict) => {}
            Err(CommitError::Store(error)) => return Err(error),
        }
    }
    Ok(confirmed)
}
