//! Looking at what came back: an image with its masks, from the mask file, from a row of the table, and back to the row.

use std::sync::Arc;

use labferry::engine::Engine;
use labferry::engine::command::Command;
use labferry::model::image_view::{ImageView, ImageWish, ObjectRef};
use labferry::model::job::Stage;
use labferry::model::preview::PreviewContent;
use labferry::model::provider::FanOut;
use labferry::sandbox::samples;

use crate::harness::{add_files, connect, describe, engine, sandbox, send, settled, target, wait};

/// The image in the preview, once it is as wanted.
async fn image(engine: &Engine, what: &str, wanted: impl Fn(&ImageView) -> bool) -> Arc<ImageView> {
    let snapshot = wait(engine, what, |snapshot| {
        snapshot.preview.as_ref().is_some_and(
            |preview| matches!(&preview.content, PreviewContent::Image(view) if wanted(view)),
        )
    })
    .await;
    match &snapshot.preview.as_ref().unwrap().content {
        PreviewContent::Image(view) => Arc::clone(view),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_masks_to_image_to_row_and_back() {
    let top = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let engine = engine(top.path());
    let (imaging, _institute) = connect(&engine, &sandbox).await;
    let samples = samples::write_into(&top.path().join("plate 7 #50% 世界")).unwrap();
    add_files(&engine, samples).await;
    let targets = vec![target(&engine, imaging, "Nuclei count", FanOut::AllInOne)];
    send(&engine, "Plate 7", &top.path().join("results"), targets).await;
    let snapshot = settled(&engine).await;
    let job = &snapshot.jobs[0];
    assert_eq!(job.job.stage, Stage::Done, "{}", describe(&snapshot));
    let table = job.folder.join("objects.csv");

    // A row, as the table names it.
    let rows = std::fs::read_to_string(&table).unwrap();
    let row: Vec<&str> = rows.lines().nth(3).unwrap().split(',').collect();
    let columns: Vec<&str> = rows.lines().next().unwrap().split(',').collect();
    let columns = labferry::model::objects::ObjectColumns::find(&columns).unwrap();
    let object = columns.object_ref(&row).unwrap();
    let show = Command::ShowObject {
        object: object.clone(),
        beside: table.clone(),
    };
    engine.send(show.clone()).unwrap();
    let view = image(&engine, "the object of the row", |view| view.goes_to == 1).await;
    assert_eq!(view.name, object.image);
    assert!(!view.plain_ground);
    let set = view.objects.clone().unwrap();
    let selected = view.selected.clone().unwrap();
    let info = &set.objects[selected.place as usize];
    assert_eq!(info.id, object.object);
    assert!(!selected.outline.is_empty());
    assert_eq!(
        info.area.to_string(),
        row[3],
        "pixels as the table counts them"
    );
    assert_eq!(view.objects_table.as_ref(), Some(&table));

    // Tiles come when they are wished for.
    let wish = ImageWish {
        opening: view.opening,
        columns: 0..2,
        rows: 0..2,
        selected: Some(selected.place),
        ..ImageWish::default()
    };
    engine.send(Command::ShowImage(wish.clone())).unwrap();
    let view = image(&engine, "tiles", |view| {
        view.wish == wish && !view.tiles.is_empty() && !view.mask_tiles.is_empty()
    })
    .await;
    let tile = &view.mask_tiles[0];
    assert!(tile.objects.iter().any(|number| *number > 0));
    // A wish for an image that was put away changes nothing.
    let stale = ImageWish {
        opening: view.opening - 1,
        page: 7,
        ..wish
    };
    engine.send(Command::ShowImage(stale)).unwrap();

    the_image_changes_and_goes(&engine, &view, show, &samples_path(top.path(), &view.name)).await;

    let back = ObjectRef {
        image: set.image.clone(),
        object: info.id.clone(),
    };
    assert_eq!(back, object);
    engine
        .send(Command::ShowObjectRow {
            table: table.clone(),
            object: back,
        })
        .unwrap();
    wait(&engine, "the table", |snapshot| {
        let preview = snapshot.preview.as_ref();
        preview.is_some_and(|preview| {
            preview.path == table && matches!(preview.content, PreviewContent::Table(_))
        })
    })
    .await;
    engine.shutdown();
}

async fn the_image_changes_and_goes(
    engine: &Engine,
    view: &ImageView,
    show: Command,
    input: &std::path::Path,
) {
    let bytes = std::fs::read(input).unwrap();
    let cut = std::fs::File::options().write(true).open(input).unwrap();
    cut.set_len(bytes.len() as u64 / 2).unwrap();
    engine
        .send(Command::ShowImage(ImageWish {
            opening: view.opening,
            ..ImageWish::default()
        }))
        .unwrap();
    wait(engine, "the note that it changed", |snapshot| {
        let preview = snapshot.preview.as_ref();
        preview.is_some_and(|preview| {
            matches!(&preview.content, PreviewContent::Failed(words) if words.sentence().contains("changed"))
        })
    })
    .await;
    // Without its image: over a plain ground, and it is said.
    std::fs::remove_file(input).unwrap();
    engine.send(show).unwrap();
    let view = image(engine, "the object without its image", |view| {
        view.goes_to == 2
    })
    .await;
    assert!(view.plain_ground && !view.notes.is_empty());
}

fn samples_path(top: &std::path::Path, name: &str) -> std::path::PathBuf {
    top.join("plate 7 #50% 世界").join(name)
}
