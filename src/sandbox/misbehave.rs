//! Carries the faults out: one middleware around every named endpoint.
//!
//! Owns what a fault looks like on the wire. Does not decide which request meets one; that is
//! `faults`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::providers;
use crate::sandbox::faults::Fault;
use crate::sandbox::listener::Connection;
use crate::sandbox::request_log::OpenRecord;
use crate::sandbox::storage;
use crate::sandbox::world::World;

/// Pause between two pieces of a slow answer, in real time.
const SLOW_PAUSE: Duration = Duration::from_millis(100);
/// Pieces a slow answer is sent in.
const SLOW_PIECES: u64 = 10;
/// Time given to what is sent of a broken answer to leave before the connection ends, in real time.
const CUT_PAUSE: Duration = Duration::from_millis(20);
/// Bytes `wrong-length` announces and never sends.
const MISSING_BYTES: u64 = 16;

/// Middleware of one endpoint: notes that it was reached and lets it misbehave when it shall.
pub(crate) async fn apply(
    State((world, endpoint)): State<(Arc<World>, &'static str)>,
    request: Request,
    next: Next,
) -> Response {
    let record = request.extensions().get::<Arc<OpenRecord>>().cloned();
    if let Some(record) = &record {
        record.reached(endpoint);
    }
    let act = async move |request| {
        let answer = next.run(request).await;
        if let Some(record) = record {
            record.acted(answer.status());
        }
        answer
    };
    let Some(fault) = world.faults().take(endpoint) else {
        return act(request).await;
    };
    let connection = request.extensions().get::<ConnectInfo<Connection>>();
    let connection = connection.map(|ConnectInfo(connection)| connection.clone());
    match fault {
        Fault::RefuseBefore => {
            cut(connection.as_ref());
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Fault::LostAnswer => {
            let answer = act(request).await;
            cut(connection.as_ref());
            answer
        }
        Fault::Hang => {
            drain(request).await;
            match connection {
                Some(connection) => connection.killed().await,
                None => std::future::pending().await,
            }
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Fault::Slow => slow_answer(act(slow_request(request)).await),
        Fault::CutBody => {
            let answer = act(request).await;
            let length = announced(&answer);
            broken_off(answer, length / 2, length)
        }
        Fault::WrongLength => {
            let answer = act(request).await;
            let length = announced(&answer);
            broken_off(answer, length, length + MISSING_BYTES)
        }
        Fault::Unauthorized
        | Fault::Forbidden
        | Fault::NotFound
        | Fault::Conflict
        | Fault::TooLarge
        | Fault::RateLimited
        | Fault::RateLimitedSilent
        | Fault::ServerError
        | Fault::Unavailable
        | Fault::BadGateway
        | Fault::GatewayTimeout
        | Fault::ErrorList
        | Fault::Html
        | Fault::Garbled
        | Fault::ExpiredLink
        | Fault::RedirectElsewhere
        | Fault::NoRange => {
            // Read to the end first: an early answer to a large body can be lost on its way.
            drain(request).await;
            instead(fault, endpoint, &world)
        }
    }
}

fn cut(connection: Option<&Connection>) {
    if let Some(connection) = connection {
        connection.kill();
    }
}

async fn drain(request: Request) {
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(_bytes)) = body.next().await {}
}

/// The answer sent instead of the real one.
fn instead(fault: Fault, endpoint: &str, world: &World) -> Response {
    let simple = |status, message| failure(status, message, endpoint);
    match fault {
        Fault::Unauthorized => simple(StatusCode::UNAUTHORIZED, "Unauthorized"),
        Fault::Forbidden => simple(StatusCode::FORBIDDEN, "Forbidden"),
        Fault::NotFound => simple(StatusCode::NOT_FOUND, "Not found"),
        Fault::Conflict => simple(StatusCode::CONFLICT, "Conflict"),
        Fault::TooLarge => simple(StatusCode::PAYLOAD_TOO_LARGE, "Too large"),
        Fault::RateLimited => {
            let mut answer = simple(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
            let seconds = HeaderValue::from_static("1");
            answer.headers_mut().insert(header::RETRY_AFTER, seconds);
            answer
        }
        Fault::RateLimitedSilent => simple(StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        Fault::Unavailable => simple(StatusCode::SERVICE_UNAVAILABLE, "Down for maintenance"),
        Fault::BadGateway => {
            let page = "<!doctype html><title>502</title><h1>502 Bad Gateway</h1>";
            (StatusCode::BAD_GATEWAY, Html(page)).into_response()
        }
        Fault::GatewayTimeout => {
            (StatusCode::GATEWAY_TIMEOUT, "upstream request timeout").into_response()
        }
        Fault::ErrorList => {
            let list = Json(["Internal server error"]);
            (StatusCode::INTERNAL_SERVER_ERROR, list).into_response()
        }
        Fault::Html => {
            Html("<!doctype html><title>Sign in</title><h1>Sign in</h1>").into_response()
        }
        Fault::Garbled => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (kind, "{\"id\":\"6563f0c2\",\"status\":").into_response()
        }
        Fault::ExpiredLink => storage::expired(),
        Fault::RedirectElsewhere => {
            // Another name for this computer and another port: another host to any client.
            let port = world.storage_address().port();
            let elsewhere = format!("http://localhost:{port}/elsewhere");
            (StatusCode::FOUND, [(header::LOCATION, elsewhere)]).into_response()
        }
        Fault::ServerError
        | Fault::Hang
        | Fault::Slow
        | Fault::RefuseBefore
        | Fault::LostAnswer
        | Fault::CutBody
        | Fault::WrongLength
        | Fault::NoRange => simple(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"),
    }
}

/// A refusal in the shape the platform uses: XML at storage and bucket, its own JSON elsewhere.
fn failure(status: StatusCode, message: &str, endpoint: &str) -> Response {
    let platform = providers::ALL
        .iter()
        .map(|entry| entry.simulator)
        .find(|simulator| simulator.endpoints.contains(&endpoint))
        .filter(|simulator| {
            !endpoint.starts_with("storage.") && simulator.bucket != Some(endpoint)
        });
    match platform {
        Some(simulator) => (status, Json((simulator.refusal)(status, message))).into_response(),
        None => storage::xml_error(status, "SandboxFault", message),
    }
}

fn slow_request(request: Request) -> Request {
    request.map(|body| {
        let slowed = body.into_data_stream().then(async |piece| {
            tokio::time::sleep(SLOW_PAUSE / 4).await;
            piece
        });
        Body::from_stream(slowed)
    })
}

fn slow_answer(answer: Response) -> Response {
    let piece = (announced(&answer) / SLOW_PIECES).max(1);
    let piece = usize::try_from(piece).unwrap_or(usize::MAX);
    answer.map(|body| {
        let slowed = body
            .into_data_stream()
            .map_ok(move |bytes| stream::iter(split(bytes, piece)).map(Ok::<_, axum::Error>))
            .try_flatten()
            .then(async |piece| {
                tokio::time::sleep(SLOW_PAUSE).await;
                piece
            });
        Body::from_stream(slowed)
    })
}

fn split(mut bytes: Bytes, piece: usize) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    while bytes.len() > piece {
        pieces.push(bytes.split_to(piece));
    }
    pieces.push(bytes);
    pieces
}

/// Sends `kept` bytes of the body under a header that announces `announced`, then ends the
/// connection. The error at the end is what makes the server end it; without the pause before it
/// the server would not have sent anything yet.
fn broken_off(answer: Response, kept: u64, announced: u64) -> Response {
    let mut answer = answer.map(|body| {
        let first = body.into_data_stream().scan(kept, |left, piece| {
            let next = piece.ok().filter(|_| *left > 0).map(|mut bytes: Bytes| {
                let room = usize::try_from(*left).unwrap_or(usize::MAX);
                bytes.truncate(room);
                *left -= u64::try_from(bytes.len()).unwrap_or(*left);
                Ok(bytes)
            });
            std::future::ready(next)
        });
        let end = stream::once(async {
            tokio::time::sleep(CUT_PAUSE).await;
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))
        });
        Body::from_stream(first.chain(end))
    });
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(announced));
    answer
}

/// How long the body is, by its header or by itself.
fn announced(answer: &Response) -> u64 {
    let header = answer.headers().get(header::CONTENT_LENGTH);
    let header = header.and_then(|value| value.to_str().ok()?.parse().ok());
    header
        .or_else(|| answer.body().size_hint().exact())
        .unwrap_or(0)
}
