//! Everything here that reads what a server wrote, over one body of any bytes: the entry for tests of robustness. Nothing
//! in the program calls it.

use reqwest::header::HeaderMap;
use serde_json::from_slice;

use crate::model::form::Settings;
use crate::net::errors::usual_complaint;
use crate::providers::code_ocean::address::Kind;
use crate::providers::code_ocean::form::form_of;
use crate::providers::code_ocean::listed::{output, path_of};
use crate::providers::code_ocean::panel::Panel;
use crate::providers::code_ocean::values::{AllValues, Data};
use crate::providers::code_ocean::wire::{
    Address, Asset, Capsule, Computation, Folder, Found, Memo, filled,
};

/// Takes the body for each answer there is; returns the names that results would have and the texts that would be shown.
pub fn read(body: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    if let Ok(found) = from_slice::<Found<Capsule>>(body) {
        texts.extend(found.next().map(|token| token.to_string()));
        for capsule in found.results {
            texts.extend(capsule.slug());
            let pipeline = capsule.into_model(Kind::Capsule);
            texts.extend([pipeline.name, pipeline.description]);
        }
    }
    if let Ok(capsule) = from_slice::<Capsule>(body) {
        texts.push(capsule.into_model(Kind::Pipeline).name);
    }
    for run in from_slice::<Option<Vec<Computation>>>(body)
        .ok()
        .flatten()
        .into_iter()
        .flatten()
        .chain(from_slice::<Computation>(body).ok())
    {
        judge(&run, &mut texts);
    }
    if let Ok(asset) = from_slice::<Asset>(body) {
        texts.extend(asset.failure());
        tracing::trace!(state = ?asset.state(), "asset");
        texts.push(asset.into_model(Memo::default()).name);
    }
    if let Ok(folder) = from_slice::<Folder>(body) {
        for item in folder.items {
            if let Some(path) = path_of(&item, "below") {
                texts.push(output(&item, path).name);
            }
        }
    }
    if let Ok(address) = from_slice::<Address>(body) {
        texts.extend(filled(address.download_url));
    }
    if let Ok(panel) = from_slice::<Panel>(body) {
        for kind in [Kind::Capsule, Kind::Pipeline] {
            let form = form_of(&panel, kind);
            texts.extend(form.fields.into_iter().map(|field| field.name));
        }
    }
    if let Ok(text) = std::str::from_utf8(body) {
        texts.push(Memo::of(text).mount);
    }
    texts.extend(usual_complaint(500, &HeaderMap::new(), body).said);
    texts
}

fn judge(run: &Computation, texts: &mut Vec<String>) {
    let report = run.report();
    texts.push(report.word);
    texts.extend(report.message);
    texts.extend(run.created().map(|time| time.to_string()));
    if let Ok(values) = AllValues::of(&Settings::new(), Data::default()) {
        texts.extend(values.differences(run));
    }
}
