//! Sealed refresh tokens.

use super::fixed::fixture;
use crate::app::SeededEntropy;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use sessiond::crypto::refresh_token::RefreshToken;
use sessiond::crypto::sealing::SealingKey;
use sessiond::domain::ids::{SessionHandle, TenantId, UserId};
use sessiond::domain::secret::Secret;
use sessiond::domain::token_hash::TokenHash1;
use uuid::Uuid;

fn key(id: u32, byte: u8) -> SealingKey {
    SealingKey::new(id, Secret::new([byte; 32]))
}

fn example() -> RefreshToken {
    RefreshToken {
        handle: SessionHandle { uuid: Uuid::from_u128(77), tenant: TenantId::new("t1") },
        user_id: UserId::new("user-1"),
        parent_refresh_token_hash_1: Some(TokenHash1::of("parent")),
        anti_csrf_token: Some("anti-csrf".to_owned()),
        generation: 3,
    }
}

#[test]
fn a_kept_token_opens_for_ever() {
    let path = fixture("refresh-format-2.txt");
    let sealed = key(1, 9).seal_refresh_token(&example(), &SeededEntropy::new(7));
    if !path.exists() && std::env::var_os("SESSIOND_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, sealed.expose()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(key(1, 9).open_refresh_token(&kept).unwrap(), example());
    assert_eq!(kept, *sealed.expose());
    let oldest = std::fs::read_to_string(fixture("refresh-format-1.txt")).unwrap();
    assert_eq!(key(1, 9).open_refresh_token(&oldest).unwrap(), example(), "with its creation time");
}

#[test]
fn equal_content_gives_different_texts() {
    let entropy = SeededEntropy::new(7);
    let first = key(1, 9).seal_refresh_token(&example(), &entropy);
    assert_ne!(first.expose(), key(1, 9).seal_refresh_token(&example(), &entropy).expose());
}

#[test]
fn another_key_or_key_id_does_not_open_it() {
    let sealed = key(1, 9).seal_refresh_token(&example(), &SeededEntropy::new(7));
    assert!(key(1, 8).open_refresh_token(sealed.expose()).is_none());
    assert!(key(2, 9).open_refresh_token(sealed.expose()).is_none());
}

#[test]
fn any_change_and_any_cut_is_noticed() {
    let sealed = key(1, 9).seal_refresh_token(&example(), &SeededEntropy::new(7));
    let bytes = URL_SAFE_NO_PAD.decode(sealed.expose()).unwrap();
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[index] ^= 1 << bit;
            assert!(key(1, 9).open_refresh_token(&URL_SAFE_NO_PAD.encode(changed)).is_none());
        }
    }
    for end in 0..sealed.expose().len() {
        assert!(key(1, 9).open_refresh_token(&sealed.expose()[..end]).is_none());
    }
    for text in [format!("{}=", sealed.expose()), format!("{} ", sealed.expose()), format!("{}A", sealed.expose())] {
        assert!(key(1, 9).open_refresh_token(&text).is_none());
    }
}

#[test]
fn nothing_of_the_content_is_readable() {
    let sealed = key(1, 9).seal_refresh_token(&example(), &SeededEntropy::new(7));
    let bytes = URL_SAFE_NO_PAD.decode(sealed.expose()).unwrap();
    assert!(!sealed.expose().contains('.'), "no structure remains either");
    for secret in [&b"user-1"[..], b"anti-csrf", example().handle.uuid.as_bytes()] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn texts_of_other_kinds_do_not_open_and_never_panic() {
    let huge = "A".repeat(3 << 20);
    for text in ["", "A", "not base64!", "AQAAAAE", "\u{1F511}", "a.b.V2", &huge] {
        assert!(key(1, 9).open_refresh_token(text).is_none());
    }
}

proptest! {
    #[test]
    fn a_token_says_what_was_put_in(
        uuid: u128, tenant in "public|[a-z0-9-]{1,40}", user in "\\PC{0,300}", parent: Option<[u8; 32]>,
        anti_csrf in proptest::option::of("\\PC{0,50}"), generation: u64, seed: u64,
    ) {
        let token = RefreshToken {
            handle: SessionHandle { uuid: Uuid::from_u128(uuid), tenant: TenantId::new(tenant) },
            user_id: UserId::new(user),
            parent_refresh_token_hash_1: parent.map(TokenHash1::from_bytes),
            anti_csrf_token: anti_csrf,
            generation,
        };
        let sealed = key(1, 9).seal_refresh_token(&token, &SeededEntropy::new(seed));
        prop_assert_eq!(key(1, 9).open_refresh_token(sealed.expose()), Some(token));
    }

    #[test]
    fn random_text_does_not_open(text in "\\PC*") {
        prop_assert!(key(1, 9).open_refresh_token(&text).is_none());
    }
}
