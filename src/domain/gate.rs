//! What a session must fulfil so that the gate lets a request pass; read from the query of the gate's address, as a
//! proxy's configuration has it.
//!
//! Every requirement restricts: whoever manages to add one harms nobody else. A misspelt one is an error, never
//! ignored, because a typo must not open a door.

use crate::domain::ids::TenantId;
use crate::domain::session::claims::SessionClaims;
use crate::domain::time::UnixMillis;
use percent_encoding::percent_decode_str;

/// The first member of a query that holds requirements. Caddy hands on the page's query where the gate's address has
/// none; this tells the two apart.
pub const PREFIX: &str = "require";

/// The requirements of a gate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirements {
    /// The e-mail address is verified.
    pub is_verified: bool,
    /// The second factors that the user needs are complete.
    pub has_second_factor: bool,
    /// Of each list, one role.
    pub roles: Vec<Vec<String>>,
    /// Of each list, one permission.
    pub permissions: Vec<Vec<String>>,
    /// Of each list, one factor.
    pub factors: Vec<Vec<String>>,
    /// The session's tenant is in each list.
    pub tenants: Vec<Vec<TenantId>>,
    /// How long ago the person may have shown who they are, in ms.
    pub max_age_ms: Option<u64>,
    /// The session is looked up, and its claims are those that are stored.
    pub checks_database: bool,
    /// Refusals are a status alone: the proxy cannot hand on a redirect.
    pub is_status_only: bool,
}

/// A requirement that a session does not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet<'r> {
    /// The e-mail address is not verified, or nothing says so.
    EmailVerified,
    /// A second factor is missing.
    SecondFactor,
    /// It has none of these roles.
    Roles(&'r [String]),
    /// It has none of these permissions.
    Permissions(&'r [String]),
    /// It is of another tenant.
    Tenant,
    /// None of these factors is complete.
    Factors(&'r [String]),
    /// The person has shown who they are longer ago than this, in ms.
    Age(u64),
}

/// Why a query does not say what is required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryFlaw {
    /// A sentence that names the member.
    pub sentence: String,
    /// Whether the query may be the page's own, so that a visitor may have written it.
    pub is_of_page: bool,
}

/// A session, as far as requirements look at it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its claims.
    pub claims: &'a SessionClaims,
    /// Its tenant.
    pub tenant: &'a TenantId,
    /// When it began, if that was looked up.
    pub began: Option<UnixMillis>,
}

impl Requirements {
    /// Reads the query of the gate's address, given that of the page. Without [`PREFIX`] it must be the page's, and
    /// nothing is required.
    ///
    /// # Errors
    /// When it is neither, or a member is unknown or malformed.
    pub fn parse(query: &str, of_page: &str) -> Result<Self, QueryFlaw> {
        let flawed = |sentence| QueryFlaw { sentence, is_of_page: !query.is_empty() && query == of_page };
        let mut members = query.split('&').filter(|member| !member.is_empty());
        match members.next() {
            Some(PREFIX) => members.try_fold(Self::default(), Self::with).map_err(flawed),
            None => Ok(Self::default()),
            Some(_) if query == of_page => Ok(Self::default()),
            Some(first) => Err(flawed(format!("its query must begin with '{PREFIX}', not with '{first}'"))),
        }
    }

