//! Which columns a plot begins with, by the rows on screen: a first proposal that a person changes.

use std::collections::BTreeSet;

use crate::model::table::TablePage;

/// Kinds that colors tell apart for nearly everyone.
const FEW: usize = 8;

/// A column whose first cells are numbers, another than one.
pub(super) fn measure(page: &TablePage, but: Option<usize>) -> usize {
    let mark = page.reading.decimal;
    let is_number = |column: &usize| {
        let mut cells = page.rows.iter().take(30).filter_map(|row| row.get(*column));
        let mut some = false;
        cells.all(|cell| {
            let cell = cell.trim().replace(mark, ".");
            some |= !cell.is_empty();
            cell.is_empty() || cell.parse::<f64>().is_ok()
        }) && some
    };
    let mut columns = (0..page.columns.len()).filter(|column| Some(*column) != but);
    // Numbers with a decimal mark are measured; whole ones often are identifiers.
    let measured = columns.clone().find(|column| {
        is_number(column)
            && !is_identifier(page, *column)
            && page
                .rows
                .iter()
                .take(30)
                .filter_map(|row| row.get(*column))
                .any(|cell| cell.contains(mark))
    });
    measured.or_else(|| columns.find(is_number)).unwrap_or(0)
}

/// Whether a column numbers its rows, by its name.
pub(super) fn is_identifier(page: &TablePage, column: usize) -> bool {
    let name = page.columns.get(column).map(|name| name.to_lowercase());
    name.is_some_and(|name| name.ends_with("id"))
}

/// The column whose first cells are the fewest texts that come again.
pub(super) fn category(page: &TablePage) -> usize {
    fewest_texts(page).map_or(0, |(_count, column)| column)
}

/// The same, where they are few enough to be told apart by color.
pub(super) fn few_kinds(page: &TablePage) -> Option<usize> {
    fewest_texts(page)
        .filter(|(count, _column)| *count <= FEW)
        .map(|(_count, column)| column)
}

/// How many different texts there are among the first cells of the column that has the fewest, more than one; and which.
fn fewest_texts(page: &TablePage) -> Option<(usize, usize)> {
    let different = |column: usize| {
        let cells = page.rows.iter().take(100);
        let texts: BTreeSet<&String> = cells.filter_map(|row| row.get(column)).collect();
        let numbers = texts.iter().all(|text| text.trim().parse::<f64>().is_ok());
        (texts.len() > 1 && !numbers).then_some((texts.len(), column))
    };
    (0..page.columns.len()).filter_map(different).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn page(text: &str) -> TablePage {
        let mut lines = text.lines();
        let mut cells = || Some(lines.next()?.split(',').map(str::to_owned).collect());
        let columns = Arc::new(cells().unwrap());
        let mut page = TablePage {
            columns,
            rows: Arc::new(std::iter::from_fn(cells).collect()),
            ..TablePage::default()
        };
        page.reading.decimal = '.';
        page
    }

    #[test]
    fn what_is_measured_goes_before_what_only_numbers_rows() {
        let objects = page("Object ID,Count,Class,Area,Width\n1.0,3,A,2.5,1\n2.0,4,B,,2.5\n");
        assert_eq!(measure(&objects, None), 3);
        assert_eq!(measure(&objects, Some(3)), 4);
        assert_eq!(measure(&page("name,n\na,1\nb,2\n"), None), 1);
    }

    #[test]
    fn a_category_has_few_texts_that_are_not_all_numbers() {
        let rows = "A,f1,1,x\nB,f2,2,x\nA,f3,1,x\n";
        let objects = page(&format!("Class,File,Plate,Same\n{rows}"));
        assert_eq!((category(&objects), few_kinds(&objects)), (0, Some(0)));
        let names: String = ('a'..'k').flat_map(|name| [name, '\n']).collect();
        assert_eq!(few_kinds(&page(&format!("File\n{names}"))), None);
    }
}
