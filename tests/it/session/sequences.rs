//! The sequences that the protocol's own tests pin (CDI: session, edge cases).

use super::driver::{Driver, object, told};
use serde_json::json;
use sessiond::command::session::create::Created;
use sessiond::command::session::data::{SessionDataChange, UpdateSession, Updated};
use sessiond::command::session::refresh::Refreshed;
use sessiond::command::session::regenerate::{NewPayload, RegenerateAccessToken, Regenerated};
use sessiond::command::session::verify::Verified;
use sessiond::domain::ids::TenantId;
use sessiond::domain::session::AccessTokenVersion;
use sessiond::domain::session::RefreshPolicy::{PromoteOnUse, RotateOnRefresh};

#[tokio::test]
async fn a_refreshed_access_token_promotes_and_the_parent_is_theft() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    let second = driver.refreshed(PromoteOnUse, &first.refresh).await;
    let Verified::Ok { access_token: Some(_), .. } = driver.verify(PromoteOnUse, &second.access, false).await else {
        panic!("no new token")
    };
    assert_eq!(told(&driver.refresh(PromoteOnUse, &first.refresh).await), "theft None");
}

#[tokio::test]
async fn refreshing_the_child_promotes_and_the_parent_is_theft() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    let second = driver.refreshed(PromoteOnUse, &first.refresh).await;
    driver.refreshed(PromoteOnUse, &second.refresh).await;
    assert_eq!(told(&driver.refresh(PromoteOnUse, &first.refresh).await), "theft None");
    assert!(driver.find(&first.handle).await.is_some(), "the session remains");
    driver.refreshed(PromoteOnUse, &second.refresh).await;
}

#[tokio::test]
async fn the_parent_refreshes_twice_while_no_child_was_used() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    driver.refreshed(PromoteOnUse, &first.refresh).await;
    driver.refreshed(PromoteOnUse, &first.refresh).await;
}

#[tokio::test]
async fn a_grandparents_access_token_verifies_until_it_expires_but_not_without_a_session() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    let second = driver.refreshed(PromoteOnUse, &first.refresh).await;
    let third = driver.refreshed(PromoteOnUse, &second.refresh).await;
    driver.verify(PromoteOnUse, &third.access, false).await;
    for check in [false, true] {
        let verified = driver.verify(PromoteOnUse, &first.access, check).await;
        assert!(matches!(verified, Verified::Ok { access_token: None, .. }), "{check}");
    }
    driver.revoke(&[&first.handle]).await;
    assert!(matches!(driver.verify(PromoteOnUse, &first.access, false).await, Verified::Ok { .. }));
    let verified = driver.verify(PromoteOnUse, &first.access, true).await;
    assert!(matches!(verified, Verified::Unauthorised("Either the session has ended or has been blacklisted")));
    driver.advance(3_600_001);
    let expired = driver.verify(PromoteOnUse, &first.access, false).await;
    assert!(matches!(expired, Verified::TryRefreshToken("Access token expired")));
}

#[tokio::test]
async fn an_unused_child_of_a_revoked_session_is_missing_in_the_database() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    let second = driver.refreshed(PromoteOnUse, &first.refresh).await;
    driver.revoke(&[&first.handle]).await;
    let verified = driver.verify(PromoteOnUse, &second.access, false).await;
    assert!(matches!(verified, Verified::Unauthorised("Session missing in db")));
    let refreshed = driver.refresh(PromoteOnUse, &second.refresh).await;
    assert_eq!(told(&refreshed), "unauthorised: Session missing in db or has expired None");
}

#[tokio::test]
async fn rotation_reuse_ends_the_session_and_says_which() {
    let driver = Driver::new().await;
    for (late, subtype) in [(30_001, "RecentPrev"), (0, "OrphanedBranch")] {
        let first = driver.create("u").await;
        let second = driver.refreshed(RotateOnRefresh, &first.refresh).await;
        let replayed = if late > 0 {
            driver.advance(late);
            first.refresh.clone()
        } else {
            driver.refreshed(RotateOnRefresh, &first.refresh).await;
            second.refresh.clone()
        };
        let outcome = driver.refresh(RotateOnRefresh, &replayed).await;
        assert_eq!(told(&outcome), format!("theft Some({subtype})"));
        assert!(driver.find(&first.handle).await.is_none(), "the session is deleted");
        let after = driver.refresh(RotateOnRefresh, &second.refresh).await;
        assert_eq!(told(&after), "unauthorised: Session missing in db or has expired None");
    }
}

