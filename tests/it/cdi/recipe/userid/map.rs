//! `POST` and `GET /recipe/userid/map`.

use super::{map, mapping, unknown};
use crate::app::TestApp;
use crate::people::{by_password, mapped};
use serde_json::{Value, json};

async fn people() -> TestApp {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), by_password("b", 2, "b@x.io")]).await;
    app
}

async fn create(app: &TestApp, version: &str, fields: Value) -> crate::app::TestReply {
    let mut body = json!({"superTokensUserId": "a", "externalUserId": "mine"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    app.post("/recipe/userid/map", body).cdi(version).await
}

#[tokio::test]
async fn a_mapped_user_is_called_by_the_callers_id() {
    let app = people().await;
    let fields = json!({"superTokensUserId": " a ", "externalUserId": "\tmine\n", "externalUserIdInfo": " crm "});
    assert_eq!(create(&app, "5.6", fields).await.json(), json!({"status": "OK"}));
    let known = json!({
        "status": "OK", "superTokensUserId": "a", "externalUserId": "mine", "externalUserIdInfo": "crm",
    });
    for query in [
        "userId=a",
        "userId=mine",
        "userId=%20mine%20&userIdType=ANY",
        "userId=a&userIdType=SUPERTOKENS",
        "userId=mine&userIdType=EXTERNAL",
    ] {
        assert_eq!(mapping(&app, query).await, known, "{query}");
    }
    for query in ["userId=a&userIdType=EXTERNAL", "userId=mine&userIdType=SUPERTOKENS", "userId=b", "userId=x"] {
        assert_eq!(mapping(&app, query).await, unknown(), "{query}");
    }
    assert_eq!(app.who_is("a").await["id"], "mine");
}

#[tokio::test]
async fn of_two_mappings_the_first_stays() {
    let app = people().await;
    map(&app, "a", "mine").await;
    let exists = |internal: bool, external: bool| {
        json!({
            "status": "USER_ID_MAPPING_ALREADY_EXISTS_ERROR",
            "doesSuperTokensUserIdExist": internal, "doesExternalUserIdExist": external,
            "does_external_user_id_exist": external,
        })
    };
    assert_eq!(map(&app, "a", "mine").await, exists(true, true));
    assert_eq!(map(&app, "a", "other").await, exists(true, false));
    assert_eq!(map(&app, "b", "mine").await, exists(false, true));
    assert_eq!(map(&app, "x", "mine").await, exists(false, true), "before the internal id is looked at");
    assert_eq!(map(&app, "x", "other").await, json!({"status": "UNKNOWN_SUPERTOKENS_USER_ID_ERROR"}));
    assert_eq!(map(&app, "mine", "other").await, json!({"status": "UNKNOWN_SUPERTOKENS_USER_ID_ERROR"}));
}

#[tokio::test]
async fn an_id_in_use_by_other_recipes_is_not_mapped_unless_forced() {
    let app = people().await;
    let refused = async |recipe: &str| {
        let sentence = format!("UserId is already in use in {recipe} recipe");
        create(&app, "5.6", json!({})).await.is_text(400, &sentence);
        create(&app, "3.1", json!({})).await.is_text(400, &sentence);
    };
    let token = app.post("/recipe/user/email/verify/token", json!({"userId": "a", "email": "a@x.io"})).await.ok();
    create(&app, "3.1", json!({})).await.is_text(400, "UserId is already in use in EmailVerification recipe");
    app.put("/recipe/role", json!({"role": "admin", "permissions": []})).await.ok();
    app.put("/recipe/user/role", json!({"userId": "a", "role": "admin"})).await.ok();
    refused("UserRoles").await;
    app.put("/recipe/user/metadata", json!({"userId": "a", "metadataUpdate": {"a": 1}})).await.ok();
    refused("UserMetadata").await;
    app.session("a").await;
    refused("Session").await;
    create(&app, "5.6", json!({"externalUserId": "b"}))
        .await
        .is_text(400, "Cannot create a userId mapping where the externalId is also a SuperTokens userID");
    create(&app, "5.6", json!({"force": true, "externalUserIdInfo": null})).await.ok();
    let verify = json!({"method": "token", "token": token.text_at("/token")});
    assert_eq!(app.post("/recipe/user/email/verify", verify).await.json()["userId"], "a", "nothing was moved");
}

#[tokio::test]
async fn from_4_0_verified_addresses_move_to_the_new_id() {
    let app = people().await;
    let token = app.post("/recipe/user/email/verify/token", json!({"userId": "a", "email": "a@x.io"})).await.ok();
    let verify = json!({"method": "token", "token": token.text_at("/token")});
    app.post("/recipe/user/email/verify", verify).await.ok();
    create(&app, "3.1", json!({})).await.is_text(400, "UserId is already in use in EmailVerification recipe");
    create(&app, "4.0", json!({})).await.ok();
    let verified = async |id: &str| {
        app.get(&format!("/recipe/user/email/verify?userId={id}&email=a@x.io")).await.json()["isVerified"].clone()
    };
    assert_eq!((verified("mine").await, verified("a").await), (json!(true), json!(false)));
    let user = app.get("/user/id?userId=a").await.json()["user"].clone();
    assert_eq!(user["loginMethods"][0]["verified"], true);
}

#[tokio::test]
async fn a_forced_mapping_may_shadow_but_internal_ids_win() {
    let app = people().await;
    create(&app, "5.6", json!({"externalUserId": "b", "force": true})).await.ok();
    assert_eq!(mapping(&app, "userId=b").await, unknown(), "b is an internal id, and that is not mapped");
    assert_eq!(mapping(&app, "userId=b&userIdType=EXTERNAL").await["superTokensUserId"], "a");
    assert_eq!(app.get("/user/id?userId=b").await.json()["user"]["emails"], json!(["b@x.io"]));
    assert_eq!(app.get("/user/id?userId=a").await.json()["user"]["id"], "b");
}

#[tokio::test]
async fn each_method_of_a_group_has_its_own() {
    let app = people().await;
    app.group(&["a", "b"]).await;
    assert_eq!(map(&app, "b", "second").await, json!({"status": "OK"}));
    assert_eq!(app.who_is("a").await, json!({"id": "a", "isPrimaryUser": true, "methods": ["a", "second"]}));
    assert_eq!(map(&app, "a", "first").await, json!({"status": "OK"}));
    assert_eq!(app.who_is("second").await["id"], "first");
}

#[tokio::test]
async fn a_groups_id_whose_method_is_gone_can_still_be_mapped() {
    let app = people().await;
    app.group(&["a", "b"]).await;
    app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "a"})).await.ok();
    assert_eq!(map(&app, "a", "mine").await, json!({"status": "OK"}));
    assert_eq!(app.who_is("b").await["id"], "mine");
    assert_eq!(mapping(&app, "userId=mine").await["superTokensUserId"], "a");
    app.post("/recipe/userid/map/remove", json!({"userId": "mine"})).await.ok();
    assert_eq!(app.who_is("b").await["id"], "a");
}

