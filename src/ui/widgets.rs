//! Small parts every view uses: cards, buttons, progress, fields. Each has a name that a screen reader can say.

use egui::{
    Align2, Button, Color32, FontId, Frame, Response, RichText, Role, Sense, Ui, WidgetInfo,
};

use crate::model::notice::Words;
use crate::ui::theme::{self, Palette, icon};

/// A framed block with room around it.
pub fn card<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let palette = Palette::of(ui);
    Frame::new()
        .fill(palette.card)
        .stroke((1.0, palette.line))
        .corner_radius(theme::ROUNDING)
        .inner_margin(theme::CARD_MARGIN)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            add(ui)
        })
        .inner
}

/// A title of a page.
pub fn page_title(ui: &mut Ui, title: &str) {
    ui.add_space(2.0);
    ui.add(egui::Label::new(RichText::new(title).heading().strong()).selectable(false));
    ui.add_space(4.0);
}

/// A title of a block, with its number in the order of the work.
pub fn step_title(ui: &mut Ui, number: u8, title: &str, done: bool) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(egui::vec2(24.0, 24.0), Sense::hover());
        let fill = if done {
            palette.primary
        } else {
            palette.raised
        };
        let ink = if done {
            palette.on_primary
        } else {
            palette.text
        };
        ui.painter().circle_filled(rect.center(), 12.0, fill);
        let text = number.to_string();
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            text,
            FontId::proportional(13.0),
            ink,
        );
        ui.add(egui::Label::new(RichText::new(title).size(16.0).strong()).selectable(false));
    });
}

/// An icon that says nothing by itself; the words are beside it.
pub fn picture(ui: &mut Ui, icon: &str, size: f32, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(egui::vec2(size, size), Sense::hover());
    paint_icon(ui, rect, icon, size, color);
}

/// Paints an icon into the middle of a rectangle.
pub fn paint_icon(ui: &Ui, rect: egui::Rect, icon: &str, size: f32, color: Color32) {
    ui.painter().text(
        rect.center(),
        Align2::CENTER_CENTER,
        icon,
        FontId::proportional(size),
        color,
    );
}

/// The one button of a page that does the main thing.
pub fn primary_button(ui: &mut Ui, text: &str, enabled: bool) -> Response {
    let palette = Palette::of(ui);
    let height = egui::vec2(0.0, 34.0);
    if !enabled {
        return ui.add_enabled(false, Button::new(text).min_size(height));
    }
    let button = Button::new(RichText::new(text).strong().color(palette.on_primary))
        .fill(palette.primary)
        .min_size(height);
    ui.add(button)
}

/// The button that confirms what cannot be undone.
pub fn grave_button(ui: &mut Ui, text: &str) -> Response {
    let palette = Palette::of(ui);
    let button = Button::new(RichText::new(text).strong().color(palette.bad))
        .stroke((1.5, palette.bad))
        .min_size(egui::vec2(0.0, 34.0));
    ui.add(button)
}

/// A button with an icon before its words; the icon is no part of its name.
pub fn icon_button(ui: &mut Ui, icon: &str, text: &str) -> Response {
    ui.add(Button::new((RichText::new(icon).size(17.0), text)))
        .accessible_name(text)
}

/// A small button of an icon alone, named by its tooltip.
pub fn bare_icon_button(ui: &mut Ui, icon: &str, name: &str) -> Response {
    ui.add(Button::new(RichText::new(icon).size(17.0)).frame_when_inactive(false))
        .on_hover_text(name)
        .accessible_name(name)
}

/// A small button of one character, such as the one that takes a line away; named for what it does.
pub fn bare_button(ui: &mut Ui, character: &str, name: &str) -> Response {
    let button = Button::new(RichText::new(character).size(16.0))
        .small()
        .frame_when_inactive(false);
    ui.add(button).on_hover_text(name).accessible_name(name)
}

/// A line of an open drop-down list; the list closes when it is chosen, also by a screen reader.
pub fn option(ui: &mut Ui, is_chosen: bool, text: &str) -> bool {
    let clicked = ui.selectable_label(is_chosen, text).clicked();
    if clicked {
        ui.close();
    }
    clicked
}

/// A text that is less important.
pub fn weak(ui: &mut Ui, text: impl Into<String>) -> Response {
    let color = Palette::of(ui).weak;
    ui.label(RichText::new(text.into()).color(color))
}

/// A text of one line, cut at its end when there is no room; the whole is in the tooltip.
pub fn one_line(ui: &mut Ui, text: impl Into<RichText>) -> Response {
    ui.add(egui::Label::new(text.into()).truncate())
}

/// How far something is, in hundredths of what there is to do.
pub fn progress_of(ui: &mut Ui, what: &str, done: u64, all: u64) -> Response {
    let share = (done as f64 / all.max(1) as f64).min(1.0);
    let words = format!("{:.0} %", (share * 100.0).floor());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a share of a bar needs no more digits"
    )]
    progress(ui, what, Some(share as f32), &words)
}

