//! The capsule that looks at sequencing reads: counts, GC content, length and quality of FASTQ files, plain or gzip.
//!
//! Owns what a FASTQ file is. Any other file is named and left alone, never an error.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::providers::code_ocean::sim::order::{Input, Scope};
use crate::providers::code_ocean::sim::work::{Findings, Trouble, stem, table};

const COLUMNS: [&str; 9] = [
    "file",
    "reads",
    "bases",
    "min length",
    "mean length",
    "max length",
    "GC percent",
    "mean quality",
    "passed reads",
];

/// Looks at all inputs.
pub(super) fn look(
    findings: &mut Findings,
    scopes: &[Scope],
    inputs: &[Input],
    go_on: &dyn Fn() -> bool,
) -> Result<(), Trouble> {
    let value = |name: &str| {
        let scope = scopes.first();
        scope.and_then(|scope| scope.named.get(name).map(String::as_str))
    };
    let text = value("min_quality").unwrap_or("20");
    let Ok(least) = text.parse::<f64>() else {
        findings.give_up(&format!("--min_quality {text}: not a number"));
        return Ok(());
    };
    let offset = match value("encoding").unwrap_or("Phred+33") {
        "Phred+33" => 33,
        "Phred+64" => 64,
        other => {
            findings.give_up(&format!("--encoding {other}: not known"));
            return Ok(());
        }
    };
    let mut rows = Vec::new();
    let mut tables = Vec::new();
    for input in inputs {
        if !go_on() {
            return Err("stopped".into());
        }
        match Reads::of(&input.disk, offset, least)? {
            Ok(reads) => {
                findings
                    .log
                    .push(format!("{}: {} reads", input.path, reads.count));
                rows.push(reads.row(&input.path));
                if value("by_position") != Some("false") {
                    let name = format!("{} – quality µ.csv", stem(&input.path));
                    tables.push((unused(name, &tables), reads.by_position()?));
                }
            }
            Err(why) => {
                findings.log.push(format!("{}: skipped, {why}", input.path));
                findings.skipped.push((input.path.clone(), why));
            }
        }
    }
    let summary = table(&COLUMNS, rows)?;
    findings.files.push(("summary.csv".to_owned(), summary));
    findings.pack("by position.zip", &tables)?;
    for (name, bytes) in tables {
        let path = format!("tables/by position/{name}");
        findings.files.push((path, bytes));
    }
    Ok(())
}

/// A name no table before has.
fn unused(name: String, tables: &[(String, Vec<u8>)]) -> String {
    let taken = |name: &str| tables.iter().any(|(other, _)| other == name);
    if !taken(&name) {
        return name;
    }
    let numbered = (2..=tables.len() + 1).map(|number| format!("{number} {name}"));
    numbered
        .into_iter()
        .find(|other| !taken(other))
        .unwrap_or(name)
}

/// Sums over the reads of one file.
#[derive(Debug, Default, PartialEq)]
struct Reads {
    count: u64,
    bases: u64,
    gc: u64,
    /// Bases that are one of the four letters.
    known: u64,
    shortest: Option<u64>,
    longest: u64,
    quality: f64,
    passed: u64,
    /// Bases and sum of qualities at each position.
    positions: Vec<(u64, f64)>,
}

impl Reads {
    /// Of a file, or why it is not one of reads.
    fn of(path: &Path, offset: u8, least: f64) -> io::Result<Result<Self, String>> {
        let mut file = BufReader::new(File::open(path)?);
        if file.fill_buf()?.starts_with(&[0x1F, 0x8B]) {
            let unpacked = MultiGzDecoder::new(file);
            return Ok(Self::read(BufReader::new(unpacked), offset, least));
        }
        Ok(Self::read(file, offset, least))
    }

    fn read(mut file: impl BufRead, offset: u8, least: f64) -> Result<Self, String> {
        let mut reads = Self::default();
        let mut lines = [const { Vec::new() }; 4];
        loop {
            for (index, line) in lines.iter_mut().enumerate() {
                let ended =
                    read_line(&mut file, line).map_err(|_error| "it cannot be read".to_owned())?;
                match (ended, index) {
                    (true, 0) if reads.count > 0 => return Ok(reads),
                    (true, 0) => return Err("it is empty".to_owned()),
                    (true, _) if reads.count > 0 => return Err("it ends in a read".to_owned()),
                    (true, _) => return Err("it is not FASTQ".to_owned()),
                    (false, 0) if !line.starts_with(b"@") && reads.count == 0 => {
                        return Err("it is not FASTQ".to_owned());
                    }
                    (false, _) => {}
                }
            }
            let [name, sequence, plus, qualities] = &lines;
            let well_formed = name.starts_with(b"@")
                && plus.starts_with(b"+")
                && sequence.len() == qualities.len();
            if !well_formed {
                return Err(format!("read {} is not FASTQ", reads.count + 1));
            }
            reads.add(sequence, qualities, offset, least);
        }
    }

