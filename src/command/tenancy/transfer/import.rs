//! Brings an app in from an archive.
//!
//! The file is read twice: once to see that it is whole, and once to write. Rows are written under the mark of a removal:
//! until the last transaction takes the mark away and writes the app's record, nobody sees the app, and whoever finds the
//! mark after a crash deletes what is there.

use super::super::load::enter_app;
use super::super::work::{Work, finish};
use super::{FORMAT, Label, TOLD_EVERY, Told, TransferError};
use crate::command::transact::{Step, transact_unqueued};
use crate::context::Context;
use crate::domain::entropy::Entropy;
use crate::domain::ids::{AppId, PUBLIC};
use crate::fault::Fault;
use crate::state::key::{KeyVault, MasterKey, Rewrap, open_archive_seal};
use crate::store::archive::ArchiveReader;
use crate::store::key::Belongs;
use crate::store::removal::{self, Removed};
use crate::store::{self, CommitError, Engine, Key, Keyspace, Scan, StoreError, records, tallies};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows and bytes written per transaction: small enough not to hold up other writers.
const ROWS_PER_STEP: usize = 1000;
const BYTES_PER_STEP: usize = 1 << 20;

/// Makes an app of an archive.
pub struct ImportApp {
    /// The archive.
    pub from: PathBuf,
    /// Under this id, instead of the archive's.
    pub as_id: Option<String>,
    /// In this connection URI domain, instead of the archive's.
    pub domain: Option<String>,
    /// Opens the secret halves of keys in the archive.
    pub key: Option<MasterKey>,
    /// Requests are answered meanwhile.
    pub served: bool,
}

/// What was written.
#[derive(Debug)]
pub struct Imported {
    /// The app.
    pub app: AppId,
    /// Rows by kind.
    pub records: BTreeMap<&'static str, u64>,
}

impl ImportApp {
    /// Runs the command, to its end even if the caller goes away.
    ///
    /// # Errors
    /// Why the app did not come in. Nothing of it is left.
    pub async fn run(self, app: &Context, told: Told) -> Result<Imported, TransferError> {
        let (work, entropy) = (Work::of(app), Arc::clone(&app.entropy));
        let task = tokio::spawn(async move { self.apply(&work, entropy, told).await });
        match task.await {
            Ok(outcome) => {
                // Users of the app may wait to be imported.
                app.imports.notify_one();
                outcome
            }
            Err(error) => Err(Fault::new("importing an app", error).into()),
        }
    }

    async fn apply(self, work: &Work, entropy: Arc<dyn Entropy>, told: Told) -> Result<Imported, TransferError> {
        let from = self.from.clone();
        let encoding = work.store.encoding();
        let telling = Arc::clone(&told);
        let (label, rows) = blocking(move || inspect(&from, encoding, &telling)).await?;
        let from_app = label.app();
        let vault = open_archive_seal(label.seal, self.key.as_ref())?;
        let app = AppId {
            connection_uri_domain: self.domain.clone().unwrap_or_else(|| from_app.connection_uri_domain.clone()),
            app_id: self.as_id.clone().unwrap_or_else(|| from_app.app_id.clone()),
        };
        let is_domain = app.app_id == PUBLIC && !app.connection_uri_domain.is_empty();
        let _turn = work.directory.turn(&app, is_domain).await;
        self.may_come(work, &app).await?;
        let removed = Removed { app: app.clone(), tenant: None };
        begin(work, &removed).await?;
        let staged = self.stage(work, &app, (vault, from_app), entropy, (rows, told)).await;
        let records = match staged {
            Ok(records) => records,
            Err(error) => {
                // What cannot be deleted now is deleted by the next start.
                if let Err(fault) = finish(&*work.store, &removed).await {
                    tracing::error!(error = fault.chain(), "the rest of an import is deleted at the next start");
                }
                return Err(error);
            }
        };
        work.keys.forget(&app);
        enter_app(&work.directory, &*work.store, &app).await?;
        Ok(Imported { app, records })
    }

    /// Nothing of the name may be there, and what an earlier removal left is deleted first.
    async fn may_come(&self, work: &Work, app: &AppId) -> Result<(), TransferError> {
        let unfinished = removal::pending(&mut *work.store.begin()).await?;
        for removed in unfinished.iter().filter(|removed| removed.app == *app) {
            finish(&*work.store, removed).await?;
        }
        if *app == AppId::base() {
            if self.served {
                return Err(TransferError::PublicIsServed);
            }
            return if is_empty(&*work.store, app).await? { Ok(()) } else { Err(TransferError::PublicNotEmpty) };
        }
        if work.directory.app(app).is_some() {
            return Err(TransferError::Exists(app.app_id.clone()));
        }
        let domain = &app.connection_uri_domain;
        if app.app_id != PUBLIC && !work.directory.has_connection_uri_domain(domain) {
            return Err(TransferError::NoDomain(domain.clone()));
        }
        Ok(())
    }

