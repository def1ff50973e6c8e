use crate::results::provenance::{
    CRATE_NAME, JobRecord, METHODS_NAME, PlacedInput, RunState, SettingRecord, paragraph, write,
};
use crate::results::receipt::{self, FileRecord, InputRecord, Outcome, Receipt, SCHEMA};
use serde_json::Value;
use std::fs;
use std::path::Path;

const NASTY: &str = "Core #1 - 50 % 世界/a b?.csv";

fn job(number: usize, state: RunState) -> JobRecord {
    JobRecord {
        tag: format!("lf-{number}"),
        name: format!("A{number:02}.tif - Nuclei count"),
        folder: format!("Core - Nuclei count - A{number:02}"),
        connection: "Imaging core".to_owned(),
        platform: "Biodock".to_owned(),
        pipeline_id: "65f0".to_owned(),
        pipeline: "Nuclei count".to_owned(),
        pipeline_description: String::new(),
        remote_id: Some(format!("run-{number}")),
        account: Some("maria".to_owned()),
        state,
        reason: (state == RunState::Failed).then(|| "out of memory".to_owned()),
        sent: Some("2026-11-20T13:00:00.123456789Z".parse().unwrap()),
        ended: Some("2026-11-20T14:00:00Z".parse().unwrap()),
        inputs: vec![number],
        placed: Vec::new(),
        left_out: Vec::new(),
        settings: vec![SettingRecord {
            name: "masks".to_owned(),
            label: Some("Fetch masks".to_owned()),
            value: "on".to_owned(),
        }],
    }
}

fn file(path: &str, size_bytes: u64) -> FileRecord {
    FileRecord {
        path: path.to_owned(),
        original_name: "objects.csv".to_owned(),
        job: "Nuclei count".to_owned(),
        connection: "Imaging core".to_owned(),
        platform: "Biodock".to_owned(),
        pipeline: "Nuclei count".to_owned(),
        remote_id: "run-0".to_owned(),
        size_bytes,
        sha256: "ab".repeat(32),
        fetched_at: "2026-11-20T14:05:00Z".parse().unwrap(),
        from_archive: None,
        hash_given: false,
    }
}

fn receipt(jobs: Vec<JobRecord>, files: Vec<FileRecord>) -> Receipt {
    let input = |number: u64| InputRecord {
        name: format!("A{number:02}.tif"),
        path: format!("/data/A{number:02}.tif"),
        size_bytes: 1_000_000 + number,
        modified: None,
        sha256: Some("cd".repeat(32)),
    };
    Receipt {
        schema: SCHEMA,
        labferry: "0.1.0".to_owned(),
        batch: "Plate 7".to_owned(),
        created: "2026-11-20T13:00:00Z".parse().unwrap(),
        inputs: (0..3).map(input).collect(),
        files,
        jobs,
        beside: std::collections::BTreeMap::new(),
    }
}

fn written(receipt: &Receipt) -> (tempfile::TempDir, Value) {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), receipt.clone()).unwrap();
    let text = fs::read(place.path().join(CRATE_NAME)).unwrap();
    (place, serde_json::from_slice(&text).unwrap())
}

fn entity<'a>(document: &'a Value, id: &str) -> &'a Value {
    let graph = document["@graph"].as_array().unwrap();
    let found: Vec<&Value> = graph.iter().filter(|one| one["@id"] == id).collect();
    assert_eq!(found.len(), 1, "{id} in {document:#}");
    found[0]
}

