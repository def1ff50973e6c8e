//! Requests to a platform's interface: the key stays with its origin, reads are repeated, writes are not, and every
//! failure says how far it got. Which paths there are and what the answers mean is the platform's folder's business.

mod reply;
pub(in crate::net) mod sending;

pub use reply::{Reply, Uploaded};

use base64::Engine as _;
use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::model::connection::may_carry_key;
use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::provider::{Budget, Limits};
use crate::model::secret::Secret;
use crate::net::client::{Connections, Http, same_origin};
use crate::net::commit_point::CommitPoint;
use crate::net::errors::{self, ReadComplaint};
use crate::net::gate::{Gate, Lane};
use crate::net::retry::{self, Idempotent};

/// Longest answer taken from an interface; files do not come this way.
const LONGEST_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Redirects followed for one question.
const MOST_REDIRECTS: usize = 5;

/// How a connection says who it is.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Not at all.
    None,
    /// A key in a header of its own; the name in lower case, such as `x-api-key`.
    Header(&'static str, Secret),
    /// User and password, RFC 7617.
    Basic(String, Secret),
    /// The same with a token for the user and no password.
    BasicToken(Secret),
}

impl Auth {
    /// A body without the key, should a server repeat what it was sent: its words are shown, logged and journalled.
    fn hidden_in(&self, body: Bytes) -> Bytes {
        let encoded;
        let secrets = match self {
            Self::None => return body,
            Self::Header(_name, secret) => vec![secret.reveal()],
            Self::Basic(user, password) => {
                encoded = encoded_pair(user, password.reveal());
                vec![password.reveal(), encoded.as_str()]
            }
            Self::BasicToken(token) => {
                encoded = encoded_pair(token.reveal(), "");
                vec![token.reveal(), encoded.as_str()]
            }
        };
        let text = String::from_utf8_lossy(&body);
        if !secrets.iter().any(|secret| text.contains(*secret)) {
            return body;
        }
        let hidden = secrets
            .iter()
            .fold(text.into_owned(), |text, secret| text.replace(secret, "…"));
        Bytes::from(hidden)
    }
}

/// User and password as they travel, RFC 7617; wiped when dropped.
pub(crate) fn encoded_pair(user: &str, password: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new([user, password].join(":"));
    Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pair.as_bytes()))
}

/// The value of the header, wiped when dropped.
pub(crate) fn basic(encoded: &str) -> Zeroizing<String> {
    Zeroizing::new(["Basic ", encoded].concat())
}

/// One platform's interface behind one connection; cloning shares the gate.
#[derive(Clone, Debug)]
pub struct Api {
    http: Http,
    base: Url,
    auth: Auth,
    gate: Gate,
    read_complaint: ReadComplaint,
}

/// A body that may be sent again.
#[derive(Clone, Copy)]
enum Payload<'a> {
    Nothing,
    Json(&'a [u8]),
}

impl Payload<'_> {
    fn into_request(self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Payload::Nothing => request.body(Bytes::new()),
            Payload::Json(body) => request
                .header(reqwest::header::CONTENT_TYPE, "application/json")
                .body(Bytes::copy_from_slice(body)),
        }
    }
}

