//! A pulled plug after every journal write: a fresh engine on the same data folder ends in the same state, nothing is
//! sent twice, and no file is half a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use labferry::engine::command::{Command, Resolution};
use labferry::engine::snapshot::{Phase, Snapshot};
use labferry::engine::{Engine, EngineOptions};
use labferry::model::batch::{BatchDraft, Target};
use labferry::model::connection::ConnectionDraft;
use labferry::model::form::Settings;
use labferry::model::ids::{ConnectionId, JobId, ProviderId};
use labferry::model::job::Stage;
use labferry::model::pipeline::Pipeline;
use labferry::model::provider::FanOut;
use labferry::model::secret::Secret;
use labferry::results::receipt::{self, Outcome, Receipt};
use labferry::sandbox::{Sandbox, SandboxOptions};
use labferry::store::vault::session_variable;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::harness::{DEADLINE, address, connect_analytics, describe, options, save};

/// Engines at work at the same time.
const AT_ONCE: u64 = 10;

/// Keys by variable, as an environment would hold them: those in memory go with their engine.
static KEYS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// One data folder, one sandbox, and the engines that follow one another.
struct Bench {
    name: String,
    top: TempDir,
    sandbox: Sandbox,
    inputs: Vec<PathBuf>,
    imaging: ConnectionId,
    institute: ConnectionId,
}

/// How a whole story ended.
struct End {
    snapshot: Arc<Snapshot>,
    receipt: Receipt,
    /// Engines that crashed as planned.
    crashed: usize,
    /// Jobs that the platform has made and nobody can tell which: the person leaves them.
    left: BTreeSet<JobId>,
}

