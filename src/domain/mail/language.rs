//! The languages of mails, and lifetimes in words.

use crate::table::table;
use serde::{Deserialize, Serialize};

table! {
    /// A language that we have words in.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Language {
        /// English.
        #[default]
        En, "en";
        /// German.
        De, "de";
        /// French.
        Fr, "fr";
        /// Spanish.
        Es, "es";
        /// Portuguese.
        Pt, "pt";
        /// Japanese.
        Ja, "ja";
    }
}

/// A unit of time in a language: for one, for several, and what separates it from the number.
struct Unit {
    one: &'static str,
    several: &'static str,
}

const fn unit(one: &'static str, several: &'static str) -> Unit {
    Unit { one, several }
}

impl Language {
    /// The language of a tag (`de`, `de-AT`, `pt_BR`), if it is one of ours.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.name().eq_ignore_ascii_case(primary))
    }

    /// A lifetime in words: seconds below a minute, whole minutes below an hour, then hours with at most one decimal,
    /// which is cut and not rounded, so that no more is promised than is kept.
    #[must_use]
    pub fn lifetime(self, lifetime_ms: u64) -> String {
        let [second, minute, hour] = self.units();
        let seconds = lifetime_ms / 1000;
        match seconds {
            0..60 => self.counted(seconds * 10, &second),
            60..3600 => self.counted(seconds / 60 * 10, &minute),
            _ => self.counted(seconds / 360, &hour),
        }
    }

    /// A number of tenths with its unit.
    fn counted(self, tenths: u64, unit: &Unit) -> String {
        let (whole, rest) = (tenths / 10, tenths % 10);
        let mark = if matches!(self, Self::En | Self::Ja) { '.' } else { ',' };
        let number = if rest == 0 { whole.to_string() } else { format!("{whole}{mark}{rest}") };
        // French and Portuguese use the plural from two on.
        let is_one = if matches!(self, Self::Fr | Self::Pt) { whole < 2 } else { tenths == 10 };
        let gap = if self == Self::Ja { "" } else { " " };
        format!("{number}{gap}{}", if is_one { unit.one } else { unit.several })
    }

    const fn units(self) -> [Unit; 3] {
        match self {
            Self::En => [unit("second", "seconds"), unit("minute", "minutes"), unit("hour", "hours")],
            Self::De => [unit("Sekunde", "Sekunden"), unit("Minute", "Minuten"), unit("Stunde", "Stunden")],
            Self::Fr => [unit("seconde", "secondes"), unit("minute", "minutes"), unit("heure", "heures")],
            Self::Es => [unit("segundo", "segundos"), unit("minuto", "minutos"), unit("hora", "horas")],
            Self::Pt => [unit("segundo", "segundos"), unit("minuto", "minutos"), unit("hora", "horas")],
            Self::Ja => [unit("秒", "秒"), unit("分", "分"), unit("時間", "時間")],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_words() {
        let english = |ms| Language::En.lifetime(ms);
        assert_eq!(english(1_000), "1 second");
        assert_eq!(english(59_999), "59 seconds");
        assert_eq!(english(60_000), "1 minute");
        assert_eq!(english(900_000), "15 minutes");
        assert_eq!(english(3_599_999), "59 minutes");
        assert_eq!(english(3_600_000), "1 hour");
        assert_eq!(english(5_400_000), "1.5 hours");
        assert_eq!(english(7_199_000), "1.9 hours");
        assert_eq!(english(86_400_000), "24 hours");
        assert_eq!(english(0), "0 seconds");
    }

    #[test]
    fn each_language_has_its_plural_and_its_mark() {
        let all = |ms: u64| Language::ALL.map(|language| language.lifetime(ms)).join(" | ");
        assert_eq!(all(3_600_000), "1 hour | 1 Stunde | 1 heure | 1 hora | 1 hora | 1時間");
        assert_eq!(all(5_400_000), "1.5 hours | 1,5 Stunden | 1,5 heure | 1,5 horas | 1,5 hora | 1.5時間");
        assert_eq!(all(900_000), "15 minutes | 15 Minuten | 15 minutes | 15 minutos | 15 minutos | 15分");
    }

    #[test]
    fn tags_with_a_region_are_understood() {
        assert_eq!(Language::from_tag("de-AT"), Some(Language::De));
        assert_eq!(Language::from_tag("PT_br"), Some(Language::Pt));
        assert_eq!(Language::from_tag("den"), None);
        assert_eq!(Language::from_tag(""), None);
    }
}
