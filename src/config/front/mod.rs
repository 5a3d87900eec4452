//! [`FrontConfig`]: the typed settings of one app's front door.

mod accounts;
mod address;
mod form;
mod limits;
mod listener;
mod passwordless;
mod session;
mod tenant_hosts;

pub use accounts::Accounts;
pub use address::{Api, Websites};
pub use form::FormField;
pub use limits::{DEFAULT_LIMITS, FrontLimits};
pub use listener::{AcmeConfig, CertificatePaths, FrontListener, FrontOpening, TlsSource};
pub use passwordless::{ContactMethod, FlowType, Passwordless};
pub use session::{AntiCsrf, FrontSession, SameSite, TokenTransfer, covers};
pub use tenant_hosts::TenantHosts;

use crate::config::flaws::Flaws;
use crate::config::values::Values;
use crate::domain::totp::Pace;
use crate::domain::user::front_linking::LinkingRule;
use std::collections::BTreeSet;

/// The settings of an app's front door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontConfig {
    /// What people see as the name of the app.
    pub app_name: String,
    /// Where browsers reach the front door.
    pub api: Api,
    /// The pages that may use it.
    pub websites: Websites,
    /// The hosts that belong to one tenant each.
    pub tenant_hosts: TenantHosts,
    /// Cookies, tokens and status codes.
    pub session: FrontSession,
    /// How often something may be asked for.
    pub limits: FrontLimits,
    /// The recipes that it serves, in the order of their claims.
    pub recipes: Vec<FrontRecipe>,
    /// Whether routes that need a session also need a verified e-mail address.
    pub requires_verified_email: bool,
    /// What people are asked for at sign-up, in this order.
    pub sign_up_fields: Vec<FormField>,
    /// Who may sign up, with which password, and who may know of it.
    pub accounts: Accounts,
    /// How people sign in without a password, where that recipe is served.
    pub passwordless: Passwordless,
    /// Factors with which people may begin to sign in, unless their tenant says otherwise; `None`: all available ones.
    pub first_factors: Option<BTreeSet<String>>,
    /// Whether login methods with the same address or phone number become one user.
    pub account_linking: LinkingRule,
    /// Authenticator apps that people add.
    pub totp: FrontTotp,
    /// Whether access tokens hold the user's roles.
    pub roles_in_token: bool,
    /// Whether access tokens hold the user's permissions.
    pub permissions_in_token: bool,
}

/// Authenticator apps that people add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontTotp {
    /// What the app shows as the origin of its codes.
    pub issuer: String,
    /// Its rules for accepting codes.
    pub pace: Pace,
}

/// A recipe of the front door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontRecipe {
    /// E-mail and password.
    EmailPassword,
    /// Verified e-mail addresses.
    EmailVerification,
    /// Codes and links by mail or text message.
    Passwordless,
    /// Second factors.
    MultiFactorAuth,
    /// Authenticator apps.
    Totp,
    /// Roles in access tokens.
    UserRoles,
    /// Accounts at other providers.
    ThirdParty,
}

impl FrontRecipe {
    /// Every recipe.
    pub const ALL: [Self; 7] = [
        Self::EmailPassword,
        Self::EmailVerification,
        Self::MultiFactorAuth,
        Self::Passwordless,
        Self::ThirdParty,
        Self::Totp,
        Self::UserRoles,
    ];

    /// Its name, also in the `rid` header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EmailPassword => "emailpassword",
            Self::EmailVerification => "emailverification",
            Self::Passwordless => "passwordless",
            Self::MultiFactorAuth => "multifactorauth",
            Self::Totp => "totp",
            Self::UserRoles => "userroles",
            Self::ThirdParty => "thirdparty",
        }
    }
}

impl FrontConfig {
    /// Reads the settings; `None` if one of them breaks a rule.
    pub(super) fn read(values: &Values, flaws: &mut Flaws) -> Option<Self> {
        let api = Api::read(values, flaws);
        let websites = Websites::read(values, api.as_ref(), flaws);
        let recipes = flaws.keep(["recipe_list"], recipes(values));
        let app_name = flaws.keep(["app_name"], app_name(values));
        let linking = account_linking(values, recipes.as_deref(), flaws);
        let totp = app_name.as_deref().and_then(|name| flaws.keep(["totp_issuer"], totp(values, name)));
        let session = FrontSession::read(values, api.as_ref(), flaws);
        let fields = flaws.keep_json(form::KEY, form::sign_up_fields(values));
        let accounts = Accounts::read(values, flaws);
        let first_factors = flaws.keep(["first_factors"], first_factors(values));
        let limits = FrontLimits::read(values, flaws);
        let tenant_hosts = TenantHosts::read(values, api.as_ref(), flaws);
        Some(Self {
            app_name: app_name?,
            api: api?,
            websites: websites?,
            tenant_hosts: tenant_hosts?,
            session: session?,
            recipes: recipes?,
            limits: limits?,
            requires_verified_email: values.is("email_verification_mode", "REQUIRED"),
            sign_up_fields: fields?,
            accounts: accounts?,
            passwordless: Passwordless::read(values),
            first_factors: first_factors?,
            account_linking: linking?,
            totp: totp?,
            roles_in_token: !values.flag("skip_adding_roles_to_access_token"),
            permissions_in_token: !values.flag("skip_adding_permissions_to_access_token"),
        })
    }

