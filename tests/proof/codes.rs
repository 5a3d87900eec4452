//! One-time codes under `kill -9`: a code that was sent signs in once, a code of an authenticator app is accepted once.
//!
//! The claims: the effect of an acknowledged step is there; after an unanswered one, the user exists exactly when the
//! code is gone; and no used code is ever accepted again.

use crate::http::Client;
use crate::server::Server;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use sessiond::domain::totp::TotpSecret;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, SystemTime};

const ROUNDS: u64 = 25;
const CLIENTS: usize = 4;
const SECRET: &str = "JBSWY3DPEHPK3PXP";
/// Seconds for which an authenticator app shows a code.
const PERIOD_S: u64 = 30;

/// How far a person has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    Sent,
    SignedIn,
    WithDevice,
    Opened,
    /// The reply with the code was lost: nobody can use it.
    Lost,
}

/// A person who signs in with a code that was sent, adds an authenticator app and uses a code of it.
#[derive(Debug)]
struct Person {
    email: String,
    /// `preAuthSessionId` and `linkCode`.
    sent: Option<(String, String)>,
    id: Option<String>,
    totp: Option<String>,
    done: Stage,
    /// Sent and never answered.
    asked: Option<Stage>,
    /// A used code was tried again: at most once, because wrong codes are counted.
    tried_again: bool,
}

impl Person {
    fn new(email: String) -> Self {
        Self { email, sent: None, id: None, totp: None, done: Stage::Nothing, asked: None, tried_again: false }
    }

    fn next(&self) -> Option<Stage> {
        match self.done {
            Stage::Nothing => Some(Stage::Sent),
            Stage::Sent => Some(Stage::SignedIn),
            Stage::SignedIn => Some(Stage::WithDevice),
            Stage::WithDevice => Some(Stage::Opened),
            Stage::Opened | Stage::Lost => None,
        }
    }

    fn id(&self) -> &str {
        self.id.as_deref().expect("signed in")
    }

    fn ask(&mut self, stage: Stage, client: &mut Client) -> io::Result<()> {
        self.asked = Some(stage);
        let reply = match stage {
            Stage::Nothing | Stage::Lost => return Ok(()),
            Stage::Sent => post(client, "/recipe/signinup/code", &json!({"email": self.email}))?,
            Stage::SignedIn => self.consume(client)?,
            Stage::WithDevice => {
                let device = json!({"userId": self.id(), "deviceName": "d", "skew": 1, "period": PERIOD_S,
                    "secretKey": SECRET});
                post(client, "/recipe/totp/device/import", &device)?
            }
            Stage::Opened => {
                self.totp = Some(shown_now());
                self.open(client)?
            }
        };
        assert_eq!(reply["status"], "OK", "{self:?} {reply}");
        match stage {
            Stage::Sent => self.sent = Some((text(&reply["preAuthSessionId"]), text(&reply["linkCode"]))),
            Stage::SignedIn => self.id = Some(text(&reply["recipeUserId"])),
            _ => {}
        }
        (self.done, self.asked) = (stage, None);
        Ok(())
    }

    fn consume(&self, client: &mut Client) -> io::Result<Value> {
        let (session, link) = self.sent.as_ref().expect("sent");
        post(client, "/recipe/signinup/code/consume", &json!({"preAuthSessionId": session, "linkCode": link}))
    }

    fn open(&self, client: &mut Client) -> io::Result<Value> {
        post(client, "/recipe/totp/verify", &json!({"userId": self.id(), "totp": self.totp}))
    }

    /// Compares with a running server; adopts the outcome of an unanswered request.
    ///
    /// # Panics
    /// When an acknowledged fact does not hold, or only half of one does.
    fn check(&mut self, client: &mut Client) {
        let waiting = get(client, &format!("/recipe/signinup/codes?email={}", self.email));
        let waiting = waiting["devices"].as_array().unwrap().len();
        let found = get(client, &format!("/users/by-accountinfo?email={}&doUnionOfAccountInfo=false", self.email));
        let found = found["users"].as_array().unwrap();
        let there = found.first().map(|user| text(&user["id"]));
        if self.asked == Some(Stage::Sent) && waiting == 1 {
            self.done = Stage::Lost;
        }
        if self.asked == Some(Stage::SignedIn) && there.is_some() {
            (self.done, self.id) = (Stage::SignedIn, there.clone());
        }
        let expected = match self.done {
            Stage::Nothing => (0, 0),
            Stage::Sent | Stage::Lost => (1, 0),
            Stage::SignedIn | Stage::WithDevice | Stage::Opened => (0, 1),
        };
        assert_eq!((waiting, found.len()), expected, "codes that wait, users: {self:?}");
        assert_eq!(there, self.id, "{self:?}");
        if self.id.is_some() {
            let again = self.consume(client).expect("the server answers");
            assert_eq!(again["status"], "RESTART_FLOW_ERROR", "a code signed in twice: {self:?}");
            self.check_totp(client);
        }
        self.asked = None;
    }

