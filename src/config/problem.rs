//! [`Problem`]: what is wrong with a configuration, where, and the way out.

use crate::config::node::Position;
use std::fmt;
use std::path::Path;

/// Something wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one line. Shows no secret.
    pub sentence: String,
    /// The way out, where the sentence does not contain it.
    pub hint: Option<String>,
    /// Where the settings that it is about come from; empty if none of them is set.
    pub places: Vec<Place>,
    /// The line of a log, where that has to say more than the sentence.
    logged: Option<String>,
}

/// A place that a problem is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The setting.
    pub setting: Option<&'static str>,
    /// Where it was set.
    pub source: Source,
}

/// Where something was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In a file.
    File {
        /// The path, or another name.
        name: String,
        /// Where in the file, unless it is about the file as a whole.
        position: Option<Position>,
    },
    /// In the environment variable of this name.
    Variable(String),
    /// On the command line.
    Flag,
}

impl Source {
    /// The end of the protocol's sentences about a value of this source.
    pub(super) fn phrase(&self) -> String {
        match self {
            Self::File { name, position } => {
                let line = position.map(|at| format!("in line {}.", at.line)).unwrap_or_default();
                format!("{line}{}", location(name))
            }
            Self::Variable(name) => format!("in the environment variable {name}."),
            Self::Flag => "on the command line".to_owned(),
        }
    }
}

/// The end of some sentences when there is a file.
pub(super) fn location(name: &str) -> String {
    format!(" The config file can be found here: {name}")
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, position: Some(at) } => write!(f, "{name}:{}:{}", at.line, at.column),
            Self::File { name, position: None } => f.write_str(name),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag => f.write_str("command line"),
        }
    }
}

impl Problem {
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), hint: None, places: Vec::new(), logged: None }
    }

    /// A problem of a file that a setting names.
    #[must_use]
    pub fn about_file(path: &Path, sentence: impl Into<String>) -> Self {
        Self::new(sentence).at(None, Source::File { name: path.display().to_string(), position: None })
    }

    pub(super) fn at(mut self, setting: Option<&'static str>, source: Source) -> Self {
        self.places.push(Place { setting, source });
        self
    }

    pub(super) fn at_all(mut self, places: Vec<Place>) -> Self {
        self.places.extend(places);
        self
    }

    pub(super) fn logged_as(self, line: impl Into<String>) -> Self {
        Self { logged: Some(line.into()), ..self }
    }

    /// The same with a way out.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The line of a log, which says where the problem is.
    #[must_use]
    pub fn line(&self) -> String {
        let places: Vec<_> = self.places.iter().map(|place| place.source.to_string()).collect();
        match self.logged {
            None if !places.is_empty() => format!("{self} ({})", places.join(", ")),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Problem {
    /// The sentence by which programs know the problem, as the protocol has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.logged.as_deref().unwrap_or(&self.sentence))
    }
}
