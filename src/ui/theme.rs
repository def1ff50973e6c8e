//! Colors, spacing, icons and fonts of the window. Nothing else names a color.

use egui::{Color32, FontDefinitions, FontFamily, FontId, Margin, Stroke, TextStyle, Theme};

use crate::model::settings::{AppSettings, ThemeChoice};

/// Space between blocks, in points.
pub const BLOCK_GAP: f32 = 14.0;
/// Space around the content of a page, in points.
pub const PAGE_MARGIN: i8 = 20;
/// Space inside a card, in points.
pub const CARD_MARGIN: i8 = 16;
/// Height of a row of a list, in points.
pub const ROW_HEIGHT: f32 = 28.0;
/// Height of a row of a previewed table, in points.
pub const CELL_HEIGHT: f32 = 24.0;
/// Width of the rail, in points.
pub const RAIL_WIDTH: f32 = 164.0;
/// Widest a page of text or forms gets, in points.
pub const READING_WIDTH: f32 = 760.0;
/// Rounding of cards and buttons, in points.
pub const ROUNDING: u8 = 8;

/// Under the edge of what is chosen in an image: images have any color.
pub const MARK_UNDER: Color32 = Color32::BLACK;
/// The edge of what is chosen in an image.
pub const MARK_OVER: Color32 = Color32::WHITE;

/// The color of a class of objects, as it is drawn over images.
pub fn class_color(class: usize) -> Color32 {
    let [red, green, blue] = crate::model::image_view::class_color(class);
    Color32::from_rgb(red, green, blue)
}

/// The icons, by what they mean here.
pub mod icon {
    use egui_material_icons::icons;

    /// The place *Send*.
    pub const SEND: &str = icons::ICON_SEND.codepoint;
    /// The place *Jobs*.
    pub const JOBS: &str = icons::ICON_CHECKLIST.codepoint;
    /// The place *Results*.
    pub const RESULTS: &str = icons::ICON_TABLE_CHART.codepoint;
    /// The place *Connections*.
    pub const CONNECTIONS: &str = icons::ICON_LINK.codepoint;
    /// The place *Settings*.
    pub const SETTINGS: &str = icons::ICON_SETTINGS.codepoint;
    /// The place *Notices*.
    pub const NOTICES: &str = icons::ICON_NOTIFICATIONS.codepoint;
    /// Files to be added.
    pub const DROP: &str = icons::ICON_UPLOAD_FILE.codepoint;
    /// A file.
    pub const FILE: &str = icons::ICON_DESCRIPTION.codepoint;
    /// An image file.
    pub const IMAGE: &str = icons::ICON_IMAGE.codepoint;
    /// A table file.
    pub const TABLE: &str = icons::ICON_TABLE.codepoint;
    /// A folder.
    pub const FOLDER: &str = icons::ICON_FOLDER.codepoint;
    /// Something is open below.
    pub const OPEN: &str = icons::ICON_EXPAND_MORE.codepoint;
    /// Something is folded.
    pub const FOLDED: &str = icons::ICON_CHEVRON_RIGHT.codepoint;
    /// All is well.
    pub const GOOD: &str = icons::ICON_CHECK_CIRCLE.codepoint;
    /// Something failed.
    pub const BAD: &str = icons::ICON_ERROR.codepoint;
    /// Something should be known.
    pub const WARNING: &str = icons::ICON_WARNING.codepoint;
    /// Good to know.
    pub const NOTE: &str = icons::ICON_INFO.codepoint;
    /// Something takes time.
    pub const BUSY: &str = icons::ICON_HOURGLASS_EMPTY.codepoint;
    /// Its turn has not come.
    pub const WAITING: &str = icons::ICON_SCHEDULE.codepoint;
    /// On its way to a platform.
    pub const UP: &str = icons::ICON_UPLOAD.codepoint;
    /// On its way from a platform.
    pub const DOWN: &str = icons::ICON_DOWNLOAD.codepoint;
    /// A platform works on it.
    pub const RUNNING: &str = icons::ICON_PLAY_CIRCLE.codepoint;
    /// Ended by a person.
    pub const CANCELLED: &str = icons::ICON_BLOCK.codepoint;
    /// Nobody knows yet.
    pub const OPEN_QUESTION: &str = icons::ICON_HELP.codepoint;
    /// A key.
    pub const KEY: &str = icons::ICON_KEY.codepoint;
    /// The demo.
    pub const DEMO: &str = icons::ICON_SCIENCE.codepoint;
    /// Something to read.
    pub const READ: &str = icons::ICON_MENU_BOOK.codepoint;
}

