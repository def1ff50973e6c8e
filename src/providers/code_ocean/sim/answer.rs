//! What all answers have in common, and how requests are read: absent bodies, nulls, two ways to write `true`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use crate::sandbox::faults::Faults;

/// A refusal on its way to become an answer.
pub(super) type Refusal = (StatusCode, String);

/// A refusal; the texts are ours, the shape is documented.
pub(super) fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

/// 400 with a reason.
pub(super) fn bad(message: impl Into<String>) -> Refusal {
    (StatusCode::BAD_REQUEST, message.into())
}

/// 404 with a reason.
pub(super) fn missing(message: impl Into<String>) -> Refusal {
    (StatusCode::NOT_FOUND, message.into())
}

/// The answer to a request that was understood or not.
pub(super) fn answer(result: Result<Value, Refusal>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err((status, message)) => refuse(status, &message),
    }
}

/// The answer to a request that has nothing to say when it worked.
pub(super) fn done(result: Result<(), Refusal>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err((status, message)) => refuse(status, &message),
    }
}

/// An entry as it is, or without its empty members: the real server is written in Go and leaves those out.
pub(super) fn entry(faults: &Faults, value: Value) -> Value {
    if faults.is("code_ocean.members", "omit-empty") {
        without_empty(value)
    } else {
        value
    }
}

fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| (name, without_empty(member)))
            .filter(|(_, member)| !is_empty(member))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(without_empty).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// The body of a request; one that is absent is an empty object. Members that are null are as if they were absent, since the
/// official client sends every one it has no value for.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .collect()),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) | Err(_) => Err(bad("invalid request body")),
    }
}

/// A text member.
pub(super) fn text<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(format!("{name} must be a string"))),
    }
}

/// A member that is a whole number.
pub(super) fn number(members: &Map<String, Value>, name: &str) -> Result<Option<u64>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_u64()
            .map(Some)
            .ok_or_else(|| bad(format!("{name} must be a number"))),
    }
}

/// A member that is on or off.
pub(super) fn flag(members: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(on)) => Ok(Some(*on)),
        Some(_) => Err(bad(format!("{name} must be true or false"))),
    }
}

/// A member that is a list; absent is empty.
pub(super) fn list<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a [Value], Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(bad(format!("{name} must be a list"))),
    }
}

/// An id as the platform writes it; the number in a browser's address is not one.
pub(super) fn is_id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let digits = |part: &&str| {
        part.bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(digits)
}

/// 400 for what is not an id at all.
pub(super) fn check_id(text: &str) -> Result<(), Refusal> {
    if is_id(text) {
        Ok(())
    } else {
        Err(bad(format!("invalid id: {text}")))
    }
}
