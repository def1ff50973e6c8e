//! JSON as a tree over its own text: nothing is converted, so numbers and names are as they stand in the file.

use std::ops::Range;
use std::sync::Arc;

use crate::model::search::{Goal, Search};

/// The open JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonPage {
    /// Its values.
    pub tree: Arc<JsonTree>,
    /// What is looked for.
    pub search: Option<Search>,
    /// The value to scroll to.
    pub goal: Option<Goal>,
}

/// A JSON text and where its values are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonTree {
    /// The whole text.
    pub text: String,
    /// Every value, in the order of the text; those inside a value follow it.
    pub nodes: Vec<JsonNode>,
    /// Values at the top; more than one where each line is a value of its own.
    pub tops: u32,
    /// Length of the file in bytes.
    pub size_bytes: u64,
}

/// One value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonNode {
    /// What it is.
    pub kind: JsonKind,
    /// Bytes of its name with the quotes; empty where it has none.
    pub name: (u32, u32),
    /// Bytes of the value.
    pub value: (u32, u32),
    /// The first node that is not inside it.
    pub next: u32,
    /// Values directly inside it.
    pub count: u32,
    /// How many values it is inside of.
    pub depth: u32,
}

/// What a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JsonKind {
    /// With names.
    Object,
    /// Without names.
    Array,
    /// In quotes.
    Text,
    /// A number.
    Number,
    /// `true`, `false` or `null`.
    #[default]
    Word,
}

impl JsonKind {
    /// Whether it can be folded.
    pub const fn holds_others(self) -> bool {
        match self {
            Self::Object | Self::Array => true,
            Self::Text | Self::Number | Self::Word => false,
        }
    }
}

impl JsonTree {
    /// The name of a value, as it reads.
    pub fn name(&self, node: &JsonNode, most_chars: usize) -> Option<String> {
        let name = self.name_source(node);
        (!name.is_empty()).then(|| unescape(name, most_chars))
    }

    /// A value as it reads: a text without its quotes and escapes, anything else to the digit as it stands.
    pub fn value(&self, node: &JsonNode, most_chars: usize) -> String {
        let value = self.slice(node.value);
        match node.kind {
            JsonKind::Text => unescape(value, most_chars),
            JsonKind::Object | JsonKind::Array | JsonKind::Number | JsonKind::Word => {
                value.chars().take(most_chars).collect()
            }
        }
    }

    /// The name of a value as it stands in the file, with its quotes; empty where it has none.
    pub fn name_source(&self, node: &JsonNode) -> &str {
        self.slice(node.name)
    }

    /// A value as it stands in the file.
    pub fn source(&self, node: &JsonNode) -> &str {
        self.slice(node.value)
    }

    fn slice(&self, (from, to): (u32, u32)) -> &str {
        let range: Range<usize> = from as usize..to as usize;
        self.text.get(range).unwrap_or_default()
    }
}

/// What a quoted text means, at most so many characters of it. Halves of letters that stand alone become `\u{fffd}`.
fn unescape(quoted: &str, most_chars: usize) -> String {
    let inner = quoted.strip_prefix('"').unwrap_or(quoted);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut text = String::new();
    let mut letters = inner.chars();
    let mut half: Option<u16> = None;
    for _ in 0..most_chars {
        let Some(letter) = letters.next() else {
            break;
        };
        let unit = match letter {
            '\\' => match letters.next() {
                Some('u') => hex(&mut letters),
                Some('n') => u16::from(b'\n'),
                Some('t') => u16::from(b'\t'),
                Some('r') => u16::from(b'\r'),
                Some('b') => 8,
                Some('f') => 12,
                Some(other) => {
                    flush(&mut half, &mut text);
                    text.push(other);
                    continue;
                }
                None => break,
            },
            letter => {
                flush(&mut half, &mut text);
                text.push(letter);
                continue;
            }
        };
        let pair = half.take().map_or(vec![unit], |first| vec![first, unit]);
        if (0xD800..0xDC00).contains(&unit) && pair.len() == 1 {
            half = Some(unit);
        } else {
            text.extend(char::decode_utf16(pair).map(|unit| unit.unwrap_or('\u{fffd}')));
        }
    }
    flush(&mut half, &mut text);
    text
}

fn flush(half: &mut Option<u16>, text: &mut String) {
    if half.take().is_some() {
        text.push('\u{fffd}');
    }
}

fn hex(letters: &mut std::str::Chars<'_>) -> u16 {
    let digits = letters.by_ref().take(4);
    digits.fold(0, |number, digit| {
        let digit = digit.to_digit(16).unwrap_or_default();
        (number << 4) | u16::try_from(digit).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn a_text_reads_as_it_was_meant() {
        for (quoted, meant) in [
            (r#""a\"b\\c\/d""#, "a\"b\\c/d"),
            (r#""世\u754c""#, "世界"),
            (r#""\ud83d\ude00!""#, "😀!"),
            (r#""\ud83d x""#, "\u{fffd} x"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\n""#, "\u{fffd}\n"),
            (r#""""#, ""),
        ] {
            assert_eq!(unescape(quoted, 100), meant, "{quoted}");
        }
        assert_eq!(unescape("\"abcdef\"", 3), "abc");
    }
}
