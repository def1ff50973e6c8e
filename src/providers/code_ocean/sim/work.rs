//! What a run does with its inputs, and the results every run leaves: its log, a file without a byte, tables with blanks and
//! other letters in their names.

use std::error::Error;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::providers::code_ocean::sim::capsules::Work;
use crate::providers::code_ocean::sim::computations::Outcome;
use crate::providers::code_ocean::sim::order::{Input, Scope};
use crate::providers::code_ocean::sim::tree::Tree;
use crate::providers::code_ocean::sim::{images, reads};

/// An error of the work itself, not of what it works on.
pub(super) type Trouble = Box<dyn Error + Send + Sync>;

/// What a run has found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) exit_code: i32,
    /// Lines of the log.
    pub(super) log: Vec<String>,
    /// Path and bytes.
    pub(super) files: Vec<(String, Vec<u8>)>,
    /// Files that are not what the code looks for, and why.
    pub(super) skipped: Vec<(String, String)>,
}

impl Findings {
    /// Ends the run as a program does that was called wrongly.
    pub(super) fn give_up(&mut self, why: &str) {
        self.log.push(format!("error: {why}"));
        self.exit_code = 1;
    }

    /// Packs tables into one archive beside them.
    pub(super) fn pack(&mut self, name: &str, tables: &[(String, Vec<u8>)]) -> Result<(), Trouble> {
        if tables.is_empty() {
            return Ok(());
        }
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, bytes) in tables {
            archive.start_file(path.as_str(), SimpleFileOptions::default())?;
            archive.write_all(bytes)?;
        }
        let bytes = archive.finish()?.into_inner();
        self.files.push((name.to_owned(), bytes));
        Ok(())
    }
}

/// Does the work, asking between files whether to go on.
pub(super) fn work(
    what: Work,
    all: &Path,
    scopes: &[Scope],
    inputs: &[Input],
    hostile: bool,
    go_on: &dyn Fn() -> bool,
) -> Result<Outcome, Trouble> {
    let mut findings = Findings::default();
    let count = inputs.len();
    findings.log.push(format!("{count} files below /data"));
    match what {
        Work::ReadQuality => reads::look(&mut findings, scopes, inputs, go_on)?,
        Work::ImageStatistics => images::look(&mut findings, scopes, inputs, go_on)?,
        Work::Echo => echo(&mut findings, scopes, inputs)?,
        Work::Fail => findings.give_up("this capsule always fails"),
    }
    let mut tree = Tree::new(all)?;
    let log = findings.log.join("\n") + "\n";
    tree.add("output", log.as_bytes())?;
    if findings.exit_code == 0 {
        if !findings.skipped.is_empty() {
            let rows = findings.skipped.iter();
            let rows = rows.map(|(file, why)| vec![file.clone(), why.clone()]);
            tree.add("skipped.csv", &table(&["file", "reason"], rows)?)?;
        }
        tree.add("warnings.txt", b"")?;
        for (path, bytes) in &findings.files {
            tree.add(path, bytes)?;
        }
    }
    if hostile {
        tree.add("../x", b"must not leave the folder\n")?;
    }
    Ok(Outcome {
        tree: Arc::new(tree),
        exit_code: findings.exit_code,
    })
}

/// Writes down what it was given.
fn echo(findings: &mut Findings, scopes: &[Scope], inputs: &[Input]) -> Result<(), Trouble> {
    let given: Vec<_> = scopes
        .iter()
        .map(|scope| {
            json!({ "process": scope.name, "ordered": scope.ordered, "named": scope.named })
        })
        .collect();
    let text = serde_json::to_vec_pretty(&given)?;
    findings.files.push(("parameters.json".to_owned(), text));
    let mut rows = Vec::new();
    for input in inputs {
        let bytes = std::fs::metadata(&input.disk)?.len();
        rows.push(vec![input.path.clone(), bytes.to_string()]);
    }
    let files = table(&["file", "bytes"], rows)?;
    let name = "inputs/files below data – sizes.csv".to_owned();
    findings.files.push((name, files));
    Ok(())
}

/// A table as CSV.
pub(super) fn table(
    columns: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<Vec<u8>, Trouble> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(columns)?;
    for row in rows {
        table.write_record(&row)?;
    }
    table.into_inner().map_err(|error| error.to_string().into())
}

/// The name of a file without folders and its last ending, for naming tables.
pub(super) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
