//! Cross-references: every user has its index keys, every index key its user, and the counters are right.

use super::index::{self, IndexEntry, parse_info_key, parse_listing_key};
use super::listing::v1;
use super::plain::{self, Copies};
use super::{Row, count, find_internal, parse_row_key, row, verified};
use crate::domain::ids::{AppId, UserId};
use crate::store::cross_references::{CrossReferences, Rows, finish_examination};
use crate::store::key::KeyReader;
use crate::store::{Engine, Key, Keyspace, StoreError, Tx, tally};

/// The keyspaces of the keys that [`index::entries`] returns.
const INDEXES: [Keyspace; 7] = [
    Keyspace::LoginMethodUser,
    Keyspace::ExternalUserId,
    Keyspace::LoginIdentity,
    Keyspace::AccountInfo,
    Keyspace::UserListing,
    Keyspace::PrimaryAccountInfo,
    // The old listing, until the server's next start.
    Keyspace::UserListingV1,
];

/// Walks all users and their indexes. Works while the server runs: related rows are read as of one moment.
///
/// # Errors
/// When the store fails. A row that cannot be decoded is reported, not an error.
pub async fn check(engine: &dyn Engine) -> Result<CrossReferences, StoreError> {
    let mut found = CrossReferences::default();
    let mut rows = Rows::of(engine, Keyspace::User);
    while let Some((key, _)) = rows.advance().await? {
        found.rows += 1;
        row_has_index(engine, &key, &mut found).await?;
    }
    for keyspace in INDEXES {
        let mut keys = Rows::of(engine, keyspace);
        while let Some((key, _)) = keys.advance().await? {
            found.index_keys += 1;
            index_has_row(engine, &key, &mut found).await?;
        }
    }
    tally::check(engine, &count::USERS, &mut found).await?;
    Ok(found)
}

async fn row_has_index(engine: &dyn Engine, key: &Key, found: &mut CrossReferences) -> Result<(), StoreError> {
    let Some((app, id)) = parse_row_key(key) else {
        found.report(format!("{key}: not the key of a user"));
        return Ok(());
    };
    loop {
        let mut tx = engine.begin();
        let wrong = wrong_with_row(tx.as_mut(), &app, &id).await;
        let Some(wrong) = finish_examination(tx, wrong).await? else { continue };
        match wrong {
            Ok(wrong) => wrong
                .into_iter()
                .for_each(|what| found.report(format!("user {} of app {} {what}", id.as_str(), app.app_id))),
            Err(damaged) => found.report(damaged.to_string()),
        }
        return Ok(());
    }
}

/// The defects of a user's row, as of one moment.
async fn wrong_with_row(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Vec<String>, StoreError> {
    let mut wrong = Vec::new();
    let Some(Row { user, verified }) = row(tx, app, id).await? else { return Ok(wrong) };
    let marks = verified::of_user(tx, app, &user).await?;
    let copies = Copies::of(app, &user, marks.first().copied().unwrap_or_default());
    // An index key that is missing or leads elsewhere.
    for IndexEntry { key, pointer } in index::entries(app, &user) {
        let exists = match &pointer {
            Some(pointer) => index::read_pointer(tx, &key).await?.as_ref() == Some(&pointer.to),
            None => match stored(tx, &key).await? {
                Some(value) => {
                    if !plain::agrees(tx.encoding(), &key, &value, copies.as_ref())? {
                        wrong.push(format!("is shown by {key} in a way that differs from its row and marks"));
                    }
                    true
                }
                None => false,
            },
        };
        if !exists {
            wrong.push(format!("is not found by {key}"));
        }
    }
    if let Some(copy) = verified
        && copy != marks
    {
        wrong.push("has a row that differs from its marks in which addresses are verified".to_owned());
    }
    Ok(wrong)
}

/// The value at a key, even if the folder still has the layout of an older version.
async fn stored(tx: &mut dyn Tx, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
    if let Some(value) = tx.get(key).await? {
        return Ok(Some(value));
    }
    match v1::former(key) {
        Some(former) => tx.get(&former).await,
        None => Ok(None),
    }
}

async fn index_has_row(engine: &dyn Engine, key: &Key, found: &mut CrossReferences) -> Result<(), StoreError> {
    let Some(app) = KeyReader::new(key).app() else {
        found.report(format!("{key}: not the key of an index entry"));
        return Ok(());
    };
    loop {
        let mut tx = engine.begin();
        let wrong = wrong(tx.as_mut(), &app, key).await;
        // A damaged row was reported by the walk over the rows; a damaged key is reported only here.
        match finish_examination(tx, wrong).await? {
            None => {}
            Some(Ok(Some(what))) => {
                found.report(format!("{key} {what}"));
                return Ok(());
            }
            Some(Ok(None) | Err(_)) => return Ok(()),
        }
    }
}

/// The defect of an index key, as of one moment.
async fn wrong(tx: &mut dyn Tx, app: &AppId, key: &Key) -> Result<Option<&'static str>, StoreError> {
    if tx.get(key).await?.is_none() {
        return Ok(None);
    }
    let key = &v1::current(key.clone());
    let id = match key.keyspace {
        Keyspace::AccountInfo => parse_info_key(key).map(|named| named.id),
        Keyspace::UserListing => parse_listing_key(key).map(|(_, id)| id),
        _ => index::read_pointer(tx, key).await?,
    };
    let Some(id) = id else { return Ok(Some("is not the key of an index entry")) };
    let Some(found) = find_internal(tx, app, &id).await? else {
        return Ok(Some("leads to a user who is gone"));
    };
    let mut entries = index::entries(app, &found.user).into_iter();
    let own = entries.any(|entry| entry.key == *key && entry.pointer.is_none_or(|pointer| pointer.to == id));
    Ok((!own).then_some("leads to a user to whom it does not belong"))
}
