//! The data assets that are there at the start, with real bytes, so that a run on them computes something.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use serde_json::{Value, json};

use crate::providers::code_ocean::sim::assets::{Asset, Content};
use crate::providers::code_ocean::sim::tree::{self, Tree};
use crate::sandbox::world::World;

/// Reads, plain and gzip, and a note beside them.
pub(super) const EXAMPLE_READS: &str = "7d1f0c9a-3b52-4c68-8f0e-2a9b6c4d5e01";
/// Small images.
pub(super) const EXAMPLE_IMAGES: &str = "7d1f0c9a-3b52-4c68-8f0e-2a9b6c4d5e02";
/// Archived.
const OLD_READS: &str = "7d1f0c9a-3b52-4c68-8f0e-2a9b6c4d5e03";
/// Its files stay in somebody's bucket.
const EXTERNAL: &str = "7d1f0c9a-3b52-4c68-8f0e-2a9b6c4d5e04";
/// Named by a form, not readable for the account.
pub(super) const FORBIDDEN: &str = "7d1f0c9a-3b52-4c68-8f0e-2a9b6c4d5e05";

/// Makes them all; what cannot be written is a failed asset.
pub(super) fn assets(world: &World) -> Vec<Asset> {
    let made = |id: &str, name: &str, mount: &str, created: i64, files: io::Result<Files>| {
        let mut asset = Asset::new(world, name, mount);
        id.clone_into(&mut asset.id);
        asset.created = created;
        asset.bucket = json!({ "origin": "local" });
        asset.content = content(world, files);
        asset
    };
    let reads = made(
        EXAMPLE_READS,
        "Example reads",
        "reads",
        1_771_500_000,
        example_reads(),
    );
    let images = made(
        EXAMPLE_IMAGES,
        "Example images",
        "images",
        1_771_600_000,
        example_images(),
    );
    let mut old = made(
        OLD_READS,
        "Old reads",
        "old",
        1_750_000_000,
        Ok(vec![("old.fastq".to_owned(), fastq(3, 4, 20).into_bytes())]),
    );
    old.is_archived = true;
    let mut external = made(
        EXTERNAL,
        "Reads in the institute's bucket",
        "external",
        1_771_400_000,
        Ok(vec![("far.fastq".to_owned(), fastq(4, 6, 30).into_bytes())]),
    );
    external.bucket = bucket_of_others();
    external.is_mine = false;
    let tagged = [reads, images, old, external];
    let tags = ["genomics", "microscopy", "genomics", "genomics"];
    tagged
        .into_iter()
        .zip(tags)
        .map(|(asset, tag)| Asset {
            tags: vec!["example".to_owned(), tag.to_owned()],
            ..asset
        })
        .collect()
}

fn bucket_of_others() -> Value {
    json!({ "origin": "aws", "bucket": "institute-reads", "prefix": "2026", "external": true })
}

type Files = Vec<(String, Vec<u8>)>;

fn content(world: &World, files: io::Result<Files>) -> Content {
    let fill = |files: Files| {
        let mut tree = Tree::new(&tree::all(world))?;
        for (path, bytes) in files {
            tree.add(&path, &bytes)?;
        }
        Ok(tree)
    };
    let filled = files.and_then(fill).map(Arc::new);
    let content = Content::default();
    content.get_or_init(|| filled.map_err(|error: io::Error| error.to_string()));
    content
}

fn example_reads() -> io::Result<Files> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(fastq(2, 40, 60).as_bytes())?;
    Ok(vec![
        ("liver 1.fastq".to_owned(), fastq(1, 30, 50).into_bytes()),
        ("lane 2/liver µ.fastq.gz".to_owned(), packed.finish()?),
        ("README.txt".to_owned(), b"Invented reads\n".to_vec()),
    ])
}

/// Invented reads whose quality falls towards their end.
fn fastq(seed: u64, reads: u32, length: u32) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut text = String::new();
    for number in 1..=reads {
        let length = random.u32(length / 2..=length);
        let sequence: String = (0..length)
            .map(|_| random.choice(['A', 'C', 'G', 'T']).unwrap_or('N'))
            .collect();
        let qualities: String = (0..length)
            .map(|place| 38_u32.saturating_sub(place / 4) + random.u32(0..3))
            .filter_map(|quality| char::from_u32(33 + quality))
            .collect();
        // Writing into a text cannot fail.
        let _never = writeln!(text, "@read{number}\n{sequence}\n+\n{qualities}");
    }
    text
}

fn example_images() -> io::Result<Files> {
    let mut files = Vec::new();
    for (name, width, height) in [
        ("field 1.png", 48_u8, 32_u8),
        ("deeper/field 2.png", 20, 24),
    ] {
        let pixels: Vec<u8> = (0..height)
            .flat_map(|down| (0..width).map(move |across| across.saturating_mul(4) ^ down))
            .collect();
        let mut file = Vec::new();
        PngEncoder::new(&mut file)
            .write_image(
                &pixels,
                u32::from(width),
                u32::from(height),
                ExtendedColorType::L8,
            )
            .map_err(io::Error::other)?;
        files.push((name.to_owned(), file));
    }
    Ok(files)
}
