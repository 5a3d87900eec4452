//! Linking at sign-up, sign-in and verification (protocol: 21, 3).

use super::users::{all_known, known, look_up, sharing};
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::command::user::linking::{AccountsLinked, LinkAccounts, MakePrimary, MakePrimaryUserOutcome};
use crate::command::user::{FindUser, Person, UserInfo};
use crate::context::Context;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::AccountInfo;
use crate::domain::user::front_linking::{
    Candidate, EmailChange, LinkingRule, NextStep, by_account_info, email_change, may_link_to_session,
};
use crate::fault::Fault;
use crate::store::Tx;

/// Attempts to link before a login method is left as it is. Each one that fails has lost a race, or has met a user that
/// cannot become primary because of another tenant.
const MAX_ATTEMPTS: usize = 10;

/// Links login methods by a rule.
#[derive(Clone)]
pub struct Linker {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant in which somebody signs in.
    pub tenant: TenantId,
    /// The rule.
    pub rule: LinkingRule,
}

/// Why a login method was not linked to the user of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkRefused {
    /// Neither of the two has verified the address.
    Unverified,
    /// It belongs to another primary user.
    Elsewhere,
    /// Another primary user has its address or phone number.
    AccountInfoTaken,
    /// The session's user is not primary any more, or gone.
    NotPrimary,
}

/// The outcome of making the user of a session primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionUser {
    /// It is primary.
    Primary(Box<UserInfo>),
    /// The rule wants verification, and its address is not verified.
    Unverified,
    /// Another primary user has its address or phone number.
    AccountInfoTaken,
    /// There is no such user any more.
    Gone,
}

