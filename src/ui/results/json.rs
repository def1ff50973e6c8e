//! JSON as a tree that folds; every number and name as it stands in the file.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use egui::Ui;

use crate::engine::command::Command;
use crate::model::json::{JsonKind, JsonNode, JsonPage, JsonTree};
use crate::model::preview::Preview;
use crate::model::search::Search;
use crate::ui::outbox::Outbox;
use crate::ui::results::find::{Searched, find_ui, found_row_ui, marked_ui};
use crate::ui::results::rows::rows_ui;
use crate::ui::theme::{self, Palette, icon};
use crate::ui::{format, widgets};

/// Longest name or value drawn, in characters.
const MOST_CHARS: usize = 600;

/// So many values are unfolded at once at most.
const MOST_UNFOLDED: usize = 200_000;

/// Room of the mark that folds, where there is none.
const NO_MARK: f32 = 46.0;

/// Rows shown above a place that was gone to.
const ABOVE: f64 = 8.0;

/// Below this width, folding has a row of its own.
const NARROW: f32 = 760.0;

/// Deepest indent drawn.
const DEEPEST: u32 = 60;

/// What is unfolded, where one is, and what is typed above.
#[derive(Debug, Default)]
pub struct JsonState {
    path: PathBuf,
    tree: Option<Arc<JsonTree>>,
    unfolded: BTreeSet<u32>,
    /// The values whose parents are all unfolded.
    visible: Vec<u32>,
    top: f64,
    goal: u64,
    /// The value of the goal, until it was drawn and scrolled to.
    reveal: Option<u64>,
    words: String,
}

impl JsonState {
    fn adopt(&mut self, preview: &Preview, page: &JsonPage) {
        self.adopt_tree(preview, &page.tree);
        if let Some(goal) = page.goal.filter(|goal| goal.number != self.goal) {
            self.goal = goal.number;
            self.reveal = Some(goal.row);
            self.go_to(&page.tree, goal.row);
        }
    }

    fn adopt_tree(&mut self, preview: &Preview, tree: &Arc<JsonTree>) {
        let is_known = self
            .tree
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, tree));
        if is_known && self.path == preview.path {
            return;
        }
        *self = Self {
            path: preview.path.clone(),
            tree: Some(Arc::clone(tree)),
            words: std::mem::take(&mut self.words),
            ..Self::default()
        };
        if tree.tops == 1 {
            self.unfolded.insert(0);
        }
        self.collect(tree);
    }

    /// Finds the visible values anew.
    fn collect(&mut self, tree: &JsonTree) {
        self.visible.clear();
        let mut at = 0;
        while let Some(node) = tree.nodes.get(at as usize) {
            self.visible.push(at);
            let goes_in = node.kind.holds_others() && self.unfolded.contains(&at);
            at = if goes_in {
                at + 1
            } else {
                node.next.max(at + 1)
            };
        }
    }

    /// Unfolds everything around a value and scrolls there.
    fn go_to(&mut self, tree: &JsonTree, goal: u64) {
        let mut at = 0;
        while let Some(node) = tree.nodes.get(at as usize).filter(|_| u64::from(at) < goal) {
            if u64::from(node.next) > goal {
                self.unfolded.insert(at);
                at += 1;
            } else {
                at = node.next.max(at + 1);
            }
        }
        self.collect(tree);
        let row = self
            .visible
            .partition_point(|number| u64::from(*number) < goal);
        self.top = (row as f64 - ABOVE).max(0.0);
    }

    /// The value at the top of what is seen.
    fn top_value(&self) -> u64 {
        let row = as_index(self.top);
        self.visible.get(row).copied().map_or(0, u64::from)
    }

    fn turn(&mut self, tree: &JsonTree, number: u32) {
        if !self.unfolded.remove(&number) {
            self.unfolded.insert(number);
        }
        self.collect(tree);
    }
}

/// The tree with what can be done with it above.
pub fn json_ui(
    ui: &mut Ui,
    preview: &Preview,
    page: &JsonPage,
    state: &mut JsonState,
    outbox: &mut Outbox,
) {
    state.adopt(preview, page);
    let tree = &page.tree;
    about_ui(ui, preview, tree, outbox);
    let is_narrow = ui.available_width() < NARROW;
    if is_narrow {
        ui.horizontal(|ui| fold_ui(ui, tree, state));
    }
    ui.horizontal_wrapped(|ui| {
        if !is_narrow {
            fold_ui(ui, tree, state);
            ui.separator();
        }
        let file = Searched {
            search: page.search.as_ref(),
            all_bytes: tree.text.len() as u64,
            top: state.top_value(),
        };
        find_ui(ui, &mut state.words, &file, |_| String::new(), outbox);
    });
    let search = page.search.as_ref();
    let words = search.map(|search| search.words.to_lowercase());
    let found = search.and_then(Search::found);
    let palette = Palette::of(ui);
    let height = ui.spacing().interact_size.y.max(20.0);
    let mut turned = None;
    egui::Frame::new()
        .fill(palette.card)
        .stroke((1.0, palette.line))
        .corner_radius(theme::ROUNDING)
        .inner_margin(10)
        .show(ui, |ui| {
            ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
            let total = state.visible.len() as u64;
            let JsonState {
                visible,
                unfolded,
                top,
                reveal,
                ..
            } = state;
            rows_ui(
                ui,
                "Position in the tree",
                (top, total),
                height,
                |ui, row| {
                    let number = usize::try_from(row).ok().and_then(|row| visible.get(row));
                    let Some((number, node)) = number
                        .and_then(|number| Some((*number, tree.nodes.get(*number as usize)?)))
                    else {
                        return;
                    };
                    if found == Some(u64::from(number)) {
                        found_row_ui(ui);
                    }
                    let mut is_goal = *reveal == Some(u64::from(number));
                    if is_goal {
                        *reveal = None;
                    }
                    let is_unfolded = unfolded.contains(&number);
                    let marks = (words.as_deref(), &mut is_goal);
                    if node_ui(ui, tree, node, is_unfolded, marks) {
                        turned = Some(number);
                    }
                },
            );
        });
    if let Some(number) = turned {
        state.turn(tree, number);
    }
}

