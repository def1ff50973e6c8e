//! Uploads in parts.

use super::*;

const KIB: usize = 1024;

#[tokio::test]
async fn sizes_names_and_part_numbers_are_checked() {
    let bench = Bench::with(&["sb.max-file=1000000000"]).await;
    assert_eq!(bench.begin("", 1, None).await.refused(), (400, 8011));
    assert_eq!(bench.begin("a/b", 1, None).await.refused(), (400, 8011));
    assert_eq!(
        bench.begin(&"ä".repeat(256), 1, None).await.refused(),
        (400, 8011)
    );
    assert_eq!(
        bench.begin("a", 1_000_000_001, None).await.refused(),
        (400, 8010)
    );
    for wish in [5 * 1024 * 1024 - 1, 5 * 1024 * 1024 * 1024 + 1] {
        assert_eq!(bench.begin("a", 1, Some(wish)).await.refused(), (400, 8010));
    }
    let usual = bench.begin(&"ä".repeat(255), 1, None).await.ok();
    assert_eq!(usual["part_size"], 32 * 1024 * 1024);
    let wish = bench.begin("a", 1, Some(5 * 1024 * 1024)).await.ok();
    assert_eq!(wish["part_size"], 5 * 1024 * 1024);
    assert_eq!(wish["parallel_uploads"], true);
    // The service chooses when the wish does not do, or anyway.
    bench.set("sb.max-parts=10");
    let many = bench
        .begin("b", 100 * 1024 * 1024, Some(5 * 1024 * 1024))
        .await
        .ok();
    assert_eq!(many["part_size"], 10 * 1024 * 1024);
    bench.set("sb.part-size=1000");
    bench.set("sb.parallel-uploads=no");
    let chosen = bench.begin("c", 2500, Some(5 * 1024 * 1024)).await.ok();
    assert_eq!(
        (&chosen["part_size"], &chosen["parallel_uploads"]),
        (&json!(1000), &json!(false))
    );
    let id = chosen["upload_id"].as_str().unwrap();
    for number in ["0", "4", "x"] {
        let part = bench.get(&path(id, &format!("part/{number}"))).await;
        assert_eq!(part.refused(), (400, 8012), "{number}");
    }
    assert_eq!(bench.get(&path(id, "part/3")).await.status, 200);
    assert_eq!(
        bench.get("/upload/multipart/none/part/1").await.refused(),
        (404, 8003)
    );
}

#[tokio::test]
async fn parts_come_in_any_order_and_again_and_make_up_the_file() {
    let bench = Bench::with(&["sb.part-size=1000"]).await;
    let bytes: Vec<u8> = (0..2500_u32)
        .map(|n| u8::try_from(n % 251).unwrap())
        .collect();
    let begun = bench.begin("parts.bin", bytes.len(), None).await.ok();
    let id = begun["upload_id"].as_str().unwrap();
    let mut parts = (1..).zip(bytes.chunks(1000)).collect::<Vec<_>>();
    parts.reverse();
    // One part arrives wrong first, and once more.
    let wrong = bench.part(id, 2, &[7; 1000]).await;
    bench.report(id, 2, &wrong).await.ok();
    for (number, part) in parts {
        let etag = bench.part(id, number, part).await;
        assert!(etag.starts_with('"') && etag.len() == 34, "{etag}");
        // With its quotes from some clients, without from others.
        let etag = if number == 1 {
            etag.as_str()
        } else {
            etag.trim_matches('"')
        };
        let echo = bench.report(id, number, etag).await.ok();
        assert_eq!(echo["part_number"], number);
    }
    let done = bench.post(&path(id, "complete"), &Value::Null).await.ok();
    assert_eq!(
        (&done["size"], &done["name"]),
        (&json!(2500), &json!("parts.bin"))
    );
    assert_eq!(bench.download(done["id"].as_str().unwrap()).await, bytes);
    assert_eq!(bench.get(&path(id, "")).await.refused(), (404, 8003));
    // What was begun and left by itself stays away from the lists of files.
    let empty = bench.upload("empty.bin", b"").await;
    assert_eq!(bench.download(&empty).await, b"");
}

