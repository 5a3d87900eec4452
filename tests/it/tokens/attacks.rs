//! Forged, swapped and mangled access tokens.

use super::fixed::{CREATED, Claims, VERSIONS, ed25519, ed25519_ring, ring, rsa, rsa_ring, verifying};
use crate::app::SeededEntropy;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sessiond::crypto::access_token::{MAX_TOKEN, SigningKeys, TokenKeys, TokenRefusal, VerifyingKey, parse_unverified};
use sessiond::crypto::refresh_token::RefreshToken;
use sessiond::crypto::sealing::SealingKey;
use sessiond::crypto::signature::PrivateKey;
use sessiond::domain::key::KeyKind::{Dynamic, Static};
use sessiond::domain::key::Kid;
use sessiond::domain::secret::Secret;
use sessiond::domain::session::AccessTokenVersion::{V2, V4, V5};

fn good(ring: &TokenKeys) -> String {
    ring.mint(Dynamic, &Claims::full().as_new(V5)).unwrap().token.expose().clone()
}

fn payload() -> String {
    good(&ed25519_ring()).split('.').nth(1).unwrap().to_owned()
}

/// A token with this header text over valid claims, signed by `sign`.
fn forged(header: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), payload());
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn by(key: &PrivateKey) -> impl Fn(&[u8]) -> Vec<u8> + '_ {
    |message| key.sign(message).unwrap()
}

#[track_caller]
fn refused(ring: &TokenKeys, token: &str) -> TokenRefusal {
    ring.verify(token, CREATED).expect_err(token)
}

/// The forging helper itself works: with the right header and key the token is valid.
#[test]
fn an_honest_token_made_by_hand_is_accepted() {
    let token = forged(r#"{"alg":"EdDSA","typ":"JWT","kid":"d-1","version":"5"}"#, by(&ed25519(1)));
    assert!(ed25519_ring().verify(&token, CREATED).is_ok());
}

#[test]
fn alg_none_is_refused() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        for kid in [r#","kid":"d-1""#, ""] {
            let header = format!(r#"{{"alg":"{alg}","typ":"JWT"{kid},"version":"5"}}"#);
            refused(&ed25519_ring(), &forged(&header, |_| Vec::new()));
            refused(&ed25519_ring(), &forged(&header, by(&ed25519(1))));
        }
    }
    let header = good(&ed25519_ring()).split('.').next().unwrap().to_owned();
    assert_eq!(refused(&ed25519_ring(), &format!("{header}.{}.", payload())), TokenRefusal::BadSignature);
}

#[test]
fn hmac_with_the_public_key_is_refused() {
    use hmac_sha256::hmac;
    for (ring, key) in [(ed25519_ring(), ed25519(1)), (rsa_ring(), rsa("rsa-1"))] {
        let public = key.public_key().unwrap();
        let spki = STANDARD.decode(public.spki_base64().unwrap()).unwrap();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", public.spki_base64().unwrap());
        for secret in [public.to_bytes(), spki, pem.into_bytes(), public.jwk("d-1").unwrap().into_bytes()] {
            for alg in ["HS256", "EdDSA", "RS256"] {
                let header = format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"d-1","version":"5"}}"#);
                refused(&ring, &forged(&header, |message| hmac(&secret, message)));
            }
        }
    }
}

