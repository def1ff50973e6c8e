//! What Labferry's reader does, each thing in a process of its own that says how long it took and how much memory it had.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use labferry::model::table::{Condition, Filter, Query, Sort};
use labferry::results::table::TableFile;
use labferry::results::table::sheet::{Sheet, Task};
use labferry::results::table::view::View;

use crate::Measure;
use crate::window::peak_mib;

/// Does one thing in another process.
pub(crate) fn measure(what: &str, table: &Path) -> Option<Measure> {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .arg("--ours")
        .arg(what)
        .arg(table)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text.split_whitespace();
    let seconds = words.next()?.parse().ok()?;
    let peak_mib = words.next()?.parse().ok()?;
    Some(Measure { seconds, peak_mib })
}

/// Does it here and prints seconds and mebibytes.
pub(crate) fn run(what: &str, path: &Path) {
    let started = Instant::now();
    let table = TableFile::open(path).unwrap();
    let view = View::plain(Sheet::of_file(table.clone()));
    let seconds = match what {
        "open" => {
            assert_eq!(view.page(0, 100).unwrap().1.len(), 100);
            started.elapsed()
        }
        "count" => {
            count(&table);
            started.elapsed()
        }
        "scroll" => {
            count(&table);
            let mut random = fastrand::Rng::with_seed(3);
            let mut slowest = std::time::Duration::ZERO;
            for _ in 0..200 {
                let row = random.u64(0..table.rows_known() - 300);
                let started = Instant::now();
                assert_eq!(view.page(row, 240).unwrap().1.len(), 240);
                slowest = slowest.max(started.elapsed());
            }
            slowest
        }
        "sort" => {
            count(&table);
            let started = Instant::now();
            let sorts = vec![Sort {
                column: 4,
                descending: false,
            }];
            let query = Query {
                filters: Vec::new(),
                sorts,
            };
            let sorted = view.ask(query, &Task::QUIET).unwrap();
            let taken = started.elapsed();
            check_sorted(&sorted);
            taken
        }
        "filter" => {
            count(&table);
            let started = Instant::now();
            let filters = vec![Filter {
                column: 3,
                condition: Condition::Contains("Mito".to_owned()),
            }];
            let query = Query {
                filters,
                sorts: Vec::new(),
            };
            let filtered = view.ask(query, &Task::QUIET).unwrap();
            let taken = started.elapsed();
            assert!(filtered.rows_shown().unwrap() > table.rows_known() / 5);
            taken
        }
        other => panic!("nothing is called {other}"),
    };
    println!("{} {}", seconds.as_secs_f64(), peak_mib());
}

fn count(table: &TableFile) {
    table.index(&mut |_, _| ControlFlow::Continue(())).unwrap();
    assert!(table.is_counted());
}

fn check_sorted(view: &View) {
    let (_, rows) = view.page(0, 1000).unwrap();
    let values: Vec<f64> = rows.iter().map(|row| row[4].parse().unwrap()).collect();
    assert!(values.is_sorted());
}
