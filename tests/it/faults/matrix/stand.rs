//! One platform, an engine of its own and a sandbox of its own: what a cell is tried on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use labferry::engine::command::Command;
use labferry::engine::pace::Pace;
use labferry::engine::snapshot::Snapshot;
use labferry::engine::{Engine, EngineOptions};
use labferry::model::batch::{BatchDraft, FindingWeight};
use labferry::model::ids::ConnectionId;
use labferry::model::notice::About;
use labferry::model::provider::FanOut;
use labferry::net::client::{NetOptions, Patience};
use labferry::net::retry::RetryPolicy;
use labferry::results::receipt::{self, Outcome};
use labferry::sandbox::{Sandbox, SandboxOptions};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::harness::{add_files, connect_demo_as, demo_draft, describe, options, target};

/// No wait of a cell is longer.
const DEADLINE: Duration = Duration::from_mins(1);

/// Silence is borne so long where a cell is about silence.
const SHORT: Duration = Duration::from_millis(1_200);

/// And so long where it is not.
const LONG: Duration = Duration::from_secs(20);

/// What has to be known of a platform to take a batch through it.
#[derive(Debug)]
pub(crate) struct Platform {
    /// Its word.
    pub(crate) word: &'static str,
    /// What runs there.
    pub(crate) pipeline: &'static str,
    pub(crate) fan_out: FanOut,
    /// The request that makes a job.
    pub(crate) submit: &'static str,
    /// The setting under which a job does not end; none where a pipeline does not.
    pub(crate) stays: Option<&'static str>,
    /// Whether its inputs are pictures, and not tables.
    pub(crate) pictures: bool,
    /// How samples are read out of names, where the platform is told of them.
    pub(crate) samples: &'static str,
    /// Settings that make its parts short.
    pub(crate) settings: &'static [&'static str],
}

pub(crate) static PLATFORMS: &[Platform] = &[
    Platform {
        word: "biodock",
        pipeline: "Nuclei count",
        fan_out: FanOut::AllInOne,
        submit: "biodock.submit",
        stays: Some("biodock.life=stays"),
        pictures: true,
        samples: "",
        settings: &[],
    },
    Platform {
        word: "code-ocean",
        pipeline: "Image statistics",
        fan_out: FanOut::AllInOne,
        submit: "code_ocean.submit",
        stays: Some("code_ocean.life=stays"),
        pictures: true,
        samples: "",
        settings: &[],
    },
    Platform {
        word: "seven-bridges",
        pipeline: "john_doe/plate-7/table-summary/2",
        fan_out: FanOut::BatchPerFile,
        submit: "sb.run-task",
        stays: Some("sb.life=stays"),
        pictures: false,
        samples: "{kind} '{number}' {what}.csv",
        settings: &["sb.min-part=1024", "sb.part-size=2048"],
    },
    Platform {
        word: "analytics-automated",
        pipeline: "zipresults",
        fan_out: FanOut::OnePerFile,
        submit: "aa.submit",
        stays: None,
        pictures: false,
        samples: "",
        settings: &[],
    },
];

/// The platform whose word or whose endpoint this is; endpoints of the storage are asked of each.
pub(crate) fn platform(word: &str) -> &'static Platform {
    PLATFORMS
        .iter()
        .find(|platform| platform.word == word)
        .unwrap_or_else(|| panic!("no platform {word}"))
}

/// What a cell is tried on.
pub(crate) struct Stand {
    pub(crate) platform: &'static Platform,
    pub(crate) engine: Engine,
    pub(crate) sandbox: Sandbox,
    /// Whether the platform means a time by the fault that is longer than any test waits.
    pub(crate) names_time: OnceLock<bool>,
    top: TempDir,
}

