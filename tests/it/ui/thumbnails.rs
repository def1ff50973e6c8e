//! Thumbnails in the lists of files: a window on a real engine and a real folder, and what a hand-made snapshot asks for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use image::{GrayImage, ImageBuffer, Luma};

use labferry::engine::Engine;
use labferry::engine::command::Command;
use labferry::model::thumbnail::{Thumbnail, Thumbnails};
use labferry::ui::desktop::{Picked, PretendDesktop};
use labferry::ui::{App, Link};

use crate::harness::{DEADLINE, engine};
use crate::ui::{Window, fixture};

/// A window on a real engine, drawn whenever the engine wakes it.
struct Real {
    harness: Harness<'static, App>,
    engine: Engine,
    woken: std::sync::mpsc::Receiver<()>,
}

impl Real {
    fn new(top: &Path) -> Self {
        let engine = engine(top);
        let (wake, woken) = std::sync::mpsc::channel();
        engine.on_change(move || {
            // Nobody listens any more when the test is over.
            wake.send(()).ok();
        });
        let link = Link::to(&engine);
        let desktop = Box::new(std::rc::Rc::new(PretendDesktop::new(Picked::Unavailable)));
        let harness = Harness::builder()
            .with_size([1200.0, 800.0])
            .allow_missing_glyphs()
            .build_eframe(|creation| App::new(&creation.egui_ctx, link, desktop));
        Self {
            harness,
            engine,
            woken,
        }
    }

    /// Draws until the window shows what is wanted. `run` fails where the window does not come to rest.
    fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        self.harness.run();
        while !wanted(self) {
            let left = DEADLINE.saturating_sub(started.elapsed());
            assert!(self.woken.recv_timeout(left).is_ok(), "{what} did not come");
            self.harness.run();
        }
    }

    fn sees(&self, label: &str) -> bool {
        self.harness.query_by_label(label).is_some()
    }

    fn made(&self) -> usize {
        self.engine.snapshot().thumbnails.by_file.len()
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        self.engine.shutdown();
    }
}

fn png(path: &Path, gray: u8) {
    GrayImage::from_fn(60, 40, |x, _| Luma([if x < 30 { 0 } else { gray }]))
        .save(path)
        .unwrap();
}

#[test]
fn images_of_a_real_folder_show_thumbnails_and_the_window_comes_to_rest() {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("plate");
    std::fs::create_dir(&folder).unwrap();
    png(&folder.join("a.png"), 200);
    ImageBuffer::from_fn(300, 200, |x, _| {
        Luma([400 + u16::try_from(x).unwrap_or_default()])
    })
    .save(folder.join("b.tif"))
    .unwrap();
    for (name, bytes) in [
        ("c.csv", &b"well,area\nA01,7\n"[..]),
        ("d.tif", &b"II*\0 and nothing behind it"[..]),
    ] {
        use std::io::Write as _;
        let mut file = std::fs::File::create(folder.join(name)).unwrap();
        file.write_all(bytes).unwrap();
    }
    png(&folder.join("e.png"), 90);
    let mut window = Real::new(top.path());
    window
        .engine
        .send(Command::AddFiles(vec![folder.clone()]))
        .unwrap();
    // The last of them was looked at after all others.
    window.until("the last thumbnail", |window| {
        window.sees("Thumbnail of e.png")
    });
    assert!(window.sees("Thumbnail of a.png") && window.sees("Thumbnail of b.tif"));
    assert!(window.sees("c.csv") && !window.sees("Thumbnail of c.csv"));
    assert!(window.sees("d.tif") && !window.sees("Thumbnail of d.tif"));
    let snapshot = window.engine.snapshot();
    let shown = snapshot.thumbnails.of(&folder.join("b.tif")).unwrap();
    assert_eq!(
        (shown.full, shown.about.as_str()),
        ((300, 200), "16-bit gray")
    );
    assert_eq!((shown.rgb[0], shown.rgb[shown.rgb.len() - 1]), (0, 255));
    // All are there: nothing is published any more, and the window wants no further frame.
    while window.woken.try_recv().is_ok() {}
    window.harness.run();
    let quiet = window.woken.recv_timeout(Duration::from_millis(400));
    assert!(quiet.is_err(), "the engine went on publishing");
    window.harness.step();
    let again = window.harness.output().viewport_output.values().next();
    let delay = again.map(|viewport| viewport.repaint_delay);
    assert!(delay.is_none_or(|delay| delay > Duration::from_hours(1)));
}

