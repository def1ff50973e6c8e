//! What is known of each file's sample: columns read out of file names by a pattern, or imported, and edited.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::model::file::LocalFile;
use crate::model::samples::pattern::Pattern;

pub mod pattern;

/// The sample table of the draft: one row a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleTable {
    /// The pattern the columns were read out with, such as `{plate}_{well}_{channel}.tif`; empty for none.
    pub pattern: String,
    /// The name of the table the columns were imported from; empty for none.
    pub imported: String,
    /// What is wrong with the pattern or the imported table, in one sentence.
    pub problem: Option<String>,
    /// The columns, in the order shown.
    pub columns: Vec<String>,
    /// By file: value by column; a column without value is absent.
    pub rows: BTreeMap<PathBuf, BTreeMap<String, String>>,
    /// Files that neither the pattern nor the imported table fits.
    pub unmatched: Vec<PathBuf>,
}

impl SampleTable {
    /// What a file has in a column.
    pub fn value(&self, path: &Path, column: &str) -> Option<&str> {
        self.rows.get(path)?.get(column).map(String::as_str)
    }
}

/// What a sample table is made from, again whenever the files change. A pattern and an imported table replace each other;
/// what was edited by hand wins over both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleSources {
    origin: Origin,
    /// By file and column; an empty value takes away what the origin says.
    edits: BTreeMap<PathBuf, BTreeMap<String, String>>,
}

/// Where columns come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Origin {
    #[default]
    Nothing,
    Pattern(String),
    Sheet(SampleSheet),
    /// A table of this name that could not be read, and why.
    Unreadable(String, String),
}

/// A table with a header, as imported: one of its columns holds file names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleSheet {
    /// Name of its file.
    pub name: String,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its rows; one may have fewer cells than there are columns.
    pub rows: Vec<Vec<String>>,
}

impl SampleSources {
    /// Reads columns out of file names from now on; an empty pattern takes all columns away.
    pub fn set_pattern(&mut self, pattern: &str) {
        if pattern.trim().is_empty() {
            *self = Self::default();
        } else {
            self.origin = Origin::Pattern(pattern.trim().to_owned());
        }
    }

    /// Takes columns from a table from now on, or says why that cannot be.
    pub fn import(&mut self, name: String, sheet: Result<SampleSheet, String>) {
        self.edits.clear();
        self.origin = match sheet {
            Ok(sheet) => Origin::Sheet(sheet),
            Err(words) => Origin::Unreadable(name, words),
        };
    }

    /// Changes one cell.
    pub fn edit(&mut self, path: PathBuf, column: &str, value: &str) {
        if !column.trim().is_empty() {
            self.edits
                .entry(path)
                .or_default()
                .insert(column.trim().to_owned(), value.trim().to_owned());
        }
    }

    /// Forgets what was edited by hand; pattern and imported table stay for the next files.
    pub fn forget_edits(&mut self) {
        self.edits.clear();
    }

    /// The table of these files.
    pub fn table(&self, files: &[&LocalFile]) -> SampleTable {
        let mut table = match &self.origin {
            Origin::Nothing => SampleTable::default(),
            Origin::Pattern(text) => by_pattern(text, files),
            Origin::Sheet(sheet) => by_sheet(sheet, files),
            Origin::Unreadable(name, words) => SampleTable {
                imported: name.clone(),
                problem: Some(words.clone()),
                ..SampleTable::default()
            },
        };
        let present: BTreeSet<&PathBuf> = files.iter().map(|file| &file.path).collect();
        for (path, cells) in self.edits.iter().filter(|(path, _)| present.contains(path)) {
            for (column, value) in cells {
                let row = table.rows.entry(path.clone()).or_default();
                if value.is_empty() {
                    row.remove(column);
                    continue;
                }
                row.insert(column.clone(), value.clone());
                if !table.columns.contains(column) {
                    table.columns.push(column.clone());
                }
            }
        }
        table.rows.retain(|_, row| !row.is_empty());
        table
    }
}

