//! Tables as instruments, spreadsheets and accidents write them.

use crate::results::table::dialect::Wishes;
use crate::results::table::encoding::Encoding;
use crate::results::table::{TableError, TableFile};
use std::io::Write as _;
use std::ops::ControlFlow;

mod asking;
mod leaving;
mod plotting;

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new()
        .prefix("nasty # 50% 世")
        .suffix(".dat")
        .tempfile()
        .unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn open(bytes: &[u8]) -> TableFile {
    TableFile::open(file(bytes).path()).unwrap()
}

fn index(table: &TableFile) {
    table.index(&mut |_, _| ControlFlow::Continue(())).unwrap();
}

fn csv(table: &TableFile, rows: std::ops::Range<u64>) -> String {
    let mut out = Vec::new();
    table.write_csv(rows, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn wide(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        })
        .collect()
}

#[test]
fn cells_are_never_changed() {
    let table = open(b"id,value,when\n007,1.50,2026-11-20\n00123456789012345678901234567890,1e5,01/02\n NA , TRUE ,\"=1+1\"\n");
    assert_eq!(table.columns(), ["id", "value", "when"]);
    let rows = table.rows(0, 10).unwrap();
    assert_eq!(rows[0], ["007", "1.50", "2026-11-20"]);
    assert_eq!(
        rows[1],
        ["00123456789012345678901234567890", "1e5", "01/02"]
    );
    assert_eq!(rows[2], [" NA ", " TRUE ", "=1+1"]);
    assert_eq!(
        (table.rows_known(), table.is_counted(), table.ragged_rows()),
        (3, true, 0)
    );
}

#[test]
fn every_way_to_write_a_small_table() {
    let expected = [["a µ", "1,5"], ["b\nc", "2,5"]];
    let text = "name;value\r\na µ;1,5\r\n\"b\nc\";2,5\r\n";
    let latin: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let marked = format!("\u{feff}{text}");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    for (bytes, described) in [
        (text.as_bytes().to_vec(), "semicolon, decimal comma, UTF-8"),
        (
            marked.as_bytes().to_vec(),
            "semicolon, decimal comma, UTF-8 with byte-order mark",
        ),
        (latin, "semicolon, decimal comma, Windows-1252"),
        (wide(&marked, false), "semicolon, decimal comma, UTF-16"),
        (wide(&marked, true), "semicolon, decimal comma, UTF-16"),
        (wide(text, false), "semicolon, decimal comma, UTF-16"),
        (packed, "semicolon, decimal comma, UTF-8, gzip"),
        (
            format!("sep=;\r\n{text}").into_bytes(),
            "semicolon, decimal comma, UTF-8",
        ),
        (
            text.replace("\r\n", "\n").into_bytes(),
            "semicolon, decimal comma, UTF-8",
        ),
    ] {
        let table = open(&bytes);
        assert_eq!(table.columns(), ["name", "value"], "{described}");
        assert_eq!(table.rows(0, 9).unwrap(), expected, "{described}");
        assert_eq!(table.describe(), described);
        assert_eq!(table.rows_known(), 2);
    }
}

#[test]
fn carriage_returns_alone() {
    let table = open(b"a,b\r1,2\r3,4");
    assert_eq!(table.columns(), ["a", "b"]);
    assert_eq!(table.rows(0, 9).unwrap(), [["1", "2"], ["3", "4"]]);
}

/// Line feeds inside quotes do not end lines, and do not say that line feeds do.
#[test]
fn line_feeds_in_quotes_do_not_hide_that_carriage_returns_end_lines() {
    let table = open(b"a,b\r\"two\nlines\",2\r3,4\r");
    assert_eq!(table.columns(), ["a", "b"]);
    assert_eq!(table.rows(0, 9).unwrap(), [["two\nlines", "2"], ["3", "4"]]);
    let table = open(b"a,b\n5\" pipe,\"x\ry\"\n");
    assert_eq!(table.rows(0, 9).unwrap(), [["5\" pipe", "x\ry"]]);
}

/// Only the first block of a packed table is there when it is opened.
#[test]
fn a_packed_table_is_written_out_whole() {
    let text = large(40_000);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&text).unwrap();
    let table = open(&gzip.finish().unwrap());
    assert!(!table.is_counted());
    assert_eq!(table.rows(0, 50).unwrap().len(), 50);
    assert_eq!(
        csv(&table, 39_999..40_001).lines().count(),
        csv(&open(&text), 39_999..40_001).lines().count()
    );
    assert_eq!((table.rows_known(), table.is_counted()), (40_000, true));
}

