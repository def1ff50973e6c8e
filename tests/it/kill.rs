//! The plug is pulled: `kill -9` of the real program at moments drawn from a seed, over and over on one data folder, while
//! it works with all four platforms over real sockets. In the end every job has ended, none was submitted twice, every
//! file that a platform holds is the one that was sent, and all results of the same files are the same, whenever the plug
//! was pulled.
//!
//! Files are long enough, and the sandbox slow enough, that most kills meet something under way; what it was is counted.
//! `LABFERRY_KILL_ROUNDS` makes it longer, `LABFERRY_KILL_SEED` draws other moments.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Output};
use std::time::{Duration, Instant};

use labferry::model::job::{Job, Stage};
use labferry::results::receipt::{self, Outcome};
use labferry::sandbox::{Sandbox, SandboxOptions};
use labferry::store::journal::{Contents, Journal};
use sha2::{Digest as _, Sha256};

use crate::program::{Place, Ran, files, folders, sample};

/// A moment lies so long after the start at most, when it is counted from there: most of them before anything is sent.
const FROM_START_MILLIS: u64 = 2_000;

/// And so long after what it is counted from else.
const FROM_THERE_MILLIS: u64 = 150;

/// Bytes behind the end of each file that is sent; no platform minds them.
const TAIL_BYTES: usize = 1 << 20;

/// A file that was written to so short a time ago grows.
const GROWING: Duration = Duration::from_millis(300);

/// What slows transfers down, so that a kill meets them on their way. Not what an Analytics Automated server is sent: it
/// cannot be asked what it has made, and a submission that takes longer than any program lives would leave every job of
/// this test to the person.
const SLOW: [&str; 7] = [
    "slow@biodock.upload",
    "slow@code_ocean.bucket",
    "slow@storage.sb-part",
    "slow@aa.file",
    "slow@storage.get",
    "sb.min-part=1024",
    "sb.part-size=131072",
];

/// A platform as the program is used with it.
struct Platform {
    word: &'static str,
    label: &'static str,
    pipeline: &'static str,
    /// Samples of which two are sent.
    samples: [&'static str; 2],
    /// What makes a job, and where the bytes of files travel.
    submit: &'static str,
    up: &'static str,
    down: &'static str,
}

const PLATFORMS: [Platform; 4] = [
    Platform {
        word: "biodock",
        label: "Imaging",
        pipeline: "Nuclei count",
        samples: ["P01_A01_DAPI.png", "P01_B01_DAPI.jpg"],
        submit: "biodock.submit",
        up: "biodock.upload",
        down: "storage.get",
    },
    Platform {
        word: "analytics-automated",
        label: "Server",
        pipeline: "zipresults",
        samples: ["plate layout.csv", "ubiquitin.fasta"],
        submit: "aa.submit",
        up: "aa.submit",
        down: "aa.file",
    },
    Platform {
        word: "code-ocean",
        label: "Ocean",
        pipeline: "Image statistics",
        samples: ["P01_A01_DAPI.png", "P01_B01_DAPI.jpg"],
        submit: "code_ocean.submit",
        up: "code_ocean.bucket",
        down: "storage.get",
    },
    Platform {
        word: "seven-bridges",
        label: "Bridges",
        pipeline: "john_doe/plate-7/table-summary/2",
        samples: ["plate layout.csv", "expression summary.tsv"],
        submit: "sb.run-task",
        up: "storage.sb-part",
        down: "storage.get",
    },
];

pub(crate) fn from_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// What was under way when a program was killed.
#[derive(Debug, Default)]
struct Met {
    uploads: usize,
    submissions: usize,
    downloads: usize,
    other: usize,
    /// It had ended before.
    nothing: usize,
    /// Requests that are no news any more.
    seen: usize,
}

/// From when a moment is counted.
#[derive(Clone, Copy, Debug)]
enum From {
    Start,
    /// Bytes of a file are on their way.
    Sending,
    /// The platform is asked to make a job.
    Submitting,
    /// A result is on its way.
    Fetching,
}

/// When a program is killed.
#[derive(Clone, Copy, Debug)]
struct Moment {
    from: From,
    millis: u64,
}

impl Moment {
    fn draw(chance: &mut fastrand::Rng) -> Self {
        let (from, longest) = match chance.u8(..4) {
            0 => (From::Start, FROM_START_MILLIS),
            1 => (From::Sending, FROM_THERE_MILLIS),
            2 => (From::Submitting, FROM_THERE_MILLIS),
            _ => (From::Fetching, FROM_THERE_MILLIS),
        };
        Self {
            from,
            millis: chance.u64(0..longest),
        }
    }

