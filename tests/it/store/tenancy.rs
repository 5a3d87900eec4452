use super::golden;
use sessiond::domain::ids::{AppId, TenantId};
use sessiond::domain::json::JsonObject;
use sessiond::domain::tenancy::Tenant;
use sessiond::domain::time::UnixMillis;
use sessiond::store::app::{self, AppRecord};
use sessiond::store::removal::{RemovalRecord, RemovalTarget};
use sessiond::store::tenant::{self, TenantRecord};

fn id() -> AppId {
    AppId { connection_uri_domain: "auth.example.com".to_owned(), app_id: "shop".to_owned() }
}

#[test]
fn app_records_keep_their_bytes() {
    let record = AppRecord { created: UnixMillis(1_700_000_000_000), changes: 7 };
    golden::newest("app", &app::key(&id()), &record);
}

#[test]
fn tenant_records_keep_their_bytes() {
    let own = Tenant {
        email_password: true,
        third_party: false,
        passwordless: true,
        first_factors: Some(["otp-email", "emailpassword"].map(str::to_owned).into()),
        required_secondary_factors: Some(["totp".to_owned()].into()),
        core_config: JsonObject::from_stored(r#"{"password_reset_token_lifetime":"5","api_keys":null}"#.to_owned()),
    };
    let record = TenantRecord::from(&own);
    golden::newest("tenant", &tenant::key(&id(), &TenantId::new("t1")), &record);
    assert!(Tenant::from(record) == own);
}

#[test]
fn removal_records_keep_their_bytes() {
    let removed = RemovalTarget { app: id(), tenant: Some(TenantId::new("t1")) };
    let record = RemovalRecord { since: UnixMillis(1_700_000_000_000) };
    golden::newest("meta-removal", &removed.marker_key(), &record);
}
