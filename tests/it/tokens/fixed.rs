//! Keys and claims that never change, so that tokens can be kept as files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sessiond::crypto::access_token::{NewAccessToken, SigningKeys, TokenKeys, VerifyingKey};
use sessiond::crypto::signature::PrivateKey;
use sessiond::domain::ids::{SessionHandle, TenantId, UserId};
use sessiond::domain::json::JsonObject;
use sessiond::domain::key::{Kid, SigningAlgorithm};
use sessiond::domain::secret::Secret;
use sessiond::domain::session::AccessTokenVersion;
use sessiond::domain::time::UnixMillis;
use sessiond::domain::token_hash::TokenHash1;
use std::path::PathBuf;
use uuid::Uuid;

pub(crate) const CREATED: UnixMillis = UnixMillis(1_700_000_000_789);
pub(crate) const EXPIRY: UnixMillis = UnixMillis(1_700_003_600_789);
pub(crate) const VERSIONS: [AccessTokenVersion; 4] =
    [AccessTokenVersion::V2, AccessTokenVersion::V3, AccessTokenVersion::V4, AccessTokenVersion::V5];

pub(crate) fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", "jwt", name].iter().collect()
}

/// An Ed25519 key from one repeated byte.
pub(crate) fn ed25519(byte: u8) -> PrivateKey {
    PrivateKey::from_secret_bytes(SigningAlgorithm::EdDSA, &Secret::new(vec![byte; 32])).unwrap()
}

/// One of two RSA keys that are kept as files, because generating one takes a second.
pub(crate) fn rsa(name: &str) -> PrivateKey {
    let path = fixture(&format!("{name}.pkcs8.base64"));
    if !path.exists() && std::env::var_os("SESSIOND_WRITE_GOLDEN").is_some() {
        let key = PrivateKey::generate_rsa().unwrap();
        std::fs::write(&path, STANDARD.encode(key.secret_bytes().unwrap().expose())).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let der = Secret::new(STANDARD.decode(text.trim()).unwrap());
    PrivateKey::from_secret_bytes(SigningAlgorithm::RS256, &der).unwrap()
}

fn named(names: [&str; 2], [dynamic, fixed]: [PrivateKey; 2]) -> SigningKeys {
    SigningKeys { dynamic: (Kid::new(names[0]), dynamic), fixed: (Kid::new(names[1]), fixed) }
}

/// The public half of a key that was made here.
pub(crate) fn verifying(kid: &str, key: &PrivateKey) -> VerifyingKey {
    VerifyingKey { kid: Kid::new(kid), key: key.public_key().unwrap(), is_moved_in: false }
}

fn public(keys: &SigningKeys) -> [VerifyingKey; 2] {
    [&keys.dynamic, &keys.fixed].map(|(kid, key)| verifying(kid.as_str(), key))
}

/// A ring of these keys: dynamic `d-1`, static `s-1`; if they are not RSA keys, also `d-rsa` and `s-rsa`.
pub(crate) fn ring(dynamic: PrivateKey, fixed: PrivateKey) -> TokenKeys {
    let own_rsa = dynamic.algorithm() == SigningAlgorithm::RS256;
    let signing = named(["d-1", "s-1"], [dynamic.clone(), fixed.clone()]);
    let rsa = if own_rsa {
        named(["d-1", "s-1"], [dynamic, fixed])
    } else {
        named(["d-rsa", "s-rsa"], [rsa("rsa-1"), rsa("rsa-2")])
    };
    let mut verifying = Vec::from(public(&signing));
    if !own_rsa {
        verifying.extend(public(&rsa));
    }
    TokenKeys::new(verifying, signing, Some(rsa))
}

/// Like [`ring`], without RSA keys.
pub(crate) fn ring_without_rsa(dynamic: PrivateKey, fixed: PrivateKey) -> TokenKeys {
    let signing = named(["d-1", "s-1"], [dynamic, fixed]);
    TokenKeys::new(public(&signing).into(), signing, None)
}

pub(crate) fn ed25519_ring() -> TokenKeys {
    ring(ed25519(1), ed25519(2))
}

pub(crate) fn rsa_ring() -> TokenKeys {
    ring(rsa("rsa-1"), rsa("rsa-2"))
}

/// What a token is minted from, owned.
pub(crate) struct Claims {
    pub(crate) handle: SessionHandle,
    pub(crate) user: UserId,
    pub(crate) recipe_user: UserId,
    pub(crate) hash: TokenHash1,
    pub(crate) parent: Option<TokenHash1>,
    pub(crate) anti_csrf: Option<String>,
    pub(crate) user_data: JsonObject,
}

impl Claims {
    pub(crate) fn new(user_data: &Value) -> Self {
        Self {
            handle: SessionHandle { uuid: Uuid::from_u128(0x1234), tenant: TenantId::public() },
            user: UserId::new("user-1"),
            recipe_user: UserId::new("recipe-user-1"),
            hash: TokenHash1::of("refresh token"),
            parent: None,
            anti_csrf: None,
            user_data: JsonObject::from_map(user_data.as_object().unwrap()),
        }
    }

    /// Every optional value is present.
    pub(crate) fn full() -> Self {
        Self {
            parent: Some(TokenHash1::of("parent")),
            anti_csrf: Some("anti-\"csrf\"".to_owned()),
            user: UserId::new("user \"quoted\" \u{1F511}\n"),
            ..Self::new(
                &json!({"z": 1.50, "a": {"n": null, "e": 1e300}, "iss": "me", "\u{e9}\"": [true, "\u{0}"], "m": {}}),
            )
        }
    }

    pub(crate) fn as_new(&self, version: AccessTokenVersion) -> NewAccessToken<'_> {
        NewAccessToken {
            version,
            handle: &self.handle,
            user_id: &self.user,
            recipe_user_id: &self.recipe_user,
            refresh_token_hash_1: &self.hash,
            parent_refresh_token_hash_1: self.parent.as_ref(),
            anti_csrf_token: self.anti_csrf.as_deref(),
            user_data: &self.user_data,
            created: CREATED,
            expiry: EXPIRY,
        }
    }
}
