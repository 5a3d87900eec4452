//! The permanent stored format of sessions and timelines.

use crate::store::golden;
use sessiond::domain::ids::{AppId, SessionHandle, UserId};
use sessiond::domain::json::JsonObject;
use sessiond::domain::session::RefreshPolicy;
use sessiond::domain::session::client::{Client, Seen, SessionClients, UserAgent};
use sessiond::domain::session::event::{EventKind, ReuseSubtype, Use, UserChange};
use sessiond::domain::session::family::{Family, Previous};
use sessiond::domain::session::timeline::{Attempts, EventLog};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::token_hash::TokenHash2;
use sessiond::store::session::clients::EndedClientsRecord;
use sessiond::store::session::{SessionRecord, clients, row_key};
use sessiond::store::timeline::{self, TimelineRecord};
use sessiond::store::{Encoding, codec};

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
fn session_versions() {
    let client =
        |last: u8| Client { address: [192, 0, 2, last].into(), user_agent: UserAgent::of("Browser/1 (ü)".as_bytes()) };
    let clients = Some(SessionClients::created_by(client(1)));
    let clients = SessionClients::after_refresh(clients, Seen::Client(client(2)), UnixMillis(1_700_000_000_005));
    let earlier = SessionRecord {
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
        clients: None,
    };
    golden::any_version("session", 1, &earlier);
    let record = SessionRecord { clients: clients.clone(), ..earlier };
    golden::newest("session", &row_key(&AppId::base(), &handle()), &record);
    let ended = EndedClientsRecord { clients: clients.expect("clients") };
    let key = clients::key(&AppId::base(), &UserId::new("üser"), &handle());
    golden::newest("ended_clients", &key, &ended);
}

#[test]
fn the_clients_of_a_session_take_less_than_512_bytes() {
    let key = clients::key(&AppId::base(), &UserId::new("u"), &handle());
    let client = |address: &str, letter: u8| Client {
        address: address.parse().expect("an address"),
        user_agent: UserAgent::of(&[letter; 8_000]),
    };
    let known = Some(SessionClients::created_by(client("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", b'a')));
    let other = Seen::Client(client("2001:db8:ffff:ffff:ffff:ffff:ffff:fffe", b'b'));
    let clients = SessionClients::after_refresh(known, other, UnixMillis(u64::MAX)).expect("clients");
    for encoding in [Encoding::Binary, Encoding::Json] {
        let bytes = codec::encode(encoding, &key, &EndedClientsRecord { clients: clients.clone() }).expect("a record");
        let limit = if encoding == Encoding::Binary { 512 } else { 700 };
        assert!(bytes.len() < limit, "{} bytes", bytes.len());
    }
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
