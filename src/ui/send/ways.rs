//! Below a ticked pipeline: how many jobs its files become, and whether it uses inputs that are at the platform already.

use egui::{ComboBox, RichText, Ui};

use crate::engine::snapshot::ConnectionView;
use crate::model::provider::{FanOut, Intake, Nouns, ProviderFacts};
use crate::ui::outbox::{Goal, Outbox};
use crate::ui::send::picker::{Picker, Wanted};
use crate::ui::send::settings;
use crate::ui::send::tally::Tally;
use crate::ui::send::ticked::{self, Lack, Ticked};
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// What the lines of a ticked pipeline need besides itself.
pub struct Around<'a> {
    /// Its connection.
    pub view: &'a ConnectionView,
    /// Its platform.
    pub facts: &'static ProviderFacts,
    /// The sample columns there are, in the order shown.
    pub columns: &'a [String],
    /// The counts of the draft.
    pub tally: &'a Tally,
}

/// The lines.
pub fn ways_ui(
    ui: &mut Ui,
    around: &Around<'_>,
    ticked: &mut Ticked,
    picker: &mut Option<Picker>,
    outbox: &mut Outbox,
) {
    ui.indent("ways", |ui| {
        ui.horizontal_wrapped(|ui| {
            fan_out_ui(ui, around, ticked);
            existing_ui(ui, around, ticked, picker, outbox);
        });
        picked_ui(ui, around, ticked);
        intake_ui(ui, around, ticked, outbox);
    });
}

fn fan_out_ui(ui: &mut Ui, around: &Around<'_>, ticked: &mut Ticked) {
    let nouns = &around.facts.nouns;
    let pipeline = ticked.target.pipeline.name.clone();
    let target = &mut ticked.target;
    let now = target.fan_out;
    let fan_outs = around.facts.capabilities.fan_outs;
    if fan_outs.len() < 2 {
        widgets::weak(ui, words(now, nouns));
    } else {
        let mut chosen = now;
        let combo = ComboBox::from_id_salt("fan-out")
            .selected_text(words(now, nouns))
            .width(250.0)
            .show_ui(ui, |ui| {
                for fan_out in fan_outs {
                    let lacks_samples = fan_out.needs_samples() && around.columns.is_empty();
                    let words = words(*fan_out, nouns);
                    let option = egui::Button::selectable(now == *fan_out, &words);
                    let option = ui.add_enabled(!lacks_samples, option);
                    let option = option.accessible_name(&words);
                    if lacks_samples {
                        option.on_disabled_hover_text("Needs a sample column: see Files above");
                        widgets::weak(ui, "    needs a sample column, see Files above");
                    } else if option.clicked() {
                        chosen = *fan_out;
                        ui.close();
                    }
                }
            });
        combo
            .response
            .accessible_name(format!("Jobs of {pipeline}"));
        target.fan_out = chosen;
    }
    if !target.fan_out.needs_samples() {
        return;
    }
    if target.sample_column.is_none() {
        target.sample_column = around.columns.first().cloned();
    }
    let shown = target.sample_column.as_deref().unwrap_or("Choose…");
    let mut chosen = None;
    let combo = ComboBox::from_id_salt("sample column")
        .selected_text(shown)
        .width(130.0)
        .show_ui(ui, |ui| {
            for column in around.columns {
                let is_it = target.sample_column.as_ref() == Some(column);
                if widgets::option(ui, is_it, column) {
                    chosen = Some(column.clone());
                }
            }
        });
    combo
        .response
        .accessible_name(format!("Sample column of {pipeline}"));
    if chosen.is_some() {
        target.sample_column = chosen;
    }
    if let Some(count) = around.tally.values(target.sample_column.as_deref()) {
        widgets::weak(ui, format::count(count, "value", "values"));
        let without = around.tally.without(target.sample_column.as_deref());
        if without > 0 {
            let words = format!("{} without one", format::count(without, "file", "files"));
            let color = Palette::of(ui).warning;
            ui.label(RichText::new(words).color(color));
        }
    }
}

