//! The format of minted tokens, and that they return what was put in.

use super::fixed::{CREATED, Claims, EXPIRY, VERSIONS, ed25519, ed25519_ring, ring_without_rsa, rsa_ring};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sessiond::crypto::access_token::{
    MintError, NewAccessToken, TokenRefusal, has_protected_claim, parse_unverified, protected_claims,
};
use sessiond::domain::ids::{SessionHandle, TenantId};
use sessiond::domain::json::JsonObject;
use sessiond::domain::key::KeyKind::{Dynamic, Static};
use sessiond::domain::session::AccessTokenVersion::{self, V2, V3, V4, V5};
use sessiond::domain::time::UnixMillis;

fn minted(version: AccessTokenVersion, claims: &Claims) -> String {
    ed25519_ring().mint(Dynamic, &claims.as_new(version)).unwrap().token.expose().clone()
}

fn part(token: &str, index: usize) -> String {
    let part = token.split('.').nth(index).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(part).or_else(|_| STANDARD.decode(part)).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn headers_are_exactly_these() {
    let claims = Claims::new(&json!({}));
    for kind in [Dynamic, Static] {
        for ring in [ed25519_ring(), rsa_ring()] {
            let nested = ring.mint(kind, &claims.as_new(V2)).unwrap().token.expose().clone();
            // the constant by which all official SDKs recognise a token of version 2
            let constant = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIyIn0=";
            assert_eq!(nested.split('.').next(), Some(constant));
        }
    }
    assert_eq!(part(&minted(V3, &claims), 0), r#"{"alg":"RS256","typ":"JWT","kid":"d-rsa","version":"3"}"#);
    for (version, number) in [(V4, 4), (V5, 5)] {
        let header = format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"d-1","version":"{number}"}}"#);
        assert_eq!(part(&minted(version, &claims), 0), header);
    }
    for (version, number) in [(V3, 3), (V4, 4), (V5, 5)] {
        let token = rsa_ring().mint(Static, &claims.as_new(version)).unwrap();
        let header = format!(r#"{{"alg":"RS256","typ":"JWT","kid":"s-1","version":"{number}"}}"#);
        assert_eq!(part(token.token.expose(), 0), header);
    }
}

#[test]
fn a_ring_without_rsa_keys_mints_nothing_for_those_who_need_them() {
    let ring = ring_without_rsa(ed25519(1), ed25519(2));
    for version in VERSIONS {
        let minted = ring.mint(Dynamic, &Claims::full().as_new(version));
        assert_eq!(matches!(minted, Err(MintError::NoRsaKey)), version.needs_rsa(), "{version:?}");
    }
}

#[test]
fn version_2_is_padded_standard_base64_throughout() {
    let token = minted(V2, &Claims::full());
    for part in token.split('.') {
        assert_eq!(part.len() % 4, 0);
        STANDARD.decode(part).unwrap();
    }
    assert!(token.ends_with("=="), "an RSA signature of 256 bytes needs two signs of padding");
}

#[test]
fn flat_claims_are_ours_then_the_callers_in_the_callers_order() {
    let claims = Claims::new(&json!({"z": 1, "a": {"y": null, "b": 2.50}, "iss": "me"}));
    let hash = claims.hash.to_hex();
    assert_eq!(
        part(&minted(V5, &claims), 1),
        format!(
            r#"{{"iat":1700000000,"exp":1700003600,"sub":"user-1","tId":"public","rsub":"recipe-user-1","sessionHandle":"00000000-0000-0000-0000-000000001234","refreshTokenHash1":"{hash}","parentRefreshTokenHash1":null,"antiCsrfToken":null,"z":1,"a":{{"y":null,"b":2.5}},"iss":"me"}}"#
        )
    );
    assert!(!part(&minted(V4, &claims), 1).contains("rsub"));
    assert!(!part(&minted(V3, &claims), 1).contains("tId"));
}

#[test]
fn nested_claims_leave_out_what_is_not_there_and_count_in_milliseconds() {
    let claims: Value = serde_json::from_str(&part(&minted(V2, &Claims::new(&json!({"a": 1}))), 1)).unwrap();
    assert_eq!(claims["expiryTime"], EXPIRY.0);
    assert_eq!(claims["timeCreated"], CREATED.0);
    assert_eq!(claims["userData"], json!({"a": 1}));
    assert!(claims.get("parentRefreshTokenHash1").is_none() && claims.get("antiCsrfToken").is_none());
}

#[test]
fn a_token_says_what_was_put_in() {
    for ring in [ed25519_ring(), rsa_ring()] {
        for version in VERSIONS {
            for kind in [Dynamic, Static] {
                for claims in [Claims::full(), Claims::new(&json!({}))] {
                    let issued = ring.mint(kind, &claims.as_new(version)).unwrap();
                    let token = ring.verify(issued.token.expose(), CREATED).unwrap();
                    let unverified = parse_unverified(issued.token.expose()).unwrap();
                    for token in [token, unverified] {
                        assert_eq!(token.version, version);
                        assert_eq!(token.session.handle, claims.handle);
                        assert_eq!(token.session.user_id, claims.user);
                        let recipe_user = if version == V5 { &claims.recipe_user } else { &claims.user };
                        assert_eq!(token.session.recipe_user_id, *recipe_user);
                        assert_eq!(token.session.user_data_in_jwt, claims.user_data, "text and order");
                        assert_eq!(token.refresh_token_hash_1, claims.hash);
                        assert_eq!(token.parent_refresh_token_hash_1, claims.parent);
                        assert_eq!(token.anti_csrf_token, claims.anti_csrf);
                        assert_eq!((token.created, token.expiry), (issued.created, issued.expiry));
                    }
                }
            }
        }
    }
}

#[test]
fn moments_are_floored_to_the_second_from_version_3_on() {
    let claims = Claims::new(&json!({}));
    for version in VERSIONS {
        let issued = ed25519_ring().mint(Dynamic, &claims.as_new(version)).unwrap();
        let expected =
            if version == V2 { (EXPIRY, CREATED) } else { (EXPIRY.floor_to_second(), CREATED.floor_to_second()) };
        assert_eq!((issued.expiry, issued.created), expected);
    }
}

#[test]
fn a_token_is_good_up_to_and_including_its_expiry() {
    let ring = ed25519_ring();
    for version in VERSIONS {
        let issued = ring.mint(Dynamic, &Claims::full().as_new(version)).unwrap();
        let text = issued.token.expose();
        assert!(ring.verify(text, issued.expiry).is_ok());
        assert_eq!(ring.verify(text, issued.expiry.plus(1)).unwrap_err(), TokenRefusal::Expired);
    }
}

#[test]
fn the_tenant_travels_in_the_handle_and_in_t_id() {
    let mut claims = Claims::new(&json!({}));
    claims.handle = SessionHandle { tenant: TenantId::new("t1"), ..claims.handle };
    let token = minted(V4, &claims);
    assert!(part(&token, 1).contains(r#""tId":"t1""#));
    assert_eq!(ed25519_ring().verify(&token, CREATED).unwrap().session.handle.tenant.as_str(), "t1");
}

#[test]
fn protected_names_grow_with_the_version() {
    let named = |name: &str| JsonObject::from_map(json!({ "x": 1, name: 1 }).as_object().unwrap());
    for (name, reserved) in [
        ("sub", [false, true, true, true]),
        ("exp", [false, true, true, true]),
        ("iat", [false, true, true, true]),
        ("userId", [true, false, false, false]),
        ("expiryTime", [true, false, false, false]),
        ("sessionHandle", [true, true, true, true]),
        ("refreshTokenHash1", [true, true, true, true]),
        ("parentRefreshTokenHash1", [true, true, true, true]),
        ("antiCsrfToken", [true, true, true, true]),
        ("tId", [false, false, true, true]),
        ("rsub", [false, false, false, true]),
        ("iss", [false, false, false, false]),
        ("Sub", [false, false, false, false]),
    ] {
        for (version, reserved) in VERSIONS.into_iter().zip(reserved) {
            assert_eq!(has_protected_claim(version, &named(name)), reserved, "{name} in {version:?}");
            assert_eq!(protected_claims(version).contains(&name), reserved);
            let claims = Claims { user_data: named(name), ..Claims::new(&json!({})) };
            let minted = ed25519_ring().mint(Dynamic, &claims.as_new(version));
            // nested, it collides with nothing
            let refused = reserved && version != V2;
            assert_eq!(matches!(minted, Err(MintError::ProtectedClaim)), refused, "{name} in {version:?}");
        }
    }
}

#[test]
fn escapes_do_not_hide_a_protected_name() {
    let data = JsonObject::from_stored(r#"{"s\u0075b":"somebody else"}"#.to_owned());
    assert!(has_protected_claim(V5, &data));
    let claims = Claims { user_data: data, ..Claims::new(&json!({})) };
    assert!(matches!(ed25519_ring().mint(Dynamic, &claims.as_new(V5)), Err(MintError::ProtectedClaim)));
}

#[test]
fn names_that_a_later_version_reserves_are_custom_claims_before() {
    let claims = Claims::new(&json!({"tId": "mine", "rsub": 7}));
    let token = ed25519_ring().verify(&minted(V3, &claims), CREATED).unwrap();
    assert_eq!(token.session.user_data_in_jwt.as_str(), r#"{"tId":"mine","rsub":7}"#);
    assert!(token.session.handle.tenant.is_public());
}

#[test]
fn the_far_future_does_not_overflow() {
    let claims = Claims::new(&json!({}));
    for version in VERSIONS {
        let new = NewAccessToken { expiry: UnixMillis(u64::MAX), ..claims.as_new(version) };
        let issued = ed25519_ring().mint(Dynamic, &new).unwrap();
        assert!(ed25519_ring().verify(issued.token.expose(), CREATED).is_ok());
    }
}