#[tokio::test]
async fn a_deleted_user_takes_its_mapping_along() {
    let app = people().await;
    app.people([mapped("mine", by_password("c", 3, "c@x.io"))]).await;
    app.post("/user/remove", json!({"userId": "c"})).await.ok();
    assert_eq!(mapping(&app, "userId=mine").await, unknown());
    assert_eq!(map(&app, "a", "mine").await, json!({"status": "OK"}));
}

#[tokio::test]
async fn bad_fields_are_refused_in_the_protocols_order() {
    let app = people().await;
    let invalid = |name: &str| format!("Field name '{name}' is invalid in JSON input");
    let blank = |name: &str| format!("Field name '{name}' cannot be an empty String");
    for (fields, sentence) in [
        (json!({"superTokensUserId": " ", "externalUserId": 1}), blank("superTokensUserId")),
        (json!({"superTokensUserId": null}), invalid("superTokensUserId")),
        (json!({"externalUserId": ""}), blank("externalUserId")),
        (json!({"externalUserIdInfo": " ", "force": 1}), blank("externalUserIdInfo")),
        (json!({"externalUserIdInfo": 1}), invalid("externalUserIdInfo")),
        (json!({"force": "true"}), invalid("force")),
    ] {
        create(&app, "5.6", fields).await.is_text(400, &sentence);
    }
    app.get("/recipe/userid/map").await.is_text(400, "Field name 'userId' is missing in GET request");
    app.get("/recipe/userid/map?userId=%20").await.is_text(400, &blank("userId"));
    app.get("/recipe/userid/map?userId=a&userIdType=any")
        .await
        .is_text(400, "Field name 'userIdType' should be one of 'SUPERTOKENS', 'EXTERNAL' or 'ANY'");
}

#[tokio::test]
async fn of_two_who_map_the_same_ids_at_once_one_is_told() {
    let app = people().await;
    let both = futures_util::future::join(map(&app, "a", "mine"), map(&app, "b", "mine")).await;
    let mut statuses = [both.0["status"].clone(), both.1["status"].clone()];
    statuses.sort_by_key(Value::to_string);
    assert_eq!(statuses, [json!("OK"), json!("USER_ID_MAPPING_ALREADY_EXISTS_ERROR")]);
}
