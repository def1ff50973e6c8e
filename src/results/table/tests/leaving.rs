//! Rows that leave the app: copied and saved, as they are and for spreadsheets; plots as pictures.

use crate::model::table::plot::PlotWish;
use crate::model::table::{Condition, Filter, Query};
use crate::results::table::chart;
use crate::results::table::export::{Style, copy, save};
use crate::results::table::points::plot;
use crate::results::table::protect::Region;
use crate::results::table::sheet::{Sheet, Task};
use crate::results::table::tests::{file, index, open};
use crate::results::table::view::View;
use crate::results::table::{TableError, TableFile};
use std::fmt::Write as _;
use std::io::Write as _;

const TEXT: &str = "id;value;gene\n007;1,5;MARCH1\n010;-2,25;\"a;\tb\"\n9007199254740993;x;=1+1\n";

const POINT: Region = Region {
    separator: b',',
    decimal: '.',
};

fn view() -> View {
    let table = open(TEXT.as_bytes());
    index(&table);
    View::plain(Sheet::of_file(table))
}

#[test]
fn what_is_copied_is_what_is_shown() {
    let view = view();
    let quiet = Task::QUIET;
    let (text, rows) = copy(&view, (0, 9), &[2, 0], true, None, &quiet).unwrap();
    assert_eq!(rows, 3);
    assert_eq!(
        text,
        "gene\tid\nMARCH1\t007\n\"a;\tb\"\t010\n=1+1\t9007199254740993\n"
    );
    let (text, _) = copy(&view, (1, 1), &[1], false, None, &quiet).unwrap();
    assert_eq!(text, "-2,25", "a single cell has no line end");
    let (text, _) = copy(&view, (0, 9), &[0, 1, 2], false, Some(POINT), &quiet).unwrap();
    assert_eq!(
        text,
        "\"=\"\"007\"\"\"\t1.5\t\"=\"\"MARCH1\"\"\"\n\"=\"\"010\"\"\"\t-2.25\t\"a;\tb\"\n\
         \"=\"\"9007199254740993\"\"\"\tx\t\"=\"\"=1+1\"\"\"\n"
    );
}

#[test]
fn a_saved_table_has_the_rows_shown_and_the_file_stays_as_it_is() {
    let source = file(TEXT.as_bytes());
    let table = TableFile::open(source.path()).unwrap();
    index(&table);
    let query = Query {
        filters: vec![Filter {
            column: 1,
            condition: Condition::Between(Some(-3.0), None),
        }],
        sorts: vec![],
    };
    let view = View::plain(Sheet::of_file(table))
        .ask(query, &Task::QUIET)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain # 世.csv");
    let written = save(&view, &[0, 2], &path, Style::Plain, &Task::QUIET).unwrap();
    assert_eq!(written.rows, 2);
    let saved = std::fs::read_to_string(&path).unwrap();
    assert_eq!(saved, "id,gene\n007,MARCH1\n010,a;\tb\n");
    let style = Style::Spreadsheet(POINT);
    let written = save(&view, &[0, 1, 2], &path, style, &Task::QUIET).unwrap();
    let protected: Vec<_> = written.protected.into_iter().collect();
    assert_eq!(protected, [("gene".to_owned(), 1), ("id".to_owned(), 2)]);
    let saved = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        saved,
        "\u{feff}id,value,gene\r\n\"=\"\"007\"\"\",1.5,\"=\"\"MARCH1\"\"\"\r\n\"=\"\"010\"\"\",-2.25,a;\tb\r\n"
    );
    assert_eq!(std::fs::read_to_string(source.path()).unwrap(), TEXT);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no half-written file stays");
    let gone = folder.path().join("no such folder").join("x.csv");
    let failed = save(&view, &[0], &gone, Style::Plain, &Task::QUIET);
    assert!(matches!(failed, Err(TableError::Io(_))));
}

#[test]
fn a_plot_is_saved_as_a_picture() {
    let mut text = String::from("x,y,class\n");
    for row in 0..30_000_u32 {
        writeln!(text, "{},{},{}", row % 173, row % 97, row % 3).unwrap();
    }
    let table = open(text.as_bytes());
    index(&table);
    let view = View::plain(Sheet::of_file(table));
    let folder = tempfile::tempdir().unwrap();
    for wish in [
        PlotWish::Histogram { column: 0 },
        PlotWish::Scatter {
            x: 0,
            y: 1,
            color: Some(2),
        },
        PlotWish::Boxes {
            category: 2,
            values: 0,
        },
    ] {
        let drawn = plot(&view, &wish, &Task::QUIET).unwrap();
        let png = folder.path().join("plot.PNG");
        chart::save(&drawn, view.sheet().columns(), &png).unwrap();
        let image = image::open(&png).unwrap().into_rgb8();
        assert_eq!(image.dimensions(), (1600, 1000));
        let colored = image
            .pixels()
            .filter(|pixel| pixel.0[0].abs_diff(pixel.0[2]) > 60);
        assert!(colored.count() > 2_000, "{wish:?}");
        let svg = folder.path().join("plot.svg");
        chart::save(&drawn, view.sheet().columns(), &svg).unwrap();
        let text = std::fs::read_to_string(&svg).unwrap();
        assert!(text.starts_with("<svg") && text.contains("class") | text.contains('x'));
        assert!(text.len() < 4 << 20, "{} bytes", text.len());
    }
}

#[test]
fn a_saved_plot_of_boxes_shows_what_is_beyond_the_whiskers() {
    let table = open(b"kind,n\na,1\na,2\na,3\na,4\na,5\na,60\nb,1\nb,2\n");
    index(&table);
    let view = View::plain(Sheet::of_file(table));
    let wish = PlotWish::Boxes {
        category: 0,
        values: 1,
    };
    let drawn = plot(&view, &wish, &Task::QUIET).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let svg = folder.path().join("plot.svg");
    chart::save(&drawn, view.sheet().columns(), &svg).unwrap();
    let text = std::fs::read_to_string(&svg).unwrap();
    assert_eq!(text.matches("<circle").count(), 1);
    assert!(text.contains("\n60"), "the axis reaches it");
}

#[test]
fn a_file_that_changes_or_vanishes_is_noticed() {
    let mut source = file(b"a,b\n1,2\n");
    let table = TableFile::open(source.path()).unwrap();
    table.check_unchanged().unwrap();
    source.write_all(b"3,4\n").unwrap();
    assert!(matches!(table.check_unchanged(), Err(TableError::Changed)));
    drop(source);
    assert!(matches!(table.check_unchanged(), Err(TableError::Vanished)));
}
