//! The dispatcher on a drive without room.

use std::time::Duration;

use super::*;
use crate::engine::keys::Keys;
use crate::engine::pace::Pace;
use crate::engine::start::first_world;
use crate::engine::{EngineOptions, WakeCell};
use crate::model::connection::ConnectionDraft;
use crate::model::ids::ProviderId;
use crate::net::client::{Http, NetOptions};
use crate::providers;
use crate::store::folders::Folders;

struct Bench {
    dispatcher: Dispatcher,
    commands: mpsc::Sender<Command>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    closing: watch::Sender<bool>,
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
    Bench {
        dispatcher: Dispatcher::new(
            world,
            journal,
            channels,
            tools,
            Desk::new(std::path::PathBuf::new(), None),
            options.clock,
        ),
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
    tokio::time::timeout(Duration::from_secs(30), both)
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
    tokio::time::timeout(Duration::from_secs(30), both)
        .await
        .unwrap();
    let again = Journal::open(top.path()).unwrap();
    assert_eq!(again.contents.connections.len(), 1);
}