    /// True if the front door serves this recipe.
    #[must_use]
    pub fn has(&self, recipe: FrontRecipe) -> bool {
        self.recipes.contains(&recipe)
    }

    /// The factors with which people can sign in here.
    #[must_use]
    pub fn available_first_factors(&self) -> Vec<&'static str> {
        let factors = self.recipes.iter().flat_map(|recipe| match recipe {
            FrontRecipe::EmailPassword => vec!["emailpassword"],
            FrontRecipe::Passwordless => self.passwordless.factors(),
            FrontRecipe::ThirdParty => vec!["thirdparty"],
            FrontRecipe::EmailVerification
            | FrontRecipe::MultiFactorAuth
            | FrontRecipe::Totp
            | FrontRecipe::UserRoles => Vec::new(),
        });
        factors.collect()
    }

    /// The factors that people can add here, in the order of the recipes.
    #[must_use]
    pub fn available_second_factors(&self) -> Vec<&'static str> {
        let factors = self.recipes.iter().flat_map(|recipe| match recipe {
            FrontRecipe::EmailPassword => vec!["emailpassword"],
            FrontRecipe::Passwordless => self.passwordless.factors(),
            FrontRecipe::Totp => vec!["totp"],
            FrontRecipe::EmailVerification
            | FrontRecipe::MultiFactorAuth
            | FrontRecipe::ThirdParty
            | FrontRecipe::UserRoles => Vec::new(),
        });
        factors.collect()
    }
}

/// Longest issuer, in bytes: it is part of a QR code.
const MAX_ISSUER: usize = 100;

fn account_linking(values: &Values, recipes: Option<&[FrontRecipe]>, flaws: &mut Flaws) -> Option<LinkingRule> {
    if values.is("account_linking", "always") {
        return Some(LinkingRule::Always);
    }
    if !values.is("account_linking", "verified") {
        return Some(LinkingRule::Off);
    }
    if recipes?.contains(&FrontRecipe::EmailVerification) {
        return Some(LinkingRule::Verified);
    }
    let sentence = "'account_linking' can be verified only with emailverification in 'recipe_list'";
    flaws.add(["account_linking", "recipe_list"], sentence);
    None
}

fn totp(values: &Values, app_name: &str) -> Result<FrontTotp, String> {
    let issuer = values.text("totp_issuer").unwrap_or(app_name);
    if !(1..=MAX_ISSUER).contains(&issuer.len()) {
        return Err(format!("'totp_issuer' must have 1 to {MAX_ISSUER} bytes"));
    }
    let number = |key| u32::try_from(values.unsigned(key)).unwrap_or(u32::MAX);
    let pace = Pace { period_s: number("totp_default_period"), skew: number("totp_default_skew") };
    Ok(FrontTotp { issuer: issuer.to_owned(), pace })
}

/// Longest name of an app, in bytes: it is part of subjects of mails.
const MAX_APP_NAME: usize = 100;

fn app_name(values: &Values) -> Result<String, String> {
    let name = values.text("app_name").unwrap_or_default();
    match name.len() {
        1..=MAX_APP_NAME => Ok(name.to_owned()),
        _ => Err(format!("'app_name' must have 1 to {MAX_APP_NAME} bytes")),
    }
}

fn recipes(values: &Values) -> Result<Vec<FrontRecipe>, String> {
    let mut recipes = Vec::new();
    for name in values.list("recipe_list") {
        let known = FrontRecipe::ALL.into_iter().find(|recipe| recipe.name() == name);
        let Some(recipe) = known else {
            let names = FrontRecipe::ALL.map(FrontRecipe::name).join(", ");
            return Err(format!("'recipe_list' must be a comma-separated list of {names}: '{name}' is none"));
        };
        if recipes.contains(&recipe) {
            return Err(format!("'recipe_list' names {name} twice"));
        }
        recipes.push(recipe);
    }
    // Without it a code would count for nothing.
    if recipes.contains(&FrontRecipe::Totp) && !recipes.contains(&FrontRecipe::MultiFactorAuth) {
        return Err("'recipe_list' with totp needs multifactorauth".to_owned());
    }
    Ok(recipes)
}

fn first_factors(values: &Values) -> Result<Option<BTreeSet<String>>, String> {
    if values.text("first_factors").is_none() {
        return Ok(None);
    }
    let factors: BTreeSet<String> = values.list("first_factors").map(str::to_owned).collect();
    if factors.is_empty() {
        return Err("'first_factors' must name a factor; leave it out to allow all".to_owned());
    }
    Ok(Some(factors))
}