    /// Whether what it is counted from is there; `seen` requests are those of earlier programs.
    fn has_come(self, place: &Place, sandbox: &Sandbox, seen: usize) -> bool {
        let reached = |of: fn(&Platform) -> &'static str| {
            let all = sandbox.world().requests().all();
            all.iter().skip(seen).any(|request| {
                let asked = |platform: &Platform| request.endpoint == Some(of(platform));
                PLATFORMS.iter().any(asked)
            })
        };
        match self.from {
            From::Start => true,
            From::Sending => reached(|platform| platform.up),
            From::Submitting => reached(|platform| platform.submit),
            From::Fetching => is_fetching(place),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_moment_no_job_is_lost_or_doubled() {
    let rounds = from_environment("LABFERRY_KILL_ROUNDS", 8);
    let seed = from_environment("LABFERRY_KILL_SEED", 20_261_121);
    let mut chance = fastrand::Rng::with_seed(seed);
    let sandbox = Sandbox::start(SandboxOptions {
        speed: 8.0,
        faults: SLOW.iter().map(ToString::to_string).collect(),
        ..SandboxOptions::default()
    })
    .await
    .unwrap();
    let place = PLATFORMS.iter().fold(Place::new(), |place, platform| {
        place.with_env(
            &format!("LABFERRY_KEY_{}", platform.label.to_uppercase()),
            &secrets(&sandbox, platform),
        )
    });
    for platform in &PLATFORMS {
        connect(&place, &sandbox, platform);
    }
    let started = Instant::now();
    let mut moments = Vec::new();
    let mut met = Met::default();
    for (round, platform) in (0..rounds).zip(PLATFORMS.iter().cycle()) {
        let moment = Moment::draw(&mut chance);
        moments.push((moment.from, moment.millis));
        let child = send(&place, platform, &inputs(&place, platform, round));
        kill(&place, &sandbox, child, moment, &mut met).await;
    }
    let told = format!("seed {seed}, killed so many ms after {moments:?}");
    println!("{rounds} kills met {met:?}");
    let killed = started.elapsed();
    sandbox.world().faults().clear();
    let ended = resume(&place, rounds).await;
    assert!(matches!(ended.code, Some(0 | 1)), "{told}\n{ended:#?}");
    look(&place, &sandbox, &told);
    println!(
        "killed within {killed:?}, all over after {:?}",
        started.elapsed()
    );
}

/// The secrets of a connection, one a line, as its variable holds them.
fn secrets(sandbox: &Sandbox, platform: &Platform) -> String {
    let addresses = sandbox.addresses();
    let place = addresses
        .all()
        .iter()
        .find(|place| place.platform == platform.word)
        .unwrap();
    let secrets: Vec<&str> = place
        .entries
        .iter()
        .filter(|entry| entry.is_secret)
        .map(|entry| entry.value.as_str())
        .collect();
    secrets.join("\n")
}

fn connect(place: &Place, sandbox: &Sandbox, platform: &Platform) {
    let addresses = sandbox.addresses();
    let entries = addresses
        .all()
        .iter()
        .find(|place| place.platform == platform.word)
        .unwrap();
    let mut program = place.program();
    program.args(["connect", platform.word, "--label", platform.label]);
    for entry in entries.entries.iter().filter(|entry| !entry.is_secret) {
        program
            .arg(format!("--{}", entry.field.replace('_', "-")))
            .arg(&entry.value);
    }
    Ran::of(program.output().unwrap()).ended_with(0);
}

/// Two samples with a tail of their own, so that no file is like another.
fn inputs(place: &Place, platform: &Platform, round: u64) -> Vec<PathBuf> {
    let folder = place.path(&format!("inputs {round} {}", platform.word));
    std::fs::create_dir_all(&folder).unwrap();
    let mut chance = fastrand::Rng::with_seed(round);
    let is_text = |name: &str| {
        !Path::new(name)
            .extension()
            .is_some_and(|end| end == "png" || end == "jpg")
    };
    platform
        .samples
        .iter()
        .map(|name| {
            let path = folder.join(name);
            let mut bytes = std::fs::read(sample(name)).unwrap();
            let tail = std::iter::repeat_with(|| if is_text(name) { b'\n' } else { chance.u8(..) });
            bytes.extend(tail.take(TAIL_BYTES));
            // Neither blank lines nor what follows a picture change what a platform makes of a file.
            bytes.extend(format!("{round:08}").bytes().filter(|_| !is_text(name)));
            File::create(&path).unwrap().write_all(&bytes).unwrap();
            path
        })
        .collect()
}

/// Sends to one platform after the other; what the killed one left is carried on by the next as well.
fn send(place: &Place, platform: &Platform, inputs: &[PathBuf]) -> Child {
    let mut program = place.program();
    program
        .args([
            "send",
            "--to",
            platform.label,
            "--pipeline",
            platform.pipeline,
            "--into",
        ])
        .arg(place.path("into"))
        .args(inputs);
    program.spawn().unwrap()
}

/// Kills it at this moment, unless it has ended by then.
async fn kill(place: &Place, sandbox: &Sandbox, mut child: Child, moment: Moment, met: &mut Met) {
    while child.try_wait().unwrap().is_none() && !moment.has_come(place, sandbox, met.seen) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    if ends_within(&mut child, Duration::from_millis(moment.millis)).await {
        let ran = Ran::of(child.wait_with_output().unwrap());
        // A job that waits for a person makes it end with 1.
        assert!(
            ran.said.contains("1 job: ") || ran.said.contains("2 jobs: "),
            "{ran:#?}"
        );
        met.nothing += 1;
    } else {
        met.note(place, sandbox);
        // On Unix this is SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Met {
    /// Notes what is under way at this moment.
    fn note(&mut self, place: &Place, sandbox: &Sandbox) {
        let open: BTreeSet<&str> = sandbox
            .world()
            .requests()
            .all()
            .iter()
            // What was cut by an earlier kill is never answered.
            .skip(self.seen)
            .filter(|request| request.status.is_none())
            .filter_map(|request| request.endpoint)
            .collect();
        self.seen = sandbox.world().requests().all().len();
        let any = |of: fn(&Platform) -> &'static str| {
            PLATFORMS.iter().any(|platform| open.contains(of(platform)))
        };
        if is_fetching(place) || any(|platform| platform.down) {
            self.downloads += 1;
        } else if any(|platform| platform.up) {
            self.uploads += 1;
        } else if any(|platform| platform.submit) {
            self.submissions += 1;
        } else {
            self.other += 1;
        }
    }
}

/// Whether a result grows under the name of one that is not complete.
fn is_fetching(place: &Place) -> bool {
    let into = place.path("into");
    let grows = |file: &PathBuf| {
        let modified = std::fs::metadata(file).and_then(|about| about.modified());
        let age = modified.ok().and_then(|modified| modified.elapsed().ok());
        file.extension().is_some_and(|end| end == "part") && age < Some(GROWING)
    };
    into.is_dir() && files(&into).iter().any(grows)
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
async fn resume(place: &Place, jobs: u64) -> Ran {
    let mut program = place.program();
    // Into files: a pipe that nobody reads meanwhile holds up a program that has much to tell.
    let (mut said, mut complained) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    program
        .arg("resume")
        .stdout(said.try_clone().unwrap())
        .stderr(complained.try_clone().unwrap());
    let mut child = program.spawn().unwrap();
    let patience = Duration::from_mins(2) + Duration::from_secs(2 * jobs);
    let ended = ends_within(&mut child, patience).await;
    if !ended {
        child.kill().unwrap();
    }
    let ran = Ran::of(Output {
        status: child.wait().unwrap(),
        stdout: all_of(&mut said),
        stderr: all_of(&mut complained),
    });
    assert!(ended, "resume does not end\n{ran:#?}");
    ran
}

fn all_of(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Holds the journal, the platforms and the disk against each other.
fn look(place: &Place, sandbox: &Sandbox, told: &str) {
    let contents = Journal::open(&place.path("data")).unwrap().contents;
    for platform in &PLATFORMS {
        let jobs: Vec<&Job> = contents
            .jobs
            .iter()
            .map(AsRef::as_ref)
            .filter(|job| job.connection_label == platform.label)
            .collect();
        let mut unconfirmed = 0;
        for job in &jobs {
            match job.stage {
                Stage::Done => assert!(job.remote.is_some(), "{told}\n{job:#?}"),
                Stage::Unconfirmed => unconfirmed += 1,
                _ => panic!("{told}\nneither done nor unconfirmed: {job:#?}"),
            }
        }
        let made = sandbox
            .world()
            .requests()
            .at(platform.submit)
            .iter()
            .filter(|request| request.acted.is_some_and(|status| status < 300))
            .count();
        // An unconfirmed job may or may not have been made; that is why it waits for a person.
        assert!(
            made <= jobs.len() && made + unconfirmed >= jobs.len(),
            "{told}\n{}: {} jobs, {unconfirmed} unconfirmed, {made} made by the platform",
            platform.label,
            jobs.len()
        );
        println!(
            "{}: {} jobs, {unconfirmed} unconfirmed, {made} made",
            platform.label,
            jobs.len()
        );
        let remote: Vec<&str> = jobs
            .iter()
            .filter_map(|job| job.remote.as_ref())
            .map(|remote| remote.id.as_str())
            .collect();
        let different: BTreeSet<&str> = remote.iter().copied().collect();
        assert_eq!(
            different.len(),
            remote.len(),
            "{told}\ntwo jobs share a handle"
        );
    }
    results(&contents, told);
    inputs_there(place, sandbox, told);
    for folder in folders(&place.path("into")) {
        // Killed between making the folder and writing down the batch: nothing was sent, and nothing is in it.
        let known = contents.batches.iter().any(|batch| batch.folder == folder);
        assert!(
            known || files(&folder).is_empty(),
            "{told}\n{}",
            folder.display()
        );
    }
}

/// Every batch that has ended has its files as the receipt says, and the very results of the others of its platform.
fn results(contents: &Contents, told: &str) {
    let mut known: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut compared = 0;
    for batch in &contents.batches {
        let jobs: Vec<_> = contents
            .jobs
            .iter()
            .filter(|job| job.batch == batch.id)
            .collect();
        let settled = jobs.iter().all(|job| job.stage == Stage::Done);
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
        if !settled {
            continue;
        }
        // By what they hold: a platform may number a name that is taken.
        let mut found: Vec<String> = receipt::read(&batch.folder)
            .unwrap()
            .files
            .iter()
            .map(|file| print_of(&batch.folder.join(&file.path)))
            .collect();
        assert!(!found.is_empty(), "{told}\n{}", batch.folder.display());
        found.sort();
        let label = jobs[0].connection_label.as_str();
        match known.get(label) {
            None => drop(known.insert(label, found)),
            Some(right) => {
                assert_eq!(right, &found, "{told}\n{label}: {}", batch.folder.display());
                compared += 1;
            }
        }
    }
    println!("{compared} batches have the results of another");
}

/// What a file holds, without the numbers a platform draws for each job.
fn print_of(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    let Ok(text) = String::from_utf8(bytes) else {
        return hash(&std::fs::read(path).unwrap());
    };
    let drawn = regex::Regex::new(
        "labferry-[0-9a-z]{8}|[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{4,12}|[0-9a-f]{12,}",
    )
    .unwrap();
    let text = drawn.replace_all(&text, "#").into_owned();
    // What the server puts behind the name of an upload that is taken already (Django's storage does so).
    let taken = regex::Regex::new(r"_[0-9A-Za-z]{7}\.(csv|fasta)\b").unwrap();
    let text = taken.replace_all(&text, ".$1").into_owned();
    // Rows stand in the order of such numbers.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    hash(lines.join("\n").as_bytes())
}

fn hash(bytes: &[u8]) -> String {
    let pairs: Vec<String> = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    pairs.concat()
}

/// Whatever lies at a platform or in the bucket and is as long as a file that was sent is that file. An upload that was
/// never completed is no file there.
fn inputs_there(place: &Place, sandbox: &Sandbox, told: &str) {
    let mut sent: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(place.path("")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        for file in files(&folder)
            .iter()
            .filter(|_| name.starts_with("inputs "))
        {
            let bytes = std::fs::read(file).unwrap();
            let size = u64::try_from(bytes.len()).unwrap();
            sent.entry(size).or_default().insert(hash(&bytes));
        }
    }
    let mut compared = 0;
    let open = Path::new("seven-bridges/open");
    let there = sandbox.world().folder();
    for file in files(there) {
        if file.strip_prefix(there).unwrap().starts_with(open) {
            continue;
        }
        let size = std::fs::metadata(&file).unwrap().len();
        if let Some(right) = sent.get(&size) {
            let found = hash(&std::fs::read(&file).unwrap());
            assert!(right.contains(&found), "{told}\n{}", file.display());
            compared += 1;
        }
    }
    println!("{compared} files at the platforms are those that were sent");
}
