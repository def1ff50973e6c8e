//! Images in the results pane: pages, tiles that are asked for, objects under the pointer and the chosen one.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{Pos2, vec2};
use egui_kittest::kittest::Queryable as _;

use labferry::engine::command::Command;
use labferry::model::image_view::{
    ImageView, ImageWish, MaskTile, ObjectClass, ObjectInfo, ObjectRef, ObjectSet, SelectedObject,
    Tile, TileAt, ValueRange,
};
use labferry::model::preview::{Preview, PreviewContent};

use crate::ui::{Window, fixture};

const FOLDER: &str = "/results/2026-11-20 Plate 7/Imaging core - Nuclei count";
const AT: TileAt = TileAt {
    level: 0,
    column: 0,
    row: 0,
};

fn object(id: &str, class: u32, bbox: [u32; 4]) -> ObjectInfo {
    let [left, top, right, bottom] = bbox;
    ObjectInfo {
        id: id.to_owned(),
        class,
        score: Some(0.97),
        area: u64::from((right - left) * (bottom - top)),
        bbox,
    }
}

/// A gray image of 200 × 100 pixels with a wide object at the left and another at the right.
fn view() -> ImageView {
    let objects = vec![
        object("12", 0, [20, 20, 80, 80]),
        object("13", 1, [120, 20, 180, 80]),
    ];
    let numbers = (0..200 * 100_u32)
        .map(|place| {
            let (x, y) = (place % 200, place / 200);
            match (x, y) {
                (20..80, 20..80) => 1,
                (120..180, 20..80) => 2,
                _ => 0,
            }
        })
        .collect();
    let class = |name: &str| ObjectClass {
        name: name.to_owned(),
        count: 1,
    };
    let tile = |gray: u8| Tile {
        at: AT,
        width: 200,
        height: 100,
        rgba: vec![gray; 200 * 100 * 4],
    };
    ImageView {
        opening: 1,
        name: "A01.tif".to_owned(),
        plain_ground: false,
        width: 200,
        height: 100,
        levels: 1,
        page: 0,
        pages: 3,
        more_pages: false,
        about: "16-bit gray".to_owned(),
        range: Some(ValueRange {
            smallest: 10.0,
            largest: 4_000.0,
            low: 10.0,
            high: 4_000.0,
        }),
        percent: None,
        overview: None,
        tiles: vec![Arc::new(tile(255))],
        mask_tiles: vec![Arc::new(MaskTile {
            tile: tile(0),
            objects: numbers,
        })],
        objects: Some(Arc::new(ObjectSet {
            source: "A01_objects.json".to_owned(),
            image: "A01.tif".to_owned(),
            classes: vec![class("Nucleus"), class("Debris")],
            objects,
        })),
        selected: None,
        goes_to: 0,
        objects_table: Some(PathBuf::from(format!("{FOLDER}/objects.csv"))),
        notes: Vec::new(),
        wish: ImageWish::default(),
    }
}

fn show(window: &mut Window, view: ImageView) {
    let path = PathBuf::from(format!("{FOLDER}/masks/A01_objects.json"));
    window.publish(|snapshot| {
        let content = PreviewContent::Image(Arc::new(view));
        snapshot.preview = Some(Arc::new(Preview { path, content }));
    });
}

fn open() -> Window {
    let mut window = Window::new(fixture::with_jobs());
    window.go("Results");
    window.press("masks/A01_objects.json");
    window.taken();
    show(&mut window, view());
    window
}

/// What was last asked of the engine.
fn wish(window: &Window) -> ImageWish {
    let taken = window.taken();
    let mut wishes = taken.iter().filter_map(|command| match command {
        Command::ShowImage(wish) => Some(wish.clone()),
        _ => None,
    });
    wishes.next_back().unwrap()
}

/// A place of the image on the screen, when all of it is shown.
fn place(window: &Window, x: f32, y: f32) -> Pos2 {
    let pane = window.harness.get_by_label("Picture A01.tif").rect();
    let scale = (pane.width() / 200.0).min(pane.height() / 100.0).min(8.0);
    pane.center() + (vec2(x, y) - vec2(100.0, 50.0)) * scale
}

