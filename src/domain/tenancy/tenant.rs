//! The state of a tenant: recipe flags (first generation of the interface), factors (second generation), its own
//! settings.
//!
//! Both generations describe one state: flags say which recipes exist in the tenant, factor lists say which of them may
//! begin a sign-in or must follow.

use crate::domain::json::JsonObject;
use std::collections::BTreeSet;

/// A set of factor ids.
pub type Factors = BTreeSet<String>;

/// A tenant's own state.
#[derive(Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Flag of the email-password recipe.
    pub email_password: bool,
    /// Flag of the third-party recipe.
    pub third_party: bool,
    /// Flag of the passwordless recipe.
    pub passwordless: bool,
    /// Factors that may begin a sign-in; `None` is no restriction, an empty set allows none at all.
    pub first_factors: Option<Factors>,
    /// Factors that must follow; never an empty set.
    pub required_secondary_factors: Option<Factors>,
    /// The tenant's own settings, as given.
    pub core_config: JsonObject,
}

impl std::fmt::Debug for Tenant {
    /// Leaves out the settings: they may hold API keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tenant").field("first_factors", &self.first_factors).finish_non_exhaustive()
    }
}

/// A recipe that can be switched off in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipe {
    /// Email and password.
    EmailPassword,
    /// Third-party providers.
    ThirdParty,
    /// Codes and magic links.
    Passwordless,
}

impl Recipe {
    /// All of them, in the order of computed factor lists.
    pub const ALL: [Self; 3] = [Self::EmailPassword, Self::ThirdParty, Self::Passwordless];

    /// The factor ids that belong to it.
    #[must_use]
    pub const fn factors(self) -> &'static [&'static str] {
        match self {
            Self::EmailPassword => &["emailpassword"],
            Self::ThirdParty => &["thirdparty"],
            Self::Passwordless => &["otp-email", "otp-phone", "link-email", "link-phone"],
        }
    }

    /// Its name in error sentences.
    const fn name(self) -> &'static str {
        match self {
            Self::EmailPassword => "emailPassword",
            Self::ThirdParty => "thirdParty",
            Self::Passwordless => "passwordless",
        }
    }
}

/// Recipe switches of a first-generation request; recipes without one stay as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Switches {
    /// `emailPasswordEnabled`.
    pub email_password: Option<bool>,
    /// `thirdPartyEnabled`.
    pub third_party: Option<bool>,
    /// `passwordlessEnabled`.
    pub passwordless: Option<bool>,
}

impl Switches {
    fn of(self, recipe: Recipe) -> Option<bool> {
        match recipe {
            Recipe::EmailPassword => self.email_password,
            Recipe::ThirdParty => self.third_party,
            Recipe::Passwordless => self.passwordless,
        }
    }
}

/// The recipes and factors in a request. The outer option of a list: whether it was given at all; the inner one:
/// whether it was not `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantChange {
    /// Second generation: lists only.
    Factors {
        /// `firstFactors`.
        first: Option<Option<Factors>>,
        /// `requiredSecondaryFactors`.
        required_secondary: Option<Option<Factors>>,
    },
    /// First generation from CDI 5.0: switches and lists.
    SwitchesAndFactors {
        /// The switches.
        switches: Switches,
        /// `firstFactors`.
        first: Option<Option<Factors>>,
        /// `requiredSecondaryFactors`.
        required_secondary: Option<Option<Factors>>,
    },
    /// First generation below CDI 5.0: switches only.
    Switches(Switches),
}

/// Why a list of factors is refused: the protocol's sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FactorError(String);

/// Checks a list of factors; `field` is its name in the request.
///
/// # Errors
/// The protocol's sentence for duplicates and for characters that factor ids cannot have.
pub fn check_factors(field: &str, list: Vec<String>) -> Result<Factors, FactorError> {
    let count = list.len();
    let is_id = |factor: &String| !factor.is_empty() && factor.chars().all(is_factor_char);
    let well_formed = list.iter().all(is_id);
    let set: Factors = list.into_iter().collect();
    if set.len() != count {
        return Err(FactorError(format!("{field} input should not contain duplicate values")));
    }
    if !well_formed {
        return Err(FactorError(format!("{field} should contain only 0-9,a-z,A-Z,_,.,- characters")));
    }
    Ok(set)
}