impl Bench {
    async fn new(number: u64) -> Self {
        let top = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(SandboxOptions {
            speed: 40.0,
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let name = format!("Imaging core {number}");
        let key = address(&sandbox, "biodock", "key");
        KEYS.lock()
            .unwrap()
            .insert(session_variable(&name), key.clone());
        let inputs = inputs(top.path());
        let engine = Engine::start(quiet_options(top.path(), None)).unwrap();
        let draft = ConnectionDraft {
            provider: ProviderId::from("biodock"),
            label: name.clone(),
            entries: [("url".to_owned(), address(&sandbox, "biodock", "url"))].into(),
        };
        let key = Secret::parse_key(&key).unwrap();
        let imaging = save(&engine, draft, vec![("key".to_owned(), key)]).await;
        let institute = connect_analytics(&engine, &sandbox).await;
        engine.shutdown();
        Self {
            name,
            top,
            sandbox,
            inputs,
            imaging,
            institute,
        }
    }

    /// Lives through the planned crashes, one engine after the other, until one gets to the end.
    async fn tell(&self, crashes: &[u64]) -> End {
        let mut left = BTreeSet::new();
        let mut times = 0;
        loop {
            let planned = crashes.get(times).copied();
            let engine = Engine::start(quiet_options(self.top.path(), planned)).unwrap();
            let last = self.work(&engine, &mut left).await;
            engine.shutdown();
            let Some(snapshot) = last else {
                assert!(planned.is_some(), "{}: an engine ended unasked", self.name);
                times += 1;
                continue;
            };
            let receipt = receipt::read(&snapshot.batches[0].folder).unwrap();
            return End {
                snapshot,
                receipt,
                crashed: times,
                left,
            };
        }
    }

    /// One engine, from its start to the end of all jobs; nothing when it crashed before.
    async fn work(&self, engine: &Engine, left: &mut BTreeSet<JobId>) -> Option<Arc<Snapshot>> {
        let running = |snapshot: &Snapshot| snapshot.phase == Phase::Running;
        let snapshot = until(engine, "the start", running).await?;
        if snapshot.batches.is_empty() {
            self.send(engine).await?;
        }
        loop {
            let rests = |snapshot: &Snapshot| {
                !snapshot.jobs.is_empty()
                    && snapshot.jobs.iter().all(|view| view.job.stage.is_settled())
            };
            let snapshot = until(engine, "the end of all jobs", rests).await?;
            let open = snapshot
                .jobs
                .iter()
                .find(|view| view.job.stage == Stage::Unconfirmed);
            let Some(view) = open else {
                return Some(snapshot);
            };
            let job = view.job.clone();
            assert!(view.waits_for_person && view.words.is_some());
            let resolution = match job.candidates.as_slice() {
                [candidate] => Resolution::Adopt(candidate.clone()),
                // Every job there is accounted for: this one was not made.
                [] if self.made(job.connection)
                    <= Self::known(&snapshot, job.connection) + left.len() =>
                {
                    Resolution::SendAgain
                }
                [] => {
                    assert_eq!(job.connection, self.institute, "a list would have shown it");
                    left.insert(job.id);
                    Resolution::Leave
                }
                _ => panic!("{}: {:?}", self.name, job.candidates),
            };
            // A full channel or an engine that has just ended: the next look says which.
            let _sent = engine.send(Command::ResolveUnconfirmed(job.id, resolution));
            let decided = |snapshot: &Snapshot| {
                let view = snapshot.jobs.iter().find(|view| view.job.id == job.id);
                view.is_none_or(|view| view.job.stage != Stage::Unconfirmed)
            };
            until(engine, "the decision", decided).await?;
        }
    }

    async fn send(&self, engine: &Engine) -> Option<()> {
        let _sent = engine.send(Command::AddFiles(self.inputs.clone()));
        let all = self.inputs.len();
        let listed = move |snapshot: &Snapshot| snapshot.draft.files.len() == all;
        until(engine, "the files", listed).await?;
        let draft = BatchDraft {
            name: "Plate 7".to_owned(),
            into: Some(self.top.path().join("results")),
            targets: vec![
                Target {
                    sample_column: None,
                    existing: Vec::new(),
                    pipeline: Pipeline {
                        name: "Nuclei count".to_owned(),
                        ..Pipeline::typed("64f1a2b3c4d5e6f708192a3b")
                    },
                    connection: self.imaging,
                    fan_out: FanOut::AllInOne,
                    settings: Settings::new(),
                },
                Target {
                    sample_column: None,
                    existing: Vec::new(),
                    pipeline: Pipeline::typed("zipresults"),
                    connection: self.institute,
                    fan_out: FanOut::OnePerFile,
                    settings: Settings::new(),
                },
            ],
        };
        let _sent = engine.send(Command::SubmitBatch(draft));
        until(engine, "the batch", |snapshot| !snapshot.batches.is_empty()).await?;
        Some(())
    }

    fn endpoint(&self, connection: ConnectionId) -> &'static str {
        if connection == self.imaging {
            "biodock.submit"
        } else {
            "aa.submit"
        }
    }

    /// Jobs made at a platform.
    fn made(&self, connection: ConnectionId) -> usize {
        let requests = self.sandbox.world().requests();
        let made = |status: Option<u16>| matches!(status, Some(200 | 201));
        requests
            .at(self.endpoint(connection))
            .iter()
            .filter(|request| made(request.status))
            .count()
    }

    /// Jobs there whose handle we have.
    fn known(snapshot: &Snapshot, connection: ConnectionId) -> usize {
        let ours = snapshot
            .jobs
            .iter()
            .filter(|view| view.job.connection == connection);
        ours.filter(|view| view.job.remote.is_some()).count()
    }

    fn check(&self, crashes: &[u64], end: &End, undisturbed: Option<&BTreeSet<String>>) {
        let story = format!(
            "{} crashes {crashes:?}: {}",
            self.name,
            describe(&end.snapshot)
        );
        assert!(end.left.len() <= 2 * end.crashed, "{story}");
        for view in &end.snapshot.jobs {
            let expected = if end.left.contains(&view.job.id) {
                Stage::Cancelled
            } else {
                Stage::Done
            };
            assert_eq!(view.job.stage, expected, "{story}");
        }
        for connection in [self.imaging, self.institute] {
            let jobs = end.snapshot.jobs.iter();
            let jobs = jobs
                .filter(|view| view.job.connection == connection)
                .count();
            assert_eq!(
                self.made(connection),
                jobs,
                "sent twice or not at all; {story}"
            );
        }
        let folder = &end.snapshot.batches[0].folder;
        let checked = receipt::check(folder).unwrap();
        let wrong: Vec<_> = checked
            .iter()
            .filter(|file| file.outcome != Outcome::Same)
            .collect();
        assert!(wrong.is_empty(), "{wrong:?} {story}");
        let served = hashes(self.sandbox.world().folder());
        for file in &end.receipt.files {
            let whole = file.from_archive.is_some() || served.contains(&file.sha256);
            assert!(whole, "{} is not what was served; {story}", file.path);
        }
        for path in files_below(self.top.path()) {
            let name = path.file_name().unwrap().to_string_lossy();
            assert!(
                !name.contains(".part"),
                "{} is left; {story}",
                path.display()
            );
        }
        if let Some(undisturbed) = undisturbed.filter(|_| end.left.is_empty()) {
            assert_eq!(&self.paths(end), undisturbed, "{story}");
        }
    }

    /// The result files, without what tells one run from another.
    fn paths(&self, end: &End) -> BTreeSet<String> {
        let files = end.receipt.files.iter();
        files
            .map(|file| file.path.replace(&self.name, "Imaging core"))
            .map(|path| without_ids(&path))
            .collect()
    }
}

/// Identifiers of a platform in a path differ from run to run.
fn without_ids(path: &str) -> String {
    let mut text = String::new();
    let mut word = String::new();
    for character in path.chars().chain(['\0']) {
        if character.is_ascii_hexdigit() || character == '-' {
            word.push(character);
            continue;
        }
        text += if word.len() >= 20 { "ID" } else { &word };
        word.clear();
        if character != '\0' {
            text.push(character);
        }
    }
    text
}

fn quiet_options(top: &Path, crash_after_commits: Option<u64>) -> EngineOptions {
    EngineOptions {
        environment: |name| KEYS.lock().unwrap().get(name).cloned(),
        crash_after_commits,
        ..options(top)
    }
}

/// Two small pictures with something in them.
fn inputs(top: &Path) -> Vec<PathBuf> {
    let folder = top.join("plate 7 #50% 世界");
    std::fs::create_dir(&folder).unwrap();
    let mut paths = Vec::new();
    for (name, shift) in [("A1 'x'.png", 0), ("A2.png", 9)] {
        let picture = image::GrayImage::from_fn(64, 64, |x, y| {
            let inside = |cx: u32, cy: u32| x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) < 50;
            let bright = inside(16, 16 + shift) || inside(44, 40);
            image::Luma([if bright { 220 } else { 20 }])
        });
        let path = folder.join(name);
        picture.save(&path).unwrap();
        paths.push(path);
    }
    paths
}

