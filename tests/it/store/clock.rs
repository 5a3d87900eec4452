//! `restore --until` with clocks that go wrong and are corrected: a time means the last frame written at it or before,
//! whatever was written in between.

use super::maintenance::{Hand, contents, refused_as_unusable};
use super::{Contents, dump, options, scratch};
use sessiond::domain::time::UnixMillis;
use sessiond::store::data_folder::restore;
use sessiond::store::maintenance::{RestoreReport, Until};
use sessiond::store::sled::{self, Options, SledEngine};
use sessiond::store::{Engine, Key, Keyspace, StoreError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;
/// 2026-11-23T09:00:00Z
const MORNING: u64 = 1_795_424_400_000;

/// A folder, its clock, and the contents after each frame.
struct Bench {
    root: tempfile::TempDir,
    data: PathBuf,
    hand: Arc<Hand>,
    engine: Option<SledEngine>,
    /// Frame, time on the clock, contents.
    states: Vec<(u64, u64, Contents)>,
    restored: usize,
}

impl Bench {
    fn new() -> Self {
        let root = scratch();
        let hand = Arc::new(Hand::default());
        let data = root.path().join("data");
        let mut bench = Self { root, data, hand, engine: None, states: Vec::new(), restored: 0 };
        bench.set(MORNING);
        bench.start();
        bench
    }

    fn options(&self) -> Options {
        Options { clock: Arc::<Hand>::clone(&self.hand), segment_bytes: 4 << 10, ..options() }
    }

    fn start(&mut self) {
        self.engine = Some(sled::open(&self.data, &self.options()).unwrap().0);
    }

    async fn stop(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.close().await.unwrap();
        }
    }

    fn now(&self) -> u64 {
        self.hand.0.load(Ordering::Relaxed)
    }

    fn set(&self, now: u64) {
        self.hand.0.store(now, Ordering::Relaxed);
    }

    fn engine(&self) -> &SledEngine {
        self.engine.as_ref().unwrap()
    }

    /// Writes one frame, `after` ms later.
    async fn write(&mut self, after: u64) -> u64 {
        self.set(self.now() + after);
        let mut tx = self.engine().begin();
        let frame = self.states.last().map_or(1, |(frame, ..)| frame + 1);
        tx.put(Key::of(Keyspace::Meta).text("last"), frame.to_be_bytes().to_vec());
        tx.put(Key::of(Keyspace::Meta).raw(&frame.to_be_bytes()), vec![7; 200]);
        tx.commit().await.unwrap();
        let contents = dump(self.engine()).await;
        self.states.push((frame, self.now(), contents));
        frame
    }

    fn restore(&mut self, until: Until) -> Result<(RestoreReport, PathBuf), StoreError> {
        self.restored += 1;
        let to = self.root.path().join(format!("restored-{}", self.restored));
        restore(&self.data, &to, until, &self.options(), &|_| {}).map(|report| (report, to))
    }

    /// Restores as of `time` and compares with the contents after the frame that the report names.
    async fn until(&mut self, time: u64) -> RestoreReport {
        let (report, to) = self.restore(Until::Time(UnixMillis(time))).unwrap();
        self.compare(&report, &to).await;
        report
    }

    async fn compare(&self, report: &RestoreReport, to: &Path) {
        let (.., expected) = self.states.iter().find(|(frame, ..)| *frame == report.frame).unwrap();
        assert!(contents(to).await.0 == *expected, "{report:?}");
    }

    fn refused(&mut self, until: Until) -> String {
        refused_as_unusable(self.restore(until))
    }
}

/// A clock that is a day ahead for one write: before, the write, then two after it was corrected, an hour apart.
async fn excursion(stop_between: bool) -> (Bench, [u64; 4], u64) {
    let mut bench = Bench::new();
    let before = bench.write(0).await;
    bench.set(bench.now() + DAY);
    let astray = bench.write(SECOND).await;
    if stop_between {
        bench.stop().await;
    }
    bench.set(bench.now() - DAY);
    if stop_between {
        bench.start();
    }
    let first = bench.write(HOUR).await;
    let between = bench.now() + HOUR / 2;
    let second = bench.write(HOUR).await;
    bench.stop().await;
    (bench, [before, astray, first, second], between)
}

#[tokio::test]
async fn what_was_written_after_a_clock_was_put_right_is_restored() {
    for stop_between in [false, true] {
        let (mut bench, [_, astray, first, _], between) = excursion(stop_between).await;
        let report = bench.until(between).await;
        assert_eq!((report.frame, report.time), (first, between - HOUR / 2));
        let [note] = &report.notes[..] else { panic!("{report:?}") };
        assert!(note.starts_with(&format!("the clock was set back after frame {astray}: frame {astray} is included")));
        assert!(note.ends_with(&format!("; --until-frame {} leaves them out", astray - 1)), "{note}");
        assert!(note.contains("2026-11-24T09:00:01.000Z") && note.contains("2026-11-23T10:00:01.000Z"), "{note}");
    }
}

