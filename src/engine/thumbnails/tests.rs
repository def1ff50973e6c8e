//! The room with real files: what is made once, made anew, left, and kept between starts.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use image::{GrayImage, Luma};
use tokio::time::timeout;

use super::memory::Memory;
use super::{Shared, ThumbnailRoom};
use crate::model::thumbnail::{Thumbnail, Thumbnails};
use crate::results::image::shelf::Stamp;

const DEADLINE: Duration = Duration::from_mins(1);

fn image(folder: &Path, name: &str, gray: u8) -> PathBuf {
    let path = folder.join(name);
    GrayImage::from_fn(40, 20, |x, _| Luma([if x < 20 { 0 } else { gray }]))
        .save(&path)
        .unwrap();
    path
}

/// Overwrites a file's bytes by as many others, so that by size and time it looks the same.
fn spoil(path: &Path) {
    let metadata = fs::metadata(path).unwrap();
    let length = usize::try_from(metadata.len()).unwrap();
    let mut file = fs::File::options().write(true).open(path).unwrap();
    file.write_all(&vec![b'x'; length]).unwrap();
    file.set_modified(metadata.modified().unwrap()).unwrap();
}

/// Waits for what is made to be as wanted.
async fn wait(room: &mut ThumbnailRoom, wanted: impl Fn(&Thumbnails) -> bool) -> Arc<Thumbnails> {
    timeout(DEADLINE, async {
        while !wanted(&room.made()) {
            room.changed().await;
        }
    })
    .await
    .unwrap();
    room.made()
}

