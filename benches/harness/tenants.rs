//! Apps and tenants: what a prefix costs a request, and what a large number of them costs a server.

use super::load::{Script, alternate, send_all};
use super::report::{Report, Side, Target, mib, millis};
use super::rows::{Bare, Plan, compare};
use super::scripts::{Once, create_request, ok, tokens_in, verify_request_below};
use super::server::{Server, Sessiond, disk_bytes};
use super::settings::Settings;
use super::wire;
use anyhow::ensure;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

const BELOW: &str = "verify below a tenant";
const CLIENTS: usize = 16;
/// The app with many tenants.
const APP: &str = "/appid-crowded";

/// Server CPU of a verify below the path of an app and tenant, compared with the floor.
///
/// # Errors
/// When a server fails or replies unexpectedly.
pub(crate) async fn measure(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    if !settings.wants(BELOW) {
        return Ok(());
    }
    let sessiond = Sessiond { folder: sessiond.folder.join("below-a-tenant"), ..sessiond.clone() };
    let server = sessiond.start()?;
    let floor = Server::start_floor(&sessiond.folder)?;
    run(&server, vec![vec![new_app(APP)], vec![new_tenant(0)]]).await?;
    for &connections in &settings.connections {
        let target = if connections >= 64 { Target::Above(30.0) } else { Target::None };
        let verifies = Arc::new(sessions(&server, &vec![format!("{APP}/tenant0"); connections]).await?);
        let scripts = (0..connections).map(|number| InTurn::new(&verifies, number, connections)).collect();
        report.row(
            compare(settings, &server, &floor, Plan { name: BELOW, connections, target, scripts, bare: Bare::Post })
                .await?,
        );
    }
    server.stop()?;
    floor.kill()
}

/// How fast apps and tenants are created, how much space each takes, and how they affect a request.
///
/// # Errors
/// When a server fails or replies unexpectedly.
pub(crate) async fn many_tenants(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    if !settings.wants("tenants:") {
        return Ok(());
    }
    let count = settings.tenants;
    let many = Sessiond { folder: sessiond.folder.join("many-tenants"), ..sessiond.clone() };
    let few = Sessiond { folder: sessiond.folder.join("few-tenants"), ..sessiond.clone() };
    let (few_server, server) = (few.start()?, many.start()?);
    let only = vec![vec![new_app(APP), new_app("/appid-app0")], vec![new_tenant(0)]];
    run(&few_server, only).await?;
    let apps: Vec<String> = (0..count).map(|number| format!("/appid-app{number}")).collect();
    let tenants: Vec<String> = (0..count).map(|number| format!("{APP}/tenant{number}")).collect();
    creation(&server, "an app", apps.iter().map(|app| new_app(app)).collect(), report).await?;
    run(&server, vec![vec![new_app(APP)]]).await?;
    creation(&server, "a tenant of one app", (0..count).map(new_tenant).collect(), report).await?;
    weigh("created", (&few_server, &few), (&server, &many), count * 2, report)?;
    let mut verify_each = Vec::new();
    let same = |place: &str| vec![place.to_owned(); usize::try_from(count).unwrap_or(usize::MAX)];
    for (what, places, few_places) in
        [("apps", &apps, same("/appid-app0")), ("tenants of one app", &tenants, same(&format!("{APP}/tenant0")))]
    {
        let name = format!("tenants: verify below {count} {what} in turn over one");
        let few_verifies = sessions(&few_server, &few_places).await?;
        let many_verifies = sessions(&server, places).await?;
        verify_each.push(many_verifies.clone());
        beside(settings, &name, (&few_server, few_verifies), (&server, many_verifies), report).await?;
        weigh(
            &format!("with a session in each of the {what}"),
            (&few_server, &few),
            (&server, &many),
            count * 2,
            report,
        )?;
    }
    few_server.stop()?;
    server.stop()?;
    let (few_server, server) = (few.start()?, many.start()?);
    let note = format!("{:.3} s without them", few_server.first_hello.as_secs_f64());
    let name = format!("tenants: start with {count} apps and {count} tenants");
    report.fact(&name, server.first_hello.as_secs_f64(), "s", Some(5.0), note);
    weigh("at rest after a restart", (&few_server, &few), (&server, &many), count * 2, report)?;
    run(&server, verify_each).await?;
    weigh("each verified below after a restart", (&few_server, &few), (&server, &many), count * 2, report)?;
    few_server.stop()?;
    server.stop()?;
    Ok(())
}

fn new_app(below: &str) -> Vec<u8> {
    let body = format!("{{\"appId\":\"{}\"}}", below.trim_start_matches("/appid-"));
    wire::put("/recipe/multitenancy/app/v2", wire::LEGACY, &body)
}

fn new_tenant(number: u64) -> Vec<u8> {
    let path = format!("{APP}/recipe/multitenancy/tenant/v2");
    wire::put(&path, wire::LEGACY, &format!("{{\"tenantId\":\"tenant{number}\"}}"))
}

/// Sends each list in turn, a list's requests one after another.
async fn run(server: &Server, lists: Vec<Vec<Vec<u8>>>) -> anyhow::Result<()> {
    for list in lists {
        send_all(server, "sending one after another", vec![Box::new(Once::new(list))]).await?;
    }
    Ok(())
}

