//! The permanent stored format of the outbox.

use super::LIFETIME;
use crate::store::golden;
use serde_json::json;
use sessiond::domain::delivery::Progress;
use sessiond::domain::ids::{AppId, TenantId};
use sessiond::domain::mail::{Language, Mail, MailAddress, MailKind};
use sessiond::domain::time::{BootId, Reading, SteadyMillis, UnixMillis};
use sessiond::store::outbox::{OutboxRecord, key, parse_key};
use uuid::Uuid;

#[test]
fn outbox_version_1() {
    let tried = Reading { wall: UnixMillis(1_700_000_005_000), steady: SteadyMillis(5_000), boot: BootId([9; 16]) };
    let record = OutboxRecord {
        kind: MailKind::EmailVerification,
        created: UnixMillis(1_700_000_000_000),
        expires: UnixMillis(1_700_003_600_000),
        progress: Progress { failures: 2, refusals: 1, tried: Some(tried) },
        error: Some("550 5.1.1 no such user".to_owned()),
        sealed_mail: vec![7; 48],
    };
    let id = Uuid::from_u128(0x018b_cfe5_6800_7000_8000_0000_0000_0001);
    let at = key(&AppId::base(), &TenantId::new("t1"), &id);
    assert_eq!(parse_key(&at), Some((AppId::base(), TenantId::new("t1"), id)));
    golden::newest("outbox", &at, &record);
}

#[test]
fn a_sealed_mail_is_json_that_later_versions_read() {
    let mail = Mail {
        tenant: TenantId::new("t1"),
        to: MailAddress::parse("jane@example.org").unwrap().into(),
        kind: MailKind::PasswordlessLogin,
        language: Language::Pt,
        app_name: "Shop".to_owned(),
        link: Some("https://x.io/auth/verify?preAuthSessionId=a&tenantId=t1#c".to_owned()),
        code: Some("123456".to_owned()),
        lifetime_ms: LIFETIME,
        expires: UnixMillis(1_700_003_600_000),
    };
    let kept = json!({
        "tenant": "t1", "to": "jane@example.org", "kind": "passwordless-login", "language": "pt", "appName": "Shop",
        "link": "https://x.io/auth/verify?preAuthSessionId=a&tenantId=t1#c", "code": "123456", "lifetimeMs": LIFETIME,
        "expires": 1_700_003_600_000_u64
    });
    assert_eq!(serde_json::to_value(&mail).unwrap(), kept);
    assert_eq!(serde_json::from_value::<Mail>(kept).unwrap(), mail);
}