fn kept(cache: &Path) -> Vec<PathBuf> {
    fs::read_dir(cache.join("thumbnails"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[tokio::test]
async fn images_get_thumbnails_and_nothing_else_does() {
    let place = tempfile::tempdir().unwrap();
    let good = image(place.path(), "a.png", 200);
    let table = place.path().join("b.csv");
    fs::File::create(&table)
        .unwrap()
        .write_all(b"a,b\n1,2\n")
        .unwrap();
    let damaged = image(place.path(), "c.png", 200);
    spoil(&damaged);
    let last = image(place.path(), "d.png", 200);
    let before = fs::read(&good).unwrap();
    let gone = place.path().join("gone.png");
    let mut room = ThumbnailRoom::new(Some(&place.path().join("cache")));
    room.want(vec![
        good.clone(),
        table,
        damaged,
        gone,
        place.path().to_owned(),
        last.clone(),
    ]);
    let made = wait(&mut room, |made| made.of(&last).is_some()).await;
    assert_eq!(made.by_file.len(), 2, "{made:?}");
    assert_eq!(made.of(&good).unwrap().full, (40, 20));
    assert_eq!(fs::read(&good).unwrap(), before, "files are only read");
}

#[tokio::test]
async fn a_restart_decodes_nothing_again() {
    let place = tempfile::tempdir().unwrap();
    let cache = place.path().join("cache");
    let path = image(place.path(), "a.png", 200);
    let mut room = ThumbnailRoom::new(Some(&cache));
    room.want(vec![path.clone()]);
    let first = wait(&mut room, |made| made.of(&path).is_some()).await;
    drop(room);
    // Decoding it again would fail.
    spoil(&path);
    let mut room = ThumbnailRoom::new(Some(&cache));
    room.want(vec![path.clone()]);
    let second = wait(&mut room, |made| made.of(&path).is_some()).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_damaged_file_of_the_cache_is_made_again() {
    let place = tempfile::tempdir().unwrap();
    let cache = place.path().join("cache");
    let path = image(place.path(), "a.png", 200);
    let mut room = ThumbnailRoom::new(Some(&cache));
    room.want(vec![path.clone()]);
    let first = wait(&mut room, |made| made.of(&path).is_some()).await;
    drop(room);
    let file = kept(&cache).remove(0);
    let good = fs::read(&file).unwrap();
    for length in [0, 20, good.len() - 30] {
        let mut bad = fs::File::create(&file).unwrap();
        bad.write_all(&good[..length]).unwrap();
        let mut room = ThumbnailRoom::new(Some(&cache));
        room.want(vec![path.clone()]);
        let again = wait(&mut room, |made| made.of(&path).is_some()).await;
        assert_eq!(first, again);
        assert_eq!(fs::read(&file).unwrap(), good);
    }
}

#[tokio::test]
async fn a_changed_file_gets_a_new_one_and_a_spoiled_one_none() {
    let place = tempfile::tempdir().unwrap();
    let path = image(place.path(), "a.png", 200);
    let other = image(place.path(), "b.png", 200);
    let mut room = ThumbnailRoom::new(Some(&place.path().join("cache")));
    room.want(vec![path.clone()]);
    let first = wait(&mut room, |made| made.of(&path).is_some()).await;
    let later = SystemTime::now() + Duration::from_hours(1);
    GrayImage::from_pixel(30, 30, Luma([9]))
        .save(&path)
        .unwrap();
    crate::results::image::shelf::date(&path, later);
    room.want(vec![path.clone()]);
    let second = wait(&mut room, |made| {
        made.of(&path).is_some_and(|new| new.full == (30, 30))
    })
    .await;
    assert_ne!(first.of(&path), second.of(&path));
    spoil(&path);
    crate::results::image::shelf::date(&path, later + Duration::from_hours(1));
    room.want(vec![path.clone(), other.clone()]);
    wait(&mut room, |made| {
        made.of(&other).is_some() && made.of(&path).is_none()
    })
    .await;
}

#[tokio::test]
async fn without_a_folder_to_keep_them_they_are_made_all_the_same() {
    let place = tempfile::tempdir().unwrap();
    let path = image(place.path(), "a.png", 200);
    // A file is in the way.
    let mut room = ThumbnailRoom::new(Some(&path));
    room.want(vec![path.clone()]);
    wait(&mut room, |made| made.of(&path).is_some()).await;
}

#[test]
fn the_newest_wish_replaces_the_one_before() {
    let mut room = ThumbnailRoom::new(None);
    // No thread: what it would do is done here.
    let teller = room.teller.take();
    let path = |name: &str| PathBuf::from(format!("/data/{name}.tif"));
    room.want(vec![path("a"), path("b"), path("c")]);
    let (first, stop) = room.shared.next().unwrap();
    assert_eq!(first, path("a"));
    // Still wanted: it goes on.
    room.want(vec![path("d"), path("a")]);
    assert!(!stop.load(std::sync::atomic::Ordering::Relaxed));
    assert_eq!(room.shared.lock().left, [path("d"), path("a")]);
    // Scrolled away: it ends.
    room.want(vec![path("e")]);
    assert!(stop.load(std::sync::atomic::Ordering::Relaxed));
    // And back before it has ended: it is begun again.
    room.want(vec![path("a")]);
    let (again, stop) = room.shared.next().unwrap();
    assert_eq!(again, path("a"));
    assert!(!stop.load(std::sync::atomic::Ordering::Relaxed));
    let shared: Arc<Shared> = Arc::clone(&room.shared);
    drop(room);
    assert!(stop.load(std::sync::atomic::Ordering::Relaxed));
    assert!(shared.next().is_none(), "the end");
    drop(teller);
}

#[test]
fn memory_is_bounded_and_what_is_used_stays() {
    let place = tempfile::tempdir().unwrap();
    let stamp = Stamp::of(&image(place.path(), "a.png", 1)).unwrap();
    let thumbnail = Thumbnail {
        width: 1,
        height: 1,
        rgb: vec![0; 3],
        full: (1, 1),
        about: String::new(),
    };
    let mut memory = Memory::default();
    let path = |number: u32| PathBuf::from(format!("/data/{number}.tif"));
    for number in 0..2_000 {
        let made = (number % 2 == 0).then(|| thumbnail.clone());
        memory.put(&path(number), stamp, made);
        assert!(memory.knows(&path(0), stamp), "used all the time");
    }
    let published = memory.published();
    assert!(
        published.by_file.len() <= 128,
        "{}",
        published.by_file.len()
    );
    assert!(published.of(&path(0)).is_some());
    assert!(published.of(&path(1_998)).is_some());
    assert!(memory.knows(&path(1_999), stamp), "that it has none");
    assert!(!memory.knows(&path(2), stamp));
    // Nothing is copied where nothing changes.
    memory.put(&path(1_999), stamp, None);
    assert!(Arc::ptr_eq(&published, &memory.published()));
}
