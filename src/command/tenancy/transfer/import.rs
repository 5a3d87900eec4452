//! Imports an app from an archive.
//!
//! The file is read twice: once to check that it is complete, and once to write. Rows are written under a removal mark:
//! until the last transaction deletes the mark and writes the app's record, the app cannot be seen, and a start that
//! finds the mark after a crash deletes the rows.

use super::super::load::enter_app;
use super::super::work::{Work, finish};
use super::{FORMAT, Label, OnTransferProgress, PROGRESS_EVERY, TransferError};
use crate::command::transact::{Step, transact_unqueued};
use crate::context::Context;
use crate::domain::entropy::Entropy;
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use crate::domain::tenancy::Tenant;
use crate::fault::Fault;
use crate::state::key::{KeyVault, MasterKey, Rewrap, open_archive_seal};
use crate::store::app::AppRecord;
use crate::store::archive::ArchiveReader;
use crate::store::key::Belongs;
use crate::store::removal::{self, RemovalTarget};
use crate::store::{self, CommitError, Engine, Key, Keyspace, Scan, StoreError, Tx, records, tallies};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows and bytes written per transaction: small enough not to hold up other writers.
const ROWS_PER_STEP: usize = 1000;
const BYTES_PER_STEP: usize = 1 << 20;

/// Creates an app from an archive.
pub struct ImportApp {
    /// The archive's path.
    pub from: PathBuf,
    /// The id to use instead of the archive's.
    pub as_id: Option<String>,
    /// The connection URI domain to use instead of the archive's.
    pub domain: Option<String>,
    /// The key that opens the secret halves of keys in the archive.
    pub key: Option<MasterKey>,
    /// Whether requests are answered meanwhile.
    pub served: bool,
}

/// What was written.
#[derive(Debug)]
pub struct Imported {
    /// The id of the app.
    pub app: AppId,
    /// Number of rows by kind.
    pub records: BTreeMap<&'static str, u64>,
}

impl ImportApp {
    /// Imports the app and returns what was written; runs to completion even if the caller goes away.
    ///
    /// # Errors
    /// The reason why the app was not imported. Nothing of it is left.
    pub async fn run(self, context: &Context, on_progress: OnTransferProgress) -> Result<Imported, TransferError> {
        let (work, entropy) = (Work::of(context), Arc::clone(&context.entropy));
        let task = tokio::spawn(async move { self.apply(&work, entropy, on_progress).await });
        match task.await {
            Ok(outcome) => {
                // Users of the app may be waiting to be imported.
                context.imports.notify_one();
                outcome
            }
            Err(error) => Err(Fault::new("importing an app", error).into()),
        }
    }

    async fn apply(
        self,
        work: &Work,
        entropy: Arc<dyn Entropy>,
        on_progress: OnTransferProgress,
    ) -> Result<Imported, TransferError> {
        let from = self.from.clone();
        let encoding = work.store.encoding();
        let telling = Arc::clone(&on_progress);
        let (label, rows) = blocking(move || inspect(&from, encoding, &telling)).await?;
        let from_app = label.app();
        let vault = open_archive_seal(label.seal, self.key.as_ref())?;
        let app = AppId {
            connection_uri_domain: self.domain.clone().unwrap_or_else(|| from_app.connection_uri_domain.clone()),
            app_id: self.as_id.clone().unwrap_or_else(|| from_app.app_id.clone()),
        };
        let is_domain = app.app_id == PUBLIC && !app.connection_uri_domain.is_empty();
        let _change_guard = work.directory.begin_change(&app, is_domain).await;
        self.check_target(work, &app).await?;
        let removed = RemovalTarget { app: app.clone(), tenant: None };
        begin(work, &removed).await?;
        let staged = self.stage(work, &app, (vault, from_app), entropy, (rows, on_progress)).await;
        let records = match staged {
            Ok(records) => records,
            Err(error) => {
                // What cannot be deleted now is deleted at the next start.
                if let Err(fault) = finish(&*work.store, &removed).await {
                    tracing::error!(error = fault.chain(), "remains of a failed import are deleted at the next start");
                }
                return Err(error);
            }
        };
        work.keys.forget(&app);
        enter_app(&work.directory, &*work.store, &app).await?;
        Ok(Imported { app, records })
    }

    /// Checks that the name is free, and deletes what an earlier removal left.
    async fn check_target(&self, work: &Work, app: &AppId) -> Result<(), TransferError> {
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

    /// Writes all rows; the app exists with the last of them.
    async fn stage(
        &self,
        work: &Work,
        app: &AppId,
        (vault, from_app): (KeyVault, AppId),
        entropy: Arc<dyn Entropy>,
        (rows, on_progress): (u64, OnTransferProgress),
    ) -> Result<BTreeMap<&'static str, u64>, TransferError> {
        // A change of the master key must not miss keys that are being written.
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
            write(work, &rest).await?;
            on_progress("writing records", done, rows.max(done));
        }
        publish(work, app, record_of_app).await?;
        Ok(records)
    }
}

