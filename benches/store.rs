//! The storage engine alone: CPU per durable commit, get and update, memory, disk, time to open.
//!
//! `cargo bench --bench store -- [sessions] [cache MiB] [folder]`; by default 100,000 sessions with the default cache.
//! Wall-clock times say little on a busy machine; compare the CPU time of this process.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use sessiond::domain::entropy::Entropy;
use sessiond::store::sled::{self, Options, SledEngine};
use sessiond::store::{CommitError, Engine, Key, Keyspace};
use sessiond::system::SystemClock;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Concurrent transactions.
const CALLERS: u64 = 64;

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` passes additional flags.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let sessions: u64 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let cache: u64 = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let folder = arguments.next().map_or_else(|| std::env::temp_dir().join("sessiond-bench-store"), PathBuf::from);
    let _ = fs::remove_dir_all(&folder);
    let mut options = Options::new(Arc::new(SystemClock), Arc::new(Fixed));
    if cache > 0 {
        options.cache_bytes = cache << 20;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    let started = Instant::now();
    let engine = Arc::new(sled::open(&folder, &options)?.0);
    println!("open, empty folder: {:.1} ms, RSS {} MiB", started.elapsed().as_secs_f64() * 1e3, rss());
    runtime.block_on(work(&engine, sessions))?;
    println!("RSS {} MiB, disk {} bytes per session", rss(), engine.stats().disk_bytes / sessions);
    let started = Instant::now();
    runtime.block_on(engine.close())?;
    println!("close: {:.2} s; disk {} bytes per session", started.elapsed().as_secs_f64(), bytes(&folder) / sessions);
    drop(engine);
    let started = Instant::now();
    let engine = Arc::new(sled::open(&folder, &options)?.0);
    println!("open after a clean stop: {:.2} s, RSS {} MiB", started.elapsed().as_secs_f64(), rss());
    runtime.block_on(reads(&engine, sessions, 50_000.min(sessions)))?;
    println!("RSS {} MiB", rss());
    drop(engine);
    let started = Instant::now();
    let (engine, report) = sled::open(&folder, &options)?;
    println!("open after a crash: {:.2} s ({:?}), RSS {} MiB", started.elapsed().as_secs_f64(), report.start, rss());
    drop(engine);
    fs::remove_dir_all(folder.join("index"))?;
    let started = Instant::now();
    let (engine, report) = sled::open(&folder, &options)?;
    println!("rebuild of the index: {:.2} s ({:?}), RSS {} MiB", started.elapsed().as_secs_f64(), report.start, rss());
    drop(engine);
    fs::remove_dir_all(&folder)?;
    Ok(())
}

async fn work(engine: &Arc<SledEngine>, sessions: u64) -> Result<(), Box<dyn Error>> {
    let step = 100_000.min(sessions);
    let mut done = 0;
    while done < sessions {
        let upto = (done + step).min(sessions);
        measure(&format!("create {done}..{upto}"), upto - done, || spread(engine, done, upto, create)).await?;
        done = upto;
    }
    println!("RSS {} MiB", rss());
    let some = 50_000.min(sessions);
    measure("update, random", some, || spread(engine, 0, some, update)).await?;
    measure("update of 1,000 sessions", some, || spread(engine, 0, some, |e, n, _| update(e, n % 1000, 1000))).await?;
    reads(engine, sessions, some).await
}

async fn reads(engine: &Arc<SledEngine>, sessions: u64, some: u64) -> Result<(), Box<dyn Error>> {
    measure("get, random", some, || spread(engine, 0, some, move |e, n, _| get(e, mix(n) % sessions))).await?;
    measure("get of 1,000 sessions", some, || spread(engine, 0, some, |e, n, _| get(e, n % 1000))).await
}

/// Runs `operation` for each number in a range, from many tasks.
async fn spread<F, O>(engine: &Arc<SledEngine>, from: u64, to: u64, operation: F) -> Result<(), Box<dyn Error>>
where
    F: Fn(Arc<SledEngine>, u64, u64) -> O + Clone + Send + 'static,
    O: Future<Output = Result<(), CommitError>> + Send,
{
    let tasks: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (engine, operation) = (Arc::clone(engine), operation.clone());
            tokio::spawn(async move {
                let mut n = from + caller;
                while n < to {
                    operation(Arc::clone(&engine), n, to).await?;
                    n += CALLERS;
                }
                Ok::<(), CommitError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn id(n: u64) -> [u8; 16] {
    (u128::from(mix(n)) << 64 | u128::from(mix(n ^ u64::MAX))).to_be_bytes()
}

fn row(n: u64) -> Key {
    Key::of(Keyspace::Session).text("").text("public").text("public").raw(&id(n))
}

/// About what a session's row holds: incompressible hashes, some text.
fn value(n: u64) -> Vec<u8> {
    let mut value = Vec::with_capacity(260);
    for part in 0..16 {
        value.extend_from_slice(&mix(n * 16 + part).to_le_bytes());
    }
    value.extend_from_slice(&[b'x'; 132]);
    value
}

async fn create(engine: Arc<SledEngine>, n: u64, _sessions: u64) -> Result<(), CommitError> {
    let mut tx = engine.begin();
    tx.put(row(n), value(n));
    let user = format!("user-{:036x}", mix(n / 3));
    tx.put(Key::of(Keyspace::SessionByUser).text("").text("public").text(&user).text("public").raw(&id(n)), Vec::new());
    tx.commit().await
}

async fn update(engine: Arc<SledEngine>, n: u64, sessions: u64) -> Result<(), CommitError> {
    let key = row(mix(n) % sessions);
    loop {
        let mut tx = engine.begin();
        tx.get(&key).await?;
        tx.put(key.clone(), value(n + 1));
        match tx.commit().await {
            Err(CommitError::Conflict) => {}
            other => return other,
        }
    }
}

async fn get(engine: Arc<SledEngine>, n: u64) -> Result<(), CommitError> {
    engine.begin().get(&row(n)).await?;
    tokio::task::consume_budget().await;
    Ok(())
}

async fn measure<O>(name: &str, count: u64, work: impl FnOnce() -> O) -> Result<(), Box<dyn Error>>
where
    O: Future<Output = Result<(), Box<dyn Error>>>,
{
    let (cpu, started) = (cpu_micros()?, Instant::now());
    work().await?;
    let (cpu, wall) = (cpu_micros()? - cpu, started.elapsed());
    let count = count as f64;
    println!("{name}: {:.1} us CPU each, {:.0} per s", cpu / count, count / wall.as_secs_f64());
    Ok(())
}

/// User and system time of this process (Linux), in microseconds.
fn cpu_micros() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    Ok((ticks(11) + ticks(12)) * 10_000.0)
}

/// Resident memory of this process (Linux), in MiB.
fn rss() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or_default() / 1024
}

fn bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let size = |path: PathBuf| if path.is_dir() { bytes(&path) } else { path.metadata().map_or(0, |data| data.len()) };
    entries.flatten().map(|entry| size(entry.path())).sum()
}