#[test]
fn the_headers_of_a_core_are_accepted_for_keys_that_came_from_one_alone() {
    let ring = |is_moved_in| {
        let moved = VerifyingKey { is_moved_in, ..verifying("d-1", &rsa("rsa-1")) };
        let signing = SigningKeys { dynamic: (Kid::new("d-1"), rsa("rsa-1")), fixed: (Kid::new("s-1"), rsa("rsa-2")) };
        TokenKeys::new(vec![moved, verifying("s-1", &rsa("rsa-2"))], signing, None)
    };
    let header = |kid: &str| format!(r#"{{"kid":"{kid}","typ":"JWT","version":"5","alg":"RS256"}}"#);
    let custom = r#"{"kid":"d-1","typ":"JWT","alg":"RS256"}"#;
    let of_core = forged(&header("d-1"), by(&rsa("rsa-1")));
    assert!(!ring(true).verify(&of_core, CREATED).unwrap().is_custom);
    assert!(ring(true).verify(&forged(custom, by(&rsa("rsa-1"))), CREATED).unwrap().is_custom);
    refused(&ring(false), &of_core);
    refused(&ring(false), &forged(custom, by(&rsa("rsa-1"))));
    // another key's signature, another key's name, other members or another order
    refused(&ring(true), &forged(&header("d-1"), by(&rsa("rsa-2"))));
    refused(&ring(true), &forged(&header("s-1"), by(&rsa("rsa-2"))));
    for other in [
        r#"{"typ":"JWT","kid":"d-1","version":"5","alg":"RS256"}"#,
        r#"{"kid":"d-1","typ":"JWT","version":"6","alg":"RS256"}"#,
        r#"{"kid":"d-1","typ":"JWT","version":"5","alg":"RS256","crit":[]}"#,
        r#"{"kid":"d-1","typ":"JWT","version":"5","alg":"none"}"#,
    ] {
        refused(&ring(true), &forged(other, by(&rsa("rsa-1"))));
    }
}

#[test]
fn the_other_algorithm_under_a_known_kid_is_refused() {
    let both = TokenKeys::new(
        vec![verifying("d-1", &ed25519(1)), verifying("d-2", &rsa("rsa-1")), verifying("s-1", &ed25519(2))],
        SigningKeys { dynamic: (Kid::new("d-1"), ed25519(1)), fixed: (Kid::new("s-1"), ed25519(2)) },
        None,
    );
    let header = |alg: &str, kid: &str| format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"{kid}","version":"5"}}"#);
    assert!(both.verify(&forged(&header("EdDSA", "d-1"), by(&ed25519(1))), CREATED).is_ok());
    assert!(both.verify(&forged(&header("RS256", "d-2"), by(&rsa("rsa-1"))), CREATED).is_ok());
    for (alg, kid) in [("RS256", "d-1"), ("EdDSA", "d-2"), ("Ed25519", "d-1"), ("PS256", "d-2"), ("ES256", "d-1")] {
        refused(&both, &forged(&header(alg, kid), by(&ed25519(1))));
        refused(&both, &forged(&header(alg, kid), by(&rsa("rsa-1"))));
    }
    // the right header for the wrong key of the same app
    assert_eq!(refused(&both, &forged(&header("EdDSA", "s-1"), by(&ed25519(1)))), TokenRefusal::BadSignature);
}

#[test]
fn a_foreign_kid_is_refused() {
    for kid in ["d-2", "s-2", "", "d-1 ", "D-1", "../d-1", "d-1\u{0}", "d-01"] {
        let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": kid, "version": "5"}).to_string();
        assert_eq!(refused(&ed25519_ring(), &forged(&header, by(&ed25519(1)))), TokenRefusal::UnknownKey);
    }
}

#[test]
fn another_apps_token_is_refused_even_under_the_same_kid() {
    // the RSA keys next to them are the same two files
    let other = ring(ed25519(3), ed25519(4));
    for version in [V4, V5] {
        let token = other.mint(Dynamic, &Claims::full().as_new(version)).unwrap();
        assert_eq!(refused(&ed25519_ring(), token.token.expose()), TokenRefusal::BadSignature);
    }
}

