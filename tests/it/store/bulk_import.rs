//! The permanent stored format of users waiting to be imported.

use super::golden;
use sessiond::domain::ids::AppId;
use sessiond::domain::import::waiting::BulkStatus;
use sessiond::domain::time::UnixMillis;
use sessiond::store::bulk_import::{BulkImportRecord, key};
use uuid::Uuid;

#[test]
fn bulk_import_version_1() {
    let record = BulkImportRecord {
        status: BulkStatus::Failed,
        error: Some("Role admin does not exist.".to_owned()),
        created: UnixMillis(1_700_000_000_000),
        updated: UnixMillis(1_700_000_001_000),
        sealed_user: vec![7; 40],
    };
    golden::newest("bulk_import", &key(&AppId::base(), &Uuid::from_bytes([1; 16])), &record);
}
