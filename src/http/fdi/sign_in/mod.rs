//! What the routes for signing up and in have in common (protocol: 21, 1).
//!
//! A route calls [`SigningIn::begin`] once the body is checked, [`SigningIn::check`] before it looks at a password or
//! code, gives the command that does the session of [`SigningIn::session_start`], and calls [`SigningIn::finish`] with
//! the person who has shown the right one.

mod attempt;
mod flag;
mod kind;
mod refused;

pub use attempt::SignInAttempt;
pub use refused::{FOREIGN_DOMAIN, Reason, ReasonCodes, Refused, refused};

use super::call::FrontCall;
use super::error::FrontError;
use super::hooks;
use super::input::Body;
use super::multifactorauth::{check_set_up, claim_of_new_session, complete};
use super::session::{self, LoadedSession};
use crate::command::claims::ClaimsOwner;
use crate::command::hook::ask::is_asked;
use crate::command::signing_in::{LinkRefused, Linker, SessionStart, SignedPerson, adopt_verification, first_factors};
use crate::command::user::delete::{DeleteUser, Extent};
use crate::command::user::{Person, UserInfo};
use crate::config::front::{FrontConfig, FrontRecipe};
use crate::context::Context;
use crate::domain::hook::{HookPoint, Question};
use crate::domain::ids::TenantId;
use crate::domain::json::JsonObject;
use crate::domain::multifactorauth::contacts::made_up_email;
use crate::domain::user::front_linking::{Candidate, Known};
use crate::domain::user::sign_up::SignUpRefusal;
use crate::domain::user::{AccountInfo, Login, LoginMethod, RecipeId, normalise_email};
use crate::fault::Fault;
use flag::LinkingFlag;
use kind::{Kind, kind};
use std::sync::Arc;

const NOT_FIRST: &str = "First factor sign in/up called for a non-first factor with an active session. This might \
                         indicate that you are trying to use this as a secondary factor, but disabled account linking.";
/// Attempts to link to the session's user, each of which has lost a race.
const MAX_ATTEMPTS: usize = 10;