#[tokio::test]
async fn completing_wants_every_part_reported_as_it_is() {
    let bench = Bench::with(&["sb.part-size=1000", "sb.lose-part=2"]).await;
    let begun = bench.begin("x.bin", 2001, None).await.ok();
    let id = begun["upload_id"].as_str().unwrap();
    let complete = async || bench.post(&path(id, "complete"), &json!({})).await;
    assert_eq!(complete().await.refused(), (409, 8007));
    // The parts of the official SDK: p, p + 1 and 0 bytes.
    let parts = [vec![1; 1000], vec![2; 1001], vec![]];
    for (number, part) in (1..).zip(&parts) {
        let etag = bench.part(id, number, part).await;
        bench.report(id, number, &etag).await.ok();
    }
    bench.report(id, 3, "").await.ok();
    assert_eq!(complete().await.refused(), (409, 8007));
    let etag = bench.part(id, 3, b"").await;
    let parts_again = json!({"parts": [
        {"part_number": 3, "response": {"headers": {"etag": etag}}},
    ]});
    bench.post(&path(id, ""), &parts_again).await.ok();
    let done = bench.post(&path(id, "complete"), &parts_again).await.ok();
    assert_eq!(
        bench.download(done["id"].as_str().unwrap()).await,
        parts.concat()
    );

    // A part that is lost shows in the list, and the upload can be mended.
    let begun = bench.begin("y.bin", 1500, None).await.ok();
    let id = begun["upload_id"].as_str().unwrap();
    for (number, size) in [(1, 1000), (2, 500)] {
        let etag = bench.part(id, number, &vec![9; size]).await;
        bench.report(id, number, &etag).await.ok();
    }
    let complete = async || bench.post(&path(id, "complete"), &json!({})).await;
    assert_eq!(complete().await.refused(), (409, 8007));
    let listed = bench
        .get(&path(id, "?list_parts=true").replace("/?", "?"))
        .await
        .ok();
    assert_eq!(listed["uploaded_parts_count"], 1);
    let etag = bench.part(id, 2, &[9; 500]).await;
    bench.report(id, 2, &etag).await.ok();
    assert_eq!(complete().await.ok()["size"], 1500);
    bench.set("sb.complete=fails");
    let begun = bench.begin("z.bin", 0, None).await.ok();
    let id = begun["upload_id"].as_str().unwrap();
    assert_eq!(
        bench
            .post(&path(id, "complete"), &json!({}))
            .await
            .refused(),
        (409, 8007)
    );
}

#[tokio::test]
async fn reports_are_checked_and_taken_in_groups() {
    let bench = Bench::with(&["sb.part-size=10"]).await;
    let begun = bench.begin("x.bin", 20, None).await.ok();
    let id = begun["upload_id"].as_str().unwrap();
    let nothing = json!({"part_number": 1, "response": {"headers": {}}});
    assert_eq!(
        bench.post(&path(id, "part"), &nothing).await.refused(),
        (400, 8014)
    );
    assert_eq!(bench.report(id, 9, "x").await.refused(), (400, 8012));
    bench.set("sb.report-check=at-once");
    assert_eq!(bench.report(id, 1, "x").await.refused(), (400, 8014));
    let mut parts = Vec::new();
    for number in [1, 2] {
        let etag = bench.part(id, number, b"0123456789").await;
        parts.push(json!({"part_number": number, "response": {"headers": {"ETag": etag}}}));
    }
    bench.set("sb.group-report=refused");
    let group = json!({"parts": parts});
    assert_eq!(
        bench.post(&path(id, ""), &group).await.refused(),
        (405, 90006)
    );
    bench.set("sb.group-report=accepted");
    assert_eq!(bench.post(&path(id, ""), &group).await.ok(), group);
    let slash = format!("{}/", path(id, "part"));
    bench.post(&slash, &parts[0]).await.ok();
    bench.post(&path(id, "complete"), &Value::Null).await.ok();
}

#[tokio::test]
async fn uploads_are_listed_resumed_and_given_up() {
    let bench = Bench::with(&["sb.part-size=10"]).await;
    let begun = bench.begin("x.bin", 25, None).await.ok();
    let id = begun["upload_id"].as_str().unwrap();
    let etag = bench.part(id, 2, b"0123456789").await;
    bench.report(id, 2, &etag).await.ok();
    // Arrived, but not reported: not in the list.
    bench.part(id, 1, b"0123456789").await;
    let open = bench.get("/upload/multipart").await.ok();
    assert_eq!(open["items"][0]["upload_id"], id);
    let plain = bench.get(&path(id, "")).await.ok();
    assert_eq!(plain.get("parts"), None);
    let listed = format!("{}?list_parts=True", path(id, ""));
    let listed = bench.get(&listed).await.ok();
    assert_eq!(listed["part_size"], 10);
    assert_eq!(listed.get("size"), None);
    assert!(listed["initiated"].as_str().unwrap().ends_with('Z'));
    let parts =
        json!([{"part_number": 2, "response": {"headers": {"ETag": etag.trim_matches('"')}}}]);
    assert_eq!(listed["parts"], parts);
    let gone = bench
        .call(Method::DELETE, &path(id, ""), &Value::Null)
        .await;
    assert_eq!((gone.status, gone.bytes.len()), (204, 0));
    let again = bench
        .call(Method::DELETE, &path(id, ""), &Value::Null)
        .await;
    assert_eq!(again.refused(), (404, 8003));
    assert_eq!(
        bench.get("/upload/multipart").await.ok()["items"],
        json!([])
    );
}

