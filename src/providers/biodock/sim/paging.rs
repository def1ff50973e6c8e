//! Lists in pages, with the cursor the vendor documents and the ways it may turn out otherwise.
//!
//! Owns `limit`, `startingAfter` and `count`. Which order lists have is not documented; here the
//! newest comes first, the only order in which a public client that takes the first entry of the
//! root right after an upload can work.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::providers::biodock::sim::refuse;
use crate::sandbox::faults::Faults;

/// The fields of a query.
pub(super) type Fields = BTreeMap<String, String>;

/// Entries of a page when no `limit` is sent; the vendor's number is not documented.
const USUAL_LIMIT: u64 = 100;

/// Cuts one page out of a list of ids; only the entries of that page are described.
pub(super) fn page(
    faults: &Faults,
    fields: &Fields,
    ids: &[&str],
    describe: impl Fn(&str) -> Option<Value>,
) -> Response {
    let asked = match fields.get("limit").map(|limit| limit.parse::<u64>()) {
        None => faults.number("biodock.limit").unwrap_or(USUAL_LIMIT),
        Some(Ok(limit)) if limit > 0 => limit,
        Some(_) => return refuse(StatusCode::BAD_REQUEST, "limit must be a positive number"),
    };
    let limit = asked.min(faults.number("biodock.max-limit").unwrap_or(u64::MAX));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let cursor = fields
        .get("startingAfter")
        .filter(|_| !faults.is("biodock.cursor", "ignored"));
    let start = match cursor {
        None => 0,
        Some(last) => match ids.iter().position(|id| id == last) {
            Some(place) => place + 1,
            None => return refuse(StatusCode::BAD_REQUEST, "startingAfter is not in this list"),
        },
    };
    let shown = ids.iter().skip(start).take(limit);
    let results: Vec<Value> = shown.filter_map(|id| describe(id)).collect();
    let count = if faults.is("biodock.count", "total") {
        ids.len()
    } else {
        results.len()
    };
    Json(json!({ "results": results, "count": count })).into_response()
}
