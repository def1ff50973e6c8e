//! What arrived at the sandbox, so that tests can say what was sent and what was not.
//!
//! Owns one record a request, made before anything else looks at it. Keeps names of headers and
//! query fields only, never their values.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::TryStreamExt as _;

use crate::sandbox::world::World;

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// Whether it arrived at the storage port and not at the platforms' port or the person's bucket.
    pub at_storage: bool,
    /// The method, in capitals.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The endpoint's name (`biodock.submit`), when the path is one.
    pub endpoint: Option<&'static str>,
    /// Names of the fields of the query.
    pub query_names: BTreeSet<String>,
    /// Names of the headers, in small letters.
    pub header_names: BTreeSet<String>,
    /// Whether one of the sandbox's keys was anywhere in headers, path or query.
    pub carried_key: bool,
    /// Bytes of the body read so far.
    pub body_bytes: u64,
    /// The status it was answered with; `None` while it is not answered. A lost answer counts as
    /// the answer it would have been.
    pub status: Option<u16>,
    /// The status the platform itself gave; `None` while it has not, and when a fault answered in its place.
    pub acted: Option<u16>,
}

/// The record while the request is being handled; handlers find it among the extensions.
#[derive(Debug)]
pub(crate) struct OpenRecord {
    first: RequestRecord,
    endpoint: OnceLock<&'static str>,
    body_bytes: AtomicU64,
    status: AtomicU16,
    acted: AtomicU16,
}

impl OpenRecord {
    /// Names the endpoint that was reached.
    pub(crate) fn reached(&self, endpoint: &'static str) {
        self.endpoint.get_or_init(|| endpoint);
    }

    /// The platform has acted upon it, and this is its answer.
    pub(crate) fn acted(&self, status: StatusCode) {
        self.acted.store(status.as_u16(), Ordering::Release);
    }

    fn read(&self) -> RequestRecord {
        let known = |status: &AtomicU16| {
            let status = status.load(Ordering::Acquire);
            (status != 0).then_some(status)
        };
        RequestRecord {
            endpoint: self.endpoint.get().copied(),
            body_bytes: self.body_bytes.load(Ordering::Acquire),
            status: known(&self.status),
            acted: known(&self.acted),
            ..self.first.clone()
        }
    }
}

/// Bodies up to this length are read before a handler sees the request.
const SHORT_BODY_BYTES: usize = 4 * 1024;

/// Requests kept; a sandbox may run for weeks.
const MOST_RECORDS: usize = 100_000;

/// The latest requests, in the order they arrived.
#[derive(Debug, Default)]
pub struct RequestLog {
    records: Mutex<VecDeque<Arc<OpenRecord>>>,
}

impl RequestLog {
    /// Everything that arrived so far.
    pub fn all(&self) -> Vec<RequestRecord> {
        self.lock().iter().map(|record| record.read()).collect()
    }

    /// What arrived at one endpoint.
    pub fn at(&self, endpoint: &str) -> Vec<RequestRecord> {
        let mut records = self.all();
        records.retain(|record| record.endpoint == Some(endpoint));
        records
    }

    /// How many requests arrived at one endpoint.
    pub fn count(&self, endpoint: &str) -> usize {
        self.at(endpoint).len()
    }

    /// What arrived on the storage port, known path or not.
    pub fn at_storage(&self) -> Vec<RequestRecord> {
        let mut records = self.all();
        records.retain(|record| record.at_storage);
        records
    }

    fn push(&self, record: Arc<OpenRecord>) {
        let mut records = self.lock();
        if records.len() >= MOST_RECORDS {
            records.pop_front();
        }
        records.push_back(record);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<OpenRecord>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which of the listeners a router belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Api,
    Storage,
    Bucket,
}

/// Middleware: writes the request down, then lets it pass.
pub(crate) async fn record(
    State((world, side)): State<(Arc<World>, Side)>,
    request: Request,
    next: Next,
) -> Response {
    let record = Arc::new(OpenRecord {
        first: describe(&world, side, &request),
        endpoint: OnceLock::new(),
        body_bytes: AtomicU64::new(0),
        status: AtomicU16::new(0),
        acted: AtomicU16::new(0),
    });
    world.requests().push(Arc::clone(&record));
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(Arc::clone(&record));
    let counter = Arc::clone(&record);
    let body = Body::from_stream(body.into_data_stream().inspect_ok(move |bytes| {
        let read = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        counter.body_bytes.fetch_add(read, Ordering::AcqRel);
    }));
    // A short body is read whether the handler wants it or not: one that nobody reads ends the connection, and a client
    // that sends its next request on that (as the official SDKs do, with bodies on GET) finds it closed.
    let length = parts.headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let body = match length.filter(|length| *length <= SHORT_BODY_BYTES) {
        Some(_) => match axum::body::to_bytes(body, SHORT_BODY_BYTES).await {
            Ok(bytes) => Body::from(bytes),
            Err(_cut) => return StatusCode::BAD_REQUEST.into_response(),
        },
        None => body,
    };
    let response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status().as_u16();
    record.status.store(status, Ordering::Release);
    response
}

fn describe(world: &World, side: Side, request: &Request) -> RequestRecord {
    let uri = request.uri();
    let query = uri.query().unwrap_or_default();
    let query_names = query
        .split('&')
        .filter(|field| !field.is_empty())
        .map(|field| field.split('=').next().unwrap_or(field).to_owned())
        .collect();
    let headers = request.headers();
    let mut carried_key = world.contains_key(&uri.to_string());
    for value in headers.values() {
        carried_key |= world.contains_key(&String::from_utf8_lossy(value.as_bytes()));
    }
    RequestRecord {
        at_storage: side == Side::Storage,
        method: request.method().to_string(),
        path: uri.path().to_owned(),
        endpoint: None,
        query_names,
        header_names: headers.keys().map(ToString::to_string).collect(),
        carried_key,
        body_bytes: 0,
        status: None,
        acted: None,
    }
}
