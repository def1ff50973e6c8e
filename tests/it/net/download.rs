//! Results on their way home: continued, renewed, proven, and never under their final name before that.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use labferry::model::artifact::Fetched;
use labferry::model::error::{ErrorKind, Result};
use labferry::model::meter::Meter;
use labferry::model::remote::Link;
use labferry::model::safe_url::SafeUrl;
use labferry::net::client::{Http, NetOptions};
use labferry::net::download::{Expected, Order, fetch, probe};
use labferry::net::retry::RetryPolicy;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::net::server::{Answer, Seen, Server};
use crate::net::{content, http, key, write};

/// A place to fetch one file to.
struct Place {
    folder: TempDir,
    expected: Expected,
    meter: Meter,
    renewals: Arc<AtomicUsize>,
    name: &'static str,
    http: Http,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            expected: Expected::default(),
            meter: Meter::default(),
            renewals: Arc::default(),
            name: "objects 世界.csv",
            http: http(),
        }
    }

    fn last(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join(format!("{}.part", self.name))
    }

    fn side(&self) -> PathBuf {
        self.folder.path().join(format!("{}.part.json", self.name))
    }

    /// Links are numbered: the first is `0`, every renewed one is one more.
    async fn fetch(&self, server: &Server) -> Result<Fetched> {
        let order = Order {
            expected: &self.expected,
            part_path: &self.part(),
            final_path: &self.last(),
            meter: &self.meter,
        };
        let renew = || {
            let number = self.renewals.fetch_add(1, Ordering::SeqCst) + 1;
            let link = link(server, number);
            async move { Ok(link) }.boxed()
        };
        fetch(&self.http, link(server, 0), Box::new(renew), &order).await
    }

    async fn fetches(&self, server: &Server, bytes: &[u8]) {
        let fetched = self.fetch(server).await.unwrap();
        assert_eq!(fetched.size_bytes, bytes.len() as u64);
        assert_eq!(fetched.sha256, sha256(bytes));
        assert!(std::fs::read(self.last()).unwrap() == bytes);
        assert!(!self.part().exists() && !self.side().exists());
    }

    async fn fails(&self, server: &Server, kind: ErrorKind) {
        let error = self.fetch(server).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(!format!("{error:?}").contains("signature"));
        assert!(!self.last().exists());
    }
}

