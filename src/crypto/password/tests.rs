use super::common::BASE64_BCRYPT;
use super::*;
use base64::Engine as _;

const CHEAP: HashParameters = HashParameters::Bcrypt { cost: 4 };

fn check(hash: &str, password: &str) -> Check {
    let hash = StoredHash::parse(hash).unwrap_or_else(|| panic!("{hash} is a hash"));
    // The parameters of new hashes do not matter here, only in `outdated`.
    match hash.check(password.as_bytes(), None, CHEAP).unwrap() {
        Check::RightButOutdated => Check::Right,
        check => check,
    }
}

/// Whether a hash of this password should be replaced when new ones are made with `wanted`.
fn outdated(hash: &str, password: &str, wanted: HashParameters) -> bool {
    match StoredHash::parse(hash).unwrap().check(password.as_bytes(), None, wanted).unwrap() {
        Check::RightButOutdated => true,
        Check::Right => false,
        other => panic!("{hash}: {other:?}"),
    }
}

fn new(password: &str, parameters: HashParameters) -> String {
    StoredHash::new(password.as_bytes(), parameters, *b"0123456789abcdef").unwrap().text()
}

/// From the test suite of jBCrypt, the reference library.
#[test]
fn hashes_of_jbcrypt_verify() {
    for (password, hash) in [
        ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
        ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
        ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
        ("abcdefghijklmnopqrstuvwxyz", "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC"),
        ("~!@#$%^&*()      ~!@#$%^&*()PNBFRD", "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO"),
    ] {
        assert_eq!(check(hash, password), Check::Right, "{password}");
        assert_eq!(check(hash, &format!("{password}x")), Check::Wrong);
        for minor in ["$2b", "$2x", "$2y"] {
            assert_eq!(check(&hash.replace("$2a", minor), password), Check::Right);
        }
        assert_eq!(StoredHash::parse(hash).unwrap().text(), hash);
    }
}

/// From the test suite of passlib.
#[test]
fn hashes_of_passlib_for_long_passwords_verify() {
    let long = "abc123".repeat(12);
    for (password, hash) in [
        ("password".to_owned(), "$bcrypt-sha256$v=2,t=2b,r=5$5Hg1DKFqPE8C2aflZ5vVoe$wOK1VFFtS8IGTrGa7.h5fs0u84qyPbS"),
        (long.clone(), "$bcrypt-sha256$v=2,t=2b,r=5$X1g1nh3g0v4h6970O68cxe$zu1cloESVFIOsUIo7fCEgkdHaI9SSue"),
        (format!("{long}qwr"), "$bcrypt-sha256$v=2,t=2b,r=5$X1g1nh3g0v4h6970O68cxe$CBF9csfEdW68xv3DwE6xSULXMtqEFP."),
        (format!("{long}xyz"), "$bcrypt-sha256$v=2,t=2b,r=5$X1g1nh3g0v4h6970O68cxe$zC/1UDUG2ofEXB6Onr2vvyFzfhEOS3S"),
    ] {
        assert_eq!(check(hash, &password), Check::Right, "{password}");
        assert_eq!(check(hash, &format!("{password}x")), Check::Wrong);
        assert_eq!(StoredHash::parse(hash).unwrap().text(), hash);
    }
}

#[test]
fn long_passwords_are_told_apart_from_their_first_byte_to_their_last() {
    let long = "p".repeat(72);
    for (password, other) in [
        (format!("{long}a"), format!("{long}b")),
        (format!("{long}a"), long.clone()),
        (long.clone(), format!("{long}a")),
        ("p".repeat(71), long.clone()),
        ("p".repeat(71), format!("{long}a")),
        ("ä".repeat(36), "ä".repeat(37)),
    ] {
        let hash = new(&password, CHEAP);
        assert_eq!(check(&hash, &password), Check::Right);
        assert_eq!(check(&hash, &other), Check::Wrong, "{} and {} bytes", password.len(), other.len());
    }
    assert!(new(&"p".repeat(71), CHEAP).starts_with("$2a$04$"));
    assert!(new(&long, CHEAP).starts_with("$bcrypt-sha256$v=2,t=2b,r=4$"));
}

