//! E-mail verification at rest.
//!
//! * [`Keyspace::EmailVerified`]: (domain, app, user, e-mail) → [`VerifiedRecord`]. Verification applies to the whole
//!   app.
//! * [`Keyspace::EmailVerificationToken`]: (domain, app, tenant, token hash) → [`VerificationTokenRecord`].
//! * [`Keyspace::EmailVerificationTokenByUser`]: (domain, app, user, tenant, e-mail) → [`VerificationSeriesRecord`],
//!   and the same followed by a token hash → nothing, one for each token.

use super::codec;
use super::key::KeyReader;
use super::token_series::{Owner, SeriesRecord, TokenKind, TokenRecord};
use super::{Encoding, Key, Keyspace, Scan, StoreError, Tx};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::one_time_token::OneTimeHash;
use crate::domain::time::UnixMillis;
use crate::domain::token_series::Series;
use serde::{Deserialize, Serialize};

/// A verified address of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedRecord {
    /// The time of verification.
    pub since: UnixMillis,
}

crate::record!(VerifiedRecord, EmailVerified, version 1);

/// Tokens that verify an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailVerification {}

impl TokenKind for EmailVerification {
    const TOKENS: Keyspace = Keyspace::EmailVerificationToken;
    const SERIES: Keyspace = Keyspace::EmailVerificationTokenByUser;
}

/// A token that was sent; its user id is the one used in the request for it.
pub type VerificationTokenRecord = TokenRecord<EmailVerification>;
/// The valid tokens of a tenant, user and address.
pub type VerificationSeriesRecord = SeriesRecord<EmailVerification>;

/// The owner of tokens, and the address they are for.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// The app.
    pub app: &'a AppId,
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The user, by the id that callers use.
    pub user: &'a UserId,
    /// The address.
    pub email: &'a str,
}

impl Addressee<'_> {
    /// The series of its tokens.
    #[must_use]
    pub fn tokens(&self) -> Owner<EmailVerification> {
        let user = Key::of_app(Keyspace::EmailVerificationTokenByUser, self.app).user(self.user);
        let series_key = user.text(self.tenant.as_str()).text(self.email);
        Owner::new(series_key, Key::of_tenant(Keyspace::EmailVerificationToken, self.app, self.tenant))
    }

    /// Adds a token to a series: either the current one, as read before, or a new one. If there are too many, the
    /// oldest is removed.
    ///
    /// # Errors
    /// When a key is too long.
    pub fn add(
        &self,
        tx: &mut dyn Tx,
        hash: &OneTimeHash,
        series: Series,
        expires: UnixMillis,
    ) -> Result<(), StoreError> {
        let token = TokenRecord::new(self.user.clone(), self.email.to_owned(), expires, series.id);
        self.tokens().add(tx, hash, series, &token)
    }
}

/// The key of a token.
#[must_use]
pub fn token_key(app: &AppId, tenant: &TenantId, hash: &OneTimeHash) -> Key {
    Key::of_tenant(Keyspace::EmailVerificationToken, app, tenant).raw(hash.as_bytes())
}

/// The key of the mark of a verified address.
#[must_use]
pub fn verified_key(app: &AppId, user: &UserId, email: &str) -> Key {
    Key::of_app(Keyspace::EmailVerified, app).user(user).text(email)
}

/// The token with this hash, if this tenant has it.
///
/// # Errors
/// When the store fails.
pub async fn token(
    tx: &mut dyn Tx,
    app: &AppId,
    tenant: &TenantId,
    hash: &OneTimeHash,
) -> Result<Option<VerificationTokenRecord>, StoreError> {
    codec::get(tx, &token_key(app, tenant, hash)).await
}

/// Whether this address of the user (by the id that callers use) is verified.
///
/// # Errors
/// When the store fails.
pub async fn is_verified(tx: &mut dyn Tx, app: &AppId, user: &UserId, email: &str) -> Result<bool, StoreError> {
    Ok(tx.get(&verified_key(app, user, email)).await?.is_some())
}

/// Marks an address as verified; does nothing if it already is.
///
/// # Errors
/// When the address is too long for a key.
pub(super) fn mark(
    tx: &mut dyn Tx,
    app: &AppId,
    user: &UserId,
    email: &str,
    since: UnixMillis,
) -> Result<(), StoreError> {
    codec::put(tx, verified_key(app, user, email), &VerifiedRecord { since })
}

/// Removes the mark; tokens stay.
pub(super) fn unmark(tx: &mut dyn Tx, app: &AppId, user: &UserId, email: &str) {
    tx.delete(verified_key(app, user, email));
}

/// Deletes an expired token and, if it was the last one, its series. Returns false if it is still valid.
///
/// # Errors
/// When the store fails.
pub async fn delete_expired(tx: &mut dyn Tx, key: &Key, now: UnixMillis) -> Result<bool, StoreError> {
    let Some((app, tenant, hash)) = parse_token_key(key) else { return Ok(false) };
    let Some(token) = codec::get::<VerificationTokenRecord>(tx, key).await? else { return Ok(false) };
    let addressee = Addressee { app: &app, tenant: &tenant, user: &token.user_id, email: &token.email };
    addressee.tokens().delete_expired(tx, &hash, &token, now).await
}

