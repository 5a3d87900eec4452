//! The front door: what its requests cost, beside the floor and beside the core's, and what a flood there does to the
//! core.

use super::front_scripts::{Preflight, RefreshAround, SignUps, Visit, cookies, form, get, post, preflight};
use super::load::{Fleet, Script, Tally, alternate, send_all_to};
use super::report::{Report, Target, mib, millis};
use super::rows::{Bare, Plan, compare_at, create};
use super::scripts::{self, Create, Fixed, Pool, Tokens, empty_pool, verify_request};
use super::server::{Server, Sessiond};
use super::settings::Settings;
use super::sign_in::{SMALLEST, SMALLEST_SETTINGS};
use super::wire;
use anyhow::{Context as _, ensure};
use sessiond::crypto::password::calibrate::on_this_machine;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 64;
/// Connections that sign up and in beside others: their hashes run on two threads, so more would only wait.
const SIGNING_IN: usize = 8;
/// Beside small hashes, every recipe whose routes are measured.
const RECIPES: (&str, &str) =
    ("SESSIOND_RECIPE_LIST", "emailverification,userroles,emailpassword,multifactorauth,totp");

const REFRESH: &str = "front: refresh, over the core's";
const SIGN_UP: &str = "front: sign-up without its hash, over the core's create";
const SIGN_IN: &str = "front: sign-in without its hash, over the core's create";
const MEMORY: &str = "front: resident memory after mixed load";
const FLOOD: &str = "front: p99 of verify at the core, front door flooded";

/// Rows of requests that are the same every time, and what each may cost over the floor.
const ROWS: [(&str, f64); 4] = [
    ("front: preflight", 4.0),
    ("front: public keys", 4.0),
    ("front: discovery document", 3.0),
    ("front: route with a session, known token", 12.0),
];

/// Measures everything about the front door.
///
/// # Errors
/// When a server fails or replies unexpectedly.
pub(crate) async fn measure(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    let known = ROWS.iter().map(|(name, _)| *name).chain([REFRESH, SIGN_UP, SIGN_IN, MEMORY, FLOOD]);
    if !known.into_iter().any(|name| settings.wants(name)) {
        return Ok(());
    }
    let small = SMALLEST_SETTINGS.iter().copied().chain([RECIPES]);
    let small = small.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment = sessiond.environment.iter().cloned().chain(small).collect();
    let folder = sessiond.folder.join("front");
    let open = Sessiond { binary: sessiond.binary.clone(), folder, environment };
    let server = open.start()?;
    let front = server.front.context("the front door is closed")?;
    let sessions = sign_up(&server, front).await?;
    rows(settings, &open.folder, (&server, front), &sessions, report).await?;
    beside_the_core(settings, (&server, front), &sessions, report).await?;
    server.stop()?;
    if settings.wants(MEMORY) {
        memory(settings, &Sessiond { folder: open.folder.join("memory"), ..open.clone() }, report).await?;
    }
    if settings.wants(FLOOD) {
        flood(settings, &Sessiond { folder: open.folder.join("flood"), ..sessiond.clone() }, report).await?;
    }
    Ok(())
}

/// Sessions of people who signed up; enough for every connection of every row.
async fn sign_up(server: &Server, front: SocketAddr) -> anyhow::Result<Pool> {
    let pool = empty_pool();
    let script = |number| -> Box<dyn Script> { Box::new(SignUps::new(&pool, number, 32, 32)) };
    send_all_to(front, server, "signing up", (0..SIGNING_IN).map(script).collect()).await?;
    Ok(pool)
}

/// The requests that are compared with the floor.
async fn rows(
    settings: &Settings,
    folder: &Path,
    (server, front): (&Server, SocketAddr),
    sessions: &Pool,
    report: &mut Report,
) -> anyhow::Result<()> {
    let floor = Server::start_floor(folder)?;
    for (name, above) in ROWS.into_iter().filter(|(name, _)| settings.wants(name)) {
        let request = match name {
            "front: preflight" => preflight("/auth/signin"),
            "front: public keys" => get("/auth/jwt/jwks.json", ""),
            "front: discovery document" => get("/auth/.well-known/openid-configuration", ""),
            _ => get("/auth/totp/device/list", &cookies(&first(sessions)?)),
        };
        let script = |_| -> Box<dyn Script> {
            match name {
                "front: preflight" => Box::new(Preflight(request.clone())),
                _ => Box::new(Fixed::plain(request.clone())),
            }
        };
        let plan = Plan {
            name,
            connections: CONNECTIONS,
            target: Target::Above(above),
            scripts: (0..CONNECTIONS).map(script).collect(),
            bare: Bare::Like(request.clone()),
        };
        report.row(compare_at(settings, (server, front), &floor, plan).await?);
    }
    floor.kill()
}

fn first(sessions: &Pool) -> anyhow::Result<Tokens> {
    sessions.lock().unwrap_or_else(PoisonError::into_inner).front().cloned().context("no session")
}

