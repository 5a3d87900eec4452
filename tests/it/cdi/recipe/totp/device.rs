//! `/recipe/totp/device…`: a user's devices.

use super::{add, code, code_of, device, devices, verify, verify_device};
use crate::app::TestApp;
use serde_json::{Value, json};
use sessiond::domain::totp::{MAX_DEVICES, TotpSecret};

#[tokio::test]
async fn a_device_gets_a_secret_of_20_bytes_in_base32() {
    let app = TestApp::new().await;
    let reply = add(&app, "u", Some("phone")).await.ok().json();
    assert_eq!(reply.as_object().unwrap().len(), 3, "{reply}");
    assert_eq!(reply["deviceName"], "phone");
    let secret = reply["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 32);
    assert!(secret.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)), "{secret}");
    let other = add(&app, "u", Some("tablet")).await.ok().text_at("/secret");
    assert_ne!(secret, other);
    let list = app.get("/recipe/totp/device/list?userId=u").await.ok().json();
    let shown = |name| json!({"name": name, "period": 30, "skew": 1, "verified": false});
    assert_eq!(list, json!({"status": "OK", "devices": [shown("phone"), shown("tablet")]}));
}

#[tokio::test]
async fn names_are_given_by_the_number_of_verified_devices() {
    let app = TestApp::new().await;
    let name = async |app: &TestApp| add(app, "u", None).await.ok().text_at("/deviceName");
    assert_eq!(name(&app).await, "TOTP Device 0");
    assert_eq!(name(&app).await, "TOTP Device 0", "one that was never verified is replaced");
    assert_eq!(devices(&app, "u").await.len(), 1);
    device(&app, "u", "TOTP Device 1").await;
    assert_eq!(name(&app).await, "TOTP Device 2", "the next number already has a verified device");
    let body = json!({"userId": "u", "deviceName": null, "skew": 0, "period": 30});
    assert_eq!(app.post("/recipe/totp/device", body).await.ok().text_at("/deviceName"), "TOTP Device 2");
}

#[tokio::test]
async fn a_verified_device_is_not_replaced() {
    let app = TestApp::new().await;
    let first = add(&app, "u", Some("phone")).await.ok().text_at("/secret");
    let second = add(&app, "u", Some("phone")).await.ok().text_at("/secret");
    assert_eq!(
        verify_device(&app, "u", "phone", &code(&app, &first, 0)).await.text_at("/status"),
        "INVALID_TOTP_ERROR"
    );
    verify_device(&app, "u", "phone", &code(&app, &second, 0)).await.ok();
    assert_eq!(add(&app, "u", Some("phone")).await.json(), json!({"status": "DEVICE_ALREADY_EXISTS_ERROR"}));
    let body = json!({"userId": "u", "deviceName": "phone", "skew": 0, "period": 30, "secretKey": first});
    let reply = app.post("/recipe/totp/device/import", body).await;
    assert_eq!(reply.json(), json!({"status": "DEVICE_ALREADY_EXISTS_ERROR"}));
    add(&app, "other", Some("phone")).await.ok();
}

#[tokio::test]
async fn an_imported_device_is_verified() {
    let app = TestApp::new().await;
    // Lower case, spaces and padding, as people copy it.
    let body =
        json!({"userId": "u", "skew": "0", "period": 60.9, "secretKey": "gezd gnbv gy3t qojq gezd gnbv gy3t qojq==="});
    let reply = app.post("/recipe/totp/device/import", body).await;
    assert_eq!(reply.json(), json!({"status": "OK", "deviceName": "TOTP Device 0"}));
    let list = app.get("/recipe/totp/device/list?userId=u").await.ok().json();
    assert_eq!(list["devices"], json!([{"name": "TOTP Device 0", "period": 60, "skew": 0, "verified": true}]));
    let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec()).to_base32();
    verify(&app, "u", &code_of(&app, secret.expose(), 60, 0)).await.ok();
}

