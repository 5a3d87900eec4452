//! One-time links and authenticator codes: what using one costs, including its durable commit.

use super::load::{Script, send_all};
use super::report::{Report, Target};
use super::rows::{Bare, Plan, compare};
use super::scripts::ok;
use super::server::{Server, Sessiond};
use super::settings::Settings;
use super::wire;
use sessiond::domain::time::Clock as _;
use sessiond::domain::totp::TotpSecret;
use sessiond::system::SystemClock;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

const LINK: &str = "passwordless consume";
const CODE: &str = "totp verify";
const CLIENTS: usize = 64;
/// More than a server handles in a second, so that no window runs out of links or codes.
const USED_PER_SECOND: f64 = 9000.0;

/// Bodies that present a link or a code.
type Bodies = Arc<Mutex<VecDeque<String>>>;

/// Server CPU of a sign-in with a link by an existing user, and of a right code.
///
/// # Errors
/// When a server fails or replies unexpectedly.
pub(crate) async fn measure(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number of people")]
    let people = (settings.window().as_secs_f64() * (f64::from(settings.rounds) + 0.5) * USED_PER_SECOND) as usize;
    if settings.wants(LINK) {
        let server = sessiond.start()?;
        let links = Bodies::default();
        // Everybody signs up with one link and is sent another, which is used for the measurement.
        make(&server, Make::link, &links, people).await?;
        let users = users("/public/recipe/signinup/code/consume", &links);
        send_all(&server, "signing up", users).await?;
        make(&server, Make::link, &links, people).await?;
        use_up(settings, sessiond, server, report, (LINK, "/public/recipe/signinup/code/consume", links)).await?;
    }
    if settings.wants(CODE) {
        let server = sessiond.start()?;
        let codes = Bodies::default();
        make(&server, Make::device, &codes, people).await?;
        use_up(settings, sessiond, server, report, (CODE, "/public/recipe/totp/verify", codes)).await?;
    }
    Ok(())
}

/// Uses the prepared links or codes, compared with the floor.
async fn use_up(
    settings: &Settings,
    sessiond: &Sessiond,
    server: Server,
    report: &mut Report,
    (name, path, bodies): (&'static str, &'static str, Bodies),
) -> anyhow::Result<()> {
    let floor = Server::start_floor(&sessiond.folder)?;
    let plan = Plan {
        name,
        connections: CLIENTS,
        target: Target::Above(110.0),
        scripts: users(path, &bodies),
        bare: Bare::Post,
    };
    report.row(compare(settings, &server, &floor, plan).await?);
    server.stop()?;
    floor.kill()
}

fn users(path: &'static str, bodies: &Bodies) -> Vec<Box<dyn Script>> {
    let user = || -> Box<dyn Script> { Box::new(Use { path, bodies: Arc::clone(bodies), request: Vec::new() }) };
    (0..CLIENTS).map(|_| user()).collect()
}

/// Prepares a link or code for each of this many people.
async fn make(server: &Server, what: Made, bodies: &Bodies, people: usize) -> anyhow::Result<()> {
    let script = |client| -> Box<dyn Script> {
        Box::new(Make { what, bodies: Arc::clone(bodies), person: client, people, request: (Vec::new(), None) })
    };
    send_all(server, "making links or devices", (0..CLIENTS).map(script).collect()).await?;
    Ok(())
}

/// A person's request, and the body that uses its result if that is known before the reply.
type Made = fn(usize) -> (Vec<u8>, Option<String>);

/// Prepares a link or code for every [`CLIENTS`]th person.
struct Make {
    what: Made,
    bodies: Bodies,
    person: usize,
    people: usize,
    request: (Vec<u8>, Option<String>),
}

impl Make {
    /// A link.
    fn link(person: usize) -> (Vec<u8>, Option<String>) {
        let body = format!("{{\"email\":\"person{person}@example.org\"}}");
        (wire::post("/public/recipe/signinup/code", wire::LEGACY, &body), None)
    }

    /// A device whose code is valid for hours, but only once.
    fn device(person: usize) -> (Vec<u8>, Option<String>) {
        const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        const PERIOD: u64 = 36_000;
        let body = format!(
            "{{\"userId\":\"person{person}\",\"deviceName\":\"phone\",\"skew\":1,\"period\":{PERIOD},\"secretKey\":\"{SECRET}\"}}"
        );
        let step = SystemClock.now().seconds() / PERIOD;
        let code = TotpSecret::from_base32(SECRET).map(|secret| secret.code(step)).unwrap_or_default();
        let used = format!("{{\"userId\":\"person{person}\",\"totp\":\"{code:06}\"}}");
        (wire::post("/recipe/totp/device/import", wire::LEGACY, &body), Some(used))
    }
}

impl Script for Make {
    fn next(&mut self) -> Option<&[u8]> {
        if self.person >= self.people {
            return None;
        }
        self.request = (self.what)(self.person);
        self.person += CLIENTS;
        Some(&self.request.0)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)?;
        let used = match self.request.1.take() {
            Some(used) => used,
            None => {
                let made: serde_json::Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
                serde_json::json!({"preAuthSessionId": made.get("preAuthSessionId"), "linkCode": made.get("linkCode")})
                    .to_string()
            }
        };
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner).push_back(used);
        Ok(())
    }
}

/// Uses them one after another, and ends when none is left.
struct Use {
    path: &'static str,
    bodies: Bodies,
    request: Vec<u8>,
}

impl Script for Use {
    fn next(&mut self) -> Option<&[u8]> {
        let body = self.bodies.lock().unwrap_or_else(PoisonError::into_inner).pop_front()?;
        self.request = wire::post(self.path, wire::LEGACY, &body);
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)
    }
}
