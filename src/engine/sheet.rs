//! Reading a table of samples: any delimiter and encoding the preview knows, whole, with its header.

use std::ops::ControlFlow;
use std::path::Path;

use crate::model::error::system_words;
use crate::model::samples::SampleSheet;
use crate::results::table::TableFile;

/// Longest table, in bytes; what describes samples is far smaller.
const MAX_BYTES: u64 = 64 << 20;

/// Most rows.
const MAX_ROWS: u64 = 200_000;

/// Reads a table of samples. Blocking.
///
/// # Errors
/// One sentence on what is wrong with it.
pub(super) fn read(path: &Path) -> Result<SampleSheet, String> {
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    let unreadable = |error: &(dyn std::error::Error + 'static)| {
        format!("{name} cannot be read: {}", system_words(error))
    };
    let size_bytes = std::fs::metadata(path)
        .map_err(|error| unreadable(&error))?
        .len();
    let table = TableFile::open(path).map_err(|error| unreadable(&error))?;
    if size_bytes > MAX_BYTES || table.size_bytes() > MAX_BYTES {
        return Err(format!("{name} is too large for a table of samples"));
    }
    table
        .index(&mut |_rows, _bytes| ControlFlow::Continue(()))
        .map_err(|error| unreadable(&error))?;
    if table.rows_known() > MAX_ROWS {
        return Err(format!("{name} has more than {MAX_ROWS} rows"));
    }
    if table.rows_known() == 0 {
        return Err(format!("{name} has no rows below its header"));
    }
    let mut plain = Vec::new();
    table
        .write_csv(0..MAX_ROWS, &mut plain)
        .map_err(|error| unreadable(&error))?;
    let has_header = table.dialect().header;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(has_header)
        .flexible(true)
        .from_reader(plain.as_slice());
    let rows: Result<Vec<Vec<String>>, csv::Error> = reader
        .records()
        .map(|record| Ok(record?.iter().map(str::to_owned).collect()))
        .collect();
    let mut rows = rows.map_err(|error| unreadable(&error))?;
    // The first row names the columns also where everything in the table is text, so that it looks like any other row.
    let columns = if has_header {
        table.columns().to_vec()
    } else {
        rows.remove(0)
    };
    Ok(SampleSheet {
        name,
        columns,
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn read_text(text: &[u8]) -> Result<SampleSheet, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("samples 世界.csv");
        std::fs::File::create(&path)
            .unwrap()
            .write_all(text)
            .unwrap();
        read(&path)
    }

    #[test]
    fn tables_of_any_dialect_are_read() {
        for text in [
            &b"file;sample\r\nA1.tif;s1\r\nA2.tif;\"s;2\"\r\n"[..],
            b"file\tsample\nA1.tif\ts1\nA2.tif\ts;2",
            b"\xEF\xBB\xBFfile,sample\nA1.tif,s1\nA2.tif,s;2\n",
        ] {
            let sheet = read_text(text).unwrap();
            assert_eq!(sheet.columns, ["file", "sample"]);
            assert_eq!(sheet.rows, [["A1.tif", "s1"], ["A2.tif", "s;2"]]);
        }
    }

    #[test]
    fn what_is_no_table_of_samples_is_said() {
        let words = read_text(b"file,sample\n").unwrap_err();
        assert_eq!(words, "samples 世界.csv has no rows below its header");
        let words = read(Path::new("/nowhere/x.csv")).unwrap_err();
        assert!(words.starts_with("x.csv cannot be read: "), "{words}");
    }
}
