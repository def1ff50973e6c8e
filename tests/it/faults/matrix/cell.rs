//! One cell: one fault at one endpoint, on one way that asks there, and what a person sees of it.

use std::fmt;
use std::time::{Duration, Instant};

use labferry::engine::command::{Command, Resolution};
use labferry::engine::snapshot::{CheckState, JobView, Loadable, Snapshot};
use labferry::model::artifact::ArtifactState;
use labferry::model::ids::{ConnectionId, PipelineId};
use labferry::model::job::Stage;
use labferry::model::notice::{About, Action, Weight, Words};
use labferry::model::remote::Query;

use crate::faults::matrix::rows::Row;
use crate::faults::matrix::stand::{self, MOST_ATTEMPTS, Stand};
use crate::harness::describe;

/// How an endpoint is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// A connection is saved: who are we, and what can be run?
    Connect,
    /// The settings of a pipeline are read.
    Form,
    /// Inputs at the platform are listed.
    Browse,
    /// Jobs at the platform are listed.
    ListJobs,
    /// A job made elsewhere is adopted by its identifier.
    Adopt,
    /// A batch is sent and its results are fetched.
    Batch,
    /// A running job is cancelled.
    Cancel,
}

/// A platform that asks to be left alone for a second is asked again after that.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// So long is watched what waits for a time its platform named.
const NAMED: Duration = Duration::from_secs(6);

/// How often a fault is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Often {
    Once,
    Always,
}

/// What a person sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sees {
    /// Nothing: it went on by itself, and ended well.
    GoesOn,
    /// It ended well, and a notice says what was in the way.
    GoesOnTold,
    /// The job was found at the platform and adopted; nobody was asked.
    Adopted,
    /// The job whose answer was lost is put to the person, with three choices.
    Unconfirmed,
    /// Everything on the connection waits for a key; a notice has the button for it.
    AsksForKey,
    /// It is tried again until it works; the job or a notice says so, with a time.
    KeepsTrying,
    /// The platform named a time, a minute or more ahead, and is left alone until then.
    WaitsForTime,
    /// The job has failed, a notice says why, and it can be tried again.
    Failed,
    /// The job has failed with some of its results there and others not.
    PartMissing,
    /// What was asked for is not there, and words in its place say why.
    SaysWhy,
}

impl fmt::Display for Sees {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::GoesOn => "goes on",
            Self::GoesOnTold => "goes on, told",
            Self::Adopted => "adopted",
            Self::Unconfirmed => "unconfirmed",
            Self::AsksForKey => "asks for key",
            Self::KeepsTrying => "keeps trying",
            Self::WaitsForTime => "waits for time",
            Self::Failed => "failed",
            Self::PartMissing => "part missing",
            Self::SaysWhy => "says why",
        })
    }
}

/// One fault at one endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) row: &'static Row,
    pub(crate) fault: &'static str,
    pub(crate) often: Often,
}

/// What came of a cell.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) sees: Sees,
    /// Requests that met the fault or could have.
    pub(crate) asked: usize,
    /// Jobs the platform has made, in the end.
    pub(crate) made: usize,
    /// How it stood once the fault was over and the person had done what the notice asks for.
    pub(crate) after: Option<Stage>,
    /// Files under final names, with their hashes.
    pub(crate) files: std::collections::BTreeMap<String, String>,
    /// The first words a person reads.
    pub(crate) words: String,
}

impl Cell {
    /// Tries it.
    pub(crate) async fn run(self) -> Came {
        let Row {
            platform,
            way,
            endpoint,
            given,
            ..
        } = *self.row;
        let stand = Stand::new(stand::platform(platform), self.fault == "hang").await;
        let times = match self.often {
            Often::Once => "*1",
            Often::Always => "",
        };
        let mut faults: Vec<String> = given.iter().map(ToString::to_string).collect();
        faults.push(format!("{}@{endpoint}{times}", self.fault));
        stand.names_time.set(self.names_time()).ok();
        take(&stand, way, endpoint, &faults).await
    }

    /// Whether the platform means a time by this that is longer than any test waits: the window of its budget, or the
    /// usual length of its maintenance.
    pub(crate) fn names_time(self) -> bool {
        self.row.platform == "seven-bridges"
            && self.row.endpoint.starts_with("sb.")
            && matches!(
                self.fault,
                "rate-limited" | "rate-limited-silent" | "unavailable"
            )
    }
}