#[test]
fn next_to_nothing() {
    for bytes in [b"".as_slice(), b"\n", b"\r\n\r\n", b"\xEF\xBB\xBF"] {
        let table = open(bytes);
        assert!(table.columns().is_empty());
        assert!(table.rows(0, 5).unwrap().is_empty());
        assert_eq!((table.rows_known(), table.is_counted()), (0, true));
        assert_eq!(csv(&table, 0..9), "");
    }
    for bytes in [
        b"Object ID,Class".as_slice(),
        b"Object ID,Class\n",
        b"Object ID,Class\r\n\r\n",
    ] {
        let table = open(bytes);
        assert_eq!(table.columns(), ["Object ID", "Class"]);
        assert_eq!((table.rows_known(), table.is_counted()), (0, true));
        assert_eq!(csv(&table, 0..9), "Object ID,Class\n");
    }
    let table = open(b"1,2\n3,4\n");
    assert_eq!(table.columns(), ["column 1", "column 2"]);
    assert_eq!(csv(&table, 0..9), "1,2\n3,4\n");
}

#[test]
fn ragged_rows_are_shown_as_they_are_and_counted() {
    let table = open(b"a,b,c\n1,2,3\n1,2\n1,2,3,4\n\n\"x,y\"\n,,\n");
    let lengths: Vec<_> = table.rows(0, 9).unwrap().iter().map(Vec::len).collect();
    assert_eq!(lengths, [3, 2, 4, 1, 3]);
    assert_eq!((table.rows_known(), table.ragged_rows()), (5, 3));
    assert_eq!(
        csv(&table, 0..9),
        "a,b,c\n1,2,3\n1,2\n1,2,3,4\n\"x,y\"\n,,\n"
    );
}

#[test]
fn zero_bytes_and_stray_letters_stay_where_they_are() {
    let table = open(b"a,b\n1\0,\0\n\xB5m,x\n");
    assert_eq!(table.rows(0, 9).unwrap(), [["1\0", "\0"], ["µm", "x"]]);
    // A byte of another encoding far behind the block the encoding was guessed from.
    let mut bytes = b"a,b\n".to_vec();
    for _ in 0..100_000 {
        bytes.extend("ä,1\n".as_bytes());
    }
    bytes.extend(b"\xB5,2\n");
    let table = open(&bytes);
    assert_eq!(table.dialect().encoding, Encoding::Utf8);
    index(&table);
    assert_eq!(table.rows(100_000, 1).unwrap(), [["µ", "2"]]);
}

#[test]
fn huge_cells_are_cut_for_the_screen_said_so_and_written_whole() {
    let huge = "é".repeat(10 << 20);
    let table = open(format!("a,b\n\"{huge}\",1\nx,2\n").as_bytes());
    assert!(!table.is_counted());
    let rows = table.rows(0, 9).unwrap();
    assert!(rows[0][0].len() < 100_000);
    assert!(rows[0][0].ends_with("é… [20971520 bytes in all]"));
    assert_eq!(rows[1], ["x", "2"]);
    index(&table);
    assert_eq!((table.rows_known(), table.is_counted()), (2, true));
    assert_eq!(csv(&table, 0..1), format!("a,b\n{huge},1\n"));
    let many = format!(
        "a,b\n{}",
        format!("\"{}\",1\n", "y".repeat(60_000)).repeat(1000)
    );
    let shorter = open(many.as_bytes()).rows(0, 1000).unwrap();
    assert!(
        (100..1000).contains(&shorter.len()),
        "a page is bounded: {}",
        shorter.len()
    );
}

#[test]
fn a_quote_never_closed_takes_the_rest_and_is_named() {
    let mut text = "a,b\n1,2\n\"oh,3\n".to_owned();
    text.push_str(&"4,5\n".repeat(200_000));
    let table = open(text.as_bytes());
    index(&table);
    assert_eq!((table.rows_known(), table.unclosed_row()), (2, Some(1)));
    assert!(table.rows(1, 5).unwrap()[0][0].starts_with("oh,3\n4,5\n"));
    let unquoted = Wishes {
        quote: Some(None),
        ..Wishes::default()
    };
    let table = TableFile::open_as(file(text.as_bytes()).path(), &unquoted).unwrap();
    index(&table);
    assert_eq!((table.rows_known(), table.unclosed_row()), (200_002, None));
}

fn large(rows: u64) -> Vec<u8> {
    let mut text = b"id,text,note\n".to_vec();
    for row in 0..rows {
        let note = if row % 97 == 0 {
            "\"two\nlines, \"\"quoted\"\"\""
        } else {
            "plain"
        };
        writeln!(text, "{row},row {row},{note}").unwrap();
    }
    text
}

