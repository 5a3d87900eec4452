//! `front_rate_limiting` and `front_rate_limits`: how often something may be asked for at the front door.

use crate::config::flaws::Flaws;
use crate::config::values::Values;
use crate::domain::json::reader::{ConfigFlaw, Notes, Reader, parse};
use crate::domain::limits::{ActionLimits, LimitedAction};
use crate::domain::rate::Rate;

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
        flaws.keep_json(KEY, limits.replace(values.text(KEY).unwrap_or("{}")))?;
        Some(if values.flag("front_rate_limiting") { limits } else { none() })
    }

    /// Sets the limits of a JSON object of actions.
    fn replace(&mut self, text: &str) -> Result<(), Vec<ConfigFlaw>> {
        let json = parse(text, KEY).map_err(|flaw| vec![flaw])?;
        let notes = Notes::default();
        if let Some(actions) = Reader::of(&json, KEY.to_owned(), &notes, true) {
            for (name, _) in actions.entries() {
                match LimitedAction::ALL.into_iter().find(|action| action.name() == name) {
                    Some(action) => self.replace_of(action, actions.inner(name)),
                    None => {
                        let names = LimitedAction::ALL.map(LimitedAction::name).join(", ");
                        actions.note(name, &format!("is unknown: the actions are {names}"));
                    }
                }
            }
        }
        notes.or(())
    }

    /// Sets the limits of one action.
    fn replace_of(&mut self, action: LimitedAction, members: Option<Reader<'_>>) {
        let Some(members) = members else { return };
        for (member, rate) in members.entries() {
            match rate.as_str().and_then(rate_or_off) {
                None => members.note(member, &format!("must be a rate such as \"100/10m\", or \"{OFF}\"")),
                Some(rate) if self.set(action, member, rate) => {}
                Some(_) => {
                    let country = if action == LimitedAction::Text { ", country" } else { "" };
                    members.note(member, &format!("is unknown: the limits are address, account{country}, app"));
                }
            }
        }
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
