//! `config.yaml`: read as a whole, then entry by entry.

use crate::config::base::{ConfigError, Origin};
use crate::config::loading::Loading;
use crate::config::settings;
use crate::config::sources::ConfigFile;
use crate::config::yaml;
use crate::domain::text;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes: a larger one cannot be a config file.
const MAX_BYTES: u64 = 1 << 20;
/// How many times a file that is being written is read before giving up.
const MAX_READS: usize = 5;

/// Takes the settings from the file. Returns its absolute path if there was one.
pub(super) fn take(loading: &mut Loading, file: &ConfigFile) -> Result<Option<PathBuf>, ConfigError> {
    let (path, is_required) = match file {
        ConfigFile::None => return Ok(None),
        ConfigFile::IfPresent(path) => (path, false),
        ConfigFile::Required(path) => (path, true),
    };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    if !is_required && std::fs::symlink_metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(None);
    }
    let text = read_text(&path, "the config file")?;
    let text = yaml::without_marks(&text);
    let document = yaml::document(&text).map_err(|error| ConfigError::Malformed {
        path: path.clone(),
        line: error.line,
        what: error.what,
    })?;
    let version = document.entries.iter().rfind(|entry| entry.key == VERSION);
    let has_version = version.is_some_and(|entry| !entry.raw.is_null());
    take_entries(loading, &path, document);
    if !has_version {
        return Err(ConfigError::Invalid(format!(
            "'{VERSION}' is not set in the config.yaml file. Please redownload and install SuperTokens, or add the \
             line '{VERSION}: 0' to {}",
            path.display()
        )));
    }
    if loading.is_readable(VERSION) && loading.values.int(VERSION) != 0 {
        return Err(ConfigError::Invalid(format!("'{VERSION}' must be 0.{}", location(&path))));
    }
    Ok(Some(path))
}

const VERSION: &str = "core_config_version";

fn take_entries(loading: &mut Loading, path: &Path, document: yaml::Document<'_>) {
    let mut lines: HashMap<usize, usize> = HashMap::new();
    for yaml::YamlEntry { key, raw, line } in document.entries {
        let Some(place) = settings::place(&key) else {
            unknown_key(loading, path, &key, line);
            continue;
        };
        if let Some(before) = lines.insert(place, line) {
            let remark =
                format!("{}, line {line}: '{key}' is set in line {before} already; this line counts.", path.display());
            loading.warnings.push(remark);
        }
        loading.set(place, &raw, Origin::File { line }, &format!("in line {line}.{}", location(path)));
    }
    if let Some(line) = document.second {
        let remark = format!("{}, line {line}: a second document begins here; it is not read.", path.display());
        loading.warnings.push(remark);
    }
}

fn unknown_key(loading: &mut Loading, path: &Path, key: &str, line: usize) {
    if settings::is_database_key(key) {
        loading.name_database(&format!("'{key}' in {}, line {line}", path.display()));
        return;
    }
    let known = settings::ALL.iter().flat_map(|setting| std::iter::once(setting.key).chain(setting.alias));
    let hint = settings::nearest(key, known).map(|near| format!(" Did you mean '{near}'?")).unwrap_or_default();
    let key = text::escape(key);
    loading.warnings.push(format!("{}, line {line}: unknown key '{key}' is ignored.{hint}", path.display()));
}

/// The end of some sentences when there is a file.
pub(super) fn location(path: &Path) -> String {
    format!(" The config file can be found here: {}", path.display())
}

/// The text of a file written by an operator; `file` says what it is for.
pub(super) fn read_text(path: &Path, file: &str) -> Result<String, ConfigError> {
    let bytes = settled(|| read_once(path));
    let text = bytes.map_err(|error| error.to_string()).and_then(decode);
    text.map_err(|why| ConfigError::Unreadable { file: file.to_owned(), path: path.to_owned(), why })
}

/// A file's content, and whether the file was unchanged while it was read.
struct Reading {
    bytes: Vec<u8>,
    is_settled: bool,
}

fn read_once(path: &Path) -> io::Result<Reading> {
    let mut file = File::open(path)?;
    let before = file.metadata()?;
    if before.is_dir() {
        return Err(io::Error::other("it is a folder, not a file"));
    }
    let mut bytes = Vec::new();
    (&mut file).take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    let after = file.metadata()?;
    let is_settled = before.len() == after.len() && before.modified().ok() == after.modified().ok();
    // The length of a pipe has no meaning.
    Ok(Reading { bytes, is_settled: is_settled || !before.is_file() })
}

/// Reads until the file does not change meanwhile: half a file would be a different configuration.
fn settled(mut read: impl FnMut() -> io::Result<Reading>) -> io::Result<Vec<u8>> {
    for _ in 0..MAX_READS {
        let Reading { bytes, is_settled } = read()?;
        if is_settled {
            return Ok(bytes);
        }
    }
    Err(io::Error::other("it is being written; try again"))
}

fn decode(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it is larger than {} KiB", MAX_BYTES >> 10));
    }
    if matches!(bytes.as_slice(), [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) {
        return Err("it is UTF-16; save it as UTF-8".to_owned());
    }
    let line_of = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let line = line_of(bytes.get(..at).unwrap_or_default());
        return Err(format!("line {line} holds a NUL byte: it is UTF-16 or no text; save it as UTF-8"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = line_of(error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default());
        format!("line {line} is not UTF-8; save it as UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_being_written_is_read_again_and_then_refused() {
        let mut readings = [(b"half".to_vec(), false), (b"whole".to_vec(), true)].into_iter();
        let read = || readings.next().map(|(bytes, is_settled)| Reading { bytes, is_settled });
        let mut read = read;
        assert_eq!(settled(|| read().ok_or(io::ErrorKind::NotFound.into())).unwrap(), b"whole");
        let never = || Ok(Reading { bytes: Vec::new(), is_settled: false });
        assert_eq!(settled(never).unwrap_err().to_string(), "it is being written; try again");
    }
}
