//! `PUT` (and `POST`) `/recipe/userid/external-user-id-info`.

use super::{mapping, unknown};
use crate::app::TestApp;
use crate::people::{by_password, mapped};
use serde_json::json;

const PATH: &str = "/recipe/userid/external-user-id-info";

#[tokio::test]
async fn the_note_is_set_and_removed() {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
    for id in ["a", "mine"] {
        app.put(PATH, json!({"userId": id, "externalUserIdInfo": " crm "})).await.ok();
        assert_eq!(mapping(&app, "userId=a").await["externalUserIdInfo"], "crm");
        app.post(PATH, json!({"userId": id, "userIdType": null, "externalUserIdInfo": null})).await.ok();
        assert_eq!(mapping(&app, "userId=a").await.get("externalUserIdInfo"), None);
    }
    for (id, id_type) in [("a", "EXTERNAL"), ("mine", "SUPERTOKENS"), ("x", "ANY")] {
        let body = json!({"userId": id, "userIdType": id_type, "externalUserIdInfo": "n"});
        assert_eq!(app.put(PATH, body).await.json(), unknown());
    }
}

#[tokio::test]
async fn bad_fields_are_refused() {
    let app = TestApp::new().await;
    for (body, sentence) in [
        (json!({"externalUserIdInfo": "n"}), "Field name 'userId' is invalid in JSON input"),
        (json!({"userId": "a"}), "Field name 'externalUserIdInfo' is invalid in JSON input"),
        (json!({"userId": "a", "externalUserIdInfo": ""}), "Field name 'externalUserIdInfo' cannot be an empty String"),
    ] {
        app.put(PATH, body).await.is_text(400, sentence);
    }
}
