use super::*;

fn file(name: &str) -> LocalFile {
    LocalFile {
        path: PathBuf::from(format!("/data/{name}")),
        name: name.to_owned(),
        folder: String::new(),
        size_bytes: 1,
        modified: None,
    }
}

fn sheet(text: &str) -> SampleSheet {
    let mut lines = text
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    SampleSheet {
        name: "samples.csv".to_owned(),
        columns: lines.next().unwrap(),
        rows: lines.collect(),
    }
}

fn table(sources: &SampleSources, files: &[LocalFile]) -> SampleTable {
    sources.table(&files.iter().collect::<Vec<_>>())
}

#[test]
fn a_pattern_reads_columns_and_names_what_does_not_fit() {
    let mut sources = SampleSources::default();
    sources.set_pattern(" {plate}_{well}.tif ");
    let files = [file("P1_A1.tif"), file("notes.txt")];
    let table = table(&sources, &files);
    assert_eq!(table.columns, ["plate", "well"]);
    assert_eq!(table.value(&files[0].path, "well"), Some("A1"));
    assert_eq!(table.unmatched, [files[1].path.clone()]);
    assert_eq!(table.problem, None);
}

#[test]
fn edits_win_and_go_with_the_pattern() {
    let mut sources = SampleSources::default();
    sources.set_pattern("{plate}_{well}.tif");
    let files = [file("P1_A1.tif"), file("P1_A2.tif")];
    sources.edit(files[0].path.clone(), "well", "B9");
    sources.edit(files[0].path.clone(), " dose ", " 5 ");
    sources.edit(files[1].path.clone(), "well", "");
    sources.edit(PathBuf::from("/gone.tif"), "other", "x");
    let before = table(&sources, &files);
    assert_eq!(before.columns, ["plate", "well", "dose"]);
    assert_eq!(before.value(&files[0].path, "well"), Some("B9"));
    assert_eq!(before.value(&files[0].path, "dose"), Some("5"));
    assert_eq!(before.value(&files[1].path, "well"), None);
    sources.set_pattern("{plate}_{place}.tif");
    assert_eq!(
        table(&sources, &files).value(&files[0].path, "dose"),
        Some("5")
    );
    sources.set_pattern("");
    assert_eq!(table(&sources, &files), SampleTable::default());
}

#[test]
fn a_table_is_imported_by_the_column_that_names_the_files() {
    let mut sources = SampleSources::default();
    let text = "sample,file,,sample,dose\ns1,C:\\run\\A1.TIF,x,y,5\ns2,A2,x,y, \ns3,B7.tif,x,y,1\ns9,A1.tif,,,9";
    sources.import("samples.csv".to_owned(), Ok(sheet(text)));
    let files = [file("A1.tif"), file("A2.tif"), file("A3.tif")];
    let table = table(&sources, &files);
    assert_eq!(table.imported, "samples.csv");
    assert_eq!(table.columns, ["sample", "dose"]);
    assert_eq!(table.value(&files[0].path, "sample"), Some("s1"));
    assert_eq!(table.value(&files[0].path, "dose"), Some("5"));
    assert_eq!(table.value(&files[1].path, "sample"), Some("s2"));
    assert_eq!(table.value(&files[1].path, "dose"), None);
    assert_eq!(table.unmatched, [files[2].path.clone()]);
}

#[test]
fn a_table_that_does_not_help_is_said() {
    let mut sources = SampleSources::default();
    sources.import("s.csv".to_owned(), Ok(sheet("a,b\n1,2")));
    let files = [file("A1.tif")];
    assert_eq!(
        table(&sources, &files).problem.as_deref(),
        Some("No column of samples.csv holds the names of these files")
    );
    sources.import("s.csv".to_owned(), Err("It cannot be read".to_owned()));
    let table = table(&sources, &files);
    assert_eq!(table.problem.as_deref(), Some("It cannot be read"));
    assert_eq!(table.imported, "s.csv");
}
