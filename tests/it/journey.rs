//! The main job from end to end: real engine, real HTTP, real files.

use labferry::engine::command::Command;
use labferry::model::job::Stage;
use labferry::model::preview::PreviewContent;
use labferry::model::provider::FanOut;
use labferry::results::receipt::{self, Outcome};
use labferry::sandbox::samples;

use crate::harness::{
    add_files, connect, connect_analytics, describe, engine, sandbox, send, settled, target, wait,
};

#[tokio::test(flavor = "multi_thread")]
async fn from_drop_to_table_on_both_platforms() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let (imaging, institute) = connect(&engine, &sandbox).await;
    let samples = samples::write_into(&top.path().join("plate 7 #50% 世界")).unwrap();
    add_files(&engine, samples).await;
    let results = top.path().join("results");
    let targets = vec![
        target(&engine, imaging, "Nuclei count", FanOut::AllInOne),
        target(&engine, institute, "wordcount", FanOut::OnePerFile),
    ];
    send(&engine, "Plate 7", &results, targets).await;
    let snapshot = settled(&engine).await;
    for view in &snapshot.jobs {
        assert_eq!(view.job.stage, Stage::Done, "{}", describe(&snapshot));
    }
    let batch = &snapshot.batches[0];
    let imaging_job = snapshot
        .jobs
        .iter()
        .find(|view| view.job.connection == imaging)
        .unwrap();
    for file in ["objects.csv", "aggregate.csv"] {
        assert!(imaging_job.folder.join(file).is_file(), "{file} is missing");
    }
    let masks = std::fs::read_dir(imaging_job.folder.join("masks"))
        .unwrap()
        .count();
    assert!(masks > 0, "no masks were unpacked");
    let checked = receipt::check(&batch.folder).unwrap();
    assert!(
        checked.len() > 5 && checked.iter().all(|file| file.outcome == Outcome::Same),
        "{checked:?}"
    );

    engine
        .send(Command::OpenPreview(imaging_job.folder.join("objects.csv")))
        .unwrap();
    let snapshot = wait(&engine, "the counted table", |snapshot| {
        snapshot.preview.as_ref().is_some_and(
            |preview| matches!(&preview.content, PreviewContent::Table(page) if page.counted),
        )
    })
    .await;
    let preview = snapshot.preview.clone().unwrap();
    let PreviewContent::Table(page) = &preview.content else {
        panic!("no table")
    };
    assert!(page.columns.iter().any(|column| column == "Image origin"));
    assert!(page.rows_known > 10);
    assert_eq!(sandbox.world().requests().count("biodock.submit"), 1);
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_job_a_file_at_an_institute() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let institute = connect_analytics(&engine, &sandbox).await;
    let samples = samples::write_into(&top.path().join("samples")).unwrap();
    add_files(&engine, samples.clone()).await;
    let targets = vec![target(&engine, institute, "zipresults", FanOut::OnePerFile)];
    send(&engine, "", &top.path().join("results"), targets).await;
    let snapshot = settled(&engine).await;
    assert_eq!(snapshot.jobs.len(), samples.len());
    for view in &snapshot.jobs {
        assert_eq!(view.job.stage, Stage::Done, "{}", describe(&snapshot));
        assert!(!view.artifacts.is_empty(), "{}", describe(&snapshot));
    }
    let checked = receipt::check(&snapshot.batches[0].folder).unwrap();
    assert!(
        checked.iter().all(|file| file.outcome == Outcome::Same),
        "{checked:?}"
    );
    assert_eq!(sandbox.world().requests().count("aa.submit"), samples.len());
    engine.shutdown();
}
