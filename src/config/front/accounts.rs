//! Who may sign up, with which password, and who may know of it.

use crate::config::flaws::Flaws;
use crate::config::values::Values;
use crate::domain::user::sign_up::{DomainSet, SignUpRules};

/// Rules about accounts of the front door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// Who may sign up; may differ between tenants.
    pub sign_up: SignUpRules,
    /// Whether new passwords that are easily guessed are refused.
    pub refuses_common_passwords: bool,
    /// Whether routes tell anybody who has an account.
    pub are_told: bool,
}

impl Accounts {
    /// Reads the settings; `None` if one of them breaks a rule.
    pub(super) fn read(values: &Values, flaws: &mut Flaws) -> Option<Self> {
        let [allowed, blocked] =
            ["sign_up_allowed_domains", "sign_up_blocked_domains"].map(|key| flaws.keep([key], domains(values, key)));
        Some(Self {
            sign_up: SignUpRules { is_open: !values.is("sign_up", "off"), allowed: allowed?, blocked: blocked? },
            refuses_common_passwords: values.flag("refuse_common_passwords"),
            are_told: values.flag("account_exists_api"),
        })
    }
}

fn domains(values: &Values, key: &str) -> Result<DomainSet, String> {
    let wanted = "a comma-separated list of domains such as example.com, which stands for those below it, too";
    DomainSet::parse(values.list(key)).map_err(|text| format!("'{key}' must be {wanted}: '{text}' is none"))
}
