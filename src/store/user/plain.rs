//! Plain users, and what the keys they are listed and searched by say of them.
//!
//! Most users have one login method, in one tenant, that signs in with an e-mail address or a phone number. What replies
//! show of such a user fits beside two of its keys: the one in [`Keyspace::AccountInfo`] that names its address, and its place in
//! the list of its tenant ([`Keyspace::UserListing`]). So a page or a search among very many users reads the leaves of one
//! index where it would read those of the rows, too.
//!
//! What stands there is right: whoever writes a user's row writes it too ([`put`]), and whoever makes a plain user
//! another one takes it away ([`outgrown`]). Where nothing stands, the row has to be read: the user is not plain, or was written
//! before there were such copies.

use super::Row;
use super::index::{InfoKey, Kind, bounded, info_method_key, listing_key};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::time::UnixMillis;
use crate::domain::user::{AccountInfo, Login, LoginMethod, PasswordHash, Position, RecipeId, User};
use crate::store::codec::Record;
use crate::store::{Encoding, Key, Keyspace, StoreError, Tx, codec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A plain user, as far as its search key does not say it. 8 bytes, so that sled keeps the stored 22 in place.
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

/// A plain user, as far as its place in a list does not say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserListingRecord {
    /// The copy of its mark, see [`verified`](super::verified).
    verified: bool,
    /// [`Kind::Email`] or [`Kind::PhoneNumber`], as a number.
    kind: u8,
    /// The address or the number.
    value: String,
}

crate::record!(UserListingRecord, UserListing, version 1);

impl UserListingRecord {
    /// What stands beside the place of such a user.
    #[must_use]
    pub const fn new(verified: bool, kind: Kind, value: String) -> Self {
        Self { verified, kind: kind as u8, value }
    }
}

/// What stands beside the keys of a plain user.
pub(super) struct Copies {
    info: (Key, AccountInfoRecord),
    listed: (Key, UserListingRecord),
}

impl Copies {
    /// Those of a plain user; `None` for all others.
    pub(super) fn of(app: &AppId, user: &User, verified: bool) -> Option<Self> {
        let [method] = user.methods.as_slice() else { return None };
        let is_grown =
            user.is_primary || user.kept_mapping.is_some() || method.external.is_some() || method.id != user.id;
        let tenant = method.tenants.first().filter(|_| method.tenants.len() == 1 && !is_grown)?;
        let info = match &method.login {
            Login::EmailPassword { email, .. } | Login::Passwordless { email: Some(email), phone_number: None } => {
                AccountInfo::Email(email.clone())
            }
            Login::Passwordless { email: None, phone_number: Some(number) } => AccountInfo::PhoneNumber(number.clone()),
            Login::Passwordless { .. } | Login::ThirdParty { .. } | Login::Webauthn { .. } => return None,
        };
        let (kind, text) = match &info {
            AccountInfo::Email(email) => (Kind::Email, email),
            AccountInfo::PhoneNumber(number) => (Kind::PhoneNumber, number),
            AccountInfo::ThirdParty(_) => return None,
        };
        if bounded(text) != *text {
            return None;
        }
        let recipe = method.login.recipe();
        let record = AccountInfoRecord::new(recipe, verified, method.time_joined)?;
        Some(Self {
            info: (info_method_key(app, tenant, &info, &method.id), record),
            listed: (
                listing_key(app, tenant, recipe, &user.position()),
                UserListingRecord::new(verified, kind, text.clone()),
            ),
        })
    }
}

/// Whether what stands at a listing or search key of a user is what it should be, or nothing.
///
/// # Errors
/// When it is damaged.
pub(super) fn agrees(encoding: Encoding, key: &Key, value: &[u8], copies: Option<&Copies>) -> Result<bool, StoreError> {
    match key.keyspace {
        Keyspace::UserListing => is_copy(encoding, key, value, copies.map(|copies| &copies.listed)),
        _ => is_copy(encoding, key, value, copies.map(|copies| &copies.info)),
    }
}

fn is_copy<R: Record + PartialEq>(
    encoding: Encoding,
    key: &Key,
    value: &[u8],
    copy: Option<&(Key, R)>,
) -> Result<bool, StoreError> {
    if value.is_empty() {
        return Ok(true);
    }
    let record: R = codec::decode(encoding, key, value)?;
    Ok(copy.is_some_and(|(own, copy)| own == key && *copy == record))
}

/// Writes what stands beside the keys of a plain user.
///
/// # Errors
/// When it cannot be encoded.
pub(super) fn put(tx: &mut dyn Tx, app: &AppId, user: &User, verified: &[bool]) -> Result<(), StoreError> {
    let Some(Copies { info, listed }) = Copies::of(app, user, verified.first().copied().unwrap_or_default()) else {
        return Ok(());
    };
    codec::put(tx, info.0, &info.1)?;
    codec::put(tx, listed.0, &listed.1)
}

/// The keys beside which plain users stood before, and none stands after.
pub(super) fn outgrown(app: &AppId, before: &[&User], after: &[&User]) -> BTreeSet<Key> {
    let keys = |users: &[&User]| -> BTreeSet<Key> {
        let copies = users.iter().filter_map(|user| Copies::of(app, user, false));
        copies.flat_map(|Copies { info, listed }| [info.0, listed.0]).collect()
    };
    let mut keys_before = keys(before);
    if !keys_before.is_empty() {
        let keys_after = keys(after);
        keys_before.retain(|key| !keys_after.contains(key));
    }
    keys_before
}

/// The plain user that a search key names, without its password hash; `None` when the row has to be asked.
///
/// # Errors
/// When what stands there is damaged.
pub(super) fn searched(
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
    let [a, b, c, d, e, f] = time_joined;
    let time_joined = UnixMillis(u64::from_be_bytes([0, 0, a, b, c, d, e, f]));
    let login = login(recipe, named.kind, named.value.clone());
    Ok(Some(shown(named.id.clone(), time_joined, tenant.clone(), login, verified)))
}

/// The plain user at a place of a recipe's list, without its password hash; `None` when the row has to be asked.
///
/// # Errors
/// When what stands there is damaged.
pub(super) fn listed(
    encoding: Encoding,
    (tenant, recipe): (&TenantId, RecipeId),
    key: &Key,
    place: &Position,
    value: &[u8],
) -> Result<Option<Row>, StoreError> {
    if value.is_empty() {
        return Ok(None);
    }
    let UserListingRecord { verified, kind, value } = codec::decode(encoding, key, value)?;
    let login = login(recipe as u8, kind, value);
    Ok(Some(shown(place.id.clone(), place.time_joined, tenant.clone(), login, verified)))
}

fn login(recipe: u8, kind: u8, value: String) -> Login {
    if kind != Kind::Email as u8 {
        return Login::Passwordless { email: None, phone_number: Some(value) };
    }
    if recipe == RecipeId::EmailPassword as u8 {
        return Login::EmailPassword { email: value, password: PasswordHash::withheld() };
    }
    Login::Passwordless { email: Some(value), phone_number: None }
}

fn shown(id: UserId, time_joined: UnixMillis, tenant: TenantId, login: Login, verified: bool) -> Row {
    let method = LoginMethod { id, external: None, tenants: BTreeSet::from([tenant]), time_joined, login };
    Row { user: User::new(method), verified: Some(vec![verified]) }
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