/// Round brackets are accepted, as in the original.
fn is_factor_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-' | '(' | ')')
}

impl Tenant {
    /// The public tenant of a new app: every recipe, no restriction.
    #[must_use]
    pub fn public() -> Self {
        Self::with_flags(true, None)
    }

    /// A new tenant before its first change is applied.
    #[must_use]
    pub fn new(is_public: bool, change: &TenantChange) -> Self {
        match (is_public, change) {
            (true, _) => Self::public(),
            (false, TenantChange::Factors { .. }) => Self::with_flags(true, Some(Factors::new())),
            (false, TenantChange::SwitchesAndFactors { .. }) => Self::with_flags(false, None),
            (false, TenantChange::Switches(_)) => Self::with_flags(false, Some(Factors::new())),
        }
    }

    fn with_flags(flag: bool, first_factors: Option<Factors>) -> Self {
        Self {
            email_password: flag,
            third_party: flag,
            passwordless: flag,
            first_factors,
            required_secondary_factors: None,
            core_config: JsonObject::empty(),
        }
    }

    /// The flag of a recipe.
    #[must_use]
    pub const fn flag(&self, recipe: Recipe) -> bool {
        match recipe {
            Recipe::EmailPassword => self.email_password,
            Recipe::ThirdParty => self.third_party,
            Recipe::Passwordless => self.passwordless,
        }
    }

    const fn set_flag(&mut self, recipe: Recipe, flag: bool) {
        match recipe {
            Recipe::EmailPassword => self.email_password = flag,
            Recipe::ThirdParty => self.third_party = flag,
            Recipe::Passwordless => self.passwordless = flag,
        }
    }

    /// This tenant after a change of recipes and factors.
    ///
    /// # Errors
    /// The protocol's sentence when a list names a factor of a recipe that the same change switches off.
    pub fn changed(mut self, change: TenantChange) -> Result<Self, FactorError> {
        match change {
            TenantChange::Factors { first: None, required_secondary: None } => {}
            TenantChange::Factors { first, required_secondary } => {
                // From now on only the list says what is allowed; until now the flags may have said it.
                self.first_factors = self.allowed_first_factors();
                Recipe::ALL.into_iter().for_each(|recipe| self.set_flag(recipe, true));
                self.set_lists(first, required_secondary);
            }
            TenantChange::SwitchesAndFactors { switches, first, required_secondary } => {
                check_contradictions(switches, first.as_ref(), "firstFactors")?;
                check_contradictions(switches, required_secondary.as_ref(), "requiredSecondaryFactors")?;
                self.switch_recipes(switches, first, required_secondary);
            }
            TenantChange::Switches(switches) => self.switch_factors(switches),
        }
        Ok(self)
    }

    fn set_lists(&mut self, first: Option<Option<Factors>>, required_secondary: Option<Option<Factors>>) {
        if let Some(first) = first {
            self.first_factors = first;
        }
        if let Some(list) = required_secondary {
            self.required_secondary_factors = list;
        }
        self.required_secondary_factors = self.required_secondary_factors.take().filter(|list| !list.is_empty());
    }

