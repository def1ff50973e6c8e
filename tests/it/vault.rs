//! The keyring vault against a real Secret Service on a bus of its own, and against none. Which bus a process talks to is
//! in its environment, so each test runs this binary once more with an environment made for it.
//!
//! Skipped, and said so, where `dbus-daemon` or `gnome-keyring-daemon` is not installed; with
//! `LABFERRY_REQUIRE_KEYRING=1` that is a failure instead.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "a skipped test says why")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use labferry::model::secret::Secret;
use labferry::store::vault::{KeyringVault, Vault as _, VaultError};

/// Tells the second run where its bus shall be.
const PLACE_VARIABLE: &str = "LABFERRY_TEST_VAULT_PLACE";

#[test]
fn a_real_keyring_keeps_keys() {
    if programs_are_there() {
        run_again("vault::inside_a_real_keyring_keeps_keys");
    }
}

#[test]
fn a_keyring_nobody_opened_is_refused_and_not_believed() {
    if programs_are_there() {
        run_again("vault::inside_a_keyring_nobody_opened");
    }
}

#[test]
fn no_keyring_at_all_is_said_at_once() {
    run_again("vault::inside_no_keyring_at_all");
}

#[test]
#[ignore = "run by a_real_keyring_keeps_keys in an environment of its own"]
fn inside_a_real_keyring_keeps_keys() {
    let place = place();
    assert!(matches!(KeyringVault::probe(), Err(VaultError::Absent(_))));

    // *Try again* in the same process finds what was started meanwhile.
    let bus = Bus::start(&place);
    let keyring = Keyring::start_open();
    let vault = KeyringVault::probe().expect("the keyring that was just started");

    let first = Secret::parse_key("canary-key-1").unwrap();
    let second = Secret::parse_password("canary pass-word 2 ü").unwrap();
    assert_eq!(vault.get("v-1", "key"), Ok(None));
    vault.set("v-1", "key", &first).unwrap();
    vault.set("v-1", "password", &second).unwrap();
    assert_eq!(vault.get("v-1", "key"), Ok(Some(first.clone())));
    assert_eq!(vault.get("v-1", "password"), Ok(Some(second.clone())));
    assert_eq!(vault.get("v-2", "key"), Ok(None));
    vault.set("v-1", "key", &second).unwrap();

    // Another look, as after a restart.
    let again = KeyringVault::probe().unwrap();
    assert_eq!(again.get("v-1", "key"), Ok(Some(second)));
    again.remove("v-1", "key").unwrap();
    again.remove("v-1", "key").unwrap();
    assert_eq!(vault.get("v-1", "key"), Ok(None));

    keyring.stop();
    bus.stop();
    let gone = vault
        .set("v-1", "key", &first)
        .expect_err("the keyring is gone");
    assert!(!format!("{gone:?} {gone} {:?}", gone.to_error()).contains("canary"));
}

#[test]
#[ignore = "run by a_keyring_nobody_opened_is_refused_and_not_believed in an environment of its own"]
fn inside_a_keyring_nobody_opened() {
    let bus = Bus::start(&place());
    // The bus starts the service by itself; there is no collection to write to and nobody to ask for a password.
    let refused = KeyringVault::probe();
    if let Some(process) = served_by() {
        // The bus started it, so nobody else ends it.
        assert!(
            Command::new("sh")
                .args(["-c", &format!("kill {process}")])
                .status()
                .unwrap()
                .success()
        );
    }
    bus.stop();
    let refused = refused.err().expect("a keyring without a collection");
    println!("{refused:?}");
}

#[test]
#[ignore = "run by no_keyring_at_all_is_said_at_once in an environment of its own"]
fn inside_no_keyring_at_all() {
    let begun = Instant::now();
    assert!(matches!(KeyringVault::probe(), Err(VaultError::Absent(_))));
    assert!(begun.elapsed() < Duration::from_secs(2));
}

fn place() -> PathBuf {
    PathBuf::from(std::env::var_os(PLACE_VARIABLE).unwrap())
}

/// Runs one ignored test of this binary with nothing of this session's bus, display and keyrings in sight.
fn run_again(test: &str) {
    let place = tempfile::tempdir().unwrap();
    let address = format!("unix:path={}", place.path().join("bus").display());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("GNOME_KEYRING_CONTROL")
        .env("DBUS_SESSION_BUS_ADDRESS", address)
        .env("HOME", place.path())
        .env("XDG_RUNTIME_DIR", place.path())
        .env("XDG_DATA_HOME", place.path().join("data"))
        .env(PLACE_VARIABLE, place.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn programs_are_there() -> bool {
    let missing: Vec<&str> = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon"]
        .into_iter()
        .filter(|program| {
            std::env::var_os("PATH").is_none_or(|path| {
                !std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
            })
        })
        .collect();
    if missing.is_empty() {
        return true;
    }
    assert!(
        std::env::var_os("LABFERRY_REQUIRE_KEYRING").is_none(),
        "needs {missing:?}"
    );
    println!("Skipped: a test with a real keyring needs {missing:?}");
    false
}

/// A message bus of our own at the address this process was started with.
struct Bus(Child);

impl Bus {
    fn start(place: &Path) -> Self {
        let address = format!("unix:path={}", place.join("bus").display());
        let mut child = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address=1"])
            .arg(format!("--address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It prints its address once it listens.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.starts_with("unix:"), "{line}");
        Self(child)
    }

    fn stop(self) {
        drop(self);
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The process that serves keys on this process's bus, opened with a password.
struct Keyring(Child);

impl Keyring {
    /// Returns when it serves.
    fn start_open() -> Self {
        let mut child = Command::new("gnome-keyring-daemon")
            .args(["--unlock", "--components=secrets", "--foreground"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It reads the password to the end of its input.
        child.stdin.take().unwrap().write_all(b"test").unwrap();
        let begun = Instant::now();
        while served_by().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "no keyring came");
        }
        Self(child)
    }

    fn stop(self) {
        drop(self);
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The process that owns the name of the keyring on this process's bus, by its number.
fn served_by() -> Option<String> {
    let output = Command::new("dbus-send")
        .args(["--session", "--print-reply=literal"])
        .args(["--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
        .arg("org.freedesktop.DBus.GetConnectionUnixProcessID")
        .arg("string:org.freedesktop.secrets")
        .output()
        .unwrap();
    let reply = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(reply.trim().strip_prefix("uint32 ")?.to_owned())
}
