//! The index keys of a user, as a pure function of it.
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | [`Keyspace::LoginMethodUser`] | (domain, app, recipe user id) | group id; only where the two differ |
//! | [`Keyspace::ExternalUserId`] | (domain, app, external id) | internal id |
//! | [`Keyspace::LoginIdentity`] | (domain, app, tenant, recipe, kind, value) | recipe user id; unique |
//! | [`Keyspace::PrimaryAccountInfo`] | (domain, app, tenant, kind, value) | primary user's id; unique |
//! | [`Keyspace::AccountInfo`] | (domain, app, tenant, kind, value, recipe user id) | a [plain user](super::plain), or nothing; for look-up and search |
//! | [`Keyspace::UserListing`] | (domain, app, tenant, recipe, time joined, group id) | a [plain user](super::plain), or nothing; for pages and counts |

use super::Taken;
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::time::UnixMillis;
use crate::domain::user::{AccountInfo, LoginMethod, Position, RecipeId, User};
use crate::store::key::KeyReader;
use crate::store::{Key, Keyspace, StoreError, Tx, codec};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One index key of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexEntry {
    /// The key itself.
    pub(super) key: Key,
    /// The pointer in the value of the key; `None` for a key without a pointer.
    pub(super) pointer: Option<Pointer>,
}

/// The value of an index key that may belong to one user only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    /// Internal id of a user or of a login method.
    pub(super) to: UserId,
    /// The account info claimed, and the tenant; `None` for ids.
    pub(super) claim: Option<(TenantId, AccountInfo)>,
    /// True if it is claimed by the primary user rather than the login method.
    pub(super) reservation: bool,
}

impl Pointer {
    /// The order in which conflicts are reported.
    pub(super) fn rank(&self) -> (u8, Option<&AccountInfo>) {
        match &self.claim {
            Some((_, info)) => (u8::from(self.reservation), Some(info)),
            None => (2, None),
        }
    }

    /// True if this makes a login unique in its tenant.
    pub(super) const fn is_identity(&self) -> bool {
        self.claim.is_some() && !self.reservation
    }

    /// The conflict reported if the key already points to `by`.
    pub(super) fn taken(self, by: UserId) -> Taken {
        match self.claim {
            Some((tenant, info)) if self.reservation => Taken::Reservation { tenant, info, by },
            Some((tenant, info)) => Taken::Identity { tenant, info, by },
            None => Taken::Id { by },
        }
    }
}

/// The kinds of values by which logins are looked up and searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Normalised e-mail address.
    Email = 1,
    /// E.164 number.
    PhoneNumber = 2,
    /// Provider and account id at the provider, two text parts.
    ThirdParty = 3,
    /// The part of the e-mail address after the first `@`.
    EmailDomain = 4,
    /// Provider, lower case.
    Provider = 5,
    /// Id of a passkey.
    Credential = 6,
}

/// The longest value that is stored in a key unchanged. A longer one is cut to this length and followed by its hash,
/// which makes it longer than any unchanged value.
const MAX_VALUE: usize = 256;

/// Text in the form in which it is stored in a key. Prefixes are preserved up to the cut.
pub(super) fn bounded(text: &str) -> String {
    if text.len() <= MAX_VALUE {
        return text.to_owned();
    }
    let mut cut = MAX_VALUE;
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let hash = crate::domain::token_hash::hex(&Sha256::digest(text.as_bytes()).into());
    format!("{}{hash}", text.get(..cut).unwrap_or_default())
}

fn with_info(key: Key, info: &AccountInfo) -> Key {
    match info {
        AccountInfo::Email(email) => key.raw(&[Kind::Email as u8]).text(&bounded(email)),
        AccountInfo::PhoneNumber(number) => key.raw(&[Kind::PhoneNumber as u8]).text(&bounded(number)),
        AccountInfo::ThirdParty(account) => {
            key.raw(&[Kind::ThirdParty as u8]).text(&bounded(&account.id)).text(&bounded(&account.user_id))
        }
    }
}

/// The key that leads from a login method to its group.
pub(super) fn method_key(app: &AppId, id: &UserId) -> Key {
    Key::of_app(Keyspace::LoginMethodUser, app).text(id.as_str())
}

/// The key that leads from an external id to the internal id.
pub(super) fn external_key(app: &AppId, id: &UserId) -> Key {
    Key::of_app(Keyspace::ExternalUserId, app).user(id)
}

