//! Many small files: over connections that stay open, several at once.
//!
//! `LABFERRY_SMALL_FILES` makes them more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};
use labferry::model::meter::Meter;
use labferry::model::remote::Link;
use labferry::model::safe_url::SafeUrl;
use labferry::net::client::{Http, NetOptions};
use labferry::net::download::{Expected, Order, fetch};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::kill::from_environment;
use crate::net::content;

const FILE_BYTES: usize = 4096;

/// What a near server takes to answer.
const AWAY: Duration = Duration::from_millis(4);

async fn serve(mut stream: TcpStream, file: Arc<Vec<u8>>) {
    let mut block = vec![0; 16 * 1024];
    // A head is short and comes whole.
    while let Ok(read) = stream.read(&mut block).await
        && read > 0
    {
        tokio::time::sleep(AWAY).await;
        let head =
            format!("HTTP/1.1 200 OK\r\netag: \"a\"\r\ncontent-length: {FILE_BYTES}\r\n\r\n");
        let answer = [head.as_bytes(), &file].concat();
        stream.write_all(&answer).await.unwrap();
    }
}

/// Fetches so many files, so many at once; says how long it took.
async fn fetch_all(url: &str, count: usize, at_once: usize) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let http = Http::new(&NetOptions::default()).unwrap();
    let began = Instant::now();
    stream::iter(0..count)
        .map(|number| {
            let (http, folder) = (&http, folder.path());
            async move {
                let link = || Link::Ready {
                    url: SafeUrl::new(format!("{url}{number}")),
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
                assert_eq!(fetched.size_bytes, FILE_BYTES as u64);
            }
        })
        .buffer_unordered(at_once)
        .collect::<Vec<()>>()
        .await;
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_small_files_share_few_connections_and_come_several_at_once() {
    let count = usize::try_from(from_environment("LABFERRY_SMALL_FILES", 200)).unwrap();
    let file = Arc::new(content(FILE_BYTES));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let opened = Arc::clone(&connections);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut serving = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            opened.fetch_add(1, Ordering::SeqCst);
            serving.spawn(serve(stream, Arc::clone(&file)));
        }
    });
    let mut secs = Vec::new();
    for at_once in [1, 4, 8] {
        let before = connections.load(Ordering::SeqCst);
        secs.push(fetch_all(&url, count, at_once).await.as_secs_f64());
        let opened = connections.load(Ordering::SeqCst) - before;
        println!(
            "{count} files, {at_once} at once: {:.2} s over {opened} connections",
            secs[secs.len() - 1]
        );
        // Where all are busy for a moment, one more is opened.
        assert!(opened <= 2 * at_once, "{opened} connections");
    }
    let gain = secs[0] / secs[2];
    println!("eight at once are {gain:.2} times as fast as one");
    assert!(gain > 1.3, "{secs:?}");
}
