//! `GET /recipe/user` of the thirdparty recipe.

use crate::app::{TestApp, TestReply};
use crate::people::{by_password, by_provider, mapped};
use serde_json::json;

async fn find(app: &TestApp, path: &str, version: &str) -> TestReply {
    app.get(path).header("rId", "thirdparty").cdi(version).await
}

async fn people() -> TestApp {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.people([by_password("owner", 1, "o@x.io"), mapped("mine", by_provider("a", 2, "a@x.io"))]).await;
    app.group(&["owner", "a"]).await;
    app
}

#[tokio::test]
async fn a_login_method_is_found_by_its_id() {
    let app = people().await;
    for id in ["a", "mine"] {
        let user = find(&app, &format!("/recipe/user?userId={id}"), "3.1").await.ok().json()["user"].clone();
        assert_eq!((&user["id"], &user["email"]), (&json!("mine"), &json!("a@x.io")));
        let user = find(&app, &format!("/recipe/user?userId={id}"), "5.4").await.ok().json()["user"].clone();
        assert_eq!((&user["isPrimaryUser"], user["loginMethods"].as_array().unwrap().len()), (&json!(true), 1));
    }
    for id in ["owner", "nobody", ""] {
        let reply = find(&app, &format!("/recipe/user?userId={id}"), "3.1").await;
        assert_eq!(reply.json(), json!({"status": "UNKNOWN_USER_ID_ERROR"}));
    }
}

#[tokio::test]
async fn a_person_is_found_by_the_account_in_the_tenant() {
    let app = people().await;
    let query = "/recipe/user?thirdPartyId=google&thirdPartyUserId=g-a";
    assert_eq!(find(&app, query, "3.1").await.ok().json()["user"]["id"], "mine");
    assert_eq!(find(&app, query, "4.0").await.ok().json()["user"]["id"], "owner");
    let unknown = json!({"status": "UNKNOWN_THIRD_PARTY_USER_ERROR"});
    assert_eq!(find(&app, &format!("/t1{query}"), "3.1").await.json(), unknown);
    assert_eq!(find(&app, "/recipe/user?thirdPartyId=Google&thirdPartyUserId=g-a", "3.1").await.json(), unknown);
}

#[tokio::test]
async fn one_of_the_two_is_asked_for() {
    let app = people().await;
    let one = "Please provide one of userId or (thirdPartyId & thirdPartyUserId)";
    let only = "Please provide only one of userId or (thirdPartyId & thirdPartyUserId)";
    for (query, sentence) in [
        ("", one),
        ("?thirdPartyId=g", one),
        ("?thirdPartyUserId=g", one),
        ("?userId=a&thirdPartyId=g", only),
        ("?userId=a&thirdPartyId=g&thirdPartyUserId=1", only),
    ] {
        find(&app, &format!("/recipe/user{query}"), "3.1").await.is_text(400, sentence);
    }
}

#[tokio::test]
async fn ids_are_of_the_app_and_accounts_of_a_tenant() {
    let app = people().await;
    find(&app, "/t1/recipe/user?userId=a", "5.0")
        .await
        .is_text(403, "Only public tenantId can call this app specific API");
    find(&app, "/t1/recipe/user?userId=a", "4.0").await.ok();
    let query = "recipe/user?thirdPartyId=google&thirdPartyUserId=g-a";
    assert_eq!(find(&app, &format!("/nowhere/{query}"), "5.0").await.code(), 400);
    let put = app.put("/recipe/user", json!({})).header("rid", "thirdparty").await;
    put.is_text(405, "Method not supported");
}
