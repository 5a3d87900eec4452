//! Plain users, and copies of them in their listing and search keys.
//!
//! Most users have one login method, in one tenant, that signs in with an e-mail address or a phone number. What
//! replies show of such a user fits into the values of two of its keys: the one in [`Keyspace::AccountInfo`] that
//! contains its address, and its entry in the list of its tenant ([`Keyspace::UserListing`]). So a page or a search
//! among very many users only reads the leaves of one index rather than those of the rows as well.
//!
//! The copies are always correct: writing a user's row also writes the copies ([`put`]), and a change that makes the
//! user no longer plain removes them ([`obsolete_copies`]). Without a copy the row has to be read: the user is not plain, or
//! was written before there were copies.

use super::Row;
use super::index::{InfoKey, Kind, bounded, info_method_key, listing_key};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::time::UnixMillis;
use crate::domain::user::{AccountInfo, Login, LoginMethod, PasswordHash, Position, RecipeId, User};
use crate::store::codec::Record;
use crate::store::{Encoding, Key, Keyspace, StoreError, Tx, codec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The part of a plain user that its search key does not contain. 8 bytes, so that sled keeps the stored 22 in place.
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
    /// The value of the search key of such a user; `None` for a time that does not fit.
    #[must_use]
    pub fn new(recipe: RecipeId, verified: bool, time_joined: UnixMillis) -> Option<Self> {
        let [0, 0, time_joined @ ..] = time_joined.0.to_be_bytes() else { return None };
        Some(Self { recipe: recipe as u8, verified, time_joined })
    }
}

/// The part of a plain user that its list entry's key does not contain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserListingRecord {
    /// The copy of its mark, see [`verified`](super::verified).
    verified: bool,
    /// [`Kind::Email`] or [`Kind::PhoneNumber`], as a number.
    kind: u8,
    /// The e-mail address or phone number.
    value: String,
}

crate::record!(UserListingRecord, UserListing, version 1);

impl UserListingRecord {
    /// The value of the list entry of such a user.
    #[must_use]
    pub const fn new(verified: bool, kind: Kind, value: String) -> Self {
        Self { verified, kind: kind as u8, value }
    }
}

/// The copies of a plain user in the values of its keys.
pub(super) struct Copies {
    info: (Key, AccountInfoRecord),
    listed: (Key, UserListingRecord),
}

impl Copies {
    /// The copies for a plain user; `None` for all other users.
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

/// True if the value of a user's listing or search key is empty or as it should be.
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

/// Writes the copies of a plain user into the values of its keys.
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

/// The keys that held copies of plain users before the change and hold none after it.
pub(super) fn obsolete_copies(app: &AppId, before: &[&User], after: &[&User]) -> BTreeSet<Key> {
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

/// The plain user in a search key, without its password hash; `None` if the row has to be read.
///
/// # Errors
/// When the copy is damaged.
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

/// The plain user in an entry of a recipe's list, without its password hash; `None` if the row has to be read.
///
/// # Errors
/// When the copy is damaged.
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

/// Rejects a user without its password hash, who can be shown but not written.
///
/// # Errors
/// When such a user is about to be written.
pub(super) fn require_password_hash(key: &Key, user: &User) -> Result<(), StoreError> {
    let withheld =
        |method: &LoginMethod| matches!(&method.login, Login::EmailPassword { password, .. } if password.is_withheld());
    if user.methods.iter().any(withheld) {
        let what = "a user who was read for display cannot be written: a bug in sessiond".to_owned();
        return Err(StoreError::Unusable { place: key.to_string(), what });
    }
    Ok(())
}
