//! Files on their way: whole, hashed, unchanged, and complete at the server only after the commit point.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use labferry::model::error::{Doing, Error, ErrorKind, Result, Sent};
use labferry::model::file::LocalFile;
use labferry::model::meter::Meter;
use labferry::net::api::Uploaded;
use labferry::net::commit_point::CommitPoint;
use labferry::net::upload::{FileBody, sha256_of};
use reqwest::multipart::Form;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::net::server::{Answer, Server};
use crate::net::{api, content, picked, write};

const MIB: usize = 1024 * 1024;

async fn send(
    server: &Server,
    body: Result<FileBody>,
    commit: Option<&CommitPoint>,
) -> Result<Uploaded> {
    let (part, transfer) = body?.into_part("a 世界 \"b\".tif");
    let form = Form::new()
        .text("fileName", "a 世界 \"b\".tif")
        .part("upload", part);
    api(&server.url)
        .send_form(&["upload"], form, transfer, commit, Doing::Upload)
        .await
}

async fn open(file: &LocalFile, meter: &Meter) -> Result<FileBody> {
    FileBody::open(file, meter, Doing::Upload).await
}

fn refusal(outcome: Result<Uploaded>) -> (ErrorKind, Sent) {
    let error: Error = outcome.unwrap_err();
    (error.kind(), error.failure().sent)
}

#[tokio::test]
async fn a_file_arrives_whole_with_its_length_and_hash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    for length in [0, 1, MIB, MIB + 1, 3 * MIB] {
        let bytes = content(length);
        write(&path, &bytes);
        let server = Server::start(|_, _| Answer::json("{}")).await;
        let meter = Meter::default();
        let file = picked(&path);
        let body = open(&file, &meter).await;
        let uploaded = send(&server, body, None).await.unwrap();
        let seen = &server.seen()[0];
        assert!(seen.header("content-length").is_some());
        assert_eq!(seen.header("transfer-encoding"), None);
        assert!(
            seen.header("content-type")
                .unwrap()
                .starts_with("multipart/form-data")
        );
        assert!(
            seen.body
                .windows(length.max(1))
                .any(|window| length == 0 || window == bytes)
        );
        assert_eq!(meter.done_bytes(), length as u64);
        assert_eq!(meter.total_bytes(), length as u64);
        assert_eq!(
            uploaded.sha256,
            sha256_of(&file, Doing::Upload).await.unwrap()
        );
    }
}

#[tokio::test]
async fn the_body_is_incomplete_until_the_commit_point_is_passed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    for length in [10, 3 * MIB + 70_000] {
        write(&path, &content(length));
        let server = Server::start(|_, _| Answer::json("{}")).await;
        let body = open(&picked(&path), &Meter::default()).await;
        let (commit, mut requests) = CommitPoint::new();
        let journal = async {
            let answer = requests.recv().await.unwrap();
            // Everything that may leave does so; the last block of the file stays.
            let mut arrived = server.body_bytes();
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                if server.body_bytes() == arrived {
                    break;
                }
                arrived = server.body_bytes();
            }
            let last_block = u64::try_from(length % MIB).unwrap();
            // The rest of the form around the file is a few hundred bytes.
            assert!(
                arrived < length as u64 - last_block + 500,
                "{arrived} of {length}"
            );
            assert!(server.seen().is_empty(), "the request is not whole yet");
            answer.1.send(()).unwrap();
        };
        let (uploaded, ()) = tokio::join!(send(&server, body, Some(&commit)), journal);
        uploaded.unwrap();
        assert!(server.seen()[0].is_whole);
    }
}

#[tokio::test]
async fn a_refused_commit_leaves_the_server_with_half() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    write(&path, &content(3 * MIB));
    let server = Server::start(|_, _| Answer::json("{}")).await;
    let body = open(&picked(&path), &Meter::default()).await;
    let (commit, requests) = CommitPoint::new();
    drop(requests);
    let outcome = send(&server, body, Some(&commit)).await;
    assert_eq!(refusal(outcome).1, Sent::No);
    assert!(server.seen().iter().all(|seen| !seen.is_whole));
}