impl Stand {
    /// An engine with nothing in it; `silent` for cells in which something does not answer.
    pub(crate) async fn new(platform: &'static Platform, silent: bool) -> Self {
        let top = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(SandboxOptions {
            speed: 40.0,
            faults: platform.settings.iter().map(ToString::to_string).collect(),
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let patience = if silent { SHORT } else { LONG };
        let engine = Engine::start(EngineOptions {
            net: NetOptions {
                patience: Patience {
                    connect: LONG,
                    answer: patience,
                    idle: patience,
                    after_upload: patience,
                },
                retry: RetryPolicy {
                    attempts: 2,
                    // A time that a platform names is waited out by the engine, where a person sees it.
                    longest_retry_after: Duration::from_millis(500),
                    ..RetryPolicy::tiny()
                },
                haste: std::num::NonZeroU32::new(40),
                ..NetOptions::default()
            },
            pace: Pace {
                max_attempts: MOST_ATTEMPTS,
                retry_longest: Duration::from_millis(100),
                ..Pace::TEST
            },
            ..options(top.path())
        })
        .unwrap();
        Self {
            platform,
            engine,
            sandbox,
            names_time: OnceLock::new(),
            top,
        }
    }

    pub(crate) fn names_time(&self) -> bool {
        self.names_time.get().copied().unwrap_or_default()
    }

    pub(crate) fn set(&self, text: &str) {
        self.sandbox.world().faults().add(text).unwrap();
    }

    pub(crate) fn clear(&self) {
        self.sandbox.world().faults().clear();
    }

    /// Requests so far at an endpoint.
    pub(crate) fn count(&self, endpoint: &str) -> usize {
        self.sandbox.world().requests().count(endpoint)
    }

    /// Requests at an endpoint that the platform has acted upon, whatever became of its answer.
    pub(crate) fn acted(&self, endpoint: &str) -> usize {
        let requests = self.sandbox.world().requests().at(endpoint);
        requests
            .iter()
            .filter(|request| request.acted.is_some_and(|status| status < 300))
            .count()
    }

    pub(crate) fn command(&self, command: Command) {
        self.engine.send(command).unwrap();
    }

    /// Saves the connection and does not wait for its platform; entries in place of the demo's.
    pub(crate) async fn save(&self, instead: &[(&str, String)]) -> ConnectionId {
        let (mut draft, secrets) = demo_draft(&self.sandbox, self.platform.word, LABEL);
        for (field, value) in instead {
            draft.entries.insert((*field).to_owned(), value.clone());
        }
        let before = self.engine.snapshot().seq;
        self.command(Command::SaveConnection(draft, secrets));
        let snapshot = self
            .until("the connection", |snapshot| {
                snapshot.seq > before
                    && snapshot.connections.iter().any(|view| {
                        let saved = &view.connection;
                        instead.iter().all(|(field, value)| match *field {
                            "url" => same_place(&saved.base_url, value),
                            field => saved.options.get(field) == Some(value),
                        })
                    })
            })
            .await;
        snapshot.connections[0].connection.id
    }

    /// Saves the connection and waits until its platform knows us.
    pub(crate) async fn connect(&self) -> ConnectionId {
        connect_demo_as(&self.engine, &self.sandbox, self.platform.word, LABEL).await
    }

    /// Sends a batch.
    pub(crate) async fn send(&self, connection: ConnectionId) {
        let refused = self.try_to_send(connection).await;
        assert_eq!(refused, None);
    }

    /// Sends a batch; the words of what was found instead.
    pub(crate) async fn try_to_send(&self, connection: ConnectionId) -> Option<String> {
        add_files(&self.engine, self.files()).await;
        if !self.platform.samples.is_empty() {
            self.command(Command::SetSamplePattern(self.platform.samples.to_owned()));
            self.until("the samples", |now| !now.draft.samples.columns.is_empty())
                .await;
        }
        let draft = BatchDraft {
            name: "Plate 7".to_owned(),
            into: Some(self.results()),
            targets: vec![target(
                &self.engine,
                connection,
                self.platform.pipeline,
                self.platform.fan_out,
            )],
        };
        let before = self.engine.snapshot();
        self.command(Command::SubmitBatch(draft));
        let snapshot = self
            .until("the batch, or what is in its way", |now| {
                now.batches.len() > before.batches.len() || now.draft.checked > before.draft.checked
            })
            .await;
        if snapshot.batches.len() > before.batches.len() {
            return None;
        }
        let found = snapshot
            .draft
            .findings
            .iter()
            .find(|finding| finding.weight == FindingWeight::Blocks)
            .unwrap();
        let words = found.words.clone();
        self.command(Command::ClearFiles);
        self.until("an empty draft", |now| now.draft.files.is_empty())
            .await;
        Some(words)
    }

    /// The file of a batch.
    fn files(&self) -> Vec<PathBuf> {
        self.some_files(0, 1)
    }

    /// So many files with nasty names, each with something else in it.
    pub(crate) fn some_files(&self, first: usize, count: usize) -> Vec<PathBuf> {
        let folder = self.top.path().join("a b #1 100%");
        std::fs::create_dir_all(&folder).unwrap();
        let paths = (first..first + count).map(|number| {
            if self.platform.pictures {
                let at = u32::try_from(number % 1_000).unwrap();
                let picture = image::GrayImage::from_fn(64, 64, |x, y| {
                    let bright = x.abs_diff(20).pow(2) + y.abs_diff(30).pow(2) < 60;
                    // Something of its own in the corners, which is no object.
                    let own = y == 0 && (at >> (x % 10)) & 1 == 1;
                    image::Luma([if bright { 220 } else { 20 + u8::from(own) }])
                });
                let path = folder.join(format!("A{number} 世界.png"));
                picture.save(&path).unwrap();
                return path;
            }
            let path = folder.join(format!("probe '{number}' 世界.csv"));
            let rows: Vec<String> = (0..300)
                .map(|row| format!("A{row:02},{}\n", row * 7 + number))
                .collect();
            let rows = rows.concat();
            write(&path, format!("well,count\n{rows}").as_bytes());
            path
        });
        paths.collect()
    }

    /// Where results go.
    pub(crate) fn results(&self) -> PathBuf {
        self.top.path().join("results")
    }

    /// Waits until it is so.
    pub(crate) async fn until(
        &self,
        what: &str,
        wanted: impl Fn(&Snapshot) -> bool,
    ) -> Arc<Snapshot> {
        let mut snapshots = self.engine.subscribe();
        let answered = tokio::time::timeout(DEADLINE, snapshots.wait_for(|now| wanted(now))).await;
        match answered {
            Ok(Ok(snapshot)) => snapshot.clone(),
            Ok(Err(_)) => panic!("the engine ended before {what}"),
            Err(elapsed) => panic!(
                "{what} did not come ({elapsed}); {}",
                describe(&self.engine.snapshot())
            ),
        }
    }

    /// What every cell holds, whatever came of it: nobody broke down, every notice has its sentences, and each file under
    /// a final name is the one the receipt names.
    pub(crate) fn look(&self) -> BTreeMap<String, String> {
        let snapshot = self.engine.snapshot();
        for notice in &snapshot.notices {
            assert!(notice.about != About::App, "{}", describe(&snapshot));
            let words = &notice.words;
            for sentence in [&words.what, &words.did] {
                assert!(!sentence.trim().is_empty(), "{notice:?}");
            }
        }
        let mut files = BTreeMap::new();
        for batch in &snapshot.batches {
            let Ok(checked) = receipt::check(&batch.folder) else {
                continue;
            };
            for file in checked {
                assert!(
                    matches!(file.outcome, Outcome::Same),
                    "{}: {:?}; {}",
                    file.path,
                    file.outcome,
                    describe(&snapshot)
                );
            }
            for file in receipt::read(&batch.folder).unwrap().files {
                files.insert(file.path, file.sha256);
            }
        }
        files
    }
}

/// Stands at work at the same time; they wait more than they work.
const AT_ONCE: usize = 16;

/// Does something with each, so many at a time; in the order given, with the words of those that panicked.
pub(crate) async fn in_parallel<T, R, F>(
    all: Vec<T>,
    work: impl Fn(T) -> F,
) -> Vec<(T, Result<R, String>)>
where
    T: Copy + Send + 'static,
    R: Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let mut under_way = JoinSet::new();
    let mut came = BTreeMap::new();
    let mut left = all.iter().copied().enumerate();
    loop {
        while under_way.len() < AT_ONCE
            && let Some((number, one)) = left.next()
        {
            let one = work(one);
            // One of its own for each, so that a panic can be told from the others' ends.
            under_way.spawn(async move {
                let mut alone = JoinSet::new();
                alone.spawn(one);
                (number, alone.join_next().await.unwrap())
            });
        }
        let Some(done) = under_way.join_next().await else {
            break;
        };
        let (number, result) = done.unwrap();
        came.insert(number, result.map_err(|error| error.to_string()));
    }
    all.into_iter().zip(came.into_values()).collect()
}

impl Drop for Stand {
    fn drop(&mut self) {
        // The sandbox is served by the threads that would wait here.
        tokio::task::block_in_place(|| self.engine.shutdown());
    }
}

/// Attempts after which a platform that keeps failing is given up on.
pub(crate) const MOST_ATTEMPTS: u32 = 3;

/// The connection's label.
pub(crate) const LABEL: &str = "Core facility";

fn same_place(saved: &str, wanted: &str) -> bool {
    let host = |url: &str| url.split('/').nth(2).map(str::to_owned);
    host(saved) == host(wanted)
}

fn write(path: &Path, bytes: &[u8]) {
    std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), bytes).unwrap();
}
