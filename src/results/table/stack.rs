//! All tables of a batch as one: files whose columns are the same, or nearly, one under another, with columns in front that
//! tell where each row comes from. The files stay as they are.

use crate::model::objects::image_column;
use crate::model::table::{Shape, StackMember};
use crate::results::table::sheet::{OfInput, Part, Place, Sheet};
use crate::results::table::{TableError, TableFile};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Tables of one shape.
#[derive(Debug, Clone)]
pub struct Group {
    pub shape: Shape,
    pub sheet: Sheet,
}

/// What could not be stacked, and why.
#[derive(Debug)]
pub struct LeftOut {
    pub path: PathBuf,
    pub error: TableError,
}

/// Share of columns, in percent of all columns of both, that two tables have in common when they are of one shape.
const ALIKE_PERCENT: usize = 50;

/// Opens and counts all files and puts those of one shape together, the shape with the most files first.
///
/// `go_on` is asked before each file, with how many are done.
pub fn stack(
    names: &[String],
    members: &[StackMember],
    go_on: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<(Vec<Group>, Vec<LeftOut>), TableError> {
    let (mut open, mut left_out) = (Vec::new(), Vec::new());
    for (done, member) in members.iter().enumerate() {
        if go_on(done).is_break() {
            return Err(TableError::Cancelled);
        }
        match open_member(&member.path) {
            Ok(table) => open.push((table, member)),
            Err(error) => left_out.push(LeftOut {
                path: member.path.clone(),
                error,
            }),
        }
    }
    let mut shapes: Vec<Vec<(TableFile, &StackMember)>> = Vec::new();
    for (table, member) in open {
        let alike = shapes.iter_mut().find(|shape| {
            let first = shape.first();
            first.is_some_and(|(first, _)| alike(first.columns(), table.columns()))
        });
        match alike {
            Some(shape) => shape.push((table, member)),
            None => shapes.push(vec![(table, member)]),
        }
    }
    let mut groups: Vec<Group> = shapes.iter().map(|shape| group(names, shape)).collect();
    groups.sort_by(|a, b| {
        Reverse(a.shape.files)
            .cmp(&Reverse(b.shape.files))
            .then_with(|| a.shape.name.cmp(&b.shape.name))
    });
    Ok((groups, left_out))
}

fn open_member(path: &Path) -> Result<TableFile, TableError> {
    let table = TableFile::open(path)?;
    table.index(&mut |_, _| ControlFlow::Continue(()))?;
    table.let_go();
    Ok(table)
}

fn alike(a: &[String], b: &[String]) -> bool {
    let common = a.iter().filter(|name| b.contains(name)).count();
    let all = a.len() + b.len() - common;
    all == 0 || common * 100 >= all * ALIKE_PERCENT
}

fn group(names: &[String], files: &[(TableFile, &StackMember)]) -> Group {
    let columns = all_columns(files);
    let shape = shape(&columns, files);
    let (mut names, in_front) = in_front(names, files);
    let parts = files
        .iter()
        .zip(in_front)
        .map(|((table, _), mut places)| {
            places.extend(own_places(table, &columns));
            Part {
                table: table.clone(),
                places,
            }
        })
        .collect();
    names.extend(columns);
    Group {
        shape,
        sheet: Sheet::of_parts(Arc::new(names), parts),
    }
}

/// Names in the order they are first met; the same name twice in one file stays twice.
fn all_columns(files: &[(TableFile, &StackMember)]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for (table, _) in files {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for name in table.columns() {
            *seen.entry(name).or_default() += 1;
        }
        for name in table.columns() {
            let known = times.get(name.as_str()).copied().unwrap_or_default();
            let here = seen.get(name.as_str()).copied().unwrap_or_default();
            for _ in known..here {
                columns.push(name.clone());
            }
            if here > known {
                times.insert(name, here);
            }
        }
    }
    columns
}

fn shape(columns: &[String], files: &[(TableFile, &StackMember)]) -> Shape {
    let mut have: BTreeMap<&String, usize> = BTreeMap::new();
    let mut file_names: BTreeMap<String, usize> = BTreeMap::new();
    for (table, member) in files {
        let own: BTreeSet<&String> = table.columns().iter().collect();
        for name in own {
            *have.entry(name).or_default() += 1;
        }
        let name = member.path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        *file_names.entry(name).or_default() += 1;
    }
    let is_rare = |name: &&String| have.get(name).is_some_and(|count| *count < files.len());
    Shape {
        name: shape_name(&file_names, files.len()),
        files: files.len(),
        columns: columns.len(),
        not_in_all: columns.iter().filter(is_rare).cloned().collect(),
    }
}

/// The columns in front, and what stands in them for each file. Those that say nothing about any of these files are left out.
fn in_front(
    names: &[String],
    files: &[(TableFile, &StackMember)],
) -> (Vec<String>, Vec<Vec<Place>>) {
    let mut places: Vec<Vec<Place>> = vec![Vec::new(); files.len()];
    let nothing = Place::Constant(String::new());
    let mut kept = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let column = files.iter().map(|(table, member)| {
            let names_input = image_column(table.columns());
            in_front_of(member, at, names_input)
        });
        let column: Vec<Place> = column.collect();
        if column.iter().any(|place| *place != nothing) {
            kept.push(name.clone());
            for (places, place) in places.iter_mut().zip(column) {
                places.push(place);
            }
        }
    }
    (kept, places)
}

