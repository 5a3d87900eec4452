//! Counters on the sled engine: one frame for many additions, and numbers that survive a crash.

use super::{copy_folder, dump, options, scratch, sled_engine};
use sessiond::domain::time::{BootId, Clock, SteadyMillis, UnixMillis};
use sessiond::store::sled::{self, Options, Start};
use sessiond::store::{Encoding, Engine, Key, Keyspace, counter};
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Waker};

fn key(name: &str) -> Key {
    Key::of(Keyspace::Meta).text(name)
}

async fn count(engine: &dyn Engine, name: &str) -> i64 {
    counter::get(engine.begin().as_mut(), &key(name)).await.unwrap()
}

/// A clock that makes the committer wait while it is held.
#[derive(Default)]
struct Gate(Mutex<()>);

impl Gate {
    fn shut(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap()
    }
}

impl Clock for Gate {
    fn now(&self) -> UnixMillis {
        drop(self.0.lock().unwrap());
        UnixMillis(1)
    }

    fn steady(&self) -> SteadyMillis {
        SteadyMillis(1)
    }

    fn boot(&self) -> BootId {
        BootId::UNKNOWN
    }
}

#[tokio::test]
async fn additions_that_wait_together_are_one_frame() {
    let folder = scratch();
    let gate = Arc::new(Gate::default());
    let (engine, _) = sled::open(folder.path(), &Options { clock: Arc::<Gate>::clone(&gate), ..options() }).unwrap();
    let shut = gate.shut();
    let mut commits = Vec::new();
    for n in 0..=100 {
        let mut tx = engine.begin();
        // The first one is held up while the others queue behind it.
        if n == 0 {
            tx.put(key("first"), Vec::new())
        } else {
            tx.add(key("n"), n)
        }
        let mut commit = tx.commit();
        assert!(commit.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        commits.push(commit);
    }
    drop(shut);
    for commit in commits {
        commit.await.unwrap();
    }
    assert_eq!(count(&engine, "n").await, 5050);
    let stats = engine.stats();
    assert_eq!(stats.commits, 101);
    // The committer may have started with the first one, or with the first few.
    assert!(stats.groups <= 2, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_outlive_a_crash_at_any_moment_and_agree_with_what_they_count() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    let mut tasks = Vec::new();
    for task in 0..4 {
        let engine = Arc::clone(&engine);
        tasks.push(tokio::spawn(async move {
            for n in 0..150_u32 {
                let mut tx = engine.begin();
                let row = Key::of(Keyspace::Timeline).text(&format!("{task}")).raw(&n.to_be_bytes());
                tx.put(row, Vec::new());
                tx.add(key("rows"), 1);
                tx.commit().await.unwrap();
                if n % 3 == 2 {
                    let mut tx = engine.begin();
                    tx.delete(Key::of(Keyspace::Timeline).text(&format!("{task}")).raw(&n.to_be_bytes()));
                    tx.add(key("rows"), -1);
                    tx.commit().await.unwrap();
                }
            }
        }));
    }
    let mut crashed = Vec::new();
    for _ in 0..4 {
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        engine.snapshot().unwrap();
        let journal = scratch();
        // The mark and the index first: the journal may only know more.
        fs::copy(folder.path().join("identity"), journal.path().join("identity")).unwrap();
        fs::copy(folder.path().join("acked"), journal.path().join("acked")).unwrap();
        copy_folder(&folder.path().join("journal"), &journal.path().join("journal"));
        copy_folder(&folder.path().join("snapshot"), &journal.path().join("snapshot"));
        crashed.push(journal);
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(count(engine.as_ref(), "rows").await, 400);
    let last = scratch();
    copy_folder(folder.path(), last.path());
    crashed.push(last);
    for copy in &crashed {
        for start in [Start::Rebuilt, Start::Clean] {
            let (again, report) = sled::open(copy.path(), &options()).unwrap();
            let rows = dump(&again).await;
            let kept = rows.keys().filter(|key| key.keyspace == Keyspace::Timeline).count();
            assert_eq!(count(&again, "rows").await, i64::try_from(kept).unwrap(), "{report:?}");
            assert!(report.start == start || report.start == Start::Verified, "{report:?}");
            again.close().await.unwrap();
        }
    }
}

#[test]
fn a_counter_has_the_bytes_it_always_had() {
    for (number, binary, json) in [
        (1, "01c404fd730000000000000001", r#"{"v":1,"record":1}"#),
        (-2, "01b1049b37fffffffffffffffe", r#"{"v":1,"record":-2}"#),
    ] {
        let bytes = counter::encode(Encoding::Binary, &key("n"), number).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, binary);
        assert_eq!(counter::decode(Encoding::Binary, &key("n"), Some(&bytes)).unwrap(), number);
        let bytes = counter::encode(Encoding::Json, &key("n"), number).unwrap();
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), json);
        assert_eq!(counter::decode(Encoding::Json, &key("n"), Some(&bytes)).unwrap(), number);
    }
}
