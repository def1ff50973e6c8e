//! Which cells are numbers, and which are missing.
//!
//! A number is what a person would read as one: digits with at most one decimal mark, a sign, an exponent. `007` is a
//! number for sorting and stays `007` on screen. The words for a missing value are those that R, pandas and spreadsheets
//! write (`NA`, `NaN`, `null`, `#N/A`…).

use std::borrow::Cow;

/// Words for a missing value, in small letters.
const MISSING: [&[u8]; 9] = [
    b"na", b"n/a", b"nan", b"null", b"none", b"#n/a", b"<na>", b"-nan", b"#na",
];

/// Longest number that is read; longer ones are texts of digits.
const LONGEST: usize = 64;

/// Digits that a 64-bit float keeps whatever they are (IEEE 754: 53 bits, 15.95 decimal digits).
const EXACT_DIGITS: usize = 15;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Missing,
    /// The number, and whether the cell is a whole number written in digits only.
    Number {
        value: f64,
        whole: bool,
        /// Whether `value` is exactly the number written: not so for identifiers of more than fifteen digits.
        exact: bool,
    },
    Text(Cow<'a, [u8]>),
}

/// Reads a cell whose decimal mark is known.
pub(crate) fn value(cell: Option<Cow<'_, [u8]>>, decimal: u8) -> Value<'_> {
    let Some(cell) = cell else {
        return Value::Missing;
    };
    if let Some(number) = number(&cell, decimal) {
        return number;
    }
    if is_missing(&cell) {
        return Value::Missing;
    }
    Value::Text(cell)
}

/// Whether a cell is empty, blank or a word for a missing value.
pub(crate) fn is_missing(cell: &[u8]) -> bool {
    let cell = cell.trim_ascii();
    cell.is_empty()
        || (cell.len() <= 4 && MISSING.iter().any(|word| cell.eq_ignore_ascii_case(word)))
}

/// The number a cell is, if it is one.
pub(crate) fn number(cell: &[u8], decimal: u8) -> Option<Value<'static>> {
    let text = cell.trim_ascii();
    let first = *text.first()?;
    if text.len() > LONGEST
        || !(first.is_ascii_digit() || matches!(first, b'-' | b'+') || first == decimal)
    {
        return None;
    }
    let mut digits = 0_usize;
    let mut marks = 0_usize;
    let mut exponent = false;
    for byte in text {
        match *byte {
            b'0'..=b'9' => digits += usize::from(!exponent),
            b'e' | b'E' if !exponent && digits > 0 => exponent = true,
            b'-' | b'+' => {}
            byte if byte == decimal && !exponent => marks += 1,
            _ => return None,
        }
    }
    if digits == 0 || marks > 1 {
        return None;
    }
    let value: f64 = if decimal == b'.' || marks == 0 {
        std::str::from_utf8(text).ok()?.parse().ok()?
    } else {
        let mut pointed = [0_u8; LONGEST];
        for (to, byte) in pointed.iter_mut().zip(text) {
            *to = if *byte == decimal { b'.' } else { *byte };
        }
        let pointed = pointed.get(..text.len())?;
        std::str::from_utf8(pointed).ok()?.parse().ok()?
    };
    // Beyond what a float holds: a text of digits.
    if !value.is_finite() {
        return None;
    }
    Some(Value::Number {
        value,
        whole: marks == 0 && !exponent,
        exact: digits <= EXACT_DIGITS,
    })
}

/// A number as an integer of the same order: negative zero is zero, and no number is not a number.
pub(crate) fn ordered(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    }
}

#[cfg(test)]
mod tests {
    use crate::results::table::number::{Value, is_missing, number, ordered, value};
    use std::borrow::Cow;

    fn of(text: &str, decimal: u8) -> Option<f64> {
        match number(text.as_bytes(), decimal)? {
            Value::Number { value, .. } => Some(value),
            Value::Missing | Value::Text(_) => None,
        }
    }

    #[test]
    fn numbers_are_what_a_person_reads_as_one() {
        for (text, expected) in [
            ("1", Some(1.0)),
            ("007", Some(7.0)),
            (" 1.50 ", Some(1.5)),
            ("-2.5e-3", Some(-0.0025)),
            ("+3", Some(3.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1E5", Some(1e5)),
            ("1,5", None),
            ("1.2.3", None),
            ("12-03", None),
            ("2026-11-20", None),
            ("1e", None),
            ("e5", None),
            ("-", None),
            ("", None),
            ("inf", None),
            ("nan", None),
            ("0x10", None),
            ("1_000", None),
            ("A1", None),
            ("1 000", None),
            ("1e999", None),
        ] {
            assert_eq!(of(text, b'.'), expected, "{text:?}");
        }
        assert_eq!(of("1,5", b','), Some(1.5));
        assert_eq!(of("-0,25e2", b','), Some(-25.0));
        assert_eq!(of("1.5", b','), None);
        assert_eq!(of("12", b','), Some(12.0));
    }

    #[test]
    fn long_identifiers_are_known_not_to_fit() {
        let exact = |text: &str| match number(text.as_bytes(), b'.') {
            Some(Value::Number { exact, .. }) => exact,
            _ => panic!("{text}"),
        };
        assert!(exact("999999999999999"));
        assert!(!exact("9007199254740993"));
    }

    #[test]
    fn missing_values() {
        for text in ["", "  ", "NA", "nan", "N/A", "null", "#N/A", "None", "<NA>"] {
            assert!(is_missing(text.as_bytes()), "{text:?}");
            assert_eq!(
                value(Some(Cow::Borrowed(text.as_bytes())), b'.'),
                Value::Missing
            );
        }
        for text in ["0", "-", "nano", "Nat", "NULLS"] {
            assert!(!is_missing(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn the_order_of_numbers_is_kept() {
        let sorted = [
            f64::NEG_INFINITY,
            -2.0,
            -1e-300,
            0.0,
            1e-300,
            1.0,
            2.0,
            1e300,
        ];
        for pair in sorted.windows(2) {
            assert!(ordered(pair[0]) < ordered(pair[1]), "{pair:?}");
        }
        assert_eq!(ordered(-0.0), ordered(0.0));
    }
}
