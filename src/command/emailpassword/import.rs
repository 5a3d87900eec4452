//! `POST /recipe/user/passwordhash/import`.

use super::sign_up::add;
use super::{Account, Person, writing};
use crate::command::audit;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::crypto::password::StoredHash;
use crate::domain::audit::AuditKind;
use crate::domain::password::HashFamily;
use crate::domain::user::PasswordHash;
use crate::fault::Fault;
use crate::state::password::SignInRefused;
use crate::store::{Tx, passwordreset, user};

/// Creates an account with an imported hash, or gives an existing account that hash.
pub struct ImportHash<'a> {
    /// The account to create or change.
    pub account: Account,
    /// The hash as text.
    pub hash: &'a str,
    /// The hash family it must belong to; `None` for any.
    pub family: Option<HashFamily>,
}

/// The outcome of importing a hash.
pub enum Imported {
    /// The account has the hash, durably.
    Ok {
        /// The person who has the account.
        person: Box<Person>,
        /// Whether the account existed before.
        existed: bool,
    },
    /// It is not a hash of that family, or of any.
    InvalidFormat,
}

impl ImportHash<'_> {
    /// Imports the hash and returns the outcome.
    ///
    /// # Errors
    /// When the store fails, or a Firebase hash comes without a signer key being set.
    pub async fn run(self, context: &Context) -> Result<Imported, SignInRefused> {
        let read = StoredHash::parse(self.hash).map(|hash| hash.family());
        let Some(family) = read.filter(|family| self.family.is_none_or(|wanted| wanted == *family)) else {
            return Ok(Imported::InvalidFormat);
        };
        let entry = &self.account.scope.app;
        if family == HashFamily::FirebaseScrypt && entry.config.firebase_signer_key.is_none() {
            return Err(SignInRefused::NoSignerKey);
        }
        let hash = PasswordHash::new(self.hash);
        let about = self.account.about();
        let imported =
            transact(context, &about, "committing an imported password hash", |tx| self.attempt(context, tx, &hash));
        let (person, existed) = imported.await??;
        Ok(Imported::Ok { person: Box::new(person), existed })
    }

    /// The person, and whether the account existed.
    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        hash: &PasswordHash,
    ) -> Result<Step<Result<(Person, bool), Fault>>, Fault> {
        let (person, existed) = match self.replace(tx.as_mut(), hash).await? {
            Some(person) => (person, true),
            None => match add(context, tx.as_mut(), &self.account, hash).await? {
                Some(person) => (person, false),
                None => {
                    // Taken since this transaction read it: the commit conflicts.
                    let broken = Fault::invariant("importing a password hash: a free address is taken");
                    return Ok(Step::Commit(tx, Err(broken)));
                }
            },
        };
        let kind = if existed { AuditKind::PasswordChanged } else { AuditKind::UserImported };
        let event = self.account.event_of(kind, &person).detail("imported hash");
        audit::note(tx.as_mut(), context, &self.account.scope, event).await?;
        Ok(Step::Commit(tx, Ok((person, existed))))
    }

    /// Gives the account its new hash; `None` if there is no account.
    async fn replace(&self, tx: &mut dyn Tx, hash: &PasswordHash) -> Result<Option<Person>, Fault> {
        let scope = &self.account.scope;
        let Some(mut found) = self.account.find(tx).await? else { return Ok(None) };
        let before = found.user.clone();
        found.user.set_password(&found.id, hash);
        user::write(tx, &scope.app.id, &[&before], &[&found.user]).await.map_err(writing)?;
        // Importing the same hash repeatedly changes nothing, so that reset links already sent stay valid.
        if before != found.user {
            passwordreset::end_for_login(tx, &scope.app.id, &found.user, &found.id).await.map_err(writing)?;
        }
        Person::load(tx, &scope.app.id, found).await.map(Some)
    }
}
