//! `sessiond hashing-calibrate`: settings with which hashing a password takes a given time on this machine.

use super::common::Json;
use super::output::{self, Bar};
use crate::control::WorkProgress;
use crate::crypto::password::calibrate::{self, Argon2Limits, Found, on_this_machine};
use crate::domain::password::HashParameters;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// Rounds per measurement, of which the fastest counts.
const ROUNDS: u32 = 3;

/// Find settings with which hashing a password takes a given time on this machine.
///
/// Run it on the machine that will serve, while it is idle. Nothing is changed: copy the result into config.yaml.
#[derive(Debug, Args)]
pub(super) struct HashingCalibrate {
    /// Hashing algorithm.
    #[arg(long, alias = "with_alg", value_name = "ALGORITHM", ignore_case = true)]
    with_alg: Option<Algorithm>,
    /// Desired time per hash, in ms.
    #[arg(long, alias = "with_time_per_hash_ms", value_name = "MS", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(1..=60_000))]
    with_time_per_hash_ms: u64,
    /// Argon2: number of hashes computed at once.
    #[arg(long, alias = "with_argon2_hashing_pool_size", value_name = "COUNT", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=1024))]
    with_argon2_hashing_pool_size: u32,
    /// Argon2: memory for all hashes computed at once, in MiB.
    #[arg(long, alias = "with_argon2_max_memory_mb", value_name = "MIB", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    with_argon2_max_memory_mb: u32,
    /// Argon2: lanes per hash [default: twice the number of cores].
    #[arg(long, alias = "with_argon2_parallelism", value_name = "LANES",
          value_parser = clap::value_parser!(u32).range(1..=1024))]
    with_argon2_parallelism: Option<u32>,
    #[command(flatten)]
    json: Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Algorithm {
    Argon2,
    Bcrypt,
}

impl HashingCalibrate {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let Some(algorithm) = self.with_alg else {
            bail!("Please provide one of --with_alg=argon2 or --with_alg=bcrypt");
        };
        let target = Duration::from_millis(self.with_time_per_hash_ms);
        let bar = Bar::new();
        let mut tried = Vec::new();
        let at_once = if algorithm == Algorithm::Argon2 { self.with_argon2_hashing_pool_size } else { 1 };
        let mut measure = |parameters| {
            let done = u64::try_from(tried.len()).unwrap_or(u64::MAX);
            bar.show(WorkProgress {
                doing: format!("timing {}", shown(parameters)),
                done,
                total: expected(algorithm, done),
            });
            let took = on_this_machine(parameters, usize::try_from(at_once).unwrap_or(1), ROUNDS);
            tried.push(Found { parameters, took });
            took
        };
        let found = match algorithm {
            Algorithm::Bcrypt => calibrate::bcrypt(target, &mut measure),
            Algorithm::Argon2 => calibrate::argon2(target, self.limits(), &mut measure).context(
                "this machine needs longer for an argon2 hash of at least 15 MiB; allow more with \
                 --with_time_per_hash_ms, or use bcrypt",
            )?,
        };
        drop(bar);
        self.print(found, &tried);
        Ok(ExitCode::SUCCESS)
    }

    fn limits(&self) -> Argon2Limits {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let twice = u32::try_from(cores.saturating_mul(2)).unwrap_or(1024).min(1024);
        Argon2Limits {
            memory_kib: self.with_argon2_max_memory_mb.saturating_mul(1024),
            pool_size: self.with_argon2_hashing_pool_size,
            parallelism: self.with_argon2_parallelism.unwrap_or(twice),
        }
    }

    fn print(&self, found: Found, tried: &[Found]) {
        let settings = self.settings(found.parameters);
        if self.json.json {
            let tried: Vec<_> = tried
                .iter()
                .map(|tried| json!({"parameters": shown(tried.parameters), "ms": ms(tried.took)}))
                .collect();
            output::json(&json!({"settings": settings, "msPerHash": ms(found.took), "tried": tried}));
            return;
        }
        for tried in tried {
            output::line(format!("{:>10.1} ms  {}", ms(tried.took), shown(tried.parameters)));
        }
        output::line(format!("\nOne hash takes {:.1} ms with these settings:\n", ms(found.took)));
        for (key, value) in settings.as_object().into_iter().flatten() {
            output::line(format!("{key}: {}", output::plain(value)));
        }
    }

    fn settings(&self, parameters: HashParameters) -> Value {
        match parameters {
            HashParameters::Bcrypt { cost } => json!({"password_hashing_alg": "BCRYPT", "bcrypt_log_rounds": cost}),
            HashParameters::Argon2 { iterations, memory_kib, parallelism } => json!({
                "password_hashing_alg": "ARGON2",
                "argon2_iterations": iterations,
                "argon2_memory_kb": memory_kib,
                "argon2_parallelism": parallelism,
                "argon2_hashing_pool_size": self.with_argon2_hashing_pool_size,
            }),
        }
    }
}

/// How many timings a calibration usually takes; one more than done once it has taken that many.
fn expected(algorithm: Algorithm, done: u64) -> u64 {
    let usual = if algorithm == Algorithm::Argon2 { 5 } else { 9 };
    usual.max(done + 1)
}

fn shown(parameters: HashParameters) -> String {
    match parameters {
        HashParameters::Bcrypt { cost } => format!("bcrypt, cost {cost}"),
        HashParameters::Argon2 { iterations, memory_kib, parallelism } => {
            format!("argon2id, {memory_kib} KiB, {iterations} passes, {parallelism} lanes")
        }
    }
}

fn ms(took: Duration) -> f64 {
    (took.as_secs_f64() * 10_000.0).round() / 10.0
}