#[test]
fn an_imported_hash_of_a_long_password_verifies_as_where_it_came_from() {
    let long = "p".repeat(80);
    let imported = {
        let cut = ::bcrypt::bcrypt(4, *b"0123456789abcdef", &long.as_bytes()[..72]);
        let (salt, hash) = (BASE64_BCRYPT_ENCODE(b"0123456789abcdef"), BASE64_BCRYPT_ENCODE(&cut[..23]));
        format!("$2y$04${salt}{hash}")
    };
    assert!(outdated(&imported, &long, CHEAP));
    assert!(outdated(&imported, &format!("{long}x"), CHEAP));
    // The owner's password may be longer than 72 bytes: a hash of these alone would lock the owner out.
    let start = "p".repeat(72);
    assert!(!outdated(&imported, &start, CHEAP));
    assert!(!outdated(&imported, &start, HashParameters::Bcrypt { cost: 5 }));
    assert_eq!(check(&imported, &"p".repeat(71)), Check::Wrong);
}

#[expect(non_snake_case, reason = "reads as the constant it wraps")]
fn BASE64_BCRYPT_ENCODE(bytes: &[u8]) -> String {
    BASE64_BCRYPT.encode(bytes)
}

/// From the test suite of the reference implementation (phc-winner-argon2). It has no text for argon2d: the one here
/// was generated with it.
#[test]
fn hashes_of_the_argon2_reference_verify() {
    for hash in [
        "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
        "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        "$argon2d$v=19$m=256,t=2,p=1$c29tZXNhbHQ$JcTui6RIBUtJ78gE5Hi52CO+H5vS6Z9R1uxAB6OhUB8",
    ] {
        assert_eq!(check(hash, "password"), Check::Right, "{hash}");
        assert_eq!(check(hash, "differentpassword"), Check::Wrong, "{hash}");
    }
}

#[test]
fn new_argon2_hashes_are_argon2id_with_the_given_parameters() {
    let parameters = HashParameters::Argon2 { iterations: 2, memory_kib: 8, parallelism: 2 };
    let hash = new("password", parameters);
    assert!(hash.starts_with("$argon2id$v=19$m=16,t=2,p=2$"), "{hash}: memory is raised to the least for two lanes");
    assert_eq!(check(&hash, "password"), Check::Right);
    assert_eq!(check(&hash, "Password"), Check::Wrong);
    let fields: Vec<_> = hash.split('$').collect();
    assert_eq!((fields[4].len(), fields[5].len()), (22, 43), "16 bytes of salt, 32 of hash");
}

#[test]
fn a_hash_is_outdated_when_new_ones_take_another_time() {
    let argon2 = |iterations, memory_kib, parallelism| HashParameters::Argon2 { iterations, memory_kib, parallelism };
    let (bcrypt4, bcrypt5) = (CHEAP, HashParameters::Bcrypt { cost: 5 });
    let all = [bcrypt4, bcrypt5, argon2(1, 16, 2), argon2(2, 16, 2), argon2(1, 32, 2), argon2(1, 32, 1)];
    for (made, of) in all.into_iter().enumerate() {
        let hash = new("password", of);
        for (wanted, parameters) in all.into_iter().enumerate() {
            assert_eq!(outdated(&hash, "password", parameters), made != wanted, "{hash}, {parameters:?}");
        }
    }
    // Parameters that were raised or lowered to the limits do not make a hash outdated.
    for parameters in [HashParameters::Bcrypt { cost: 1 }, argon2(0, 8, 2), argon2(1, 0, 1)] {
        assert!(!outdated(&new("password", parameters), "password", parameters), "{parameters:?}");
    }
    let long = "p".repeat(72);
    let of_long = new(&long, bcrypt4);
    assert!(!outdated(&of_long, &long, bcrypt4));
    assert!(outdated(&of_long, &long, bcrypt5));
    assert!(!outdated(&new("password", bcrypt4).replace("$2a", "$2y"), "password", bcrypt4), "it takes the same time");
    let argon2i = "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8";
    assert!(outdated(argon2i, "password", argon2(2, 256, 1)));
}

