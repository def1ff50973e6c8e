//! A speed limit holds over all transfers together, by the clock of the server, either way.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use labferry::model::error::Doing;
use labferry::model::meter::Meter;
use labferry::model::remote::Link;
use labferry::model::safe_url::SafeUrl;
use labferry::net::api::{Api, Auth};
use labferry::net::client::{Http, NetOptions, Patience};
use labferry::net::download::{Expected, Order, fetch};
use labferry::net::errors::usual_complaint;
use labferry::net::parts::{FilePart, PartAddress, send_part};
use labferry::net::speed::{Speed, Way};
use labferry::net::upload::FileBody;
use reqwest::multipart::Form;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::net::{LIMITS, content, picked, write};

const BYTES_PER_SECOND: u64 = 6_000_000;

/// All transfers of a run together: four seconds.
const RUN_BYTES: usize = 24_000_000;

/// Within this of the limit.
const TOLERANCE: f64 = 0.05;

/// A machine under load may miss its moments, which can only make a run slower; one of so many is on time.
const RUNS: usize = 5;

/// When a server saw the first byte of bodies, and how many there were.
#[derive(Debug, Default)]
struct Seen {
    first: Option<Instant>,
    bytes: u64,
}

impl Seen {
    fn begin(&mut self) {
        self.first.get_or_insert_with(Instant::now);
    }

    fn end(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Of the limit, until the last file is here: from the server's first byte on, and from before the first request. A
    /// server that is late to see its first byte makes the former span shorter than it was.
    fn ratios(&self, began: Instant) -> Ratios {
        let of = |span: Duration| self.bytes as f64 / span.as_secs_f64() / BYTES_PER_SECOND as f64;
        Ratios {
            seen: of(self.first.unwrap().elapsed()),
            least: of(began.elapsed()),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Ratios {
    seen: f64,
    least: f64,
}

/// Takes bodies and gives them.
struct Station {
    url: String,
    seen: Arc<Mutex<Seen>>,
    _tasks: JoinSet<()>,
}

impl Station {
    async fn start(body_bytes: usize) -> Self {
        let body = Arc::new(content(body_bytes));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Seen>>::default();
        let log = Arc::clone(&seen);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(serve(stream, Arc::clone(&body), Arc::clone(&log)));
            }
        });
        Self {
            url,
            seen,
            _tasks: tasks,
        }
    }

    fn ratios(&self, began: Instant) -> Ratios {
        self.seen.lock().unwrap().ratios(began)
    }
}

async fn serve(mut stream: TcpStream, body: Arc<Vec<u8>>, seen: Arc<Mutex<Seen>>) {
    let mut block = vec![0; 64 * 1024];
    let mut head = Vec::new();
    let end = loop {
        let read = stream.read(&mut block).await.unwrap();
        head.extend_from_slice(&block[..read]);
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    seen.lock().unwrap().begin();
    let text = String::from_utf8_lossy(&head[..end]).to_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    if let Some(length) = length {
        let length: usize = length.trim().parse().unwrap();
        let mut arrived = head.len() - end;
        while arrived < length {
            arrived += stream.read(&mut block).await.unwrap();
        }
        seen.lock().unwrap().end(length);
        let answer =
            b"HTTP/1.1 200 OK\r\nconnection: close\r\netag: \"a\"\r\ncontent-length: 2\r\n\r\n{}";
        stream.write_all(answer).await.unwrap();
        return;
    }
    let answer = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    stream.shutdown().await.unwrap();
    // The client closes when it has taken the last byte out of what lies between us.
    while matches!(stream.read(&mut block).await, Ok(read) if read > 0) {}
    seen.lock().unwrap().end(body.len());
}

fn limited(way: Way) -> Http {
    let speed = Speed::default();
    speed.limit(way, Some(BYTES_PER_SECOND));
    let http = Http::new(&NetOptions {
        patience: Patience::default(),
        speed: speed.clone(),
        ..NetOptions::default()
    });
    // Nobody who shares a limit has one of its own.
    speed.limit(way, Some(BYTES_PER_SECOND));
    http.unwrap()
}

/// Half of them as the form of a submission, the others as parts for a storage.
async fn uploads(count: usize) -> Ratios {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    let length = RUN_BYTES / count;
    write(&path, &content(length));
    let file = picked(&path);
    let station = Station::start(0).await;
    let http = limited(Way::Up);
    let api = Api::new(&http, &station.url, Auth::None, &LIMITS, usual_complaint).unwrap();
    let to = PartAddress::put(SafeUrl::new(station.url.clone()));
    let sending = (0..count).map(|number| {
        let (file, api, http, to) = (&file, &api, &http, &to);
        async move {
            let meter = Meter::default();
            if number % 2 == 0 {
                let body = FileBody::open(file, &meter, Doing::Upload).await.unwrap();
                let (part, transfer) = body.into_part("a.bin");
                let form = Form::new().part("upload", part);
                let sent = api.send_form(&["upload"], form, transfer, None, Doing::Upload);
                sent.await.unwrap();
            } else {
                let part = FilePart {
                    file,
                    offset_bytes: 0,
                    length_bytes: length as u64,
                };
                let sent = send_part(http, part, to, &meter, Doing::Upload);
                sent.await.unwrap();
            }
        }
        .boxed()
    });
    let began = Instant::now();
    join_all(sending).await;
    station.ratios(began)
}

async fn downloads(count: usize) -> Ratios {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::start(RUN_BYTES / count).await;
    let http = limited(Way::Down);
    let fetching = (0..count).map(|number| {
        let (http, station, folder) = (&http, &station, folder.path());
        async move {
            let link = || Link::Ready {
                url: SafeUrl::new(station.url.clone()),
                header: None,
            };
            let order = Order {
                expected: &Expected::default(),
                part_path: &folder.join(format!("{number}.part")),
                final_path: &folder.join(format!("{number}")),
                meter: &Meter::default(),
            };
            let renew = || async { Ok(link()) }.boxed();
            let fetched = fetch(http, link(), Box::new(renew), &order).await.unwrap();
            assert_eq!(fetched.size_bytes, (RUN_BYTES / count) as u64);
        }
    });
    let began = Instant::now();
    join_all(fetching).await;
    station.ratios(began)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_holds_within_five_percent_for_one_and_for_four_at_once() {
    let mut closest = [0.0_f64; 4];
    for run in 0..RUNS {
        let (one_up, four_up, one_down, four_down) =
            tokio::join!(uploads(1), uploads(4), downloads(1), downloads(4));
        let ratios = [one_up, four_up, one_down, four_down];
        println!("of the limit, run {run}: up 1 and 4, down 1 and 4: {ratios:.3?}");
        for (closest, ratio) in closest.iter_mut().zip(ratios) {
            assert!(ratio.least < 1.0 + TOLERANCE, "too fast: {ratios:?}");
            if (ratio.seen - 1.0).abs() < (*closest - 1.0).abs() {
                *closest = ratio.seen;
            }
        }
        if closest.iter().all(|ratio| (ratio - 1.0).abs() < TOLERANCE) {
            return;
        }
    }
    panic!("not the limit, each time: {closest:?}");
}
