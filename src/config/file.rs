//! `config.yaml`: read as a whole, then entry by entry.

use crate::config::base::{ConfigError, Origin};
use crate::config::loading::{Loading, Written};
use crate::config::node::{Form, Style, Unsuitable};
use crate::config::problem::{Problem, Source, location};
use crate::config::raw::Raw;
use crate::config::settings::{self, Kind, Setting};
use crate::config::sources::ConfigFile;
use crate::config::yaml::{self, Entry};
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
pub(super) fn take(loading: &mut Loading, file: &ConfigFile) -> Option<PathBuf> {
    let (path, is_required) = match file {
        ConfigFile::None => return None,
        ConfigFile::StandardInput => {
            let text = read_to_limit(io::stdin().lock()).map_err(|error| error.to_string()).and_then(decode);
            let text = text.map_err(|why| format!("cannot read {STANDARD_INPUT}: {why}"));
            take_text(loading, STANDARD_INPUT.to_owned(), text);
            return None;
        }
        ConfigFile::IfPresent(path) => (path, false),
        ConfigFile::Required(path) => (path, true),
    };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    if !is_required && std::fs::symlink_metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return None;
    }
    let text = read_text(&path, "the config file").map_err(|error| error.to_string());
    take_text(loading, path.display().to_string(), text);
    Some(path)
}

const STANDARD_INPUT: &str = "standard input";
const VERSION: &str = "core_config_version";
/// The way out where what follows in the file is not known.
const FIRST: &str = "mend this first: what depends on the rest of the file was not checked";

fn take_text(loading: &mut Loading, name: String, text: Result<String, String>) {
    let at = |position| Source::File { name: name.clone(), position };
    let document = text.map_err(|why| Problem::new(why.clone()).logged_as(why).at(None, at(None))).and_then(|text| {
        let text = yaml::without_marks(&text).into_owned();
        yaml::document(&text).map(|document| (text, document)).map_err(|error| malformed(&name, error))
    });
    let (text, mut document) = match document {
        Ok(read) => read,
        Err(problem) => {
            loading.is_incomplete = true;
            return loading.fail(problem.hint(FIRST));
        }
    };
    let entries = std::mem::take(&mut document.entries);
    take_entries(loading, &name, &entries);
    if let Some(position) = document.second {
        loading.warn("a second document begins here; it is not read.", None, at(Some(position)));
    }
    if let Some(broken) = document.broken.take() {
        loading.is_incomplete = true;
        loading.fail(malformed(&name, broken).hint(FIRST));
    } else {
        check_version(loading, &name, &entries);
    }
    loading.file = Some(Written { name, text, entries });
}

fn malformed(name: &str, yaml::Malformed { at, what }: yaml::Malformed) -> Problem {
    let logged = format!("{name}, line {}: {what}", at.line);
    Problem::new(what).logged_as(logged).at(None, Source::File { name: name.to_owned(), position: Some(at) })
}

fn check_version(loading: &mut Loading, name: &str, entries: &[Entry]) {
    let version = entries.iter().rfind(|entry| entry.key == VERSION);
    let at = |position| Source::File { name: name.to_owned(), position };
    match version {
        Some(entry) if !raw(entry, None).is_ok_and(|raw| raw.is_null()) => {
            if loading.is_readable(VERSION) && loading.values.int(VERSION) != 0 {
                let sentence = format!("'{VERSION}' must be 0.");
                let logged = format!("{sentence}{}", location(name));
                loading.fail(Problem::new(sentence).logged_as(logged).at(Some(VERSION), at(Some(entry.value.at))));
            }
        }
        _ => {
            let logged = format!(
                "'{VERSION}' is not set in the config.yaml file. Please redownload and install SuperTokens, or add the \
                 line '{VERSION}: 0' to {name}"
            );
            let problem = Problem::new(format!("'{VERSION}' is not set")).logged_as(logged);
            loading.fail(problem.hint(format!("add the line '{VERSION}: 0'")).at(None, at(None)));
        }
    }
}

fn take_entries(loading: &mut Loading, name: &str, entries: &[Entry]) {
    let mut lines: HashMap<usize, usize> = HashMap::new();
    for entry in entries {
        let at = |position| Source::File { name: name.to_owned(), position: Some(position) };
        let Some(place) = settings::place(&entry.key) else {
            unknown_key(loading, name, entry);
            continue;
        };
        let (line, setting) = (entry.at.line, settings::ALL.get(place).copied());
        if let Some(before) = lines.insert(place, line) {
            let remark = format!("'{}' is set in line {before} already; this line counts.", entry.key);
            loading.warn(remark, setting.map(|setting| setting.key), at(entry.at));
        }
        match raw(entry, setting) {
            Ok(raw) => loading.set(place, &raw, Origin::File { line }, at(entry.value.at)),
            Err(Unsuitable { at: position, why }) => {
                loading.refuse(place, format!("'{}' cannot be read: {why}", entry.key), at(position));
            }
        }
    }
}

/// The value of an entry. Lists and maps are JSON where the setting is.
fn raw<'a>(entry: &'a Entry, setting: Option<&Setting>) -> Result<Raw<'a>, Unsuitable> {
    match &entry.value.form {
        Form::Scalar(text, Style::Plain) => Ok(Raw::plain(text)),
        Form::Scalar(text, _) => Ok(Raw::text(text)),
        Form::List(_) | Form::Map(_) if setting.is_some_and(|setting| setting.kind != Kind::Json) => {
            Ok(Raw::compound(String::new()))
        }
        Form::List(_) | Form::Map(_) | Form::Refused(_) => entry.value.to_json().map(Raw::compound),
    }
}

fn unknown_key(loading: &mut Loading, name: &str, entry: &Entry) {
    let key = entry.key.as_str();
    let source = Source::File { name: name.to_owned(), position: Some(entry.at) };
    if settings::is_database_key(key) {
        let line = entry.at.line;
        return loading.name_database(&format!("'{key}' in {name}, line {line}"), source);
    }
    // A merge (`<<: *others`) is meant to set something.
    if let Form::Refused(why) = entry.value.form {
        let malformed = malformed(name, yaml::Malformed { at: entry.value.at, what: why.to_owned() });
        return loading.fail(malformed);
    }
    let known = settings::ALL.iter().flat_map(|setting| std::iter::once(setting.key).chain(setting.alias));
    let hint = settings::nearest(key, known).map(|near| format!(" Did you mean '{near}'?")).unwrap_or_default();
    let key = text::escape(key);
    loading.warn(format!("unknown key '{key}' is ignored.{hint}"), None, source);
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
    let bytes = read_to_limit(&mut file)?;
    let after = file.metadata()?;
    let is_settled = before.len() == after.len() && before.modified().ok() == after.modified().ok();
    // The length of a pipe has no meaning.
    Ok(Reading { bytes, is_settled: is_settled || !before.is_file() })
}

fn read_to_limit(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
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
