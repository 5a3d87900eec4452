//! `cargo bench --bench http`: sessiond compared with a bare warp server, and the effect of many sessions.
//!
//! Both servers run in separate processes and get the same load, in alternating windows, from one thread of this
//! process. The figure to trust is the server's CPU time per request; rates and latencies vary with the load of the
//! machine. `docs/performance.md` explains how to read the table. `-- --help` lists the options.
#![expect(clippy::print_stdout, reason = "printing the table is what this program is for")]

mod harness;

use harness::report::Report;
use harness::server::Sessiond;
use harness::settings::Settings;
use harness::{codes, front, rows, scale, sign_in, tenants, users};

fn main() -> anyhow::Result<()> {
    let settings = Settings::read();
    if settings.floor {
        return harness::floor::run();
    }
    allow_many_connections()?;
    let folder = match &settings.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let sessiond = Sessiond {
        binary: settings.server.clone().unwrap_or_else(|| env!("CARGO_BIN_EXE_sessiond").into()),
        folder: folder.path().to_owned(),
        environment: Vec::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut report = Report::default();
    runtime.block_on(measure(&settings, &sessiond, &mut report))?;
    report.print();
    if let Some(path) = &settings.json {
        std::fs::write(path, serde_json::to_string_pretty(&report.json())?)?;
    }
    Ok(())
}

async fn measure(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    rows::measure(settings, sessiond, report).await?;
    sign_in::measure(settings, sessiond, report).await?;
    codes::measure(settings, sessiond, report).await?;
    tenants::measure(settings, sessiond, report).await?;
    front::measure(settings, sessiond, report).await?;
    if settings.rows_only {
        return Ok(());
    }
    scale::empty_folder(settings, sessiond, report)?;
    scale::full_load(settings, sessiond, report).await?;
    scale::many_sessions(settings, sessiond, report).await?;
    users::many_users(settings, sessiond, report).await?;
    tenants::many_tenants(settings, sessiond, report).await
}

/// A thousand connections need more file descriptors than most shells allow.
#[cfg(unix)]
fn allow_many_connections() -> anyhow::Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

#[cfg(not(unix))]
fn allow_many_connections() -> anyhow::Result<()> {
    Ok(())
}