#[tokio::test]
async fn nothing_is_said_when_the_clock_did_not_go_back() {
    let mut bench = Bench::new();
    for _ in 0..20 {
        bench.write(SECOND).await;
    }
    bench.engine().snapshot().unwrap();
    bench.write(SECOND).await;
    bench.stop().await;
    for (frame, time, _) in bench.states.clone() {
        let report = bench.until(time + 500).await;
        assert_eq!((report.frame, report.time, report.notes), (frame, time, Vec::new()));
    }
}

#[tokio::test]
async fn what_may_have_been_written_before_the_moment_is_named() {
    let (mut bench, [before, astray, ..], between) = excursion(false).await;
    // After the clock went wrong, and before the next write: the frame in doubt says only "tomorrow".
    let report = bench.until(between - HOUR).await;
    assert_eq!(report.frame, before);
    let [note] = &report.notes[..] else { panic!("{report:?}") };
    assert!(note.contains(&format!("frame {astray} is left out")), "{note}");
    let (report, to) = bench.restore(Until::Frame(astray)).unwrap();
    assert_eq!((report.frame, &report.notes), (astray, &Vec::new()));
    bench.compare(&report, &to).await;
}

#[tokio::test]
async fn a_segment_that_was_started_in_time_places_the_frames_before_it() {
    let mut bench = Bench::new();
    bench.write(0).await;
    bench.set(bench.now() + DAY);
    let astray = bench.write(SECOND).await;
    bench.stop().await;
    bench.set(bench.now() - DAY + HOUR);
    let started = bench.now();
    bench.start();
    bench.write(2 * HOUR).await;
    bench.stop().await;
    let report = bench.until(started + HOUR).await;
    assert_eq!((report.frame, report.time), (astray, started));
    assert!(report.notes[0].contains(&format!("frame {astray} is included")), "{report:?}");
    // It can be restored as of the same time again.
    bench.data = bench.root.path().join("restored-1");
    assert_eq!(bench.until(started + HOUR).await.frame, astray);
}

#[tokio::test]
async fn a_snapshot_that_ends_with_a_time_in_the_future_serves_later_moments() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.write(SECOND).await;
        bench.engine().snapshot().unwrap();
    }
    bench.set(bench.now() + YEAR);
    let astray = bench.write(SECOND).await;
    for _ in 0..2 {
        bench.engine().snapshot().unwrap();
        bench.set(MORNING + HOUR);
        bench.write(SECOND).await;
    }
    bench.engine().snapshot().unwrap();
    let first = bench.write(SECOND).await;
    let between = bench.now() + SECOND;
    bench.write(HOUR).await;
    bench.stop().await;
    let report = bench.until(between).await;
    assert_eq!(report.frame, first);
    assert!(report.frame > astray);
    let refused = bench.refused(Until::Time(UnixMillis(MORNING)));
    assert!(
        refused.contains("it does not go back to that point; the first moment that can be reached is "),
        "{refused}"
    );
}

#[tokio::test]
async fn a_moment_before_the_first_write_is_refused_and_the_first_one_named() {
    let mut bench = Bench::new();
    bench.write(0).await;
    bench.write(HOUR).await;
    bench.stop().await;
    for moment in [0, MORNING / 1000, MORNING - YEAR, MORNING - 1] {
        let refused = bench.refused(Until::Time(UnixMillis(moment)));
        let first = "the first moment that can be reached is 2026-11-23T09:00:00.000Z (frame 1)";
        assert!(refused.contains(first), "{refused}");
    }
    assert!(bench.refused(Until::Frame(0)).contains("(frame 1)"));
    assert_eq!(bench.until(MORNING).await.frame, 1);
    let (report, to) = bench.restore(Until::Frame(1_000_000)).unwrap();
    assert_eq!(report.frame, 2);
    bench.compare(&report, &to).await;
}

#[tokio::test]
async fn a_folder_to_which_nothing_was_written_has_no_moments() {
    let mut bench = Bench::new();
    bench.stop().await;
    assert!(bench.refused(Until::Time(UnixMillis(MORNING + YEAR))).contains("nothing has been written to it"));
    let (report, _) = bench.restore(Until::End).unwrap();
    assert_eq!((report.frame, report.time, report.records), (0, 0, 0));
}

