//! The page of a results folder: its receipt in numbers and the paragraph for the paper.

use std::io::Read as _;
use std::path::Path;

use crate::engine::desk::look::failed;
use crate::model::folder::{FolderTold, ReceiptFacts};
use crate::results::provenance::{CRATE_NAME, METHODS_NAME};
use crate::results::receipt::{self, ReceiptError};

/// Longest paragraph that is shown, in bytes; ours are far shorter.
const MOST_METHODS_BYTES: u64 = 1 << 20;

/// Reads what a folder tells of itself.
pub(super) fn read(folder: &Path) -> FolderTold {
    let receipt = match receipt::read(folder) {
        Ok(receipt) => receipt,
        Err(ReceiptError::Missing) => return FolderTold::Nothing,
        Err(error) => return FolderTold::Failed(failed(&error)),
    };
    FolderTold::Receipt(ReceiptFacts {
        sent: receipt.inputs.len(),
        sent_bytes: receipt.inputs.iter().map(|file| file.size_bytes).sum(),
        results: receipt.files.len(),
        result_bytes: receipt.files.iter().map(|file| file.size_bytes).sum(),
        last: receipt.files.iter().map(|file| file.fetched_at).max(),
        methods: methods(folder),
        has_crate: folder.join(CRATE_NAME).is_file(),
        labferry: receipt.labferry,
    })
}

fn methods(folder: &Path) -> Option<String> {
    let file = std::fs::File::open(folder.join(METHODS_NAME)).ok()?;
    let mut bytes = Vec::new();
    file.take(MOST_METHODS_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use crate::engine::desk::folder::read;
    use crate::model::folder::FolderTold;
    use std::fs::File;
    use std::io::Write as _;

    #[test]
    fn a_folder_tells_what_its_receipt_says_or_why_not() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(read(place.path()), FolderTold::Nothing);
        let put = |name: &str, text: &str| {
            let mut file = File::create(place.path().join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        put("receipt.json", "{");
        assert!(matches!(read(place.path()), FolderTold::Failed(_)));
        put(
            "receipt.json",
            r#"{"schema":1,"labferry":"0.1.0","batch":"Plate 7","created":"2026-11-20T13:00:00Z",
               "inputs":[{"name":"a","path":"/a","size_bytes":7,"modified":null,"sha256":null}]}"#,
        );
        put("methods.txt", "One file.\n");
        let FolderTold::Receipt(facts) = read(place.path()) else {
            panic!("no receipt");
        };
        assert_eq!((facts.sent, facts.sent_bytes, facts.results), (1, 7, 0));
        assert_eq!(facts.methods.as_deref(), Some("One file."));
        assert!(!facts.has_crate);
    }
}
