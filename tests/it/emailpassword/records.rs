//! The bytes of every record version.

use crate::store::golden;
use sessiond::domain::ids::{AppId, UserId};
use sessiond::domain::one_time_token::OneTimeHash;
use sessiond::domain::time::UnixMillis;
use sessiond::domain::token_series::{Series, SeriesId};
use sessiond::store::passwordreset::{ResetSeriesRecord, ResetTokenRecord, token_key, tokens_of};

const EXPIRES: UnixMillis = UnixMillis(1_700_003_600_000);

#[test]
fn token_version_1() {
    let user = UserId::new("3b2c8c3e-0000-4000-8000-000000000001");
    let record = ResetTokenRecord::new(user, "jane@example.org".to_owned(), EXPIRES, SeriesId(u64::MAX));
    let key = token_key(&AppId::base(), &OneTimeHash::from_bytes([7; 32]));
    golden::newest("password_reset_token", &key, &record);
}

#[test]
fn series_of_every_version() {
    let uncounted = ResetSeriesRecord::from(Series { id: SeriesId(1), expires: EXPIRES, tokens: Vec::new() });
    golden::any_version("password_reset_token_by_user-series", 1, &uncounted);
    let tokens = vec![OneTimeHash::from_bytes([7; 32]), OneTimeHash::from_bytes([1; 32])];
    let record = ResetSeriesRecord::from(Series { id: SeriesId(1), expires: EXPIRES, tokens });
    let tokens = tokens_of(&AppId::base(), &UserId::new("3b2c8c3e-0000-4000-8000-000000000001"));
    golden::newest("password_reset_token_by_user-series", tokens.series_key(), &record);
}
