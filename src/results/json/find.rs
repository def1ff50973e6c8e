//! Finding words in the names and values of JSON, as they read.

use crate::model::json::{JsonKind, JsonNode, JsonTree};
use regex::{Regex, RegexBuilder};

/// Longest words looked for, in bytes.
const MOST_WORDS_BYTES: usize = 4_096;

/// So many values are looked at between two words about how far it is.
const STEP_VALUES: usize = 4_096;

/// Every value with these words in its name or, where nothing is inside it, in itself; upper and lower case are the same.
/// `go_on` hears how many bytes were looked at and can stop it: then there is no answer.
pub fn places(tree: &JsonTree, words: &str, go_on: &dyn Fn(u64) -> bool) -> Option<Vec<u32>> {
    let mut places = Vec::new();
    let Some(pattern) = pattern(words) else {
        return Some(places);
    };
    for (number, node) in (0_u32..).zip(&tree.nodes) {
        if (number as usize).is_multiple_of(STEP_VALUES) && !go_on(u64::from(node.value.0)) {
            return None;
        }
        if is_in(tree, node, &pattern) {
            places.push(number);
        }
    }
    Some(places)
}

fn pattern(words: &str) -> Option<Regex> {
    let can = !words.is_empty() && words.len() <= MOST_WORDS_BYTES;
    let mut builder = RegexBuilder::new(&regex::escape(words));
    can.then(|| builder.case_insensitive(true).build().ok())?
}

fn is_in(tree: &JsonTree, node: &JsonNode, pattern: &Regex) -> bool {
    // Most are written as they read; only escapes need to be worked out.
    let name = tree.name_source(node);
    let in_name = if name.contains('\\') {
        let name = tree.name(node, usize::MAX);
        name.is_some_and(|name| pattern.is_match(&name))
    } else {
        pattern.is_match(within(name))
    };
    if in_name || node.kind.holds_others() {
        return in_name;
    }
    let value = tree.source(node);
    if node.kind != JsonKind::Text {
        pattern.is_match(value)
    } else if value.contains('\\') {
        pattern.is_match(&tree.value(node, usize::MAX))
    } else {
        pattern.is_match(within(value))
    }
}

fn within(quoted: &str) -> &str {
    let inner = quoted.strip_prefix('"').unwrap_or(quoted);
    inner.strip_suffix('"').unwrap_or(inner)
}

#[cfg(test)]
mod tests {
    use super::places;
    use crate::results::json::parse;
    use std::cell::Cell;

    fn found(text: &str, words: &str) -> Vec<u32> {
        let tree = parse(text.to_owned(), text.len() as u64).unwrap();
        places(&tree, words, &|_| true).unwrap()
    }

    #[test]
    fn names_and_values_are_found_as_they_read() {
        let text = r#"{"Nucleus": [1.50, "a nucleus", true], "n\u0075cleus": {"x": "say \"hi\""}}"#;
        assert_eq!(found(text, "NUCLEUS"), [1, 3, 5]);
        assert_eq!(found(text, "1.50"), [2]);
        assert_eq!(found(text, "1.5x"), [0; 0]);
        assert_eq!(found(text, "rue"), [4]);
        assert_eq!(found(text, "say \"hi\""), [6]);
        assert_eq!(found(text, "\\"), [0; 0], "no reader sees an escape");
        assert_eq!(found(text, "\""), [6], "nor the quotes around");
        assert_eq!(found(text, "["), [0; 0], "nor the brackets");
        assert_eq!(found(text, ""), [0; 0]);
        assert_eq!(found("\"Größe\"\n\"GRÖSSE\"", "grö"), [0, 1]);
    }

    #[test]
    fn a_search_is_stopped() {
        let text = format!("[{}7]", "7,".repeat(100_000));
        let tree = parse(text.clone(), text.len() as u64).unwrap();
        let asked = Cell::new(0);
        let stopped = places(&tree, "7", &|done| {
            asked.set(done);
            done < 50_000
        });
        assert_eq!(stopped, None);
        assert!((50_000..70_000).contains(&asked.get()), "{asked:?}");
        assert_eq!(places(&tree, "7", &|_| true).unwrap().len(), 100_001);
    }
}
