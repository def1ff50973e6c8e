//! The computer is kept awake while bytes move and let go afterwards: a real engine, a bus of its own, and a service on it
//! that hands out locks as systemd's does. Which bus a process talks to is in its environment, so this binary is run once
//! more with one made for it.
//!
//! Skipped, and said so, where `dbus-daemon` is not installed.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command as Program, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use labferry::engine::EngineOptions;
use labferry::model::job::Stage;
use labferry::net::client::{NetOptions, Patience};
use zbus::zvariant::OwnedFd;

use super::Bench;
use crate::harness::wait;

const PLACE_VARIABLE: &str = "LABFERRY_TEST_AWAKE_PLACE";

/// Hands out locks and keeps their other ends.
#[derive(Clone, Default)]
struct Login {
    locks: Arc<Mutex<Vec<UnixStream>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Login {
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> OwnedFd {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let asked = format!("{what} {mode}: {who}, {why}");
        self.asked.lock().unwrap().push(asked);
        self.locks.lock().unwrap().push(ours);
        OwnedFd::from(std::os::fd::OwnedFd::from(theirs))
    }
}

impl Login {
    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// Locks whose other end is open.
    fn held(&self) -> usize {
        let mut locks = self.locks.lock().unwrap();
        let open = locks.iter_mut().filter_map(|lock| {
            let read = lock.read(&mut [0]);
            matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
                .then_some(())
        });
        open.count()
    }
}

#[test]
fn kept_awake_while_bytes_move_and_let_go_afterwards() {
    if Program::new("dbus-daemon")
        .arg("--version")
        .output()
        .is_err()
    {
        println!("skipped: dbus-daemon is not installed");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let ran = Program::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("machine::awake::inside_kept_awake")
        .env(PLACE_VARIABLE, place.path())
        .env("DBUS_SYSTEM_BUS_ADDRESS", address(place.path()))
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(said.contains("1 passed"), "{said}");
}

fn address(place: &std::path::Path) -> String {
    format!("unix:path={}", place.join("bus").display())
}

struct Bus(Child);

impl Bus {
    fn start(place: &std::path::Path) -> Self {
        let mut child = Program::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .arg(format!("--address={}", address(place)))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        Self(child)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by kept_awake_while_bytes_move_and_let_go_afterwards in an environment of its own"]
async fn inside_kept_awake() {
    let place = std::path::PathBuf::from(std::env::var_os(PLACE_VARIABLE).unwrap());
    let _bus = Bus::start(&place);
    let login = Login::default();
    let served = login.clone();
    let service = tokio::task::spawn_blocking(move || {
        zbus::blocking::connection::Builder::system()
            .unwrap()
            .name("org.freedesktop.login1")
            .unwrap()
            .serve_at("/org/freedesktop/login1", served)
            .unwrap()
            .build()
            .unwrap()
    });
    let service = service.await.unwrap();
    let patience = Duration::from_secs(4);
    let bench = Bench::start(|options| EngineOptions {
        keep_awake: true,
        net: NetOptions {
            patience: Patience {
                connect: patience,
                answer: patience,
                idle: patience,
                after_upload: patience,
            },
            ..NetOptions::default()
        },
        ..options
    })
    .await;
    bench.fault("biodock.life=stays");
    bench.fault("hang@biodock.upload*1");
    bench.imaging().await;
    until(|| login.held() == 1, "held while a file is sent").await;
    let asked = login.asked.lock().unwrap().clone();
    let wish = "idle block: Labferry, Files or results are being transferred";
    assert_eq!(asked, [wish]);
    wait(&bench.engine, "the job at the platform", |snapshot| {
        snapshot.jobs[0].job.stage == Stage::Running
    })
    .await;
    until(|| login.held() == 0, "let go while only the platform works").await;
    let before = login.asked();
    bench.fault("biodock.life=usual");
    bench.all_done().await;
    until(|| login.held() == 0, "let go in the end").await;
    assert!(login.asked() > before, "not held while results come");
    drop(service);
}

async fn until(is_so: impl Fn() -> bool, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !is_so() {
        assert!(Instant::now() < deadline, "not {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