/// How far something is. `fraction` runs from 0 to 1; without one, only the words are shown.
pub fn progress(ui: &mut Ui, what: &str, fraction: Option<f32>, words: &str) -> Response {
    let palette = Palette::of(ui);
    let width = ui.available_width().clamp(40.0, 240.0);
    let (rect, response) = ui.allocate_exact_size(egui::vec2(width, 18.0), Sense::hover());
    let enabled = ui.is_enabled();
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(
            Role::ProgressIndicator,
            enabled,
            format!("Progress of {what}, {words}"),
        );
        info.value = fraction.map(|fraction| f64::from(fraction.clamp(0.0, 1.0) * 100.0).floor());
        info
    });
    if ui.is_rect_visible(rect) {
        let font = FontId::proportional(12.0);
        let text = ui
            .painter()
            .layout_no_wrap(words.to_owned(), font, palette.weak);
        let mut text_at = rect.left();
        if let Some(fraction) = fraction {
            // Percentages stand below each other; longer words take from the bar.
            let beside = text.size().x.max(46.0) + 8.0;
            let bar = egui::Rect::from_min_max(
                egui::pos2(rect.left(), rect.center().y - 4.0),
                egui::pos2(
                    rect.left() + (width - beside).max(24.0),
                    rect.center().y + 4.0,
                ),
            );
            let mut filled = bar;
            filled.set_width(bar.width() * fraction.clamp(0.0, 1.0));
            ui.painter().rect_filled(bar, 4.0, palette.raised_hovered);
            ui.painter().rect_filled(filled, 4.0, palette.accent);
            text_at = bar.right() + 8.0;
        }
        let at = egui::pos2(text_at, rect.center().y - text.size().y / 2.0);
        ui.painter()
            .with_clip_rect(rect.expand(1.0))
            .galley(at, text, palette.weak);
    }
    response
}

/// Something takes time. It stands still on purpose: an animation would keep the window repainting.
pub fn busy(ui: &mut Ui, what: &str) -> Response {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        picture(ui, icon::BUSY, 18.0, palette.accent);
        let response = ui.label(RichText::new(what).color(palette.weak));
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_busy();
        });
    })
    .response
}

/// Words with an icon before them, in one color.
pub fn marked(ui: &mut Ui, icon: &str, color: Color32, text: &str) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let height = ui.text_style_height(&egui::TextStyle::Body);
        let (rect, _) = ui.allocate_exact_size(egui::vec2(18.0, height), Sense::hover());
        paint_icon(ui, rect.translate(egui::vec2(0.0, -2.0)), icon, 17.0, color);
        ui.add(egui::Label::new(RichText::new(text).color(color)).wrap());
    });
}

/// A problem beside a field.
pub fn problem(ui: &mut Ui, text: &str) {
    let color = Palette::of(ui).bad;
    marked(ui, icon::BAD, color, text);
}

/// The three sentences of a message, without its button.
pub fn sentences(ui: &mut Ui, words: &Words) {
    ui.add(egui::Label::new(RichText::new(&words.what).strong()).wrap());
    for sentence in [&words.did, &words.next] {
        if !sentence.is_empty() {
            ui.add(egui::Label::new(sentence.as_str()).wrap());
        }
    }
}

/// An empty place that says what to do next.
pub fn empty(ui: &mut Ui, icon: &str, title: &str, next: &str) {
    let palette = Palette::of(ui);
    ui.vertical_centered(|ui| {
        ui.add_space(48.0);
        picture(ui, icon, 44.0, palette.weak);
        ui.add_space(6.0);
        ui.label(RichText::new(title).size(16.0).strong());
        weak(ui, next);
    });
}

/// One line of facts: a name and what it is.
pub fn fact(ui: &mut Ui, name: &str, value: &str) {
    ui.horizontal_top(|ui| {
        let color = Palette::of(ui).weak;
        let width = 116.0;
        ui.allocate_ui_with_layout(
            egui::vec2(width, 18.0),
            egui::Layout::left_to_right(egui::Align::TOP),
            |ui| {
                ui.set_min_width(width);
                ui.add(egui::Label::new(RichText::new(name).color(color)).wrap());
            },
        );
        ui.add(egui::Label::new(value).wrap());
    });
}

/// A field for one line of text under its label.
pub fn text_field(ui: &mut Ui, label: &str, text: &mut String, hint: &str) -> Response {
    let label = ui.label(RichText::new(label).strong());
    let width = ui.available_width().min(440.0);
    ui.add(line(text).hint_text(hint.to_owned()).desired_width(width))
        .labelled_by(label.id)
}

/// A field for one line of text; its name comes from the caller.
pub fn line(text: &mut String) -> egui::TextEdit<'_> {
    egui::TextEdit::singleline(text).align(Align2::LEFT_CENTER)
}

/// Keeps forms and texts at a width that reads well.
pub fn reading_width(ui: &mut Ui) {
    let width = ui.available_width().min(theme::READING_WIDTH);
    ui.set_max_width(width);
}

/// A small square of a color that stands for something.
pub fn swatch(ui: &mut Ui, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(egui::vec2(14.0, 14.0), Sense::hover());
    ui.painter().rect_filled(rect, 3.0, color);
}
