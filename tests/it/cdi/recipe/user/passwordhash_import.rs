//! `POST /recipe/user/passwordhash/import`.

use crate::app::TestApp;
use crate::people::{FIREBASE, SIGNER_KEY, by_provider, with_cheap_passwords};
use crate::refused::post;
use serde_json::{Value, json};
use sessiond::jobs::bulk_import::round;

const PATH: &str = "/recipe/user/passwordhash/import";
/// Of "abc".
const BCRYPT: &str = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";
/// Of "password".
const ARGON2: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

async fn import(app: &TestApp, email: &str, hash: &str) -> Value {
    app.post(PATH, json!({"email": email, "passwordHash": hash})).await.ok().json()
}

#[tokio::test]
async fn hashes_of_every_family_open_accounts() {
    let app = with_cheap_passwords().setting("firebase_password_hashing_signer_key", SIGNER_KEY).build().await;
    for (hash, algorithm, password) in
        [(BCRYPT, "bCrypt", "abc"), (ARGON2, " argon2 ", "password"), (FIREBASE, "firebase_scrypt", "user1password")]
    {
        let email = format!("{}@x.io", algorithm.trim().to_lowercase());
        let body =
            json!({"email": email.to_uppercase(), "passwordHash": format!(" {hash}\n"), "hashingAlgorithm": algorithm});
        let reply = app.post(PATH, body).await.ok().json();
        assert_eq!((&reply["didUserAlreadyExist"], &reply["user"]["emails"]), (&json!(false), &json!([email])));
        assert!(reply.get("recipeUserId").is_none());
        let signed_in = app.post("/recipe/signin", json!({"email": email, "password": password})).await.ok().json();
        assert_eq!(signed_in["user"], reply["user"]);
        assert_eq!(app.sign_in(&email, "another").await, "WRONG_CREDENTIALS_ERROR");
        assert_eq!(import(&app, &email, hash).await["didUserAlreadyExist"], true);
    }
}

/// Firebase's Admin SDK and REST interface write `-` and `_` where its command line writes `+` and `/`.
#[tokio::test]
async fn firebase_hashes_come_in_either_alphabet_with_or_without_padding() {
    let web_safe = |text: &str| text.replace('+', "-").replace('/', "_");
    let unpadded = |text: &str| text.replace('=', "").replace("$m", "$m=").replace("$r", "$r=").replace("$s", "$s=");
    assert_ne!(web_safe(FIREBASE), FIREBASE);
    let hashes = [web_safe(FIREBASE), unpadded(FIREBASE), unpadded(&web_safe(FIREBASE)), FIREBASE.replace('+', "-")];
    for key in [SIGNER_KEY.to_owned(), web_safe(SIGNER_KEY)] {
        let app = with_cheap_passwords().setting("firebase_password_hashing_signer_key", &key).build().await;
        for (number, hash) in hashes.iter().enumerate() {
            let emails = ["a", "b", "c"].map(|name| format!("{name}{number}@x.io"));
            let [by_hash, by_job, at_once] = &emails;
            import(&app, by_hash, hash).await;
            let user = |email: &str| {
                json!({"loginMethods": [{"recipeId": "emailpassword", "email": email, "passwordHash": hash,
                    "hashingAlgorithm": "firebase_scrypt"}]})
            };
            app.post("/bulk-import/users", json!({"users": [user(by_job)]})).await.ok();
            assert_eq!(round(&app.context).await.unwrap().imported, 1);
            app.post("/bulk-import/import", user(at_once)).await.ok();
            for email in &emails {
                assert_eq!(app.sign_in(email, "another").await, "WRONG_CREDENTIALS_ERROR", "{hash}");
                assert_eq!(app.sign_in(email, "user1password").await, "OK", "{hash}");
            }
        }
    }
    let app = with_cheap_passwords().setting("firebase_password_hashing_signer_key", SIGNER_KEY).build().await;
    for wrong in [FIREBASE.replace('+', "*"), FIREBASE.replace('+', " ")] {
        let reply = app.post(PATH, json!({"email": "jane@x.io", "passwordHash": wrong})).await;
        reply.is_text(400, "Password hash is in invalid format");
    }
}

#[tokio::test]
async fn an_account_that_exists_gets_the_hash() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "old").await;
    let reply = import(&app, "Jane@x.io", BCRYPT).await;
    assert_eq!((&reply["user"]["id"], &reply["didUserAlreadyExist"]), (&json!(id), &json!(true)));
    assert_eq!(app.sign_in("jane@x.io", "old").await, "WRONG_CREDENTIALS_ERROR");
    assert_eq!(app.sign_in("jane@x.io", "abc").await, "OK");
    let old = app.post(PATH, json!({"email": "jane@x.io", "passwordHash": BCRYPT})).cdi("2.16").await.ok().json();
    assert_eq!(old["user"], json!({"id": id, "email": "jane@x.io", "timeJoined": crate::app::START.0}));
}

