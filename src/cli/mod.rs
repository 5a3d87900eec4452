//! The command line; one file per subcommand.
//!
//! Commands that concern a running server talk to it over the control socket; some can also work on a data folder that
//! no server uses, and then say so. Errors end up here: one line with the cause and the way out.

mod apps;
mod audit;
mod backup;
mod check;
mod common;
mod compact;
mod completions;
mod config;
mod dashboard;
mod doctor;
mod hashing_calibrate;
mod hooks;
mod keys;
mod list;
mod mail;
mod man;
mod moment;
mod moving;
mod output;
mod password;
mod ready;
mod reference;
mod restore;
mod salvage;
mod serve;
mod sessions;
mod start;
mod stop;
mod tenants;
mod trimmed;
mod uninstall;
mod users;
mod version;

pub use doctor::findings_reference;
pub use reference::reference;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

/// A session server in one binary that speaks the SuperTokens Core Driver Interface.
///
/// Without a command it serves in the foreground, with its data in ./data.
#[derive(Debug, Parser)]
#[command(name = "sessiond", disable_version_flag = true, args_conflicts_with_subcommands = true, max_term_width = 100)]
struct Cli {
    /// Print versions.
    #[arg(long, short = 'V')]
    version: bool,
    #[command(flatten)]
    serve: serve::Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Start(start::Start),
    List(list::List),
    Stop(stop::Stop),
    Ready(ready::Ready),
    Sessions(sessions::Sessions),
    #[command(visible_alias = "app")]
    Apps(apps::Apps),
    Tenants(tenants::Tenants),
    Users(users::Users),
    Dashboard(dashboard::Dashboard),
    Audit(audit::Audit),
    Mail(mail::Mail),
    Hooks(hooks::Hooks),
    Check(check::Check),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Compact(compact::Compact),
    Move(moving::Move),
    Salvage(salvage::Salvage),
    Keys(keys::Keys),
    Config(config::Config),
    Doctor(doctor::Doctor),
    #[command(alias = "hashingCalibrate")]
    HashingCalibrate(hashing_calibrate::HashingCalibrate),
    Completions(completions::Completions),
    Man(man::Man),
    Uninstall(uninstall::Uninstall),
}

/// Parses the process's arguments and executes the command they name.
#[must_use]
pub fn main() -> ExitCode {
    // Everything this process writes is for its owner alone: data, logs, backups.
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    #[cfg(unix)]
    outlive_file_size_limit();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            output::note(format!("error: {}", one_line(&error)));
            ExitCode::FAILURE
        }
    }
}

/// A write beyond the file size limit should fail, like one to a full disk. Without a handler, SIGXFSZ ends the process
/// silently.
#[cfg(unix)]
fn outlive_file_size_limit() {
    use tokio::signal::unix::{SignalKind, signal};
    let number = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // The handler stays installed after this runtime is dropped, and needs no listener.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let handled = runtime.and_then(|runtime| runtime.block_on(async { signal(number).map(drop) }));
    if let Err(error) = handled {
        output::note(format!("reaching the file size limit will end this process silently: {error}"));
    }
}

impl Cli {
    fn run(self) -> Result<ExitCode> {
        if self.version {
            version::print();
            return Ok(ExitCode::SUCCESS);
        }
        match self.command {
            None => self.serve.run(&[]),
            Some(Command::Serve(command)) => command.run(),
            Some(Command::Start(command)) => command.run(),
            Some(Command::List(command)) => command.run(),
            Some(Command::Stop(command)) => command.run(),
            Some(Command::Ready(command)) => command.run(),
            Some(Command::Sessions(command)) => command.run(),
            Some(Command::Apps(command)) => command.run(),
            Some(Command::Tenants(command)) => command.run(),
            Some(Command::Users(command)) => command.run(),
            Some(Command::Dashboard(command)) => command.run(),
            Some(Command::Audit(command)) => command.run(),
            Some(Command::Mail(command)) => command.run(),
            Some(Command::Hooks(command)) => command.run(),
            Some(Command::Check(command)) => command.run(),
            Some(Command::Backup(command)) => command.run(),
            Some(Command::Restore(command)) => command.run(),
            Some(Command::Compact(command)) => command.run(),
            Some(Command::Move(command)) => command.run(),
            Some(Command::Salvage(command)) => command.run(),
            Some(Command::Keys(command)) => command.run(),
            Some(Command::Config(command)) => command.run(),
            Some(Command::Doctor(command)) => command.run(),
            Some(Command::HashingCalibrate(command)) => command.run(),
            Some(Command::Completions(command)) => Ok(command.run(Self::command())),
            Some(Command::Man(command)) => command.run(Self::command()).map(|()| ExitCode::SUCCESS),
            Some(Command::Uninstall(command)) => command.run(),
        }
    }
}

/// The chain of causes; a cause that its effect already quotes is not repeated.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !line.ends_with(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line
}

/// Help goes to stdout with exit code 0, a usage error to stderr with 2; an unknown command has the original's text
/// and code.
fn usage(error: &clap::Error) -> ExitCode {
    if error.kind() == ErrorKind::InvalidSubcommand {
        let unknown = error.get(clap::error::ContextKind::InvalidSubcommand).map(ToString::to_string);
        output::note(format!(
            "Unknown command '{}'. Please use \"sessiond --help\" to see the list of available commands",
            unknown.unwrap_or_default()
        ));
        return ExitCode::FAILURE;
    }
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
