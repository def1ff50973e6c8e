//! Send in the window: forms of every kind, ways to make jobs, inputs at a platform, the sample table, saved settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use labferry::engine::command::Command;
use labferry::engine::snapshot::{Asked, ConnectionView, DraftView, Loadable, Snapshot};
use labferry::model::batch::{Finding, FindingWeight, Target};
use labferry::model::connection::KeyState;
use labferry::model::file::ListedFile;
use labferry::model::form::{Field, FieldKind, FileRule, Form, Settings, TextRule, Value, Variant};
use labferry::model::ids::{JobId, PipelineId, ProviderId};
use labferry::model::job::Stage;
use labferry::model::provider::{
    Capabilities, ConnectField, ConnectFieldKind, FanOut, Intake, Nouns, ProviderFacts,
};
use labferry::model::remote::{Page, Query, StagedFile};
use labferry::model::samples::SampleTable;
use labferry::model::settings::SavedSettings;
use labferry::ui::desktop::{Picked, PretendDesktop};

use super::{Window, fixture};

/// A platform that takes files only through a bucket, and has every way to make jobs.
static CLOUD: ProviderFacts = ProviderFacts {
    profiles: None,
    id: ProviderId::new("cloud"),
    name: "Capsule cloud",
    about: "Runs capsules on data assets",
    nouns: Nouns {
        pipeline: "capsule",
        job: "computation",
        input: "data asset",
    },
    connect_fields: &[
        fixture::field("url", "Domain", ConnectFieldKind::Url, true),
        ConnectField {
            part: "Staging bucket",
            ..fixture::field("bucket", "Bucket", ConnectFieldKind::Text, false)
        },
    ],
    capabilities: Capabilities {
        intake: Intake::ThroughBucket,
        intake_needs: Some("bucket"),
        browses_inputs: true,
        fan_outs: &[
            FanOut::BatchPerFile,
            FanOut::OnePerFile,
            FanOut::AllInOne,
            FanOut::BatchPerSample,
            FanOut::OnePerSample,
        ],
        ..fixture::CAPABILITIES
    },
    status_page: None,
};

/// Three files and one connection to [`CLOUD`], with one pipeline of this form.
fn cloud(form: Form) -> Snapshot {
    let with_files = fixture::with_files();
    let forms = BTreeMap::from([(PipelineId::from("align"), Loadable::Ready(Arc::new(form)))]);
    let pipelines = vec![
        fixture::pipeline("count", "Count reads", ""),
        fixture::pipeline("align", "Align reads", "Aligns"),
    ];
    let mut view = fixture::connection(3, &CLOUD, "Genomics core", pipelines, forms);
    Arc::make_mut(&mut view)
        .connection
        .options
        .insert("bucket".to_owned(), "our-staging".to_owned());
    Snapshot {
        providers: Arc::new([&fixture::SCOPE, &fixture::FOLD, &CLOUD]),
        connections: vec![view],
        ..with_files
    }
}

/// A window on [`cloud`] with its pipeline ticked.
fn ticked(form: Form) -> Window {
    let mut window = Window::new(cloud(form));
    window.press("Align reads, Genomics core");
    window.taken();
    window
}

fn target(window: &Window) -> Target {
    window.harness.state().state().send.draft().targets[0].clone()
}

