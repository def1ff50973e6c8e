//! Canary keys: a program of its own connects to all four platforms with keys that exist nowhere else, sends, meets faults,
//! panics, makes a report, and forgets the connections. Afterwards the keys are looked for, plain and as they travel, in
//! everything it wrote and said, in what it sent to hosts they do not belong to, and in its memory.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command as Program, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labferry::engine::command::Command;
use labferry::engine::snapshot::{CheckState, Loadable};
use labferry::engine::{Engine, EngineOptions};
use labferry::model::connection::ConnectionDraft;
use labferry::model::ids::ProviderId;
use labferry::model::provider::FanOut;
use labferry::model::secret::Secret;
use labferry::net::client::NetOptions;
use labferry::net::retry::RetryPolicy;
use labferry::providers::analytics_automated::sim::{PASSWORD_KEY, USER};
use labferry::sandbox::Sandbox;
use memchr::memmem;

use crate::harness::{add_files, describe, options, sandbox, send, settled, target, wait};
use crate::program::files;

/// Tells the second run where it works.
const PLACE_VARIABLE: &str = "LABFERRY_TEST_CANARIES_PLACE";

/// What the platforms do while they are asked who we are, one after the other.
const FAULTS: [&str; 5] = [
    "unauthorized",
    "redirect-elsewhere",
    "html",
    "garbled",
    "error-list",
];

/// Longest wait for keys to be gone from memory.
const FORGOTTEN: Duration = Duration::from_secs(20);

/// A key under its name, and all the ways it may be written.
struct Canary {
    name: String,
    forms: Vec<Vec<u8>>,
}

impl Canary {
    fn new(name: &str, key: &str, user: &str) -> Self {
        let mut forms = vec![key.as_bytes().to_vec()];
        // In base64 it depends on what stands before it; the letters at either end belong to the neighbours.
        for before in ["", "a", "ab", &format!("{user}:")] {
            let encoded = STANDARD.encode(format!("{before}{key}xxx"));
            let from = (before.len() * 4).div_ceil(3);
            let to = ((before.len() + key.len()) * 4) / 3;
            forms.push(encoded.as_bytes()[from..to].to_vec());
        }
        let (mut encoded, mut hex) = (String::new(), String::new());
        for byte in key.bytes() {
            encoded += &format!("%{byte:02X}");
            hex += &format!("{byte:02x}");
        }
        forms.extend([encoded.into_bytes(), hex.into_bytes()]);
        let wide: Vec<u8> = key.encode_utf16().flat_map(u16::to_le_bytes).collect();
        forms.push(wide);
        let partly = key
            .replace('/', "%2F")
            .replace('+', "%2B")
            .replace('=', "%3D");
        if partly != key {
            forms.push(partly.into_bytes());
        }
        Self {
            name: name.to_owned(),
            forms,
        }
    }

    /// How often it occurs.
    fn count_in(&self, bytes: &[u8]) -> usize {
        self.forms
            .iter()
            .map(|form| memmem::find_iter(bytes, form).count())
            .sum()
    }
}

/// What the program is told on its standard input: one entry a line.
fn entries(sandbox: &Sandbox) -> (String, Vec<Canary>) {
    let mut lines = String::new();
    let mut canaries = Vec::new();
    for place in sandbox.addresses().all() {
        for entry in &place.entries {
            let kind = if entry.is_secret { "secret" } else { "open" };
            lines += &format!(
                "{}\t{kind}\t{}\t{}\n",
                place.platform, entry.field, entry.value
            );
            if entry.is_secret {
                let name = format!("{} {}", place.platform, entry.field);
                canaries.push(Canary::new(&name, &entry.value, ""));
            }
        }
    }
    let password = sandbox.world().key(PASSWORD_KEY);
    lines += &format!("analytics-automated\topen\tuser\t{USER}\n");
    lines += &format!("analytics-automated\tsecret\tpassword\t{password}\n");
    canaries.push(Canary::new("analytics-automated password", &password, USER));
    lines += "\n";
    (lines, canaries)
}

/// The program under test and the way it is talked to.
struct Run {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    said: String,
}

impl Run {
    fn start(place: &Path) -> Self {
        let errors = File::create(place.join("stderr")).unwrap();
        let mut child = Program::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture"])
            .arg("canaries::inside_a_program_with_keys")
            .env_clear()
            .env("HOME", place)
            .env("RUST_BACKTRACE", "full")
            .env(PLACE_VARIABLE, place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            said: String::new(),
        }
    }