/// The point key that makes a login unique in its tenant.
#[must_use]
pub fn identity_key(app: &AppId, tenant: &TenantId, recipe: RecipeId, identity: &AccountInfo) -> Key {
    with_info(Key::of_tenant(Keyspace::LoginIdentity, app, tenant).raw(&[recipe as u8]), identity)
}

/// The point key with which a primary user reserves an account info in a tenant.
pub(super) fn reservation_key(app: &AppId, tenant: &TenantId, info: &AccountInfo) -> Key {
    with_info(Key::of_tenant(Keyspace::PrimaryAccountInfo, app, tenant), info)
}

/// The values that [`info_value_key`] looks for.
#[derive(Debug, Clone, Copy)]
pub enum Search<'a> {
    /// Values that begin with this text.
    Prefix(&'a str),
    /// Exactly this value.
    Exact(&'a str),
}

/// The prefix of the scan keys of login methods whose info of this `kind` matches.
#[must_use]
pub fn info_value_key(app: &AppId, tenant: &TenantId, kind: Kind, search: Search<'_>) -> Key {
    let prefix = Key::of_tenant(Keyspace::AccountInfo, app, tenant).raw(&[kind as u8]);
    match search {
        Search::Exact(value) => prefix.text(&bounded(value)),
        Search::Prefix(value) => prefix.text_prefix(&bounded(value)),
    }
}

/// The prefix of the scan keys of login methods with exactly this account info.
#[must_use]
pub fn info_key(app: &AppId, tenant: &TenantId, info: &AccountInfo) -> Key {
    with_info(Key::of_tenant(Keyspace::AccountInfo, app, tenant), info)
}

/// The scan key of a login method under an [`info_key`].
pub(super) fn info_method_key(app: &AppId, tenant: &TenantId, info: &AccountInfo, id: &UserId) -> Key {
    info_key(app, tenant, info).text(id.as_str())
}

/// The parts of a key of [`Keyspace::AccountInfo`] that follow the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InfoKey {
    /// One of [`Kind`].
    pub kind: u8,
    /// The searchable value; for an account at a provider, the provider.
    pub value: String,
    /// The recipe user id at the end of the key.
    pub id: UserId,
}

/// Parses a key of [`Keyspace::AccountInfo`].
#[must_use]
pub fn parse_info_key(key: &Key) -> Option<InfoKey> {
    let mut parts = KeyReader::new(key);
    let (_domain, _app, _tenant) = (parts.text()?, parts.text()?, parts.text()?);
    let kind = parts.byte()?;
    let value = parts.text()?;
    if kind == Kind::ThirdParty as u8 {
        let _account = parts.text()?;
    }
    Some(InfoKey { kind, value, id: UserId::new(parts.text()?) })
}

/// The prefix of the list of a tenant's users with a login method of this recipe, ordered by time joined and id.
#[must_use]
pub fn listing_prefix(app: &AppId, tenant: &TenantId, recipe: RecipeId) -> Key {
    Key::of_tenant(Keyspace::UserListing, app, tenant).raw(&[recipe as u8])
}

/// The key of a user in the list of a recipe.
#[must_use]
pub fn listing_key(app: &AppId, tenant: &TenantId, recipe: RecipeId, place: &Position) -> Key {
    at_place(&listing_prefix(app, tenant, recipe), place)
}

/// The key of a position in the list with this prefix.
pub(super) fn at_place(prefix: &Key, place: &Position) -> Key {
    at(prefix, place.time_joined).internal_id(&place.id)
}

/// The prefix of all positions of a millisecond in the list with this prefix.
pub(super) fn at(prefix: &Key, time: UnixMillis) -> Key {
    prefix.clone().raw(&time.0.to_be_bytes())
}

/// Parses time joined and group id from a key of [`Keyspace::UserListing`].
#[must_use]
pub fn parse_listing_key(key: &Key) -> Option<(UnixMillis, UserId)> {
    let mut parts = KeyReader::new(key);
    let (_domain, _app, _tenant) = (parts.text()?, parts.text()?, parts.text()?);
    let _recipe = parts.byte()?;
    parse_listed(parts)
}

/// Parses the part that follows the [`listing_prefix`].
pub(super) fn parse_listed(mut parts: KeyReader<'_>) -> Option<(UnixMillis, UserId)> {
    let time = parse_joined(&mut parts)?;
    Some((time, parts.internal_id()?))
}

/// Parses the time joined, in either layout of a list.
pub(super) fn parse_joined(parts: &mut KeyReader<'_>) -> Option<UnixMillis> {
    let (time, _id) = parts.rest().split_first_chunk::<8>()?;
    parts.skip(8);
    Some(UnixMillis(u64::from_be_bytes(*time)))
}

