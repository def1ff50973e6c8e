//! Two days at work, compressed: jobs over four platforms, a fault a minute of the platforms' clock, and the engine in a
//! process of its own, so that its memory can be watched. The process is this binary once more.
//!
//! Batches come one after the other, a few at a time; what has ended is forgotten and its notices are dismissed, as a
//! person would. So the engine has as much to hold at the end as at the start, and what grows is lost.
//!
//! `LABFERRY_SOAK_JOBS` makes it longer (2,000 are 48 hours), `LABFERRY_SOAK_SEED` draws other faults.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Program, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use labferry::engine::command::{Command, Resolution};
use labferry::engine::pace::Pace;
use labferry::engine::snapshot::{CheckState, JobView, Snapshot};
use labferry::engine::{Engine, EngineOptions};
use labferry::model::batch::{BatchDraft, Target};
use labferry::model::connection::ConnectionDraft;
use labferry::model::ids::{BatchId, ConnectionId, JobId, ProviderId};
use labferry::model::job::Stage;
use labferry::model::provider::FanOut;
use labferry::model::secret::Secret;
use labferry::net::client::{NetOptions, Patience};
use labferry::net::retry::RetryPolicy;
use labferry::providers;
use labferry::sandbox::{Sandbox, SandboxOptions};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::harness::{add_files, describe, options, save, target, wait};
use crate::kill::from_environment;

/// How much faster than real life everything is.
const HASTE: u32 = 360;

/// The time of the platforms' clock that so many jobs are spread over.
const HOURS: u32 = 48;
const JOBS_IN_IT: u32 = 2_000;

/// Tells the second run what to do.
const ORDER_VARIABLE: &str = "LABFERRY_TEST_SOAK";

/// Files of a batch; each goes to each platform as a job of its own.
const FILES: u32 = 5;

/// Batches under way at the same time.
const BESIDE: usize = 3;

/// From when on a job that has not ended is stuck.
const STUCK: Duration = Duration::from_mins(4);

/// Jobs from which on memory is held against the limit; fewer do not get beyond warming up.
const MANY: u64 = 500;

/// A pipeline of each platform that takes pictures.
const PIPELINES: [(&str, &str); 4] = [
    ("biodock", "Nuclei count"),
    ("code-ocean", "Image statistics"),
    ("seven-bridges", "Exit with code"),
    ("analytics-automated", "wordcount"),
];

/// Ways to misbehave, one at a time.
const FAULTS: [&str; 15] = [
    "unauthorized",
    "rate-limited",
    "rate-limited-silent",
    "server-error",
    "unavailable",
    "bad-gateway",
    "gateway-timeout",
    "error-list",
    "html",
    "garbled",
    "hang",
    "refuse-before",
    "lost-answer",
    "cut-body",
    "wrong-length",
];

/// Platform, name, and what to fill in: field, value, whether it is secret.
type Stand = (String, String, Vec<(String, String, bool)>);

/// What the second run does.
#[derive(Serialize, Deserialize)]
struct Order {
    top: PathBuf,
    jobs: u32,
    places: Vec<Stand>,
}

/// What it says, a line each time a job has ended.
#[derive(Default, Serialize, Deserialize)]
struct Said {
    ended: u64,
    done: u64,
    retried: u64,
    unconfirmed: u64,
    renewed: u64,
    stuck: Vec<String>,
}

/// The memory a process has now, in KiB: all of it, and what of it is no file's (its program is one).
fn resident(process: u32) -> Option<[u64; 2]> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    };
    Some([of("VmRSS:")?, of("RssAnon:")?])
}

fn mean(values: &[u64]) -> u64 {
    values.iter().sum::<u64>() / (values.len().max(1) as u64)
}

#[test]
fn two_days_of_faults_leave_nothing_stuck_and_no_memory_lost() {
    if cfg!(not(target_os = "linux")) {
        println!("skipped: nobody says here how much memory a process has");
        return;
    }
    let jobs = u32::try_from(from_environment("LABFERRY_SOAK_JOBS", 60)).unwrap();
    let seed = from_environment("LABFERRY_SOAK_SEED", 20_261_121);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(soak(jobs, seed));
}

