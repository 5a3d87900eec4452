//! Signing keys: the tasks about them.

use crate::command::key::{ListKeys, ListedKey, ResealKeys, RevokeKey, Revoked, RotateKeys};
use crate::context::Context;
use crate::control::PlainSecret;
use crate::control::task_context::{entry, failed};
use crate::domain::ids::AppId;
use crate::domain::key::Kid;
use crate::state::key::MasterKey;
use serde_json::{Value, json};

pub(super) async fn list(context: &Context, id: &AppId) -> Result<Value, String> {
    let app = entry(context, id)?;
    let ring = context.key_ring(&app).await.map_err(failed)?;
    let listed = ListKeys { app }.run(context).await.map_err(failed)?;
    let rows: Vec<Value> = listed.iter().map(row).collect();
    let format = if ring.mints_v2_refresh_tokens() { "v2" } else { "sealed" };
    Ok(json!({
        "sealed": context.keys.are_sealed(),
        "keys": rows,
        "refreshTokens": { "format": format, "acceptsV2": ring.opens_v2_refresh_tokens() },
    }))
}

fn row(key: &ListedKey) -> Value {
    let life = &key.life;
    json!({
        "kid": life.kid,
        "kind": life.kind,
        "algorithm": life.algorithm.name(),
        "stage": key.stage,
        "signsNow": key.signs_now,
        "onlyForRsaReaders": key.only_rsa_readers,
        "verifiesUntil": key.verifies_until,
        "created": life.created,
        "movedIn": life.moved_in,
        "published": life.published,
        "firstUsed": life.first_used,
        "retired": life.retired,
        "revoked": life.revoked.as_ref().map(|revocation| revocation.at),
        "revokedWhy": life.revoked.as_ref().map(|revocation| revocation.why.as_str()),
        "deleted": life.deleted,
    })
}

pub(super) async fn rotate(context: &Context, id: &AppId, immediate: bool) -> Result<Value, String> {
    let rotated = RotateKeys { app: entry(context, id)?, immediate }.run(context).await.map_err(failed)?;
    Ok(json!({ "kid": rotated.kid, "rsaKid": rotated.rsa_kid, "signsFrom": rotated.signs_from }))
}

pub(super) async fn revoke(context: &Context, id: &AppId, kid: &str, reason: &str) -> Result<Value, String> {
    let key = Kid::new(kid);
    match (RevokeKey { app: entry(context, id)?, kid: &key, reason }).run(context).await.map_err(failed)? {
        Revoked::Ok { replaced_by } => Ok(json!({ "kid": kid, "replacedBy": replaced_by })),
        Revoked::NoSuchKey => Err(format!("this app has no key {kid}; see \"sessiond keys list\"")),
        Revoked::AlreadyEnded => Err(format!("the key {kid} was already withdrawn or has expired")),
    }
}

pub(super) async fn reseal(context: &Context, new: Option<PlainSecret>) -> Result<Value, String> {
    let new = new.map(PlainSecret::into_secret);
    let new = new.map(|key| MasterKey::new(key.expose())).transpose().map_err(|error| error.to_string())?;
    let sealed = new.is_some();
    let count = ResealKeys { new: new.as_ref() }.run(context).await.map_err(|error| error.to_string())?;
    Ok(json!({ "secrets": count, "sealed": sealed }))
}
