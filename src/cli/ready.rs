//! `sessiond ready`: an exit code for container health checks.

use super::common::{DataDir, Json};
use super::output;
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;

/// Exit with 0 when the server on a data folder answers requests and its store works.
#[derive(Debug, Args)]
pub(super) struct Ready {
    #[command(flatten)]
    folder: DataDir,
    #[command(flatten)]
    json: Json,
}

impl Ready {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let client = self.folder.running_server()?;
        let server = &client.server;
        if self.json.json {
            output::json(server);
        } else if server.ready {
            output::line(format!("ready: {}:{} with PID {}", server.host, server.port, server.pid));
        } else {
            output::note(format!("not ready: {}", server.reason.as_deref().unwrap_or("starting")));
        }
        Ok(if server.ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