/// Whether anything is stored under this user id.
///
/// # Errors
/// When the store fails.
pub async fn in_use(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<bool, StoreError> {
    for keyspace in OF_USER {
        if !tx.scan(&all_of(keyspace, app, user, 1)).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deletes everything that is stored under this user id, in all tenants.
///
/// # Errors
/// When the store fails.
pub(super) async fn remove_user(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<(), StoreError> {
    for keyspace in OF_USER {
        for (key, _) in tx.scan(&all_of(keyspace, app, user, usize::MAX)).await? {
            delete_indexed(tx, app, key);
        }
    }
    Ok(())
}

/// Deletes the tokens stored under this user id in one tenant. Verified addresses belong to the whole app.
///
/// # Errors
/// When the store fails.
pub async fn remove_user_in(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, user: &UserId) -> Result<(), StoreError> {
    let start = Key::of_app(Keyspace::EmailVerificationTokenByUser, app).user(user).text(tenant.as_str());
    let scan = Scan { end: start.prefix_end(), start, reverse: false, limit: usize::MAX };
    for (key, _) in tx.scan(&scan).await? {
        delete_indexed(tx, app, key);
    }
    Ok(())
}

/// Moves everything stored under one user id to another, in all tenants; tokens already sent stay valid.
///
/// # Errors
/// When the store fails.
pub(super) async fn rename_user(tx: &mut dyn Tx, app: &AppId, from: &UserId, to: &UserId) -> Result<(), StoreError> {
    if from == to {
        return Ok(());
    }
    let marks = all_of(Keyspace::EmailVerified, app, from, usize::MAX);
    for (key, mark) in codec::scan::<VerifiedRecord>(tx, &marks).await? {
        if let Some(email) = after_user(&key).and_then(|mut parts| parts.text()) {
            codec::put(tx, verified_key(app, to, &email), &mark)?;
        }
        tx.delete(key);
    }
    for (tenant, email, old, mut valid) in taken_out(tx, app, from).await? {
        // Tokens created before tokens were counted are the oldest.
        valid.sort_by_key(|(hash, _)| old.tokens.iter().position(|one| one == hash));
        let new = Addressee { app, tenant: &tenant, user: to, email: &email };
        for (hash, expires) in valid {
            let series = new.tokens().series(tx).await?.unwrap_or(Series::new(old.id));
            new.add(tx, &hash, series, expires)?;
        }
    }
    Ok(())
}

/// Tenant, address, series, and its valid tokens with their expiry times.
type TakenOut = (TenantId, String, Series, Vec<(OneTimeHash, UnixMillis)>);

/// Removes every series of a user id from the store and returns them.
async fn taken_out(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<Vec<TakenOut>, StoreError> {
    let mut taken: Vec<TakenOut> = Vec::new();
    // The key of a series sorts before those of its tokens.
    for (key, bytes) in tx.scan(&all_of(Keyspace::EmailVerificationTokenByUser, app, user, usize::MAX)).await? {
        let Some((tenant, email, hash)) = parse_by_user_key(&key) else { continue };
        if let Some(hash) = hash {
            let token: Option<VerificationTokenRecord> = codec::get(tx, &token_key(app, &tenant, &hash)).await?;
            if let (Some(token), Some((_, _, series, valid))) = (token, taken.last_mut())
                && token.series == series.id
            {
                valid.push((hash, token.expires));
            }
        } else {
            let record: VerificationSeriesRecord = codec::decode(tx.encoding(), &key, &bytes)?;
            taken.push((tenant, email, record.series, Vec::new()));
        }
        delete_indexed(tx, app, key);
    }
    Ok(taken)
}

/// The keyspaces with keys that begin with domain, app and user.
const OF_USER: [Keyspace; 2] = [Keyspace::EmailVerified, Keyspace::EmailVerificationTokenByUser];

fn all_of(keyspace: Keyspace, app: &AppId, user: &UserId, limit: usize) -> Scan {
    let start = Key::of_app(keyspace, app).user(user);
    Scan { end: start.prefix_end(), start, reverse: false, limit }
}

/// Deletes a key of [`OF_USER`] and the token that it leads to, if any.
fn delete_indexed(tx: &mut dyn Tx, app: &AppId, key: Key) {
    if key.keyspace == Keyspace::EmailVerificationTokenByUser
        && let Some((tenant, _, Some(hash))) = parse_by_user_key(&key)
    {
        tx.delete(token_key(app, &tenant, &hash));
    }
    tx.delete(key);
}

/// The keys in other keyspaces that belong to a token: its index key, and its series.
///
/// # Errors
/// When the row is damaged.
pub(super) fn index_keys(encoding: Encoding, key: &Key, bytes: &[u8]) -> Result<Vec<Key>, StoreError> {
    let Some((app, tenant, hash)) = parse_token_key(key) else { return Ok(Vec::new()) };
    let record: VerificationTokenRecord = codec::decode(encoding, key, bytes)?;
    let addressee = Addressee { app: &app, tenant: &tenant, user: &record.user_id, email: &record.email };
    let series = addressee.tokens().series_key().clone();
    Ok(vec![series.clone().raw(hash.as_bytes()), series])
}

fn parse_token_key(key: &Key) -> Option<(AppId, TenantId, OneTimeHash)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let tenant = TenantId::new(parts.text()?);
    Some((app, tenant, OneTimeHash::from_bytes(parts.rest().try_into().ok()?)))
}

/// Tenant, address and, unless the key is that of a series, token hash.
fn parse_by_user_key(key: &Key) -> Option<(TenantId, String, Option<OneTimeHash>)> {
    let mut parts = after_user(key)?;
    let (tenant, email) = (TenantId::new(parts.text()?), parts.text()?);
    let hash = match parts.rest() {
        [] => None,
        hash => Some(OneTimeHash::from_bytes(hash.try_into().ok()?)),
    };
    Some((tenant, email, hash))
}

/// The part of a key that follows domain, app and user.
fn after_user(key: &Key) -> Option<KeyReader<'_>> {
    let mut parts = KeyReader::new(key);
    for _ in 0..3 {
        parts.text()?;
    }
    Some(parts)
}
