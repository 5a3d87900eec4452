//! The permanent stored format of devices and attempts.

use crate::store::golden;
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::time::{BootId, Reading, SteadyMillis, UnixMillis};
use sessiond::domain::totp::{Code, Pace};
use sessiond::store::totp::{TotpAttemptsRecord, TotpDevice, TotpDevicesRecord, attempts_key, devices_key};

#[test]
fn devices_version_1() {
    let device = |name: &str, verified| TotpDevice {
        name: name.to_owned(),
        sealed_secret: vec![7; 48],
        pace: Pace { period_s: 30, skew: 1 },
        verified,
        created: UnixMillis(1_700_000_000_000),
    };
    let user_id = UserId::new("üser");
    let key = devices_key(&AppId::base(), &user_id);
    let record = TotpDevicesRecord { user_id, devices: vec![device("phone", true), device("TOTP Device 1", false)] };
    golden::newest("totp_devices", &key, &record);
}

fn attempts(failures: [Reading; 2]) -> TotpAttemptsRecord {
    let used = vec![(Code::parse("000123").unwrap(), UnixMillis(1_700_000_090_000))];
    TotpAttemptsRecord { failures: failures.to_vec(), used }
}

#[test]
fn attempts_version_1() {
    let at = |wall| Reading::of_wall(UnixMillis(wall));
    golden::any_version("totp_attempts", 1, &attempts([at(1_700_000_000_000), at(1_700_000_001_000)]));
}

#[test]
fn attempts_version_2() {
    let boot = BootId([9; 16]);
    let at = |wall, steady| Reading { wall: UnixMillis(wall), steady: SteadyMillis(steady), boot };
    let record = attempts([at(1_700_000_000_000, 700), at(1_700_000_001_000, 1700)]);
    let key = attempts_key(&AppId::base(), &TenantId::new("t1"), &UserId::new("üser"));
    golden::newest("totp_attempts", &key, &record);
}
