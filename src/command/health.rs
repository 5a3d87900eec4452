//! `GET /hello`: checks that the store answers.

use crate::context::Context;
use crate::fault::Fault;
use crate::state::directory::AppEntry;
use crate::store::{Key, Keyspace};

/// Reads a record from the store, unless that is done too often.
pub struct CheckHealth<'a> {
    /// The app whose allowance is used.
    pub app: &'a AppEntry,
}

/// The outcome of a health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The store answered.
    Good,
    /// Over the limit: the store was not read.
    RateLimited,
}

impl CheckHealth<'_> {
    /// Checks the store and returns the outcome.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn run(self, context: &Context) -> Result<Health, Fault> {
        if !context.health.allow(&self.app.id, context.steady()) {
            return Ok(Health::RateLimited);
        }
        let key = Key::of(Keyspace::Meta).text("hello");
        context
            .store
            .begin()
            .get(&key)
            .await
            .map_err(|error| Fault::new("reading a record to check the store", error))?;
        Ok(Health::Good)
    }
}
