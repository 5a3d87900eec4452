//! Second factors of a session: which ones are complete, which ones are required, which may be set up (protocol: 21,
//! 7).

pub mod contacts;

use super::json::{Json, Members};
use super::time::UnixMillis;
use super::user::{Login, RecipeId, User, is_fake_email};

/// The factors of the protocol that a user has set up by having a login method. Others, such as `totp`, are known
/// elsewhere.
#[must_use]
pub fn is_login_set_up(factor: &str, user: &User) -> bool {
    user.methods.iter().any(|method| match (factor, &method.login) {
        ("emailpassword", login) => login.recipe() == RecipeId::EmailPassword,
        ("webauthn", login) => login.recipe() == RecipeId::Webauthn,
        ("otp-email" | "link-email", Login::Passwordless { email, .. }) => {
            email.as_deref().is_some_and(|email| !is_fake_email(email))
        }
        ("otp-phone" | "link-phone", Login::Passwordless { phone_number, .. }) => phone_number.is_some(),
        _ => false,
    })
}

/// The factors as which a login method may have begun a session, the likeliest first.
#[must_use]
pub fn first_factors_of(login: &Login) -> &'static [&'static str] {
    match login {
        Login::EmailPassword { .. } => &["emailpassword"],
        Login::ThirdParty { .. } => &["thirdparty"],
        Login::Webauthn { .. } => &["webauthn"],
        Login::Passwordless { email: Some(_), phone_number: Some(_) } => {
            &["link-email", "otp-email", "link-phone", "otp-phone"]
        }
        Login::Passwordless { email: Some(_), .. } => &["link-email", "otp-email"],
        Login::Passwordless { .. } => &["link-phone", "otp-phone"],
    }
}

/// The claim that says which factors of a session are complete, and whether that is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactorsClaim {
    /// Factors with when they were completed, in s since 1970.
    completed: Members,
    /// Whether every requirement was met when this was last looked at.
    is_satisfied: bool,
}

impl FactorsClaim {
    /// Reads a claim; `None` for one that holds no factors.
    #[must_use]
    pub fn read(claim: &Json) -> Option<Self> {
        let claim = claim.as_object()?;
        let completed = claim.get("c")?.as_object()?.clone();
        Some(Self { completed, is_satisfied: claim.get("v").and_then(Json::as_bool).unwrap_or_default() })
    }

    /// The claim as it is in tokens.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut claim = Members::default();
        claim.set("c", Json::Object(self.completed.clone()));
        claim.set("v", Json::Bool(self.is_satisfied));
        Json::Object(claim)
    }

    /// The claim of a session that begins with this factor at this time.
    #[must_use]
    pub fn begun_with(factor: &str, at: UnixMillis) -> Self {
        let mut claim = Self::default();
        claim.complete(factor, at);
        claim
    }

    /// Notes that a factor was completed at this time.
    pub fn complete(&mut self, factor: &str, at: UnixMillis) {
        self.completed.set(factor, Json::Number(at.seconds().to_string().into()));
    }

    /// The claim with one of these factors alone, the first that is complete; `None` if none is.
    #[must_use]
    pub fn with_one_of(&self, factors: &[&str]) -> Option<Self> {
        let (factor, at) = factors.iter().find_map(|factor| Some((*factor, self.completed.get(factor)?)))?;
        let mut completed = Members::default();
        completed.set(factor, at.clone());
        Some(Self { completed, is_satisfied: false })
    }

    /// True if the factor is complete.
    #[must_use]
    pub fn has(&self, factor: &str) -> bool {
        self.completed.get(factor).is_some_and(|at| at.as_f64().is_some())
    }

    /// The factors that are complete.
    pub fn completed(&self) -> impl Iterator<Item = &str> {
        self.completed.iter().filter(|(_, at)| at.as_f64().is_some()).map(|(factor, _)| factor)
    }

    /// When the last of its factors was completed.
    #[must_use]
    pub fn last_completed(&self) -> Option<UnixMillis> {
        let seconds = self.completed.iter().filter_map(|(_, at)| at.as_i64().and_then(|at| u64::try_from(at).ok()));
        seconds.max().map(|seconds| UnixMillis(seconds.saturating_mul(1000)))
    }

    /// True if the requirements were met when the claim was last brought up to date.
    #[must_use]
    pub const fn is_satisfied(&self) -> bool {
        self.is_satisfied
    }

    /// Compares the completed factors with the required ones.
    pub fn update(&mut self, required: &[String]) {
        self.is_satisfied = self.unsatisfied(required).is_empty();
    }

    /// The required factors, of which one has to be completed; none if one is, or none is required.
    #[must_use]
    pub fn unsatisfied<'a>(&self, required: &'a [String]) -> &'a [String] {
        if required.iter().any(|factor| self.has(factor)) { &[] } else { required }
    }
}

