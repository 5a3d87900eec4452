//! [`Loading`]: the settings collected from the sources so far, later sources over earlier ones.

use crate::config::base::Origin;
use crate::config::flaws::Flaw;
use crate::config::locate;
use crate::config::node::Position;
use crate::config::problem::{Place, Problem, Source, location};
use crate::config::raw::{Raw, check_visible, read};
use crate::config::reference;
use crate::config::settings::{self, Setting, Status};
use crate::config::values::{Value, Values};
use crate::config::yaml::Entry;
use std::ffi::OsString;

/// The settings collected from the sources so far.
pub(super) struct Loading {
    pub(super) values: Values,
    pub(super) warnings: Vec<Problem>,
    /// The file, if there is one that can be read.
    pub(super) file: Option<Written>,
    /// Whether a part of the sources could not be read, so that rules between settings cannot be checked.
    pub(super) is_incomplete: bool,
    pub(super) origins: Vec<Origin>,
    /// What is wrong with the sources themselves.
    errors: Vec<Problem>,
    /// Values that could not be read and were not overridden by a later source, by place in the table.
    unreadable: Vec<(usize, Problem)>,
    is_database_named: bool,
}

/// The settings in a file.
pub(super) struct Written {
    /// Its path, or another name.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) entries: Vec<Entry>,
}

impl Default for Loading {
    fn default() -> Self {
        Self {
            values: Values::defaults(),
            warnings: Vec::new(),
            file: None,
            is_incomplete: false,
            origins: vec![Origin::Default; settings::ALL.len()],
            errors: Vec::new(),
            unreadable: Vec::new(),
            is_database_named: false,
        }
    }
}

impl Loading {
    /// Takes the settings from the command line.
    pub(super) fn flags(&mut self, flags: &[(String, OsString)]) {
        for (key, given) in flags {
            match settings::place(key) {
                Some(place) => self.set(place, &Raw::of_process(given), Origin::Flag, Source::Flag),
                None => self.fail(Problem::new(format!("Invalid config key: {key}")).at(None, Source::Flag)),
            }
        }
    }

    /// Records that something is wrong with a source itself.
    pub(super) fn fail(&mut self, problem: Problem) {
        self.errors.push(problem);
    }

    /// Records a warning about something in a source.
    pub(super) fn warn(&mut self, sentence: impl Into<String>, setting: Option<&'static str>, source: Source) {
        let sentence = sentence.into();
        let logged = match &source {
            Source::File { name, position: Some(at) } => format!("{name}, line {}: {sentence}", at.line),
            _ => sentence.clone(),
        };
        self.warnings.push(Problem::new(sentence).logged_as(logged).at(setting, source));
    }

