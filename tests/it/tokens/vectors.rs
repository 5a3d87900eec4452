//! Tokens kept as files: what was minted once verifies for ever. The expected content is here, the text is there.
//!
//! To write new ones, run once with `SESSIOND_WRITE_GOLDEN=1` and check the result.

use super::fixed::{CREATED, Claims, VERSIONS, ed25519_ring, fixture, ring, rsa, rsa_ring};
use sessiond::crypto::access_token::TokenKeys;
use sessiond::domain::key::KeyKind::Dynamic;
use sessiond::domain::session::AccessTokenVersion;

/// The file verifies and returns what was put in; returns its text.
fn check(name: &str, keys: &TokenKeys, version: AccessTokenVersion) -> String {
    let path = fixture(&format!("{name}-{version:?}.jwt").to_lowercase());
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
    kept.trim().to_owned()
}

/// Like [`check`], for a token that is minted today exactly as it was then: both algorithms sign deterministically.
fn check_minted(name: &str, keys: &TokenKeys, version: AccessTokenVersion) {
    let minted = keys.mint(Dynamic, &Claims::full().as_new(version)).unwrap();
    let path = fixture(&format!("{name}-{version:?}.jwt").to_lowercase());
    if !path.exists() && std::env::var_os("SESSIOND_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, minted.token.expose()).unwrap();
    }
    assert_eq!(check(name, keys, version), *minted.token.expose(), "{}", path.display());
}

#[test]
fn kept_tokens_of_every_version_and_algorithm_verify() {
    for version in VERSIONS {
        check_minted("rs256", &rsa_ring(), version);
        check("eddsa", &ed25519_ring(), version);
    }
    for version in [AccessTokenVersion::V4, AccessTokenVersion::V5] {
        check_minted("eddsa", &ed25519_ring(), version);
    }
}

#[test]
fn version_1_verifies_although_nothing_mints_it() {
    check("eddsa", &ed25519_ring(), AccessTokenVersion::V1);
}

#[test]
fn tokens_without_kid_verify_with_any_key_of_the_ring() {
    // one of which is static here and dynamic there
    let token = ring(rsa("rsa-2"), rsa("rsa-1")).mint(Dynamic, &Claims::full().as_new(AccessTokenVersion::V2)).unwrap();
    assert!(rsa_ring().verify(token.token.expose(), CREATED).is_ok());
    assert!(ed25519_ring().verify(token.token.expose(), CREATED).is_ok());
}
