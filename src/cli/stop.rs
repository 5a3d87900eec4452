//! `sessiond stop`: asks instances to stop and waits until they have.

use super::common::DataDir;
use super::output;
use crate::control::Request;
use crate::control::client::{self, Client};
use anyhow::Result;
use clap::Args;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Draining takes up to 5 s; closing a big store takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

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
        let mut instances = self.folder.instances();
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
        let folder = self.folder.path();
        let mut code = ExitCode::SUCCESS;
        for (started, client) in instances {
            let (pid, host, port) = (started.pid, started.host, started.port);
            if stop(&folder, client, pid) {
                output::line(format!("Successfully stopped sessiond with PID {pid}, running on {host}:{port}"));
            } else {
                output::note(format!("Failed to stop sessiond with PID {pid}, running on {host}:{port}"));
                code = ExitCode::FAILURE;
            }
        }
        Ok(code)
    }
}

/// Asks through the control socket rather than by a signal: a process id may have been reused, the socket not.
fn stop(folder: &Path, mut client: Client, pid: u32) -> bool {
    if client.request(&Request::Stop, |_| ()).is_err() {
        return false;
    }
    drop(client);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        // The control file goes last, after the store is closed and its lock released.
        if !client::find(folder).clients.iter().any(|client| client.server.pid == pid) {
            return true;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    false
}