#[tokio::test]
async fn a_file_that_changes_on_its_way_never_arrives_whole() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 4] = [
        ("longer", |path| {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(b"more").unwrap();
        }),
        ("shorter", |path| {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(7).unwrap();
        }),
        ("rewritten", |path| write(path, &vec![0; 16 * MIB])),
        ("replaced", |path| {
            let fresh = path.with_extension("new");
            write(&fresh, &vec![0; 16 * MIB]);
            std::fs::rename(fresh, path).unwrap();
        }),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let bytes = content(16 * MIB);
    for (name, change) in changes {
        write(&path, &bytes);
        let server = Server::start(|_, _| Answer::json("{}")).await;
        // Only a few blocks are read ahead, so most of the file is still to be read.
        let body = open(&picked(&path), &Meter::default()).await;
        change(&path);
        let outcome = send(&server, body, None).await;
        assert_eq!(refusal(outcome), (ErrorKind::LocalFile, Sent::No), "{name}");
        assert!(server.seen().iter().all(|seen| !seen.is_whole), "{name}");
        // Before it is opened, too.
        let mut file = picked(&path);
        file.size_bytes += 1;
        let refused = open(&file, &Meter::default()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::LocalFile);
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let refused = open(&picked(&path), &Meter::default()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LocalFile);
}

#[tokio::test]
async fn a_stopped_upload_never_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    write(&path, &content(16 * MIB));
    let server = Server::start(|_, _| Answer::json("{}")).await;
    let meter = Meter::default();
    let body = open(&picked(&path), &meter).await;
    meter.stop();
    let outcome = send(&server, body, None).await;
    assert_eq!(refusal(outcome).1, Sent::No);
    assert!(server.seen().iter().all(|seen| !seen.is_whole));
}

#[tokio::test]
async fn silence_after_the_last_block_leaves_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    write(&path, &content(10));
    let server = Server::start(|_, _| Answer::silence()).await;
    let body = open(&picked(&path), &Meter::default()).await;
    let started = Instant::now();
    let outcome = send(&server, body, None).await;
    assert_eq!(refusal(outcome), (ErrorKind::Timeout, Sent::Perhaps));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(server.seen().len(), 1, "sent once");

    let server = Server::start(|_, _| Answer::status("413 Too Large")).await;
    let body = open(&picked(&path), &Meter::default()).await;
    let outcome = send(&server, body, None).await;
    assert_eq!(refusal(outcome), (ErrorKind::TooLarge, Sent::Answered));
}

#[tokio::test]
async fn a_server_that_reads_nothing_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    write(&path, &content(32 * MIB));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let body = open(&picked(&path), &Meter::default()).await.unwrap();
    let (part, transfer) = body.into_part("a.tif");
    let form = Form::new().part("upload", part);
    let error = api(&url)
        .send_form(&["upload"], form, transfer, None, Doing::Upload)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.failure().sent),
        (ErrorKind::Timeout, Sent::No)
    );
}

#[tokio::test]
async fn a_refusal_before_the_end_of_the_body_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    write(&path, &content(32 * MIB));
    for is_closed in [false, true] {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            assert!(stream.read(&mut head).await.unwrap() > 0);
            let answer = b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            let open = (!is_closed).then_some(stream);
            std::future::pending::<()>().await;
            drop(open);
        };
        let body = open(&picked(&path), &Meter::default()).await.unwrap();
        let (part, transfer) = body.into_part("a.tif");
        let form = Form::new().part("upload", part);
        let api = api(&url);
        let error = tokio::select! {
            sent = api.send_form(&["upload"], form, transfer, None, Doing::Upload) => sent.unwrap_err(),
            () = server => panic!("it never ends"),
        };
        assert_eq!(
            (error.kind(), error.failure().sent),
            (ErrorKind::TooLarge, Sent::No),
            "{error:?}"
        );
    }
}
