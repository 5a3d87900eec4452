//! Plain users, and what the keys they are searched by say of them.
//!
//! Most users have one login method, in one tenant, that signs in with an e-mail address or a phone number. What replies
//! show of such a user fits beside the key in [`Keyspace::AccountInfo`](crate::store::Keyspace::AccountInfo) that names it, so that a
//! search among very many users reads one leaf of the index where it would read two.
//!
//! What stands there is right: whoever writes a user's row writes it too ([`put`]), and whoever makes a plain user
//! another one takes it away ([`outgrown`]). Where nothing stands, the row has to be read: the user is not plain, or was written
//! before there were such copies.

use super::Row;
use super::index::{InfoKey, Kind, bounded, info_method_key};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::time::UnixMillis;
use crate::domain::user::{AccountInfo, Login, LoginMethod, PasswordHash, RecipeId, User};
use crate::store::{Encoding, Key, StoreError, Tx, codec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A plain user, as far as the key does not say it. 8 bytes, so that sled keeps the stored 22 in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountInfoRecord {
    /// [`RecipeId::EmailPassword`] or [`RecipeId::Passwordless`], as a number.
    recipe: u8,
    /// The copy of its mark, see [`verified`](super::verified).
    verified: bool,
    /// Milliseconds since 1970, big endian.
    time_joined: [u8; 6],
}

crate::record!(AccountInfoRecord, AccountInfo, version 1);

impl AccountInfoRecord {
    /// What stands beside the key of such a user; `None` for a time that does not fit.
    #[must_use]
    pub fn new(recipe: RecipeId, verified: bool, time_joined: UnixMillis) -> Option<Self> {
        let [0, 0, time_joined @ ..] = time_joined.0.to_be_bytes() else { return None };
        Some(Self { recipe: recipe as u8, verified, time_joined })
    }
}

/// The key that names a plain user, and what stands there; `None` for all others.
pub(super) fn copy_of(app: &AppId, user: &User, verified: bool) -> Option<(Key, AccountInfoRecord)> {
    let [method] = user.methods.as_slice() else { return None };
    let is_grown = user.is_primary || user.kept_mapping.is_some() || method.external.is_some() || method.id != user.id;
    let tenant = method.tenants.first().filter(|_| method.tenants.len() == 1 && !is_grown)?;
    let info = match &method.login {
        Login::EmailPassword { email, .. } | Login::Passwordless { email: Some(email), phone_number: None } => {
            AccountInfo::Email(email.clone())
        }
        Login::Passwordless { email: None, phone_number: Some(number) } => AccountInfo::PhoneNumber(number.clone()),
        Login::Passwordless { .. } | Login::ThirdParty { .. } | Login::Webauthn { .. } => return None,
    };
    let (AccountInfo::Email(text) | AccountInfo::PhoneNumber(text)) = &info else { return None };
    if bounded(text) != *text {
        return None;
    }
    let record = AccountInfoRecord::new(method.login.recipe(), verified, method.time_joined)?;
    Some((info_method_key(app, tenant, &info, &method.id), record))
}

/// Writes what stands beside the key of a plain user.
///
/// # Errors
/// When it cannot be encoded.
pub(super) fn put(tx: &mut dyn Tx, app: &AppId, user: &User, verified: &[bool]) -> Result<(), StoreError> {
    match copy_of(app, user, verified.first().copied().unwrap_or_default()) {
        Some((key, record)) => codec::put(tx, key, &record),
        None => Ok(()),
    }
}

/// The keys that named plain users before and name none after.
pub(super) fn outgrown(app: &AppId, before: &[&User], after: &[&User]) -> BTreeSet<Key> {
    let keys = |users: &[&User]| -> BTreeSet<Key> {
        users.iter().filter_map(|user| copy_of(app, user, false)).map(|(key, _)| key).collect()
    };
    let mut keys_before = keys(before);
    if !keys_before.is_empty() {
        let keys_after = keys(after);
        keys_before.retain(|key| !keys_after.contains(key));
    }
    keys_before
}

/// Whether what stands at a search key of a user is what it should be, or nothing.
///
/// # Errors
/// When it is damaged.
pub(super) fn agrees(
    encoding: Encoding,
    key: &Key,
    value: &[u8],
    copy: Option<&(Key, AccountInfoRecord)>,
) -> Result<bool, StoreError> {
    if value.is_empty() {
        return Ok(true);
    }
    let record: AccountInfoRecord = codec::decode(encoding, key, value)?;
    Ok(copy.is_some_and(|(own, copy)| own == key && *copy == record))
}

/// The plain user that a key names, without its password hash; `None` when the row has to be asked.
///
/// # Errors
/// When what stands there is damaged.
pub(super) fn shown(
    encoding: Encoding,
    tenant: &TenantId,
    key: &Key,
    named: &InfoKey,
    value: &[u8],
) -> Result<Option<Row>, StoreError> {
    if value.is_empty() {
        return Ok(None);
    }
    let AccountInfoRecord { recipe, verified, time_joined } = codec::decode(encoding, key, value)?;
    let text = named.value.clone();
    let login = match named.kind {
        kind if kind == Kind::Email as u8 && recipe == RecipeId::EmailPassword as u8 => {
            Login::EmailPassword { email: text, password: PasswordHash::withheld() }
        }
        kind if kind == Kind::Email as u8 => Login::Passwordless { email: Some(text), phone_number: None },
        _ => Login::Passwordless { email: None, phone_number: Some(text) },
    };
    let [a, b, c, d, e, f] = time_joined;
    let method = LoginMethod {
        id: named.id.clone(),
        external: None,
        tenants: BTreeSet::from([tenant.clone()]),
        time_joined: UnixMillis(u64::from_be_bytes([0, 0, a, b, c, d, e, f])),
        login,
    };
    Ok(Some(Row { user: User::new(method), verified: Some(vec![verified]) }))
}

/// Without its password hash a user can be shown but not written.
///
/// # Errors
/// When it is to be written all the same.
pub(super) fn must_be_whole(key: &Key, user: &User) -> Result<(), StoreError> {
    let withheld =
        |method: &LoginMethod| matches!(&method.login, Login::EmailPassword { password, .. } if password.is_withheld());
    if user.methods.iter().any(withheld) {
        let what = "a user who was read to be shown cannot be written: a fault of sessiond".to_owned();
        return Err(StoreError::Unusable { place: key.to_string(), what });
    }
    Ok(())
}
