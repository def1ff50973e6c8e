//! Numbers, times and counts as a person reads them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::provider::Budget;

/// A length in bytes, such as `1.2 MB`.
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    if unit == "B" || value >= 100.0 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// A duration, such as `8 s`, `4 min 5 s` or `2 h 10 min`.
pub fn duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0 {
        format!("{minutes} min {rest} s")
    } else {
        format!("{rest} s")
    }
}

/// The time between two moments, none when the clock went backwards.
pub fn between(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.as_second().saturating_sub(from.as_second());
    duration(u64::try_from(seconds).unwrap_or_default())
}

/// A moment in this computer's time zone, such as `2026-11-20 14:32`.
pub fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// A moment of today, such as `14:32`.
pub fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%H:%M")
        .to_string()
}

/// What is left of the requests a platform allows; none once its window has passed, since nobody knows then.
pub fn budget(budget: &Budget) -> Option<String> {
    (budget.renewed > Timestamp::now()).then(|| {
        format!(
            "{} of {} requests left, renewed {}",
            grouped(budget.left),
            grouped(budget.limit),
            clock(budget.renewed)
        )
    })
}

/// A moment to the second, such as `11-20 14:32:07`.
pub fn moment_in_timeline(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%m-%d %H:%M:%S")
        .to_string()
}

/// A count with its noun, such as `1 file` or `3 files`. `many` is the plural.
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{} {many}", grouped(number as u64))
    }
}

/// A noun with its article, such as `an analysis job`.
pub fn a(noun: &str) -> String {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        format!("an {noun}")
    } else {
        format!("a {noun}")
    }
}

/// Names one after the other, such as `A, B and C`.
pub fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// A number with thin groups of three, such as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_234_567, "1.2 MB"),
            (150_000_000, "150 MB"),
            (2_000_000_000_000_000, "2000 TB"),
        ] {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(duration(7), "7 s");
        assert_eq!(duration(245), "4 min 5 s");
        assert_eq!(duration(7_800), "2 h 10 min");
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(123), "123");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(a("task"), "a task");
        assert_eq!(a("analysis job"), "an analysis job");
        assert_eq!(listed(&["A"]), "A");
        assert_eq!(listed(&["A", "B", "C"]), "A, B and C");
        assert_eq!(count(1, "file", "files"), "1 file");
        assert_eq!(count(1_000, "file", "files"), "1,000 files");
    }
}
