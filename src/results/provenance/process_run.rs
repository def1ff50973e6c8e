//! The RO-Crate of a batch, by the profile *Process Run Crate* 0.5 on RO-Crate 1.1.
//!
//! What the platform has ended is an action; what it has not is left to a later receipt.

use crate::results::provenance::job::{JobRecord, PlacedInput, RunState, SettingRecord};
use crate::results::provenance::{CRATE_NAME, METHODS_NAME, iso, uri};
use crate::results::receipt::{FileRecord, InputRecord, RECEIPT_NAME, Receipt, ReceiptError};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The profile by its permanent address.
const PROFILE: &str = "https://w3id.org/ro/wfrun/process/0.5";

/// Nobody has told Labferry under which terms the files may be used, and the specification wants a word about it.
const LICENSE: &str =
    "No license is stated. Whoever owns these files decides how they may be used.";

/// Media types by file ending; others are left out.
const MEDIA_TYPES: [(&str, &str); 17] = [
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("txt", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("html", "text/html"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("gz", "application/gzip"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("svg", "image/svg+xml"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
];

/// The whole metadata file.
pub(super) fn metadata(receipt: &Receipt) -> Result<Vec<u8>, ReceiptError> {
    let mut graph = Graph::default();
    graph.describe(receipt);
    let document = json!({
        "@context": [
            "https://w3id.org/ro/crate/1.1/context",
            "https://w3id.org/ro/terms/workflow-run/context",
        ],
        "@graph": graph.entities,
    });
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(ReceiptError::Damaged)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The entities written so far, and under which name those are known that are spoken of more than once.
#[derive(Default)]
struct Graph {
    entities: Vec<Value>,
    known: BTreeMap<(&'static str, String), String>,
}

impl Graph {
    fn describe(&mut self, receipt: &Receipt) {
        let ran: Vec<&JobRecord> = receipt.jobs.iter().filter(|job| has_run(job)).collect();
        self.entities.push(json!({
            "@id": CRATE_NAME,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        }));
        self.entities.push(root(receipt, &ran));
        self.entities.push(json!({
            "@id": PROFILE,
            "@type": "CreativeWork",
            "name": "Process Run Crate",
            "version": "0.5",
        }));
        self.entities.push(json!({
            "@id": "#labferry",
            "@type": "SoftwareApplication",
            "name": "Labferry",
            "description": "Carried the inputs to the platforms and brought the results back",
            "softwareVersion": receipt.labferry,
        }));
        self.add_own_files();
        let mut written = BTreeSet::new();
        for file in &receipt.files {
            if written.insert(&file.path) {
                self.entities.push(result(file));
            }
        }
        let used: BTreeSet<usize> = ran.iter().flat_map(|job| &job.inputs).copied().collect();
        for (number, input) in receipt.inputs.iter().enumerate() {
            if used.contains(&number) {
                self.entities.push(sent(number, input));
            }
        }
        for job in ran {
            self.add_action(job, receipt);
        }
    }

    fn add_own_files(&mut self) {
        for (name, what, media) in [
            (
                RECEIPT_NAME,
                "What Labferry fetched, with sizes and hashes",
                "application/json",
            ),
            (
                METHODS_NAME,
                "What was done, as a paragraph for a paper",
                "text/plain",
            ),
        ] {
            self.entities.push(json!({
                "@id": name,
                "@type": "File",
                "name": name,
                "description": what,
                "encodingFormat": media,
            }));
        }
    }

    fn add_action(&mut self, job: &JobRecord, receipt: &Receipt) {
        let mut objects: Vec<Value> = job
            .inputs
            .iter()
            .filter(|number| receipt.inputs.len() > **number)
            .map(|number| reference(&input_id(*number)))
            .collect();
        for placed in &job.placed {
            objects.push(reference(&self.placed(&job.connection, placed)));
        }
        for (number, setting) in job.settings.iter().enumerate() {
            let id = format!("{}-setting-{}", action_id(job), number + 1);
            self.entities.push(json!({
                "@id": id,
                "@type": "PropertyValue",
                "name": setting.label.as_ref().unwrap_or(&setting.name),
                "propertyID": setting.name,
                "value": setting.value,
            }));
            objects.push(reference(&id));
        }
        let results: BTreeSet<&str> = receipt
            .files
            .iter()
            .filter(|file| belongs(file, job))
            .map(|file| file.path.as_str())
            .collect();
        let instrument = self.pipeline(job);
        let mut action = Map::new();
        let mut say = |name: &str, value: Value| {
            action.insert(name.to_owned(), value);
        };
        say("@id", action_id(job).into());
        say("@type", "CreateAction".into());
        say("name", job.name.clone().into());
        say("description", described(job).into());
        say("instrument", reference(&instrument));
        say("actionStatus", status(job.state).into());
        if let Some(id) = &job.remote_id {
            say("identifier", id.clone().into());
        }
        if let Some(sent) = job.sent {
            say("startTime", iso(sent).into());
        }
        if let Some(ended) = job.ended {
            say("endTime", iso(ended).into());
        }
        if let Some(reason) = job.reason.as_ref().filter(|_| !is_completed(job)) {
            say("error", reason.clone().into());
        }
        if let Some(one_or_many) = compact(objects) {
            say("object", one_or_many);
        }
        let results = results
            .into_iter()
            .map(|path| reference(&uri::relative(path)));
        if let Some(one_or_many) = compact(results.collect()) {
            say("result", one_or_many);
        }
        if let Some(account) = &job.account {
            say("agent", reference(&self.account(job, account)));
        }
        self.entities.push(Value::Object(action));
    }

    /// The pipeline a job ran, with its platform as provider.
    fn pipeline(&mut self, job: &JobRecord) -> String {
        let platform = self.named(
            "platform",
            &job.platform,
            |id| json!({"@id": id, "@type": "Organization", "name": job.platform}),
        );
        let key = format!("{}\n{}\n{}", job.platform, job.connection, job.pipeline_id);
        self.named("pipeline", &key, |id| {
            let mut entity = json!({
                "@id": id,
                "@type": "SoftwareApplication",
                "name": job.pipeline,
                "identifier": job.pipeline_id,
                "provider": {"@id": platform},
            });
            if let (Some(entity), false) =
                (entity.as_object_mut(), job.pipeline_description.is_empty())
            {
                let description = job.pipeline_description.clone().into();
                entity.insert("description".to_owned(), description);
            }
            entity
        })
    }

    fn account(&mut self, job: &JobRecord, account: &str) -> String {
        let key = format!("{}\n{account}", job.platform);
        self.named("account", &key, |id| {
            json!({
                "@id": id,
                "@type": "Person",
                "name": account,
                "description": format!("Account at {}", job.platform),
            })
        })
    }

    fn placed(&mut self, connection: &str, input: &PlacedInput) -> String {
        let key = format!("{connection}\n{}", input.id);
        self.named("placed", &key, |id| {
            let mut entity = json!({
                "@id": id,
                "@type": "CreativeWork",
                "name": input.name,
                "identifier": input.id,
                "description": "Was at the platform already",
            });
            if let Some(entity) = entity.as_object_mut() {
                if let Some(size) = input.size_bytes {
                    entity.insert("contentSize".to_owned(), size.to_string().into());
                }
                if let Some(sha256) = &input.sha256 {
                    entity.insert("sha256".to_owned(), sha256.clone().into());
                }
            }
            entity
        })
    }

    /// The identifier of something spoken of more than once; described the first time.
    fn named(
        &mut self,
        kind: &'static str,
        key: &str,
        describe: impl FnOnce(&str) -> Value,
    ) -> String {
        if let Some(id) = self.known.get(&(kind, key.to_owned())) {
            return id.clone();
        }
        let number = 1 + self.known.keys().filter(|(of, _)| *of == kind).count();
        let id = format!("#{kind}-{number}");
        self.entities.push(describe(&id));
        self.known.insert((kind, key.to_owned()), id.clone());
        id
    }
}

fn root(receipt: &Receipt, ran: &[&JobRecord]) -> Value {
    let paths: BTreeSet<&str> = receipt
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    let parts: Vec<Value> = [RECEIPT_NAME, METHODS_NAME]
        .into_iter()
        .chain(paths)
        .map(|path| reference(&uri::relative(path)))
        .collect();
    let latest = receipt.files.iter().map(|file| file.fetched_at).max();
    let mut root = json!({
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": {"@id": PROFILE},
        "name": receipt.batch,
        "description": super::paragraph(receipt).trim_end(),
        "datePublished": iso(latest.unwrap_or(receipt.created)),
        "dateCreated": iso(receipt.created),
        "license": LICENSE,
        "hasPart": parts,
    });
    let actions = ran.iter().map(|job| reference(&action_id(job))).collect();
    if let (Some(root), Some(actions)) = (root.as_object_mut(), compact(actions)) {
        root.insert("mentions".to_owned(), actions);
    }
    root
}

fn result(file: &FileRecord) -> Value {
    let mut entity = json!({
        "@id": uri::relative(&file.path),
        "@type": "File",
        "name": name_of(&file.path),
        "contentSize": file.size_bytes.to_string(),
        "sha256": file.sha256,
        "dateModified": iso(file.fetched_at),
    });
    if let Some(entity) = entity.as_object_mut() {
        if file.original_name != name_of(&file.path) {
            let original = file.original_name.clone().into();
            entity.insert("alternateName".to_owned(), original);
        }
        if let Some(media) = media_type(&file.path) {
            entity.insert("encodingFormat".to_owned(), media.into());
        }
    }
    entity
}

/// A file of this computer that was sent. It is not in the folder, so it is described and not a part of the crate.
fn sent(number: usize, input: &InputRecord) -> Value {
    let mut entity = json!({
        "@id": input_id(number),
        "@type": "CreativeWork",
        "name": input.name,
        "contentSize": input.size_bytes.to_string(),
    });
    if let Some(entity) = entity.as_object_mut() {
        if let Some(sha256) = &input.sha256 {
            entity.insert("sha256".to_owned(), sha256.clone().into());
        }
        if let Some(modified) = input.modified {
            entity.insert("dateModified".to_owned(), iso(modified).into());
        }
        if let Some(media) = media_type(&input.name) {
            entity.insert("encodingFormat".to_owned(), media.into());
        }
    }
    entity
}

fn has_run(job: &JobRecord) -> bool {
    let ended = match job.state {
        RunState::Completed | RunState::Failed | RunState::Cancelled => true,
        RunState::NotSent | RunState::Unfinished => false,
    };
    ended && job.remote_id.is_some()
}

fn is_completed(job: &JobRecord) -> bool {
    job.state == RunState::Completed
}

/// A job that was stopped did not complete either; schema.org has no third word for it.
fn status(state: RunState) -> &'static str {
    match state {
        RunState::Completed => "http://schema.org/CompletedActionStatus",
        RunState::Failed | RunState::Cancelled | RunState::NotSent | RunState::Unfinished => {
            "http://schema.org/FailedActionStatus"
        }
    }
}

fn described(job: &JobRecord) -> String {
    let how = match job.state {
        RunState::Completed => "completed",
        RunState::Failed => "failed",
        RunState::Cancelled => "was stopped",
        RunState::NotSent | RunState::Unfinished => "did not end",
    };
    let settings: Vec<String> = job.settings.iter().map(SettingRecord::told).collect();
    let mut text = format!("{} on {}; it {how}", job.pipeline, job.platform);
    if !settings.is_empty() {
        text += ". Settings: ";
        text += &settings.join("; ");
    }
    text
}

/// Whether a file lies in a job's folder.
fn belongs(file: &FileRecord, job: &JobRecord) -> bool {
    file.path
        .strip_prefix(job.folder.as_str())
        .is_some_and(|rest| rest.starts_with('/'))
}

fn action_id(job: &JobRecord) -> String {
    format!("#{}", uri::relative(&job.tag))
}

fn input_id(number: usize) -> String {
    format!("#input-{}", number + 1)
}

fn reference(id: &str) -> Value {
    json!({"@id": id})
}

/// One value stands by itself, as the compact form of JSON-LD wants it.
fn compact(mut values: Vec<Value>) -> Option<Value> {
    match values.len() {
        0 => None,
        1 => values.pop(),
        _ => Some(Value::Array(values)),
    }
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn media_type(path: &str) -> Option<&'static str> {
    let (_, ending) = name_of(path).rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    let known = MEDIA_TYPES.iter().find(|(known, _)| *known == ending);
    known.map(|(_, media)| *media)
}
