//! `POST /recipe/multitenancy/tenant/user` and `…/user/remove`.

use crate::app::{TestApp, TestReply};
use crate::people::{by_password, by_phone, by_provider, mapped, within};
use serde_json::{Value, json};
use sessiond::store::Keyspace;

async fn tenants() -> TestApp {
    let app = TestApp::new().await;
    for tenant in ["t1", "t2"] {
        app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": tenant})).await.ok();
    }
    app
}

async fn add(app: &TestApp, tenant: &str, id: &str) -> Value {
    app.post(&format!("/{tenant}/recipe/multitenancy/tenant/user"), json!({"recipeUserId": id})).await.json()
}

async fn remove(app: &TestApp, tenant: &str, id: &str) -> Value {
    app.post(&format!("/{tenant}/recipe/multitenancy/tenant/user/remove"), json!({"recipeUserId": id})).await.json()
}

fn added(already: bool) -> Value {
    json!({"status": "OK", "wasAlreadyAssociated": already})
}

fn removed(was: bool) -> Value {
    json!({"status": "OK", "wasAssociated": was})
}

async fn user(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/user/id?userId={id}")).await.ok().json()["user"].clone()
}

async fn listed(app: &TestApp, tenant: &str) -> Vec<Value> {
    let reply: TestReply = app.get(&format!("/{tenant}/users")).await.ok();
    reply.json()["users"].as_array().unwrap().iter().map(|user| user["id"].clone()).collect()
}

#[tokio::test]
async fn a_login_method_comes_and_goes() {
    let app = tenants().await;
    app.people([mapped("mine", by_provider("a", 1, "a@x.io"))]).await;
    assert_eq!(add(&app, "t1", " mine ").await, added(false));
    assert_eq!(add(&app, "t1", "a").await, added(true), "either id");
    assert_eq!(user(&app, "mine").await["tenantIds"], json!(["public", "t1"]));
    assert_eq!(listed(&app, "t1").await, ["mine"]);

    assert_eq!(remove(&app, "public", "mine").await, removed(true));
    assert_eq!(remove(&app, "t1", "a").await, removed(true));
    assert_eq!(remove(&app, "t1", "a").await, removed(false));
    let left = user(&app, "mine").await;
    assert_eq!((&left["tenantIds"], &left["loginMethods"][0]["tenantIds"]), (&json!([]), &json!([])));
    assert!(listed(&app, "t1").await.is_empty());
    assert_eq!(add(&app, "t2", "mine").await, added(false), "a user without a tenant can come back");
    assert_eq!(listed(&app, "t2").await, ["mine"]);
}

#[tokio::test]
async fn the_id_is_required_and_called_by_the_versions_name() {
    let app = tenants().await;
    app.people([by_password("a", 1, "a@x.io")]).await;
    for path in ["/t1/recipe/multitenancy/tenant/user", "/t1/recipe/multitenancy/tenant/user/remove"] {
        let invalid = |name: &str| format!("Field name '{name}' is invalid in JSON input");
        app.post(path, json!({"userId": "a"})).cdi("4.0").await.is_text(400, &invalid("recipeUserId"));
        app.post(path, json!({"recipeUserId": "a"})).cdi("3.1").await.is_text(400, &invalid("userId"));
        let blank = "Field name 'userId' cannot be an empty String";
        app.post(path, json!({"recipeUserId": " "})).cdi("5.4").await.is_text(400, blank);
        app.post(path, json!({"userId": "a"})).cdi("3.0").await.ok();
        let unknown = app.post(path, json!({"recipeUserId": "nobody"})).await;
        assert_eq!(unknown.json(), json!({"status": "UNKNOWN_USER_ID_ERROR"}));
        let nowhere = app.post(&path.replace("t1", "nowhere"), json!({"recipeUserId": "a"})).await;
        assert_eq!(nowhere.code(), 400);
    }
}

