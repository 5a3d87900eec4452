//! Start, memory, disk, and what a large number of sessions changes.

use super::load::{Fleet, Script, Tally, alternate};
use super::report::{Report, Side, mib, millis};
use super::rows::create;
use super::scripts::{Mixed, Pool, RefreshAround, VerifyAround, pool_len};
use super::server::{Server, Sessiond, disk_bytes};
use super::settings::Settings;
use super::wire;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Sessions in the folder that the large one is compared with.
const FEW: u64 = 1_000;

/// Measures starts on an empty folder and the memory of an idle server.
///
/// # Errors
/// When the server fails.
pub(crate) fn empty_folder(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    if !settings.wants("start") && !settings.wants("idle") {
        return Ok(());
    }
    let times = if settings.quick { 1 } else { 11 };
    let mut starts = Vec::new();
    for number in 0..times {
        let folder = sessiond.folder.join(format!("empty-{number}"));
        let server = Sessiond { folder: folder.clone(), ..sessiond.clone() }.start()?;
        starts.push(server.first_hello);
        server.stop()?;
        std::fs::remove_dir_all(folder)?;
    }
    starts.sort();
    let worst = starts.last().copied().unwrap_or_default();
    let note = format!("median of {times}, slowest {:.1} ms", ms(worst));
    report.fact("start to first /hello, empty folder", ms(middle(&starts)), "ms", Some(50.0), note);
    let folder = sessiond.folder.join("idle");
    let server = Sessiond { folder: folder.clone(), ..sessiond.clone() }.start()?;
    std::thread::sleep(Duration::from_secs(2));
    let (now, peak) = server.resident_kib()?;
    report.fact("resident memory, idle", mib(now), "MiB", Some(20.0), format!("highest {:.1} MiB", mib(peak)));
    server.stop()?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// A thousand sessions refreshed at the same time, and memory under a mixed full load.
///
/// # Errors
/// When the server fails.
pub(crate) async fn full_load(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    if settings.wants("flood") {
        flood(settings, sessiond, report).await?;
    }
    if !settings.wants("mixed") {
        return Ok(());
    }
    let folder = sessiond.folder.join("mixed");
    let server = Sessiond { folder: folder.clone(), ..sessiond.clone() }.start()?;
    let connections = settings.connections.iter().copied().max().unwrap_or(64);
    let scripts = (0..connections).map(|number| -> Box<dyn Script> { Box::new(Mixed::new(number)) }).collect();
    let mut fleet = Fleet::connect(server.address, scripts).await?;
    let mut tally = Tally::default();
    let began = Instant::now();
    let mut highest = 0;
    while began.elapsed().as_secs_f64() < settings.mixed_seconds {
        tally.add(fleet.run(&server, Duration::from_secs_f64(settings.mixed_seconds.min(1.0))).await?);
        highest = highest.max(server.resident_kib()?.0);
    }
    let now = server.resident_kib()?.0;
    let side = Side::of(&mut tally);
    let note = format!(
        "{} connections, {:.0} requests/s, {:.1} us CPU each, p99 {:.2} ms, {} errors {}; highest {:.1} MiB",
        connections,
        side.rate,
        side.cpu,
        millis(side.p99),
        tally.errors,
        tally.first_error.unwrap_or_default(),
        mib(highest),
    );
    let name = format!("resident memory after {:.0} s of mixed full load", settings.mixed_seconds);
    report.fact(&name, mib(now), "MiB", Some(40.0), note);
    drop(fleet);
    server.stop()?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

async fn flood(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    let connections: u64 = if settings.quick { 50 } else { 1_000 };
    let folder = sessiond.folder.join("flood");
    let server = Sessiond { folder: folder.clone(), ..sessiond.clone() }.start()?;
    let mut tally = Tally::default();
    let times = if settings.quick { 1 } else { 5 };
    let pool = create(&server, 16, connections, 1).await?;
    let scripts =
        (0..connections).map(|_| -> Box<dyn Script> { Box::new(RefreshAround::new(&pool, wire::ROTATING)) }).collect();
    let mut fleet = Fleet::connect(server.address, scripts).await?;
    for _ in 0..times {
        tally.add(fleet.once(&server).await?);
    }
    let note = format!(
        "{times} times, p50 {:.1} ms, {} of {} failed {}",
        millis(tally.quantile(0.5)),
        tally.errors,
        connections * times,
        tally.first_error.clone().unwrap_or_default(),
    );
    let name = format!("flood: {connections} refreshes at once, p99");
    report.fact(&name, millis(tally.quantile(0.99)), "ms", Some(250.0), note);
    report.fact("flood: errors", tally_errors(&tally), "", Some(0.0), "");
    server.kill()?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "at most a few thousand")]
fn tally_errors(tally: &Tally) -> f64 {
    tally.errors as f64
}

/// Everything that depends on the number of sessions.
///
/// # Errors
/// When the server fails.
pub(crate) async fn many_sessions(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    if !settings.wants("many") {
        return Ok(());
    }
    let many = Sessiond { folder: sessiond.folder.join("many"), ..sessiond.clone() };
    let few = Sessiond { folder: sessiond.folder.join("few"), ..sessiond.clone() };
    let sample = settings.sessions.div_ceil(50_000).max(1);
    let many_pool = load(settings, &many, sample, report).await?;
    let server = starts(settings, &many, report)?;
    let few_server = few.start()?;
    let few_pool = create(&few_server, 16, FEW.min(settings.sessions), 1).await?;
    let in_use = take_evenly(&many_pool, FEW);
    let label = format!("{FEW} of {} sessions in use", settings.sessions);
    tails(settings, (&few_server, &few_pool), (&server, &in_use), &label, report).await?;
    let label = format!("{} sessions, {} of them in turn,", settings.sessions, pool_len(&many_pool));
    tails(settings, (&few_server, &few_pool), (&server, &many_pool), &label, report).await?;
    few_server.kill()?;
    let (now, peak) = server.resident_kib()?;
    let name = format!("many: resident memory with {} sessions, after load on all of them", settings.sessions);
    report.fact(&name, mib(now), "MiB", Some(300.0), format!("highest {:.1} MiB", mib(peak)));
    crash(settings, &many, server, &many_pool, report).await?;
    for cache in settings.caches.iter().filter(|cache| !cache.is_empty()) {
        cache_size(settings, &many, cache, &many_pool, report).await?;
    }
    Ok(())
}

/// Fills the folder through the API, then measures its size.
async fn load(settings: &Settings, many: &Sessiond, sample: u64, report: &mut Report) -> anyhow::Result<Pool> {
    let server = many.start()?;
    let (began, cpu) = (Instant::now(), server.cpu()?);
    let pool = create(&server, 64, settings.sessions, sample).await?;
    #[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^52")]
    let sessions = settings.sessions as f64;
    let note = format!(
        "{:.0} per second over the API, {:.1} us CPU each",
        sessions / began.elapsed().as_secs_f64(),
        (server.cpu()? - cpu).as_secs_f64() * 1e6 / sessions
    );
    let (now, peak) = server.resident_kib()?;
    report.fact("many: seconds to create all", began.elapsed().as_secs_f64(), "s", None, note);
    let note = format!("highest {:.1} MiB", mib(peak));
    report.fact("many: resident memory after creating all", mib(now), "MiB", Some(300.0), note);
    disk("many: disk per session, running", many, sessions, report)?;
    let stopped = server.stop()?;
    report.fact("many: clean stop", stopped.as_secs_f64(), "s", None, "");
    disk("many: disk per session, stopped", many, sessions, report)?;
    Ok(pool)
}

fn disk(name: &str, many: &Sessiond, sessions: f64, report: &mut Report) -> anyhow::Result<()> {
    let parts: Vec<String> = parts(&many.folder.join("data"))?;
    #[expect(clippy::cast_precision_loss, reason = "bytes of one disk are below 2^52")]
    let bytes = disk_bytes(&many.folder.join("data"))? as f64;
    report.fact(name, (bytes / sessions).round(), "bytes", Some(4096.0), parts.join(", "));
    Ok(())
}

/// The disk usage of the parts of the data folder.
fn parts(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.metadata()?.is_dir() {
            let mib = disk_bytes(&entry.path())? >> 20;
            parts.push(format!("{} {mib} MiB", entry.file_name().display()));
        }
    }
    parts.sort();
    Ok(parts)
}

