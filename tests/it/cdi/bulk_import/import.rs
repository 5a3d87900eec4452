//! `POST /bulk-import/import`: one user at once.

use super::{HASH, by_hash, by_number, with_method, wrong};
use crate::app::TestApp;
use crate::people::with_cheap_passwords;
use serde_json::{Value, json};

async fn import(app: &TestApp, user: Value) -> Value {
    app.post("/bulk-import/import", user).await.ok().json()["user"].clone()
}

/// A user with every possible field.
fn whole() -> Value {
    json!({
        "externalUserId": " crm-1 ",
        "userMetadata": {"theme": "dark"},
        "userRoles": [{"role": "admin", "tenantIds": ["public"]}, {"role": " editor ", "tenantIds": ["T1"]}],
        "totpDevices": [{"secretKey": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "deviceName": "phone", "period": 60, "skew": 0},
            {"secretKey": "MZXW6YTB"}],
        "loginMethods": [
            {"recipeId": "emailpassword", "email": " Jane@X.io ", "passwordHash": HASH, "hashingAlgorithm": " bcrypt",
                "tenantIds": ["public", "t1"], "isVerified": true, "timeJoinedInMSSinceEpoch": 3000},
            {"recipeId": "thirdparty", "email": "jane@g.io", "thirdPartyId": "google", "thirdPartyUserId": "g1",
                "timeJoinedInMSSinceEpoch": 1000, "externalUserId": "crm-1-google"},
            {"recipeId": "passwordless", "phoneNumber": " +49 30 123456", "isPrimary": true,
                "timeJoinedInMSSinceEpoch": 2000},
        ],
    })
}

async fn prepared() -> TestApp {
    let app = with_cheap_passwords().build().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    for role in ["admin", "editor"] {
        app.put("/recipe/role", json!({"role": role, "permissions": []})).await.ok();
    }
    app
}

#[tokio::test]
async fn somebody_with_all_there_is() {
    let app = prepared().await;
    let user = import(&app, whole()).await;
    assert_eq!((user["id"].clone(), user["isPrimaryUser"].clone()), (json!("crm-1"), json!(true)));
    assert_eq!(
        (user["emails"].clone(), user["phoneNumbers"].clone()),
        (json!(["jane@g.io", "jane@x.io"]), json!(["+4930123456"]))
    );
    assert_eq!(user["timeJoined"], 1000);
    let methods = user["loginMethods"].as_array().unwrap();
    let shown: Vec<_> = methods.iter().map(|method| (method["recipeId"].clone(), method["verified"].clone())).collect();
    let pair = |recipe: &str, verified: bool| (json!(recipe), json!(verified));
    assert_eq!(shown, [pair("thirdparty", false), pair("passwordless", true), pair("emailpassword", true)]);
    assert_eq!(methods[0]["recipeUserId"], "crm-1-google");
    assert_eq!(methods[1]["recipeUserId"], "crm-1");
    assert_eq!(methods[2]["tenantIds"], json!(["public", "t1"]));
    assert_eq!(app.get("/user/id?userId=crm-1").await.json()["user"], user);

    assert_eq!(app.sign_in("jane@x.io", "abc").await, "OK");
    assert_eq!(app.get("/recipe/user/metadata?userId=crm-1").await.json()["metadata"], json!({"theme": "dark"}));
    let roles =
        async |tenant: &str| app.get(&format!("{tenant}/recipe/user/roles?userId=crm-1")).await.json()["roles"].clone();
    assert_eq!((roles("").await, roles("/t1").await), (json!(["admin"]), json!(["editor"])));
    let devices = app.get("/recipe/totp/device/list?userId=crm-1").await.json()["devices"].clone();
    let device = |name, period, skew| json!({"name": name, "period": period, "skew": skew, "verified": true});
    assert_eq!(devices, json!([device("phone", 60, 0), device("TOTP Device 0", 30, 1)]));
    let secret = sessiond::domain::totp::TotpSecret::from_base32("MZXW6YTB").unwrap();
    let code = format!("{:06}", secret.code(app.context.now().seconds() / 30));
    app.post("/recipe/totp/verify", json!({"userId": "crm-1", "totp": code})).await.ok();
}

#[tokio::test]
async fn passwords_are_hashed_and_one_login_is_no_group() {
    let app = prepared().await;
    let method = json!({"recipeId": "emailpassword", "email": "a@x.io", "plainTextPassword": "pass-of-a"});
    let user = import(&app, with_method(method)).await;
    assert_eq!((user["isPrimaryUser"].clone(), user["timeJoined"].clone()), (json!(false), json!(app.context.now())));
    assert_eq!(app.sign_in("a@x.io", "pass-of-a").await, "OK");
    let primary = json!({"recipeId": "passwordless", "email": "p@x.io", "isPrimary": true});
    assert_eq!(import(&app, with_method(primary)).await["isPrimaryUser"], true);
}

#[tokio::test]
async fn what_somebody_has_is_refused_and_nothing_is_written() {
    let app = prepared().await;
    import(&app, whole()).await;
    let refused = async |user: Value, sentence: &str| {
        let before = app.get("/users/count").await.json();
        let reply = app.post("/bulk-import/import", user).await;
        assert_eq!(wrong(&reply), json!({"errors": [sentence]}));
        assert_eq!(app.get("/users/count").await.json(), before);
    };
    let taken = "A user with email jane@x.io already exists in emailpassword loginMethod.";
    refused(with_method(by_hash("jane@x.io")), taken).await;
    let account =
        json!({"recipeId": "thirdparty", "email": "o@x.io", "thirdPartyId": "google", "thirdPartyUserId": "g1"});
    let taken = "A user with thirdPartyId google and thirdPartyUserId g1 already exists in thirdparty loginMethod.";
    refused(with_method(account), taken).await;
    let phone = json!({"recipeId": "passwordless", "phoneNumber": "+4930123456"});
    let taken = "A user with phoneNumber +4930123456 already exists in passwordless loginMethod.";
    refused(with_method(phone), taken).await;
    let mut mapped = by_number(7);
    mapped["externalUserId"] = "crm-1".into();
    refused(mapped, "A user with one of the external ids already exists").await;
    let primary = json!({"recipeId": "passwordless", "email": "jane@x.io", "isPrimary": true});
    refused(with_method(primary), "This user's email is already associated with another user ID").await;
}

#[tokio::test]
async fn the_body_is_the_user() {
    let app = TestApp::new().await;
    assert_eq!(
        wrong(&app.post("/bulk-import/import", json!({"users": []})).await),
        json!({"errors": ["loginMethods is required."]})
    );
    app.post("/bulk-import/import", json!([])).await.is_text(400, "Invalid Json Input");
    let user = app.post("/bulk-import/import", by_number(1)).cdi("3.1").await.ok().json()["user"].clone();
    assert_eq!(user["loginMethods"][0]["thirdParty"]["userId"], "g1", "the whole user at every version");
}