#[tokio::test]
async fn a_device_is_renamed() {
    let app = TestApp::new().await;
    let secret = device(&app, "u", "a").await;
    add(&app, "u", Some("b")).await.ok();
    let rename = async |from: &str, to: &str| {
        let body = json!({"userId": "u", "existingDeviceName": from, "newDeviceName": to});
        app.put("/recipe/totp/device", body).await.text_at("/status")
    };
    assert_eq!(rename("a", "c").await, "OK");
    assert_eq!(devices(&app, "u").await, [("c".to_owned(), true), ("b".to_owned(), false)]);
    assert_eq!(rename("c", "c").await, "OK");
    assert_eq!(rename("c", "b").await, "DEVICE_ALREADY_EXISTS_ERROR", "a verified one or not");
    assert_eq!(rename("a", "d").await, "UNKNOWN_DEVICE_ERROR");
    assert_eq!(rename("a", "b").await, "UNKNOWN_DEVICE_ERROR");
    app.clock.advance(90_000);
    verify(&app, "u", &code(&app, &secret, 0)).await.ok();
}

#[tokio::test]
async fn a_device_is_removed() {
    let app = TestApp::new().await;
    device(&app, "u", "a").await;
    add(&app, "u", Some("b")).await.ok();
    let remove = async |name: &str| {
        app.post("/recipe/totp/device/remove", json!({"userId": "u", "deviceName": name})).await.ok().json()
    };
    assert_eq!(remove("a").await, json!({"status": "OK", "didDeviceExist": true}));
    assert_eq!(remove("a").await, json!({"status": "OK", "didDeviceExist": false}));
    assert_eq!(devices(&app, "u").await, [("b".to_owned(), false)]);
    assert_eq!(remove("b").await, json!({"status": "OK", "didDeviceExist": true}));
    assert_eq!(devices(&app, "u").await, []);
    assert_eq!(verify(&app, "u", "123456").await.json(), json!({"status": "UNKNOWN_USER_ID_ERROR"}));
}

#[tokio::test]
async fn whether_many_users_have_devices() {
    let app = TestApp::new().await;
    device(&app, "has", "a").await;
    add(&app, "had", Some("a")).await.ok();
    let ask = async |ids: Value| app.post("/recipe/totp/device/status/bulk", json!({"userIds": ids})).await;
    let users = ask(json!(["none", "has", "had", "has"])).await.ok().json();
    let user = |id, has: Value| json!({"userId": id, "hasVerifiedDevice": has});
    let shown =
        [user("none", Value::Null), user("has", json!(true)), user("had", json!(false)), user("has", json!(true))];
    assert_eq!(users, json!({"status": "OK", "users": shown}));
    assert_eq!(ask(json!([])).await.json(), json!({"status": "OK", "users": []}));
    ask(json!(["a", 1])).await.is_text(400, "userIds array must contain only strings");
    ask(json!(vec!["a"; 501])).await.is_text(400, "You can only query up to 500 users at a time.");
    ask(json!("a")).await.is_text(400, "Field name 'userIds' is invalid in JSON input");
    assert_eq!(ask(json!(vec!["a"; 500])).await.json()["users"].as_array().unwrap().len(), 500);
}

