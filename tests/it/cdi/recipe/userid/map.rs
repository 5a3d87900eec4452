//! `POST` and `GET /recipe/userid/map`.

use super::{map, mapping, recipes_that_keep, unknown, with_tenant_and_role};
use crate::app::TestApp;
use crate::cdi::recipe::EVERY_VERSION;
use crate::people::{by_password, by_phone, mapped, within};
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
async fn pythons_sdk_finds_the_member_that_it_reads() {
    let app = people().await;
    map(&app, "a", "mine").await;
    let again = async |agent: &str| {
        let body = json!({"superTokensUserId": "a", "externalUserId": "other"});
        app.post("/recipe/userid/map", body).header("user-agent", agent).await.json()
    };
    let python = again("python-httpx/0.28.1").await;
    assert_eq!(python["does_external_user_id_exist"], json!(false));
    assert_eq!(python["doesExternalUserIdExist"], json!(false));
    for other in ["node", "Go-http-client/1.1", "undici", "curl/8", "my-python-httpx/1"] {
        assert_eq!(again(other).await.as_object().map(serde_json::Map::len), Some(3), "{other}");
    }
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

#[tokio::test]
async fn every_version_maps_ids() {
    for version in EVERY_VERSION {
        let app = people().await;
        create(&app, version, json!({"externalUserIdInfo": null, "force": false})).await.ok();
        let found = app.get("/recipe/userid/map?userId=mine").cdi(version).await.json();
        assert_eq!(found, json!({"status": "OK", "superTokensUserId": "a", "externalUserId": "mine"}), "{version}");
        let note = json!({"userId": "a", "externalUserIdInfo": "n"});
        app.put("/recipe/userid/external-user-id-info", note).cdi(version).await.ok();
        let removed = app.post("/recipe/userid/map/remove", json!({"userId": "mine"})).cdi(version).await.json();
        assert_eq!(removed, json!({"status": "OK", "didMappingExist": true}), "{version}");
    }
}

#[tokio::test]
async fn the_checks_come_in_the_protocols_order_and_force_skips_some() {
    let app = people().await;
    map(&app, "b", "taken").await;
    app.people([within(["t1"], mapped("elsewhere", by_phone("c", 3, "+49170")))]).await;
    app.session("a").await;
    let exists = |internal: bool, external: bool| {
        json!({
            "status": "USER_ID_MAPPING_ALREADY_EXISTS_ERROR",
            "doesSuperTokensUserIdExist": internal, "doesExternalUserIdExist": external,
        })
    };
    let unknown = json!({"status": "UNKNOWN_SUPERTOKENS_USER_ID_ERROR"});
    let before = app.stored().await;
    for force in [true, false] {
        let create = async |internal: &str, external: &str| {
            let fields = json!({"superTokensUserId": internal, "externalUserId": external, "force": force});
            create(&app, "5.6", fields).await
        };
        // 1. The external id is mapped, wherever that user is, and whatever is wrong with the other one.
        for (internal, external, both) in
            [("a", "taken", false), ("b", "taken", true), ("x", "taken", false), ("a", "elsewhere", false)]
        {
            assert_eq!(create(internal, external).await.json(), exists(both, true), "{internal} {external} {force}");
        }
        // 2. The internal id belongs to no user, even if the external one is another user's internal id.
        for (internal, external) in [("x", "new"), ("x", "a"), ("taken", "new"), ("taken", "a")] {
            assert_eq!(create(internal, external).await.json(), unknown, "{internal} {external} {force}");
        }
        // 4. The internal one is mapped.
        assert_eq!(create("b", "new").await.json(), exists(true, false), "{force}");
    }
    // 3. What force skips: an external id that is also an internal one is checked before data under the internal one.
    for external in ["a", "b", "c"] {
        let refused = create(&app, "5.6", json!({"externalUserId": external})).await;
        refused.is_text(400, "Cannot create a userId mapping where the externalId is also a SuperTokens userID");
    }
    create(&app, "5.6", json!({})).await.is_text(400, "UserId is already in use in Session recipe");
    assert!(app.stored().await == before, "a refused request changes nothing");
    create(&app, "5.6", json!({"externalUserId": "a", "force": true})).await.ok();
    assert_eq!(mapping(&app, "userId=a").await["externalUserId"], "a");
}

#[tokio::test]
async fn what_any_tenant_keeps_under_the_id_stands_against_it() {
    let recipes = recipes_that_keep("a");
    for (first, (recipe, ..)) in recipes.iter().enumerate() {
        let app = with_tenant_and_role().await;
        app.people([by_password("a", 1, "a@x.io")]).await;
        let sentence = format!("UserId is already in use in {recipe} recipe");
        // If there are several, the one checked first is named. Addresses alone would move from 4.0 on.
        for (kept_by, method, path, body) in &recipes[first..] {
            app.request(method.clone(), path).json(body).await.ok();
            let alone_and_moved = kept_by == recipe && *recipe == "EmailVerification";
            let versions: &[&str] = if alone_and_moved { &["3.1"] } else { &["3.1", "4.0", "5.6"] };
            let before = app.stored().await;
            for version in versions {
                create(&app, version, json!({})).await.is_text(400, &sentence);
            }
            assert!(app.stored().await == before, "{recipe}, {kept_by}");
        }
        create(&app, "5.6", json!({"force": true})).await.ok();
        assert_eq!(mapping(&app, "userId=a").await["externalUserId"], "mine", "{recipe}");
    }
}

#[tokio::test]
async fn from_4_0_links_that_were_sent_stay_good_under_the_new_id() {
    let app = people().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let mut tokens = Vec::new();
    for prefix in ["", "/t1"] {
        let body = json!({"userId": "a", "email": "a@x.io"});
        let token = app.post(&format!("{prefix}/recipe/user/email/verify/token"), body).await.ok().text_at("/token");
        tokens.push((prefix, json!({"method": "token", "token": token})));
    }
    create(&app, "4.0", json!({})).await.ok();
    for (prefix, verify) in tokens {
        let verified = app.post(&format!("{prefix}/recipe/user/email/verify"), verify).await.json();
        assert_eq!(verified, json!({"status": "OK", "userId": "mine", "email": "a@x.io"}), "{prefix}");
    }
}

#[tokio::test]
async fn what_other_recipes_keep_is_found_under_the_id_it_came_with() {
    let app = people().await;
    map(&app, "a", "mine").await;
    app.put("/recipe/role", json!({"role": "admin", "permissions": []})).await.ok();
    for (id, other) in [("mine", "a"), ("a", "mine")] {
        app.put("/recipe/user/metadata", json!({"userId": id, "metadataUpdate": {"n": id}})).await.ok();
        app.put("/recipe/user/role", json!({"userId": id, "role": "admin"})).await.ok();
        let token = app.post("/recipe/user/email/verify/token", json!({"userId": id, "email": "e@x.io"})).await.ok();
        let verify = json!({"method": "token", "token": token.text_at("/token")});
        assert_eq!(app.post("/recipe/user/email/verify", verify).await.json()["userId"], id);
        let kept = async |id: &str| {
            let metadata = app.get(&format!("/recipe/user/metadata?userId={id}")).await.json()["metadata"].clone();
            let roles = app.get(&format!("/recipe/user/roles?userId={id}")).await.json()["roles"].clone();
            let email = app.get(&format!("/recipe/user/email/verify?userId={id}&email=e@x.io")).await.json();
            (metadata, roles, email["isVerified"].clone())
        };
        assert_eq!(kept(id).await, (json!({"n": id}), json!(["admin"]), json!(true)));
        assert_eq!(kept(other).await, (json!({}), json!([]), json!(false)), "{id}");
        app.post("/recipe/user/metadata/remove", json!({"userId": id})).await.ok();
        app.post("/recipe/user/role/remove", json!({"userId": id, "role": "admin"})).await.ok();
        app.post("/recipe/user/email/verify/remove", json!({"userId": id, "email": "e@x.io"})).await.ok();
    }
}

#[tokio::test]
async fn ids_may_be_long_or_strange_and_of_two_the_right_one_counts() {
    let app = people().await;
    for external in
        ["x".repeat(257), "x".repeat(100_000), "a\0b".to_owned(), "sha256:x".to_owned(), "ü ☃ /?&".to_owned()]
    {
        let query = form_urlencoded::byte_serialize(external.as_bytes()).collect::<String>();
        assert_eq!(map(&app, "a", &external).await, json!({"status": "OK"}), "{query:.20}");
        assert_eq!(mapping(&app, &format!("userId={query}")).await["superTokensUserId"], "a", "{query:.20}");
        assert_eq!(app.who_is(&query).await["id"], external, "{query:.20}");
        assert_eq!(app.who_is(&format!("{query}x")).await, Value::Null, "{query:.20}");
        assert_eq!(map(&app, "b", &external).await["doesExternalUserIdExist"], true, "{query:.20}");
        app.post("/recipe/userid/map/remove", json!({"userId": external})).await.ok();
        assert_eq!(app.who_is("a").await["id"], "a", "{query:.20}");
    }
    let twice =
        r#"{"superTokensUserId": "b", "superTokensUserId": "a", "externalUserId": 1, "externalUserId": "mine"}"#;
    app.post("/recipe/userid/map", json!({})).body(twice).await.ok();
    assert_eq!(
        mapping(&app, "userId=mine&userId=x").await["superTokensUserId"],
        "a",
        "the first of two parameters counts"
    );
    assert_eq!(mapping(&app, "userId=x&userId=mine").await, unknown());
}

#[tokio::test]
async fn no_type_but_the_right_one_is_taken() {
    let app = people().await;
    let before = app.stored().await;
    for wrong in [json!(null), json!(1), json!(true), json!(["a"]), json!({"a": "a"})] {
        for name in ["superTokensUserId", "externalUserId"] {
            let sentence = format!("Field name '{name}' is invalid in JSON input");
            create(&app, "5.6", json!({name: wrong})).await.is_text(400, &sentence);
        }
        if !wrong.is_null() {
            let refused = create(&app, "5.6", json!({"externalUserIdInfo": wrong})).await;
            refused.is_text(400, "Field name 'externalUserIdInfo' is invalid in JSON input");
        }
        if !wrong.is_boolean() {
            let refused = create(&app, "5.6", json!({"force": wrong})).await;
            refused.is_text(400, "Field name 'force' is invalid in JSON input");
        }
    }
    for body in ["", "[]", "null", "\"a\""] {
        app.post("/recipe/userid/map", json!({})).body(body).await.is_text(400, "Invalid Json Input");
    }
    for id_type in ["", "%20", "EXTERNAL%2CANY", "external"] {
        let reply = app.get(&format!("/recipe/userid/map?userId=a&userIdType={id_type}")).await;
        reply.is_text(400, "Field name 'userIdType' should be one of 'SUPERTOKENS', 'EXTERNAL' or 'ANY'");
    }
    assert!(app.stored().await == before);
}