/// Waits; nothing when the engine ended before.
async fn until(
    engine: &Engine,
    what: &str,
    wanted: impl Fn(&Snapshot) -> bool,
) -> Option<Arc<Snapshot>> {
    let mut snapshots = engine.subscribe();
    let found =
        tokio::time::timeout(DEADLINE, snapshots.wait_for(|snapshot| wanted(snapshot))).await;
    match found {
        Ok(Ok(snapshot)) => Some(snapshot.clone()),
        Ok(Err(_ended)) => None,
        Err(late) => panic!(
            "{what} did not come ({late}); {}",
            describe(&engine.snapshot())
        ),
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

fn hashes(folder: &Path) -> BTreeSet<String> {
    let hash = |path: &PathBuf| {
        let digest = Sha256::digest(std::fs::read(path).unwrap());
        digest.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    };
    files_below(folder).iter().map(hash).collect()
}

/// One story from its start to the checked end; how many of the planned crashes came.
async fn story(
    number: u64,
    crashes: Vec<u64>,
    undisturbed: Arc<BTreeSet<String>>,
) -> (Vec<u64>, usize) {
    let bench = Bench::new(number).await;
    let end = bench.tell(&crashes).await;
    bench.check(&crashes, &end, Some(&undisturbed));
    (crashes, end.crashed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_any_write_ends_as_if_there_had_been_none() {
    let bench = Bench::new(0).await;
    let end = bench.tell(&[]).await;
    bench.check(&[], &end, None);
    let undisturbed = Arc::new(bench.paths(&end));
    assert!(undisturbed.len() > 8, "{undisturbed:?}");
    drop(bench);

    let mut stories: JoinSet<(Vec<u64>, usize)> = JoinSet::new();
    let mut next = 1;
    let mut got_through = false;
    while !got_through || !stories.is_empty() {
        // A start does not need many writes: the second crash comes early in the recovery from the first.
        while !got_through && stories.len() < usize::try_from(AT_ONCE).unwrap() {
            let crashes = if next % 2 == 0 {
                vec![next]
            } else {
                vec![next, 1 + next % 5]
            };
            stories.spawn(story(next, crashes, undisturbed.clone()));
            next += 1;
        }
        let Some(ended) = stories.join_next().await else {
            break;
        };
        let (planned, came) = ended.unwrap();
        got_through |= came == 0;
        assert!(planned[0] < 400, "no run ever gets through");
    }
    assert!(next > 20, "only {next} writes in a whole batch");
}
