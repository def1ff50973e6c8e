//! Reads the sources and holds them to the layers: who may import whom, and what may not stand where.
//!
//! The compiler does not guard this inside one package. Only what is outside test modules counts.

mod platforms;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Lines without tests from which on a file is named in the test's output: look for the second thing hiding in it.
const LONG_FILE: usize = 400;

/// Most lines without tests.
const LONGEST_FILE: usize = 500;

/// Which layers a layer may name. `sandbox` includes the simulators in `providers/*/sim`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &["model"]),
    ("net", &["model", "net"]),
    ("providers", &["model", "net", "providers"]),
    ("store", &["model", "store"]),
    ("results", &["model", "results"]),
    (
        "engine",
        &["model", "net", "providers", "store", "results", "engine"],
    ),
    ("ui", &["model", "engine", "ui"]),
    ("sandbox", &["sandbox"]),
    // `check` and `table` look at files without an engine; the folders are where the data is.
    (
        "cli",
        &["model", "engine", "sandbox", "store", "results", "cli"],
    ),
    ("main", &["cli", "ui"]),
];

/// What the window may use of the engine.
const ENGINE_FOR_UI: &[&str] = &["Engine", "Busy", "command", "snapshot"];

/// Words that must not occur in the window's code: it never waits.
const NOT_IN_UI: &[&str] = &["async", "await", "tokio", "Mutex", "RwLock", "block_on"];

#[test]
fn the_layers_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    assert!(files.len() > 40, "only {} source files found", files.len());
    files.sort();
    let mut report = String::new();
    let mut hint = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file
            .strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/");
        let lines = lines_without_tests(&text);
        if lines > LONG_FILE {
            writeln!(hint, "src/{name} has {lines} lines without tests").unwrap();
        }
        for offence in offences(&name, &text) {
            writeln!(report, "src/{name}: {offence}").unwrap();
        }
    }
    print!("{hint}");
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn the_checker_can_fail() {
    for (name, text, expected) in [
        (
            "model/job.rs",
            "use crate::net::client::Http;",
            "model may not name net::client::Http",
        ),
        (
            "ui/jobs/list.rs",
            "use crate::engine::dispatcher::Dispatcher;",
            "the window may not name engine::dispatcher::Dispatcher",
        ),
        (
            "ui/jobs/list.rs",
            "use crate::engine::{Engine, dispatcher::Dispatcher};",
            "the window may not name engine::dispatcher::Dispatcher",
        ),
        (
            "ui/send.rs",
            "fn a() { std::fs::read(path); }",
            "the window may not use std::fs",
        ),
        (
            "ui/send.rs",
            "async fn a() {}",
            "the window may not use async",
        ),
        (
            "providers/biodock/mod.rs",
            "use crate::providers::analytics_automated::wire::Batch;",
            "platforms may not name each other: providers::analytics_automated::wire::Batch",
        ),
        (
            "providers/biodock/sim/mod.rs",
            "use super::wire::Reply;",
            "sandbox may not name providers::biodock::wire::Reply",
        ),
        (
            "providers/biodock/sim.rs",
            "use crate::net::client::Http;",
            "sandbox may not name net::client::Http",
        ),
        (
            "engine/worker.rs",
            "use crate::{model, net};",
            "imports by a group at the root: name each thing by its full path",
        ),
        (
            "engine/worker.rs",
            "use crate::model::job::*;",
            "imports by a star: name each thing",
        ),
    ] {
        let found = offences(name, &format!("//! Says what it owns.\n{text}"));
        assert!(
            found.iter().any(|offence| offence == expected),
            "{name}: {text}\n{found:#?}"
        );
    }
    assert_eq!(
        offences("model/job.rs", "struct Job;"),
        ["does not open with //!"]
    );
    let long = format!("//! Long.\n{}", "\n".repeat(LONGEST_FILE + 1));
    assert!(offences("model/job.rs", &long)[0].contains("lines"));
}

