//! The menu of a column: what is known of it, in which order the rows stand, which are shown, where the column is.

use egui::{RichText, Ui};
use std::collections::BTreeSet;

use crate::model::table::{
    CardValues, Condition, Filter, PlotWish, Query, Sort, TablePage, TableWish,
};
use crate::ui::outbox::Outbox;
use crate::ui::results::table::{TableState, ask, card};
use crate::ui::widgets;

/// What is being filled in.
#[derive(Debug, Default)]
pub(super) struct Editing {
    column: Option<usize>,
    contains: String,
    from: String,
    to: String,
    one_of: BTreeSet<String>,
    wrong: bool,
}

impl Editing {
    /// Begins with what is asked of the column now.
    fn adopt(&mut self, column: usize, query: &Query) {
        if self.column == Some(column) {
            return;
        }
        *self = Self {
            column: Some(column),
            ..Self::default()
        };
        for filter in query
            .filters
            .iter()
            .filter(|filter| filter.column == column)
        {
            match &filter.condition {
                Condition::Contains(text) => self.contains.clone_from(text),
                Condition::OneOf(texts) => self.one_of.clone_from(texts),
                Condition::Between(low, high) => {
                    self.from = low.map_or_else(String::new, |low| low.to_string());
                    self.to = high.map_or_else(String::new, |high| high.to_string());
                }
                Condition::Missing | Condition::Present => {}
            }
        }
    }
}

/// The menu.
pub(super) fn menu_ui(
    ui: &mut Ui,
    column: usize,
    page: &TablePage,
    state: &mut TableState,
    outbox: &mut Outbox,
) {
    ui.set_width(290.0);
    state.editing.adopt(column, &page.query);
    let name = page.columns.get(column).map_or("", String::as_str);
    ui.label(RichText::new(name).strong());
    match page.cards.get(&column) {
        Some(known) => card::full_ui(ui, known),
        None if !page.counted => {
            widgets::weak(ui, "Described once all rows are counted");
        }
        None if page.work.is_none() && state.asked_cards.contains(&column) => {
            // It was stopped, or could not be done.
            if ui.button("Describe this column").clicked() {
                ask(outbox, TableWish::Describe(vec![column]));
            }
        }
        None => {
            widgets::busy(ui, "Describing the column");
            if !state.asked_cards.contains(&column) {
                state.asked_cards.push(column);
                ask(outbox, TableWish::Describe(vec![column]));
            }
        }
    }
    ui.separator();
    sort_ui(ui, column, page, outbox);
    ui.separator();
    filter_ui(ui, column, page, &mut state.editing, outbox);
    ui.separator();
    place_ui(ui, column, state);
    if ui.button("Plot this column").clicked() {
        state.plotting.show(PlotWish::Histogram { column });
        ask(
            outbox,
            TableWish::Plot(Some(PlotWish::Histogram { column })),
        );
        ui.close();
    }
}

fn sort_ui(ui: &mut Ui, column: usize, page: &TablePage, outbox: &mut Outbox) {
    let current = page.query.sorts.iter().find(|sort| sort.column == column);
    let is = |descending| current.is_some_and(|sort| sort.descending == descending);
    let mut sorts = None;
    ui.horizontal(|ui| {
        for (words, descending) in [("Sort ↑", false), ("Sort ↓", true)] {
            let hint = if descending {
                "Largest first"
            } else {
                "Smallest first"
            };
            if ui
                .selectable_label(is(descending), words)
                .on_hover_text(hint)
                .clicked()
            {
                sorts = Some(vec![Sort { column, descending }]);
            }
        }
        let others = page.query.sorts.iter().any(|sort| sort.column != column);
        if others && current.is_none() {
            let then = ui
                .button("Then by this")
                .on_hover_text("Where the columns before are equal");
            if then.clicked() {
                let mut all = page.query.sorts.clone();
                all.push(Sort {
                    column,
                    descending: false,
                });
                sorts = Some(all);
            }
        }
    });
    if let Some(sorts) = sorts {
        let filters = page.query.filters.clone();
        ask(outbox, TableWish::Ask(Query { filters, sorts }));
        ui.close();
    }
}

