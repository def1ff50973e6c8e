//! A hand-made server that answers exactly as a test says, down to where the connection ends.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// Whether the whole announced body came.
    pub(crate) is_whole: bool,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Where a continued download wants to go on.
    pub(crate) fn range_start(&self) -> Option<usize> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        range.split('-').next()?.parse().ok()
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    /// Keep the connection open and silent instead of ending it.
    pub(crate) hang: bool,
}

impl Answer {
    pub(crate) fn new(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        Self::announcing(status, headers, body, body.len())
    }

    /// A body of which another length is announced.
    pub(crate) fn announcing(
        status: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        length: usize,
    ) -> Self {
        let mut head =
            format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n");
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        Self { bytes, hang: false }
    }

    pub(crate) fn json(body: &str) -> Self {
        Self::new(
            "200 OK",
            &[("content-type", "application/json")],
            body.as_bytes(),
        )
    }

    pub(crate) fn status(status: &str) -> Self {
        Self::new(status, &[], b"")
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::new("302 Found", &[("location", to)], b"")
    }

    /// Nothing, for ever.
    pub(crate) fn silence() -> Self {
        Self {
            bytes: Vec::new(),
            hang: true,
        }
    }

    pub(crate) fn then_hang(self) -> Self {
        Self { hang: true, ..self }
    }

    /// A file as storage serves it: whole, or from where the range starts if the mark still fits.
    pub(crate) fn file(seen: &Seen, content: &[u8], etag: &str) -> Self {
        let fits = seen
            .header("if-range")
            .is_none_or(|condition| condition == etag);
        match seen.range_start().filter(|_| fits) {
            Some(start) if start >= content.len() => {
                let range = format!("bytes */{}", content.len());
                Self::new(
                    "416 Range Not Satisfiable",
                    &[("content-range", &range)],
                    b"",
                )
            }
            Some(start) => {
                let range = format!("bytes {start}-{}/{}", content.len() - 1, content.len());
                let headers = [("content-range", range.as_str()), ("etag", etag)];
                Self::new("206 Partial Content", &headers, &content[start..])
            }
            None => Self::new("200 OK", &[("etag", etag)], content),
        }
    }

    /// The same, with the connection cut behind so many bytes of the body.
    pub(crate) fn cut(mut self, body_bytes: usize) -> Self {
        let end = self
            .bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap();
        self.bytes.truncate(end + 4 + body_bytes);
        self
    }
}

type Respond = dyn Fn(usize, &Seen) -> Answer + Send + Sync;

/// A running server; it ends when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) port: u16,
    log: Arc<Mutex<Vec<Seen>>>,
    body_bytes: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Answers each request by its number, from 0, and its content.
    pub(crate) async fn start(
        respond: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let body_bytes = Arc::new(AtomicU64::new(0));
        let respond: Arc<Respond> = Arc::new(respond);
        let mut tasks = JoinSet::new();
        let (seen, counted) = (Arc::clone(&log), Arc::clone(&body_bytes));
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(serve(
                    stream,
                    Arc::clone(&respond),
                    Arc::clone(&seen),
                    Arc::clone(&counted),
                ));
            }
        });
        Self {
            url: format!("http://127.0.0.1:{port}/"),
            port,
            log,
            body_bytes,
            _tasks: tasks,
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    /// Bytes of request bodies that have arrived, whole or not.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.body_bytes.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    respond: Arc<Respond>,
    log: Arc<Mutex<Vec<Seen>>>,
    counted: Arc<AtomicU64>,
) {
    let Some(seen) = read(&mut stream, &counted).await else {
        return;
    };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(seen.clone());
        log.len() - 1
    };
    if !seen.is_whole {
        return;
    }
    let answer = respond(number, &seen);
    // The client may have gone.
    drop(stream.write_all(&answer.bytes).await);
    if answer.hang {
        std::future::pending::<()>().await;
    }
    drop(stream.shutdown().await);
    // Read until the client has gone, so that no reset overtakes the answer.
    let mut rest = [0; 1024];
    while matches!(stream.read(&mut rest).await, Ok(read) if read > 0) {}
}

async fn read(stream: &mut TcpStream, counted: &AtomicU64) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut block = vec![0; 64 * 1024];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        let read = stream
            .read(&mut block)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        bytes.extend_from_slice(&block[..read]);
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = bytes[end..].to_vec();
    counted.fetch_add(body.len() as u64, Ordering::SeqCst);
    while body.len() < length {
        match stream.read(&mut block).await {
            Ok(read) if read > 0 => {
                counted.fetch_add(read as u64, Ordering::SeqCst);
                body.extend_from_slice(&block[..read]);
            }
            Ok(_) | Err(_) => break,
        }
    }
    Some(Seen {
        method,
        path,
        headers,
        is_whole: body.len() >= length,
        body,
    })
}
