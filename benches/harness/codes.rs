//! Signing in with links: the cost of using one, its durable commit included.

use super::load::{Fleet, Script, Tally};
use super::report::{Report, Row, Side, Target};
use super::rows::floor_request;
use super::scripts::{Fixed, ok};
use super::server::{Server, Sessiond};
use super::settings::Settings;
use super::wire;
use anyhow::{Context as _, ensure};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const NAME: &str = "passwordless consume";
const CLIENTS: usize = 64;
/// More than a server answers in a second, so that no window runs out of links.
const LINKS_PER_SECOND: f64 = 9000.0;

/// Bodies that present a link.
type Links = Arc<Mutex<VecDeque<String>>>;

/// Server CPU of a sign-in with a link, by somebody who is there already.
///
/// # Errors
/// When a server fails or gives answers that were not expected.
pub(crate) async fn measure(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    if !settings.wants(NAME) {
        return Ok(());
    }
    let (server, floor) = (sessiond.start()?, Server::start_floor(&sessiond.folder)?);
    let links = Links::default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number of links")]
    let people = (settings.window().as_secs_f64() * (f64::from(settings.rounds) + 0.5) * LINKS_PER_SECOND) as usize;
    // Everybody signs up with one link and is sent another, which is for the measurement.
    make(&server, &links, people).await?;
    let tally = Fleet::connect(server.address, consumers(&links)).await?.run(&server, LONG).await?;
    ensure!(tally.errors == 0, "signing up: {}", tally.first_error.unwrap_or_default());
    make(&server, &links, people).await?;

    let mut fleet = Fleet::connect(server.address, consumers(&links)).await?;
    let warm = fleet.run(&server, settings.window() / 3).await?;
    ensure!(warm.answers > 0, "no answer: {}", warm.first_error.unwrap_or_default());
    let request = floor_request(false, &warm);
    let plain = || -> Box<dyn Script> { Box::new(Fixed::plain(request.clone())) };
    let mut floor_fleet = Fleet::connect(floor.address, (0..CLIENTS).map(|_| plain()).collect()).await?;
    floor_fleet.run(&floor, settings.window() / 3).await?;
    let (mut ours, mut bare) = (Tally::default(), Tally::default());
    for _ in 0..settings.rounds {
        ours.add(fleet.run(&server, settings.window()).await?);
        bare.add(floor_fleet.run(&floor, settings.window()).await?);
    }
    ensure!(bare.errors == 0, "the floor failed: {}", bare.first_error.context("no reason")?);
    report.row(Row {
        name: NAME.to_owned(),
        connections: CLIENTS,
        sessiond: Side::of(&mut ours),
        floor: Side::of(&mut bare),
        target: Target::Above(110.0),
        errors: ours.errors,
    });
    server.stop()?;
    floor.kill()
}

/// Longer than any preparation takes: scripts end by themselves.
const LONG: Duration = Duration::from_secs(3600);

fn consumers(links: &Links) -> Vec<Box<dyn Script>> {
    let consume = || -> Box<dyn Script> { Box::new(Consume { links: Arc::clone(links), request: Vec::new() }) };
    (0..CLIENTS).map(|_| consume()).collect()
}

/// Makes a link for each of so many people.
async fn make(server: &Server, links: &Links, people: usize) -> anyhow::Result<()> {
    let script = |client| -> Box<dyn Script> {
        Box::new(Make { links: Arc::clone(links), person: client, people, request: Vec::new() })
    };
    let tally = Fleet::connect(server.address, (0..CLIENTS).map(script).collect()).await?.run(server, LONG).await?;
    ensure!(tally.errors == 0, "making links: {}", tally.first_error.unwrap_or_default());
    Ok(())
}

/// Has links made for every [`CLIENTS`]th person.
struct Make {
    links: Links,
    person: usize,
    people: usize,
    request: Vec<u8>,
}

impl Script for Make {
    fn next(&mut self) -> Option<&[u8]> {
        if self.person >= self.people {
            return None;
        }
        let body = format!("{{\"email\":\"person{}@example.org\"}}", self.person);
        self.person += CLIENTS;
        self.request = wire::post("/public/recipe/signinup/code", wire::LEGACY, &body);
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)?;
        let made: serde_json::Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let link = serde_json::json!({"preAuthSessionId": made["preAuthSessionId"], "linkCode": made["linkCode"]});
        self.links.lock().unwrap_or_else(PoisonError::into_inner).push_back(link.to_string());
        Ok(())
    }
}

/// Uses one link after another; ends with them.
struct Consume {
    links: Links,
    request: Vec<u8>,
}

impl Script for Consume {
    fn next(&mut self) -> Option<&[u8]> {
        let link = self.links.lock().unwrap_or_else(PoisonError::into_inner).pop_front()?;
        self.request = wire::post("/public/recipe/signinup/code/consume", wire::LEGACY, &link);
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)
    }
}
