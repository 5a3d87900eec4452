//! [`AcmeFolder`]: accounts, certificates and pauses on disk, readable by their owner alone.

use super::{AcmeError, IssuedPair};
use crate::crypto::certificate::Certificate;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The folder `acme` in the data folder.
#[derive(Debug, Clone)]
pub struct AcmeFolder(PathBuf);

impl AcmeFolder {
    /// The one in this data folder; made when something is written.
    #[must_use]
    pub fn in_data_folder(data: &Path) -> Self {
        Self(data.join("acme"))
    }

    /// The account at an authority, if there is one.
    pub(super) fn account(&self, directory: &str) -> Result<Option<Zeroizing<String>>, AcmeError> {
        read(&self.account_path(directory)).map_err(|error| failed(&self.account_path(directory), &error))
    }

    pub(super) fn keep_account(&self, directory: &str, text: &str) -> Result<(), AcmeError> {
        let path = self.account_path(directory);
        self.write(&path, text).map_err(|error| failed(&path, &error))
    }

    /// The certificate for a host, if there is one that can be read.
    #[must_use]
    pub fn certificate(&self, host: &str) -> Option<Certificate> {
        let text = read(&self.certificate_path(host)).ok()??;
        Certificate::from_pem(text.as_bytes(), text.as_bytes()).ok()
    }

    /// Keeps the certificate for a host in place of an earlier one: key and chain in one file, so that they fit.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_certificate(&self, host: &str, pair: &IssuedPair) -> Result<(), AcmeError> {
        let path = self.certificate_path(host);
        let text = Zeroizing::new(format!("{}{}", pair.key, pair.chain));
        self.write(&path, &text).map_err(|error| failed(&path, &error))
    }

    /// What was kept of the pauses after failures, if anything.
    #[must_use]
    pub fn pauses(&self) -> Option<Zeroizing<String>> {
        read(&self.pauses_path()).ok()?
    }

    /// Keeps the pauses after failures in place of earlier ones.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_pauses(&self, text: &str) -> Result<(), AcmeError> {
        let path = self.pauses_path();
        self.write(&path, text).map_err(|error| failed(&path, &error))
    }

    fn pauses_path(&self) -> PathBuf {
        self.0.join("pauses.json")
    }

    /// Another authority knows nothing of the account.
    fn account_path(&self, directory: &str) -> PathBuf {
        let hash = Sha256::digest(directory.as_bytes());
        let name: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        self.0.join(format!("account-{name}.json"))
    }

    fn certificate_path(&self, host: &str) -> PathBuf {
        // invariant: a host of an origin has no slash
        self.0.join(format!("{host}.pem"))
    }

    /// Writes a file as a whole or not at all.
    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
            builder.mode(0o700);
            options.mode(0o600);
        }
        builder.create(&self.0)?;
        let draft = path.with_extension("draft");
        let mut file = options.open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    }
}

fn read(path: &Path) -> io::Result<Option<Zeroizing<String>>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn failed(path: &Path, error: &io::Error) -> AcmeError {
    AcmeError::Folder(format!("{}: {error}", path.display()))
}