#[test]
fn the_checker_lets_good_code_pass() {
    for (name, text) in [
        ("ui/mod.rs", "use crate::engine::snapshot::Snapshot;"),
        (
            "ui/mod.rs",
            "// tokio, async, crate::net::client in a comment\nfn a() { let b = \"std::fs crate::net::x\"; }",
        ),
        (
            "providers/biodock/mod.rs",
            "use crate::providers::biodock::wire::Reply;\nuse crate::providers::Provider;",
        ),
        (
            "sandbox/mod.rs",
            "use crate::providers::{analytics_automated, biodock};\nfn a() { biodock::sim::router(); }",
        ),
        (
            "model/job.rs",
            "struct Job<'a>(&'a str);\n#[cfg(test)]\nmod tests { use super::*; use crate::net::client::Http; }",
        ),
    ] {
        let found = offences(name, &format!("//! Says what it owns.\n{text}"));
        assert!(found.is_empty(), "{name}: {text}\n{found:#?}");
    }
}

/// Every source file but `tests.rs` and what is in a folder `tests`: test modules in files of their own.
fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && path.file_name().is_some_and(|name| name != "tests.rs")
        {
            files.push(path);
        }
    }
}

fn lines_without_tests(text: &str) -> usize {
    without_tests(&blanked(text, true)).lines().count()
}

/// Everything wrong with one file, named by its path below `src`.
fn offences(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.trim_start().starts_with("//!") {
        found.push("does not open with //!".to_owned());
    }
    let bare = without_tests(&blanked(text, true));
    let lines = lines_without_tests(text);
    if lines > LONGEST_FILE {
        found.push(format!(
            "{lines} lines without tests: look for the second thing in it"
        ));
    }
    let layer = layer_of(name);
    if layer == "lib" {
        return found;
    }
    for path in named_paths(name, &bare) {
        found.extend(path_offence(name, layer, &path));
    }
    if bare.contains("::*") {
        found.push("imports by a star: name each thing".to_owned());
    }
    if bare.contains("crate::{") {
        found.push("imports by a group at the root: name each thing by its full path".to_owned());
    }
    if layer == "ui" {
        for word in NOT_IN_UI.iter().filter(|word| has_word(&bare, word)) {
            found.push(format!("the window may not use {word}"));
        }
        if bare.contains("std::fs") || bare.contains("use std::{fs") {
            found.push("the window may not use std::fs".to_owned());
        }
    }
    found
}

fn path_offence(name: &str, layer: &str, path: &str) -> Option<String> {
    let mut segments = path.split("::");
    let target = segments.next().unwrap_or_default();
    let second = segments.next().unwrap_or_default();
    let third = segments.next().unwrap_or_default();
    if layer == "sandbox" && target == "providers" {
        let is_sim = third == "sim" || third.is_empty();
        return (!is_sim).then(|| format!("sandbox may not name {path}"));
    }
    // An entry of the list of platforms says how its platform is simulated.
    if name == "providers/mod.rs" && path == "sandbox::simulator::Simulator" {
        return None;
    }
    let allowed = MAY_IMPORT
        .iter()
        .find(|(from, _)| *from == layer)
        .map_or(&[][..], |(_, to)| to);
    if !allowed.contains(&target) {
        return Some(format!("{layer} may not name {path}"));
    }
    if layer == "ui" && target == "engine" && !ENGINE_FOR_UI.contains(&second) {
        return Some(format!("the window may not name {path}"));
    }
    let own = name
        .strip_prefix("providers/")
        .and_then(|rest| rest.split_once('/'));
    if let Some((own, _)) = own
        && target == "providers"
        && second.starts_with(|character: char| character.is_ascii_lowercase())
        && !third.is_empty()
        && second != own
    {
        return Some(format!("platforms may not name each other: {path}"));
    }
    None
}

/// The layer of a file by its path below `src`.
fn layer_of(name: &str) -> &str {
    let mut segments = name.split(['/', '.']);
    let first = segments.next().unwrap_or_default();
    let third = segments.nth(1).unwrap_or_default();
    if first == "providers" && third == "sim" {
        return "sandbox";
    }
    first
}