/// How much memory grew from a quarter to the end, and what it was in between.
fn grown(jobs: u64, samples: &[(u64, [u64; 2])]) -> (f64, String) {
    let between = |from: u64, to: u64| {
        let inside = |ended: u64| (jobs * from..=jobs * to).contains(&(ended * 100));
        let of = samples.iter().filter(|(ended, _)| inside(*ended));
        let memory = of.map(|(_, memory)| *memory);
        let (all, own): (Vec<u64>, Vec<u64>) = memory.map(<(u64, u64)>::from).unzip();
        (mean(&all), mean(&own))
    };
    let (quarter, half, end) = (between(20, 30), between(45, 55), between(90, 100));
    let told = format!(
        "resident KiB, and without files: {quarter:?} at a quarter, {half:?} at half, {end:?} at the end"
    );
    (end.0 as f64 / quarter.0 as f64 - 1.0, told)
}

async fn soak(wanted: u32, seed: u64) {
    let jobs = u64::from(wanted);
    let sandbox = Sandbox::start(SandboxOptions {
        speed: f64::from(HASTE),
        ..SandboxOptions::default()
    })
    .await
    .unwrap();
    let top = tempfile::tempdir().unwrap();
    let addresses = sandbox.addresses();
    let places = addresses.all().iter().map(|place| {
        let entries = place.entries.iter();
        let entries =
            entries.map(|entry| (entry.field.to_owned(), entry.value.clone(), entry.is_secret));
        (
            place.platform.to_owned(),
            place.name.to_owned(),
            entries.collect(),
        )
    });
    let order = Order {
        top: top.path().to_path_buf(),
        jobs: wanted,
        places: places.collect(),
    };
    let (mut child, mut said, reading) = second_run(&order);
    let process = child.id();
    let begun = Instant::now();
    let mut chance = fastrand::Rng::with_seed(seed);
    let endpoints = endpoints();
    let (mut faults, mut missed) = (0_usize, 0_usize);
    let (mut samples, mut last) = (Vec::new(), Said::default());
    let mut minutes = tokio::time::interval(Duration::from_mins(1) / HASTE);
    // The first ones connect undisturbed.
    loop {
        tokio::select! {
            line = said.recv() => match line {
                Some(line) => {
                    if let Some(memory) = resident(process) {
                        samples.push((line.ended, memory));
                    }
                    last = line;
                }
                None => break,
            },
            _ = minutes.tick() => {
                if last.ended < jobs && !samples.is_empty() {
                    missed += sandbox.world().faults().clear();
                    faults += usize::from(disturb(&sandbox, &endpoints, &mut chance));
                }
            }
        }
    }
    let ended = child.wait().unwrap();
    reading.join().unwrap();
    let (growth, memory) = grown(jobs, &samples);
    println!(
        "seed {seed}: {} jobs ended in {:?}, {:.1} h of the platforms' clock, {faults} faults of which \
         {} were met; {memory}, growth \
         {:.2} %; {} done, {} tried again by hand, {} unconfirmed, {} \
         keys renewed, stuck {:?}",
        last.ended,
        begun.elapsed(),
        sandbox.world().now().as_secs_f64() / 3600.0,
        faults - missed,
        growth * 100.0,
        last.done,
        last.retried,
        last.unconfirmed,
        last.renewed,
        last.stuck
    );
    assert!(last.stuck.is_empty(), "{:?}", last.stuck);
    assert!(ended.success());
    assert!(last.ended >= jobs, "{} of {jobs}", last.ended);
    let most = if jobs >= MANY { 0.05 } else { 0.5 };
    assert!(growth < most, "memory grew by {growth}");
}

/// Starts the engine in a process of its own, so that its memory is its own; what it says comes over the channel.
fn second_run(order: &Order) -> (Child, UnboundedReceiver<Said>, JoinHandle<()>) {
    let mut child = Program::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("machine::soak::inside_two_days")
        .env(ORDER_VARIABLE, serde_json::to_string(order).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (lines, said) = tokio::sync::mpsc::unbounded_channel();
    let output = child.stdout.take().unwrap();
    let reading = std::thread::Builder::new()
        .spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // The test's name stands on its first line, too.
                if let Some((_, line)) = line.split_once("soak {") {
                    let line = format!("{{{line}");
                    lines
                        .send(serde_json::from_str::<Said>(&line).unwrap())
                        .unwrap();
                } else {
                    // What is said of one that is stuck.
                    println!("{line}");
                }
            }
        })
        .unwrap();
    (child, said, reading)
}

fn endpoints() -> Vec<&'static str> {
    let simulators = providers::ALL.iter().map(|entry| entry.simulator);
    simulators
        .flat_map(|simulator| simulator.endpoints.iter().copied())
        .collect()
}

