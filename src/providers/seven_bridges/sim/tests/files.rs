//! Projects, folders, files, what they are described with, downloads.

use super::*;

#[tokio::test]
async fn projects_tell_what_one_may_do() {
    let bench = Bench::new().await;
    let get = async |id: &str| bench.get(&format!("/projects/{id}")).await;
    let main = get(PROJECT).await.ok();
    assert_eq!(main["permissions"]["execute"], true);
    assert!(main["billing_group"].is_string());
    let closed = get("john_doe/look-but-do-not-touch").await.ok();
    assert_eq!(closed["permissions"]["write"], false);
    assert_eq!(closed["permissions"]["execute"], false);
    let unbilled = get("jane_roe/no-billing-group").await.ok();
    assert_eq!(unbilled.get("billing_group"), None);
    assert_eq!(get("john_doe/nothing").await.refused(), (404, 3002));
    let list = bench.get("/files?project=nothing").await;
    assert_eq!(list.refused(), (400, 3012));
    let own = bench.get("/projects/jane_roe").await.names();
    assert_eq!(own, ["No billing group"]);
    let upload = json!({"project": "john_doe/look-but-do-not-touch", "name": "a", "size": 1});
    let refused = bench.post("/upload/multipart", &upload).await;
    assert_eq!(refused.refused(), (403, 8001));
    let folder =
        json!({"project": "john_doe/look-but-do-not-touch", "name": "a", "type": "folder"});
    assert_eq!(bench.post("/files", &folder).await.refused(), (403, 5001));
}

#[tokio::test]
async fn lists_of_files_are_filtered_and_one_level_deep() {
    let bench = Bench::new().await;
    let list = async |query: &str| {
        bench
            .get(&format!("/files?project={PROJECT}{query}"))
            .await
            .names()
    };
    assert!(list("").await.contains(&"reference".to_owned()));
    assert!(!list("").await.contains(&"genes.csv".to_owned()));
    let two = list("&name=gr%C3%B6%C3%9Fen.tsv&name=reference").await;
    assert_eq!(two, ["größen.tsv", "reference"]);
    assert_eq!(list("&name=GENES.csv").await.len(), 0);
    let sample = list("&metadata.sample_id=S1").await;
    assert_eq!(sample, ["plate 1 (DAPI).csv", "größen.tsv"]);
    assert_eq!(
        list("&metadata.sample_id=S1&metadata.sample_id=S2")
            .await
            .len(),
        3
    );
    let both = list("&metadata.sample_id=S1&metadata.experimental_strategy=none").await;
    assert_eq!(both.len(), 0);
    assert_eq!(list("&tag=cold").await, ["on a cold volume.csv"]);
    let query = format!("/files?project={PROJECT}&name=reference&fields=_all");
    let folder = bench.get(&query).await.ok()["items"][0].clone();
    assert_eq!(folder["type"], "folder");
    assert_eq!(folder.get("size"), None);
    let id = folder["id"].as_str().unwrap();
    for path in [format!("/files?parent={id}"), format!("/files/{id}/list")] {
        assert_eq!(bench.get(&path).await.names(), ["empty.txt", "deeper down"]);
    }
    assert_eq!(bench.get("/files").await.refused(), (400, 90000));
    let both = format!("/files?parent={id}&project={PROJECT}");
    assert_eq!(bench.get(&both).await.refused(), (400, 90000));
    let info = bench.get(&format!("/files/{id}/download_info")).await;
    assert_eq!(info.refused(), (400, 5017));
    bench.set("sb.file-types=upper");
    let folder = bench.get(&format!("/files/{id}")).await.ok();
    assert_eq!(folder["type"], "FOLDER");
}

