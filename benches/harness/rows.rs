//! The rows that compare sessiond with the floor.

use super::load::{Fleet, Script, Tally, send_all};
use super::report::{Report, Row, Side, Target};
use super::scripts::{
    Create, Fixed, Once, Pool, RefreshAround, RefreshOnce, RefreshStep, VerifyNew, empty_pool, pool_len, verify_request,
};
use super::server::{Server, Sessiond};
use super::settings::Settings;
use super::wire;
use anyhow::{Context as _, ensure};
use std::net::SocketAddr;
use std::sync::PoisonError;

/// What one row sends.
pub(crate) struct Plan {
    /// Its name.
    pub(crate) name: &'static str,
    /// How many connections there are.
    pub(crate) connections: usize,
    /// The target for its cost.
    pub(crate) target: Target,
    /// The scripts, one for each connection.
    pub(crate) scripts: Vec<Box<dyn Script>>,
    /// What the floor gets.
    pub(crate) bare: Bare,
}

/// The request with which the floor is compared; its reply has a body as long as sessiond's.
pub(crate) enum Bare {
    /// One with a body, as long as what sessiond gets.
    Post,
    /// One without a body.
    Get,
    /// This one, for the floor's path.
    Like(Vec<u8>),
}

/// Measures every row with every number of connections.
///
/// # Errors
/// When a server fails, or replies unexpectedly before a row begins.
pub(crate) async fn measure(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    let floor = Server::start_floor(&sessiond.folder)?;
    for &connections in &settings.connections {
        // The targets are stated for 64 connections.
        let at = |target| if connections >= 64 { target } else { Target::None };
        let server = sessiond.start()?;
        if settings.loaded > 0 {
            create_numbered(&server, LOADED..LOADED + 64, settings.loaded, 0).await?;
        }
        let pool = create(&server, connections, 1000.max(connections as u64 * 4), 1).await?;
        people(&server).await?;
        for (name, target) in NAMES.iter().filter(|(name, _)| settings.wants(name)) {
            let plan = Plan {
                name,
                connections,
                target: at(*target),
                scripts: scripts(name, connections, &pool),
                bare: if GETS.contains(name) { Bare::Get } else { Bare::Post },
            };
            report.row(compare(settings, &server, &floor, plan).await?);
        }
        server.stop()?;
        if settings.wants(VERIFY_NEW) {
            verify_new(settings, sessiond, &floor, connections, report).await?;
        }
        if settings.wants(PROMOTE) {
            promote(settings, sessiond, &floor, connections, report).await?;
        }
    }
    floor.kill()
}

const VERIFY_NEW: &str = "verify, token never seen";
const PROMOTE: &str = "verify that promotes, CDI 5.4";

/// The first of the numbers under which users are loaded before the rows; the rows' own users have other numbers.
const LOADED: usize = 1 << 16;

/// Rows that run on one server, in this order.
const NAMES: [(&str, Target); 11] = [
    ("hello", Target::None),
    ("create", Target::Above(60.0)),
    ("create, known user", Target::Above(60.0)),
    ("verify, known token", Target::Times(1.25)),
    ("verify, checkDatabase", Target::Times(1.35)),
    ("refresh, CDI 5.4", Target::Above(40.0)),
    ("refresh, CDI 5.6", Target::Above(40.0)),
    ("refresh step, CDI 5.4", Target::None),
    ("roles of a user", Target::Above(30.0)),
    ("permissions of a role", Target::Above(30.0)),
    ("metadata of a user", Target::Above(30.0)),
];

/// Those of them that are requests without a body.
const GETS: [&str; 4] = ["hello", "roles of a user", "permissions of a role", "metadata of a user"];

