//! Refresh tokens in the form of the original core. The known token was made by a core 11.4.7.

use crate::app::SeededEntropy;
use proptest::prelude::*;
use sessiond::crypto::refresh_token::RefreshToken;
use sessiond::crypto::v2_refresh_token::V2RefreshKey;
use sessiond::domain::ids::{SessionHandle, TenantId, UserId};
use sessiond::domain::secret::Secret;
use sessiond::domain::token_hash::TokenHash1;
use uuid::Uuid;

/// A core's secret of an app, and the first refresh token of a session there.
const SECRET: &str = "1000:00f93bc62a9cf16a06cc7e797988b04d949a23b76410fcc044e99e7db246dc0ed38e5ea5df64acae33d51133e99da4f633d92b4f5c0c6be70ff145c06f4bcaa1:acfb3e384ae4b775675a5648ca905df9e45cb103968fe9ad44b8b20299f8e31725f331dee549c94aab54ecc6e8adfe06bfadbf92f5146a43d4186a531ce57c38";
const TOKEN: &str = "bmgsAtGLWm9xHR2oG22ndz3tYyyhC6YbYCv/mtkYwhR/BCDAwEqW3+cKSfAYyFHuHZjsUV9/rL4vAAyIZ3zo0hijrVj6Uc/uv0k878q0egP01I8cGGMxnO3WcJyrr3cxD9jQ+vDeA2mfBhRm31XE1sStccQlk4kGTm+JhqJxyma1L4VWMx7eofM6dX4hkGoeNezUHKesb16eWWEaNlJSu4QnAePmTsPeAB48NfJziDwW1EpI4Gd7Vax8O2uRXPnJkOZcTVnGNLSFchFwUSi1.7dadbc4b031fd331082a3a1c19ca7debcea74732c304e8e0504ccf6705b8ef5d.V2";

fn key(text: &str) -> V2RefreshKey {
    V2RefreshKey::new(Secret::new(text.to_owned()))
}

fn example(tenant: &str) -> RefreshToken {
    RefreshToken {
        handle: SessionHandle { uuid: Uuid::from_bytes([5; 16]), tenant: TenantId::new(tenant) },
        user_id: UserId::new("legacy:user/1?x=\u{fc}"),
        parent_refresh_token_hash_1: Some(TokenHash1::of("parent")),
        anti_csrf_token: Some("csrf".to_owned()),
        generation: 0,
    }
}

#[test]
fn a_token_of_a_core_opens_with_its_secret_alone() {
    let opened = key(SECRET).open(TOKEN).unwrap();
    assert_eq!(opened.handle.to_string(), "a3e368e2-4e6a-4464-a1a1-d3dc2b177db4");
    assert_eq!(opened.user_id.as_str(), "2b98fbc7-0f07-4c64-9fcc-56e45f0c32a9");
    assert_eq!((opened.parent_refresh_token_hash_1, opened.anti_csrf_token), (None, None));
    assert!(key(&SECRET.replacen('0', "1", 1)).open(TOKEN).is_none());
    // No part of the secret's text is the secret.
    for part in SECRET.split(':') {
        assert!(key(part).open(TOKEN).is_none());
    }
}

#[test]
fn a_changed_token_does_not_open() {
    let (sealed, rest) = TOKEN.split_once('.').unwrap();
    let nonce = rest.strip_suffix(".V2").unwrap();
    for text in [
        format!("{sealed}.{nonce}.v2"),
        format!("{sealed}.{nonce}.V1"),
        format!("{sealed}.{nonce}"),
        format!("{sealed}.{nonce}.V2.V2"),
        format!("{sealed}.{nonce} .V2"),
        format!("{sealed}.{}.V2", nonce.replacen('7', "8", 1)),
        format!("{sealed}=.{nonce}.V2"),
        format!("A{}.{nonce}.V2", &sealed[1..]),
        format!("{}.{nonce}.V2", &sealed[..sealed.len() - 4]),
        format!("{}.{nonce}.V2", sealed.replace(['+', '/'], "-")),
        "..V2".to_owned(),
        ".".to_owned(),
        String::new(),
    ] {
        assert!(key(SECRET).open(&text).is_none(), "{text}");
    }
}

#[test]
fn a_token_sealed_here_opens_again_and_never_looks_the_same() {
    let (made, entropy) = (V2RefreshKey::generate(&SeededEntropy::new(1)), SeededEntropy::new(2));
    for tenant in ["public", "acme"] {
        let [one, other] = [(), ()].map(|()| made.seal(&example(tenant), &entropy));
        assert_ne!(one.expose(), other.expose());
        assert!(V2RefreshKey::is_of_this_form(one.expose()));
        assert_eq!(made.open(one.expose()), Some(example(tenant)));
        assert!(key(SECRET).open(one.expose()).is_none());
    }
    let text = made.text().expose();
    let parts: Vec<_> = text.split(':').collect();
    assert_eq!((parts[0], parts[1].len(), parts[2].len(), text.len()), ("1000", 128, 128, 262));
}

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(text in "[A-Za-z0-9+/=]{0,60}\\.[0-9a-f]{0,8}\\.V2|.{0,80}") {
        prop_assert!(key(SECRET).open(&text).is_none());
    }
}
