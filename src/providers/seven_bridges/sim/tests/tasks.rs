//! Tasks: drafts, lives, batches, lists.

use super::*;

#[tokio::test]
async fn a_task_lives_by_the_clock() {
    let bench = Bench::new().await;
    let a = bench
        .upload("plate ä.csv", b"well,count\nA01,3\nA02,5\n")
        .await;
    let made = bench.post("/tasks?run=true", &task(&[&a])).await.ok();
    let id = made["id"].as_str().unwrap();
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12]);
    assert_eq!(made["status"], "CREATING");
    assert_eq!(made["app"], APP);
    let mut states = vec![made["status"].as_str().unwrap().to_owned()];
    let mut last = Value::Null;
    for _ in 0..200 {
        bench.pass(200);
        last = bench.get(&format!("/tasks/{id}")).await.ok();
        let state = last["status"].as_str().unwrap().to_owned();
        let running = last["execution_status"].clone();
        for name in [
            "duration",
            "queued_duration",
            "steps_total",
            "steps_completed",
        ] {
            assert!(running[name].is_u64(), "{name} in {running}");
        }
        if states.last() != Some(&state) {
            states.push(state);
        }
        if last["status"] == "COMPLETED" {
            break;
        }
        assert_eq!(last["outputs"], Value::Null);
    }
    let expected = [
        "CREATING",
        "QUEUED",
        "RUNNING",
        "QUEUED",
        "RUNNING",
        "COMPLETED",
    ];
    assert_eq!(states, expected);
    for name in ["created_time", "start_time", "end_time"] {
        assert!(last[name].as_str().unwrap().ends_with('Z'), "{name}");
    }
    assert!(last["outputs"]["summary"].is_object());
}

#[tokio::test]
async fn outputs_are_files_folders_and_nothing() {
    let bench = Bench::new().await;
    let a = bench
        .upload("plate ä.csv", b"well,count\nA01,3\nA02,5\n")
        .await;
    let id = bench.run(&task(&[&a])).await;
    let last = bench.finished(&id).await;
    let outputs = &last["outputs"];
    assert_eq!(outputs["plot"], Value::Null);
    assert_eq!(outputs["tables_read"], 1, "{last:#}");
    let summary = &outputs["summary"];
    assert_eq!(
        (&summary["class"], &summary["name"]),
        (&json!("File"), &json!("table summary.csv"))
    );
    assert_eq!(
        summary["secondaryFiles"][0]["name"],
        "table summary.csv.json"
    );
    assert_eq!(outputs["warnings"]["size"], 0);
    assert_eq!(outputs["reports"]["class"], "Directory");
    let folder = outputs["reports"]["path"].as_str().unwrap();
    let inside = bench
        .get(&format!("/files/{folder}/list?fields=_all"))
        .await;
    assert_eq!(inside.names(), ["nach Größe µ", "finished"]);
    let inner = inside.ok()["items"][0]["id"].clone();
    let reports = bench
        .get(&format!("/files?parent={}", inner.as_str().unwrap()))
        .await;
    assert_eq!(reports.names(), ["plate ä.csv – Übersicht.csv"]);
    let archive = bench
        .download(outputs["archive"]["path"].as_str().unwrap())
        .await;
    assert!(archive.starts_with(b"PK"));
    let query = format!("/files?project={PROJECT}&origin.task={id}");
    assert_eq!(bench.get(&query).await.names().len(), 5);
    // A second run finds the names taken.
    let again = bench
        .post(
            &format!("/tasks/{id}/actions/clone?action=run"),
            &Value::Null,
        )
        .await
        .ok();
    let again = bench.finished(again["id"].as_str().unwrap()).await;
    assert_eq!(again["outputs"]["summary"]["name"], "_1_table summary.csv");
    assert_ne!(again["id"], last["id"]);
}