impl Api {
    /// An interface below `base_url`.
    ///
    /// # Errors
    /// The base is no web address, or a key would have to travel over plain http.
    pub fn new(
        http: &Http,
        base_url: &str,
        auth: Auth,
        limits: &Limits,
        read_complaint: ReadComplaint,
    ) -> Result<Self> {
        let refused = |hint: &str| Error::new(ErrorKind::Invalid, Doing::Connect).hint(hint);
        let base = Url::parse(base_url)
            .map_err(|error| refused("The address is not a web address").caused_by(&error))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(refused("The address is not a web address"));
        }
        match &auth {
            Auth::None => {}
            Auth::Header(..) | Auth::Basic(..) | Auth::BasicToken(_) => {
                if !may_carry_key(base.as_str()) {
                    return Err(refused(
                        "A key or password is sent over https only, not over plain http",
                    ));
                }
            }
        }
        Ok(Self {
            http: http.clone(),
            base,
            auth,
            gate: Gate::new(&http.limits(limits)),
            read_complaint,
        })
    }

    /// For platforms that say in each answer how many requests are left (`X-RateLimit-…`): nothing is sent when none is,
    /// polls take at most half of them, and transfers leave some to others.
    #[must_use]
    pub fn with_budget(self, limits: &Limits) -> Self {
        Self {
            gate: Gate::with_budget(&self.http.limits(limits)),
            ..self
        }
    }

    /// What is left of the requests, as the last answer said.
    pub fn budget(&self) -> Option<Budget> {
        self.gate.budget()
    }

    /// The base of all addresses.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The client below, for what goes elsewhere without the key.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The address of a path below the base; every segment is encoded, so that an identifier cannot lead elsewhere.
    pub fn address(&self, path: &[&str], query: &[(&str, &str)], doing: Doing) -> Result<Url> {
        let refused = |hint: &str| Error::new(ErrorKind::Invalid, doing).hint(hint);
        if path
            .iter()
            .any(|segment| matches!(*segment, "" | "." | ".."))
        {
            return Err(refused(
                "An identifier of the platform cannot stand in an address",
            ));
        }
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| refused("The address is not a web address"))?
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
            // A plus for a blank is a form's custom that not every server shares; a plus itself is encoded anyway.
            let encoded = url.query().map(|query| query.replace('+', "%20"));
            url.set_query(encoded.as_deref());
        }
        Ok(url)
    }

    /// Asks; repeated after failures that may pass. Follows redirects on the same server.
    pub async fn get(&self, path: &[&str], query: &[(&str, &str)], doing: Doing) -> Result<Reply> {
        let url = self.address(path, query, doing)?;
        let retry = self.http.retry();
        retry
            .run(Idempotent::Yes, || self.get_once(url.clone(), doing))
            .await
    }

    /// Asks for JSON; an answer that ends in the middle is asked for again.
    pub async fn get_json<T: DeserializeOwned + Send>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        doing: Doing,
    ) -> Result<T> {
        let reply = self.get(path, query, doing).await?;
        if reply.ends_in_the_middle() {
            return self.get(path, query, doing).await?.json();
        }
        reply.json()
    }

    /// Sends without a body; repeated only if that is the same as once.
    pub async fn post(&self, path: &[&str], idempotent: Idempotent, doing: Doing) -> Result<Reply> {
        let url = self.address(path, &[], doing)?;
        let retry = self.http.retry();
        let attempt = || self.post_once(url.clone(), Payload::Nothing, idempotent, None, doing);
        retry.run(idempotent, attempt).await
    }

    /// Sends JSON; repeated only if that is the same as once.
    pub async fn post_json<B: Serialize + Sync + ?Sized>(
        &self,
        path: &[&str],
        body: &B,
        idempotent: Idempotent,
        doing: Doing,
    ) -> Result<Reply> {
        let url = self.address(path, &[], doing)?;
        let body = to_json(body, doing)?;
        let retry = self.http.retry();
        let attempt = || {
            let payload = Payload::Json(&body);
            self.post_once(url.clone(), payload, idempotent, None, doing)
        };
        retry.run(idempotent, attempt).await
    }

    /// Changes or removes something by a method of its own (`PATCH`, `PUT`, `DELETE`), with JSON where there is any;
    /// repeated after failures that may pass, as twice is the same as once.
    pub async fn change(
        &self,
        method: &Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&serde_json::Value>,
        doing: Doing,
    ) -> Result<Reply> {
        let url = self.address(path, query, doing)?;
        let body = body.map(|body| to_json(body, doing)).transpose()?;
        let payload = body.as_deref().map_or(Payload::Nothing, Payload::Json);
        let retry = self.http.retry();
        let attempt = || self.change_once(method.clone(), url.clone(), payload, doing);
        retry.run(Idempotent::Yes, attempt).await
    }

    /// Submits JSON: sent once; the commit point is passed when the gate is open and nothing but the request remains.
    pub async fn submit_json<B: Serialize + Sync + ?Sized>(
        &self,
        path: &[&str],
        body: &B,
        commit: &CommitPoint,
        doing: Doing,
    ) -> Result<Reply> {
        let url = self.address(path, &[], doing)?;
        let body = to_json(body, doing)?;
        let payload = Payload::Json(&body);
        self.post_once(url, payload, Idempotent::No, Some(commit), doing)
            .await
    }

    async fn get_once(&self, mut url: Url, doing: Doing) -> Result<Reply> {
        let longest_wait = self.http.retry().longest_retry_after;
        let _permit = self.gate.enter(Lane::Request, longest_wait, doing).await?;
        for _ in 0..=MOST_REDIRECTS {
            let client = self.http.client_for(&url, Connections::Reused)?;
            let request = self.with_key(client.request(Method::GET, url.clone()), &url)?;
            let response = self.answer(request, doing).await?;
            if !response.status().is_redirection() {
                return self.read(response, doing).await;
            }
            url = self.redirected(&response, &url, doing)?;
        }
        Err(Error::new(ErrorKind::Garbled, doing)
            .sent(Sent::Answered)
            .hint("The server redirects in a circle"))
    }

    async fn change_once(
        &self,
        method: Method,
        url: Url,
        payload: Payload<'_>,
        doing: Doing,
    ) -> Result<Reply> {
        let client = self.http.client_for(&url, Connections::Reused)?;
        let request = self.with_key(client.request(method, url.clone()), &url)?;
        let request = payload.into_request(request);
        let longest_wait = self.http.retry().longest_retry_after;
        let _permit = self.gate.enter(Lane::Request, longest_wait, doing).await?;
        let response = self.answer(request, doing).await?;
        self.read(response, doing).await
    }

    async fn post_once(
        &self,
        url: Url,
        payload: Payload<'_>,
        idempotent: Idempotent,
        commit: Option<&CommitPoint>,
        doing: Doing,
    ) -> Result<Reply> {
        let connections = match idempotent {
            Idempotent::Yes => Connections::Reused,
            Idempotent::No => Connections::Fresh,
        };
        let client = self.http.client_for(&url, connections)?;
        let request = self.with_key(client.request(Method::POST, url.clone()), &url)?;
        let request = payload.into_request(request);
        let longest_wait = self.http.retry().longest_retry_after;
        let _permit = self.gate.enter(Lane::Request, longest_wait, doing).await?;
        if let Some(commit) = commit {
            commit.pass().await?;
        }
        let response = self.answer(request, doing).await?;
        self.read(response, doing).await
    }

    /// Sends and waits for the head of the answer.
    async fn answer(&self, request: RequestBuilder, doing: Doing) -> Result<Response> {
        match timeout(self.http.patience().answer, request.send()).await {
            Ok(answer) => answer.map_err(|error| errors::from_transport(error, doing)),
            Err(_elapsed) => Err(errors::silence(doing, Sent::Perhaps)),
        }
    }

    /// Reads an answer to its end, and turns a refusal into an error.
    async fn read(&self, mut response: Response, doing: Doing) -> Result<Reply> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        self.gate.read(&headers);
        let asked = retry::retry_after(&headers);
        let pause = match status {
            429 => asked.or_else(|| self.gate.wait_after_refusal(&self.http)),
            _ => None,
        };
        if let Some(wait) = pause {
            self.gate.pause(wait);
        }
        let is_success = response.status().is_success();
        let body = match self.read_body(&mut response, doing).await {
            Ok(body) => body,
            // The refusal itself is known even where its words are cut.
            Err(_cut) if !is_success => Bytes::new(),
            Err(error) => return Err(error),
        };
        if is_success {
            return Ok(Reply {
                status,
                headers,
                body,
                doing,
                auth: self.auth.clone(),
            });
        }
        if response.status().is_redirection() {
            return Err(redirected_write(doing, &headers, status));
        }
        let body = self.auth.hidden_in(body);
        let error = errors::from_answer(doing, status, &headers, &body, self.read_complaint);
        // What the platform does not say itself is our own politeness.
        let own = error.failure().retry_after;
        let own = own.filter(|_| asked.is_none());
        Err(
            match pause.or(own.map(|wait| self.http.in_its_time(wait))) {
                Some(wait) => error.retry_after(Some(wait)),
                None => error,
            },
        )
    }

    async fn read_body(&self, response: &mut Response, doing: Doing) -> Result<Bytes> {
        let mut body = BytesMut::new();
        loop {
            let chunk = timeout(self.http.patience().idle, response.chunk())
                .await
                .map_err(|_elapsed| errors::silence(doing, Sent::Perhaps))?
                .map_err(|error| errors::from_transport(error, doing))?;
            let Some(chunk) = chunk else {
                return Ok(body.freeze());
            };
            if body.len().saturating_add(chunk.len()) > LONGEST_ANSWER_BYTES {
                return Err(errors::garbled(
                    doing,
                    response.status().as_u16(),
                    "The answer is far too long",
                ));
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// Where a question goes on after a redirect. Only on the same server, and with a key only at the same origin.
    fn redirected(&self, response: &Response, from: &Url, doing: Doing) -> Result<Url> {
        let status = response.status().as_u16();
        let elsewhere = |hint: String| errors::garbled(doing, status, &hint);
        let to = location(response.headers(), from)
            .ok_or_else(|| elsewhere("The server redirects without saying where".to_owned()))?;
        let upgrade = matches!(self.auth, Auth::None)
            && from.scheme() == "http"
            && to.scheme() == "https"
            && from.host_str() == to.host_str();
        if same_origin(from, &to) || upgrade {
            return Ok(to);
        }
        let host = to.host_str().unwrap_or("no host");
        Err(elsewhere(format!(
            "The server answered with a redirect to another host, {host}; it may be a sign-in page"
        )))
    }

    /// Adds what every request to the interface carries; the key only where the base lives.
    fn with_key(&self, request: RequestBuilder, url: &Url) -> Result<RequestBuilder> {
        let request = request.header(ACCEPT, "application/json");
        if !same_origin(&self.base, url) {
            return Ok(request);
        }
        let (name, text) = match &self.auth {
            Auth::None => return Ok(request),
            Auth::Header(name, secret) => {
                let text = Zeroizing::new(secret.reveal().to_owned());
                (HeaderName::from_static(name), text)
            }
            Auth::Basic(user, password) => {
                let encoded = encoded_pair(user, password.reveal());
                (AUTHORIZATION, basic(&encoded))
            }
            Auth::BasicToken(token) => (AUTHORIZATION, basic(&encoded_pair(token.reveal(), ""))),
        };
        // The value itself must not reach the causes, so the library's error is left out.
        let mut value = HeaderValue::from_str(&text).map_err(|_unsendable| {
            Error::new(ErrorKind::Unauthenticated, Doing::Connect)
                .hint("The key contains characters that cannot be sent")
        })?;
        value.set_sensitive(true);
        Ok(request.header(name, value))
    }
}

/// What a redirect in answer to a write means: 301, 307 and 308 say that nothing was done there; the others leave it open.
fn redirected_write(doing: Doing, headers: &HeaderMap, status: u16) -> Error {
    let host = headers
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| Url::parse(text).ok())
        .and_then(|url| url.host_str().map(str::to_owned));
    let hint = match host {
        Some(host) => format!(
            "The server answered with a redirect to {host}; check the address of the connection"
        ),
        None => {
            "The server answered with a redirect; check the address of the connection".to_owned()
        }
    };
    let kind = if matches!(status, 301 | 307 | 308) {
        ErrorKind::Invalid
    } else {
        ErrorKind::Garbled
    };
    Error::new(kind, doing).status(status).hint(hint)
}

/// The absolute address of a redirect to the web.
pub(crate) fn location(headers: &HeaderMap, from: &Url) -> Option<Url> {
    let text = headers.get(LOCATION)?.to_str().ok()?;
    let to = from.join(text).ok()?;
    matches!(to.scheme(), "http" | "https").then_some(to)
}

fn to_json<B: Serialize + ?Sized>(body: &B, doing: Doing) -> Result<Vec<u8>> {
    serde_json::to_vec(body)
        .map_err(|error| Error::new(ErrorKind::Internal, doing).caused_by(&error))
}
