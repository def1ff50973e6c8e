//! Every fault at every endpoint of every platform, through the whole engine over real sockets, and what a person sees.
//!
//! `rows` says which way of using the program asks which endpoint; every endpoint of the sandbox's vocabulary is in it, or
//! among those Labferry does not ask. `table.txt` states the outcome of each cell: an endpoint, a fault, and whether it is
//! met once or as long as it takes to be seen. `rules` says which outcomes a request of its kind may have at all, so that
//! a table written anew cannot state just anything. Whatever came of a cell: it ended within its time, nobody broke
//! down, the platform made one job at most, no file under a final name is another than without the fault, and once the
//! fault is over and the person has done what the notice asks for, the job ends well.
//!
//! Usually a slice is tried that has every row and every fault in it; `LABFERRY_CELLS_SEED` draws another one,
//! `LABFERRY_ALL_CELLS=1` tries all, and `LABFERRY_ALL_CELLS=write` writes the table anew; words behind `write`, or in its
//! place, choose the cells with these words in their line or fault.

pub(crate) mod cell;
mod rows;
mod rules;
pub(crate) mod stand;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use labferry::providers;
use labferry::sandbox::{faults, storage};

use crate::faults::matrix::cell::{Came, Cell, Often, Sees};
use crate::faults::matrix::rows::{NOT_ASKED, ROWS, Row};
use crate::faults::matrix::stand::in_parallel;
use crate::kill::from_environment;

/// Cells of each row that are tried usually.
const USUAL_CELLS: usize = 4;

/// Faults that exist only where files are served.
const ONLY_STORAGE: [&str; 2] = ["expired-link", "no-range"];

/// Every cell there is.
fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for row in ROWS {
        for fault in faults::names() {
            if ONLY_STORAGE.contains(&fault) && !row.endpoint.starts_with("storage.") {
                continue;
            }
            for often in [Often::Once, Often::Always] {
                cells.push(Cell { row, fault, often });
            }
        }
    }
    cells
}

/// A slice of them: some of each row, and every fault.
fn slice(all: Vec<Cell>, seed: u64) -> Vec<Cell> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut left: Vec<Cell> = all
        .into_iter()
        // These take longer than all others together.
        .filter(|cell| !(cell.fault == "hang" && cell.often == Often::Always || cell.names_time()))
        .collect();
    chance.shuffle(&mut left);
    let mut of_row: BTreeMap<usize, usize> = BTreeMap::new();
    let mut of_fault: BTreeMap<&str, usize> = BTreeMap::new();
    left.retain(|cell| {
        let row = of_row
            .entry(std::ptr::from_ref(cell.row).addr())
            .or_default();
        let fault = of_fault.entry(cell.fault).or_default();
        let wanted = *row < USUAL_CELLS || *fault == 0;
        if wanted {
            *row += 1;
            *fault += 1;
        }
        wanted
    });
    left
}

/// The name of a line of the table.
fn line(row: &Row, often: Often) -> String {
    let given = match row.given {
        [] => String::new(),
        given => format!(" given {}", given.join(" ")),
    };
    let often = match often {
        Often::Once => "once",
        Often::Always => "always",
    };
    format!(
        "{} · {:?} · {} ({:?}){given} · {often}",
        row.platform, row.way, row.endpoint, row.role
    )
}

fn table_path() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/faults/matrix/table.txt"
    ))
}

/// The table as it stands: outcome by line and fault.
fn stated() -> BTreeMap<(String, String), String> {
    let text = std::fs::read_to_string(table_path()).unwrap_or_default();
    let mut stated = BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        match line
            .strip_prefix("    ")
            .and_then(|line| line.split_once(": "))
        {
            None => name = line,
            Some((outcome, faults)) => {
                for fault in faults.split(' ') {
                    let known =
                        stated.insert((name.to_owned(), fault.to_owned()), outcome.to_owned());
                    assert_eq!(known, None, "{name} {fault} stands twice");
                }
            }
        }
    }
    stated
}

