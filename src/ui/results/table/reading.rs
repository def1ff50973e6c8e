//! How a table is read, and changing it.

use egui::{Popup, PopupCloseBehavior, RichText, Ui};

use crate::model::table::{Encoding, ReadAs, TablePage, TableWish};
use crate::ui::outbox::Outbox;
use crate::ui::results::table::ask;

/// Delimiters to choose from.
const DELIMITERS: [(u8, &str); 5] = [
    (b',', "Comma"),
    (b';', "Semicolon"),
    (b'\t', "Tab"),
    (b'|', "Vertical bar"),
    (b' ', "Space"),
];

/// A button that says how the table is read and opens the choices.
pub(super) fn reading_ui(ui: &mut Ui, page: &TablePage, outbox: &mut Outbox) {
    // Each table of a stack is read its own way.
    if !page.shapes.is_empty() {
        return;
    }
    let reading = &page.reading;
    let button = ui
        .button(format!("Read as {}", reading.words))
        .on_hover_text("How the file is read can be changed here");
    Popup::from_toggle_button_response(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
        let mut said = reading.said;
        let sure = match reading.confidence_percent {
            Some(percent) => format!(
                "Guessed from the beginning: {percent} % of the rows looked at have the same number of \
                 cells. The file itself is never changed."
            ),
            None => "The file itself is never changed.".to_owned(),
        };
        ui.set_max_width(320.0);
        ui.add(egui::Label::new(RichText::new(sure)).wrap());
        choice_ui(ui, "Separator", DELIMITERS.iter().map(|(byte, name)| (*name, *byte)), reading.delimiter, |byte| {
            said.delimiter = Some(byte);
        });
        let quotes = [("Quotes around cells", Some(b'"')), ("Quotes are letters", None)];
        choice_ui(ui, "Quotes", quotes.into_iter(), reading.quote, |quote| {
            said.quote = Some(quote);
        });
        let marks = [("Point, as in 1.5", '.'), ("Comma, as in 1,5", ',')];
        choice_ui(ui, "Decimal mark", marks.into_iter(), reading.decimal, |mark| {
            said.decimal = Some(mark);
        });
        let headers = [("Column names", true), ("Values", false)];
        choice_ui(ui, "First row", headers.into_iter(), reading.header, |header| {
            said.header = Some(header);
        });
        let encodings = Encoding::CHOICES.map(|encoding| (encoding.choice_name(), encoding));
        let current = if reading.encoding == Encoding::Utf8Marked { Encoding::Utf8 } else { reading.encoding };
        choice_ui(ui, "Letters", encodings.into_iter(), current, |encoding| {
            said.encoding = Some(encoding);
        });
        if ui.button("Guess again").clicked() {
            said = ReadAs::default();
            ui.close();
        }
        if said != reading.said {
            ask(outbox, TableWish::ReadAs(said));
        }
    });
}

fn choice_ui<'n, T: Copy + PartialEq>(
    ui: &mut Ui,
    label: &str,
    choices: impl Iterator<Item = (&'n str, T)>,
    current: T,
    mut choose: impl FnMut(T),
) {
    ui.label(RichText::new(label).strong());
    ui.horizontal_wrapped(|ui| {
        for (name, value) in choices {
            if ui.selectable_label(value == current, name).clicked() {
                choose(value);
            }
        }
    });
}