#[tokio::test]
async fn the_first_moment_that_is_named_can_be_reached() {
    let mut bench = Bench::new();
    bench.set(MORNING + YEAR);
    bench.write(0).await;
    bench.set(MORNING);
    let low = bench.write(0).await;
    bench.write(HOUR).await;
    bench.stop().await;
    let refused = bench.refused(Until::Time(UnixMillis(MORNING - 1)));
    assert!(refused.contains(&format!("2026-11-23T09:00:00.000Z (frame {low})")), "{refused}");
    assert_eq!(bench.until(MORNING).await.frame, low);
}

#[tokio::test]
async fn damage_behind_the_moment_does_no_harm_and_damage_that_may_lie_before_it_does() {
    let mut bench = Bench::new();
    for _ in 0..40 {
        bench.write(SECOND).await;
    }
    bench.stop().await;
    let mut segments: Vec<_> =
        std::fs::read_dir(bench.data.join("journal")).unwrap().map(|e| e.unwrap().path()).collect();
    segments.sort();
    assert!(segments.len() > 2, "{segments:?}");
    let mut bytes = std::fs::read(&segments[1]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segments[1], bytes).unwrap();
    let refused = bench.refused(Until::Time(UnixMillis(MORNING + 40 * SECOND)));
    let (_, readable) = refused.rsplit_once("--until-frame ").unwrap();
    let readable: u64 = readable.split(' ').next().unwrap().parse().unwrap();
    let (report, to) = bench.restore(Until::Frame(readable)).unwrap();
    bench.compare(&report, &to).await;
    assert_eq!(report.frame, readable);
    // Its last frame is at this time, and the next one, which is damaged, may be too.
    let refused = bench.refused(Until::Time(UnixMillis(MORNING + readable * SECOND)));
    assert!(refused.contains(&format!("what followed frame {readable} is damaged")), "{refused}");
    let report = bench.until(MORNING + (readable - 1) * SECOND).await;
    assert_eq!(report.frame, readable - 1);
    assert_eq!(report.notes, [format!("what followed frame {readable} is damaged, and is left out")]);
}

/// A seeded stream: a walk that fails will fail the same way next time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
}

/// The expected result for a time: the last reachable frame written at it or before.
fn expected(bench: &Bench, moment: u64) -> Option<u64> {
    let oldest = |folder: &str| {
        let names = std::fs::read_dir(bench.data.join(folder)).into_iter().flatten();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter_map(|name| name.split('.').next()?.parse::<u64>().ok()).min()
    };
    let lowest = if oldest("journal") == Some(1) { 1 } else { oldest("snapshot").unwrap() };
    let reachable = bench.states.iter().filter(|(frame, ..)| *frame >= lowest);
    reachable.filter(|(_, time, _)| *time <= moment).map(|(frame, ..)| *frame).max()
}

#[tokio::test]
async fn a_clock_that_walks_anywhere_hides_nothing_across_restarts_snapshots_and_restores() {
    for seed in 1..=3 {
        let mut dice = Dice(0x5EED ^ seed << 40);
        let mut bench = Bench::new();
        let mut judged = 0;
        for step in 0..60 {
            let by = [SECOND, HOUR, DAY, YEAR][dice.roll(4)] * (1 + dice.roll(3) as u64);
            match dice.roll(12) {
                0 => bench.set(bench.now() + by),
                1 => bench.set(bench.now() - by),
                2 => drop(bench.engine().snapshot().unwrap()),
                3 | 4 => {
                    if dice.roll(2) == 0 {
                        bench.stop().await;
                    }
                    bench.engine = None;
                    bench.start();
                }
                5 if step > 10 => {
                    // Restored as of a time, and continued in the new folder.
                    bench.stop().await;
                    let moment = bench.states[dice.roll(bench.states.len())].1;
                    if let Some(frame) = expected(&bench, moment) {
                        let (report, to) = bench.restore(Until::Time(UnixMillis(moment))).unwrap();
                        assert!(report.frame >= frame);
                        bench.compare(&report, &to).await;
                        bench.states.retain(|(frame, ..)| *frame <= report.frame);
                        bench.states.last_mut().unwrap().1 = report.time;
                        bench.data = to;
                    }
                    bench.start();
                }
                _ => {
                    for _ in 0..=dice.roll(4) {
                        let after = dice.roll(5000) as u64;
                        bench.write(after).await;
                    }
                }
            }
        }
        bench.write(SECOND).await;
        bench.stop().await;
        let moments: Vec<_> =
            (0..12).map(|_| bench.states[dice.roll(bench.states.len())].1 + dice.roll(2) as u64).collect();
        for moment in moments {
            let Some(frame) = expected(&bench, moment) else {
                assert!(bench.refused(Until::Time(UnixMillis(moment))).contains("does not go back to that point"));
                continue;
            };
            let report = bench.until(moment).await;
            assert!(report.time <= moment, "seed {seed}: {report:?}");
            let time = |frame: u64| bench.states.iter().find(|state| state.0 == frame).unwrap().1;
            // Further frames are included only if a segment was started in time after them, and later frames show that
            // the clock had been ahead.
            for more in frame + 1..=report.frame {
                assert!(bench.states.iter().any(|(later, at, _)| *later > more && *at < time(more)), "{report:?}");
            }
            assert!(report.frame >= frame, "seed {seed}: {report:?} instead of {frame}");
            let late = bench.states.iter().any(|(taken, at, _)| *taken <= report.frame && *at > moment);
            let said = report.notes.iter().any(|note| note.contains("included although"));
            // States of frames before the oldest snapshot are not considered.
            assert!(late || !said, "seed {seed}: {report:?}");
            judged += 1;
        }
        assert!(judged > 2, "seed {seed}: {judged}");
    }
}