#[test]
fn any_row_of_a_large_table_before_while_and_after_counting() {
    let table = open(&large(60_000));
    assert!(!table.is_counted());
    assert_eq!(
        table.rows(0, 1).unwrap()[0],
        ["0", "row 0", "two\nlines, \"quoted\""]
    );
    let far = |table: &TableFile| {
        table
            .rows(59_998, 10)
            .unwrap()
            .iter()
            .map(|row| row[0].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(far(&table), ["59998", "59999"], "without any index");
    let mut heard = Vec::new();
    table
        .index(&mut |rows, bytes| {
            heard.push((rows, bytes));
            if heard.len() == 1 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    assert!(!table.is_counted());
    assert_eq!(far(&table), ["59998", "59999"], "with half an index");
    index(&table);
    assert_eq!(
        (table.rows_known(), table.is_counted(), table.ragged_rows()),
        (60_000, true, 0)
    );
    let mut random = fastrand::Rng::with_seed(4);
    for row in [0, 63, 64, 65, 127, 128, 59_999]
        .into_iter()
        .chain((0..200).map(|_| random.u64(0..60_000)))
    {
        assert_eq!(table.rows(row, 1).unwrap()[0][0], row.to_string());
    }
    assert!(table.rows(60_000, 5).unwrap().is_empty());
    assert!(table.rows(u64::MAX, 5).unwrap().is_empty());
    assert_eq!(table.rows(59_990, 50).unwrap().len(), 10);
    assert_eq!((table.rows_known(), table.is_counted()), (60_000, true));
    let copy = csv(&table, 97..99);
    assert_eq!(
        copy,
        "id,text,note\n97,row 97,\"two\nlines, \"\"quoted\"\"\"\n98,row 98,plain\n"
    );
}

#[test]
fn one_thread_counts_while_others_read() {
    let table = open(&large(40_000));
    std::thread::scope(|scope| {
        scope.spawn(|| index(&table));
        for start in [0, 20_000, 39_999] {
            let table = table.clone();
            scope.spawn(move || {
                for row in (0..=start).rev().step_by(977) {
                    assert_eq!(table.rows(row, 1).unwrap()[0][0], row.to_string());
                }
            });
        }
    });
    index(&table);
    assert_eq!(table.rows_known(), 40_000);
}

#[test]
fn a_whole_table_survives_being_written_and_read_again() {
    let mut random = fastrand::Rng::with_seed(6);
    let words = [
        "",
        "a",
        "0042",
        "1,5",
        "x;y",
        "\"",
        "line\nbreak",
        "\r",
        "世界",
        " pad ",
        "tab\there",
        "'",
    ];
    for _ in 0..60 {
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .from_writer(Vec::new());
        writer.write_record(["first", "second", "third"]).unwrap();
        let rows: Vec<Vec<&str>> = (0..random.usize(1..200))
            .map(|_| (0..3).map(|_| *random.choice(&words).unwrap()).collect())
            .collect();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let wishes = Wishes {
            delimiter: Some(b','),
            header: Some(true),
            ..Wishes::default()
        };
        let table =
            TableFile::open_as(file(&writer.into_inner().unwrap()).path(), &wishes).unwrap();
        assert_eq!(table.rows(0, 1000).unwrap(), rows);
        assert_eq!(table.rows_known(), rows.len() as u64);
        let again =
            TableFile::open_as(file(csv(&table, 0..u64::MAX).as_bytes()).path(), &wishes).unwrap();
        assert_eq!(again.rows(0, 1000).unwrap(), rows);
    }
}

#[test]
fn any_bytes_open_without_panic_and_agree_with_the_count() {
    let mut random = fastrand::Rng::with_seed(8);
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..random.usize(0..300))
            .map(|_| {
                if random.u8(0..8) == 0 {
                    random.u8(..)
                } else {
                    *random.choice(b"a1,;\t|\"\"\n\r. \0").unwrap()
                }
            })
            .collect();
        let table = open(&bytes);
        let rows = table.rows(0, usize::MAX).unwrap();
        assert_eq!(
            rows.len() as u64,
            table.rows_known(),
            "{:?}",
            String::from_utf8_lossy(&bytes)
        );
        for (row, cells) in rows.iter().enumerate().step_by(5) {
            assert_eq!(&table.rows(row as u64, 1).unwrap()[0], cells);
        }
    }
}

#[test]
fn damaged_gzip_and_missing_files_are_told_apart() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&large(1000)).unwrap();
    let packed = packed.finish().unwrap();
    let cut = file(&packed[..packed.len() / 2]);
    assert!(matches!(
        TableFile::open(cut.path()),
        Err(TableError::Packed(_))
    ));
    assert!(matches!(
        TableFile::open(std::path::Path::new("/nowhere.csv")),
        Err(TableError::Io(_))
    ));
}