#[tokio::test]
async fn what_cannot_be_checked_later_is_refused() {
    let app = with_cheap_passwords().build().await;
    for (hash, algorithm, sentence) in [
        ("", None, "Password hash cannot be an empty string"),
        (" \t", Some("BCRYPT"), "Password hash cannot be an empty string"),
        (BCRYPT, Some(" "), "Hashing Algorithm cannot be an empty string"),
        (BCRYPT, Some("MD5"), "Unsupported password hashing algorithm"),
        ("abc", None, "Password hash is in invalid format"),
        ("$2a$06$short", None, "Password hash is in invalid format"),
        (ARGON2, Some("BCRYPT"), "Password hash is in invalid BCrypt format"),
        (BCRYPT, Some("ARGON2"), "Password hash is in invalid Argon2 format"),
        (BCRYPT, Some("FIREBASE_SCRYPT"), "Password hash is in invalid Firebase SCrypt format"),
    ] {
        let mut body = json!({"email": "a@x.io", "passwordHash": hash});
        if let Some(algorithm) = algorithm {
            body["hashingAlgorithm"] = json!(algorithm);
        }
        app.post(PATH, body).await.is_text(400, sentence);
    }
    for version in ["2.16", "3.1", "5.6"] {
        let body = json!({"email": "a@x.io", "passwordHash": BCRYPT, "hashingAlgorithm": "BCRYPT"});
        let good = post(PATH, version, body);
        app.wants_texts(&good, &["email", "passwordHash"]).await;
        app.wants_texts_if_any(&good, &["hashingAlgorithm"]).await;
        let too_long = "Field name 'email' cannot be longer than 512 bytes";
        app.refuses_each(&good, &[(json!({"email": "a".repeat(513)}), too_long)]).await;
    }
    let body = json!({"email": "a@x.io", "passwordHash": FIREBASE});
    app.post(PATH, body).await.is_text(500, "'firebase_password_hashing_signer_key' cannot be null");
    assert_eq!(app.get("/users/count").await.json()["count"], 0);
}

#[tokio::test]
async fn a_refused_hash_leaves_the_account_as_it_is() {
    let app = with_cheap_passwords().build().await;
    app.sign_up("jane@x.io", "old").await;
    let good = post(PATH, "5.6", json!({"email": "jane@x.io", "passwordHash": BCRYPT}));
    let format = "Password hash is in invalid format";
    app.refuses_each(
        &good,
        &[
            (json!({"passwordHash": "abc"}), format),
            (json!({"passwordHash": "$2a$99$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"}), format),
            (json!({"hashingAlgorithm": "ARGON2"}), "Password hash is in invalid Argon2 format"),
        ],
    )
    .await;
    assert_eq!(app.sign_in("jane@x.io", "old").await, "OK");
}

#[tokio::test]
async fn accounts_are_of_the_tenant_and_shown_as_the_whole_person() {
    let app = with_cheap_passwords().build().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let public = app.sign_up("jane@x.io", "old").await;
    let body = json!({"email": "jane@x.io", "passwordHash": BCRYPT});
    let there = app.post(&format!("/t1{PATH}"), body.clone()).await.ok().json();
    assert_eq!((&there["didUserAlreadyExist"], &there["user"]["tenantIds"]), (&json!(false), &json!(["t1"])));
    assert_ne!(there["user"]["id"], json!(public));
    assert_eq!(app.sign_in("jane@x.io", "old").await, "OK", "the public tenant's account is a different one");
    app.people([by_provider("p", 1, "p@x.io")]).await;
    app.group(&["p", &public]).await;
    let again = import(&app, "jane@x.io", BCRYPT).await;
    assert_eq!((&again["didUserAlreadyExist"], &again["user"]["id"]), (&json!(true), &json!("p")));
    assert_eq!(again["user"]["loginMethods"].as_array().unwrap().len(), 2);
    let old = app.post(PATH, body).cdi("3.1").await.ok().json();
    assert_eq!(old["user"]["id"], json!(public), "one login method, under its own id");
    let made_up = import(&app, "g-1@stfakeemail.supertokens.com", BCRYPT).await;
    assert_eq!(made_up["user"]["loginMethods"][0]["verified"], true);
}

/// bcrypt of 72 times "p", which is also bcrypt's result for anything longer that begins this way.
const OF_LONG: &str = "$2y$04$Y11AEhm/KRvlHFGGZLCgXO4n.oO9ntCYev.qhk7nurxi1AB8FfKxS";

#[tokio::test]
async fn an_imported_hash_of_a_long_password_is_replaced_by_one_of_all_of_it() {
    let app = with_cheap_passwords().build().await;
    import(&app, "jane@x.io", OF_LONG).await;
    let long = "p".repeat(80);
    assert_eq!(app.sign_in("jane@x.io", &"p".repeat(71)).await, "WRONG_CREDENTIALS_ERROR");
    assert_eq!(app.sign_in("jane@x.io", &long).await, "OK");
    for other in ["p".repeat(72), "p".repeat(79), format!("{long}x"), format!("{}x", "p".repeat(79))] {
        assert_eq!(app.sign_in("jane@x.io", &other).await, "WRONG_CREDENTIALS_ERROR", "{} bytes", other.len());
    }
    assert_eq!(app.sign_in("jane@x.io", &long).await, "OK");
}