#[tokio::test]
async fn files_are_changed_copied_moved_and_removed() {
    let bench = Bench::new().await;
    let id = bench.upload("one.csv", b"a,b\n").await;
    assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let at = format!("/files/{id}");
    let name = json!({"name": "zwei µ.csv", "metadata": {"sample_id": "S7"}, "tags": ["x"]});
    let changed = bench.call(Method::PATCH, &at, &name).await.ok();
    assert_eq!(
        (&changed["name"], &changed["tags"]),
        (&json!("zwei µ.csv"), &json!(["x"]))
    );
    let meta = format!("{at}/metadata");
    let merged = bench
        .call(Method::PATCH, &meta, &json!({"library": "L"}))
        .await
        .ok();
    assert_eq!(merged, json!({"sample_id": "S7", "library": "L"}));
    let replaced = bench
        .call(Method::PUT, &meta, &json!({"library": "M"}))
        .await
        .ok();
    assert_eq!(replaced, json!({"library": "M"}));
    let wrong = bench
        .call(Method::PATCH, &meta, &json!({"a": {"b": 1}}))
        .await;
    assert_eq!(wrong.refused(), (400, 5006));
    let tags = bench
        .call(Method::PUT, &format!("{at}/tags"), &json!(["y"]))
        .await
        .ok();
    assert_eq!(tags, json!(["y"]));
    let folder = json!({"project": PROJECT, "name": "box", "type": "folder"});
    let folder = bench.post("/files", &folder).await.ok()["id"].clone();
    let again = json!({"project": PROJECT, "name": "box", "type": "folder"});
    assert_eq!(bench.post("/files", &again).await.refused(), (409, 5003));
    let odd = json!({"project": PROJECT, "name": "__box", "type": "folder"});
    assert_eq!(bench.post("/files", &odd).await.refused(), (400, 90000));
    let copied = bench
        .post(&format!("{at}/actions/copy"), &json!({"parent": folder}))
        .await
        .ok();
    assert_ne!(copied["id"], json!(id));
    assert_eq!(copied["parent"], folder);
    let moved = json!({"parent": folder, "name": "three.csv"});
    let moved = bench.post(&format!("{at}/actions/move"), &moved).await.ok();
    assert_eq!(
        (&moved["id"], &moved["name"]),
        (&json!(id), &json!("three.csv"))
    );
    let box_at = format!("/files/{}", folder.as_str().unwrap());
    let full = bench.call(Method::DELETE, &box_at, &Value::Null).await;
    assert_eq!(full.refused(), (409, 5003));
    assert_eq!(
        bench.call(Method::DELETE, &at, &Value::Null).await.status,
        204
    );
    assert_eq!(bench.get(&at).await.refused(), (404, 5002));
    // The copy lives on, bytes and all.
    assert_eq!(
        bench.download(copied["id"].as_str().unwrap()).await,
        b"a,b\n"
    );
}

#[tokio::test]
async fn bulk_answers_carry_errors_inside() {
    let bench = Bench::new().await;
    let (a, b) = (
        bench.upload("a.csv", b"1").await,
        bench.upload("b.csv", b"2").await,
    );
    let nothing = "66a1f0c2d3e4b5a697887701";
    let got = bench
        .post("/bulk/files/get", &json!({"file_ids": [a, nothing, b]}))
        .await
        .ok();
    assert_eq!(got["items"][0]["resource"]["name"], "a.csv");
    assert_eq!(got["items"][1]["error"]["code"], 5002);
    assert_eq!(got["items"][2]["resource"]["size"], 1);
    let items = json!({"items": [
        {"id": a, "metadata": {"sample_id": "S1"}},
        {"id": nothing, "name": "x"},
        {"id": b, "metadata": {"sample_id": "S2"}},
    ]});
    let changed = bench.post("/bulk/files/edit", &items).await.ok();
    assert_eq!(
        changed["items"][2]["resource"]["metadata"]["sample_id"],
        "S2"
    );
    assert_eq!(changed["items"][1]["error"]["status"], 404);
    let items = json!({"items": [{"id": a, "metadata": {"other": "x"}}]});
    let replaced = bench.post("/bulk/files/update", &items).await.ok();
    assert_eq!(
        replaced["items"][0]["resource"]["metadata"],
        json!({"other": "x"})
    );
    let gone = bench
        .post("/bulk/files/delete", &json!({"file_ids": [a, a]}))
        .await
        .ok();
    assert!(gone["items"][0]["error"].is_null() && gone["items"][1]["error"].is_object());
    let many = json!({"file_ids": vec![b; 101]});
    assert_eq!(
        bench.post("/bulk/files/get", &many).await.refused(),
        (400, 90000)
    );
}

#[tokio::test]
async fn downloads_are_signed_expire_and_come_in_ranges() {
    let bench = Bench::with(&["sb.link-seconds=60"]).await;
    let id = bench.upload("x.bin", b"0123456789").await;
    let info = bench.get(&format!("/files/{id}/download_info")).await.ok();
    let url = info["url"].as_str().unwrap();
    let part = Bench::send(bench.http.get(url).header("range", "bytes=4-6")).await;
    assert_eq!((part.status, part.text().as_str()), (206, "456"));
    assert_eq!(part.header("content-range"), "bytes 4-6/10");
    let tag = part.header("etag").to_owned();
    let rest = bench
        .http
        .get(url)
        .header("range", "bytes=8-")
        .header("if-range", tag);
    assert_eq!(Bench::send(rest).await.text(), "89");
    assert!(part.header("content-disposition").starts_with("attachment"));
    // A full request whose answer nobody reads, as the SDK makes to learn the length.
    let dropped = bench.http.get(url).send().await.unwrap();
    assert_eq!(dropped.content_length(), Some(10));
    drop(dropped);
    let token = bench.sandbox.world().key(PLATFORM);
    let named = bench.http.get(url).header("X-SBG-Auth-Token", token);
    assert_eq!(Bench::send(named).await.status, 400);
    bench.pass(61_000);
    let late = Bench::send(bench.http.get(url)).await;
    assert_eq!(late.status, 403);
    assert!(late.text().contains("expired"));
    let query = format!("/files?project={PROJECT}&name=on%20a%20cold%20volume.csv");
    let cold = bench.get(&query).await.ok()["items"][0]["id"].clone();
    let info = bench
        .get(&format!("/files/{}/download_info", cold.as_str().unwrap()))
        .await;
    assert_eq!(info.refused(), (409, 5034));
}