#[test]
fn headers_that_bring_their_own_key_or_demands_are_refused() {
    let attacker = ed25519(9);
    let jwk = attacker.public_key().unwrap().jwk("d-1").unwrap();
    for extra in [
        format!(r#""jwk":{jwk}"#),
        r#""jku":"https://evil.example/jwks.json""#.to_owned(),
        r#""x5u":"https://evil.example/cert.pem""#.to_owned(),
        r#""x5c":["MIIB"]"#.to_owned(),
        r#""crit":["exp"],"exp":1"#.to_owned(),
        r#""crit":[]"#.to_owned(),
        r#""b64":false"#.to_owned(),
        r#""zip":"DEF""#.to_owned(),
        r#""alg":"none""#.to_owned(),
        r#""kid":"d-2""#.to_owned(),
    ] {
        let header = format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"d-1","version":"5",{extra}}}"#);
        refused(&ed25519_ring(), &forged(&header, by(&attacker)));
        // not even with a valid signature: the server never writes such a header
        refused(&ed25519_ring(), &forged(&header, by(&ed25519(1))));
    }
}

#[test]
fn headers_that_mean_the_same_but_were_not_written_here_are_refused() {
    for header in [
        r#"{"typ":"JWT","alg":"EdDSA","kid":"d-1","version":"5"}"#,
        r#"{"alg": "EdDSA","typ":"JWT","kid":"d-1","version":"5"}"#,
        r#"{"alg":"EdDSA","typ":"JWT","kid":"d-1","version":5}"#,
        r#"{"alg":"EdDSA","typ":"JWT","kid":"d-1","version":"6"}"#,
        r#"{"alg":"EdDSA","typ":"JWT","kid":"d-1","version":"2"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"d-1","version":"5"}"#,
        r#"{"alg":"EdDSA","typ":"JWT","version":"5"}"#,
        r#"{"alg":"EdDSA","typ":"JWT","version":"2"}"#, // unpadded: not version 2's encoding
    ] {
        refused(&ed25519_ring(), &forged(header, by(&ed25519(1))));
    }
}

#[test]
fn a_custom_jwt_with_the_claims_of_a_session_is_the_applications_word() {
    let ring = ed25519_ring();
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(payload()).unwrap()).unwrap();
    for kind in [Dynamic, Static] {
        // the caller chose every claim, signed with the very key of access tokens
        let custom = ring.sign_custom(kind, &claims).unwrap();
        let token = ring.verify(custom.expose(), CREATED).unwrap();
        assert!(token.is_custom);
        assert_eq!(token.version, V5);
    }
    assert!(!ring.verify(&good(&ring), CREATED).unwrap().is_custom);
}

#[test]
fn a_custom_jwt_without_the_claims_of_a_session_is_no_access_token() {
    let ring = ed25519_ring();
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload()).unwrap()).expect("claims are an object");
    let sign = |claims: &Value| ring.sign_custom(Dynamic, &claims.to_string()).unwrap().expose().clone();
    assert_eq!(refused(&ring, &sign(&json!({"iss": "me", "iat": 1, "exp": 2_000_000_000}))), TokenRefusal::Claims);
    for name in ["sub", "exp", "iat", "tId", "rsub", "sessionHandle", "refreshTokenHash1", "antiCsrfToken"] {
        let mut without = claims.clone();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(refused(&ring, &sign(&without)), TokenRefusal::Claims, "{name}");
    }
    // tokens of an OAuth2 provider, which may hold a handle too
    for kind in [json!(1), json!(2), json!("0"), json!(null)] {
        let mut other = claims.clone();
        other["stt"] = kind;
        assert_eq!(refused(&ring, &sign(&other)), TokenRefusal::Claims);
    }
    let mut session = claims;
    session["stt"] = json!(0);
    assert!(ring.verify(&sign(&session), CREATED).unwrap().is_custom);
}

