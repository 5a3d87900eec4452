//! Moments as people write them: RFC 3339 in, UTC out.

use crate::domain::time::UnixMillis;

/// Milliseconds since 1970 as `YYYY-MM-DD hh:mm:ss.mmmZ`.
pub(super) fn show(ms: u64) -> String {
    UnixMillis(ms).to_string().replacen('T', " ", 1)
}

/// Reads RFC 3339 (`2026-11-23T09:00:00Z`, `2026-11-23 10:00:00.5+01:00`) or a bare number of 10 digits (seconds since
/// 1970) or 13 (milliseconds): both mean moments from 2001 to 2286.
pub(super) fn read(text: &str) -> Result<u64, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let unit = match text.len() {
            10 => 1000,
            13 => 1,
            _ => return Err("a bare number has 10 digits (seconds since 1970) or 13 (milliseconds)".to_owned()),
        };
        return text.parse().map(|number: u64| number * unit).map_err(|error| error.to_string());
    }
    rfc3339(text).ok_or_else(|| "not a moment like 2026-11-23T09:00:00Z".to_owned())
}

fn rfc3339(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let offset = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign, shift) => {
            let [hours, minutes] = numbers(shift, ':', [2, 2])?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if sign == "-" { -1 } else { 1 }
        }
    };
    // Days from civil: the inverse of what `UnixMillis` shows.
    let march_year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    let minutes = (days * 24 + hour) * 60 + minute - offset;
    u64::try_from((minutes * 60 + second) * 1000 + millis).ok()
}

/// Numbers of the given digit counts, separated by `separator`.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = if plain { part.parse().ok()? } else { return None };
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_utc_dates() {
        assert_eq!(show(0), "1970-01-01 00:00:00.000Z");
        assert_eq!(show(951_782_400_123), "2000-02-29 00:00:00.123Z");
        assert_eq!(show(1_709_251_199_999), "2024-02-29 23:59:59.999Z");
        assert_eq!(show(4_102_444_800_000), "2100-01-01 00:00:00.000Z");
    }

    #[test]
    fn what_is_shown_can_be_read() {
        for ms in (0..5_000_000_000_000).step_by(12_345_678_901) {
            assert_eq!(read(&show(ms)), Ok(ms));
        }
    }

    #[test]
    fn zones_and_fractions_are_understood() {
        assert_eq!(read("2026-11-23T09:00:00Z"), Ok(1_795_424_400_000));
        assert_eq!(read("2026-11-23t10:00:00.5+01:00"), Ok(1_795_424_400_500));
        assert_eq!(read("2026-11-23 03:30:00.1234-05:30"), Ok(1_795_424_400_123));
        assert_eq!(read("2026-11-24T08:59:00+23:59"), Ok(1_795_424_400_000));
    }

    #[test]
    fn a_bare_number_is_read_by_its_length() {
        assert_eq!(read("1795424400000"), Ok(1_795_424_400_000));
        assert_eq!(read("1795424400"), Ok(1_795_424_400_000));
        for text in
            ["0", "179542440", "17954244000", "179542440000", "17954244000000", "1795424400000000", "+1795424400"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-11-23",
            "2026-11-23T09:00:00",
            "2026-11-23T09:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T09:00:00+1:00",
            "2026-11-23T09:00:00.Z",
            "1960-01-01T00:00:00Z",
            "2026-11-23T09:00:00Zulu",
            "2026-11-23T09:00:00+24:00",
            "2026-11-23T09:00:00-00:60",
            "2026-11-23T09:00:00+99:99",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
