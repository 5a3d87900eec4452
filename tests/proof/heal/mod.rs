//! The process is interrupted during recovery, healing and every kind of work on a folder: by `kill -9` and SIGTERM at
//! random moments, before chosen system calls, by a limit on file sizes, by a full disk. The next start finds
//! everything that was acknowledged, or refuses for the same reason as without the interruption.
//!
//! A case is a folder with some damage. The outcome of an undisturbed start on it is the verdict. The same folder is
//! then started, or worked on, and interrupted, once or several times, and finally started undisturbed: the verdict has
//! to be the same, and the contents have to be the same, row by row.
//!
//! `SESSIOND_PROOF_LONG=1` runs the long form, `SESSIOND_HEAL_SEED` repeats a run's choices. Needs root and strace.

mod blow;
mod disk;
mod folder;

mod worker;

use self::blow::{Blow, Ended, Program, calls_of};
use self::disk::Disk;
use self::folder::{Contents, DAMAGES, Damage, Ground, Verdict, bytes_of, copy_folder, verdict};
use crate::from_environment;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::fmt::Write as _;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The amount of work.
struct Form {
    /// Random interruptions per damage.
    random: usize,
    /// Interruptions before system calls per damage, at most.
    calls: usize,
    /// Limits on file sizes, and full disks, per damage.
    lacks: usize,
    /// Random interruptions per kind of work.
    works: usize,
}

fn form() -> Form {
    if from_environment("SESSIOND_PROOF_LONG").is_some() {
        Form { random: 12, calls: 60, lacks: 8, works: 25 }
    } else {
        Form { random: 1, calls: 2, lacks: 1, works: 2 }
    }
}

fn rng(name: &str) -> StdRng {
    let seed = from_environment("SESSIOND_HEAL_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("{name}: seed {seed}");
    StdRng::seed_from_u64(seed)
}

/// The results of one test's interruptions.
#[derive(Debug, Default)]
struct Tally {
    /// Interrupted before the work was done.
    inside: usize,
    /// The work was done before the interruption, or succeeded despite it.
    outside: usize,
    whole: usize,
    refused: usize,
}

impl Tally {
    fn add(&mut self, ended: &Ended) {
        if ended.is_done { self.outside += 1 } else { self.inside += 1 }
    }

    /// The verdict has to be the same as before.
    fn judge(&mut self, found: &Verdict, expected: &Verdict, label: &str) {
        match expected {
            Verdict::Whole(_) => self.whole += 1,
            Verdict::Refused(_) => self.refused += 1,
        }
        assert!(found == expected, "{label}: {found:?} instead of {expected:?}");
    }
}

/// A damaged folder, ready to be copied, and the outcome of an undisturbed start on it.
struct Case {
    damage: &'static Damage,
    folder: PathBuf,
    verdict: Verdict,
    /// The system calls of that start.
    takes: Duration,
}

fn cases(ground: &Ground, rng: &mut StdRng, at: &Path) -> Vec<Case> {
    let case = |damage: &'static Damage| {
        let folder = at.join(damage.name);
        damage.inflict(ground, &folder, rng);
        let copy = at.join("undisturbed");
        copy_folder(&folder, &copy);
        let takes = Program::serve(&copy).run(&Blow::None).took;
        fs::remove_dir_all(&copy).unwrap();
        copy_folder(&folder, &copy);
        let verdict = damage.comparable(verdict(&copy));
        fs::remove_dir_all(&copy).unwrap();
        assert_eq!(matches!(verdict, Verdict::Refused(_)), damage.is_refused, "{}: {verdict:?}", damage.name);
        if let (Verdict::Whole(found), Some(all)) = (&verdict, damage.contents(ground)) {
            assert!(found == all, "{}: an undisturbed start has lost something", damage.name);
        }
        Case { damage, folder, verdict, takes }
    };
    DAMAGES.iter().map(case).collect()
}

