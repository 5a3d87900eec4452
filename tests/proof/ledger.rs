//! What one client knows of its sessions, and the check that the server knows no less.

use crate::http::Client;
use serde_json::{Value, json};

/// One session, as its client sees it.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) handle: String,
    pub(crate) user: String,
    /// The newest refresh token that a reply carried.
    pub(crate) refresh_token: String,
    /// `n` of the newest acknowledged `userDataInDatabase`.
    pub(crate) data: u64,
    /// Characters of padding next to `n`.
    pub(crate) padding: usize,
    pub(crate) state: State,
    /// A request that was sent and never answered.
    pub(crate) in_flight: Option<InFlight>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Live,
    Revoked,
}

/// A request with an unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InFlight {
    Refresh,
    Data(u64),
    Revoke,
}

/// The text next to `n`, so that a torn or swapped value shows.
pub(crate) fn padding(n: u64, length: usize) -> String {
    let mut state = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(b'a' + (state % 26) as u8)
        })
        .collect()
}

/// `userDataInDatabase` number `n`.
pub(crate) fn database(n: u64, length: usize) -> Value {
    json!({ "n": n, "padding": padding(n, length) })
}

impl Session {
    /// Compares with a running server; adopts the outcome of an unanswered request.
    ///
    /// # Panics
    /// When an acknowledged fact does not hold.
    pub(crate) fn check(&mut self, client: &mut Client) {
        let path = format!("/recipe/session?sessionHandle={}", self.handle);
        let reply = client.send("GET", &path, None).expect("the server answers").json();
        let gone = reply["status"] == "UNAUTHORISED";
        match (self.state, self.in_flight) {
            (State::Revoked, _) => {
                assert!(gone, "a revoked session came back: {self:?} {reply}");
                self.check_ended(client);
            }
            (State::Live, Some(InFlight::Revoke)) if gone => self.state = State::Revoked,
            (State::Live, _) => {
                assert_eq!(reply["status"], "OK", "an acknowledged session is missing: {self:?} {reply}");
                self.check_data(&reply);
            }
        }
        if self.state == State::Live && self.in_flight == Some(InFlight::Refresh) {
            // The reply may have been lost after the commit: the client has only its old token, and must stay signed
            // in.
            self.refresh(client).expect("the server answers");
        }
        self.in_flight = None;
    }

    fn check_data(&mut self, reply: &Value) {
        let n = reply["userDataInDatabase"]["n"].as_u64().unwrap();
        let newest = match self.in_flight {
            Some(InFlight::Data(newer)) => [self.data, newer],
            _ => [self.data, self.data],
        };
        assert!(newest.contains(&n), "an acknowledged update is missing: {n} is none of {newest:?}: {}", self.handle);
        assert_eq!(reply["userDataInDatabase"], database(n, self.padding), "{} holds other bytes", self.handle);
        assert_eq!(reply["userId"], self.user.as_str());
        self.data = n;
    }

    /// The session's timeline has outlived it.
    fn check_ended(&self, client: &mut Client) {
        let path = format!("/recipe/session/timeline?sessionHandle={}", self.handle);
        let reply = client.send("GET", &path, None).expect("the server answers");
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.json()["status"], "OK", "no timeline of an ended session: {}", reply.body);
    }

    /// Exchanges the refresh token.
    pub(crate) fn refresh(&mut self, client: &mut Client) -> std::io::Result<()> {
        let body = json!({ "refreshToken": self.refresh_token, "enableAntiCsrf": false, "useDynamicSigningKey": true });
        let reply = client.send("POST", "/recipe/session/refresh", Some(&body))?;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let reply = reply.json();
        assert_eq!(reply["status"], "OK", "an honest client was logged out: {self:?} {reply}");
        reply["refreshToken"]["token"].as_str().unwrap().clone_into(&mut self.refresh_token);
        Ok(())
    }
}