/// Writes the table: a line for each row, below it the faults by outcome. What was not tried stays as it was stated.
fn write(stated: &BTreeMap<(String, String), String>, came: &[(Cell, Came)]) {
    let tried: BTreeMap<(String, &str), Sees> = came
        .iter()
        .map(|(cell, came)| ((line(cell.row, cell.often), cell.fault), came.sees))
        .collect();
    let mut text = String::new();
    for row in ROWS {
        for often in [Often::Once, Often::Always] {
            let name = line(row, often);
            let mut outcomes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for fault in faults::names() {
                let known = tried.get(&(name.clone(), fault)).map(ToString::to_string);
                let before = stated.get(&(name.clone(), fault.to_owned())).cloned();
                if let Some(outcome) = known.or(before) {
                    outcomes.entry(outcome).or_default().push(fault);
                }
            }
            writeln!(text, "{name}").unwrap();
            for (outcome, faults) in outcomes {
                writeln!(text, "    {outcome}: {}", faults.join(" ")).unwrap();
            }
        }
    }
    let mut file = std::fs::File::create(table_path()).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}

/// What is wrong with what came of a cell, if anything.
fn wrong(cell: Cell, came: &Came, stated: Option<&String>) -> Option<String> {
    let mut wrong = Vec::new();
    if came.asked == 0 {
        wrong.push("the endpoint was not asked".to_owned());
    }
    if let Some(stated) = stated
        && *stated != came.sees.to_string()
    {
        wrong.push(format!("the table says “{stated}”"));
    }
    wrong.extend(rules::broken(cell, came));
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

#[test]
fn every_endpoint_has_cells_or_is_not_asked() {
    let mut known: BTreeSet<&str> = ROWS.iter().map(|row| row.endpoint).collect();
    for (endpoint, _) in NOT_ASKED {
        assert!(known.insert(endpoint), "{endpoint} is asked");
    }
    let mut all: BTreeSet<&str> = providers::ALL
        .iter()
        .flat_map(|entry| entry.simulator.endpoints)
        .copied()
        .collect();
    all.insert(storage::ENDPOINT);
    assert_eq!(known, all);
    let stated = stated();
    let missing: Vec<_> = cells()
        .into_iter()
        .filter(|cell| !stated.contains_key(&(line(cell.row, cell.often), cell.fault.to_owned())))
        .collect();
    assert!(missing.is_empty(), "not in the table: {missing:#?}");
    assert_eq!(
        stated.len(),
        cells().len(),
        "the table has lines of no cell"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn every_fault_at_every_endpoint_has_the_outcome_the_table_states() {
    let wish = std::env::var("LABFERRY_ALL_CELLS").unwrap_or_default();
    let wanted = match wish.as_str() {
        "" => slice(cells(), from_environment("LABFERRY_CELLS_SEED", 20_261_121)),
        "1" | "write" => cells(),
        // Those whose line or fault has these words in it.
        words => cells()
            .into_iter()
            .filter(|cell| {
                let name = format!("{} {}", line(cell.row, cell.often), cell.fault);
                words
                    .split(' ')
                    .filter(|word| *word != "write")
                    .all(|word| name.contains(word))
            })
            .collect(),
    };
    let stated = stated();
    let came = in_parallel(wanted, Cell::run).await;
    let mut outcomes: BTreeMap<Sees, usize> = BTreeMap::new();
    let mut good = Vec::new();
    let mut trouble = String::new();
    let all = came.len();
    for (cell, came) in came {
        let name = line(cell.row, cell.often);
        match came {
            Ok(came) => {
                *outcomes.entry(came.sees).or_default() += 1;
                let stated = stated
                    .get(&(name.clone(), cell.fault.to_owned()))
                    .filter(|_| !wish.starts_with("write"));
                if let Some(wrong) = wrong(cell, &came, stated) {
                    writeln!(
                        trouble,
                        "{name} · {}: {}, {:?} afterwards, {} made, “{}”: {wrong}",
                        cell.fault, came.sees, came.after, came.made, came.words
                    )
                    .unwrap();
                }
                good.push((cell, came));
            }
            Err(error) => writeln!(trouble, "{name} · {}: {error}", cell.fault).unwrap(),
        }
    }
    let tally: Vec<String> = outcomes
        .iter()
        .map(|(sees, count)| format!("{count} {sees}"))
        .collect();
    println!("{all} cells: {}", tally.join(", "));
    if wish.starts_with("write") {
        write(&stated, &good);
    }
    assert!(trouble.is_empty(), "\n{trouble}");
}
