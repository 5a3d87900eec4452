//! Sign-in and its mails under `kill -9`: a mail that a reply promised arrives, and twice only if the server was killed
//! while it was being handed over.

use crate::http::Client;
use crate::server::Server;
use crate::smtp::SmtpServer;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: u64 = 30;
/// Every mail of all rounds is looked at again while the last ones arrive.
const MAX_ROUNDS: u64 = 200;
const CLIENTS: usize = 4;
const PASSWORD: &str = "correct horse 1";
/// How long before a kill a mail may have been taken that is sent again after it: one commit, on a slow disk.
const WINDOW: Duration = Duration::from_secs(1);
/// Most mails on their way at once.
const AT_ONCE: usize = 8;
/// How long the mails of the last round may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who signs up, asks for a link for a new password, and signs in.
#[derive(Debug)]
struct Person {
    email: String,
    has_signed_up: bool,
    has_asked_for_mail: bool,
}

impl Person {
    fn new(email: String) -> Self {
        Self { email, has_signed_up: false, has_asked_for_mail: false }
    }

    /// Goes on until the connection dies; notes what was acknowledged.
    fn act(&mut self, client: &mut Client) -> io::Result<()> {
        let address = json!({"id": "email", "value": self.email});
        self.ask(client, "/auth/signup", &json!([address, password()]))?;
        self.has_signed_up = true;
        self.ask(client, "/auth/user/password/reset/token", &json!([address]))?;
        self.has_asked_for_mail = true;
        self.sign_in(client)
    }

    fn sign_in(&self, client: &mut Client) -> io::Result<()> {
        self.ask(client, "/auth/signin", &json!([{"id": "email", "value": self.email}, password()]))
    }

    fn ask(&self, client: &mut Client, path: &str, fields: &Value) -> io::Result<()> {
        let reply = client.send("POST", path, Some(&json!({"formFields": fields})))?;
        assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("OK")), "{path}: {self:?} {}", reply.body);
        Ok(())
    }
}

fn password() -> Value {
    json!({"id": "password", "value": PASSWORD})
}

#[test]
fn crash_loses_no_mail_and_sends_none_twice_but_those_it_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("server.log"));
    let seed =
        crate::from_environment("SESSIOND_CRASH_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let rounds = crate::rounds().unwrap_or(ROUNDS).min(MAX_ROUNDS);
    println!("seed {seed}, {rounds} rounds");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut people: Vec<Vec<Person>> = (0..CLIENTS).map(|_| Vec::new()).collect();
    let mut lives = Vec::new();
    for _ in 0..rounds {
        let (server, smtp) = start(&data, &log);
        let front = server.front.unwrap();
        people.iter().for_each(|people| check_sign_in(people, 3, front));
        let delay = Duration::from_millis(rng.random_range(5..250));
        thread::scope(|scope| {
            for (index, people) in people.iter_mut().enumerate() {
                scope.spawn(move || work(people, index, front));
            }
            thread::sleep(delay);
            server.kill();
        });
        lives.push(Life { smtp, killed: Some(Instant::now()) });
    }
    let (server, smtp) = start(&data, &log);
    lives.push(Life { smtp, killed: None });
    people.iter().for_each(|people| check_sign_in(people, usize::MAX, server.front.unwrap()));
    let people: Vec<Person> = people.into_iter().flatten().collect();
    wait_for_all(&people, &lives);
    server.stop();
    let (again, longest) = check_repetitions(&lives);
    let promised = people.iter().filter(|person| person.has_asked_for_mail).count();
    println!(
        "{rounds} kills, {promised} mails promised, all arrived; {again} arrived again, {longest:?} before the kill at most"
    );
    assert!(promised > 50, "the load was too small to prove anything");
}

/// One process, from its start to its end: the mail server that it alone was given, and when it was killed.
struct Life {
    smtp: SmtpServer,
    killed: Option<Instant>,
}

fn start(data: &Path, log: &Path) -> (Server, SmtpServer) {
    let smtp = SmtpServer::start();
    let port = smtp.port.to_string();
    let settings = [("HOST", "127.0.0.1"), ("PORT", &port), ("FROM_EMAIL", "shop@example.com")];
    let server = Server::start_with(data, log, |command| {
        command.envs(settings.map(|(name, value)| (format!("SESSIOND_SMTP_{name}"), value)));
    });
    (server, smtp)
}

/// One person after the other, until the server is gone.
fn work(people: &mut Vec<Person>, client_index: usize, front: SocketAddr) {
    let mut client = Client::new(front);
    loop {
        people.push(Person::new(format!("c{client_index}-{}@example.org", people.len())));
        if people.last_mut().is_some_and(|person| person.act(&mut client).is_err()) {
            return;
        }
    }
}

/// The newest people whose sign-up was acknowledged are known.
fn check_sign_in(people: &[Person], count: usize, front: SocketAddr) {
    let mut client = Client::new(front);
    for person in people.iter().rev().filter(|person| person.has_signed_up).take(count) {
        person.sign_in(&mut client).expect("the server answers");
    }
}

/// Waits until everybody who was promised a mail has it, and nobody has another one.
fn wait_for_all(people: &[Person], lives: &[Life]) {
    let end = Instant::now() + PATIENCE;
    loop {
        let mut ids: HashMap<String, HashSet<String>> = HashMap::new();
        for mail in lives.iter().flat_map(|life| life.smtp.received()) {
            ids.entry(mail.header("To").replace(['<', '>'], "")).or_default().insert(mail.header("Message-ID"));
        }
        let missing = people.iter().find(|person| person.has_asked_for_mail && !ids.contains_key(&person.email));
        let Some(missing) = missing else {
            assert!(ids.values().all(|ids| ids.len() == 1), "everybody asked once: {ids:?}");
            return;
        };
        assert!(Instant::now() < end, "no mail for {missing:?} within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// No process hands a mail over twice, and what another one hands over again was on its way when a process was killed. How
/// many mails those are, and the longest time before the kill at which one had been taken.
fn check_repetitions(lives: &[Life]) -> (usize, Duration) {
    let mut taken: HashMap<String, (usize, Duration)> = HashMap::new();
    let (mut again, mut longest) = (vec![0; lives.len()], Duration::ZERO);
    for (index, life) in lives.iter().enumerate() {
        let mut own = HashMap::new();
        for mail in life.smtp.received() {
            let left = life.killed.map_or(Duration::MAX, |killed| killed.saturating_duration_since(mail.at.unwrap()));
            let is_first = own.insert(mail.header("Message-ID"), (index, left)).is_none();
            assert!(is_first, "one process sent this twice: {}", mail.data);
        }
        for (id, own) in own {
            let Some((by, before)) = taken.insert(id.clone(), own) else { continue };
            assert!(before <= WINDOW, "{id} was sent again although it had been taken {before:?} before the kill");
            again[by] += 1;
            assert!(again[by] <= AT_ONCE, "{} mails were on their way at one kill", again[by]);
            longest = longest.max(before);
        }
    }
    (again.iter().sum(), longest)
}