impl Linker {
    /// Whether a sign-up or sign-in is allowed; see [`Candidate::is_allowed`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn allows(&self, context: &Context, candidate: &Candidate<'_>) -> Result<bool, Fault> {
        if self.rule != LinkingRule::Verified {
            return Ok(true);
        }
        let users = sharing(context, &self.scope, &self.tenant, candidate.infos.iter().cloned()).await?;
        Ok(candidate.is_allowed(self.rule, &all_known(&users)))
    }

    /// Links a person's login method to others with the same account infos, or makes it primary, as the rule says.
    /// Returns the person as it is then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_by_account_info(&self, context: &Context, mut person: Person) -> Result<Person, Fault> {
        for _ in 0..MAX_ATTEMPTS {
            if self.is_settled(&person) {
                return Ok(person);
            }
            let own = &person.recipe_user_id;
            let step = transact(context, own, "looking up users", |mut tx| {
                let person = &person;
                async move {
                    let step = self.next_step(tx.as_mut(), person).await?;
                    Ok(Step::Commit(tx, step))
                }
            });
            let is_over = match step.await? {
                NextStep::Stay => return Ok(person),
                NextStep::LinkTo(primary) => matches!(self.link(context, own, &primary).await?, Ok(())),
                NextStep::MakePrimary(other) => {
                    self.make_primary(context, &other).await?;
                    false
                }
                NextStep::BecomePrimary => self.make_primary(context, own).await?,
            };
            let Some(current) = self.current(context, own).await? else { return Ok(person) };
            person = current;
            if is_over {
                return Ok(person);
            }
        }
        Ok(person)
    }

    /// The same in the transaction in which the person signs up or in, as far as it takes nobody else. Returns the
    /// person as it is then, and whether that is all: false, with nothing done, if the person is to be linked to another
    /// user, or another user is to become primary.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn settle(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
        person: Person,
    ) -> Result<(Person, bool), Fault> {
        match self.next_step(tx, &person).await? {
            NextStep::Stay => Ok((person, true)),
            NextStep::LinkTo(_) | NextStep::MakePrimary(_) => Ok((person, false)),
            NextStep::BecomePrimary => {
                let command = MakePrimary { scope: self.scope.clone(), id: person.recipe_user_id.clone() };
                Ok(match command.add(context, tx).await? {
                    MakePrimaryUserOutcome::Ok { user, .. } => (Person { info: user, ..person }, true),
                    MakePrimaryUserOutcome::UnknownUser
                    | MakePrimaryUserOutcome::AccountInfoTaken(_)
                    | MakePrimaryUserOutcome::Linked { .. } => (person, false),
                })
            }
        }
    }

    /// True if linking by account infos changes nothing, whoever else has them.
    const fn is_settled(&self, person: &Person) -> bool {
        matches!(self.rule, LinkingRule::Off) || person.info.user.is_primary
    }

    /// What is to be done to link a person's login method to others with the same account infos.
    async fn next_step(&self, tx: &mut dyn Tx, person: &Person) -> Result<NextStep, Fault> {
        if self.is_settled(person) {
            return Ok(NextStep::Stay);
        }
        let users = look_up(&self.scope, &self.tenant, person.info.user.account_infos()).read(tx).await?;
        Ok(by_account_info(self.rule, known(&person.info), &all_known(&users)))
    }

    /// Makes the user of a session primary, if the rule allows it; with `only_asks`, says whether it would be.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session_user(&self, context: &Context, id: &UserId, only_asks: bool) -> Result<SessionUser, Fault> {
        let found = FindUser { scope: self.scope.clone(), id: id.clone() }.run(context).await?;
        let Some(info) = found else { return Ok(SessionUser::Gone) };
        if info.user.is_primary || only_asks {
            return Ok(SessionUser::Primary(Box::new(info)));
        }
        if self.rule == LinkingRule::Verified && !known(&info).is_verified() {
            return Ok(SessionUser::Unverified);
        }
        let command = MakePrimary { scope: self.scope.clone(), id: info.user.id };
        Ok(match command.run(context).await? {
            MakePrimaryUserOutcome::Ok { user, .. } => SessionUser::Primary(Box::new(user)),
            MakePrimaryUserOutcome::AccountInfoTaken(_) => SessionUser::AccountInfoTaken,
            MakePrimaryUserOutcome::UnknownUser | MakePrimaryUserOutcome::Linked { .. } => SessionUser::Gone,
        })
    }

    /// Links a person's login method to the user of the session in which it is used. Returns the person as it is then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_to_session(
        &self,
        context: &Context,
        person: Person,
        session_user: &UserInfo,
    ) -> Result<Result<Person, LinkRefused>, Fault> {
        let mut methods = person.info.user.methods.iter().zip(&person.info.verified);
        let used = methods.find(|(method, _)| method.id == person.recipe_user_id);
        let (infos, is_verified) = used.map_or((Vec::new(), false), |(used, verified)| {
            let infos: Vec<AccountInfo> = used.login.account_infos();
            (infos, *verified)
        });
        if !may_link_to_session(self.rule, &infos, is_verified, known(session_user)) {
            return Ok(Err(LinkRefused::Unverified));
        }
        match self.link(context, &person.recipe_user_id, &session_user.user.id).await? {
            Ok(()) => Ok(Ok(self.current(context, &person.recipe_user_id).await?.unwrap_or(person))),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Whether a login method of this user may get another address: see [`email_change`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn check_email_change(
        &self,
        context: &Context,
        own: &UserInfo,
        (email, is_verified): (&str, bool),
    ) -> Result<EmailChange, Fault> {
        for tenant in own.user.tenants() {
            let users = sharing(context, &self.scope, tenant, [AccountInfo::Email(email.to_owned())]).await?;
            let change = email_change(self.rule, known(own), (email, is_verified), &all_known(&users));
            if change != EmailChange::Allowed {
                return Ok(change);
            }
        }
        Ok(EmailChange::Allowed)
    }

    async fn link(
        &self,
        context: &Context,
        recipe_user: &UserId,
        primary: &UserId,
    ) -> Result<Result<(), LinkRefused>, Fault> {
        let (recipe_user_id, primary_user_id) = (recipe_user.clone(), primary.clone());
        let command = LinkAccounts { scope: self.scope.clone(), recipe_user_id, primary_user_id };
        Ok(match command.run(context).await? {
            AccountsLinked::Ok { .. } => Ok(()),
            AccountsLinked::Elsewhere { .. } => Err(LinkRefused::Elsewhere),
            AccountsLinked::AccountInfoTaken(_) => Err(LinkRefused::AccountInfoTaken),
            AccountsLinked::NotPrimary | AccountsLinked::UnknownUser => Err(LinkRefused::NotPrimary),
        })
    }

    /// True if the user is primary now.
    async fn make_primary(&self, context: &Context, id: &UserId) -> Result<bool, Fault> {
        let outcome = MakePrimary { scope: self.scope.clone(), id: id.clone() }.run(context).await?;
        Ok(matches!(outcome, MakePrimaryUserOutcome::Ok { .. }))
    }

    /// The person who has this login method now.
    async fn current(&self, context: &Context, id: &UserId) -> Result<Option<Person>, Fault> {
        let found = FindUser { scope: self.scope.clone(), id: id.clone() }.run(context).await?;
        Ok(found.map(|info| Person { info, recipe_user_id: id.clone() }))
    }
}
