//! Asks inline hooks, always before a transaction and never inside one.

use super::raise::circumstances;
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::crypto::access_token::has_protected_claim;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::entropy::time_ordered_uuid;
use crate::domain::hook::{Answer, HookPoint, InlineHook, Question};
use crate::domain::json::{JsonObject, Members};
use crate::domain::session::AccessTokenVersion;
use crate::domain::usermetadata::merged;
use crate::fault::Fault;
use crate::metrics::QuestionOutcome;

/// The largest payload of an access token that hooks may add to, in bytes of JSON: the token then fits into a cookie,
/// of which browsers keep 4,096 bytes, whatever key signs it.
const MAX_PAYLOAD: usize = 2_048;

/// Names that mean something to whoever verifies tokens, besides those that the server sets itself.
const RESERVED: [&str; 4] = ["iss", "aud", "nbf", "jti"];
/// What the names of the SDKs' own claims begin with.
const RESERVED_PREFIX: &str = "st-";

/// Whether a hook of the app is asked about this.
#[must_use]
pub fn is_asked(scope: &Scope, point: HookPoint) -> bool {
    scope.app.config.hooks.inline.iter().any(|hook| hook.points.contains(&point))
}

/// Asks the hook of an app about something that is about to happen.
pub struct AskHook<'a> {
    /// The app, and what led to the command.
    pub scope: &'a Scope,
    /// The question.
    pub question: Question<'a>,
    /// The payload of the access token that is about to be made, if one is.
    pub payload: Option<&'a JsonObject>,
}

/// What a hook has added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Additions {
    /// Claims for the session's access tokens.
    pub claims: Option<JsonObject>,
    /// Members for the user's metadata.
    pub metadata: Option<JsonObject>,
}

/// Why something must not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookRefusal {
    /// The hook says so; its sentence for the person, or a general one.
    Refused(String),
    /// The hook did not answer, and what it does not answer about must not happen.
    Unanswered,
}

impl AskHook<'_> {
    /// Asks, and returns what the hook has added; nothing if no hook is asked about this.
    ///
    /// # Errors
    /// When the store fails: a refusal is recorded in the audit log.
    pub async fn run(self, context: &Context) -> Result<Result<Additions, HookRefusal>, Fault> {
        let point = self.question.point;
        let Some(hook) = self.scope.app.config.hooks.inline.iter().find(|hook| hook.points.contains(&point)) else {
            return Ok(Ok(Additions::default()));
        };
        let (outcome, answer) = match self.ask(context, hook).await {
            Ok(Answer::Allow { claims, metadata }) => (QuestionOutcome::Allowed, Ok(Additions { claims, metadata })),
            Ok(Answer::Refuse { message }) => {
                let message = message.unwrap_or_else(|| general_sentence(point).to_owned());
                (QuestionOutcome::Refused, Err(HookRefusal::Refused(message)))
            }
            Err(what) => {
                let (app, hook_host, point) = (&self.scope.app.id.app_id, hook.webhook.host(), point.name());
                let then = if hook.fails_open { "allowed" } else { "refused" };
                tracing::warn!(
                    app,
                    hook = hook_host,
                    point,
                    "a hook did not answer, what it was asked is {then}: {what}"
                );
                let answer = if hook.fails_open { Ok(Additions::default()) } else { Err(HookRefusal::Unanswered) };
                (QuestionOutcome::Unanswered, answer)
            }
        };
        context.metrics.questions.count(outcome);
        if let Err(refusal) = &answer {
            self.note(context, refusal).await?;
        }
        Ok(answer)
    }

    /// The hook's answer.
    ///
    /// # Errors
    /// Why there is none that can be used.
    async fn ask(&self, context: &Context, hook: &InlineHook) -> Result<Answer, String> {
        let now = context.now();
        let id = time_ordered_uuid(context.entropy.as_ref(), now);
        let body = self.question.body(&circumstances(self.scope, now));
        let reach = &self.scope.app.config.hooks.reach;
        let reply = context.hooks.ask((&self.scope.app.id, hook), reach, (&id, body), now).await?;
        let answer = Answer::parse(&reply, self.question.point).map_err(|flaw| flaw.to_string())?;
        if let Answer::Allow { claims: Some(claims), .. } = &answer {
            self.check(claims)?;
        }
        Ok(answer)
    }

    /// Checks that claims override nothing, and leave a token that browsers can keep.
    fn check(&self, claims: &JsonObject) -> Result<(), String> {
        let members = Members::parse(claims.as_str()).map_err(|flaw| flaw.to_string())?;
        let is_reserved = |name: &str| RESERVED.contains(&name) || name.starts_with(RESERVED_PREFIX);
        if let Some((name, _)) = members.iter().find(|(name, _)| is_reserved(name)) {
            return Err(format!("its answer.claims.{name} is a reserved name"));
        }
        if has_protected_claim(AccessTokenVersion::V5, claims) {
            return Err("its answer.claims has a reserved name, such as sub or exp".to_owned());
        }
        let size = merged(self.payload.unwrap_or(&JsonObject::empty()), claims).as_str().len();
        if size > MAX_PAYLOAD {
            return Err(format!("its answer.claims makes the token's payload {size} bytes; at most are {MAX_PAYLOAD}"));
        }
        Ok(())
    }

    /// Records a refusal.
    async fn note(&self, context: &Context, refusal: &HookRefusal) -> Result<(), Fault> {
        let Question { point, tenant, recipe, user, .. } = self.question;
        let why = match refusal {
            HookRefusal::Refused(_) => "refused by a hook before",
            HookRefusal::Unanswered => "no answer of a hook before",
        };
        let mut event =
            AuditEvent::of(AuditKind::SignInRefused).tenant(tenant).detail(format!("{why} {}", point.name()));
        if let Some(recipe) = recipe {
            event = event.recipe(recipe);
        }
        if let Some((user, recipe_user)) = user {
            event = event.user(user).recipe_user(recipe_user);
        }
        if let Some(login) = self.question.login() {
            event = event.login(login);
        }
        let event = &event;
        transact(context, &tenant, "committing a refusal of a hook", |mut tx| async move {
            audit::note(tx.as_mut(), context, self.scope, event.clone()).await?;
            Ok(Step::Commit(tx, ()))
        })
        .await
    }
}

/// What people are told if the hook has no sentence of its own.
const fn general_sentence(point: HookPoint) -> &'static str {
    match point {
        HookPoint::SignUp => "You cannot sign up here.",
        HookPoint::SignIn | HookPoint::Token => "You cannot sign in here.",
    }
}
