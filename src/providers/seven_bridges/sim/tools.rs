//! The tools behind the apps: what each really does with the bytes it is given.

use std::fs::File;
use std::io::{BufRead as _, BufReader};

use serde_json::{Value, json};

use crate::providers::seven_bridges::sim::apps::Tool;
use crate::providers::seven_bridges::sim::summary;
use crate::providers::seven_bridges::sim::work::{Made, Order};

/// Values by output, or why there are none.
pub(super) type Results = Result<Vec<(&'static str, Made)>, String>;

/// Runs a tool; what it writes to its log stays also when it fails.
pub(super) fn run(tool: Tool, order: &Order, log: &mut String) -> Results {
    let results = match tool {
        Tool::TableSummary => summary::run(order, log),
        Tool::ExitWithCode => exit_with_code(order, log),
        Tool::CountLines => count_lines(order),
        Tool::WriteDown => write_down(order),
    };
    if let Err(reason) = &results {
        log.push_str(reason);
        log.push('\n');
    }
    results
}

/// What a full drive or the like says.
pub(super) fn unwritten(error: impl std::fmt::Display) -> String {
    format!("The tool could not write its results: {error}")
}

fn exit_with_code(order: &Order, log: &mut String) -> Results {
    let code = order.inputs.get("exit_code").and_then(Value::as_i64);
    let code = code.unwrap_or(0);
    let message = order.inputs.get("message").and_then(Value::as_str);
    if let Some(message) = message {
        log.push_str(message);
        log.push('\n');
    }
    if code != 0 {
        return Err(format!("The tool ended with exit code {code}"));
    }
    let report = order.file("report.txt", b"Ended well.\n");
    Ok(vec![("report", report.map_err(unwritten)?)])
}

fn count_lines(order: &Order) -> Results {
    let word = order.inputs.get("mode").and_then(Value::as_str);
    let counts_words = word == Some("words");
    let mut text = String::from("name,count\n");
    for source in order.files("text") {
        let Some(blob) = &source.blob else { continue };
        let file = File::open(&blob.path).map_err(unwritten)?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let mut count = 0;
        let mut inside = false;
        loop {
            let block = reader.fill_buf().map_err(unwritten)?;
            if block.is_empty() {
                break;
            }
            for byte in block {
                let blank = byte.is_ascii_whitespace();
                count += u64::from(if counts_words {
                    !blank && !inside
                } else {
                    *byte == b'\n'
                });
                inside = !blank;
            }
            let length = block.len();
            reader.consume(length);
        }
        let name = source.name.replace('"', "\"\"");
        text.extend([
            "\"",
            &name,
            "\",",
            &count.to_string(),
            "
",
        ]);
    }
    let prefix = order.inputs.get("prefix").and_then(Value::as_str);
    let name = format!("{}counts.csv", prefix.unwrap_or_default());
    let counts = order.file(name, text.as_bytes());
    Ok(vec![("counts", counts.map_err(unwritten)?)])
}

fn write_down(order: &Order) -> Results {
    let text = serde_json::to_string_pretty(&order.inputs).map_err(unwritten)?;
    let file = |name: &str, text: &str| order.file(name, text.as_bytes()).map_err(unwritten);
    let mut pieces = Vec::new();
    let mut lists = Vec::new();
    for (id, value) in &order.inputs {
        let text = format!("{value}\n");
        pieces.push(file(&format!("{id}.txt"), &text)?);
        lists.push(Made::List(vec![file(&format!("{id} (again).txt"), &text)?]));
    }
    Ok(vec![
        ("received", file("received inputs.json", &text)?),
        ("pieces", Made::List(pieces)),
        ("nested", Made::List(lists)),
        ("nothing", Made::Plain(json!(null))),
    ])
}
