//! The lines of a free form, where the platform does not say which settings there are.

use egui::{RichText, Ui};

use crate::model::form::Form;
use crate::ui::send::settings::Desk;
use crate::ui::send::ticked::{self, Ticked};
use crate::ui::theme::Palette;
use crate::ui::widgets;

/// The lines, each a name and a value.
pub(super) fn lines_ui(ui: &mut Ui, desk: &Desk<'_>, form: &Form, ticked: &mut Ticked) {
    let noun = desk.facts.map_or("pipeline", |facts| facts.nouns.pipeline);
    let palette = Palette::of(ui);
    let by_place = "A line without a name is passed on by its place among such lines";
    let words = if form.intro.is_empty() {
        format!(
            "{} does not say which settings this {noun} takes. Add the ones you know. {by_place}",
            desk.view.provider_name
        )
    } else {
        by_place.to_owned()
    };
    ui.add(egui::Label::new(RichText::new(words).color(palette.weak)).wrap());
    let mut changed = false;
    let mut removed = None;
    for (at, (name, value)) in ticked.lines.iter_mut().enumerate() {
        let number = at + 1;
        ui.push_id(at, |ui| {
            ui.horizontal(|ui| {
                let remove = format!("Remove setting {number}");
                if widgets::bare_button(ui, "×", &remove).clicked() {
                    removed = Some(at);
                }
                let field = widgets::line(name)
                    .desired_width(180.0)
                    .hint_text("Name, or empty");
                let field = ui.add(field);
                changed |= field
                    .accessible_name(format!("Name of setting {number}"))
                    .changed();
                let field = widgets::line(value).desired_width(260.0).hint_text("Value");
                let field = ui.add(field);
                changed |= field
                    .accessible_name(format!("Value of setting {number}"))
                    .changed();
            });
        });
    }
    if let Some(twice) = named_twice(&ticked.lines) {
        widgets::problem(
            ui,
            &format!("{twice} stands here twice; only the last one is sent"),
        );
    }
    if ui.button("Add a setting").clicked() {
        ticked.lines.push((String::new(), String::new()));
        changed = true;
    }
    if let Some(at) = removed {
        ticked.lines.remove(at);
        changed = true;
    }
    if changed {
        ticked::settings_of_lines(form, &mut ticked.target.settings, &ticked.lines);
    }
}

fn named_twice(lines: &[(String, String)]) -> Option<&str> {
    lines.iter().enumerate().find_map(|(at, (name, _))| {
        let name = name.trim();
        let again = lines
            .iter()
            .skip(at + 1)
            .any(|(other, _)| other.trim() == name);
        (again && !name.is_empty()).then_some(name)
    })
}
