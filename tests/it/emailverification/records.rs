//! The permanent stored format of marks and tokens.

use crate::store::golden;
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::one_time_token::OneTimeHash;
use sessiond::domain::time::UnixMillis;
use sessiond::domain::token_series::{Series, SeriesId};
use sessiond::store::emailverification::{
    Addressee, VerificationSeriesRecord, VerificationTokenRecord, VerifiedRecord, token_key, verified_key,
};

const EMAIL: &str = "jane@example.org";

#[test]
fn verified_version_1() {
    let record = VerifiedRecord { since: UnixMillis(1_700_000_000_000) };
    golden::newest("email_verified", &verified_key(&AppId::base(), &UserId::new("üser"), EMAIL), &record);
}

#[test]
fn token_version_1() {
    let (user, expires) = (UserId::new("üser"), UnixMillis(1_700_086_400_000));
    let record = VerificationTokenRecord::new(user, EMAIL.to_owned(), expires, SeriesId(u64::MAX));
    let key = token_key(&AppId::base(), &TenantId::new("t1"), &OneTimeHash::from_bytes([7; 32]));
    golden::newest("email_verification_token", &key, &record);
}

#[test]
fn series_of_every_version() {
    let (app, tenant, user) = (AppId::base(), TenantId::new("t1"), UserId::new("üser"));
    let addressee = Addressee { app: &app, tenant: &tenant, user: &user, email: EMAIL };
    let (id, expires) = (SeriesId(1), UnixMillis(1_700_086_400_000));
    let uncounted = VerificationSeriesRecord::from(Series { id, expires, tokens: Vec::new() });
    golden::any_version("email_verification_token_by_user-series", 1, &uncounted);
    let tokens = vec![OneTimeHash::from_bytes([7; 32]), OneTimeHash::from_bytes([1; 32])];
    let record = VerificationSeriesRecord::from(Series { id, expires, tokens });
    golden::newest("email_verification_token_by_user-series", addressee.tokens().series_key(), &record);
}
