//! Pairs of login methods that sign up, are linked, unlinked or deleted, and what a client knows of them.
//!
//! The claims: an acknowledged step is there, an unanswered one is there as a whole or not at all, look-up by address
//! and by id agree, and a session of the linked method is gone exactly when the link exists.

use crate::http::Client;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex};

/// What a client knows; a step is recorded in its pair before it is requested.
pub(crate) type Pairs = Arc<Mutex<Vec<Pair>>>;

/// How far a pair has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    First,
    Second,
    Primary,
    SignedIn,
    Linked,
    Unlinked,
    Deleted,
}

/// Two login methods of one person.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    emails: [String; 2],
    ids: [Option<String>; 2],
    /// A session of the second method.
    handle: Option<String>,
    done: Stage,
    /// Sent and never answered.
    asked: Option<Stage>,
}

/// A user as shown by look-ups: id, whether it is primary, recipe user ids.
type Seen = Option<(String, bool, Vec<String>)>;

impl Pair {
    pub(crate) fn new(name: &str) -> Self {
        let emails = ["one", "two"].map(|place| format!("{name}-{place}@example.org"));
        Self { emails, ids: [None, None], handle: None, done: Stage::Nothing, asked: None }
    }

    fn next(&self, rng: &mut StdRng) -> Option<Stage> {
        match self.done {
            Stage::Nothing => Some(Stage::First),
            Stage::First => Some(Stage::Second),
            Stage::Second => Some(Stage::Primary),
            Stage::Primary => Some(Stage::SignedIn),
            Stage::SignedIn => Some(Stage::Linked),
            Stage::Linked => Some(if rng.random() { Stage::Unlinked } else { Stage::Deleted }),
            Stage::Unlinked | Stage::Deleted => None,
        }
    }

    fn id(&self, place: usize) -> &str {
        self.ids[place].as_deref().expect("signed up")
    }

    fn ask(&mut self, stage: Stage, client: &mut Client) -> io::Result<()> {
        let linking = "/recipe/accountlinking/user";
        let (path, body) = match stage {
            Stage::Nothing => return Ok(()),
            Stage::First => ("/recipe/signup".to_owned(), json!({"email": self.emails[0], "password": "secret12"})),
            Stage::Second => ("/recipe/signup".to_owned(), json!({"email": self.emails[1], "password": "secret12"})),
            Stage::Primary => (format!("{linking}/primary"), json!({"recipeUserId": self.id(0)})),
            Stage::SignedIn => ("/recipe/session".to_owned(), session_of(self.id(1))),
            Stage::Linked => {
                (format!("{linking}/link"), json!({"recipeUserId": self.id(1), "primaryUserId": self.id(0)}))
            }
            Stage::Unlinked => (format!("{linking}/unlink"), json!({"recipeUserId": self.id(1)})),
            Stage::Deleted => ("/user/remove".to_owned(), json!({"userId": self.id(1)})),
        };
        let reply = client.send("POST", &path, Some(&body))?;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let reply = reply.json();
        assert_eq!(reply["status"], "OK", "{path}: {self:?} {reply}");
        match stage {
            Stage::First => self.ids[0] = Some(text(&reply["recipeUserId"])),
            Stage::Second => self.ids[1] = Some(text(&reply["recipeUserId"])),
            Stage::SignedIn => self.handle = Some(text(&reply["session"]["handle"])),
            _ => {}
        }
        self.done = stage;
        Ok(())
    }

