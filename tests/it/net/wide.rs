//! One large file in several ranges at once: where it is faster, only where every range proves whose it is, and continued
//! by a later run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use labferry::model::artifact::Fetched;
use labferry::model::error::{ErrorKind, Result};
use labferry::model::meter::Meter;
use labferry::model::remote::Link;
use labferry::model::safe_url::SafeUrl;
use labferry::net::client::{Http, NetOptions, Patience, RangePlan};
use labferry::net::download::{Expected, Order, fetch};
use labferry::net::retry::RetryPolicy;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::net::server::{Answer, Seen, Server};
use crate::net::{content, hex};

const SIZE: usize = 1_000_000;
const PIECE: usize = 100_000;

fn http(most: usize) -> Http {
    Http::new(&NetOptions {
        patience: Patience::default(),
        retry: RetryPolicy::tiny(),
        ranges: RangePlan {
            from_bytes: SIZE as u64,
            piece_bytes: PIECE as u64,
            most,
        },
        ..NetOptions::default()
    })
    .unwrap()
}

type Respond = Box<dyn Fn(usize, &Seen) -> Answer + Send + Sync>;

struct Place {
    folder: TempDir,
    meter: Meter,
    renewals: AtomicUsize,
    expected: Expected,
}

impl Place {
    fn new(size: usize) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            meter: Meter::default(),
            renewals: AtomicUsize::new(0),
            expected: Expected {
                size_bytes: Some(size as u64),
                sha256: None,
            },
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn fetch(&self, url: &str, most: usize) -> Result<Fetched> {
        let link = |number| Link::Ready {
            url: SafeUrl::new(format!("{url}file?link={number}")),
            header: None,
        };
        let order = Order {
            expected: &self.expected,
            part_path: &self.path("a.part"),
            final_path: &self.path("a"),
            meter: &self.meter,
        };
        let renew = || {
            let fresh = link(self.renewals.fetch_add(1, Ordering::SeqCst) + 1);
            async move { Ok(fresh) }.boxed()
        };
        fetch(&http(most), link(0), Box::new(renew), &order).await
    }

    async fn fetches(&self, server: &Server, bytes: &[u8]) {
        let fetched = self.fetch(&server.url, 4).await.unwrap();
        assert_eq!(fetched.sha256, hex(&Sha256::digest(bytes)));
        assert!(std::fs::read(self.path("a")).unwrap() == bytes);
        assert!(!self.path("a.part").exists() && !self.path("a.part.json").exists());
    }
}

/// What a request asks for: from here to before there.
fn asked(seen: &Seen, size: usize) -> Option<(usize, usize)> {
    let (start, end) = seen
        .header("range")?
        .strip_prefix("bytes=")?
        .split_once('-')?;
    let end = end.parse().map_or(size, |last: usize| last + 1).min(size);
    Some((start.parse().unwrap(), end))
}

/// A storage that knows ranges with an end.
fn storage(seen: &Seen, content: &[u8], etag: &str) -> Answer {
    let fits = seen.header("if-range").is_none_or(|mark| mark == etag);
    match asked(seen, content.len()).filter(|_| fits) {
        Some((start, end)) => {
            let range = format!("bytes {start}-{}/{}", end - 1, content.len());
            let headers = [("content-range", range.as_str()), ("etag", etag)];
            Answer::new("206 Partial Content", &headers, &content[start..end])
        }
        None => Answer::new("200 OK", &[("etag", etag)], content),
    }
}

