//! What is chosen in a table, and how it gets to the clipboard.

use egui::Ui;

use crate::model::image_view::ObjectRef;
use crate::model::objects::ObjectColumns;
use crate::model::table::{CopyStyle, CopyWish, TablePage};
use crate::ui::outbox::Outbox;
use crate::ui::results::table::{TableState, copy};

/// Chosen cells: a rectangle of rows, as places in what is shown, and columns, as places among those shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Where choosing began: row and column.
    from: (u64, usize),
    /// Where it ends, with it.
    to: (u64, usize),
}

impl Chosen {
    pub(super) const fn cell(row: u64, column: usize) -> Self {
        Self {
            from: (row, column),
            to: (row, column),
        }
    }

    /// Whole rows.
    pub(super) const fn row(row: u64, columns: usize) -> Self {
        Self {
            from: (row, 0),
            to: (row, columns.saturating_sub(1)),
        }
    }

    /// The same from where it began to another cell.
    pub(super) const fn to(self, row: u64, column: usize) -> Self {
        Self {
            from: self.from,
            to: (row, column),
        }
    }

    pub(super) fn rows(&self) -> std::ops::RangeInclusive<u64> {
        self.from.0.min(self.to.0)..=self.from.0.max(self.to.0)
    }

    pub(super) fn columns(&self) -> std::ops::RangeInclusive<usize> {
        self.from.1.min(self.to.1)..=self.from.1.max(self.to.1)
    }

    pub(super) fn has(&self, row: u64, column: usize) -> bool {
        self.rows().contains(&row) && self.columns().contains(&column)
    }

    /// Where the keys move from.
    pub(super) const fn end(&self) -> (u64, usize) {
        self.to
    }
}

/// What copying the chosen cells asks for.
pub(super) fn wish(state: &TableState, style: CopyStyle) -> Option<CopyWish> {
    let chosen = state.chosen?;
    let rows = chosen.rows();
    let columns = state.order.get(chosen.columns()).unwrap_or_default();
    Some(CopyWish {
        first: *rows.start(),
        count: rows.end() - rows.start() + 1,
        columns: columns.to_vec(),
        style,
    })
}

/// Copies with the keyboard.
pub(super) fn obey_copy(ui: &Ui, page: &TablePage, state: &TableState, outbox: &mut Outbox) {
    let typing = ui.ctx().text_edit_focused();
    let wanted = !typing
        && ui.input(|input| {
            let mut events = input.events.iter();
            events.any(|event| matches!(event, egui::Event::Copy))
        });
    if !wanted {
        return;
    }
    if let Some(text) = single(page, state) {
        ui.ctx().copy_text(text.to_owned());
    } else if let Some(wish) = wish(state, CopyStyle::Cells) {
        copy(outbox, wish);
    }
}

/// The chosen cell, when it is one and on screen.
pub(super) fn single<'p>(page: &'p TablePage, state: &TableState) -> Option<&'p str> {
    let chosen = state.chosen?;
    if chosen.from != chosen.to {
        return None;
    }
    let (row, column) = chosen.from;
    cell(page, row, *state.order.get(column)?)
}

/// The object that the chosen row is about.
pub(super) fn object(page: &TablePage, state: &TableState) -> Option<ObjectRef> {
    let chosen = state.chosen?;
    let columns = ObjectColumns::find(&page.columns)?;
    columns.object_ref(row(page, *chosen.rows().start())?)
}

/// A row on screen.
pub(super) fn row(page: &TablePage, place: u64) -> Option<&Vec<String>> {
    let at = place.checked_sub(page.first_row)?;
    page.rows.get(usize::try_from(at).ok()?)
}

/// A cell on screen.
pub(super) fn cell(page: &TablePage, place: u64, column: usize) -> Option<&str> {
    row(page, place)?.get(column).map(String::as_str)
}

/// Takes what came back: text for the clipboard, and the row that was looked for.
pub(super) fn take_answers(ui: &Ui, page: &TablePage, state: &mut TableState) {
    if let Some(copied) = &page.copied
        && copied.answer != state.copied
    {
        state.copied = copied.answer;
        ui.ctx().copy_text(copied.text.to_string());
    }
    if let Some(found) = &page.found
        && found.answer != state.found
    {
        state.found = found.answer;
        if let Some((row, _, column)) = found.at {
            state.top = row.saturating_sub(3);
            let shown = state.order.iter().position(|shown| *shown == column);
            state.chosen = Some(Chosen::cell(row, shown.unwrap_or(0)));
        }
    }
}