fn scripts(name: &str, connections: usize, pool: &Pool) -> Vec<Box<dyn Script>> {
    let script = |number: usize| -> Box<dyn Script> {
        match name {
            "hello" => Box::new(Fixed::plain(wire::get("/hello"))),
            "create" => Box::new(Create::new(pool, number + 1000, 0, u64::MAX)),
            "create, known user" => Box::new(Create::again(pool, number)),
            "verify, known token" => Box::new(Fixed::ok(verify_request(&own(pool).access, false, wire::LEGACY))),
            "verify, checkDatabase" => Box::new(Fixed::ok(verify_request(&own(pool).access, true, wire::LEGACY))),
            "refresh, CDI 5.6" => Box::new(RefreshAround::new(pool, wire::ROTATING)),
            "refresh step, CDI 5.4" => Box::new(RefreshStep::new(own(pool))),
            "roles of a user" => Box::new(Fixed::ok(wire::get(&format!("/public/recipe/user/roles?userId={USER}")))),
            "permissions of a role" => Box::new(Fixed::ok(wire::get("/recipe/role/permissions?role=role0"))),
            "metadata of a user" => Box::new(Fixed::ok(wire::get(&format!("/recipe/user/metadata?userId={USER}")))),
            _ => Box::new(RefreshAround::new(pool, wire::LEGACY)),
        }
    };
    (0..connections).map(script).collect()
}

/// The user that has roles and metadata.
const USER: &str = "3f2b8c1e-5b1f-4c7e-9d3a-0123456789ab";

/// Ten roles with ten permissions each; [`USER`] has three of them and some metadata.
async fn people(server: &Server) -> anyhow::Result<()> {
    let permissions: Vec<_> = (0..10).map(|n| format!("\"articles:action{n}\"")).collect();
    let permissions = permissions.join(",");
    let put = |path: &str, body: String| wire::put(path, wire::LEGACY, &body);
    let mut requests = Vec::new();
    for role in 0..10 {
        let body = format!("{{\"role\":\"role{role}\",\"permissions\":[{permissions}]}}");
        requests.push(put("/recipe/role", body));
    }
    for role in 0..3 {
        let body = format!("{{\"userId\":\"{USER}\",\"role\":\"role{role}\"}}");
        requests.push(put("/public/recipe/user/role", body));
    }
    let metadata = r#"{"first_name":"Ada","last_name":"Lovelace","preferences":{"theme":"dark","language":"en"}}"#;
    let body = format!("{{\"userId\":\"{USER}\",\"metadataUpdate\":{metadata}}}");
    requests.push(put("/recipe/user/metadata", body));
    send_all(server, "creating roles", vec![Box::new(Once::new(requests))]).await?;
    Ok(())
}

/// A session for exactly one connection.
fn own(pool: &Pool) -> super::scripts::Tokens {
    let taken = pool.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    // invariant: the pool is filled with four sessions for each connection, and three rows take one
    taken.unwrap_or_else(|| super::scripts::Tokens { access: String::new(), refresh: String::new() })
}

/// Tokens minted by one run of the server and verified by the next, so that no cache can contain them.
async fn verify_new(
    settings: &Settings,
    sessiond: &Sessiond,
    floor: &Server,
    connections: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let server = sessiond.start()?;
    let pool = create(&server, 64, tokens_for(settings, 18_000.0), 1).await?;
    server.stop()?;
    let server = sessiond.start()?;
    report.row(verify_each(settings, &server, floor, (VERIFY_NEW, 45.0), connections, &pool).await?);
    server.stop()?;
    Ok(())
}

/// The first verify of refreshed tokens. Each checks a signature, commits the promotion and mints a token.
async fn promote(
    settings: &Settings,
    sessiond: &Sessiond,
    floor: &Server,
    connections: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let server = sessiond.start()?;
    let created = create(&server, 64, tokens_for(settings, 12_000.0), 1).await?;
    let refreshed = empty_pool();
    let scripts = (0..64).map(|_| -> Box<dyn Script> { Box::new(RefreshOnce::new(&created, &refreshed)) }).collect();
    send_all(&server, "refreshing sessions", scripts).await?;
    report.row(verify_each(settings, &server, floor, (PROMOTE, 40.0), connections, &refreshed).await?);
    server.stop()?;
    Ok(())
}

/// The number of tokens that last for all windows at this rate.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number of tokens")]
fn tokens_for(settings: &Settings, per_second: f64) -> u64 {
    (settings.seconds * (f64::from(settings.rounds) + 0.5) * per_second) as u64
}

