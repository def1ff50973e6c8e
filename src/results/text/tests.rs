use crate::model::text::TextPage;
use crate::results::text::{Fate, ROW_BYTES, TextFile};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::ControlFlow;

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn indexed(bytes: &[u8]) -> (tempfile::NamedTempFile, TextFile) {
    let place = file(bytes);
    let text = TextFile::open(place.path()).unwrap();
    text.index_rest(&mut || ControlFlow::Continue(())).unwrap();
    (place, text)
}

fn lines(page: &TextPage) -> Vec<(u64, bool, &str)> {
    let rows = page.rows.iter();
    rows.map(|row| (row.line, row.continues, row.text.as_str()))
        .collect()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn the_first_rows_come_before_anything_is_counted() {
    let place = file("Größe\r\n世界\tb\n\nend".as_bytes());
    let text = TextFile::open(place.path()).unwrap();
    let page = text.page(0, 3).unwrap();
    assert_eq!(
        lines(&page),
        [(1, false, "Größe"), (2, false, "世界 b"), (3, false, "")]
    );
    assert!(!page.counted && page.rows_known == 3);
    text.index_rest(&mut || ControlFlow::Continue(())).unwrap();
    let page = text.page(0, 10).unwrap();
    assert_eq!(page.rows.last().unwrap().text, "end");
    assert!(page.counted);
    assert_eq!((page.rows_known, page.lines_known), (4, 4));
    assert_eq!(page.encoding, "UTF-8");
}

#[test]
fn other_encodings_are_read_and_searched() {
    let marked = [b"\xff\xfe".as_slice(), &wide("Größe\r\n世界😀\nüber\n")].concat();
    let cases: [(&[u8], &str, &[&str]); 3] = [
        (b"caf\xe9\n\xdcber\n", "Windows-1252", &["café", "Über"]),
        (&marked, "UTF-16", &["Größe", "世界😀", "über"]),
        (
            b"\xef\xbb\xbfa\nB\xc3\xbc\n",
            "UTF-8 with byte-order mark",
            &["a", "Bü"],
        ),
    ];
    for (bytes, encoding, rows) in cases {
        let (_place, text) = indexed(bytes);
        let page = text.page(0, 10).unwrap();
        assert_eq!(page.encoding, encoding);
        let read: Vec<&str> = page.rows.iter().map(|row| row.text.as_str()).collect();
        assert_eq!(read, rows);
        let last = rows.last().unwrap();
        let found = text.find(last, 0, true, &|_| true).unwrap();
        assert_eq!(found, Some(rows.len() as u64 - 1), "{encoding}");
    }
}

#[test]
fn any_row_is_read_from_a_mark_and_is_the_same_row() {
    let mut bytes = Vec::new();
    for number in 0..60_000 {
        writeln!(bytes, "line {number} {}", "x".repeat(number % 90)).unwrap();
    }
    let (_place, text) = indexed(&bytes);
    let whole = text.page(0, 60_000).unwrap();
    assert_eq!((whole.rows_known, whole.lines_known), (60_000, 60_000));
    for first in [0, 1, 1_023, 1_024, 20_000, 59_990] {
        let page = text.page(first, 20).unwrap();
        let from = usize::try_from(first).unwrap();
        let until = (from + 20).min(60_000);
        assert_eq!(page.rows, whole.rows[from..until], "from {first}");
    }
    assert_eq!(text.row_of_line(31_415).unwrap(), 31_414);
    assert_eq!(text.row_of_line(0).unwrap(), 0);
    assert_eq!(text.row_of_line(99_999_999).unwrap(), 59_999);
    let past = text.page(1_000_000, 5).unwrap();
    assert_eq!(past.rows.last().unwrap().line, 60_000);
}

#[test]
fn a_line_of_any_length_is_cut_into_rows_and_no_letter_in_two() {
    let long = "世".repeat(20_000);
    let (_place, text) = indexed(format!("first\n{long}\nlast\n").as_bytes());
    let page = text.page(0, 1_000).unwrap();
    assert_eq!(page.lines_known, 3);
    let joined: String = page
        .rows
        .iter()
        .filter(|row| row.line == 2)
        .map(|row| row.text.as_str())
        .collect();
    assert_eq!(joined, long);
    assert!(page.rows.iter().all(|row| row.text.len() <= ROW_BYTES + 4));
    assert_eq!(page.rows.last().unwrap().line, 3);
    assert_eq!(text.row_of_line(3).unwrap(), page.rows_known - 1);
    for (length, rows) in [(ROW_BYTES, 1), (ROW_BYTES + 1, 1), (ROW_BYTES + 9, 2)] {
        let (_place, text) = indexed(format!("{}\r\nb", "a".repeat(length)).as_bytes());
        let page = text.page(0, 10).unwrap();
        assert_eq!(page.rows.len(), rows + 1, "{length}");
        assert_eq!(page.rows.last().unwrap().text, "b");
    }
}

#[test]
fn words_are_found_forwards_and_backwards_over_the_seams_of_blocks() {
    // The second place lies on the border of two blocks, inside a line that is several rows.
    let mut text = "a needle here\n".to_owned();
    text += &"x".repeat((1 << 20) - text.len() - 3);
    text += "NEEDLE\n";
    text += &"y\n".repeat(600_000);
    text += "the last Needle";
    let (_place, file) = indexed(text.as_bytes());
    let find = |from, forward| file.find("needle", from, forward, &|_| true).unwrap();
    let first = find(0, true).unwrap();
    assert_eq!(first, 0);
    let second = find(first + 1, true).unwrap();
    let third = find(second + 1, true).unwrap();
    assert!(third > 600_000);
    assert_eq!(find(third + 1, true), None);
    assert_eq!(find(third, false), Some(second));
    assert_eq!(find(second, false), Some(first));
    assert_eq!(find(first, false), None);
    assert_eq!(file.find("", 0, true, &|_| true).unwrap(), None);
    assert_eq!(file.find("ne.dle", 0, true, &|_| true).unwrap(), None);
    assert_eq!(file.find("nowhere", 0, true, &|_| false).unwrap(), None);
}

#[test]
fn a_log_that_grows_goes_on_and_its_last_line_is_read_again() {
    let (place, text) = indexed(b"one\ntw");
    assert_eq!(text.look(), Fate::AsBefore);
    let mut more = OpenOptions::new().append(true).open(place.path()).unwrap();
    more.write_all(b"o\nthree\n").unwrap();
    assert_eq!(text.look(), Fate::Grown);
    assert!(!text.is_counted());
    text.index_rest(&mut || ControlFlow::Continue(())).unwrap();
    let page = text.page(0, 10).unwrap();
    assert_eq!(
        lines(&page),
        [(1, false, "one"), (2, false, "two"), (3, false, "three")]
    );
    assert_eq!((page.rows_known, page.size_bytes), (3, 14));
}

#[test]
fn a_file_that_shrinks_is_replaced_or_vanishes_is_said_and_breaks_nothing() {
    let (place, text) = indexed("a line\n".repeat(100_000).as_bytes());
    let shrunk = OpenOptions::new().write(true).open(place.path()).unwrap();
    shrunk.set_len(10).unwrap();
    assert_eq!(text.look(), Fate::Changed);
    assert_eq!(text.page(50_000, 10).unwrap().rows, []);
    text.find("line", 0, true, &|_| true).unwrap();
    text.find("line", 90_000, false, &|_| true).unwrap();
    text.row_of_line(90_000).unwrap();
    let path = place.path().to_owned();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(text.look(), Fate::Gone);
    assert_eq!(text.page(0, 1).unwrap().rows[0].text, "a line");
    let mut other = std::fs::File::create(&path).unwrap();
    other
        .write_all("a line\n".repeat(200_000).as_bytes())
        .unwrap();
    assert_eq!(text.look(), Fate::Changed);
}

#[test]
fn an_index_that_was_stopped_goes_on_where_it_was() {
    let bytes = "some words\n".repeat(1_000_000);
    let place = file(bytes.as_bytes());
    let text = TextFile::open(place.path()).unwrap();
    text.index_rest(&mut || ControlFlow::Break(())).unwrap();
    let known = text.rows_known();
    assert!(known > 100_000 && known < 1_000_000, "{known}");
    assert!(!text.is_counted());
    text.index_rest(&mut || ControlFlow::Continue(())).unwrap();
    assert_eq!(text.rows_known(), 1_000_000);
}

#[test]
fn what_looks_like_text_and_is_not_is_still_rows() {
    let mut bytes = b"log\0\x1b[31mred\xff\xfe\n".to_vec();
    bytes.extend((0..=255).cycle().take(10_000));
    let (_place, text) = indexed(&bytes);
    let page = text.page(0, 10_000).unwrap();
    assert!(page.rows.len() > 30);
    for row in &page.rows {
        assert!(!row.text.chars().any(char::is_control), "{:?}", row.text);
    }
    let (_place, empty) = indexed(b"");
    assert_eq!(empty.page(0, 10).unwrap().rows, []);
    assert!(empty.is_counted());
}

#[test]
fn one_line_of_256_megabytes_is_read_like_any_other() {
    let place = file(b"");
    place.as_file().set_len(1 << 28).unwrap();
    let text = TextFile::open(place.path()).unwrap();
    assert_eq!(text.page(0, 200).unwrap().rows.len(), 200);
    text.index_rest(&mut || ControlFlow::Continue(())).unwrap();
    let page = text.page(100_000, 200).unwrap();
    assert_eq!((page.lines_known, page.rows.len()), (1, 200));
    assert!(
        page.rows
            .iter()
            .all(|row| row.continues && row.text.len() <= 2 * ROW_BYTES + 8)
    );
    assert_eq!(text.find("x", 0, true, &|_| true).unwrap(), None);
}