    fn tell(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Reads on until it says so.
    fn hear(&mut self, wanted: &str) {
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).unwrap();
            self.said += &line;
            assert!(read > 0, "it ended before it said {wanted}: {}", self.said);
            if line.contains(wanted) {
                return;
            }
        }
    }

    /// How often each key is in memory it can write to, and where the first few are.
    fn memory(&self, canaries: &[Canary]) -> (BTreeMap<String, usize>, String) {
        let process = PathBuf::from(format!("/proc/{}", self.child.id()));
        let maps = fs::read_to_string(process.join("maps")).unwrap();
        let mut memory = File::open(process.join("mem")).unwrap();
        let mut counts = BTreeMap::new();
        let mut places = String::new();
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (range, rights) = (words.next().unwrap(), words.next().unwrap());
            let name = words.nth(3).unwrap_or("heap of a thread");
            if !rights.starts_with("rw") || name.starts_with("[v") {
                continue;
            }
            let (from, to) = range.split_once('-').unwrap();
            let from = u64::from_str_radix(from, 16).unwrap();
            let to = u64::from_str_radix(to, 16).unwrap();
            let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
            memory.seek(SeekFrom::Start(from)).unwrap();
            // Some pages cannot be read, such as guards that came meanwhile.
            let mut read = 0;
            while let Ok(more) = memory.read(&mut bytes[read..]) {
                if more == 0 {
                    break;
                }
                read += more;
            }
            for canary in canaries {
                let found = canary.count_in(&bytes[..read]);
                if found > 0 {
                    *counts.entry(canary.name.clone()).or_default() += found;
                    places += &format!("{} × {found} in {name}", canary.name);
                    for form in &canary.forms {
                        if let Some(at) = memmem::find(&bytes[..read], form) {
                            let around =
                                &bytes[at.saturating_sub(40)..(at + form.len() + 24).min(read)];
                            places += &format!(" {}", around.escape_ascii());
                        }
                    }
                    places += "\n";
                }
            }
        }
        (counts, places)
    }
}

#[expect(clippy::too_many_lines, reason = "one run, step by step")]
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_all_platforms_are_nowhere_but_where_they_belong() {
    let place = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let (lines, canaries) = entries(&sandbox);
    assert_eq!(
        canaries.len(),
        6,
        "one for each secret of the four platforms"
    );
    // Another program's file of keys, which is no part of what Labferry writes.
    let bridges = sandbox.addresses();
    let profiles = place.path().join(".sevenbridges");
    fs::create_dir(&profiles).unwrap();
    let text = format!(
        "[canary]\napi_endpoint = {}\nauth_token = {}\n",
        bridges.entry("seven-bridges", "url"),
        bridges.entry("seven-bridges", "key")
    );
    File::create(profiles.join("credentials"))
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();

    let mut run = Run::start(place.path());
    run.tell(&lines);
    run.hear("STEP sent");
    let (counts, _) = run.memory(&canaries);
    assert_eq!(
        counts.len(),
        canaries.len(),
        "the search finds what is there: {counts:?}"
    );
    for fault in FAULTS {
        if let Err(error) = sandbox.world().faults().add(fault) {
            panic!("{error}");
        }
        run.tell("go\n");
        run.hear("STEP checked");
        sandbox.world().faults().clear();
    }
    run.tell("go\n");
    run.hear("STEP removed");
    // Secrets are forgotten aside, and connections to servers that are kept open end later.
    let begun = Instant::now();
    let (removed, removed_where) = loop {
        let found = run.memory(&canaries);
        if found.0.is_empty() || begun.elapsed() > FORGOTTEN {
            break found;
        }
    };
    run.tell("go\n");
    run.hear("STEP ended");
    let (ended, ended_where) = run.memory(&canaries);
    run.tell("go\n");
    run.hear("test result");
    assert!(run.child.wait().unwrap().success());

    // Everything written and said.
    fs::remove_dir_all(&profiles).unwrap();
    let mut written = files(place.path());
    written.sort();
    let names: Vec<String> = written
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    for needed in [
        "journal",
        "trace.log",
        "stderr",
        "report.txt",
        "receipt.json",
        "objects.csv",
    ] {
        assert!(
            names.iter().any(|name| name.contains(needed)),
            "{needed}: {names:#?}"
        );
    }
    for path in &written {
        let bytes = fs::read(path).unwrap();
        for canary in &canaries {
            assert_eq!(
                canary.count_in(&bytes),
                0,
                "{} in {}",
                canary.name,
                path.display()
            );
            let name = path.to_string_lossy();
            assert_eq!(canary.count_in(name.as_bytes()), 0, "{name}");
        }
    }
    for canary in &canaries {
        assert_eq!(
            canary.count_in(run.said.as_bytes()),
            0,
            "{}: {}",
            canary.name,
            run.said
        );
    }
    let trace = fs::read_to_string(place.path().join("trace.log")).unwrap();
    assert!(
        trace.contains("DEBUG") && trace.lines().count() > 200,
        "the log was on"
    );
    let errors = fs::read_to_string(place.path().join("stderr")).unwrap();
    assert!(
        errors.contains("Secret(hidden)"),
        "the panic spoke of keys: {errors}"
    );

    // No key in an address, and none at the storage that links lead to.
    for request in sandbox.world().requests().all() {
        for canary in &canaries {
            assert_eq!(canary.count_in(request.path.as_bytes()), 0, "{request:?}");
        }
        assert!(!(request.at_storage && request.carried_key), "{request:?}");
    }

    println!("in memory after removal: {removed:?}\n{removed_where}");
    println!("in memory after the end: {ended:?}\n{ended_where}");
    // What may be left after the removal stands in buffers of connections to servers that are still kept open.
    for line in removed_where.lines() {
        let is_request = ["accept:", "x-api-key:", "auth", "X-Amz-Credential"]
            .iter()
            .any(|sign| line.contains(sign));
        assert!(is_request, "{line}");
    }
    assert!(ended.is_empty(), "{ended:?}\n{ended_where}");
}