/// Why a factor must not be set up now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetUpRefused {
    /// The person has a factor that would do, and has to complete it first.
    CompleteFirst,
    /// Another factor has to come first.
    NotNext,
}

impl SetUpRefused {
    /// The protocol's sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::CompleteFirst => "Completed factors in the session does not satisfy the MFA requirements for auth",
            Self::NotNext => "Not allowed to setup factor that is not in the next set of unsatisfied factors",
        }
    }
}

/// Whether a factor may be set up in a session: somebody who has stolen the first factor must not get in by adding a
/// second one that is theirs. So whoever has the factor already shows it before another of its kind is added, even where
/// none is required: it would count where one is. The SDKs do not ask for that.
///
/// # Errors
/// Why not.
pub fn check_set_up<S: AsRef<str>>(
    factor: &str,
    claim: &FactorsClaim,
    required: &[String],
    set_up: &[S],
) -> Result<(), SetUpRefused> {
    let is_set_up = |wanted: &str| set_up.iter().any(|has| has.as_ref() == wanted);
    let unsatisfied = claim.unsatisfied(required);
    let is_shown = || claim.has(factor) || same_login(factor).iter().any(|alike| claim.has(alike));
    if is_set_up(factor) && !is_shown() || unsatisfied.iter().any(|open| is_set_up(open)) {
        return Err(SetUpRefused::CompleteFirst);
    }
    match unsatisfied.is_empty() || unsatisfied.iter().any(|open| open == factor) {
        true => Ok(()),
        false => Err(SetUpRefused::NotNext),
    }
}

/// The factors that one and the same login method provides.
fn same_login(factor: &str) -> &'static [&'static str] {
    match factor {
        "otp-email" | "link-email" => &["otp-email", "link-email"],
        "otp-phone" | "link-phone" => &["otp-phone", "link-phone"],
        _ => &[],
    }
}