    /// CDI ≥ 5.0: a switch sets the flag; recipes switched off are removed from both lists, and listed ones are
    /// switched on.
    fn switch_recipes(
        &mut self,
        switches: Switches,
        first: Option<Option<Factors>>,
        required_secondary: Option<Option<Factors>>,
    ) {
        let switched_on =
            |tenant: &Self, recipe| switches.of(recipe) == Some(true) && !tenant.shows_enabled(recipe, false);
        let nothing_begins = self.first_factors.as_ref().is_some_and(Factors::is_empty);
        if nothing_begins && Recipe::ALL.into_iter().any(|recipe| switched_on(self, recipe)) {
            // Recipes switched on now may begin a sign-in, and no others.
            Recipe::ALL.into_iter().for_each(|recipe| self.set_flag(recipe, false));
            self.first_factors = None;
        }
        let comes_with = |list: &Factors, recipe: Recipe| {
            has_factor_of(list, recipe) && switches.of(recipe) != Some(true) && !self.shows_enabled(recipe, false)
        };
        let secondary = required_secondary.as_ref().and_then(Option::as_ref);
        let more = secondary.is_some_and(|list| Recipe::ALL.into_iter().any(|recipe| comes_with(list, recipe)));
        if first.is_none() && more && self.first_factors.is_none() {
            // A recipe that is listed as a second factor does not become a first one.
            let begins = |recipe: &Recipe| switches.of(*recipe).unwrap_or_else(|| self.flag(*recipe));
            self.first_factors = Some(factors_of(Recipe::ALL.into_iter().filter(begins)));
        }
        for recipe in Recipe::ALL {
            let Some(flag) = switches.of(recipe) else { continue };
            self.set_flag(recipe, flag);
            if !flag {
                let lists = [self.first_factors.as_mut(), self.required_secondary_factors.as_mut()];
                lists.into_iter().flatten().for_each(|list| remove_factors_of(list, recipe));
            }
        }
        self.set_lists(first, required_secondary);
        for recipe in Recipe::ALL {
            let lists = [&self.first_factors, &self.required_secondary_factors];
            if lists.into_iter().flatten().any(|list| has_factor_of(list, recipe)) {
                self.set_flag(recipe, true);
            }
        }
    }

    /// CDI < 5.0: a switch moves factors; switching off does not change the flag.
    fn switch_factors(&mut self, switches: Switches) {
        for recipe in Recipe::ALL {
            if switches.of(recipe) == Some(true) && !self.shows_enabled(recipe, true) {
                self.set_flag(recipe, true);
                self.first_factors.iter_mut().for_each(|list| list.extend(factors_of([recipe])));
            }
        }
        for recipe in Recipe::ALL {
            if switches.of(recipe) == Some(false) || !self.flag(recipe) {
                let list = self.first_factors.get_or_insert_with(|| factors_of(Recipe::ALL));
                remove_factors_of(list, recipe);
            }
        }
    }

    /// The factors that may begin a sign-in, by the list or, without one, by the flags.
    fn allowed_first_factors(&self) -> Option<Factors> {
        Some(self.shown_first_factors()?.into_iter().map(str::to_owned).collect())
    }

    /// `firstFactors` as shown by the second generation: none for no restriction.
    #[must_use]
    pub fn shown_first_factors(&self) -> Option<Vec<&str>> {
        if let Some(list) = &self.first_factors {
            return Some(list.iter().map(String::as_str).collect());
        }
        let enabled: Vec<Recipe> = Recipe::ALL.into_iter().filter(|recipe| self.flag(*recipe)).collect();
        let restricted = enabled.len() < Recipe::ALL.len();
        restricted.then(|| enabled.into_iter().flat_map(Recipe::factors).copied().collect())
    }

    /// Whether the first generation shows a recipe as enabled; `by_own_factors` below CDI 5.0.
    #[must_use]
    pub fn shows_enabled(&self, recipe: Recipe, by_own_factors: bool) -> bool {
        let allowed = match &self.first_factors {
            None => true,
            Some(list) if by_own_factors => recipe.factors().iter().any(|factor| list.contains(*factor)),
            Some(list) => !list.is_empty(),
        };
        self.flag(recipe) && allowed
    }
}

fn factors_of(recipes: impl IntoIterator<Item = Recipe>) -> Factors {
    recipes.into_iter().flat_map(Recipe::factors).map(|factor| (*factor).to_owned()).collect()
}

fn has_factor_of(list: &Factors, recipe: Recipe) -> bool {
    recipe.factors().iter().any(|factor| list.contains(*factor))
}

fn remove_factors_of(list: &mut Factors, recipe: Recipe) {
    list.retain(|factor| !recipe.factors().contains(&factor.as_str()));
}

