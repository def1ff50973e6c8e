//! A form with a file in it on its way: watched, stoppable, and complete only after the commit point.

use std::time::Duration;

use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder, Response};
use tokio::time::Instant;

use crate::model::error::{Doing, Error, Result, Sent};
use crate::net::api::{Api, Uploaded};
use crate::net::client::{Connections, Http, Patience};
use crate::net::commit_point::CommitPoint;
use crate::net::errors;
use crate::net::gate::Lane;
use crate::net::upload::Transfer;

/// How often a transfer is looked at: whether it moves and whether somebody wants it to stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Api {
    /// Sends a multipart form with one file in it, once. The server does not have the whole of it before the commit
    /// point is passed; a failure before the last block left is [`Sent::No`].
    pub async fn send_form(
        &self,
        path: &[&str],
        form: Form,
        transfer: Transfer,
        commit: Option<&CommitPoint>,
        doing: Doing,
    ) -> Result<Uploaded> {
        let url = self.address(path, &[], doing)?;
        let longest_wait = self.http.retry().longest_retry_after;
        let _permit = self.gate.enter(Lane::Upload, longest_wait, doing).await?;
        let client = self.http.client_for(&url, Connections::Fresh)?;
        let request = self
            .with_key(client.request(Method::POST, url.clone()), &url)?
            .multipart(form);
        let mut transfer = transfer;
        let response = send_transfer(&self.http, request, &mut transfer, commit, doing).await?;
        let reply = match self.read(response, doing).await {
            Ok(reply) => reply,
            // Whatever the status, nothing can come of a request that never was complete.
            Err(error) if !transfer.is_handed_over() => {
                return Err(transfer.failure().unwrap_or(error).sent(Sent::No));
            }
            Err(error) => return Err(error),
        };
        match transfer.hash() {
            Some(sha256) if transfer.is_handed_over() => Ok(Uploaded { reply, sha256 }),
            Some(_) | None => Err(errors::garbled(
                doing,
                reply.status,
                "The platform answered before it had the whole file",
            )),
        }
    }
}

/// Sends a request whose body is a file or a part of one, and waits for the head of the answer.
pub(in crate::net) async fn send_transfer(
    http: &Http,
    request: RequestBuilder,
    transfer: &mut Transfer,
    commit: Option<&CommitPoint>,
    doing: Doing,
) -> Result<Response> {
    transfer.travel_at(http.speed());
    let sending = request.send();
    tokio::pin!(sending);
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut movement = Movement::new(http.patience());
    loop {
        tokio::select! {
            biased;
            answer = &mut sending => {
                return answer.map_err(|error| transfer_failed(error, transfer, doing));
            }
            () = transfer.reaches_last_block() => {
                if let Some(commit) = commit {
                    commit.pass().await?;
                }
                transfer.release();
            }
            _ = look.tick() => {
                let sent = if transfer.is_handed_over() { Sent::Perhaps } else { Sent::No };
                // Once the last block has left, only the answer can say what became of it.
                if transfer.is_stopped() && sent == Sent::No {
                    return Err(errors::stopped(doing, Sent::No));
                }
                if movement.is_over(transfer) {
                    let own = transfer.failure().filter(|_own| sent == Sent::No);
                    return Err(own.unwrap_or_else(|| errors::silence(doing, sent)).sent(sent));
                }
            }
        }
    }
}

/// Whether an upload still moves.
struct Movement {
    patience: Patience,
    last_bytes: u64,
    was_handed_over: bool,
    since: Instant,
}

impl Movement {
    fn new(patience: Patience) -> Self {
        Self {
            patience,
            last_bytes: 0,
            was_handed_over: false,
            since: Instant::now(),
        }
    }

    fn is_over(&mut self, transfer: &Transfer) -> bool {
        let bytes = transfer.sent_bytes();
        let handed_over = transfer.is_handed_over();
        if bytes != self.last_bytes || handed_over != self.was_handed_over {
            self.last_bytes = bytes;
            self.was_handed_over = handed_over;
            self.since = Instant::now();
        }
        let borne = if handed_over {
            self.patience.after_upload
        } else {
            self.patience.idle.max(self.patience.connect)
        };
        self.since.elapsed() > borne
    }
}

/// A failed transfer is our own file's fault where the body failed, and harmless where the last block never left.
fn transfer_failed(error: reqwest::Error, transfer: &Transfer, doing: Doing) -> Error {
    if transfer.is_handed_over() {
        return errors::from_transport(error, doing);
    }
    transfer
        .failure()
        .unwrap_or_else(|| errors::from_transport(error, doing))
        .sent(Sent::No)
}