#[test]
fn of_a_thousand_files_only_those_that_are_seen_are_looked_at() {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("plate");
    std::fs::create_dir(&folder).unwrap();
    let name = |number: u32| format!("{number:04}.png");
    png(&folder.join(name(0)), 90);
    for number in 1..1_000 {
        std::fs::copy(folder.join(name(0)), folder.join(name(number))).unwrap();
    }
    let mut window = Real::new(top.path());
    window
        .engine
        .send(Command::AddFiles(vec![folder.clone()]))
        .unwrap();
    window.until("the first thumbnails", |window| {
        window.sees("Thumbnail of 0000.png")
    });
    let seen = window.harness.state().state().thumbnails.clone();
    assert!((4..=12).contains(&seen.len()), "{seen:?}");
    window.until("all that are seen", |window| window.made() == seen.len());
    // The last row is far away from all that was seen.
    let rows = window.harness.get_by_label("0003.png").rect().center();
    window.harness.event(egui::Event::PointerMoved(rows));
    window.harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -100_000.0),
        modifiers: egui::Modifiers::default(),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
    });
    // A wheel is taken softly, over some frames.
    window.harness.run_steps(30);
    window.until("the last thumbnail", |window| {
        window.sees("Thumbnail of 0999.png")
    });
    let then = window.harness.state().state().thumbnails.clone();
    assert!(then.contains(&folder.join(name(999))) && !then.contains(&folder.join(name(0))));
    window.until("all that are seen", |window| {
        let made = window.engine.snapshot();
        then.iter().all(|path| made.thumbnails.of(path).is_some())
    });
    assert!(window.made() <= 40, "{} were made", window.made());
    let kept = top.path().join("data").join("cache").join("thumbnails");
    assert_eq!(std::fs::read_dir(kept).unwrap().count(), window.made());
}

fn thumbnail(window: &mut Window, path: &Path) {
    let thumbnail = Thumbnail {
        width: 4,
        height: 2,
        rgb: vec![120; 4 * 2 * 3],
        full: (2_048, 1_024),
        about: "16-bit gray".to_owned(),
    };
    let by_file = [(Arc::from(path), Arc::new(thumbnail))].into();
    window.publish(|snapshot| snapshot.thumbnails = Arc::new(Thumbnails { by_file }));
}

fn asked(window: &Window) -> Vec<Vec<PathBuf>> {
    let commands = window.commands.borrow_mut().split_off(0);
    commands
        .into_iter()
        .filter_map(|command| match command {
            Command::ShowThumbnails(paths) => Some(paths),
            _ => None,
        })
        .collect()
}

#[test]
fn what_is_seen_is_asked_for_once_and_let_go_with_the_page() {
    let mut window = Window::new(fixture::with_files());
    let path = |name: &str| PathBuf::from(format!("/data/plate 7/{name}"));
    let files = vec![
        path("A01 世界 #1 50%.tif"),
        path("A02 \"quoted\" it's.tif"),
        path("A03.tif"),
    ];
    assert_eq!(
        asked(&window).last(),
        Some(&files),
        "not for one that is not sent"
    );
    thumbnail(&mut window, &path("A03.tif"));
    assert!(window.sees("Thumbnail of A03.tif"));
    assert!(!window.sees("Thumbnail of A01"));
    assert!(asked(&window).is_empty(), "once");
    window.press("Settings");
    assert_eq!(asked(&window), [Vec::<PathBuf>::new()]);
    // An engine that is too busy is asked again, without a word.
    *window.busy.borrow_mut() = true;
    window.press("Send");
    assert!(asked(&window).is_empty());
    assert!(!window.sees("too busy"));
    *window.busy.borrow_mut() = false;
    window.harness.run();
    assert_eq!(asked(&window), [files]);
}

#[test]
fn the_pointer_brings_a_closer_look_at_both_places() {
    let mut window = Window::new(fixture::with_files());
    thumbnail(&mut window, Path::new("/data/plate 7/A03.tif"));
    let words = "2048 × 1024 pixels · 16-bit gray";
    assert!(!window.sees(words));
    window.harness.get_by_label("Thumbnail of A03.tif").hover();
    window.harness.run_steps(60);
    assert!(window.sees(words));
    let mut window = Window::new(fixture::with_jobs());
    window.press("Results");
    let folder = "/results/2026-11-20 Plate 7/Imaging core - Nuclei count";
    let file = |name: &str| PathBuf::from(format!("{folder}/{name}"));
    let last = asked(&window).pop().unwrap();
    assert_eq!(
        last,
        [
            file("objects.csv"),
            file("overview.png"),
            file("masks/A01_objects.json")
        ]
    );
    thumbnail(&mut window, &file("overview.png"));
    window.harness.get_by_label("overview.png").hover();
    window.harness.run_steps(60);
    assert!(window.sees(words));
}