#[test]
fn heal_starts_that_are_stopped_at_any_moment_cost_nothing() {
    let (form, mut rng) = (form(), rng("starts"));
    let place = folder::scratch();
    let ground = Ground::make(place.path());
    let mut told = String::new();
    let mut inside = 0;
    for case in cases(&ground, &mut rng, place.path()) {
        let mut tally = Tally::default();
        let data = place.path().join("data");
        let strike = |blows: &[Blow], tally: &mut Tally| {
            copy_folder(&case.folder, &data);
            for blow in blows {
                tally.add(&Program::serve(&data).run(blow));
            }
            let found = case.damage.comparable(verdict(&data));
            tally.judge(&found, &case.verdict, &format!("{} after {blows:?}", case.damage.name));
            fs::remove_dir_all(&data).unwrap();
        };
        for _ in 0..form.random {
            let blows: Vec<_> =
                (0..rng.random_range(1..4)).map(|_| Blow::random(&mut rng, case.takes.mul_f64(1.1))).collect();
            strike(&blows, &mut tally);
        }
        copy_folder(&case.folder, &data);
        let calls = calls_of(&Program::serve(&data));
        fs::remove_dir_all(&data).unwrap();
        for (call, time) in some(&calls, form.calls, &mut rng) {
            strike(&[Blow::Before { call, time }], &mut tally);
        }
        for _ in 0..form.lacks {
            let limit = 4096 << rng.random_range(0..13);
            strike(&[Blow::FileSize(limit)], &mut tally);
        }
        inside += tally.inside;
        let _ = writeln!(told, "{:>24}: {:?}, {} system calls, {tally:?}", case.damage.name, case.takes, calls.len());
    }
    println!("{told}{inside} starts were interrupted");
    assert!(inside > DAMAGES.len(), "the interruptions came too late to prove anything");
    ground.check_ledgers(place.path());
}

