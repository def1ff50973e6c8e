//! Parts of a file on their way to presigned addresses.

use std::time::{Duration, Instant};

use labferry::model::error::{Doing, ErrorKind, Result};
use labferry::model::file::LocalFile;
use labferry::model::meter::Meter;
use labferry::model::safe_url::SafeUrl;
use labferry::net::parts::{FilePart, PartAddress, StoredPart, send_part};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::net::server::{Answer, Server};
use crate::net::{content, http, picked, write};

const MIB: usize = 1024 * 1024;

fn address(server: &Server) -> PartAddress {
    PartAddress {
        headers: vec![("x-amz-acl".to_owned(), "private".to_owned())],
        ..PartAddress::put(SafeUrl::new(format!("{}part?X-Sig=a%2Fb", server.url)))
    }
}

async fn send(
    file: &LocalFile,
    (offset, length): (usize, usize),
    to: &PartAddress,
    meter: &Meter,
) -> Result<StoredPart> {
    let part = FilePart {
        file,
        offset_bytes: offset as u64,
        length_bytes: length as u64,
    };
    send_part(&http(), part, to, meter, Doing::Upload).await
}

#[tokio::test]
async fn a_part_arrives_with_its_length_and_the_given_headers_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a 世界#1%.fastq.gz");
    let bytes = content(3 * MIB + 7);
    write(&path, &bytes);
    let file = picked(&path);
    let etag = [("ETag", "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"")];
    let server = Server::start(move |_, _| Answer::new("200 OK", &etag, b"")).await;
    for (offset, length) in [
        (0, 3 * MIB + 7),
        (MIB, MIB),
        (2 * MIB + 1, MIB + 6),
        (3 * MIB + 6, 1),
        (3 * MIB + 7, 0),
        (0, 0),
    ] {
        let meter = Meter::default();
        let stored = send(&file, (offset, length), &address(&server), &meter)
            .await
            .unwrap();
        let seen = server.seen().pop().unwrap();
        assert_eq!(seen.method, "PUT");
        assert_eq!(seen.path, "/part?X-Sig=a%2Fb");
        assert_eq!(seen.body, bytes[offset..offset + length]);
        assert_eq!(
            seen.header("content-length"),
            Some(length.to_string().as_str())
        );
        let names: Vec<&str> = seen.headers.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "accept",
                "content-length",
                "host",
                "user-agent",
                "x-amz-acl"
            ]
        );
        assert_eq!(meter.done_bytes(), length as u64);
        assert_eq!(stored.etag(), Some("\"5eb63bbbe01eeed093cb22bb8f5acdc3\""));
        if length == 0 {
            assert_eq!(stored.md5, "d41d8cd98f00b204e9800998ecf8427e");
        }
    }
    write(&path, b"hello world");
    let meter = Meter::default();
    let stored = send(&picked(&path), (0, 11), &address(&server), &meter).await;
    assert_eq!(stored.unwrap().md5, "5eb63bbbe01eeed093cb22bb8f5acdc3");
}

#[tokio::test]
async fn parts_share_a_meter_and_a_failed_one_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    write(&path, &content(4 * MIB));
    let file = picked(&path);
    let body = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    let server = Server::start(move |_, seen| {
        if seen.path.contains("expired") {
            Answer::new("403 Forbidden", &[], body)
        } else {
            Answer::status("200 OK")
        }
    })
    .await;
    let meter = Meter::default();
    let good = address(&server);
    let expired = PartAddress::put(SafeUrl::new(format!("{}expired", server.url)));
    let (one, other, third) = tokio::join!(
        send(&file, (0, 2 * MIB), &good, &meter),
        send(&file, (2 * MIB, MIB), &expired, &meter),
        send(&file, (3 * MIB, MIB), &good, &meter),
    );
    assert!(one.is_ok() && third.is_ok());
    let error = other.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!(
        error.failure().server_said.as_deref(),
        Some("AccessDenied: Request has expired")
    );
    assert_eq!(meter.done_bytes(), 3 * MIB as u64);
    assert_eq!(meter.moved_bytes(), 4 * MIB as u64);
}

