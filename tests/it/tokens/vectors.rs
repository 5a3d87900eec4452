//! Tokens kept as files: what was minted once verifies for ever. The expected content stands here, the text there.
//!
//! To write new ones, run once with `SESSIOND_WRITE_GOLDEN=1` and look at what it wrote.

use super::fixed::{CREATED, Claims, VERSIONS, ed25519, ed25519_ring, fixture, ring, rsa_ring};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sessiond::crypto::access_token::TokenKeys;
use sessiond::domain::key::KeyKind::Dynamic;
use sessiond::domain::session::AccessTokenVersion;

fn check(name: &str, keys: &TokenKeys, version: AccessTokenVersion, minted: &str) {
    let path = fixture(&format!("{name}-{version:?}.jwt").to_lowercase());
    if !path.exists() && std::env::var_os("SESSIOND_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, minted).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let token = keys.verify(kept.trim(), CREATED).unwrap();
    let claims = Claims::full();
    assert_eq!(token.version, version);
    assert_eq!(token.session.handle, claims.handle);
    assert_eq!(token.session.user_id, claims.user);
    assert_eq!(token.session.user_data_in_jwt, claims.user_data);
    assert_eq!(token.refresh_token_hash_1, claims.hash);
    assert_eq!(token.parent_refresh_token_hash_1, claims.parent);
    assert_eq!(token.anti_csrf_token, claims.anti_csrf);
    // Both algorithms sign deterministically, so today's text is yesterday's.
    assert_eq!(kept.trim(), minted, "{}", path.display());
}

#[test]
fn kept_tokens_of_every_version_and_algorithm_verify() {
    for (name, keys) in [("eddsa", ed25519_ring()), ("rs256", rsa_ring())] {
        for version in VERSIONS {
            let minted = keys.mint(Dynamic, &Claims::full().as_new(version)).unwrap();
            check(name, &keys, version, minted.token.expose());
        }
    }
}

#[test]
fn version_1_verifies_although_nothing_mints_it() {
    let keys = ed25519_ring();
    let version_2 = keys.mint(Dynamic, &Claims::full().as_new(AccessTokenVersion::V2)).unwrap();
    let payload = version_2.token.expose().split('.').nth(1).unwrap();
    let signed = format!("{}.{payload}", STANDARD.encode(r#"{"alg":"EdDSA","typ":"JWT","version":"1"}"#));
    let token = format!("{signed}.{}", STANDARD.encode(ed25519(1).sign(signed.as_bytes()).unwrap()));
    check("eddsa", &keys, AccessTokenVersion::V1, &token);
}

#[test]
fn tokens_without_kid_verify_with_any_key_of_the_ring() {
    let token = ring(ed25519(2), ed25519(7)).mint(Dynamic, &Claims::full().as_new(AccessTokenVersion::V2)).unwrap();
    // 2 is the static key here
    assert!(ed25519_ring().verify(token.token.expose(), CREATED).is_ok());
}