#[test]
fn a_run_is_an_action_with_its_inputs_settings_and_results() {
    let mut ran = job(0, RunState::Completed);
    ran.folder = "Core #1 - 50 % 世界".to_owned();
    ran.placed = vec![PlacedInput {
        id: "asset-9".to_owned(),
        name: "Reference".to_owned(),
        size_bytes: Some(7),
        sha256: None,
    }];
    let (_place, document) = written(&receipt(vec![ran], vec![file(NASTY, 12)]));
    let path = "Core%20%231%20-%2050%20%25%20%E4%B8%96%E7%95%8C/a%20b%3F.csv";
    let action = entity(&document, "#lf-0");
    assert_eq!(action["@type"], "CreateAction");
    assert_eq!(action["startTime"], "2026-11-20T13:00:00+00:00");
    assert_eq!(action["endTime"], "2026-11-20T14:00:00+00:00");
    assert_eq!(action["result"]["@id"], path);
    assert_eq!(action["identifier"], "run-0");
    let objects: Vec<&str> = action["object"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["@id"].as_str().unwrap())
        .collect();
    assert_eq!(objects, ["#input-1", "#placed-1", "#lf-0-setting-1"]);
    for id in objects {
        entity(&document, id);
    }
    let setting = entity(&document, "#lf-0-setting-1");
    assert_eq!(setting["value"], "on");
    assert_eq!(setting["name"], "Fetch masks");
    assert_eq!(setting["propertyID"], "masks");
    assert_eq!(entity(&document, "#input-1")["contentSize"], "1000000");
    let result = entity(&document, path);
    assert_eq!(result["contentSize"], "12");
    assert_eq!(result["encodingFormat"], "text/csv");
    assert_eq!(result["alternateName"], "objects.csv");
    assert_eq!(result["dateModified"], "2026-11-20T14:05:00+00:00");
    let pipeline = entity(&document, action["instrument"]["@id"].as_str().unwrap());
    assert_eq!(pipeline["@type"], "SoftwareApplication");
    let platform = entity(&document, pipeline["provider"]["@id"].as_str().unwrap());
    assert_eq!(platform["name"], "Biodock");
    let agent = entity(&document, action["agent"]["@id"].as_str().unwrap());
    assert_eq!(agent["name"], "maria");
    let root = entity(&document, "./");
    assert_eq!(root["mentions"]["@id"], "#lf-0");
    let parts = root["hasPart"].as_array().unwrap();
    assert!(parts.iter().any(|part| part["@id"] == path));
    // An input that no run used and the folder of the person's files are nobody's business.
    assert!(!document.to_string().contains("A02.tif"));
    assert!(!document.to_string().contains("/data/"));
}

#[test]
fn a_run_that_failed_says_why_and_one_that_goes_on_is_left_to_a_later_receipt() {
    let mut unsent = job(2, RunState::NotSent);
    unsent.remote_id = None;
    let jobs = vec![
        job(0, RunState::Failed),
        job(1, RunState::Unfinished),
        unsent,
    ];
    let (_place, document) = written(&receipt(jobs, vec![file(NASTY, 12)]));
    let action = entity(&document, "#lf-0");
    assert_eq!(action["error"], "out of memory");
    assert_eq!(
        action["actionStatus"],
        "http://schema.org/FailedActionStatus"
    );
    assert!(action.get("result").is_none(), "its file is another job's");
    assert_eq!(entity(&document, "./")["mentions"]["@id"], "#lf-0");
}

#[test]
fn the_paragraph_counts_in_singular_and_plural() {
    let one = receipt(
        vec![job(0, RunState::Completed)],
        vec![file("Core - Nuclei count - A00/a.csv", 1)],
    );
    assert_eq!(
        paragraph(&one),
        "One file (1,000,000 bytes) was sent to Biodock with Labferry 0.1.0 on 2026-11-20 at 13:00 UTC. \
         On Biodock (connection “Imaging core”), the pipeline “Nuclei count” (identifier 65f0) was run as one job with the \
         setting Fetch masks = on; it completed. One result file (1 byte) was received on 2026-11-20 at 14:05 UTC. \
         The SHA-256 checksum of the result file was computed when it arrived and is listed in receipt.json.\n"
    );
    let mut later = file("Core - Nuclei count - A01/b.csv", 2_345);
    later.fetched_at = "2026-11-21T08:00:00Z".parse().unwrap();
    later.hash_given = true;
    let mut unsent = job(2, RunState::NotSent);
    unsent.remote_id = None;
    unsent.left_out = vec!["A02.tif".to_owned()];
    let mut elsewhere = job(0, RunState::Failed);
    elsewhere.platform = "Code Ocean".to_owned();
    elsewhere.connection = "Institute".to_owned();
    elsewhere.settings.clear();
    elsewhere.folder = "Institute".to_owned();
    let many = receipt(
        vec![
            job(0, RunState::Completed),
            job(1, RunState::Completed),
            unsent,
            elsewhere,
        ],
        vec![file("Core - Nuclei count - A00/a.csv", 1), later],
    );
    assert_eq!(
        paragraph(&many),
        "2 files (2,000,001 bytes in total) were sent to Biodock and Code Ocean with Labferry 0.1.0 on 2026-11-20 at 13:00 UTC. \
         On Biodock (connection “Imaging core”), the pipeline “Nuclei count” (identifier 65f0) was run as 2 jobs with the \
         setting Fetch masks = on; all completed. 2 result files (2,346 bytes in total) were received between 2026-11-20 at 14:05 UTC \
         and 2026-11-21 at 08:00 UTC. One job for the pipeline “Nuclei count” on Biodock was not submitted. The file “A02.tif” \
         could not be sent there and was left out. On Code Ocean (connection “Institute”), the pipeline “Nuclei count” \
         (identifier 65f0) was run as one job; it failed. The SHA-256 checksum of every result file was computed when it \
         arrived and is listed in receipt.json; for one file its platform stated a checksum too, and it agreed.\n"
    );
}

