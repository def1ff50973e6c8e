//! Objects as a table of objects names them: which columns hold the image and the object, and what a row says.

use crate::model::image_view::ObjectRef;

/// Names of columns that hold the image, most certain first; in lower case, letters and digits only.
const IMAGE_COLUMNS: &[&str] = &[
    "imageorigin",
    "imagename",
    "imagefilename",
    "imagefile",
    "sourceimage",
    "image",
    "filename",
];

/// Names of columns that hold the object's number or name in its image.
const OBJECT_COLUMNS: &[&str] = &["objectid", "objectnumber", "objectlabel", "object", "label"];

/// The columns of a table that say which object of which image a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectColumns {
    /// The place of the column with the image, from 0.
    pub image: usize,
    /// The place of the column with the object, from 0.
    pub object: usize,
}

impl ObjectColumns {
    /// Finds them by their names; none when the table is not about objects of images.
    pub fn find<Name: AsRef<str>>(columns: &[Name]) -> Option<Self> {
        Some(Self {
            image: image_column(columns)?,
            object: first_named(columns, OBJECT_COLUMNS)?,
        })
    }

    /// What a row is about; none where a cell is missing or empty.
    pub fn object_ref<Cell: AsRef<str>>(&self, cells: &[Cell]) -> Option<ObjectRef> {
        let image = base_name(cells.get(self.image)?.as_ref());
        let object = object_name(cells.get(self.object)?.as_ref());
        (!image.is_empty() && !object.is_empty()).then(|| ObjectRef {
            image: image.to_owned(),
            object: object.to_owned(),
        })
    }
}

/// The column that holds the image a row is about, from 0; none when the table has no such column.
pub fn image_column<Name: AsRef<str>>(columns: &[Name]) -> Option<usize> {
    first_named(columns, IMAGE_COLUMNS)
}

/// The column with the most certain of these names.
fn first_named<Name: AsRef<str>>(columns: &[Name], names: &[&str]) -> Option<usize> {
    let plain: Vec<String> = columns
        .iter()
        .map(|name| {
            let letters = name
                .as_ref()
                .chars()
                .filter(|letter| letter.is_alphanumeric());
            letters.flat_map(char::to_lowercase).collect()
        })
        .collect();
    names
        .iter()
        .find_map(|name| plain.iter().position(|column| column == name))
}

/// The file name at the end of a path of any system.
pub fn base_name(path: &str) -> &str {
    let trimmed = path.trim();
    trimmed.rsplit(['/', '\\']).next().unwrap_or(trimmed)
}

/// Whole numbers are written as floats by some: `12.0` is `12`.
pub fn object_name(cell: &str) -> &str {
    let trimmed = cell.trim();
    match trimmed.split_once('.') {
        Some((whole, rest))
            if !whole.is_empty()
                && !rest.is_empty()
                && whole.bytes().all(|byte| byte.is_ascii_digit())
                && rest.bytes().all(|byte| byte == b'0') =>
        {
            whole
        }
        _ => trimmed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_names() {
        let biodock = ["Object ID", "Image origin", "Class", "Area"];
        let columns = ObjectColumns::find(&biodock).unwrap();
        assert_eq!((columns.object, columns.image), (0, 1));
        let row = ["12.0", "plates/7/a 世.tif", "Nucleus", "30"];
        let expected = ObjectRef {
            image: "a 世.tif".to_owned(),
            object: "12".to_owned(),
        };
        assert_eq!(columns.object_ref(&row), Some(expected));
        assert_eq!(columns.object_ref(&["12.0"]), None, "a short row");
        assert_eq!(columns.object_ref(&["", "a.tif"]), None);
        let other = ["image", "area", "Label", "Image Name"];
        let columns = ObjectColumns::find(&other).unwrap();
        assert_eq!((columns.object, columns.image), (2, 3));
        assert_eq!(ObjectColumns::find(&["Image origin", "Count"]), None);
    }

    #[test]
    fn numbers_lose_only_empty_decimals() {
        for (cell, name) in [
            ("1.0", "1"),
            (" 17.000 ", "17"),
            ("1.50", "1.50"),
            ("a.0", "a.0"),
            ("-3.0", "-3.0"),
            (".0", ".0"),
            ("5.", "5."),
        ] {
            assert_eq!(object_name(cell), name);
        }
        assert_eq!(base_name("C:\\a\\b.tif"), "b.tif");
    }
}
