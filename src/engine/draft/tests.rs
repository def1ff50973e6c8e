//! What a draft is told before it is sent.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::draft::{Forms, findings, prepare};
use crate::engine::event::DraftRequest;
use crate::model::batch::{BatchDraft, FindingWeight, Target};
use crate::model::connection::{Account, Connection, Place};
use crate::model::file::LocalFile;
use crate::model::form::{Field, FieldKind, FileRule, Form, Settings, Value};
use crate::model::ids::ConnectionId;
use crate::model::pipeline::Pipeline;
use crate::model::provider::{FanOut, ProviderFacts};
use crate::model::remote::StagedFile;
use crate::model::samples::SampleTable;
use crate::providers::{analytics_automated, biodock, code_ocean, seven_bridges};

const FACTS: [&ProviderFacts; 4] = [
    &biodock::FACTS,
    &code_ocean::FACTS,
    &seven_bridges::FACTS,
    &analytics_automated::FACTS,
];

/// A draft with one target.
struct Draft {
    request: DraftRequest,
    form: Form,
}

impl Draft {
    fn at(facts: &ProviderFacts, files: &[&str]) -> Self {
        let connection = Connection {
            id: ConnectionId(1),
            provider: facts.id.clone(),
            label: "Core".to_owned(),
            base_url: "https://platform.example.org/".to_owned(),
            options: BTreeMap::new(),
            vault_name: "v".to_owned(),
            account: None,
        };
        let target = Target {
            connection: ConnectionId(1),
            pipeline: Pipeline::typed("p"),
            fan_out: facts.capabilities.fan_outs[0],
            settings: Settings::new(),
            sample_column: None,
            existing: Vec::new(),
        };
        let file = |name: &&str| LocalFile {
            path: PathBuf::from(format!("/data/{name}")),
            name: (*name).to_owned(),
            folder: String::new(),
            size_bytes: 10,
            modified: None,
        };
        Self {
            request: DraftRequest {
                draft: BatchDraft {
                    name: "Plate 7".to_owned(),
                    into: None,
                    targets: vec![target],
                },
                files: files.iter().map(file).collect(),
                connections: BTreeMap::from([(ConnectionId(1), connection)]),
                samples: Arc::default(),
                forms: BTreeMap::new(),
                results_folder: std::env::current_dir().unwrap(),
                sent_before: Vec::new(),
                at: Timestamp::UNIX_EPOCH,
                missing_keys: Vec::new(),
            },
            form: Form::default(),
        }
    }

    fn target(&mut self) -> &mut Target {
        &mut self.request.draft.targets[0]
    }

    fn option(&mut self, name: &str, value: &str) {
        let connection = self.request.connections.get_mut(&ConnectionId(1)).unwrap();
        connection.options.insert(name.to_owned(), value.to_owned());
    }

    fn pick(&mut self, names: &[&str]) {
        let input = |name: &&str| StagedFile {
            id: (*name).to_owned(),
            name: (*name).to_owned(),
            ..StagedFile::default()
        };
        self.target().existing = names.iter().map(input).collect();
    }

    fn samples(&mut self, column: &str, values: &[(&str, &str)]) {
        let rows = values.iter().map(|(name, value)| {
            let row = BTreeMap::from([(column.to_owned(), (*value).to_owned())]);
            (PathBuf::from(format!("/data/{name}")), row)
        });
        self.request.samples = Arc::new(SampleTable {
            columns: vec![column.to_owned()],
            rows: rows.collect(),
            ..SampleTable::default()
        });
    }

    fn forms(&self) -> Forms {
        vec![Ok(self.form.clone())]
    }

    fn found(&self) -> Vec<(FindingWeight, String)> {
        findings(&self.request, &self.forms(), &FACTS)
            .into_iter()
            .map(|finding| (finding.weight, finding.words))
            .collect()
    }

    fn blocks(&self) -> Vec<String> {
        self.of(FindingWeight::Blocks)
    }

    fn warns(&self) -> Vec<String> {
        self.of(FindingWeight::Warns)
    }

    fn of(&self, weight: FindingWeight) -> Vec<String> {
        let found = self.found().into_iter();
        found
            .filter(|(found, _)| *found == weight)
            .map(|(_, words)| words)
            .collect()
    }
}

#[test]
fn files_need_a_bucket_or_inputs_that_are_there() {
    let mut draft = Draft::at(&code_ocean::FACTS, &["a.tif"]);
    assert_eq!(
        draft.blocks(),
        [
            "Files of this computer cannot get to Code Ocean yet. Fill in “Staging bucket” of Core in Connections, or pick inputs that are at Code Ocean already."
        ]
    );
    draft.option("bucket", "b");
    assert!(draft.blocks().is_empty(), "{:?}", draft.found());
    let mut draft = Draft::at(&code_ocean::FACTS, &["a.tif"]);
    draft.pick(&["asset"]);
    assert!(draft.blocks().is_empty(), "{:?}", draft.found());
    assert_eq!(
        draft.warns(),
        ["1 file is not sent to Code Ocean: this pipeline uses the 1 input picked there."]
    );
}

