//! Everything here that reads what a server wrote, over one body of any bytes: the entry for tests of robustness. Nothing
//! in the program calls it.

use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, from_slice};

use crate::model::error::Doing;
use crate::model::form::Settings;
use crate::model::remote::StagedFile;
use crate::providers::seven_bridges::errors::{complaint, inner_error};
use crate::providers::seven_bridges::form::values::{Spread, given};
use crate::providers::seven_bridges::form::{cwl, form};
use crate::providers::seven_bridges::made::{collect, outputs, own_part, unused};
use crate::providers::seven_bridges::wire::accounts::{Project, User};
use crate::providers::seven_bridges::wire::apps::App;
use crate::providers::seven_bridges::wire::files::{DownloadInfo, File};
use crate::providers::seven_bridges::wire::tasks::{Details, Task};
use crate::providers::seven_bridges::wire::uploads::{Arrived, Opened, PartLink};
use crate::providers::seven_bridges::wire::{Bulk, Listed};

/// Takes the body for each answer there is; returns the names that results would have and the texts that would be shown.
pub fn read(body: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    texts.extend(from_slice::<User>(body).ok().and_then(User::name));
    texts.extend(
        one_or_many::<Project>(body)
            .into_iter()
            .map(|project| project.into_place().name),
    );
    for app in one_or_many::<App>(body) {
        texts.push(app.pinned());
        texts.push(app.into_pipeline().name);
    }
    for file in one_or_many::<File>(body) {
        texts.push(file.into_staged().name);
    }
    let mut made = Vec::new();
    let mut places = std::collections::BTreeSet::new();
    for task in one_or_many::<Task>(body) {
        texts.push(task.status().to_owned());
        texts.extend(task.message().or_else(|| task.complaints()));
        tracing::trace!(steps = ?task.steps(), counts = ?task.counts(), created = ?task.created(), "task");
        let place = unused(&mut places, own_part(task.shown_name(), "parent").as_str());
        collect(&task, &format!("{place}/"), &mut made);
    }
    texts.extend(outputs(made).into_iter().map(|output| output.name));
    if let Ok(details) = from_slice::<Details>(body) {
        for run in details.jobs.unwrap_or_default() {
            texts.extend(run.logs().into_iter().map(|(name, _id)| name));
        }
    }
    uploads(body, &mut texts);
    for status in [400, 401, 404, 500] {
        texts.extend(complaint(status, &HeaderMap::new(), body).said);
    }
    if let Ok(json) = from_slice::<Json>(body) {
        texts.push(inner_error(&json, Doing::Poll).to_string());
    }
    texts
}

fn uploads(body: &[u8], texts: &mut Vec<String>) {
    if let Ok(opened) = from_slice::<Opened>(body) {
        tracing::trace!(?opened, "upload");
    }
    if let Ok(link) = from_slice::<PartLink>(body) {
        texts.extend(link.reported_headers());
        texts.extend(link.sent_headers().into_iter().map(|(name, _value)| name));
        tracing::trace!(codes = ?link.success_codes(), "part");
    }
    if let Ok(arrived) = from_slice::<Arrived>(body) {
        texts.extend(arrived.etags().into_values());
    }
    if let Ok(info) = from_slice::<DownloadInfo>(body) {
        texts.push(info.url);
    }
}

/// The body as one of them, as a page of them, or as an answer about many.
fn one_or_many<T: DeserializeOwned>(body: &[u8]) -> Vec<T> {
    let mut found: Vec<T> = from_slice(body).ok().into_iter().collect();
    if let Ok(list) = from_slice::<Listed<T>>(body) {
        tracing::trace!(more = list.names_a_next(), "page");
        found.extend(list.items);
    }
    if let Ok(bulk) = from_slice::<Bulk<T>>(body) {
        found.extend(bulk.items.into_iter().filter_map(|item| item.resource));
    }
    found
}

/// Takes the body for the description of an app, makes the form of it and gives the form's own values back to it;
/// returns the names of the fields and how many inputs a task would be given.
pub fn description(body: &[u8]) -> (Vec<String>, usize) {
    let Ok(raw) = from_slice::<Json>(body) else {
        return (Vec::new(), 0);
    };
    let inputs = cwl::inputs(&raw);
    let fields = form(&inputs).fields;
    let mut settings = Settings::new();
    for field in &fields {
        if let Some(value) = &field.default {
            settings.insert(field.name.clone(), value.clone());
        }
    }
    let file = StagedFile {
        id: "66a1f0c2d3e4b5a697887701".to_owned(),
        name: "a.csv".to_owned(),
        ..StagedFile::default()
    };
    let files = [file];
    let mut count = 0;
    for spread in [Spread::One, Spread::Batch] {
        if let Ok(given) = given(&inputs, &settings, &files, spread) {
            count = given.inputs.len();
        }
    }
    let names = fields.into_iter().map(|field| field.name).collect();
    (names, count)
}
