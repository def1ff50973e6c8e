//! Writing cells so that a spreadsheet leaves them as they are.
//!
//! Opening a CSV, Excel turns `007` into 7, `1E5` and `MARCH1` into a number and a date, and rounds numbers of more than
//! fifteen digits (Ziemann, Eren and El-Osta 2016, doi:10.1186/s13059-016-1044-7). A cell written as the formula `="007"` stays a
//! text. A cell that begins with `=`, `+`, `-` or `@` and is no number would be run as a formula; it is written the same way.

use crate::results::table::number::{self, Value};

/// Digits a spreadsheet keeps of a number.
const KEPT_DIGITS: usize = 15;

/// Names of months, as spreadsheets recognize them in the languages genes are written in.
const MONTHS: [&str; 14] = [
    "jan", "feb", "mar", "march", "apr", "april", "may", "jun", "jul", "aug", "sep", "sept", "oct",
    "dec",
];

/// How numbers are written in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Between cells: `;` where the comma is the decimal mark.
    pub separator: u8,
    pub decimal: char,
}

/// A cell for a spreadsheet, and whether it had to be protected.
pub(crate) fn spreadsheet_cell(cell: &str, decimal: char, region: Region) -> (String, bool) {
    if needs_protection(cell, decimal) {
        return (format!("=\"{}\"", cell.replace('"', "\"\"")), true);
    }
    let mark = u8::try_from(decimal).unwrap_or(b'.');
    let is_number = number::number(cell.as_bytes(), mark).is_some();
    if is_number && decimal != region.decimal {
        let mut turned = [0_u8; 4];
        return (
            cell.replace(decimal, region.decimal.encode_utf8(&mut turned)),
            false,
        );
    }
    (cell.to_owned(), false)
}

/// Whether a spreadsheet would change a cell.
pub(crate) fn needs_protection(cell: &str, decimal: char) -> bool {
    let text = cell.trim();
    let Some(first) = text.chars().next() else {
        return false;
    };
    let mark = u8::try_from(decimal).unwrap_or(b'.');
    if let Some(Value::Number { whole, .. }) = number::number(text.as_bytes(), mark) {
        let digits = text.trim_start_matches(['-', '+']);
        let led = digits.len() > 1
            && digits.starts_with('0')
            && digits
                .chars()
                .nth(1)
                .is_some_and(|second| second.is_ascii_digit());
        // `1E5` is a well or a clone as often as a number; `1.2e-5` is a number.
        let exponent = !digits.contains(decimal)
            && digits.contains(['e', 'E'])
            && !digits.contains(['-', '+']);
        let long = digits.chars().filter(char::is_ascii_digit).count() > KEPT_DIGITS;
        return led || exponent || (whole && long);
    }
    matches!(first, '=' | '+' | '-' | '@') && text.len() > 1 || looks_like_a_date(text)
}

/// `MARCH1`, `SEP-2`, `1-2`, `3/4`, `2-SEP`: what spreadsheets take for dates that a person did not mean as one.
fn looks_like_a_date(text: &str) -> bool {
    let small = text.to_lowercase();
    let parts: Vec<&str> = small.split(['-', '/', ' ']).collect();
    let is_day = |part: &str| {
        (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    match parts.as_slice() {
        [one] => MONTHS.iter().any(|month| {
            one.strip_prefix(month).is_some_and(|rest| {
                (1..=4).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit())
            })
        }),
        [a, b] => {
            let month = |part: &str| MONTHS.contains(&part);
            (is_day(a) && is_day(b)) || (month(a) && is_day(b)) || (is_day(a) && month(b))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::results::table::protect::{Region, needs_protection, spreadsheet_cell};

    const GERMAN: Region = Region {
        separator: b';',
        decimal: ',',
    };

    #[test]
    fn what_a_spreadsheet_would_change_is_protected() {
        for cell in [
            "007",
            "00",
            "-01",
            "1E5",
            "2e10",
            "9007199254740993",
            "=1+1",
            "+x",
            "-x",
            "@a",
            "MARCH1",
            "SEPT2",
            "Sep-2",
            "2-SEP",
            "1-2",
            "3/4",
            "DEC1",
        ] {
            assert!(needs_protection(cell, '.'), "{cell}");
        }
        for cell in [
            "",
            "0",
            "7",
            "0.5",
            "-1.5",
            "1.2e-5",
            "A1",
            "2026-11-20",
            "marching",
            "decoy",
            "-",
            "a=b",
            "123456789012345",
            "1.5",
            "x 1-2",
            "0.12345678901234567890",
        ] {
            assert!(!needs_protection(cell, '.'), "{cell}");
        }
    }

    #[test]
    fn numbers_get_the_decimal_mark_of_the_region() {
        assert_eq!(
            spreadsheet_cell("1.5", '.', GERMAN),
            ("1,5".to_owned(), false)
        );
        assert_eq!(
            spreadsheet_cell("v1.5", '.', GERMAN),
            ("v1.5".to_owned(), false)
        );
        assert_eq!(
            spreadsheet_cell("1,5", ',', GERMAN),
            ("1,5".to_owned(), false)
        );
        assert_eq!(
            spreadsheet_cell("0\"7", '.', GERMAN),
            ("0\"7".to_owned(), false)
        );
        assert_eq!(
            spreadsheet_cell("007", '.', GERMAN),
            ("=\"007\"".to_owned(), true)
        );
    }
}