    fn check_totp(&mut self, client: &mut Client) {
        let listed = get(client, &format!("/recipe/totp/device/list?userId={}", self.id()));
        let there = listed["devices"].as_array().unwrap().len() == 1;
        if self.asked == Some(Stage::WithDevice) && there {
            self.done = Stage::WithDevice;
        }
        assert_eq!(there, matches!(self.done, Stage::WithDevice | Stage::Opened), "{self:?} {listed}");
        if self.asked == Some(Stage::Opened) {
            // Used up by the lost request or by this one: afterwards, it is used up.
            self.open(client).expect("the server answers");
            self.done = Stage::Opened;
        }
        if self.done == Stage::Opened && !self.tried_again {
            self.tried_again = true;
            let again = self.open(client).expect("the server answers");
            assert_eq!(again["status"], "INVALID_TOTP_ERROR", "a code opened twice: {self:?}");
        }
    }
}

#[test]
fn crash_leaves_no_code_that_can_be_used_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("server.log"));
    let mut rng = StdRng::seed_from_u64(11);
    let mut people: Vec<Vec<Person>> = (0..CLIENTS).map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        let server = Server::start(&data, &log);
        let mut client = server.client();
        // Everyone who may have an unanswered request, or a used code that is still displayed, is among the newest.
        people.iter_mut().for_each(|people| newest(people, 20).iter_mut().for_each(|person| person.check(&mut client)));
        let (address, delay) = (server.address, Duration::from_millis(rng.random_range(5..200)));
        thread::scope(|scope| {
            for (index, people) in people.iter_mut().enumerate() {
                scope.spawn(move || work(people, index, address));
            }
            thread::sleep(delay);
            server.kill();
        });
    }
    let server = Server::start(&data, &log);
    let mut client = server.client();
    people.iter_mut().flatten().for_each(|person| person.check(&mut client));
    let count = |stage: Stage| people.iter().flatten().filter(|person| person.done == stage).count();
    let (opened, lost) = (count(Stage::Opened), count(Stage::Lost));
    println!("{ROUNDS} kills, {opened} people completed all steps, {lost} codes were lost with their reply");
    assert!(opened > 50, "the load was too small to prove anything");
    server.stop();
}

/// Takes one person after the other through all steps, until the server is gone.
fn work(people: &mut Vec<Person>, client_index: usize, address: SocketAddr) {
    let mut client = Client::new(address);
    loop {
        let open = newest(people, 3).iter_mut().find_map(|person| person.next().map(|stage| (person, stage)));
        let outcome = match open {
            Some((person, stage)) => person.ask(stage, &mut client),
            None => {
                people.push(Person::new(format!("c{client_index}-{}@example.org", people.len())));
                Ok(())
            }
        };
        if outcome.is_err() {
            return;
        }
    }
}

/// The code that the authenticator app shows.
#[expect(clippy::disallowed_methods, reason = "an authenticator app reads the machine's clock, as the server does")]
fn shown_now() -> String {
    let now_s = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    format!("{:06}", TotpSecret::from_base32(SECRET).unwrap().code(now_s / PERIOD_S))
}

fn newest(people: &mut [Person], count: usize) -> &mut [Person] {
    let first = people.len().saturating_sub(count);
    people.get_mut(first..).unwrap_or_default()
}

fn post(client: &mut Client, path: &str, body: &Value) -> io::Result<Value> {
    let reply = client.send("POST", path, Some(body))?;
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    Ok(reply.json())
}

fn get(client: &mut Client, path: &str) -> Value {
    client.send("GET", path, None).expect("the server answers").json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