/// A sign-in under way.
pub struct SigningIn {
    session: Option<LoadedSession>,
    flag: LinkingFlag,
    /// Whether the attempt that was checked begins a session.
    is_first_factor: bool,
    /// Whether the attempt that was checked may add a login method to the session's user, but no new user.
    must_link: bool,
    /// Members for the metadata of whoever signs up, once a hook has allowed it; `None` at sign-in.
    sign_up: Option<Option<JsonObject>>,
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
        Ok(Self { session, flag, is_first_factor: true, must_link: false, sign_up: None })
    }

    /// True if it belongs to a session.
    #[must_use]
    pub const fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// True if the attempt that [`check`](Self::check) has allowed begins a session, false if it adds a factor to one.
    #[must_use]
    pub const fn is_first_factor(&self) -> bool {
        self.is_first_factor
    }

    /// The session that it belongs to.
    #[must_use]
    pub const fn session(&self) -> Option<&LoadedSession> {
        self.session.as_ref()
    }

    /// A login method of the session's user that would do, but belongs to other tenants only. Once its password or code
    /// has been checked in that tenant, it may be used in this one (protocol: 21, 1, step 4).
    ///
    /// # Errors
    /// 401 for a session whose user is gone.
    pub async fn login_elsewhere(
        &self,
        context: &Context,
        call: &FrontCall,
        (recipe, info): (RecipeId, &AccountInfo),
    ) -> Result<Option<(LoginMethod, TenantId)>, FrontError> {
        let Some(session) = &self.session else { return Ok(None) };
        let user = kind::session_user(context, call, session).await?.user;
        let fits =
            |method: &&LoginMethod| method.login.recipe() == recipe && method.login.account_infos().contains(info);
        let found = user.methods.iter().find(fits).filter(|_| user.is_primary);
        Ok(found.and_then(|method| Some((method.clone(), method.tenants.first()?.clone()))))
    }

    /// Whether this address, normalised, was made up for the session's user. Nobody can show that such an address is
    /// theirs, so it must not be given away.
    ///
    /// # Errors
    /// 401 for a session whose user is gone.
    pub async fn has_made_up(&self, context: &Context, call: &FrontCall, email: &str) -> Result<bool, FrontError> {
        let Some(session) = &self.session else { return Ok(false) };
        if normalise_email(&made_up_email(&session.view.recipe_user_id)) == email {
            return Ok(true);
        }
        let user = kind::session_user(context, call, session).await?.user;
        Ok(user.methods.iter().any(|method| method.login.email() == Some(email)))
    }

    /// Checks whether the attempt may go on, before passwords and codes are checked (protocol: 21, 1, steps 5 to 8).
    /// Returns the factors that are allowed; at least one.
    ///
    /// # Errors
    /// Why not.
    pub async fn check(
        &mut self,
        context: &Context,
        call: &mut FrontCall,
        attempt: &SignInAttempt<'_>,
    ) -> Result<Vec<&'static str>, Refused> {
        let user = attempt.user.map(|person| &person.info);
        let kind = kind(context, call, (self.session.as_mut(), self.flag), user, attempt.only_asks).await?;
        self.is_first_factor = matches!(kind, Kind::First);
        let factors = match (&kind, &mut self.session) {
            (Kind::Second { user, is_linked: false }, Some(session))
                if call.front.has(FrontRecipe::MultiFactorAuth) =>
            {
                check_set_up(context, call, session, &user.user, attempt.factors).await?
            }
            (Kind::Second { .. }, _) => attempt.factors.to_vec(),
            (Kind::First, _) => self.first_factors(call, attempt.factors)?,
        };
        if attempt.is_sign_up() && !attempt.only_asks {
            let refusal = sign_up_refusal(call, attempt.infos)?;
            if let Some(refusal) = refusal.filter(|_| self.is_first_factor) {
                return Err(Refused::Reason(Reason::SignUpRefused(refusal)));
            }
            self.must_link = refusal.is_some();
        }
        let shown = self.session.as_ref().map(|session| session.view.user_id.clone());
        let is_verified = match attempt.user {
            Some(person) => attempt.verifies || used(person).is_some_and(|(_, verified)| verified),
            None => attempt.is_verified || attempt.verifies || kind.has_verified(attempt.infos),
        };
        let user = attempt.user.map(|person| &person.info.user);
        let candidate = Candidate { infos: attempt.infos, user, is_verified, session_user: shown.as_ref() };
        match linker(call).allows(context, &candidate).await? {
            true => Ok(factors),
            false if attempt.is_sign_up() => Err(Refused::Reason(Reason::SignUpNotAllowed)),
            false => Err(Refused::Reason(Reason::SignInNotAllowed)),
        }
    }

    /// Asks the hook whether somebody may sign up, once [`check`](Self::check) has allowed it and before anything is
    /// written. `form_fields` is what was answered in the sign-up form.
    ///
    /// # Errors
    /// When the hook refuses, or the store fails.
    pub async fn ask_sign_up(
        &mut self,
        context: &Context,
        call: &FrontCall,
        attempt: &SignInAttempt<'_>,
        form_fields: Option<&JsonObject>,
    ) -> Result<(), FrontError> {
        let question = Question {
            recipe: Some(attempt.recipe),
            infos: attempt.infos,
            form_fields,
            begins_session: self.is_first_factor,
            ..hooks::question(call, HookPoint::SignUp)
        };
        self.sign_up = Some(hooks::ask(context, call, question, None).await??.metadata);
        Ok(())
    }

    /// Asks the hook whether a person who has shown the right password or code may be signed in, unless they have just
    /// been allowed to sign up; returns the members for their metadata.
    async fn ask(
        &mut self,
        context: &Context,
        call: &FrontCall,
        person: &Person,
    ) -> Result<Option<JsonObject>, FrontError> {
        if let Some(metadata) = self.sign_up.take() {
            return Ok(metadata);
        }
        let user = &person.info.user;
        let login = user.method(&person.recipe_user_id).map(|method| &method.login);
        let question = Question {
            recipe: login.map(Login::recipe),
            infos: &login.map(Login::account_infos).unwrap_or_default(),
            user: Some((user.shown_id(), user.shown(&person.recipe_user_id))),
            begins_session: self.is_first_factor,
            ..hooks::question(call, HookPoint::SignIn)
        };
        Ok(hooks::ask(context, call, question, None).await??.metadata)
    }

    /// The session that begins in the transaction of the sign-in, once [`check`](Self::check) has allowed it with this
    /// factor. `None` if that is left to [`finish`](Self::finish): the browser has a session already, or a hook is asked
    /// first.
    #[must_use]
    pub fn session_start(&self, call: &FrontCall, factor: &'static str) -> Option<SessionStart> {
        let is_asked_first = self.sign_up.is_none() && is_asked(&call.scope(), HookPoint::SignIn);
        if self.has_session() || is_asked_first {
            return None;
        }
        session::start_with(call, factor, self.sign_up.clone().flatten())
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

    /// Links the person, who has just signed up (`is_new`) or in with this factor, as the rule says; starts a session of
    /// theirs, unless the one that the sign-in belongs to is theirs, and notes there that the factor is complete. Where
    /// the session has begun with the sign-in, all this is done. Returns the person as it is then (protocol: 21, 1, steps
    /// 10 and 11).
    ///
    /// # Errors
    /// When a hook refuses; why it cannot be linked to the session's user; when browsers would not keep the session's cookies.
    pub async fn finish(
        mut self,
        context: &Context,
        call: &mut FrontCall,
        (signed, is_new): (SignedPerson, bool),
        factor: &'static str,
    ) -> Result<Person, Refused> {
        let SignedPerson { person, session } = signed;
        if let Some(issued) = session {
            let has_factors = call.front.has(FrontRecipe::MultiFactorAuth);
            session::hand_out_new(context, call, &issued, has_factors);
            return Ok(person);
        }
        let metadata = self.ask(context, call, &person).await?;
        let id = person.recipe_user_id.clone();
        let linked = self.link(context, call, person, factor).await;
        if linked.is_err() && is_new && self.must_link {
            // Left behind, it would be an account of somebody who may not sign up.
            DeleteUser { scope: call.scope(), id, extent: Extent::Method }.run(context).await?;
        }
        let person = linked?;
        let person = adopt_verification(context, &call.scope(), person).await?;
        let user = &person.info.user;
        hooks::add_metadata(context, call, user.shown_id(), metadata).await?;
        let is_own = |session: &LoadedSession| {
            user.methods.iter().any(|method| *method.shown_id() == session.view.recipe_user_id)
        };
        if let Some(session) = self.session.as_mut().filter(|session| is_own(session)) {
            complete(context, call, session, factor).await?;
            return Ok(person);
        }
        let owner = ClaimsOwner::of(&person, &call.tenant);
        let factors = claim_of_new_session(context, call, &owner, factor).await?;
        session::start(context, call, &owner, factors.as_ref()).await?;
        Ok(person)
    }

    async fn link(
        &mut self,
        context: &Context,
        call: &mut FrontCall,
        mut person: Person,
        factor: &'static str,
    ) -> Result<Person, Refused> {
        for _ in 0..MAX_ATTEMPTS {
            let with = (self.session.as_mut(), self.flag);
            let session_user = match kind(context, call, with, Some(&person.info), false).await? {
                Kind::First => return Ok(linker(call).link_by_account_info(context, person).await?),
                Kind::Second { is_linked: true, .. } => return Ok(person),
                Kind::Second { user, .. } => user,
            };
            if let Some(session) = self.session.as_mut().filter(|_| call.front.has(FrontRecipe::MultiFactorAuth)) {
                // Checked before, unless the login method was the session's user's then and is not any more.
                check_set_up(context, call, session, &session_user.user, &[factor]).await?;
            }
            let reason = match linker(call).link_to_session(context, person.clone(), &session_user).await? {
                Ok(linked) => return Ok(linked),
                Err(LinkRefused::NotPrimary) => {
                    person = kind::reloaded(context, call, person).await?;
                    continue;
                }
                Err(LinkRefused::Unverified) => Reason::EmailVerificationRequired,
                Err(LinkRefused::Elsewhere) => Reason::AlreadyLinked,
                Err(LinkRefused::AccountInfoTaken) => Reason::AccountInfoTaken,
            };
            return Err(Refused::Reason(reason));
        }
        Err(Fault::invariant("linking to a session's user who changes all the time").into())
    }
}

