//! A large file in parts, by the real program, which is killed three times on the way: it goes on where the platform has
//! it, in little memory.
//!
//! `LABFERRY_UPLOAD_GIB` makes the file so large, and the parts those a real platform asks for; `LABFERRY_KILL_SEED` draws
//! other moments.
#![cfg(target_os = "linux")]

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use labferry::sandbox::{Sandbox, SandboxOptions};

use crate::harness::{connect_demo, engine};
use crate::kill::from_environment;
use crate::program::Place;

const MIB: u64 = 1024 * 1024;

/// The file without a wish for a larger one.
const USUAL_BYTES: u64 = 256 * MIB + 12_345;

/// The parts it goes in.
const USUAL_PART: u64 = 8 * MIB;

/// The parts of a real platform.
const REAL_PART: u64 = 32 * MIB;

/// Parts that may have to be sent again after a kill: three on their way, four that wait to be reported, and a group of
/// five that is being reported.
const IN_FLIGHT: u64 = 3 + 4 + 5;

/// Most memory of the program.
const MOST_MEMORY: u64 = 150 * MIB;

const KILLS: u64 = 3;

const PART: &str = "storage.sb-part";

/// Mostly holes; something else now and then, so that parts cannot be mixed up.
fn sparse(path: &Path, size: u64) {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .unwrap();
    file.set_len(size).unwrap();
    for (at, mark) in marks(size) {
        file.write_all_at(&mark, at).unwrap();
    }
}

/// What stands where.
fn marks(size: u64) -> Vec<(u64, [u8; 8])> {
    (0..size - 8)
        .step_by(usize::try_from(5 * MIB + 77).unwrap())
        .map(|at| (at, (at + 1).to_le_bytes()))
        .collect()
}

/// The most memory a process has had so far, in bytes.
fn peak(child: &Child) -> u64 {
    let path = format!("/proc/{}/status", child.id());
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .and_then(|number| number.trim().parse().ok())
        .expect("a line VmHWM");
    kib * 1024
}

/// The bytes of parts that have arrived.
fn arrived(sandbox: &Sandbox) -> u64 {
    let parts = sandbox.world().requests().at(PART);
    parts.iter().map(|part| part.body_bytes).sum()
}

fn count(sandbox: &Sandbox, endpoint: &str) -> usize {
    let requests = sandbox.world().requests().at(endpoint);
    let good = requests
        .iter()
        .filter(|request| request.status == Some(200));
    good.count()
}

/// Waits until it is so, as long as the program runs.
async fn until(child: &mut Child, what: &str, patience: Duration, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + patience;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} did not come");
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Saves the connection; its key is in no file, so each program is given it.
async fn connect(place: &Place, sandbox: &Sandbox) {
    let engine = engine(&place.path(""));
    connect_demo(&engine, sandbox, "seven-bridges").await;
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_goes_on_after_each_kill_in_little_memory() {
    let gib = from_environment("LABFERRY_UPLOAD_GIB", 0);
    let seed = from_environment("LABFERRY_KILL_SEED", 20_261_121);
    let (size, part) = match gib {
        0 => (USUAL_BYTES, USUAL_PART),
        gib => (gib * 1024 * MIB, REAL_PART),
    };
    let patience = Duration::from_secs(60 + 120 * gib);
    let mut chance = fastrand::Rng::with_seed(seed);
    let sandbox = Sandbox::start(SandboxOptions {
        faults: vec![format!("sb.part-size={part}")],
        ..SandboxOptions::default()
    })
    .await
    .unwrap();
    let place = Place::new();
    let key = sandbox.addresses().entry("seven-bridges", "key");
    connect(&place, &sandbox).await;
    let file = place.path("large reads.txt");
    sparse(&file, size);
    let mut sending = place.program();
    sending
        .env("LABFERRY_KEY", &key)
        .args([
            "send",
            "--to",
            "Seven Bridges",
            "--pipeline",
            "john_doe/plate-7/count-lines",
        ])
        .args(["--one-per-file", "--detach", "--into"])
        .arg(place.path("into"))
        .arg(&file);
    let mut child = sending.spawn().unwrap();
    let mut told = format!("seed {seed}, {size} bytes in parts of {part}");
    let mut most_memory = 0;
    for kill in 1..=KILLS {
        let so_far = arrived(&sandbox);
        // Somewhere in the next third of what was left at first.
        let moment = so_far + chance.u64(part..size / (KILLS + 1));
        until(&mut child, "the moment of a kill", patience, || {
            arrived(&sandbox) >= moment
        })
        .await;
        let memory = peak(&child);
        most_memory = most_memory.max(memory);
        child.kill().unwrap();
        child.wait().unwrap();
        told += &format!(
            "; killed at {} with {} MiB",
            arrived(&sandbox),
            memory / MIB
        );
        assert_eq!(
            count(&sandbox, "sb.complete-upload"),
            0,
            "over before kill {kill}: {told}"
        );
        let mut resume = place.program();
        resume.env("LABFERRY_KEY", &key).arg("resume");
        child = resume.spawn().unwrap();
    }
    until(&mut child, "the submission", patience, || {
        count(&sandbox, "sb.run-task") == 1
    })
    .await;
    most_memory = most_memory.max(peak(&child));
    child.kill().unwrap();
    child.wait().unwrap();
    let arrived = arrived(&sandbox);
    println!(
        "{told}; sent / size {:.4}, peak {} MiB",
        arrived as f64 / size as f64,
        most_memory / MIB
    );
    assert_eq!(count(&sandbox, "sb.start-upload"), 1, "begun anew: {told}");
    assert_eq!(count(&sandbox, "sb.complete-upload"), 1, "{told}");
    assert!(arrived >= size, "{arrived} of {size}: {told}");
    let most = size + KILLS * IN_FLIGHT * part;
    assert!(arrived <= most, "{arrived} of {size}: {told}");
    assert!(most_memory < MOST_MEMORY, "{most_memory} bytes: {told}");
    assert_stored(&sandbox, size);
}

/// What lies at the platform is the file, marks and all.
fn assert_stored(sandbox: &Sandbox, size: u64) {
    let stored = walkdir::WalkDir::new(sandbox.world().folder())
        .into_iter()
        .filter_map(Result::ok)
        .find(|entry| {
            let length = entry.metadata().map_or(0, |metadata| metadata.len());
            entry.file_type().is_file() && length == size
        })
        .expect("the file at the platform");
    let stored = std::fs::File::open(stored.path()).unwrap();
    for (at, mark) in marks(size) {
        let mut found = [0; 8];
        stored.read_exact_at(&mut found, at).unwrap();
        assert_eq!(found, mark, "at {at}");
    }
}