#[tokio::test]
async fn only_the_announced_statuses_are_a_success_and_redirects_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    write(&path, b"abc");
    let file = picked(&path);
    for (status, codes, kind) in [
        ("201 Created", vec![201], None),
        ("204 No Content", vec![], None),
        ("202 Accepted", vec![200], Some(ErrorKind::Garbled)),
        ("302 Found", vec![], Some(ErrorKind::Garbled)),
        ("307 Temporary Redirect", vec![], Some(ErrorKind::Garbled)),
        ("503 Slow Down", vec![200], Some(ErrorKind::Maintenance)),
    ] {
        let server = Server::start(move |_, _| {
            Answer::new(status, &[("location", "http://127.0.0.1:1/")], b"")
        })
        .await;
        let to = PartAddress {
            success_codes: codes,
            ..address(&server)
        };
        let meter = Meter::default();
        let outcome = send(&file, (0, 3), &to, &meter).await;
        assert_eq!(outcome.err().map(|error| error.kind()), kind, "{status}");
        assert_eq!(server.seen().len(), 1);
        assert_eq!(meter.done_bytes(), if kind.is_none() { 3 } else { 0 });
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    write(&path, b"abc");
    let file = picked(&path);
    let good = PartAddress::put(SafeUrl::new("http://127.0.0.1:1/"));
    for to in [
        PartAddress::put(SafeUrl::new("ftp://127.0.0.1/a")),
        PartAddress::put(SafeUrl::new("part")),
        PartAddress {
            method: "P UT".to_owned(),
            ..good.clone()
        },
        PartAddress {
            headers: vec![("a b".to_owned(), "c".to_owned())],
            ..good
        },
    ] {
        let outcome = send(&file, (0, 3), &to, &Meter::default()).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Garbled);
    }
}

#[tokio::test]
async fn a_part_of_a_file_that_changed_never_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    write(&path, &content(2 * MIB));
    let before = picked(&path);
    // On its way: the server reads the first bytes, the file changes, and only then the rest is read.
    write(&path, &content(32 * MIB));
    let file = picked(&path);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let to = PartAddress::put(SafeUrl::new(url));
    let meter = Meter::default();
    let outcome = send(&before, (0, MIB), &to, &meter).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::LocalFile);
    let outcome = send(&file, (32 * MIB, 1), &to, &meter).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::LocalFile);
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut block = vec![0; 4096];
        let mut arrived = stream.read(&mut block).await.unwrap();
        write(&path, &vec![0; 32 * MIB]);
        while let Ok(read) = stream.read(&mut block).await
            && read > 0
        {
            arrived += read;
        }
        arrived
    };
    let (outcome, arrived) = tokio::join!(send(&file, (0, 31 * MIB), &to, &meter), server);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::LocalFile);
    assert!(arrived < 31 * MIB, "{arrived}");
    assert_eq!(meter.done_bytes(), 0);
}

#[tokio::test]
async fn a_stopped_dropped_or_silent_part_ends_and_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    write(&path, &content(32 * MIB));
    let file = picked(&path);
    // Takes connections and reads nothing.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let to = PartAddress::put(SafeUrl::new(url));

    let meter = Meter::default();
    let started = Instant::now();
    let outcome = send(&file, (0, 32 * MIB), &to, &meter).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(meter.done_bytes(), 0);
    assert!(meter.moved_bytes() > 0);

    let stop = async {
        while meter.done_bytes() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        meter.stop();
    };
    let (outcome, ()) = tokio::join!(send(&file, (0, 32 * MIB), &to, &meter), stop);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(meter.done_bytes(), 0);

    let meter = Meter::default();
    tokio::select! {
        _ = send(&file, (0, 32 * MIB), &to, &meter) => panic!("it was to be dropped"),
        () = async { while meter.done_bytes() == 0 { tokio::time::sleep(Duration::from_millis(5)).await; } } => {}
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(meter.done_bytes(), 0);
}

#[tokio::test]
async fn a_refusal_before_the_end_of_the_part_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    write(&path, &content(32 * MIB));
    let file = picked(&path);
    for (answer, kind) in [
        ("403 Forbidden", ErrorKind::Forbidden),
        ("200 OK", ErrorKind::Garbled),
    ] {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let to = PartAddress::put(SafeUrl::new(url));
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            assert!(stream.read(&mut head).await.unwrap() > 0);
            let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        };
        let meter = Meter::default();
        let error = tokio::select! {
            sent = send(&file, (0, 32 * MIB), &to, &meter) => sent.unwrap_err(),
            () = server => panic!("it never ends"),
        };
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(meter.done_bytes(), 0);
    }
}
