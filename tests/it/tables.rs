//! The open table on a real engine and real files: what is asked of it is answered, what changes under it is said.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use labferry::engine::Engine;
use labferry::engine::command::Command;
use labferry::model::preview::PreviewContent;
use labferry::model::table::{
    Condition, CopyStyle, CopyWish, Filter, Frame, PlotWish, Query, ReadAs, SaveForm, Sort,
    StackMember, StackWish, TablePage, TableWish,
};

use crate::harness::{engine, wait};

fn write(path: &Path, bytes: &[u8]) {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::File::create(path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

/// Enough rows that counting and reading are two things.
fn rows(count: u32) -> String {
    let mut text = String::from("id,value,class,note\n");
    for row in 0..count {
        let class = ["B10", "B9", "A1"][row as usize % 3];
        text += &format!(
            "{row:07},{},{class},\"two\nlines\"\n",
            f64::from(row % 1000) / 8.0
        );
    }
    text
}

fn ask(engine: &Engine, wish: TableWish) {
    engine.send(Command::Table(wish)).unwrap();
}

/// Waits until the open table is as wanted.
async fn table(engine: &Engine, what: &str, wanted: impl Fn(&TablePage) -> bool) -> Arc<TablePage> {
    let page = |preview: &PreviewContent| match preview {
        PreviewContent::Table(page) => Some(Arc::clone(page)),
        _ => None,
    };
    let snapshot = wait(engine, what, |snapshot| {
        let preview = snapshot.preview.as_ref();
        let page = preview.and_then(|preview| page(&preview.content));
        page.is_some_and(|page| wanted(&page))
    })
    .await;
    page(&snapshot.preview.as_ref().unwrap().content).unwrap()
}

async fn open(engine: &Engine, path: &Path) -> Arc<TablePage> {
    engine.send(Command::OpenPreview(path.to_owned())).unwrap();
    table(engine, "the counted table", |page| page.counted).await
}

fn sorted_by(column: usize, descending: bool) -> Query {
    Query {
        filters: Vec::new(),
        sorts: vec![Sort { column, descending }],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_a_table_is_answered() {
    let top = tempfile::tempdir().unwrap();
    let engine = engine(top.path());
    let path = top.path().join("objects # 50% 世.csv");
    write(&path, rows(60_000).as_bytes());
    // Asked before all rows are known: answered when they are.
    engine.send(Command::OpenPreview(path.clone())).unwrap();
    table(&engine, "the first rows", |page| !page.rows.is_empty()).await;
    let mut query = sorted_by(1, true);
    query.filters.push(Filter {
        column: 2,
        condition: Condition::Contains("b".to_owned()),
    });
    ask(&engine, TableWish::Describe(vec![0]));
    ask(&engine, TableWish::Describe(vec![2]));
    ask(&engine, TableWish::Ask(query.clone()));
    let page = table(&engine, "the sorted rows", |page| page.query == query).await;
    assert_eq!((page.rows_known, page.rows_shown), (60_000, Some(40_000)));
    assert_eq!(
        page.rows[0][..3],
        ["0000999", "124.875", "B10"].map(str::to_owned)
    );
    assert_eq!(page.numbers[0], 999);
    engine
        .send(Command::ShowRows {
            first_row: 39_990,
            count: 50,
        })
        .unwrap();
    let page = table(&engine, "the last rows", |page| page.first_row == 39_990).await;
    assert_eq!((page.rows.len(), page.rows[9][1].as_str()), (10, "0"));

    ask(
        &engine,
        TableWish::Find {
            text: "0000007".to_owned(),
            from: 0,
            forward: true,
        },
    );
    let page = table(&engine, "the row looked for", |page| page.found.is_some()).await;
    let found = page.found.clone().unwrap();
    assert_eq!((found.rows, found.at.map(|at| at.2)), (1, Some(0)));
    let page = table(&engine, "the columns described", |page| {
        page.cards.len() == 2
    })
    .await;
    assert_eq!(page.cards[&2].distinct, 3, "cards are of all rows");
    let scatter = PlotWish::Scatter {
        x: 0,
        y: 1,
        color: Some(2),
    };
    ask(&engine, TableWish::Plot(Some(scatter)));
    let page = table(&engine, "the plot", |page| page.plot.is_some()).await;
    assert_eq!(
        page.plot.as_ref().unwrap().rows,
        40_000,
        "plots are of the rows shown"
    );
    let frame = Frame {
        bounds: [0.0, 60_000.0, 0.0, 125.0],
        width: 300,
        height: 200,
    };
    ask(&engine, TableWish::Draw(frame));
    let page = table(&engine, "the points", |page| page.raster.is_some()).await;
    let drawn = page.raster.as_ref().unwrap().colors.iter();
    assert!(drawn.filter(|color| **color > 0).count() > 1_000);
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_copied_and_saved_as_shown() {
    let top = tempfile::tempdir().unwrap();
    let engine = engine(top.path());
    let path = top.path().join("objects.csv");
    write(&path, rows(5_000).as_bytes());
    open(&engine, &path).await;
    ask(&engine, TableWish::Ask(sorted_by(0, true)));
    table(&engine, "the sorted rows", |page| page.rows_shown.is_some()).await;
    ask(
        &engine,
        TableWish::Copy(CopyWish {
            first: 1,
            count: 2,
            columns: vec![2, 0],
            style: CopyStyle::WithNames,
        }),
    );
    let page = table(&engine, "the text to copy", |page| page.copied.is_some()).await;
    let copied = page.copied.clone().unwrap();
    assert_eq!(&*copied.text, "class\tid\nB10\t0004998\nA1\t0004997\n");
    for (form, name) in [(SaveForm::Csv, "plain.csv"), (SaveForm::Excel, "excel.csv")] {
        let path = top.path().join(name);
        ask(
            &engine,
            TableWish::Save {
                columns: vec![0, 2],
                path: path.clone(),
                form,
            },
        );
        let page = table(&engine, "the note", |page| {
            page.notes.last().is_some_and(|note| note.contains(name))
        })
        .await;
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 5_001);
        if form == SaveForm::Excel {
            assert!(text.starts_with('\u{feff}') && text.contains("=\"\"0004999\"\""));
            let note = page.notes.last().unwrap();
            assert!(note.contains("by column: id (5000)"), "{note}");
        } else {
            assert!(
                text.starts_with("id,class\n0004999,B9\n"),
                "{}",
                &text[..40]
            );
        }
    }
    let gone = top.path().join("no folder").join("x.csv");
    ask(
        &engine,
        TableWish::Save {
            columns: vec![0],
            path: gone,
            form: SaveForm::Csv,
        },
    );
    let page = table(&engine, "the failure", |page| {
        page.notes
            .last()
            .is_some_and(|note| note.contains("could not be done"))
    })
    .await;
    assert!(page.counted && !page.rows.is_empty(), "the table stays");
    ask(&engine, TableWish::CloseNotes);
    table(&engine, "no notes", |page| page.notes.is_empty()).await;
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_can_be_read_another_way() {
    let top = tempfile::tempdir().unwrap();
    let engine = engine(top.path());
    let path = top.path().join("numbers.csv");
    write(&path, b"1;2,5\n3;4,5\n");
    let page = open(&engine, &path).await;
    assert_eq!(
        (
            page.rows_known,
            page.reading.delimiter,
            page.reading.decimal
        ),
        (2, b';', ',')
    );
    let said = ReadAs {
        delimiter: Some(b','),
        header: Some(true),
        ..ReadAs::default()
    };
    ask(&engine, TableWish::ReadAs(said));
    let page = table(&engine, "the other columns", |page| {
        page.reading.delimiter == b','
    })
    .await;
    assert_eq!(*page.columns, ["1;2", "5"]);
    assert_eq!(*page.rows, [["3;4", "5"]]);
    assert_eq!(page.reading.said, said);
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_shrinks_or_vanishes_while_open_is_said() {
    let top = tempfile::tempdir().unwrap();
    let engine = engine(top.path());
    for (what, words) in [
        ("grows", "changed"),
        ("shrinks", "changed"),
        ("vanishes", "no longer there"),
    ] {
        let path = top.path().join(format!("{what}.csv"));
        write(&path, rows(20_000).as_bytes());
        open(&engine, &path).await;
        match what {
            "grows" => write(&path, rows(20_001).as_bytes()),
            "shrinks" => write(&path, b"id,value\n1,2\n"),
            _ => std::fs::remove_file(&path).unwrap(),
        }
        ask(&engine, TableWish::Ask(sorted_by(1, false)));
        let note = table(&engine, "the note", |page| !page.notes.is_empty()).await;
        assert!(note.notes[0].contains(words), "{:?}", note.notes);
        engine
            .send(Command::ShowRows {
                first_row: 19_000,
                count: 50,
            })
            .unwrap();
        let snapshot = wait(&engine, "the failure", |snapshot| {
            let preview = snapshot.preview.as_ref();
            preview.is_some_and(|preview| matches!(preview.content, PreviewContent::Failed(_)))
        })
        .await;
        let PreviewContent::Failed(failure) = &snapshot.preview.as_ref().unwrap().content else {
            panic!("no failure")
        };
        assert!(format!("{failure:?}").contains(words), "{failure:?}");
    }
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_table_shows_its_rows_up_to_the_damage() {
    let top = tempfile::tempdir().unwrap();
    let engine = engine(top.path());
    let path = top.path().join("damaged.csv.gz");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(rows(200_000).as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    let whole = top.path().join("whole.csv.gz");
    write(&whole, &packed);
    let page = open(&engine, &whole).await;
    assert_eq!(page.rows_known, 200_000);
    write(&path, &packed[..packed.len() / 2]);
    engine.send(Command::OpenPreview(path)).unwrap();
    let page = table(&engine, "the note", |page| !page.notes.is_empty()).await;
    assert!(
        !page.counted && page.rows_known > 1_000,
        "{}",
        page.rows_known
    );
    assert!(page.notes[0].contains("damaged"), "{:?}", page.notes);
    ask(&engine, TableWish::Ask(sorted_by(0, false)));
    let page = table(&engine, "the second note", |page| page.notes.len() > 1).await;
    assert!(
        page.notes[1].contains("Not all rows can be read"),
        "{:?}",
        page.notes
    );
    engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_batch_are_one_table() {
    let top = tempfile::tempdir().unwrap();
    let engine = engine(top.path());
    let mut members = Vec::new();
    for job in 0..300 {
        let path = top.path().join(format!("job {job}")).join("objects.csv");
        write(
            &path,
            format!("id,area\n{job:03},{}\n999,1\n", 1000 - job).as_bytes(),
        );
        members.push(StackMember {
            path,
            origin: vec!["Plate 7".to_owned(), format!("job {job}")],
            ..StackMember::default()
        });
    }
    let odd = top.path().join("summary.csv");
    write(&odd, b"plate;objects;mean\np1;600;2,5\n");
    members.push(StackMember {
        path: odd,
        origin: vec!["Plate 7".to_owned(), "summary".to_owned()],
        ..StackMember::default()
    });
    let key = top.path().join("all results");
    engine
        .send(Command::OpenStack(StackWish {
            key: key.clone(),
            names: vec!["Batch".to_owned(), "Job".to_owned()],
            members,
        }))
        .unwrap();
    let page = table(&engine, "the stack", |page| page.counted).await;
    assert_eq!(engine.snapshot().preview.as_ref().unwrap().path, key);
    assert_eq!(*page.columns, ["Batch", "Job", "id", "area"]);
    assert_eq!((page.rows_known, page.shapes.len()), (600, 2));
    let mut query = sorted_by(3, false);
    query.filters.push(Filter {
        column: 3,
        condition: Condition::Between(Some(2.0), None),
    });
    ask(&engine, TableWish::Ask(query));
    let page = table(&engine, "the order", |page| page.rows_shown == Some(300)).await;
    assert_eq!(page.rows[0], ["Plate 7", "job 299", "299", "701"]);
    ask(&engine, TableWish::Shape(1));
    let page = table(&engine, "the other shape", |page| {
        page.shape == 1 && page.rows_known == 1
    })
    .await;
    assert_eq!(page.rows[0], ["Plate 7", "summary", "p1", "600", "2,5"]);
    engine.shutdown();
}
