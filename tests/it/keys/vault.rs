//! Keys at rest: plain or under a master key, and conversion between the two.

use super::world::{DEFAULTS, START, Seeded, World};
use sessiond::crypto::refresh_token::RefreshToken;
use sessiond::crypto::sealing::{MessageKey, key_from_master};
use sessiond::domain::ids::{AppId, SessionHandle, TenantId, UserId};
use sessiond::domain::key::KeyKind::Dynamic;
use sessiond::domain::key::{KeyRules, RefreshTokenFormat};
use sessiond::domain::secret::Secret;
use sessiond::state::key::{KeyRing, KeyRings, KeyVault, MasterKey, UnlockError, reseal, unlock};
use sessiond::store::key_vault::{self, KeyVaultRecord};
use sessiond::store::memory::MemoryEngine;
use sessiond::store::signing_key::{self, StoredSecret};
use sessiond::store::{Engine, Keyspace, Scan, sealing_key};
use std::sync::Arc;

const FIRST: &str = "a master key of at least 32 characters";
const SECOND: &str = "another master key, also long enough here";

fn master(text: &str) -> MasterKey {
    MasterKey::new(text).unwrap()
}

/// An environment whose vault was opened with this master key.
async fn unlocked(store: MemoryEngine, key: Option<&str>) -> Result<World, (UnlockError, MemoryEngine)> {
    let key = key.map(master);
    match unlock(&store, key.as_ref(), &Seeded::new(9)).await {
        Ok(vault) => Ok(World { store, rings: KeyRings::new(vault), ..World::new() }),
        Err(error) => Err((error, store)),
    }
}

async fn open(store: MemoryEngine, key: Option<&str>) -> World {
    unlocked(store, key).await.map_err(|(error, _)| error).unwrap()
}

async fn error(store: MemoryEngine, key: Option<&str>) -> (UnlockError, MemoryEngine) {
    match unlocked(store, key).await {
        Ok(_) => panic!("unlocked"),
        Err(error) => error,
    }
}

/// Every value in the store.
async fn all_bytes(store: &MemoryEngine) -> Vec<u8> {
    let mut bytes = Vec::new();
    for keyspace in [Keyspace::SigningKey, Keyspace::SealingKey, Keyspace::Meta] {
        let start = sessiond::store::Key::of(keyspace);
        let scan = Scan { start, end: None, reverse: false, limit: usize::MAX };
        for (_, value) in store.begin().scan(&scan).await.unwrap() {
            bytes.extend(value);
        }
    }
    bytes
}

async fn plain_secrets(world: &World) -> Vec<Vec<u8>> {
    let mut tx = world.store.begin();
    let mut secrets = Vec::new();
    for key in signing_key::list(&mut *tx, &world.app).await.unwrap() {
        if let StoredSecret::Plain(secret) = &key.secret {
            secrets.push(secret.clone());
        }
    }
    if let StoredSecret::Plain(secret) = &sealing_key::get(&mut *tx, &world.app).await.unwrap().unwrap().secret {
        secrets.push(secret.clone());
    }
    secrets
}

fn refresh_token() -> RefreshToken {
    RefreshToken {
        handle: SessionHandle { uuid: uuid::Uuid::from_u128(1), tenant: TenantId::public() },
        user_id: UserId::new("user"),
        parent_refresh_token_hash_1: None,
        anti_csrf_token: None,
        generation: 0,
    }
}

fn same_keys(a: &Arc<KeyRing>, b: &Arc<KeyRing>) -> bool {
    a.jwks_text() == b.jwks_text() && a.tokens.signing_kid(Dynamic) == b.tokens.signing_kid(Dynamic)
}

#[test]
fn a_master_key_has_32_characters() {
    assert!(matches!(MasterKey::new(&"x".repeat(31)), Err(UnlockError::TooShort)));
    assert!(matches!(MasterKey::new(&format!("{}\n  ", "x".repeat(31))), Err(UnlockError::TooShort)));
    assert!(MasterKey::new(&"\u{e9}".repeat(32)).is_ok());
    assert!(!format!("{:?}", master(FIRST)).contains("master key of"));
}

