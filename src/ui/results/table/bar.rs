//! The lines above a table: what it is, what can be done with it, what is asked of it now, and what there is to say.

use egui::{Key, RichText, Ui};

use crate::engine::command::Command;
use crate::model::objects::ObjectColumns;
use crate::model::table::{Condition, CopyStyle, CopyWish, Query, TablePage, TableWish};
use crate::ui::desktop::PickFor;
use crate::ui::outbox::{Outbox, Wish};
use crate::ui::results::table::{TableState, ask, choose, column, copy, reading};
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// What the table is.
pub(super) fn about_ui(ui: &mut Ui, page: &TablePage, state: &mut TableState, outbox: &mut Outbox) {
    ui.horizontal_wrapped(|ui| {
        let rows = match page.rows_shown {
            Some(shown) if !page.query.filters.is_empty() => format!(
                "{} of {} rows",
                format::grouped(shown),
                format::grouped(page.rows_known)
            ),
            Some(_) | None if page.counted => format!("{} rows", format::grouped(page.rows_known)),
            Some(_) | None => format!(
                "{} rows so far, counting…",
                format::grouped(page.rows_known)
            ),
        };
        ui.label(RichText::new(rows).strong());
        widgets::weak(ui, format::count(page.columns.len(), "column", "columns"));
        reading::reading_ui(ui, page, outbox);
        if page.shapes.len() > 1 {
            shapes_ui(ui, page, outbox);
        }
        if let Some(work) = &page.work {
            let words = format!("{} {:.0} %", work.what, work.share * 100.0);
            widgets::progress(ui, &work.what, Some(work.share), &words);
            if ui.button("Stop").clicked() {
                ask(outbox, TableWish::Stop);
            }
        }
    });
    if state.typing.is_some() {
        typed_path_ui(ui, state, outbox);
    }
}

fn shapes_ui(ui: &mut Ui, page: &TablePage, outbox: &mut Outbox) {
    let name = |at: usize| {
        page.shapes.get(at).map_or_else(String::new, |shape| {
            let files = format::count(shape.files, "table", "tables");
            format!("{} · {files}", shape.name)
        })
    };
    egui::ComboBox::from_id_salt("shapes")
        .selected_text(name(page.shape))
        .width(220.0)
        .show_ui(ui, |ui| {
            for at in 0..page.shapes.len() {
                if widgets::option(ui, at == page.shape, &name(at)) {
                    ask(outbox, TableWish::Shape(at));
                }
            }
        })
        .response
        .accessible_name("Which tables");
}

/// What can be done with the table.
pub(super) fn tools_ui(ui: &mut Ui, page: &TablePage, state: &mut TableState, outbox: &mut Outbox) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        if ui
            .selectable_label(!state.plotting.is_open, "Table")
            .clicked()
        {
            state.plotting.is_open = false;
        }
        if ui
            .selectable_label(state.plotting.is_open, "Plot")
            .clicked()
        {
            state.plotting.is_open = true;
        }
        if state.plotting.is_open {
            return;
        }
        ui.separator();
        find_ui(ui, page, state, outbox);
        go_to_ui(ui, page, state);
        let cards = ui
            .selectable_label(state.cards, "Column cards")
            .on_hover_text("Type, missing values and a histogram above each column");
        if cards.clicked() {
            state.cards = !state.cards;
        }
        columns_ui(ui, page, state);
        copy_ui(ui, page, state, outbox);
        save_ui(ui, outbox);
        object_ui(ui, page, state, outbox);
    });
}

fn find_ui(ui: &mut Ui, page: &TablePage, state: &mut TableState, outbox: &mut Outbox) {
    let field = ui
        .add(
            widgets::line(&mut state.find)
                .hint_text("Find")
                .desired_width(130.0),
        )
        .accessible_name("Find in the table");
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let backward = ui.input(|input| input.modifiers.shift);
    let text = state.find.trim().to_owned();
    let is_known = page.found.as_ref().is_some_and(|found| found.text == text);
    let at = page
        .found
        .as_ref()
        .and_then(|found| found.at)
        .filter(|_| is_known);
    let mut look = |forward: bool| {
        if text.is_empty() {
            return;
        }
        let from = match at {
            Some((place, _, _)) if forward => place + 1,
            Some((place, _, _)) => place,
            None => state.top,
        };
        ask(
            outbox,
            TableWish::Find {
                text: text.clone(),
                from,
                forward,
            },
        );
    };
    if entered {
        look(!backward);
        field.request_focus();
    }
    if is_known && let Some(found) = &page.found {
        match found.at {
            Some((_, number, _)) => {
                if ui
                    .button("↑")
                    .on_hover_text("Previous match")
                    .accessible_name("Previous match")
                    .clicked()
                {
                    look(false);
                }
                if ui
                    .button("↓")
                    .on_hover_text("Next match")
                    .accessible_name("Next match")
                    .clicked()
                {
                    look(true);
                }
                let words = format!(
                    "{} of {}",
                    format::grouped(number + 1),
                    format::grouped(found.rows)
                );
                widgets::weak(ui, words);
            }
            None => {
                widgets::weak(ui, "Not in this table");
            }
        }
    }
}

