//! Keeps the computer from going to sleep by itself while bytes move, and no longer.
//!
//! What holds it awake lives on a thread of its own, as asking for it may take a while. Where the system offers nothing of
//! the kind, nothing happens; a sleep is got over anyway.
//!
//! Sources: systemd's `org.freedesktop.login1.Manager.Inhibit`, and the XDG Desktop Portal's
//! `org.freedesktop.portal.Inhibit` for desktops that see to sleep themselves.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How long after the last byte the computer is let go: the next file often follows at once.
const LINGER: Duration = Duration::from_secs(3);

/// Says whether bytes move.
#[derive(Debug)]
pub(super) struct Awake {
    moving: bool,
    tell: Option<Sender<bool>>,
}

impl Awake {
    /// With nothing moving. The thread is started when it is first needed; without a wish to keep awake, never.
    pub(super) const fn new() -> Self {
        Self {
            moving: false,
            tell: None,
        }
    }

    /// Whether bytes move now.
    pub(super) fn set(&mut self, moving: bool) {
        if self.moving == moving {
            return;
        }
        self.moving = moving;
        if self.tell.is_none() {
            let (tell, told) = channel();
            let started = std::thread::Builder::new()
                .name("labferry-awake".to_owned())
                .spawn(move || hold(&told, &inhibit));
            if let Err(error) = started {
                tracing::warn!(%error, "no thread to keep the computer awake");
            }
            self.tell = Some(tell);
        }
        if let Some(tell) = &self.tell
            && tell.send(moving).is_err()
        {
            tracing::debug!("nothing keeps the computer awake");
        }
    }
}

/// Holds the computer awake as long as it is told to, and a little longer. Ends when the engine does, or when the system
/// offers no such thing.
fn hold<T>(told: &Receiver<bool>, inhibit: &dyn Fn() -> Option<T>) {
    let mut held: Option<T> = None;
    let mut moving = false;
    loop {
        let next = if held.is_some() && !moving {
            told.recv_timeout(LINGER)
        } else {
            told.recv()
                .map_err(|_closed| RecvTimeoutError::Disconnected)
        };
        match next {
            Ok(now) => moving = now,
            Err(RecvTimeoutError::Timeout) => held = None,
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if moving && held.is_none() {
            held = inhibit();
            if held.is_none() {
                return;
            }
        }
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
use freedesktop::inhibit;

/// Nothing is offered here yet.
#[cfg(not(all(unix, not(target_os = "macos"))))]
fn inhibit() -> Option<()> {
    tracing::info!("this system is not kept awake during transfers");
    None
}

#[cfg(all(unix, not(target_os = "macos")))]
mod freedesktop {
    use std::collections::HashMap;

    use zbus::blocking::{Connection, Proxy};
    use zbus::zvariant::{OwnedFd, OwnedObjectPath, Value};

    const WHO: &str = "Labferry";
    const WHY: &str = "Files or results are being transferred";

    /// The portal's word for sleep.
    const SUSPEND: u32 = 4;

    /// Let go when dropped: the file is closed, and the portal sees that the connection is gone.
    pub(super) struct Held {
        _lock: Option<OwnedFd>,
        _portal: Option<Connection>,
    }

    pub(super) fn inhibit() -> Option<Held> {
        let (lock, portal) = (lock(), portal());
        if let (Err(no_lock), Err(no_portal)) = (&lock, &portal) {
            tracing::info!(%no_lock, %no_portal, "this system is not kept awake during transfers");
            return None;
        }
        Some(Held {
            _lock: lock.ok(),
            _portal: portal.ok(),
        })
    }

    /// Only what the system does by itself is put off; a person who wants it to sleep is not in the way.
    fn lock() -> zbus::Result<OwnedFd> {
        let connection = Connection::system()?;
        let manager = Proxy::new(
            &connection,
            "org.freedesktop.login1",
            "/org/freedesktop/login1",
            "org.freedesktop.login1.Manager",
        )?;
        manager.call("Inhibit", &("idle", WHO, WHY, "block"))
    }

    fn portal() -> zbus::Result<Connection> {
        let connection = Connection::session()?;
        let portal = Proxy::new(
            &connection,
            "org.freedesktop.portal.Desktop",
            "/org/freedesktop/portal/desktop",
            "org.freedesktop.portal.Inhibit",
        )?;
        let options = HashMap::from([("reason", Value::from(WHY))]);
        let _request: OwnedObjectPath = portal.call("Inhibit", &("", SUSPEND, options))?;
        Ok(connection)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use super::*;

    /// Counts itself while it is held.
    struct Token(Arc<AtomicUsize>);

    impl Drop for Token {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn reaches(held: &AtomicUsize, count: usize) -> bool {
        let deadline = Instant::now() + Duration::from_secs(30);
        while held.load(Ordering::SeqCst) != count {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::yield_now();
        }
        true
    }

    #[test]
    fn held_while_bytes_move_and_let_go_a_little_later() {
        let (tell, told) = channel();
        let (held, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (inside, counted) = (held.clone(), asked.clone());
        let thread = std::thread::Builder::new()
            .spawn(move || {
                hold(&told, &|| {
                    counted.fetch_add(1, Ordering::SeqCst);
                    inside.fetch_add(1, Ordering::SeqCst);
                    Some(Token(inside.clone()))
                });
            })
            .unwrap();
        tell.send(true).unwrap();
        assert!(reaches(&held, 1));
        // A pause between two files is no end.
        for moving in [false, true] {
            tell.send(moving).unwrap();
        }
        let stopped = Instant::now();
        tell.send(false).unwrap();
        assert!(reaches(&held, 0));
        assert!(stopped.elapsed() >= LINGER);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        tell.send(true).unwrap();
        assert!(reaches(&held, 1));
        drop(tell);
        thread.join().unwrap();
        assert_eq!(
            held.load(Ordering::SeqCst),
            0,
            "the end of the engine lets go"
        );
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn where_the_system_offers_nothing_it_is_asked_once() {
        let (tell, told) = channel();
        let asked = AtomicUsize::new(0);
        tell.send(true).unwrap();
        tell.send(false).unwrap();
        tell.send(true).unwrap();
        hold::<()>(&told, &|| {
            asked.fetch_add(1, Ordering::SeqCst);
            None
        });
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
