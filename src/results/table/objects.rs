//! The row of an object that was chosen in an image.

use crate::model::image_view::ObjectRef;
use crate::model::objects::ObjectColumns;
use crate::results::table::TableError;
use crate::results::table::sheet::Task;
use crate::results::table::view::View;

/// The place of an object's row among those shown, and the column that names the object. None where the table is not about
/// objects, or has no row of it.
pub fn row_of(
    view: &View,
    object: &ObjectRef,
    task: &Task<'_>,
) -> Result<Option<(u64, usize)>, TableError> {
    let sheet = view.sheet();
    let Some(columns) = ObjectColumns::find(sheet.columns()) else {
        return Ok(None);
    };
    let wanted = [columns.image, columns.object];
    let at = ObjectColumns {
        image: 0,
        object: 1,
    };
    let rows = sheet.scan(
        &wanted,
        task,
        Vec::new,
        |rows: &mut Vec<u64>, row, cells| {
            let text = |wanted| {
                let bytes = cells.bytes(wanted).unwrap_or_default();
                cells.encoding.decode_cell(&bytes).into_owned()
            };
            if at.object_ref(&[text(0), text(1)]).as_ref() == Some(object) {
                rows.push(row);
            }
        },
    )?;
    let place = rows.concat().into_iter().find_map(|row| view.place_of(row));
    Ok(place.map(|place| (place, columns.object)))
}
