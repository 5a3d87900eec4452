//! The permanent stored format of events.

use crate::store::golden;
use sessiond::domain::delivery::Progress;
use sessiond::domain::hook::{EventHookId, HookEventKind};
use sessiond::domain::ids::AppId;
use sessiond::domain::time::{BootId, Reading, SteadyMillis, UnixMillis};
use sessiond::store::hook_event::{HookEventRecord, key, parse_key};
use uuid::Uuid;

#[test]
fn hook_event_version_1() {
    let tried = Reading { wall: UnixMillis(1_700_000_005_000), steady: SteadyMillis(5_000), boot: BootId([9; 16]) };
    let record = HookEventRecord {
        kind: HookEventKind::SessionEnded,
        created: UnixMillis(1_700_000_000_000),
        expires: UnixMillis(1_700_086_400_000),
        progress: Progress { failures: 2, refusals: 0, tried: Some(tried) },
        error: Some("it answered 500".to_owned()),
        sealed_body: vec![7; 48],
    };
    let (hook, id) = (EventHookId([5; 8]), Uuid::from_u128(0x018b_cfe5_6800_7000_8000_0000_0000_0001));
    let app = AppId { connection_uri_domain: "x.io".to_owned(), app_id: "shop".to_owned() };
    let at = key(&app, hook, &id);
    assert_eq!(parse_key(&at), Some((app, hook, id)));
    golden::newest("hook_event", &at, &record);
}

/// Under which its events are stored: another algorithm would leave them without a hook.
#[test]
fn the_id_of_a_hook_is_made_of_its_url() {
    let EventHookId(id) = EventHookId::of("https://shop.example/hook");
    assert_eq!(id.map(|byte| format!("{byte:02x}")).concat(), "cc41546b73f2ed09");
}
