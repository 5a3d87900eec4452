//! `sessiond list`: the running instances.

use super::common::{DataDir, Json};
use super::output;
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// List the instances that run on a data folder.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    folder: DataDir,
    #[command(flatten)]
    json: Json,
}

impl List {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let instances = self.folder.instances()?;
        if self.json.json {
            let rows: Vec<_> = instances
                .iter()
                .map(|(started, client)| {
                    json!({
                        "pid": started.pid,
                        "host": started.host,
                        "port": started.port,
                        "basePath": started.base_path,
                        "configFile": client.server.config_file,
                        "ephemeral": client.server.ephemeral,
                        "version": client.server.version,
                    })
                })
                .collect();
            output::json(&rows);
        } else if instances.is_empty() {
            output::line("No sessiond instances running.");
        } else {
            for (started, client) in &instances {
                let config = client.server.config_file.as_deref().unwrap_or("none");
                let (pid, host, port) = (started.pid, &started.host, started.port);
                output::line(format!("-> Instance PID: {pid}, address: {host}:{port}, config file loaded: {config}"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
