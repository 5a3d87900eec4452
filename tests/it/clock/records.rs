//! The permanent stored format of the clock's and the sweeps' records.

use crate::store::golden;
use sessiond::domain::clock_watch::WatchState;
use sessiond::domain::time::{BootId, Reading, SteadyMillis, UnixMillis};
use sessiond::store::clock::{ClockRecord, SweepRecord, key, sweep_key};
use sessiond::store::{Key, Keyspace};

const fn read(wall: u64, steady: u64) -> Reading {
    Reading { wall: UnixMillis(wall), steady: SteadyMillis(steady), boot: BootId([9; 16]) }
}

#[test]
fn clock_version_1() {
    let (anchor, seen) = (read(1_700_000_000_000, 700), read(1_700_000_060_000, 60_700));
    golden::newest("meta-clock", &key(), &ClockRecord(WatchState { anchor, seen, agreed_ms: 60_000 }));
}

#[test]
fn sweep_version_1() {
    let mut record = SweepRecord { finished: Some(read(1_700_000_000_000, 700)), next: None };
    record.continue_at(&Key::of(Keyspace::Timeline).text("x"));
    golden::newest("meta-sweep", &sweep_key(), &record);
}
