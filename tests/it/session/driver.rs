//! Runs session commands as the endpoints do, with short names.

use crate::app::{TestApp, TestAppBuilder};
use serde_json::{Value, json};
use sessiond::command::scope::{Cause, Scope};
use sessiond::command::session::create::{CreateSession, Created, SessionOptions};
use sessiond::command::session::list::{FindSession, ListSessions, SessionInfo};
use sessiond::command::session::refresh::{RefreshSession, Refreshed};
use sessiond::command::session::revoke::{RevokeSessions, Which};
use sessiond::command::session::timeline::{SessionTimeline, Timeline};
use sessiond::command::session::verify::{Verified, VerifySession};
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::json::JsonObject;
use sessiond::domain::session::client::Seen;
use sessiond::domain::session::{AccessTokenVersion, IssuedSession, RefreshPolicy};

/// An app and a caller.
pub(crate) struct Driver {
    pub(crate) app: TestApp,
}

/// Tokens as a client holds them.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) handle: String,
    pub(crate) refresh: String,
    pub(crate) access: String,
}

impl Held {
    pub(crate) fn of(issued: &IssuedSession) -> Self {
        Self {
            handle: issued.session.handle.to_string(),
            refresh: issued.refresh_token.token.expose().clone(),
            access: issued.access_token.token.expose().clone(),
        }
    }
}

impl Driver {
    pub(crate) async fn new() -> Self {
        Self::with(TestApp::builder()).await
    }

    pub(crate) async fn with(builder: TestAppBuilder) -> Self {
        Self { app: builder.build().await }
    }

    pub(crate) fn scope(&self, call: &'static str) -> Scope {
        let app = self.app.context.directory.app(&AppId::base()).expect("the base app always exists");
        Scope { app, cause: Cause { call, request_id: "req-1".to_owned(), caller: None, client: None } }
    }

    pub(crate) fn advance(&self, ms: u64) {
        self.app.clock.advance(ms);
    }

    /// A new tenant.
    pub(crate) async fn tenant(&self, id: &str) -> TenantId {
        self.app.put("/recipe/multitenancy/tenant/v2", json!({ "tenantId": id })).await.ok();
        TenantId::new(id)
    }

    pub(crate) async fn create(&self, user: &str) -> Held {
        self.create_in(user, TenantId::public()).await
    }

    pub(crate) async fn create_in(&self, user: &str, tenant: TenantId) -> Held {
        let created = self.creating(user, tenant).run(&self.app.context).await.unwrap();
        let Created::Ok(issued) = created else { panic!("not created") };
        Held::of(&issued)
    }

    pub(crate) fn creating(&self, user: &str, tenant: TenantId) -> CreateSession {
        plain_session(self.scope("POST /recipe/session"), tenant, user)
    }

    pub(crate) fn refreshing<'a>(&self, policy: RefreshPolicy, token: &'a str) -> RefreshSession<'a> {
        RefreshSession {
            added_claims: None,
            scope: self.scope("POST /recipe/session/refresh"),
            refresh_token: token,
            anti_csrf_token: None,
            enable_anti_csrf: false,
            use_dynamic_signing_key: None,
            access_token_validity_ms: None,
            token_version: AccessTokenVersion::V5,
            max_access_token_bytes: None,
            policy,
            seen: Seen::Nothing,
        }
    }

    pub(crate) async fn refresh(&self, policy: RefreshPolicy, token: &str) -> Refreshed {
        self.refreshing(policy, token).run(&self.app.context).await.unwrap()
    }

    /// A refresh that must be granted.
    pub(crate) async fn refreshed(&self, policy: RefreshPolicy, token: &str) -> Held {
        match self.refresh(policy, token).await {
            Refreshed::Ok(issued) => Held::of(&issued),
            other => panic!("refused: {}", told(&other)),
        }
    }

    pub(crate) fn verifying<'a>(&self, policy: RefreshPolicy, token: &'a str, check: bool) -> VerifySession<'a> {
        VerifySession {
            scope: self.scope("POST /recipe/session/verify"),
            access_token: token,
            anti_csrf_token: None,
            do_anti_csrf_check: false,
            enable_anti_csrf: false,
            check_database: check,
            policy,
        }
    }

    pub(crate) async fn verify(&self, policy: RefreshPolicy, token: &str, check: bool) -> Verified {
        self.verifying(policy, token, check).run(&self.app.context).await.unwrap()
    }

    pub(crate) async fn revoke(&self, handles: &[&str]) -> Vec<String> {
        let which = Which::Handles(handles.iter().map(ToString::to_string).collect());
        let command = RevokeSessions { scope: self.scope("POST /recipe/session/remove"), which };
        command.run(&self.app.context).await.unwrap()
    }

    pub(crate) async fn revoke_user(&self, user: &str, tenant: Option<TenantId>) -> Vec<String> {
        let which = Which::User { user_id: UserId::new(user), linked: true, tenant };
        let command = RevokeSessions { scope: self.scope("POST /recipe/session/remove"), which };
        let mut gone = command.run(&self.app.context).await.unwrap();
        gone.sort();
        gone
    }

    pub(crate) async fn list(&self, user: &str, tenant: Option<TenantId>) -> Vec<String> {
        let user_id = UserId::new(user);
        let command = ListSessions { scope: self.scope("GET /recipe/session/user"), user_id, linked: true, tenant };
        let mut handles = command.run(&self.app.context).await.unwrap();
        handles.sort();
        handles
    }

    pub(crate) async fn find(&self, handle: &str) -> Option<SessionInfo> {
        FindSession { scope: self.scope("GET /recipe/session"), handle }.run(&self.app.context).await.unwrap()
    }

    pub(crate) async fn timeline(&self, handle: &str) -> Option<Timeline> {
        SessionTimeline { scope: self.scope("GET /recipe/session/timeline"), handle }
            .run(&self.app.context)
            .await
            .unwrap()
    }

    /// The names of a timeline's events.
    pub(crate) async fn events(&self, handle: &str) -> Vec<String> {
        let timeline = self.timeline(handle).await.expect("a timeline");
        timeline.events.iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
    }
}

/// An outcome in words, for failure messages: the type has no `Debug`, because it holds tokens.
pub(crate) fn told(outcome: &Refreshed) -> String {
    match outcome {
        Refreshed::Ok(_) => "ok".to_owned(),
        Refreshed::Unauthorised { message, subtype } => format!("unauthorised: {message} {subtype:?}"),
        Refreshed::TokenTheft { subtype, .. } => format!("theft {subtype:?}"),
        Refreshed::InvalidAccessTokenValidity { max_ms } => format!("invalid validity, at most {max_ms}"),
        Refreshed::TooLarge(flaw) => format!("too large: {flaw}"),
    }
}

/// A JSON object as commands take it.
pub(crate) fn object(value: &Value) -> JsonObject {
    JsonObject::from_map(value.as_object().expect("an object"))
}

/// A session without payloads, anti-CSRF token and client, as SDKs create it.
pub(crate) fn plain_session(scope: Scope, tenant: TenantId, user: &str) -> CreateSession {
    CreateSession {
        scope,
        tenant,
        user_id: UserId::new(user),
        user_data_in_jwt: JsonObject::empty(),
        user_data_in_database: JsonObject::empty(),
        options: SessionOptions {
            enable_anti_csrf: false,
            use_dynamic_signing_key: true,
            access_token_validity_ms: None,
            token_version: AccessTokenVersion::V5,
            max_access_token_bytes: None,
            client: None,
        },
    }
}
