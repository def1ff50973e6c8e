//! Downloads against a peer, and one way against the other, in the same run on the same server: ratios, no times.
//!
//! - One large file with nothing in its way: Labferry, which hashes it and makes it safe against a power cut, against
//!   `curl` followed by `sha256sum` and `sync`.
//! - One large file from a storage that gives each connection only so much, as object storages do: in several ranges at once
//!   against front to back.
//! - Many small files from a server some way off: as many at the same time as Labferry fetches by itself against one after
//!   the other, and against `curl --parallel` with as many.
//!
//! `cargo bench --bench transfer`; `LABFERRY_BENCH_MIB` sets how large the large file is.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark speaks on its output and may stop"
)]

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{FutureExt as _, StreamExt as _};
use labferry::model::meter::Meter;
use labferry::model::remote::Link;
use labferry::model::safe_url::SafeUrl;
use labferry::model::settings::AppSettings;
use labferry::net::client::{Http, NetOptions, RangePlan};
use labferry::net::download::{Expected, Order, fetch};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const MIB: u64 = 1024 * 1024;
const BLOCK: u64 = 64 * 1024;

/// How often each is measured; the best counts, as what disturbs only makes slower.
const ROUNDS: usize = 3;

/// What the storage of the second part gives a connection, in bytes a second.
const GIVEN: u64 = 60 * MIB;

/// The small files.
const SMALL_FILES: usize = 400;
const SMALL_BYTES: u64 = 20 * 1024;

/// How far away the server of the small files is, there and back.
const FAR: Duration = Duration::from_millis(20);

/// A server that makes up its bytes.
#[derive(Clone, Copy, Default)]
struct Site {
    size_bytes: u64,
    /// Most bytes a second of one connection; none where there is no limit.
    given: Option<u64>,
    /// Before each answer.
    far: Duration,
}

impl Site {
    /// Opens it on a port and threads of its own.
    fn open(self) -> SocketAddr {
        let (told, address) = std::sync::mpsc::channel();
        let serving = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                let block: Arc<[u8]> = (0..BLOCK).map(|byte| (byte % 251) as u8).collect();
                let mut connections = JoinSet::new();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    // A client that has gone is none of the site's business.
                    connections.spawn(self.serve(stream, Arc::clone(&block)).map(drop));
                }
            });
        };
        let thread = std::thread::Builder::new().name("site".to_owned());
        drop(thread.spawn(serving).unwrap());
        address.recv().unwrap()
    }

    async fn serve(self, mut stream: TcpStream, block: Arc<[u8]>) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut head = vec![0; 16 * 1024];
        loop {
            // A head is short and comes whole.
            let read = stream.read(&mut head).await?;
            if read == 0 {
                return Ok(());
            }
            let asked = String::from_utf8_lossy(&head[..read]).to_lowercase();
            let range = asked
                .lines()
                .find_map(|line| line.strip_prefix("range: bytes="))
                .and_then(|range| range.trim().split_once('-'))
                .map(|(start, last)| {
                    let end = last.parse().map_or(self.size_bytes, |last: u64| last + 1);
                    (start.parse().unwrap(), end.min(self.size_bytes))
                });
            let (start, end) = range.unwrap_or((0, self.size_bytes));
            let first = match range {
                Some(_) => format!(
                    "206 Partial Content\r\ncontent-range: bytes {start}-{}/{}",
                    end - 1,
                    self.size_bytes
                ),
                None => "200 OK".to_owned(),
            };
            tokio::time::sleep(self.far).await;
            let answer = format!(
                "HTTP/1.1 {first}\r\netag: \"1\"\r\naccept-ranges: bytes\r\ncontent-length: {}\r\n\r\n",
                end - start
            );
            stream.write_all(answer.as_bytes()).await?;
            let begun = Instant::now();
            let mut sent = 0;
            while start + sent < end {
                let length = BLOCK.min(end - start - sent);
                stream
                    .write_all(&block[..usize::try_from(length).unwrap()])
                    .await?;
                sent += length;
                if let Some(given) = self.given {
                    let due = Duration::from_secs_f64(sent as f64 / given as f64);
                    tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
                }
            }
        }
    }
}