fn setting(window: &Window, name: &str) -> Option<Value> {
    target(window).settings.get(name).cloned()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn asset(id: &str, is_folder: bool) -> StagedFile {
    StagedFile {
        id: id.to_owned(),
        name: format!("{id} 世界"),
        is_folder,
        size_bytes: Some(5_000_000),
        ..StagedFile::default()
    }
}

fn connection(snapshot: &mut Snapshot) -> &mut ConnectionView {
    Arc::make_mut(&mut snapshot.connections[0])
}

/// What the platform answers to the last question of the picker.
fn answer(window: &mut Window, items: Vec<StagedFile>, next: Option<&str>) -> Query {
    let query = window
        .taken()
        .into_iter()
        .rev()
        .find_map(|command| match command {
            Command::Browse(_, query) => Some(query),
            _ => None,
        })
        .expect("the picker asks");
    let asked = query.clone();
    window.publish(|snapshot| {
        connection(snapshot).browsed = Some(Asked {
            query,
            page: Loadable::Ready(Arc::new(Page {
                items,
                next: next.map(str::to_owned),
            })),
        });
    });
    asked
}

fn one(field: Field) -> Form {
    Form {
        fields: vec![field],
        ..Form::default()
    }
}

fn optional(name: &str, kind: FieldKind) -> Field {
    fixture::form_field(name, name, kind, None)
}

const NUMBER: FieldKind = FieldKind::Number {
    min: Some(1.0),
    max: Some(9.0),
    whole: true,
};

#[test]
fn a_form_shows_its_groups_and_what_to_know() {
    let grouped = |name: &str, group: &str| Field {
        group: group.to_owned(),
        ..optional(name, FieldKind::Text(TextRule::default()))
    };
    let form = Form {
        intro: "Aligns reads to a genome".to_owned(),
        cautions: vec!["The data asset hg38 cannot be read with this account".to_owned()],
        fields: vec![
            grouped("Adapter", "Trimming"),
            Field {
                hidden: true,
                default: Some(text("secret default")),
                ..grouped("Internal", "Trimming")
            },
            Field {
                required: true,
                ..grouped("Genome", "Alignment")
            },
        ],
        free_form: false,
    };
    let mut window = ticked(form);
    assert!(window.sees("Aligns reads to a genome"));
    assert!(window.sees("hg38 cannot be read"));
    assert!(window.sees("Adapter"), "the first group is open");
    assert!(!window.sees("Internal"));
    assert!(!window.sees("Genome (required)"), "the second is folded");
    assert!(!window.is_enabled("Send 3 files · 1 job on 1 platform"));
    window.press("Alignment");
    assert!(
        window.sees("Genome needs a value"),
        "beside the field at once"
    );
    window.type_into("Genome (required)", "hg38");
    assert!(!window.sees("Genome needs a value"));
    assert!(window.is_enabled("Send 3 files · 1 job on 1 platform"));
    assert_eq!(setting(&window, "Genome"), Some(text("hg38")));
    assert_eq!(setting(&window, "Internal"), None);
}

#[test]
fn a_changed_value_can_go_back_to_its_default() {
    let form = one(Field {
        default: Some(text("5")),
        ..optional("Reads", NUMBER)
    });
    let mut window = ticked(form);
    assert!(!window.sees("Reset Reads"));
    window.type_into("Reads", "5");
    assert!(window.sees("Reads must be at most 9"));
    window.press("Reset Reads");
    assert!(!window.sees("Reads must be at most 9"));
    assert!(!window.sees("Reset Reads"));
    assert_eq!(setting(&window, "Reads"), None);
}

#[test]
fn an_optional_flag_can_stay_unset() {
    let mut window = ticked(one(optional("Sort", FieldKind::Flag)));
    assert_eq!(setting(&window, "Sort"), None);
    window.press("No, Sort");
    assert_eq!(setting(&window, "Sort"), Some(Value::Flag(false)));
    window.press("Yes, Sort");
    assert_eq!(setting(&window, "Sort"), Some(Value::Flag(true)));
    window.press("Not set, Sort");
    assert_eq!(setting(&window, "Sort"), None);
}

#[test]
fn a_list_has_a_line_an_entry() {
    let mut window = ticked(one(optional("Sizes", FieldKind::List(Box::new(NUMBER)))));
    window.press("Add to Sizes");
    assert!(window.sees("Sizes, entry 1, is empty"));
    window.type_into("Sizes, entry 1", "3");
    window.press("Add to Sizes");
    window.type_into("Sizes, entry 2", "77");
    assert!(window.sees("Sizes, entry 2, must be at most 9"));
    window.press("Remove Sizes, entry 1");
    assert_eq!(
        setting(&window, "Sizes"),
        Some(Value::List(vec![text("77")]))
    );
    window.press("Remove Sizes, entry 1");
    assert_eq!(setting(&window, "Sizes"), None);
}

#[test]
fn json_is_explained_while_it_is_wrong() {
    let mut window = ticked(one(optional("Extra", FieldKind::Json)));
    let field = window
        .harness
        .get_all_by_label("Extra")
        .find(|node| node.accesskit_node().role() == Role::MultilineTextInput)
        .expect("several lines");
    field.focus();
    window.harness.run_steps(2);
    window
        .harness
        .get_all_by_label("Extra")
        .find(egui_kittest::Node::is_focused)
        .unwrap()
        .type_text("{\"low\": }");
    window.harness.run();
    assert!(window.sees("Extra is no JSON: look at line 1"));
    assert_eq!(setting(&window, "Extra"), Some(text("{\"low\": }")));
}

#[test]
fn of_several_kinds_the_person_chooses_one() {
    let variant = |label: &str, kind| Variant {
        label: label.to_owned(),
        kind,
    };
    let kinds = vec![
        variant("Text", FieldKind::Text(TextRule::default())),
        variant("Number", NUMBER),
        variant(
            "Choice",
            FieldKind::Choice(vec!["slow".to_owned(), "fast".to_owned()]),
        ),
    ];
    let mut window = ticked(one(optional("Mode", FieldKind::Either(kinds))));
    window.press("Kind of Mode");
    window.press("Number");
    window.type_into("Mode", "12");
    assert!(window.sees("Mode must be at most 9"));
    assert_eq!(
        setting(&window, "Mode"),
        Some(Value::Variant(1, Box::new(text("12"))))
    );
    window.press("Kind of Mode");
    window.press("Choice");
    window.press("Mode");
    window.press("fast");
    assert_eq!(
        setting(&window, "Mode"),
        Some(Value::Variant(2, Box::new(text("fast"))))
    );
    window.press("Kind of Mode");
    window.press("Not set");
    assert_eq!(setting(&window, "Mode"), None);
}

#[test]
fn a_file_field_takes_the_batch_or_what_is_at_the_platform() {
    let rule = FileRule {
        many: true,
        folder: false,
        endings: vec!["bam".to_owned(), "cram".to_owned()],
    };
    let form = one(Field {
        default: Some(Value::Inputs),
        required: true,
        ..optional("Reads", FieldKind::File(rule))
    });
    let mut window = ticked(form);
    assert!(window.sees("Meant for files ending in bam, cram"));
    window.press("Pick at Capsule cloud…, Reads");
    assert!(window.sees("Asking Capsule cloud"));
    answer(
        &mut window,
        vec![asset("a", false), asset("b", false)],
        None,
    );
    window.press("a 世界");
    window.press("b 世界");
    window.press("Use 2 data assets");
    let picked = Value::Picked(vec![asset("a", false), asset("b", false)]);
    assert_eq!(setting(&window, "Reads"), Some(picked));
    assert!(
        !window.sees("Pick at Genomics core"),
        "the picker is closed"
    );
    assert!(window.sees("Reads is meant for bam, cram; a 世界 and 1 more may not fit"));
    window.press("Remove a 世界");
    assert_eq!(
        setting(&window, "Reads"),
        Some(Value::Picked(vec![asset("b", false)]))
    );
    window.press("The batch's files, Reads");
    assert_eq!(setting(&window, "Reads"), None, "that is the default");
}

#[test]
fn a_long_form_can_be_searched_and_narrowed() {
    let mut fields: Vec<Field> = (0..40)
        .map(|number| {
            optional(
                &format!("Setting {number:02}"),
                FieldKind::Text(TextRule::default()),
            )
        })
        .collect();
    fields[30].required = true;
    fields[31].help = "Smallest nucleus that counts".to_owned();
    let form = Form {
        fields,
        ..Form::default()
    };
    let mut window = ticked(form);
    assert!(window.sees("Setting 07"));
    window.press("Only required");
    assert!(window.sees("Setting 30 (required)") && !window.sees("Setting 07"));
    assert!(window.sees("1 of 40 settings shown"));
    window.press("Only required");
    window.type_into("Search settings of Align reads", "nucleus");
    assert!(window.sees("Setting 31") && !window.sees("Setting 30"));
    let short = ticked(fixture::form());
    assert!(!short.sees("Only required"));
}

#[test]
fn a_free_form_is_lines_of_names_and_values() {
    let form = Form {
        free_form: true,
        ..Form::default()
    };
    let mut window = ticked(form);
    assert!(window.sees("Capsule cloud does not say which settings this capsule takes"));
    window.press("Add a setting");
    window.type_into("Name of setting 1", "length");
    window.type_into("Value of setting 1", "100");
    window.press("Add a setting");
    window.type_into("Value of setting 2", "first");
    let wanted = Settings::from([
        ("length".to_owned(), text("100")),
        ("[1]".to_owned(), text("first")),
    ]);
    assert_eq!(target(&window).settings, wanted);
    window.press("Add a setting");
    window.type_into("Name of setting 3", "length");
    assert!(window.sees("length stands here twice"));
    window.press("Remove setting 3");
    window.press("Remove setting 2");
    assert_eq!(
        target(&window).settings,
        Settings::from([("length".to_owned(), text("100"))])
    );
}

#[test]
fn what_the_look_over_found_is_said_once_beside_the_field() {
    let mut window = ticked(one(Field {
        required: true,
        ..optional("Genome", FieldKind::Text(TextRule::default()))
    }));
    window.publish(|snapshot| {
        Arc::make_mut(&mut snapshot.draft).findings = vec![Finding {
            weight: FindingWeight::Blocks,
            target: Some(0),
            field: Some("Genome".to_owned()),
            words: "Genome needs a value.".to_owned(),
        }];
    });
    let said = window
        .harness
        .query_all_by_label("Genome needs a value")
        .count();
    assert_eq!(said, 1);
}

/// Samples of the three files that can be sent: two wells, and one file that does not fit.
fn sampled(snapshot: &mut Snapshot) {
    let draft = Arc::make_mut(&mut snapshot.draft);
    let path = |at: usize| draft.files[at].file.path.clone();
    let row = |well: &str| BTreeMap::from([("well".to_owned(), well.to_owned())]);
    draft.samples = Arc::new(SampleTable {
        imported: String::new(),
        pattern: "{well} {rest}.tif".to_owned(),
        problem: None,
        columns: vec!["well".to_owned()],
        rows: BTreeMap::from([(path(0), row("A01")), (path(1), row("A02"))]),
        unmatched: vec![path(2)],
    });
}

#[test]
fn ways_to_make_jobs_are_counted_in_the_platforms_words() {
    let mut window = ticked(Form::default());
    assert!(window.is_enabled("Send 3 files · 1 job on 1 platform"));
    window.press("Jobs of Align reads");
    assert!(window.sees("needs a sample column, see Files above"));
    window.press("One computation per file");
    assert!(window.is_enabled("Send 3 files · 3 jobs on 1 platform"));
    window.publish(sampled);
    window.press("Jobs of Align reads");
    window.press("One computation per value of a sample column");
    assert!(window.is_enabled("Send 3 files · 2 jobs on 1 platform"));
    assert!(window.sees("1 file without one"));
    assert_eq!(target(&window).sample_column.as_deref(), Some("well"));
    assert_eq!(target(&window).fan_out, FanOut::OnePerSample);
    window.publish(|snapshot| {
        sampled(snapshot);
        let draft = Arc::make_mut(&mut snapshot.draft);
        let samples = Arc::make_mut(&mut draft.samples);
        for row in samples.rows.values_mut() {
            row.insert("well".to_owned(), "A01".to_owned());
        }
    });
    assert!(window.is_enabled("Send 3 files · 1 job on 1 platform"));
    window.publish(|snapshot| {
        Arc::make_mut(&mut snapshot.draft).samples = Arc::default();
    });
    assert!(window.sees("No file has a value in the sample column well"));
    assert!(window.sees("Align reads needs a sample column"));
    assert!(!window.is_enabled("Send 3 files · 0 jobs on 1 platform"));
    window.press("Jobs of Align reads");
    window.press("One batch computation, split per file");
    assert!(window.is_enabled("Send 3 files · 1 job on 1 platform"));
}

#[test]
fn a_sample_option_without_samples_cannot_be_chosen() {
    let mut window = ticked(Form::default());
    window.press("Jobs of Align reads");
    let option = window
        .harness
        .get_all_by_label("One computation per value of a sample column")
        .find(|node| node.accesskit_node().role() != Role::Label)
        .unwrap();
    assert!(option.accesskit_node().is_disabled());
}

#[test]
fn recent_pipelines_come_first() {
    let mut snapshot = cloud(Form::default());
    let mut job = fixture::job(1, 1, "Before", Stage::Done);
    let inner = Arc::make_mut(&mut job.job);
    inner.connection = snapshot.connections[0].connection.id;
    inner.pipeline = fixture::pipeline("align", "Align reads", "");
    snapshot.jobs = vec![Arc::new(job)];
    snapshot.batches = vec![fixture::batch(1, "Before", &[1])];
    assert_eq!(snapshot.jobs[0].job.id, JobId(1));
    let window = Window::new(snapshot);
    let top = |name: &str| window.harness.get_by_label(name).rect().top();
    assert!(top("Align reads, Genomics core") < top("Count reads, Genomics core"));
    assert!(window.sees("used lately · Aligns"));
}

#[test]
fn inputs_at_the_platform_are_searched_paged_and_chosen() {
    let mut window = ticked(Form::default());
    window.press("Use existing data assets…, Align reads");
    let first = answer(
        &mut window,
        vec![asset("folder", true), asset("a", false)],
        Some("page 2"),
    );
    assert_eq!(first, Query::default());
    window.press("More");
    let second = answer(&mut window, vec![asset("b", false)], None);
    assert_eq!(second.cursor.as_deref(), Some("page 2"));
    assert!(
        window.sees("a 世界") && window.sees("b 世界"),
        "pages add up"
    );
    assert!(!window.is_enabled("More"));
    window.press("a 世界");
    window.press("Open folder 世界");
    let inside = answer(&mut window, vec![asset("c", false)], None);
    assert_eq!(inside.folder.as_deref(), Some("folder"));
    window.press("c 世界");
    window.press("Top");
    window.type_into("Search data assets", "plate 7");
    window.press("Search");
    let words = answer(&mut window, Vec::new(), None);
    assert_eq!(words.words.as_deref(), Some("plate 7"));
    assert!(window.sees("Nothing found here"));
    assert!(
        window.sees("a 世界, c 世界"),
        "what was ticked stays ticked"
    );
    window.press("Use 2 data assets");
    assert_eq!(
        target(&window).existing,
        [asset("a", false), asset("c", false)]
    );
    assert!(window.sees("Uses 2 data assets at Capsule cloud instead of the files above"));
    assert!(
        window.is_enabled("Send 1 job on 1 platform"),
        "no file of this computer is needed"
    );
    window.press("Jobs of Align reads");
    window.press("One computation per file");
    assert!(window.is_enabled("Send 2 jobs on 1 platform"));
    window.press("Remove a 世界");
    assert_eq!(target(&window).existing, [asset("c", false)]);
    window.publish(sampled);
    window.press("Jobs of Align reads");
    window.press("One computation per value of a sample column");
    assert!(window.sees("Samples are known only of files of this computer"));
    assert!(!window.is_enabled("Send 1 job on 1 platform"));
}

#[test]
fn a_cancelled_picker_changes_nothing() {
    let mut window = ticked(Form::default());
    window.press("Use existing data assets…, Align reads");
    answer(&mut window, vec![asset("a", false)], None);
    window.press("a 世界");
    window.press("Cancel");
    assert!(target(&window).existing.is_empty());
    assert!(!window.sees("Pick at Genomics core"));
}

#[test]
fn a_connection_that_takes_no_files_says_the_two_ways_out() {
    let mut snapshot = cloud(Form::default());
    connection(&mut snapshot).connection.options.clear();
    connection(&mut snapshot).key = KeyState::InKeyring;
    let mut window = Window::new(snapshot);
    window.press("Align reads, Genomics core");
    assert!(
        window.sees("only by way of a staging bucket of yours, and Genomics core has none yet")
    );
    assert!(window.sees("Genomics core cannot take files of this computer yet"));
    assert!(!window.is_enabled("Send 3 files · 1 job on 1 platform"));
    window.taken();
    window.press("Use existing data assets…, Align reads");
    answer(&mut window, vec![asset("a", true)], None);
    window.press("a 世界");
    window.press("Use 1 data asset");
    assert!(window.is_enabled("Send 1 job on 1 platform"));
    window.press("Remove a 世界");
    window.press("Add a staging bucket to Genomics core");
    assert!(window.sees("Edit Genomics core"));

    let able = ticked(Form::default());
    assert!(able.sees("your own storage our-staging first"));
}

#[test]
fn columns_are_read_out_of_names_imported_and_edited() {
    let table = PathBuf::from("/data/samples.csv");
    let desktop = PretendDesktop::new(Picked::Paths(vec![table.clone()]));
    let mut window = Window::with_desktop(fixture::with_files(), desktop);
    window.press("Start from a name");
    window.press("Import table…");
    assert!(
        matches!(
            window.taken().as_slice(),
            [Command::SetSamplePattern(name), Command::ImportSamples(path)]
                if name == "A01 世界 #1 50%.tif" && *path == table
        ),
        "the name to start from and the table"
    );
    window.type_into("Pattern of the file names", "{well}");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::SetSamplePattern(pattern)] if pattern == "{well}"
    ));
    window.publish(sampled);
    assert!(window.sees("Columns: well (2 values)"));
    assert!(window.sees("1 file does not fit"));
    assert!(window.sees("No sample: name does not fit"));
    window.press("Show only these");
    assert!(
        !window.sees("Remove A01 世界"),
        "only the one that does not fit is listed"
    );
    window.type_into("well of A03.tif", "A03");
    assert!(window.taken().is_empty(), "not before it is finished");
    window.harness.key_press(Key::Enter);
    window.harness.run();
    assert!(matches!(
        window.taken().as_slice(),
        [Command::SetSample { path, column, value }]
            if path.ends_with("A03.tif") && column == "well" && value == "A03"
    ));
    window.press("Add column…");
    window.type_into("Name of the new column", "treatment");
    window.press("Add column");
    window.type_into("treatment of A03.tif", "control");
    // Leaving the cell is enough.
    window.press("Show only these");
    let taken = window.taken();
    assert!(
        matches!(
            taken.as_slice(),
            [Command::SetSample { column, value, .. }] if column == "treatment" && value == "control"
        ),
        "{taken:?}"
    );
    window.press("Clear samples");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::SetSamplePattern(nothing)] if nothing.is_empty()
    ));
}

