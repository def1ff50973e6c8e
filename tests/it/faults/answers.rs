//! Answers that are refused, damaged, late or lost.

use labferry::engine::command::{Command, Resolution};
use labferry::model::job::Stage;
use labferry::model::notice::{About, Action};
use labferry::model::provider::FanOut;

use crate::faults::bench::{
    Bench, assert_says_three_things, folder_is_same, notices_about, only_job,
};
use crate::harness::{connect_analytics, connect_biodock, describe, target, wait};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_refused_midway_waits_for_the_right_one() {
    for endpoint in [
        "biodock.upload",
        "biodock.submit",
        "biodock.status",
        "biodock.ask-masks",
    ] {
        let bench = Bench::start().await;
        bench.fault(&format!("unauthorized@{endpoint}"));
        let (imaging, institute) = bench.both().await;
        let snapshot = wait(&bench.engine, endpoint, |snapshot| {
            snapshot.jobs.iter().all(|view| {
                let waits = view.job.connection == imaging && view.waits_for_person;
                waits || view.job.stage == Stage::Done
            }) && !snapshot.jobs.is_empty()
        })
        .await;
        let refused = notices_about(&snapshot, About::Connection(imaging));
        assert_eq!(refused.len(), 1, "{endpoint}: {}", describe(&snapshot));
        assert_says_three_things(refused[0]);
        assert_eq!(refused[0].words.action, Some(Action::PasteKey));
        let stages: Vec<_> = snapshot
            .jobs
            .iter()
            .map(|view| (view.job.connection, view.job.stage))
            .collect();
        assert!(
            stages.contains(&(institute, Stage::Done)),
            "{endpoint}: {stages:?}"
        );
        assert!(
            !stages.contains(&(imaging, Stage::Failed)),
            "{endpoint}: {stages:?}"
        );
        bench.sandbox.world().faults().clear();
        connect_biodock(&bench.engine, &bench.sandbox).await;
        bench.all_done().await;
        assert_eq!(bench.made("biodock.submit"), 1, "{endpoint}");
        assert_eq!(bench.made("biodock.upload"), 1, "{endpoint}");
        assert_eq!(bench.made("aa.submit"), 1, "{endpoint}");
    }
}

