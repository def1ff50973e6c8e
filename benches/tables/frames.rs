//! The window's thread while a large table is counted, sorted and scrolled: the real pane on the real engine, without a
//! display.

use std::path::Path;
use std::time::{Duration, Instant};

use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use labferry::engine::command::Command;
use labferry::engine::{Engine, EngineOptions};
use labferry::model::preview::PreviewContent;
use labferry::model::table::{Query, Sort, TablePage, TableWish};
use labferry::store::folders::Folders;
use labferry::ui::outbox::Outbox;
use labferry::ui::results::table::{TableState, table_ui};
use labferry::ui::theme;
use std::sync::Arc;

use crate::window::Frames;

/// Scrolls through a table while it is counted and while it is sorted, and says how long frames took.
pub(crate) fn run(path: &Path) {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(EngineOptions::real(Folders::below(data.path()))).unwrap();
    let shown = engine.clone();
    let mut state = TableState::default();
    let file = path.to_owned();
    let mut harness = Harness::builder()
        .with_size([1600.0, 1000.0])
        .allow_missing_glyphs()
        .build_ui(move |ui| {
            let Some(page) = page(&shown) else {
                return;
            };
            let mut outbox = Outbox::default();
            table_ui(ui, &file, &page, &mut state, &mut outbox);
            for command in outbox.commands {
                shown.send(command).unwrap();
            }
        });
    theme::install(&harness.ctx);
    harness.step();
    let mut frames = Frames::default();
    let clicked = Instant::now();
    engine.send(Command::OpenPreview(path.to_owned())).unwrap();
    let mut first_rows = None;
    let mut sorting = false;
    let mut scrolled = 0_u32;
    let deadline = Instant::now() + Duration::from_mins(5);
    let mut random = fastrand::Rng::with_seed(1);
    while Instant::now() < deadline {
        scrolled += 1;
        if scrolled.is_multiple_of(3) {
            let key = [
                Key::PageDown,
                Key::PageDown,
                Key::PageUp,
                Key::End,
                Key::Home,
            ][random.usize(0..5)];
            harness.event(press(key));
        }
        frames.step(&mut harness);
        let Some(page) = page(&engine) else {
            continue;
        };
        if first_rows.is_none() && !page.rows.is_empty() {
            first_rows = Some(clicked.elapsed());
        }
        if page.counted && !sorting {
            sorting = true;
            let sorts = vec![Sort {
                column: 4,
                descending: false,
            }];
            let filters = Vec::new();
            engine
                .send(Command::Table(TableWish::Ask(Query { filters, sorts })))
                .unwrap();
        }
        if sorting && page.rows_shown.is_some() && scrolled.is_multiple_of(200) {
            break;
        }
    }
    engine.shutdown();
    println!(
        "{}; first rows in the window {:.0} ms after the click; all of it {:.1} s",
        frames.report(),
        first_rows.map_or(f64::NAN, |first| first.as_secs_f64() * 1e3),
        clicked.elapsed().as_secs_f64(),
    );
}

fn page(engine: &Engine) -> Option<Arc<TablePage>> {
    match &engine.snapshot().preview.as_ref()?.content {
        PreviewContent::Table(page) => Some(Arc::clone(page)),
        _ => None,
    }
}

fn press(key: Key) -> Event {
    Event::Key {
        key,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    }
}
