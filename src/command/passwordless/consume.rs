//! `POST /recipe/signinup/code/consume`.

use super::attempt::{Attempt, Refused, RightDevice};
use super::failed;
use crate::command::audit;
use crate::command::signing_in::{Entry, SessionStart, SignedPerson};
use crate::command::transact::{Step, transact};
use crate::command::user::{Person, confirm_email, new_id, require_tenant};
use crate::context::Context;
use crate::domain::audit::AuditKind;
use crate::domain::ids::UserId;
use crate::domain::passwordless::{Contact, LinkCodeHash};
use crate::domain::user::{LoginMethod, RecipeId, User};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::user::{self, Found};

/// Signs in the person who has the code's contact; signs a new person up if there is none.
pub struct ConsumeCode {
    /// The code.
    pub attempt: Attempt,
    /// Whether it proves that the e-mail address it was sent to is the person's (from CDI 4.0).
    pub confirms_email: bool,
    /// The session that begins with it, if one does.
    pub session: Option<SessionStart>,
}

/// The outcome of using a code.
pub enum Consumed {
    /// Signed in, durably. Every device of the person's contacts is used up.
    Ok {
        /// The person.
        signed: Box<SignedPerson>,
        /// Whether the person signed up with this call.
        created: bool,
        /// The device that the code belonged to.
        device: RightDevice,
    },
    /// The code is not accepted.
    Refused(Refused),
}

/// The person, whether it is new, and the device; or the reason for the refusal.
type Used = Result<Result<(Box<Entry>, bool, RightDevice), Refused>, Fault>;

impl ConsumeCode {
    /// Uses the code and returns the outcome. Of several concurrent runs with codes for one contact, one succeeds.
    ///
    /// # Errors
    /// When the store or the app's key fails.
    pub async fn run(self, context: &Context) -> Result<Consumed, Fault> {
        let code = self.attempt.link_code(context).await?;
        let used =
            transact(context, self.attempt.about(), "committing a used code", |tx| self.consume(context, tx, &code));
        Ok(match used.await?? {
            Ok((entry, created, device)) => {
                if created {
                    context.metrics.sign_ups.count(RecipeId::Passwordless);
                }
                Consumed::Ok { signed: Box::new(entry.committed(context)), created, device }
            }
            Err(refused) => Consumed::Refused(refused),
        })
    }

    async fn consume(&self, context: &Context, mut tx: Box<dyn Tx>, code: &LinkCodeHash) -> Result<Step<Used>, Fault> {
        let scope = &self.attempt.place.scope;
        let device = match self.attempt.decide(context, tx.as_mut(), code).await? {
            Ok(device) => device,
            Err(refused) => return Ok(Step::Commit(tx, Ok(Err(refused)))),
        };
        let found = self.attempt.place.owner(tx.as_mut(), &device.contact).await?;
        if !self.end_devices(tx.as_mut(), &device, found.as_ref()).await? {
            // The code stays valid until every other device is removed.
            return Ok(Step::Continue(tx));
        }
        let created = found.is_none();
        let Some(found) = (match found {
            Some(found) => Some(found),
            None => self.sign_up(context, tx.as_mut(), &device.contact).await?,
        }) else {
            // Taken since this transaction read it: the commit conflicts.
            let broken = Fault::invariant("signing up: a free contact is taken");
            return Ok(Step::Commit(tx, Err(broken)));
        };
        let kind = if created { AuditKind::SignedUp } else { AuditKind::SignedIn };
        self.note(context, tx.as_mut(), kind, &device.contact, &found).await?;
        self.confirm(context, tx.as_mut(), &device.contact, &found).await?;
        let person = Person::load(tx.as_mut(), &scope.app.id, found).await?;
        let entry = Entry::add(context, tx.as_mut(), scope, person, self.session.as_ref()).await?;
        Ok(Step::Commit(tx, Ok(Ok((Box::new(entry), created, device)))))
    }

    /// Ends every pending sign-in of this contact, and of the owner's other contact. False when there are more than one
    /// transaction should end: the device itself still exists then.
    async fn end_devices(&self, tx: &mut dyn Tx, device: &RightDevice, owner: Option<&Found>) -> Result<bool, Fault> {
        let devices = self.attempt.place.devices();
        let method = owner.and_then(|found| found.user.method(&found.id));
        let others = method.map(|method| Contact::all_of(&method.login)).unwrap_or_default();
        for other in others.iter().filter(|other| **other != device.contact) {
            if !devices.delete_of(tx, other, None).await.map_err(failed)? {
                return Ok(false);
            }
        }
        devices.delete_of(tx, &device.contact, Some(&device.hash)).await.map_err(failed)
    }

    /// Creates a user with this contact; `None` when another user has it by now.
    async fn sign_up(&self, context: &Context, tx: &mut dyn Tx, contact: &Contact) -> Result<Option<Found>, Fault> {
        let place = &self.attempt.place;
        let app_id = &place.scope.app.id;
        require_tenant(tx, &place.scope, &place.tenant, "signing up").await?;
        let id: UserId = new_id(context, tx, app_id).await?;
        let tenants = [place.tenant.clone()].into();
        let method =
            LoginMethod { id: id.clone(), external: None, tenants, time_joined: context.now(), login: contact.login() };
        let user = User::new(method);
        let saved = user::save(tx, app_id, &[], &[&user]).await.map_err(failed)?;
        Ok(saved.ok().map(|()| Found { user, id }))
    }

    /// Marks the address as verified: a person who reads a mailbox has its address.
    async fn confirm(&self, context: &Context, tx: &mut dyn Tx, contact: &Contact, found: &Found) -> Result<(), Fault> {
        let Some(email) = contact.email().filter(|_| self.confirms_email) else { return Ok(()) };
        let app_id = &self.attempt.place.scope.app.id;
        if confirm_email(tx, app_id, found.user.shown(&found.id), email, context.now()).await? {
            self.note(context, tx, AuditKind::EmailVerified, contact, found).await?;
        }
        Ok(())
    }

    async fn note(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
        kind: AuditKind,
        contact: &Contact,
        Found { user, id }: &Found,
    ) -> Result<(), Fault> {
        let place = &self.attempt.place;
        let event = place.event(kind, contact).user(user.shown_id()).recipe_user(user.shown(id));
        audit::note(tx, context, &place.scope, event).await
    }
}