const EVERYWHERE: [&str; 11] = [
    "biodock.upload",
    "biodock.list",
    "biodock.status",
    "biodock.jobs",
    "biodock.ask-masks",
    "biodock.masks",
    "aa.status",
    "aa.jobtimes",
    "aa.job",
    "aa.file",
    "storage.get",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_or_closed_platform_is_waited_out() {
    for fault in [
        "rate-limited",
        "rate-limited-silent",
        "unavailable",
        "server-error",
    ] {
        let bench = Bench::start().await;
        let imaging = connect_biodock(&bench.engine, &bench.sandbox).await;
        let institute = connect_analytics(&bench.engine, &bench.sandbox).await;
        for endpoint in EVERYWHERE {
            bench.fault(&format!("{fault}@{endpoint}*2"));
        }
        // Only a refusal says for certain that no job was made.
        if fault.starts_with("rate-limited") {
            bench.fault(&format!("{fault}@biodock.submit*2"));
            bench.fault(&format!("{fault}@aa.submit*2"));
        }
        let targets = vec![
            target(
                &bench.engine,
                imaging,
                "64f1a2b3c4d5e6f708192a3b",
                FanOut::AllInOne,
            ),
            target(&bench.engine, institute, "zipresults", FanOut::OnePerFile),
        ];
        bench.send(bench.picture(), targets).await;
        bench.all_done().await;
        assert_eq!(
            (bench.made("biodock.submit"), bench.made("aa.submit")),
            (1, 1),
            "{fault}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_platform_while_submitting_is_not_repeated() {
    for fault in [
        "unavailable",
        "server-error",
        "html",
        "garbled",
        "hang",
        "cut-body",
    ] {
        let bench = Bench::start().await;
        bench.fault(&format!("{fault}@aa.submit*1"));
        bench.institute("wordcount", 1).await;
        let snapshot = bench.settled().await;
        let job = &only_job(&snapshot).job;
        assert_eq!(
            job.stage,
            Stage::Unconfirmed,
            "{fault}: {}",
            describe(&snapshot)
        );
        assert_eq!(bench.count("aa.submit"), 1, "{fault}");
        let notices = notices_about(&snapshot, About::Job(job.id));
        assert_eq!(notices.len(), 1, "{fault}");
        assert_eq!(notices[0].words.action, Some(Action::Resolve), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_answers_never_become_files() {
    for fault in [
        "cut-body",
        "wrong-length",
        "html",
        "refuse-before",
        "hang",
        "lost-answer",
    ] {
        let bench = Bench::start().await;
        for endpoint in ["aa.file", "storage.get", "aa.status", "biodock.status"] {
            bench.fault(&format!("{fault}@{endpoint}*2"));
        }
        bench.fault("expired-link@storage.get*1");
        bench.fault("no-range@storage.get*1");
        bench.both().await;
        let snapshot = bench.all_done().await;
        let count = folder_is_same(&snapshot);
        assert!(count >= 6, "{fault}: {count} files");
        assert_eq!(
            (bench.made("biodock.submit"), bench.made("aa.submit")),
            (1, 1),
            "{fault}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_with_a_list_offers_exactly_the_new_job() {
    for choice in ["adopt", "send again", "leave"] {
        let bench = Bench::start().await;
        bench.fault("lost-answer@biodock.submit*1");
        bench.imaging().await;
        let snapshot = bench.settled().await;
        let view = only_job(&snapshot);
        assert_eq!(
            view.job.stage,
            Stage::Unconfirmed,
            "{}",
            describe(&snapshot)
        );
        assert_eq!(view.job.candidates.len(), 1, "{}", describe(&snapshot));
        assert!(view.waits_for_person && view.words.is_some());
        assert_eq!(bench.count("biodock.submit"), 1);
        let notices = notices_about(&snapshot, About::Job(view.job.id));
        assert_eq!(notices[0].words.action, Some(Action::Resolve));
        let (resolution, end, made) = match choice {
            "adopt" => (
                Resolution::Adopt(view.job.candidates[0].clone()),
                Stage::Done,
                1,
            ),
            "send again" => (Resolution::SendAgain, Stage::Done, 2),
            _ => (Resolution::Leave, Stage::Cancelled, 1),
        };
        bench.command(Command::ResolveUnconfirmed(view.job.id, resolution));
        let snapshot = bench.all(end).await;
        assert_eq!(bench.made("biodock.submit"), made, "{choice}");
        if end == Stage::Done {
            folder_is_same(&snapshot);
            let masks = only_job(&snapshot).folder.join("masks");
            assert!(masks.is_dir(), "{choice}: {}", describe(&snapshot));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_without_a_list_is_never_sent_again_by_itself() {
    let bench = Bench::start().await;
    bench.fault("lost-answer@aa.submit*1");
    bench.institute("wordcount", 2).await;
    let snapshot = bench.settled().await;
    let mut stages: Vec<_> = snapshot.jobs.iter().map(|view| view.job.stage).collect();
    stages.sort_unstable();
    assert_eq!(
        stages,
        [Stage::Done, Stage::Unconfirmed],
        "{}",
        describe(&snapshot)
    );
    assert_eq!(bench.count("aa.submit"), 2);
    let job = snapshot
        .jobs
        .iter()
        .find(|view| view.job.stage == Stage::Unconfirmed)
        .unwrap()
        .job
        .id;
    // Neither a retry nor forgetting what others did sends it.
    bench.command(Command::RetryJob(job));
    bench.command(Command::RetryFailed(snapshot.batches[0].id));
    bench.command(Command::CheckConnection(snapshot.jobs[0].job.connection));
    bench.institute("wordcount", 1).await;
    bench.settled().await;
    assert_eq!(bench.count("aa.submit"), 3);
    bench.command(Command::ResolveUnconfirmed(job, Resolution::SendAgain));
    bench.all(Stage::Done).await;
    assert_eq!(bench.count("aa.submit"), 4);
}
