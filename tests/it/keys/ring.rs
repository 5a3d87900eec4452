//! Rotation as requests see it.

use super::world::{START, World};
use sessiond::domain::key::KeyKind::{Dynamic, Static};

#[tokio::test]
async fn the_first_key_signs_at_once_and_is_in_the_document() {
    let world = World::new();
    let ring = world.ring(START).await;
    assert_eq!(ring.tokens.signing_kid(Dynamic).as_str(), format!("d-{}", START.0));
    assert!(ring.tokens.signing_kid(Static).as_str().starts_with("s-"));
    assert!(ring.jwks.contains(ring.tokens.signing_kid(Dynamic).as_str()));
    assert!(ring.jwks.contains(ring.tokens.signing_kid(Static).as_str()));
}

#[tokio::test]
async fn many_first_requests_at_once_make_one_key() {
    let world = World::new();
    let rings = futures_util::future::join_all((0..50).map(|_| world.ring(START))).await;
    let first = rings[0].tokens.signing_kid(Dynamic).clone();
    assert!(rings.iter().all(|ring| *ring.tokens.signing_kid(Dynamic) == first));
    assert_eq!(rings[0].tokens.verifying_kids().count(), 2);
}
