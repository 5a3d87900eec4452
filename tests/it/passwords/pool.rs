//! The hashing threads: bounded, with a bounded queue.

use sessiond::crypto::password::pool::{Pool, PoolError};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Work that continues until it is told to end.
struct Held {
    end: Sender<()>,
    task: JoinHandle<Result<usize, PoolError>>,
}

struct World {
    pool: Arc<Pool>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl World {
    fn new(threads: usize, queue: usize) -> Self {
        Self { pool: Arc::new(Pool::new("test", threads, queue)), running: Arc::default(), most: Arc::default() }
    }

    fn hold(&self) -> Held {
        let (end, ended): (_, Receiver<()>) = channel();
        let ended = Mutex::new(ended);
        let (pool, running, most) = (Arc::clone(&self.pool), Arc::clone(&self.running), Arc::clone(&self.most));
        let task = tokio::spawn(async move {
            pool.run(move || {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                let _ = ended.lock().unwrap().recv();
                running.fetch_sub(1, Ordering::SeqCst);
                now
            })
            .await
        });
        Held { end, task }
    }

    async fn until(&self, what: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !what(self) {
            assert!(began.elapsed() < Duration::from_secs(30), "the condition was not met in time");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    fn waiting(&self) -> u64 {
        self.pool.stats().waiting
    }
}

#[tokio::test]
async fn so_many_run_so_many_wait_and_the_next_is_refused_at_once() {
    let world = World::new(2, 3);
    let held: Vec<_> = (0..5).map(|_| world.hold()).collect();
    world.until(|world| world.running() == 2 && world.waiting() == 3).await;
    let began = Instant::now();
    assert_eq!(world.pool.run(|| ()).await, Err(PoolError::Full { retry_after_s: 1 }));
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(world.pool.stats().refused, 1);
    for held in held {
        held.end.send(()).unwrap();
        held.task.await.unwrap().unwrap();
    }
    assert_eq!(world.most.load(Ordering::SeqCst), 2);
    assert_eq!(world.pool.run(|| 7).await, Ok(7), "there is space again");
    let stats = world.pool.stats();
    assert_eq!((stats.waiting, stats.done), (0, 6));
    assert!(stats.waited_us > 0 && stats.worked_us > 0);
}

#[tokio::test]
async fn a_caller_that_goes_away_frees_its_place() {
    let world = World::new(1, 1);
    let first = world.hold();
    world.until(|world| world.running() == 1).await;
    let second = world.hold();
    world.until(|world| world.waiting() == 1).await;
    assert!(matches!(world.pool.run(|| ()).await, Err(PoolError::Full { .. })));
    second.task.abort();
    assert!(second.task.await.unwrap_err().is_cancelled());
    world.until(|world| world.waiting() == 0).await;
    let third = world.hold();
    world.until(|world| world.waiting() == 1).await;
    for held in [first, third] {
        held.end.send(()).unwrap();
        held.task.await.unwrap().unwrap();
    }
    assert!(second.end.send(()).is_err(), "its work was never begun");
}

#[tokio::test]
async fn work_whose_caller_went_away_keeps_its_thread_until_it_is_done() {
    let world = World::new(1, 1);
    let first = world.hold();
    world.until(|world| world.running() == 1).await;
    first.task.abort();
    let second = world.hold();
    world.until(|world| world.waiting() == 1).await;
    assert_eq!(world.running(), 1);
    first.end.send(()).unwrap();
    second.end.send(()).unwrap();
    assert_eq!(second.task.await.unwrap(), Ok(1));
}

#[tokio::test]
async fn a_panic_costs_one_caller_its_answer_and_no_thread() {
    let pool = Pool::new("test", 1, 1);
    for _ in 0..3 {
        let outcome = pool.run(|| assert!(Instant::now().elapsed() > Duration::MAX, "a panic of the test")).await;
        assert_eq!(outcome, Err(PoolError::Failed));
    }
    assert_eq!(pool.run(|| 7).await, Ok(7));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn threads_that_hash_have_a_low_priority_and_others_keep_theirs() {
    let own = || rustix::process::getpriority_process(None).unwrap();
    let before = own();
    assert_eq!(Pool::new("test", 1, 1).run(own).await, Ok(before + 10));
    assert_eq!(own(), before);
}
