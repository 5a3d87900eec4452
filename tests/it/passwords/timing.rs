//! Whether timing distinguishes two operations.

use std::time::{Duration, Instant};

const ROUNDS: usize = 50;

/// Fails when one of the two takes longer than the other, as far as this machine can show.
///
/// Other tests share the cores, so one quiet moment is enough. If the times do differ, there is none.
pub(crate) async fn assert_same_time(mut one: impl AsyncFnMut(), mut other: impl AsyncFnMut()) {
    let mut seen = None;
    for _ in 0..10 {
        let (first, second) = distributions(&mut one, &mut other).await;
        if alike(&first, &second) {
            return;
        }
        seen = Some((first, second));
    }
    panic!("{seen:?}");
}

/// Whether one of the two takes longer, in each of several measurements.
pub(crate) async fn is_told_apart(mut one: impl AsyncFnMut(), mut other: impl AsyncFnMut()) -> bool {
    for _ in 0..3 {
        let (first, second) = distributions(&mut one, &mut other).await;
        if alike(&first, &second) {
            return false;
        }
    }
    true
}

/// The times of both, shortest first; measured in turn, so that whatever else the machine does affects both.
async fn distributions(one: &mut impl AsyncFnMut(), other: &mut impl AsyncFnMut()) -> (Vec<Duration>, Vec<Duration>) {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        one().await;
        first.push(began.elapsed());
        let began = Instant::now();
        other().await;
        second.push(began.elapsed());
    }
    first.sort();
    second.sort();
    (first, second)
}

/// The lower parts of both distributions are alike; the upper parts reflect other work on the machine.
fn alike(first: &[Duration], second: &[Duration]) -> bool {
    [0, 4, 8, 15].into_iter().all(|at| (0.8..1.25).contains(&(first[at].as_secs_f64() / second[at].as_secs_f64())))
}