/// The colors of one theme. Pairs that carry text have a contrast of at least 4.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Behind everything.
    pub page: Color32,
    /// Behind the rail and the status line.
    pub rail: Color32,
    /// Cards, tables and fields.
    pub card: Color32,
    /// Buttons that are not primary, and headers of tables.
    pub raised: Color32,
    /// The same under the pointer.
    pub raised_hovered: Color32,
    /// Lines around cards.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Text that is less important.
    pub weak: Color32,
    /// The primary button.
    pub primary: Color32,
    /// Text on the primary button.
    pub on_primary: Color32,
    /// What is selected.
    pub selected: Color32,
    /// Text on what is selected.
    pub on_selected: Color32,
    /// All is well.
    pub good: Color32,
    /// Something should be known.
    pub warning: Color32,
    /// Something failed.
    pub bad: Color32,
    /// Links, and what moves.
    pub accent: Color32,
}

/// Light.
pub const LIGHT: Palette = Palette {
    page: Color32::from_rgb(0xf4, 0xf6, 0xf8),
    rail: Color32::from_rgb(0xe9, 0xee, 0xf2),
    card: Color32::from_rgb(0xff, 0xff, 0xff),
    raised: Color32::from_rgb(0xe6, 0xeb, 0xf0),
    raised_hovered: Color32::from_rgb(0xd9, 0xe1, 0xe8),
    line: Color32::from_rgb(0xcf, 0xd7, 0xdf),
    text: Color32::from_rgb(0x1b, 0x25, 0x30),
    weak: Color32::from_rgb(0x4f, 0x5d, 0x6b),
    primary: Color32::from_rgb(0x14, 0x6a, 0x73),
    on_primary: Color32::from_rgb(0xff, 0xff, 0xff),
    selected: Color32::from_rgb(0xcd, 0xe8, 0xea),
    on_selected: Color32::from_rgb(0x0b, 0x43, 0x4a),
    good: Color32::from_rgb(0x1a, 0x6b, 0x43),
    warning: Color32::from_rgb(0x83, 0x53, 0x00),
    bad: Color32::from_rgb(0xae, 0x20, 0x1a),
    accent: Color32::from_rgb(0x14, 0x6a, 0x73),
};

/// Dark.
pub const DARK: Palette = Palette {
    page: Color32::from_rgb(0x15, 0x1a, 0x20),
    rail: Color32::from_rgb(0x10, 0x14, 0x19),
    card: Color32::from_rgb(0x1d, 0x24, 0x2c),
    raised: Color32::from_rgb(0x2b, 0x34, 0x3e),
    raised_hovered: Color32::from_rgb(0x37, 0x42, 0x4e),
    line: Color32::from_rgb(0x35, 0x40, 0x4b),
    text: Color32::from_rgb(0xe6, 0xeb, 0xf0),
    weak: Color32::from_rgb(0xa6, 0xb2, 0xbe),
    primary: Color32::from_rgb(0x56, 0xbd, 0xc6),
    on_primary: Color32::from_rgb(0x05, 0x26, 0x29),
    selected: Color32::from_rgb(0x1c, 0x48, 0x4e),
    on_selected: Color32::from_rgb(0xd8, 0xf3, 0xf5),
    good: Color32::from_rgb(0x72, 0xd0, 0xa0),
    warning: Color32::from_rgb(0xe8, 0xb8, 0x57),
    bad: Color32::from_rgb(0xff, 0x94, 0x8a),
    accent: Color32::from_rgb(0x56, 0xbd, 0xc6),
};

impl Palette {
    /// The palette in force.
    pub fn of(ui: &egui::Ui) -> Self {
        if ui.visuals().dark_mode { DARK } else { LIGHT }
    }
}

/// Fonts and both themes; once, when the window opens.
pub fn install(context: &egui::Context) {
    let mut fonts = FontDefinitions::default();
    // The default proportional font has no arrows and no check marks; Hack has.
    if let Some(family) = fonts.families.get_mut(&FontFamily::Proportional) {
        family.push("Hack".to_owned());
    }
    context.set_fonts(fonts);
    egui_material_icons::initialize(context);
    for (theme, palette) in [(Theme::Light, LIGHT), (Theme::Dark, DARK)] {
        context.style_mut_of(theme, |style| dress(style, &palette));
    }
    context.options_mut(|options| {
        options.fallback_theme = Theme::Light;
        options.zoom_with_keyboard = false;
    });
}

/// Theme and text size as set; cheap enough for every frame.
pub fn follow(context: &egui::Context, settings: &AppSettings) {
    let wanted = match settings.theme {
        ThemeChoice::System => egui::ThemePreference::System,
        ThemeChoice::Light => egui::ThemePreference::Light,
        ThemeChoice::Dark => egui::ThemePreference::Dark,
    };
    if context.options(|options| options.theme_preference) != wanted {
        context.set_theme(wanted);
    }
    let zoom = f32::from(settings.text_percent.clamp(60, 240)) / 100.0;
    if (context.zoom_factor() - zoom).abs() > 0.001 {
        context.set_zoom_factor(zoom);
    }
}