/// Goes a way on a stand, with these faults switched on where it begins.
#[expect(clippy::too_many_lines, reason = "an arm for each way")]
pub(crate) async fn take(stand: &Stand, way: Way, endpoint: &str, faults: &[String]) -> Came {
    let switch_on = || {
        for fault in faults {
            stand.set(fault);
        }
        stand.count(endpoint)
    };
    match way {
        Way::Connect => {
            let before = switch_on();
            let connection = stand.save(&[]).await;
            connecting(stand, connection, endpoint, before).await
        }
        Way::Form | Way::Browse | Way::ListJobs => {
            let connection = stand.connect().await;
            let before = switch_on();
            asking(stand, way, connection, endpoint, before).await
        }
        Way::Adopt => {
            let connection = stand.connect().await;
            stand.send(connection).await;
            let snapshot = settled(stand).await;
            let job = snapshot.jobs[0].job.clone();
            stand.command(Command::ForgetJob(job.id));
            stand.until("forgetting", |now| now.jobs.is_empty()).await;
            let notices = stand.engine.snapshot().notices.len();
            let before = switch_on();
            let remote = job.remote.as_ref().unwrap().id.clone();
            adopting(stand, connection, &remote, notices, endpoint, before).await
        }
        Way::Batch => {
            let connection = stand.connect().await;
            let before = switch_on();
            let Some(words) = stand.try_to_send(connection).await else {
                return watching(stand, connection, endpoint, before).await;
            };
            let asked = stand.count(endpoint) - before;
            let snapshot = stand.engine.snapshot();
            let sees = if key_wanted(&snapshot, connection) {
                Sees::AsksForKey
            } else {
                Sees::SaysWhy
            };
            stand.clear();
            recheck(stand, connection, false).await;
            let started = Instant::now();
            if stand.names_time() {
                return Came {
                    sees,
                    asked,
                    words,
                    after: None,
                    made: 0,
                    files: stand.look(),
                };
            }
            while stand.try_to_send(connection).await.is_some() {
                assert!(started.elapsed() < LONGEST_PAUSE, "once the fault is over");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let snapshot = settled(stand).await;
            Came {
                sees,
                asked,
                words,
                after: Some(snapshot.jobs[0].job.stage),
                made: stand.acted(stand.platform.submit),
                files: stand.look(),
            }
        }
        Way::Cancel => {
            let connection = stand.connect().await;
            if let Some(stays) = stand.platform.stays {
                stand.set(stays);
            }
            stand.send(connection).await;
            let snapshot = stand
                .until("running", |now| now.jobs[0].job.stage == Stage::Running)
                .await;
            let before = switch_on();
            let notices = snapshot.notices.len();
            let job = snapshot.jobs[0].job.id;
            stand.command(Command::CancelJob(job));
            let snapshot = stand
                .until("the answer to cancelling", |now| {
                    let view = &now.jobs[0];
                    view.job.stage.is_settled()
                        || (!view.job.cancel_wanted && now.notices.len() > notices)
                })
                .await;
            let words = newest(&snapshot);
            let sees = match snapshot.jobs[0].job.stage {
                Stage::Cancelled => Sees::GoesOn,
                Stage::Failed => Sees::Failed,
                _ => Sees::SaysWhy,
            };
            let asked = stand.count(endpoint) - before;
            stand.clear();
            // A later wish is heard.
            let started = Instant::now();
            while !stand.names_time() && !stand.engine.snapshot().jobs[0].job.stage.is_settled() {
                stand.command(Command::CancelJob(job));
                assert!(started.elapsed() < LONGEST_PAUSE, "once the fault is over");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let stage = stand.engine.snapshot().jobs[0].job.stage;
            Came {
                sees,
                asked,
                words,
                after: stage.is_settled().then_some(stage),
                made: stand.acted(stand.platform.submit),
                files: stand.look(),
            }
        }
    }
}

async fn settled(stand: &Stand) -> std::sync::Arc<Snapshot> {
    stand
        .until("the end of all jobs", |now| {
            !now.jobs.is_empty() && now.jobs.iter().all(|view| view.job.stage.is_settled())
        })
        .await
}

fn newest(snapshot: &Snapshot) -> String {
    snapshot
        .notices
        .first()
        .map(|notice| notice.words.sentence())
        .unwrap_or_default()
}

fn by_words(words: &Words, blocked: bool) -> Sees {
    assert!(!words.what.is_empty() && !words.did.is_empty(), "{words:?}");
    if blocked && words.action == Some(Action::PasteKey) {
        Sees::AsksForKey
    } else {
        Sees::SaysWhy
    }
}

/// Whether a notice about the connection asks for a key.
fn key_wanted(snapshot: &Snapshot, connection: ConnectionId) -> bool {
    let view = snapshot.connection(connection).unwrap();
    matches!(view.check, CheckState::Bad(_))
        && snapshot.notices.iter().any(|notice| {
            notice.about == About::Connection(connection)
                && notice.weight == Weight::Problem
                && notice.words.action == Some(Action::PasteKey)
        })
}

async fn connecting(
    stand: &Stand,
    connection: ConnectionId,
    endpoint: &str,
    before: usize,
) -> Came {
    let checked = |now: &Snapshot| {
        now.connection(connection).is_some_and(|view| {
            !matches!(view.check, CheckState::Checking | CheckState::NotChecked)
                && !matches!(view.pipelines, Loadable::Loading)
        })
    };
    let snapshot = stand.until("the check", checked).await;
    let asked = stand.count(endpoint) - before;
    let view = snapshot.connection(connection).unwrap();
    let (sees, words) = match (&view.check, &view.pipelines) {
        (CheckState::Good, Loadable::Ready(_)) => (Sees::GoesOn, String::new()),
        (CheckState::Bad(words), _) | (CheckState::Good, Loadable::Failed(words)) => (
            by_words(words, key_wanted(&snapshot, connection)),
            words.sentence(),
        ),
        other => panic!("{other:?}; {}", describe(&snapshot)),
    };
    stand.clear();
    recheck(stand, connection, true).await;
    Came {
        sees,
        asked,
        words,
        after: None,
        made: 0,
        files: stand.look(),
    }
}

async fn asking(
    stand: &Stand,
    way: Way,
    connection: ConnectionId,
    endpoint: &str,
    before: usize,
) -> Came {
    let pipeline = crate::harness::target(
        &stand.engine,
        connection,
        stand.platform.pipeline,
        stand.platform.fan_out,
    )
    .pipeline
    .id;
    let first = ask(stand, way, connection, &pipeline).await;
    let asked = stand.count(endpoint) - before;
    let snapshot = stand.engine.snapshot();
    let (sees, words) = match first {
        None => (Sees::GoesOn, String::new()),
        Some(words) => (
            by_words(&words, key_wanted(&snapshot, connection)),
            words.sentence(),
        ),
    };
    stand.clear();
    if sees == Sees::AsksForKey {
        recheck(stand, connection, false).await;
    }
    // A platform that named a time is left alone until then.
    let started = Instant::now();
    while !stand.names_time()
        && let Some(words) = ask(stand, way, connection, &pipeline).await
    {
        assert!(
            words.what.contains("used up") && started.elapsed() < LONGEST_PAUSE,
            "once the fault is over: {words:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Came {
        sees,
        asked,
        words,
        after: None,
        made: 0,
        files: stand.look(),
    }
}

/// Asks the platform who we are until it says so; once the fault is over that takes no longer than it asked for.
async fn recheck(stand: &Stand, connection: ConnectionId, pipelines_too: bool) {
    if stand.names_time() {
        return;
    }
    let started = Instant::now();
    loop {
        stand.command(Command::CheckConnection(connection));
        let ended = |now: &Snapshot| {
            let view = now.connection(connection).unwrap();
            !matches!(view.check, CheckState::Checking | CheckState::NotChecked)
                && !matches!(view.pipelines, Loadable::Loading)
        };
        // The command is taken before this question about the state is answered by what it makes of it.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let snapshot = stand.until("the check once the fault is over", ended).await;
        let view = snapshot.connection(connection).unwrap();
        let listed = matches!(view.pipelines, Loadable::Ready(_));
        if view.check == CheckState::Good && (listed || !pipelines_too) {
            return;
        }
        assert!(started.elapsed() < LONGEST_PAUSE, "{}", describe(&snapshot));
    }
}

/// Asks a question; nothing when it was answered, else the words in the place of the answer.
async fn ask(
    stand: &Stand,
    way: Way,
    connection: ConnectionId,
    pipeline: &PipelineId,
) -> Option<Words> {
    #[expect(
        clippy::option_option,
        reason = "not yet, or an answer, or words in its place"
    )]
    fn of<T>(loadable: &Loadable<T>) -> Option<Option<Words>> {
        match loadable {
            Loadable::NotAsked | Loadable::Loading => None,
            Loadable::Ready(_) => Some(None),
            Loadable::Failed(words) => Some(Some(words.clone())),
        }
    }
    let before = stand.engine.snapshot().seq;
    let command = match way {
        Way::Form => Command::ReadForm(connection, pipeline.clone()),
        Way::Browse => Command::Browse(connection, Query::default()),
        _ => Command::ListJobs(connection, Query::default()),
    };
    let answer = |now: &Snapshot| {
        let view = now.connection(connection).unwrap();
        match way {
            Way::Form => view.forms.get(pipeline).and_then(of),
            Way::Browse => view.browsed.as_ref().and_then(|asked| of(&asked.page)),
            _ => view.listed.as_ref().and_then(|asked| of(&asked.page)),
        }
    };
    stand.command(command);
    let snapshot = stand
        .until("an answer to the question", |now| {
            // A form that is known is not asked for again.
            let known = way == Way::Form && answer(now) == Some(None);
            (now.seq > before || known) && answer(now).is_some()
        })
        .await;
    answer(&snapshot).unwrap()
}

async fn adopting(
    stand: &Stand,
    connection: ConnectionId,
    remote: &str,
    notices: usize,
    endpoint: &str,
    before: usize,
) -> Came {
    stand.command(Command::AdoptJob(connection, remote.to_owned()));
    let snapshot = stand
        .until("the adopted job", |now| {
            !now.jobs.is_empty() || now.notices.len() > notices
        })
        .await;
    if snapshot.jobs.is_empty() {
        let asked = stand.count(endpoint) - before;
        let words = newest(&snapshot);
        let sees = if key_wanted(&snapshot, connection) {
            Sees::AsksForKey
        } else {
            Sees::SaysWhy
        };
        stand.clear();
        recheck(stand, connection, false).await;
        if stand.names_time() {
            return Came {
                sees,
                asked,
                words,
                after: None,
                made: stand.acted(stand.platform.submit),
                files: stand.look(),
            };
        }
        let started = Instant::now();
        loop {
            let notices = stand.engine.snapshot().notices.len();
            stand.command(Command::AdoptJob(connection, remote.to_owned()));
            let snapshot = stand
                .until("the adopted job once the fault is over", |now| {
                    !now.jobs.is_empty() || now.notices.len() > notices
                })
                .await;
            if !snapshot.jobs.is_empty() {
                break;
            }
            assert!(started.elapsed() < LONGEST_PAUSE, "{}", describe(&snapshot));
        }
        let snapshot = settled(stand).await;
        return Came {
            sees,
            asked,
            words,
            after: Some(snapshot.jobs[0].job.stage),
            made: stand.acted(stand.platform.submit),
            files: stand.look(),
        };
    }
    watching(stand, connection, endpoint, before).await
}

/// A job that has been tried so often that it would have been given up on, and still is tried.
pub(crate) fn keeps_trying(view: &JobView) -> bool {
    let job = &view.job;
    let often = MOST_ATTEMPTS + 2;
    (job.attempts >= often && job.wait_until.is_some())
        || view
            .artifacts
            .iter()
            .any(|artifact| artifact.attempts >= often && artifact.wait_until.is_some())
}

/// Watches a job to where nothing more happens by itself; then the fault is over, and the person does what is asked for.
#[expect(clippy::too_many_lines, reason = "an arm for each outcome")]
async fn watching(stand: &Stand, connection: ConnectionId, endpoint: &str, before: usize) -> Came {
    let told = |now: &Snapshot| {
        now.notices.iter().any(|notice| {
            matches!(notice.about, About::Connection(_) | About::Job(_))
                && notice.weight == Weight::Warning
                && notice.words.did.contains("try again")
        })
    };
    let ended = |now: &Snapshot| {
        now.jobs
            .iter()
            .all(|view| view.job.stage.is_settled() || view.waits_for_person || keeps_trying(view))
            && !now.jobs.is_empty()
            || told(now)
    };
    let ending = stand.until("an end, a question, or a third attempt", ended);
    let snapshot = if stand.names_time() {
        // Long enough for whatever does not wait for that time.
        match tokio::time::timeout(NAMED, ending).await {
            Ok(snapshot) => snapshot,
            Err(_still_waiting) => return left_alone(stand, endpoint, before).await,
        }
    } else {
        ending.await
    };
    let asked = stand.count(endpoint) - before;
    let view = &snapshot.jobs[0];
    let job = &view.job;
    let said = view.words.as_ref().map(Words::sentence);
    let words = said.clone().unwrap_or_else(|| newest(&snapshot));
    let troubled = snapshot
        .notices
        .iter()
        .any(|notice| notice.weight != Weight::Note);
    let sees = match job.stage {
        Stage::Done if job.timeline.iter().any(|at| at.what.contains("adopted")) => Sees::Adopted,
        Stage::Done if troubled => Sees::GoesOnTold,
        Stage::Done => Sees::GoesOn,
        Stage::Unconfirmed => Sees::Unconfirmed,
        Stage::Failed => {
            let some = view.artifacts.iter().any(|artifact| {
                matches!(
                    artifact.state,
                    ArtifactState::Fetched(_) | ArtifactState::Unpacked { .. }
                )
            });
            if some {
                Sees::PartMissing
            } else {
                Sees::Failed
            }
        }
        _ if view.waits_for_person => {
            assert!(key_wanted(&snapshot, connection), "{}", describe(&snapshot));
            Sees::AsksForKey
        }
        _ => {
            // What is waited out is said somewhere.
            assert!(
                told(&snapshot) || said.is_some_and(|said| said.contains("try again")),
                "{}",
                describe(&snapshot)
            );
            Sees::KeepsTrying
        }
    };
    if matches!(sees, Sees::Failed | Sees::PartMissing | Sees::Unconfirmed) {
        let told = snapshot
            .notices
            .iter()
            .any(|notice| notice.about == About::Job(job.id) && notice.weight == Weight::Problem);
        assert!(told && view.words.is_some(), "{}", describe(&snapshot));
    }
    stand.clear();
    if stand.names_time() && !job.stage.is_settled() {
        return Came {
            sees: Sees::WaitsForTime,
            asked,
            words,
            after: None,
            made: stand.acted(stand.platform.submit),
            files: stand.look(),
        };
    }
    let after = repaired(stand, connection, &snapshot, sees).await;
    Came {
        sees,
        asked,
        words,
        after: Some(after),
        made: stand.acted(stand.platform.submit),
        files: stand.look(),
    }
}

/// A job waits for the time its platform named: nothing has failed, and the platform is not asked again and again.
async fn left_alone(stand: &Stand, endpoint: &str, before: usize) -> Came {
    let asked = stand.count(endpoint) - before;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let snapshot = stand.engine.snapshot();
    let again = stand.count(endpoint) - before - asked;
    // Three parts may be on their way.
    assert!(again <= 3, "asked {again} times more in a second");
    assert!(
        snapshot
            .jobs
            .iter()
            .all(|view| !view.job.stage.is_settled()),
        "{}",
        describe(&snapshot)
    );
    let words = snapshot.jobs[0].words.as_ref().map(Words::sentence);
    Came {
        sees: Sees::WaitsForTime,
        asked,
        words: words.unwrap_or_default(),
        after: None,
        made: stand.acted(stand.platform.submit),
        files: stand.look(),
    }
}

/// The fault is over, and the person does what they were asked to; how the job stands then.
async fn repaired(
    stand: &Stand,
    connection: ConnectionId,
    snapshot: &Snapshot,
    sees: Sees,
) -> Stage {
    let job = &snapshot.jobs[0].job;
    match sees {
        Sees::AsksForKey => stand.command(Command::CheckConnection(connection)),
        Sees::Failed | Sees::PartMissing => {
            stand.command(Command::RetryJob(job.id));
            stand
                .until("the second attempt", |now| {
                    now.jobs[0].job.timeline.len() > job.timeline.len()
                })
                .await;
        }
        Sees::Unconfirmed => {
            let made = stand.acted(stand.platform.submit);
            let resolution = match job.candidates.first() {
                Some(candidate) => Resolution::Adopt(candidate.clone()),
                // The person looks at the platform, and finds it or not.
                None if made > 0 => Resolution::Leave,
                None => Resolution::SendAgain,
            };
            stand.command(Command::ResolveUnconfirmed(job.id, resolution));
            stand
                .until("the decision", |now| {
                    now.jobs[0].job.stage != Stage::Unconfirmed
                })
                .await;
        }
        Sees::GoesOn
        | Sees::GoesOnTold
        | Sees::Adopted
        | Sees::KeepsTrying
        | Sees::WaitsForTime
        | Sees::SaysWhy => {}
    }
    settled(stand).await.jobs[0].job.stage
}
