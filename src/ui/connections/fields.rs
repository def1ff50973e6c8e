//! The fields of the connection form: typed, chosen from what the platform offers, or folded away as an optional part.

use egui::text_edit::TextEditState;
use egui::{CollapsingHeader, ComboBox, RichText, Ui};

use crate::model::connection::{Place, clean_base_url};
use crate::model::provider::{ConnectField, ConnectFieldKind};
use crate::ui::connections::form::FormState;
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// Widest a field gets, in points.
const WIDEST: f32 = 440.0;

/// All fields in order, each optional part below its own title.
pub fn fields_ui(ui: &mut Ui, state: &mut FormState) {
    let fields = state.facts.connect_fields;
    let mut at = 0;
    while let Some(field) = fields.get(at) {
        if field.part.is_empty() {
            ui.push_id(field.name, |ui| field_ui(ui, field, state));
            at += 1;
            continue;
        }
        let part: Vec<&'static ConnectField> = fields
            .iter()
            .skip(at)
            .take_while(|other| other.part == field.part)
            .collect();
        at += part.len();
        part_ui(ui, field.part, &part, state);
    }
}

/// An optional part: folded until somebody wants it, open when something is wrong in it.
fn part_ui(
    ui: &mut Ui,
    title: &'static str,
    part: &[&'static ConnectField],
    state: &mut FormState,
) {
    let wrong = state.tried && part.iter().any(|field| state.problem(field).is_some());
    let begun = part.iter().any(|field| state.is_entered(field));
    ui.add_space(4.0);
    let header = CollapsingHeader::new(RichText::new(format!("{title} (optional)")).strong())
        .id_salt(title)
        .default_open(begun)
        .open(wrong.then_some(true));
    header.show(ui, |ui| {
        let facts = state.facts;
        let carries_files = facts
            .capabilities
            .intake_needs
            .is_some_and(|needs| part.iter().any(|field| field.name == needs));
        if carries_files {
            let words = format!(
                "Without it, files of this computer cannot get to {}; jobs can still use {} that is there already. Ask \
                 whoever looks after your institute's storage for these entries.",
                facts.name,
                format::a(facts.nouns.input)
            );
            let color = Palette::of(ui).weak;
            ui.add(egui::Label::new(RichText::new(words).color(color)).wrap());
        }
        for field in part {
            ui.push_id(field.name, |ui| field_ui(ui, field, state));
        }
        if begun && ui.button(format!("Leave the {} out", title.to_lowercase())).clicked() {
            for field in part {
                state.entries.insert(field.name, field.default.to_owned());
            }
        }
    });
}

fn field_ui(ui: &mut Ui, field: &'static ConnectField, state: &mut FormState) {
    if state.is_from_file(field) {
        return;
    }
    let is_optional = !field.required && field.part.is_empty();
    let unneeded_in_part = !field.required && !field.part.is_empty();
    let name = if is_optional || unneeded_in_part {
        format!("{} (optional)", field.label)
    } else {
        field.label.to_owned()
    };
    ui.add_space(4.0);
    let label = ui.label(RichText::new(name).strong());
    if !field.presets.is_empty() {
        presets_ui(ui, field, state, label.id);
    } else if field.kind == ConnectFieldKind::Place && !state.places.is_empty() {
        places_ui(ui, field, state, label.id);
    } else {
        typed_ui(ui, field, state, Named::By(label.id));
    }
    if !field.help.is_empty() {
        let color = Palette::of(ui).weak;
        ui.add(egui::Label::new(RichText::new(field.help).small().color(color)).wrap());
    }
    if let Some(problem) = state.problem(field) {
        widgets::problem(ui, &problem);
    } else if field.kind == ConnectFieldKind::Url {
        cleaned_ui(ui, state.typed(field.name));
    }
}

/// How a field gets the name a screen reader says.
enum Named {
    By(egui::Id),
    As(String),
}

fn typed_ui(ui: &mut Ui, field: &'static ConnectField, state: &mut FormState, named: Named) {
    let width = ui.available_width().min(WIDEST);
    let text = state.entries.entry(field.name).or_default();
    let edit = widgets::line(text)
        .password(field.kind.is_secret())
        .desired_width(width);
    let response = ui.add(edit);
    let response = match named {
        Named::By(label) => response.labelled_by(label),
        Named::As(name) => response.accessible_name(name),
    };
    if field.kind.is_secret()
        && state
            .secret_fields
            .insert(field.name, response.id)
            .is_none()
    {
        // What was typed into an earlier form must not come back by undoing.
        forget_typing(ui.ctx(), response.id);
    }
    if response.changed() {
        state.changed(field);
    }
    if state.focus_secret && field.kind.is_secret() {
        state.focus_secret = false;
        response.request_focus();
    }
}

/// Takes away what the field remembers for undoing: whole texts, a key among them.
pub fn forget_typing(context: &egui::Context, field: egui::Id) {
    context.data_mut(|data| data.remove::<TextEditState>(field));
}

/// Chosen from what there is, or another one typed below.
fn presets_ui(ui: &mut Ui, field: &'static ConnectField, state: &mut FormState, label: egui::Id) {
    let typed = state.typed(field.name).to_owned();
    let chosen = preset_of(field, &typed).filter(|_| !state.own.contains(field.name));
    let other = match field.kind {
        ConnectFieldKind::Url => "Another address…",
        ConnectFieldKind::Email
        | ConnectFieldKind::Text
        | ConnectFieldKind::Place
        | ConnectFieldKind::Key
        | ConnectFieldKind::Password => "Another one…",
    };
    ComboBox::from_id_salt(field.name)
        .selected_text(chosen.unwrap_or(other))
        .width(ui.available_width().min(WIDEST))
        .show_ui(ui, |ui| {
            for (name, value) in field.presets {
                if ui
                    .selectable_label(chosen == Some(*name), *name)
                    .on_hover_text(*value)
                    .clicked()
                {
                    state.own.remove(field.name);
                    state.entries.insert(field.name, (*value).to_owned());
                    state.changed(field);
                }
            }
            if ui.selectable_label(chosen.is_none(), other).clicked() && chosen.is_some() {
                state.own.insert(field.name);
                state.entries.insert(field.name, String::new());
                state.changed(field);
            }
        })
        .response
        .labelled_by(label);
    if chosen.is_none() {
        typed_ui(
            ui,
            field,
            state,
            Named::As(format!("{} by hand", field.label)),
        );
    }
}

/// The label of the entry to choose from that this value is.
pub fn preset_of(field: &ConnectField, value: &str) -> Option<&'static str> {
    let bare = |text: &str| text.trim().trim_end_matches('/').to_owned();
    field
        .presets
        .iter()
        .find(|(_, preset)| bare(preset) == bare(value))
        .map(|(name, _)| *name)
}

