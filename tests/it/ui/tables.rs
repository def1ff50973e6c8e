//! The table of the results pane: what a click asks for, and how the answer is shown.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use labferry::engine::command::Command;
use labferry::model::preview::{Preview, PreviewContent};
use labferry::model::table::{
    CardValues, ColumnCard, ColumnKind, Condition, Copied, CopyStyle, CopyWish, Filter, Found,
    Histogram, Plot, PlotContent, PlotWish, PointColor, Points, Query, SaveForm, Sort, TablePage,
    TableWish, Work,
};
use labferry::ui::desktop::{Picked, PretendDesktop};

use super::{Window, fixture, page};

fn show(window: &mut Window, page: TablePage) {
    let folder = "/results/2026-11-20 Plate 7/Imaging core - Nuclei count";
    let path = PathBuf::from(format!("{folder}/objects.csv"));
    window.publish(|snapshot| {
        snapshot.preview = Some(Arc::new(Preview {
            path,
            content: PreviewContent::Table(Arc::new(page)),
        }));
    });
}

fn counted() -> TablePage {
    TablePage {
        counted: true,
        ..page(0, 300, 300)
    }
}

fn window() -> Window {
    window_with(PretendDesktop::new(Picked::Unavailable))
}

fn window_with(desktop: PretendDesktop) -> Window {
    let mut window = Window::with_desktop(fixture::with_jobs(), desktop);
    window.go("Results");
    window.press("objects.csv");
    show(&mut window, counted());
    window.taken();
    window
}