#[test]
fn a_custom_jwt_of_another_app_or_issuer_is_refused() {
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(payload()).unwrap()).unwrap();
    let other = ring(ed25519(3), ed25519(4)).sign_custom(Dynamic, &claims).unwrap();
    assert_eq!(refused(&ed25519_ring(), other.expose()), TokenRefusal::BadSignature);
    for header in [
        r#"{"alg":"EdDSA","typ":"JWT","kid":"d-2"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"d-1"}"#,
        r#"{"typ":"JWT","alg":"EdDSA","kid":"d-1"}"#,
        r#"{"alg":"EdDSA","kid":"d-1"}"#,
    ] {
        refused(&ed25519_ring(), &forged(header, by(&ed25519(1))));
    }
}

#[test]
fn a_refresh_token_is_no_access_token_and_the_other_way_round() {
    let sealing = SealingKey::new(1, Secret::new([5; 32]));
    let claims = Claims::full();
    let refresh = RefreshToken {
        handle: claims.handle,
        user_id: claims.user,
        parent_refresh_token_hash_1: None,
        anti_csrf_token: None,
        generation: 0,
    };
    let sealed = sealing.seal_refresh_token(&refresh, &SeededEntropy::new(1));
    assert_eq!(refused(&ed25519_ring(), sealed.expose()), TokenRefusal::Unparsable);
    assert!(sealing.open_refresh_token(&good(&ed25519_ring())).is_none());
}

#[test]
fn a_version_2_payload_does_not_pass_as_version_5_nor_the_other_way_round() {
    let ring = ed25519_ring();
    let nested = ring.mint(Dynamic, &Claims::full().as_new(V2)).unwrap();
    let claims = STANDARD.decode(nested.token.expose().split('.').nth(1).unwrap()).unwrap();
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT","kid":"d-1","version":"5"}"#);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(ed25519(1).sign(signed.as_bytes()).unwrap()));
    assert_eq!(refused(&ring, &token), TokenRefusal::Claims);

    for (alg, key) in [("EdDSA", ed25519(1)), ("RS256", rsa("rsa-1"))] {
        let header = STANDARD.encode(format!(r#"{{"alg":"{alg}","typ":"JWT","version":"2"}}"#));
        let signed = format!("{header}.{}", STANDARD.encode(URL_SAFE_NO_PAD.decode(payload()).unwrap()));
        let token = format!("{signed}.{}", STANDARD.encode(key.sign(signed.as_bytes()).unwrap()));
        assert_eq!(refused(&ring, &token), TokenRefusal::Claims);
    }
}

#[test]
fn any_changed_byte_is_refused() {
    let ring = ed25519_ring();
    for version in VERSIONS {
        let token = ring.mint(Dynamic, &Claims::full().as_new(version)).unwrap();
        let token = token.token.expose();
        for index in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            refused(&ring, std::str::from_utf8(&bytes).unwrap());
        }
        for end in 0..token.len() {
            refused(&ring, &token[..end]);
        }
    }
}

#[test]
fn a_signature_has_one_text_only() {
    let ring = ed25519_ring();
    let token = good(&ring);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    // 64 bytes end in a digit whose last four bits are unused: they must be zero
    let last = signature.chars().last().unwrap();
    assert!("AQgw".contains(last));
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = digits.chars().nth(digits.find(last).unwrap() + 1).unwrap();
    let head = &signature[..signature.len() - 1];
    for other in [format!("{head}{next}"), format!("{signature}="), format!("{signature}=="), format!("{signature}\n")]
    {
        refused(&ring, &format!("{signed}.{other}"));
    }
    // s + L is the same number modulo the group's order: RFC 8032 requires s < L
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    const ORDER: [u8; 32] = [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = (sum & 0xFF) as u8;
        carry = sum >> 8;
    }
    assert_eq!(refused(&ring, &format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes))), TokenRefusal::BadSignature);
}

#[test]
fn a_key_and_signature_of_small_order_sign_nothing() {
    // The identity point as public key accepts (R = identity, s = 0) for every message unless checked strictly.
    let mut identity = [0; 32];
    identity[0] = 1;
    let weak =
        sessiond::crypto::signature::PublicKey::from_bytes(sessiond::domain::key::SigningAlgorithm::EdDSA, &identity)
            .unwrap();
    let mut signature = [0; 64];
    signature[0] = 1;
    assert!(!weak.verify(b"anything", &signature));
}