fn go_to_ui(ui: &mut Ui, page: &TablePage, state: &mut TableState) {
    let field = ui
        .add(
            widgets::line(&mut state.go_to)
                .hint_text("Go to row")
                .desired_width(96.0),
        )
        .accessible_name("Go to row");
    if field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
        let digits: String = state.go_to.chars().filter(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse::<u64>() {
            let row = number
                .saturating_sub(1)
                .min(page.rows_in_view().saturating_sub(1));
            state.top = row;
            state.chosen = Some(choose::Chosen::row(row, state.order.len()));
            state.go_to.clear();
        }
    }
}

/// Which columns are shown, and in which order.
fn columns_ui(ui: &mut Ui, page: &TablePage, state: &mut TableState) {
    let hidden = page.columns.len() - state.order.len();
    let title = if hidden == 0 {
        "Columns".to_owned()
    } else {
        format!("Columns ({hidden} hidden)")
    };
    let button = ui.button(title);
    let menu = egui::Popup::from_toggle_button_response(&button)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    menu.show(|ui| {
        if hidden > 0 && ui.button("Show all columns").clicked() {
            state.order = (0..page.columns.len()).collect();
            ui.close();
        }
        egui::ScrollArea::vertical().max_height(320.0).show_rows(
            ui,
            ui.spacing().interact_size.y,
            page.columns.len(),
            |ui, range| {
                for at in range {
                    let name = page.columns.get(at).map_or("", String::as_str);
                    let mut shown = state.order.contains(&at);
                    if ui.checkbox(&mut shown, name).changed() {
                        column::set_shown(state, at, shown);
                    }
                }
            },
        );
    });
}

fn copy_ui(ui: &mut Ui, page: &TablePage, state: &TableState, outbox: &mut Outbox) {
    ui.menu_button("Copy", |ui| {
        let chosen = state.chosen.is_some();
        let everything = |style| CopyWish {
            first: 0,
            count: page.rows_in_view(),
            columns: state.order.clone(),
            style,
        };
        for (words, style) in [
            ("Copy what is chosen", CopyStyle::Cells),
            (
                "Copy what is chosen, with column names",
                CopyStyle::WithNames,
            ),
            ("Copy what is chosen, for Excel", CopyStyle::ForSpreadsheet),
        ] {
            let button = ui.add_enabled(chosen, egui::Button::new(words));
            let button = button.on_disabled_hover_text("Click a cell or a row number first");
            if button.clicked() {
                if let Some(wish) = choose::wish(state, style) {
                    copy(outbox, wish);
                }
                ui.close();
            }
        }
        ui.separator();
        for (words, style) in [
            (
                "Copy all rows shown, with column names",
                CopyStyle::WithNames,
            ),
            ("Copy all rows shown, for Excel", CopyStyle::ForSpreadsheet),
        ] {
            if ui.button(words).clicked() {
                copy(outbox, everything(style));
                ui.close();
            }
        }
    });
}

/// In a table of objects: to the image.
fn object_ui(ui: &mut Ui, page: &TablePage, state: &TableState, outbox: &mut Outbox) {
    if ObjectColumns::find(&page.columns).is_none() {
        return;
    }
    let object = choose::object(page, state);
    let button = ui
        .add_enabled(object.is_some(), egui::Button::new("Show in the image"))
        .on_hover_text("Open the image with this object chosen")
        .on_disabled_hover_text("Click a row first");
    if let Some(object) = object
        && button.clicked()
    {
        outbox.command(Command::ShowObject {
            object,
            beside: state.path.clone(),
        });
    }
}

fn save_ui(ui: &mut Ui, outbox: &mut Outbox) {
    ui.menu_button("Save as", |ui| {
        let excel = "Separator and decimal mark of this computer's region; identifiers such as 007 \
                     or MARCH1 are kept as they are";
        for (words, what, hint) in [
            (
                "Save as CSV…",
                PickFor::TableCsv,
                "The rows and columns shown, cells as they are",
            ),
            ("Save a copy for Excel…", PickFor::TableExcel, excel),
        ] {
            if ui.button(words).on_hover_text(hint).clicked() {
                outbox.wish(Wish::Pick(what));
                ui.close();
            }
        }
    });
}