#[tokio::test]
async fn every_byte_is_asked_for_once() {
    let bytes = content(SIZE + 1);
    let copy = bytes.clone();
    let server = Server::start(move |_, seen| storage(seen, &copy, "\"a\"")).await;
    let place = Place::new(bytes.len());
    place.fetches(&server, &bytes).await;
    let seen = server.seen();
    assert!(seen[0].header("if-range").is_none());
    assert!(
        seen[1..]
            .iter()
            .all(|seen| seen.header("if-range") == Some("\"a\""))
    );
    let mut ranges: Vec<_> = seen
        .iter()
        .map(|seen| asked(seen, SIZE + 1).unwrap())
        .collect();
    ranges.sort_unstable();
    assert_eq!((ranges[0].0, ranges[ranges.len() - 1].1), (0, SIZE + 1));
    assert!(
        ranges.windows(2).all(|pair| pair[0].1 == pair[1].0),
        "{ranges:?}"
    );
    assert_eq!(place.meter.moved_bytes(), bytes.len() as u64);
}

#[tokio::test]
async fn cuts_and_expired_links_cost_no_byte() {
    let bytes = content(SIZE);
    let copy = bytes.clone();
    let server = Server::start(move |number, seen| {
        let link: usize = seen.path.rsplit('=').next().unwrap().parse().unwrap();
        if link < number / 8 {
            return Answer::status("403 Forbidden");
        }
        let answer = storage(seen, &copy, "\"a\"");
        if number % 3 == 1 {
            answer.cut(30_000)
        } else {
            answer
        }
    })
    .await;
    let place = Place::new(SIZE);
    place.fetches(&server, &bytes).await;
    assert_eq!(place.meter.moved_bytes(), SIZE as u64);
    assert!(place.renewals.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn a_later_run_goes_on_with_what_is_here() {
    let bytes = content(SIZE);
    let copy = bytes.clone();
    let refusing = Arc::new(AtomicUsize::new(0));
    let refused = Arc::clone(&refusing);
    let server = Server::start(move |_, seen| {
        // The second range never comes, so that there is a hole.
        let is_second = asked(seen, SIZE).is_some_and(|(start, _)| start == PIECE);
        if is_second && refused.load(Ordering::SeqCst) == 0 {
            return Answer::status("500 Oops");
        }
        storage(seen, &copy, "\"a\"")
    })
    .await;
    let place = Place::new(SIZE);
    let error = place.fetch(&server.url, 4).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerFault);
    let so_far = place.meter.moved_bytes();
    assert!(so_far > PIECE as u64 && !place.path("a").exists());
    let side = std::fs::read_to_string(place.path("a.part.json")).unwrap();
    assert!(side.contains("ranges"), "{side}");
    refusing.store(1, Ordering::SeqCst);
    let later = server.seen().len();
    place.fetches(&server, &bytes).await;
    assert_eq!(place.meter.moved_bytes(), SIZE as u64, "no byte twice");
    assert!(
        server.seen()[later..]
            .iter()
            .all(|seen| seen.header("if-range").is_some())
    );

    // From front to back so far: what is here counts, too.
    let place = Place::new(SIZE);
    crate::net::write(&place.path("a.part"), &bytes[..450_000]);
    let side = br#"{"etag":"\"a\"","total":1000000}"#;
    crate::net::write(&place.path("a.part.json"), side);
    place.fetches(&server, &bytes).await;
    assert_eq!(place.meter.moved_bytes(), 550_000);
}

#[tokio::test]
async fn what_cannot_be_proven_comes_from_front_to_back() {
    let bytes = content(SIZE);
    let new = vec![9; SIZE];
    // Without a strong mark, with another file's ranges, without ranges at all.
    let (one, two, three, four) = (bytes.clone(), bytes.clone(), new.clone(), bytes.clone());
    let servers: [(Respond, &[u8]); 4] = [
        (
            Box::new(move |_, seen| storage(seen, &one, "W/\"a\"")),
            &bytes,
        ),
        (
            Box::new(move |number, seen| match number {
                0 => storage(seen, &two, "\"old\""),
                _ => storage(seen, &three, "\"new\""),
            }),
            &new,
        ),
        (
            Box::new(move |_, _| Answer::new("200 OK", &[("etag", "\"a\"")], &four)),
            &bytes,
        ),
        (
            // The condition is ignored and the mark changes.
            Box::new({
                let (old, new) = (bytes.clone(), new.clone());
                move |number, seen| {
                    let mut seen = seen.clone();
                    seen.headers.remove("if-range");
                    match number {
                        0 | 1 => storage(&seen, &old, "\"old\""),
                        _ => storage(&seen, &new, "\"new\""),
                    }
                }
            }),
            &new,
        ),
    ];
    for (respond, wanted) in servers {
        let server = Server::start(respond).await;
        Place::new(SIZE).fetches(&server, wanted).await;
        let seen = server.seen();
        let last = seen.last().unwrap();
        assert!(seen.len() == 1 || last.header("range").is_none());
    }
}

#[tokio::test]
async fn a_wrong_hash_of_the_storage_never_gets_the_final_name() {
    let bytes = content(SIZE);
    let other = "repr-digest";
    let wrong = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    // In ranges, and from front to back.
    for size in [SIZE, 5000] {
        let copy = bytes[..size].to_vec();
        let server = Server::start(move |_, seen| {
            let mut answer = storage(seen, &copy, "\"a\"");
            let head = format!("{other}: {wrong}\r\n");
            let first = answer
                .bytes
                .windows(2)
                .position(|two| two == b"\r\n")
                .unwrap()
                + 2;
            answer.bytes.splice(first..first, head.into_bytes());
            answer
        })
        .await;
        let place = Place::new(size);
        let error = place.fetch(&server.url, 4).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Garbled);
        assert!(!place.path("a").exists() && !place.path("a.part").exists());
    }
}

