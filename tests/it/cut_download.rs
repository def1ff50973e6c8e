//! A large file whose connection is cut over and over at offsets drawn from a seed, with links that expire on the way: no
//! byte comes twice, the file is the right one, and little memory is used. The fetching process is one of its own.
//!
//! `LABFERRY_DOWNLOAD_GIB` makes the file so large and cuts it 100 times; `LABFERRY_KILL_SEED` draws other offsets.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use labferry::model::meter::Meter;
use labferry::model::remote::Link;
use labferry::model::safe_url::SafeUrl;
use labferry::net::client::{Http, NetOptions};
use labferry::net::download::{Expected, Order, fetch};
use labferry::net::retry::RetryPolicy;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::kill::from_environment;
use crate::net::hex;

const MIB: u64 = 1024 * 1024;
const BLOCK: u64 = 64 * 1024;

/// Most bytes received, of the size.
const MOST_RECEIVED: f64 = 1.02;

/// Most memory of the fetching process.
const MOST_MEMORY: u64 = 100 * MIB;

/// Where the fetching process fetches from; only it has this.
const SITE: &str = "LABFERRY_CUT_DOWNLOAD_SITE";

/// A storage that makes up its bytes.
struct Site {
    size: u64,
    noise: Vec<u8>,
    etag: String,
    cuts: Mutex<BTreeSet<u64>>,
    /// The oldest link that still works.
    link: AtomicU64,
    written: AtomicU64,
    expired: AtomicU64,
    requests: AtomicU64,
    /// Before each block.
    pause: Duration,
}

impl Site {
    fn new(size: u64, cuts: usize, seed: u64) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut offsets = BTreeSet::new();
        while offsets.len() < cuts {
            offsets.insert(chance.u64(1..size));
        }
        let noise = std::iter::repeat_with(|| chance.u8(..));
        Self {
            size,
            noise: noise.take(usize::try_from(BLOCK).unwrap()).collect(),
            etag: format!("\"{seed:x}\""),
            cuts: Mutex::new(offsets),
            link: AtomicU64::new(0),
            written: AtomicU64::new(0),
            expired: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            pause: Duration::ZERO,
        }
    }

    /// The block with this number; each begins with its number, so that none can be taken for another.
    fn block(&self, number: u64) -> Vec<u8> {
        let length = usize::try_from(BLOCK.min(self.size - number * BLOCK)).unwrap();
        let mut block = self.noise[..length].to_vec();
        let mark = number.to_le_bytes();
        let marked = mark.len().min(length);
        block[..marked].copy_from_slice(&mark[..marked]);
        block
    }

    fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for number in 0..self.size.div_ceil(BLOCK) {
            hash.update(self.block(number));
        }
        hex(&hash.finalize())
    }

    /// Where a connection is cut next, and no more after that.
    fn cut_in(&self, from: u64, to: u64) -> Option<u64> {
        let mut cuts = self.cuts.lock().unwrap();
        let cut = cuts.range(from + 1..=to).next().copied()?;
        cuts.remove(&cut);
        Some(cut)
    }

    async fn serve(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let mut block = vec![0; 16 * 1024];
        loop {
            // A head is short and comes whole.
            let read = stream.read(&mut block).await?;
            if read == 0 {
                return Ok(());
            }
            self.requests.fetch_add(1, Ordering::SeqCst);
            let head = String::from_utf8_lossy(&block[..read]).to_lowercase();
            let link: u64 = head
                .split_once("link=")
                .and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok())
                .unwrap();
            if link < self.link.load(Ordering::SeqCst) {
                self.expired.fetch_add(1, Ordering::SeqCst);
                let body = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
                let answer = format!(
                    "HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await?;
                continue;
            }
            let range = head
                .lines()
                .find_map(|line| line.strip_prefix("range: bytes="))
                .map(|range| {
                    let (start, last) = range.trim().split_once('-').unwrap();
                    let end = last.parse().map_or(self.size, |last: u64| last + 1);
                    (start.parse().unwrap(), end.min(self.size))
                });
            let (start, end) = range.unwrap_or((0, self.size));
            let (status, of) = match range {
                Some(_) => (
                    "206 Partial Content",
                    format!("content-range: bytes {start}-{}/{}\r\n", end - 1, self.size),
                ),
                None => ("200 OK", String::new()),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\netag: {}\r\n{of}content-length: {}\r\n\r\n",
                self.etag,
                end - start
            );
            stream.write_all(head.as_bytes()).await?;
            if self.pour(stream, start, end).await? {
                // Every other cut comes with a link that has expired.
                if self.cuts.lock().unwrap().len().is_multiple_of(2) {
                    self.link.fetch_max(link + 1, Ordering::SeqCst);
                }
                stream.shutdown().await?;
                while stream.read(&mut block).await? > 0 {}
                return Ok(());
            }
        }
    }

    /// Sends these bytes; true when it was cut short.
    async fn pour(&self, stream: &mut TcpStream, start: u64, end: u64) -> std::io::Result<bool> {
        let mut at = start;
        while at < end {
            let number = at / BLOCK;
            let to = end.min((number + 1) * BLOCK);
            let cut = self.cut_in(at, to);
            let until = cut.unwrap_or(to);
            let place = |offset: u64| usize::try_from(offset - number * BLOCK).unwrap();
            let bytes = self.block(number);
            if !self.pause.is_zero() {
                tokio::time::sleep(self.pause).await;
            }
            stream.write_all(&bytes[place(at)..place(until)]).await?;
            self.written.fetch_add(until - at, Ordering::SeqCst);
            at = until;
            if cut.is_some() && at < end {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The most memory this process has had so far, in bytes.
fn own_peak() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.unwrap().trim().parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is the other process of a_download_cut_over_and_over_receives_no_byte_twice"]
async fn fetching_process() {
    let Ok(told) = std::env::var(SITE) else {
        return;
    };
    let [url, size, folder] = told.splitn(3, ' ').collect::<Vec<_>>()[..] else {
        panic!("{told}");
    };
    let http = Http::new(&NetOptions {
        retry: RetryPolicy {
            first_wait: Duration::from_millis(1),
            ..RetryPolicy::default()
        },
        ..NetOptions::default()
    });
    let link = |number: u64| Link::Ready {
        url: SafeUrl::new(format!("{url}?link={number}")),
        header: None,
    };
    let (meter, number) = (Meter::default(), AtomicU64::new(0));
    let order = Order {
        expected: &Expected {
            size_bytes: Some(size.parse().unwrap()),
            sha256: None,
        },
        part_path: &Path::new(folder).join("a.part"),
        final_path: &Path::new(folder).join("a"),
        meter: &meter,
    };
    let renew = || {
        let fresh = link(number.fetch_add(1, Ordering::SeqCst) + 1);
        async move { Ok(fresh) }.boxed()
    };
    let fetched = fetch(&http.unwrap(), link(0), Box::new(renew), &order)
        .await
        .unwrap();
    println!(
        "fetched {} {} {} {}",
        fetched.size_bytes,
        fetched.sha256,
        meter.moved_bytes(),
        own_peak()
    );
}

/// A site on a port of its own.
async fn open(site: &Arc<Site>) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/file", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    let serving = Arc::clone(site);
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let site = Arc::clone(&serving);
            // A client that has gone is none of the site's business.
            connections.spawn(async move { drop(site.serve(&mut stream).await) });
        }
    });
    (url, tasks)
}

