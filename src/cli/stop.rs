//! `sessiond stop`: asks instances to stop and waits until they have.

use super::common::DataDir;
use super::output;
use crate::control::Request;
use crate::control::client::{self, Client, ControlError};
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Draining takes up to 5 s; closing a big store takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Stop the instances that run on a data folder.
#[derive(Debug, Args)]
pub(super) struct Stop {
    #[command(flatten)]
    folder: DataDir,
    /// Stop only the instance with this process id.
    #[arg(long, value_name = "PID")]
    id: Option<u32>,
}

impl Stop {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let mut instances = self.folder.instances()?;
        if let Some(id) = self.id {
            instances.retain(|(started, _)| started.pid == id);
            if instances.is_empty() {
                output::note(format!(
                    "Unknown PID: {id}. Please use \"sessiond list\" to see all running instances and their PIDs"
                ));
                return Ok(ExitCode::FAILURE);
            }
        }
        if instances.is_empty() {
            output::line("No sessiond instances are running.");
        }
        let mut code = ExitCode::SUCCESS;
        for (started, client) in instances {
            let (pid, host, port) = (started.pid, started.host, started.port);
            if stop(client) {
                output::line(format!("Successfully stopped sessiond with PID {pid}, running on {host}:{port}"));
            } else {
                output::note(format!("Failed to stop sessiond with PID {pid}, running on {host}:{port}"));
                code = ExitCode::FAILURE;
            }
        }
        Ok(code)
    }
}

/// Asks over the control socket rather than with a signal: a process id may have been reused, a socket cannot be.
fn stop(mut client: Client) -> bool {
    // A server with nothing to drain may be gone before its answer arrives: only a refusal is a failure.
    if let Err(ControlError::Refused(_)) = client.request(&Request::Stop, |_| ()) {
        return false;
    }
    let file = client.path.clone();
    drop(client);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if !file.exists() {
            return true;
        }
        std::thread::sleep(CHECK_INTERVAL);
    }
    // Killed meanwhile, so the server did not remove its file.
    !client::answers(&file)
}
