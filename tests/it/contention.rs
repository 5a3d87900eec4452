//! Commands whose commits conflict wait for others, never for themselves.

use crate::app::TestApp;
use crate::people::{by_provider, mapped, with_cheap_passwords};
use async_trait::async_trait;
use serde_json::json;
use sessiond::domain::ids::UserId;
use sessiond::state::contention::Contention;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{CommitError, Encoding, Engine, EngineStats, Key, Keyspace, Scan, StoreError, Tx};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::timeout;

/// The outcome of a commit.
enum Fate {
    /// It conflicts.
    Conflict,
    /// It succeeds, and this happens before its command continues.
    ThenRun(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// The outcomes of the next commits; later ones succeed.
#[derive(Clone, Default)]
struct Fates(Arc<Mutex<VecDeque<Fate>>>);

impl Fates {
    fn next(&self) -> Option<Fate> {
        self.0.lock().unwrap().pop_front()
    }

    /// Runs something whose own commits succeed.
    async fn aside(&self, event: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let kept = std::mem::take(&mut *self.0.lock().unwrap());
        event.await;
        *self.0.lock().unwrap() = kept;
    }
}

/// The memory engine with these outcomes.
#[derive(Default)]
struct Fated {
    engine: MemoryEngine,
    fates: Fates,
}

struct FatedTx {
    tx: Box<dyn Tx>,
    fates: Fates,
}

#[async_trait]
impl Engine for Fated {
    fn begin(&self) -> Box<dyn Tx> {
        Box::new(FatedTx { tx: self.engine.begin(), fates: self.fates.clone() })
    }

    fn encoding(&self) -> Encoding {
        self.engine.encoding()
    }

    fn stats(&self) -> EngineStats {
        self.engine.stats()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.engine.close().await
    }
}

#[async_trait]
impl Tx for FatedTx {
    async fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.tx.get(key).await
    }

    fn put(&mut self, key: Key, value: Vec<u8>) {
        self.tx.put(key, value);
    }

    fn delete(&mut self, key: Key) {
        self.tx.delete(key);
    }

    fn add(&mut self, key: Key, delta: i64) {
        self.tx.add(key, delta);
    }

    fn has_written(&self, keyspace: Keyspace) -> bool {
        self.tx.has_written(keyspace)
    }

    async fn scan(&mut self, scan: &Scan) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        self.tx.scan(scan).await
    }

    fn encoding(&self) -> Encoding {
        self.tx.encoding()
    }

    async fn commit(self: Box<Self>) -> Result<(), CommitError> {
        match self.fates.next() {
            None => self.tx.commit().await,
            Some(Fate::Conflict) => Err(CommitError::Conflict),
            Some(Fate::ThenRun(event)) => {
                self.tx.commit().await?;
                self.fates.aside(event).await;
                Ok(())
            }
        }
    }
}

/// An id whose changes use the same queue as the end of its sessions.
fn id_of_one_queue(contention: &Contention) -> String {
    let is_one = |id: &String| {
        let id = UserId::new(id.as_str());
        ptr::eq(contention.queue(&id).unwrap(), contention.queue(&vec![id]).unwrap())
    };
    (0..).map(|number| format!("external-{number}")).find(is_one).unwrap()
}

#[tokio::test]
async fn a_change_of_a_user_and_the_end_of_its_sessions_may_conflict_in_one_queue() {
    let engine = Arc::new(Fated::default());
    let fates = engine.fates.clone();
    let app = with_cheap_passwords().store(engine).build().await;
    let id = id_of_one_queue(&app.context.contention);
    app.people([mapped(&id, by_provider("anna", 1, "anna@x.io"))]).await;

    // The second attempt removes the mapping; then a session starts under the id, and its end conflicts as well.
    let (late, user) = (app.clone(), id.clone());
    let begins = async move {
        late.session(&user).await;
    };
    fates.0.lock().unwrap().extend([Fate::Conflict, Fate::ThenRun(Box::pin(begins)), Fate::Conflict]);
    let removal = app.post("/recipe/userid/map/remove", json!({"userId": id, "force": true}));
    let removed = timeout(Duration::from_secs(10), removal).await.expect("the command waits for itself");

    assert_eq!(removed.text_at("/status"), "OK");
    assert!(fates.0.lock().unwrap().is_empty(), "the commits were not as planned");
    assert_eq!(sessions_of(&app, &id).await, 0);
}

async fn sessions_of(app: &TestApp, id: &str) -> usize {
    let reply = app.get(&format!("/recipe/session/user?userId={id}")).await;
    reply.json()["sessionHandles"].as_array().expect("a list").len()
}
