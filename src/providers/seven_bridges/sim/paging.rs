//! Lists in pages: `limit`, `offset`, the total in a header and absolute links.

use axum::Json;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::providers::seven_bridges::sim::call::Call;
use crate::providers::seven_bridges::sim::errors::{Answer, Refusal};
use crate::sandbox::world::World;

/// Entries of a page when no `limit` is sent.
const USUAL_LIMIT: usize = 50;
/// Most entries of a page. What a larger wish gets is not documented; here it gets this many.
const MOST: usize = 100;

/// Which entries are asked for.
#[derive(Debug, Clone, Copy)]
struct Window {
    offset: usize,
    limit: usize,
}

fn window(world: &World, call: &Call) -> Result<Window, Refusal> {
    let number = |name: &str| match call.one(name).map(str::parse::<usize>) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(Refusal::bad(90000, format!("{name} must be a number."))),
    };
    let most = world.faults().number("sb.max-limit");
    let most = most.and_then(|most| usize::try_from(most).ok());
    let most = most.unwrap_or(MOST).clamp(1, MOST);
    Ok(Window {
        offset: number("offset")?.unwrap_or(0),
        limit: number("limit")?.unwrap_or(USUAL_LIMIT).clamp(1, most),
    })
}

/// Cuts one page out of a list; only its entries are described.
pub(super) fn page<T>(
    world: &World,
    call: &Call,
    entries: &[T],
    describe: impl Fn(&T) -> Value,
) -> Answer {
    let Window { offset, limit } = window(world, call)?;
    let items: Vec<Value> = entries
        .iter()
        .skip(offset)
        .take(limit)
        .map(describe)
        .collect();
    let at =
        |offset: usize| call.again(&[("offset", offset.to_string()), ("limit", limit.to_string())]);
    let mut links = Vec::new();
    if offset + items.len() < entries.len() && !items.is_empty() {
        let right = at(offset + limit);
        let next = match world.faults().value("sb.next-link").as_str() {
            // As in the published sample: a second question mark for the ampersand.
            "malformed" => Some(right.replacen('&', "?", right.matches('&').count())),
            "other-host" => {
                let port = world.storage_address().port();
                Some(format!("http://localhost:{port}/v2/elsewhere"))
            }
            "absent" => None,
            _ => Some(right),
        };
        links.extend(next.map(|href| json!({"href": href, "rel": "next", "method": "GET"})));
    }
    if offset > 0 {
        let href = at(offset.saturating_sub(limit));
        links.push(json!({"href": href, "rel": "prev", "method": "GET"}));
    }
    let body = json!({ "href": call.again(&[]), "items": items, "links": links });
    Ok(with_total(Json(body).into_response(), entries.len()))
}

fn with_total(mut response: Response, total: usize) -> Response {
    let name = HeaderName::from_static("x-total-matching-query");
    response
        .headers_mut()
        .insert(name, HeaderValue::from(total));
    response
}
