//! The results pane against its peers, on the same file in the same run: ratios, no times to hold a machine to.
//!
//! - First rows of a table on screen after the click; counting it against `wc -l` (which counts quoted line breaks as rows),
//!   `xan count` and `csvlens`; sorting by a number column against polars; filtering a text column against polars, `DuckDB` and
//!   `xan`. Each of ours in a process of its own, with the most memory it had.
//! - A table ten times as large: the same, and any row on screen.
//! - Time of the window's thread for a frame while that table is counted, sorted and scrolled.
//!
//! `cargo bench --bench tables`; `LABFERRY_BENCH_ROWS` sets the rows (10 million), `LABFERRY_BENCH_FOLDER` where the tables
//! are made and removed again. Peers that are not there are left out: `xan` and `csvlens` from the path, polars, `DuckDB` and
//! the terminal for csvlens (`pyte`) from `python3`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark speaks on its output and may stop"
)]

#[path = "tables/frames.rs"]
mod frames;
#[path = "tables/made.rs"]
mod made;
#[path = "tables/ours.rs"]
mod ours;
#[path = "tables/peers.rs"]
mod peers;
mod window;

use std::path::Path;

/// How often each is measured; the best counts, as what disturbs only makes slower.
const ROUNDS: usize = 3;

/// Seconds, and the most memory in MiB where it was asked.
#[derive(Clone, Copy, Debug)]
struct Measure {
    seconds: f64,
    peak_mib: u64,
}

impl Measure {
    fn best(rounds: usize, mut measure: impl FnMut() -> Option<Self>) -> Option<Self> {
        let all: Option<Vec<Self>> = (0..rounds).map(|_| measure()).collect();
        all?.into_iter()
            .min_by(|a, b| a.seconds.total_cmp(&b.seconds))
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--ours") {
        ours::run(&arguments[at + 1], Path::new(&arguments[at + 2]));
        return;
    }
    let rows =
        std::env::var("LABFERRY_BENCH_ROWS").map_or(10_000_000, |rows| rows.parse().unwrap());
    let folder = std::env::var_os("LABFERRY_BENCH_FOLDER");
    let folder = folder
        .map_or_else(tempfile::tempdir, tempfile::tempdir_in)
        .unwrap();
    let table = folder.path().join("table.csv");
    let bytes = made::table(&table, rows, 1);
    println!("{rows} rows, {} MB", bytes / 1_000_000);
    against_peers(&table, rows);
    let large = folder.path().join("large.csv");
    let bytes = made::table(&large, rows, 10);
    println!("\n{} rows, {} MB", rows * 10, bytes / 1_000_000);
    for what in ["open", "count", "scroll"] {
        report(what, ours::measure(what, &large), None);
    }
    frames::run(&large);
}

fn against_peers(table: &Path, rows: u64) {
    peers::warm(table);
    let open = Measure::best(ROUNDS, || ours::measure("open", table));
    report("first rows", open, None);
    let count = Measure::best(ROUNDS, || ours::measure("count", table));
    report("count", count, None);
    report("  wc -l", Measure::best(ROUNDS, || peers::wc(table)), count);
    report(
        "  xan count",
        Measure::best(ROUNDS, || peers::xan_count(table)),
        count,
    );
    report("  csvlens", peers::csvlens(table, rows), count);
    let sort = Measure::best(ROUNDS, || ours::measure("sort", table));
    report("sort by a number", sort, None);
    let sorted = Measure::best(ROUNDS, || peers::python(peers::POLARS_SORT, table));
    report("  polars, that column", sorted, sort);
    let filter = Measure::best(ROUNDS, || ours::measure("filter", table));
    report("filter a text", filter, None);
    let polars = Measure::best(ROUNDS, || peers::python(peers::POLARS_FILTER, table));
    report("  polars", polars, filter);
    let duckdb = Measure::best(ROUNDS, || peers::python(peers::DUCKDB_FILTER, table));
    report("  DuckDB", duckdb, filter);
    report(
        "  xan search",
        Measure::best(ROUNDS, || peers::xan_search(table)),
        filter,
    );
}

/// A line of the report: ours, or a peer with how many times as long it takes.
fn report(what: &str, measure: Option<Measure>, ours: Option<Measure>) {
    let Some(measure) = measure else {
        println!("{what:<24} not here");
        return;
    };
    let memory = match measure.peak_mib {
        0 => String::new(),
        mib => format!(", at most {mib} MiB"),
    };
    match ours {
        None => println!("{what:<24} {:.3} s{memory}", measure.seconds),
        Some(ours) => {
            let ratio = measure.seconds / ours.seconds;
            println!("{what:<24} {ratio:.2} times as long{memory}");
        }
    }
}