/// Fetches one file as the engine does.
async fn fetched(http: &Http, address: SocketAddr, folder: &Path, name: &str, size_bytes: u64) {
    let url = SafeUrl::new(format!("http://{address}/{name}"));
    let link = || Link::Ready {
        url: url.clone(),
        header: None,
    };
    let meter = Meter::default();
    let expected = Expected {
        size_bytes: Some(size_bytes),
        sha256: None,
    };
    let order = Order {
        expected: &expected,
        part_path: &folder.join(format!("{name}.part")),
        final_path: &folder.join(name),
        meter: &meter,
    };
    let renew = || {
        let fresh = link();
        async move { Ok(fresh) }.boxed()
    };
    fetch(http, link(), Box::new(renew), &order).await.unwrap();
}

fn http(most: usize) -> Http {
    let ranges = RangePlan {
        most,
        ..RangePlan::default()
    };
    Http::new(&NetOptions {
        ranges,
        ..NetOptions::default()
    })
    .unwrap()
}

/// The shortest of some rounds, each in a folder of its own.
fn best(mut round: impl FnMut(&Path)) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let folder = TempDir::new().unwrap();
        let begun = Instant::now();
        round(folder.path());
        begun.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

/// The same with a peer; none where the computer has no such program.
fn best_of_peer(command: &str) -> Option<f64> {
    let there = Command::new("curl").arg("--version").output();
    there.is_ok_and(|output| output.status.success()).then(|| {
        best(|folder| {
            let ended = Command::new("sh")
                .args(["-c", command])
                .current_dir(folder)
                .status();
            assert!(ended.unwrap().success(), "{command}");
        })
    })
}

fn say(what: &str, ours: f64, theirs: Option<f64>) {
    match theirs {
        Some(theirs) => println!("{what}: {:.2}", ours / theirs),
        None => println!("{what}: not measured, there is no curl"),
    }
    std::io::stdout().flush().unwrap();
}

fn main() {
    let mib = std::env::var("LABFERRY_BENCH_MIB").map_or(512, |mib| mib.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    large_file(&runtime, mib);
    small_files(&runtime);
}

fn large_file(runtime: &Runtime, mib: u64) {
    let large = |address: SocketAddr, most: usize| {
        let http = http(most);
        best(|folder| runtime.block_on(fetched(&http, address, folder, "large", mib * MIB)))
    };
    let most = RangePlan::default().most;

    println!(
        "One file of {mib} MiB, nothing in its way: time against that of curl, sha256sum and sync"
    );
    let free = Site {
        size_bytes: mib * MIB,
        ..Site::default()
    };
    let address = free.open();
    let command =
        format!("curl -s -o large http://{address}/large && sha256sum large >sum && sync large");
    let peer = best_of_peer(&command);
    say("  front to back", large(address, 1), peer);
    say(
        &format!("  in {most} ranges at once"),
        large(address, most),
        peer,
    );

    println!(
        "The same from a storage that gives each connection {} MiB/s",
        GIVEN / MIB
    );
    let address = Site {
        given: Some(GIVEN),
        ..free
    }
    .open();
    let narrow = large(address, 1);
    say(
        &format!("  time of {most} ranges at once against front to back"),
        large(address, most),
        Some(narrow),
    );
}

fn small_files(runtime: &Runtime) {
    println!(
        "{SMALL_FILES} files of {} KiB from a server {} ms away",
        SMALL_BYTES / 1024,
        FAR.as_millis()
    );
    let address = Site {
        size_bytes: SMALL_BYTES,
        far: FAR,
        ..Site::default()
    }
    .open();
    let together = AppSettings::default().parallel_downloads;
    let http = http(RangePlan::default().most);
    let small = |together: usize| {
        best(|folder| {
            let files = (0..SMALL_FILES).map(|number| {
                let http = &http;
                async move {
                    fetched(http, address, folder, &format!("{number}.csv"), SMALL_BYTES).await;
                }
            });
            let all = futures_util::stream::iter(files).buffer_unordered(together);
            runtime.block_on(all.for_each(|()| async {}));
        })
    };
    let ours = small(together);
    say(
        &format!("  time of {together} at the same time against one after the other"),
        ours,
        Some(small(1)),
    );
    let command = format!(
        "curl --no-progress-meter -Z --parallel-max {together} -o '#1.csv' 'http://{address}/[0-{}]' && sha256sum *.csv >sums && sync *.csv",
        SMALL_FILES - 1
    );
    say(
        &format!("  against curl with {together} at the same time, sha256sum and sync"),
        ours,
        best_of_peer(&command),
    );
}
