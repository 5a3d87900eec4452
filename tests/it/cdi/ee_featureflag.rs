//! `/ee/featureflag`.

use crate::app::TestApp;
use serde_json::json;

const DAY_MS: u64 = 86_400_000;

#[tokio::test]
async fn every_feature_is_on_and_active_users_are_counted_by_day() {
    let app = TestApp::new().await;
    let none = app.get("/ee/featureflag").await.ok().json();
    let features = json!(["account_linking", "multi_tenancy", "dashboard_login", "mfa", "security"]);
    assert_eq!(none, json!({"status": "OK", "features": features, "usageStats": {"maus": vec![0; 31]}}));

    for (user, days_later) in [("first", 30), ("second", 1), ("third", 0)] {
        let session = json!({"userId": user, "userDataInJWT": {}, "userDataInDatabase": {}, "enableAntiCsrf": false,
            "useDynamicSigningKey": true});
        app.post("/recipe/session", session).await.ok();
        app.clock.advance(days_later * DAY_MS);
    }
    let maus = app.get("/ee/featureflag").await.ok().json()["usageStats"]["maus"].clone();
    // The third user is active now, the second was a day ago, and the first, 31 days ago, no longer counts.
    let expected: Vec<u64> = (0..31).map(|day| if day < 1 { 1 } else { 2 }).collect();
    assert_eq!(maus, json!(expected));
}
