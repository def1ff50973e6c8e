//! A journal that Labferry wrote before it knew two more platforms opens, keeps everything, and goes on.

use std::path::Path;

use labferry::engine::command::Command;
use labferry::engine::{Engine, EngineOptions};
use labferry::model::job::Stage;
use labferry::model::provider::FanOut;
use labferry::store::journal::{FILE_NAME, Journal};

use crate::harness::{options, wait};

/// The tables of version 1, as they were released.
const TABLES: &str = "
CREATE TABLE connections (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, label TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE batches (
    id INTEGER PRIMARY KEY, created TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, connection INTEGER NOT NULL, stage TEXT NOT NULL,
    remote TEXT, body TEXT NOT NULL
);
CREATE TABLE staged (
    connection INTEGER NOT NULL, file INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (connection, file)
) WITHOUT ROWID;
CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY, job INTEGER NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE notices (id INTEGER PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE settings (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL);
CREATE TABLE counters (kind TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
";

const CONNECTION: &str = r#"{"id":1,"provider":"biodock","label":"Imaging core","base_url":"https://app.example.org/api/external/",
"options":{},"vault_name":"00000000000000aa","account":{"name":"someone@example.org","checked":"2026-11-19T08:00:00Z"}}"#;

const BATCH: &str = r#"{"id":1,"name":"Plate 7","created":"2026-11-19T09:00:00Z","folder":"/results/2026-11-19 Plate 7",
"files":[{"id":1,"local":{"path":"/data/A1.tif","name":"A1.tif","folder":"","size_bytes":10,"modified":null},"remote_name":"A1.tif"}],
"jobs":[1],"remote_folder":"labferry-4k7q2m9x"}"#;

const JOB: &str = r#"{"id":1,"batch":1,"connection":1,"connection_label":"Imaging core","provider":"biodock",
"pipeline":{"id":"p-1","name":"Nuclei count","description":"","typical_secs":null},"name":"Nuclei count","files":[1],
"settings":{"masks":{"Flag":true},"limit":{"Text":"0.10"}},"tag":"lf-4k7q2m9x","folder":"Imaging core - Nuclei count",
"stage":"Failed","remote":null,"report":null,"seen_before":["old"],"candidates":[],"error":null,"attempts":0,
"wait_until":null,"last_change":"2026-11-19T09:00:00Z","cancel_wanted":false,"left_out":[],"outputs_listed":false,
"timeline":[{"at":"2026-11-19T09:00:00Z","what":"Ready to be sent"}]}"#;

const STAGED: &str = r#"{"id":"f-1","name":"A1.tif","sha256":null}"#;

const SETTINGS: &str = r#"{"results_folder":null,"keep_archives":true,"parallel_uploads":2,"parallel_downloads":4,
"proxy":"System","extra_authority":null,"theme":"Dark","text_percent":150,"welcomed":true}"#;

fn write_old(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let database = rusqlite::Connection::open(folder.join(FILE_NAME)).unwrap();
    database.execute_batch(TABLES).unwrap();
    let put = |sql: &str, body: &str| {
        assert_eq!(database.execute(sql, [body]).unwrap(), 1);
    };
    put(
        "INSERT INTO connections VALUES (1, 'biodock', 'Imaging core', ?1)",
        CONNECTION,
    );
    put(
        "INSERT INTO batches VALUES (1, '2026-11-19T09:00:00Z', 'Plate 7', ?1)",
        BATCH,
    );
    put("INSERT INTO jobs VALUES (1, 1, 1, 'Failed', NULL, ?1)", JOB);
    put("INSERT INTO staged VALUES (1, 1, ?1)", STAGED);
    put("INSERT INTO settings VALUES (1, ?1)", SETTINGS);
    database
        .execute_batch(
            "INSERT INTO counters VALUES ('connection', 3), ('batch', 1), ('file', 1), ('job', 1)",
        )
        .unwrap();
}

#[test]
fn everything_of_an_old_journal_is_there() {
    let top = tempfile::tempdir().unwrap();
    write_old(top.path());
    let opened = Journal::open(top.path()).unwrap();
    assert_eq!(opened.set_aside, None);
    let contents = opened.contents;
    let connection = &contents.connections[0];
    assert_eq!(connection.label, "Imaging core");
    assert!(connection.account.as_ref().unwrap().places.is_empty());
    assert!(contents.batches[0].files[0].samples.is_empty());
    let job = &contents.jobs[0];
    assert_eq!(job.stage, Stage::Failed);
    assert_eq!(job.fan_out, FanOut::AllInOne);
    assert!(job.existing.is_empty() && !job.made_elsewhere());
    assert_eq!((&job.gathered, &job.drafted), (&None, &None));
    let (_, _, staged) = &contents.staged[0];
    assert_eq!((staged.id.as_str(), staged.is_folder), ("f-1", false));
    assert!(contents.kept.is_empty());
    assert_eq!(contents.settings.text_percent, 150);
    assert!(contents.settings.saved.is_empty());
    assert_eq!(contents.last_ids.connection.0, 3);
    // What was made of it is the present version: it opens again and holds the same.
    drop(opened.journal);
    let again = Journal::open(top.path()).unwrap();
    assert_eq!(again.set_aside, None);
    assert_eq!(again.contents, contents);
}

#[tokio::test]
async fn an_engine_goes_on_with_an_old_journal() {
    let top = tempfile::tempdir().unwrap();
    write_old(&top.path().join("data"));
    let engine = Engine::start(EngineOptions {
        environment: |_name| None,
        ..options(top.path())
    })
    .unwrap();
    let snapshot = wait(&engine, "the old job", |snapshot| snapshot.jobs.len() == 1).await;
    let job = snapshot.jobs[0].job.id;
    engine.send(Command::RetryJob(job)).unwrap();
    // There is no key for the connection: the job waits for the person, as it did before.
    wait(&engine, "the job to wait for a key", |snapshot| {
        snapshot.jobs[0].waits_for_person
    })
    .await;
    engine.shutdown();
}
