//! The program in the terminal: what it says, what it leaves behind, and how it ends.

use std::fmt::Write as _;
use std::process::Stdio;

use crate::program::{Place, Ran, SandboxProgram, files, folders, sample};

const SERVER: &str = "Sequence server";

/// Both platforms connected, the key from the environment.
fn connected(place: &Place, sandbox: &SandboxProgram) {
    place
        .run(&[
            "connect",
            "analytics-automated",
            "--label",
            SERVER,
            "--url",
            sandbox.address("analytics_automated", "url"),
            "--email",
            "someone@example.org",
        ])
        .ended_with(0);
}

#[test]
fn the_demo_does_the_whole_job_without_display_keyring_and_bus() {
    let place = Place::new();
    let into = place.path("into");
    let ran = place
        .run(&["demo", "--into", into.to_str().unwrap()])
        .ended_with(0);
    assert!(ran.said.contains("no display here"), "{ran:#?}");
    assert!(ran.said.contains("All done."), "{ran:#?}");
    let batch = place.only_folder("into");
    let names: Vec<String> = files(&batch)
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for ending in [
        "objects.csv",
        "aggregate.csv",
        "_objects.json",
        "1_count.txt",
        "receipt.json",
    ] {
        assert!(
            names.iter().any(|name| name.ends_with(ending)),
            "{ending}: {names:#?}"
        );
    }
    let batch = batch.to_str().unwrap();
    let same = place.run(&["check", batch]).ended_with(0);
    assert!(same.said.contains("files are the same."), "{same:#?}");

    let table = files(batch.as_ref())
        .into_iter()
        .find(|path| path.ends_with("objects.csv"))
        .unwrap();
    let rows = place
        .run(&["table", table.to_str().unwrap(), "--rows", "1..2"])
        .ended_with(0);
    assert!(
        rows.said.starts_with("Object ID,Image origin,Class,"),
        "{rows:#?}"
    );
    assert_eq!(rows.said.lines().count(), 3, "{rows:#?}");

    let mut bytes = std::fs::read(&table).unwrap();
    let last = bytes.last_mut().unwrap();
    *last ^= 1;
    let mut file = std::fs::File::create(&table).unwrap();
    std::io::Write::write_all(&mut file, &bytes).unwrap();
    let changed = place.run(&["check", batch]).ended_with(1);
    assert_eq!(
        changed
            .said
            .lines()
            .filter(|line| line.starts_with("changed "))
            .count(),
        1,
        "{changed:#?}"
    );
}

