//! `GET /recipe/session/timeline` and `sessiond sessions why`.

use crate::app::App;
use crate::command::session::Scope;
use crate::domain::ids::{SessionHandle, UserId};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use serde_json::Value;

/// What happened to a session, living or ended.
pub struct SessionTimeline<'a> {
    /// Where.
    pub scope: Scope,
    /// Its name as presented.
    pub handle: &'a str,
}

/// A session's story.
pub struct Timeline {
    /// Its public name.
    pub handle: SessionHandle,
    /// Its login method's user.
    pub user_id: UserId,
    /// Creation.
    pub time_created: UnixMillis,
    /// When it ended; `None` while it lives.
    pub ended: Option<UnixMillis>,
    /// One sentence: why the session is in the state it is in.
    pub summary: String,
    /// Oldest first; each an object with `time` (ms), `event` and details. No secrets.
    pub events: Vec<Value>,
    /// Events dropped between the first and the oldest kept, to stay within bounds.
    pub omitted: u64,
}

impl SessionTimeline<'_> {
    /// Runs the command; `None` when nothing is known of the handle (any more).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, _app: &App) -> Result<Option<Timeline>, Fault> {
        todo!()
    }
}
