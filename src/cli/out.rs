//! What is written to the terminal: lines for a person, one JSON object a line for a program, problems beside them.
//!
//! Owns standard output and standard error, and knows that either may close at any time.

use std::fmt;
use std::io::{self, Write as _};

use serde::Serialize;

use crate::model::notice::Words;
use crate::model::shown;

/// Where lines go and in which form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    json: bool,
}

/// Standard output is closed: whoever read it has seen enough, and the program ends without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed;

/// Something that happened, for a program. Numbers are those of the journal.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Event {
    /// `upload`, `submit`, `state`, `download`, `done`, `notice`.
    #[serde(rename = "event")]
    pub(super) what: &'static str,
    /// The batch it is about.
    pub(super) batch: Option<u64>,
    /// The job it is about.
    pub(super) job: Option<u64>,
    /// The batch's or the job's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// Where we are with the job, in small letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    /// The platform's handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remote_id: Option<String>,
    /// Bytes moved so far, or the length of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Option<u64>,
    /// Bytes in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
    /// A file or folder on this computer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    /// Words for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

impl Out {
    /// For a program when `json`, else for a person.
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads it.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// A line for a person; nothing when a program reads.
    pub(super) fn line(self, line: impl fmt::Display) -> Result<(), Closed> {
        if self.json {
            return Ok(());
        }
        write_line(&shown::lines(&line.to_string()))
    }

    /// An event for a program; nothing when a person reads.
    pub(super) fn event(self, event: &Event) -> Result<(), Closed> {
        if self.json { object(event) } else { Ok(()) }
    }
}

/// An object that is the result itself, whoever reads.
pub(super) fn object(object: &impl Serialize) -> Result<(), Closed> {
    match serde_json::to_string(object) {
        Ok(line) => write_line(&steerless(&line)),
        Err(error) => {
            tracing::error!(%error, "a result could not be written as JSON");
            Ok(())
        }
    }
}

/// Something the person should know, on standard error.
pub(super) fn problem(words: &Words) {
    complain(&shown::lines(&words.sentence()));
}

/// JSON without characters that steer a terminal: `serde_json` escapes those below blank only. They can stand nowhere but in
/// texts, where this is the same text.
fn steerless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if shown::steers(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.extend(["\\u", &format!("{unit:04x}")]);
            }
        } else {
            out.push(character);
        }
    }
    out
}

/// A line on standard error. Nothing can be said about it when that is closed as well.
fn complain(line: &str) {
    if let Err(error) = writeln!(io::stderr().lock(), "{line}") {
        tracing::warn!(%error, "standard error is closed");
    }
}

fn write_line(line: &impl fmt::Display) -> Result<(), Closed> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|_closed| Closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_steers_the_terminal() {
        let hostile = "a\u{1b}[2J\u{9b}31m\u{7f}\u{202e}b\nü\u{e0041}";
        let event = Event {
            what: "notice",
            message: Some(hostile.to_owned()),
            ..Event::default()
        };
        let line = steerless(&serde_json::to_string(&event).unwrap());
        assert!(!line.chars().any(shown::steers), "{line:?}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["message"], hostile);
    }

    #[test]
    fn an_event_always_has_event_batch_and_job() {
        let event = Event {
            what: "notice",
            message: Some("Hello".to_owned()),
            ..Event::default()
        };
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event":"notice","batch":null,"job":null,"message":"Hello"}"#
        );
    }
}