/// A storage that gives each connection only so many bytes a second.
async fn throttled(content: Arc<Vec<u8>>, bytes_per_second: usize) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let content = Arc::clone(&content);
            connections.spawn(async move {
                let mut block = vec![0; 64 * 1024];
                let began = Instant::now();
                let mut sent = 0;
                // One request after the other, in small heads that come whole.
                while let Ok(read) = stream.read(&mut block).await
                    && read > 0
                {
                    let head = String::from_utf8_lossy(&block[..read]).to_lowercase();
                    let range = head.lines().find_map(|line| line.strip_prefix("range: bytes="));
                    let (start, end) = range.map_or((0, content.len()), |range| {
                        let (start, last) = range.trim().split_once('-').unwrap();
                        let end = last.parse().map_or(content.len(), |last: usize| last + 1);
                        (start.parse().unwrap(), end.min(content.len()))
                    });
                    let head = format!(
                        "HTTP/1.1 {}\r\netag: \"a\"\r\ncontent-length: {}\r\ncontent-range: bytes {start}-{}/{}\r\n\r\n",
                        if range.is_some() { "206 Partial Content" } else { "200 OK" },
                        end - start, end - 1, content.len()
                    );
                    stream.write_all(head.as_bytes()).await.unwrap();
                    for chunk in content[start..end].chunks(16 * 1024) {
                        sent += chunk.len();
                        let due = Duration::from_secs_f64(sent as f64 / bytes_per_second as f64);
                        tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
                        if stream.write_all(chunk).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    (url, tasks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_each_connection_is_throttled_four_are_faster_than_one() {
    let bytes = Arc::new(content(4 * SIZE));
    let (url, _tasks) = throttled(Arc::clone(&bytes), SIZE).await;
    let mut told = Vec::new();
    // A machine under load may spoil one of them.
    for _ in 0..3 {
        let mut secs = Vec::new();
        for most in [1, 4] {
            let place = Place::new(bytes.len());
            let began = Instant::now();
            let fetched = place.fetch(&url, most).await;
            assert_eq!(fetched.unwrap().size_bytes, bytes.len() as u64);
            secs.push(began.elapsed().as_secs_f64());
        }
        let gain = secs[0] / secs[1];
        println!("per connection 1 MB/s: one and four take {secs:.2?} s, {gain:.2} times as fast");
        if gain > 1.5 {
            return;
        }
        told.push(secs);
    }
    panic!("{told:?}");
}
