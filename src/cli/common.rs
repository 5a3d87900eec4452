//! Arguments and steps that several commands share.

use super::output::{self, Bar};
use super::trimmed::Trimmed;
use crate::app::{self, OpenStore};
use crate::config::{self, BaseConfig, ConfigFile, Sources};
use crate::context::Context;
use crate::control::client::{self, Client, Found};
use crate::control::started::{self, Started};
use crate::control::task_context::TaskContext;
use crate::control::{Report, Request, Task, tasks};
use crate::domain::ids::{AppId, PUBLIC};
use anyhow::{Result, bail};
use clap::Args;
use clap::builder::PathBufValueParser;
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// The data folder, and the configuration file that may name another one.
#[derive(Debug, Clone, Args)]
pub(super) struct DataDir {
    /// Folder that holds all data, the control socket and the lock [default: data].
    #[arg(long, value_name = "DIR", value_parser = Trimmed(PathBufValueParser::new()))]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsFile,
}

/// The file with the settings.
#[derive(Debug, Clone, Args)]
pub(super) struct SettingsFile {
    /// Configuration file; defaults to config.yaml in the working directory, if it exists.
    #[arg(long, alias = "with-config", value_name = "FILE", value_parser = Trimmed(PathBufValueParser::new()))]
    config: Option<PathBuf>,
}

impl SettingsFile {
    fn sources(&self) -> Sources {
        let config_file = match &self.config {
            Some(path) => ConfigFile::Required(path.clone()),
            None => ConfigFile::IfPresent(PathBuf::from("config.yaml")),
        };
        sources(config_file)
    }

    /// The settings for working on folders that no server uses.
    pub(super) fn offline(&self) -> Result<BaseConfig> {
        offline(self.sources())
    }
}

/// A file and the process's environment.
pub(super) fn sources(config_file: ConfigFile) -> Sources {
    // A variable whose name is not Unicode cannot be one of our settings.
    let env = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    Sources { config_file, env: env.collect(), ..Sources::default() }
}

/// Settings without a server. Rules that only `--dev` relaxes are relaxed: the folder may be such a server's.
fn offline(sources: Sources) -> Result<BaseConfig> {
    Ok(config::load(&Sources { test_mode: true, ..sources })?.config)
}

/// Print output for a script.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Json {
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Where a task is executed, and how its answer is printed.
#[derive(Debug, Clone, Args)]
pub(super) struct Answered {
    #[command(flatten)]
    folder: DataDir,
    #[command(flatten)]
    json: Json,
}

impl Answered {
    /// What executes tasks on the folder: the running server, or this process.
    pub(super) fn worker(&self) -> Result<Worker> {
        self.folder.worker()
    }

    /// Whether to print output for a script.
    pub(super) const fn as_json(&self) -> bool {
        self.json.json
    }

    /// Has a task executed and returns its answer.
    pub(super) fn answer(&self, task: Task) -> Result<Value> {
        self.folder.ask(task)
    }

