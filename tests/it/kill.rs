//! The plug is pulled: `kill -9` of the real program at moments drawn from a seed, over and over on one data folder.
//! In the end every job has ended, none was submitted twice, and every file is what the platform sent.
//!
//! `LABFERRY_KILL_ROUNDS` makes it longer, `LABFERRY_KILL_SEED` draws other moments.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::{Duration, Instant};

use labferry::model::job::Stage;
use labferry::results::receipt::{self, Outcome};
use labferry::sandbox::{Sandbox, SandboxOptions};
use labferry::store::journal::Journal;

use crate::program::{Place, Ran, files, folders, sample};

/// Half of the moments lie so long after the start: some before anything is sent, some after everything is done.
const FROM_START_MILLIS: u64 = 4_000;

/// The others so long after the batch has its folder: while files are sent, and submissions are on their way.
const FROM_BATCH_MILLIS: u64 = 400;

pub(crate) fn from_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_moment_no_job_is_lost_or_doubled() {
    let rounds = from_environment("LABFERRY_KILL_ROUNDS", 8);
    let seed = from_environment("LABFERRY_KILL_SEED", 20_261_121);
    let mut chance = fastrand::Rng::with_seed(seed);
    let sandbox = Sandbox::start(SandboxOptions {
        speed: 8.0,
        ..SandboxOptions::default()
    })
    .await
    .unwrap();
    let place = Place::new();
    let key = sandbox.addresses().entry("biodock", "key");
    connect(&place, &sandbox, &key);
    let mut moments = Vec::new();
    for round in 0..rounds {
        let (from_batch, longest) = if chance.bool() {
            (true, FROM_BATCH_MILLIS)
        } else {
            (false, FROM_START_MILLIS)
        };
        let moment = chance.u64(0..longest);
        moments.push((if from_batch { "batch" } else { "start" }, moment));
        let child = send(&place, &key, round);
        kill(&place, child, from_batch, Duration::from_millis(moment)).await;
    }
    let told = format!("seed {seed}, killed so many ms from {moments:?}");
    let ended = resume(&place, &key).await;
    assert!(matches!(ended.code, Some(0 | 1)), "{told}\n{ended:#?}");
    look(&place, &sandbox, &told);
}

fn connect(place: &Place, sandbox: &Sandbox, key: &str) {
    let addresses = sandbox.addresses();
    let biodock = addresses.entry("biodock", "url");
    let server = addresses.entry("analytics-automated", "url");
    for words in [
        &["biodock", "--label", "Imaging", "--url", &biodock][..],
        &[
            "analytics-automated",
            "--label",
            "Server",
            "--url",
            &server,
            "--email",
            "someone@example.org",
        ],
    ] {
        let mut program = place.program();
        // One key for all is in the environment; the second platform has no use for it.
        program.env("LABFERRY_KEY", key).arg("connect").args(words);
        Ran::of(program.output().unwrap()).ended_with(0);
    }
}

/// Sends to one platform after the other; what the killed one left is carried on by the next as well.
fn send(place: &Place, key: &str, round: u64) -> Child {
    let mut program = place.program();
    program
        .env("LABFERRY_KEY", key)
        .args(["send", "--into"])
        .arg(place.path("into"));
    if round.is_multiple_of(2) {
        program.args(["--to", "Imaging", "--pipeline", "Nuclei count"]);
        program.args([sample("P01_A01_DAPI.png"), sample("P01_B01_DAPI.jpg")]);
    } else {
        program.args(["--to", "Server", "--pipeline", "zipresults"]);
        program.args([sample("plate layout.csv"), sample("ubiquitin.fasta")]);
    }
    program.spawn().unwrap()
}

fn batches(place: &Place) -> usize {
    let into = place.path("into");
    if into.exists() {
        folders(&into).len()
    } else {
        0
    }
}

/// Kills it at this moment, unless it has ended by then.
async fn kill(place: &Place, mut child: Child, from_batch: bool, moment: Duration) {
    let before = batches(place);
    while from_batch && batches(place) == before && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    if ends_within(&mut child, moment).await {
        let ran = Ran::of(child.wait_with_output().unwrap());
        // A job that waits for a person makes it end with 1.
        assert!(
            ran.said.contains("1 job: ") || ran.said.contains("2 jobs: "),
            "{ran:#?}"
        );
    } else {
        // On Unix this is SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// Whether a program ends by itself within this time.
async fn ends_within(child: &mut Child, time: Duration) -> bool {
    let deadline = Instant::now() + time;
    loop {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// `resume` until nothing moves any more. It ends by itself when everything is settled.
async fn resume(place: &Place, key: &str) -> Ran {
    let mut program = place.program();
    program.env("LABFERRY_KEY", key).arg("resume");
    let mut child = program.spawn().unwrap();
    let ended = ends_within(&mut child, Duration::from_mins(2)).await;
    if !ended {
        child.kill().unwrap();
    }
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(ended, "resume does not end\n{ran:#?}");
    ran
}

/// Holds the journal, the platforms and the disk against each other.
fn look(place: &Place, sandbox: &Sandbox, told: &str) {
    let contents = Journal::open(&place.path("data")).unwrap().contents;
    let mut unconfirmed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut jobs: BTreeMap<&str, usize> = BTreeMap::new();
    for job in &contents.jobs {
        let endpoint = if job.connection_label == "Imaging" {
            "biodock.submit"
        } else {
            "aa.submit"
        };
        *jobs.entry(endpoint).or_default() += 1;
        match job.stage {
            Stage::Done => assert!(job.remote.is_some(), "{told}\n{job:#?}"),
            Stage::Unconfirmed => *unconfirmed.entry(endpoint).or_default() += 1,
            _ => panic!("{told}\nneither done nor unconfirmed: {job:#?}"),
        }
    }
    for (endpoint, jobs) in &jobs {
        let open = unconfirmed.get(endpoint).copied().unwrap_or_default();
        let made = sandbox
            .world()
            .requests()
            .at(endpoint)
            .iter()
            .filter(|request| request.status.is_some_and(|status| status < 300))
            .count();
        // An unconfirmed job may or may not have been made; that is why it waits for a person.
        assert!(
            made <= *jobs && made + open >= *jobs,
            "{told}\n{endpoint}: {jobs} jobs, {open} unconfirmed, {made} made by the platform"
        );
    }
    let mut remote: Vec<_> = contents
        .jobs
        .iter()
        .filter_map(|job| job.remote.as_ref())
        .map(|remote| &remote.id)
        .collect();
    let all = remote.len();
    remote.sort();
    remote.dedup();
    assert_eq!(remote.len(), all, "{told}\ntwo jobs share a handle");
    for batch in &contents.batches {
        let settled = contents
            .jobs
            .iter()
            .filter(|job| job.batch == batch.id)
            .all(|job| job.stage == Stage::Done);
        let checked = receipt::check(&batch.folder);
        if !settled && checked.is_err() {
            continue;
        }
        for file in checked.unwrap() {
            assert_eq!(
                file.outcome,
                Outcome::Same,
                "{told}\n{}: {}",
                batch.folder.display(),
                file.path
            );
        }
    }
    for folder in folders(&place.path("into")) {
        // Killed between making the folder and writing down the batch: nothing was sent, and nothing is in it.
        let known = contents.batches.iter().any(|batch| batch.folder == folder);
        assert!(
            known || files(&folder).is_empty(),
            "{told}\n{}",
            folder.display()
        );
    }
    println!(
        "{told}: {} batches, {jobs:?} jobs, {unconfirmed:?} unconfirmed",
        contents.batches.len()
    );
}