impl Kind {
    /// True if the session's user has verified one of these account infos.
    fn has_verified(&self, infos: &[AccountInfo]) -> bool {
        match self {
            Self::First => false,
            Self::Second { user, .. } => Known { user: &user.user, verified: &user.verified }.has_verified(infos),
        }
    }
}

/// Why nobody may sign up with these account infos in the tenant of the call, if so.
fn sign_up_refusal(call: &FrontCall, infos: &[AccountInfo]) -> Result<Option<SignUpRefusal>, FrontError> {
    let email = infos.iter().find_map(|info| match info {
        AccountInfo::Email(email) => Some(email.as_str()),
        AccountInfo::PhoneNumber(_) | AccountInfo::ThirdParty(_) => None,
    });
    let tenant = call.existing_tenant()?;
    // Stored settings that are no longer valid open nothing.
    let refusal = |front: &Arc<FrontConfig>| front.accounts.sign_up.refusal(email);
    Ok(tenant.config.front.as_ref().map_or(Some(SignUpRefusal::Closed), refusal))
}

/// Links by the rule of the settings, in the tenant of the call.
pub fn linker(call: &FrontCall) -> Linker {
    Linker { scope: call.scope(), tenant: call.tenant.clone(), rule: call.front.account_linking }
}

/// The login method that a person uses, and whether it is verified.
fn used(person: &Person) -> Option<(&LoginMethod, bool)> {
    let UserInfo { user, verified } = &person.info;
    let mut methods = user.methods.iter().zip(verified.iter().copied());
    methods.find(|(method, _)| method.id == person.recipe_user_id)
}
