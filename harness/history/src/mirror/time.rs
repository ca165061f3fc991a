//! Times as the API writes them: in UTC, in whole seconds.

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A time of RFC 3339 in the API's format: fractions are cut off, as the API does it. Empty for the
/// year 1, by which Docker means "never". A text that is no time stays as it is.
pub(super) fn in_api_format(text: &str) -> String {
    match unix_seconds(text) {
        Some(seconds) => formatted(seconds),
        None => text.to_owned(),
    }
}

/// Seconds since 1970 of a time like `2026-01-02T03:04:05.678+01:00`, without the fraction.
pub(crate) fn unix_seconds(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok().map(i64::from);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let zone = text.get(19..)?.trim_start_matches(|letter: char| ".0123456789".contains(letter));
    // Of `.5+01:00` the digits before the sign are a fraction, and those behind it the offset.
    let offset = match zone.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), offset @ ..] if offset.len() == 5 => {
            let minutes = |at: &[u8]| std::str::from_utf8(at).ok()?.parse::<u8>().ok();
            let offset = i64::from(minutes(&offset[..2])?) * 60 + i64::from(minutes(&offset[3..])?);
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let days = days_from_civil(year, month, day);
    Some(days * DAY + hour * 3600 + (minute - offset) * 60 + second)
}

fn formatted(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = civil_from_days(days);
    // A time zone may move the first of January of the year 1 into the year before.
    if (year, month, day) <= (1, 1, 1) {
        return String::new();
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Days since 1970 of a date. Years begin in March here, so that the leap day is a year's last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (years + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::in_api_format;

    #[rstest]
    #[case("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z")]
    #[case("2026-01-02T03:04:05.999999999Z", "2026-01-02T03:04:05Z")]
    #[case("2026-01-02T03:04:05.5+02:30", "2026-01-02T00:34:05Z")]
    #[case("2025-12-31T23:30:00-01:00", "2026-01-01T00:30:00Z")]
    #[case("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z")]
    #[case("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z")]
    #[case("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z")]
    #[case("0001-01-01T00:00:00Z", "")]
    #[case("0001-01-01T00:00:00+01:00", "")]
    #[case("", "")]
    #[case("soon", "soon")]
    #[case("2026-01-02T03:04:05", "2026-01-02T03:04:05")]
    fn a_time_is_in_utc_and_whole_seconds(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(in_api_format(text), expected);
    }
}
