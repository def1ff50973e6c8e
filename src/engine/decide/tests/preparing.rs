//! *Send*: what is handed over to be made ready, and what becomes of it.

use std::path::{Path, PathBuf};

use crate::engine::command::Command;
use crate::engine::decide::tests::drafting::{drafted, finding, listed, to};
use crate::engine::decide::tests::{Bed, CARRIES, DRAFTS, FINDS, UPLOADS, started};
use crate::engine::event::{DraftRequest, Effect, Event, Prepared, Work, WorkKey};
use crate::engine::snapshot::Loadable;
use crate::model::batch::BatchDraft;
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::file::FileProblem;
use crate::model::form::Form;
use crate::model::ids::{BatchId, ConnectionId};
use crate::model::notice::{About, Weight};
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::settings::AppSettings;

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
        labels: std::collections::BTreeMap::new(),
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

/// What *Send* found is not what a look-over under way will find.
#[test]
fn what_keeps_a_draft_from_being_sent_is_said_whatever_else_is_looked_over() {
    let mut bed = drafted(&["a.tif"]);
    bed.happen(Event::Command(Command::CheckBatch(to(&[UPLOADS]))));
    bed.happen(Event::Command(Command::CheckBatch(to(&[CARRIES]))));
    let before = bed.world.live.draft.checked;
    request(&mut bed, to(&[UPLOADS]));
    let found = vec![finding("The results folder is not there")];
    bed.end(&WorkKey::Prepare);
    bed.happen(Event::Prepared(Err(found.clone())));
    assert_eq!(bed.world.live.draft.findings, found);
    assert_eq!(bed.world.live.draft.checked, before + 1);
}
