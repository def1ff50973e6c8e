//! What the journal keeps of an upload under way.

use serde::{Deserialize, Serialize};

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::remote::Upload;
use crate::providers::seven_bridges::wire::uploads::Opened;

/// An upload that was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) upload_id: String,
    /// The local file, by place, length and time of change.
    path: String,
    pub(super) size_bytes: u64,
    modified: Option<String>,
    /// As the server chose it.
    pub(super) part_size: u64,
    /// The name it gets there.
    pub(super) name: String,
    /// The folder it gets into; none is the project's own.
    pub(super) folder: Option<String>,
    /// Whether parts may go side by side.
    pub(super) parallel: bool,
}

impl Kept {
    /// An upload of this file that the server has just opened.
    pub(super) fn new(
        upload: &Upload,
        name: String,
        folder: Option<String>,
        opened: &Opened,
    ) -> Result<Self> {
        let garbled = |hint: &str| {
            Error::new(ErrorKind::Garbled, Doing::Upload)
                .status(200)
                .hint(hint)
        };
        let part_size = opened
            .part_size
            .filter(|size| *size > 0)
            .ok_or_else(|| garbled("Seven Bridges opened an upload without a part size"))?;
        if opened.upload_id.is_empty() {
            return Err(garbled("Seven Bridges opened an upload without a number"));
        }
        Ok(Self {
            upload_id: opened.upload_id.clone(),
            path: path_of(upload),
            size_bytes: upload.file.size_bytes,
            modified: modified_of(upload),
            part_size,
            name,
            folder,
            parallel: opened.parallel_uploads.unwrap_or(true),
        })
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it is of this very file as it is now.
    pub(super) fn is_of(&self, upload: &Upload) -> bool {
        self.path == path_of(upload)
            && self.size_bytes == upload.file.size_bytes
            && self.modified == modified_of(upload)
    }

    /// How many parts it has; an empty file is one part of zero bytes.
    pub(super) fn parts(&self) -> u64 {
        self.size_bytes.div_ceil(self.part_size.max(1)).max(1)
    }

    /// Start and length of a part, counted from 1.
    pub(super) fn range(&self, number: u64) -> (u64, u64) {
        let start = number.saturating_sub(1).saturating_mul(self.part_size);
        let left = self.size_bytes.saturating_sub(start);
        (start, left.min(self.part_size))
    }
}

fn path_of(upload: &Upload) -> String {
    upload.file.path.to_string_lossy().into_owned()
}

fn modified_of(upload: &Upload) -> Option<String> {
    upload.file.modified.map(|time| time.to_string())
}
