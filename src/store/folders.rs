//! Where things lie on this computer, and how they are written so that no file is ever half of itself.
//!
//! What is in the folders belongs to others: the journal to [`crate::store::journal`], results to `results`, the log to
//! the command line.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Moves everything when set; the flag `--data-dir` wins over it.
pub const DATA_DIR_VARIABLE: &str = "LABFERRY_DATA_DIR";

/// The places of one Labferry; all absolute. None of them has to exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// The journal, its lock, and the window's own memory.
    pub data: PathBuf,
    /// The log files.
    pub log: PathBuf,
    /// What can be made again at any time, such as thumbnails.
    pub cache: PathBuf,
    /// Where batches get their folders unless the settings name another place.
    pub results: PathBuf,
}

impl Folders {
    /// The system's own places for such things, or everything below the given folder or the one the environment names.
    pub fn find(data_dir: Option<&Path>) -> io::Result<Self> {
        Self::find_with(data_dir, &|name| std::env::var_os(name))
    }

    /// [`Folders::find`] with a given environment.
    pub fn find_with(
        data_dir: Option<&Path>,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> io::Result<Self> {
        let from_env = env(DATA_DIR_VARIABLE)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        if let Some(folder) = data_dir.map(Path::to_path_buf).or(from_env) {
            return Ok(Self::below(&std::path::absolute(folder)?));
        }
        let no_home = || io::Error::new(io::ErrorKind::NotFound, "this user has no home folder");
        let project =
            directories::ProjectDirs::from("org", "Labferry", "Labferry").ok_or_else(no_home)?;
        let user = directories::UserDirs::new().ok_or_else(no_home)?;
        let data = project.data_local_dir().to_path_buf();
        let log = project
            .state_dir()
            .map_or_else(|| data.join("log"), |state| state.join("log"));
        let results = user
            .document_dir()
            .unwrap_or_else(|| user.home_dir())
            .join("Labferry");
        Ok(Self {
            data,
            log,
            cache: project.cache_dir().to_path_buf(),
            results,
        })
    }

    /// Everything below one folder, for a portable install or a test.
    pub fn below(folder: &Path) -> Self {
        Self {
            data: folder.to_path_buf(),
            log: folder.join("log"),
            cache: folder.join("cache"),
            results: folder.join("results"),
        }
    }

    /// Makes the data and log folders, closed to other users. The others are made when they are needed.
    pub fn make(&self) -> io::Result<()> {
        make_private(&self.data)?;
        make_private(&self.log)
    }
}

/// The person's home folder.
pub fn home() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|places| places.home_dir().to_path_buf())
}

/// Makes a folder, and those it lies in, that only this user can look into. One that is there already stays as it is.
pub fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Writes a file so that at every moment, also after a power cut, its name stands for the old content or the new one.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".labferry-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file: the user's mask decides. A temporary file is otherwise closed to colleagues who share a folder.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|failed| failed.error)?;
    sync_folder(folder)
}

/// Puts the names in a folder on the drive. Only Unix offers it; elsewhere the file system does it itself.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// How many names are tried before giving up.
const MOST_NAMES: u32 = 10_000;

/// Makes a folder of this name, or of the name with ` (2)` and so on. Never takes one that is there. The name must be clean
/// already: one segment.
pub fn make_unique_folder(parent: &Path, name: &str) -> io::Result<PathBuf> {
    let mut segments = Path::new(name).components();
    let is_one_segment = matches!(segments.next(), Some(std::path::Component::Normal(_)))
        && segments.next().is_none()
        && !name.contains(['/', '\\']);
    if !is_one_segment {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the name of a folder must be a single name",
        ));
    }
    fs::create_dir_all(parent)?;
    for number in 1..=MOST_NAMES {
        let folder = if number == 1 {
            parent.join(name)
        } else {
            parent.join(format!("{name} ({number})"))
        };
        match fs::create_dir(&folder) {
            Ok(()) => {
                sync_folder(parent)?;
                return Ok(folder);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        "all names for the folder are taken",
    ))
}

/// Bytes free for this user on the drive of a path; the path itself does not have to exist yet.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let mut place = path;
    loop {
        match fs4::available_space(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match place.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => place = parent,
                Some(_) | None => return Err(error),
            },
            known => return known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_moves_everything() {
        let env = |name: &str| (name == DATA_DIR_VARIABLE).then(|| OsString::from("/env/place"));
        let flag = Folders::find_with(Some(Path::new("/flag/place")), &env).unwrap();
        assert_eq!(flag, Folders::below(Path::new("/flag/place")));
        let named = Folders::find_with(None, &env).unwrap();
        assert_eq!(named.data, Path::new("/env/place"));
        assert_eq!(named.results, Path::new("/env/place/results"));
        assert!(
            Folders::find_with(Some(Path::new("here")), &env)
                .unwrap()
                .log
                .is_absolute()
        );
    }

    #[test]
    fn a_folder_is_made_and_never_taken() {
        let place = tempfile::tempdir().unwrap();
        let parent = place.path().join("not yet");
        let name = "2026-11-20 Plate 7 #1 %41 世界";
        let first = make_unique_folder(&parent, name).unwrap();
        write_atomically(&parent.join(format!("{name} (2)")), b"in the way").unwrap();
        let third = make_unique_folder(&parent, name).unwrap();
        assert_eq!(first.file_name().unwrap().to_str().unwrap(), name);
        assert_eq!(
            third.file_name().unwrap().to_str().unwrap(),
            format!("{name} (3)")
        );
        for bad in ["", ".", "..", "a/b", "/a", "a\\b"] {
            assert!(make_unique_folder(&parent, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("receipt.json");
        write_atomically(&path, b"old").unwrap();
        write_atomically(&path, b"new and longer").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new and longer");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        let missing = place.path().join("no such folder").join("receipt.json");
        assert!(write_atomically(&missing, b"x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn data_is_closed_to_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let folders = Folders::below(&place.path().join("data"));
        folders.make().unwrap();
        for folder in [&folders.data, &folders.log] {
            let mode = fs::metadata(folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }

    #[test]
    fn free_room_is_known_for_a_folder_that_is_not_there_yet() {
        let place = tempfile::tempdir().unwrap();
        assert!(free_bytes(&place.path().join("a").join("b")).unwrap() > 0);
    }
}