    fn add(&mut self, sequence: &[u8], qualities: &[u8], offset: u8, least: f64) {
        let length = u64::try_from(sequence.len()).unwrap_or(u64::MAX);
        self.count += 1;
        self.bases += length;
        self.shortest = Some(
            self.shortest
                .map_or(length, |shortest| shortest.min(length)),
        );
        self.longest = self.longest.max(length);
        for base in sequence {
            match base.to_ascii_uppercase() {
                b'G' | b'C' => {
                    self.gc += 1;
                    self.known += 1;
                }
                b'A' | b'T' | b'U' => self.known += 1,
                _ => {}
            }
        }
        if self.positions.len() < qualities.len() {
            self.positions.resize(qualities.len(), (0, 0.0));
        }
        let mut sum = 0.0;
        for (place, letter) in self.positions.iter_mut().zip(qualities) {
            let quality = f64::from(letter.saturating_sub(offset));
            place.0 += 1;
            place.1 += quality;
            sum += quality;
        }
        self.quality += sum;
        if length > 0 && sum / length as f64 >= least {
            self.passed += 1;
        }
    }

    fn row(&self, file: &str) -> Vec<String> {
        let share = |part: f64, whole: u64| {
            if whole == 0 {
                String::new()
            } else {
                format!("{:.2}", part / whole as f64)
            }
        };
        vec![
            file.to_owned(),
            self.count.to_string(),
            self.bases.to_string(),
            self.shortest.unwrap_or(0).to_string(),
            share(self.bases as f64, self.count),
            self.longest.to_string(),
            share(self.gc as f64 * 100.0, self.known),
            share(self.quality, self.bases),
            self.passed.to_string(),
        ]
    }

    fn by_position(&self) -> Result<Vec<u8>, Trouble> {
        let rows = self.positions.iter().zip(1_u64..);
        let rows = rows.map(|((bases, sum), position)| {
            let mean = sum / *bases as f64;
            vec![
                position.to_string(),
                bases.to_string(),
                format!("{mean:.2}"),
            ]
        });
        table(&["position", "bases", "mean quality"], rows)
    }
}

/// The next line without its end, and whether there was none. No line of reads has a million letters; other files do.
fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    const LONGEST: u64 = 1_000_000;
    line.clear();
    let read = file.take(LONGEST).read_until(b'\n', line)?;
    while line
        .last()
        .is_some_and(|last| matches!(last, b'\n' | b'\r'))
    {
        line.pop();
    }
    Ok(read == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Reads, String> {
        Reads::read(text.as_bytes(), 33, 20.0)
    }

    #[test]
    fn reads_are_measured() {
        let reads = read("@a\nGGCC\n+\nIIII\n@b x\r\nAT\r\n+b\r\n!!\r\n").unwrap();
        assert_eq!(
            reads.row("f"),
            ["f", "2", "6", "2", "3.00", "4", "66.67", "26.67", "1"]
        );
        let table = String::from_utf8(reads.by_position().unwrap()).unwrap();
        assert_eq!(
            table,
            "position,bases,mean quality\n1,2,20.00\n2,2,20.00\n3,1,40.00\n4,1,40.00\n"
        );
    }

    #[test]
    fn other_files_are_told_from_reads() {
        for (text, why) in [
            ("", "it is empty"),
            (">seq\nMQIF\n", "it is not FASTQ"),
            ("@prefix x", "it is not FASTQ"),
            ("@a\nAC\n+\nI\n", "read 1 is not FASTQ"),
            ("@a\nA\n+\nI\n@b\n", "it ends in a read"),
            ("@a\nA\n+\nI\nb\nA\n+\nI\n", "read 2 is not FASTQ"),
        ] {
            assert_eq!(read(text).unwrap_err(), why, "{text:?}");
        }
    }
}
