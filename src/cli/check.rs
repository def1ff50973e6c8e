//! `labferry check`: holds a results folder against its receipt.

use serde::Serialize;

use crate::cli::arguments::CheckArguments;
use crate::cli::out::{self, Out};
use crate::cli::trouble::{Ending, Trouble};
use crate::results::receipt::{self, Outcome};

/// One file, for a program.
#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    outcome: &'static str,
}

/// Names every file with what became of it; done when all are the same.
pub(super) fn run(arguments: &CheckArguments, out: Out) -> Result<Ending, Trouble> {
    let folder = &arguments.folder;
    let checked = receipt::check(folder).map_err(|error| {
        Trouble::problem(
            format!("{} cannot be checked: {error}.", folder.display()),
            "Nothing was changed.",
            "Name the folder of a batch, the one with receipt.json in it.",
        )
    })?;
    let same = checked
        .iter()
        .filter(|file| file.outcome == Outcome::Same)
        .count();
    for file in &checked {
        let outcome = file.outcome.word();
        if out.is_json() {
            out::object(&Line {
                path: &file.path,
                outcome,
            })?;
        } else {
            out.line(format_args!("{outcome:<10} {}", file.path))?;
        }
    }
    let others = checked.len() - same;
    out.line(if others == 0 {
        format!("All {same} files are the same.")
    } else {
        let are = if others == 1 { "is" } else { "are" };
        format!(
            "{same} of {} files are the same, {others} {are} not.",
            checked.len()
        )
    })?;
    Ok(Ending::done_if(others == 0))
}
