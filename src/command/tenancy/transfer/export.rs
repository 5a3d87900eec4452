//! Writes everything that belongs to an app into an archive, as of one moment, while serving.

use super::{FORMAT, Label, OnTransferProgress, PROGRESS_EVERY, TransferError};
use crate::context::Context;
use crate::domain::ids::AppId;
use crate::fault::Fault;
use crate::state::key::{MasterKey, Rewrap, archive_seal};
use crate::store::archive::ArchiveWriter;
use crate::store::key::Belongs;
use crate::store::{Engine, Key, Keyspace, StoreError, removal};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Writes an archive of an app.
pub struct ExportApp {
    /// The app.
    pub app: AppId,
    /// The new file.
    pub to: PathBuf,
    /// The key that seals the secret halves of keys in it.
    pub key: Option<MasterKey>,
    /// Whether to write them unsealed, although this installation keeps them sealed.
    pub plain: bool,
}

/// What was written.
#[derive(Debug)]
pub struct Exported {
    /// Number of rows by kind.
    pub records: BTreeMap<&'static str, u64>,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Whether the keys in it are sealed.
    pub sealed: bool,
}

impl ExportApp {
    /// Writes the archive and returns what was written.
    ///
    /// # Errors
    /// The reason why there is no archive.
    pub async fn run(self, context: &Context, on_progress: OnTransferProgress) -> Result<Exported, TransferError> {
        if context.directory.app(&self.app).is_none() {
            return Err(TransferError::UnknownApp);
        }
        // Keys must not be resealed while they are read.
        let (_guard, vault) = context.keys.vault_as_it_is(&*context.store).await?;
        if vault.is_sealed() && self.key.is_none() && !self.plain {
            return Err(TransferError::SealOrPlain);
        }
        let (archive_vault, seal) = archive_seal(self.key.as_ref(), &*context.entropy);
        let sealed = archive_vault.is_sealed();
        let label = Label {
            format: FORMAT,
            sessiond: env!("CARGO_PKG_VERSION").to_owned(),
            connection_uri_domain: self.app.connection_uri_domain.clone(),
            app_id: self.app.app_id.clone(),
            exported: context.now(),
            seal,
        };
        let (from_app, to_app) = (self.app.clone(), self.app);
        let rewrap = Rewrap { from: vault, from_app, to: archive_vault, to_app, entropy: Arc::clone(&context.entropy) };
        let store = Arc::clone(&context.store);
        let work = move || write(&*store, &rewrap, &label, &self.to, &on_progress);
        let (records, bytes) = match tokio::task::spawn_blocking(work).await {
            Ok(outcome) => outcome?,
            Err(error) => return Err(Fault::new("exporting an app", error).into()),
        };
        Ok(Exported { records, bytes, sealed })
    }
}

type Written = (BTreeMap<&'static str, u64>, u64);

fn write(
    store: &dyn Engine,
    rewrap: &Rewrap,
    label: &Label,
    to: &Path,
    on_progress: &OnTransferProgress,
) -> Result<Written, TransferError> {
    // invariant: a label holds only serialisable data with string keys
    let text = serde_json::to_vec(label).unwrap_or_default();
    let mut archive = ArchiveWriter::create(to, label.exported, &text)?;
    let mut records = BTreeMap::new();
    let mut refused = None;
    let (mut seen, mut exists) = (0_u64, false);
    let read = store.rows_now(&mut |key: &Key, bytes: &[u8]| {
        seen += 1;
        if seen.is_multiple_of(PROGRESS_EVERY) {
            on_progress("reading records", seen, 0);
        }
        if removal::is_marker_of(key, &rewrap.from_app) {
            refused = Some(TransferError::RemovalUnderWay);
            return Err(enough());
        }
        // Both installations would send the messages that are on their way.
        let is_left_out = key.keyspace.belongs() == Belongs::Installation || key.keyspace.is_on_its_way();
        if is_left_out || !rewrap.is_of_app(key) {
            return Ok(());
        }
        exists |= key.keyspace == Keyspace::App;
        match rewrap.row(store.encoding(), key, bytes) {
            Ok((key, bytes)) => {
                *records.entry(key.keyspace.name()).or_insert(0) += 1;
                archive.push(&key, &bytes)
            }
            Err(error) => {
                refused = Some(error.into());
                Err(enough())
            }
        }
    });
    if let Some(refused) = refused {
        return Err(refused);
    }
    read?;
    // Removed since it was found in the directory.
    if !exists && rewrap.from_app != AppId::base() {
        return Err(TransferError::UnknownApp);
    }
    Ok((records, archive.finish()?))
}

/// Stops the reading; the reason is reported elsewhere.
fn enough() -> StoreError {
    StoreError::Stopped { reason: "the export was given up".to_owned() }
}
