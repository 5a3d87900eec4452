//! Access and refresh tokens: each alone, as the core judged it.

use super::{Moved, moved, path};
use serde_json::{Value, json};
use sessiond::domain::ids::{AppId, SessionHandle};
use sessiond::store::session;

/// The CDI version with which a question was asked.
fn version<'a>(question: &'a str, session: &'a Value) -> &'a str {
    let name = question.split(',').next().unwrap_or_default();
    name.strip_prefix("cdi").unwrap_or_else(|| session["cdi"].as_str().expect("a version"))
}

/// The member that says whose session it is; below CDI 4.0 the SDKs know only this one.
fn same(answer: &Value, expected: &Value, what: &str) {
    assert_eq!(answer["status"], expected["status"], "{what}: {answer}");
    match expected["status"].as_str() {
        Some("OK") => {
            assert_eq!(answer["session"]["userId"], expected["userId"], "{what}");
            assert_eq!(answer["session"]["userDataInJWT"], expected["payload"], "{what}");
        }
        Some("TOKEN_THEFT_DETECTED") => assert_eq!(answer["session"], expected["session"], "{what}"),
        _ => {}
    }
}

async fn every_access_token(moved: &Moved) -> usize {
    let mut asked = 0;
    for session in moved.list("sessions") {
        for token in session["accessTokens"].as_array().into_iter().flatten() {
            for (question, expected) in token["expectedAtDump"].as_object().into_iter().flatten() {
                let body = json!({
                    "accessToken": token["token"], "doAntiCsrfCheck": false, "enableAntiCsrf": session["antiCsrf"],
                    "checkDatabase": question.contains("checkDatabase"),
                });
                let before = saved(moved, session).await;
                let route = path(&session["app"], &Value::Null, "/recipe/session/verify");
                let answer = moved.app.post(&route, body).cdi(version(question, session)).await.json();
                let what = format!("{} of {}, {question}", session["name"], session["app"]);
                asked += 1;
                // The core keeps rows of expired sessions for a while and does not look at their end here.
                if session["name"] == "expired" && question.contains("checkDatabase") {
                    assert_eq!(answer["status"], "UNAUTHORISED", "{what}");
                    continue;
                }
                same(&answer, expected, &what);
                if expected["status"] == "OK" {
                    assert_eq!(answer.get("accessToken").is_some(), expected["newAccessToken"] == true, "{what}");
                }
                restore(moved, session, before).await;
            }
        }
    }
    asked
}

async fn every_refresh_token(moved: &Moved) -> usize {
    let mut asked = 0;
    for session in moved.list("sessions") {
        for token in session["refreshTokens"].as_array().into_iter().flatten() {
            for (question, expected) in token["expectedAtDump"].as_object().into_iter().flatten() {
                let mut body = json!({
                    "refreshToken": token["token"], "enableAntiCsrf": session["antiCsrf"],
                    "useDynamicSigningKey": session["useStaticKey"] != true,
                });
                if let Some(anti_csrf) = token.get("antiCsrfToken") {
                    body["antiCsrfToken"] = anti_csrf.clone();
                }
                let before = saved(moved, session).await;
                let route = path(&session["app"], &Value::Null, "/recipe/session/refresh");
                let answer = moved.app.post(&route, body).cdi(version(question, session)).await.json();
                let what = format!("{} of {}, {question}", session["name"], session["app"]);
                same(&answer, expected, &what);
                if expected["status"] == "OK" {
                    if !expected["recipeUserId"].is_null() {
                        assert_eq!(answer["session"]["recipeUserId"], expected["recipeUserId"], "{what}");
                    }
                    // What is minted can be taken back to a core.
                    assert!(answer["refreshToken"]["token"].as_str().expect("a token").ends_with(".V2"), "{what}");
                }
                restore(moved, session, before).await;
                asked += 1;
            }
        }
    }
    asked
}

fn place(session: &Value) -> (AppId, SessionHandle) {
    let app_id = session["app"].as_str().expect("an app").to_owned();
    let handle = SessionHandle::parse(session["handle"].as_str().expect("a handle")).expect("a handle");
    (AppId { connection_uri_domain: String::new(), app_id }, handle)
}

async fn saved(moved: &Moved, session: &Value) -> Option<session::SessionRecord> {
    let (app, handle) = place(session);
    session::get(moved.app.context.store.begin().as_mut(), &app, &handle).await.expect("readable")
}

async fn restore(moved: &Moved, session: &Value, before: Option<session::SessionRecord>) {
    let Some(before) = before else { return };
    let (app, handle) = place(session);
    let mut tx = moved.app.context.store.begin();
    session::insert(tx.as_mut(), &app, &handle, &before).expect("writable");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn every_access_token_is_judged_as_by_the_core() {
    for (version, count) in [("9.2.6", 120), ("11.4.7", 320), ("12.0.7", 338)] {
        assert_eq!(every_access_token(&moved(version).await).await, count, "{version}");
    }
}

#[tokio::test]
async fn every_refresh_token_is_judged_as_by_the_core() {
    for (version, count) in [("9.2.6", 55), ("11.4.7", 150), ("12.0.7", 158)] {
        assert_eq!(every_refresh_token(&moved(version).await).await, count, "{version}");
    }
}

/// The row of every session, as the core showed it when it was made: the user may have been mapped or linked since.
#[tokio::test]
async fn every_session_is_shown_as_by_the_core() {
    for version in ["9.2.6", "11.4.7", "12.0.7"] {
        let moved = moved(version).await;
        for session in moved.list("sessions") {
            let handle = session["handle"].as_str().expect("a handle");
            let route = format!("/recipe/session?sessionHandle={handle}");
            let answer = moved.app.get(&path(&session["app"], &Value::Null, &route)).cdi("5.1").await.json();
            assert_eq!(answer["status"], session["get"]["status"], "{handle}");
            if answer["status"] == "OK" {
                let facts = [
                    "sessionHandle",
                    "recipeUserId",
                    "userDataInDatabase",
                    "userDataInJWT",
                    "expiry",
                    "timeCreated",
                    "tenantId",
                ];
                for fact in facts.into_iter().filter(|fact| !session["get"][fact].is_null()) {
                    assert_eq!(answer[fact], session["get"][fact], "{handle} {fact}");
                }
            }
        }
    }
}

/// Both forms of refresh tokens are accepted, whichever is minted: a change of the setting signs nobody out.
#[tokio::test]
async fn a_session_goes_from_one_form_to_the_other_and_back() {
    let moved = moved("11.4.7").await;
    let session = moved.list("sessions").iter().find(|session| session["name"] == "fresh" && session["app"] == "shop");
    let mut token = session.expect("a session")["refreshTokens"][0]["token"].clone();
    for (format, is_v2) in [("auto", true), ("sealed", false), ("v2", true), ("sealed", false)] {
        let body = json!({"appId": "shop", "coreConfig": {"refresh_token_format": format}});
        assert_eq!(moved.app.put("/recipe/multitenancy/app/v2", body).await.json()["status"], "OK");
        let body = json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true});
        let answer = moved.app.post("/appid-shop/recipe/session/refresh", body).cdi("5.4").await.json();
        assert_eq!(answer["status"], "OK", "{format}: {answer}");
        token = answer["refreshToken"]["token"].clone();
        assert_eq!(token.as_str().expect("a token").ends_with(".V2"), is_v2, "{format}");
    }
}
