//! The clock of the machine is set or slept over while the real engine works against real sockets.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use labferry::engine::EngineOptions;
use labferry::engine::clock::Clock;
use labferry::engine::snapshot::Snapshot;
use labferry::model::job::Stage;
use labferry::net::client::{NetOptions, Patience};
use labferry::net::retry::RetryPolicy;

use super::Bench;
use crate::harness::{add_files, connect_analytics, describe, send, target, wait};
use labferry::model::provider::FanOut;

/// Everything goes on within this time of a jump.
const A_MINUTE: Duration = Duration::from_mins(1);

async fn bench(clock: &Clock) -> Bench {
    Bench::start(|options| EngineOptions {
        clock: clock.clone(),
        ..options
    })
    .await
}

fn nothing_failed(snapshot: &Snapshot) {
    for view in &snapshot.jobs {
        let stage = view.job.stage;
        assert!(
            !matches!(stage, Stage::Failed | Stage::Cancelled | Stage::Unconfirmed),
            "{}",
            describe(snapshot)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_about_holds_nothing_up() {
    let clock = Clock::default();
    let bench = bench(&clock).await;
    bench.both().await;
    // Back as long as anything has to be waited for, and far forward in between.
    for hours in [-3, 30, -48, 1] {
        clock.set_by(SignedDuration::from_hours(hours));
        tokio::time::sleep(Duration::from_millis(60)).await;
        nothing_failed(&bench.engine.snapshot());
    }
    let begun = Instant::now();
    bench.all_done().await;
    assert!(begun.elapsed() < A_MINUTE);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_on_a_dead_connection_after_a_sleep_is_begun_anew() {
    let clock = Clock::default();
    let bench = bench(&clock).await;
    // With the patience of real platforms each of these would hang for a minute and more.
    for endpoint in ["biodock.upload", "biodock.status", "storage.get"] {
        bench.fault(&format!("hang@{endpoint}*1"));
    }
    bench.imaging().await;
    for endpoint in ["biodock.upload", "biodock.status", "storage.get"] {
        let begun = Instant::now();
        // While it hangs nothing need change on screen: the server is asked, not the snapshots.
        let asked = async |times: usize| {
            let counted = async {
                while bench.count(endpoint) < times {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let most = A_MINUTE.saturating_sub(Duration::from_secs(5));
            let state = || describe(&bench.engine.snapshot());
            let in_time = tokio::time::timeout(most, counted).await;
            in_time.unwrap_or_else(|_| panic!("{endpoint} not asked {times} times: {}", state()));
        };
        asked(1).await;
        clock.set_by(SignedDuration::from_hours(8));
        asked(2).await;
        println!("{endpoint}: begun anew {:?} after it hung", begun.elapsed());
        nothing_failed(&bench.engine.snapshot());
    }
    bench.all_done().await;
    assert_eq!(bench.count("biodock.submit"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_may_have_gone_through_is_not_broken_off() {
    let clock = Clock::default();
    let patience = Duration::from_secs(15);
    let bench = Bench::start(|options| EngineOptions {
        clock: clock.clone(),
        net: NetOptions {
            patience: Patience {
                connect: patience,
                answer: patience,
                idle: patience,
                after_upload: patience,
            },
            retry: RetryPolicy::tiny(),
            ..NetOptions::default()
        },
        ..options
    })
    .await;
    bench.fault("hang@aa.submit*1");
    let institute = connect_analytics(&bench.engine, &bench.sandbox).await;
    let target = target(&bench.engine, institute, "zipresults", FanOut::OnePerFile);
    add_files(&bench.engine, vec![bench.picture()]).await;
    send(&bench.engine, "Plate 7", &bench.results(), vec![target]).await;
    wait(&bench.engine, "the submission", |snapshot| {
        snapshot.jobs[0].job.stage == Stage::Submitting
    })
    .await;
    clock.set_by(SignedDuration::from_hours(8));
    wait(&bench.engine, "its end", |snapshot| {
        snapshot.jobs[0].job.stage == Stage::Unconfirmed
    })
    .await;
    assert_eq!(bench.count("aa.submit"), 1, "sent twice");
}
