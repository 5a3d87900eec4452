//! `sessiond doctor`: what the running server has seen that does not fit.

use super::common::{DataDir, Json};
use super::output;
use crate::control::Request;
use crate::domain::anomaly::Anomaly;
use crate::domain::text;
use anyhow::Result;
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

/// Say what does not fit in the set-up of the running server: settings, proxy, websites.
///
/// The server watches the requests that it gets for signs of sessions that cannot work, and remembers them for a day.
/// The exit code is 0 if nothing is found, else 1. What each finding means: docs/doctor.md.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    folder: DataDir,
    #[command(flatten)]
    json: Json,
}

impl Doctor {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let answer = self.folder.running_server()?.request(&Request::Doctor, |_| ())?;
        let findings = output::rows(&answer, "findings");
        if self.json.json {
            output::json(&answer);
        } else if findings.is_empty() {
            output::line("nothing found");
        } else {
            findings.iter().for_each(print);
        }
        Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

const HEAD: &str = "# What `sessiond doctor` finds

<!-- Generated from src/domain/anomaly.rs: SESSIOND_BLESS=1 cargo test --test it reference -->

A running server watches the requests of its front door for signs that sessions cannot work as they should: a proxy that
takes something away, a website that is not in the settings, cookies that browsers drop. It counts each sign and remembers
the last one for a day, in memory; `sessiond doctor` names what was seen, why it happens, and the way out, with the id of
a request as an example. It says `nothing found`, with exit code 0, if all is well; otherwise the exit code is 1. `--json`
prints the same for scripts.

Each finding is tested with a proxy and a browser, nginx and Chromium, that cause it, and so is that nothing is found where
all is well; the last column says where a browser cannot cause it, and what is tested instead.

Strangers can provoke some of the signs, such as `origin-not-allowed`: a finding is a hint, and nothing is refused because
of one. Findings hold no tokens, no cookies and no addresses of people.

| Finding | Told from | Cause | Way out | Tested with |
|---|---|---|---|---|
";

/// How a finding is tested that no browser causes; the others are tested with one.
const fn tested_without_browser(anomaly: Anomaly) -> Option<&'static str> {
    match anomaly {
        Anomaly::ClocksApart => Some("requests: the clock of a server is wrong, and not a browser's"),
        Anomaly::TenantOfOtherHost | Anomaly::GateAskedWrongly | Anomaly::GateProxyNotTrusted | Anomaly::GateLoop => {
            Some("requests")
        }
        Anomaly::FrontHostShared
        | Anomaly::MailServerMissing
        | Anomaly::TextServiceMissing
        | Anomaly::MasterKeyMissing => Some("settings"),
        _ => None,
    }
}

/// The reference of findings, `docs/doctor.md`.
#[must_use]
pub fn findings_reference() -> String {
    let row = |anomaly: Anomaly| {
        let times = match anomaly.told_from() {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        let tested = tested_without_browser(anomaly).unwrap_or("a browser");
        format!("| `{}` | {times} | {} | {} | {tested} |\n", anomaly.name(), anomaly.cause(), anomaly.way_out())
    };
    Anomaly::ALL.map(row).into_iter().fold(HEAD.to_owned(), |page, row| page + &row)
}

fn print(finding: &Value) {
    output::line(format!("{}: {}", output::text(finding, "name"), output::text(finding, "cause")));
    output::line(format!("  way out: {}", output::text(finding, "wayOut")));
    let app = |id: &Value| match (output::text(id, "connectionUriDomain"), output::text(id, "appId")) {
        ("", app) => app.to_owned(),
        (domain, app) => format!("{app} of {domain}"),
    };
    if finding.get("count").is_some() {
        let (count, last) = (output::number(finding, "count"), output::moment(finding, "lastSeen"));
        let app = finding.get("app").map(app).unwrap_or_default();
        let request = output::text(finding, "requestId");
        output::line(format!("  seen {}, last {last}; app {app}, request {request}", text::count(count, "time")));
    } else {
        let apps: Vec<String> = output::rows(finding, "apps").iter().map(app).collect();
        output::line(format!("  apps: {}", apps.join(", ")));
    }
    let examples: Vec<String> = output::rows(finding, "examples").iter().map(output::plain).collect();
    if !examples.is_empty() {
        output::line(format!("  {} different, such as {}", output::number(finding, "subjects"), examples.join(", ")));
    }
}