/// Makes the next request go wrong: at an endpoint, at a platform, or wherever it is. Unless the next minute comes first:
/// faults that nobody met must not pile up while a connection waits, or it would never get through again.
fn disturb(sandbox: &Sandbox, endpoints: &[&str], chance: &mut fastrand::Rng) -> bool {
    let fault = chance.choice(FAULTS).unwrap();
    let endpoint = chance.choice(endpoints).unwrap();
    let platform = endpoint.split('.').next().unwrap_or(endpoint);
    let text = match chance.u8(..4) {
        0 => format!("{fault}@{endpoint}*1"),
        1 => format!("{fault}@{platform}*1"),
        _ => format!("{fault}*1"),
    };
    sandbox.world().faults().add(&text).is_ok()
}

#[test]
#[ignore = "run by two_days_of_faults_leave_nothing_stuck_and_no_memory_lost in a process of its own"]
fn inside_two_days() {
    let Ok(order) = std::env::var(ORDER_VARIABLE) else {
        return;
    };
    let order: Order = serde_json::from_str(&order).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work(&order));
}

/// The person of the second run: sends batches, sees to what waits for a person, forgets what has ended.
struct Person {
    engine: Engine,
    targets: Vec<Target>,
    said: Said,
    /// When each job was first seen.
    since: BTreeMap<JobId, Instant>,
    /// When a button was last pressed, for a job or for a connection.
    pressed: BTreeMap<Option<JobId>, Instant>,
    /// Counted, and about to be forgotten.
    ended: BTreeSet<JobId>,
    open: BTreeSet<BatchId>,
}

