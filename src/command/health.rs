//! `GET /hello`: does the store answer?

use crate::context::Context;
use crate::fault::Fault;
use crate::state::directory::AppEntry;
use crate::store::{Key, Keyspace};

/// Asks the store for a record, unless it was asked too often.
pub struct CheckHealth<'a> {
    /// The app whose allowance is used.
    pub app: &'a AppEntry,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The store answered.
    Good,
    /// Over the limit: the store was left alone.
    NotAsked,
}

impl CheckHealth<'_> {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn run(self, app: &Context) -> Result<Health, Fault> {
        if !app.health.allow(&self.app.id, app.steady()) {
            return Ok(Health::NotAsked);
        }
        let key = Key::of(Keyspace::Meta).text("hello");
        app.store.begin().get(&key).await.map_err(|error| Fault::new("asking the store for a record", error))?;
        Ok(Health::Good)
    }
}
