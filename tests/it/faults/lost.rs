//! Exactly once: answers to submissions that are lost by the hundred, after the platform made the job and before.
//!
//! In the end the platform has made each job once: it was found and adopted, or the person was asked. The person here
//! knows what a person can see: a platform that lists one new job has that of the one submission that is open.
//! `LABFERRY_LOST_ANSWERS` sets how many are lost on each platform.

use std::collections::{BTreeMap, BTreeSet};

use labferry::engine::command::{Command, Resolution};
use labferry::engine::snapshot::Snapshot;
use labferry::model::batch::{BatchDraft, Target};
use labferry::model::job::Stage;
use labferry::model::notice::{About, Action};
use labferry::model::provider::FanOut;

use crate::faults::matrix::stand::{PLATFORMS, Platform, Stand, in_parallel};
use crate::harness::{add_files, describe, target};
use crate::kill::from_environment;

/// How it went on one platform.
#[derive(Debug, Default)]
struct Tally {
    jobs: usize,
    lost_after: usize,
    lost_before: usize,
    /// Found at the platform, and nobody was asked.
    adopted: usize,
    /// Put to the person.
    asked: usize,
    /// Sent again, as the platform had made none.
    again: usize,
    /// Jobs the platform made.
    made: usize,
    /// Left by the person, as it is there and nothing of it can be watched.
    left: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.jobs += other.jobs;
        self.lost_after += other.lost_after;
        self.lost_before += other.lost_before;
        self.adopted += other.adopted;
        self.asked += other.asked;
        self.again += other.again;
        self.made += other.made;
        self.left += other.left;
    }
}

/// Jobs of one batch: where the person is asked, only one submission is open at a time.
fn wave(platform: &Platform) -> usize {
    match platform.word {
        "biodock" | "analytics-automated" => 1,
        _ => 5,
    }
}

/// Loses so many answers of one platform, batch after batch.
async fn lose(platform: &'static Platform, losses: usize, seed: u64) -> Tally {
    let mut chance = fastrand::Rng::with_seed(seed);
    let stand = Stand::new(platform, false).await;
    let connection = stand.connect().await;
    let wanted = Target {
        fan_out: FanOut::OnePerFile,
        ..target(
            &stand.engine,
            connection,
            platform.pipeline,
            FanOut::OnePerFile,
        )
    };
    let mut tally = Tally::default();
    while tally.lost_after + tally.lost_before < losses {
        let size = wave(platform).min(losses - tally.lost_after - tally.lost_before);
        for _ in 0..size {
            // One in five never arrives.
            if chance.u8(..5) == 0 {
                tally.lost_before += 1;
                stand.set(&format!("refuse-before@{}*1", platform.submit));
            } else {
                tally.lost_after += 1;
                stand.set(&format!("lost-answer@{}*1", platform.submit));
            }
        }
        add_files(&stand.engine, stand.some_files(tally.jobs, size)).await;
        tally.jobs += size;
        let draft = BatchDraft {
            name: "Plate 7".to_owned(),
            into: Some(stand.results()),
            targets: vec![wanted.clone()],
        };
        stand.command(Command::SubmitBatch(draft));
        let jobs = tally.jobs;
        loop {
            let snapshot = stand
                .until("the end of a batch", |now| {
                    now.jobs.len() == jobs
                        && now.jobs.iter().all(|view| view.job.stage.is_settled())
                })
                .await;
            if !decide(&stand, &snapshot, &mut tally).await {
                break;
            }
        }
    }
    // What is left of them would hit nobody any more.
    stand.clear();
    count(&stand, &mut tally);
    tally
}

/// The person decides about a submission that is open; whether there was one.
async fn decide(stand: &Stand, snapshot: &Snapshot, tally: &mut Tally) -> bool {
    for view in &snapshot.jobs {
        let job = &view.job;
        if job.stage != Stage::Unconfirmed {
            continue;
        }
        let told = snapshot.notices.iter().any(|notice| {
            notice.about == About::Job(job.id) && notice.words.action == Some(Action::Resolve)
        });
        assert!(told && view.waits_for_person, "{}", describe(snapshot));
        tally.asked += 1;
        // What the person sees there: jobs that stand on no line here.
        let claimed = snapshot
            .jobs
            .iter()
            .filter(|view| view.job.remote.is_some());
        let unclaimed = stand.acted(stand.platform.submit) - claimed.count();
        let resolution = match job.candidates.as_slice() {
            [only] => Resolution::Adopt(only.clone()),
            _ if unclaimed == tally.left => Resolution::SendAgain,
            _ => {
                tally.left += 1;
                Resolution::Leave
            }
        };
        let id = job.id;
        stand.command(Command::ResolveUnconfirmed(id, resolution));
        stand
            .until("the decision", |now| {
                now.jobs
                    .iter()
                    .any(|view| view.job.id == id && view.job.stage != Stage::Unconfirmed)
            })
            .await;
        return true;
    }
    false
}

/// Holds the jobs here against those the platform made.
fn count(stand: &Stand, tally: &mut Tally) {
    let snapshot = stand.engine.snapshot();
    let mut remote = BTreeSet::new();
    for view in &snapshot.jobs {
        let job = &view.job;
        match job.stage {
            Stage::Done => {
                let new = remote.insert(job.remote.as_ref().unwrap().id.clone());
                assert!(new, "two jobs share one; {}", describe(&snapshot));
            }
            Stage::Cancelled => {}
            _ => panic!("{}", describe(&snapshot)),
        }
        let says = |what: &str| job.timeline.iter().any(|at| at.what.contains(what));
        tally.adopted += usize::from(says("adopted"));
        tally.again += usize::from(says("sent again") || says("done again"));
    }
    tally.made = stand.acted(stand.platform.submit);
    assert_eq!(tally.made, tally.jobs, "{tally:?}");
    stand.look();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_lost_answer_never_makes_a_second_job() {
    let losses = usize::try_from(from_environment("LABFERRY_LOST_ANSWERS", 20)).unwrap();
    // Those that take a while, in lanes of their own.
    let mut lanes = Vec::new();
    for platform in PLATFORMS {
        for lane in 0..4 {
            let of_lane = losses / 4 + usize::from(lane < losses % 4);
            lanes.push((platform, of_lane, u64::try_from(lane).unwrap()));
        }
    }
    let came = in_parallel(lanes, |(platform, losses, seed)| async move {
        lose(platform, losses, seed).await
    })
    .await;
    let mut all: BTreeMap<&str, Tally> = BTreeMap::new();
    for ((platform, _, lane), tally) in came {
        let tally = tally.unwrap_or_else(|error| panic!("{} {lane}: {error}", platform.word));
        all.entry(platform.word).or_default().add(&tally);
    }
    for (platform, tally) in all {
        println!("{platform}: {tally:?}");
    }
}
