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

#[tokio::test]
async fn the_mapping_that_is_meant_has_the_note_and_a_refusal_changes_nothing() {
    let app = TestApp::new().await;
    app.people([by_password("b", 1, "b@x.io"), mapped("b", by_password("a", 1, "a@x.io"))]).await;
    let before = app.stored().await;
    let invalid = |name: &str| format!("Field name '{name}' is invalid in JSON input");
    let no_type = "Field name 'userIdType' should be one of 'SUPERTOKENS', 'EXTERNAL' or 'ANY'";
    for wrong in [json!(1), json!(true), json!(["n"]), json!({})] {
        for name in ["userId", "userIdType", "externalUserIdInfo"] {
            let mut body = json!({"userId": "a", "externalUserIdInfo": "n"});
            body[name] = wrong.clone();
            app.put(PATH, body).await.is_text(400, &invalid(name));
        }
    }
    let info = "Field name 'externalUserIdInfo' cannot be an empty String";
    for (body, sentence) in [
        (json!({"userId": " ", "externalUserIdInfo": "n"}), "Field name 'userId' cannot be an empty String"),
        (json!({"userId": null, "externalUserIdInfo": "n"}), invalid("userId").as_str()),
        (json!({"userId": "a", "userIdType": "any", "externalUserIdInfo": "n"}), no_type),
        (json!({"userId": "a", "externalUserIdInfo": " \t"}), info),
        (json!([]), "Invalid Json Input"),
    ] {
        app.put(PATH, body).await.is_text(400, sentence);
    }
    let of = |id: &str, id_type: &str| json!({"userId": id, "userIdType": id_type, "externalUserIdInfo": "n"});
    // An internal id without a mapping, although it is also an external one.
    for id_type in ["ANY", "SUPERTOKENS"] {
        assert_eq!(app.put(PATH, of("b", id_type)).await.json(), unknown(), "{id_type}");
    }
    assert!(app.stored().await == before);
    assert_eq!(app.put(PATH, of(" b ", "EXTERNAL")).await.json(), json!({"status": "OK"}));
    assert_eq!(mapping(&app, "userId=a").await["externalUserIdInfo"], "n");
}
