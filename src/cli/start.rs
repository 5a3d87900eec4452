//! `sessiond start`: the server, in the background.

use super::output;
use super::serve::Options;
use anyhow::{Context, Result};
use clap::Args;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

/// What scripts written for the original wait for; the last line of a successful start.
const STARTED: &str = "Started SuperTokens on";
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// Start a server in the background; its logs go to files in the data folder unless configured otherwise.
#[derive(Debug, Args)]
pub(super) struct Start {
    #[command(flatten)]
    options: Options,
    /// Stay in the foreground, like serve.
    #[arg(long)]
    foreground: bool,
    /// Accepted for scripts written for the original: a heap size. Ignored.
    #[arg(long, value_name = "MB", hide_short_help = true)]
    with_space: Option<String>,
    /// Accepted for scripts written for the original: a folder for temporary files. Ignored.
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    with_temp_dir: Option<PathBuf>,
    #[command(flatten)]
    runtime: JavaSwitches,
    /// Refuse --ephemeral, as the original refuses its in-memory database.
    #[arg(long, conflicts_with = "ephemeral")]
    no_in_mem_db: bool,
    /// Arguments of the original's server program.
    #[arg(value_name = "WORD")]
    words: Vec<String>,
}

/// Options that the original's start passes to its runtime, and that scripts written for it still use.
#[derive(Debug, Args)]
struct JavaSwitches {
    /// Accepted for scripts written for the original, like the following. Ignored.
    #[arg(long, value_name = "AGENT", num_args = 0..=1, require_equals = true, hide_short_help = true)]
    javaagent: Option<Option<String>>,
    /// Ignored.
    #[arg(long, hide_short_help = true)]
    jmx: bool,
    /// Ignored.
    #[arg(long, value_name = "PORT", hide_short_help = true)]
    jmx_port: Option<String>,
    /// Ignored.
    #[arg(long, value_name = "BOOL", hide_short_help = true)]
    jmx_authenticate: Option<String>,
    /// Ignored.
    #[arg(long, value_name = "BOOL", hide_short_help = true)]
    jmx_ssl: Option<String>,
}

impl JavaSwitches {
    fn given(&self) -> String {
        let all = [
            ("--javaagent", self.javaagent.is_some()),
            ("--jmx", self.jmx),
            ("--jmx-port", self.jmx_port.is_some()),
            ("--jmx-authenticate", self.jmx_authenticate.is_some()),
            ("--jmx-ssl", self.jmx_ssl.is_some()),
        ];
        let given: Vec<&str> = all.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect();
        given.join(", ")
    }
}

impl Start {
    pub(super) fn run(self) -> Result<ExitCode> {
        if self.with_space.is_some() {
            output::note("note: --with-space is ignored; this server has no heap to size");
        }
        if self.with_temp_dir.is_some() {
            output::note("note: --with-temp-dir is ignored; everything lives in --data-dir");
        }
        let runtime = self.runtime.given();
        if !runtime.is_empty() {
            output::note(format!("note: ignored, because there is no Java runtime here: {runtime}"));
        }
        if self.foreground {
            return self.options.run(&self.words);
        }
        let mut options = self.options.clone();
        options.take_words(&self.words)?;
        let log = options.folder.path().join("logs").join("start.log");
        let child = self.spawn(&log)?;
        if follow(child, &log)? {
            return Ok(ExitCode::SUCCESS);
        }
        output::note("Unable to start sessiond. Please try again");
        Ok(ExitCode::FAILURE)
    }

    /// The child writes to a file rather than a pipe, because a pipe breaks once this process has exited.
    fn spawn(&self, log: &Path) -> Result<Child> {
        let what = || format!("cannot write {}; choose a writable folder with --data-dir", log.display());
        std::fs::create_dir_all(log.parent().unwrap_or(log)).with_context(what)?;
        let stdout = File::create(log).with_context(what)?;
        let stderr = stdout.try_clone().with_context(what)?;
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(program);
        command.args(self.arguments()).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        #[cfg(windows)]
        {
            const DETACHED_PROCESS: u32 = 0x0000_0008;
            std::os::windows::process::CommandExt::creation_flags(&mut command, DETACHED_PROCESS);
        }
        command.spawn().context("cannot start the server process")
    }

    fn arguments(&self) -> Vec<OsString> {
        let options = &self.options;
        let mut arguments: Vec<OsString> = vec!["serve".into(), "--detached".into()];
        arguments.extend(options.folder.arguments());
        let mut pair = |name: &str, value: Option<OsString>| {
            if let Some(value) = value {
                arguments.extend([name.into(), value]);
            }
        };
        pair("--host", options.host.clone().map(Into::into));
        pair("--port", options.port.map(|port| port.to_string().into()));
        pair("--log-level", options.log_level.clone().map(Into::into));
        pair("--log-format", options.log_format.clone().map(Into::into));
        let flags =
            [("--ephemeral", options.ephemeral), ("--dev", options.dev), ("--dev-anywhere", options.dev_anywhere)];
        arguments.extend(flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| name.into()));
        arguments.extend(self.words.iter().map(Into::into));
        arguments
    }
}

/// Echoes what the child writes until it reports that it has started (true) or ends (false).
fn follow(mut child: Child, log: &Path) -> Result<bool> {
    let mut file = File::open(log)?;
    let mut line = String::new();
    loop {
        let ended = child.try_wait()?.is_some();
        let mut fresh = Vec::new();
        file.read_to_end(&mut fresh)?;
        let _ = std::io::stdout().lock().write_all(&fresh);
        for piece in String::from_utf8_lossy(&fresh).split_inclusive('\n') {
            line.push_str(piece);
            if piece.ends_with('\n') {
                if line.contains(STARTED) {
                    return Ok(true);
                }
                line.clear();
            }
        }
        if ended {
            return Ok(false);
        }
        std::thread::sleep(CHECK_INTERVAL);
    }
}
