//! Searching: words and `field:value` terms, filters, order, pages. The same for capsules, pipelines and data assets.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::providers::code_ocean::sim::answer::{Refusal, bad, entry, flag, list, number, text};
use crate::sandbox::faults::Faults;

/// Entries of a page when no limit is sent.
const USUAL_LIMIT: u64 = 100;
/// Most entries of a page.
const MOST: u64 = 1_000;

/// Something that can be found.
#[derive(Debug)]
pub(super) struct Findable {
    /// Its entry in the answer, which is what is searched in, too.
    pub(super) value: Value,
    pub(super) is_archived: bool,
    pub(super) is_favorite: bool,
    /// Whether it is the account's own.
    pub(super) is_mine: bool,
}

/// Answers a search.
pub(super) fn search(
    faults: &Faults,
    request: &Map<String, Value>,
    all: Vec<Findable>,
) -> Result<Value, Refusal> {
    let page = Page::read(faults, request)?;
    let mut found = wanted(request, all)?;
    sort(request, &mut found)?;
    let more = found.len() > page.start.saturating_add(page.limit);
    let results: Vec<Value> = found
        .into_iter()
        .skip(page.start)
        .take(page.limit)
        .map(|found| entry(faults, found.value))
        .collect();
    let mut answer = json!({ "has_more": more, "results": results });
    if more && let Some(answer) = answer.as_object_mut() {
        let next = page.start.saturating_add(page.limit);
        answer.insert("next_token".to_owned(), token(faults, next));
    }
    Ok(answer)
}

/// Which part of the list is asked for.
struct Page {
    start: usize,
    limit: usize,
}

impl Page {
    fn read(faults: &Faults, request: &Map<String, Value>) -> Result<Self, Refusal> {
        let asked = number(request, "limit")?.filter(|limit| *limit > 0);
        if asked.is_some_and(|limit| limit > MOST) {
            return Err(bad("limit must be at most 1000"));
        }
        let usual = faults.number("code_ocean.limit").unwrap_or(USUAL_LIMIT);
        let most = faults.number("code_ocean.max-limit").unwrap_or(MOST);
        let limit = asked.unwrap_or(usual).min(most).max(1);
        let start = match request.get("next_token") {
            None | Some(Value::Null) => number(request, "offset")?.unwrap_or(0),
            Some(Value::String(empty)) if empty.is_empty() => 0,
            Some(token) => read_token(token).ok_or_else(|| bad("invalid next_token"))?,
        };
        Ok(Self {
            start: usize::try_from(start).unwrap_or(usize::MAX),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        })
    }
}

/// Where the next page starts, opaque; one table of the vendor's calls it a number.
fn token(faults: &Faults, start: usize) -> Value {
    if faults.is("code_ocean.next-token", "number") {
        json!(start)
    } else {
        json!(URL_SAFE_NO_PAD.encode(format!("{{\"o\":{start}}}")))
    }
}

