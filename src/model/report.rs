//! A report of a problem: the text a person reads and saves for whoever helps, with nothing in it that names people,
//! places or keys. [`Redaction`] takes those out again wherever they stand, also in lines of the log.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use crate::model::shown::on_one_line;

/// A report as far as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it says, redacted.
    pub text: String,
    /// Where it was saved, or why not in one sentence.
    pub saved: Option<Result<PathBuf, String>>,
}

/// Shortest text that is looked for: shorter ones stand in every other word.
const SHORTEST_CHARS: usize = 3;

static ADDRESS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]*"#).ok());
static EMAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"[^\s@"'<>(),:;=]+@[^\s@"'<>(),:;=]+"#).ok());
static QUERY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\?[^\s"'<>?]*=[^\s"'<>]*"#).ok());
/// A key, a signature or an identifier: long, without blanks, and no word.
static TOKEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9_+/=%.~-]{20,}").ok());

/// What is taken out of a report.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    /// A known text and what stands in its place; longest first.
    known: Vec<(String, String)>,
}

impl Redaction {
    /// Takes out this text wherever it stands.
    pub fn hide(&mut self, text: &str, instead: &str) {
        let text = text.trim();
        if text.chars().count() < SHORTEST_CHARS
            || self.known.iter().any(|(known, _)| known == text)
        {
            return;
        }
        self.known.push((text.to_owned(), instead.to_owned()));
        self.known
            .sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
    }

    /// Takes out a folder; what is below it stays to be seen.
    pub fn hide_folder(&mut self, folder: &Path, instead: &str) {
        self.hide(&folder.to_string_lossy(), instead);
    }

    /// One line without what must not leave this computer.
    pub fn line(&self, line: &str) -> String {
        let mut text = on_one_line(line);
        for (known, instead) in &self.known {
            if text.contains(known.as_str()) {
                text = text.replace(known.as_str(), instead);
            }
        }
        for (pattern, instead) in [
            (&ADDRESS, "[address]"),
            (&EMAIL, "[e-mail]"),
            (&QUERY, "?[query]"),
        ] {
            let Some(pattern) = pattern.as_ref() else {
                // Cannot be: the patterns are constants, and a test uses each.
                return String::new();
            };
            text = pattern.replace_all(&text, instead).into_owned();
        }
        let Some(token) = TOKEN.as_ref() else {
            return String::new();
        };
        token
            .replace_all(&text, |found: &regex::Captures<'_>| {
                let found = found.get(0).map_or("", |found| found.as_str());
                if is_words(found) {
                    found.to_owned()
                } else {
                    "[…]".to_owned()
                }
            })
            .into_owned()
    }
}

/// Whether a long piece is words after all, such as the path of one of our modules: small letters, parted, without digits.
fn is_words(piece: &str) -> bool {
    let parts = piece.split(['_', '-', '/', '.', '=']);
    piece
        .chars()
        .all(|character| character.is_ascii_lowercase() || "_-/.=".contains(character))
        && parts.into_iter().all(|part| part.len() < 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_names_people_places_or_keys_is_left() {
        let mut redaction = Redaction::default();
        redaction.hide_folder(Path::new("/home/someone"), "~");
        redaction.hide("Imaging core", "connection 1");
        redaction.hide("imaging.example.org", "[host]");
        redaction.hide("ab", "never");
        for (line, expected) in [
            ("read /home/someone/plate 7/a.tif", "read ~/plate 7/a.tif"),
            (
                "Imaging core at imaging.example.org",
                "connection 1 at [host]",
            ),
            (
                "GET https://me:pw@storage.example.org/a?X-Sig=1 failed",
                "GET [address] failed",
            ),
            ("by some.one+x@lab.example.org, later", "by [e-mail], later"),
            (
                "path /a/b?X-Amz-Signature=abc&x=1 end",
                "path /a/b?[query] end",
            ),
            ("key=abcdef0123456789abcdef0123456789", "[…]"),
            ("uuid 0a0a0a0a-0000-4000-8000-000000000001", "uuid […]"),
            (
                "in labferry_engine/dispatcher.worker",
                "in labferry_engine/dispatcher.worker",
            ),
            ("about what is", "about what is"),
            ("two\nlines\u{1b}[2J", "two lines\u{fffd}[2J"),
        ] {
            assert_eq!(redaction.line(line), expected);
        }
    }
}
