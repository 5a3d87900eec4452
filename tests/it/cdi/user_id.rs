//! `GET /user/id`.

use crate::app::TestApp;
use serde_json::json;

#[tokio::test]
async fn no_user_is_known_so_sdks_take_ids_as_they_are() {
    let app = TestApp::new().await;
    assert_eq!(app.get("/user/id?userId=u").await.json(), json!({"status": "UNKNOWN_USER_ID_ERROR"}));
    app.get("/user/id").await.is_text(400, "Field name 'userId' is missing in GET request");
}
