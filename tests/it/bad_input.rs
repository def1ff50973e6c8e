//! What goes wrong outside of Labferry: files, keys, addresses, servers, the journal. Each time it has to say so in words
//! a person understands, lose nothing, and get everything else done.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use labferry::engine::Engine;
use labferry::engine::command::Command;
use labferry::engine::snapshot::{CheckState, JobView, Phase, Snapshot, Trial};
use labferry::model::artifact::ArtifactState;
use labferry::model::batch::{BatchDraft, FindingWeight};
use labferry::model::connection::ConnectionDraft;
use labferry::model::error::{Doing, ErrorKind};
use labferry::model::file::FileProblem;
use labferry::model::ids::ProviderId;
use labferry::model::job::Stage;
use labferry::model::notice::Words;
use labferry::model::provider::FanOut;
use labferry::model::secret::Secret;
use labferry::sandbox::{Sandbox, samples};
use labferry::store::journal::FILE_NAME;

use crate::harness::{
    add_files, address, connect, connect_analytics, connect_biodock, describe, engine, sandbox,
    send, settled, target, wait,
};

/// Words for a person: what happened, what was done, what to do; nothing of ours inside.
fn assert_clear(words: &Words) {
    for (part, text) in [
        ("what", &words.what),
        ("did", &words.did),
        ("next", &words.next),
    ] {
        assert!(!text.trim().is_empty(), "{part} is missing: {words:?}");
        assert!(text.ends_with(['.', '?', '!']), "{part}: {text}");
    }
    let text = words.sentence();
    for inside in [
        "::", "Some(", "None", "Err(", "Error(", "Failure", " {", "</", "os error", "DOCTYPE",
    ] {
        assert!(!text.contains(inside), "{inside} in: {text}");
    }
    for kind in ErrorKind::ALL {
        let name = format!("{kind:?}");
        let is_a_word = !name.chars().skip(1).any(char::is_uppercase);
        assert!(is_a_word || !text.contains(&name), "{name} in: {text}");
    }
    for doing in Doing::ALL {
        let name = format!("{doing:?}");
        let is_a_word = !name.chars().skip(1).any(char::is_uppercase);
        assert!(is_a_word || !text.contains(&name), "{name} in: {text}");
    }
}

fn assert_notices_clear(snapshot: &Snapshot) {
    for notice in &snapshot.notices {
        assert_clear(&notice.words);
    }
    for view in &snapshot.jobs {
        if let Some(words) = &view.words {
            assert_clear(words);
        }
    }
}

fn file(path: PathBuf, bytes: &[u8]) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(bytes).unwrap();
    path
}

/// A micrograph under a name of ours.
fn picture(path: PathBuf) -> PathBuf {
    file(path, &samples::make().unwrap().remove(0).bytes)
}

fn problem(snapshot: &Snapshot, name: &str) -> Option<FileProblem> {
    let listed = snapshot
        .draft
        .files
        .iter()
        .find(|listed| listed.file.name == name);
    listed
        .unwrap_or_else(|| panic!("{name} was dropped in silence"))
        .problem
}

fn stages(snapshot: &Snapshot) -> Vec<(String, Stage)> {
    let jobs = snapshot.jobs.iter();
    jobs.map(|view| (view.job.name.clone(), view.job.stage))
        .collect()
}

