//! Adding a platform is one folder and two literal lines in `providers/mod.rs`: nothing else in the sources names one, by
//! path, by word or by the prefix of its endpoints.
//!
//! Comments and test modules may, as may what the command line prints from a comment, which is looked at by itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use labferry::providers;

use super::{blanked, rust_files, without_tests};

/// A platform by everything that could give it away.
struct Platform {
    /// Its folder below `src/providers`, which is its module.
    folder: String,
    /// Its name without blanks, dashes and underscores, in small letters.
    bare: String,
    /// What its endpoints start with, as faults name them.
    prefixes: BTreeSet<String>,
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn platforms() -> Vec<Platform> {
    let all = providers::ALL.iter().map(|entry| {
        let word = entry.facts.id.as_str();
        let endpoints = entry.simulator.endpoints.iter();
        let prefixes = endpoints
            .filter_map(|name| name.split_once('.'))
            .map(|(prefix, _)| prefix.to_owned())
            // The storage is nobody's.
            .filter(|prefix| prefix != "storage")
            .collect();
        Platform {
            folder: word.replace('-', "_"),
            bare: bare(word),
            prefixes,
        }
    });
    all.collect()
}

/// Without what may stand between the words of a name.
fn bare(text: &str) -> String {
    text.chars()
        .filter(|character| !matches!(character, ' ' | '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Every line of one file that names one of these platforms.
fn naming(name: &str, text: &str, platforms: &[Platform]) -> Vec<String> {
    let own = name
        .strip_prefix("providers/")
        .and_then(|rest| rest.split('/').next());
    if own == Some("mod.rs") {
        return Vec::new();
    }
    let code_length = without_tests(&blanked(text, true)).chars().count();
    let code: String = blanked(text, false).chars().take(code_length).collect();
    // A comment on a flag is its help, which is printed.
    let printed = if name == "cli/arguments.rs" {
        text
    } else {
        &code
    };
    let mut found = Vec::new();
    for (number, line) in printed.lines().enumerate() {
        let squeezed = bare(line);
        for platform in platforms {
            if own == Some(platform.folder.as_str()) {
                continue;
            }
            let endpoint = platform
                .prefixes
                .iter()
                .any(|prefix| line.contains(&format!("\"{prefix}.")));
            if squeezed.contains(&platform.bare) || endpoint {
                let line_number = number + 1;
                let folder = &platform.folder;
                found.push(format!("src/{name}:{line_number} names {folder}: {line}"));
            }
        }
    }
    found
}

#[test]
fn only_its_folder_and_the_list_name_a_platform() {
    let root = sources();
    let platforms = platforms();
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    files.sort();
    let mut report = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&root).unwrap().to_string_lossy();
        for line in naming(&name.replace('\\', "/"), &text, &platforms) {
            writeln!(report, "{line}").unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// A folder is on the list, and the list has of each platform its `pub mod` and one entry, where its own things stand.
#[test]
fn a_platform_is_one_folder_and_two_places_of_the_list() {
    let root = sources().join("providers");
    let mut folders: Vec<String> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    let mut listed: Vec<String> = platforms().into_iter().map(|known| known.folder).collect();
    listed.sort();
    assert_eq!(listed, folders, "the folders and the list differ");
    let text = std::fs::read_to_string(root.join("mod.rs")).unwrap();
    let code = without_tests(&blanked(&text, false));
    let declared = |folder: &str| code.matches(&format!("pub mod {folder};")).count();
    let (before, list) = code.split_once("pub const ALL: &[Entry] = &[").unwrap();
    let (list, behind) = list.split_once("];").unwrap();
    let entries: Vec<&str> = list.split("Entry {").skip(1).collect();
    assert_eq!(entries.len(), folders.len());
    for folder in &folders {
        assert_eq!(declared(folder), 1, "{folder} is not declared literally");
        let naming = entries
            .iter()
            .filter(|entry| entry.contains(folder.as_str()));
        assert_eq!(naming.count(), 1, "{folder} has not one entry");
        for elsewhere in [before, behind] {
            let named = elsewhere.matches(folder.as_str()).count();
            let declared = elsewhere.matches(&format!("pub mod {folder};")).count();
            assert_eq!(named, declared, "{folder} is named beside its entry");
        }
    }
}

#[test]
fn the_search_for_names_can_fail_and_pass() {
    let platforms = platforms();
    let found = |name: &str, text: &str| naming(name, text, &platforms).len();
    for (name, text) in [
        (
            "engine/worker.rs",
            "use crate::providers::code_ocean::FACTS;",
        ),
        ("sandbox/mod.rs", "fn a() { seven_bridges::sim::router(); }"),
        ("ui/send.rs", "const A: &str = \"Code Ocean\";"),
        (
            "cli/demo.rs",
            "fn a(b: &str) -> bool { b.ends_with(\"seven-bridges\") }",
        ),
        ("model/job.rs", "enum Kind { SevenBridges }"),
        (
            "sandbox/misbehave.rs",
            "fn a(b: &str) { b.starts_with(\"aa.\"); }",
        ),
        (
            "providers/code_ocean/mod.rs",
            "const LIKE: &str = \"biodock\";",
        ),
        ("cli/arguments.rs", "/// biodock or another\nstruct A;"),
    ] {
        assert_eq!(found(name, text), 1, "{name}: {text}");
    }
    for (name, text) in [
        ("providers/mod.rs", "pub mod code_ocean;"),
        (
            "providers/code_ocean/mod.rs",
            "const NAME: &str = \"Code Ocean\";",
        ),
        ("engine/worker.rs", "// As Code Ocean does.\nfn a() {}"),
        (
            "engine/worker.rs",
            "fn a() {}\n#[cfg(test)]\nmod tests { const A: &str = \"biodock\"; }",
        ),
    ] {
        assert_eq!(found(name, text), 0, "{name}: {text}");
    }
}