/// Some of the calls: the first of each kind, and others at random.
fn some(calls: &[(&'static str, usize)], count: usize, rng: &mut StdRng) -> Vec<(&'static str, usize)> {
    let mut rest = calls.to_vec();
    let mut chosen = Vec::new();
    while chosen.len() < count && !rest.is_empty() {
        // Renames, removals and syncs are few and matter most; writes are many.
        let steps: Vec<_> = (0..rest.len()).filter(|at| !rest[*at].0.contains("write")).collect();
        let at = if steps.is_empty() || chosen.len() % 4 == 3 {
            rng.random_range(0..rest.len())
        } else {
            steps[rng.random_range(0..steps.len())]
        };
        chosen.push(rest.swap_remove(at));
    }
    chosen
}

#[test]
fn heal_starts_on_a_full_disk_cost_nothing() {
    let (form, mut rng) = (form(), rng("full disks"));
    let place = folder::scratch();
    let ground = Ground::make(place.path());
    let mut tally = Tally::default();
    for case in cases(&ground, &mut rng, place.path()) {
        for _ in 0..form.lacks {
            let disk = Disk::make(place.path(), 192);
            copy_folder(&case.folder, &disk.data());
            // Small limits matter most: from 4 KiB to 32 MiB, each doubling equally likely.
            let left = rng.random_range(4096..8192) << rng.random_range(0..13);
            disk.fill_up_to(left);
            tally.add(&Program::serve(&disk.data()).run(&Blow::None));
            disk.empty();
            let found = case.damage.comparable(verdict(&disk.data()));
            tally.judge(&found, &case.verdict, &format!("{} with {left} bytes left", case.damage.name));
        }
    }
    println!("full disks: {tally:?}");
    assert!(tally.inside >= DAMAGES.len() / 3, "the disks were not full: {tally:?}");
}

/// Work that leaves a folder as it is: interrupting it must leave it so, too.
#[test]
fn heal_work_on_a_folder_that_is_stopped_costs_nothing() {
    let (form, mut rng) = (form(), rng("work"));
    let place = folder::scratch();
    let ground = Ground::make(place.path());
    let data = place.path().join("data");
    let all = Verdict::Whole(ground.contents.clone());
    let works: [&[&str]; 4] = [&["compact"], &["check"], &["backup", "copy"], &["keys", "list"]];
    let mut inside = 0;
    for work in works {
        let mut tally = Tally::default();
        let program = Program::on(&data, work);
        copy_folder(&ground.stopped, &data);
        let takes = program.run(&Blow::None).took;
        for _ in 0..form.works {
            let _ = fs::remove_dir_all(&data);
            let _ = fs::remove_dir_all(place.path().join("copy"));
            copy_folder(&ground.stopped, &data);
            let blow = match rng.random_range(0..4) {
                0 => Blow::FileSize(4096 << rng.random_range(0..13)),
                _ => Blow::random(&mut rng, takes),
            };
            tally.add(&program.run(&blow));
            tally.judge(&verdict(&data), &all, &format!("{work:?} after {blow:?}"));
        }
        let _ = fs::remove_dir_all(&data);
        println!("{work:?}: {takes:?}, {tally:?}");
        inside += tally.inside;
    }
    assert!(inside > 0, "no work was interrupted");
}

#[test]
fn heal_a_compaction_beside_a_server_that_is_killed_costs_nothing() {
    let (form, mut rng) = (form(), rng("online compaction"));
    let place = folder::scratch();
    let ground = Ground::make(place.path());
    let data = place.path().join("data");
    let all = Verdict::Whole(ground.contents.clone());
    let mut tally = Tally::default();
    for _ in 0..form.works {
        copy_folder(&ground.stopped, &data);
        let server = Program::serve(&data).start();
        let compaction = Program::on(&data, &["compact"]).start();
        std::thread::sleep(Duration::from_millis(rng.random_range(0..400)));
        server.kill();
        tally.add(&compaction.end());
        tally.judge(&verdict(&data), &all, "a compaction");
        fs::remove_dir_all(&data).unwrap();
    }
    println!("online compaction: {tally:?}");
}

#[test]
fn heal_a_restore_that_is_stopped_is_repeated_and_its_source_is_untouched() {
    let (form, mut rng) = (form(), rng("restore"));
    let place = folder::scratch();
    let ground = Ground::make(place.path());
    let (fresh, mounted) = (place.path().join("fresh"), place.path().join("mounted"));
    let (before, all) = (bytes_of(&ground.stopped), Verdict::Whole(ground.contents.clone()));
    let mut tally = Tally::default();
    for number in 0..form.works {
        // Into a folder that does not exist, and into one that does.
        let to = if number % 2 == 0 { &fresh } else { &mounted };
        let _ = fs::remove_dir_all(&fresh);
        let _ = fs::remove_dir_all(&mounted);
        fs::create_dir(&mounted).unwrap();
        let program = Program::command(place.path(), &["restore", text(&ground.stopped), text(to)]);
        let takes = {
            let other = place.path().join("other");
            let program = Program::command(place.path(), &["restore", text(&ground.stopped), text(&other)]);
            let took = program.run(&Blow::None).took;
            fs::remove_dir_all(&other).unwrap();
            took
        };
        tally.add(&program.run(&Blow::random(&mut rng, takes)));
        assert!(bytes_of(&ground.stopped) == before, "the source has changed");
        let mut again = program.run(&Blow::None);
        if !again.is_done && again.err.contains("nothing is overwritten") {
            // It was complete, or it had begun to move its parts up, which a start reports as well.
            let started = Program::serve(to).run(&Blow::None);
            if !started.is_done {
                assert!(started.err.contains("repeat it"), "{}", started.err);
                fs::remove_dir_all(to).unwrap();
                again = program.run(&Blow::None);
                assert!(again.is_done, "{}", again.err);
            }
        } else {
            assert!(again.is_done, "{}", again.err);
        }
        tally.judge(&verdict(to), &all, "a restore");
    }
    println!("restore: {tally:?}");
    assert!(tally.inside > 0, "no restore was interrupted");
}

#[test]
fn heal_an_import_that_is_stopped_goes_on_and_brings_each_user_once() {
    const USERS: usize = 2000;
    const HASH: &str = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
    let (form, mut rng) = (form(), rng("import"));
    let place = folder::scratch();
    let ground = Ground::make(place.path());
    let (data, file) = (place.path().join("data"), place.path().join("users.jsonl"));
    let mut lines = String::new();
    for number in 0..USERS {
        let _ = writeln!(lines, r#"{{"email":"import{number}@x.io","passwordHash":"{HASH}","timeJoined":{number}}}"#);
    }
    fs::write(&file, lines).unwrap();
    let import = Program::on(&data, &["users", "import", text(&file)]);
    let mut expected: Option<usize> = None;
    let mut takes = Duration::ZERO;
    let mut tally = Tally::default();
    for round in 0..=form.works {
        copy_folder(&ground.stopped, &data);
        // The first one is not interrupted and shows how many rows there are afterwards.
        let blows = if round == 0 { 0 } else { rng.random_range(1..3) };
        for _ in 0..blows {
            tally.add(&import.run(&Blow::random(&mut rng, takes)));
        }
        let last = import.run(&Blow::None);
        assert!(last.is_done, "{}", last.err);
        takes = takes.max(last.took);
        let Verdict::Whole(contents) = verdict(&data) else { panic!("refused after {blows} interruptions") };
        assert!(holds(&contents, &ground.contents), "round {round}: an import has taken something away");
        let known = *expected.get_or_insert(contents.len());
        assert_eq!(contents.len(), known, "round {round}: users are missing, or twice there");
        let server = Program::serve(&data).start();
        let count = server.client().send("GET", "/users/count", None).unwrap().json()["count"].as_u64();
        assert_eq!(count, Some(ground.users + USERS as u64));
        server.kill();
        fs::remove_dir_all(&data).unwrap();
    }
    println!("import: {tally:?}");
}

/// Rows that nobody changes are there unchanged; counters of users have grown.
fn holds(found: &Contents, all: &Contents) -> bool {
    all.iter()
        .all(|(key, value)| found.get(key).is_some_and(|now| now == value || key.keyspace.name().contains("count")))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
