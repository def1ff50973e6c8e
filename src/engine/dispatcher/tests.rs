//! The dispatcher on a drive without room.

use std::time::Duration;

use jiff::SignedDuration;

use super::*;
use crate::engine::event::Prepared;
use crate::engine::keys::Keys;
use crate::engine::pace::Pace;
use crate::engine::start::first_world;
use crate::engine::{EngineOptions, WakeCell};
use crate::model::batch::{BatchFile, Target};
use crate::model::connection::{Connection, ConnectionDraft, KeyState};
use crate::model::file::LocalFile;
use crate::model::form::Settings;
use crate::model::ids::ProviderId;
use crate::model::job::Stage;
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::remote::RemoteJob;
use crate::net::client::{Http, NetOptions};
use crate::providers;
use crate::store::folders::Folders;

struct Bench {
    dispatcher: Dispatcher,
    commands: mpsc::Sender<Command>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    closing: watch::Sender<bool>,
    clock: Clock,
}

fn bench(top: &std::path::Path, journal: Journal) -> Bench {
    let options = EngineOptions {
        folders: Folders::below(top),
        keyring: false,
        environment: |_name| None,
        pace: Pace::TEST,
        clock: Clock::default(),
        home: None,
        entries: providers::ALL,
        net: NetOptions::default(),
        crash_after_commits: None,
        keep_awake: false,
        writes: crate::engine::place::Writes::default(),
    };
    let world = first_world(&options);
    let (commands, commanded) = mpsc::channel(16);
    let (published, snapshots) = watch::channel(Arc::new(view::empty(&world, Phase::Starting)));
    let (closing, close) = watch::channel(false);
    let (questions, asked) = mpsc::channel(16);
    let tools = Toolbox {
        http: Http::new(&options.net).unwrap(),
        net: options.net,
        keys: Keys::new(false, options.environment),
        entries: options.entries,
        home: None,
        data_folder: options.folders.data,
        writes: options.writes,
        facts: world.facts.clone(),
        clients: BTreeMap::new(),
        questions,
    };
    let channels = Channels {
        commands: commanded,
        snapshots: published,
        wake: WakeCell::default(),
        closing: close,
        questions: asked,
    };
    let clock = options.clock;
    Bench {
        dispatcher: Dispatcher::new(
            world,
            journal,
            channels,
            tools,
            Desk::new(std::path::PathBuf::new(), None),
            clock.clone(),
        ),
        clock,
        commands,
        snapshots,
        closing,
    }
}

/// A connection that needs more room than there is in the pages of an empty journal.
fn large_connection() -> Command {
    let draft = ConnectionDraft {
        provider: ProviderId::from("analytics-automated"),
        label: "x".repeat(200_000),
        entries: [
            ("url".to_owned(), "http://127.0.0.1:9/".to_owned()),
            ("email".to_owned(), "someone@example.org".to_owned()),
        ]
        .into(),
    };
    Command::SaveConnection(draft, Vec::new())
}

#[tokio::test]
async fn a_full_drive_holds_everything_and_says_so() {
    let top = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(top.path()).unwrap().journal;
    journal.limit_growth(Some(0)).unwrap();
    let mut bench = bench(top.path(), journal);
    bench.commands.send(large_connection()).await.unwrap();
    let test = async {
        let held = bench
            .snapshots
            .wait_for(|snapshot| matches!(snapshot.phase, Phase::Held(_)))
            .await
            .unwrap()
            .clone();
        let Phase::Held(words) = &held.phase else {
            panic!("{:?}", held.phase)
        };
        for text in [&words.what, &words.did, &words.next] {
            assert!(text.ends_with('.'), "{words:?}");
        }
        assert!(words.what.contains("full"), "{words:?}");
        // It can be closed all the same, at once.
        bench.closing.send_replace(true);
    };
    let both = async { tokio::join!(bench.dispatcher.run(), test) };
    tokio::time::timeout(Duration::from_secs(30), Box::pin(both))
        .await
        .unwrap();
    let again = Journal::open(top.path()).unwrap();
    assert!(again.set_aside.is_none());
    assert!(again.contents.connections.is_empty());
}