/// The first tenth by one client, as a script would; the rest by several.
async fn creation(server: &Server, what: &str, mut requests: Vec<Vec<u8>>, report: &mut Report) -> anyhow::Result<()> {
    let rest = requests.split_off(requests.len() / 10);
    for (clients, requests) in [(1, requests), (CLIENTS, rest)] {
        let count = requests.len();
        let shares = requests.chunks(count.div_ceil(clients).max(1));
        let scripts = shares.map(|share| -> Box<dyn Script> { Box::new(Once::new(share.to_vec())) }).collect();
        let began = Instant::now();
        let tally = send_all(server, &format!("creating {what}"), scripts).await?;
        #[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^52")]
        let each = began.elapsed().as_secs_f64() / count as f64;
        let note = format!("{:.0} per second, {:.0} us CPU each", 1.0 / each, tally.cpu_us());
        let name = format!("tenants: creation of {what}, {clients} at a time");
        // 300 per second.
        report.fact(&name, each * 1e6, "us", Some(3333.0), note);
    }
    Ok(())
}

/// How much memory and disk each of `count` apps and tenants adds.
fn weigh(
    when: &str,
    few: (&Server, &Sessiond),
    many: (&Server, &Sessiond),
    count: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (few_now, many_now) = (few.0.resident_kib()?.0, many.0.resident_kib()?.0);
    let disk = disk_bytes(&many.1.folder.join("data"))?.saturating_sub(disk_bytes(&few.1.folder.join("data"))?);
    #[expect(clippy::cast_precision_loss, reason = "sizes and counts are far below 2^52")]
    let (memory, disk, count) = ((many_now as f64 - few_now as f64) * 1024.0, disk as f64, count as f64);
    let note = format!(
        "{:.1} MiB beside {:.1} without them; {:.0} bytes of disk each",
        mib(many_now),
        mib(few_now),
        disk / count
    );
    report.fact(&format!("tenants: memory of each, {when}"), memory / count, "bytes", Some(5120.0), note);
    Ok(())
}

/// Creates a session in each of these tenants; returns the requests that verify them.
async fn sessions(server: &Server, places: &[String]) -> anyhow::Result<Vec<Vec<u8>>> {
    let verifies = Arc::new(Mutex::new(Vec::new()));
    let clients = CLIENTS.min(places.len());
    let script = |client: usize| -> Box<dyn Script> {
        let places = places.iter().skip(client).step_by(clients).rev().cloned().collect();
        Box::new(SignIn { places, client, verifies: Arc::clone(&verifies), request: Vec::new() })
    };
    send_all(server, "creating sessions", (0..clients).map(script).collect()).await?;
    let mut verifies = verifies.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *verifies))
}

/// Both servers in alternating windows; returns the ratio of their CPU per request.
async fn beside(
    settings: &Settings,
    name: &str,
    few: (&Server, Vec<Vec<u8>>),
    many: (&Server, Vec<Vec<u8>>),
    report: &mut Report,
) -> anyhow::Result<()> {
    let scripts = |verifies| {
        let verifies = Arc::new(verifies);
        (0..CLIENTS).map(|client| InTurn::new(&verifies, client, CLIENTS)).collect()
    };
    let sides = [few, many].map(|(server, pool)| (server, server.address, scripts(pool)));
    let [mut few, mut many] = alternate(settings, sides).await?;
    ensure!(few.errors + many.errors == 0, "{name}: {:?}", many.first_error.or(few.first_error));
    let (few, many) = (Side::of(&mut few), Side::of(&mut many));
    let note = format!(
        "CPU {:.1} us against {:.1}, p99 {:.2} ms against {:.2}",
        many.cpu,
        few.cpu,
        millis(many.p99),
        millis(few.p99)
    );
    report.fact(name, many.cpu / few.cpu, "times", Some(1.1), note);
    Ok(())
}

/// Creates one session in each of its tenants.
struct SignIn {
    /// The index of the next one.
    places: Vec<String>,
    client: usize,
    verifies: Arc<Mutex<Vec<Vec<u8>>>>,
    request: Vec<u8>,
}

impl Script for SignIn {
    fn next(&mut self) -> Option<&[u8]> {
        let user = ((self.client as u64) << 32) + self.places.len() as u64;
        self.request = create_request(self.places.last()?, user);
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)?;
        let place = self.places.pop().ok_or("an answer without a request")?;
        let verify = verify_request_below(&place, &tokens_in(body)?.access, false, wire::LEGACY);
        self.verifies.lock().unwrap_or_else(PoisonError::into_inner).push(verify);
        Ok(())
    }
}

/// Every n-th of these requests, in a loop.
struct InTurn {
    requests: Arc<Vec<Vec<u8>>>,
    next: usize,
    step: usize,
}

impl InTurn {
    #[expect(clippy::new_ret_no_self, reason = "a fleet takes boxed conversations")]
    fn new(requests: &Arc<Vec<Vec<u8>>>, first: usize, step: usize) -> Box<dyn Script> {
        Box::new(Self { requests: Arc::clone(requests), next: first, step })
    }
}

impl Script for InTurn {
    fn next(&mut self) -> Option<&[u8]> {
        let request = self.requests.get(self.next % self.requests.len())?;
        self.next += self.step;
        Some(request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)
    }
}