/// A fan-out in words, with the platform's own for a job.
fn words(fan_out: FanOut, nouns: &Nouns) -> String {
    let job = nouns.job;
    match fan_out {
        FanOut::AllInOne => format!("One {job} for all files"),
        FanOut::OnePerFile => format!("One {job} per file"),
        FanOut::OnePerSample => format!("One {job} per value of a sample column"),
        FanOut::BatchPerFile => format!("One batch {job}, split per file"),
        FanOut::BatchPerSample => format!("One batch {job}, split by a sample column"),
    }
}

fn existing_ui(
    ui: &mut Ui,
    around: &Around<'_>,
    ticked: &mut Ticked,
    picker: &mut Option<Picker>,
    outbox: &mut Outbox,
) {
    if !around.facts.capabilities.browses_inputs {
        return;
    }
    let target = &mut ticked.target;
    let key = format!("existing {} {}", target.connection, target.pipeline.id);
    if let Some(picked) = Picker::take(picker, &key) {
        target.existing = picked;
    }
    let noun = around.facts.nouns.input;
    let words = format!("Use existing {noun}s…");
    let button = ui
        .button(&words)
        .on_hover_text(format!(
            "{noun}s that are at {} already, instead of the files above",
            around.view.provider_name
        ))
        .accessible_name(format!("{words}, {}", target.pipeline.name));
    if button.clicked() {
        let wanted = Wanted {
            noun,
            many: true,
            folders: around.facts.capabilities.intake == Intake::ThroughBucket,
            files: true,
            endings: Vec::new(),
        };
        *picker = Some(Picker::open(
            key,
            target.connection,
            wanted,
            target.existing.clone(),
            outbox,
        ));
    }
}

/// What was picked, each with a way to take it out again.
fn picked_ui(ui: &mut Ui, around: &Around<'_>, ticked: &mut Ticked) {
    let target = &mut ticked.target;
    let noun = around.facts.nouns.input;
    if !target.existing.is_empty() {
        let count = format::count(target.existing.len(), noun, &format!("{noun}s"));
        ui.label(format!(
            "Uses {count} at {} instead of the files above",
            around.view.provider_name
        ));
        settings::picked_ui(ui, &mut target.existing);
    }
}

/// Where files of this computer go first, or why they cannot get there and the two ways out.
fn intake_ui(ui: &mut Ui, around: &Around<'_>, ticked: &Ticked, outbox: &mut Outbox) {
    let palette = Palette::of(ui);
    let (view, facts) = (around.view, around.facts);
    match ticked.lacks(view, facts, around.tally) {
        Lack::Nothing if !ticked.target.existing.is_empty() => {}
        Lack::Nothing => {
            let way = facts.capabilities.intake_needs;
            if let Some(entry) = way.and_then(|needed| view.connection.options.get(needed)) {
                let words = format!(
                    "The files go to your own storage {entry} first, and from there to {}",
                    facts.name
                );
                widgets::marked(ui, icon::NOTE, palette.weak, &words);
            }
        }
        Lack::WayForFiles => {
            let needed = ticked::missing_entry(view, facts);
            let part = facts
                .connect_fields
                .iter()
                .find(|field| Some(field.name) == needed)
                .map_or("", |field| {
                    if field.part.is_empty() {
                        field.label
                    } else {
                        field.part
                    }
                })
                .to_lowercase();
            let noun = facts.nouns.input;
            let words = format!(
                "{} takes files of this computer only by way of a {part} of yours, and {} has none yet. Add one, or use {noun}s that are there already.",
                facts.name, view.connection.label
            );
            widgets::marked(ui, icon::WARNING, palette.warning, &words);
            let add = ui
                .button(format!("Add a {part}…"))
                .accessible_name(format!("Add a {part} to {}", view.connection.label));
            if add.clicked() {
                outbox.go(Goal::EditConnection(view.connection.id));
            }
        }
        Lack::SamplesOfExisting => {
            let words = format!(
                "Samples are known only of files of this computer. Choose another way for {}s that are at {} already",
                facts.nouns.input, facts.name
            );
            widgets::problem(ui, &words);
        }
        Lack::SampleColumn => {
            let words = match &ticked.target.sample_column {
                Some(column) => format!(
                    "No file has a value in the sample column {column}. Fill it in under Files, or choose another way"
                ),
                None => "There are no sample columns. Add them under Files, or choose another way"
                    .to_owned(),
            };
            widgets::problem(ui, &words);
        }
    }
}
