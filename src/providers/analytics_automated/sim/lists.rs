//! What the server tells of its jobs: pages of names, and the steps of one.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::providers::analytics_automated::sim::catalog;
use crate::providers::analytics_automated::sim::names::decoded;
use crate::providers::analytics_automated::sim::places::query_value;
use crate::providers::analytics_automated::sim::submit::Reply;

/// One page of ten jobs; `next` and `previous` are built from the `Host` header.
pub(super) fn job_page(request: &Request) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let page = query_value(query, "page").unwrap_or("1");
    let pages = catalog::JOBS.len().div_ceil(10);
    let Some(page) = page.parse().ok().filter(|page| (1..=pages).contains(page)) else {
        return Reply::Interface(StatusCode::NOT_FOUND, json!({"detail": "Invalid page."}));
    };
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = request.uri().path();
    let address = |wanted: usize| {
        (1..=pages)
            .contains(&wanted)
            .then(|| format!("http://{host}{path}?page={wanted}"))
    };
    let results: Vec<Value> = (1..)
        .zip(catalog::JOBS)
        .skip((page - 1) * 10)
        .take(10)
        .map(|(id, job): (usize, _)| json!({"pk": id, "name": job.name}))
        .collect();
    Reply::Interface(
        StatusCode::OK,
        json!({
            "count": catalog::JOBS.len(),
            "next": address(page + 1),
            "previous": address(page - 1),
            "results": results,
        }),
    )
}

/// Steps and the operator's notes. The name takes in a suffix, so `{name}.json` is never found.
pub(super) fn job_details(name: &str) -> Reply {
    let Some(job) = catalog::find(&decoded(name)) else {
        return Reply::not_found();
    };
    let steps: Vec<Value> = job
        .steps
        .iter()
        .enumerate()
        .map(|(ordering, task)| {
            let (software, version) = task.software;
            let notes = json!([{
                "type": "Software",
                "name": software,
                "parameters": "none",
                "version": version,
            }]);
            json!({"task": {"configuration": notes}, "ordering": ordering})
        })
        .collect();
    Reply::Interface(StatusCode::OK, json!({"name": job.name, "steps": steps}))
}
