//! Everything the keyboard does beyond Tab, Enter and Space: one row an action.

use egui::{Key, KeyboardShortcut, Modifiers};

use crate::engine::command::Command;
use crate::engine::snapshot::Snapshot;
use crate::ui::desktop::PickFor;
use crate::ui::outbox::{Goal, Outbox, Place, Wish};

/// One action of the keyboard.
#[derive(Clone, Copy, Debug)]
pub struct Shortcut {
    /// What it does, as shown in Settings.
    pub words: &'static str,
    /// The keys.
    pub keys: KeyboardShortcut,
    /// What happens.
    pub does: Does,
}

/// What a shortcut does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Goes to a place of the rail.
    Go(Place),
    /// Asks for files to send.
    AddFiles,
    /// Makes the text larger.
    LargerText,
    /// Makes the text smaller.
    SmallerText,
}

/// All of them, in the order shown.
pub const SHORTCUTS: [Shortcut; 9] = [
    row("Go to Send", Key::Num1, Does::Go(Place::Send)),
    row("Go to Jobs", Key::Num2, Does::Go(Place::Jobs)),
    row("Go to Results", Key::Num3, Does::Go(Place::Results)),
    row("Go to Connections", Key::Num4, Does::Go(Place::Connections)),
    row("Go to Settings", Key::Num5, Does::Go(Place::Settings)),
    row("Go to Notices", Key::Num6, Does::Go(Place::Notices)),
    row("Add files to send", Key::O, Does::AddFiles),
    row("Larger text", Key::Plus, Does::LargerText),
    row("Smaller text", Key::Minus, Does::SmallerText),
];

const fn row(words: &'static str, key: Key, does: Does) -> Shortcut {
    Shortcut {
        words,
        keys: KeyboardShortcut::new(Modifiers::COMMAND, key),
        does,
    }
}

/// The keys of an action, as this system writes them.
pub fn keys_of(context: &egui::Context, does: Does) -> String {
    SHORTCUTS
        .iter()
        .find(|shortcut| shortcut.does == does)
        .map(|shortcut| context.format_shortcut(&shortcut.keys))
        .unwrap_or_default()
}

/// Does what was pressed since the last frame.
pub fn obey(context: &egui::Context, snapshot: &Snapshot, outbox: &mut Outbox) {
    for shortcut in &SHORTCUTS {
        if !context.input_mut(|input| input.consume_shortcut(&shortcut.keys)) {
            continue;
        }
        match shortcut.does {
            Does::Go(place) => outbox.go(Goal::Place(place)),
            Does::AddFiles => {
                outbox.go(Goal::Place(Place::Send));
                outbox.wish(Wish::Pick(PickFor::Files));
            }
            Does::LargerText => resize(snapshot, 10, outbox),
            Does::SmallerText => resize(snapshot, -10, outbox),
        }
    }
}

fn resize(snapshot: &Snapshot, by: i16, outbox: &mut Outbox) {
    let mut settings = (*snapshot.settings).clone();
    settings.text_percent = settings
        .text_percent
        .saturating_add_signed(by)
        .clamp(70, 200);
    outbox.command(Command::SaveSettings(settings));
}
