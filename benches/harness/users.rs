//! Lists, search and import of a large number of users.

use super::load::{Script, alternate};
use super::report::{Report, Side, mib, millis};
use super::scripts::Fixed;
use super::server::{Server, Sessiond, disk_bytes};
use super::settings::Settings;
use super::wire;
use anyhow::{Context as _, ensure};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Makes a request out of two numbers.
type Request = fn(u64, u64) -> String;

/// Users in the folder that the large one is compared with.
const FEW: u64 = 10_000;
/// bcrypt of `password` at the lowest cost.
const HASH: &str = "$2b$04$sSSzUBxtM40vfpbQB3IaNeW1g8V.CKF7xLMv.YkLIEFpEr7Rfxw7K";

/// Lists and search among many users, compared with the same among few.
///
/// # Errors
/// When a server or the import fails.
pub(crate) async fn many_users(settings: &Settings, sessiond: &Sessiond, report: &mut Report) -> anyhow::Result<()> {
    if !settings.wants("users:") {
        return Ok(());
    }
    let few_users = FEW.min(settings.users);
    let many = Sessiond { folder: sessiond.folder.join("many-users"), ..sessiond.clone() };
    let few = Sessiond { folder: sessiond.folder.join("few-users"), ..sessiond.clone() };
    let few_server = few.start()?;
    import(&few, few_users)?;
    let server = many.start()?;
    let took = import(&many, settings.users)?;
    #[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^52")]
    let users = settings.users as f64;
    let note = format!("{:.0} users per second", users / took.as_secs_f64());
    report.fact("users: import, time of each", took.as_secs_f64() * 1e6 / users, "us", Some(200.0), note);
    #[expect(clippy::cast_precision_loss, reason = "bytes of one disk are below 2^52")]
    let bytes = disk_bytes(&many.folder.join("data"))? as f64;
    report.fact("users: disk of each", (bytes / users).round(), "bytes", Some(4096.0), "e-mail, password, verified");
    report.fact("users: until the server rests", rest(&server)?.as_secs_f64(), "s", None, "after the import");
    let wants: [(&str, Request); 3] = [
        ("page of 100", |number, users| {
            format!("/users?limit=100&timeJoinedOrder=ASC&paginationToken={}", token(number * 7919 % users))
        }),
        ("search of one", |number, users| format!("/users?email={}", person(number * 7919 % users))),
        ("count", |_, _| "/users/count".to_owned()),
    ];
    for (what, path) in wants {
        let scripts = |users| {
            let get = |number| -> Box<dyn Script> { Box::new(Around { number, users, path, request: Vec::new() }) };
            (0..8).map(get).collect()
        };
        let sides = [(&few_server, few_users), (&server, settings.users)];
        let sides = sides.map(|(server, users)| (server, server.address, scripts(users)));
        let [mut small, mut large] = alternate(settings, sides).await?;
        ensure!(large.errors + small.errors == 0, "{what}: {:?}", large.first_error.or(small.first_error));
        let (small, large) = (Side::of(&mut small), Side::of(&mut large));
        let note = format!(
            "CPU {:.0} us against {:.0}, p99 {:.2} ms against {:.2}",
            large.cpu,
            small.cpu,
            millis(large.p99),
            millis(small.p99)
        );
        let name = format!("users: {what}, {} users over {few_users}", settings.users);
        report.fact(&name, large.cpu / small.cpu, "times", Some(2.0), note);
    }
    let (now, peak) = server.resident_kib()?;
    let note = format!("highest {:.1} MiB", mib(peak));
    report.fact(&format!("users: resident memory with {}", settings.users), mib(now), "MiB", None, note);
    few_server.stop()?;
    server.stop()?;
    Ok(())
}

/// Waits until the server is nearly idle, and returns how long that took.
///
/// After an import the last snapshot is written; that is part of the import, not of the requests that are measured
/// next. The index also compacts pages for a long time, using a hundredth of a core; that continues and is included.
fn rest(server: &Server) -> anyhow::Result<Duration> {
    const LOOK: Duration = Duration::from_secs(2);
    let began = Instant::now();
    loop {
        let before = server.cpu()?;
        std::thread::sleep(LOOK);
        if server.cpu()? - before < LOOK / 10 {
            return Ok(began.elapsed());
        }
        ensure!(began.elapsed() < Duration::from_secs(120), "the server does not come to rest");
    }
}

/// How the address of this user begins. Users who join one after the other have addresses in random order, as in
/// reality: in order they would fill the leaves of the index and take a quarter less disk.
fn person(number: u64) -> String {
    // Odd, so that no two numbers below 2^32 give the same result.
    const SPREAD: u64 = 0x9E37_79B1;
    format!("{:08x}", (number * SPREAD) & 0xFFFF_FFFF)
}

/// Each user joins a second after the previous one.
fn joined(number: u64) -> u64 {
    1_600_000_000_000 + number * 1000
}

/// The position before everyone who joined later than this user.
fn token(number: u64) -> String {
    use base64::Engine as _;
    let position = format!("~;{}", joined(number));
    base64::engine::general_purpose::STANDARD.encode(position).replace('+', "%2B").replace('=', "%3D")
}

/// Writes users to a file and has the running server import it.
fn import(sessiond: &Sessiond, users: u64) -> anyhow::Result<Duration> {
    let path = sessiond.folder.join("users.jsonl");
    write_users(&path, users)?;
    let began = Instant::now();
    let mut command = Command::new(&sessiond.binary);
    command.args(["users", "import"]).arg(&path).arg("--data-dir").arg(sessiond.folder.join("data"));
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "the import failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(began.elapsed())
}

fn write_users(path: &Path, users: u64) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for number in 0..users {
        writeln!(
            file,
            "{{\"email\":\"{}@domain{}.example\",\"passwordHash\":\"{HASH}\",\"verified\":true,\"timeJoined\":{}}}",
            person(number),
            number % 1000,
            joined(number)
        )?;
    }
    file.flush().context("writing users")
}

/// Requests a different user each time.
struct Around {
    number: u64,
    users: u64,
    path: fn(u64, u64) -> String,
    request: Vec<u8>,
}

impl Script for Around {
    fn next(&mut self) -> Option<&[u8]> {
        self.number += 8;
        self.request = wire::get(&(self.path)(self.number, self.users));
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        Fixed::ok(Vec::new()).answer(status, body)
    }
}
