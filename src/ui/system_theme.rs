//! Light or dark as the desktop says, where the window library does not know it: on Linux the desktop portal tells.
//!
//! Source: XDG Desktop Portal, interface `org.freedesktop.portal.Settings`, key `color-scheme` of
//! `org.freedesktop.appearance`.

use egui::{Context, Theme};

/// Follows the desktop's choice from now on, on a thread of its own that sleeps until the choice changes. Where there is
/// no portal the window stays light, unless the person chose otherwise in Settings.
#[cfg(all(unix, not(target_os = "macos")))]
pub fn follow(context: &Context) {
    let context = context.clone();
    let started = std::thread::Builder::new()
        .name("labferry-theme".to_owned())
        .spawn(move || {
            if let Err(error) = portal::watch(&context) {
                tracing::info!(%error, "the desktop does not say whether it is light or dark");
            }
        });
    if let Err(error) = started {
        tracing::warn!(%error, "no thread to follow the desktop's theme");
    }
}

/// Windows and macOS tell the window library.
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub fn follow(_context: &Context) {}

/// The theme for a value of the portal: 1 prefers dark, 2 prefers light, 0 and anything unknown say nothing.
#[cfg_attr(
    not(all(unix, not(target_os = "macos"))),
    expect(dead_code, reason = "only a portal has such values")
)]
fn theme_for(color_scheme: u32) -> Theme {
    if color_scheme == 1 {
        Theme::Dark
    } else {
        Theme::Light
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
mod portal {
    use egui::Context;
    use zbus::blocking::{Connection, Proxy};
    use zbus::zvariant::OwnedValue;

    use crate::ui::system_theme::theme_for;

    const NAMESPACE: &str = "org.freedesktop.appearance";
    const KEY: &str = "color-scheme";

    /// Reads the choice, then waits for its changes.
    pub(super) fn watch(context: &Context) -> zbus::Result<()> {
        let connection = Connection::session()?;
        let portal = Proxy::new(
            &connection,
            "org.freedesktop.portal.Desktop",
            "/org/freedesktop/portal/desktop",
            "org.freedesktop.portal.Settings",
        )?;
        // Listened to before it is read, so that no change falls in between.
        let changes = portal.receive_signal("SettingChanged")?;
        let value: OwnedValue = portal.call("ReadOne", &(NAMESPACE, KEY))?;
        adopt(context, value);
        for change in changes {
            let (namespace, key, value): (String, String, OwnedValue) =
                change.body().deserialize()?;
            if namespace == NAMESPACE && key == KEY {
                adopt(context, value);
            }
        }
        Ok(())
    }

    fn adopt(context: &Context, value: OwnedValue) {
        let Ok(color_scheme) = u32::try_from(value) else {
            return;
        };
        let theme = theme_for(color_scheme);
        context.options_mut(|options| options.fallback_theme = theme);
        context.request_repaint();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wish_for_dark_is_dark() {
        assert_eq!(theme_for(1), Theme::Dark);
        for other in [0, 2, 3, u32::MAX] {
            assert_eq!(theme_for(other), Theme::Light);
        }
    }
}
