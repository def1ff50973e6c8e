//! The table summary computes from what was uploaded.

use std::io::Write as _;

use super::*;

#[tokio::test]
async fn tables_are_read_and_other_files_are_skipped_with_a_reason() {
    let bench = Bench::new().await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed
        .write_all("größe µ\tname\n1.5\tä\n2.5\tö\nn/a\tü\n".as_bytes())
        .unwrap();
    let packed = packed.finish().unwrap();
    let mut cut = packed.clone();
    cut.truncate(12);
    let mut ids = Vec::new();
    for (name, bytes) in [
        (
            "plain.csv",
            &b"well,count,ok\nA01,3,true\n\"B, 2\",5,false\nC03,,true\n"[..],
        ),
        ("packed.tsv.gz", &packed),
        ("picture.png", &[0x89, b'P', b'N', b'G', 0, 0]),
        ("nothing.csv", b""),
        ("prose.txt", b"Once upon a time\n"),
        ("cut.csv.gz", &cut),
    ] {
        ids.push(bench.upload(name, bytes).await);
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut body = task(&ids);
    body["inputs"]["decimals"] = json!(2);
    body["inputs"]["title"] = json!("all tables");
    body["inputs"]["missing_share"] = json!(0.3);
    body["inputs"]["notes"] = json!({"any": ["thing"]});
    let query = format!("/files?project={PROJECT}&name=reference");
    let folder = bench.get(&query).await.ok()["items"][0]["id"].clone();
    body["inputs"]["reference_folder"] = json!({"class": "Directory", "path": folder});
    let id = bench.run(&body).await;
    let done = bench.finished(&id).await;
    assert_eq!(done["status"], "COMPLETED", "{done}");
    let summary = &done["outputs"]["summary"];
    assert_eq!(summary["name"], "all tables.csv");
    let text = bench.download(summary["path"].as_str().unwrap()).await;
    let text = String::from_utf8(text).unwrap();
    for line in [
        "plain.csv,read,3,3,well,text,0,,,,,",
        "plain.csv,read,3,3,count,integer,1,3.00,5.00,4.00,mostly missing,",
        "plain.csv,read,3,3,ok,boolean,0,,,,,",
        "packed.tsv.gz,read,3,2,größe µ,number,1,1.50,2.50,2.00,mostly missing,",
        "picture.png,skipped,,,,,,,,,,it is no text",
        "nothing.csv,skipped,,,,,,,,,,it is empty",
        "prose.txt,skipped,,,,,,,,,,its first line has no columns",
    ] {
        assert!(
            text.lines().any(|other| other == line),
            "{line} is not in\n{text}"
        );
    }
    assert!(text.contains("cut.csv.gz,skipped"));
    let details = summary["secondaryFiles"][0]["path"].as_str().unwrap();
    let details: Value = serde_json::from_slice(&bench.download(details).await).unwrap();
    assert_eq!(details["notes"], json!({"any": ["thing"]}));
    assert_eq!(
        details["reference"],
        json!(["empty.txt", "deeper down/genes.csv"])
    );
    let warnings = done["outputs"]["warnings"]["path"].as_str().unwrap();
    assert_eq!(
        bench
            .download(warnings)
            .await
            .split(|byte| *byte == b'\n')
            .count(),
        5
    );
}

#[tokio::test]
async fn what_is_filled_in_changes_how_tables_are_read() {
    let bench = Bench::new().await;
    let a = bench.upload("a.txt", b"1;x;-\n2;y;4\n").await;
    let mut body = task(&[&a]);
    body["inputs"]["delimiter"] = json!("semicolon");
    body["inputs"]["has_header"] = json!(false);
    body["inputs"]["missing_words"] = json!(["-"]);
    body["inputs"]["columns"] = json!("column 3");
    body["inputs"]["layout"] = json!({"reports": true, "heading": "Kopfzeile"});
    let id = bench.run(&body).await;
    let done = bench.finished(&id).await;
    let text = bench
        .download(done["outputs"]["summary"]["path"].as_str().unwrap())
        .await;
    let text = String::from_utf8(text).unwrap();
    assert_eq!(
        text.lines().nth(1),
        Some("a.txt,read,2,3,column 3,integer,1,4.000,4.000,4.000,,")
    );
    body["inputs"]["max_rows"] = json!(1);
    body["inputs"]["columns"] = json!(["column 1", "column 2"]);
    let id = bench.run(&body).await;
    let done = bench.finished(&id).await;
    let text = bench
        .download(done["outputs"]["summary"]["path"].as_str().unwrap())
        .await;
    assert!(
        String::from_utf8(text)
            .unwrap()
            .contains("a.txt,read,1,3,column 1,integer,0,1.000")
    );
}

#[tokio::test]
async fn outputs_can_be_lists_and_lists_of_lists() {
    let bench = Bench::new().await;
    let a = bench.upload("a.csv", b"a,b\n1,2\n").await;
    let body = json!({"name": "x", "project": PROJECT, "app": "john_doe/plate-7/every-input",
        "inputs": {"one_file": file(&a), "many_files": [file(&a)], "lists_of_files": [[file(&a)]],
            "a_record": {"name": "n"}, "number_or_text": "7", "anything": {"x": [1]}}});
    let id = bench.run(&body).await;
    let outputs = bench.finished(&id).await["outputs"].clone();
    assert_eq!(outputs["nested"][0][0]["class"], "File");
    assert_eq!(outputs["pieces"][0]["class"], "File");
    assert_eq!(outputs["nothing"], Value::Null);
    let received = bench
        .download(outputs["received"]["path"].as_str().unwrap())
        .await;
    let received: Value = serde_json::from_slice(&received).unwrap();
    assert_eq!(received["number_or_text"], "7");
    assert_eq!(received["an_int"], 1);
}