fn typed_path_ui(ui: &mut Ui, state: &mut TableState, outbox: &mut Outbox) {
    let Some((what, mut path)) = state.typing.take() else {
        return;
    };
    let mut keep = true;
    ui.horizontal(|ui| {
        ui.add(
            widgets::line(&mut path)
                .hint_text("Path of the new file")
                .desired_width(320.0),
        )
        .accessible_name("Path of the new file");
        let named = !path.trim().is_empty();
        if ui
            .add_enabled(named, egui::Button::new("Save there"))
            .clicked()
        {
            outbox
                .commands
                .extend(state.picked(what, path.trim().into()));
            keep = false;
        }
        if ui.button("Cancel").clicked() {
            keep = false;
        }
    });
    if keep {
        state.typing = Some((what, path));
    }
}

/// What is asked of the table now, each part with a button that takes it back.
pub(super) fn asked_ui(ui: &mut Ui, page: &TablePage, outbox: &mut Outbox) {
    if page.query.is_plain() {
        return;
    }
    let name = |column: usize| page.columns.get(column).map_or("", String::as_str);
    ui.horizontal_wrapped(|ui| {
        let mut without: Option<Query> = None;
        for (at, filter) in page.query.filters.iter().enumerate() {
            let words = format!(
                "{} {}",
                name(filter.column),
                condition_words(&filter.condition)
            );
            if chip_ui(ui, &words) {
                let mut query = page.query.clone();
                query.filters.remove(at);
                without = Some(query);
            }
        }
        for (at, sort) in page.query.sorts.iter().enumerate() {
            let arrow = if sort.descending { "↓" } else { "↑" };
            let first = if at == 0 { "Sorted by" } else { "then by" };
            if chip_ui(ui, &format!("{first} {} {arrow}", name(sort.column))) {
                let mut query = page.query.clone();
                query.sorts.remove(at);
                without = Some(query);
            }
        }
        if ui.button("Show all as in the file").clicked() {
            without = Some(Query::default());
        }
        if let Some(query) = without {
            ask(outbox, TableWish::Ask(query));
        }
    });
}

fn chip_ui(ui: &mut Ui, words: &str) -> bool {
    let palette = Palette::of(ui);
    egui::Frame::new()
        .fill(palette.selected)
        .corner_radius(10)
        .inner_margin(egui::Margin::symmetric(8, 0))
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            ui.label(RichText::new(words).color(palette.on_selected));
            widgets::bare_button(ui, "×", &format!("Remove {words}")).clicked()
        })
        .inner
}

fn condition_words(condition: &Condition) -> String {
    match condition {
        Condition::Contains(text) => format!("contains “{text}”"),
        Condition::OneOf(texts) => {
            let mut list: Vec<&str> = texts.iter().take(3).map(String::as_str).collect();
            if texts.len() > 3 {
                list.push("…");
            }
            format!("is {}", list.join(" or "))
        }
        Condition::Between(Some(low), Some(high)) => format!("from {low} to {high}"),
        Condition::Between(Some(low), None) => format!("from {low} up"),
        Condition::Between(None, Some(high)) => format!("up to {high}"),
        Condition::Between(None, None) => "is a number".to_owned(),
        Condition::Missing => "is missing".to_owned(),
        Condition::Present => "is not missing".to_owned(),
    }
}

/// What there is to say.
pub(super) fn notes_ui(
    ui: &mut Ui,
    page: &TablePage,
    _state: &mut TableState,
    outbox: &mut Outbox,
) {
    let palette = Palette::of(ui);
    if page.ragged_rows > 0 {
        let rows = usize::try_from(page.ragged_rows).unwrap_or(usize::MAX);
        let words = format!(
            "{} of uneven length: shown as in the file",
            format::count(rows, "row", "rows")
        );
        widgets::marked(ui, icon::WARNING, palette.warning, &words);
    }
    if let Some(shape) = page.shapes.get(page.shape)
        && !shape.not_in_all.is_empty()
    {
        let words = format!("Not in all tables: {}", shape.not_in_all.join(", "));
        widgets::marked(ui, icon::NOTE, palette.weak, &words);
    }
    let Some(last) = page.notes.last() else {
        return;
    };
    ui.horizontal_top(|ui| {
        if ui
            .button("Close")
            .accessible_name("Close the note")
            .clicked()
        {
            ask(outbox, TableWish::CloseNotes);
        }
        ui.add(egui::Label::new(RichText::new(last)).wrap());
    });
}
