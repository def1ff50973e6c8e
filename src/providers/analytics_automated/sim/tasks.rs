//! The commands of the simulated jobs, run on the bytes that were sent.
//!
//! Pure work from bytes to files; when a step ends and how that is told is `jobs`.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::providers::analytics_automated::sim::catalog::{Task, Work};

/// One file a task wrote: the extension with its dot, and the content.
pub(super) type Output = (&'static str, Vec<u8>);

/// The failure of a command, as the worker words it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The exit status of the command.
    pub(super) status: i32,
    /// The command line, which the real server shows to everybody.
    pub(super) command: String,
}

/// Runs one task. `value` looks up a parameter of the form by its full name.
pub(super) fn run(
    task: &Task,
    input_name: &str,
    input: &[u8],
    value: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Output>, Failure> {
    match task.work {
        Work::WordCount => Ok(vec![(".txt", count(input_name, input).into_bytes())]),
        Work::Head => {
            let wanted = value("headtask_lines").unwrap_or_default();
            let lines: usize = wanted.parse().map_err(|_not_a_number| Failure {
                status: 1,
                command: format!("/usr/bin/head -n {wanted} {input_name}"),
            })?;
            Ok(vec![(".txt", head(input, lines))])
        }
        Work::Sort => {
            let reverse = value("sorttask_reverse").is_some_and(|flag| flag != "FALSE");
            Ok(vec![(".sorted", sorted(input, reverse))])
        }
        Work::Summary => summary(input)
            .map(|table| vec![(".csv", table.into_bytes())])
            .ok_or_else(|| Failure {
                status: 1,
                command: format!("/opt/summarize --in {input_name}"),
            }),
        Work::Archive => archive(input_name, input).map_err(|status| Failure {
            status,
            command: format!("/usr/bin/zip -r out.zip {input_name}"),
        }),
        Work::Copy => Ok(vec![(".out", input.to_vec())]),
        Work::Fail => Err(Failure {
            status: 1,
            command: format!("/opt/refuse --strict --in {input_name}"),
        }),
        Work::Silent => Ok(Vec::new()),
    }
}

/// Lines, words and bytes as `wc` prints them.
fn count(name: &str, input: &[u8]) -> String {
    let lines = memchr::memchr_iter(b'\n', input).count();
    let words = input
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .count();
    format!("{lines:>7} {words:>7} {:>7} {name}\n", input.len())
}

fn head(input: &[u8], lines: usize) -> Vec<u8> {
    input
        .split_inclusive(|byte| *byte == b'\n')
        .take(lines)
        .flatten()
        .copied()
        .collect()
}

fn sorted(input: &[u8], reverse: bool) -> Vec<u8> {
    let body = input.strip_suffix(b"\n").unwrap_or(input);
    let mut lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    lines.sort_unstable();
    if reverse {
        lines.reverse();
    }
    let mut output = lines.join(&b'\n');
    if !output.is_empty() {
        output.push(b'\n');
    }
    output
}

/// What is known of one column while its cells go by.
#[derive(Default)]
struct Column {
    name: String,
    count: u64,
    numbers: u64,
    minimum: f64,
    maximum: f64,
    sum: f64,
}

impl Column {
    fn add(&mut self, cell: &str) {
        if cell.trim().is_empty() {
            return;
        }
        self.count += 1;
        let Ok(number) = cell.trim().parse::<f64>() else {
            return;
        };
        if self.numbers == 0 {
            (self.minimum, self.maximum) = (number, number);
        }
        self.minimum = self.minimum.min(number);
        self.maximum = self.maximum.max(number);
        self.sum += number;
        self.numbers += 1;
    }

    /// Minimum, maximum and mean, for a column that holds numbers only.
    fn figures(&self) -> [String; 3] {
        if self.numbers == 0 || self.numbers < self.count {
            return [String::new(), String::new(), String::new()];
        }
        let mean = self.sum / self.numbers as f64;
        [
            self.minimum.to_string(),
            self.maximum.to_string(),
            mean.to_string(),
        ]
    }
}

/// One row a column; `None` for something that is no table.
fn summary(input: &[u8]) -> Option<String> {
    if input.contains(&0) {
        return None;
    }
    let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let first_line = input.split(|byte| *byte == b'\n').next()?;
    let delimiter = [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|mark| memchr::memchr_iter(*mark, first_line).count())?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(input);
    let mut columns: Vec<Column> = reader
        .byte_headers()
        .ok()?
        .iter()
        .map(|name| Column {
            name: String::from_utf8_lossy(name).into_owned(),
            ..Column::default()
        })
        .collect();
    for record in reader.byte_records() {
        let record = record.ok()?;
        for (column, cell) in columns.iter_mut().zip(&record) {
            column.add(&String::from_utf8_lossy(cell));
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(["column", "count", "min", "max", "mean"])
        .ok()?;
    for column in &columns {
        let [minimum, maximum, mean] = column.figures();
        let count = column.count.to_string();
        writer
            .write_record([&column.name, &count, &minimum, &maximum, &mean])
            .ok()?;
    }
    String::from_utf8(writer.into_inner().ok()?).ok()
}

/// The archive and the log; an error is the exit status of the packer.
fn archive(name: &str, input: &[u8]) -> Result<Vec<Output>, i32> {
    let counted = count(name, input);
    let mut log = String::new();
    for line in [
        format!("input {name}: {} bytes", input.len()),
        "counted lines, words and bytes".to_owned(),
        "sorted all lines in byte order".to_owned(),
    ] {
        writeln!(log, "{line}").map_err(|_fmt| 2)?;
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let entries: [(&str, &[u8]); 3] = [
        ("results/count.txt", counted.as_bytes()),
        ("results/sorted.txt", &sorted(input, false)),
        ("run.log", log.as_bytes()),
    ];
    for (entry, content) in entries {
        writer
            .start_file(entry, SimpleFileOptions::default())
            .map_err(|_packing| 2)?;
        writer.write_all(content).map_err(|_packing| 2)?;
    }
    let packed = writer.finish().map_err(|_packing| 2)?;
    Ok(vec![
        (".zip", packed.into_inner()),
        (".log", log.into_bytes()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_sorts_like_the_commands() {
        let text = b"pear 2\napple 1\nzebra";
        assert_eq!(count("a.txt", text), "      2       5      20 a.txt\n");
        assert_eq!(head(text, 1), b"pear 2\n");
        assert_eq!(head(text, 9), text);
        assert_eq!(sorted(text, false), b"apple 1\npear 2\nzebra\n");
        assert_eq!(sorted(text, true), b"zebra\npear 2\napple 1\n");
    }

    #[test]
    fn summarizes_each_column() {
        let table = summary(b"well,area,note\nA1,10,x\nA2,30,\nA3,,y\n").unwrap();
        assert_eq!(
            table,
            "column,count,min,max,mean\nwell,3,,,\narea,2,10,30,20\nnote,2,,,\n"
        );
        let semicolons = summary(b"a;b\n1;2\n").unwrap();
        assert_eq!(
            semicolons,
            "column,count,min,max,mean\na,1,1,1,1\nb,1,2,2,2\n"
        );
        assert_eq!(summary(b"\x89PNG\0\0"), None);
    }

    #[test]
    fn packs_three_entries_and_a_log() {
        let outputs = archive("a.txt", b"b\na\n").unwrap();
        assert_eq!(outputs[0].0, ".zip");
        assert_eq!(outputs[1].0, ".log");
        let mut zip = zip::ZipArchive::new(Cursor::new(outputs[0].1.clone())).unwrap();
        assert_eq!(zip.len(), 3);
        let mut text = String::new();
        std::io::Read::read_to_string(&mut zip.by_name("results/sorted.txt").unwrap(), &mut text)
            .unwrap();
        assert_eq!(text, "a\nb\n");
    }
}
