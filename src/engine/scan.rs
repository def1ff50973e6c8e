//! Looking through what was picked or dropped: files and folders, recursively. Nothing is dropped in silence.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use walkdir::WalkDir;

use crate::model::file::{FileProblem, ListedFile, LocalFile};

/// Looks through `paths`; `known` are in the list already. Blocking. The order is by folder and name.
pub(super) fn scan(paths: &[PathBuf], known: &[PathBuf]) -> Vec<ListedFile> {
    let mut seen: BTreeSet<PathBuf> = known.iter().cloned().collect();
    let mut found = Vec::new();
    for path in paths {
        let path = std::path::absolute(path).unwrap_or_else(|_unusable| path.clone());
        if path.is_dir() {
            scan_folder(&path, &mut seen, &mut found);
        } else {
            found.push(look(&path, String::new(), &mut seen));
        }
    }
    found
}

fn scan_folder(top: &Path, seen: &mut BTreeSet<PathBuf>, found: &mut Vec<ListedFile>) {
    let parent = top.parent().unwrap_or(top);
    for entry in WalkDir::new(top).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => {
                let folder = entry
                    .path()
                    .parent()
                    .and_then(|folder| folder.strip_prefix(parent).ok());
                let folder = folder.map(with_slashes).unwrap_or_default();
                found.push(look(entry.path(), folder, seen));
            }
            Err(error) => {
                let path = error.path().unwrap_or(top).to_path_buf();
                let problem = match error.io_error().map(std::io::Error::kind) {
                    Some(std::io::ErrorKind::NotFound) => FileProblem::Vanished,
                    _ => FileProblem::Unreadable,
                };
                found.push(ListedFile {
                    file: described(&path, String::new(), 0, None),
                    problem: Some(problem),
                });
            }
        }
    }
}

/// Looks at one file.
fn look(path: &Path, folder: String, seen: &mut BTreeSet<PathBuf>) -> ListedFile {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => {
            let problem = match error.kind() {
                std::io::ErrorKind::NotFound => FileProblem::Vanished,
                _ => FileProblem::Unreadable,
            };
            return ListedFile {
                file: described(path, folder, 0, None),
                problem: Some(problem),
            };
        }
    };
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| Timestamp::try_from(time).ok());
    let file = described(path, folder, metadata.len(), modified);
    let problem = if !metadata.is_file() {
        Some(FileProblem::NotAFile)
    } else if !seen.insert(path.to_path_buf()) {
        Some(FileProblem::Duplicate)
    } else if file.name.starts_with('.') {
        Some(FileProblem::Hidden)
    } else if metadata.len() == 0 {
        Some(FileProblem::Empty)
    } else if File::open(path).is_err() {
        Some(FileProblem::Unreadable)
    } else {
        None
    };
    ListedFile { file, problem }
}

/// How a file stands now, compared with when it was picked; none when it is as it was.
pub(super) fn changed_since(file: &LocalFile) -> Option<FileProblem> {
    let now = look(&file.path, file.folder.clone(), &mut BTreeSet::new());
    now.problem
}

fn described(
    path: &Path,
    folder: String,
    size_bytes: u64,
    modified: Option<Timestamp>,
) -> LocalFile {
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    LocalFile {
        path: path.to_path_buf(),
        name,
        folder,
        size_bytes,
        modified,
    }
}

fn with_slashes(path: &Path) -> String {
    path.components()
        .map(|component| component.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_named_and_nothing_is_dropped() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("plate 7");
        let deeper = folder.join("a #1").join("世界");
        std::fs::create_dir_all(&deeper).unwrap();
        let file = |path: PathBuf, bytes: &[u8]| {
            use std::io::Write as _;
            File::create(path).unwrap().write_all(bytes).unwrap();
        };
        file(folder.join("one.tif"), b"1");
        file(deeper.join("two 50%.tif"), b"22");
        file(folder.join("empty.tif"), b"");
        file(folder.join(".DS_Store"), b"x");
        let gone = top.path().join("gone.tif");
        let found = scan(&[folder.clone(), folder.join("one.tif"), gone], &[]);
        let listed: Vec<_> = found
            .iter()
            .map(|listed| {
                (
                    listed.file.folder.as_str(),
                    listed.file.name.as_str(),
                    listed.problem,
                )
            })
            .collect();
        assert_eq!(
            listed,
            [
                ("plate 7", ".DS_Store", Some(FileProblem::Hidden)),
                ("plate 7/a #1/世界", "two 50%.tif", None),
                ("plate 7", "empty.tif", Some(FileProblem::Empty)),
                ("plate 7", "one.tif", None),
                ("", "one.tif", Some(FileProblem::Duplicate)),
                ("", "gone.tif", Some(FileProblem::Vanished)),
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_is_no_file_and_a_broken_link_has_vanished() {
        let top = tempfile::tempdir().unwrap();
        let socket = top.path().join("a.sock");
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = top.path().join("link.tif");
        std::os::unix::fs::symlink(top.path().join("nowhere"), &link).unwrap();
        let problems: Vec<_> = scan(&[socket, link], &[])
            .into_iter()
            .map(|listed| listed.problem)
            .collect();
        assert_eq!(
            problems,
            [Some(FileProblem::NotAFile), Some(FileProblem::Vanished)]
        );
        drop(listener);
    }
}
