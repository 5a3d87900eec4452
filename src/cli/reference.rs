//! docs/cli.md, generated from the argument definitions.

use clap::{Arg, Command, CommandFactory};
use std::fmt::Write;

/// The command-line reference as Markdown. A test compares it with docs/cli.md.
#[must_use]
pub fn reference() -> String {
    let mut root = super::Cli::command();
    root.build();
    let mut page = String::from(
        "# Command line\n\n\
         <!-- Generated from src/cli: edit there, then run `SESSIOND_BLESS=1 cargo test --test it reference`. -->\n\n\
         Exit codes: 0 done, 1 refused or failed (one line on stderr says why), 2 arguments that make no sense, 130 a server\n\
         that was asked to stop twice. Commands find a server through its data folder: give them the same `--data-dir`,\n\
         `SESSIOND_DATA_DIR` or configuration file. Anyone who may open the folder's `control.sock` controls the server.\n\n\
         SIGTERM and SIGINT stop a server as `sessiond stop` does: it takes no new connections, answers pending requests and\n\
         closes the store. The same signal again ends it at once. SIGHUP, sent when the terminal closes, does the same in the\n\
         foreground unless it was ignored before (`nohup`, Linux only); a server that `sessiond start` put in the background\n\
         logs and ignores it. Settings are read at startup only. A server with `front_tls_cert` and without a terminal reads\n\
         the certificate again.\n\n\
         Log files can be rotated by copying (logrotate's `copytruncate`), which needs no signal, or by renaming: then send\n\
         SIGUSR1, and the server reopens its log files under their names. SIGUSR2 is ignored.\n",
    );
    section(&mut page, &root, "sessiond");
    page
}

fn section(page: &mut String, command: &Command, path: &str) {
    let about = command.get_long_about().or_else(|| command.get_about());
    // invariant: writing to a String cannot fail
    let _ = write!(page, "\n## {path}\n\n{}\n", about.map(ToString::to_string).unwrap_or_default());
    let arguments: Vec<&Arg> = command.get_arguments().filter(|argument| shown(argument)).collect();
    if !arguments.is_empty() {
        page.push_str("\n| Argument | Meaning |\n|---|---|\n");
        for argument in arguments {
            let _ = writeln!(page, "| `{}` | {} |", usage(argument), meaning(argument));
        }
    }
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        section(page, inner, &format!("{path} {}", inner.get_name()));
    }
}

fn shown(argument: &Arg) -> bool {
    !argument.is_hide_set() && argument.get_id() != "help"
}

fn usage(argument: &Arg) -> String {
    let value = argument.get_value_names().unwrap_or_default().join(" ");
    let takes_value = argument.get_action().takes_values();
    match argument.get_long() {
        Some(long) if takes_value => format!("--{long} <{value}>"),
        Some(long) => format!("--{long}"),
        None if argument.get_num_args().is_some_and(|count| count.max_values() > 1) => format!("[{value}]…"),
        None => format!("<{value}>"),
    }
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let mut text = help.map(ToString::to_string).unwrap_or_default().replace('\n', " ").replace('|', "\\|");
    // clap strips the final full stop.
    if !text.is_empty() && !text.ends_with(['.', ']']) {
        text.push('.');
    }
    let values: Vec<_> = argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if argument.get_action().takes_values() && !values.is_empty() {
        let _ = write!(text, " One of {}.", values.join(", "));
    }
    let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if argument.get_action().takes_values() && defaults.iter().any(|value| !value.is_empty()) {
        let _ = write!(text, " Default: `{}`.", defaults.join(" "));
    }
    text
}