#[test]
fn a_wrong_pattern_and_a_missing_picker_are_said() {
    let mut window = Window::new(fixture::with_files());
    window.publish(|snapshot| {
        Arc::make_mut(&mut snapshot.draft).samples = Arc::new(SampleTable {
            pattern: "{well".to_owned(),
            problem: Some("A brace is not closed".to_owned()),
            ..SampleTable::default()
        });
    });
    assert!(window.sees("A brace is not closed"));
    window.press("Import table…");
    window.type_into("Path of the table", "/data/samples.csv");
    window.press("Add");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::ImportSamples(path)] if path == Path::new("/data/samples.csv")
    ));
}

#[test]
fn ten_thousand_files_with_samples_draw_only_what_is_seen() {
    let mut snapshot = fixture::with_files();
    let files: Vec<ListedFile> = (0..10_000)
        .map(|number| ListedFile {
            file: fixture::local(&format!("plate_{number:05}.tif"), 1_000),
            problem: None,
        })
        .collect();
    let rows = files
        .iter()
        .map(|listed| {
            let row = BTreeMap::from([("well".to_owned(), listed.file.name.clone())]);
            (listed.file.path.clone(), row)
        })
        .collect();
    snapshot.draft = Arc::new(DraftView {
        files,
        samples: Arc::new(SampleTable {
            columns: vec!["well".to_owned()],
            rows,
            ..SampleTable::default()
        }),
        ..DraftView::default()
    });
    let mut window = Window::new(snapshot);
    assert!(window.sees("Columns: well (10,000 values)"));
    let drawn = window
        .harness
        .query_all_by_label_contains("well of plate_")
        .count();
    assert!((1..20).contains(&drawn), "{drawn}");
    let started = std::time::Instant::now();
    window.harness.run_steps(20);
    // Without optimization and on a busy computer; counting all files in each frame would take seconds.
    assert!(
        started.elapsed().as_secs_f32() < 10.0,
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn settings_are_kept_under_a_name_and_used_again() {
    let mut window = ticked(fixture::form());
    window.type_into("Title", "plate7");
    window.press("Save settings of Align reads as…");
    window.type_into("Name of the saved settings", "Usual");
    window.taken();
    window.press("Save");
    let taken = window.taken();
    let saved = taken
        .iter()
        .find_map(|command| match command {
            Command::SaveNamedSettings(saved) => Some(saved.clone()),
            _ => None,
        })
        .expect("it is kept");
    assert_eq!(
        (saved.name.as_str(), saved.pipeline.as_str()),
        ("Usual", "align")
    );
    assert_eq!(
        saved.settings.get("Title"),
        None,
        "the key is the platform's own name"
    );
    assert_eq!(saved.settings.get("title"), Some(&text("plate7")));
    assert_eq!(
        saved.settings.get("size"),
        Some(&text("12")),
        "with what was filled in at first"
    );
    let old = SavedSettings {
        name: "Old".to_owned(),
        settings: Settings::from([
            ("size".to_owned(), text("7")),
            ("dropped".to_owned(), text("1")),
        ]),
        ..saved.clone()
    };
    window.publish(|snapshot| {
        Arc::make_mut(&mut snapshot.settings).saved = vec![saved, old];
    });
    assert!(window.sees("Saved settings of Align reads"));
    window.press("Saved settings of Align reads");
    window.press("Old");
    assert_eq!(setting(&window, "size"), Some(text("7")));
    assert!(window.sees("This pipeline has no setting called dropped"));
    window.press("Remove dropped");
    assert_eq!(setting(&window, "dropped"), None);
    window.taken();
    window.press("Saved settings of Align reads");
    window.press("Remove saved settings Old");
    let taken = window.taken();
    assert!(
        matches!(
            taken.as_slice(),
            [Command::RemoveNamedSettings { name, .. }] if name == "Old"
        ),
        "{taken:?}"
    );
}