/// Every path that starts with `crate::` or `super::`, as it reads from the root.
fn named_paths(name: &str, code: &str) -> Vec<String> {
    let module: Vec<&str> = name
        .trim_end_matches(".rs")
        .split('/')
        .filter(|segment| *segment != "mod")
        .collect();
    let mut paths = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if is_word(before) || before == ':' {
                continue;
            }
            let path: String = code[at..]
                .chars()
                .take_while(|character| is_word(*character) || *character == ':')
                .collect();
            let mut rest = path.as_str();
            let mut base: &[&str] = &[];
            if start == "super::" {
                base = &module;
                while let Some(after) = rest.strip_prefix("super::") {
                    rest = after;
                    base = &base[..base.len().saturating_sub(1)];
                }
            } else if let Some(after) = rest.strip_prefix("crate::") {
                rest = after;
            }
            let mut full = base.join("::");
            if !full.is_empty() && !rest.is_empty() {
                full.push_str("::");
            }
            full.push_str(rest);
            for member in members(&code[at + path.len()..]) {
                let named = format!("{full}{member}");
                let named = named.trim_end_matches(':');
                if !named.is_empty() {
                    paths.push(named.to_owned());
                }
            }
        }
    }
    paths
}

/// What stands in the braces that follow a path; without braces, one empty member.
fn members(behind: &str) -> Vec<String> {
    let inside = behind
        .strip_prefix('{')
        .and_then(|group| group.split('}').next());
    let Some(inside) = inside else {
        return vec![String::new()];
    };
    inside
        .split(',')
        .map(|member| {
            member
                .trim()
                .chars()
                .take_while(|c| is_word(*c) || *c == ':')
                .collect()
        })
        .filter(|member: &String| !member.is_empty() && member != "self")
        .collect()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        let after = code[at + word.len()..].chars().next().unwrap_or(' ');
        !is_word(before) && !is_word(after)
    })
}

/// The code up to its test module, which by our habit stands last.
fn without_tests(code: &str) -> String {
    let mut from = 0;
    while let Some(at) = code[from..].find("#[cfg(test)]") {
        let start = from + at;
        let rest = code[start + "#[cfg(test)]".len()..].trim_start();
        if rest.starts_with("mod ") || rest.starts_with("pub mod ") {
            return code[..start].to_owned();
        }
        from = start + 1;
    }
    code.to_owned()
}

/// The code with comments, and on request texts, replaced by blanks; lines and characters keep their places.
fn blanked(text: &str, texts_too: bool) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let rest = &characters[at..];
        let (length, blank) = token(rest, at.checked_sub(1).map(|before| characters[before]));
        let blank = match blank {
            Kind::Code => false,
            Kind::Comment => true,
            Kind::Text => texts_too,
        };
        for character in &rest[..length] {
            out.push(if blank && *character != '\n' {
                ' '
            } else {
                *character
            });
        }
        at += length;
    }
    out
}

enum Kind {
    Code,
    Comment,
    Text,
}

/// How long the next piece is, and what it is.
fn token(rest: &[char], before: Option<char>) -> (usize, Kind) {
    let starts = |word: &str| {
        word.chars()
            .enumerate()
            .all(|(at, c)| rest.get(at) == Some(&c))
    };
    if starts("//") {
        let length = rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
        return (length, Kind::Comment);
    }
    if starts("/*") {
        let end = rest.windows(2).position(|pair| pair == ['*', '/']);
        return (end.map_or(rest.len(), |end| end + 2), Kind::Comment);
    }
    if rest[0] == 'r' && !before.is_some_and(is_word) {
        let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
        if rest.get(1 + hashes) == Some(&'"') {
            let mut end = 2 + hashes;
            while end < rest.len() {
                if rest[end] == '"'
                    && rest[end + 1..]
                        .iter()
                        .take(hashes)
                        .filter(|c| **c == '#')
                        .count()
                        == hashes
                {
                    return (end + 1 + hashes, Kind::Text);
                }
                end += 1;
            }
            return (rest.len(), Kind::Text);
        }
    }
    if rest[0] == '"' {
        return (quoted(rest, '"'), Kind::Text);
    }
    // A lifetime has no second quote right behind one character.
    if rest[0] == '\'' && (rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'')) {
        return (quoted(rest, '\''), Kind::Text);
    }
    (1, Kind::Code)
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            character if character == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}