#[tokio::test]
async fn a_login_that_somebody_has_there_is_refused() {
    let app = tenants().await;
    app.people([
        by_password("p", 1, "p@x.io"),
        within(["t1"], by_password("p1", 2, "p@x.io")),
        by_phone("c", 3, "+49"),
        within(["t1"], by_phone("c1", 4, "+49")),
        by_provider("g", 5, "g@x.io"),
    ])
    .await;
    let account =
        json!({"thirdPartyId": "google", "thirdPartyUserId": "g-g", "email": {"id": "o@x.io", "isVerified": false}});
    app.post("/t1/recipe/signinup", account).await.ok();
    assert_eq!(add(&app, "t1", "p").await, json!({"status": "EMAIL_ALREADY_EXISTS_ERROR"}));
    assert_eq!(add(&app, "t1", "c").await, json!({"status": "PHONE_NUMBER_ALREADY_EXISTS_ERROR"}));
    assert_eq!(add(&app, "t1", "g").await, json!({"status": "THIRD_PARTY_USER_ALREADY_EXISTS_ERROR"}));
    for id in ["p", "c", "g"] {
        assert_eq!(user(&app, id).await["tenantIds"], json!(["public"]), "refused means unchanged");
    }
    // The same address in another recipe or at a provider is not a conflict.
    app.people([by_provider("other", 6, "p@x.io")]).await;
    assert_eq!(add(&app, "t1", "other").await, added(false));
}

#[tokio::test]
async fn what_a_primary_user_has_there_is_refused_to_another_one() {
    let app = tenants().await;
    app.people([
        by_password("p", 1, "p@x.io"),
        by_phone("c", 2, "+49"),
        by_provider("g", 3, "g@x.io"),
        mapped("theirs", within(["t1"], by_provider("with-email", 4, "p@x.io"))),
        within(["t2"], by_phone("with-phone", 5, "+49")),
    ])
    .await;
    app.group(&["p", "c", "g"]).await;
    app.group(&["theirs"]).await;
    app.group(&["with-phone"]).await;
    let refused = |what: &str, id: &str| {
        let reason = format!("Another primary user with {what} already exists: {id}");
        json!({"status": "ASSOCIATION_NOT_ALLOWED_ERROR", "reason": reason})
    };
    for id in ["p", "g"] {
        assert_eq!(add(&app, "t1", id).await, refused("email", "theirs"), "{id}: of any of the group's infos");
    }
    assert_eq!(add(&app, "t2", "p").await, refused("phone number", "with-phone"));
    assert_eq!(
        add(&app, "t2", "c").await,
        json!({"status": "PHONE_NUMBER_ALREADY_EXISTS_ERROR"}),
        "the login comes first"
    );
    assert_eq!(user(&app, "p").await["tenantIds"], json!(["public"]));

    // A user who is not primary reserves nothing.
    app.people([by_password("single", 6, "s@x.io"), within(["t1"], by_provider("there", 7, "s@x.io"))]).await;
    app.group(&["there"]).await;
    assert_eq!(add(&app, "t1", "single").await, added(false));
}

#[tokio::test]
async fn an_account_at_a_provider_that_a_primary_user_has_there_is_refused_too() {
    let app = tenants().await;
    app.people([by_password("p", 1, "p@x.io"), by_provider("g", 2, "g@x.io")]).await;
    app.group(&["p", "g"]).await;
    let account =
        json!({"thirdPartyId": "google", "thirdPartyUserId": "g-g", "email": {"id": "o@x.io", "isVerified": true}});
    let there = app.post("/t1/recipe/signinup", account).await.ok().text_at("/user/id");
    app.group(&[&there]).await;
    let reason = format!("Another primary user with third party info already exists: {there}");
    assert_eq!(add(&app, "t1", "p").await, json!({"status": "ASSOCIATION_NOT_ALLOWED_ERROR", "reason": reason}));
    assert_eq!(add(&app, "t1", "g").await, json!({"status": "THIRD_PARTY_USER_ALREADY_EXISTS_ERROR"}));
    assert_eq!(listed(&app, "t1").await, [there.as_str()], "refused means unchanged");
}

