//! Five hundred jobs on one connection whose platform counts requests: polls take half of those at most, and nothing is
//! refused. The window of the count is that of the documentation, by the sandbox's own clock.
//!
//! `LABFERRY_MANY_JOBS` changes how many.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use labferry::engine::pace::Pace;
use labferry::engine::snapshot::Snapshot;
use labferry::engine::{Engine, EngineOptions};
use labferry::model::job::Stage;
use labferry::model::provider::FanOut;
use labferry::net::client::NetOptions;
use labferry::sandbox::request_log::RequestRecord;
use labferry::sandbox::{Sandbox, SandboxOptions};

use crate::harness::{add_files, connect_demo, describe, options, send, target, wait};

/// How much faster than real life everything is: the platform's clock, our waits between polls, our own politeness.
const HASTE: u32 = 60;

/// A window of the platform's count of requests, by its documentation.
const WINDOW: Duration = Duration::from_mins(5);

/// Requests in a window, by its documentation.
const ALLOWED: usize = 1000;

/// Longest for everything to be submitted, and to be done.
const PATIENCE: Duration = Duration::from_mins(5);

/// The questions of polls while all jobs are under way.
const POLLS: [&str; 3] = ["sb.bulk-tasks", "sb.tasks", "sb.task"];

/// The questions of polls when jobs end: a single task is then read for its results.
const POLLS_AT_THE_END: [&str; 2] = ["sb.bulk-tasks", "sb.tasks"];

struct Bench {
    engine: Engine,
    sandbox: Sandbox,
    top: tempfile::TempDir,
}

impl Bench {
    async fn start() -> Self {
        let top = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(SandboxOptions {
            speed: f64::from(HASTE),
            faults: vec!["sb.life=stays".to_owned()],
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let engine = Engine::start(EngineOptions {
            pace: Pace {
                poll_scale: 1.0 / f64::from(HASTE),
                ..Pace::TEST
            },
            net: NetOptions {
                haste: NonZeroU32::new(HASTE),
                ..NetOptions::default()
            },
            ..options(top.path())
        })
        .unwrap();
        Self {
            engine,
            sandbox,
            top,
        }
    }

    fn texts(&self, count: usize) -> Vec<PathBuf> {
        let folder = self.top.path().join("texts");
        std::fs::create_dir(&folder).unwrap();
        let paths = (0..count).map(|number| {
            let path = folder.join(format!("reads {number}.txt"));
            let text = "a line\n".repeat(number % 7 + 1);
            std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), text.as_bytes())
                .unwrap();
            path
        });
        paths.collect()
    }

    /// Requests at the platform, with those at its storage left out: they do not count.
    fn counted(&self) -> Vec<RequestRecord> {
        let mut all = self.sandbox.world().requests().all();
        all.retain(|request| !request.at_storage);
        all
    }

    fn polls(&self, names: &[&str]) -> usize {
        let polls =
            |request: &&RequestRecord| request.endpoint.is_some_and(|name| names.contains(&name));
        self.counted().iter().filter(polls).count()
    }

    /// Waits until so many jobs have one of these stages, looking at the polls of each window meanwhile.
    async fn until(&self, what: &str, windows: &mut Windows, is_there: impl Fn(&Snapshot) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let snapshot = self.engine.snapshot();
            windows.look(self.sandbox.world().now(), self.polls(windows.names));
            if is_there(&snapshot) {
                return;
            }
            if Instant::now() >= deadline {
                let stages: Vec<_> = snapshot.jobs.iter().map(|view| view.job.stage).collect();
                let first = describe(&snapshot);
                let first: String = first.chars().take(2_000).collect();
                panic!("{what} did not come: {stages:?}\n{first}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// How many polls there were at which time, by the platform's clock.
struct Windows {
    names: &'static [&'static str],
    seen: Vec<(Duration, usize)>,
}

impl Windows {
    const fn of(names: &'static [&'static str]) -> Self {
        let seen = Vec::new();
        Self { names, seen }
    }

    fn look(&mut self, now: Duration, polls: usize) {
        self.seen.push((now, polls));
    }

    /// Most polls within any window that was looked at.
    fn most(&self) -> usize {
        let within = |(place, (start, before)): (usize, &(Duration, usize))| {
            let inside = self.seen[place..].iter();
            let last = inside.take_while(|(now, _)| *now <= *start + WINDOW).last();
            last.map_or(0, |(_, polls)| polls - before)
        };
        self.seen.iter().enumerate().map(within).max().unwrap_or(0)
    }
}

fn all_in(snapshot: &Snapshot, count: usize, stages: &[Stage]) -> bool {
    snapshot.jobs.len() == count
        && snapshot
            .jobs
            .iter()
            .all(|view| stages.contains(&view.job.stage))
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_jobs_leave_half_of_the_requests_to_others() {
    let count = std::env::var("LABFERRY_MANY_JOBS").map_or(500, |text| {
        text.parse().expect("LABFERRY_MANY_JOBS is a number")
    });
    let bench = Bench::start().await;
    let connection = connect_demo(&bench.engine, &bench.sandbox, "seven-bridges").await;
    let pipeline = "Count lines";
    let target = target(&bench.engine, connection, pipeline, FanOut::OnePerFile);
    add_files(&bench.engine, bench.texts(count)).await;
    let results = bench.top.path().join("results");
    send(&bench.engine, "Plate 7", &results, vec![target]).await;
    let mut windows = Windows::of(&POLLS);
    let alive = [Stage::Queued, Stage::Running];
    bench
        .until("everything under way", &mut windows, |snapshot| {
            all_in(snapshot, count, &alive)
        })
        .await;
    // All of them are alive for three windows.
    let (begun, polls) = (bench.sandbox.world().now(), bench.polls(&POLLS));
    bench
        .until("three windows", &mut windows, |_| {
            bench.sandbox.world().now() >= begun + 3 * WINDOW
        })
        .await;
    let minutes = (bench.sandbox.world().now().saturating_sub(begun)).as_secs_f64() / 60.0;
    let asked = bench.polls(&POLLS) - polls;
    let a_job_minute = asked as f64 / (minutes * count as f64);
    let mut ending = Windows::of(&POLLS_AT_THE_END);
    bench.sandbox.world().faults().add("sb.life=usual").unwrap();
    bench
        .until("the end of all jobs", &mut ending, |snapshot| {
            all_in(snapshot, count, &[Stage::Done])
        })
        .await;
    let snapshot = wait(&bench.engine, "the end", |_| true).await;
    let counted = bench.counted();
    let most = windows.most().max(ending.most());
    println!(
        "{count} jobs: {asked} polls in {minutes:.1} min of the platform's clock, {a_job_minute:.4} a job-minute; at most \
         {} of {ALLOWED} in a window; {} requests in all",
        most,
        counted.len()
    );
    assert!(asked > 0, "nobody asked how the jobs stand");
    assert!(a_job_minute < 0.1, "{a_job_minute} polls a job-minute");
    assert!(most <= ALLOWED / 2, "{most} polls in a window");
    let refused = counted.iter().filter(|request| request.status == Some(429));
    assert_eq!(refused.count(), 0, "requests over the limit");
    let begun = counted
        .iter()
        .filter(|request| request.endpoint == Some("sb.run-task") && request.status == Some(200));
    assert_eq!(begun.count(), count, "{}", describe(&snapshot));
    bench.engine.shutdown();
}