#[test]
fn events_are_one_object_a_line() {
    let place = Place::new();
    let sandbox = place.sandbox(&["--speed", "20"]);
    connected(&place, &sandbox);
    let file = place.file("plate 7 #1 50% 世界.csv", "well,value\nA01,1\n");
    let ran = place
        .run(&[
            "--json",
            "send",
            "--to",
            SERVER,
            "--pipeline",
            "wordcount",
            "--into",
            place.path("into").to_str().unwrap(),
            file.to_str().unwrap(),
        ])
        .ended_with(0);
    let events = ran.events();
    for event in &events {
        for field in ["event", "batch", "job"] {
            assert!(event.get(field).is_some(), "{field}: {event}");
        }
    }
    let of = |kind: &str| {
        events
            .iter()
            .filter(|event| event["event"] == kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("submit").len(), 1, "{events:#?}");
    assert!(of("submit")[0]["remote_id"].is_string());
    let states: Vec<_> = of("state")
        .iter()
        .map(|event| event["state"].clone())
        .collect();
    assert_eq!(states.last().unwrap(), "done", "{states:?}");
    assert!(of("download").iter().any(|event| {
        event["path"]
            .as_str()
            .is_some_and(|path| std::path::Path::new(path).is_file())
    }));
    assert_eq!(
        of("done").len(),
        2,
        "one for the job, one for the batch: {events:#?}"
    );
}

#[test]
fn a_failed_job_ends_with_one_and_the_others_go_on() {
    let place = Place::new();
    let sandbox = place.sandbox(&["--speed", "20"]);
    connected(&place, &sandbox);
    let bad = place.file("no picture.txt", "one two\n");
    let ran = place
        .run(&[
            "--json",
            "send",
            "--to",
            SERVER,
            "--pipeline",
            "png_only",
            bad.to_str().unwrap(),
            &sample("P01_A01_DAPI.png"),
        ])
        .ended_with(1);
    let mut ends: Vec<_> = ran
        .events()
        .into_iter()
        .filter(|event| event["event"] == "done" && event["job"].is_u64())
        .map(|event| event["state"].as_str().unwrap().to_owned())
        .collect();
    ends.sort();
    assert_eq!(ends, ["done", "failed"], "{ran:#?}");
}

#[test]
fn what_is_detached_is_fetched_by_resume() {
    let place = Place::new();
    let sandbox = place.sandbox(&["--speed", "20"]);
    connected(&place, &sandbox);
    let file = place.file("a.txt", "one two\n");
    let ran = place
        .run(&[
            "send",
            "--detach",
            "--to",
            SERVER,
            "--pipeline",
            "wordcount",
            "--into",
            place.path("into").to_str().unwrap(),
            file.to_str().unwrap(),
        ])
        .ended_with(0);
    assert!(ran.said.contains("labferry resume"), "{ran:#?}");
    place.run(&["resume"]).ended_with(0);
    place
        .run(&["check", place.only_folder("into").to_str().unwrap()])
        .ended_with(0);
    let jobs = place.run(&["jobs"]).ended_with(0);
    assert!(jobs.said.contains("Done"), "{jobs:#?}");
    let again = place.run(&["resume"]).ended_with(0);
    assert!(again.said.contains("Nothing is unfinished"), "{again:#?}");
}

#[test]
fn wrong_use_is_said_before_anything_happens() {
    let place = Place::new();
    let file = place.file("a.txt", "one\n");
    let file = file.to_str().unwrap();
    for (words, said) in [
        (&["bogus"][..], "unrecognized subcommand"),
        (&["send", "--to", "x", "--pipeline", "y"], "required"),
        (
            &["send", "--to", "Nobody", "--pipeline", "y", file],
            "no connection called Nobody",
        ),
        (
            &["send", "--to", "x", "--pipeline", "y", "/no such file"],
            "is not there",
        ),
        (
            &["connect", "nowhere", "--label", "x"],
            "no platform called nowhere",
        ),
        (&["connect", "analytics-automated", "--label", "x"], "--url"),
        (&["table", file, "--rows", "0..1"], "counted from 1"),
        (&["sandbox", "--fault", "bogus"], "no fault “bogus”"),
    ] {
        let ran = place.run(words).ended_with(2);
        assert!(ran.complained.contains(said), "{words:?}: {ran:#?}");
        assert!(ran.said.is_empty(), "{words:?}: {ran:#?}");
    }
    place.run(&["--help"]).ended_with(0);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = Place::new();
    let mut text = String::from("number,word\n");
    for number in 0..200_000 {
        writeln!(text, "{number},word").unwrap();
    }
    let file = place.file("long.csv", &text);
    let mut child = place
        .program()
        .args(["table", file.to_str().unwrap()])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = Ran::of(child.wait_with_output().unwrap()).ended_with(0);
    assert!(ran.complained.is_empty(), "{ran:#?}");
}

#[test]
fn a_data_folder_in_use_is_left_alone() {
    let place = Place::new();
    let sandbox = place.sandbox(&["--speed", "20"]);
    connected(&place, &sandbox);
    let held = labferry::store::journal::Journal::open(&place.path("data")).unwrap();
    let file = place.file("a.txt", "one\n");
    for words in [
        &["jobs"][..],
        &["resume"],
        &[
            "send",
            "--to",
            SERVER,
            "--pipeline",
            "wordcount",
            file.to_str().unwrap(),
        ],
    ] {
        let ran = place.run(words).ended_with(1);
        assert!(
            ran.complained.contains("nother Labferry"),
            "{words:?}: {ran:#?}"
        );
    }
    drop(held);
    place.run(&["resume"]).ended_with(0);
}

#[test]
fn a_refused_key_is_said_and_not_shown() {
    let place = Place::new();
    let sandbox = place.sandbox(&[]);
    let url = sandbox.address("biodock", "url");
    let ran = place
        .run_with(
            &[
                "connect",
                "biodock",
                "--label",
                "Imaging",
                "--url",
                url,
                "--key-stdin",
            ],
            "canary-key-that-is-wrong\n",
        )
        .ended_with(1);
    assert!(ran.complained.contains("Imaging"), "{ran:#?}");
    assert!(!format!("{ran:?}").contains("canary"), "{ran:#?}");
    place
        .run_with(
            &[
                "connect",
                "biodock",
                "--label",
                "Imaging",
                "--url",
                url,
                "--key-stdin",
            ],
            " \n",
        )
        .ended_with(2);
}

#[test]
fn no_trace_of_a_key_is_left_anywhere() {
    let place = Place::new();
    let sandbox = place.sandbox(&["--speed", "20"]);
    let key = sandbox.address("biodock", "key").to_owned();
    let url = sandbox.address("biodock", "url");
    let connected = place
        .run_with(
            &[
                "connect",
                "biodock",
                "--label",
                "Imaging core",
                "--url",
                url,
                "--key-stdin",
            ],
            &format!("\"{key}\"\r\n"),
        )
        .ended_with(0);
    assert!(
        connected.said.contains("for this session only"),
        "{connected:#?}"
    );
    let image = sample("P01_A01_DAPI.png");
    let words = [
        "send",
        "--to",
        "Imaging core",
        "--pipeline",
        "Nuclei count",
        "--into",
    ];
    let mut child = place
        .program()
        .env("LABFERRY_KEY_IMAGING_CORE", &key)
        .env("LABFERRY_LOG", "trace")
        .args(words)
        .args([place.path("into").to_str().unwrap(), &image])
        .spawn()
        .unwrap();
    let mut looked = 0;
    while child.try_wait().unwrap().is_none() {
        looked += usize::from(!arguments_hold(&key));
    }
    assert!(looked > 0);
    let ran = Ran::of(child.wait_with_output().unwrap()).ended_with(0);
    for said in [
        &connected.said,
        &connected.complained,
        &ran.said,
        &ran.complained,
    ] {
        assert!(!said.contains(&key), "{said}");
    }
    let mut seen = 0;
    for folder in ["data", "into", "home", "runtime"] {
        for path in files(&place.path(folder)) {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!contains(&bytes, key.as_bytes()), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 5, "only {seen} files looked at");
    assert!(
        files(&place.path("data"))
            .iter()
            .any(|path| path.extension().is_some_and(|ending| ending == "log"))
    );
    // Without the key the job of another start waits for a person, and says so.
    let without = place.run(&[
        "send",
        "--to",
        "Imaging core",
        "--pipeline",
        "Nuclei count",
        &image,
    ]);
    let without = without.ended_with(1);
    assert!(without.complained.contains("Imaging core"), "{without:#?}");
}

/// Whether any process of this computer was started with this text among its arguments. It was not, or the test ends.
fn arguments_hold(text: &str) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return false;
    };
    for process in processes.filter_map(Result::ok) {
        if let Ok(arguments) = std::fs::read(process.path().join("cmdline")) {
            assert!(
                !contains(&arguments, text.as_bytes()),
                "{}",
                process.path().display()
            );
        }
    }
    false
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(bytes, text).is_some()
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly_and_resume_carries_on() {
    let place = Place::new();
    let sandbox = place.sandbox(&[]);
    connected(&place, &sandbox);
    let file = place.file("a.txt", "one two\n");
    let mut child = place
        .program()
        .args([
            "--json",
            "send",
            "--to",
            SERVER,
            "--pipeline",
            "wordcount",
            "--into",
        ])
        .args([place.path("into").to_str().unwrap(), file.to_str().unwrap()])
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("\"submit\"") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut said, &mut line).unwrap() > 0);
    }
    // The shell's own `kill`: a bare system has no program of that name.
    let killed = std::process::Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(killed.success());
    let ran = Ran::of(child.wait_with_output().unwrap()).ended_with(1);
    assert!(
        ran.complained.contains("`labferry resume` carries on"),
        "{ran:#?}"
    );
    place.run(&["resume"]).ended_with(0);
    assert_eq!(folders(&place.path("into")).len(), 1);
    place
        .run(&["check", place.only_folder("into").to_str().unwrap()])
        .ended_with(0);
}