#[tokio::test]
async fn recent_reuse_may_be_configured_to_sign_out_quietly() {
    let builder = crate::app::TestApp::builder().setting("recent_token_reuse_behaviour", "UNAUTHORISED");
    let driver = Driver::with(builder).await;
    let first = driver.create("u").await;
    let second = driver.refreshed(RotateOnRefresh, &first.refresh).await;
    let third = driver.refreshed(RotateOnRefresh, &second.refresh).await;
    driver.advance(30_001);
    let outcome = driver.refresh(RotateOnRefresh, &second.refresh).await;
    assert_eq!(told(&outcome), "unauthorised: refresh token reuse detected Some(RecentPrev)");
    assert_eq!(
        told(&driver.refresh(RotateOnRefresh, &third.refresh).await),
        "unauthorised: Session missing in db or has expired None"
    );
    let first = driver.create("u").await;
    let second = driver.refreshed(RotateOnRefresh, &first.refresh).await;
    driver.refreshed(RotateOnRefresh, &second.refresh).await;
    let stale = driver.refresh(RotateOnRefresh, &first.refresh).await;
    assert_eq!(told(&stale), "theft Some(StaleLineage)", "whatever the setting");
}

#[tokio::test]
async fn a_foreign_or_broken_refresh_token_is_unauthorised() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    let other = Driver::with(crate::app::TestApp::builder().seed(2)).await;
    let foreign = other.create("u").await;
    let cut = &first.refresh[..first.refresh.len() - 1];
    for token in ["", "x", cut, &first.access, &foreign.refresh] {
        let outcome = driver.refresh(PromoteOnUse, token).await;
        assert!(matches!(outcome, Refreshed::Unauthorised { .. }), "{}", told(&outcome));
    }
    driver.refreshed(PromoteOnUse, &first.refresh).await;
}

#[tokio::test]
async fn a_refresh_demands_the_anti_csrf_token_only_if_enabled_and_carried() {
    let driver = Driver::new().await;
    let mut create = driver.creating("u", TenantId::public());
    create.options.enable_anti_csrf = true;
    let Created::Ok(issued) = create.run(&driver.app.context).await.unwrap() else { panic!() };
    let demanded = issued.anti_csrf_token.clone().unwrap();
    let token = issued.refresh_token.token.expose().as_str();
    for (enabled, presented, good) in
        [(true, None, false), (true, Some("wrong"), false), (true, Some(demanded.as_str()), true), (false, None, true)]
    {
        let mut refresh = driver.refreshing(PromoteOnUse, token);
        refresh.enable_anti_csrf = enabled;
        refresh.anti_csrf_token = presented;
        let outcome = refresh.run(&driver.app.context).await.unwrap();
        let expected = if good { "ok" } else { "unauthorised: Anti CSRF token missing, or not matching None" };
        assert_eq!(told(&outcome), expected, "{enabled} {presented:?}");
    }
}

#[tokio::test]
async fn a_payload_name_that_a_newer_token_reserves_is_unauthorised_at_refresh() {
    let driver = Driver::new().await;
    let mut create = driver.creating("u", TenantId::public());
    create.options.token_version = AccessTokenVersion::V4;
    create.user_data_in_jwt = object(&json!({"rsub": "mine"}));
    let Created::Ok(issued) = create.run(&driver.app.context).await.unwrap() else { panic!() };
    let token = issued.refresh_token.token.expose().as_str();
    let mut same = driver.refreshing(PromoteOnUse, token);
    same.token_version = AccessTokenVersion::V4;
    assert_eq!(told(&same.run(&driver.app.context).await.unwrap()), "ok");
    let newer = driver.refresh(PromoteOnUse, token).await;
    assert_eq!(told(&newer), "unauthorised: The user payload contains protected field None");
    let newer = driver.refresh(RotateOnRefresh, token).await;
    assert_eq!(told(&newer), "unauthorised: The user payload contains protected field None");
    let mut same = driver.refreshing(PromoteOnUse, token);
    same.token_version = AccessTokenVersion::V4;
    assert_eq!(told(&same.run(&driver.app.context).await.unwrap()), "ok", "nothing was changed by the refusals");
}

#[tokio::test]
async fn a_session_for_any_user_id_works() {
    let driver = Driver::new().await;
    let long = "u".repeat(5_000);
    for user in ["", "unknown", "with \0 zero and ü", long.as_str()] {
        let held = driver.create(user).await;
        assert_eq!(driver.list(user, None).await, std::slice::from_ref(&held.handle), "{}", user.len());
        assert_eq!(driver.find(&held.handle).await.unwrap().user_id.as_str(), user);
    }
}

#[tokio::test]
async fn an_own_lifetime_is_kept_exactly_and_checked() {
    let driver = Driver::new().await;
    for (ms, good) in [(0, false), (1, true), (3_600_000, true), (3_600_001, false)] {
        let mut create = driver.creating("u", TenantId::public());
        create.options.access_token_validity_ms = Some(ms);
        let created = create.run(&driver.app.context).await.unwrap();
        assert_eq!(matches!(created, Created::Ok(_)), good, "{ms}");
        if !good {
            assert!(matches!(created, Created::InvalidAccessTokenValidity { max_ms: 3_600_000 }));
        }
    }
    let mut create = driver.creating("u", TenantId::public());
    create.options.access_token_validity_ms = Some(10_500);
    let Created::Ok(issued) = create.run(&driver.app.context).await.unwrap() else { panic!() };
    assert_eq!(issued.access_token.expiry, crate::app::START.plus(10_000), "floored to the second");
}

