//! Passwords that are typed or piped in. They are never arguments: those are visible to every user of the machine.

use super::output;
use crate::control::PlainSecret;
use anyhow::{Context, Result, bail};
use console::Term;
use std::io::{self, IsTerminal, Read};

/// The most bytes read from a pipe.
const MAX_LENGTH: u64 = 4096;

/// A new password: prompted for twice on a terminal, without echo, or else everything on stdin.
pub(super) fn new_password() -> Result<PlainSecret> {
    let text = if io::stdin().is_terminal() { prompt_twice()? } else { piped()? };
    if text.trim().is_empty() {
        bail!("no password: type one when asked, or pipe it in");
    }
    Ok(PlainSecret::new(text))
}

fn prompt_twice() -> Result<String> {
    let term = Term::stderr();
    if !term.is_term() {
        bail!("there is no terminal to prompt for a password: pipe it in");
    }
    output::note("Password (not shown):");
    let first = term.read_secure_line()?;
    output::note("Repeat the password:");
    if term.read_secure_line()? != first {
        bail!("the two passwords differ");
    }
    Ok(first)
}

fn piped() -> Result<String> {
    let mut text = String::new();
    io::stdin().lock().take(MAX_LENGTH).read_to_string(&mut text).context("cannot read the password from stdin")?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.contains(['\r', '\n']) {
        bail!("a password must be a single line");
    }
    Ok(text.to_owned())
}