#[tokio::test]
async fn the_groups_reservations_follow_its_tenants() {
    let app = tenants().await;
    app.people([by_password("p", 1, "p@x.io"), by_phone("c", 2, "+49")]).await;
    app.group(&["p", "c"]).await;
    assert_eq!(add(&app, "t1", "p").await, added(false));
    let methods = user(&app, "p").await["loginMethods"].clone();
    assert_eq!(methods[0]["tenantIds"], json!(["public", "t1"]));
    assert_eq!(methods[1]["tenantIds"], json!(["public"]), "the other method stays in its tenant");
    // The phone number is reserved in the group's tenants.
    app.people([within(["t1"], by_phone("there", 3, "+49"))]).await;
    assert_eq!(app.make_primary("there").await["primaryUserId"], "p");
    assert_eq!(remove(&app, "t1", "p").await, removed(true));
    assert_eq!(app.make_primary("there").await["status"], "OK");
}

/// Leaves data under this id in a tenant, with every recipe that keeps data by tenant.
async fn live(app: &TestApp, tenant: &str, id: &str) {
    app.put("/recipe/role", json!({"role": "admin", "permissions": []})).await.ok();
    app.put(&format!("/{tenant}/recipe/user/role"), json!({"userId": id, "role": "admin"})).await.ok();
    for _ in 0..70 {
        app.post(&format!("/{tenant}/recipe/session"), crate::app::new_session(id)).await.ok();
    }
    let body = json!({"userId": id, "email": "sent@x.io"});
    app.post(&format!("/{tenant}/recipe/user/email/verify/token"), body).await.ok();
}

#[tokio::test]
async fn leaving_a_tenant_takes_along_what_is_of_it() {
    let app = tenants().await;
    let of_tenants = [
        Keyspace::Session,
        Keyspace::SessionByUser,
        Keyspace::UserRole,
        Keyspace::RoleUser,
        Keyspace::EmailVerificationToken,
        Keyspace::EmailVerificationTokenByUser,
        Keyspace::LoginIdentity,
        Keyspace::AccountInfo,
        Keyspace::UserListing,
        Keyspace::PrimaryAccountInfo,
    ];
    let census = async || {
        let mut rows = Vec::new();
        for keyspace in of_tenants {
            rows.push(app.rows(keyspace).await);
        }
        rows
    };
    app.people([mapped("mine", by_password("a", 1, "a@x.io")), by_phone("c", 2, "+49")]).await;
    app.group(&["mine", "c"]).await;
    let account = json!({"userId": "mine", "email": "a@x.io"});
    let token = app.post("/recipe/user/email/verify/token", account).await.text_at("/token");
    app.post("/recipe/user/email/verify", json!({"method": "token", "token": token})).await.ok();
    live(&app, "public", "mine").await;
    live(&app, "t1", "c").await;
    let before = census().await;
    assert!(before.iter().all(|rows| *rows > 0), "{before:?}");
    assert_eq!(add(&app, "t1", "mine").await, added(false));
    live(&app, "t1", "mine").await;
    assert!(census().await.iter().zip(&before).all(|(now, before)| now > before), "{:?}", census().await);

    assert_eq!(remove(&app, "t1", "mine").await, removed(true));
    assert_eq!(census().await, before, "data elsewhere, and of others, remains");
    assert_eq!(app.sessions_of("mine").await.len(), 70);
    assert_eq!(
        user(&app, "mine").await["loginMethods"][0]["verified"],
        true,
        "addresses are verified in the whole app"
    );
    assert_eq!(app.rows(Keyspace::Timeline).await, 70, "ended sessions have a reason");
}

#[tokio::test]
async fn of_two_who_want_one_address_in_a_tenant_one_comes() {
    let app = tenants().await;
    app.people([by_password("a", 1, "a@x.io"), within(["t2"], by_password("b", 2, "a@x.io"))]).await;
    let (one, other) = tokio::join!(add(&app, "t1", "a"), add(&app, "t1", "b"));
    let mut statuses = [one["status"].as_str().unwrap(), other["status"].as_str().unwrap()];
    statuses.sort_unstable();
    assert_eq!(statuses, ["EMAIL_ALREADY_EXISTS_ERROR", "OK"]);
    assert_eq!(listed(&app, "t1").await.len(), 1);
}
