//! Everything here that reads what a server wrote, over one body of any bytes: the entry for tests of robustness. Nothing
//! in the program calls it.

use reqwest::header::HeaderMap;
use serde_json::from_slice;

use crate::providers::analytics_automated::wire::{
    Batch, Created, Endpoints, JobDetails, complaint, is_identifier, parse_endpoint,
    pasted_identifier, typical_secs,
};

/// Takes the body for each answer there is; returns the names that results would have.
pub fn read(body: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    if let Ok(endpoints) = from_slice::<Endpoints>(body) {
        for endpoint in endpoints.parsed() {
            names.extend(endpoint.form().fields.into_iter().map(|field| field.name));
        }
    }
    if let Ok(times) = from_slice::<serde_json::Value>(body) {
        names.extend(typical_secs(&times).into_keys());
    }
    if let Ok(details) = from_slice::<JobDetails>(body) {
        names.extend(details.step_count().map(|steps| steps.to_string()));
    }
    if let Ok(created) = from_slice::<Created>(body)
        && is_identifier(&created.uuid)
    {
        names.push(created.uuid);
    }
    if let Ok(batch) = from_slice::<Batch>(body) {
        names.push(batch.report(Some(3)).word);
        names.extend(batch.names().0.map(str::to_owned));
        names.extend(batch.outputs().into_iter().map(|output| output.name));
    }
    for status in [400, 403, 500, 507] {
        names.extend(complaint(status, &HeaderMap::new(), body).said);
    }
    names
}

/// Takes one text of the list of jobs apart; returns the job and its settings in the order of the form.
pub fn endpoint(text: &str) -> Option<(String, Vec<String>)> {
    let pasted = pasted_identifier(text);
    tracing::trace!(identifier = is_identifier(pasted), "pasted");
    let endpoint = parse_endpoint(text)?;
    let fields = endpoint.form().fields;
    let names = fields.into_iter().map(|field| field.name).collect();
    Some((endpoint.job, names))
}