#[test]
fn claims_of_the_wrong_shape_are_refused_although_signed() {
    let hash = "ab".repeat(32);
    let handle = "00000000-0000-0000-0000-000000001234";
    let base = json!({"iat": 1, "exp": 1_800_000_000, "sub": "u", "tId": "public", "rsub": "u", "sessionHandle": handle,
        "refreshTokenHash1": hash, "parentRefreshTokenHash1": null, "antiCsrfToken": null});
    let sign = |claims: &str| {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT","kid":"d-1","version":"5"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(ed25519(1).sign(signed.as_bytes()).unwrap()))
    };
    assert!(ed25519_ring().verify(&sign(&base.to_string()), CREATED).is_ok());
    for name in base.as_object().unwrap().keys() {
        let mut without = base.clone();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(refused(&ed25519_ring(), &sign(&without.to_string())), TokenRefusal::Claims, "without {name}");
    }
    for (name, value) in [
        ("exp", json!("1800000000")),
        ("exp", json!(1.8e9)),
        ("exp", json!(-1)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(null)),
        ("iat", json!(true)),
        ("sub", json!(null)),
        ("sub", json!(7)),
        ("sessionHandle", json!("not a handle")),
        ("sessionHandle", json!(null)),
        ("tId", json!("t1")),
        ("refreshTokenHash1", json!("short")),
        ("refreshTokenHash1", json!("AB".repeat(32))),
        ("parentRefreshTokenHash1", json!("x")),
        ("antiCsrfToken", json!({})),
    ] {
        let mut changed = base.clone();
        changed[name] = value.clone();
        assert_eq!(refused(&ed25519_ring(), &sign(&changed.to_string())), TokenRefusal::Claims, "{name}: {value}");
    }
    let twice = base.to_string().replacen('{', r#"{"sub":"somebody else","#, 1);
    assert_eq!(refused(&ed25519_ring(), &sign(&twice)), TokenRefusal::Claims);
    for text in ["", "null", "[]", "{", "{}x", "\u{feff}{}", "\"\""] {
        refused(&ed25519_ring(), &sign(text));
    }
}

#[test]
fn texts_that_are_no_token_are_refused_and_never_panic() {
    let ring = ed25519_ring();
    let huge = "a".repeat(MAX_TOKEN + 1);
    let dots = ".".repeat(100_000);
    for text in ["", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "\u{1F511}.\u{1F511}.\u{1F511}", &huge, &dots] {
        refused(&ring, text);
        parse_unverified(text).unwrap_err();
    }
    let token = good(&ring);
    refused(&ring, &format!("{token}.x"));
    refused(&ring, &format!("x.{token}"));
    refused(&ring, &format!(" {token}"));
    refused(&ring, &format!("Bearer {token}"));
}

#[test]
fn deep_nesting_in_claims_does_not_overflow_the_stack() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let token = forged(r#"{"alg":"EdDSA","typ":"JWT","kid":"d-1","version":"5"}"#, by(&ed25519(1)));
    let header = token.split('.').next().unwrap();
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(format!(r#"{{"x":{deep}}}"#)));
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(ed25519(1).sign(signed.as_bytes()).unwrap()));
    refused(&ed25519_ring(), &token);
    parse_unverified(&token).unwrap_err();
}

/// HMAC-SHA256 (RFC 2104) over the project's own hash, for forgeries only.
mod hmac_sha256 {
    use sha2::{Digest, Sha256};

    pub(super) fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
        let mut block = [0u8; 64];
        if key.len() > 64 {
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
        Sha256::new().chain_update(block.map(|byte| byte ^ 0x5C)).chain_update(inner).finalize().to_vec()
    }
}