#[test]
fn an_image_asks_for_the_tiles_that_are_seen() {
    let mut window = open();
    assert!(window.sees("A01.tif · 200 × 100 pixels · 16-bit gray"));
    let first = wish(&window);
    assert_eq!((first.opening, first.level, first.page), (1, 0, 0));
    assert_eq!((first.columns, first.rows), (0..1, 0..1));
    window.harness.run();
    assert!(
        window.taken().is_empty(),
        "what is asked for is asked for once"
    );
    // Another image: nothing of the one before is asked for.
    show(
        &mut window,
        ImageView {
            opening: 2,
            width: 20_000,
            height: 20_000,
            levels: 8,
            objects: None,
            mask_tiles: Vec::new(),
            ..view()
        },
    );
    let all = wish(&window);
    assert!(all.level >= 4, "{all:?}");
    for _ in 0..40 {
        window.press("Larger");
    }
    let near = wish(&window);
    assert_eq!(near.level, 0);
    assert!(near.columns.start > 30 && near.columns.end < 50, "{near:?}");
    window.press("Fit");
    assert_eq!(wish(&window).level, all.level);
}

#[test]
fn pages_are_turned() {
    let mut window = open();
    assert!(window.sees("of 3"));
    assert!(!window.is_enabled("Previous page"));
    window.press("Next page");
    assert_eq!(wish(&window).page, 1);
    window.press("Next page");
    assert_eq!(wish(&window).page, 2);
    assert!(!window.is_enabled("Next page"));
    window.press("Previous page");
    assert_eq!(wish(&window).page, 1);
}

#[test]
fn the_object_under_the_pointer_is_named_and_a_click_chooses_it() {
    let mut window = open();
    assert!(!window.sees("Object 12"));
    window.harness.hover_at(place(&window, 50.0, 50.0));
    window.harness.run();
    assert!(window.sees("Object 12 · Nucleus · score 0.97 · 3,600 pixels"));
    window.harness.hover_at(place(&window, 100.0, 50.0));
    window.harness.run();
    assert!(!window.sees("Object 12"));
    let at = place(&window, 150.0, 50.0);
    window.harness.hover_at(at);
    window.harness.drag_at(at);
    window.harness.drop_at(at);
    window.harness.run();
    assert_eq!(wish(&window).selected, Some(1));
    window.press("Show selected");
    window.taken();
    window.press("Show its row");
    let expected = ObjectRef {
        image: "A01.tif".to_owned(),
        object: "13".to_owned(),
    };
    let taken = window.taken();
    let asked = taken.iter().any(|command| {
        matches!(command, Command::ShowObjectRow { table, object }
            if table.ends_with("objects.csv") && *object == expected)
    });
    assert!(asked, "{taken:?}");
    // The table is what is shown once the engine has opened it.
    let path = PathBuf::from(format!("{FOLDER}/objects.csv"));
    window.publish(|snapshot| {
        let content = PreviewContent::Opening;
        snapshot.preview = Some(Arc::new(Preview { path, content }));
    });
    assert!(!window.sees("Picture A01.tif"));
}

#[test]
fn a_class_can_be_hidden_and_masks_put_away() {
    let mut window = open();
    window.taken();
    window.press("Nucleus 1");
    assert_eq!(wish(&window).hidden.into_iter().collect::<Vec<_>>(), [0]);
    window.press("Nucleus 1");
    assert!(wish(&window).hidden.is_empty());
    window.press("Fill");
    assert_eq!(
        wish(&window).style,
        labferry::model::image_view::MaskStyle::Fill
    );
    window.press("Masks");
    assert!(!wish(&window).masks);
    assert!(!window.sees("Nucleus 1"));
}

#[test]
fn an_object_that_was_asked_for_is_gone_to() {
    let mut window = open();
    window.taken();
    show(
        &mut window,
        ImageView {
            goes_to: 1,
            selected: Some(SelectedObject {
                place: 1,
                outline: vec![[120, 20, 180, 20]],
            }),
            ..view()
        },
    );
    assert_eq!(wish(&window).selected, Some(1));
    assert!(window.sees("Object 13 · Debris"));
    window.press("Choose none");
    assert_eq!(wish(&window).selected, None);
}

#[test]
fn brightness_is_set_and_notes_are_read() {
    let mut window = open();
    window.taken();
    assert!(!window.sees("Whole range"));
    window.press("Brightness");
    window.press("Auto");
    assert_eq!(
        wish(&window).brightness,
        labferry::model::image_view::Brightness::Auto
    );
    assert!(window.sees("Black"));
    let notes = vec!["A part of this image is damaged. It is left black".to_owned()];
    show(&mut window, ImageView { notes, ..view() });
    assert!(window.sees("A part of this image is damaged"));
}
