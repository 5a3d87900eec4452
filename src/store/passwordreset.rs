//! Password-reset tokens at rest.
//!
//! * [`Keyspace::PasswordResetToken`]: (domain, app, token hash) → [`ResetTokenRecord`]. A token belongs to the whole
//!   app.
//! * [`Keyspace::PasswordResetTokenByUser`]: (domain, app, user) → [`ResetSeriesRecord`], and the same followed by a
//!   token hash → nothing, one for each token. The user is the internal id for which the token was made.

use super::key::KeyReader;
use super::token_series::{Owner, SeriesRecord, TokenKind, TokenRecord};
use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::ids::{AppId, UserId};
use crate::domain::one_time_token::OneTimeHash;
use crate::domain::time::UnixMillis;
use crate::domain::token_series::Series;
use crate::domain::user::{User, reset_links};

/// Tokens that set a new password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordReset {}

impl TokenKind for PasswordReset {
    const TOKENS: Keyspace = Keyspace::PasswordResetToken;
    const SERIES: Keyspace = Keyspace::PasswordResetTokenByUser;
}

/// A token that was sent. It is for an internal id: that of a group or a login method.
pub type ResetTokenRecord = TokenRecord<PasswordReset>;
/// The valid tokens of a user.
pub type ResetSeriesRecord = SeriesRecord<PasswordReset>;

/// The key of a token.
#[must_use]
pub fn token_key(app: &AppId, hash: &OneTimeHash) -> Key {
    Key::of_app(Keyspace::PasswordResetToken, app).raw(hash.as_bytes())
}

/// The tokens of a user (an internal id).
#[must_use]
pub fn tokens_of(app: &AppId, user: &UserId) -> Owner<PasswordReset> {
    let series_key = Key::of_app(Keyspace::PasswordResetTokenByUser, app).user(user);
    Owner::new(series_key, Key::of_app(Keyspace::PasswordResetToken, app))
}

/// The token with this hash.
///
/// # Errors
/// When the store fails.
pub async fn token(tx: &mut dyn Tx, app: &AppId, hash: &OneTimeHash) -> Result<Option<ResetTokenRecord>, StoreError> {
    codec::get(tx, &token_key(app, hash)).await
}

/// The series with a user's valid tokens, if there is one.
///
/// # Errors
/// When the store fails.
pub async fn series(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<Option<Series>, StoreError> {
    tokens_of(app, user).series(tx).await
}

/// Ends the series that [`series`] has read: none of its tokens is valid any more.
///
/// # Errors
/// When the store fails.
pub async fn end(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<(), StoreError> {
    tokens_of(app, user).end(tx).await
}

/// Ends the tokens that a change of users has made invalid: all those of an internal id that no user has any more, and,
/// if a user has lost an address, those sent to addresses that are not the user's ([`reset_links`]).
///
/// # Errors
/// When the store fails.
pub async fn end_outdated(tx: &mut dyn Tx, app: &AppId, before: &[&User], after: &[&User]) -> Result<(), StoreError> {
    for was in before {
        for id in was.internal_ids() {
            match after.iter().find(|is| is.internal_ids().contains(id)) {
                None => remove_user(tx, app, id).await?,
                Some(is) if !reset_links::ends_some(was, is) => {}
                Some(is) => tokens_of(app, id).end_where(tx, |email| !is.has_email(email)).await?,
            }
        }
    }
    Ok(())
}

/// Ends the tokens that would set the password of this login, which now has another one.
///
/// # Errors
/// When the store fails.
pub async fn end_for_login(tx: &mut dyn Tx, app: &AppId, user: &User, login: &UserId) -> Result<(), StoreError> {
    for id in user.internal_ids() {
        let opened = |email: &str| reset_links::login_opened(user, id, email).map(|method| &method.id);
        tokens_of(app, id).end_where(tx, |email| opened(email) == Some(login)).await?;
    }
    Ok(())
}

/// Deletes every token of a user (an internal id).
///
/// # Errors
/// When the store fails.
pub async fn remove_user(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<(), StoreError> {
    tokens_of(app, user).remove(tx).await
}

/// Deletes an expired token and, if it was the last one, its series. Returns false if it is still valid.
///
/// # Errors
/// When the store fails.
pub async fn delete_expired(tx: &mut dyn Tx, key: &Key, now: UnixMillis) -> Result<bool, StoreError> {
    let Some((app, hash)) = parse_token_key(key) else { return Ok(false) };
    let Some(token) = codec::get::<ResetTokenRecord>(tx, key).await? else { return Ok(false) };
    tokens_of(&app, &token.user_id).delete_expired(tx, &hash, &token, now).await
}

fn parse_token_key(key: &Key) -> Option<(AppId, OneTimeHash)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    Some((app, OneTimeHash::from_bytes(parts.rest().try_into().ok()?)))
}
