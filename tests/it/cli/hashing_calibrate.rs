//! `sessiond hashing-calibrate`.

use crate::cli::sandbox::Sandbox;

#[test]
fn bcrypt_is_calibrated_to_the_wanted_time() {
    let sandbox = Sandbox::new();
    let found = sandbox.json(&["hashing-calibrate", "--with-alg", "bcrypt", "--with-time-per-hash-ms", "10", "--json"]);
    assert_eq!(found["settings"]["password_hashing_alg"], "BCRYPT");
    let cost = found["settings"]["bcrypt_log_rounds"].as_u64().unwrap();
    assert!((4..=20).contains(&cost), "{found}");
    assert!(found["msPerHash"].as_f64().unwrap() > 0.0);
    assert!(found["tried"].as_array().unwrap().len() >= 2);
}

#[test]
fn the_originals_spelling_is_understood() {
    let sandbox = Sandbox::new();
    let args = "hashingCalibrate --with_alg=argon2 --with_time_per_hash_ms=2000 --with_argon2_hashing_pool_size=1 \
                --with_argon2_max_memory_mb=16 --with_argon2_parallelism=2";
    let ended = sandbox.run(&args.split_whitespace().collect::<Vec<_>>());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for line in ["password_hashing_alg: ARGON2", "argon2_memory_kb: 16384", "argon2_parallelism: 2"] {
        assert!(ended.out.contains(line), "{}", ended.out);
    }
}

#[test]
fn what_is_missing_or_out_of_reach_is_said() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["hashing-calibrate"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("Please provide one of --with_alg=argon2 or --with_alg=bcrypt"), "{}", ended.err);
    let ended = sandbox.run(&["hashing-calibrate", "--with-alg", "argon2", "--with-time-per-hash-ms", "1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("needs longer for an argon2 hash"), "{}", ended.err);
}
