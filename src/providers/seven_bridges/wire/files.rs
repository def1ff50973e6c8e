//! Files and folders.

use serde::Deserialize;

use crate::model::remote::StagedFile;
use crate::providers::seven_bridges::wire::{count, text};

/// Fields of a file that are read.
pub(in crate::providers::seven_bridges) const FILE_FIELDS: &str = "id,name,size,type";

/// A file or folder.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::seven_bridges) struct File {
    pub(in crate::providers::seven_bridges) id: String,
    #[serde(default, deserialize_with = "text")]
    pub(in crate::providers::seven_bridges) name: Option<String>,
    #[serde(default, deserialize_with = "count")]
    pub(in crate::providers::seven_bridges) size: Option<u64>,
    #[serde(rename = "type", default, deserialize_with = "text")]
    kind: Option<String>,
}

impl File {
    /// In capitals, too, as seen in public issue threads.
    pub(in crate::providers::seven_bridges) fn is_folder(&self) -> bool {
        self.kind
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("folder"))
    }

    pub(in crate::providers::seven_bridges) fn into_staged(self) -> StagedFile {
        StagedFile {
            name: self.name.clone().unwrap_or_else(|| self.id.clone()),
            is_folder: self.is_folder(),
            size_bytes: self.size.filter(|_| !self.is_folder()),
            id: self.id,
            ..StagedFile::default()
        }
    }
}

/// `GET /files/{id}/download_info`.
#[derive(Debug, Deserialize)]
pub(in crate::providers::seven_bridges) struct DownloadInfo {
    pub(in crate::providers::seven_bridges) url: String,
}
