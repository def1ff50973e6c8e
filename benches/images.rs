//! A large image in the results pane: how soon something of it is seen, how long frames take while it is read and moved
//! about, the most memory of it all, and how long reading it through takes against reading its strips and nothing else.
//!
//! `cargo bench --bench images`; `LABFERRY_BENCH_SIDE` sets its side (20,000 pixels of 16 bits), `LABFERRY_BENCH_FOLDER` where
//! it is made and removed again.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark speaks on its output, may stop, and draws as often as a screen does"
)]

mod window;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::Command as Program;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Event, Modifiers, PointerButton, Pos2, pos2, vec2};
use egui_kittest::Harness;
use labferry::engine::command::Command;
use labferry::engine::{Engine, EngineOptions};
use labferry::model::image_view::ImageView;
use labferry::model::preview::PreviewContent;
use labferry::store::folders::Folders;
use labferry::ui::outbox::Outbox;
use labferry::ui::results::image::{ImageState, image_ui};
use labferry::ui::theme;

/// Longest time anything here may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// Frames of moving about once all is read.
const FRAMES_AFTER: u32 = 2000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--ours") {
        show(Path::new(&arguments[at + 1]));
        return;
    }
    let side = std::env::var("LABFERRY_BENCH_SIDE").map_or(20_000, |side| side.parse().unwrap());
    let folder = std::env::var_os("LABFERRY_BENCH_FOLDER");
    let folder = folder
        .map_or_else(tempfile::tempdir, tempfile::tempdir_in)
        .unwrap();
    let path = folder.path().join("large.tif");
    made(&path, side);
    println!(
        "{side} × {side}, 16-bit gray, {} MB",
        path.metadata().unwrap().len() / 1_000_000
    );
    let started = Instant::now();
    strips(&path);
    println!("its strips alone: {:.2} s", started.elapsed().as_secs_f64());
    let program = std::env::current_exe().unwrap();
    let status = Program::new(program).arg("--ours").arg(&path).status();
    assert!(status.unwrap().success());
}

/// Cells as bright spots on uneven ground, in strips of 64 rows, not packed.
fn made(path: &Path, side: u32) {
    let file = BufWriter::new(File::create(path).unwrap());
    let mut encoder = tiff::encoder::TiffEncoder::new(file).unwrap();
    let mut image = encoder
        .new_image::<tiff::encoder::colortype::Gray16>(side, side)
        .unwrap();
    image.rows_per_strip(64).unwrap();
    let mut first = 0;
    while image.next_strip_sample_count() > 0 {
        let rows = u32::try_from(image.next_strip_sample_count()).unwrap() / side;
        let all = (first..first + rows).flat_map(|y| (0..side).map(move |x| brightness(x, y)));
        let strip: Vec<u16> = all.collect();
        image.write_strip(&strip).unwrap();
        first += rows;
    }
    image.finish().unwrap();
}

fn brightness(x: u32, y: u32) -> u16 {
    let (from_x, from_y) = (x % 90, y % 70);
    let away = from_x.abs_diff(45).pow(2) + from_y.abs_diff(35).pow(2);
    let noise = x
        .wrapping_mul(2_654_435_761)
        .wrapping_add(y.wrapping_mul(40_503))
        >> 27;
    let cell = if away < 400 { 12_000 - away * 20 } else { 0 };
    u16::try_from(300 + y / 100 + cell + noise).unwrap()
}

/// What nobody can be faster than: each strip read once, by the same library, on one thread.
fn strips(path: &Path) {
    let file = BufReader::new(File::open(path).unwrap());
    let mut decoder = tiff::decoder::Decoder::new(file).unwrap();
    for strip in 0..decoder.strip_count().unwrap() {
        drop(decoder.read_chunk(strip).unwrap());
    }
}

/// Opens it in the real pane and drags it about at all scales, until it is read and for some time after.
fn show(path: &Path) {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(EngineOptions::real(Folders::below(data.path()))).unwrap();
    let shown = engine.clone();
    let mut state = ImageState::default();
    let file = path.to_owned();
    let mut harness = Harness::builder()
        .with_size([1600.0, 1000.0])
        .allow_missing_glyphs()
        .build_ui(move |ui| {
            let Some(view) = view(&shown) else {
                return;
            };
            let mut outbox = Outbox::default();
            image_ui(ui, &file, &view, &mut state, &mut outbox);
            for command in outbox.commands {
                shown.send(command).unwrap();
            }
        });
    theme::install(&harness.ctx);
    harness.step();
    let mut frames = window::Frames::default();
    let clicked = Instant::now();
    engine.send(Command::OpenPreview(path.to_owned())).unwrap();
    let (mut seen, mut read) = (None, None);
    let mut hand = Hand::default();
    let mut after = 0;
    while clicked.elapsed() < PATIENCE && after < FRAMES_AFTER {
        hand.moves(&harness);
        frames.step(&mut harness);
        // As long as a screen of 60 pictures a second would wait.
        std::thread::sleep(Duration::from_millis(8));
        let Some(view) = view(&engine) else {
            continue;
        };
        if seen.is_none() && (view.overview.is_some() || !view.tiles.is_empty()) {
            seen = Some(clicked.elapsed());
        }
        if view.percent.is_none() {
            read.get_or_insert_with(|| clicked.elapsed());
            after += 1;
        }
    }
    engine.shutdown();
    println!(
        "in the window: first seen after {:.0} ms, all read after {:.2} s, at most {} MiB\n{}",
        seen.unwrap().as_secs_f64() * 1e3,
        read.unwrap().as_secs_f64(),
        window::peak_mib(),
        frames.report()
    );
}

fn view(engine: &Engine) -> Option<Arc<ImageView>> {
    match &engine.snapshot().preview.as_ref()?.content {
        PreviewContent::Image(view) => Some(Arc::clone(view)),
        _ => None,
    }
}

/// A hand that drags the image to and fro, and zooms now and then.
#[derive(Default)]
struct Hand {
    frame: u32,
    at: Pos2,
}

impl Hand {
    fn moves(&mut self, harness: &Harness<'_>) {
        let middle = pos2(800.0, 560.0);
        let button = |pos, pressed| Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        match self.frame % 60 {
            0 => {
                self.at = middle;
                harness.event(Event::PointerMoved(middle));
                // In to single pixels, and out again.
                let factor = if self.frame / 60 % 16 < 8 {
                    1.8
                } else {
                    1.0 / 1.8
                };
                harness.event(Event::Zoom(factor));
            }
            1 => harness.event(button(self.at, true)),
            59 => harness.event(button(self.at, false)),
            step => {
                let turn = f32::from(u8::try_from(self.frame / 60 % 7).unwrap_or(0));
                self.at += vec2((turn - 3.0) * 2.0, if step < 30 { 6.0 } else { -4.0 });
                harness.event(Event::PointerMoved(self.at));
            }
        }
        self.frame += 1;
    }
}