    fn with(mut self, member: &str) -> Result<Self, String> {
        let (name, value) = member.split_once('=').unwrap_or((member, ""));
        match name {
            "role" => self.roles.push(choices(name, value)?),
            "permission" => self.permissions.push(choices(name, value)?),
            "factor" => self.factors.push(choices(name, value)?),
            "tenant" => {
                let names = choices(name, value)?.into_iter();
                self.tenants.push(names.map(|name| TenantId::new(name.to_ascii_lowercase())).collect());
            }
            "verified" if value.is_empty() => self.is_verified = true,
            "mfa" if value.is_empty() => self.has_second_factor = true,
            "verified" | "mfa" => return Err(format!("'{name}' takes no value, and got '{value}'")),
            "max_age" => {
                let seconds: u32 =
                    value.parse().ok().filter(|seconds| *seconds > 0).ok_or_else(|| {
                        format!("'max_age' must be a whole number of seconds from 1 on, not '{value}'")
                    })?;
                let most = u64::from(seconds) * 1000;
                self.max_age_ms = Some(self.max_age_ms.map_or(most, |other| other.min(most)));
            }
            "check" if value == "database" => self.checks_database = true,
            "check" => return Err(format!("'check' must be database, not '{value}'")),
            "redirect" if value == "off" => self.is_status_only = true,
            "redirect" => return Err(format!("'redirect' must be off, not '{value}'")),
            PREFIX => return Err(format!("'{PREFIX}' is there twice")),
            _ => return Err(format!("there is no requirement '{name}'")),
        }
        Ok(self)
    }

    /// True if the token alone does not tell whether they are met.
    #[must_use]
    pub const fn needs_database(&self) -> bool {
        self.checks_database || self.max_age_ms.is_some()
    }

    /// The first requirement that a session does not meet.
    #[must_use]
    pub fn unmet(&self, session: Candidate<'_>, now: UnixMillis) -> Option<Unmet<'_>> {
        let claims = session.claims;
        if self.is_verified && claims.email_verified != Some(true) {
            return Some(Unmet::EmailVerified);
        }
        if self.has_second_factor && !claims.factors.as_ref().is_some_and(|factors| factors.is_satisfied()) {
            return Some(Unmet::SecondFactor);
        }
        let missing = |lists: &'_ [Vec<String>], has: &dyn Fn(&String) -> bool| {
            lists.iter().position(|list| !list.iter().any(has))
        };
        if let Some(list) = missing(&self.roles, &|role| claims.roles.contains(role)) {
            return self.roles.get(list).map(|list| Unmet::Roles(list));
        }
        if let Some(list) = missing(&self.permissions, &|permission| claims.permissions.contains(permission)) {
            return self.permissions.get(list).map(|list| Unmet::Permissions(list));
        }
        if self.tenants.iter().any(|list| !list.contains(session.tenant)) {
            return Some(Unmet::Tenant);
        }
        let has_factor = |factor: &String| claims.factors.as_ref().is_some_and(|factors| factors.has(factor));
        if let Some(list) = missing(&self.factors, &has_factor) {
            return self.factors.get(list).map(|list| Unmet::Factors(list));
        }
        self.max_age_ms.filter(|most| is_older(session, *most, now)).map(Unmet::Age)
    }
}

/// Whether the person has shown who they are longer ago than `most` ms: when the session began, or with a factor since.
fn is_older(session: Candidate<'_>, most: u64, now: UnixMillis) -> bool {
    let factor = session.claims.factors.as_ref().and_then(|factors| factors.last_completed());
    let shown = session.began.max(factor);
    shown.and_then(|shown| shown.age(now).known()).is_none_or(|age| age > most)
}

