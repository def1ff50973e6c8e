//! JSON as a tree that folds; every number and name as it stands in the file.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use egui::{Label, RichText, Ui};

use crate::engine::command::Command;
use crate::model::json::{JsonKind, JsonNode, JsonTree};
use crate::model::preview::Preview;
use crate::ui::outbox::Outbox;
use crate::ui::results::rows::rows_ui;
use crate::ui::theme::{self, Palette, icon};
use crate::ui::{format, widgets};

/// Longest name or value drawn, in characters.
const MOST_CHARS: usize = 600;

/// So many values are unfolded at once at most.
const MOST_UNFOLDED: usize = 200_000;

/// Room of the mark that folds, where there is none.
const NO_MARK: f32 = 46.0;

/// Deepest indent drawn.
const DEEPEST: u32 = 60;

/// What is unfolded, and where one is.
#[derive(Debug, Default)]
pub struct JsonState {
    path: PathBuf,
    tree: Option<Arc<JsonTree>>,
    unfolded: BTreeSet<u32>,
    /// The values whose parents are all unfolded.
    visible: Vec<u32>,
    top: f64,
}

impl JsonState {
    fn adopt(&mut self, preview: &Preview, tree: &Arc<JsonTree>) {
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
    tree: &Arc<JsonTree>,
    state: &mut JsonState,
    outbox: &mut Outbox,
) {
    state.adopt(preview, tree);
    about_ui(ui, preview, tree, state, outbox);
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
                    if node_ui(ui, tree, node, unfolded.contains(&number)) {
                        turned = Some(number);
                    }
                },
            );
        });
    if let Some(number) = turned {
        state.turn(tree, number);
    }
}

fn about_ui(
    ui: &mut Ui,
    preview: &Preview,
    tree: &Arc<JsonTree>,
    state: &mut JsonState,
    outbox: &mut Outbox,
) {
    ui.horizontal_wrapped(|ui| {
        let about = format!(
            "{} · {} · JSON",
            format::count(tree.nodes.len(), "value", "values"),
            format::bytes(tree.size_bytes)
        );
        widgets::weak(ui, about);
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

/// One value; whether it was folded or unfolded.
fn node_ui(ui: &mut Ui, tree: &JsonTree, node: &JsonNode, is_unfolded: bool) -> bool {
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
        ui.add(Label::new(RichText::new(one_line(&name)).strong()));
    }
    let (value, color) = match node.kind {
        JsonKind::Object => (inside(node, "{", "}", ("name", "names")), palette.weak),
        JsonKind::Array => (inside(node, "[", "]", ("value", "values")), palette.weak),
        JsonKind::Text => (
            format!("“{}”", one_line(&tree.value(node, MOST_CHARS))),
            palette.text,
        ),
        JsonKind::Number | JsonKind::Word => (tree.value(node, MOST_CHARS), palette.accent),
    };
    ui.add(Label::new(RichText::new(value).monospace().color(color)));
    turned
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