/// All index keys of this user.
pub(super) fn entries(app: &AppId, user: &User) -> Vec<IndexEntry> {
    let mut entries = Vec::with_capacity(8);
    let id = |key, to: &UserId| IndexEntry {
        key,
        pointer: Some(Pointer { to: to.clone(), claim: None, reservation: false }),
    };
    for method in &user.methods {
        if method.id != user.id {
            entries.push(id(method_key(app, &method.id), &user.id));
        }
        if let Some(external) = &method.external {
            entries.push(id(external_key(app, &external.id), &method.id));
        }
        for tenant in &method.tenants {
            of_method(app, tenant, method, &mut entries);
        }
    }
    if let (Some(external), None) = (&user.kept_mapping, user.method(&user.id)) {
        entries.push(id(external_key(app, &external.id), &user.id));
    }
    of_group(app, user, &mut entries);
    entries
}

/// Adds the index keys of a login method in one of its tenants.
fn of_method(app: &AppId, tenant: &TenantId, method: &LoginMethod, entries: &mut Vec<IndexEntry>) {
    for info in method.login.identities() {
        let key = identity_key(app, tenant, method.login.recipe(), &info);
        let claim = Some((tenant.clone(), info));
        entries.push(IndexEntry { key, pointer: Some(Pointer { to: method.id.clone(), claim, reservation: false }) });
    }
    let mut scan_key = |key: Key| entries.push(IndexEntry { key: key.text(method.id.as_str()), pointer: None });
    for info in method.login.account_infos() {
        scan_key(info_key(app, tenant, &info));
        match &info {
            AccountInfo::Email(email) => {
                if let Some((_, domain)) = email.split_once('@') {
                    scan_key(info_value_key(app, tenant, Kind::EmailDomain, Search::Exact(domain)));
                }
            }
            AccountInfo::ThirdParty(account) => {
                let provider = account.id.to_lowercase();
                scan_key(info_value_key(app, tenant, Kind::Provider, Search::Exact(&provider)));
            }
            AccountInfo::PhoneNumber(_) => {}
        }
    }
    for credential in method.login.credential_ids() {
        scan_key(info_value_key(app, tenant, Kind::Credential, Search::Exact(credential)));
    }
}

/// Adds the index keys of a group in its tenants.
fn of_group(app: &AppId, user: &User, entries: &mut Vec<IndexEntry>) {
    let place = user.position();
    for tenant in user.tenants() {
        for recipe in RecipeId::ALL {
            let here = |method: &&LoginMethod| method.tenants.contains(tenant) && method.login.recipe() == recipe;
            if user.methods.iter().any(|method| here(&method)) {
                entries.push(IndexEntry { key: listing_key(app, tenant, recipe, &place), pointer: None });
            }
        }
        if user.is_primary {
            for info in user.account_infos() {
                let key = reservation_key(app, tenant, &info);
                let claim = Some((tenant.clone(), info));
                entries
                    .push(IndexEntry { key, pointer: Some(Pointer { to: user.id.clone(), claim, reservation: true }) });
            }
        }
    }
}

macro_rules! pointers {
    ($($keyspace:ident => $record:ident),+) => {
        $(
            #[doc = concat!("The value in [`Keyspace::", stringify!($keyspace), "`]: an internal id.")]
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $record(pub UserId);
            crate::record!($record, $keyspace, version 1);
        )+

        /// The id that an index key points to.
        pub(super) async fn read_pointer(tx: &mut dyn Tx, key: &Key) -> Result<Option<UserId>, StoreError> {
            match key.keyspace {
                $(Keyspace::$keyspace => Ok(codec::get::<$record>(tx, key).await?.map(|record| record.0)),)+
                _ => Ok(None),
            }
        }

        /// Writes an index key.
        pub(super) fn put(tx: &mut dyn Tx, key: &Key, pointer: Option<&Pointer>) -> Result<(), StoreError> {
            let Some(pointer) = pointer else {
                codec::put_marker(tx, key.clone());
                return Ok(());
            };
            match key.keyspace {
                $(Keyspace::$keyspace => codec::put(tx, key.clone(), &$record(pointer.to.clone())),)+
                _ => Ok(()),
            }
        }
    };
}

pointers!(
    LoginMethodUser => LoginMethodUserRecord,
    ExternalUserId => ExternalUserIdRecord,
    LoginIdentity => LoginIdentityRecord,
    PrimaryAccountInfo => PrimaryAccountInfoRecord
);