#[tokio::test]
async fn regenerate_replaces_the_payload_and_keeps_the_expiry() {
    let driver = Driver::new().await;
    let held = driver.create("u").await;
    let regenerating = |payload: Option<serde_json::Value>, token: &str| {
        let token = token.to_owned();
        let command_scope = driver.scope("POST /recipe/session/regenerate");
        let app = driver.app.context.clone();
        async move {
            let command = RegenerateAccessToken {
                scope: command_scope,
                access_token: &token,
                payload: payload.as_ref().map_or(NewPayload::Stored, |payload| NewPayload::Replaced(object(payload))),
                check_protected_claims: true,
                max_access_token_bytes: None,
            };
            command.run(&app).await.unwrap()
        }
    };
    driver.advance(5_000);
    let Regenerated::Ok { session, access_token: Some(token) } =
        regenerating(Some(json!({"role": "admin"})), &held.access).await
    else {
        panic!("no token")
    };
    assert_eq!(session.user_data_in_jwt.as_str(), r#"{"role":"admin"}"#);
    let Verified::Ok { session, .. } = driver.verify(PromoteOnUse, token.token.expose(), true).await else { panic!() };
    assert_eq!(session.user_data_in_jwt.as_str(), r#"{"role":"admin"}"#);
    assert!(token.created > crate::app::START, "iat is renewed");

    let protected = regenerating(Some(json!({"sub": "x"})), &held.access).await;
    assert!(matches!(protected, Regenerated::ProtectedClaim));
    assert!(matches!(regenerating(None, "nonsense").await, Regenerated::Unparsable));

    driver.advance(3_600_000);
    let Regenerated::Ok { access_token: None, session } = regenerating(None, &held.access).await else { panic!() };
    assert_eq!(session.user_data_in_jwt.as_str(), r#"{"role":"admin"}"#, "the stored one");

    driver.revoke(&[&held.handle]).await;
    let gone = regenerating(None, &held.access).await;
    assert!(matches!(gone, Regenerated::Unauthorised("Session does not exist.")));
}

#[tokio::test]
async fn a_stored_payload_reaches_the_token_at_verify_with_a_look_and_at_refresh() {
    let driver = Driver::new().await;
    let held = driver.create("u").await;
    let update = |change| UpdateSession { scope: driver.scope("PUT /recipe/jwt/data"), handle: &held.handle, change };
    let payload = object(&json!({"b": 2, "a": {"n": null}}));
    let app = &driver.app.context;
    assert!(matches!(update(SessionDataChange::Payload(payload.clone(), None)).run(app).await.unwrap(), Updated::Ok));

    let Verified::Ok { access_token: None, .. } = driver.verify(PromoteOnUse, &held.access, false).await else {
        panic!("nothing changes without a look-up")
    };
    let Verified::Ok { session, access_token: Some(token), .. } = driver.verify(PromoteOnUse, &held.access, true).await
    else {
        panic!("no new token")
    };
    assert_eq!(session.user_data_in_jwt, payload);
    assert_eq!(token.expiry, crate::app::START.plus(3_600_000), "a full lifetime, no jitter");

    let Verified::Ok { access_token: None, payload_update_available, .. } =
        driver.verify(RotateOnRefresh, &held.access, true).await
    else {
        panic!("the stateless machine never mints")
    };
    assert_eq!(payload_update_available, Some(true));
    let fresh = driver.refreshed(RotateOnRefresh, &held.refresh).await;
    let Verified::Ok { session, payload_update_available, .. } =
        driver.verify(RotateOnRefresh, &fresh.access, true).await
    else {
        panic!()
    };
    assert_eq!((session.user_data_in_jwt.as_str(), payload_update_available), (payload.as_str(), Some(false)));

    let reserved = object(&json!({"rsub": 1}));
    let refused = update(SessionDataChange::Payload(reserved, Some(AccessTokenVersion::V5))).run(app).await.unwrap();
    assert!(matches!(refused, Updated::ProtectedClaim));
    let data = object(&json!({"cart": [1, 2]}));
    assert!(matches!(update(SessionDataChange::Database(data.clone())).run(app).await.unwrap(), Updated::Ok));
    assert_eq!(driver.find(&held.handle).await.unwrap().user_data_in_database, data);
}

#[tokio::test]
async fn the_stateless_check_refuses_a_rotated_out_branch() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    let second = driver.refreshed(RotateOnRefresh, &first.refresh).await;
    let third = driver.refreshed(RotateOnRefresh, &second.refresh).await;
    for (token, good) in [(&first.access, false), (&second.access, true), (&third.access, true)] {
        let verified = driver.verify(RotateOnRefresh, token, true).await;
        match verified {
            Verified::Ok { access_token: None, .. } => assert!(good),
            Verified::Unauthorised("rotated-out token branch; refresh required") => assert!(!good),
            _ => panic!("something else"),
        }
        assert!(matches!(driver.verify(RotateOnRefresh, token, false).await, Verified::Ok { .. }));
    }
}