/// The other process.
fn fetching(url: &str, size: u64, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "cut_download::fetching_process"])
        .args(["--ignored", "--nocapture"])
        .env(SITE, format!("{url} {size} {}", folder.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What it said in the end.
#[derive(Debug)]
struct Said {
    size: u64,
    sha256: String,
    moved: u64,
    peak: u64,
}

async fn said(child: Child, patience: Duration) -> Said {
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    let output = tokio::time::timeout(patience, ended)
        .await
        .unwrap()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said
        .lines()
        .find_map(|line| line.split_once("fetched ").map(|(_, rest)| rest))
        .unwrap_or_else(|| panic!("{said}\n{}", String::from_utf8_lossy(&output.stderr)));
    let [size, sha256, moved, peak] = line.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{line}");
    };
    Said {
        size: size.parse().unwrap(),
        sha256: sha256.to_owned(),
        moved: moved.parse().unwrap(),
        peak: peak.parse().unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_cut_over_and_over_receives_no_byte_twice() {
    let gib = from_environment("LABFERRY_DOWNLOAD_GIB", 0);
    let seed = from_environment("LABFERRY_KILL_SEED", 20_261_121);
    let (size, cuts) = match gib {
        0 => (96 * MIB + 12_345, 20),
        gib => (gib * 1024 * MIB, 100),
    };
    let storage = Arc::new(Site::new(size, cuts, seed));
    let (url, _tasks) = open(&storage).await;
    let folder = tempfile::tempdir().unwrap();
    let child = fetching(&url, size, folder.path());
    let said = said(child, Duration::from_secs(60 + 240 * gib)).await;
    let written = storage.written.load(Ordering::SeqCst);
    let ratio = |bytes: u64| bytes as f64 / size as f64;
    let expired = storage.expired.load(Ordering::SeqCst);
    let told = format!(
        "seed {seed}, {size} bytes, {cuts} cuts, {expired} refusals of expired links, {} requests; sent by the server / size {:.5}, received / size {:.5}, peak {} MiB",
        storage.requests.load(Ordering::SeqCst),
        ratio(written),
        ratio(said.moved),
        said.peak / MIB
    );
    println!("{told}");
    assert_eq!(said.size, size, "{told}");
    assert_eq!(said.sha256, storage.sha256(), "{told}");
    assert_eq!(
        storage.cuts.lock().unwrap().len(),
        0,
        "not all cuts: {told}"
    );
    assert!(expired > 0, "{told}");
    assert!(ratio(said.moved) <= MOST_RECEIVED, "{told}");
    assert!(ratio(written) <= MOST_RECEIVED, "{told}");
    assert!(said.peak < MOST_MEMORY, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_process_goes_on_with_what_a_killed_one_left() {
    // From front to back, where what is written is kept; in ranges, where what is noted is.
    for (size, moment, least_kept) in [
        (24 * MIB + 7, 12 * MIB, 4 * MIB),
        (96 * MIB + 7, 80 * MIB, 32 * MIB),
    ] {
        let site = Arc::new(Site {
            pause: Duration::from_millis(1),
            ..Site::new(size, 0, 7)
        });
        let (url, _tasks) = open(&site).await;
        let folder = tempfile::tempdir().unwrap();
        let mut child = fetching(&url, size, folder.path());
        while site.written.load(Ordering::SeqCst) < moment {
            assert!(child.try_wait().unwrap().is_none(), "over too soon");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // On Unix this is SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(folder.path().join("a.part").exists() && !folder.path().join("a").exists());
        let child = fetching(&url, size, folder.path());
        let said = said(child, Duration::from_mins(1)).await;
        assert_eq!((said.size, &said.sha256), (size, &site.sha256()));
        let kept = size - said.moved;
        println!("{size} bytes, killed at {moment}: {kept} were kept");
        assert!(kept >= least_kept, "{kept}");
    }
}