/// From the documentation of Firebase's own implementation.
#[test]
fn hashes_of_firebase_verify_with_the_projects_signer_key() {
    let key =
        signer_key_bytes("jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==");
    let (hash, salt) = (
        "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        "42xEC+ixf3L2lw==",
    );
    for last in ["m=14$r=8$s=Bw==", "s=Bw==$r=8$m=14", "r=8$s=Bw$m=14"] {
        let stored = StoredHash::parse(&format!("$f_scrypt${hash}${salt}${last}")).unwrap();
        assert_eq!(stored.check(b"user1password", Some(&key), CHEAP), Ok(Check::RightButOutdated));
        assert_eq!(stored.check(b"user1passwore", Some(&key), CHEAP), Ok(Check::Wrong));
        assert_eq!(stored.check(b"user1password", Some(b"another key"), CHEAP), Ok(Check::Wrong));
        assert_eq!(stored.check(b"user1password", None, CHEAP), Ok(Check::NoSignerKey));
    }
}

#[test]
fn malformed_and_unbearable_hashes_are_refused() {
    let salt_and_hash = "m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";
    let argon2 = |parameters: &str| format!("$argon2id$v=19${parameters}$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu");
    assert!(StoredHash::parse(&argon2("m=256,t=2,p=1")).is_some());
    for text in [
        String::new(),
        "password".to_owned(),
        format!("$2c$06${salt_and_hash}"),
        format!("$2$06${salt_and_hash}"),
        format!("$2a$6${salt_and_hash}"),
        format!("$2a$03${salt_and_hash}"),
        format!("$2a$21${salt_and_hash}"),
        format!("$2a$-6${salt_and_hash}"),
        format!("$2a$06${salt_and_hash}x"),
        format!("$2a$06${}", &salt_and_hash[1..]),
        format!("$2a$06${}", salt_and_hash.replace("rS", "r$")),
        format!("$2a$06${}", salt_and_hash.replace("rS", "ä")),
        "$2".to_owned(),
        "$2ä".to_owned(),
        argon2("m=256,t=2"),
        argon2("m=256,t=2,p=1,m=256"),
        argon2("m=256,t=0,p=1"),
        argon2("m=7,t=2,p=1"),
        argon2("m=4194304,t=1,p=1"),
        argon2("m=1048576,t=64,p=1"),
        argon2("m=256,t=2,p=1").replace("v=19", "v=18"),
        argon2("m=256,t=2,p=1").replace("argon2id", "argon2x"),
        argon2("m=256,t=2,p=1") + "$more",
        "$argon2id$v=19$m=256,t=2,p=1$c29t$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu".to_owned(),
        "$f_scrypt$aGFzaA==$c2FsdA==$m=14$r=8".to_owned(),
        "$f_scrypt$aGFzaA==$c2FsdA==$m=14$r=8$s=Bw==$x".to_owned(),
        "$f_scrypt$aGFzaA==$c2FsdA==$m=14$r=8$r=8".to_owned(),
        "$f_scrypt$$c2FsdA==$m=14$r=8$s=Bw==".to_owned(),
        "$f_scrypt$aGFzaA==$c2FsdA==$m=30$r=8$s=Bw==".to_owned(),
        "$f_scrypt$aGFzaA==$c2FsdA==$m=255$r=8$s=Bw==".to_owned(),
        "$f_scrypt$aGFzaA==$c2FsdA==$m=14$r=0$s=Bw==".to_owned(),
        "$f_scrypt$???$c2FsdA==$m=14$r=8$s=Bw==".to_owned(),
    ] {
        assert!(StoredHash::parse(&text).is_none(), "{text}");
    }
}