#[tokio::test]
async fn a_draft_with_errors_is_made_and_does_not_run() {
    let bench = Bench::new().await;
    let other = "/files?project=john_doe/look-but-do-not-touch";
    let other = bench.get(other).await.ok()["items"][0]["id"].clone();
    let errors = async |inputs: Value| {
        let mut body = task(&[]);
        body["inputs"] = inputs;
        let made = bench.post("/tasks?action=run", &body).await;
        assert_eq!(made.status, 200);
        assert_eq!(made.ok()["status"], "DRAFT");
        made.ok()["errors"].to_string()
    };
    assert!(
        errors(json!({}))
            .await
            .contains("Required input tables is missing")
    );
    let missing = errors(json!({"tables": [file("66a1f0c2d3e4b5a697887701")]})).await;
    assert!(missing.contains("66a1f0c2d3e4b5a697887701, which does not exist"));
    let elsewhere = errors(json!({"tables": [file(other.as_str().unwrap())]})).await;
    assert!(elsewhere.contains("another project"));
    assert!(
        errors(json!({"tables": "x"}))
            .await
            .contains("must be a list")
    );
    let a = bench.upload("a.csv", b"a,b\n1,2\n").await;
    let wrong = json!({"tables": [file(&a)], "decimals": "3", "delimiter": "space"});
    let wrong = errors(wrong).await;
    assert!(wrong.contains("decimals must be a whole number") && wrong.contains("one of auto"));
    let record = json!({"tables": [file(&a)], "layout": {"heading": "x"}});
    assert!(errors(record).await.contains("layout needs reports"));
    let mut stranger = task(&[&a]);
    stranger["inputs"]["#tables"] = json!(1);
    let made = bench.post("/tasks", &stranger).await.ok();
    assert_eq!(
        (&made["status"], &made["errors"]),
        (&json!("DRAFT"), &json!([]))
    );
    assert!(
        made["warnings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("#tables")
    );
    let mut unbilled = task(&[]);
    unbilled["project"] = json!("jane_roe/no-billing-group");
    unbilled["app"] = json!("jane_roe/no-billing-group/table-summary");
    let made = bench.post("/tasks?action=run", &unbilled).await.ok();
    assert!(made["errors"].to_string().contains("billing group"));
    assert_eq!(made["app"], "jane_roe/no-billing-group/table-summary/2");
    let mut closed = task(&[]);
    closed["project"] = json!("john_doe/look-but-do-not-touch");
    assert_eq!(bench.post("/tasks", &closed).await.refused(), (403, 7026));
    bench.set("sb.missing-inputs=refused");
    let refused = bench.post("/tasks?action=run", &task(&[])).await;
    assert_eq!(refused.status, 200, "an empty list is no missing input");
    let mut none = task(&[]);
    none["inputs"] = json!({});
    assert_eq!(
        bench.post("/tasks?action=run", &none).await.refused(),
        (400, 7012)
    );
    bench.set("sb.error-entries=texts");
    let draft = bench.post("/tasks", &none).await.ok();
    assert!(draft["errors"][0].is_string());
}

#[tokio::test]
async fn drafts_are_changed_run_once_and_removed() {
    let bench = Bench::new().await;
    let a = bench.upload("a.csv", b"a,b\n1,2\n").await;
    let mut body = task(&[]);
    body["inputs"] = json!({});
    let draft = bench.post("/tasks", &body).await.ok();
    let id = draft["id"].as_str().unwrap();
    let at = format!("/tasks/{id}");
    let run = format!("{at}/actions/run");
    assert_eq!(bench.post(&run, &Value::Null).await.ok()["status"], "DRAFT");
    bench.set("sb.run-with-errors=refused");
    assert_eq!(bench.post(&run, &Value::Null).await.refused(), (400, 7024));
    let change = json!({"name": "better", "inputs": {"tables": [file(&a)]}});
    let changed = bench.call(Method::PATCH, &at, &change).await.ok();
    assert_eq!(
        (&changed["name"], &changed["errors"]),
        (&json!("better"), &json!([]))
    );
    assert_eq!(changed["start_time"], Value::Null);
    bench.set("sb.draft-start-time=present");
    assert!(bench.get(&at).await.ok()["start_time"].is_string());
    let given = bench.get(&format!("{at}/inputs")).await.ok();
    assert_eq!(given["tables"][0]["path"], json!(a));
    assert_eq!(
        bench.post(&run, &Value::Null).await.ok()["status"],
        "CREATING"
    );
    assert_eq!(bench.post(&run, &Value::Null).await.refused(), (403, 7007));
    let late = bench.call(Method::PATCH, &at, &change).await;
    assert_eq!(late.refused(), (403, 7007));
    assert_eq!(bench.finished(id).await["status"], "COMPLETED");
    let stop = bench
        .post(&format!("{at}/actions/abort"), &Value::Null)
        .await;
    assert_eq!(stop.refused(), (400, 7011));
    assert_eq!(
        bench.call(Method::DELETE, &at, &Value::Null).await.status,
        204
    );
    assert_eq!(bench.get(&at).await.refused(), (404, 7002));
    assert_eq!(bench.get("/tasks/not-a-uuid").await.refused(), (400, 7005));
}

#[tokio::test]
async fn an_abort_takes_a_while() {
    let bench = Bench::new().await;
    let a = bench.upload("a.csv", b"a,b\n1,2\n").await;
    let id = bench.run(&task(&[&a])).await;
    bench.pass(1_500);
    let stopped = bench
        .post(&format!("/tasks/{id}/actions/abort"), &Value::Null)
        .await
        .ok();
    assert_eq!(stopped["status"], "ABORTING");
    let again = bench
        .post(&format!("/tasks/{id}/actions/abort"), &Value::Null)
        .await;
    assert_eq!(again.refused(), (400, 7011));
    bench.pass(2_000);
    let task = bench.get(&format!("/tasks/{id}")).await.ok();
    assert_eq!(task["status"], "ABORTED");
    assert!(task["end_time"].is_string());
    assert_eq!(task["outputs"]["summary"], Value::Null);
}

#[tokio::test]
async fn a_failed_task_has_details_and_logs() {
    let bench = Bench::new().await;
    let body = json!({"name": "x", "project": PROJECT, "app": "john_doe/plate-7/exit-with-code",
        "inputs": {"exit_code": 3, "message": "the disk is full"}});
    let id = bench.run(&body).await;
    let task = bench.finished(&id).await;
    assert_eq!(task["status"], "FAILED");
    assert_eq!(
        task["execution_status"]["message"],
        "The tool ended with exit code 3"
    );
    let details = bench
        .get(&format!("/tasks/{id}/execution_details"))
        .await
        .ok();
    assert_eq!(details["status"], "FAILED");
    let job = &details["jobs"][0];
    assert!(job["instance"]["id"].is_string() && job["docker"]["checksum"].is_string());
    let log = job["logs"]["job.err.log"].as_str().unwrap();
    assert!(log.starts_with(&bench.url("/files/")) && log.ends_with("/download_info"));
    let link = bench.get(log).await.ok();
    let text = Bench::send(bench.http.get(link["url"].as_str().unwrap()))
        .await
        .text();
    assert!(
        text.contains("the disk is full") && text.contains("exit code 3"),
        "{text}"
    );
}

#[tokio::test]
async fn a_batch_makes_a_child_for_each_file() {
    let bench = Bench::with(&["sb.failing-child=2"]).await;
    let mut ids = Vec::new();
    for name in ["a.csv", "b.csv", "c.csv"] {
        ids.push(bench.upload(name, b"a,b\n1,2\n").await);
    }
    let mut body = task(&[&ids[0], &ids[1], &ids[2]]);
    body["batch_input"] = json!("tables");
    body["batch_by"] = json!({"type": "ITEM"});
    let made = bench.post("/tasks?action=run", &body).await.ok();
    assert_eq!(
        (&made["status"], &made["batch"]),
        (&json!("CREATING"), &json!(true))
    );
    let id = made["id"].as_str().unwrap();
    let children = async || bench.get(&format!("/tasks?parent={id}&fields=_all")).await;
    assert_eq!(children().await.names().len(), 0);
    bench.pass(1_200);
    let running = children().await;
    assert_eq!(
        running.names(),
        [
            "summary - file: a.csv",
            "summary - file: b.csv",
            "summary - file: c.csv"
        ]
    );
    let child = running.ok()["items"][1].clone();
    assert_eq!(child["status"], "RUNNING");
    assert_eq!(
        (&child["batch"], &child["parent"]),
        (&json!(false), &json!(id))
    );
    assert_eq!(child["batch_group"]["value"], "b.csv");
    assert_eq!(child["inputs"]["tables"], json!([file(&ids[1])]));
    let parent = bench.get(&format!("/tasks/{id}")).await.ok();
    assert_eq!(parent["status"], "RUNNING");
    assert_eq!(parent["execution_status"]["running"], 3);
    let parent = bench.finished(id).await;
    assert_eq!(parent["status"], "FAILED");
    assert_eq!(parent["execution_status"]["completed"], 2);
    assert_eq!(parent["execution_status"]["failed"], 1);
    let children = children().await.ok();
    let status: Vec<&str> = (0..3)
        .map(|n| children["items"][n]["status"].as_str().unwrap())
        .collect();
    assert_eq!(status, ["COMPLETED", "FAILED", "COMPLETED"]);
    assert_eq!(children["items"][2]["outputs"]["tables_read"], 1);
    let failed = bench.get("/tasks?status=FAILED&batch=true").await.names();
    assert_eq!(failed, ["summary"]);
    // Stopping the parent stops the children.
    let again = bench
        .post(
            &format!("/tasks/{id}/actions/clone?action=run"),
            &Value::Null,
        )
        .await
        .ok();
    let again = again["id"].as_str().unwrap();
    bench.pass(1_000);
    bench
        .post(&format!("/tasks/{again}/actions/abort"), &Value::Null)
        .await
        .ok();
    let ended = bench.finished(again).await;
    assert_eq!(ended["status"], "ABORTED");
    assert_eq!(ended["execution_status"]["aborted"], 3);
    // Without its batch it is one task.
    let single = bench
        .post("/tasks?action=run&batch=False", &body)
        .await
        .ok();
    assert_eq!(
        (&single["batch"], &single["errors"]),
        (&json!(false), &json!([]))
    );
}

#[tokio::test]
async fn a_batch_groups_by_what_files_are_described_with() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for (name, sample) in [("a.csv", "S1"), ("b.csv", "S2"), ("c.csv", "S1")] {
        let id = bench.upload(name, b"a,b\n1,2\n").await;
        let metadata = format!("/files/{id}/metadata");
        bench
            .call(Method::PATCH, &metadata, &json!({"sample_id": sample}))
            .await
            .ok();
        ids.push(id);
    }
    let mut body = task(&[&ids[0], &ids[1], &ids[2]]);
    body["batch_input"] = json!("tables");
    body["batch_by"] = json!({"type": "CRITERIA", "criteria": ["metadata.sample_id"]});
    let id = bench.run(&body).await;
    assert_eq!(bench.finished(&id).await["status"], "COMPLETED");
    let children = bench.get(&format!("/tasks?parent={id}&fields=_all")).await;
    assert_eq!(
        children.names(),
        ["summary - sample_id: S1", "summary - sample_id: S2"]
    );
    let group = children.ok()["items"][0]["batch_group"].clone();
    assert_eq!(
        group,
        json!({"value": "S1", "fields": {"metadata.sample_id": "S1"}})
    );
    assert_eq!(
        children.ok()["items"][0]["inputs"]["tables"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    body["batch_by"]["criteria"] = json!(["metadata.library_id"]);
    let draft = bench.post("/tasks?action=run", &body).await.ok();
    assert_eq!(draft["status"], "DRAFT");
    assert!(
        draft["errors"]
            .to_string()
            .contains("no metadata library_id")
    );
    body["batch_by"] = json!({"type": "SHAPE"});
    assert_eq!(bench.post("/tasks", &body).await.refused(), (400, 7020));
    body["batch_by"] = Value::Null;
    assert_eq!(bench.post("/tasks", &body).await.refused(), (400, 7023));
    // An input that takes one file gets one.
    let mut count = json!({"name": "n", "project": PROJECT, "app": "john_doe/plate-7/count-lines",
        "inputs": {"text": [file(&ids[0]), file(&ids[1])]},
        "batch_input": "text", "batch_by": {"type": "ITEM"}});
    let id = bench.run(&count).await;
    bench.finished(&id).await;
    let children = bench
        .get(&format!("/tasks?parent={id}&fields=inputs,outputs"))
        .await
        .ok();
    assert_eq!(children["items"][0]["inputs"]["text"], file(&ids[0]));
    let counts = children["items"][0]["outputs"]["counts"]["path"]
        .as_str()
        .unwrap();
    assert_eq!(bench.download(counts).await, b"name,count\n\"a.csv\",2\n");
    count["batch_input"] = json!("nothing");
    let wrong = bench.post("/tasks", &count).await.ok();
    assert!(!wrong["errors"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn lists_of_tasks_are_filtered_and_ordered() {
    let bench = Bench::new().await;
    let mut body = task(&[]);
    for name in ["b", "c", "a"] {
        body["name"] = json!(name);
        bench.post("/tasks", &body).await.ok();
        bench.pass(10_000);
    }
    let list = async |query: &str| bench.get(&format!("/tasks?{query}")).await.names();
    assert_eq!(list("").await, ["b", "c", "a"]);
    assert_eq!(
        list("order_by=created_time&order=desc").await,
        ["a", "c", "b"]
    );
    assert_eq!(list("order_by=name&order=asc&limit=2").await, ["a", "b"]);
    assert_eq!(list("status=DRAFT").await.len(), 3);
    assert_eq!(list("status=RUNNING").await.len(), 0);
    assert_eq!(list("origin_id=x").await.len(), 0);
    let all = bench.get("/tasks?fields=created_time").await.ok();
    let second = all["items"][1]["created_time"].as_str().unwrap();
    let bare = second.trim_end_matches('Z');
    assert_eq!(list(&format!("created_from={second}")).await, ["c", "a"]);
    assert_eq!(list(&format!("created_to={bare}")).await, ["b"]);
    assert_eq!(list("started_from=2020-01-01T00:00:00").await.len(), 0);
    assert_eq!(bench.get("/tasks?order_by=x").await.refused(), (400, 90000));
    assert_eq!(
        bench.get("/tasks?created_to=x").await.refused(),
        (400, 90000)
    );
}

#[tokio::test]
async fn lives_and_members_can_turn_out_otherwise() {
    let bench = Bench::with(&["sb.life=waits"]).await;
    let a = bench.upload("a.csv", b"a,b\n1,2\n").await;
    let id = bench.run(&task(&[&a])).await;
    let at = format!("/tasks/{id}");
    // Its work is done meanwhile, and it waits all the same.
    let mut waits = Value::Null;
    for _ in 0..100 {
        bench.pass(1_000);
        waits = bench.get(&at).await.ok();
        assert_eq!(waits["status"], "QUEUED");
    }
    assert_eq!(waits["execution_status"]["account_limit"], true);
    bench.set("sb.life=stays");
    assert_eq!(bench.get(&at).await.ok()["status"], "RUNNING");
    bench.set("sb.execution-status=sparse");
    let sparse = bench.get(&at).await.ok()["execution_status"].clone();
    assert_eq!(sparse.as_object().unwrap().len(), 1);
    bench.set("sb.execution-status=absent");
    assert_eq!(bench.get(&at).await.ok().get("execution_status"), None);
    bench.set("sb.life=fails");
    assert_eq!(bench.finished(&id).await["status"], "FAILED");
    bench.set("sb.life=unknown-state");
    let id = bench.run(&task(&[&a])).await;
    bench.pass(3_000);
    let odd = bench.get(&format!("/tasks/{id}")).await.ok();
    assert_eq!(odd["status"], "Active");
    bench.set("sb.outputs=empty");
    bench.set("sb.price=text");
    let done = bench.finished(&id).await;
    assert_eq!(
        (&done["status"], &done["outputs"]),
        (&json!("COMPLETED"), &json!({}))
    );
    assert!(done["price"]["amount"].is_string());
    bench.set("sb.outputs=null");
    assert_eq!(
        bench.get(&format!("/tasks/{id}")).await.ok()["outputs"],
        Value::Null
    );
    // Errors before and after a task is made.
    let count = async || bench.get("/tasks").await.names().len();
    let before = count().await;
    bench.set("server-error@sb.create-task*1");
    assert_eq!(bench.post("/tasks", &task(&[&a])).await.status, 500);
    assert_eq!(count().await, before);
    bench.set("sb.create-answer=error-after");
    assert_eq!(
        bench.post("/tasks", &task(&[&a])).await.refused(),
        (500, 90004)
    );
    assert_eq!(count().await, before + 1);
}

#[tokio::test]
async fn five_hundred_tasks_are_polled_in_bulk() {
    let bench = Bench::with(&["sb.rate-limit=100000"]).await;
    let a = bench.upload("a.csv", b"a,b\n1,2\n").await;
    let mut ids = Vec::new();
    for _ in 0..500 {
        ids.push(bench.run(&task(&[&a])).await);
    }
    let started = std::time::Instant::now();
    let mut rounds = 0;
    let mut done = 0;
    while done < 500 {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "{done} are done"
        );
        bench.pass(500);
        done = 0;
        rounds += 1;
        for ids in ids.chunks(100) {
            let got = bench
                .post(
                    "/bulk/tasks/get?fields=id,status",
                    &json!({"task_ids": ids}),
                )
                .await;
            let got = got.ok();
            let items = got["items"].as_array().unwrap().iter();
            done += items
                .filter(|item| item["resource"]["status"] == "COMPLETED")
                .count();
        }
    }
    println!("{rounds} rounds in {:?}", started.elapsed());
    let odd = json!({"task_ids": [ids[0], "x", "00000000-0000-4000-a000-000000000000"]});
    let got = bench.post("/bulk/tasks/get", &odd).await.ok();
    assert_eq!(got["items"][0]["resource"]["id"], json!(ids[0]));
    assert_eq!(got["items"][1]["error"]["code"], 7005);
    assert_eq!(got["items"][2]["error"]["code"], 7002);
    let many = json!({"task_ids": vec![&ids[0]; 101]});
    assert_eq!(
        bench.post("/bulk/tasks/get", &many).await.refused(),
        (400, 90000)
    );
}