    /// Has a task executed and prints the answer, as JSON or in the command's own format.
    pub(super) fn ask(&self, task: Task, print: impl FnOnce(&Value)) -> Result<ExitCode> {
        let answer = self.answer(task)?;
        if self.json.json {
            output::json(&answer);
        } else {
            print(&answer);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The app to work on.
#[derive(Debug, Clone, Args)]
pub(super) struct AppName {
    /// Id of the app.
    #[arg(long, value_name = "APP", default_value = PUBLIC)]
    app: String,
    /// Connection URI domain of the app.
    #[arg(long, value_name = "DOMAIN", default_value = "", hide_default_value = true)]
    domain: String,
}

impl AppName {
    /// The app's id as the store spells it.
    pub(super) fn id(&self) -> AppId {
        AppId { connection_uri_domain: self.domain.to_lowercase(), app_id: self.app.to_lowercase() }
    }
}

impl DataDir {
    /// The sources of a server's settings, including the flags that every command has.
    pub(super) fn sources(&self) -> Sources {
        let flags = self.data_dir.iter().map(|path| ("data_dir".to_owned(), path.into())).collect();
        Sources { flags, ..self.settings.sources() }
    }

    /// Sets a configuration file given in the original's syntax; `--config` must not name a different one.
    pub(super) fn set_config(&mut self, path: &Path) -> Result<()> {
        if let Some(before) = self.settings.config.replace(path.to_owned())
            && before != path
        {
            bail!("two configuration files were given, {} and {}: give only one", before.display(), path.display());
        }
        Ok(())
    }

    /// The same choice as arguments for another process.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let pair = |name: &str, path: &Option<PathBuf>| path.clone().map(|path| [name.into(), path.into()]);
        let pairs = [pair("--data-dir", &self.data_dir), pair("--config", &self.settings.config)];
        pairs.into_iter().flatten().flatten().collect()
    }

    /// The folder as the server would find it: flag, environment, configuration file, `data`.
    ///
    /// Settings that a server would refuse are ignored here: a command must be able to reach a running server.
    pub(super) fn path(&self) -> PathBuf {
        config::data_dir(&self.sources())
    }

    /// The server that holds this folder's store (or the only ephemeral one there), if one is running.
    pub(super) fn server(&self) -> Result<Option<Client>> {
        Ok(answering(&self.path())?.clients.into_iter().next())
    }

    /// The running server; without one, an error that says how to start one.
    pub(super) fn running_server(&self) -> Result<Client> {
        match self.server()? {
            Some(client) => Ok(client),
            None => bail!(
                "no server runs on {}; start one with \"sessiond start\", or name its folder with --data-dir",
                self.path().display()
            ),
        }
    }

    /// Every instance that answers, each with its `.started` entry.
    pub(super) fn instances(&self) -> Result<Vec<(Started, Client)>> {
        let folder = self.path();
        let found = answering(&folder)?;
        let mut clients = found.clients;
        let stuck = found.unresponsive > 0;
        // A stuck server keeps its entry: it is alive but does not answer.
        let alive = |pid| stuck || clients.iter().any(|client| client.server.pid == pid);
        let entries = started::list(&folder, alive);
        let known = entries.into_iter().filter_map(|entry| {
            let at = clients.iter().position(|client| client.server.pid == entry.pid)?;
            Some((entry, clients.swap_remove(at)))
        });
        Ok(known.collect())
    }

    /// Has a task executed by the running server, or executes it here when none is running.
    pub(super) fn ask(&self, task: Task) -> Result<Value> {
        if let Some(mut client) = self.server()? {
            let bar = Bar::new();
            return Ok(client.request(&Request::Task(task), |progress| bar.show(progress))?);
        }
        let config = Arc::new(self.offline_config()?);
        let store = open(&config)?;
        block_on(async {
            let context = app::over(&config, &store).await?;
            let task_context = TaskContext { context: &context, report: output::bar(), served: false };
            let outcome = tasks::run(&task_context, task).await;
            context.store.close().await?;
            outcome.map_err(anyhow::Error::msg)
        })
    }

    /// What executes tasks: the running server, or this process when none is running.
    pub(super) fn worker(&self) -> Result<Worker> {
        if let Some(client) = self.server()? {
            return Ok(Worker::Server(Box::new(client)));
        }
        let config = Arc::new(self.offline_config()?);
        let store = open(&config)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let context = runtime.block_on(app::over(&config, &store))?;
        Ok(Worker::Local { context: Box::new(context), runtime })
    }

    /// The settings for making the folder itself, which is new.
    pub(super) fn new_folder_config(&self) -> Result<BaseConfig> {
        offline(self.sources())
    }

    /// The settings for working on the folder itself, which must exist; notes on stderr that no server is involved.
    pub(super) fn offline_config(&self) -> Result<BaseConfig> {
        let config = offline(self.sources())?;
        let folder = &config.data_dir;
        if !folder.exists() {
            bail!("there is no data folder {}; name one with --data-dir", folder.display());
        }
        output::note(format!("no server runs on {}: working on the folder itself", folder.display()));
        Ok(config)
    }
}

/// Executes tasks one after another; see [`DataDir::worker`].
pub(super) enum Worker {
    /// A running server.
    Server(Box<Client>),
    /// This process, on a folder that no server uses.
    Local {
        /// The context over the folder's store.
        context: Box<Context>,
        /// The runtime that tasks run on.
        runtime: tokio::runtime::Runtime,
    },
}

impl Worker {
    /// Executes a task.
    pub(super) fn run(&mut self, task: Task) -> Result<Value> {
        self.run_reporting(task, Arc::new(|_| ()))
    }

    /// Executes a task that takes a while, reporting its progress.
    pub(super) fn run_reporting(&mut self, task: Task, report: Report) -> Result<Value> {
        match self {
            Self::Server(client) => Ok(client.request(&Request::Task(task), |progress| report(progress))?),
            Self::Local { context, runtime } => {
                let task_context = TaskContext { context, report, served: false };
                runtime.block_on(tasks::run(&task_context, task)).map_err(anyhow::Error::msg)
            }
        }
    }

    /// Finishes: closes the store if it was opened here.
    pub(super) fn finish(self) -> Result<()> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Local { context, runtime } => Ok(runtime.block_on(context.store.close())?),
        }
    }
}

/// The servers of a folder; an error when there are only servers that do not answer.
fn answering(folder: &Path) -> Result<Found> {
    let found = client::find(folder);
    if found.clients.is_empty() && found.unresponsive > 0 {
        bail!("a server runs on {} but does not answer; see its log, or end it with a signal", folder.display());
    }
    Ok(found)
}

/// A tenant's id as the store spells it, for value parsers.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a value parser")]
pub(super) fn tenant(written: &str) -> Result<String, std::convert::Infallible> {
    Ok(written.to_lowercase())
}

/// Opens the store of a folder that no server uses.
pub(super) fn open(config: &BaseConfig) -> Result<OpenStore> {
    Ok(OpenStore::open(config, output::opening(), Arc::new(|_| std::process::abort()))?)
}

/// Runs asynchronous work to completion.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