#[tokio::test]
async fn bad_fields_are_refused_in_the_protocols_words() {
    let app = TestApp::new().await;
    let good = json!({"userId": "u", "deviceName": "d", "skew": 1, "period": 30, "secretKey": "MZXW6YTB"});
    for (field, value, sentence) in [
        ("userId", json!(""), "userId cannot be empty"),
        ("deviceName", json!(""), "deviceName cannot be empty"),
        ("secretKey", json!(""), "secretKey cannot be empty"),
        ("secretKey", json!("0189"), "secretKey must be a Base32 text"),
        ("skew", json!(-1), "skew must be >= 0"),
        ("skew", json!(101), "skew must be <= 100"),
        ("period", json!(0), "period must be > 0"),
        ("period", json!(-30), "period must be > 0"),
        ("userId", json!(1), "Field name 'userId' is invalid in JSON input"),
        ("deviceName", json!(1), "Field name 'deviceName' is invalid in JSON input"),
        ("skew", json!(null), "Field name 'skew' is invalid in JSON input"),
        ("period", json!(3_000_000_000_u64), "Field name 'period' is invalid in JSON input"),
        ("secretKey", json!(null), "Field name 'secretKey' is invalid in JSON input"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        app.post("/recipe/totp/device/import", body.clone()).await.is_text(400, sentence);
        if field != "secretKey" {
            app.post("/recipe/totp/device", body).await.is_text(400, sentence);
        }
    }
    let rename = json!({"userId": "u", "existingDeviceName": "a", "newDeviceName": "b"});
    for field in ["userId", "existingDeviceName", "newDeviceName"] {
        let mut body = rename.clone();
        body[field] = "".into();
        app.put("/recipe/totp/device", body.clone()).await.is_text(400, &format!("{field} cannot be empty"));
        body.as_object_mut().unwrap().remove(field);
        let sentence = format!("Field name '{field}' is invalid in JSON input");
        app.put("/recipe/totp/device", body).await.is_text(400, &sentence);
    }
    let remove = async |body| app.post("/recipe/totp/device/remove", body).await;
    remove(json!({"userId": "", "deviceName": "a"})).await.is_text(400, "userId cannot be empty");
    remove(json!({"userId": "u", "deviceName": ""})).await.is_text(400, "deviceName cannot be empty");
    app.get("/recipe/totp/device/list?userId=").await.is_text(400, "userId cannot be empty");
    app.get("/recipe/totp/device/list").await.is_text(400, "Field name 'userId' is missing in GET request");
    verify(&app, "", "123456").await.is_text(400, "userId cannot be empty");
    verify_device(&app, "u", "", "123456").await.is_text(400, "deviceName cannot be empty");
    let code = app.post("/recipe/totp/verify", json!({"userId": "u", "totp": 123_456})).await;
    code.is_text(400, "Field name 'totp' is invalid in JSON input");
}

#[tokio::test]
async fn devices_are_of_the_whole_app() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    device(&app, "u", "a").await;
    let list = async |version: &str| app.get("/t1/recipe/totp/device/list?userId=u").cdi(version).await;
    list("5.0").await.is_text(403, "Only public tenantId can call this app specific API");
    assert_eq!(list("4.0").await.ok().json()["devices"][0]["name"], "a");
    for (method, path, body) in [
        ("POST", "device", json!({"userId": "u", "skew": 1, "period": 30})),
        ("POST", "device/import", json!({"userId": "u", "skew": 1, "period": 30, "secretKey": "MZXW6YTB"})),
        ("PUT", "device", json!({"userId": "u", "existingDeviceName": "a", "newDeviceName": "b"})),
        ("POST", "device/remove", json!({"userId": "u", "deviceName": "b"})),
        ("POST", "device/status/bulk", json!({"userIds": ["u"]})),
    ] {
        let path = format!("/t1/recipe/totp/{path}");
        let send = |version| app.request(method.parse().unwrap(), &path).json(&body).cdi(version);
        let before = devices(&app, "u").await;
        send("5.0").await.is_text(403, "Only public tenantId can call this app specific API");
        assert_eq!(devices(&app, "u").await, before, "a refused request changes nothing");
        send("4.0").await.ok();
    }
}

#[tokio::test]
async fn a_user_has_only_so_many_devices_and_names_have_a_length() {
    let app = TestApp::new().await;
    for number in 0..MAX_DEVICES {
        add(&app, "u", Some(&format!("d{number}"))).await.ok();
    }
    add(&app, "u", Some("more")).await.is_text(400, "A user cannot have more than 100 TOTP devices");
    add(&app, "u", Some("d5")).await.ok();
    let long = "n".repeat(513);
    add(&app, "v", Some(&long)).await.is_text(400, "The name of a device cannot be longer than 512 bytes");
    add(&app, "v", Some(&long[1..])).await.ok();
}
