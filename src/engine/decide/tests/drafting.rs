//! The draft from the first file to the batch it becomes, and the samples that follow its files.

use std::path::{Path, PathBuf};

use crate::engine::command::Command;
use crate::engine::decide::tests::{Bed, CARRIES, DRAFTS, FINDS, UPLOADS, started};
use crate::engine::event::{DraftRequest, Effect, Event, Prepared, Work, WorkKey};
use crate::engine::snapshot::Loadable;
use crate::model::batch::{BatchDraft, Finding, FindingWeight, Target};
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::file::{FileProblem, ListedFile, LocalFile};
use crate::model::form::{Form, Settings};
use crate::model::ids::{BatchId, ConnectionId};
use crate::model::notice::{About, Weight};
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::samples::SampleSheet;
use crate::model::settings::AppSettings;

fn listed(folder: &str, name: &str, problem: Option<FileProblem>) -> ListedFile {
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
fn drafted(files: &[&str]) -> Bed {
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

fn to(connections: &[ConnectionId]) -> BatchDraft {
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

fn finding(words: &str) -> Finding {
    Finding {
        weight: FindingWeight::Blocks,
        target: None,
        field: None,
        words: words.to_owned(),
    }
}

fn prepares(effects: &[Effect]) -> Option<DraftRequest> {
    match started(effects).as_slice() {
        [Work::Prepare(request)] => Some((*request).clone()),
        _ => None,
    }
}

/// What *Send* hands over.
fn request(bed: &mut Bed, draft: BatchDraft) -> DraftRequest {
    bed.end(&WorkKey::Prepare);
    let effects = bed.happen(Event::Command(Command::SubmitBatch(draft)));
    prepares(&effects).unwrap()
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

#[test]
fn what_is_made_ready_is_all_that_can_be_sent_and_what_is_known_of_its_targets() {
    let mut bed = drafted(&["a.tif"]);
    bed.happen(Event::Scanned(vec![
        listed("", "empty.tif", Some(FileProblem::Empty)),
        listed("", "b.tif", None),
    ]));
    let pipeline = Pipeline::typed("p").id;
    let form = Loadable::Ready(Form::default().into());
    bed.world.link(UPLOADS).forms.insert(pipeline.clone(), form);
    let error = Error::new(ErrorKind::Unauthenticated, Doing::Poll);
    bed.world.link(CARRIES).blocked = Some(error);
    let gone = ConnectionId(99);
    let made = request(&mut bed, to(&[UPLOADS, CARRIES, FINDS, gone]));
    let names: Vec<_> = made.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a.tif", "b.tif"]);
    let connections: Vec<_> = made.connections.keys().copied().collect();
    assert_eq!(connections, [UPLOADS, CARRIES, FINDS]);
    assert_eq!(made.missing_keys, [CARRIES]);
    let forms: Vec<_> = made.forms.keys().cloned().collect();
    assert_eq!(forms, [(UPLOADS, pipeline)]);
    assert_eq!(made.at, bed.at);
    assert!(made.sent_before.is_empty());
}

#[test]
fn results_go_where_the_draft_says_else_where_the_settings_say() {
    let mut bed = drafted(&["a.tif"]);
    let usual = request(&mut bed, to(&[UPLOADS])).results_folder;
    assert_eq!(usual, Path::new("/results"));
    bed.happen(Event::Command(Command::SaveSettings(AppSettings {
        results_folder: Some(PathBuf::from("/mine")),
        ..AppSettings::default()
    })));
    let set = request(&mut bed, to(&[UPLOADS])).results_folder;
    assert_eq!(set, Path::new("/mine"));
    let draft = BatchDraft {
        into: Some(PathBuf::from("/this")),
        ..to(&[UPLOADS])
    };
    let chosen = request(&mut bed, draft).results_folder;
    assert_eq!(chosen, Path::new("/this"));
}

#[test]
fn that_the_same_files_went_to_the_same_pipeline_before_is_said() {
    let again = |files: &[&str], draft: BatchDraft| {
        let mut bed = Bed::new();
        bed.send(CARRIES, 2, FanOut::AllInOne);
        let files = files.iter().map(|name| listed("", name, None)).collect();
        bed.happen(Event::Scanned(files));
        request(&mut bed, draft).sent_before
    };
    let both = ["0.tif", "1.tif"];
    let words = again(&both, to(&[DRAFTS, CARRIES]));
    assert_eq!(words.len(), 1);
    assert!(
        words[0].starts_with("These files were already sent as “Plate 7” on 1970-01-01")
            || words[0].ends_with("1969-12-31"),
        "{words:?}"
    );
    let mut other = to(&[CARRIES]);
    other.targets[0].pipeline = Pipeline::typed("another");
    for (files, draft) in [
        (&both[..1], to(&[CARRIES])),
        (&["0.tif", "1.tif", "2.tif"], to(&[CARRIES])),
        (&[], to(&[CARRIES])),
        (&both, to(&[DRAFTS])),
        (&both, other),
    ] {
        assert!(again(files, draft).is_empty(), "{files:?}");
    }
}

fn prepared(left_out: &[&str]) -> Prepared {
    Prepared {
        name: "Plate 7".to_owned(),
        folder: PathBuf::from("/results/Plate 7"),
        files: Vec::new(),
        left_out: left_out.iter().map(|name| (*name).to_owned()).collect(),
        targets: Vec::new(),
    }
}

#[test]
fn what_is_in_the_way_of_sending_is_shown_and_keeps_the_draft() {
    let mut bed = drafted(&["a.tif"]);
    request(&mut bed, to(&[UPLOADS]));
    bed.end(&WorkKey::Prepare);
    bed.happen(Event::Prepared(Err(vec![finding("the drive is full")])));
    let draft = bed.world.live.draft.clone();
    assert_eq!(draft.findings, [finding("the drive is full")]);
    assert_eq!((draft.files.len(), draft.submitted), (1, None));
    assert_eq!(draft.checked, 1);
    assert!(bed.world.batches.is_empty());
}

#[test]
fn a_sent_draft_is_empty_and_names_its_batch_until_the_next_begins() {
    let mut bed = drafted(&["a.tif"]);
    bed.happen(Event::Checked(vec![finding("sent before")]));
    bed.happen(Event::Prepared(Ok(prepared(&[]))));
    let draft = bed.world.live.draft.clone();
    assert!(draft.files.is_empty() && draft.findings.is_empty());
    assert_eq!((draft.submitted, draft.checked), (Some(BatchId(1)), 2));
    assert!(bed.world.notices.is_empty());
    let folder = &bed.world.batches[&BatchId(1)].remote_folder;
    assert_eq!(folder.len(), "labferry-".len() + 8);
    assert!(!folder.contains("lf-"), "{folder}");
    let next = PathBuf::from("/data/next");
    bed.happen(Event::Command(Command::AddFiles(vec![next])));
    assert_eq!(bed.world.live.draft.submitted, None);
    bed.happen(Event::Prepared(Ok(prepared(&[]))));
    assert_eq!(bed.world.live.draft.submitted, Some(BatchId(2)));
    request(&mut bed, to(&[UPLOADS]));
    assert_eq!(bed.world.live.draft.submitted, None);
}

#[test]
fn files_that_could_not_be_sent_are_named() {
    for (left_out, words) in [
        (
            &["a.tif: vanished"][..],
            "One file of Plate 7 could not be sent.",
        ),
        (&["a.tif", "b.tif"], "2 files of Plate 7 could not be sent."),
    ] {
        let mut bed = Bed::new();
        bed.happen(Event::Prepared(Ok(prepared(left_out))));
        let told: Vec<_> = bed.world.notices.values().collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].words.what, words);
        assert_eq!(told[0].about, About::Batch(BatchId(1)));
        assert_eq!(told[0].weight, Weight::Warning);
        let named: Vec<_> = told[0].details.iter().map(|(_, file)| &**file).collect();
        assert_eq!(named, left_out);
    }
}