/// The factors that are required: those of the person's metadata, then those of the tenant that are not among them.
#[must_use]
pub fn required_factors<'a>(metadata: Option<&Members>, tenant: impl Iterator<Item = &'a String>) -> Vec<String> {
    let own = metadata.and_then(|members| members.get("_supertokens")?.as_object()?.get("requiredSecondaryFactors"));
    let mut required: Vec<String> = Vec::new();
    let mut add = |factor: &str| {
        if !required.iter().any(|known| known == factor) {
            required.push(factor.to_owned());
        }
    };
    match own {
        Some(Json::Array(factors)) => factors.iter().filter_map(Json::as_str).for_each(&mut add),
        // Written by hand, most likely; to ignore it would drop a requirement.
        Some(Json::Text(factor)) => add(factor),
        _ => {}
    }
    tenant.for_each(|factor| add(factor));
    required
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(factors: &[&str]) -> Vec<String> {
        factors.iter().map(|factor| (*factor).to_owned()).collect()
    }

    fn claim(text: &str) -> FactorsClaim {
        let members = Members::parse(text).unwrap();
        FactorsClaim::read(&Json::Object(members)).unwrap()
    }

    #[test]
    fn one_of_the_required_factors_is_enough() {
        let mut own = FactorsClaim::default();
        own.update(&list(&["totp", "otp-phone"]));
        assert!(!own.is_satisfied());
        own.complete("emailpassword", UnixMillis(1_700_000_000_999));
        own.update(&list(&["totp", "otp-phone"]));
        assert!(!own.is_satisfied());
        own.complete("otp-phone", UnixMillis(1_700_000_001_000));
        own.update(&list(&["totp", "otp-phone"]));
        let Json::Object(members) = own.to_json() else { panic!("an object") };
        let expected = r#"{"c":{"emailpassword":1700000000,"otp-phone":1700000001},"v":true}"#;
        assert_eq!(members.to_text(), expected);
        assert_eq!(claim(expected), own);
        own.update(&list(&["totp"]));
        assert!(!own.is_satisfied(), "what is required may change");
        own.update(&[]);
        assert!(own.is_satisfied());
    }

    #[test]
    fn what_is_no_time_completes_nothing() {
        for text in [r#"{"c":{"totp":null},"v":true}"#, r#"{"c":{"totp":true},"v":true}"#, r#"{"c":{"x":1}}"#] {
            assert_eq!(claim(text).unsatisfied(&list(&["totp"])), list(&["totp"]), "{text}");
        }
        for text in ["{}", r#"{"v":true}"#, r#"{"c":[],"v":true}"#] {
            assert_eq!(FactorsClaim::read(&Json::Object(Members::parse(text).unwrap())), None, "{text}");
        }
    }

    #[test]
    fn a_factor_is_set_up_only_when_no_other_has_to_be_completed_first() {
        let begun = claim(r#"{"c":{"emailpassword":1}}"#);
        let check = |required: &[&str], set_up: &[&str]| check_set_up("totp", &begun, &list(required), set_up);
        assert_eq!(check(&[], &["otp-phone"]), Ok(()));
        assert_eq!(check(&["totp", "otp-phone"], &["emailpassword"]), Ok(()));
        assert_eq!(check(&["totp", "otp-phone"], &["otp-phone"]), Err(SetUpRefused::CompleteFirst));
        assert_eq!(check(&["totp"], &["totp"]), Err(SetUpRefused::CompleteFirst));
        assert_eq!(check(&["otp-phone"], &[]), Err(SetUpRefused::NotNext));
    }

    #[test]
    fn another_factor_of_a_kind_is_added_by_whoever_shows_the_one_that_there_is() {
        let check = |factor: &str, shown: &str, set_up: &[&str]| check_set_up(factor, &claim(shown), &[], set_up);
        let (first, with_totp) = (r#"{"c":{"emailpassword":1},"v":true}"#, r#"{"c":{"emailpassword":1,"totp":2}}"#);
        assert_eq!(check("totp", first, &["totp"]), Err(SetUpRefused::CompleteFirst));
        assert_eq!(check("totp", with_totp, &["totp"]), Ok(()));
        assert_eq!(check("otp-phone", with_totp, &["totp", "otp-phone"]), Err(SetUpRefused::CompleteFirst));
        assert_eq!(check("otp-email", r#"{"c":{"link-email":1}}"#, &["otp-email", "link-email"]), Ok(()));
        assert_eq!(check("otp-email", r#"{"c":{"link-phone":1}}"#, &["otp-email"]), Err(SetUpRefused::CompleteFirst));
    }

    #[test]
    fn requirements_of_person_and_tenant_are_joined() {
        let required = |text: &str| required_factors(Members::parse(text).ok().as_ref(), list(&["totp"]).iter());
        assert_eq!(required("{}"), ["totp"]);
        let own = r#"{"_supertokens":{"requiredSecondaryFactors":["otp-phone",1,"totp"]}}"#;
        assert_eq!(required(own), ["otp-phone", "totp"]);
        assert_eq!(required(r#"{"_supertokens":{"requiredSecondaryFactors":"x"}}"#), ["x", "totp"]);
        assert_eq!(required(r#"{"_supertokens":[]}"#), ["totp"]);
    }
}
