//! The files that are in the projects at the start.

use serde_json::{Map, Value, json};

use crate::providers::seven_bridges::sim::Shared;
use crate::providers::seven_bridges::sim::projects::{MAIN, READ_ONLY};
use crate::providers::seven_bridges::sim::store::{Blob, Content, NewItem};
use crate::sandbox::world::{World, lock};

/// The id the table summary suggests as its sample sheet.
const SUGGESTED: &str = "5f0000000000000000000001";

/// Adds them.
pub(super) fn add(world: &World, shared: &Shared) -> std::io::Result<()> {
    let now = world.timestamp();
    let mut files = lock(&shared.files);
    let root = files.root(MAIN, now);
    let file = |text: &str| Blob::write(&shared.blobs, text.as_bytes()).map(Content::File);
    let sheet = file("well,sample_id\nA01,S1\nA02,S2\nB01,S1\n")?;
    files.add_as(
        SUGGESTED,
        NewItem::plain("sample sheet.csv", &root, sheet),
        now,
    );
    let described = [
        ("plate 1 (DAPI).csv", "S1", "well,count\nA01,26\nA02,14\n"),
        ("plate 2 (DAPI).csv", "S2", "well,count\nA01,34\nA02,\n"),
        ("größen.tsv", "S1", "name\tsize_µm\nä\t1.5\nö\t2.25\n"),
    ];
    for (name, sample, text) in described {
        let mut metadata = Map::new();
        metadata.insert("sample_id".to_owned(), json!(sample));
        metadata.insert("experimental_strategy".to_owned(), json!("imaging"));
        let new = NewItem {
            metadata,
            ..NewItem::plain(name, &root, file(text)?)
        };
        files.add_numbered(new, now);
    }
    let reference = NewItem::plain("reference", &root, Content::Folder);
    if let Some(folder) = files.add_numbered(reference, now) {
        let empty = NewItem::plain("empty.txt", &folder.id, file("")?);
        files.add_numbered(empty, now);
        let deeper = NewItem::plain("deeper down", &folder.id, Content::Folder);
        if let Some(deeper) = files.add_numbered(deeper, now) {
            let list = file("gene,length\nACTB,1812\n")?;
            files.add_numbered(NewItem::plain("genes.csv", &deeper.id, list), now);
        }
    }
    let offline = NewItem::plain("on a cold volume.csv", &root, file("a,b\n1,2\n")?);
    let offline = files.add_numbered(offline, now).map(|item| item.id);
    if let Some(item) = offline.and_then(|id| files.get_mut(&id)) {
        item.offline = true;
        item.tags = vec![Value::from("cold")];
    }
    let root = files.root(READ_ONLY, now);
    let other = file("well,count\nH12,1\n")?;
    files.add_numbered(NewItem::plain("of another project.csv", &root, other), now);
    Ok(())
}
