//! Everything here that reads what a server wrote, over one body of any bytes: the entry for tests of robustness. Nothing
//! in the program calls it.

use reqwest::header::HeaderMap;
use serde_json::from_slice;

use crate::net::errors::usual_complaint;
use crate::providers::biodock::wire::{
    Check, ItemEntry, JobAnswer, Listed, MasksAnswer, PipelineEntry, State, UploadAnswer,
};

/// Takes the body for each answer there is; returns the texts that would be shown or become names.
pub fn read(body: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    if let Ok(check) = from_slice::<Check>(body) {
        texts.extend(check.user);
        texts.extend(check.email);
    }
    if let Ok(list) = from_slice::<Listed<PipelineEntry>>(body) {
        for entry in list.results {
            let pipeline = entry.into_model();
            texts.extend([pipeline.name, pipeline.description]);
        }
    }
    if let Ok(list) = from_slice::<Listed<ItemEntry>>(body) {
        texts.extend(list.results.into_iter().map(|item| item.into_model().name));
    }
    if let Ok(upload) = from_slice::<UploadAnswer>(body) {
        texts.push(upload.id);
    }
    if let Ok(list) = from_slice::<Listed<JobAnswer>>(body) {
        for answer in list.results {
            judge(&answer.into_state(), &mut texts);
        }
    }
    if let Ok(answer) = from_slice::<JobAnswer>(body) {
        judge(&answer.into_state(), &mut texts);
    }
    if let Ok(answer) = from_slice::<MasksAnswer>(body) {
        judge(&answer.into_state(), &mut texts);
    }
    texts.extend(usual_complaint(500, &HeaderMap::new(), body).said);
    texts
}

fn judge(state: &State, texts: &mut Vec<String>) {
    let report = state.report();
    texts.push(report.word);
    texts.extend(report.message);
    texts.extend(state.name.clone());
    texts.extend(state.masks_url().map(str::to_owned));
}
