//! The files a task says it made, in every shape outputs come in, and the names they get. Asks nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::model::numbering::first_free;
use crate::model::remote::Output;
use crate::providers::seven_bridges::wire::count_in;
use crate::providers::seven_bridges::wire::tasks::Task;

/// A file or folder among the outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) id: String,
    /// As the task says, where it does.
    pub(super) name: Option<String>,
    pub(super) size_bytes: Option<u64>,
    pub(super) is_folder: bool,
    /// The output it is of.
    pub(super) port: String,
    /// Where it shall stand: empty, or ends in `/`.
    pub(super) place: String,
}

/// Collects the files of a task's outputs.
pub(super) fn collect(task: &Task, place: &str, made: &mut Vec<Made>) {
    if let Some(outputs) = task.outputs.as_object() {
        for (port, value) in outputs {
            walk(value, port, place, made);
        }
    }
}

/// An output is nothing, a plain value, a file, a folder, or lists of such, also of lists and records.
fn walk(value: &Json, port: &str, place: &str, made: &mut Vec<Made>) {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        Json::Array(values) => {
            for value in values {
                walk(value, port, place, made);
            }
        }
        Json::Object(fields) => {
            let class = fields.get("class").and_then(Json::as_str);
            let id = fields.get("path").and_then(Json::as_str);
            let (Some(class @ ("File" | "Directory")), Some(id)) = (class, id) else {
                for value in fields.values() {
                    walk(value, port, place, made);
                }
                return;
            };
            if !id.is_empty() {
                made.push(Made {
                    id: id.to_owned(),
                    name: fields.get("name").and_then(Json::as_str).map(str::to_owned),
                    size_bytes: fields.get("size").and_then(count_in),
                    is_folder: class == "Directory",
                    port: port.to_owned(),
                    place: place.to_owned(),
                });
            }
            if let Some(beside) = fields.get("secondaryFiles") {
                walk(beside, port, place, made);
            }
        }
    }
}

/// Files of the same name at the same place get the name of their output in front.
pub(super) fn outputs(files: Vec<Made>) -> Vec<Output> {
    let mut names = BTreeMap::new();
    let full = |made: &Made| {
        let name = made.name.as_deref().unwrap_or(&made.id);
        format!("{}{}", made.place, one_segment(name))
    };
    for made in &files {
        *names.entry(full(made)).or_insert(0_usize) += 1;
    }
    let mut taken = BTreeSet::new();
    files
        .into_iter()
        .map(|made| {
            let plain = full(&made);
            let wanted =
                if names.get(&plain).is_some_and(|count| *count > 1) && !made.port.is_empty() {
                    let name = made.name.as_deref().unwrap_or(&made.id);
                    format!(
                        "{}{}/{}",
                        made.place,
                        one_segment(&made.port),
                        one_segment(name)
                    )
                } else {
                    plain
                };
            let name = unused(&mut taken, &wanted);
            Output {
                unpack: name.to_ascii_lowercase().ends_with(".zip"),
                name,
                id: made.id,
                size_bytes: made.size_bytes,
                sha256: None,
                on_request: false,
            }
        })
        .collect()
}

/// What of a child's name its parent's does not say already: the file or the sample it stands for.
pub(super) fn own_part(child: &str, parent: &str) -> String {
    let own = child
        .strip_prefix(parent)
        .map(|own| own.trim_start_matches([' ', '-', ':', '_']))
        .filter(|own| !own.is_empty())
        .unwrap_or(child);
    own.replace(": ", " ")
}

/// A name without the sign that would make folders of it.
pub(super) fn one_segment(name: &str) -> String {
    let name = name.trim().replace(['/', '\\'], "_");
    if name.is_empty() || name.chars().all(|character| character == '.') {
        format!("_{name}")
    } else {
        name
    }
}

/// The name, or the name with a number where it is taken.
pub(super) fn unused(taken: &mut BTreeSet<String>, name: &str) -> String {
    let numbered = |number: u64| match (number, name.rsplit_once('.')) {
        (1, _) => name.to_owned(),
        (_, Some((stem, ending))) if !stem.is_empty() && !ending.contains('/') => {
            format!("{stem} ({number}).{ending}")
        }
        (_, Some(_) | None) => format!("{name} ({number})"),
    };
    let free = numbered(first_free(|number| taken.contains(&numbered(number))));
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outputs_of_every_shape_are_found() {
        let task: Task = serde_json::from_value(json!({"id": "t", "outputs": {
            "none": null, "number": 4, "flag": true, "words": ["a"],
            "report": {"class": "File", "path": "66a1f0c2d3e4b5a697887701", "name": "a.html", "size": "12"},
            "list": [{"class": "File", "path": "66a1f0c2d3e4b5a697887702", "name": "b.bam",
                      "secondaryFiles": [{"class": "File", "path": "66a1f0c2d3e4b5a697887703", "name": "b.bai"}]}],
            "nested": [[{"class": "File", "path": "66a1f0c2d3e4b5a697887704"}], []],
            "record": {"one": {"class": "File", "path": "66a1f0c2d3e4b5a697887705"}},
            "folder": {"class": "Directory", "path": "66a1f0c2d3e4b5a697887706"}
        }}))
        .unwrap();
        let mut made = Vec::new();
        collect(&task, "x/", &mut made);
        let mut ends: Vec<(&str, bool, Option<u64>)> = made
            .iter()
            .map(|made| (made.id.get(22..).unwrap(), made.is_folder, made.size_bytes))
            .collect();
        ends.sort_unstable();
        assert_eq!(
            ends,
            [
                ("01", false, Some(12)),
                ("02", false, None),
                ("03", false, None),
                ("04", false, None),
                ("05", false, None),
                ("06", true, None)
            ]
        );
        let mut none = Vec::new();
        collect(&Task::default(), "", &mut none);
        assert!(none.is_empty());
    }

    #[test]
    fn the_folder_of_a_child_says_what_it_stands_for() {
        for (child, place) in [
            ("Plate 7 lf-1 - file: a b.tsv", "file a b.tsv"),
            ("Plate 7 lf-1", "Plate 7 lf-1"),
            ("QC of A01", "QC of A01"),
        ] {
            assert_eq!(own_part(child, "Plate 7 lf-1"), place);
        }
    }

    #[test]
    fn names_are_unique_and_keep_their_place() {
        let made = |id: &str, name: &str, port: &str, place: &str| Made {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            size_bytes: None,
            is_folder: false,
            port: port.to_owned(),
            place: place.to_owned(),
        };
        let names: Vec<String> = outputs(vec![
            made("1", "a.csv", "counts", "x/"),
            made("2", "a.csv", "tables", "x/"),
            made("3", "a.csv", "tables", "x/"),
            made("4", "a.csv", "tables", "y/"),
            made("5", "../b.zip", "tables", ""),
        ])
        .into_iter()
        .map(|output| output.name)
        .collect();
        assert_eq!(
            names,
            [
                "x/counts/a.csv",
                "x/tables/a.csv",
                "x/tables/a (2).csv",
                "y/a.csv",
                ".._b.zip"
            ]
        );
    }
}
