//! The bytes of every record version.

use crate::store::golden;
use sessiond::domain::ids::{AppId, TenantId};
use sessiond::domain::passwordless::{Code, CodeId, Contact, Device, DeviceHash, LinkCodeHash};
use sessiond::domain::time::UnixMillis;
use sessiond::store::passwordless::Devices;

#[test]
fn device_version_1() {
    let (app, tenant) = (AppId::base(), TenantId::public());
    let key = Devices { app: &app, tenant: &tenant }.row_key(&DeviceHash::from_bytes([7; 32]));
    let code = |byte, created| Code {
        id: CodeId::from_bytes([byte; 16]),
        link_code: LinkCodeHash::from_bytes([byte; 32]),
        created: UnixMillis(created),
    };
    let device = Device {
        contact: Contact::PhoneNumber("+4930123456".to_owned()),
        failed_attempts: 3,
        codes: vec![code(1, 1_700_000_000_000), code(2, 1_700_000_060_000)],
    };
    golden::newest("passwordless_device", &key, &device);
}