    /// Writes all rows, and with the last of them the app is there.
    async fn stage(
        &self,
        work: &Work,
        app: &AppId,
        (vault, from_app): (KeyVault, AppId),
        entropy: Arc<dyn Entropy>,
        (rows, told): (u64, Told),
    ) -> Result<BTreeMap<&'static str, u64>, TransferError> {
        // Keys that are being written must not miss a change of the master key.
        let (_guard, to) = work.keys.vault_as_it_is(&*work.store).await?;
        let rewrap = Arc::new(Rewrap { from: vault, from_app, to, to_app: app.clone(), entropy });
        let encoding = work.store.encoding();
        let path = self.from.clone();
        let mut archive = blocking(move || Ok(ArchiveReader::open(&path)?.0)).await?;
        let (mut records, mut done) = (BTreeMap::new(), 0_u64);
        let mut record_of_app = None;
        loop {
            let rewrap = Arc::clone(&rewrap);
            let (step, back) = blocking(move || {
                let step = next_step(&mut archive, &rewrap, encoding)?;
                Ok((step, archive))
            })
            .await?;
            archive = back;
            if step.is_empty() {
                break;
            }
            for (key, _) in &step {
                *records.entry(key.keyspace.name()).or_insert(0) += 1;
            }
            done += step.len() as u64;
            let (of_app, rest): (Vec<_>, Vec<_>) = step.into_iter().partition(|(key, _)| key.keyspace == Keyspace::App);
            record_of_app = of_app.into_iter().next().or(record_of_app);
            write(work, &rest, None).await?;
            told("writing records", done, rows.max(done));
        }
        let last: Vec<_> = record_of_app.into_iter().collect();
        write(work, &last, Some(&Removed { app: app.clone(), tenant: None })).await?;
        Ok(records)
    }
}

async fn begin(work: &Work, removed: &Removed) -> Result<(), Fault> {
    let failed = |error| Fault::new("beginning the import of an app", error);
    transact_unqueued(&*work.store, "beginning the import of an app", |mut tx| async move {
        // Of two that want one name, the second conflicts.
        store::app::get(tx.as_mut(), &removed.app).await.map_err(failed)?;
        removal::begin(tx.as_mut(), removed, work.now).map_err(failed)?;
        Ok(Step::Commit(tx, ()))
    })
    .await
}

type Row = (Key, Vec<u8>);

/// Writes rows; with the last ones the mark of the removal goes.
async fn write(work: &Work, rows: &[Row], publish: Option<&Removed>) -> Result<(), TransferError> {
    let mut tx = work.store.begin();
    for (key, value) in rows {
        tallies::put_arriving(&mut *tx, key.clone(), value.clone())?;
    }
    if let Some(removed) = publish {
        removal::finish(&mut *tx, removed);
    }
    match tx.commit().await {
        Ok(()) => Ok(()),
        Err(CommitError::Store(error)) => Err(error.into()),
        Err(error @ CommitError::Conflict) => Err(Fault::new("writing an imported app", error).into()),
    }
}

/// Reads the whole file: its label and how many rows there are. What is cut or damaged is found here.
fn inspect(path: &Path, encoding: store::Encoding, told: &Told) -> Result<(Label, u64), TransferError> {
    let (mut archive, text) = ArchiveReader::open(path)?;
    let label = read_label(&text)?;
    let app = label.app();
    let (mut rows, mut exists) = (0_u64, app == AppId::base());
    while let Some((key, value)) = archive.advance()? {
        if key.keyspace.belongs() == Belongs::Installation
            || !key.bytes.starts_with(&Key::of_app(key.keyspace, &app).bytes)
        {
            return Err(TransferError::Strange("a row belongs to something else than the app"));
        }
        records::check(encoding, &key, value)?;
        exists |= key.keyspace == Keyspace::App;
        rows += 1;
        if rows.is_multiple_of(TOLD_EVERY) {
            told("checking the archive", rows, 0);
        }
    }
    if !exists {
        return Err(TransferError::Strange("the app itself is not in it"));
    }
    if archive.rows() != rows {
        return Err(TransferError::Strange("it holds another number of rows than it says"));
    }
    Ok((label, rows))
}

fn read_label(text: &[u8]) -> Result<Label, TransferError> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: u32,
        sessiond: String,
    }
    let strange = |_| TransferError::Strange("its label cannot be read");
    let head: Head = serde_json::from_slice(text).map_err(strange)?;
    if head.format > FORMAT || version(&head.sessiond) > version(env!("CARGO_PKG_VERSION")) {
        return Err(TransferError::Newer(head.sessiond));
    }
    serde_json::from_slice(text).map_err(strange)
}

/// `1.2.3` as numbers, to be compared.
fn version(text: &str) -> Vec<u64> {
    text.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

/// The next rows as they will stand here; none at the end.
fn next_step(
    archive: &mut ArchiveReader,
    rewrap: &Rewrap,
    encoding: store::Encoding,
) -> Result<Vec<Row>, TransferError> {
    let (mut step, mut bytes) = (Vec::new(), 0);
    while step.len() < ROWS_PER_STEP && bytes < BYTES_PER_STEP {
        let Some((key, value)) = archive.advance()? else { break };
        let (key, value) = rewrap.row(encoding, &key, value)?;
        bytes += value.len();
        step.push((store::user::listing::v1::current(key), value));
    }
    Ok(step)
}

async fn is_empty(store: &dyn Engine, app: &AppId) -> Result<bool, StoreError> {
    let mut tx = store.begin();
    for keyspace in Keyspace::ALL.into_iter().filter(|keyspace| keyspace.belongs() != Belongs::Installation) {
        let start = Key::of_app(keyspace, app);
        let scan = Scan { end: start.prefix_end(), start, reverse: false, limit: 1 };
        if !tx.scan(&scan).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TransferError> + Send + 'static,
) -> Result<T, TransferError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Fault::new("reading an archive", error).into()),
    }
}