#[tokio::test]
async fn with_a_master_key_no_secret_is_in_the_store() {
    let plain = open(MemoryEngine::new(), None).await;
    plain.ring(START).await;
    let secrets = plain_secrets(&plain).await;
    assert_eq!(secrets.len(), 3, "without one they are: dynamic, static, sealing");

    let sealed = open(MemoryEngine::new(), Some(FIRST)).await;
    sealed.ring(START).await;
    assert!(plain_secrets(&sealed).await.is_empty());
    let bytes = all_bytes(&sealed.store).await;
    // the secrets themselves, as they are in plain form
    let (vault, _) = reseal(&sealed.store, &vault_of(&sealed.store, FIRST).await, None, &Seeded::new(4)).await.unwrap();
    assert!(!vault.is_sealed());
    for secret in plain_secrets(&sealed).await {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

async fn vault_of(store: &MemoryEngine, key: &str) -> KeyVault {
    unlock(store, Some(&master(key)), &Seeded::new(5)).await.unwrap()
}

#[tokio::test]
async fn the_same_master_key_opens_again() {
    let world = open(MemoryEngine::new(), Some(FIRST)).await;
    let before = world.ring(START).await;
    let world = open(world.store, Some(&format!("  {FIRST}\n"))).await;
    assert!(same_keys(&before, &world.ring(START).await));
}

/// Version 0.1.0 treated the byte order mark of a key file as part of the key.
#[tokio::test]
async fn a_folder_that_was_sealed_under_a_key_with_a_byte_order_mark_opens() {
    let (salt, entropy) = ([7; 16], Seeded::new(1));
    let old = format!("\u{feff}{FIRST}");
    let key = MessageKey::new(&key_from_master(&Secret::new(old.clone()), &salt));
    let check = Some(key.seal_at_rest(b"the master key of this data folder", b"sessiond", &entropy));
    let store = MemoryEngine::new();
    let mut tx = store.begin();
    key_vault::put(&mut *tx, &KeyVaultRecord { salt, check }).unwrap();
    tx.commit().await.unwrap();
    let (wrong, store) = error(store, Some(FIRST)).await;
    assert!(matches!(wrong, UnlockError::Wrong), "{wrong}");
    open(store, Some(&old)).await.ring(START).await;

    let world = open(MemoryEngine::new(), Some(&old)).await;
    open(world.store, Some(FIRST)).await.ring(START).await;
}

#[tokio::test]
async fn a_wrong_missing_or_unexpected_master_key_is_refused_with_the_way_out() {
    let world = open(MemoryEngine::new(), Some(FIRST)).await;
    world.ring(START).await;
    let (wrong, store) = error(world.store, Some(SECOND)).await;
    assert!(matches!(wrong, UnlockError::Wrong) && wrong.to_string().contains("keys reseal"), "{wrong}");
    let (missing, store) = error(store, None).await;
    assert!(
        matches!(missing, UnlockError::Missing) && missing.to_string().contains("SESSIOND_MASTER_KEY"),
        "{missing}"
    );
    // refused attempts change nothing
    open(store, Some(FIRST)).await.ring(START).await;

    let world = open(MemoryEngine::new(), None).await;
    let (unexpected, store) = error(world.store, Some(FIRST)).await;
    assert!(
        matches!(unexpected, UnlockError::NotSealed) && unexpected.to_string().contains("keys reseal"),
        "{unexpected}"
    );
    open(store, None).await;
}

#[tokio::test]
async fn reseal_goes_from_none_to_one_to_another_to_none() {
    let world = open(MemoryEngine::new(), None).await;
    let other = AppId { app_id: "other".to_owned(), ..AppId::base() };
    world.add_app(&other).await;
    let before = world.ring(START).await;
    let other_before = world.rings.ring_in(world.at(START), &other, world.rules).await.unwrap();
    let refresh = before.refresh_sealing.seal_refresh_token(&refresh_token(), &Seeded::new(8));
    let mut store = world.store;
    for (from, to) in [(None, Some(FIRST)), (Some(FIRST), Some(SECOND)), (Some(SECOND), None)] {
        let entropy = Seeded::new(6);
        let old = unlock(&store, from.map(master).as_ref(), &entropy).await.unwrap();
        let (vault, count) = reseal(&store, &old, to.map(master).as_ref(), &entropy).await.unwrap();
        assert_eq!((count, vault.is_sealed()), (6, to.is_some()));
        if from.is_some() {
            (_, store) = error(store, from).await;
        }
        let world = open(store, to).await;
        let now = world.ring(START).await;
        assert!(same_keys(&before, &now), "{from:?} to {to:?}");
        assert_eq!(now.refresh_sealing.open_refresh_token(refresh.expose()), Some(refresh_token()));
        let other_now = world.rings.ring_in(world.at(START), &other, world.rules).await.unwrap();
        assert!(same_keys(&other_before, &other_now));
        store = world.store;
    }
}

/// The secret of refresh tokens in the core's form is a key like the others.
#[tokio::test]
async fn reseal_takes_the_secret_of_v2_refresh_tokens_along() {
    let v2 = KeyRules { refresh_tokens: RefreshTokenFormat::V2, ..DEFAULTS };
    let mut world = open(MemoryEngine::new(), None).await;
    world.rules = v2;
    let token = world.ring(START).await.seal_refresh_token(&refresh_token(), &Seeded::new(8));
    let mut store = world.store;
    for (from, to) in [(None, Some(FIRST)), (Some(FIRST), Some(SECOND)), (Some(SECOND), None)] {
        let old = unlock(&store, from.map(master).as_ref(), &Seeded::new(6)).await.unwrap();
        let (_, count) = reseal(&store, &old, to.map(master).as_ref(), &Seeded::new(6)).await.unwrap();
        assert_eq!(count, 4, "two signing keys, the sealing key, the secret");
        let mut world = open(store, to).await;
        world.rules = v2;
        let opened = world.ring(START).await.open_refresh_token(token.expose());
        assert_eq!(opened, Some(RefreshToken { generation: 0, ..refresh_token() }), "{from:?} to {to:?}");
        // Whatever is minted now.
        world.rules = DEFAULTS;
        let ring = world.ring(START).await;
        assert!(ring.open_refresh_token(token.expose()).is_some());
        let sealed = ring.seal_refresh_token(&refresh_token(), &Seeded::new(9));
        assert!(!sealed.expose().contains('.') && ring.open_refresh_token(sealed.expose()).is_some());
        store = world.store;
    }
}

#[tokio::test]
async fn a_vault_that_does_not_fit_any_more_reseals_nothing() {
    let world = open(MemoryEngine::new(), Some(FIRST)).await;
    world.ring(START).await;
    let stale = vault_of(&world.store, FIRST).await;
    reseal(&world.store, &stale, Some(&master(SECOND)), &Seeded::new(2)).await.unwrap();
    assert!(reseal(&world.store, &stale, None, &Seeded::new(3)).await.is_err());
    // nor does a server with the old vault write keys that could never be opened
    let rings = KeyRings::new(stale);
    let new = AppId { app_id: "new".into(), ..AppId::base() };
    world.add_app(&new).await;
    assert!(rings.ring_in(world.at(START), &new, world.rules).await.is_err());
    open(world.store, Some(SECOND)).await.ring(START).await;
}

#[tokio::test]
async fn a_sealed_key_is_bound_to_its_app_and_name() {
    let world = open(MemoryEngine::new(), Some(FIRST)).await;
    let other = AppId { app_id: "other".to_owned(), ..AppId::base() };
    world.add_app(&other).await;
    world.ring(START).await;
    world.rings.ring_in(world.at(START), &other, world.rules).await.unwrap();

    // an attacker who can write to the store moves one app's keys to another
    let mut tx = world.store.begin();
    for key in signing_key::list(&mut *tx, &world.app).await.unwrap() {
        signing_key::put(&mut *tx, &other, key).unwrap();
    }
    tx.commit().await.unwrap();
    world.rings.forget(&other);
    let refused = world.rings.ring_in(world.at(START), &other, world.rules).await;
    assert!(refused.err().unwrap().chain().contains("does not open"));
}

#[tokio::test]
async fn a_plain_key_planted_in_a_sealed_folder_is_refused() {
    let plain = open(MemoryEngine::new(), None).await;
    plain.ring(START).await;
    let planted = signing_key::list(&mut *plain.store.begin(), &plain.app).await.unwrap();

    let world = open(MemoryEngine::new(), Some(FIRST)).await;
    world.ring(START).await;
    let mut tx = world.store.begin();
    for key in planted {
        signing_key::put(&mut *tx, &world.app, key).unwrap();
    }
    tx.commit().await.unwrap();
    let world = open(world.store, Some(FIRST)).await;
    let refused = world.rings.ring_in(world.at(START), &world.app, world.rules).await;
    assert!(refused.err().unwrap().chain().contains("plain where sealed"));
}

#[tokio::test]
async fn a_swapped_public_half_is_noticed() {
    let world = open(MemoryEngine::new(), None).await;
    world.ring(START).await;
    let mut tx = world.store.begin();
    let mut keys = signing_key::list(&mut *tx, &world.app).await.unwrap();
    let public = keys[1].public.clone();
    keys[0].public = public;
    signing_key::put(&mut *tx, &world.app, keys[0].clone()).unwrap();
    tx.commit().await.unwrap();
    world.rings.forget(&world.app);
    assert!(world.rings.ring_in(world.at(START), &world.app, world.rules).await.is_err());
}
