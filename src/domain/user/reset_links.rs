//! What password-reset links give access to, and which of them are ended by a change of users.
//!
//! A link is made for an internal id of a person and sent to an address. Anyone who reads that mailbox can set the
//! password of a login with that address, give the person such a login, or set the password of the login with the id.
//! So when a person loses an address, links to addresses that are no longer the person's end; links to those that still
//! are stay valid.

use super::{Login, LoginMethod, User, normalise_email};
use crate::domain::ids::UserId;
use std::collections::BTreeSet;

impl User {
    /// Every internal id of the person: the group's, and those of the login methods.
    #[must_use]
    pub fn internal_ids(&self) -> BTreeSet<&UserId> {
        self.methods.iter().map(|method| &method.id).chain([&self.id]).collect()
    }

    /// True if one of the login methods has this address, in any spelling.
    #[must_use]
    pub fn has_email(&self, email: &str) -> bool {
        let email = normalise_email(email);
        self.methods.iter().any(|method| method.login.email() == Some(&email))
    }
}

/// The login whose password is set by a link for `id` that was sent to `email`: the one with that address, otherwise
/// the one with that id.
#[must_use]
pub fn login_opened<'a>(user: &'a User, id: &UserId, email: &str) -> Option<&'a LoginMethod> {
    let email = normalise_email(email);
    let has_password = |method: &&LoginMethod| matches!(method.login, Login::EmailPassword { .. });
    let of_address = user.methods.iter().filter(has_password).find(|method| method.login.email() == Some(&email));
    of_address.or_else(|| user.method(id).filter(has_password))
}

/// True if a change from `before` to `after`, two states of the person with an internal id, ends links for that id:
/// those to addresses that `after` does not have.
#[must_use]
pub fn ends_some(before: &User, after: &User) -> bool {
    let mut addresses = before.methods.iter().filter_map(|method| method.login.email());
    addresses.any(|email| !after.has_email(email))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::TenantId;
    use crate::domain::time::UnixMillis;
    use crate::domain::user::linking::{Unlinked, unlink};
    use crate::domain::user::{PasswordHash, ThirdPartyAccount};

    fn by_password(id: &str) -> LoginMethod {
        method(id, Login::EmailPassword { email: format!("{id}@x.io"), password: PasswordHash::new("hash") })
    }

    fn by_provider(id: &str) -> LoginMethod {
        let account = ThirdPartyAccount { id: "google".to_owned(), user_id: id.to_owned() };
        method(id, Login::ThirdParty { account, email: format!("{id}@x.io") })
    }

    fn method(id: &str, login: Login) -> LoginMethod {
        let tenants = [TenantId::public()].into();
        LoginMethod { id: UserId::new(id), external: None, tenants, time_joined: UnixMillis(0), login }
    }

    /// `p` signs in with a provider and is primary; `a` and `b` sign in with passwords.
    fn group() -> User {
        let methods = vec![by_provider("p"), by_password("a"), by_password("b")];
        User { id: UserId::new("p"), is_primary: true, kept_mapping: None, methods }
    }

    #[test]
    fn a_link_opens_the_login_with_its_address_else_that_with_its_id() {
        let group = group();
        for (id, email, opened) in [
            ("p", "A@X.io ", Some("a")),
            ("b", "a@x.io", Some("a")),
            ("b", "p@x.io", Some("b")),
            ("b", "elsewhere@y.io", Some("b")),
            ("p", "p@x.io", None),
        ] {
            let login = login_opened(&group, &UserId::new(id), email).map(|method| method.id.as_str());
            assert_eq!(login, opened, "{id} {email}");
        }
    }

    #[test]
    fn links_end_when_an_address_leaves_the_person_on_both_sides() {
        let before = group();
        let Unlinked::Now { after, .. } = unlink(&before, &UserId::new("a")) else { panic!("it is linked") };
        let [rest, alone] = after.as_slice() else { panic!("{after:?}") };
        assert!(ends_some(&before, rest) && ends_some(&before, alone));
        assert!(rest.has_email("P@x.io") && !rest.has_email("a@x.io") && alone.has_email(" A@x.io"));
    }

    #[test]
    fn an_address_that_another_login_has_too_stays_the_persons() {
        let mut before = group();
        before.methods.push(method("c", Login::Passwordless { email: Some("a@x.io".into()), phone_number: None }));
        let mut after = before.clone();
        after.set_email(&UserId::new("a"), "new@x.io");
        assert!(!ends_some(&before, &after));
        after.set_email(&UserId::new("c"), "new@x.io");
        assert!(ends_some(&before, &after));
    }

    #[test]
    fn linking_ends_nothing() {
        assert!(!ends_some(&User::new(by_password("a")), &group()));
    }
}