    /// What is wrong with the sources themselves, so far.
    pub(super) fn take_errors(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.errors)
    }

    /// The values that count and could not be read.
    pub(super) fn unreadable(&self) -> impl Iterator<Item = Problem> {
        self.unreadable.iter().map(|(_, problem)| problem.clone())
    }

    /// Sets a value, overriding earlier sources.
    pub(super) fn set(&mut self, place: usize, raw: &Raw<'_>, origin: Origin, source: Source) {
        let Some(setting) = settings::ALL.get(place) else { return };
        let value = read(setting, raw).map_err(|error| error.with_value());
        match value.and_then(|value| check_visible(setting, &value).map(|()| value)) {
            Ok(value) => self.accept(place, value, origin),
            Err(sentence) => self.refuse(place, sentence, source),
        }
    }

    /// Sets a value that has been read. An unreadable value from an earlier source no longer matters.
    pub(super) fn accept(&mut self, place: usize, value: Value, origin: Origin) {
        let Some(setting) = settings::ALL.get(place) else { return };
        for (_, error) in self.unreadable.extract_if(.., |(known, _)| *known == place) {
            let ignored = |sentence: &str| format!("{} It is ignored: {origin} wins.", full_stop(sentence));
            let warning = Problem::new(ignored(&error.sentence)).logged_as(ignored(&error.to_string()));
            self.warnings.push(warning.at_all(error.places));
        }
        let warning = without_effect(setting, &value, &origin);
        self.values.set(place, value);
        if let Some(slot) = self.origins.get_mut(place) {
            *slot = origin;
        }
        if let Some(warning) = warning {
            self.warnings.push(Problem::new(warning).at_all(self.places(&[setting.key])));
        }
    }

    /// Records that a source's value cannot be read.
    pub(super) fn refuse(&mut self, place: usize, sentence: String, source: Source) {
        let Some(setting) = settings::ALL.get(place) else { return };
        let logged = format!("{sentence}, {}", source.phrase());
        let problem = Problem::new(sentence).logged_as(logged).hint(reference::expected(setting));
        self.unreadable.retain(|(known, _)| *known != place);
        self.unreadable.push((place, problem.at(Some(setting.key), source)));
    }

    /// Whether the value that counts for a setting could be read.
    pub(super) fn is_readable(&self, key: &str) -> bool {
        self.unreadable.iter().all(|(place, _)| settings::place(key) != Some(*place))
    }

    /// The problem of a broken rule, with the places of its settings; `None` if one of them could not be read.
    pub(super) fn problem(&self, flaw: Flaw) -> Option<Problem> {
        if !flaw.keys.iter().all(|key| self.is_readable(key)) {
            return None;
        }
        let mut problem = Problem::new(flaw.sentence).at_all(self.places(&flaw.keys));
        if let ([key], Some(member)) = (&*flaw.keys, &flaw.member)
            && let Some(at) = self.member_at(key, &member.place, member.syntax)
        {
            for place in &mut problem.places {
                if let Source::File { position, .. } = &mut place.source {
                    *position = Some(at);
                }
            }
        }
        if let [key] = &*flaw.keys {
            problem.hint = settings::find(key).map(reference::expected);
        }
        Some(match &self.file {
            Some(file) if flaw.names_file => {
                let logged = format!("{problem}{}", location(&file.name));
                problem.logged_as(logged)
            }
            _ => problem,
        })
    }

    /// Where these settings are set, those that are.
    pub(super) fn places(&self, keys: &[&'static str]) -> Vec<Place> {
        let place = |key: &&'static str| Some(Place { setting: Some(key), source: self.source(key)? });
        keys.iter().filter_map(place).collect()
    }

    fn source(&self, key: &str) -> Option<Source> {
        match self.origins.get(settings::place(key)?)? {
            Origin::Default => None,
            Origin::File { .. } => {
                let file = self.file.as_ref()?;
                let position = file.entry(key).map(|entry| entry.value.at);
                Some(Source::File { name: file.name.clone(), position })
            }
            Origin::Env(name) => Some(Source::Variable((*name).to_owned())),
            Origin::Flag => Some(Source::Flag),
        }
    }

    /// Where in the file a member of a setting's JSON is.
    fn member_at(&self, key: &str, path: &str, syntax: Option<(usize, usize)>) -> Option<Position> {
        let file = self.file.as_ref()?;
        let node = &file.entry(key)?.value;
        Some(match syntax {
            Some((line, column)) => locate::in_text(node, Position { line, column }, &file.text),
            None => locate::member(node, path.strip_prefix(key).unwrap_or_default(), &file.text),
        })
    }

    /// Database settings are reported once, however many there are.
    pub(super) fn name_database(&mut self, what: &str, source: Source) {
        if !self.is_database_named {
            self.is_database_named = true;
            let sentence = format!("Database settings ({what}) are ignored: sessiond keeps its data in its own store.");
            self.warnings.push(Problem::new(sentence).at(None, source));
        }
    }
}

impl Written {
    /// The entry that counts for a setting.
    fn entry(&self, key: &str) -> Option<&Entry> {
        let place = settings::place(key);
        self.entries.iter().rfind(|entry| settings::place(&entry.key) == place)
    }
}

fn without_effect(setting: &Setting, value: &Value, origin: &Origin) -> Option<String> {
    let Status::Without(reason) = setting.status else { return None };
    let matters = *value != Value::default_of(setting) && setting.key != "disable_telemetry";
    matters.then(|| format!("'{}' ({origin}) has no effect: {reason}.", setting.key))
}

fn full_stop(sentence: &str) -> String {
    if sentence.ends_with('.') { sentence.to_owned() } else { format!("{sentence}.") }
}