fn read_token(token: &Value) -> Option<u64> {
    match token {
        Value::Number(start) => start.as_u64(),
        Value::String(text) => {
            let text = URL_SAFE_NO_PAD.decode(text).ok()?;
            let token: Value = serde_json::from_slice(&text).ok()?;
            token.get("o")?.as_u64()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn wanted(request: &Map<String, Value>, all: Vec<Findable>) -> Result<Vec<Findable>, Refusal> {
    let terms = Terms::read(text(request, "query")?.unwrap_or_default());
    let archived = flag(request, "archived")?.unwrap_or(false);
    let favorite = flag(request, "favorite")?.unwrap_or(false);
    let ownership = text(request, "ownership")?;
    let status = text(request, "status")?;
    let kind = text(request, "type")?;
    let origin = text(request, "origin")?;
    let filters = list(request, "filters")?;
    let is = |found: &Findable, name: &str, wanted: Option<&str>| {
        wanted.is_none_or(|wanted| found.value.get(name).and_then(Value::as_str) == Some(wanted))
    };
    let mut kept = all;
    kept.retain(|found| {
        found.is_archived == archived
            && (found.is_favorite || !favorite)
            && ownership.is_none_or(|kind| (kind == "shared") != found.is_mine)
            && is(found, "status", status)
            && is(found, "type", kind)
            && origin.is_none_or(|origin| (origin == "external") == is_external(&found.value))
            && terms.match_entry(&found.value)
            && filters.iter().all(|filter| passes(filter, &found.value))
    });
    Ok(kept)
}

fn is_external(value: &Value) -> bool {
    let external = value.pointer("/source_bucket/external");
    external.and_then(Value::as_bool).unwrap_or(false)
}

/// Words and terms of a query.
struct Terms {
    /// Field (empty for any) and what is looked for, in small letters.
    terms: Vec<(String, String)>,
}

impl Terms {
    fn read(query: &str) -> Self {
        let mut terms = Vec::new();
        let (mut field, mut word, mut quoted) = (String::new(), String::new(), false);
        for letter in query.chars().chain([' ']) {
            match letter {
                '"' => quoted = !quoted,
                ':' if !quoted && field.is_empty() && !word.is_empty() => {
                    field = std::mem::take(&mut word).to_lowercase();
                }
                blank if blank.is_whitespace() && !quoted => {
                    if !word.is_empty() {
                        let word = std::mem::take(&mut word).to_lowercase();
                        terms.push((std::mem::take(&mut field), word));
                    }
                }
                other => word.push(other),
            }
        }
        // A quote that is never closed.
        if !word.trim().is_empty() {
            terms.push((field, word.trim().to_lowercase()));
        }
        Self { terms }
    }

    /// The same field twice is one or the other; different fields and words must all fit.
    fn match_entry(&self, value: &Value) -> bool {
        self.terms.iter().all(|(field, word)| {
            if field.is_empty() {
                return ["name", "description", "tags", "field"]
                    .iter()
                    .any(|name| contains(value.get(name), word));
            }
            let same = self.terms.iter().filter(|(other, _)| other == field);
            same.into_iter()
                .any(|(_, word)| field_has(value, field, word))
        })
    }
}

fn field_has(value: &Value, field: &str, word: &str) -> bool {
    let name = match field {
        "tag" => "tags",
        "author" => "owner_email",
        "contained_data_id" => "contained_data_assets",
        other => other,
    };
    let found = value
        .get(name)
        .or_else(|| value.get("provenance").and_then(|from| from.get(name)));
    if matches!(field, "id" | "doi" | "commit_id") {
        return found.and_then(Value::as_str) == Some(word);
    }
    contains(found, word)
}

fn contains(value: Option<&Value>, word: &str) -> bool {
    match value {
        Some(Value::String(text)) => text.to_lowercase().contains(word),
        Some(Value::Array(items)) => items.iter().any(|item| contains(Some(item), word)),
        Some(Value::Object(members)) => members.values().any(|item| contains(Some(item), word)),
        Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => false,
    }
}

fn passes(filter: &Value, value: &Value) -> bool {
    let key = filter.get("key").and_then(Value::as_str).unwrap_or("name");
    let found = value
        .get(key)
        .or_else(|| value.get("custom_metadata").and_then(|own| own.get(key)));
    let equals = |wanted: &Value| match (wanted, found) {
        (Value::String(wanted), found) => contains(found, &wanted.to_lowercase()),
        (wanted, Some(found)) => wanted.as_f64().is_some() && wanted.as_f64() == found.as_f64(),
        (_, None) => false,
    };
    let given = |name| filter.get(name).filter(|value| !value.is_null());
    let fits = if let Some(range) = given("range") {
        let bound = |name| range.get(name).and_then(Value::as_f64);
        found.and_then(Value::as_f64).is_some_and(|found| {
            bound("min").is_none_or(|min| found >= min)
                && bound("max").is_none_or(|max| found <= max)
        })
    } else if let Some(Value::Array(values)) = given("values") {
        values.iter().any(equals)
    } else {
        given("value").is_none_or(equals)
    };
    let exclude = filter.get("exclude").and_then(Value::as_bool);
    fits != exclude.unwrap_or(false)
}

/// By a field, newest first without one.
fn sort(request: &Map<String, Value>, found: &mut [Findable]) -> Result<(), Refusal> {
    let field = text(request, "sort_field")?;
    let descending = match text(request, "sort_order")? {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(bad("sort_order must be asc or desc")),
    };
    let (field, descending) = match field {
        None => ("created", true),
        Some(known @ ("created" | "name" | "last_accessed" | "type" | "size")) => {
            (known, descending)
        }
        Some(_) => return Err(bad("unknown sort_field")),
    };
    found.sort_by(|one, other| {
        let order = compare(one.value.get(field), other.value.get(field));
        if descending { order.reverse() } else { order }
    });
    Ok(())
}

fn compare(one: Option<&Value>, other: Option<&Value>) -> Ordering {
    match (one, other) {
        (Some(Value::String(one)), Some(Value::String(other))) => {
            one.to_lowercase().cmp(&other.to_lowercase())
        }
        (one, other) => {
            let number = |value: Option<&Value>| value.and_then(Value::as_f64).unwrap_or(0.0);
            number(one).total_cmp(&number(other))
        }
    }
}
