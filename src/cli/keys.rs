//! `sessiond keys`: signing keys, on a running server or in a folder that no server uses.

use super::common::{Answered, AppName};
use super::output;
use crate::config::{NEW_MASTER_KEY, secret_file, secret_variable};
use crate::control::{PlainSecret, Task};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

/// List, rotate, revoke and reseal signing keys.
#[derive(Debug, Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Rotate(Rotate),
    Revoke(Revoke),
    Reseal(Reseal),
}

/// List an app's keys with their history.
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Make a new dynamic key now; tokens signed with the old one remain valid.
#[derive(Debug, Args)]
struct Rotate {
    /// Sign with it at once. Verifiers that cache the JWKS document refuse its tokens until they fetch it again.
    #[arg(long)]
    immediate: bool,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Withdraw a key: every token signed with it is refused from now on.
#[derive(Debug, Args)]
struct Revoke {
    /// The key's id, as in the list.
    kid: String,
    /// Reason, kept in the key's history.
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
    #[command(flatten)]
    app: AppName,
    #[command(flatten)]
    answered: Answered,
}

/// Seal all keys under another master key, or under none.
///
/// The new master key is read from SESSIOND_NEW_MASTER_KEY or from --new-key-file, never from an argument: arguments
/// are visible to every user of the machine. The server needs the new one from its next start on.
#[derive(Debug, Args)]
struct Reseal {
    /// File that holds the new master key.
    #[arg(long, value_name = "FILE", conflicts_with = "plain")]
    new_key_file: Option<PathBuf>,
    /// Store keys without a master key from now on.
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    answered: Answered,
}

impl Keys {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.verb {
            Verb::List(List { app, answered }) => answered.ask(Task::KeysList { app: app.id() }, print_list),
            Verb::Rotate(Rotate { immediate, app, answered }) => {
                answered.ask(Task::KeysRotate { app: app.id(), immediate }, print_rotated)
            }
            Verb::Revoke(Revoke { kid, reason, app, answered }) => {
                answered.ask(Task::KeysRevoke { app: app.id(), kid, reason }, print_revoked)
            }
            Verb::Reseal(reseal) => {
                let new = reseal.new_key()?;
                reseal.answered.ask(Task::KeysReseal { new }, print_resealed)
            }
        }
    }
}

impl Reseal {
    fn new_key(&self) -> Result<Option<PlainSecret>> {
        let variable = secret_variable(NEW_MASTER_KEY, std::env::var_os(NEW_MASTER_KEY).as_deref())?;
        match (&self.new_key_file, variable, self.plain) {
            (Some(path), None, false) => {
                Ok(Some(PlainSecret::new(secret_file("--new-key-file", path)?.expose().as_str())))
            }
            (None, Some(key), false) => Ok(Some(PlainSecret::new(key.expose().as_str()))),
            (None, None, true) => Ok(None),
            (None, None, false) => {
                bail!("no new master key: set {NEW_MASTER_KEY}, or name a file with --new-key-file, or pass --plain")
            }
            _ => bail!("{NEW_MASTER_KEY}, --new-key-file and --plain exclude each other"),
        }
    }
}

fn print_list(answer: &Value) {
    for key in output::rows(answer, "keys") {
        let is = |name: &str| key.get(name) == Some(&Value::Bool(true));
        let signs = match (is("signsNow"), is("onlyForRsaReaders")) {
            (true, true) => ", signs now for old SDKs, which only know RSA",
            (true, false) => ", signs now",
            (false, _) => "",
        };
        let (kind, algorithm) = (output::text(key, "kind"), output::text(key, "algorithm"));
        let stage = output::text(key, "stage").replace('_', " ");
        output::line(format!("{}  {kind} {algorithm}, {stage}{signs}", output::text(key, "kid")));
        let steps = [
            ("created", "created"),
            ("movedIn", "moved in"),
            ("published", "published"),
            ("firstUsed", "firstUsed"),
            ("retired", "retired"),
            ("revoked", "revoked"),
            ("deleted", "deleted"),
        ];
        let steps = steps.into_iter().filter(|(step, _)| key.get(*step).is_some_and(|moment| !moment.is_null()));
        let steps: Vec<String> = steps.map(|(step, shown)| format!("{shown} {}", output::moment(key, step))).collect();
        output::line(format!("    {}", steps.join(", ")));
        if let Some(why) = key.get("revokedWhy").and_then(Value::as_str) {
            output::line(format!("    revoked because: {why}"));
        }
    }
    let refresh_tokens = answer.get("refreshTokens").unwrap_or(&Value::Null);
    if refresh_tokens.get("acceptsV2") == Some(&Value::Bool(true)) {
        let format = output::text(refresh_tokens, "format");
        output::line(format!("Refresh tokens of a SuperTokens core (v2) are accepted; new ones: {format}."));
    }
    let sealed = answer.get("sealed") == Some(&Value::Bool(true));
    output::line(if sealed { "Keys are sealed under a master key." } else { "Keys are stored without a master key." });
}

fn print_rotated(answer: &Value) {
    let from = output::moment(answer, "signsFrom");
    output::line(format!("new key {} signs from {from}", output::text(answer, "kid")));
    if let Some(kid) = answer.get("rsaKid").and_then(Value::as_str) {
        output::line(format!("new key {kid} signs from then on for old SDKs, which only know RSA"));
    }
}

fn print_revoked(answer: &Value) {
    output::line(format!("revoked {}", output::text(answer, "kid")));
    if let Some(kid) = answer.get("replacedBy").and_then(Value::as_str) {
        output::line(format!("{kid} signs in its place"));
    }
}

fn print_resealed(answer: &Value) {
    let secrets = output::counted(answer, "secret");
    if answer.get("sealed") == Some(&Value::Bool(true)) {
        output::line(format!("{secrets} sealed under the new master key; the next start needs it"));
    } else {
        output::line(format!("{secrets} now stored unsealed; the next start needs no master key"));
    }
}
