//! Who may sign up.

use super::normalise_email;
use std::collections::BTreeSet;

/// Who may sign up; whoever has an account already signs in whatever the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignUpRules {
    /// Whether anybody new may.
    pub is_open: bool,
    /// The domains whose addresses may be used, with those below them; without any, all.
    pub allowed: DomainSet,
    /// The domains whose addresses may not, with those below them.
    pub blocked: DomainSet,
}

/// Why somebody may not sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUpRefusal {
    /// Nobody may.
    Closed,
    /// Not with an address of this domain, or without one.
    Domain,
}

impl SignUpRules {
    /// Why somebody with this address, or without one, may not sign up, if so.
    #[must_use]
    pub fn refusal(&self, email: Option<&str>) -> Option<SignUpRefusal> {
        if !self.is_open {
            return Some(SignUpRefusal::Closed);
        }
        let domain = email.and_then(domain_of);
        let is_in = |set: &DomainSet| domain.as_ref().is_some_and(|domain| set.contains(domain));
        // An address whose domain cannot be told is on no list of allowed ones, and on every other one.
        let is_blocked = match (&domain, email) {
            (None, Some(_)) => !self.blocked.0.is_empty(),
            _ => is_in(&self.blocked),
        };
        let is_allowed = self.allowed.0.is_empty() || is_in(&self.allowed);
        (is_blocked || !is_allowed).then_some(SignUpRefusal::Domain)
    }
}

/// Domains, in the form in which names are looked up: lower case, letters of other scripts as in RFC 5891.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DomainSet(BTreeSet<String>);

impl DomainSet {
    /// The domains of a list.
    ///
    /// # Errors
    /// The first that is none.
    pub fn parse<'t>(list: impl Iterator<Item = &'t str>) -> Result<Self, &'t str> {
        list.map(|text| domain(text).ok_or(text)).collect::<Result<_, _>>().map(Self)
    }

    /// True if a domain is one of them or below one.
    fn contains(&self, domain: &str) -> bool {
        let below = domain.match_indices('.').filter_map(|(dot, _)| domain.get(dot + 1..));
        std::iter::once(domain).chain(below).any(|name| self.0.contains(name))
    }
}

/// The domain of an address; `None` without one.
fn domain_of(email: &str) -> Option<String> {
    let email = normalise_email(email);
    email.rsplit_once('@').and_then(|(_, written)| domain(written))
}

/// A domain as it is looked up, without the dot that ends a full name; `None` if it can be none.
fn domain(text: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii(text.trim()).ok()?;
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (name.len() <= 253 && name.split('.').all(is_label)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(list: &str) -> DomainSet {
        DomainSet::parse(list.split(',').filter(|domain| !domain.is_empty())).unwrap()
    }

    fn refuses(allowed: &str, blocked: &str, email: Option<&str>) -> bool {
        let rules = SignUpRules { is_open: true, allowed: set(allowed), blocked: set(blocked) };
        rules.refusal(email).is_some()
    }

    #[test]
    fn allowed_domains_have_those_below_them_in_any_spelling() {
        for email in [
            "a@shop.example",
            "A@SHOP.Example",
            " a+tag@shop.example ",
            "a@mail.shop.example",
            "\"a@b\"@shop.example",
            "a@shop.example.",
            "a@bücher.example",
            "a@xn--bcher-kva.example",
            "a@BÜCHER.example",
        ] {
            assert!(!refuses("shop.example,Bücher.example", "", Some(email)), "{email}");
        }
        for email in
            ["a@example", "a@myshop.example", "a@shop.example.evil.example", "a@shop.example@evil.example", "a"]
        {
            assert!(refuses("shop.example,Bücher.example", "", Some(email)), "{email}");
        }
        assert!(refuses("shop.example", "", None), "a phone number shows no domain");
    }

    #[test]
    fn blocked_domains_have_those_below_them_and_come_before_allowed_ones() {
        for email in ["a@mailinator.example", "a@x.mailinator.example", "a@no domain"] {
            assert!(refuses("", "mailinator.example", Some(email)), "{email}");
        }
        assert!(refuses("shop.example", "old.shop.example", Some("a@old.shop.example")));
        assert!(!refuses("shop.example", "old.shop.example", Some("a@shop.example")));
        assert!(!refuses("", "mailinator.example", Some("a@other.example")));
        assert!(!refuses("", "mailinator.example", None), "a phone number has no domain to block");
        assert!(!refuses("", "", Some("a@b.cd")));
    }

    #[test]
    fn nobody_may_sign_up_where_it_is_closed() {
        let rules = SignUpRules { is_open: false, allowed: set("shop.example"), blocked: set("") };
        for email in [Some("a@shop.example"), Some("a@b.cd"), None] {
            assert_eq!(rules.refusal(email), Some(SignUpRefusal::Closed));
        }
    }

    #[test]
    fn what_is_no_domain_is_named() {
        assert_eq!(DomainSet::parse(["shop.example", "a b"].into_iter()), Err("a b"));
        for text in ["", ".", "@shop.example", "*.shop.example", "https://shop.example", "a..b"] {
            assert_eq!(DomainSet::parse([text].into_iter()), Err(text));
        }
    }
}
