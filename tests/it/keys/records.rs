//! Golden bytes of the records of keys.

use crate::store::golden;
use sessiond::domain::ids::AppId;
use sessiond::domain::key::{KeyKind, KeyLife, Kid, Revocation, SigningAlgorithm};
use sessiond::domain::time::UnixMillis;
use sessiond::store::key_vault::KeyVaultRecord;
use sessiond::store::sealing_key::{SealingKeyEntry, SealingKeyRecord, V2Secret};
use sessiond::store::signing_key::{SigningKey, SigningKeyRecord, StoredSecret};
use sessiond::store::{Key, Keyspace};

fn app() -> AppId {
    AppId { connection_uri_domain: "example.com".to_owned(), app_id: "app1".to_owned() }
}

fn place(keyspace: Keyspace) -> Key {
    Key::of(keyspace).text("example.com").text("app1")
}

#[test]
fn a_signing_key_with_everything_in_it() {
    let life = KeyLife {
        kid: Kid::new("d-1700000000123"),
        kind: KeyKind::Dynamic,
        algorithm: SigningAlgorithm::RS256,
        moved_in: None,
        created: UnixMillis(1_700_000_000_123),
        planned_end: UnixMillis(1_700_604_800_123),
        published: Some(UnixMillis(1_700_000_000_124)),
        first_used: Some(UnixMillis(1_700_000_060_123)),
        retired: Some(UnixMillis(1_700_600_000_000)),
        revoked: Some(Revocation { at: UnixMillis(1_700_600_000_001), why: "laptop stolen".to_owned() }),
        deleted: Some(UnixMillis(1_700_700_000_000)),
    };
    let key = place(Keyspace::SigningKey).text("d-1700000000123");
    let record = SigningKey { life, public: vec![1, 2, 3], secret: StoredSecret::Gone };
    golden::newest("signing_key-history", &key, &SigningKeyRecord::from(record.clone()));
    golden::any_version("signing_key-history", 1, &SigningKeyRecord::from(record.clone()));
    let life = KeyLife { moved_in: Some(UnixMillis(1_700_000_000_200)), ..record.life };
    golden::newest("signing_key-moved-in", &key, &SigningKeyRecord::from(SigningKey { life, ..record }));
}

#[test]
fn a_signing_key_that_is_new() {
    let kid = Kid::new("s-00000000-0000-0000-0000-000000000001");
    let life =
        KeyLife::created(kid.clone(), KeyKind::Static, SigningAlgorithm::EdDSA, 1, UnixMillis(1_700_000_000_123));
    for (name, secret) in [("plain", StoredSecret::Plain(vec![7; 32])), ("sealed", StoredSecret::Sealed(vec![8; 60]))] {
        let record = SigningKeyRecord::from(SigningKey { life: life.clone(), public: vec![9; 32], secret });
        let name = format!("signing_key-{name}");
        golden::newest(&name, &place(Keyspace::SigningKey).text(kid.as_str()), &record);
        golden::any_version(&name, 1, &record);
    }
}

#[test]
fn a_sealing_key() {
    let entry = SealingKeyEntry {
        revision: 300,
        id: 1,
        created: UnixMillis(1_700_000_000_123),
        secret: StoredSecret::Plain(vec![7; 32]),
        v2: None,
    };
    let key = place(Keyspace::SealingKey);
    golden::newest("sealing_key", &key, &SealingKeyRecord::new(&app(), entry.clone()));
    golden::any_version("sealing_key", 1, &SealingKeyRecord::new(&app(), entry.clone()));
    let moved_in = Some(UnixMillis(1_700_000_000_200));
    let v2 = Some(V2Secret { secret: StoredSecret::Sealed(vec![8; 60]), moved_in });
    golden::newest("sealing_key-v2", &key, &SealingKeyRecord::new(&app(), SealingKeyEntry { v2, ..entry }));
}

#[test]
fn the_key_vault() {
    let key = Key::of(Keyspace::Meta).text("key_vault");
    golden::newest("key_vault-plain", &key, &KeyVaultRecord { salt: [3; 16], check: None });
    golden::newest("key_vault-sealed", &key, &KeyVaultRecord { salt: [3; 16], check: Some(vec![4; 36]) });
}
