//! The permanent stored format of sessions and timelines.

use crate::store::golden;
use sessiond::domain::ids::{AppId, SessionHandle, UserId};
use sessiond::domain::json::JsonObject;
use sessiond::domain::session::RefreshPolicy;
use sessiond::domain::session::event::{EventKind, ReuseSubtype, Use, UserChange};
use sessiond::domain::session::family::{Family, Previous};
use sessiond::domain::session::timeline::{Attempts, EventLog};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::token_hash::TokenHash2;
use sessiond::store::session::{SessionRecord, row_key};
use sessiond::store::timeline::{self, TimelineRecord};

fn handle() -> SessionHandle {
    SessionHandle::parse("01234567-89ab-4def-8123-456789abcdef_t1").unwrap()
}

/// Every kind of event except the ends together with the user.
fn log() -> EventLog {
    let request_id = || "r".to_owned();
    let mut log = EventLog::starting_with(UnixMillis(1), EventKind::Created { request_id: request_id() });
    let kinds = [
        EventKind::Refreshed { generation: 0 },
        EventKind::Refreshed { generation: 0 },
        EventKind::Promoted { by: Use::Verify, generation: 1 },
        EventKind::SiblingMoved { by: Use::Refresh, generation: 1 },
        EventKind::Rotated { generation: 300 },
        EventKind::GraceReplay { generation: 300 },
        EventKind::ReuseDetected {
            subtype: ReuseSubtype::OrphanedBranch,
            policy: RefreshPolicy::PromoteOnUse,
            generation: 7,
            after_ms: Some(70_000),
            request_id: request_id(),
        },
        EventKind::ReuseDetected {
            subtype: ReuseSubtype::StaleLineage,
            policy: RefreshPolicy::RotateOnRefresh,
            generation: 0,
            after_ms: None,
            request_id: request_id(),
        },
        EventKind::PayloadUpdated { request_id: request_id() },
        EventKind::DatabaseUpdated { request_id: request_id() },
        EventKind::Regenerated { request_id: request_id() },
        EventKind::Expired,
        EventKind::Revoked { call: "POST /recipe/session/remove".to_owned(), request_id: request_id() },
    ];
    for (at, kind) in (1_700_000_000_000..).zip(kinds) {
        log.push(UnixMillis(at), kind);
    }
    log
}

#[test]
fn session_version_1() {
    let record = SessionRecord {
        user_id: UserId::new("üser"),
        created: UnixMillis(1_700_000_000_000),
        family: Family {
            current: TokenHash2([1; 32]),
            previous: Some(Previous { hash: TokenHash2([2; 32]), replaced_at: UnixMillis(1_700_000_000_001) }),
            generation: 300,
            displaced: vec![[3; 16], [4; 16]],
            use_static_key: true,
            expires: UnixMillis(1_708_640_000_000),
        },
        user_data_in_jwt: JsonObject::from_stored(r#"{"role":"admin"}"#.to_owned()),
        user_data_in_database: JsonObject::from_stored(r#"{"n":null}"#.to_owned()),
        log: log(),
    };
    golden::newest("session", &row_key(&AppId::base(), &handle()), &record);
}

/// Every way in which a session ends together with the user.
#[test]
fn endings_with_the_user() {
    let changes = [
        UserChange::Deletion,
        UserChange::Linking,
        UserChange::Unlinking,
        UserChange::LeavingTenant,
        UserChange::Unmapping,
    ];
    let ends = changes.map(|change| EventKind::RevokedWithUser {
        change,
        call: "POST /user/remove".to_owned(),
        request_id: "r".to_owned(),
    });
    let mut log = EventLog::starting_with(UnixMillis(1), EventKind::Created { request_id: "r".to_owned() });
    ends.into_iter().for_each(|end| log.push(UnixMillis(2), end));
    let record = TimelineRecord {
        user_id: UserId::new("user"),
        created: UnixMillis(1),
        ended: UnixMillis(2),
        purge_at: UnixMillis(3),
        attempts: None,
        log,
    };
    golden::newest("timeline_ended_with_user", &timeline::key(&AppId::base(), &handle()), &record);
}

#[test]
fn timeline_version_1() {
    let record = TimelineRecord {
        user_id: UserId::new("üser"),
        created: UnixMillis(1_700_000_000_000),
        ended: UnixMillis(1_700_000_000_013),
        purge_at: UnixMillis(1_702_678_400_013),
        attempts: Some(Attempts {
            count: 2,
            first: UnixMillis(1_700_000_100_000),
            last: UnixMillis(1_700_000_200_000),
        }),
        log: log(),
    };
    golden::newest("timeline", &timeline::key(&AppId::base(), &handle()), &record);
}
