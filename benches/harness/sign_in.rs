//! Signing in: its cost apart from the hash, and its effect on other requests.

use super::load::{Fleet, Script};
use super::report::{Report, Target};
use super::rows::{Bare, Plan, compare, create};
use super::scripts::{Fixed, Once, verify_request};
use super::server::{Server, Sessiond};
use super::settings::Settings;
use super::wire;
use anyhow::{Context as _, ensure};
use sessiond::crypto::password::calibrate::on_this_machine;
use sessiond::domain::password::HashParameters;
use std::sync::PoisonError;
use std::time::Duration;

const OVERHEAD: &str = "sign-in, hash excluded";
const BESIDE: &str = "verify p99 beside 8 sign-ins";
const CLIENTS: usize = 8;

/// The cheapest hash there is: some ten microseconds, so that an error in its time does not affect the rest.
pub(crate) const SMALLEST: HashParameters = HashParameters::Argon2 { iterations: 1, memory_kib: 8, parallelism: 1 };
/// The settings that choose it.
pub(crate) const SMALLEST_SETTINGS: [(&str, &str); 5] = [
    ("PASSWORD_HASHING_ALG", "ARGON2"),
    ("ARGON2_MEMORY_KB", "8"),
    ("ARGON2_ITERATIONS", "1"),
    ("ARGON2_PARALLELISM", "1"),
    ("ARGON2_HASHING_POOL_SIZE", "2"),
];

/// Measures both.
///
/// # Errors
/// When a server fails or replies unexpectedly.
pub(crate) async fn measure(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    if settings.wants(OVERHEAD) {
        overhead(settings, sessiond, report).await?;
    }
    if settings.wants(BESIDE) {
        beside(settings, sessiond, report).await?;
    }
    Ok(())
}

/// Server CPU of a sign-in without that of its hash, compared with the floor; includes its durable commit.
async fn overhead(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    let small = SMALLEST_SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment = sessiond.environment.iter().cloned().chain(small).collect();
    let folder = sessiond.folder.join("sign-in");
    std::fs::create_dir_all(&folder)?;
    let sessiond = Sessiond { binary: sessiond.binary.clone(), folder, environment };
    let (server, floor) = (sessiond.start()?, Server::start_floor(&sessiond.folder)?);
    sign_up(&server).await?;
    let plan = Plan {
        name: OVERHEAD,
        connections: CLIENTS,
        target: Target::Above(70.0),
        scripts: sign_ins(),
        bare: Bare::Post,
    };
    let mut row = compare(settings, &server, &floor, plan).await?;
    row.sessiond.cpu -= on_this_machine(SMALLEST, 1, 500).as_secs_f64() * 1e6;
    report.row(row);
    server.stop()?;
    floor.kill()
}

/// p99 of verifying sessions, alone and while clients sign in continuously with the usual hash.
async fn beside(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    let server = sessiond.start()?;
    sign_up(&server).await?;
    let pool = create(&server, 1, 10, 1).await?;
    let tokens = pool.lock().unwrap_or_else(PoisonError::into_inner).pop_front().context("no session")?;
    let verify: Box<dyn Script> = Box::new(Fixed::ok(verify_request(&tokens.access, false, wire::LEGACY)));
    let mut verifying = Fleet::connect(server.address, vec![verify]).await?;
    // A sign-in takes long: a window must hold some hundred of them.
    let window = settings.window().max(Duration::from_secs(if settings.quick { 1 } else { 10 }));
    let mut alone = verifying.run(&server, window).await?;
    // Connected only now, because the server closes connections that are idle for long.
    let mut signing_in = Fleet::connect(server.address, sign_ins()).await?;
    let (busy, signed_in) = tokio::join!(verifying.run(&server, window), signing_in.run(&server, window));
    let (mut busy, signed_in) = (busy?, signed_in?);
    ensure!(alone.errors + busy.errors + signed_in.errors == 0, "requests failed: {:?}", signed_in.first_error);
    let (idle_us, busy_us) = (f64::from(alone.quantile(0.99)), f64::from(busy.quantile(0.99)));
    let note = format!("{idle_us:.0} us alone, {busy_us:.0} us beside {:.0} sign-ins/s", signed_in.rate());
    report.fact(BESIDE, busy_us / idle_us.max(1.0), "x idle", Some(3.0), note);
    server.stop()?;
    Ok(())
}

async fn sign_up(server: &Server) -> anyhow::Result<()> {
    let request = vec![wire::post("/public/recipe/signup", wire::LEGACY, BODY)];
    let once: Box<dyn Script> = Box::new(Once::new(request));
    let tally = Fleet::connect(server.address, vec![once]).await?.run(server, Duration::from_secs(60)).await?;
    // A folder from an earlier measurement already has the account.
    ensure!(tally.answers + tally.errors == 1, "no answer to a sign-up");
    Ok(())
}

const BODY: &str = r#"{"email":"ada@example.org","password":"correct horse battery staple"}"#;

fn sign_ins() -> Vec<Box<dyn Script>> {
    let request = wire::post("/public/recipe/signin", wire::LEGACY, BODY);
    (0..CLIENTS).map(|_| -> Box<dyn Script> { Box::new(Fixed::ok(request.clone())) }).collect()
}