/// Starts after a clean stop; leaves the last server running.
fn starts(settings: &Settings, many: &Sessiond, report: &mut Report) -> anyhow::Result<Server> {
    let mut times = Vec::new();
    for _ in 0..if settings.quick { 1 } else { 3 } {
        let server = many.start()?;
        times.push(server.first_hello);
        server.stop()?;
    }
    let server = many.start()?;
    times.push(server.first_hello);
    times.sort();
    let note =
        format!("median of {}, slowest {:.2} s", times.len(), times.last().copied().unwrap_or_default().as_secs_f64());
    report.fact("many: start after a clean stop", middle(&times).as_secs_f64(), "s", Some(5.0), note);
    let (now, peak) = server.resident_kib()?;
    let note = format!("highest {:.1} MiB", mib(peak));
    report.fact("many: resident memory after the start", mib(now), "MiB", Some(300.0), note);
    Ok(server)
}

/// Tail latencies of both folders in alternating windows.
async fn tails(
    settings: &Settings,
    few: (&Server, &Pool),
    many: (&Server, &Pool),
    label: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    for verify in [true, false] {
        let what = if verify { "verify, checkDatabase" } else { "refresh, CDI 5.6" };
        let scripts = |pool| (0..16).map(|_| around(verify, pool)).collect();
        let sides = [few, many].map(|(server, pool)| (server, server.address, scripts(pool)));
        let [mut small, mut large] = alternate(settings, sides).await?;
        let (few_side, many_side) = (Side::of(&mut small), Side::of(&mut large));
        let note = format!(
            "16 connections; p99 {:.2} ms against {:.2}, p50 {:.2} against {:.2}, CPU {:.1} us against {:.1}; {} errors",
            millis(many_side.p99),
            millis(few_side.p99),
            millis(many_side.p50),
            millis(few_side.p50),
            many_side.cpu,
            few_side.cpu,
            small.errors + large.errors,
        );
        let times = f64::from(many_side.p99) / f64::from(few_side.p99.max(1));
        let name = format!("many: p99 of {what}, {label} over {FEW} sessions");
        report.fact(&name, times, "times", Some(1.5), note);
    }
    Ok(())
}

