//! The draft from the first file to the batch it becomes, and the samples that follow its files.

use std::path::{Path, PathBuf};

use crate::engine::command::Command;
use crate::engine::decide::tests::{Bed, UPLOADS, started};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::model::batch::{BatchDraft, Finding, FindingWeight, Target};
use crate::model::file::{FileProblem, ListedFile, LocalFile};
use crate::model::form::Settings;
use crate::model::ids::ConnectionId;
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::samples::SampleSheet;

pub(super) fn listed(folder: &str, name: &str, problem: Option<FileProblem>) -> ListedFile {
    ListedFile {
        file: LocalFile {
            path: Path::new("/data").join(folder).join(name),
            name: name.to_owned(),
            folder: folder.to_owned(),
            size_bytes: 10,
            modified: None,
        },
        problem,
    }
}

/// A bed in whose draft these files were found.
pub(super) fn drafted(files: &[&str]) -> Bed {
    let mut bed = Bed::new();
    let files = files.iter().map(|name| listed("", name, None)).collect();
    bed.happen(Event::Scanned(files));
    bed
}

fn shown(bed: &Bed) -> Vec<(String, Option<FileProblem>)> {
    let files = bed.world.live.draft.files.iter();
    files
        .map(|listed| (listed.file.name.clone(), listed.problem))
        .collect()
}

pub(super) fn to(connections: &[ConnectionId]) -> BatchDraft {
    BatchDraft {
        name: "Plate".to_owned(),
        into: None,
        targets: connections
            .iter()
            .map(|id| Target {
                connection: *id,
                pipeline: Pipeline::typed("p"),
                fan_out: FanOut::AllInOne,
                settings: Settings::new(),
                sample_column: None,
                existing: Vec::new(),
            })
            .collect(),
    }
}

pub(super) fn finding(words: &str) -> Finding {
    Finding {
        weight: FindingWeight::Blocks,
        target: None,
        field: None,
        words: words.to_owned(),
    }
}

fn checks(effects: &[Effect]) -> Vec<String> {
    started(effects)
        .into_iter()
        .filter_map(|work| match work {
            Work::Check(request) => Some(request.draft.name.clone()),
            _ => None,
        })
        .collect()
}

fn look_over(bed: &mut Bed, name: &str) -> Vec<String> {
    let draft = BatchDraft {
        name: name.to_owned(),
        ..to(&[UPLOADS])
    };
    checks(&bed.happen(Event::Command(Command::CheckBatch(draft))))
}

#[test]
fn a_look_knows_what_is_listed_and_lasts_until_the_last_one_has_ended() {
    let mut bed = drafted(&["a.tif"]);
    let add = |path: &str| Event::Command(Command::AddFiles(vec![PathBuf::from(path)]));
    let effects = bed.happen(add("/data/one"));
    assert!(
        matches!(started(&effects).as_slice(), [Work::Scan { paths, known }]
            if paths == &[PathBuf::from("/data/one")] && known == &[PathBuf::from("/data/a.tif")]),
        "{effects:?}"
    );
    assert_eq!(started(&bed.happen(add("/data/two"))).len(), 1);
    assert!(bed.world.live.draft.scanning);
    bed.end(&WorkKey::Scan(1));
    bed.happen(Event::Scanned(Vec::new()));
    assert!(bed.world.live.draft.scanning);
    bed.end(&WorkKey::Scan(2));
    bed.happen(Event::Scanned(Vec::new()));
    assert!(!bed.world.live.draft.scanning);
}

#[test]
fn a_file_found_twice_is_listed_as_such_and_another_problem_keeps_its_name() {
    let mut bed = drafted(&["b.tif"]);
    bed.happen(Event::Scanned(vec![
        listed("", "b.tif", None),
        listed("", "c.tif", Some(FileProblem::Empty)),
        listed("deeper", "a.tif", None),
        listed("", "a.tif", None),
        listed("", "c.tif", Some(FileProblem::Empty)),
    ]));
    let file = |name: &str, problem| (name.to_owned(), problem);
    assert_eq!(
        shown(&bed),
        [
            file("a.tif", None),
            file("b.tif", None),
            file("b.tif", Some(FileProblem::Duplicate)),
            file("c.tif", Some(FileProblem::Empty)),
            file("c.tif", Some(FileProblem::Empty)),
            file("a.tif", None),
        ]
    );
    let b = PathBuf::from("/data/b.tif");
    bed.happen(Event::Command(Command::RemoveFiles(vec![b])));
    assert_eq!(shown(&bed).len(), 4);
    // Taken out, it is new again.
    bed.happen(Event::Scanned(vec![listed("", "b.tif", None)]));
    assert!(shown(&bed).contains(&file("b.tif", None)));
}

