//! `labferry table`: a table as the preview reads it, as plain UTF-8 CSV or, in JSON, how it was read.

use std::io::{self, BufWriter};
use std::ops::ControlFlow;

use serde::Serialize;

use crate::cli::arguments::TableArguments;
use crate::cli::out::{self, Closed, Out};
use crate::cli::trouble::{Ending, Trouble};
use crate::results::table::{TableError, TableFile};

/// How a table was read.
#[derive(Serialize)]
struct Description<'a> {
    rows: u64,
    columns: &'a [String],
    delimiter: char,
    encoding: &'static str,
    quote: Option<char>,
    decimal: char,
    header: bool,
    ragged_rows: u64,
}

/// Prints the rows, or the description.
pub(super) fn run(arguments: &TableArguments, out: Out) -> Result<Ending, Trouble> {
    let explain = |error: &TableError| explain(error, &arguments.file.display().to_string());
    let table = TableFile::open(&arguments.file).map_err(|error| explain(&error))?;
    if out.is_json() {
        table
            .index(&mut |_rows, _bytes| ControlFlow::Continue(()))
            .map_err(|error| explain(&error))?;
        let dialect = table.dialect();
        out::object(&Description {
            rows: table.rows_known(),
            columns: table.columns(),
            delimiter: char::from(dialect.delimiter),
            encoding: dialect.encoding.name(),
            quote: dialect.quote.map(char::from),
            decimal: dialect.decimal,
            header: dialect.header,
            ragged_rows: table.ragged_rows(),
        })?;
        return Ok(Ending::Done);
    }
    let rows = arguments.rows.map_or(0..u64::MAX, |rows| {
        rows.first - 1..rows.last.unwrap_or(u64::MAX)
    });
    let mut writer = BufWriter::new(io::stdout().lock());
    match table.write_csv(rows, &mut writer) {
        Ok(_rows) => Ok(Ending::Done),
        Err(TableError::Output(_closed)) => Err(Trouble::from(Closed)),
        Err(error) => Err(explain(&error)),
    }
}

fn explain(error: &TableError, name: &str) -> Trouble {
    let cause = std::error::Error::source(error)
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    Trouble::problem(
        format!("{name} cannot be read as a table: {error}{cause}."),
        "Nothing was changed.",
        "",
    )
}
