//! The browsers and apps that use a session, as their requests describe themselves. This is shown to people, who
//! recognise their devices by it; nothing is decided by it.

use crate::domain::text::is_invisible;
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The most that is kept of a `User-Agent`, in bytes, so that a session keeps less than 512 bytes about its clients.
pub const MAX_USER_AGENT: usize = 200;

/// A browser or an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The address of the device, or of the network that it is in.
    pub address: IpAddr,
    /// What it calls itself; `None` if it says nothing.
    pub user_agent: Option<UserAgent>,
}

/// A `User-Agent` (RFC 9110, 10.1.5) on one line, without invisible characters and of at most [`MAX_USER_AGENT`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserAgent(String);

/// The clients of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClients {
    /// The one that signed in; `None` if the session began through a backend SDK.
    pub created: Option<Client>,
    /// The last refresh, if there was one.
    refreshed: Option<Refreshed>,
}

/// A refresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Refreshed {
    at: UnixMillis,
    /// `None`: by the client that signed in.
    by: Option<Client>,
}

/// What a refresh says of its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: a backend SDK asks.
    Nothing,
    /// Nothing that may be kept: the app's settings forbid it.
    Unrecorded,
    /// This client.
    Client(Client),
}

/// The clients of a session as they are told: `createdFrom` with `address` and `userAgent`, `refreshedFrom` with `time`
/// (ms), too. What is unknown is left out.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToldClients<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    created_from: Option<ToldClient<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refreshed_from: Option<ToldClient<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ToldClient<'a> {
    address: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<UnixMillis>,
}

impl UserAgent {
    /// Reads a header's value; `None` if nothing of it can be seen.
    #[must_use]
    pub fn of(value: &[u8]) -> Option<Self> {
        // Enough for the longest text that is kept, and little enough for whatever somebody sends.
        let value = value.get(..4 * MAX_USER_AGENT).unwrap_or(value);
        let mut text = String::with_capacity(value.len().min(MAX_USER_AGENT));
        for char in String::from_utf8_lossy(value).chars() {
            if is_invisible(char) || (char == ' ' && (text.is_empty() || text.ends_with(' '))) {
                continue;
            }
            if text.len() + char.len_utf8() > MAX_USER_AGENT {
                break;
            }
            text.push(char);
        }
        text.truncate(text.trim_end().len());
        (!text.is_empty()).then_some(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Client {
    fn told(&self, time: Option<UnixMillis>) -> ToldClient<'_> {
        ToldClient { address: self.address, user_agent: self.user_agent.as_ref().map(UserAgent::as_str), time }
    }
}

impl SessionClients {
    /// Those of a session that this client begins.
    #[must_use]
    pub const fn created_by(client: Client) -> Self {
        Self { created: Some(client), refreshed: None }
    }

    /// Those of a session, which may have none, after a refresh.
    #[must_use]
    pub fn after_refresh(known: Option<Self>, seen: Seen, at: UnixMillis) -> Option<Self> {
        let client = match seen {
            Seen::Nothing => return known,
            Seen::Unrecorded => return None,
            Seen::Client(client) => client,
        };
        let created = known.and_then(|known| known.created);
        let by = (created.as_ref() != Some(&client)).then_some(client);
        Some(Self { created, refreshed: Some(Refreshed { at, by }) })
    }

    /// What is known, as it is told.
    #[must_use]
    pub fn told(&self) -> ToldClients<'_> {
        ToldClients {
            created_from: self.created.as_ref().map(|client| client.told(None)),
            refreshed_from: self.last_refresh().map(|(at, by)| by.told(Some(at))),
        }
    }

    /// When the session was last refreshed by a client that was seen, and by which one.
    #[must_use]
    pub fn last_refresh(&self) -> Option<(UnixMillis, &Client)> {
        let last = self.refreshed.as_ref()?;
        Some((last.at, last.by.as_ref().or(self.created.as_ref())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8, agent: &str) -> Client {
        Client { address: IpAddr::from([192, 0, 2, last]), user_agent: UserAgent::of(agent.as_bytes()) }
    }

    #[test]
    fn user_agents_are_one_short_visible_line() {
        let read = |value: &[u8]| UserAgent::of(value).map(|agent| agent.0);
        assert_eq!(read(b"Mozilla/5.0 (X11; Linux)").as_deref(), Some("Mozilla/5.0 (X11; Linux)"));
        assert_eq!(read(" a\t\u{202e}b\u{200b}\x1b[31m  c ".as_bytes()).as_deref(), Some("ab[31m c"));
        assert_eq!(read(b"caf\xe9").as_deref(), Some("caf\u{fffd}"));
        for nothing in ["", "  ", "\u{feff}\n"] {
            assert_eq!(read(nothing.as_bytes()), None, "{nothing:?}");
        }
        assert_eq!(read(&[b'x'; 10_000]).map(|text| text.len()), Some(MAX_USER_AGENT));
        assert_eq!(read("ü€".repeat(300).as_bytes()).map(|text| text.len()), Some(MAX_USER_AGENT));
    }

    #[test]
    fn the_last_refresh_is_known_with_its_client() {
        let (first, second) = (client(1, "one"), client(2, "two"));
        let refreshed = |known: &Option<SessionClients>, client: &Client, at| {
            SessionClients::after_refresh(known.clone(), Seen::Client(client.clone()), UnixMillis(at))
        };
        let created = Some(SessionClients::created_by(first.clone()));
        assert_eq!(created.as_ref().and_then(SessionClients::last_refresh), None);
        let same = refreshed(&created, &first, 5);
        assert_eq!(same.as_ref().and_then(SessionClients::last_refresh), Some((UnixMillis(5), &first)));
        let other = refreshed(&same, &second, 6);
        assert_eq!(other.as_ref().and_then(SessionClients::last_refresh), Some((UnixMillis(6), &second)));
        assert_eq!(other.as_ref().and_then(|clients| clients.created.as_ref()), Some(&first));
        assert_eq!(SessionClients::after_refresh(other.clone(), Seen::Nothing, UnixMillis(7)), other);
        assert_eq!(SessionClients::after_refresh(other, Seen::Unrecorded, UnixMillis(8)), None);
        let by_sdk = refreshed(&None, &second, 9);
        assert_eq!(by_sdk.as_ref().and_then(SessionClients::last_refresh), Some((UnixMillis(9), &second)));
    }
}
