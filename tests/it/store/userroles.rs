use super::golden;
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::json::JsonObject;
use sessiond::domain::time::UnixMillis;
use sessiond::domain::userroles::{Incarnation, Permission, Role, RoleName};
use sessiond::store::memory::MemoryEngine;
use sessiond::store::usermetadata::{self, UserMetadataRecord};
use sessiond::store::userroles::assignment::{Assignment, RoleUserRecord, UserRoleRecord};
use sessiond::store::userroles::removal::{RemovedRole, RoleRemovalRecord};
use sessiond::store::userroles::{self, RoleRecord, role_key};
use sessiond::store::{Encoding, Engine, Key, Keyspace, Scan, codec};

const INCARNATION: Incarnation = Incarnation(0x0123_4567_89ab_cdef);

fn app() -> AppId {
    AppId { connection_uri_domain: "auth.example.com".to_owned(), app_id: "shop".to_owned() }
}

fn role() -> RoleName {
    RoleName::new("admin").unwrap()
}

#[test]
fn role_records_keep_their_bytes() {
    let permissions = ["write", "réad"].map(|name| Permission::new(name).unwrap()).into();
    let record = RoleRecord(Role { incarnation: INCARNATION, permissions });
    golden::newest("role", &role_key(&app(), &role()), &record);
}

/// The row of a role begins with its incarnation; the rest is still covered by the checksum.
#[tokio::test]
async fn an_incarnation_is_read_without_the_permissions() {
    let store = MemoryEngine::new();
    let mut role_of_many = Role::new(INCARNATION);
    role_of_many.permit(&["a", "b"].map(|name| Permission::new(name).unwrap())).unwrap();
    let key = role_key(&app(), &role());
    let mut bytes = codec::encode(Encoding::Binary, &key, &RoleRecord(role_of_many)).unwrap();
    let mut tx = store.begin();
    tx.put(key.clone(), bytes.clone());
    assert_eq!(userroles::incarnation(tx.as_mut(), &app(), &role()).await.unwrap(), Some(INCARNATION));
    *bytes.last_mut().unwrap() ^= 1;
    tx.put(key, bytes);
    assert!(userroles::incarnation(tx.as_mut(), &app(), &role()).await.is_err());
}

#[test]
fn assignment_records_keep_their_bytes() {
    let (app, tenant, role) = (app(), TenantId::new("t1"), role());
    for (name, user) in [("", UserId::new("üser")), ("-long", UserId::new("u".repeat(257)))] {
        let assignment = Assignment { app: &app, tenant: &tenant, user: &user, role: &role };
        let record = UserRoleRecord { incarnation: INCARNATION };
        golden::newest(&format!("user_role{name}"), &assignment.user_key(), &record);
        let long_user_id = (!name.is_empty()).then(|| user.clone());
        let record = RoleUserRecord { incarnation: INCARNATION, long_user_id };
        golden::newest(&format!("role_user{name}"), &assignment.role_key(), &record);
    }
}

#[test]
fn role_removal_records_keep_their_bytes() {
    let removed = RemovedRole { app: app(), role: role(), incarnation: INCARNATION };
    let record = RoleRemovalRecord { since: UnixMillis(1_700_000_000_000) };
    golden::newest("meta-role-removal", &removed.marker_key(), &record);
}

#[test]
fn user_metadata_records_keep_their_bytes() {
    let user_id = UserId::new("üser");
    let key = usermetadata::key(&app(), &user_id);
    let metadata = JsonObject::from_stored(r#"{"name":"Ü","nested":{"none":null}}"#.to_owned());
    golden::newest("user_metadata", &key, &UserMetadataRecord { user_id, metadata });
}

/// Two roles in two apps; one of them removed while its users still have rows.
async fn store_with_roles() -> MemoryEngine {
    let store = MemoryEngine::new();
    let tenant = TenantId::new("t1");
    let mut tx = store.begin();
    for app in [app(), AppId::base()] {
        let added = ["read", "write"].map(|name| Permission::new(name).unwrap());
        let mut one = Role::new(INCARNATION);
        one.permit(&added).unwrap();
        for user in [UserId::new("u"), UserId::new("u".repeat(300))] {
            let assignment = Assignment { app: &app, tenant: &tenant, user: &user, role: &role() };
            assignment.put(tx.as_mut(), INCARNATION).unwrap();
        }
        userroles::put(tx.as_mut(), &app, &role(), one, &added, &[]).unwrap();
    }
    let removed = userroles::get(tx.as_mut(), &AppId::base(), &role()).await.unwrap().unwrap();
    userroles::removal::begin(tx.as_mut(), &AppId::base(), &role(), &removed, UnixMillis(1)).unwrap();
    tx.commit().await.unwrap();
    store
}

#[tokio::test]
async fn the_check_names_rows_that_do_not_fit_together() {
    let store = store_with_roles().await;
    let sound = userroles::check(&store).await.unwrap();
    assert_eq!((sound.rows, sound.index_keys, sound.broken), (1 + 4, 2 + 4, 0), "{sound:?}");
    let mut seen = 0;
    for keyspace in [Keyspace::Meta, Keyspace::Role, Keyspace::RoleByPermission, Keyspace::UserRole, Keyspace::RoleUser]
    {
        let start = Key::of(keyspace);
        let scan = Scan { end: start.prefix_end(), start, reverse: false, limit: 100 };
        for (key, value) in store.begin().scan(&scan).await.unwrap() {
            let mut tx = store.begin();
            tx.delete(key.clone());
            tx.commit().await.unwrap();
            let found = userroles::check(&store).await.unwrap();
            assert!(found.broken > 0, "without {key} nothing is found");
            let mut tx = store.begin();
            tx.put(key, value);
            tx.commit().await.unwrap();
            seen += 1;
        }
    }
    assert_eq!(seen, 1 + 1 + 2 + 4 + 4);
    assert_eq!(userroles::check(&store).await.unwrap().broken, 0);
}