/// Refreshes, sign-ups and sign-ins, compared with what the core's requests of the same server cost.
async fn beside_the_core(
    settings: &Settings,
    (server, front): (&Server, SocketAddr),
    sessions: &Pool,
    report: &mut Report,
) -> anyhow::Result<()> {
    let core_sessions = create(server, CONNECTIONS, 256, 1).await?;
    let unused = empty_pool();
    for (name, most) in [(REFRESH, 12.0), (SIGN_UP, 60.0), (SIGN_IN, 60.0)] {
        if !settings.wants(name) {
            continue;
        }
        let here = |number: usize| -> Box<dyn Script> {
            match name {
                REFRESH => Box::new(RefreshAround::new(sessions)),
                SIGN_UP => Box::new(SignUps::new(&unused, number + 1000, 0, usize::MAX)),
                _ => Box::new(Fixed::ok(post("/auth/signin", "", &form("person1@c1.example.org")))),
            }
        };
        let there = |number: usize| -> Box<dyn Script> {
            match name {
                REFRESH => Box::new(scripts::RefreshAround::new(&core_sessions, wire::LEGACY)),
                _ => Box::new(Create::new(&unused, number + 2000, 0, u64::MAX)),
            }
        };
        let sides = [
            (server, front, (0..CONNECTIONS).map(here).collect()),
            (server, server.address, (0..CONNECTIONS).map(there).collect()),
        ];
        let [ours, core] = alternate(settings, sides).await?;
        let failed = ours.first_error.as_ref().or(core.first_error.as_ref());
        ensure!(failed.is_none(), "{name}: {failed:?}");
        let hash = if name == REFRESH { 0.0 } else { on_this_machine(SMALLEST, 1, 500).as_secs_f64() * 1e6 };
        let cost = ours.cpu_us() - hash;
        let note = format!("{CONNECTIONS} connections; {cost:.1} us CPU against {:.1}", core.cpu_us());
        report.fact(name, cost - core.cpu_us(), "us", Some(most), note);
    }
    Ok(())
}

/// Memory after people came and went for a while.
async fn memory(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    let server = sessiond.start()?;
    let front = server.front.context("the front door is closed")?;
    let visits = (0..CONNECTIONS).map(|number| -> Box<dyn Script> { Box::new(Visit::new(number)) }).collect();
    let mut fleet = Fleet::connect(front, visits).await?;
    let mut tally = Tally::default();
    let mut highest = 0;
    let began = Instant::now();
    while began.elapsed().as_secs_f64() < settings.mixed_seconds {
        tally.add(fleet.run(&server, Duration::from_secs_f64(settings.mixed_seconds.min(1.0))).await?);
        highest = highest.max(server.resident_kib()?.0);
    }
    let note = format!(
        "{:.0} s, {:.0} requests/s, {:.1} us CPU each, {} errors {}; highest {:.1} MiB",
        settings.mixed_seconds,
        tally.rate(),
        tally.cpu_us(),
        tally.errors,
        tally.first_error.clone().unwrap_or_default(),
        mib(highest),
    );
    report.fact(MEMORY, mib(server.resident_kib()?.0), "MiB", Some(48.0), note);
    server.stop()?;
    Ok(())
}

/// The latency of verifying at the core, alone and while the front door has more connections than it serves, bodies
/// that never end, and people who sign in without pause.
async fn flood(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    let server = sessiond.start()?;
    let front = server.front.context("the front door is closed")?;
    let tokens = first(&create(&server, 1, 10, 1).await?)?;
    let verify: Box<dyn Script> = Box::new(Fixed::ok(verify_request(&tokens.access, false, wire::LEGACY)));
    let mut verifying = Fleet::connect(server.address, vec![verify]).await?;
    let window = settings.window().max(Duration::from_secs(if settings.quick { 1 } else { 10 }));
    let mut alone = verifying.run(&server, window).await?;
    send_all_to(front, &server, "signing up", vec![Box::new(SignUps::new(&empty_pool(), 1, 0, 1))]).await?;
    let sign_in = post("/auth/signin", "", &form("person1@c1.example.org"));
    let sign_ins = (0..SIGNING_IN).map(|_| -> Box<dyn Script> { Box::new(Fixed::ok(sign_in.clone())) }).collect();
    // Before the flood: whoever comes later waits to be accepted.
    let mut signing_in = Fleet::connect(front, sign_ins).await?;
    let connections = if settings.quick { 100 } else { 10_000 };
    let flood = start_flood(front, connections).await;
    let (busy, signed_in) = tokio::join!(verifying.run(&server, window), signing_in.run(&server, window));
    let (mut busy, signed_in) = (busy?, signed_in?);
    ensure!(alone.errors + busy.errors == 0, "the core failed: {:?}", busy.first_error.or(alone.first_error));
    ensure!(signed_in.answers > 0, "nobody could sign in: {:?}", signed_in.first_error);
    let (idle, flooded) = (alone.quantile(0.99), busy.quantile(0.99));
    let note = format!(
        "{connections} connections, {:.0} sign-ins/s; {:.2} ms alone, {:.2} ms beside them",
        signed_in.rate(),
        millis(idle),
        millis(flooded),
    );
    report.fact(FLOOD, f64::from(flooded) / f64::from(idle.max(1)), "x idle", Some(3.0), note);
    drop(flood);
    server.stop()?;
    Ok(())
}

/// Connections that each send a body a byte at a time, and come again when they are closed.
async fn start_flood(front: SocketAddr, connections: usize) -> JoinSet<()> {
    let mut flood = JoinSet::new();
    for _ in 0..connections {
        flood.spawn(async move {
            loop {
                // Refused and broken connections are what a flood is made of.
                let _ = drip(front).await;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    flood
}

async fn drip(front: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(front).await?;
    let request = post("/auth/signin", "", &"x".repeat(1000));
    let head = wire::find(&request, b"\r\n\r\n").map_or(0, |end| end + 4);
    stream.write_all(request.get(..head).unwrap_or_default()).await?;
    loop {
        stream.write_all(b"x").await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