/// Where the columns of all are in a file.
fn own_places(table: &TableFile, columns: &[String]) -> Vec<Place> {
    let mut taken = vec![false; table.columns().len()];
    let place = |name: &String| {
        let mut free = table.columns().iter().zip(taken.iter_mut()).enumerate();
        let found = free.find(|(_, (own, taken))| *own == name && !**taken);
        found.map_or(Place::Nowhere, |(at, (_, taken))| {
            *taken = true;
            Place::Column(at)
        })
    };
    columns.iter().map(place).collect()
}

/// What stands in a column in front: the same in all rows, or what belongs to the input a row names.
fn in_front_of(member: &StackMember, at: usize, names_input: Option<usize>) -> Place {
    let otherwise = member.origin.get(at).cloned().unwrap_or_default();
    match names_input {
        Some(column) if member.of_inputs.contains_key(&at) => Place::OfInput(OfInput {
            column,
            texts: Arc::clone(&member.of_inputs),
            at,
            otherwise,
        }),
        Some(_) | None => Place::Constant(otherwise),
    }
}

/// The files' name when all have the same, else the commonest and how many others there are.
fn shape_name(names: &BTreeMap<String, usize>, files: usize) -> String {
    let Some((name, count)) = names.iter().max_by_key(|(_, count)| **count) else {
        return String::new();
    };
    if *count == files {
        name.clone()
    } else {
        format!("{name} and {} more", files - count)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::table::{Condition, Filter, Query, Sort, StackMember};
    use crate::results::table::sheet::Task;
    use crate::results::table::stack::stack;
    use crate::results::table::view::View;
    use std::collections::BTreeMap;
    use std::io::Write as _;
    use std::ops::ControlFlow;
    use std::sync::Arc;

    fn members(folder: &std::path::Path, files: &[(&str, &str)]) -> Vec<StackMember> {
        files
            .iter()
            .enumerate()
            .map(|(at, (name, text))| {
                let path = folder.join(format!("{at}")).join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::File::create(&path)
                    .unwrap()
                    .write_all(text.as_bytes())
                    .unwrap();
                StackMember {
                    path,
                    origin: vec![format!("job {at}")],
                    ..StackMember::default()
                }
            })
            .collect()
    }

    #[test]
    fn columns_of_one_name_stay_apart() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("objects.csv", "id,x,x\n1,2,3\n"),
            ("objects.csv", "x,id,x\n5,4,6\n"),
        ];
        let members = members(folder.path(), &files);
        let go_on = &mut |_| ControlFlow::Continue(());
        let (groups, _) = stack(&["Job".to_owned()], &members, go_on).unwrap();
        assert_eq!(**groups[0].sheet.columns(), ["Job", "id", "x", "x"]);
        let rows = groups[0].sheet.rows(&[0, 1]).unwrap();
        assert_eq!(rows, [["job 0", "1", "2", "3"], ["job 1", "4", "5", "6"]]);
    }

    #[test]
    fn tables_of_one_shape_are_one_table() {
        let folder = tempfile::tempdir().unwrap();
        let members = members(
            folder.path(),
            &[
                ("objects.csv", "id,class,area\n001,A,2.5\n002,B,1.5\n"),
                ("objects.csv", "class;id;area;note\nA;010;0,5;x\n"),
                ("summary.csv", "plate,objects\np1,3\n"),
                ("objects.csv", "id,class\n"),
                ("gone.csv", ""),
            ],
        );
        std::fs::remove_file(&members[4].path).unwrap();
        let (groups, left_out) = stack(&["Job".to_owned()], &members, &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(left_out.len(), 1);
        assert_eq!(groups.len(), 2);
        let objects = &groups[0];
        assert_eq!(objects.shape.name, "objects.csv");
        assert_eq!((objects.shape.files, objects.shape.columns), (3, 4));
        assert_eq!(objects.shape.not_in_all, ["area", "note"]);
        assert_eq!(groups[1].shape.name, "summary.csv");
        assert_eq!(
            **objects.sheet.columns(),
            ["Job", "id", "class", "area", "note"]
        );
        let rows = objects.sheet.rows(&[0, 1, 2, 3]).unwrap();
        assert_eq!(
            rows,
            [
                ["job 0", "001", "A", "2.5", ""],
                ["job 0", "002", "B", "1.5", ""],
                ["job 1", "010", "A", "0,5", "x"],
            ]
        );
        // Each file keeps its own decimal mark: 0,5 is the smallest.
        let view = View::plain(objects.sheet.clone());
        let query = Query {
            filters: vec![Filter {
                column: 2,
                condition: Condition::Contains("a".to_owned()),
            }],
            sorts: vec![Sort {
                column: 3,
                descending: false,
            }],
        };
        let view = view.ask(query, &Task::QUIET).unwrap();
        assert_eq!(view.page(0, 9).unwrap().0, [2, 0]);
        assert_eq!(view.find("job 1", &Task::QUIET).unwrap().places, [(0, 0)]);
    }

    #[test]
    fn rows_that_name_an_input_get_what_belongs_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "Image origin,Object ID\n\"C:\\data\\b1.tif\",1\na1.tif,2\nother.tif,3\nb1.tif,4\n";
        let files = [
            ("objects.csv", text),
            ("counts.csv", "Count,Object ID\n5,9\n"),
        ];
        let mut members = members(folder.path(), &files);
        let of_inputs = [("a1.tif", "A01"), ("b1.tif", "B01")];
        let of_inputs = of_inputs.map(|(name, well)| (name.to_owned(), well.to_owned()));
        let of_inputs = Arc::new(BTreeMap::from([(1, BTreeMap::from(of_inputs))]));
        for member in &mut members {
            member.origin = vec!["job".to_owned(), String::new()];
            member.of_inputs = Arc::clone(&of_inputs);
        }
        let names = ["Job".to_owned(), "Well".to_owned()];
        let (groups, _) = stack(&names, &members, &mut |_| ControlFlow::Continue(())).unwrap();
        let objects = groups
            .iter()
            .find(|group| group.shape.name == "objects.csv")
            .unwrap();
        let view = View::plain(objects.sheet.clone());
        let wells = |view: &View| {
            let rows = view.page(0, 9).unwrap().1;
            let wells: Vec<String> = rows.iter().map(|row| row[1].clone() + &row[3]).collect();
            wells.join(" ")
        };
        assert_eq!(wells(&view), "B011 A012 3 B014");
        let query = Query {
            filters: vec![Filter {
                column: 1,
                condition: Condition::Contains("01".to_owned()),
            }],
            sorts: vec![Sort {
                column: 1,
                descending: false,
            }],
        };
        let asked = view.ask(query, &Task::QUIET).unwrap();
        assert_eq!(wells(&asked), "A012 B011 B014");
        assert_eq!(view.find("a01", &Task::QUIET).unwrap().places, [(1, 1)]);
        // A table that names no image is about all inputs; a column that says nothing is left out.
        let counts = groups
            .iter()
            .find(|group| group.shape.name == "counts.csv")
            .unwrap();
        assert_eq!(counts.sheet.rows(&[0]).unwrap(), [["job", "5", "9"]]);
    }
}