fn link(server: &Server, number: usize) -> Link {
    Link::Ready {
        url: SafeUrl::new(format!("{}file?signature={number}", server.url)),
        header: Some(("x-api-key", key())),
    }
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

fn ranges(server: &Server) -> Vec<Option<usize>> {
    server.seen().iter().map(Seen::range_start).collect()
}

#[tokio::test]
async fn a_file_comes_whole() {
    for length in [0, 1, 3_000_000] {
        let bytes = content(length);
        let copy = bytes.clone();
        let server = Server::start(move |_, seen| Answer::file(seen, &copy, "\"a\"")).await;
        let place = Place::new();
        place.fetches(&server, &bytes).await;
        assert_eq!(place.meter.done_bytes(), length as u64);
        assert_eq!(server.seen()[0].header("x-api-key"), Some("canary-key"));
        // Again: the very same file is there already.
        place.fetches(&server, &bytes).await;
    }
}

#[tokio::test]
async fn a_cut_file_goes_on_where_it_stopped() {
    let bytes = content(500_000);
    let copy = bytes.clone();
    let server = Server::start(move |number, seen| {
        let answer = Answer::file(seen, &copy, "\"a\"");
        if number < 4 {
            answer.cut(100_000)
        } else {
            answer
        }
    })
    .await;
    let place = Place::new();
    place.fetches(&server, &bytes).await;
    assert_eq!(
        ranges(&server),
        [
            None,
            Some(100_000),
            Some(200_000),
            Some(300_000),
            Some(400_000)
        ],
        "more cuts than attempts, as each brought something"
    );
    assert_eq!(server.seen()[1].header("if-range"), Some("\"a\""));
}

#[tokio::test]
async fn an_earlier_run_is_continued() {
    let bytes = content(300_000);
    let copy = bytes.clone();
    let server = Server::start(move |_, seen| Answer::file(seen, &copy, "\"a\"")).await;
    let remembered = br#"{"etag":"\"a\"","last_modified":null,"total":300000}"#;
    for (left, start) in [(120_000, 120_000), (300_000, 299_999)] {
        let place = Place::new();
        write(&place.part(), &bytes[..left]);
        write(&place.side(), remembered);
        place.fetches(&server, &bytes).await;
        assert_eq!(ranges(&server).pop().unwrap(), Some(start));
    }
    // Without knowing what it is a part of, or longer than the whole, it starts again.
    for (left, side) in [(120_000, None), (300_001, Some(remembered)), (9, None)] {
        let place = Place::new();
        write(&place.part(), &vec![7; left]);
        if let Some(side) = side {
            write(&place.side(), side);
        }
        place.fetches(&server, &bytes).await;
        assert_eq!(ranges(&server).pop().unwrap(), None);
    }
}

#[tokio::test]
async fn a_changed_file_starts_again() {
    let (old, new) = (content(200_000), vec![9; 200_000]);
    let (first, rest) = (old.clone(), new.clone());
    let server = Server::start(move |number, seen| match number {
        0 => Answer::file(seen, &first, "\"old\"").cut(50_000),
        _ => Answer::file(seen, &rest, "\"new\""),
    })
    .await;
    Place::new().fetches(&server, &new).await;
    assert_eq!(ranges(&server), [None, Some(50_000)]);

    // A server that ignores the condition sends the rest of another file.
    let rest = new.clone();
    let server = Server::start(move |number, seen| {
        let mut seen = seen.clone();
        seen.headers.remove("if-range");
        match number {
            0 => Answer::file(&seen, &old, "\"old\"").cut(50_000),
            _ => Answer::file(&seen, &rest, "\"new\""),
        }
    })
    .await;
    Place::new().fetches(&server, &new).await;
    assert_eq!(ranges(&server), [None, Some(50_000), None]);
}

#[tokio::test]
async fn without_a_mark_or_without_ranges_it_starts_again() {
    let bytes = content(100_000);
    let copy = bytes.clone();
    let server = Server::start(move |number, _| {
        let answer = Answer::new("200 OK", &[], &copy);
        if number == 0 {
            answer.cut(60_000)
        } else {
            answer
        }
    })
    .await;
    Place::new().fetches(&server, &bytes).await;
    assert_eq!(ranges(&server), [None, None]);

    let copy = bytes.clone();
    let server = Server::start(move |number, _| {
        let answer = Answer::new("200 OK", &[("etag", "\"a\"")], &copy);
        if number == 0 {
            answer.cut(60_000)
        } else {
            answer
        }
    })
    .await;
    Place::new().fetches(&server, &bytes).await;
    assert_eq!(ranges(&server), [None, Some(60_000)]);
}

#[tokio::test]
async fn an_expired_link_is_renewed_in_the_middle() {
    let bytes = content(200_000);
    for status in ["400 Bad", "401 No", "403 Forbidden", "404 No", "410 Gone"] {
        let copy = bytes.clone();
        let server = Server::start(move |number, seen| {
            if number == 0 {
                Answer::file(seen, &copy, "\"a\"").cut(70_000)
            } else if seen.path.ends_with("=1") {
                Answer::file(seen, &copy, "\"a\"")
            } else {
                Answer::new(status, &[], b"<Error><Code>AccessDenied</Code></Error>")
            }
        })
        .await;
        let place = Place::new();
        place.fetches(&server, &bytes).await;
        assert_eq!(place.renewals.load(Ordering::SeqCst), 1, "{status}");
        assert_eq!(ranges(&server), [None, Some(70_000), Some(70_000)]);
    }
    let server = Server::start(|_, _| Answer::status("403 Forbidden")).await;
    let place = Place::new();
    place.fails(&server, ErrorKind::Forbidden).await;
    assert!(place.renewals.load(Ordering::SeqCst) <= 5);
}

#[tokio::test]
async fn the_key_goes_to_the_links_own_origin_only() {
    let bytes = content(1000);
    let copy = bytes.clone();
    let other = Server::start(move |_, seen| Answer::file(seen, &copy, "\"a\"")).await;
    let (far, same) = (format!("{}far", other.url), "/near");
    let server = Server::start(move |number, seen| match seen.path.as_str() {
        "/near" => Answer::redirect(&far),
        _ if number < 5 => Answer::redirect(same),
        _ => Answer::status("500 Oops"),
    })
    .await;
    Place::new().fetches(&server, &bytes).await;
    assert_eq!(server.seen()[0].header("x-api-key"), Some("canary-key"));
    for after in server.seen()[1..].iter().chain(&other.seen()) {
        assert_eq!(after.header("x-api-key"), None);
    }

    let server = Server::start(|_, _| Answer::redirect("/again")).await;
    Place::new().fails(&server, ErrorKind::Garbled).await;
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn wrong_lengths_and_hashes_never_get_the_final_name() {
    let bytes = content(50_000);
    // Fewer bytes than announced, always.
    let copy = bytes.clone();
    let server = Server::start(move |_, _| Answer::announcing("200 OK", &[], &copy, 60_000)).await;
    Place::new().fails(&server, ErrorKind::Unreachable).await;

    // The same once, with marks: the server then says that there is no more.
    let copy = bytes.clone();
    let server = Server::start(move |number, seen| match number {
        0 => Answer::announcing("200 OK", &[("etag", "\"a\"")], &copy, 60_000),
        _ => Answer::file(seen, &copy, "\"a\""),
    })
    .await;
    Place::new().fetches(&server, &bytes).await;
    assert_eq!(ranges(&server), [None, Some(50_000), None]);

    let copy = bytes.clone();
    let server = Server::start(move |_, seen| Answer::file(seen, &copy, "\"a\"")).await;
    let mut place = Place::new();
    place.expected.size_bytes = Some(49_999);
    place.fails(&server, ErrorKind::Garbled).await;
    let mut place = Place::new();
    place.expected.sha256 = Some(sha256(b"something else"));
    place.fails(&server, ErrorKind::Garbled).await;
    assert!(!place.part().exists(), "what is known to be wrong goes");
    place.expected.sha256 = Some(sha256(&bytes).to_uppercase());
    place.expected.size_bytes = Some(50_000);
    place.fetches(&server, &bytes).await;
}

#[tokio::test]
async fn a_damaged_part_is_noticed_by_its_hash() {
    let bytes = content(50_000);
    let copy = bytes.clone();
    let server = Server::start(move |_, seen| Answer::file(seen, &copy, "\"a\"")).await;
    let mut place = Place::new();
    place.expected.sha256 = Some(sha256(&bytes));
    write(&place.part(), &vec![0; 20_000]);
    write(&place.side(), br#"{"etag":"\"a\"","total":50000}"#);
    place.fetches(&server, &bytes).await;
    assert_eq!(ranges(&server), [Some(20_000), None]);
}

#[tokio::test]
async fn a_web_page_is_no_result() {
    let page = b"\n<!doctype html><title>Sign in</title>";
    let server = Server::start(move |_, _| {
        Answer::new(
            "200 OK",
            &[("content-type", "text/html; charset=utf-8")],
            page,
        )
    })
    .await;
    let place = Place::new();
    place.fails(&server, ErrorKind::Garbled).await;
    assert!(!place.part().exists());
    let place = Place {
        name: "report.html",
        ..Place::new()
    };
    place.fetches(&server, page).await;
    // A table that is only called a page is a table.
    let server = Server::start(|_, _| {
        Answer::new("200 OK", &[("content-type", "text/html")], b"a,b\n1,2\n")
    })
    .await;
    Place::new().fetches(&server, b"a,b\n1,2\n").await;
}

#[tokio::test]
async fn a_file_that_is_there_is_never_overwritten() {
    let bytes = content(5000);
    let copy = bytes.clone();
    let server = Server::start(move |_, seen| Answer::file(seen, &copy, "\"a\"")).await;
    for expected in [
        Expected::default(),
        Expected {
            size_bytes: Some(5000),
            sha256: Some(sha256(&bytes)),
        },
    ] {
        for mine in [&b"mine"[..], &[1; 5000]] {
            let place = Place {
                expected: expected.clone(),
                ..Place::new()
            };
            write(&place.last(), mine);
            let error = place.fetch(&server).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert_eq!(std::fs::read(place.last()).unwrap(), mine);
            assert!(!place.part().exists() && !place.side().exists());
        }
    }
}

#[tokio::test]
async fn a_stopped_download_keeps_its_part() {
    let bytes = content(300_000);
    let copy = bytes.clone();
    let server = Server::start(move |number, seen| {
        let answer = Answer::file(seen, &copy, "\"a\"");
        if number == 0 {
            answer.cut(100_000).then_hang()
        } else {
            answer
        }
    })
    .await;
    // Silence alone would not end it in time.
    let mut place = Place {
        http: Http::new(&NetOptions {
            retry: RetryPolicy::tiny(),
            ..NetOptions::default()
        })
        .unwrap(),
        ..Place::new()
    };
    let meter = place.meter.clone();
    let stop = async {
        while meter.done_bytes() < 100_000 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        meter.stop();
    };
    let both = async { tokio::join!(place.fetch(&server), stop) };
    let (outcome, ()) = tokio::time::timeout(Duration::from_secs(10), both)
        .await
        .unwrap();
    assert!(!outcome.unwrap_err().is_retryable());
    assert!(!place.last().exists());
    assert_eq!(std::fs::metadata(place.part()).unwrap().len(), 100_000);
    place.meter = Meter::default();
    place.fetches(&server, &bytes).await;
    assert_eq!(ranges(&server), [None, Some(100_000)]);
}

#[tokio::test]
async fn a_silent_server_is_given_up_and_the_part_kept() {
    let bytes = content(10_000);
    let server = Server::start(move |_, seen| {
        let answer = Answer::file(seen, &bytes, "\"a\"");
        match seen.range_start() {
            None => answer.cut(4000).then_hang(),
            Some(_) => Answer::silence(),
        }
    })
    .await;
    let place = Place::new();
    place.fails(&server, ErrorKind::Timeout).await;
    assert_eq!(std::fs::metadata(place.part()).unwrap().len(), 4000);
    assert_eq!(server.seen().len(), 3, "two more attempts brought no byte");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_said_as_such() {
    let bytes = content(300_000);
    let server = Server::start(move |_, seen| Answer::file(seen, &bytes, "\"a\"")).await;
    let place = Place::new();
    // A file in a file system of one page.
    let Some(small) = small_file_system(place.folder.path()) else {
        eprintln!("no small file system can be mounted here");
        return;
    };
    let order = Order {
        expected: &place.expected,
        part_path: &small.0.join("a.part"),
        final_path: &small.0.join("a"),
        meter: &place.meter,
    };
    let renew = || async { Ok(link(&server, 1)) }.boxed();
    let error = fetch(&http(), link(&server, 0), Box::new(renew), &order)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DiskFull, "{error:?}");
    assert!(small.0.join("a.part").exists() && !small.0.join("a").exists());
}

/// A mounted file system that is unmounted when dropped.
#[cfg(target_os = "linux")]
struct Mounted(PathBuf);

#[cfg(target_os = "linux")]
impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = std::process::Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

#[cfg(target_os = "linux")]
fn small_file_system(folder: &std::path::Path) -> Option<Mounted> {
    let target = folder.join("small");
    std::fs::create_dir(&target).ok()?;
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(&target)
        .output()
        .ok()?;
    mounted.status.success().then_some(Mounted(target))
}

#[tokio::test]
async fn a_look_says_whether_a_file_is_there() {
    let server = Server::start(|_, seen| match seen.path.as_str() {
        "/there" => Answer::file(seen, b"0123456789", "\"a\""),
        "/page" => Answer::new("200 OK", &[("content-type", "text/html")], b"<html>"),
        _ => Answer::status("404 Not Found"),
    })
    .await;
    let look = async |path: &str| {
        let url = SafeUrl::new(format!("{}{path}", server.url));
        let probe = probe(&http(), &url, None).await.unwrap();
        (probe.status, probe.is_web_page, probe.size_bytes)
    };
    assert_eq!(look("there").await, (206, false, Some(10)));
    assert_eq!(look("page").await, (200, true, Some(6)));
    assert_eq!(look("gone").await.0, 404);
}
