//! A user's mark: [`Keyspace::UserActive`]: (domain, app, user) → [`ActiveRecord`].

use crate::domain::ids::{AppId, UserId};
use crate::domain::time::UnixMillis;
use crate::store::{Key, Keyspace};
use serde::{Deserialize, Serialize};

/// A user's last activity; it lags by up to five minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveRecord {
    /// The time of the activity.
    pub at: UnixMillis,
}

crate::record!(ActiveRecord, UserActive, version 1);

/// The key of a user's record.
#[must_use]
pub fn key(app: &AppId, user: &UserId) -> Key {
    Key::of_app(Keyspace::UserActive, app).user(user)
}