#[tokio::test]
async fn what_was_held_goes_on_when_there_is_room() {
    let top = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(top.path()).unwrap().journal;
    journal.limit_growth(Some(0)).unwrap();
    let mut bench = bench(top.path(), journal);
    bench.dispatcher.room_comes_back = true;
    bench.commands.send(large_connection()).await.unwrap();
    let test = async {
        let mut was_held = false;
        let done = bench.snapshots.wait_for(|snapshot| {
            was_held |= matches!(snapshot.phase, Phase::Held(_));
            snapshot.phase == Phase::Running && snapshot.connections.len() == 1
        });
        drop(done.await.unwrap());
        assert!(was_held, "never held");
        bench.closing.send_replace(true);
    };
    let both = async { tokio::join!(bench.dispatcher.run(), test) };
    tokio::time::timeout(Duration::from_secs(30), Box::pin(both))
        .await
        .unwrap();
    let again = Journal::open(top.path()).unwrap();
    assert_eq!(again.contents.connections.len(), 1);
}

/// A world in which the answer to the submission of job 1 is awaited, at a platform that cannot be asked for it.
fn submit_one(world: &mut World) {
    let provider = ProviderId::from("analytics-automated");
    let draft = ConnectionDraft {
        provider: provider.clone(),
        label: "Server".to_owned(),
        entries: BTreeMap::new(),
    };
    let id = ConnectionId(1);
    let connection = Connection {
        id,
        provider,
        label: "Server".to_owned(),
        base_url: "http://127.0.0.1:9/".to_owned(),
        options: BTreeMap::new(),
        vault_name: "vault".to_owned(),
        account: None,
    };
    let file = BatchFile {
        id: FileId(0),
        local: LocalFile {
            path: "/data/a.txt".into(),
            name: "a.txt".to_owned(),
            folder: String::new(),
            size_bytes: 1,
            modified: None,
        },
        remote_name: "a.txt".to_owned(),
        samples: BTreeMap::new(),
    };
    let target = Target {
        connection: id,
        pipeline: Pipeline::typed("p"),
        fan_out: FanOut::OnePerFile,
        settings: Settings::new(),
        sample_column: None,
        existing: Vec::new(),
    };
    let prepared = Prepared {
        labels: BTreeMap::new(),
        name: "Plate 7".to_owned(),
        folder: "/results/Plate 7".into(),
        files: vec![file],
        left_out: Vec::new(),
        targets: vec![target],
    };
    let now = Now {
        at: Timestamp::now(),
        random: 7,
    };
    for event in [
        Event::ConnectionStored(draft, Ok((connection, KeyState::NotNeeded))),
        Event::Connected(id, KeyState::NotNeeded, Ok(())),
        Event::Prepared(Ok(prepared)),
        Event::CommitAsked(JobId(1), None),
    ] {
        drop(decide(world, event, now));
    }
    assert_eq!(world.jobs[&JobId(1)].stage, Stage::Submitting);
}

#[tokio::test]
async fn an_answer_that_comes_together_with_a_jump_of_the_clock_is_no_lost_one() {
    let top = tempfile::tempdir().unwrap();
    let journal = Journal::open(top.path()).unwrap().journal;
    let mut bench = bench(top.path(), journal);
    let dispatcher = &mut bench.dispatcher;
    submit_one(&mut dispatcher.world);
    let accepted = RemoteJob {
        id: "r1".to_owned(),
        web_page: None,
        memo: String::new(),
    };
    let answer = Event::Submitted(JobId(1), Ok(accepted));
    let handle = dispatcher.tasks.spawn(async { answer.into() });
    dispatcher
        .under_way
        .insert(handle, WorkKey::Submit(JobId(1)));
    bench.clock.set_by(SignedDuration::from_hours(3));
    let joined = dispatcher.tasks.join_next_with_id().await.unwrap();
    dispatcher.finished(joined).await;
    let job = &dispatcher.world.jobs[&JobId(1)];
    assert_eq!(job.stage, Stage::Queued, "{:?}", job.timeline);
}