/// Takes `count` sessions from all over `pool`.
fn take_evenly(pool: &Pool, count: u64) -> Pool {
    let every = (pool_len(pool) as u64 / count).max(1);
    let mut sessions = pool.lock().unwrap_or_else(PoisonError::into_inner);
    let all = std::mem::take(&mut *sessions).into_iter().zip(0..);
    let (taken, left): (Vec<_>, Vec<_>) = all.partition(|(_, number)| number % every == 0);
    sessions.extend(left.into_iter().map(|(tokens, _)| tokens));
    Pool::new(Mutex::new(taken.into_iter().map(|(tokens, _): (_, u64)| tokens).collect()))
}

fn around(verify: bool, pool: &Pool) -> Box<dyn Script> {
    if verify { Box::new(VerifyAround::new(pool)) } else { Box::new(RefreshAround::new(pool, wire::ROTATING)) }
}

/// Starts after `kill -9` under load, and after a power cut.
async fn crash(
    settings: &Settings,
    many: &Sessiond,
    server: Server,
    pool: &Pool,
    report: &mut Report,
) -> anyhow::Result<()> {
    let scripts = (0..16).map(|_| around(false, pool)).collect();
    let mut fleet = Fleet::connect(server.address, scripts).await?;
    fleet.run(&server, settings.window()).await?;
    server.kill()?;
    let server = many.start()?;
    report.fact("many: start after kill -9 under load", server.first_hello.as_secs_f64(), "s", None, "");
    server.kill()?;
    // The cost of a power cut: afterwards the index is not trusted, whatever it contains.
    std::fs::remove_dir_all(many.folder.join("data").join("index"))?;
    let server = many.start()?;
    let note = "the index is rebuilt from snapshot and journal";
    report.fact("many: start after a power cut", server.first_hello.as_secs_f64(), "s", None, note);
    server.stop()?;
    Ok(())
}

/// Memory and speed with another cache size.
async fn cache_size(
    settings: &Settings,
    many: &Sessiond,
    cache: &str,
    pool: &Pool,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut many = many.clone();
    many.environment.push(("SESSIOND_CACHE_SIZE_MB".to_owned(), cache.to_owned()));
    let server = many.start()?;
    let mut notes = Vec::new();
    for verify in [true, false] {
        let scripts = (0..16).map(|_| around(verify, pool)).collect();
        let mut fleet = Fleet::connect(server.address, scripts).await?;
        fleet.run(&server, settings.window()).await?;
        let mut tally = fleet.run(&server, settings.window() * settings.rounds).await?;
        let side = Side::of(&mut tally);
        notes.push(format!(
            "{} {:.0}/s, {:.1} us CPU, p99 {:.2} ms",
            if verify { "verify, checkDatabase" } else { "refresh" },
            side.rate,
            side.cpu,
            millis(side.p99)
        ));
    }
    let name = format!("many: resident memory with a cache of {cache} MiB");
    report.fact(&name, mib(server.resident_kib()?.0), "MiB", None, notes.join("; "));
    server.stop()?;
    Ok(())
}

fn middle(sorted: &[Duration]) -> Duration {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