fn about_ui(ui: &mut Ui, preview: &Preview, tree: &JsonTree, outbox: &mut Outbox) {
    ui.horizontal_wrapped(|ui| {
        let about = format!(
            "{} · {} · JSON",
            format::count(tree.nodes.len(), "value", "values"),
            format::bytes(tree.size_bytes)
        );
        widgets::weak(ui, about);
        if ui
            .button("As text")
            .on_hover_text("Show the file as it is written")
            .clicked()
        {
            outbox.command(Command::ShowAsText);
        }
        if ui
            .button("Copy")
            .on_hover_text("Copy the whole file as it is written")
            .clicked()
        {
            ui.ctx().copy_text(tree.text.clone());
        }
        if ui.button("Reload").clicked() {
            outbox.command(Command::OpenPreview(preview.path.clone()));
        }
    });
}

fn fold_ui(ui: &mut Ui, tree: &JsonTree, state: &mut JsonState) {
    let few = tree.nodes.len() <= MOST_UNFOLDED;
    if ui
        .add_enabled(few, egui::Button::new("Unfold all"))
        .clicked()
    {
        let numbers = (0_u32..).zip(&tree.nodes);
        let foldable = numbers.filter(|(_, node)| node.kind.holds_others());
        state.unfolded = foldable.map(|(number, _)| number).collect();
        state.collect(tree);
    }
    if ui.button("Fold all").clicked() {
        state.unfolded.clear();
        state.collect(tree);
    }
}

/// One value; whether it was folded or unfolded.
fn node_ui(
    ui: &mut Ui,
    tree: &JsonTree,
    node: &JsonNode,
    is_unfolded: bool,
    (words, reveal): (Option<&str>, &mut bool),
) -> bool {
    let palette = Palette::of(ui);
    let depth = node.depth.min(DEEPEST);
    ui.add_space(depth as f32 * 18.0);
    let name = tree.name(node, MOST_CHARS);
    let mut turned = false;
    if node.kind.holds_others() && node.count > 0 {
        let what = name.as_deref().unwrap_or("value");
        let (mark, verb) = if is_unfolded {
            (icon::OPEN, "Fold")
        } else {
            (icon::FOLDED, "Unfold")
        };
        turned = widgets::bare_icon_button(ui, mark, &format!("{verb} {what}")).clicked();
    } else {
        ui.add_space(NO_MARK);
    }
    if let Some(name) = name {
        let font = egui::TextStyle::Body.resolve(ui.style());
        let style = (font, ui.visuals().strong_text_color());
        marked_ui(ui, &one_line(&name), style, words, reveal);
    }
    let font = egui::TextStyle::Monospace.resolve(ui.style());
    let (value, color, words) = match node.kind {
        JsonKind::Object => {
            let inside = inside(node, "{", "}", ("name", "names"));
            (inside, palette.weak, None)
        }
        JsonKind::Array => {
            let inside = inside(node, "[", "]", ("value", "values"));
            (inside, palette.weak, None)
        }
        JsonKind::Text => {
            let text = format!("“{}”", one_line(&tree.value(node, MOST_CHARS)));
            (text, palette.text, words)
        }
        JsonKind::Number | JsonKind::Word => (tree.value(node, MOST_CHARS), palette.accent, words),
    };
    marked_ui(ui, &value, (font, color), words, reveal);
    turned
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the top row is never negative, and no tree has 2^53 of them"
)]
fn as_index(row: f64) -> usize {
    row.max(0.0) as usize
}

fn inside(node: &JsonNode, left: &str, right: &str, (one, many): (&str, &str)) -> String {
    match node.count {
        0 => format!("{left}{right}"),
        count => format!(
            "{left} {} {right}",
            format::count(count as usize, one, many)
        ),
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\n' => '⏎',
            '\t' => ' ',
            letter if letter.is_control() => '·',
            letter => letter,
        })
        .collect()
}
