//! The built program as a child process, in an environment of its own: no display, no session bus, no keyring, and
//! nothing of the person who runs the tests.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A place for one test and everything its programs write.
pub(crate) struct Place {
    top: tempfile::TempDir,
    env: Vec<(String, String)>,
}

/// A sandbox in a process of its own; it ends with this.
pub(crate) struct SandboxProgram {
    child: Child,
    pub(crate) addresses: serde_json::Value,
}

impl Place {
    pub(crate) fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        for name in ["home", "runtime"] {
            std::fs::create_dir(top.path().join(name)).unwrap();
        }
        Self {
            top,
            env: Vec::new(),
        }
    }

    /// With this in the environment of its programs.
    pub(crate) fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    /// The program with this data folder; its words are still to come.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_labferry"));
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("runtime"))
            .env("LABFERRY_DATA_DIR", self.path("data"))
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        Ran::of(self.program().args(words).output().unwrap())
    }

    /// Runs it with something on standard input.
    pub(crate) fn run_with(&self, words: &[&str], typed: &str) -> Ran {
        let mut child = self
            .program()
            .args(words)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(typed.as_bytes()).unwrap();
        drop(input);
        Ran::of(child.wait_with_output().unwrap())
    }

    /// Writes a file to send.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        path
    }

    /// The only folder below another.
    pub(crate) fn only_folder(&self, below: &str) -> PathBuf {
        let folders = folders(&self.path(below));
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders.into_iter().next().unwrap()
    }

    /// A sandbox that runs so much faster than the demo.
    pub(crate) fn sandbox(&self, words: &[&str]) -> SandboxProgram {
        let mut child = self.program().arg("sandbox").args(words).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        SandboxProgram {
            child,
            addresses: serde_json::from_str(&line).unwrap(),
        }
    }
}

impl SandboxProgram {
    pub(crate) fn address(&self, platform: &str, field: &str) -> &str {
        self.addresses[platform][field].as_str().unwrap()
    }
}

impl Drop for SandboxProgram {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// How a program ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
    pub(crate) complained: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            said: String::from_utf8(output.stdout).unwrap(),
            complained: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Each line of what it said, as JSON.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        self.said
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The folders below another, sorted.
pub(crate) fn folders(below: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(below)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

/// Every file below a folder.
pub(crate) fn files(below: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(below)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

/// A sample that comes with the program.
pub(crate) fn sample(name: &str) -> String {
    format!("{}/assets/samples/{name}", env!("CARGO_MANIFEST_DIR"))
}
