//! A form as a whole: what the pipeline says first, its groups, and a way to find a field in a long one.

use egui::{CollapsingHeader, RichText, Ui};

use crate::model::batch::FindingWeight;
use crate::model::form::{Field, FieldProblem, Form};
use crate::ui::send::settings::{Desk, field, finding_ui, free};
use crate::ui::send::ticked::Ticked;
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// Fields from which on a form can be searched.
const LONG_FORM: usize = 13;

/// What the pipeline says, without a first line that only repeats its name, which stands above.
fn without_name<'a>(intro: &'a str, name: &str) -> &'a str {
    let intro = intro.trim();
    match intro.split_once('\n') {
        Some((first, rest)) if first.trim() == name.trim() => rest.trim(),
        _ if intro == name.trim() => "",
        _ => intro,
    }
}

/// All of it.
pub(super) fn form_ui(ui: &mut Ui, desk: &mut Desk<'_>, form: &Form, ticked: &mut Ticked) {
    let palette = Palette::of(ui);
    let intro = without_name(&form.intro, &ticked.target.pipeline.name);
    if !intro.is_empty() {
        ui.add(egui::Label::new(RichText::new(intro).color(palette.weak)).wrap());
    }
    for caution in &form.cautions {
        widgets::marked(ui, icon::WARNING, palette.warning, caution);
    }
    let shown: Vec<&Field> = form
        .fields
        .iter()
        .filter(|field| !field.hidden || is_wrong(ticked.problems(), field))
        .collect();
    if shown.is_empty() && !form.free_form {
        widgets::weak(ui, "This one has no settings");
    }
    let is_long = shown.len() >= LONG_FORM;
    if is_long {
        finder_ui(ui, ticked);
    }
    let narrowed = is_long && (ticked.only_required || !ticked.words.trim().is_empty());
    let wanted: Vec<&Field> = shown
        .iter()
        .copied()
        .filter(|field| !narrowed || is_wanted(ticked, field))
        .collect();
    if narrowed {
        widgets::weak(
            ui,
            format!(
                "{} of {} shown",
                wanted.len(),
                format::count(shown.len(), "setting", "settings")
            ),
        );
    }
    let mut is_first = true;
    for group in wanted.chunk_by(|one, other| one.group == other.group) {
        group_ui(ui, desk, group, ticked, (is_first, narrowed));
        is_first &= group.iter().all(|field| field.group.is_empty());
    }
    if form.free_form {
        free::lines_ui(ui, desk, form, ticked);
    } else {
        unknown_ui(ui, form, ticked);
    }
}

fn finder_ui(ui: &mut Ui, ticked: &mut Ticked) {
    ui.horizontal(|ui| {
        let field = widgets::line(&mut ticked.words)
            .desired_width(220.0)
            .hint_text("Search the settings");
        ui.add(field).accessible_name(format!(
            "Search settings of {}",
            ticked.target.pipeline.name
        ));
        ui.checkbox(&mut ticked.only_required, "Only required");
    });
}

/// Whether a narrowed form shows this field: what is wrong or was changed stays in sight when only the required ones are.
fn is_wanted(ticked: &Ticked, field: &Field) -> bool {
    let words = ticked.words.trim().to_lowercase();
    let named = [&field.label, &field.name, &field.help, &field.group]
        .iter()
        .any(|text| text.to_lowercase().contains(&words));
    let needed = field.required
        || is_wrong(ticked.problems(), field)
        || ticked.target.settings.contains_key(&field.name);
    named && (!ticked.only_required || needed)
}

fn is_wrong(problems: &[FieldProblem], field: &Field) -> bool {
    problems.iter().any(|problem| problem.field == field.name)
}

/// The fields of one group, folded under its title; `first` groups and those of a narrowed form stand open.
fn group_ui(
    ui: &mut Ui,
    desk: &mut Desk<'_>,
    group: &[&Field],
    ticked: &mut Ticked,
    (is_first, narrowed): (bool, bool),
) {
    let Some(title) = group.first().map(|field| field.group.as_str()) else {
        return;
    };
    if title.is_empty() {
        fields_ui(ui, desk, group, ticked);
        return;
    }
    if narrowed {
        ui.label(RichText::new(title).strong());
        ui.indent(title, |ui| fields_ui(ui, desk, group, ticked));
        return;
    }
    let wrong = group
        .iter()
        .filter(|field| is_wrong(ticked.problems(), field))
        .count();
    let text = if wrong == 0 {
        RichText::new(title).strong()
    } else {
        let color = Palette::of(ui).bad;
        RichText::new(format!("{title} · {wrong} to correct"))
            .strong()
            .color(color)
    };
    CollapsingHeader::new(text)
        .id_salt(title)
        .default_open(is_first)
        .show(ui, |ui| fields_ui(ui, desk, group, ticked))
        .header_response
        .accessible_name(title);
}

fn fields_ui(ui: &mut Ui, desk: &mut Desk<'_>, fields: &[&Field], ticked: &mut Ticked) {
    for field in fields {
        ui.push_id(&field.name, |ui| {
            field::field_ui(ui, desk, field, &mut ticked.target);
            said_ui(ui, desk, field, ticked);
        });
        ui.add_space(2.0);
    }
}

/// What is wrong and what is doubtful, beside the field; what the look-over found as well is said once.
fn said_ui(ui: &mut Ui, desk: &Desk<'_>, field: &Field, ticked: &Ticked) {
    let wrong = ticked
        .problems()
        .iter()
        .filter(|problem| problem.field == field.name);
    let doubtful = ticked
        .warnings()
        .iter()
        .filter(|warning| warning.field == field.name);
    let found = desk.snapshot.draft.findings.iter().filter(|finding| {
        finding.target == Some(desk.at) && finding.field.as_ref() == Some(&field.name)
    });
    let all = wrong
        .map(|problem| (FindingWeight::Blocks, problem.words.as_str()))
        .chain(doubtful.map(|warning| (FindingWeight::Warns, warning.words.as_str())))
        .chain(found.map(|finding| (finding.weight, finding.words.as_str())));
    let mut said: Vec<&str> = Vec::new();
    for (weight, words) in all {
        let words = words.trim_end_matches('.');
        if !said.contains(&words) {
            said.push(words);
            finding_ui(ui, weight, words);
        }
    }
}

/// Values of names the form does not have, as after a new version of the pipeline.
fn unknown_ui(ui: &mut Ui, form: &Form, ticked: &mut Ticked) {
    let mut removed = None;
    for name in ticked.target.settings.keys() {
        if form.fields.iter().any(|field| &field.name == name) {
            continue;
        }
        ui.horizontal(|ui| {
            let color = Palette::of(ui).bad;
            let words = format!("This pipeline has no setting called {name}");
            ui.label(RichText::new(words).color(color));
            let remove = ui
                .button("Remove")
                .accessible_name(format!("Remove {name}"));
            if remove.clicked() {
                removed = Some(name.clone());
            }
        });
    }
    if let Some(name) = removed {
        ticked.target.settings.remove(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::without_name;

    #[test]
    fn the_name_of_the_pipeline_is_not_said_twice() {
        assert_eq!(
            without_name("Align\nAlign reads\n", " Align"),
            "Align reads"
        );
        assert_eq!(without_name("Align", "Align"), "");
        assert_eq!(without_name("Align reads", "Align"), "Align reads");
        assert_eq!(without_name("Aligns\nreads", "Align"), "Aligns\nreads");
    }
}
