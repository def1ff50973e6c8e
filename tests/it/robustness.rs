//! Any bytes at all: what the fuzz targets do, over their corpus with seeded changes, on the usual toolchain in `cargo test`.
//! `LABFERRY_FUZZ_ROUNDS` sets how many changed inputs each of them gets.

use std::path::Path;
use std::time::{Duration, Instant};

#[path = "../fuzz/targets.rs"]
mod targets;

/// Changed inputs for each target unless told otherwise; a part of it where files have to be written.
const ROUNDS: u32 = 3_000;

/// Longest input made by changes, as in the fuzz run.
const LONGEST_BYTES: usize = 64 * 1024;

/// Far longer than any input of this size takes, on a machine that does other work, too.
const LONGEST_ROUND: Duration = Duration::from_secs(30);

fn rounds() -> u32 {
    std::env::var("LABFERRY_FUZZ_ROUNDS").map_or(ROUNDS, |text| {
        text.parse().expect("LABFERRY_FUZZ_ROUNDS is a number")
    })
}

/// All files of folders below `tests`, sorted.
fn corpus(folders: &[&str]) -> Vec<Vec<u8>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut paths = Vec::new();
    for folder in folders {
        let entries = std::fs::read_dir(tests.join(folder)).unwrap();
        paths.extend(entries.map(|entry| entry.unwrap().path()));
    }
    paths.sort();
    assert!(paths.len() >= 3, "{folders:?} holds {} seeds", paths.len());
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// One seed with a few changes: flipped bits, other bytes, pieces cut out, doubled, or taken from another seed.
fn changed(seeds: &[Vec<u8>], words: &[&str], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = random.choice(seeds).unwrap().clone();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(0..=bytes.len());
        let end = (at + random.usize(0..64)).min(bytes.len());
        match random.u8(0..9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(0..8),
            1 if at < bytes.len() => bytes[at] = random.u8(..),
            2 if at < bytes.len() => {
                bytes[at] = *random.choice(&[0, 0xFF, 0x7F, b'\n', b'"']).unwrap();
            }
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..end)),
            5 => {
                let piece = bytes[at..end].to_vec();
                for _ in 0..random.usize(1..40) {
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
            6 => {
                let other = random.choice(seeds).unwrap();
                let from = random.usize(0..=other.len());
                bytes.splice(at..end, other[from..].iter().copied());
            }
            7 => {
                let word = random.choice(words).unwrap();
                bytes.splice(at..end, word.bytes());
            }
            _ => {
                let (one, other) = (at, random.usize(0..=bytes.len()));
                if one < bytes.len() && other < bytes.len() {
                    bytes.swap(one, other);
                }
            }
        }
    }
    bytes.truncate(LONGEST_BYTES);
    bytes
}

/// Runs a target over its seeds as they are, then over changed ones. A failure shows the input.
fn run(name: &str, folders: &[&str], words: &[&str], rounds: u32, target: fn(&[u8])) {
    let seeds = corpus(folders);
    let mut random = fastrand::Rng::with_seed(2026);
    let changes = (0..rounds).map(|_| changed(&seeds, words, &mut random));
    let mut longest = Duration::ZERO;
    let mut count = 0;
    for input in seeds.iter().cloned().chain(changes) {
        let begun = Instant::now();
        let went = std::panic::catch_unwind(|| target(&input));
        assert!(
            went.is_ok(),
            "{name} broke at input {count}: {}",
            input.escape_ascii()
        );
        longest = longest.max(begun.elapsed());
        assert!(
            longest < LONGEST_ROUND,
            "{name}: input {count} took {longest:?}"
        );
        count += 1;
    }
    println!("{name}: {count} inputs, the slowest {longest:?}");
}

#[test]
fn any_archive() {
    let words = [
        "PK\x01\x02",
        "PK\x03\x04",
        "PK\x05\x06",
        "../",
        "\\",
        "\0",
        "\u{1}\0",
    ];
    run(
        "archive",
        &["fuzz/corpus/archive"],
        &words,
        rounds() / 2,
        targets::archive,
    );
}

#[test]
fn any_table() {
    let words = ["\"", "\"\"", ",", ";", "\t", "\r\n", "\u{feff}", "\0", "#"];
    run(
        "table",
        &["fuzz/corpus/table"],
        &words,
        rounds() / 8,
        targets::table,
    );
}

#[test]
fn any_description_of_an_app() {
    let words = [
        "{\"type\":",
        "[\"null\",",
        "\"record\"",
        "\"enum\"",
        "\"array\"",
        "\"fields\":",
        "\"items\":",
        "\"symbols\":",
        "null",
        "1e999",
        "-9223372036854775809",
        "[]",
        "{}",
        "\"#a/b\"",
        "\\u0000",
    ];
    run(
        "description",
        &["fuzz/corpus/description"],
        &words,
        rounds(),
        targets::description,
    );
}

#[test]
fn any_answer_of_a_platform() {
    let folders = [
        "fuzz/corpus/wire",
        "golden/analytics_automated",
        "golden/biodock",
        "golden/code_ocean",
        "golden/seven_bridges",
    ];
    let words = [
        "null",
        "true",
        "-1",
        "1e400",
        "18446744073709551616",
        "\"\"",
        "[]",
        "{}",
        "[[[[",
        "\"\\u0000\"",
        "\"\\u202e\"",
        "\"\\u001b[31m\"",
        "\"../../x\"",
        "\"NaN\"",
    ];
    run("wire", &folders, &words, rounds(), targets::wire);
}

#[test]
fn any_text_of_the_list_of_jobs() {
    let words = [
        "&job=",
        "&submission_name=",
        "=",
        "&",
        "[",
        "]",
        "/",
        "?",
        "\u{202e}",
    ];
    run(
        "endpoints",
        &["fuzz/corpus/endpoints"],
        &words,
        rounds(),
        targets::endpoints,
    );
}
