//! The table summary: what it writes about tables it was given.
//!
//! Owns the outputs: a summary of all, a report for each table in folders with names that are hard to keep, an archive, a
//! list of warnings that is usually empty. Reading tables is in `tables`.

use std::io::{Cursor, Write as _};

use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::providers::seven_bridges::sim::tables::{Column, Reading, Table, read};
use crate::providers::seven_bridges::sim::tools::{Results, unwritten};
use crate::providers::seven_bridges::sim::work::{Made, Order, Source};

const HEADINGS: [&str; 12] = [
    "table", "status", "rows", "columns", "column", "type", "missing", "min", "max", "mean",
    "flag", "reason",
];

/// Runs the tool.
pub(super) fn run(order: &Order, log: &mut String) -> Results {
    let reading = reading(order);
    let mut lines = csv::Writer::from_writer(Vec::new());
    let title = order.inputs.get("title").and_then(Value::as_str);
    lines.write_record(HEADINGS).map_err(unwritten)?;
    let mut reports = Vec::new();
    let mut warnings = String::new();
    let mut tables = order.files("tables");
    tables.extend(order.files("sample_sheet"));
    for source in tables {
        match summarize(source, &reading) {
            Ok(table) => {
                write_table(&mut lines, order, source, &table).map_err(unwritten)?;
                log.extend([&source.name, ": ", &table.rows.to_string(), " rows\n"]);
                reports.push((
                    source.name.as_str(),
                    report(order, &table).map_err(unwritten)?,
                ));
            }
            Err(reason) => {
                let mut record = vec![source.name.as_str(), "skipped"];
                record.resize(HEADINGS.len() - 1, "");
                record.push(&reason);
                lines.write_record(&record).map_err(unwritten)?;
                warnings.extend([&source.name, ": skipped, ", &reason, "\n"]);
            }
        }
    }
    log.push_str(&warnings);
    let lines = lines.into_inner().map_err(unwritten)?;
    let title = title.map_or_else(|| "table summary".to_owned(), cleaned);
    let details = details(order, &reports, &warnings);
    let details = serde_json::to_vec_pretty(&details).map_err(unwritten)?;
    let mut summary = order
        .file(format!("{title}.csv"), &lines)
        .map_err(unwritten)?;
    if let Made::File { secondary, .. } = &mut summary {
        let beside = order.file(format!("{title}.csv.json"), &details);
        secondary.push(beside.map_err(unwritten)?);
    }
    let wanted = order.inputs.get("layout");
    let wanted = wanted.and_then(|layout| layout.get("reports"));
    let reports = if wanted == Some(&Value::Bool(false)) {
        Vec::new()
    } else {
        reports
    };
    let read = reports.len();
    Ok(vec![
        ("summary", summary),
        ("reports", folder(order, &reports).map_err(unwritten)?),
        ("archive", archive(order, &reports).map_err(unwritten)?),
        (
            "warnings",
            order
                .file("warnings.txt", warnings.as_bytes())
                .map_err(unwritten)?,
        ),
        ("plot", Made::Plain(Value::Null)),
        ("tables_read", Made::Plain(json!(read))),
    ])
}

fn cleaned(title: &str) -> String {
    title.replace(['/', '\\'], "-")
}

fn reading(order: &Order) -> Reading {
    let texts = |name: &str| match order.inputs.get(name) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(values)) => {
            let texts = values.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let input = |name: &str| order.inputs.get(name);
    Reading {
        delimiter: match input("delimiter").and_then(Value::as_str) {
            Some("comma") => Some(b','),
            Some("tab") => Some(b'\t'),
            Some("semicolon") => Some(b';'),
            _ => None,
        },
        has_header: input("has_header").and_then(Value::as_bool) != Some(false),
        missing: texts("missing_words"),
        only: texts("columns"),
        most_rows: input("max_rows")
            .and_then(Value::as_u64)
            .unwrap_or(u64::MAX),
    }
}

fn summarize(source: &Source, reading: &Reading) -> Result<Table, String> {
    let blob = source.blob.as_ref().ok_or("a folder is no table")?;
    read(&blob.path, reading)
}

fn write_table(
    lines: &mut csv::Writer<Vec<u8>>,
    order: &Order,
    source: &Source,
    table: &Table,
) -> csv::Result<()> {
    let share = order.inputs.get("missing_share").and_then(Value::as_f64);
    let share = share.unwrap_or(0.5);
    for column in &table.columns {
        let many = column.missing as f64 > share * table.rows as f64;
        let flag = if many { "mostly missing" } else { "" };
        let [kind, missing, least, most, mean] = cells(order, column);
        lines.write_record([
            &source.name,
            "read",
            &table.rows.to_string(),
            &table.width.to_string(),
            &column.name,
            &kind,
            &missing,
            &least,
            &most,
            &mean,
            flag,
            "",
        ])?;
    }
    Ok(())
}

/// Type, missing, minimum, maximum and mean of a column.
fn cells(order: &Order, column: &Column) -> [String; 5] {
    let decimals = order.inputs.get("decimals").and_then(Value::as_u64);
    let decimals = usize::try_from(decimals.unwrap_or(3)).unwrap_or(3).min(12);
    let number =
        |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.decimals$}"));
    [
        column.kind().to_owned(),
        column.missing.to_string(),
        number(column.least()),
        number(column.most()),
        number(column.mean()),
    ]
}

/// The report about one table.
fn report(order: &Order, table: &Table) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let heading = order.inputs.get("layout");
    let heading = heading.and_then(|layout| layout.get("heading")?.as_str());
    let mut text = Vec::new();
    if let Some(heading) = heading {
        writeln!(text, "# {heading}")?;
    }
    let mut lines = csv::Writer::from_writer(text);
    lines.write_record(["column", "type", "missing", "min", "max", "mean"])?;
    for column in &table.columns {
        let mut record = vec![column.name.clone()];
        record.extend(cells(order, column));
        lines.write_record(&record)?;
    }
    Ok(lines.into_inner()?)
}

fn details(order: &Order, reports: &[(&str, Vec<u8>)], warnings: &str) -> Value {
    let names: Vec<&str> = reports.iter().map(|(name, _)| *name).collect();
    let reference = order.files("reference_folder");
    let reference = reference.first().map(|folder| &folder.inside);
    json!({
        "tables": names,
        "skipped": warnings.lines().count(),
        "reference": reference,
        "notes": order.inputs.get("notes"),
    })
}

/// Two folders deep, with blanks and letters beyond ASCII, and a file without bytes.
fn folder(order: &Order, reports: &[(&str, Vec<u8>)]) -> std::io::Result<Made> {
    let mut entries = Vec::new();
    for (name, bytes) in reports {
        entries.push(order.file(format!("{name} – Übersicht.csv"), bytes)?);
    }
    let inner = Made::Folder {
        name: "nach Größe µ".to_owned(),
        entries,
    };
    Ok(Made::Folder {
        name: "reports by table".to_owned(),
        entries: vec![inner, order.file("finished", b"")?],
    })
}

fn archive(order: &Order, reports: &[(&str, Vec<u8>)]) -> Result<Made, Box<dyn std::error::Error>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.start_file("read me.txt", options)?;
    zip.write_all(b"One report for each table.\n")?;
    for (number, (name, bytes)) in (1..).zip(reports) {
        zip.start_file(format!("reports/{number} {name}.csv"), options)?;
        zip.write_all(bytes)?;
    }
    let bytes = zip.finish()?.into_inner();
    Ok(order.file("reports.zip", &bytes)?)
}