#[test]
fn an_emptied_draft_forgets_its_files_findings_and_edits_but_not_the_pattern() {
    let mut bed = drafted(&["7_A1.tif"]);
    let pattern = "{plate}_{well}.tif".to_owned();
    bed.happen(Event::Command(Command::SetSamplePattern(pattern)));
    let path = PathBuf::from("/data/7_A1.tif");
    let samples = |bed: &Bed| bed.world.live.draft.samples.clone();
    assert_eq!(samples(&bed).value(&path, "well"), Some("A1"));
    bed.happen(Event::Command(Command::SetSample {
        path: path.clone(),
        column: "well".to_owned(),
        value: "B2".to_owned(),
    }));
    assert_eq!(samples(&bed).value(&path, "well"), Some("B2"));
    bed.happen(Event::Checked(vec![finding("no target")]));
    bed.happen(Event::Command(Command::ClearFiles));
    let draft = bed.world.live.draft.clone();
    assert!(draft.files.is_empty() && draft.findings.is_empty() && draft.samples.rows.is_empty());
    bed.happen(Event::Scanned(vec![listed("", "7_A1.tif", None)]));
    assert_eq!(samples(&bed).value(&path, "well"), Some("A1"));
}

#[test]
fn samples_are_those_of_files_that_can_be_sent() {
    let mut bed = drafted(&["a.tif"]);
    let sheet = PathBuf::from("/data/plates.csv");
    let effects = bed.happen(Event::Command(Command::ImportSamples(sheet.clone())));
    assert!(
        matches!(started(&effects).as_slice(), [Work::ReadSheet(path)] if *path == sheet),
        "{effects:?}"
    );
    bed.end(&WorkKey::ReadSheet(sheet.clone()));
    let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
    let table = SampleSheet {
        name: "plates.csv".to_owned(),
        columns: row(["file", "dose"]),
        rows: vec![row(["a.tif", "5"]), row(["b.tif", "6"])],
    };
    bed.happen(Event::SheetRead(sheet.clone(), Ok(table)));
    bed.happen(Event::Scanned(vec![listed(
        "",
        "b.tif",
        Some(FileProblem::Empty),
    )]));
    let samples = bed.world.live.draft.samples.clone();
    assert_eq!(samples.value(Path::new("/data/a.tif"), "dose"), Some("5"));
    assert_eq!(samples.value(Path::new("/data/b.tif"), "dose"), None);
    bed.happen(Event::SheetRead(sheet, Err("It is empty".to_owned())));
    let samples = bed.world.live.draft.samples.clone();
    assert_eq!(samples.imported, "plates.csv");
    assert_eq!(samples.problem, Some("It is empty".to_owned()));
    assert!(samples.rows.is_empty());
}

#[test]
fn only_the_newest_draft_is_looked_over_and_only_its_findings_are_shown() {
    let mut bed = drafted(&["a.tif"]);
    assert_eq!(look_over(&mut bed, "first"), ["first"]);
    assert!(look_over(&mut bed, "second").is_empty());
    assert!(look_over(&mut bed, "third").is_empty());
    bed.end(&WorkKey::Check);
    let effects = bed.happen(Event::Checked(vec![finding("of the first")]));
    assert_eq!(checks(&effects), ["third"]);
    let draft = bed.world.live.draft.clone();
    assert!(draft.findings.is_empty());
    assert_eq!(draft.checked, 0);
    bed.end(&WorkKey::Check);
    bed.happen(Event::Checked(vec![finding("of the third")]));
    let draft = bed.world.live.draft.clone();
    assert_eq!(draft.findings, [finding("of the third")]);
    assert_eq!(draft.checked, 1);
}
