//! Certificates of the front door from an authority: ordered, kept, and renewed when a third of their time is left.

use crate::config::{AcmeConfig, FrontOpening, TlsSource};
use crate::context::Context;
use crate::crypto::certificate::Certificate;
use crate::domain::loopback::is_loopback;
use crate::domain::time::UnixMillis;
use crate::outbound::acme::{AcmeError, AcmeFolder};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// The most hosts for which certificates are ordered. Authorities limit orders, too.
pub const MAX_HOSTS: usize = 100;
/// Pause after the first failure of a host, in ms; it doubles with each.
const FIRST_PAUSE: u64 = 5 * 60_000;
/// The longest pause, in ms. Authorities allow few failures per hour.
const MAX_PAUSE: u64 = 12 * 60 * 60_000;

/// What is known about each host besides its certificate.
#[derive(Debug, Default)]
pub struct AcmeSchedule {
    failures: HashMap<String, Failures>,
    /// Whether the failures from before the start are among them.
    is_resumed: bool,
    /// Whether somebody was told that there are too many hosts.
    has_warned: bool,
}

/// The failures of a host since its last certificate, as they are kept for the next start: a server that starts again
/// and again must not use up what the authority allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Failures {
    count: u32,
    retry: UnixMillis,
}

/// What a round did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcmeRound {
    /// Hosts with a new certificate.
    pub issued: Vec<String>,
    /// Hosts that need one and did not get it, and why.
    pub failed: Vec<(String, AcmeError)>,
}

/// Gets what is missing or due. Does nothing unless the settings ask for it.
pub async fn round(context: &Context, schedule: &mut AcmeSchedule) -> AcmeRound {
    let base = context.directory.base();
    let Some(TlsSource::Acme(config)) = &base.front.tls else { return AcmeRound::default() };
    if base.front.opening == FrontOpening::Closed {
        return AcmeRound::default();
    }
    let folder = AcmeFolder::in_data_folder(&base.data_dir);
    let mut hosts = hosts(context);
    if hosts.len() > MAX_HOSTS && !schedule.has_warned {
        tracing::warn!("certificates are ordered for {MAX_HOSTS} of {} hosts: more are not supported", hosts.len());
        schedule.has_warned = true;
    }
    while hosts.len() > MAX_HOSTS {
        hosts.pop_last();
    }
    schedule.resume(&folder, context.now());
    schedule.failures.retain(|host, _| hosts.contains(host));
    context.certificates.retain(&hosts);
    let mut done = AcmeRound::default();
    for host in &hosts {
        if context.certificates.of_host(host).is_none()
            && let Some(kept) = folder.certificate(host).filter(|kept| kept.covers(host))
        {
            context.certificates.put(host, kept);
        }
        let now = context.now();
        let is_due = context.certificates.of_host(host).is_none_or(|certificate| is_due(&certificate, now));
        let is_paused = schedule.failures.get(host).is_some_and(|failures| now < failures.retry);
        if !is_due || is_paused {
            continue;
        }
        match order(context, config, &folder, host).await {
            Ok(()) => {
                schedule.succeed(host, &folder);
                done.issued.push(host.clone());
            }
            Err(error) => {
                let pause = schedule.fail(host, &folder, context.now());
                tracing::error!("no certificate for {host}: {error}; trying again in {} min", pause / 60_000);
                done.failed.push((host.clone(), error));
            }
        }
    }
    done
}

async fn order(context: &Context, config: &AcmeConfig, folder: &AcmeFolder, host: &str) -> Result<(), AcmeError> {
    let (pair, certificate) = context.acme.order(config, folder, &context.certificates, host, context.now()).await?;
    tracing::info!(host, expires = certificate.expires.http_date(), "the front door has a new certificate");
    context.certificates.put(host, certificate);
    if let Err(error) = folder.keep_certificate(host, &pair) {
        tracing::error!("the certificate for {host} is lost at the next start: {error}");
    }
    Ok(())
}

/// The hosts under which browsers reach the front doors of all apps. Authorities know no addresses and no names of this
/// machine.
fn hosts(context: &Context) -> BTreeSet<String> {
    let apps = context.directory.apps();
    let hosts = apps.iter().flat_map(|app| context.directory.front_hosts(app));
    let public = hosts.filter(|host| !host.starts_with('[') && host.parse::<IpAddr>().is_err() && !is_loopback(host));
    public.collect()
}

/// True if less than a third of its time is left.
fn is_due(certificate: &Certificate, now: UnixMillis) -> bool {
    let left = now.until(certificate.expires);
    left < certificate.valid_from.until(certificate.expires) / 3
}

impl AcmeSchedule {
    /// Goes on with the pauses from before the start. None lasts longer than the longest, whatever the clock was then.
    fn resume(&mut self, folder: &AcmeFolder, now: UnixMillis) {
        if std::mem::replace(&mut self.is_resumed, true) {
            return;
        }
        let kept = folder.pauses().and_then(|text| serde_json::from_str::<HashMap<String, Failures>>(&text).ok());
        self.failures = kept.unwrap_or_default();
        for failures in self.failures.values_mut() {
            failures.retry = failures.retry.min(now.plus(MAX_PAUSE));
        }
    }

    fn succeed(&mut self, host: &str, folder: &AcmeFolder) {
        if self.failures.remove(host).is_some() {
            self.keep(folder);
        }
    }

    /// Notes a failure; returns the pause until the next attempt, in ms.
    fn fail(&mut self, host: &str, folder: &AcmeFolder, now: UnixMillis) -> u64 {
        let failures = self.failures.entry(host.to_owned()).or_insert(Failures { count: 0, retry: now });
        let pause = FIRST_PAUSE.saturating_mul(1 << failures.count.min(16)).min(MAX_PAUSE);
        *failures = Failures { count: failures.count.saturating_add(1), retry: now.plus(pause) };
        self.keep(folder);
        pause
    }

    fn keep(&self, folder: &AcmeFolder) {
        let text = serde_json::to_string(&self.failures).unwrap_or_default();
        if let Err(error) = folder.keep_pauses(&text) {
            tracing::warn!("pauses between orders of certificates are forgotten at the next start: {error}");
        }
    }
}