/// The values of a member, of which one is enough, separated by commas.
fn choices(name: &str, value: &str) -> Result<Vec<String>, String> {
    let read = |item: &str| {
        let spaced = item.replace('+', " ");
        let text = percent_decode_str(&spaced).decode_utf8().map_err(|_| format!("'{name}' has a broken escape"))?;
        if text.is_empty() { Err(format!("'{name}' has an empty value")) } else { Ok(text.into_owned()) }
    };
    value.split(',').map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::JsonObject;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

    fn parse(query: &str) -> Requirements {
        Requirements::parse(query, "q=1").unwrap_or_else(|flaw| panic!("{query}: {}", flaw.sentence))
    }

    /// The requirement that a session with these claims, begun 100 s ago, does not meet.
    fn unmet(query: &str, claims: &str) -> Option<String> {
        let (claims, tenant) = (SessionClaims::read(&JsonObject::parse(claims).unwrap()), TenantId::new("acme"));
        let session = Candidate { claims: &claims, tenant: &tenant, began: Some(NOW.minus(100_000)) };
        parse(query).unmet(session, NOW).map(|unmet| format!("{unmet:?}"))
    }

    #[test]
    fn every_requirement_is_met_or_named() {
        let all = r#"{"st-ev":{"v":true},"st-role":{"v":["editor","a,b c"]},"st-perm":{"v":["write"]},
            "st-mfa":{"c":{"emailpassword":1699999900,"totp":1699999950},"v":true}}"#;
        for (query, without) in [
            ("require&verified", Some("EmailVerified")),
            ("require&mfa=", Some("SecondFactor")),
            ("require&role=editor", Some("Roles([\"editor\"])")),
            ("require&role=admin,editor", Some("Roles([\"admin\", \"editor\"])")),
            ("require&role=a%2Cb+c", Some("Roles([\"a,b c\"])")),
            ("require&permission=write", Some("Permissions([\"write\"])")),
            ("require&factor=otp-phone,totp", Some("Factors([\"otp-phone\", \"totp\"])")),
            ("require&max_age=60", Some("Age(60000)")),
            ("require&max_age=100", None),
            ("require&tenant=ACME", None),
            ("require&check=database&redirect=off", None),
            ("require", None),
            ("", None),
        ] {
            assert_eq!(unmet(query, all), None, "{query}");
            assert_eq!(unmet(query, "{}").as_deref(), without, "{query}");
        }
        for (query, expected) in [
            ("require&role=editor&role=admin", "Roles([\"admin\"])"),
            ("require&tenant=other", "Tenant"),
            ("require&tenant=acme&tenant=other", "Tenant"),
            ("require&max_age=49", "Age(49000)"),
            ("require&max_age=9999&max_age=49", "Age(49000)"),
            ("require&permission=Write", "Permissions([\"Write\"])"),
        ] {
            assert_eq!(unmet(query, all).as_deref(), Some(expected), "{query}");
        }
    }

    #[test]
    fn a_session_whose_beginning_is_unknown_or_in_the_future_is_not_fresh() {
        let tenant = TenantId::public();
        let claims = SessionClaims::default();
        let session = Candidate { claims: &claims, tenant: &tenant, began: None };
        assert_eq!(parse("require&max_age=5").unmet(session, NOW), Some(Unmet::Age(5000)));
        let later = Candidate { began: Some(NOW.plus(1)), ..session };
        assert_eq!(parse("require&max_age=5").unmet(later, NOW), Some(Unmet::Age(5000)));
        assert!(parse("require&max_age=5").needs_database() && !parse("require&verified").needs_database());
    }

    #[test]
    fn a_typo_is_an_error_that_names_it() {
        for (query, named) in [
            ("require&rloe=admin", "'rloe'"),
            ("require&Role=admin", "'Role'"),
            ("require&role", "'role' has an empty value"),
            ("require&role=a,,b", "'role' has an empty value"),
            ("require&role=%ff", "broken escape"),
            ("require&verified=false", "'verified' takes no value"),
            ("require&mfa=0", "'mfa' takes no value"),
            ("require&max_age=1h", "'1h'"),
            ("require&max_age=0", "'0'"),
            ("require&max_age=-1", "'-1'"),
            ("require&max_age=", "''"),
            ("require&check=none", "'none'"),
            ("require&redirect=on", "'on'"),
            ("require&require", "twice"),
            ("requires&role=admin", "'requires'"),
            ("role=admin", "'role=admin'"),
            ("require=role", "'require=role'"),
        ] {
            let flaw = Requirements::parse(query, "q=1").expect_err(query);
            assert!(flaw.sentence.contains(named) && !flaw.is_of_page, "{query}: {flaw:?}");
        }
    }

    #[test]
    fn the_pages_own_query_requires_nothing_and_takes_nothing_away() {
        assert_eq!(Requirements::parse("q=1", "q=1"), Ok(Requirements::default()));
        // A visitor copies what a proxy's configuration says: it stays a requirement.
        let copied = Requirements::parse("require&role=admin", "require&role=admin").unwrap();
        assert_eq!(copied.roles, [["admin"]]);
        assert!(Requirements::parse("require&x", "require&x").unwrap_err().is_of_page);
    }
}