fn filter_ui(
    ui: &mut Ui,
    column: usize,
    page: &TablePage,
    editing: &mut Editing,
    outbox: &mut Outbox,
) {
    let values = page.cards.get(&column).map(|card| &card.values);
    let numbers = matches!(values, Some(CardValues::Numbers { .. }));
    let entered = |response: &egui::Response, ui: &Ui| {
        response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))
    };
    let mut apply = false;
    ui.label(RichText::new("Show only rows where it").strong());
    let width = 170.0;
    ui.horizontal(|ui| {
        ui.label("contains");
        let field = widgets::line(&mut editing.contains).desired_width(width);
        let field = ui.add(field).accessible_name("Contains");
        apply |= entered(&field, ui);
    });
    if numbers || values.is_none() {
        ui.horizontal(|ui| {
            ui.label("is from");
            let from = widgets::line(&mut editing.from).desired_width(80.0);
            let from = ui.add(from).accessible_name("From");
            ui.label("to");
            let to = widgets::line(&mut editing.to).desired_width(80.0);
            let to = ui.add(to).accessible_name("To");
            apply |= entered(&from, ui) || entered(&to, ui);
        });
        if editing.wrong {
            widgets::problem(ui, "Not a number; write it like 1.5");
        }
    }
    if let Some(CardValues::Texts { commonest }) = values {
        for (text, _) in commonest.iter().take(8) {
            let mut on = editing.one_of.contains(text);
            let shown: String = text.chars().take(32).collect();
            if ui.checkbox(&mut on, format!("is {shown}")).changed() {
                if on {
                    editing.one_of.insert(text.clone());
                } else {
                    editing.one_of.remove(text);
                }
            }
        }
    }
    ui.horizontal(|ui| {
        apply |= ui.button("Show these rows").clicked();
        let mut only = |ui: &mut Ui, words: &str, condition: Condition| {
            if ui.button(words).clicked() {
                send(page, column, vec![condition], outbox);
                ui.close();
            }
        };
        only(ui, "Missing", Condition::Missing);
        only(ui, "Not missing", Condition::Present);
    });
    if apply {
        match conditions(editing) {
            Ok(conditions) => {
                editing.wrong = false;
                send(page, column, conditions, outbox);
                editing.column = None;
                ui.close();
            }
            Err(()) => editing.wrong = true,
        }
    }
}

/// What was filled in; an error when a number is none.
fn conditions(editing: &Editing) -> Result<Vec<Condition>, ()> {
    let number = |text: &str| {
        let text = text.trim().replace(',', ".");
        if text.is_empty() {
            Ok(None)
        } else {
            text.parse::<f64>().map(Some).map_err(|_not_a_number| ())
        }
    };
    let (low, high) = (number(&editing.from)?, number(&editing.to)?);
    let mut conditions = Vec::new();
    if !editing.contains.is_empty() {
        conditions.push(Condition::Contains(editing.contains.clone()));
    }
    if low.is_some() || high.is_some() {
        conditions.push(Condition::Between(low, high));
    }
    if !editing.one_of.is_empty() {
        conditions.push(Condition::OneOf(editing.one_of.clone()));
    }
    Ok(conditions)
}

/// Asks for other rows; what was asked of other columns stays.
fn send(page: &TablePage, column: usize, conditions: Vec<Condition>, outbox: &mut Outbox) {
    let mut query = page.query.clone();
    query.filters.retain(|filter| filter.column != column);
    let conditions = conditions.into_iter();
    query
        .filters
        .extend(conditions.map(|condition| Filter { column, condition }));
    ask(outbox, TableWish::Ask(query));
}

fn place_ui(ui: &mut Ui, column: usize, state: &mut TableState) {
    let Some(place) = state.order.iter().position(|shown| *shown == column) else {
        return;
    };
    let last = state.order.len().saturating_sub(1);
    ui.horizontal(|ui| {
        let left = ui.add_enabled(place > 0, egui::Button::new("←"));
        if left
            .on_hover_text("Move to the left")
            .accessible_name("Move to the left")
            .clicked()
        {
            state.order.swap(place, place - 1);
        }
        let right = ui.add_enabled(place < last, egui::Button::new("→"));
        if right
            .on_hover_text("Move to the right")
            .accessible_name("Move to the right")
            .clicked()
        {
            state.order.swap(place, place + 1);
        }
        let first = ui.add_enabled(place > 0, egui::Button::new("Keep at the left"));
        if first.clicked() {
            let moved = state.order.remove(place);
            state.order.insert(0, moved);
            ui.close();
        }
        if ui
            .add_enabled(last > 0, egui::Button::new("Hide"))
            .clicked()
        {
            set_shown(state, column, false);
            ui.close();
        }
    });
}

/// Shows or hides a column; one that is shown again stands where it is in the file. The last one stays.
pub(super) fn set_shown(state: &mut TableState, column: usize, shown: bool) {
    if shown {
        let place = state.order.iter().position(|other| *other > column);
        state
            .order
            .insert(place.unwrap_or(state.order.len()), column);
    } else if state.order.len() > 1 {
        state.order.retain(|other| *other != column);
    }
    state.chosen = None;
}