/// One byte after the other, so that nothing is read ahead and no buffer keeps a key.
fn read_line(input: &mut File, line: &mut Vec<u8>) -> usize {
    line.clear();
    let mut byte = [0];
    while input.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    line.len()
}

fn step(input: &mut File, name: &str) {
    println!("STEP {name}");
    std::io::stdout().flush().unwrap();
    read_line(input, &mut Vec::new());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by keys_of_all_platforms_are_nowhere_but_where_they_belong in a process of its own"]
async fn inside_a_program_with_keys() {
    let place = PathBuf::from(std::env::var_os(PLACE_VARIABLE).unwrap());
    let log = File::create(place.join("trace.log")).unwrap();
    tracing_subscriber::fmt()
        .with_env_filter("trace")
        .with_writer(std::sync::Mutex::new(log))
        .with_ansi(false)
        .init();
    let mut input: File = std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .unwrap()
        .into();
    let engine = Engine::start(EngineOptions {
        home: Some(place.clone()),
        environment: |_name| None,
        net: NetOptions {
            retry: RetryPolicy::tiny(),
            kept_idle: Some(Duration::from_secs(1)),
            ..NetOptions::default()
        },
        ..options(&place)
    })
    .unwrap();
    connect_all(&engine, &mut input).await;
    import(&engine).await;
    let snapshot = engine.snapshot();
    let mut targets = Vec::new();
    for view in &snapshot.connections {
        let pipeline = match view.connection.provider.as_str() {
            "biodock" => "Nuclei count",
            "code-ocean" => "Image statistics",
            "seven-bridges" => "Exit with code",
            _ => "wordcount",
        };
        targets.push(target(
            &engine,
            view.connection.id,
            pipeline,
            FanOut::AllInOne,
        ));
    }
    let picture = labferry::sandbox::samples::make().unwrap().remove(0).bytes;
    let file = place.join("a picture.png");
    File::create(&file).unwrap().write_all(&picture).unwrap();
    add_files(&engine, vec![file]).await;
    for target in &mut targets {
        let fan_outs = engine
            .snapshot()
            .connection(target.connection)
            .and_then(|view| engine.snapshot().facts(&view.connection.provider))
            .unwrap()
            .capabilities
            .fan_outs;
        target.fan_out = fan_outs[0];
    }
    send(&engine, "Plate", &place.join("results"), targets).await;
    let snapshot = settled(&engine).await;
    println!("{}", describe(&snapshot));
    println!("{snapshot:?}");
    drop(snapshot);
    step(&mut input, "sent");
    for _ in FAULTS {
        check_all(&engine).await;
        step(&mut input, "checked");
    }
    crash();
    report(&engine, &place).await;
    for view in &engine.snapshot().connections {
        engine
            .send(Command::RemoveConnection(view.connection.id))
            .unwrap();
    }
    wait(&engine, "the removal", |snapshot| {
        snapshot.connections.is_empty()
    })
    .await;
    step(&mut input, "removed");
    engine.shutdown();
    drop(engine);
    step(&mut input, "ended");
}

async fn connect_all(engine: &Engine, input: &mut File) {
    let mut drafts: BTreeMap<String, (ConnectionDraft, Vec<(String, Secret)>)> = BTreeMap::new();
    let mut line = Vec::with_capacity(4096);
    while read_line(input, &mut line) > 0 {
        let text = std::str::from_utf8(&line).unwrap();
        let mut words = text.splitn(4, '\t');
        let mut next = || words.next().unwrap();
        let (platform, kind, field, value) = (next(), next(), next(), next());
        let draft = ConnectionDraft {
            provider: ProviderId::from(platform),
            label: format!("Ours at {platform}"),
            entries: BTreeMap::new(),
        };
        let (draft, secrets) = drafts
            .entry(platform.to_owned())
            .or_insert((draft, Vec::new()));
        if kind == "secret" {
            secrets.push((field.to_owned(), Secret::parse_password(value).unwrap()));
        } else {
            draft.entries.insert(field.to_owned(), value.to_owned());
        }
    }
    drop(line);
    assert_eq!(drafts.len(), 4);
    for (draft, secrets) in drafts.into_values() {
        let command = Command::TryConnection(draft.clone(), secrets.clone());
        println!("{command:?}");
        engine.send(command).unwrap();
        wait(engine, "the trial", |snapshot| {
            matches!(
                snapshot.trial,
                Some(labferry::engine::snapshot::Trial::Good(_))
            )
        })
        .await;
        crate::harness::save(engine, draft, secrets).await;
    }
}

/// The same key once more, out of the other program's file.
async fn import(engine: &Engine) {
    let provider = ProviderId::from("seven-bridges");
    engine
        .send(Command::ReadProfiles(provider.clone()))
        .unwrap();
    wait(engine, "the names", |snapshot| {
        let names = snapshot.profiles.as_ref().map(|profiles| &profiles.names);
        matches!(names, Some(Loadable::Ready(names)) if names.len() == 1)
    })
    .await;
    let ours = engine.snapshot();
    let ours = ours
        .connections
        .iter()
        .find(|view| view.connection.provider == provider)
        .unwrap();
    let draft = ConnectionDraft {
        provider: provider.clone(),
        label: "Imported".to_owned(),
        entries: ours.connection.options.clone(),
    };
    let profile = "canary".to_owned();
    engine
        .send(Command::ImportProfile { draft, profile })
        .unwrap();
    wait(engine, "the imported connection", |snapshot| {
        snapshot
            .connections
            .iter()
            .any(|view| view.connection.label == "Imported" && view.check == CheckState::Good)
    })
    .await;
}

async fn check_all(engine: &Engine) {
    let before = engine.snapshot();
    for view in &before.connections {
        let (id, seq) = (view.connection.id, engine.snapshot().seq);
        engine.send(Command::CheckConnection(id)).unwrap();
        wait(engine, "the check", |snapshot| {
            let check = snapshot.connection(id).map(|view| &view.check);
            snapshot.seq > seq && matches!(check, Some(CheckState::Good | CheckState::Bad(_)))
        })
        .await;
    }
    println!("{}", describe(&engine.snapshot()));
}

/// A panic that speaks of a key.
fn crash() {
    let broken = std::thread::Builder::new()
        .name("crash".to_owned())
        .spawn(|| {
            let secret = Secret::parse_key("another-key-0123456789").unwrap();
            panic!("with {secret:?}")
        })
        .unwrap();
    assert!(broken.join().is_err());
}

async fn report(engine: &Engine, place: &Path) {
    engine.send(Command::MakeReport).unwrap();
    let snapshot = wait(engine, "the report", |snapshot| snapshot.report.is_some()).await;
    let text = snapshot.report.as_ref().unwrap().text.clone();
    println!("{text}");
    // A person reads it: no program's words, and nothing left open.
    let (state, _log) = text.split_once("Last lines of the log").unwrap();
    assert!(state.contains("- keyring: not wanted"), "{state}");
    assert!(!state.contains("Some(") && !state.contains("filled in: ;"));
    engine
        .send(Command::SaveReport(place.join("report.txt")))
        .unwrap();
    wait(engine, "the saved report", |snapshot| {
        snapshot
            .report
            .as_ref()
            .is_some_and(|report| matches!(&report.saved, Some(Ok(_))))
    })
    .await;
    engine.send(Command::CloseReport).unwrap();
    wait(engine, "the closed report", |snapshot| {
        snapshot.report.is_none()
    })
    .await;
}