fn job<'a>(snapshot: &'a Snapshot, name: &str) -> &'a JobView {
    let mut jobs = snapshot.jobs.iter();
    jobs.find(|view| view.job.name.contains(name) || view.job.connection_label == name)
        .unwrap_or_else(|| panic!("no job {name}; {}", describe(snapshot)))
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_sent_are_named_at_the_pick() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let institute = connect_analytics(&engine, &sandbox).await;
    let folder = top.path().join("plate");
    let mut paths = vec![
        file(folder.join("good.csv"), b"a,b\n1,2\n"),
        file(folder.join("empty.csv"), b""),
        file(folder.join(".hidden.csv"), b"x"),
        folder.join("gone.csv"),
    ];
    let locked = file(folder.join("locked.csv"), b"x");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    // Who may read everything, such as root in a container, can read this one, too.
    let is_locked = std::fs::File::open(&locked).is_err();
    if is_locked {
        paths.push(locked);
    }
    add_files(&engine, paths).await;
    let snapshot = engine.snapshot();
    assert_eq!(problem(&snapshot, "good.csv"), None);
    assert_eq!(problem(&snapshot, "empty.csv"), Some(FileProblem::Empty));
    assert_eq!(problem(&snapshot, ".hidden.csv"), Some(FileProblem::Hidden));
    assert_eq!(problem(&snapshot, "gone.csv"), Some(FileProblem::Vanished));
    if is_locked {
        assert_eq!(
            problem(&snapshot, "locked.csv"),
            Some(FileProblem::Unreadable)
        );
    }
    let targets = vec![target(&engine, institute, "wordcount", FanOut::OnePerFile)];
    send(&engine, "Plate", &top.path().join("results"), targets).await;
    let snapshot = settled(&engine).await;
    assert_eq!(snapshot.jobs.len(), 1, "{}", describe(&snapshot));
    assert_eq!(
        snapshot.jobs[0].job.stage,
        Stage::Done,
        "{}",
        describe(&snapshot)
    );
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_changed_or_vanished_before_the_sending_stop_no_other() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let institute = connect_analytics(&engine, &sandbox).await;
    let folder = top.path().join("plate");
    let good = file(folder.join("good.csv"), b"a,b\n1,2\n");
    let grows = file(folder.join("grows.csv"), b"a,b\n1,2\n");
    let vanishes = file(folder.join("vanishes.csv"), b"a,b\n1,2\n");
    add_files(&engine, vec![good, grows.clone(), vanishes.clone()]).await;
    let mut open = OpenOptions::new().append(true).open(grows).unwrap();
    open.write_all(b"3,4\n").unwrap();
    std::fs::remove_file(vanishes).unwrap();
    let targets = vec![target(&engine, institute, "wordcount", FanOut::OnePerFile)];
    send(&engine, "Plate", &top.path().join("results"), targets).await;
    let snapshot = settled(&engine).await;
    assert_eq!(
        job(&snapshot, "good.csv").job.stage,
        Stage::Done,
        "{}",
        describe(&snapshot)
    );
    let changed = job(&snapshot, "grows.csv");
    assert_eq!(changed.job.stage, Stage::Failed, "{}", describe(&snapshot));
    assert_clear(changed.words.as_ref().unwrap());
    let all: Vec<String> = snapshot
        .notices
        .iter()
        .map(|notice| format!("{} {:?}", notice.words.sentence(), notice.details))
        .collect();
    assert!(
        all.iter().any(|text| text.contains("vanishes.csv")),
        "nothing said of the vanished file: {all:?}"
    );
    assert!(
        all.iter().any(|text| text.contains("grows.csv")),
        "nothing said of the changed file: {all:?}"
    );
    assert_notices_clear(&snapshot);
    // The changed file never became a job there.
    let made = sandbox.world().requests().at("aa.submit");
    assert_eq!(
        made.iter()
            .filter(|request| request.status == Some(201))
            .count(),
        1
    );
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_on_its_way_is_left_out() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let imaging = connect_biodock(&engine, &sandbox).await;
    let folder = top.path().join("plate");
    let good = picture(folder.join("good.png"));
    let grows = file(folder.join("grows.bin"), &vec![7; 24 * 1024 * 1024]);
    add_files(&engine, vec![good, grows.clone()]).await;
    sandbox
        .world()
        .faults()
        .add("slow@biodock.upload*2")
        .unwrap();
    let targets = vec![target(&engine, imaging, "Nuclei count", FanOut::AllInOne)];
    send(&engine, "Plate", &top.path().join("results"), targets).await;
    // More than the small file has: the large one is on its way.
    wait(&engine, "the upload", |snapshot| {
        snapshot.jobs[0]
            .bytes
            .is_some_and(|(done, _)| done > 1024 * 1024)
    })
    .await;
    let mut open = OpenOptions::new().append(true).open(grows).unwrap();
    open.write_all(b"more").unwrap();
    open.sync_all().unwrap();
    let snapshot = settled(&engine).await;
    let view = &snapshot.jobs[0];
    assert_eq!(view.job.stage, Stage::Done, "{}", describe(&snapshot));
    assert_eq!(view.job.left_out.len(), 1, "{}", describe(&snapshot));
    assert_eq!(view.job.left_out[0].error.kind(), ErrorKind::LocalFile);
    let notice = snapshot
        .notices
        .iter()
        .find(|notice| notice.words.sentence().contains("grows.bin"));
    assert!(notice.is_some(), "{}", describe(&snapshot));
    assert_notices_clear(&snapshot);
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_the_platform_finds_too_large_is_left_out() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let imaging = connect_biodock(&engine, &sandbox).await;
    sandbox
        .world()
        .faults()
        .add("biodock.max-upload=1000000")
        .unwrap();
    let folder = top.path().join("plate");
    let good = picture(folder.join("good.png"));
    let large = file(folder.join("large.bin"), &vec![7; 3_000_000]);
    add_files(&engine, vec![good, large]).await;
    let targets = vec![
        target(&engine, imaging, "Nuclei count", FanOut::AllInOne),
        target(&engine, imaging, "Nuclei count", FanOut::OnePerFile),
    ];
    send(&engine, "Plate", &top.path().join("results"), targets).await;
    let snapshot = settled(&engine).await;
    let mut found: Vec<Stage> = snapshot.jobs.iter().map(|view| view.job.stage).collect();
    found.sort();
    assert_eq!(
        found,
        [Stage::Done, Stage::Done, Stage::Failed],
        "{}",
        describe(&snapshot)
    );
    assert!(
        snapshot
            .notices
            .iter()
            .any(|notice| notice.words.sentence().contains("large.bin")),
        "{}",
        describe(&snapshot)
    );
    assert_notices_clear(&snapshot);
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_over_the_limit_is_found_before_anything_is_sent() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let imaging = connect_biodock(&engine, &sandbox).await;
    let folder = top.path().join("plate");
    let good = picture(folder.join("good.png"));
    let large = file(folder.join("large.tif"), b"");
    // Sparse: it takes no room.
    let open = OpenOptions::new().write(true).open(&large).unwrap();
    open.set_len(2_000_000_001).unwrap();
    add_files(&engine, vec![good, large.clone()]).await;
    let draft = BatchDraft {
        name: "Plate".to_owned(),
        into: Some(top.path().join("results")),
        targets: vec![target(&engine, imaging, "Nuclei count", FanOut::AllInOne)],
    };
    engine.send(Command::SubmitBatch(draft.clone())).unwrap();
    let snapshot = wait(&engine, "the findings", |snapshot| {
        !snapshot.draft.findings.is_empty()
    })
    .await;
    let blocking = snapshot
        .draft
        .findings
        .iter()
        .find(|finding| finding.weight == FindingWeight::Blocks)
        .unwrap();
    assert!(blocking.words.contains("large.tif"), "{}", blocking.words);
    assert!(snapshot.batches.is_empty() && snapshot.draft.files.len() == 2);
    assert_eq!(sandbox.world().requests().count("biodock.upload"), 0);
    // Without it the rest goes on.
    engine.send(Command::RemoveFiles(vec![large])).unwrap();
    engine.send(Command::SubmitBatch(draft)).unwrap();
    let snapshot = settled(&engine).await;
    assert_eq!(
        snapshot.jobs[0].job.stage,
        Stage::Done,
        "{}",
        describe(&snapshot)
    );
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_within_folders_keep_files_of_one_name_apart() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let institute = connect_analytics(&engine, &sandbox).await;
    let folder = top.path().join("screen");
    for (place, text) in [
        ("", "one\n"),
        ("plate 1", "one two\n"),
        ("plate 1/day #2", "one two three\n"),
        ("plate 2/世界/a/b/c", "one two three four\n"),
    ] {
        file(folder.join(place).join("well.csv"), text.as_bytes());
    }
    std::fs::create_dir(folder.join("nothing in it")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&folder, folder.join("plate 1").join("around")).unwrap();
    add_files(&engine, vec![folder]).await;
    let snapshot = engine.snapshot();
    let good = snapshot
        .draft
        .files
        .iter()
        .filter(|listed| listed.problem.is_none())
        .count();
    assert_eq!(good, 4, "{:?}", snapshot.draft.files);
    let targets = vec![target(&engine, institute, "wordcount", FanOut::OnePerFile)];
    send(&engine, "Screen", &top.path().join("results"), targets).await;
    let snapshot = settled(&engine).await;
    let stages = stages(&snapshot);
    assert!(
        stages.len() == 4 && stages.iter().all(|(_, stage)| *stage == Stage::Done),
        "{}",
        describe(&snapshot)
    );
    // Each result is of its own file.
    let mut words: Vec<String> = snapshot
        .jobs
        .iter()
        .map(|view| {
            let name = &view.artifacts[0].path;
            let text = std::fs::read_to_string(view.folder.join(name)).unwrap();
            text.split_whitespace().nth(1).unwrap().to_owned()
        })
        .collect();
    words.sort();
    assert_eq!(words, ["1", "2", "3", "4"]);
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn nasty_names_come_through_both_platforms() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let (imaging, institute) = connect(&engine, &sandbox).await;
    let folder = top.path().join("it's #1 \"50%\" 世界");
    let mut names = vec![
        "say \"aah\" & run.png".to_owned(),
        "well #7 50%25;.png".to_owned(),
        "世界 µm.png".to_owned(),
        "-rf.png".to_owned(),
        "CON.png".to_owned(),
        format!("{}.png", "x".repeat(196)),
    ];
    if cfg!(unix) {
        names.push("ends with a dot.".to_owned());
        names.push("line\nbreak\\and: more?.png".to_owned());
    }
    let mut paths: Vec<PathBuf> = names
        .iter()
        .map(|name| picture(folder.join(name)))
        .collect();
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let name = std::ffi::OsStr::from_bytes(b"caf\xe9.png");
        paths.push(picture(folder.join(name)));
    }
    let count = paths.len();
    add_files(&engine, std::mem::take(&mut paths)).await;
    let targets = vec![
        target(&engine, imaging, "Nuclei count", FanOut::AllInOne),
        target(&engine, institute, "wordcount", FanOut::OnePerFile),
    ];
    let name = "Größe: \"1/2\" of #3…?";
    send(&engine, name, &top.path().join("results"), targets).await;
    let snapshot = settled(&engine).await;
    assert_eq!(snapshot.jobs.len(), count + 1);
    for (name, stage) in stages(&snapshot) {
        assert_eq!(stage, Stage::Done, "{name}; {}", describe(&snapshot));
    }
    for view in &snapshot.jobs {
        assert!(view.job.left_out.is_empty());
        for artifact in &view.artifacts {
            // What was unpacked stands under names of its own.
            if matches!(artifact.state, ArtifactState::Fetched(_)) {
                let path = view.folder.join(&artifact.path);
                assert!(path.is_file(), "{}", path.display());
            }
        }
    }
    engine.shutdown();
}