async fn begin(work: &Work, removed: &RemovalTarget) -> Result<(), Fault> {
    let failed = |error| Fault::new("beginning the import of an app", error);
    transact_unqueued(&*work.store, "beginning the import of an app", |mut tx| async move {
        // Of two that want the same name, the second conflicts.
        store::app::get(tx.as_mut(), &removed.app).await.map_err(failed)?;
        removal::begin(tx.as_mut(), removed, work.now).map_err(failed)?;
        Ok(Step::Commit(tx, ()))
    })
    .await
}

type Row = (Key, Vec<u8>);

/// Writes rows that nobody sees yet.
async fn write(work: &Work, rows: &[Row]) -> Result<(), TransferError> {
    let mut tx = work.store.begin();
    for (key, value) in rows {
        tallies::put_arriving(&mut *tx, key.clone(), value.clone())?;
    }
    commit(tx).await
}

/// Makes the app visible: its record is written and the removal's marker is deleted. An archive of the app that always
/// exists may lack the records that every other app needs.
async fn publish(work: &Work, app: &AppId, record: Option<Row>) -> Result<(), TransferError> {
    let mut tx = work.store.begin();
    match record {
        Some((key, value)) => tx.put(key, value),
        None if store::app::exists(&mut *tx, app).await? => {}
        None => store::app::put(&mut *tx, app, &AppRecord { created: work.now, changes: 0 })?,
    }
    let public = TenantId::public();
    if !store::tenant::exists(&mut *tx, app, &public).await? {
        store::tenant::put(&mut *tx, app, &public, &Tenant::public())?;
    }
    removal::finish(&mut *tx, &RemovalTarget { app: app.clone(), tenant: None });
    commit(tx).await
}

async fn commit(tx: Box<dyn Tx>) -> Result<(), TransferError> {
    match tx.commit().await {
        Ok(()) => Ok(()),
        Err(CommitError::Store(error)) => Err(error.into()),
        Err(error @ CommitError::Conflict) => Err(Fault::new("writing an imported app", error).into()),
    }
}

/// Reads the whole file: its label and the number of its rows. A truncated or damaged file is detected here.
fn inspect(
    path: &Path,
    encoding: store::Encoding,
    on_progress: &OnTransferProgress,
) -> Result<(Label, u64), TransferError> {
    let (mut archive, text) = ArchiveReader::open(path)?;
    let label = read_label(&text)?;
    let app = label.app();
    let is_base = app == AppId::base();
    let (mut rows, mut exists, mut has_public_tenant) = (0_u64, is_base, is_base);
    let public_tenant = store::tenant::key(&app, &TenantId::public());
    while let Some((key, value)) = archive.advance()? {
        if key.keyspace.belongs() == Belongs::Installation
            || !key.bytes.starts_with(&Key::of_app(key.keyspace, &app).bytes)
        {
            return Err(TransferError::Malformed("a row does not belong to the app"));
        }
        if key.keyspace.is_on_its_way() {
            return Err(TransferError::Malformed("it holds messages that are on their way"));
        }
        records::check(encoding, &key, value)?;
        exists |= key.keyspace == Keyspace::App;
        has_public_tenant |= key == public_tenant;
        rows += 1;
        if rows.is_multiple_of(PROGRESS_EVERY) {
            on_progress("checking the archive", rows, 0);
        }
    }
    if !exists {
        return Err(TransferError::Malformed("the app's own record is missing"));
    }
    if !has_public_tenant {
        return Err(TransferError::Malformed("the record of the app's public tenant is missing"));
    }
    if archive.rows() != rows {
        return Err(TransferError::Malformed("its number of rows is not the one it states"));
    }
    Ok((label, rows))
}

fn read_label(text: &[u8]) -> Result<Label, TransferError> {
    #[derive(serde::Deserialize)]
    struct LabelHead {
        format: u32,
        sessiond: String,
    }
    let malformed = |_| TransferError::Malformed("its label cannot be read");
    let head: LabelHead = serde_json::from_slice(text).map_err(malformed)?;
    if head.format > FORMAT || version(&head.sessiond) > version(env!("CARGO_PKG_VERSION")) {
        return Err(TransferError::Newer(head.sessiond));
    }
    serde_json::from_slice(text).map_err(malformed)
}

/// `1.2.3` as numbers, for comparison.
fn version(text: &str) -> Vec<u64> {
    text.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

/// The next rows in the form in which they are stored here; none at the end.
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
