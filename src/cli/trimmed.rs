//! Values of flags that are settings: white space at their ends is ignored, as in every other source.

use crate::config::raw::trim_os;
use crate::domain::text;
use clap::builder::{PossibleValue, TypedValueParser};
use std::ffi::OsStr;

/// Parses what is left of a value after trimming white space.
#[derive(Debug, Clone)]
pub(super) struct Trimmed<P>(pub(super) P);

impl<P: TypedValueParser> TypedValueParser for Trimmed<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        self.0.parse_ref(command, argument, trim_os(value))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

/// A port number, with or without white space around it.
pub(super) fn port(given: &str) -> Result<u16, String> {
    text::trim(given).parse().map_err(|_| format!("{} is not a port number", text::quote(given)))
}
