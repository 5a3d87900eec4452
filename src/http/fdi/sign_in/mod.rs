//! What the routes for signing up and in have in common (protocol: 21, 1).

mod attempt;
mod refused;

pub use attempt::SignInAttempt;
pub use refused::{Reason, ReasonCodes, Refused, refused};

use super::call::FrontCall;
use super::error::FrontError;
use super::input::Body;
use super::session::{self, LoadedSession};
use crate::command::claims::ClaimsOwner;
use crate::command::signing_in::{adopt_verification, first_factors};
use crate::command::user::Person;
use crate::context::Context;
use serde_json::Value;

const NO_LINKING: &str =
    "Please initialise the account linking recipe and define shouldDoAutomaticAccountLinking to enable MFA";
const NOT_FIRST: &str = "First factor sign in/up called for a non-first factor with an active session. This might \
                         indicate that you are trying to use this as a secondary factor, but disabled account linking.";

/// `shouldTryLinkingWithSessionUser`: whether the sign-in is meant to add a factor to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkingFlag {
    Yes,
    No,
    /// The client is too old to say, or says something else.
    Unsaid,
}

impl LinkingFlag {
    fn of(call: &FrontCall, body: &Body) -> Self {
        if !call.version.has_linking_flag {
            return Self::Unsaid;
        }
        match body.get("shouldTryLinkingWithSessionUser") {
            Some(Value::Bool(true)) => Self::Yes,
            None | Some(Value::Null | Value::Bool(false)) => Self::No,
            Some(_) => Self::Unsaid,
        }
    }
}

/// A sign-in under way.
pub struct SigningIn {
    session: Option<LoadedSession>,
    flag: LinkingFlag,
}

impl SigningIn {
    /// Loads the session that the sign-in may belong to; its tenant replaces the one in the path.
    ///
    /// # Errors
    /// When the client needs a session and has none, or its token is not valid any more.
    pub async fn begin(context: &Context, call: &mut FrontCall, body: &Body) -> Result<Self, FrontError> {
        let flag = LinkingFlag::of(call, body);
        let session = match flag {
            LinkingFlag::No => None,
            LinkingFlag::Yes => Some(session::required(context, call).await?),
            LinkingFlag::Unsaid => session::optional(context, call).await?,
        };
        if let Some(session) = &session {
            call.tenant = session.view.handle.tenant.clone();
        }
        Ok(Self { session, flag })
    }

    /// True if it belongs to a session.
    #[must_use]
    pub const fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// The access token's session.
    #[must_use]
    pub const fn session(&self) -> Option<&LoadedSession> {
        self.session.as_ref()
    }

    /// Checks whether the attempt may go on, before passwords and codes are checked (protocol: 21, 1, steps 5 to 8).
    /// Returns the factors that are allowed; at least one.
    ///
    /// # Errors
    /// Why not.
    pub async fn check(
        &self,
        context: &Context,
        call: &mut FrontCall,
        attempt: &SignInAttempt<'_>,
    ) -> Result<Vec<&'static str>, Refused> {
        // Loading users is part of the rules for linking.
        let _ = context;
        std::future::ready(()).await;
        if self.has_session() && self.flag == LinkingFlag::Yes {
            return Err(FrontError::Misconfigured(NO_LINKING).into());
        }
        Ok(self.first_factors(call, attempt.factors)?)
    }

    /// Those of the factors that may begin a sign-in here; at least one.
    fn first_factors(&self, call: &FrontCall, factors: &[&'static str]) -> Result<Vec<&'static str>, FrontError> {
        let tenant = call.existing_tenant()?;
        let first = first_factors(&tenant, &call.front);
        let allowed: Vec<&'static str> =
            factors.iter().copied().filter(|factor| first.iter().any(|first| first == factor)).collect();
        match allowed.is_empty() {
            false => Ok(allowed),
            true if self.has_session() => Err(FrontError::bad_request(NOT_FIRST)),
            true => Err(FrontError::UNAUTHORISED),
        }
    }

    /// Starts a session of the person, who has just signed up or in with this factor, unless the one that the sign-in
    /// belongs to is the person's already; returns the person as it is then (protocol: 21, 1, steps 10 and 11).
    ///
    /// # Errors
    /// When browsers would not keep the session's cookies, or the store or a key fails.
    pub async fn finish(
        self,
        context: &Context,
        call: &mut FrontCall,
        person: Person,
        _factor: &'static str,
    ) -> Result<Person, Refused> {
        let person = adopt_verification(context, &call.scope(), person).await?;
        let user = &person.info.user;
        let owner = ClaimsOwner {
            tenant: call.tenant.clone(),
            user_id: user.shown_id().clone(),
            recipe_user_id: user.shown(&person.recipe_user_id).clone(),
        };
        let is_own = |session: &LoadedSession| {
            user.methods.iter().any(|method| *method.shown_id() == session.view.recipe_user_id)
        };
        if !self.session.as_ref().is_some_and(is_own) {
            session::start(context, call, &owner).await?;
        }
        Ok(person)
    }
}