#[tokio::test]
async fn a_taken_name_is_refused_or_overwritten_with_a_new_id() {
    let bench = Bench::new().await;
    let first = bench.upload("same.csv", b"1").await;
    assert_eq!(
        bench.begin("same.csv", 1, None).await.refused(),
        (409, 8005)
    );
    let body = json!({"project": PROJECT, "name": "same.csv", "size": 3});
    let begun = bench
        .post("/upload/multipart?overwrite=True", &body)
        .await
        .ok();
    let id = begun["upload_id"].as_str().unwrap();
    let etag = bench.part(id, 1, b"new").await;
    bench.report(id, 1, &etag).await.ok();
    assert_eq!(bench.download(&first).await, b"1");
    let done = bench.post(&path(id, "complete"), &Value::Null).await.ok();
    assert_ne!(done["id"], json!(first));
    assert_eq!(
        bench.get(&format!("/files/{first}")).await.refused(),
        (404, 5002)
    );
    assert_eq!(bench.download(done["id"].as_str().unwrap()).await, b"new");
}

#[tokio::test]
async fn storage_insists_on_length_signature_and_nothing_else() {
    let bench = Bench::with(&["sb.part-seconds=60"]).await;
    let begun = bench.begin("x.bin", 3, None).await.ok();
    let id = begun["upload_id"].as_str().unwrap();
    let part = bench.get(&path(id, "part/1")).await.ok();
    assert_eq!(
        part["report"],
        json!({"headers": ["ETag"], "success_codes": [200]})
    );
    assert_eq!(part["headers"], json!({}));
    assert!(part["expires"].as_str().unwrap().ends_with('Z'));
    let url = part["url"].as_str().unwrap();
    let put = || bench.http.put(url);
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>("abc")]);
    let chunked = put().body(reqwest::Body::wrap_stream(pieces));
    assert_eq!(Bench::send(chunked).await.status, 501);
    let token = bench.sandbox.world().key(PLATFORM);
    let named = put().header("X-SBG-Auth-Token", token).body("abc");
    assert_eq!(Bench::send(named).await.status, 400);
    let typed = put().header("content-type", "text/csv").body("abc");
    assert_eq!(Bench::send(typed).await.status, 403);
    let other = bench.http.put(url.replace("/1?", "/2?")).body("abc");
    assert_eq!(Bench::send(other).await.status, 403);
    assert_eq!(Bench::send(put().body("abc")).await.status, 200);
    bench.pass(61_000);
    let late = Bench::send(put().body("abc")).await;
    assert!(late.status == 403 && late.text().contains("expired"));
    bench.set("sb.part-headers=some");
    bench.set("sb.expires=number");
    bench.set("sb.success-codes=top");
    let part = bench.get(&path(id, "part/1")).await.ok();
    assert!(part["expires"].is_i64() && part["success_codes"] == json!([200]));
    let (name, value) = part["headers"].as_object().unwrap().iter().next().unwrap();
    let url = part["url"].as_str().unwrap();
    assert_eq!(
        Bench::send(bench.http.put(url).body("abc")).await.status,
        403
    );
    let with = bench
        .http
        .put(url)
        .header(name, value.as_str().unwrap())
        .body("abc");
    assert_eq!(Bench::send(with).await.status, 200);
    bench.set("expired-link@storage.sb-part*1");
    let refused = Bench::send(bench.http.put(url).body("abc")).await;
    assert_eq!(refused.status, 403);
    // Neither of these counted.
    let log = bench.sandbox.world().requests().at("storage.sb-part");
    assert!(log.iter().all(|record| record.at_storage));
}

#[tokio::test]
async fn zeros_take_no_room() {
    let bench = Bench::with(&["sb.part-size=16777216"]).await;
    let size = 48 * KIB * KIB;
    let begun = bench.begin("zeros.bin", size, None).await.ok();
    let id = begun["upload_id"].as_str().unwrap();
    for number in 1..=3 {
        let mut part = vec![0; size / 3];
        if number == 2 {
            part[5_000_000] = 1;
        }
        let etag = bench.part(id, number, &part).await;
        bench.report(id, number, &etag).await.ok();
    }
    let done = bench.post(&path(id, "complete"), &Value::Null).await.ok();
    let folder = bench.sandbox.world().folder().join("seven-bridges");
    let mut used = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let details = entry.unwrap().metadata().unwrap();
        #[cfg(unix)]
        {
            used += std::os::unix::fs::MetadataExt::blocks(&details) * 512;
        }
        #[cfg(not(unix))]
        drop(details);
    }
    assert!(used < 4 << 20, "{used} bytes are used");
    let bytes = bench.download(done["id"].as_str().unwrap()).await;
    assert_eq!(bytes.len(), size);
    let odd: Vec<usize> = (0..size).filter(|place| bytes[*place] != 0).collect();
    assert_eq!(odd, [size / 3 + 5_000_000]);
}
