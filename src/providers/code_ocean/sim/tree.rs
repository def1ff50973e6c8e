//! Files as the platform keeps and lists them: results of a run, or what is in a data asset.
//!
//! Owns names, sizes and where the bytes are: `FOLDER/NUMBER`, because a platform's names need not be names this computer
//! could give a file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::providers::code_ocean::sim::new_id;
use crate::sandbox::world::World;

/// A folder of files; never changed once it is whole.
#[derive(Debug)]
pub(super) struct Tree {
    id: String,
    folder: PathBuf,
    files: Vec<TreeFile>,
}

/// One file.
#[derive(Debug, Clone)]
pub(super) struct TreeFile {
    /// Folders and name, joined by `/`.
    pub(super) path: String,
    pub(super) size: u64,
}

/// What a place in a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Folder,
    File(u64),
}

/// Where all trees are.
pub(super) fn all(world: &World) -> PathBuf {
    world.folder().join("code-ocean")
}

impl Tree {
    /// An empty one.
    pub(super) fn new(all: &Path) -> io::Result<Self> {
        let id = new_id();
        let folder = all.join(&id);
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            id,
            folder,
            files: Vec::new(),
        })
    }

    /// Adds a file of these bytes.
    pub(super) fn add(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(self.place(self.files.len()))?;
        file.write_all(bytes)?;
        self.enter(path, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Adds the bytes of a file that is never changed, without copying them where the system can do so.
    pub(super) fn link(&mut self, path: &str, source: &Path) -> io::Result<()> {
        let place = self.place(self.files.len());
        if std::fs::hard_link(source, &place).is_err() {
            std::fs::copy(source, &place)?;
        }
        let size = std::fs::metadata(&place)?.len();
        self.enter(path, size);
        Ok(())
    }

    fn enter(&mut self, path: &str, size: u64) {
        self.files.push(TreeFile {
            path: path.to_owned(),
            size,
        });
    }

    fn place(&self, number: usize) -> PathBuf {
        self.folder.join(number.to_string())
    }

    /// All files with where their bytes are.
    pub(super) fn files(&self) -> impl Iterator<Item = (&TreeFile, PathBuf)> {
        self.files
            .iter()
            .enumerate()
            .map(|(number, file)| (file, self.place(number)))
    }

    /// How many files there are.
    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// How many bytes all files have.
    pub(super) fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The path of a file at the storage, for a signed link.
    pub(super) fn storage_path(&self, path: &str) -> Option<String> {
        let number = self.files.iter().position(|file| file.path == path)?;
        let name = path.rsplit('/').next().unwrap_or(path);
        Some(format!(
            "/code-ocean/{}/{number}/{}",
            self.id,
            percent_encoded(name)
        ))
    }

    /// One level of it, folders first; nothing when there is no such folder.
    pub(super) fn list(&self, folder: &str) -> Option<Vec<Value>> {
        let inside = folder.trim_matches('/');
        let start = if inside.is_empty() {
            String::new()
        } else {
            format!("{inside}/")
        };
        let mut found: BTreeMap<(bool, String), Kind> = BTreeMap::new();
        for file in &self.files {
            let Some(rest) = file.path.strip_prefix(&start) else {
                continue;
            };
            match rest.split_once('/') {
                // A hostile name is listed as it is.
                Some(("..", _)) | None => {
                    found.insert((true, rest.to_owned()), Kind::File(file.size));
                }
                Some((name, _)) => {
                    found.insert((false, name.to_owned()), Kind::Folder);
                }
            }
        }
        if found.is_empty() && !inside.is_empty() {
            return None;
        }
        let items = found.into_iter().map(|((_, name), kind)| {
            let path = format!("{start}{name}");
            match kind {
                Kind::Folder => json!({ "name": name, "path": path, "type": "folder" }),
                Kind::File(size) => {
                    json!({ "name": name, "path": path, "type": "file", "size": size })
                }
            }
        });
        Some(items.collect())
    }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a text cannot fail.
            let _never = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_has_folders_first_and_hostile_names_as_they_are() {
        let all = tempfile::tempdir().unwrap();
        let mut tree = Tree::new(all.path()).unwrap();
        for path in ["b.csv", "a/x 1.csv", "a/deep/µ.csv", "../x", "a/y"] {
            tree.add(path, path.as_bytes()).unwrap();
        }
        let names = |folder| -> Option<Vec<String>> {
            let items = tree.list(folder)?;
            let path = |item: Value| item["path"].as_str().unwrap().to_owned();
            Some(items.into_iter().map(path).collect())
        };
        assert_eq!(names("").unwrap(), ["a", "../x", "b.csv"]);
        assert_eq!(names("/a/").unwrap(), ["a/deep", "a/x 1.csv", "a/y"]);
        assert_eq!(names("a/deep").unwrap(), ["a/deep/µ.csv"]);
        assert_eq!(names("nothing"), None);
        assert_eq!(names("b.csv"), None);
        assert_eq!((tree.count(), tree.size()), (5, 5 + 9 + 13 + 4 + 3));
        let path = tree.storage_path("a/x 1.csv").unwrap();
        assert!(path.ends_with("/1/x%201.csv"), "{path}");
    }
}