/// What was filled in for a connection, tried without saving it.
async fn tried(
    engine: &Engine,
    provider: &str,
    entries: &[(&str, &str)],
    key: Option<&str>,
) -> Trial {
    let draft = ConnectionDraft {
        provider: ProviderId::from(provider),
        label: "Core".to_owned(),
        entries: entries
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let secrets = key
        .map(|key| ("key".to_owned(), Secret::parse_key(key).unwrap()))
        .into_iter()
        .collect();
    engine.send(Command::TryConnection(draft, secrets)).unwrap();
    wait(engine, "the start of the trial", |snapshot| {
        snapshot.trial.is_some()
    })
    .await;
    let snapshot = wait(engine, "the trial", |snapshot| {
        snapshot
            .trial
            .as_ref()
            .is_some_and(|trial| *trial != Trial::Checking)
    })
    .await;
    snapshot.trial.clone().unwrap()
}

fn bad(trial: Trial) -> Words {
    let Trial::Bad(words) = trial else {
        panic!("{trial:?}")
    };
    assert_clear(&words);
    words
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_are_explained_and_never_shown() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let url = address(&sandbox, "biodock", "url");
    let canary = "canary-0123456789";
    for refusal in ["json", "html", "login-page", "redirect"] {
        let setting = format!("biodock.refusal={refusal}");
        sandbox.world().faults().add(&setting).unwrap();
        let trial = tried(&engine, "biodock", &[("url", &url)], Some(canary)).await;
        let words = bad(trial);
        assert!(!words.sentence().contains(canary), "{}", words.sentence());
    }
    // Saved, it stands in the list with the reason.
    let draft = ConnectionDraft {
        provider: ProviderId::from("biodock"),
        label: "Core".to_owned(),
        entries: [("url".to_owned(), url)].into(),
    };
    let key = Secret::parse_key(canary).unwrap();
    engine
        .send(Command::SaveConnection(
            draft,
            vec![("key".to_owned(), key)],
        ))
        .unwrap();
    let snapshot = wait(&engine, "the refusal", |snapshot| {
        let view = snapshot.connections.first();
        view.is_some_and(|view| matches!(view.check, CheckState::Bad(_)))
    })
    .await;
    let CheckState::Bad(words) = &snapshot.connections[0].check else {
        panic!()
    };
    assert_clear(words);
    assert_notices_clear(&snapshot);
    assert!(!format!("{snapshot:?}").contains(canary));
    engine.shutdown();
    let journal = std::fs::read(top.path().join("data").join(FILE_NAME)).unwrap();
    let journal = String::from_utf8_lossy(&journal);
    assert!(!journal.contains(canary), "the key is in the journal");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_addresses_are_explained() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/api", closed.local_addr().unwrap());
    drop(closed);
    let key = Some("canary-0123456789");
    bad(tried(&engine, "biodock", &[("url", &nobody)], key).await);
    let email = ("email", "someone@example.org");
    bad(tried(
        &engine,
        "analytics-automated",
        &[("url", &nobody), email],
        None,
    )
    .await);
    // A server that is there and is something else.
    let other = format!("{}/somewhere/else", sandbox.world().api_url());
    bad(tried(&engine, "biodock", &[("url", &other)], key).await);
    bad(tried(
        &engine,
        "analytics-automated",
        &[("url", &other), email],
        None,
    )
    .await);
    // A server that answers with pages.
    sandbox.world().faults().add("html").unwrap();
    let url = address(&sandbox, "biodock", "url");
    bad(tried(&engine, "biodock", &[("url", &url)], key).await);
    let url = address(&sandbox, "analytics_automated", "url");
    bad(tried(
        &engine,
        "analytics-automated",
        &[("url", &url), email],
        None,
    )
    .await);
    // No address at all.
    bad(tried(&engine, "biodock", &[("url", "not an address")], key).await);
    bad(tried(&engine, "biodock", &[("url", "ftp://example.org")], key).await);
    bad(tried(
        &engine,
        "analytics-automated",
        &[("url", &url), ("email", "nobody")],
        None,
    )
    .await);
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_not_travel_in_the_open() {
    let top = tempfile::tempdir().unwrap();
    let engine = engine(top.path());
    let key = Some("canary-0123456789");
    let url = "http://biodock.example.org/api/external";
    let words = bad(tried(&engine, "biodock", &[("url", url)], key).await);
    assert!(words.sentence().contains("https"), "{}", words.sentence());
    // Saving it is refused as well, and said.
    let draft = ConnectionDraft {
        provider: ProviderId::from("biodock"),
        label: "Core".to_owned(),
        entries: [("url".to_owned(), url.to_owned())].into(),
    };
    let secret = Secret::parse_key("canary-0123456789").unwrap();
    engine
        .send(Command::SaveConnection(
            draft,
            vec![("key".to_owned(), secret)],
        ))
        .unwrap();
    let snapshot = wait(&engine, "the refusal", |snapshot| {
        !snapshot.notices.is_empty()
    })
    .await;
    assert_notices_clear(&snapshot);
    assert!(snapshot.connections.is_empty());
    engine.shutdown();
}

async fn through_pages(fault: &str, submits: usize) {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let imaging = connect_biodock(&engine, &sandbox).await;
    let good = picture(top.path().join("plate").join("good.png"));
    add_files(&engine, vec![good]).await;
    sandbox.world().faults().add(fault).unwrap();
    let targets = vec![target(&engine, imaging, "Nuclei count", FanOut::AllInOne)];
    send(&engine, "Plate", &top.path().join("results"), targets).await;
    let snapshot = settled(&engine).await;
    let stage = snapshot.jobs[0].job.stage;
    assert_eq!(stage, Stage::Done, "{fault}: {}", describe(&snapshot));
    assert_eq!(
        sandbox.world().requests().count("biodock.submit"),
        submits,
        "{fault}"
    );
    assert_notices_clear(&snapshot);
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_instead_of_data_are_waited_out() {
    for (fault, submits) in [
        ("html@biodock.upload*1", 1),
        ("html@biodock.status*2", 1),
        ("html@biodock.ask-masks*1", 1),
        ("html@storage*1", 1),
        // Whether it made a job can be seen in the list: it did not, so it is sent again.
        ("html@biodock.submit*1", 2),
    ] {
        through_pages(fault, submits).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_stops_working_holds_the_job_until_there_is_a_new_one() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let (imaging, institute) = connect(&engine, &sandbox).await;
    let good = picture(top.path().join("plate").join("good.png"));
    add_files(&engine, vec![good]).await;
    sandbox
        .world()
        .faults()
        .add("unauthorized@biodock")
        .unwrap();
    let targets = vec![
        target(&engine, imaging, "Nuclei count", FanOut::AllInOne),
        target(&engine, institute, "wordcount", FanOut::OnePerFile),
    ];
    send(&engine, "Plate", &top.path().join("results"), targets).await;
    let snapshot = wait(&engine, "the job that waits", |snapshot| {
        job(snapshot, "Imaging core").waits_for_person
            && job(snapshot, "Institute server").job.stage == Stage::Done
    })
    .await;
    assert!(!snapshot.notices.is_empty(), "{}", describe(&snapshot));
    assert_notices_clear(&snapshot);
    sandbox.world().faults().clear();
    connect_biodock(&engine, &sandbox).await;
    let snapshot = settled(&engine).await;
    assert_eq!(
        job(&snapshot, "Imaging core").job.stage,
        Stage::Done,
        "{}",
        describe(&snapshot)
    );
    assert_eq!(sandbox.world().requests().count("biodock.submit"), 1);
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_results_folder_that_cannot_be_made_is_found_before_anything_is_sent() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let institute = connect_analytics(&engine, &sandbox).await;
    let good = file(top.path().join("good.csv"), b"a\n");
    add_files(&engine, vec![good.clone()]).await;
    let draft = BatchDraft {
        name: "Plate".to_owned(),
        // Below a file there is no room for a folder.
        into: Some(good.join("results")),
        targets: vec![target(&engine, institute, "wordcount", FanOut::OnePerFile)],
    };
    engine.send(Command::SubmitBatch(draft)).unwrap();
    let snapshot = wait(&engine, "the findings", |snapshot| {
        !snapshot.draft.findings.is_empty()
    })
    .await;
    let words = &snapshot.draft.findings[0].words;
    assert!(words.contains("folder"), "{words}");
    assert!(!words.contains("os error"), "{words}");
    assert_eq!(snapshot.draft.files.len(), 1, "the files are still there");
    assert_eq!(sandbox.world().requests().count("aa.submit"), 0);
    engine.shutdown();
}

/// A data folder in which an engine has worked.
async fn used_folder(top: &Path) -> Sandbox {
    let sandbox = sandbox().await;
    let engine = engine(top);
    connect_analytics(&engine, &sandbox).await;
    engine.shutdown();
    sandbox
}

fn journal_files(top: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(top.join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("journal"))
        .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        // SQLite leaves an empty log beside what it has looked at.
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect();
    files.sort();
    files
}

async fn stopped(engine: &Engine) -> Words {
    let snapshot = wait(engine, "the stop", |snapshot| {
        !matches!(snapshot.phase, Phase::Starting)
    })
    .await;
    let Phase::Stopped(words) = &snapshot.phase else {
        panic!("{:?}", snapshot.phase)
    };
    assert_clear(words);
    words.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_journal_is_left_alone() {
    let top = tempfile::tempdir().unwrap();
    drop(used_folder(top.path()).await);
    let journal = top.path().join("data").join(FILE_NAME);
    let database = rusqlite::Connection::open(&journal).unwrap();
    database.pragma_update(None, "user_version", 9_999).unwrap();
    drop(database);
    let before = journal_files(top.path());
    let engine = engine(top.path());
    let words = stopped(&engine).await;
    assert!(words.sentence().contains("newer"), "{}", words.sentence());
    // What is asked of it all the same changes nothing.
    engine.send(Command::ClearFiles).ok();
    engine.shutdown();
    assert!(
        journal_files(top.path()) == before,
        "the journal was changed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_is_kept_aside() {
    let top = tempfile::tempdir().unwrap();
    drop(used_folder(top.path()).await);
    let journal = top.path().join("data").join(FILE_NAME);
    let mut damaged = std::fs::read(&journal).unwrap();
    let end = damaged.len();
    damaged[100..end].fill(0x5a);
    let mut open = OpenOptions::new().write(true).open(&journal).unwrap();
    open.write_all(&damaged).unwrap();
    drop(open);
    let engine = engine(top.path());
    let snapshot = wait(&engine, "the start", |snapshot| {
        snapshot.phase == Phase::Running
    })
    .await;
    assert_eq!(snapshot.notices.len(), 1, "{}", describe(&snapshot));
    assert_notices_clear(&snapshot);
    assert!(snapshot.connections.is_empty());
    engine.shutdown();
    let kept = journal_files(top.path())
        .into_iter()
        .any(|(path, bytes)| path != journal && bytes == damaged);
    assert!(kept, "the damaged journal is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_labferry_steps_aside() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let first = engine(top.path());
    let institute = connect_analytics(&first, &sandbox).await;
    let second = engine(top.path());
    let words = stopped(&second).await;
    assert!(words.sentence().contains("Another"), "{}", words.sentence());
    let good = file(top.path().join("good.csv"), b"a\n");
    second.send(Command::AddFiles(vec![good.clone()])).ok();
    second.shutdown();
    // The first one has noticed nothing.
    add_files(&first, vec![good]).await;
    let targets = vec![target(&first, institute, "wordcount", FanOut::OnePerFile)];
    send(&first, "Plate", &top.path().join("results"), targets).await;
    let snapshot = settled(&first).await;
    assert_eq!(
        snapshot.jobs[0].job.stage,
        Stage::Done,
        "{}",
        describe(&snapshot)
    );
    first.shutdown();
    // And when it is gone, the next one takes over with all that is there.
    let third = engine(top.path());
    let snapshot = wait(&third, "the start", |snapshot| {
        snapshot.phase == Phase::Running
    })
    .await;
    assert_eq!(snapshot.jobs.len(), 1);
    third.shutdown();
}
