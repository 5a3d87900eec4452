//! [`Flaws`]: the rules that values break.

use crate::domain::json::reader::ConfigFlaw;
use crate::domain::text;

/// The rules that values break, in the protocol's order.
#[derive(Debug, Default)]
pub(super) struct Flaws(Vec<Flaw>);

/// A rule that values break.
#[derive(Debug)]
pub(super) struct Flaw {
    /// The settings that the rule is about.
    pub(super) keys: Vec<&'static str>,
    /// The protocol's sentence, or one of ours.
    pub(super) sentence: String,
    /// Whether the sentence ends with where the file is.
    pub(super) names_file: bool,
    /// The member of a setting's JSON that is wrong.
    pub(super) member: Option<ConfigFlaw>,
}

impl Flaws {
    /// Adds a broken rule about these settings.
    pub(super) fn add<const N: usize>(&mut self, keys: [&'static str; N], sentence: impl Into<String>) {
        self.push(Flaw { keys: keys.to_vec(), sentence: sentence.into(), names_file: false, member: None });
    }

    /// The same, with a sentence that ends with where the file is.
    pub(super) fn add_naming_file<const N: usize>(&mut self, keys: [&'static str; N], sentence: impl Into<String>) {
        self.push(Flaw { keys: keys.to_vec(), sentence: sentence.into(), names_file: true, member: None });
    }

    /// A rule between settings says nothing new where one of them is wrong by itself.
    fn push(&mut self, flaw: Flaw) {
        if flaw.keys.len() < 2 || !flaw.keys.iter().any(|key| self.is_about(key)) {
            self.0.push(flaw);
        }
    }

    /// True if this setting is wrong by itself.
    pub(super) fn is_about(&self, key: &str) -> bool {
        self.0.iter().any(|flaw| flaw.keys == [key])
    }

    /// The value, or `None` if it breaks a rule about these settings.
    pub(super) fn keep<T, const N: usize>(&mut self, keys: [&'static str; N], outcome: Result<T, String>) -> Option<T> {
        outcome.map_err(|sentence| self.add(keys, sentence)).ok()
    }

    /// The same for a setting in JSON, which may break many rules.
    pub(super) fn keep_json<T>(&mut self, key: &'static str, outcome: Result<T, Vec<ConfigFlaw>>) -> Option<T> {
        let flaw = |flaw: ConfigFlaw| Flaw {
            keys: vec![key],
            // Names of members are the operator's.
            sentence: text::escape(&flaw.to_string()),
            names_file: false,
            member: Some(flaw),
        };
        outcome.map_err(|flaws| self.0.extend(flaws.into_iter().map(flaw))).ok()
    }

    /// True if no rule is broken.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sentence of the first broken rule, which is the protocol's answer.
    ///
    /// # Errors
    /// That sentence.
    pub(super) fn first(self) -> Result<(), String> {
        self.0.into_iter().next().map_or(Ok(()), |flaw| Err(flaw.sentence))
    }
}

impl IntoIterator for Flaws {
    type Item = Flaw;
    type IntoIter = std::vec::IntoIter<Flaw>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