/// Verifies each token of a pool once. The target is stated for 64 connections.
async fn verify_each(
    settings: &Settings,
    server: &Server,
    floor: &Server,
    (name, above): (&'static str, f64),
    connections: usize,
    pool: &Pool,
) -> anyhow::Result<Row> {
    let scripts = (0..connections).map(|_| -> Box<dyn Script> { Box::new(VerifyNew::new(pool)) }).collect();
    let target = if connections >= 64 { Target::Above(above) } else { Target::None };
    compare(settings, server, floor, Plan { name, connections, target, scripts, bare: Bare::Post }).await
}

/// Creates about `sessions` sessions and keeps the tokens of every `keep_every`th one.
///
/// # Errors
/// When one is not created.
pub(crate) async fn create(
    server: &Server,
    connections: usize,
    sessions: u64,
    keep_every: u64,
) -> anyhow::Result<Pool> {
    let pool = create_numbered(server, 0..connections, sessions, keep_every).await?;
    // Each connection may be one short of its share.
    let least = (sessions / keep_every.max(1)).saturating_sub(connections as u64);
    ensure!(pool_len(&pool) as u64 >= least, "too few sessions were created");
    Ok(pool)
}

/// The same, with one connection for each number; users of different numbers differ.
async fn create_numbered(
    server: &Server,
    numbers: std::ops::Range<usize>,
    sessions: u64,
    keep_every: u64,
) -> anyhow::Result<Pool> {
    let pool = empty_pool();
    let each = sessions.div_ceil(numbers.len() as u64);
    let scripts =
        numbers.map(|number| -> Box<dyn Script> { Box::new(Create::new(&pool, number, keep_every, each)) }).collect();
    send_all(server, "creating sessions", scripts).await?;
    Ok(pool)
}

/// Alternates windows of sessiond and the floor, so that whatever else the machine does hits both.
///
/// # Errors
/// When a server does not reply before the windows begin, or the floor replies wrongly.
pub(crate) async fn compare(settings: &Settings, server: &Server, floor: &Server, plan: Plan) -> anyhow::Result<Row> {
    compare_at(settings, (server, server.address), floor, plan).await
}

/// The same, for one of the server's addresses.
///
/// # Errors
/// When a server does not reply before the windows begin, or the floor replies wrongly.
pub(crate) async fn compare_at(
    settings: &Settings,
    (server, address): (&Server, SocketAddr),
    floor: &Server,
    plan: Plan,
) -> anyhow::Result<Row> {
    let mut fleet = Fleet::connect(address, plan.scripts).await?;
    let warm = fleet.run(server, settings.window() / 3).await?;
    ensure!(warm.answers > 0, "{}: no answer: {}", plan.name, warm.first_error.unwrap_or_default());
    let request = floor_request(&plan.bare, &warm);
    let scripts =
        (0..plan.connections).map(|_| -> Box<dyn Script> { Box::new(Fixed::plain(request.clone())) }).collect();
    let mut floor_fleet = Fleet::connect(floor.address, scripts).await?;
    floor_fleet.run(floor, settings.window() / 3).await?;
    let (mut ours, mut bare) = (Tally::default(), Tally::default());
    for _ in 0..settings.rounds {
        ours.add(fleet.run(server, settings.window()).await?);
        bare.add(floor_fleet.run(floor, settings.window()).await?);
    }
    if let Some(reason) = &ours.first_error {
        println!("{}: {reason}", plan.name);
    }
    ensure!(bare.errors == 0, "the floor failed: {}", bare.first_error.context("no reason")?);
    Ok(Row {
        name: plan.name.to_owned(),
        connections: plan.connections,
        sessiond: Side::of(&mut ours),
        floor: Side::of(&mut bare),
        target: plan.target,
        errors: ours.errors,
    })
}

fn floor_request(bare: &Bare, sample: &Tally) -> Vec<u8> {
    let (sent, received) = (sample.sent / sample.answers.max(1), sample.received / sample.answers.max(1));
    let path = format!("/floor/{received}");
    match bare {
        Bare::Like(request) => wire::retarget(request, &path),
        Bare::Get => wire::get(&path),
        Bare::Post => {
            let head = wire::post(&path, wire::LEGACY, "").len();
            let body = usize::try_from(sent).unwrap_or_default().saturating_sub(head + 2);
            wire::post(&path, wire::LEGACY, &"x".repeat(body))
        }
    }
}
