//! The readers of records against each other, against the csv package, and on the text they were made for.

use crate::results::table::record::{Format, Keep, LineEnd, Splitter, split_records};
use crate::results::table::scanner::{Found, Scanner};

const COMMA: Format = Format {
    delimiter: b',',
    quote: Some(b'"'),
    line_end: LineEnd::Lf,
};
const ALL: Keep = Keep {
    cell_bytes: usize::MAX,
    cells: usize::MAX,
};

fn cells(text: &str) -> Vec<Vec<String>> {
    split_records(text.as_bytes(), true, COMMA, 1000)
        .into_iter()
        .map(|r| {
            r.cells
                .into_iter()
                .map(|c| String::from_utf8(c.text).unwrap())
                .collect()
        })
        .collect()
}

#[test]
fn cells_are_taken_out_as_they_are() {
    let table: [(&str, &[&[&str]]); 14] = [
        ("a,b\n1,2\n", &[&["a", "b"], &["1", "2"]]),
        ("007,1e5, x \n", &[&["007", "1e5", " x "]]),
        ("\"a,b\",\"c\nd\"\n", &[&["a,b", "c\nd"]]),
        ("\"say \"\"hi\"\"\",\"\"\n", &[&["say \"hi\"", ""]]),
        ("5\" pipe,b\"\"c\n", &[&["5\" pipe", "b\"\"c"]]),
        ("\"a\"b,c\n", &[&["ab", "c"]]),
        ("a\r\nb\r\n", &[&["a"], &["b"]]),
        ("\"a\r\",b\r\r\n", &[&["a\r", "b\r"]]),
        ("\n\r\na\n\n\nb", &[&["a"], &["b"]]),
        ("\"\"\n,\n", &[&[""], &["", ""]]),
        ("a,b,\n", &[&["a", "b", ""]]),
        ("a\0b,c\n", &[&["a\0b", "c"]]),
        ("\"never closed,\nx", &[&["never closed,\nx"]]),
        ("", &[]),
    ];
    for (text, expected) in table {
        assert_eq!(cells(text), expected, "{text:?}");
    }
}

#[test]
fn lone_carriage_returns_end_lines_when_nothing_else_does() {
    let format = Format {
        line_end: LineEnd::guess(b"a,b\r1,2\r", Some(b'"')),
        ..COMMA
    };
    let records = split_records(b"a,b\r\"1\r\",2\r", true, format, 9);
    assert_eq!(records.len(), 2);
    assert_eq!(records[1].cells[0].text, b"1\r");
}

#[test]
fn a_huge_cell_is_cut_and_its_length_told() {
    let text = format!("{},b\n", "x".repeat(100_000));
    let mut splitter = Splitter::new(
        COMMA,
        Keep {
            cell_bytes: 10,
            cells: 1,
        },
    );
    let record = splitter.feed(text.as_bytes()).0.unwrap();
    assert_eq!(record.cells.len(), 1);
    assert_eq!(
        (record.cells[0].text.len(), record.cells[0].full_bytes),
        (10, 100_000)
    );
    assert_eq!(record.length_bytes, text.len() as u64);
}

/// Both readers, in blocks of any size, against each other.
#[test]
fn scanner_and_splitter_agree_on_any_text() {
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..4000 {
        let line_end = if round % 3 == 0 {
            LineEnd::Cr
        } else {
            LineEnd::Lf
        };
        let quote = (round % 5 != 0).then_some(b'"');
        let format = Format {
            quote,
            line_end,
            ..COMMA
        };
        let text: Vec<u8> = (0..random.usize(0..200))
            .map(|_| *random.choice(b"a,,\"\"\n\n\r;\0").unwrap())
            .collect();
        let mut split = Splitter::new(format, ALL);
        let mut scan = Scanner::new(format, 0);
        let (mut records, mut found): (Vec<_>, Vec<Found>) = (Vec::new(), Vec::new());
        let size = random.usize(1..70);
        for block in text.chunks(size) {
            let mut rest = block;
            while !rest.is_empty() {
                let (record, used) = split.feed(rest);
                records.extend(record);
                rest = &rest[used..];
            }
            scan.feed(block, |f| found.push(f));
        }
        assert_eq!(split.is_open(), scan.is_open(), "{text:?}");
        records.extend(split.finish());
        scan.finish(|f| found.push(f));
        let mut end = 0;
        let from_split: Vec<Found> = records
            .iter()
            .map(|r| {
                end += r.length_bytes;
                Found {
                    end,
                    cells: r.cells.len() as u64,
                }
            })
            .collect();
        assert_eq!(
            from_split,
            found,
            "{:?} {format:?}",
            String::from_utf8_lossy(&text)
        );
    }
}

/// Against the csv package, where both have the same rules: no lone carriage return, nothing behind a closing quote.
#[test]
fn cells_are_those_of_the_csv_package() {
    let mut random = fastrand::Rng::with_seed(12);
    let words = [
        "a",
        "",
        "1.5",
        "\"x,y\"",
        "\"l\nm\"",
        "\"q\"\"r\"",
        "世",
        " s ",
    ];
    for _ in 0..2000 {
        let mut text = String::new();
        for _ in 0..random.usize(0..6) {
            let row: Vec<_> = (0..random.usize(1..5))
                .map(|_| random.choice(words).unwrap())
                .collect();
            text.push_str(&row.join(","));
            text.push_str(random.choice(["\n", "\r\n"]).unwrap());
        }
        let theirs: Vec<Vec<String>> = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes())
            .records()
            .map(|r| r.unwrap().iter().map(str::to_owned).collect())
            .collect();
        assert_eq!(cells(&text), theirs, "{text:?}");
    }
}
