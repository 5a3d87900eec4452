//! `sessiond serve`: the server, in the foreground.

use super::common::DataDir;
use super::output;
use super::trimmed::{self, Trimmed};
use crate::domain::text;
use crate::lifecycle::{self, Launch};
use anyhow::Result;
use clap::Args;
use clap::builder::PossibleValuesParser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Serve in the foreground (what sessiond does without a command).
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    options: Options,
    /// Arguments of the original's server program: test_mode, host=…, port=…, configFile=…; others are ignored.
    #[arg(value_name = "WORD")]
    words: Vec<String>,
}

/// Settings that can be given on the command line. Everything else is in the configuration.
#[derive(Debug, Clone, Args)]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) folder: DataDir,
    /// Address to listen on; overrides the configuration.
    #[arg(long)]
    pub(super) host: Option<String>,
    /// Port to listen on, 0 for any free one; overrides the configuration.
    #[arg(long, value_parser = trimmed::port)]
    pub(super) port: Option<u16>,
    /// Keep everything in memory: nothing survives the process.
    #[arg(long)]
    pub(super) ephemeral: bool,
    /// Relax the checks that the SDKs' test suites fail on. Refuses to listen beyond this machine.
    #[arg(long)]
    pub(super) dev: bool,
    /// With --dev: listen beyond this machine anyway.
    #[arg(long, requires = "dev")]
    pub(super) dev_anywhere: bool,
    /// Format of log lines.
    #[arg(long, value_name = "FORMAT", value_parser = Trimmed(PossibleValuesParser::new(["text", "json"])))]
    pub(super) log_format: Option<String>,
    /// DEBUG, INFO, WARN, ERROR or NONE; overrides the configuration.
    #[arg(long, value_name = "LEVEL")]
    pub(super) log_level: Option<String>,
    /// Set by `start` for the process that it leaves in the background.
    #[arg(long, hide = true)]
    pub(super) detached: bool,
}

impl Serve {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.options.run(&self.words)
    }
}

impl Options {
    pub(super) fn run(mut self, words: &[String]) -> Result<ExitCode> {
        self.take_words(words)?;
        Ok(lifecycle::main(&self.launch()))
    }

    /// The original's server program takes bare words; its images and test set-ups pass them.
    pub(super) fn take_words(&mut self, words: &[String]) -> Result<()> {
        for word in words {
            match word.split_once('=') {
                None if text::trim(word) == "test_mode" => self.dev = true,
                Some(("host", host)) => self.host = Some(host.to_owned()),
                Some(("port", port)) => self.port = Some(trimmed::port(port).map_err(anyhow::Error::msg)?),
                Some(("configFile", path)) => {
                    let path = PathBuf::from(text::trim(path));
                    anyhow::ensure!(path.is_absolute(), "configPath option must be an absolute path only");
                    self.folder.set_config(&path)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn launch(&self) -> Launch {
        let mut sources = self.folder.sources();
        sources.test_mode = self.dev;
        let given = [
            ("host", self.host.clone()),
            ("port", self.port.map(|port| port.to_string())),
            ("ephemeral", self.ephemeral.then(|| "true".to_owned())),
            ("log_format", self.log_format.clone()),
            ("log_level", self.log_level.clone()),
        ];
        sources.flags.extend(given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))));
        Launch { sources, dev_anywhere: self.dev_anywhere, detached: self.detached, progress: output::opening() }
    }
}