#[test]
fn settings_are_named_as_the_form_named_them_else_in_quotes() {
    let setting = |name: &str, label: Option<&str>, value: &str| SettingRecord {
        name: name.to_owned(),
        label: label.map(str::to_owned),
        value: value.to_owned(),
    };
    let mut ran = job(0, RunState::Completed);
    ran.settings = vec![
        setting("@mount", Some("Folder of the data"), "sample"),
        setting("capsule_read_1/[1]", None, "0.5"),
        setting("channels", Some("Channels"), "DAPI, GFP"),
        setting("model", Some("Model"), ""),
    ];
    let receipt = receipt(vec![ran], Vec::new());
    let words = "Folder of the data = sample, “capsule_read_1/[1]” = 0.5, Channels = “DAPI, GFP”, Model left empty";
    let text = paragraph(&receipt);
    assert!(
        text.contains(&format!("with the settings {words};")),
        "{text}"
    );
    let (_place, document) = written(&receipt);
    let action = entity(&document, "#lf-0")["description"].as_str().unwrap();
    assert!(
        action.ends_with(&format!(
            "Settings: {}",
            words
                .replace(", “c", "; “c")
                .replace(", Ch", "; Ch")
                .replace(", Mo", "; Mo")
        )),
        "{action}"
    );
    let second = entity(&document, "#lf-0-setting-2");
    assert_eq!(second["name"], "capsule_read_1/[1]");
    assert_eq!(second["propertyID"], "capsule_read_1/[1]");
}

#[test]
fn writing_again_changes_nothing_and_is_not_extra() {
    let (place, _) = written(&receipt(vec![job(0, RunState::Completed)], Vec::new()));
    let first = receipt::read(place.path()).unwrap();
    let before: Vec<_> = [METHODS_NAME, CRATE_NAME]
        .map(|name| fs::read(place.path().join(name)).unwrap())
        .into();
    write(place.path(), first.clone()).unwrap();
    let after: Vec<_> = [METHODS_NAME, CRATE_NAME]
        .map(|name| fs::read(place.path().join(name)).unwrap())
        .into();
    assert_eq!(before, after);
    assert_eq!(receipt::read(place.path()).unwrap(), first);
    assert_eq!(receipt::check(place.path()).unwrap(), []);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 3);
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn what_a_person_made_of_the_paragraph_is_kept() {
    let (place, _) = written(&receipt(vec![job(0, RunState::Completed)], Vec::new()));
    let methods = place.path().join(METHODS_NAME);
    std::io::Write::write_all(&mut fs::File::create(&methods).unwrap(), b"my words").unwrap();
    let mut next = receipt::read(place.path()).unwrap();
    next.jobs.push(job(1, RunState::Failed));
    write(place.path(), next).unwrap();
    assert_eq!(
        names(place.path()),
        ["methods (2).txt", METHODS_NAME, "receipt.json", CRATE_NAME]
    );
    let kept = fs::read_to_string(place.path().join("methods (2).txt")).unwrap();
    assert_eq!(kept, "my words");
    assert!(fs::read_to_string(&methods).unwrap().contains("2 jobs"));
    let extra = receipt::check(place.path()).unwrap();
    assert_eq!(extra.len(), 1);
    assert_eq!(extra[0].outcome, Outcome::Extra);
}

#[test]
fn a_receipt_of_an_older_labferry_is_read() {
    let old = r#"{"schema":1,"labferry":"0.1.0","batch":"Plate 7","created":"2026-11-20T13:00:00Z","inputs":[],"files":[]}"#;
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("receipt.json");
    std::io::Write::write_all(&mut fs::File::create(path).unwrap(), old.as_bytes()).unwrap();
    let read = receipt::read(place.path()).unwrap();
    assert!(read.jobs.is_empty() && read.beside.is_empty());
    let setting: SettingRecord = serde_json::from_str(r#"{"name":"masks","value":"on"}"#).unwrap();
    assert_eq!(setting.told(), "“masks” = on");
    assert_eq!(
        paragraph(&read),
        "The batch “Plate 7” was made with Labferry 0.1.0 on 2026-11-20 at 13:00 UTC.\n"
    );
}