/// Fails if a request lists a factor of a recipe that it switches off.
fn check_contradictions(switches: Switches, list: Option<&Option<Factors>>, field: &str) -> Result<(), FactorError> {
    let Some(Some(list)) = list else { return Ok(()) };
    for recipe in Recipe::ALL.into_iter().filter(|recipe| switches.of(*recipe) == Some(false)) {
        if let Some(factor) = recipe.factors().iter().find(|factor| list.contains(**factor)) {
            return Err(FactorError(format!(
                "{field} should not contain '{factor}' because {} is disabled for the tenant.",
                recipe.name()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(factors: &[&str]) -> Factors {
        factors.iter().map(|factor| (*factor).to_owned()).collect()
    }

    fn lists(first: Option<Option<Factors>>) -> TenantChange {
        TenantChange::Factors { first, required_secondary: None }
    }

    fn created(change: TenantChange) -> Tenant {
        Tenant::new(false, &change).changed(change).unwrap()
    }

    const EMAIL_ON: Switches = Switches { email_password: Some(true), third_party: None, passwordless: None };
    const EMAIL_OFF: Switches = Switches { email_password: Some(false), third_party: None, passwordless: None };

    #[test]
    fn a_public_tenant_starts_without_restriction() {
        assert_eq!(Tenant::public().shown_first_factors(), None);
        assert!(Recipe::ALL.iter().all(|recipe| Tenant::public().shows_enabled(*recipe, true)));
    }

    #[test]
    fn another_tenant_starts_without_first_factors() {
        assert_eq!(created(lists(None)).shown_first_factors(), Some(vec![]));
    }

    #[test]
    fn null_first_factors_lift_the_restriction_even_of_a_tenant_made_by_the_first_generation() {
        let old = created(TenantChange::Switches(EMAIL_ON));
        assert_eq!(old.shown_first_factors(), Some(vec!["emailpassword"]));
        assert_eq!(old.changed(lists(Some(None))).unwrap().shown_first_factors(), None);
    }

    #[test]
    fn omitted_lists_stay_and_an_empty_secondary_list_is_none() {
        let change =
            TenantChange::Factors { first: Some(Some(set(&["a"]))), required_secondary: Some(Some(set(&["totp"]))) };
        let tenant = created(change).changed(lists(None)).unwrap();
        assert_eq!(tenant.first_factors, Some(set(&["a"])));
        assert_eq!(tenant.required_secondary_factors, Some(set(&["totp"])));
        let emptied = TenantChange::Factors { first: None, required_secondary: Some(Some(set(&[]))) };
        assert_eq!(tenant.changed(emptied).unwrap().required_secondary_factors, None);
    }

    #[test]
    fn below_5_0_switching_off_removes_factors_and_leaves_the_flag() {
        let tenant = Tenant::public().changed(TenantChange::Switches(EMAIL_OFF)).unwrap();
        assert!(tenant.email_password);
        assert!(!tenant.shows_enabled(Recipe::EmailPassword, true));
        assert!(tenant.shows_enabled(Recipe::EmailPassword, false));
        assert_eq!(
            tenant.first_factors,
            Some(set(&["thirdparty", "otp-email", "otp-phone", "link-email", "link-phone"]))
        );
    }

    #[test]
    fn below_5_0_switching_on_adds_factors_to_a_list_only() {
        let tenant = created(TenantChange::Switches(EMAIL_ON));
        assert_eq!(tenant.first_factors, Some(set(&["emailpassword"])));
        assert_eq!(Tenant::public().changed(TenantChange::Switches(EMAIL_ON)).unwrap().first_factors, None);
    }

    #[test]
    fn below_5_0_what_is_on_already_keeps_its_factors() {
        let change = lists(Some(Some(set(&["otp-email"]))));
        let on = TenantChange::Switches(Switches { passwordless: Some(true), ..Switches::default() });
        assert_eq!(created(change).changed(on).unwrap().first_factors, Some(set(&["otp-email"])));
    }

    #[test]
    fn below_5_0_a_null_list_becomes_one_of_the_recipes_that_are_on() {
        let by_flags = TenantChange::SwitchesAndFactors { switches: EMAIL_ON, first: None, required_secondary: None };
        let off = created(by_flags.clone()).changed(TenantChange::Switches(EMAIL_OFF)).unwrap();
        assert_eq!(off.first_factors, Some(set(&[])));
        let third_party = Switches { third_party: Some(true), ..Switches::default() };
        let more = created(by_flags).changed(TenantChange::Switches(third_party)).unwrap();
        assert_eq!(more.first_factors, Some(set(&["emailpassword", "thirdparty"])));
    }

    #[test]
    fn a_second_factor_of_a_recipe_that_was_off_begins_no_sign_in() {
        let by_flags = TenantChange::SwitchesAndFactors { switches: EMAIL_ON, first: None, required_secondary: None };
        let codes = || Some(Some(set(&["otp-email"])));
        let first_generation = TenantChange::SwitchesAndFactors {
            switches: Switches::default(),
            first: None,
            required_secondary: codes(),
        };
        let second_generation = TenantChange::Factors { first: None, required_secondary: codes() };
        for change in [first_generation, second_generation] {
            let tenant = created(by_flags.clone()).changed(change).unwrap();
            assert_eq!(tenant.shown_first_factors(), Some(vec!["emailpassword"]));
            assert_eq!(tenant.required_secondary_factors, codes().flatten());
            assert!(tenant.passwordless);
        }
    }

    #[test]
    fn from_5_0_switching_on_where_nothing_begins_a_sign_in_lets_that_begin() {
        let change = TenantChange::SwitchesAndFactors { switches: EMAIL_ON, first: None, required_secondary: None };
        let tenant = created(lists(None)).changed(change).unwrap();
        assert_eq!(tenant.shown_first_factors(), Some(vec!["emailpassword"]));
        assert!(tenant.shows_enabled(Recipe::EmailPassword, false) && !tenant.third_party);
    }

    #[test]
    fn from_5_0_a_null_list_with_flags_off_is_computed() {
        let change = TenantChange::SwitchesAndFactors {
            switches: Switches { passwordless: Some(true), ..EMAIL_ON },
            first: None,
            required_secondary: None,
        };
        let shown = created(change);
        let expected = vec!["emailpassword", "otp-email", "otp-phone", "link-email", "link-phone"];
        assert_eq!(shown.shown_first_factors(), Some(expected));
    }

    #[test]
    fn from_5_0_listing_a_factor_switches_its_recipe_on() {
        let change = TenantChange::SwitchesAndFactors {
            switches: Switches::default(),
            first: Some(Some(set(&["otp-phone"]))),
            required_secondary: Some(Some(set(&["emailpassword"]))),
        };
        let tenant = created(change);
        assert!(tenant.passwordless && tenant.email_password && !tenant.third_party);
    }

    #[test]
    fn from_5_0_switching_off_empties_the_lists() {
        let change = TenantChange::SwitchesAndFactors {
            switches: Switches::default(),
            first: Some(Some(set(&["emailpassword", "thirdparty"]))),
            required_secondary: Some(Some(set(&["emailpassword"]))),
        };
        let off = TenantChange::SwitchesAndFactors { switches: EMAIL_OFF, first: None, required_secondary: None };
        let tenant = created(change).changed(off).unwrap();
        assert_eq!(tenant.first_factors, Some(set(&["thirdparty"])));
        assert_eq!(tenant.required_secondary_factors, None);
    }

    #[test]
    fn from_5_0_a_list_must_not_contradict_a_switch() {
        let refused = |first: Option<Option<Factors>>, required_secondary| {
            let change = TenantChange::SwitchesAndFactors { switches: EMAIL_OFF, first, required_secondary };
            Tenant::public().changed(change).unwrap_err().to_string()
        };
        assert_eq!(
            refused(Some(Some(set(&["emailpassword"]))), None),
            "firstFactors should not contain 'emailpassword' because emailPassword is disabled for the tenant."
        );
        assert_eq!(
            refused(None, Some(Some(set(&["emailpassword"])))),
            "requiredSecondaryFactors should not contain 'emailpassword' because emailPassword is disabled for the \
             tenant."
        );
    }

    #[test]
    fn factor_lists_are_sets_of_ids() {
        let read = |list: &[&str]| {
            check_factors("firstFactors", list.iter().map(|factor| (*factor).to_owned()).collect())
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(&["b_1", "a.-(x)"]), Ok(set(&["a.-(x)", "b_1"])));
        assert_eq!(read(&["a", "a"]), Err("firstFactors input should not contain duplicate values".to_owned()));
        for bad in ["", "a b", "[x]", "é"] {
            let sentence = "firstFactors should contain only 0-9,a-z,A-Z,_,.,- characters";
            assert_eq!(read(&[bad]), Err(sentence.to_owned()));
        }
    }
}
