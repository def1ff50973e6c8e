//! Small pictures of image files, as lists of files show them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Longest side of a thumbnail, in pixels: sharp where a pixel of a list is two of the screen, and enough for a closer look.
pub const THUMBNAIL_SIDE: u32 = 128;

/// A small picture of the first page of an image file.
#[derive(Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// In pixels of its own.
    pub width: u32,
    /// In pixels of its own. Those need not be square: of a very large image only some rows are looked at.
    pub height: u32,
    /// Rows from the top, three bytes a pixel.
    pub rgb: Vec<u8>,
    /// The image's own width and height, in pixels.
    pub full: (u32, u32),
    /// A few words on the file, such as `16-bit gray`.
    pub about: String,
}

impl std::fmt::Debug for Thumbnail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (width, height) = self.full;
        write!(
            formatter,
            "Thumbnail({width} × {height} as {} × {}, {})",
            self.width, self.height, self.about
        )
    }
}

/// The thumbnails at hand. Files that have none are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thumbnails {
    /// By the path of the file.
    pub by_file: BTreeMap<Arc<Path>, Arc<Thumbnail>>,
}

impl Thumbnails {
    /// The thumbnail of a file.
    pub fn of(&self, path: &Path) -> Option<&Arc<Thumbnail>> {
        self.by_file.get(path)
    }
}
