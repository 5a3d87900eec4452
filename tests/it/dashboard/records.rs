//! The permanent stored format of dashboard users and sessions.

use crate::store::golden;
use sessiond::domain::ids::{AppId, UserId};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::token_hash::TokenHash1;
use sessiond::domain::token_series::SeriesId;
use sessiond::domain::user::PasswordHash;
use sessiond::store::dashboard::{
    DashboardEmailRecord, DashboardSessionRecord, DashboardUserRecord, email_key, session_key, user_key,
};

const EMAIL: &str = "jane@example.org";

#[test]
fn user_version_1() {
    let id = UserId::new("018bcfe5-6800-7000-8000-000000000001");
    let record = DashboardUserRecord {
        id: id.clone(),
        email: EMAIL.to_owned(),
        password: PasswordHash::new("$2a$11$abcdefghijklmnopqrstuu5Nk4bWpHwcT1WkA9CjIvp6XcSbYJ9iK"),
        time_joined: UnixMillis(1_700_000_000_000),
        sessions: SeriesId(u64::MAX),
    };
    golden::newest("dashboard_user", &user_key(&AppId::base(), &id), &record);
}

#[test]
fn address_version_1() {
    let record = DashboardEmailRecord { user_id: UserId::new("u") };
    golden::newest("dashboard_user_by_email", &email_key(&AppId::base(), EMAIL), &record);
}

#[test]
fn session_version_1() {
    let record = DashboardSessionRecord {
        user_id: UserId::new("u"),
        series: SeriesId(7),
        created: UnixMillis(1_700_000_000_000),
        expires: UnixMillis(1_702_592_000_000),
    };
    golden::newest("dashboard_session", &session_key(&AppId::base(), &TokenHash1::from_bytes([7; 32])), &record);
}