#[test]
fn a_draft_without_files_may_be_sent_with_inputs_that_are_there() {
    let mut draft = Draft::at(&code_ocean::FACTS, &[]);
    assert_eq!(
        draft.blocks(),
        ["Add at least one file that can be sent, or pick inputs that are at Code Ocean."]
    );
    draft.pick(&["asset"]);
    assert!(draft.found().is_empty(), "{:?}", draft.found());
    let place = tempfile::tempdir().unwrap();
    draft.request.results_folder = place.path().to_path_buf();
    let prepared = prepare(&draft.request, &draft.forms(), &FACTS, &|| Ok(())).unwrap();
    assert!(prepared.files.is_empty());
    assert!(prepared.folder.is_dir());
    let forms = draft.forms();
    let labels: Vec<_> = prepared.labels.values().collect();
    assert_eq!(labels, [&forms[0].as_ref().unwrap().labels()]);
    let mut draft = Draft::at(&analytics_automated::FACTS, &[]);
    draft.pick(&["x"]);
    assert_eq!(
        draft.blocks(),
        ["Analytics Automated takes files of this computer only."]
    );
}

#[test]
fn a_sample_column_has_to_be_there_and_filled() {
    let mut draft = Draft::at(&code_ocean::FACTS, &["a.tif", "b.tif", "c.tif"]);
    draft.option("bucket", "b");
    draft.target().fan_out = FanOut::OnePerSample;
    assert_eq!(
        draft.blocks(),
        ["Choose the sample column that makes the jobs."]
    );
    draft.target().sample_column = Some("plate".to_owned());
    assert_eq!(
        draft.blocks(),
        ["The sample table has no column “plate” any more: choose another."]
    );
    draft.samples("plate", &[("a.tif", "P1")]);
    assert_eq!(
        draft.blocks(),
        [
            "b.tif and 1 more have no value in the sample column “plate”. Fill it in, or take the file out."
        ]
    );
    draft.samples(
        "plate",
        &[("a.tif", "P1"), ("b.tif", "P1"), ("c.tif", "P2")],
    );
    assert!(draft.blocks().is_empty(), "{:?}", draft.found());
    draft.pick(&["asset"]);
    assert_eq!(draft.blocks().len(), 1, "{:?}", draft.found());
}

#[test]
fn ways_of_sharing_out_that_are_not_offered_are_refused() {
    let mut draft = Draft::at(&analytics_automated::FACTS, &["a.txt"]);
    draft.target().fan_out = FanOut::BatchPerFile;
    assert_eq!(
        draft.blocks(),
        ["Analytics Automated does not offer this way of sharing files out."]
    );
    let names: Vec<String> = (0..250).map(|number| format!("{number}.txt")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let draft = Draft::at(&analytics_automated::FACTS, &names);
    assert_eq!(
        draft.warns(),
        ["This makes 250 jobs at Analytics Automated."]
    );
}

fn file_field(name: &str, many: bool, default: Option<Value>) -> Field {
    Field {
        name: name.to_owned(),
        label: name.to_owned(),
        kind: FieldKind::File(FileRule {
            many,
            endings: vec!["csv".to_owned()],
            ..FileRule::default()
        }),
        default,
        ..Field::default()
    }
}

#[test]
fn a_field_for_one_file_does_not_get_several() {
    let mut draft = Draft::at(&seven_bridges::FACTS, &["a.csv", "b.png"]);
    draft.form.fields = vec![file_field("Table", false, Some(Value::Inputs))];
    // The platform makes one task of each file.
    assert!(draft.blocks().is_empty(), "{:?}", draft.found());
    assert_eq!(
        draft.warns(),
        ["Table is meant for csv; b.png may not fit."]
    );
    draft.target().fan_out = FanOut::AllInOne;
    assert_eq!(
        draft.blocks(),
        ["Table takes one file and would get 2: choose one job per file."]
    );
    draft.form.fields = vec![file_field("Table", true, Some(Value::Inputs))];
    assert!(draft.blocks().is_empty(), "{:?}", draft.found());
    draft.form.fields = vec![file_field("Table", true, None)];
    assert_eq!(
        draft.warns(),
        ["No setting takes the files of the batch, so the task runs without them."]
    );
}

#[test]
fn missing_rights_cautions_and_doubts_are_said() {
    let mut draft = Draft::at(&seven_bridges::FACTS, &["a.csv"]);
    draft.option("project", "me/plate-7");
    let account = Account {
        name: "me".to_owned(),
        checked: Timestamp::UNIX_EPOCH,
        places: vec![Place {
            id: "me/plate-7".to_owned(),
            name: "Plate 7".to_owned(),
            lacks: Some("you may not run tasks there".to_owned()),
        }],
    };
    let connection = draft.request.connections.get_mut(&ConnectionId(1)).unwrap();
    connection.account = Some(account);
    draft.form.cautions = vec!["You may not read “hg38”".to_owned()];
    assert_eq!(
        draft.blocks(),
        ["Core cannot run anything in Plate 7: you may not run tasks there."]
    );
    assert_eq!(draft.warns(), ["You may not read “hg38”."]);
    draft.request.connections.clear();
    assert_eq!(draft.blocks(), ["Its connection was removed."]);
}