    /// Compares with a running server; adopts the outcome of an unanswered request.
    ///
    /// # Panics
    /// When an acknowledged fact does not hold, or only half of one does.
    pub(crate) fn check(&mut self, client: &mut Client) {
        let seen = [0, 1].map(|place| self.find(place, client));
        for place in [0, 1] {
            if let Some(id) = &self.ids[place] {
                let path = format!("/user/id?userId={id}");
                let by_id = client.send("GET", &path, None).expect("the server answers").json();
                assert_eq!(shown(&by_id["user"]), seen[place], "an index disagrees with the row: {self:?}");
            }
        }
        let alive = self.handle.as_ref().map(|handle| {
            let path = format!("/recipe/session?sessionHandle={handle}");
            client.send("GET", &path, None).expect("the server answers").json()["status"] == "OK"
        });
        let possible = [Some(self.done), self.asked];
        let found = possible.into_iter().flatten().find(|stage| {
            self.expected(*stage) == seen && alive.is_none_or(|alive| alive == (*stage == Stage::SignedIn))
        });
        self.done = found.unwrap_or_else(|| panic!("neither done nor undone: {self:?} {seen:?} session: {alive:?}"));
        self.asked = None;
    }

    /// Looks a method up by its address; learns its id if the reply to the sign-up was lost.
    fn find(&mut self, place: usize, client: &mut Client) -> Seen {
        let path = format!("/users/by-accountinfo?email={}&doUnionOfAccountInfo=true", self.emails[place]);
        let reply = client.send("GET", &path, None).expect("the server answers").json();
        assert_eq!(reply["status"], "OK", "{reply}");
        let users = reply["users"].as_array().unwrap();
        assert!(users.len() <= 1, "one address, two users: {reply}");
        let user = users.first()?;
        let methods = user["loginMethods"].as_array().unwrap();
        let own = methods.iter().find(|method| method["email"] == self.emails[place].as_str());
        let id =
            text(&own.unwrap_or_else(|| panic!("found by an address that it does not have: {reply}"))["recipeUserId"]);
        assert_eq!(*self.ids[place].get_or_insert_with(|| id.clone()), id, "{reply}");
        shown(user)
    }

    fn expected(&self, stage: Stage) -> [Seen; 2] {
        let alone = |place: usize, primary| self.ids[place].clone().map(|id| (id.clone(), primary, vec![id]));
        match stage {
            Stage::Nothing | Stage::Deleted => [None, None],
            Stage::First => [alone(0, false), None],
            Stage::Second => [alone(0, false), alone(1, false)],
            Stage::Primary | Stage::SignedIn | Stage::Unlinked => [alone(0, true), alone(1, false)],
            Stage::Linked => {
                let mut ids: Vec<String> = self.ids.iter().flatten().cloned().collect();
                ids.sort();
                let both = self.ids[0].clone().map(|id| (id, true, ids));
                [both.clone(), both]
            }
        }
    }
}

/// Takes one of the newest pairs a step further, or starts a new one.
///
/// # Errors
/// When the connection dies.
pub(crate) fn step(pairs: &Pairs, rng: &mut StdRng, name: &str, client: &mut Client) -> io::Result<()> {
    let (index, mut pair, stage) = {
        let mut pairs = pairs.lock().unwrap();
        let from = pairs.len().saturating_sub(5);
        let open = (from..pairs.len()).find_map(|index| Some((index, pairs[index].next(rng)?)));
        let (index, stage) = open.unwrap_or_else(|| {
            let number = pairs.len();
            pairs.push(Pair::new(&format!("{name}-{number}")));
            (number, Stage::First)
        });
        pairs[index].asked = Some(stage);
        (index, pairs[index].clone(), stage)
    };
    pair.ask(stage, client)?;
    pair.asked = None;
    pairs.lock().unwrap()[index] = pair;
    Ok(())
}

fn session_of(user: &str) -> Value {
    json!({"userId": user, "enableAntiCsrf": false, "userDataInJWT": {}, "userDataInDatabase": {},
        "useDynamicSigningKey": true})
}

fn shown(user: &Value) -> Seen {
    let methods = user["loginMethods"].as_array()?;
    let mut ids: Vec<String> = methods.iter().map(|method| text(&method["recipeUserId"])).collect();
    ids.sort();
    Some((text(&user["id"]), user["isPrimaryUser"] == true, ids))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
