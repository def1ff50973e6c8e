//! Looking for words in the open file, and marking them: the same above a text and above JSON.

use egui::style::ScrollAnimation;
use egui::text::{CCursor, LayoutJob};
use egui::{Button, Color32, FontId, Key, Label, Rect, TextFormat, Ui, vec2};

use crate::engine::command::Command;
use crate::model::search::{PlaceCount, Search, SearchState};
use crate::ui::outbox::Outbox;
use crate::ui::theme::Palette;
use crate::ui::{format, widgets};

/// The open file, as far as looking for words goes.
pub struct Searched<'a> {
    /// What is looked for.
    pub search: Option<&'a Search>,
    /// Bytes there are to look at.
    pub all_bytes: u64,
    /// The row, or the value, at the top of what is seen.
    pub top: u64,
}

/// The words, *Next* and *Previous*, and how the search stands. `place` names the place that was found.
pub fn find_ui(
    ui: &mut Ui,
    words: &mut String,
    file: &Searched<'_>,
    place: impl FnOnce(u64) -> String,
    outbox: &mut Outbox,
) {
    let label = ui.label("Find");
    let field = ui
        .add(widgets::line(words).desired_width(180.0))
        .labelled_by(label.id);
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let can = !words.is_empty();
    let next = ui.add_enabled(can, Button::new("Next"));
    let previous = ui.add_enabled(can, Button::new("Previous"));
    let forward = next.clicked() || entered;
    if can && (forward || previous.clicked()) {
        outbox.command(Command::FindText {
            words: words.clone(),
            from_row: start(words, file, forward),
            forward,
        });
    }
    if let Some(search) = file.search {
        search_ui(ui, search, file.all_bytes, place, outbox);
    }
}

/// Behind or before the last place found, else from what is seen.
fn start(words: &str, file: &Searched<'_>, forward: bool) -> u64 {
    let search = file.search.filter(|search| search.words == words);
    match search.and_then(Search::found) {
        Some(row) if forward => row + 1,
        Some(row) => row,
        None => file.top,
    }
}

fn search_ui(
    ui: &mut Ui,
    search: &Search,
    all_bytes: u64,
    place: impl FnOnce(u64) -> String,
    outbox: &mut Outbox,
) {
    match (search.state, search.count) {
        (SearchState::Looking { done_bytes }, _) => {
            let share = done_bytes as f64 / all_bytes.max(1) as f64 * 100.0;
            widgets::busy(ui, &format!("Looking, {share:.0} %"));
            if ui.button("Stop").clicked() {
                outbox.command(Command::StopFinding);
            }
        }
        (SearchState::Found { .. }, Some(PlaceCount { nth, all })) => {
            let words = format!("{} of {}", format::grouped(nth), format::grouped(all));
            widgets::weak(ui, words);
        }
        (SearchState::Found { row }, None) => {
            widgets::weak(ui, place(row));
        }
        (SearchState::Nowhere, Some(PlaceCount { all: 0, .. })) => {
            widgets::weak(ui, "Nowhere in this file");
        }
        (SearchState::Nowhere, Some(PlaceCount { all, .. })) => {
            let words = format!("No further place, {} in all", format::grouped(all));
            widgets::weak(ui, words);
        }
        (SearchState::Nowhere, None) => {
            widgets::weak(ui, "No further place");
        }
        (SearchState::Stopped, _) => {
            widgets::weak(ui, "Stopped");
        }
    }
}

/// Room beside words that were scrolled to, so that one sees what they stand in.
const BESIDE: f32 = 60.0;

/// A text with the words in it marked; these are in lower case. While `reveal` is set, the first of them is scrolled to,
/// which unsets it.
pub fn marked_ui(
    ui: &mut Ui,
    text: &str,
    style: (FontId, Color32),
    words: Option<&str>,
    reveal: &mut bool,
) {
    let (job, first) = marked(ui, text, style, words);
    let Some((from, to)) = first.filter(|_| *reveal) else {
        ui.add(Label::new(job));
        return;
    };
    *reveal = false;
    let galley = ui.painter().layout_job(job.clone());
    let place = |letter| galley.pos_from_cursor(CCursor::new(letter)).left();
    let (left, right) = (place(from), place(to));
    let shown = ui.add(Label::new(job)).rect;
    let size = vec2(right - left, shown.height());
    let found = Rect::from_min_size(shown.left_top() + vec2(left, 0.0), size);
    scroll_to(ui, found.expand2(vec2(BESIDE, 0.0)));
}

/// Scrolls there at once.
pub fn scroll_to(ui: &Ui, rect: Rect) {
    ui.scroll_to_rect_animation(rect, None, ScrollAnimation::none());
}

/// Marks a row of a list as the one that was found.
pub fn found_row_ui(ui: &Ui) {
    let row = Rect::from_x_y_ranges(ui.clip_rect().x_range(), ui.max_rect().y_range());
    ui.painter()
        .rect_filled(row, 4, Palette::of(ui).raised_hovered);
}

/// The text as it is laid out, and which letters the first words in it are.
fn marked(
    ui: &Ui,
    text: &str,
    (font, color): (FontId, Color32),
    words: Option<&str>,
) -> (LayoutJob, Option<(usize, usize)>) {
    let mut letters = 0;
    let mut first = None;
    let palette = Palette::of(ui);
    let mut job = LayoutJob::default();
    for (part, is_found) in parts(text, words) {
        let mut format = TextFormat::simple(font.clone(), color);
        if is_found {
            format.background = palette.selected;
            format.color = palette.on_selected;
        }
        job.append(part, 0.0, format);
        let from = letters;
        letters += part.chars().count();
        if is_found {
            first = first.or(Some((from, letters)));
        }
    }
    (job, first)
}

/// The text cut where the words are. Where lower case has another length, nothing is marked.
fn parts<'a>(text: &'a str, words: Option<&str>) -> Vec<(&'a str, bool)> {
    let lower = text.to_lowercase();
    let Some(words) = words.filter(|words| !words.is_empty() && lower.len() == text.len()) else {
        return vec![(text, false)];
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, found) in lower.match_indices(words) {
        let (Some(before), Some(here)) = (text.get(from..at), text.get(at..at + found.len()))
        else {
            return vec![(text, false)];
        };
        parts.push((before, false));
        parts.push((here, true));
        from = at + found.len();
    }
    parts.push((text.get(from..).unwrap_or_default(), false));
    parts
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn what_is_found_is_marked_in_any_case() {
        assert_eq!(
            parts("Warn: warning", Some("warn")),
            [
                ("", false),
                ("Warn", true),
                (": ", false),
                ("warn", true),
                ("ing", false)
            ]
        );
        assert_eq!(parts("abc", Some("x")), [("abc", false)]);
        assert_eq!(parts("İ warn", Some("warn")), [("İ warn", false)]);
    }
}
