//! The addresses and phone numbers that a frontend offers for a second factor.

use crate::domain::ids::UserId;
use crate::domain::user::front_linking::Known;
use crate::domain::user::{LoginMethod, RecipeId, is_fake_email};

/// The addresses for a factor; that of the session's login method first, if it is among them. `None` for factors
/// without addresses.
#[must_use]
pub fn emails_for(factor: &str, person: Known<'_>, session: &LoginMethod) -> Option<Vec<String>> {
    let emails = match factor {
        "emailpassword" => of_recipe(RecipeId::EmailPassword, person),
        "webauthn" => of_recipe(RecipeId::Webauthn, person),
        "otp-email" | "link-email" => {
            let own = real(emails(person, Some(RecipeId::Passwordless)));
            if own.is_empty() { real(emails(person, None)) } else { own }
        }
        _ => return None,
    };
    let mut emails = first(emails, session.login.email());
    if emails.is_empty() && factor == "emailpassword" {
        // So that people without an address can have a password, too.
        emails.push(made_up_email(session.shown_id()));
    }
    Some(emails)
}

/// The address with which somebody without one can have a password: nobody reads it. The id is the one that callers see.
#[must_use]
pub fn made_up_email(id: &UserId) -> String {
    format!("{}@stfakeemail.supertokens.com", id.as_str())
}

/// The phone numbers for a factor, likewise.
#[must_use]
pub fn phone_numbers_for(factor: &str, person: Known<'_>, session: &LoginMethod) -> Option<Vec<String>> {
    if factor != "otp-phone" && factor != "link-phone" {
        return None;
    }
    let numbers = person.methods().filter_map(|(method, _)| method.login.phone_number().map(str::to_owned));
    Some(first(numbers.collect(), session.login.phone_number()))
}

/// The addresses with which somebody uses a recipe: verified ones, others, made-up ones. Without any, those to which it
/// could be added: real ones, or else made-up ones.
fn of_recipe(recipe: RecipeId, person: Known<'_>) -> Vec<String> {
    let own = emails(person, Some(recipe));
    if own.is_empty() {
        let all = emails(person, None);
        let real = real(all.clone());
        return if real.is_empty() { all.into_iter().map(|(email, _)| email).collect() } else { real };
    }
    let rank = |(email, verified): &(String, bool)| match (is_fake_email(email), verified) {
        (true, _) => 2,
        (false, true) => 0,
        (false, false) => 1,
    };
    let mut ranked = own;
    ranked.sort_by_key(rank);
    ranked.into_iter().map(|(email, _)| email).collect()
}

/// The addresses of a person's login methods, oldest first, with whether they are verified.
fn emails(person: Known<'_>, recipe: Option<RecipeId>) -> Vec<(String, bool)> {
    let methods = person.methods().filter(|(method, _)| recipe.is_none_or(|recipe| method.login.recipe() == recipe));
    methods.filter_map(|(method, verified)| Some((method.login.email()?.to_owned(), verified))).collect()
}

fn real(emails: Vec<(String, bool)>) -> Vec<String> {
    emails.into_iter().map(|(email, _)| email).filter(|email| !is_fake_email(email)).collect()
}

/// Each once, with this one at the beginning if it is among them.
fn first(values: Vec<String>, front: Option<&str>) -> Vec<String> {
    let mut sorted: Vec<String> =
        values.iter().filter(|value| Some(value.as_str()) == front).take(1).cloned().collect();
    for value in values {
        if !sorted.contains(&value) {
            sorted.push(value);
        }
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{TenantId, UserId};
    use crate::domain::time::UnixMillis;
    use crate::domain::user::{Login, PasswordHash, User};

    fn by_password(email: &str) -> Login {
        Login::EmailPassword { email: email.to_owned(), password: PasswordHash::new("hash") }
    }

    fn by_code(email: Option<&str>, phone: Option<&str>) -> Login {
        Login::Passwordless { email: email.map(str::to_owned), phone_number: phone.map(str::to_owned) }
    }

    fn person(logins: Vec<Login>) -> User {
        let method = |(place, login)| LoginMethod {
            id: UserId::new(format!("u{place}")),
            external: None,
            tenants: [TenantId::public()].into(),
            time_joined: UnixMillis(place),
            login,
        };
        let methods: Vec<LoginMethod> = (0..).zip(logins).map(method).collect();
        User { id: UserId::new("u0"), is_primary: true, kept_mapping: None, methods }
    }

    fn emails_of(factor: &str, user: &User, verified: &[bool], session: usize) -> Vec<String> {
        emails_for(factor, Known { user, verified }, &user.methods[session]).unwrap()
    }

    #[test]
    fn passwords_are_offered_for_their_own_addresses_or_else_for_all() {
        let fake = "x@stfakeemail.supertokens.com";
        let user = person(vec![by_password(fake), by_password("a@x.io"), by_password("b@x.io")]);
        assert_eq!(emails_of("emailpassword", &user, &[true, false, true], 0), [fake, "b@x.io", "a@x.io"]);
        assert_eq!(emails_of("emailpassword", &user, &[true, false, true], 1), ["a@x.io", "b@x.io", fake]);
        let user = person(vec![by_code(None, Some("+1")), by_code(Some("a@x.io"), None), by_code(Some(fake), None)]);
        assert_eq!(emails_of("emailpassword", &user, &[true, true, true], 0), ["a@x.io"]);
        let user = person(vec![by_code(None, Some("+1"))]);
        assert_eq!(emails_of("emailpassword", &user, &[true], 0), ["u0@stfakeemail.supertokens.com"]);
    }

    #[test]
    fn codes_are_offered_for_contacts_that_have_had_one_or_else_for_all() {
        let user = person(vec![by_password("a@x.io"), by_code(Some("b@x.io"), None)]);
        assert_eq!(emails_of("otp-email", &user, &[true, true], 0), ["b@x.io"]);
        let user = person(vec![by_password("a@x.io"), by_password("b@x.io")]);
        assert_eq!(emails_of("link-email", &user, &[true, true], 1), ["b@x.io", "a@x.io"]);
        let user = person(vec![by_code(None, Some("+1")), by_code(None, Some("+2"))]);
        let known = Known { user: &user, verified: &[true, true] };
        assert_eq!(phone_numbers_for("otp-phone", known, &user.methods[1]).unwrap(), ["+2", "+1"]);
        assert_eq!(phone_numbers_for("totp", known, &user.methods[1]), None);
        assert_eq!(emails_for("totp", known, &user.methods[1]), None);
    }
}
