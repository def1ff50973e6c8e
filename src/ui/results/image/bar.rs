//! The lines above an image: zoom and pages, brightness, notes, the legend of its objects and the chosen one.

use std::path::Path;

use egui::{Checkbox, RichText, ScrollArea, Slider, Ui};

use crate::engine::command::Command;
use crate::model::image_view::{Brightness, ImageView, MaskStyle, ObjectRef};
use crate::ui::outbox::Outbox;
use crate::ui::results::image::{ImageState, busy_ui, marks};
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, theme, widgets};

/// Highest a legend of many classes gets before it scrolls, in points.
const LEGEND_HEIGHT: f32 = 76.0;

/// Zoom, pages, what is shown, and what the file is.
pub(super) fn bar_ui(
    ui: &mut Ui,
    file: &Path,
    view: &ImageView,
    state: &mut ImageState,
    fitted: f32,
) {
    ui.horizontal_wrapped(|ui| {
        let shown = state.scale.unwrap_or(fitted);
        if ui
            .button("Fit")
            .on_hover_text("Show the whole picture")
            .clicked()
        {
            state.scale = None;
            state.middle = None;
        }
        let whole = 1.0 / ui.pixels_per_point();
        if ui
            .button("100 %")
            .on_hover_text("One pixel of the file is one of the screen")
            .clicked()
        {
            state.scale = Some(whole);
        }
        if ui
            .button("−")
            .on_hover_text("Smaller")
            .accessible_name("Smaller")
            .clicked()
        {
            state.zoom(shown, 0.8);
        }
        if ui
            .button("+")
            .on_hover_text("Larger")
            .accessible_name("Larger")
            .clicked()
        {
            state.zoom(shown, 1.25);
        }
        pages_ui(ui, view, state);
        if view.range.is_some() {
            ui.toggle_value(&mut state.shows_brightness, "Brightness")
                .on_hover_text("Choose which values are black and white");
        }
        if view.objects.is_some() {
            ui.toggle_value(&mut state.masks.shown, "Masks")
                .on_hover_text("Draw the objects over the image");
        }
        let percent = shown * ui.pixels_per_point() * 100.0;
        // Of masks the title says the mask file only.
        let is_titled = file
            .file_name()
            .is_some_and(|name| name == view.name.as_str());
        let name = Some(view.name.as_str()).filter(|name| !is_titled && !name.is_empty());
        let about = Some(view.about.as_str()).filter(|about| !about.is_empty());
        let percent = if percent < 10.0 {
            format!("{percent:.1} %")
        } else {
            format!("{percent:.0} %")
        };
        let size = format!(
            "{} × {} pixels",
            format::grouped(u64::from(view.width)),
            format::grouped(u64::from(view.height))
        );
        let facts = [name, Some(&size), about, Some(&percent)];
        let facts: Vec<&str> = facts.into_iter().flatten().collect();
        widgets::weak(ui, facts.join(" · "));
        if let Some(percent) = view.percent {
            busy_ui(ui, percent);
        }
    });
}

fn pages_ui(ui: &mut Ui, view: &ImageView, state: &mut ImageState) {
    if view.pages < 2 {
        return;
    }
    let before = state.page;
    let first = ui.add_enabled(state.page > 0, egui::Button::new("<"));
    if first
        .on_hover_text("Previous page")
        .accessible_name("Previous page")
        .clicked()
    {
        state.page = state.page.saturating_sub(1);
    }
    let mut number = state.page + 1;
    let label = ui.label("Page");
    ui.add(egui::DragValue::new(&mut number).range(1..=view.pages))
        .labelled_by(label.id);
    state.page = number.saturating_sub(1);
    let or_more = if view.more_pages { " or more" } else { "" };
    ui.label(format!(
        "of {}{or_more}",
        format::grouped(view.pages.into())
    ));
    let next = ui.add_enabled(state.page + 1 < view.pages, egui::Button::new(">"));
    if next
        .on_hover_text("Next page")
        .accessible_name("Next page")
        .clicked()
    {
        state.page += 1;
    }
    if state.page != before {
        state.textures.forget();
        // Values of pages differ; what was set for one says nothing of another.
        if matches!(state.brightness, Brightness::Between(..)) {
            state.brightness = Brightness::Whole;
        }
    }
}

