//! The pattern by which columns are read out of file names: literal text with `{column}` in between.

use std::collections::BTreeMap;

use regex::Regex;

use crate::model::file::LocalFile;
use crate::model::samples::without_ending;

/// A pattern that can be held against names. Each column takes as little as it can; the ending may be in any case.
///
/// Slashes in it are those between folders, counted from the file upwards. A pattern without a dot says nothing about the
/// ending.
#[derive(Clone, Debug)]
pub struct Pattern {
    columns: Vec<String>,
    /// The columns by capture group; a column may stand twice and then has the same value.
    groups: Vec<String>,
    expression: Regex,
    /// How many folders above the file it names.
    folders: usize,
    names_ending: bool,
}

/// A piece of a pattern.
enum Piece {
    Literal(String),
    Column(String),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// One sentence on what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pieces = pieces(text)?;
        let groups: Vec<String> = pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Column(name) => Some(name.clone()),
                Piece::Literal(_) => None,
            })
            .collect();
        if groups.is_empty() {
            return Err("Name at least one column in braces, such as {sample}".to_owned());
        }
        let literals = || {
            pieces.iter().filter_map(|piece| match piece {
                Piece::Literal(text) => Some(text.as_str()),
                Piece::Column(_) => None,
            })
        };
        let mut columns: Vec<String> = Vec::new();
        for name in &groups {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        let expression = Regex::new(&expression(&pieces))
            .map_err(|_too_large| "The pattern is too long".to_owned())?;
        Ok(Self {
            folders: literals().map(|text| text.matches('/').count()).sum(),
            names_ending: literals().any(|text| text.contains('.')),
            columns,
            groups,
            expression,
        })
    }

    /// The columns, in the order they stand.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values a file's name has by column; none where it does not fit.
    pub fn read(&self, file: &LocalFile) -> Option<BTreeMap<String, String>> {
        let name = if self.names_ending {
            file.name.as_str()
        } else {
            without_ending(&file.name)
        };
        let above: Vec<&str> = file.folder.split('/').collect();
        let skipped = above.len().checked_sub(self.folders)?;
        let mut path: Vec<&str> = above.into_iter().skip(skipped).collect();
        path.push(name);
        let path = path.join("/");
        let found = self.expression.captures(&path)?;
        let mut row: BTreeMap<String, String> = BTreeMap::new();
        for (column, value) in self.groups.iter().zip(found.iter().skip(1)) {
            let value = value?.as_str();
            match row.get(column) {
                Some(before) if before != value => return None,
                Some(_) => {}
                None => {
                    row.insert(column.clone(), value.to_owned());
                }
            }
        }
        Some(row)
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some((literal, after)) = rest.split_once('{') else {
            if rest.contains('}') {
                return Err("A closing brace has no opening one".to_owned());
            }
            pieces.push(Piece::Literal(rest.to_owned()));
            break;
        };
        if literal.contains('}') {
            return Err("A closing brace has no opening one".to_owned());
        }
        let Some((name, after)) = after.split_once('}') else {
            return Err("An opening brace has no closing one".to_owned());
        };
        let name = name.trim();
        if name.is_empty() || name.contains('{') {
            return Err("There is no column name between two braces".to_owned());
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.to_owned()));
        } else if let Some(Piece::Column(before)) = pieces.last() {
            return Err(format!(
                "Put some text between {{{before}}} and {{{name}}}, so that it is clear where one ends"
            ));
        }
        pieces.push(Piece::Column(name.to_owned()));
        rest = after;
    }
    Ok(pieces)
}

/// The expression over the whole of a name.
fn expression(pieces: &[Piece]) -> String {
    let mut expression = "^".to_owned();
    let last = pieces.len().saturating_sub(1);
    for (number, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Column(_) => expression.push_str("([^/]+?)"),
            Piece::Literal(text) => {
                // Only the ending is the same in any case.
                let dot = text.rfind('.').filter(|_| number == last);
                let (before, ending) = text.split_at(dot.unwrap_or(text.len()));
                expression.push_str(&regex::escape(before));
                if !ending.is_empty() {
                    expression.push_str("(?i:");
                    expression.push_str(&regex::escape(ending));
                    expression.push(')');
                }
            }
        }
    }
    expression.push('$');
    expression
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn file(folder: &str, name: &str) -> LocalFile {
        LocalFile {
            path: PathBuf::from(format!("/data/{folder}/{name}")),
            name: name.to_owned(),
            folder: folder.to_owned(),
            size_bytes: 1,
            modified: None,
        }
    }

    fn read(pattern: &str, folder: &str, name: &str) -> Option<Vec<(String, String)>> {
        let pattern = Pattern::parse(pattern).unwrap();
        let row = pattern.read(&file(folder, name))?;
        Some(row.into_iter().collect())
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "stands beside what a name is read as"
    )]
    fn row(cells: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(
            cells
                .iter()
                .map(|(column, value)| ((*column).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn names_fit_as_little_as_they_can() {
        let plate = "{plate}_{well}_{channel}.tif";
        for (pattern, folder, name, expected) in [
            (
                plate,
                "",
                "P7_A01_DAPI.TIF",
                row(&[("channel", "DAPI"), ("plate", "P7"), ("well", "A01")]),
            ),
            (
                plate,
                "",
                "a_b_c_d.tif",
                row(&[("channel", "c_d"), ("plate", "a"), ("well", "b")]),
            ),
            (plate, "", "P7_A01.tif", None),
            (plate, "", "P7__DAPI.tif", None),
            (plate, "", "P7_A01_DAPI.tiff", None),
            ("p{n}.tif", "", "P7.tif", None),
            (
                "{s}",
                "",
                "世界 50% (#1).fastq.gz",
                row(&[("s", "世界 50% (#1)")]),
            ),
            ("{s}_R1.fastq.gz", "", "x_R1.fastq.GZ", row(&[("s", "x")])),
            ("{s}_R1.fastq.gz", "", "x_R1xfastq.gz", None),
            (
                "{plate}/{well}.tif",
                "run 1/P7",
                "A01.tif",
                row(&[("plate", "P7"), ("well", "A01")]),
            ),
            ("{run}/{plate}/{well}.tif", "P7", "A01.tif", None),
            ("{a}-{a}", "", "x-x.tif", row(&[("a", "x")])),
            ("{a}-{a}", "", "x-y.tif", None),
        ] {
            assert_eq!(read(pattern, folder, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        for (pattern, words) in [
            (
                "plate.tif",
                "Name at least one column in braces, such as {sample}",
            ),
            ("{a", "An opening brace has no closing one"),
            ("a}", "A closing brace has no opening one"),
            ("a}{b}", "A closing brace has no opening one"),
            ("{}", "There is no column name between two braces"),
            ("{a{b}}", "There is no column name between two braces"),
            (
                "{a}{b}",
                "Put some text between {a} and {b}, so that it is clear where one ends",
            ),
        ] {
            assert_eq!(
                Pattern::parse(pattern).err().as_deref(),
                Some(words),
                "{pattern}"
            );
        }
    }
}