/// Chosen from the places the account can work in; one without the rights can be chosen too, with what it lacks beside it.
fn places_ui(ui: &mut Ui, field: &'static ConnectField, state: &mut FormState, label: egui::Id) {
    let places = state.places.clone();
    let typed = state.typed(field.name).trim().to_owned();
    let known = places.iter().find(|place| place.id == typed);
    let by_hand = state.own.contains(field.name) || (known.is_none() && !typed.is_empty());
    let shown = match known {
        Some(place) if !by_hand => place_words(place),
        Some(_) | None if by_hand => "Another one…".to_owned(),
        Some(_) | None => "Choose one".to_owned(),
    };
    ComboBox::from_id_salt(field.name)
        .selected_text(shown)
        .width(ui.available_width().min(WIDEST))
        .show_ui(ui, |ui| {
            for place in &places {
                let chosen = !by_hand && place.id == typed;
                let words = match &place.lacks {
                    None => place_words(place),
                    Some(lacks) => format!("{} – {lacks}", place_words(place)),
                };
                if ui.selectable_label(chosen, words).clicked() {
                    state.own.remove(field.name);
                    state.entries.insert(field.name, place.id.clone());
                }
            }
            if ui.selectable_label(by_hand, "Another one…").clicked() {
                state.own.insert(field.name);
            }
        })
        .response
        .labelled_by(label);
    if by_hand {
        typed_ui(
            ui,
            field,
            state,
            Named::As(format!("{} by hand", field.label)),
        );
    }
    if let Some(lacks) = known.and_then(|place| place.lacks.as_deref()) {
        let palette = Palette::of(ui);
        widgets::marked(ui, icon::WARNING, palette.warning, lacks);
    }
}

/// A place by its name, and by its identifier where that says more.
pub fn place_words(place: &Place) -> String {
    if place.name == place.id {
        place.name.clone()
    } else {
        format!("{} ({})", place.name, place.id)
    }
}

/// Says so when what was pasted is changed before it is used.
fn cleaned_ui(ui: &mut Ui, typed: &str) {
    if let Ok(cleaned) = clean_base_url(typed)
        && cleaned.trim_end_matches('/') != typed.trim_end_matches('/')
    {
        widgets::weak(ui, format!("Used as {cleaned}"));
    }
}