/// Which values are black and white.
pub(super) fn brightness_ui(ui: &mut Ui, view: &ImageView, state: &mut ImageState) {
    let Some(range) = view.range.filter(|_| state.shows_brightness) else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        let (mut low, mut high) = match state.brightness {
            // Not what is drawn yet, but what was just set.
            Brightness::Between(low, high) => (low, high),
            Brightness::Whole | Brightness::Auto => (range.low, range.high),
        };
        ui.spacing_mut().slider_width = 120.0;
        let bounds = range.smallest.min(range.low)..=range.largest.max(range.high);
        let is_float = view.about.contains("float");
        let decimals = if is_float { 4 } else { 0 };
        let black = Slider::new(&mut low, bounds.clone())
            .text("Black")
            .max_decimals(decimals);
        let white = Slider::new(&mut high, bounds)
            .text("White")
            .max_decimals(decimals);
        let changed = ui.add(black).changed() | ui.add(white).changed();
        if changed {
            state.brightness = Brightness::Between(low.min(high), high.max(low));
        }
        if ui
            .button("Auto")
            .on_hover_text("Leave out the darkest and the brightest 0.35 % of the pixels")
            .clicked()
        {
            state.brightness = Brightness::Auto;
        }
        if ui
            .button("Whole range")
            .on_hover_text("From the smallest value to the largest; 8-bit color as it is")
            .clicked()
        {
            state.brightness = Brightness::Whole;
        }
    });
}

/// What a person should know about the file.
pub(super) fn notes_ui(ui: &mut Ui, view: &ImageView) {
    let color = Palette::of(ui).warning;
    for note in &view.notes {
        widgets::marked(ui, icon::WARNING, color, note);
    }
}

/// The classes with their colors, and how they are drawn.
pub(super) fn legend_ui(ui: &mut Ui, view: &ImageView, state: &mut ImageState) {
    let Some(set) = view.objects.as_deref().filter(|_| state.masks.shown) else {
        return;
    };
    ScrollArea::vertical()
        .id_salt("legend")
        .max_height(LEGEND_HEIGHT)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                for (place, class) in (0_u32..).zip(&set.classes) {
                    widgets::swatch(ui, theme::class_color(place as usize));
                    let mut shown = !state.hidden.contains(&place);
                    let count = format::grouped(u64::from(class.count));
                    let text = format!("{} {count}", class.name);
                    if ui
                        .add(Checkbox::new(&mut shown, text))
                        .on_hover_text("Show or hide this class")
                        .clicked()
                    {
                        if shown {
                            state.hidden.remove(&place);
                        } else {
                            state.hidden.insert(place);
                        }
                    }
                }
                if set.objects.is_empty() {
                    widgets::weak(ui, "No objects in this image");
                    return;
                }
                // Together they do not fit beside the classes of a narrow pane.
                if ui.max_rect().width() < 640.0 {
                    ui.end_row();
                } else {
                    ui.add_space(8.0);
                }
                for (style, name) in [(MaskStyle::Outlines, "Outlines"), (MaskStyle::Fill, "Fill")]
                {
                    ui.radio_value(&mut state.masks.style, style, name);
                }
                ui.spacing_mut().slider_width = 80.0;
                let mut percent = state.masks.opacity * 100.0;
                let slider = Slider::new(&mut percent, 10.0..=100.0)
                    .text("Opacity")
                    .suffix(" %")
                    .max_decimals(0);
                if ui.add(slider).changed() {
                    state.masks.opacity = percent / 100.0;
                }
            });
        });
}

/// The chosen object and where else it is to be found.
pub(super) fn selected_ui(
    ui: &mut Ui,
    view: &ImageView,
    state: &mut ImageState,
    outbox: &mut Outbox,
) {
    let Some(set) = view.objects.as_deref().filter(|_| state.masks.shown) else {
        return;
    };
    let Some(place) = state.selected else {
        if !set.objects.is_empty() {
            widgets::weak(ui, "Click an object to choose it");
        }
        return;
    };
    let (Some(words), Some(info)) = (marks::words(set, place), set.objects.get(place as usize))
    else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        if widgets::bare_button(ui, "×", "Choose none").clicked() {
            state.selected = None;
        }
        ui.label(RichText::new(words).strong());
        if ui
            .button("Show selected")
            .on_hover_text("Bring the object into the middle")
            .clicked()
        {
            state.show(view, place);
        }
        if let Some(table) = &view.objects_table
            && ui
                .button("Show its row")
                .on_hover_text("Open the table of objects at this one")
                .clicked()
        {
            outbox.command(Command::ShowObjectRow {
                table: table.clone(),
                object: ObjectRef {
                    image: set.image.clone(),
                    object: info.id.clone(),
                },
            });
        }
    });
}