/// Written by release 0.1.0, whose clock was a day ahead for one write: `before`, `astray`, `first`, then `second`, a
/// stop, a start, `third` and `fourth`. All from `astray` on carry that frame's time.
fn clamped() -> tempfile::TempDir {
    let folder = scratch();
    let fixture = [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", "folders", "clock-ahead-0.1.0"];
    super::copy_folder(&fixture.iter().collect::<PathBuf>(), folder.path());
    folder
}

/// Between `first` and `second`; between `third` and `fourth`; after the clock has caught up.
const IN_THE_FIRST_RUN: u64 = 1_796_063_757_785;
const IN_THE_SECOND_RUN: u64 = 1_796_063_759_682;
const CAUGHT_UP: u64 = IN_THE_SECOND_RUN + 2 * DAY;

fn restored(folder: &Path, until: Until) -> Result<RestoreReport, StoreError> {
    restore(folder, &scratch().path().join("to"), until, &options(), &|_| {})
}

#[tokio::test]
async fn a_moment_that_an_earlier_release_noted_wrongly_is_refused() {
    let folder = clamped();
    for moment in [IN_THE_FIRST_RUN, IN_THE_SECOND_RUN] {
        let refused = refused_as_unusable(restored(folder.path(), Until::Time(UnixMillis(moment))));
        let expected = "it is not known which of the frames 4 to 8 were written before that moment";
        assert!(refused.contains(expected) && refused.contains("--until-frame: 3 leaves"), "{refused}");
    }
    assert_eq!(restored(folder.path(), Until::Frame(5)).unwrap().frame, 5);
    let all = restored(folder.path(), Until::Time(UnixMillis(CAUGHT_UP))).unwrap();
    assert_eq!((all.frame, all.notes), (8, Vec::new()));
}

#[tokio::test]
async fn a_moment_that_an_earlier_release_may_have_noted_wrongly_is_doubted() {
    let folder = clamped();
    // In that case nothing shows that the clock was corrected.
    std::fs::remove_file(folder.path().join("journal/00000000000000000007.log")).unwrap();
    std::fs::remove_file(folder.path().join("manifest.json")).unwrap();
    std::fs::remove_file(folder.path().join("acked")).unwrap();
    let report = restored(folder.path(), Until::Time(UnixMillis(IN_THE_FIRST_RUN))).unwrap();
    assert_eq!(report.frame, 3);
    let [note] = &report.notes[..] else { panic!("{report:?}") };
    assert!(note.starts_with("frames 5 to 6 are left out, with the time 2026-12-01T"), "{note}");
}

#[tokio::test]
async fn a_folder_of_an_earlier_release_keeps_right_times_from_now_on() {
    let root = scratch();
    let data = root.path().join("data");
    restore(clamped().path(), &data, Until::End, &options(), &|_| {}).unwrap();
    let hand = Arc::new(Hand::default());
    hand.0.store(IN_THE_SECOND_RUN + HOUR, Ordering::Relaxed);
    let timed = Options { clock: Arc::<Hand>::clone(&hand), ..options() };
    let (engine, _) = sled::open(&data, &timed).unwrap();
    for _ in 0..2 {
        let mut tx = engine.begin();
        tx.put(Key::of(Keyspace::Meta).text("later"), Vec::new());
        tx.commit().await.unwrap();
        hand.0.fetch_add(HOUR, Ordering::Relaxed);
    }
    engine.close().await.unwrap();
    let report = restored(&data, Until::Time(UnixMillis(IN_THE_SECOND_RUN + HOUR + HOUR / 2))).unwrap();
    assert_eq!((report.frame, report.time), (9, IN_THE_SECOND_RUN + HOUR));
}