/// The wishes of the commands taken, nothing else among them.
fn wishes(window: &Window) -> Vec<TableWish> {
    window
        .taken()
        .into_iter()
        .map(|command| match command {
            Command::Table(wish) => wish,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn sorted_by(column: usize, descending: bool) -> Query {
    Query {
        filters: Vec::new(),
        sorts: vec![Sort { column, descending }],
    }
}

#[test]
fn a_column_is_described_sorted_and_filtered_from_its_name() {
    let mut window = window();
    window.press("Column Area");
    assert_eq!(wishes(&window), [TableWish::Describe(vec![2])]);
    let mut page = counted();
    let card = ColumnCard {
        kind: ColumnKind::Numbers,
        count: 299,
        missing: 1,
        distinct: 97,
        distinct_is_exact: true,
        values: CardValues::Numbers {
            numbers: 299,
            min: 0.5,
            max: 96.5,
            mean: 48.25,
            median: 48.5,
            median_is_exact: false,
            histogram: Histogram {
                from: 0.5,
                to: 96.5,
                counts: vec![3, 2, 1],
            },
        },
    };
    page.cards = Arc::new(BTreeMap::from([(2, card)]));
    show(&mut window, page.clone());
    assert!(window.sees("299 there, 1 missing, 97 different"));
    assert!(window.sees("mean 48.25, median about 48.5"));
    window.type_into("From", "10");
    window.type_into("To", "x");
    window.press("Show these rows");
    assert!(window.sees("Not a number") && window.taken().is_empty());
    window.press("Sort ↓");
    assert_eq!(wishes(&window), [TableWish::Ask(sorted_by(2, true))]);
    let mut query = sorted_by(2, true);
    query.filters.push(Filter {
        column: 1,
        condition: Condition::Contains("A01".to_owned()),
    });
    page.query = query.clone();
    page.rows_shown = Some(250);
    show(&mut window, page);
    assert!(window.sees("250 of 300 rows"));
    window.press("Remove Image origin contains “A01”");
    assert_eq!(wishes(&window), [TableWish::Ask(sorted_by(2, true))]);
    window.press("Remove Sorted by Area ↓");
    query.sorts.clear();
    assert_eq!(wishes(&window), [TableWish::Ask(query)]);
    window.press("Show all as in the file");
    assert_eq!(wishes(&window), [TableWish::Ask(Query::default())]);
}

#[test]
fn a_text_is_found_and_shown() {
    let mut window = window();
    window.type_into("Find in the table", "000250");
    window.harness.key_press(egui::Key::Enter);
    window.harness.run();
    let expected = TableWish::Find {
        text: "000250".to_owned(),
        from: 0,
        forward: true,
    };
    assert_eq!(wishes(&window), [expected]);
    assert!(!window.sees("000250"), "not on screen yet");
    let mut page = counted();
    page.found = Some(Found {
        text: "000250".to_owned(),
        rows: 2,
        at: Some((250, 0, 0)),
        answer: 1,
    });
    show(&mut window, page.clone());
    assert!(window.sees("1 of 2"));
    assert!(window.sees("000250"), "scrolled there");
    window.press("Next match");
    let expected = TableWish::Find {
        text: "000250".to_owned(),
        from: 251,
        forward: true,
    };
    assert_eq!(wishes(&window), [expected]);
    page.found = Some(Found {
        text: "000250".to_owned(),
        rows: 0,
        at: None,
        answer: 2,
    });
    show(&mut window, page);
    assert!(window.sees("Not in this table"));
    window.type_into("Go to row", "120");
    window.harness.key_press(egui::Key::Enter);
    window.harness.run();
    assert!(window.sees("000119") && !window.sees("000250"));
}

/// A table that is opened again numbers its answers anew, and knows no columns yet.
#[test]
fn a_table_opened_again_is_another_one() {
    let mut window = window();
    window.press("Column Area");
    assert_eq!(wishes(&window), [TableWish::Describe(vec![2])]);
    assert!(
        window.sees("Describe this column"),
        "nothing is being worked on"
    );
    let found = |opening| TablePage {
        opening,
        found: Some(Found {
            text: "x".to_owned(),
            rows: 1,
            at: Some((250, 0, 0)),
            answer: 1,
        }),
        ..counted()
    };
    show(&mut window, found(0));
    assert!(window.sees("000250"));
    window.harness.key_press(egui::Key::Escape);
    window.harness.run();
    window.harness.key_press(egui::Key::Home);
    window.harness.run();
    assert!(!window.sees("000250"));
    show(&mut window, found(1));
    assert!(window.sees("000250"), "the first answer of another opening");
    window.taken();
    window.press("Column Area");
    assert_eq!(wishes(&window), [TableWish::Describe(vec![2])]);
}

#[test]
fn cells_and_rows_are_copied() {
    let mut window = window();
    window.harness.get_by_label("000002").click();
    window.harness.run();
    window.press("Copy");
    window.press("Copy what is chosen, with column names");
    let expected = |first, count, columns: &[usize], style| {
        TableWish::Copy(CopyWish {
            first,
            count,
            columns: columns.to_vec(),
            style,
        })
    };
    assert_eq!(
        wishes(&window),
        [expected(2, 1, &[0], CopyStyle::WithNames)]
    );
    window.press("Row 5");
    window.press("Copy");
    window.press("Copy what is chosen, for Excel");
    let style = CopyStyle::ForSpreadsheet;
    assert_eq!(wishes(&window), [expected(4, 1, &[0, 1, 2], style)]);
    let mut page = counted();
    page.copied = Some(Copied {
        answer: 7,
        text: "000004\tx".into(),
        rows: 1,
    });
    show(&mut window, page);
    let copied = window.harness.output().platform_output.commands.iter().any(
        |command| matches!(command, egui::OutputCommand::CopyText(text) if text == "000004\tx"),
    );
    assert!(
        copied,
        "{:?}",
        window.harness.output().platform_output.commands
    );
}

#[test]
fn hidden_columns_are_not_saved_and_cards_are_asked_for_once() {
    let picked = Picked::Paths(vec![PathBuf::from("/home/someone/rows.csv")]);
    let mut window = window_with(PretendDesktop::new(picked));
    window.press("Column cards");
    assert_eq!(wishes(&window), [TableWish::Describe(vec![0, 1, 2])]);
    window.harness.run();
    assert!(window.taken().is_empty(), "once");
    window.press("Column cards");
    window.press("Column Image origin");
    window.press("Hide");
    assert!(!window.sees("Column Image origin") && window.sees("Columns (1 hidden)"));
    window.taken();
    window.press("Save as");
    window.press("Save a copy for Excel…");
    window.harness.run();
    let expected = TableWish::Save {
        columns: vec![0, 2],
        path: PathBuf::from("/home/someone/rows.csv"),
        form: SaveForm::Excel,
    };
    assert_eq!(wishes(&window), [expected]);
}

#[test]
fn where_there_is_no_picker_a_path_is_typed() {
    let mut window = window();
    window.press("Save as");
    window.press("Save as CSV…");
    window.harness.run();
    window.type_into("Path of the new file", "/home/someone/x.csv");
    window.press("Save there");
    let taken = wishes(&window);
    assert!(
        matches!(
            taken.as_slice(),
            [TableWish::Save {
                form: SaveForm::Csv,
                ..
            }]
        ),
        "{taken:?}"
    );
    assert!(!window.sees("Path of the new file"));
}

#[test]
fn work_is_shown_and_can_be_stopped_and_notes_closed() {
    let mut window = window();
    let mut page = counted();
    page.work = Some(Work {
        what: "Sorting".to_owned(),
        share: 0.42,
    });
    page.notes = vec!["The file has changed since it was opened".to_owned()];
    page.ragged_rows = 3;
    show(&mut window, page);
    assert!(window.sees("Sorting 42 %"));
    assert!(window.sees("3 rows of uneven length"));
    window.press("Stop");
    window.press("Close the note");
    assert_eq!(wishes(&window), [TableWish::Stop, TableWish::CloseNotes]);
}

/// What the window's memory file holds.
#[derive(Default)]
struct Memory(BTreeMap<String, String>);

impl eframe::Storage for Memory {
    fn get_string(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }

    fn set_string(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }

    fn remove_string(&mut self, key: &str) {
        self.0.remove(key);
    }

    fn flush(&mut self) {}
}

#[test]
fn a_width_once_drawn_is_kept_for_tables_with_the_same_columns() {
    let left = |window: &Window, name: &str| window.harness.get_by_label(name).rect().left();
    let width = |window: &Window| left(window, "Column Area") - left(window, "Column Image origin");
    let mut window = window();
    let before = width(&window);
    let height = window.harness.get_by_label("Column Area").rect().center().y;
    let border = egui::pos2(left(&window, "Column Area") - 4.0, height);
    window.harness.drag_at(border);
    window.harness.run();
    window.harness.hover_at(border + egui::vec2(60.0, 0.0));
    window.harness.run();
    window.harness.drop_at(border + egui::vec2(60.0, 0.0));
    window.harness.run();
    let drawn = width(&window);
    assert!(drawn > before + 40.0, "{before} {drawn}");
    let opened_again = TablePage {
        opening: 7,
        ..counted()
    };
    show(&mut window, opened_again.clone());
    assert_eq!(width(&window).to_bits(), drawn.to_bits());
    let mut other = opened_again;
    Arc::make_mut(&mut other.columns).push("Class".to_owned());
    other.opening = 8;
    show(&mut window, other);
    assert_eq!(width(&window).to_bits(), before.to_bits(), "other columns");

    let mut kept = Memory::default();
    let memory = window.harness.ctx.memory(Clone::clone);
    eframe::set_value(&mut kept, "egui", &memory);
    let mut next_day = Window::with_desktop(
        fixture::with_jobs(),
        PretendDesktop::new(Picked::Unavailable),
    );
    let memory = eframe::get_value(&kept, "egui").unwrap();
    next_day.harness.ctx.memory_mut(|fresh| *fresh = memory);
    next_day.go("Results");
    next_day.press("objects.csv");
    show(&mut next_day, counted());
    assert_eq!(width(&next_day).to_bits(), drawn.to_bits());
}

#[test]
fn long_names_of_columns_push_no_choice_of_a_plot_away() {
    let mut window = window();
    window.harness.set_size(egui::vec2(1000.0, 640.0));
    let mut page = counted();
    for name in Arc::make_mut(&mut page.columns) {
        *name = format!("{name}, as measured behind the second objective");
    }
    show(&mut window, page);
    window.press("Plot");
    window.press("Scatter");
    window.harness.run();
    let boxes = ["Across", "Up", "Color"].map(|name| {
        window
            .harness
            .get_all_by_label(name)
            .find(|node| node.accesskit_node().role() == Role::ComboBox)
            .unwrap()
            .rect()
    });
    for pair in boxes.windows(2) {
        assert!(pair[0].right() < pair[1].left(), "{boxes:?}");
        assert!(pair[0].y_range() == pair[1].y_range(), "{boxes:?}");
    }
    assert!(boxes[2].right() < 1000.0, "{boxes:?}");
}

#[test]
fn a_plot_is_chosen_in_two_clicks() {
    let mut window = window();
    window.press("Plot");
    window.press("Scatter");
    // Area is the one column with measured numbers; the other is the first with numbers at all.
    let expected = PlotWish::Scatter {
        x: 2,
        y: 0,
        color: None,
    };
    assert_eq!(wishes(&window), [TableWish::Plot(Some(expected.clone()))]);
    let points = Points {
        x: vec![1.0, 2.0],
        y: vec![3.0, 4.0],
        color: PointColor::Groups {
            group: vec![0, 1],
            names: vec!["Nucleus".to_owned(), "Debris".to_owned()],
        },
        bounds: [1.0, 2.0, 3.0, 4.0],
    };
    let plot = Plot {
        wish: expected,
        rows: 2,
        left_out: 0,
        every: 1,
        content: PlotContent::Scatter(Arc::new(points)),
    };
    let page = TablePage {
        plot: Some(Arc::new(plot)),
        ..counted()
    };
    show(&mut window, page);
    assert!(
        window.sees("Nucleus") && window.sees("Debris"),
        "what colors mean"
    );
    window.taken();
    window.press("Boxes by category");
    assert!(matches!(
        wishes(&window).as_slice(),
        [TableWish::Plot(Some(PlotWish::Boxes { values: 2, .. }))]
    ));
    window.press("Table");
    assert!(window.sees("Column Area"));
}