fn dress(style: &mut egui::Style, palette: &Palette) {
    style.text_styles = [
        (TextStyle::Small, FontId::proportional(12.0)),
        (TextStyle::Body, FontId::proportional(14.0)),
        (TextStyle::Button, FontId::proportional(14.0)),
        (TextStyle::Heading, FontId::proportional(19.0)),
        (TextStyle::Monospace, FontId::monospace(12.5)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = egui::vec2(8.0, 8.0);
    spacing.button_padding = egui::vec2(12.0, 5.0);
    spacing.interact_size = egui::vec2(40.0, 30.0);
    spacing.icon_width = 18.0;
    spacing.icon_width_inner = 10.0;
    spacing.icon_spacing = 8.0;
    spacing.combo_width = 140.0;
    spacing.text_edit_width = 320.0;
    spacing.tooltip_width = 360.0;
    spacing.window_margin = Margin::same(CARD_MARGIN);
    spacing.menu_margin = Margin::same(8);
    spacing.scroll = egui::style::ScrollStyle::solid();
    spacing.scroll.bar_width = 9.0;
    style.interaction.selectable_labels = true;
    style.animation_time = 0.0;
    style.scroll_animation = egui::style::ScrollAnimation::none();
    dress_visuals(&mut style.visuals, palette);
}

fn dress_visuals(visuals: &mut egui::Visuals, palette: &Palette) {
    visuals.weak_text_color = Some(palette.weak);
    visuals.hyperlink_color = palette.accent;
    visuals.faint_bg_color = palette.page;
    visuals.extreme_bg_color = palette.card;
    visuals.text_edit_bg_color = Some(palette.card);
    visuals.code_bg_color = palette.raised;
    visuals.warn_fg_color = palette.warning;
    visuals.error_fg_color = palette.bad;
    visuals.window_fill = palette.card;
    visuals.panel_fill = palette.page;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.window_corner_radius = ROUNDING.into();
    visuals.menu_corner_radius = ROUNDING.into();
    visuals.selection.bg_fill = palette.selected;
    visuals.selection.stroke = Stroke::new(1.0, palette.on_selected);
    visuals.text_cursor.stroke = Stroke::new(2.0, palette.accent);
    // A blinking cursor would repaint an idle window for ever.
    visuals.text_cursor.blink = false;
    visuals.disabled_alpha = 0.55;
    let widgets = &mut visuals.widgets;
    widgets.noninteractive.bg_fill = palette.page;
    widgets.noninteractive.weak_bg_fill = palette.page;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, palette.line);
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, palette.text);
    for (state, fill, line) in [
        (&mut widgets.inactive, palette.raised, palette.line),
        (&mut widgets.hovered, palette.raised_hovered, palette.accent),
        (&mut widgets.active, palette.raised_hovered, palette.accent),
        (&mut widgets.open, palette.raised, palette.accent),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = Stroke::new(1.0, line);
        state.fg_stroke = Stroke::new(1.0, palette.text);
        state.corner_radius = ROUNDING.into();
        state.expansion = 0.0;
    }
    // Handles of scroll bars and boxes to tick have this one; the lighter one would not stand out.
    widgets.inactive.bg_fill = palette.line;
    // Hovered is also how what has the keyboard looks.
    widgets.hovered.bg_stroke = Stroke::new(1.5, palette.accent);
    widgets.active.bg_stroke = Stroke::new(2.0, palette.accent);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, <https://www.w3.org/TR/WCAG21/#dfn-relative-luminance>.
    fn luminance(color: Color32) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(color.r()) + 0.7152 * channel(color.g()) + 0.0722 * channel(color.b())
    }

    fn contrast(one: Color32, other: Color32) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_can_be_read_in_both_themes() {
        for (name, palette) in [("light", LIGHT), ("dark", DARK)] {
            let grounds = [
                palette.page,
                palette.rail,
                palette.card,
                palette.raised,
                palette.raised_hovered,
            ];
            for ground in grounds {
                assert!(contrast(palette.text, ground) >= 7.0, "{name} text");
                assert!(
                    contrast(palette.weak, ground) >= 4.5,
                    "{name} weak {ground:?}"
                );
            }
            for ground in [palette.page, palette.card, palette.rail] {
                for color in [palette.good, palette.warning, palette.bad, palette.accent] {
                    assert!(
                        contrast(color, ground) >= 4.5,
                        "{name} {color:?} {ground:?}"
                    );
                }
            }
            assert!(
                contrast(palette.on_primary, palette.primary) >= 4.5,
                "{name}"
            );
            assert!(
                contrast(palette.on_selected, palette.selected) >= 4.5,
                "{name}"
            );
        }
    }

    #[test]
    fn nothing_in_either_theme_moves_by_itself() {
        let context = egui::Context::default();
        install(&context);
        for theme in [Theme::Light, Theme::Dark] {
            let style = context.style_of(theme);
            assert!(!style.visuals.text_cursor.blink, "{theme:?}");
            assert!(style.animation_time <= 0.0, "{theme:?}");
        }
    }
}