fn by_pattern(text: &str, files: &[&LocalFile]) -> SampleTable {
    let mut table = SampleTable {
        pattern: text.to_owned(),
        ..SampleTable::default()
    };
    let pattern = match Pattern::parse(text) {
        Ok(pattern) => pattern,
        Err(words) => {
            table.problem = Some(words);
            return table;
        }
    };
    table.columns = pattern.columns().to_vec();
    for file in files {
        match pattern.read(file) {
            Some(row) => {
                table.rows.insert(file.path.clone(), row);
            }
            None => table.unmatched.push(file.path.clone()),
        }
    }
    table
}

fn by_sheet(sheet: &SampleSheet, files: &[&LocalFile]) -> SampleTable {
    let mut table = SampleTable {
        imported: sheet.name.clone(),
        ..SampleTable::default()
    };
    let Some(names) = sheet.name_column(files) else {
        table.problem = Some(if files.is_empty() {
            format!(
                "Add files first, so that {} can be held against them",
                sheet.name
            )
        } else {
            format!("No column of {} holds the names of these files", sheet.name)
        });
        table.unmatched = files.iter().map(|file| file.path.clone()).collect();
        return table;
    };
    table.columns = sheet
        .other_columns(names)
        .map(|(_, name)| name.to_owned())
        .collect();
    let rows = sheet.rows_by_name(names);
    for file in files {
        let found = spellings(&file.name).find_map(|name| rows.get(&name));
        match found {
            Some(cells) => {
                let row = sheet
                    .other_columns(names)
                    .filter_map(|(number, name)| {
                        let value = cells.get(number)?.trim();
                        (!value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
                    })
                    .collect();
                table.rows.insert(file.path.clone(), row);
            }
            None => table.unmatched.push(file.path.clone()),
        }
    }
    table
}

impl SampleSheet {
    /// The column that names the most of these files.
    fn name_column(&self, files: &[&LocalFile]) -> Option<usize> {
        let wanted: BTreeSet<String> = files
            .iter()
            .flat_map(|file| spellings(&file.name))
            .collect();
        let fits = |number: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(number))
                .filter(|cell| spellings(base_name(cell)).any(|name| wanted.contains(&name)))
                .count()
        };
        (0..self.columns.len())
            .map(|number| (fits(number), number))
            .filter(|(fits, _)| *fits > 0)
            // The first of those that fit equally well.
            .max_by_key(|(fits, number)| (*fits, std::cmp::Reverse(*number)))
            .map(|(_, number)| number)
    }

    /// All columns with a name but this one; of those with the same name the first.
    fn other_columns(&self, names: usize) -> impl Iterator<Item = (usize, &str)> {
        let mut seen = BTreeSet::new();
        self.columns
            .iter()
            .enumerate()
            .filter(move |(number, name)| {
                *number != names && !name.trim().is_empty() && seen.insert(name.trim())
            })
            .map(|(number, name)| (number, name.trim()))
    }

    /// The first row of each name.
    fn rows_by_name(&self, names: usize) -> HashMap<String, &Vec<String>> {
        let mut rows = HashMap::new();
        for row in &self.rows {
            if let Some(cell) = row.get(names) {
                for name in spellings(base_name(cell)) {
                    rows.entry(name).or_insert(row);
                }
            }
        }
        rows
    }
}

/// A file's name as tables have it: as it is, and without its ending; in lower case.
fn spellings(name: &str) -> impl Iterator<Item = String> {
    let name = name.trim().to_lowercase();
    let stem = without_ending(&name).to_owned();
    let differs = stem != name && !stem.is_empty();
    std::iter::once(name)
        .filter(|name| !name.is_empty())
        .chain(differs.then_some(stem))
}

/// What follows the last folder of a path, as either system writes it.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A name without its ending; that of a packed file goes with the one before it.
fn without_ending(name: &str) -> &str {
    let cut = |name: &'_ str| name.rfind('.').filter(|at| *at > 0);
    let Some(at) = cut(name) else { return name };
    let (stem, ending) = name.split_at(at);
    if matches!(
        ending.to_lowercase().as_str(),
        ".gz" | ".bz2" | ".xz" | ".zip"
    ) && let Some(at) = cut(stem)
    {
        return stem.split_at(at).0;
    }
    stem
}

#[cfg(test)]
mod tests;
