//! Many files in one call; what is wrong with one is inside the answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::providers::seven_bridges::sim::Account;
use crate::providers::seven_bridges::sim::call::{Call, Sent};
use crate::providers::seven_bridges::sim::errors::{Answer, Refusal};
use crate::providers::seven_bridges::sim::fields::Fields;
use crate::providers::seven_bridges::sim::files::{edit, not_there, remove, upper_case};
use crate::sandbox::world::lock;

/// One line of a bulk answer.
pub(super) fn line(outcome: Result<Value, Refusal>) -> Value {
    match outcome {
        Ok(resource) => json!({ "resource": resource }),
        Err(refusal) => json!({ "error": refusal.json() }),
    }
}

fn answer(lines: impl Iterator<Item = Value>) -> Response {
    let lines: Vec<Value> = lines.collect();
    Json(json!({ "items": lines })).into_response()
}

/// `POST /bulk/files/get`
pub(super) async fn get(State(account): State<Arc<Account>>, call: Call, sent: Sent) -> Answer {
    let fields = Fields::new(call.one("fields"), &[]);
    let upper = upper_case(&account);
    let ids = sent.ids("file_ids")?;
    let files = lock(&account.shared.files);
    let lines = ids.iter().map(|id| {
        let item = files.get(id).ok_or_else(not_there);
        line(item.map(|item| fields.shape(item.describe(&call, upper))))
    });
    Ok(answer(lines))
}

/// `POST /bulk/files/delete`
pub(super) async fn delete(State(account): State<Arc<Account>>, sent: Sent) -> Answer {
    let ids = sent.ids("file_ids")?;
    let lines = ids.iter().map(|id| {
        let removed = remove(&account, id);
        line(removed.map(|()| json!({ "id": id })))
    });
    Ok(answer(lines))
}

/// `POST /bulk/files/update`: metadata is replaced.
pub(super) async fn update(State(account): State<Arc<Account>>, call: Call, sent: Sent) -> Answer {
    change(&account, &call, &sent, true)
}

/// `POST /bulk/files/edit`: metadata is merged.
pub(super) async fn modify(State(account): State<Arc<Account>>, call: Call, sent: Sent) -> Answer {
    change(&account, &call, &sent, false)
}

fn change(account: &Account, call: &Call, sent: &Sent, replace: bool) -> Answer {
    let items = sent.items()?;
    let lines = items.iter().map(|item| {
        let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
        line(edit(account, call, id, item, replace))
    });
    Ok(answer(lines))
}
