//! `front_rate_limiting` and `front_rate_limits`: how often something may be asked for at the front door.

use crate::config::flaws::Flaws;
use crate::config::values::Values;
use crate::domain::limits::{ActionLimits, LimitedAction};
use crate::domain::rate::Rate;
use serde_json::Value;

/// The limits of an app's front door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontLimits([(LimitedAction, ActionLimits); LimitedAction::ALL.len()]);

const KEY: &str = "front_rate_limits";
/// The word for no limit.
const OFF: &str = "off";

/// A limit that is there unless it is set otherwise: an action, a member of its object, and the rate.
type DefaultLimit = (LimitedAction, &'static str, &'static str);

/// The limits without settings. People who share an address, an office say, do not reach them, and neither do honest
/// ones; an app with some ten thousand people does not reach those by app and country.
pub const DEFAULT_LIMITS: [DefaultLimit; 17] = [
    (LimitedAction::SignIn, "address", "100/10m"),
    (LimitedAction::SignIn, "account", "20/h"),
    (LimitedAction::SignIn, "app", "6000/10m"),
    (LimitedAction::SignUp, "address", "100/h"),
    (LimitedAction::SignUp, "account", "20/h"),
    (LimitedAction::SignUp, "app", "10000/h"),
    (LimitedAction::Mail, "address", "200/h"),
    (LimitedAction::Mail, "account", "10/h"),
    (LimitedAction::Mail, "app", "10000/h"),
    (LimitedAction::Text, "address", "30/h"),
    (LimitedAction::Text, "account", "5/h"),
    (LimitedAction::Text, "country", "500/h"),
    (LimitedAction::Text, "app", "2000/h"),
    (LimitedAction::Code, "address", "100/10m"),
    (LimitedAction::Code, "account", "20/h"),
    (LimitedAction::Code, "app", "6000/10m"),
    (LimitedAction::Lookup, "address", "600/10m"),
];

impl FrontLimits {
    /// The limits of an action.
    #[must_use]
    pub fn of(&self, action: LimitedAction) -> ActionLimits {
        self.0.iter().find(|(known, _)| *known == action).map(|(_, limits)| *limits).unwrap_or_default()
    }

    /// Reads the settings: the defaults, with those that are set in their place; `None` if one of them breaks a rule.
    pub(super) fn read(values: &Values, flaws: &mut Flaws) -> Option<Self> {
        let none = || Self(LimitedAction::ALL.map(|action| (action, ActionLimits::default())));
        let mut limits = none();
        for (action, member, rate) in DEFAULT_LIMITS {
            limits.set(action, member, Rate::parse(rate));
        }
        let mistakes = limits.replace(values.text(KEY).unwrap_or("{}"));
        let is_right = mistakes.is_empty();
        mistakes.into_iter().for_each(|sentence| flaws.add([KEY], sentence));
        is_right.then(|| if values.flag("front_rate_limiting") { limits } else { none() })
    }

    /// Sets the limits of a JSON object of actions; returns a sentence for each mistake, with its place.
    fn replace(&mut self, json: &str) -> Vec<String> {
        let sentence = "must be a JSON object of actions with their limits";
        let actions = match serde_json::from_str(json) {
            Ok(Value::Object(actions)) => actions,
            Ok(_) => return vec![format!("'{KEY}' {sentence}")],
            Err(error) => return vec![format!("'{KEY}' {sentence}: {error}")],
        };
        let mut mistakes = Vec::new();
        for (name, members) in actions {
            let Some(action) = LimitedAction::ALL.into_iter().find(|action| action.name() == name) else {
                let names = LimitedAction::ALL.map(LimitedAction::name).join(", ");
                mistakes.push(format!("'{KEY}.{name}' is not known: the actions are {names}"));
                continue;
            };
            match members {
                Value::Object(members) => {
                    let outcomes = members.iter().map(|(member, rate)| self.replace_one(action, member, rate));
                    mistakes.extend(outcomes.filter_map(Result::err));
                }
                _ => mistakes.push(format!("'{KEY}.{name}' must be a JSON object")),
            }
        }
        mistakes
    }

    fn replace_one(&mut self, action: LimitedAction, member: &str, rate: &Value) -> Result<(), String> {
        let place = format!("{KEY}.{}.{member}", action.name());
        let rate = rate.as_str().and_then(rate_or_off);
        let rate = rate.ok_or_else(|| format!("'{place}' must be a rate such as \"100/10m\", or \"{OFF}\""))?;
        if self.set(action, member, rate) {
            return Ok(());
        }
        let country = if action == LimitedAction::Text { ", country" } else { "" };
        Err(format!("'{place}' is not known: the limits are address, account{country}, app"))
    }

    /// Sets a limit; false if the action has no such member.
    fn set(&mut self, action: LimitedAction, member: &str, rate: Option<Rate>) -> bool {
        let Some((_, limits)) = self.0.iter_mut().find(|(known, _)| *known == action) else { return false };
        let slot = match member {
            "address" => &mut limits.address,
            "account" => &mut limits.account,
            "country" if action == LimitedAction::Text => &mut limits.country,
            "app" => &mut limits.app,
            _ => return false,
        };
        *slot = rate;
        true
    }
}

/// A rate, or `Some(None)` for none.
fn rate_or_off(text: &str) -> Option<Option<Rate>> {
    if text == OFF { Some(None) } else { Rate::parse(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_limit() {
        let mut limits = FrontLimits(LimitedAction::ALL.map(|action| (action, ActionLimits::default())));
        for (action, member, rate) in DEFAULT_LIMITS {
            assert!(
                Rate::parse(rate).is_some() && limits.set(action, member, Rate::parse(rate)),
                "{action:?} {member}"
            );
        }
    }
}
