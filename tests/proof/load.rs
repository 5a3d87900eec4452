//! Clients that create, refresh, update and revoke until the connection dies, and remember what was acknowledged.

use crate::http::Client;
use crate::ledger::{InFlight, Session, State, database};
use crate::people::{self, Pairs};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Bytes of large values a client writes: more could fill the image that a power cut is tried on.
const MAX_LARGE_BYTES: usize = 48 << 20;
/// Padding from here on is large, bytes.
const SMALL: usize = 200;

/// What a client knows; a request is recorded in its session before it is sent.
pub(crate) type Ledger = Arc<Mutex<Vec<Session>>>;

/// One client and all it knows.
pub(crate) struct Worker {
    name: String,
    rng: StdRng,
    /// Shared, so that it can be read while a request is in progress.
    pub(crate) sessions: Ledger,
    /// Likewise.
    pub(crate) pairs: Pairs,
    created: u64,
    /// Acknowledged writes.
    pub(crate) acknowledged: u64,
    /// Length of `userDataInDatabase` padding; one in ten sessions has it, the others are small.
    large: usize,
    /// What is left of [`MAX_LARGE_BYTES`].
    budget: usize,
}

impl Worker {
    pub(crate) fn new(name: String, seed: u64, large: usize) -> Self {
        let (sessions, pairs) = (Ledger::default(), Pairs::default());
        Self {
            name,
            rng: StdRng::seed_from_u64(seed),
            sessions,
            pairs,
            created: 0,
            acknowledged: 0,
            large,
            budget: MAX_LARGE_BYTES,
        }
    }

    /// Works until `stop` is set or the server is gone.
    pub(crate) fn run(&mut self, address: SocketAddr, stop: &Arc<AtomicBool>) {
        let mut client = Client::new(address);
        while !stop.load(Ordering::Relaxed) {
            match self.step(&mut client) {
                Ok(()) => self.acknowledged += 1,
                Err(_) => return,
            }
        }
    }

    fn step(&mut self, client: &mut Client) -> io::Result<()> {
        if self.rng.random_range(0..5) == 0 {
            return people::step(&self.pairs, &mut self.rng, &self.name, client);
        }
        let live: Vec<usize> = {
            let sessions = self.sessions.lock().unwrap();
            let is_chosen = |index: &usize| {
                let session = &sessions[*index];
                session.state == State::Live && self.has_budget(session.padding)
            };
            (0..sessions.len()).rev().filter(is_chosen).take(50).collect()
        };
        let choice = self.rng.random_range(0..100);
        if live.is_empty() || choice < 30 {
            return self.create(client);
        }
        let index = live[self.rng.random_range(0..live.len())];
        let padding = self.sessions.lock().unwrap()[index].padding;
        self.spend(padding);
        match choice {
            30..60 => self.act(index, InFlight::Refresh, |session| session.refresh(client)),
            60..85 => {
                let next = self.sessions.lock().unwrap()[index].data + 1;
                self.act(index, InFlight::Data(next), |session| update(session, next, client))
            }
            _ => self.act(index, InFlight::Revoke, |session| revoke(session, client)),
        }
    }

    /// Whether a value with this padding may be written once more.
    const fn has_budget(&self, padding: usize) -> bool {
        padding < SMALL || padding <= self.budget
    }

    const fn spend(&mut self, padding: usize) {
        if padding >= SMALL {
            self.budget = self.budget.saturating_sub(padding);
        }
    }

    /// Records the request, sends it, and records the acknowledgement.
    fn act(&self, index: usize, what: InFlight, ask: impl FnOnce(&mut Session) -> io::Result<()>) -> io::Result<()> {
        let mut session = {
            let mut sessions = self.sessions.lock().unwrap();
            sessions[index].in_flight = Some(what);
            sessions[index].clone()
        };
        ask(&mut session)?;
        session.in_flight = None;
        self.sessions.lock().unwrap()[index] = session;
        Ok(())
    }

    fn create(&mut self, client: &mut Client) -> io::Result<()> {
        self.created += 1;
        let is_large = self.rng.random_range(0..10) == 0 && self.has_budget(self.large);
        let padding = if is_large { self.large } else { self.rng.random_range(0..SMALL) };
        self.spend(padding);
        let user = format!("{}-{}", self.name, self.created);
        let body = json!({
            "userId": user, "enableAntiCsrf": false, "userDataInJWT": { "role": "tester" },
            "userDataInDatabase": database(0, padding), "useDynamicSigningKey": true,
        });
        let reply = client.send("POST", "/recipe/session", Some(&body))?;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let reply = reply.json();
        assert_eq!(reply["status"], "OK", "{reply}");
        self.sessions.lock().unwrap().push(Session {
            handle: reply["session"]["handle"].as_str().unwrap().to_owned(),
            user,
            refresh_token: reply["refreshToken"]["token"].as_str().unwrap().to_owned(),
            data: 0,
            padding,
            state: State::Live,
            in_flight: None,
        });
        Ok(())
    }

    /// Checks the `recent` newest pairs of people.
    pub(crate) fn check_people(&self, client: &mut Client, recent: usize) -> usize {
        let mut pairs = self.pairs.lock().unwrap();
        let newest = pairs.len().saturating_sub(recent);
        let checked = pairs.get_mut(newest..).unwrap_or_default();
        checked.iter_mut().for_each(|pair| pair.check(client));
        checked.len()
    }

    /// Checks the `recent` newest sessions, those with an unanswered request, and a sample of the older ones.
    pub(crate) fn check(&mut self, client: &mut Client, recent: usize, sample: usize) -> usize {
        let mut sessions = self.sessions.lock().unwrap();
        let newest = sessions.len().saturating_sub(recent);
        let mut indexes: Vec<usize> = (newest..sessions.len()).collect();
        indexes.extend((0..newest).filter(|index| sessions[*index].in_flight.is_some()));
        if newest > 0 {
            indexes.extend((0..sample).map(|_| self.rng.random_range(0..newest)));
        }
        for index in &indexes {
            sessions[*index].check(client);
        }
        indexes.len()
    }
}

fn update(session: &mut Session, next: u64, client: &mut Client) -> io::Result<()> {
    let body = json!({ "sessionHandle": session.handle, "userDataInDatabase": database(next, session.padding) });
    let reply = client.send("PUT", "/recipe/session/data", Some(&body))?;
    assert_eq!(reply.json()["status"], "OK", "{}", reply.body);
    session.data = next;
    Ok(())
}

fn revoke(session: &mut Session, client: &mut Client) -> io::Result<()> {
    let reply = client.send("POST", "/recipe/session/remove", Some(&json!({ "sessionHandles": [session.handle] })))?;
    assert_eq!(reply.json()["sessionHandlesRevoked"], json!([session.handle]), "{}", reply.body);
    session.state = State::Revoked;
    Ok(())
}