async fn work(order: &Order) {
    let patience = Duration::from_secs(3);
    let engine = Engine::start(EngineOptions {
        pace: Pace {
            poll_scale: 1.0 / f64::from(HASTE),
            ..Pace::TEST
        },
        net: NetOptions {
            haste: NonZeroU32::new(HASTE),
            patience: Patience {
                connect: patience,
                answer: patience,
                idle: patience,
                after_upload: patience,
            },
            retry: RetryPolicy::tiny(),
            ..NetOptions::default()
        },
        ..options(&order.top)
    })
    .unwrap();
    let mut person = Person {
        targets: connect(&engine, order).await,
        engine,
        said: Said::default(),
        since: BTreeMap::new(),
        pressed: BTreeMap::new(),
        ended: BTreeSet::new(),
        open: BTreeSet::new(),
    };
    person.say();
    let a_batch = FILES * u32::try_from(person.targets.len()).unwrap();
    let batches = order.jobs.div_ceil(a_batch);
    let jobs = u64::from(batches * a_batch);
    let mut sent: u32 = 0;
    let every = Duration::from_hours(HOURS.into()) * a_batch / JOBS_IN_IT / HASTE;
    let begun = Instant::now();
    while person.said.ended < jobs && person.said.stuck.is_empty() {
        let is_time = begun.elapsed() >= every * sent;
        if sent < batches && is_time && person.open.len() < BESIDE {
            person.send(&order.top).await;
            sent += 1;
        }
        person.look_after();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    person.engine.shutdown();
}

async fn connect(engine: &Engine, order: &Order) -> Vec<Target> {
    let mut targets = Vec::new();
    for (platform, name, entries) in &order.places {
        let Some((_, pipeline)) = PIPELINES.iter().find(|(known, _)| known == platform) else {
            continue;
        };
        let (secrets, open): (Vec<_>, Vec<_>) =
            entries.iter().partition(|(_, _, is_secret)| *is_secret);
        let draft = ConnectionDraft {
            provider: ProviderId::from(platform.as_str()),
            label: name.clone(),
            entries: open
                .into_iter()
                .map(|(field, value, _)| (field.clone(), value.clone()))
                .collect(),
        };
        let secrets = secrets
            .into_iter()
            .map(|(field, value, _)| (field.clone(), Secret::parse_key(value).unwrap()));
        let id: ConnectionId = save(engine, draft, secrets.collect()).await;
        targets.push(target(engine, id, pipeline, FanOut::OnePerFile));
    }
    assert_eq!(targets.len(), PIPELINES.len());
    targets
}

/// The pictures; written once, as a file that changes after it was picked is refused.
fn pictures(top: &Path) -> Vec<PathBuf> {
    let paths = (0..FILES).map(|number| {
        let picture = image::GrayImage::from_fn(32, 32, |x, y| {
            let far = x.abs_diff(10).pow(2) + y.abs_diff(12 + number).pow(2);
            image::Luma([if far < 30 { 220 } else { 20 }])
        });
        let path = top.join(format!("A{number}.png"));
        if !path.exists() {
            picture.save(&path).unwrap();
        }
        path
    });
    paths.collect()
}

impl Person {
    fn say(&self) {
        println!("soak {}", serde_json::to_string(&self.said).unwrap());
    }

    fn command(&self, command: Command) {
        // A full channel takes it at the next look.
        if self.engine.send(command).is_err() {
            println!("The engine takes this at the next look");
        }
    }

    async fn send(&mut self, top: &Path) {
        let known: BTreeSet<BatchId> = ids(&self.engine.snapshot());
        if self.engine.snapshot().draft.files.is_empty() {
            add_files(&self.engine, pictures(top)).await;
        }
        let draft = BatchDraft {
            name: "Plate 7".to_owned(),
            into: Some(top.join("results")),
            targets: self.targets.clone(),
        };
        loop {
            // A connection that was blocked meanwhile is asked again, or nothing of it could be sent.
            self.look_after();
            self.command(Command::SubmitBatch(draft.clone()));
            let is_there = |snapshot: &Snapshot| !ids(snapshot).is_subset(&known);
            let there = tokio::time::timeout(
                Duration::from_secs(3),
                wait(&self.engine, "the batch", is_there),
            );
            if let Ok(snapshot) = there.await {
                self.open.extend(ids(&snapshot).difference(&known));
                return;
            }
            // A form could not be read: what a person does is press again.
        }
    }

    fn look_after(&mut self) {
        let snapshot = self.engine.snapshot();
        for view in &snapshot.connections {
            if matches!(view.check, CheckState::Bad(_)) && self.may_press(None) {
                self.said.renewed += 1;
                self.command(Command::CheckConnection(view.connection.id));
            }
        }
        for view in &snapshot.jobs {
            let id = view.job.id;
            match view.job.stage {
                Stage::Done | Stage::Cancelled => {
                    if self.ended.insert(id) {
                        self.said.ended += 1;
                        self.said.done += u64::from(view.job.stage == Stage::Done);
                        self.say();
                    }
                    self.command(Command::ForgetJob(id));
                }
                Stage::Failed if self.may_press(Some(id)) => {
                    self.said.retried += 1;
                    self.command(Command::RetryJob(id));
                }
                Stage::Unconfirmed if self.may_press(Some(id)) => {
                    self.said.unconfirmed += 1;
                    self.command(Command::ResolveUnconfirmed(id, Resolution::Leave));
                }
                Stage::Failed | Stage::Unconfirmed => {}
                Stage::Waiting
                | Stage::Uploading
                | Stage::Submitting
                | Stage::Queued
                | Stage::Running
                | Stage::Downloading => self.watch(id, &snapshot),
            }
        }
        for notice in &snapshot.notices {
            self.command(Command::DismissNotice(notice.id));
        }
        let there: BTreeSet<JobId> = snapshot.jobs.iter().map(|view| view.job.id).collect();
        self.since.retain(|id, _| there.contains(id));
        self.pressed
            .retain(|id, _| id.is_none_or(|id| there.contains(&id)));
        self.ended.retain(|id| there.contains(id));
        let batches = ids(&snapshot);
        self.open.retain(|id| batches.contains(id));
    }

    /// Whether a button was not pressed a moment ago.
    fn may_press(&mut self, job: Option<JobId>) -> bool {
        let now = Instant::now();
        let pressed = self.pressed.get(&job);
        if pressed.is_some_and(|at| at.elapsed() < Duration::from_secs(1)) {
            return false;
        }
        self.pressed.insert(job, now);
        true
    }

    /// A job that goes on for too long is stuck.
    fn watch(&mut self, id: JobId, snapshot: &Snapshot) {
        let since = *self.since.entry(id).or_insert_with(Instant::now);
        if since.elapsed() > STUCK {
            self.said.stuck.push(format!("{id:?}"));
            println!("{}", describe(snapshot));
            let of = |view: &&Arc<JobView>| view.job.id == id;
            println!("{:#?}", snapshot.jobs.iter().find(of));
            for view in &snapshot.connections {
                println!("{}: {:?}", view.connection.label, view.check);
            }
            self.say();
        }
    }
}

fn ids(snapshot: &Snapshot) -> BTreeSet<BatchId> {
    snapshot.batches.iter().map(|batch| batch.id).collect()
}
