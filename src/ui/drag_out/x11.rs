//! Dragging files to other programs on X11: the source's side of XDND version 5 (freedesktop.org, *Drag-and-Drop Protocol for
//! the X Window System*).
//!
//! winit has no drag source. Its window holds the pointer while the button is pressed, so that nobody else can grab it; but
//! anybody may ask where the pointer is. A thread with a connection of its own does that until the button is let go.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, KeyButMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

x11rb::atom_manager! {
    /// The words of the protocol.
    Atoms: AtomsCookie {
        XdndAware,
        XdndSelection,
        XdndEnter,
        XdndPosition,
        XdndStatus,
        XdndLeave,
        XdndDrop,
        XdndFinished,
        XdndActionCopy,
        TARGETS,
        ATOM,
        _NET_WM_PID,
        URIS: b"text/uri-list",
    }
}

/// The newest version both sides may speak.
const VERSION: u32 = 5;

/// Between two looks at the pointer.
const LOOK_EVERY: Duration = Duration::from_millis(8);

/// Longest wait for a program that was dropped on.
const PATIENCE: Duration = Duration::from_secs(20);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Drags the files until the button is let go, and hands them over. Blocks. Whether another program took them.
pub(super) fn drag(files: &[PathBuf]) -> Result<bool, Failure> {
    let mut text = String::new();
    for file in files {
        let address = url::Url::from_file_path(file).map_err(|()| "the path is not absolute")?;
        text.push_str(address.as_str());
        text.push_str("\r\n");
    }
    let (connection, screen) = x11rb::connect(None)?;
    let root = connection
        .setup()
        .roots
        .get(screen)
        .ok_or("no screen")?
        .root;
    let atoms = Atoms::new(&connection)?.reply()?;
    let own = connection.generate_id()?;
    connection.create_window(
        x11rb::COPY_DEPTH_FROM_PARENT,
        own,
        root,
        -1,
        -1,
        1,
        1,
        0,
        WindowClass::INPUT_OUTPUT,
        x11rb::COPY_FROM_PARENT,
        &x11rb::protocol::xproto::CreateWindowAux::new(),
    )?;
    connection.set_selection_owner(own, atoms.XdndSelection, x11rb::CURRENT_TIME)?;
    let mut drag = Drag {
        connection,
        root,
        own,
        atoms,
        text,
        over: None,
    };
    drag.follow()?;
    drag.drop()
}

struct Drag {
    connection: RustConnection,
    root: Window,
    own: Window,
    atoms: Atoms,
    text: String,
    over: Option<Over>,
}

/// The window of another program below the pointer.
#[derive(Clone, Copy)]
struct Over {
    window: Window,
    /// Where the pointer was when it was told last.
    at: (i16, i16),
    /// Whether it has yet to answer.
    asked: bool,
    takes: bool,
    finished: Option<bool>,
}

impl Drag {
    /// Tells the windows below the pointer of it, until the button is let go.
    fn follow(&mut self) -> Result<(), Failure> {
        loop {
            self.hear()?;
            let pointer = self.connection.query_pointer(self.root)?.reply()?;
            let at = (pointer.root_x, pointer.root_y);
            let window = self.aware(pointer.child, at)?;
            if self.over.map(|over| over.window) != window {
                self.tell(self.atoms.XdndLeave, [0; 4])?;
                self.over = window.map(|window| Over {
                    window,
                    at: (-1, -1),
                    asked: false,
                    takes: false,
                    finished: None,
                });
                self.tell(self.atoms.XdndEnter, [VERSION << 24, self.atoms.URIS, 0, 0])?;
            }
            if let Some(over) = &mut self.over
                && !over.asked
                && over.at != at
            {
                over.at = at;
                over.asked = true;
                let place = u32::from(at.0.cast_unsigned()) << 16 | u32::from(at.1.cast_unsigned());
                let data = [0, place, x11rb::CURRENT_TIME, self.atoms.XdndActionCopy];
                self.tell(self.atoms.XdndPosition, data)?;
            }
            if !pointer.mask.contains(KeyButMask::BUTTON1) {
                return Ok(());
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Drops on the window below the pointer and hands the files over when it asks.
    fn drop(&mut self) -> Result<bool, Failure> {
        let until = Instant::now() + PATIENCE;
        while self.over.is_some_and(|over| over.asked) && Instant::now() < until {
            self.wait()?;
        }
        if !self.over.is_some_and(|over| over.takes) {
            self.tell(self.atoms.XdndLeave, [0; 4])?;
            return Ok(false);
        }
        self.tell(self.atoms.XdndDrop, [0, x11rb::CURRENT_TIME, 0, 0])?;
        while Instant::now() < until {
            if let Some(finished) = self.over.and_then(|over| over.finished) {
                return Ok(finished);
            }
            self.wait()?;
        }
        Ok(false)
    }

    fn wait(&mut self) -> Result<(), Failure> {
        self.hear()?;
        std::thread::park_timeout(LOOK_EVERY);
        Ok(())
    }

    /// The deepest window at a place that takes drops; none where it is one of ours.
    fn aware(&self, top: Window, at: (i16, i16)) -> Result<Option<Window>, Failure> {
        let mut window = top;
        while window != x11rb::NONE {
            if self.number(window, self.atoms.XdndAware)?.is_some() {
                let owner = self.number(window, self.atoms._NET_WM_PID)?;
                return Ok((owner != Some(std::process::id())).then_some(window));
            }
            let below = self
                .connection
                .translate_coordinates(self.root, window, at.0, at.1)?;
            // It may have been closed meanwhile.
            window = below.reply().map_or(x11rb::NONE, |below| below.child);
        }
        Ok(None)
    }

    /// The first number of a property.
    fn number(&self, window: Window, property: u32) -> Result<Option<u32>, Failure> {
        let asked = self
            .connection
            .get_property(false, window, property, AtomEnum::ANY, 0, 1)?;
        let answer = asked.reply().ok();
        Ok(answer.and_then(|answer| answer.value32()?.next()))
    }

    /// Sends a message to the window below the pointer, if there is one.
    fn tell(&self, what: u32, [a, b, c, d]: [u32; 4]) -> Result<(), Failure> {
        if let Some(over) = self.over {
            let message = ClientMessageEvent::new(32, over.window, what, [self.own, a, b, c, d]);
            self.connection
                .send_event(false, over.window, EventMask::NO_EVENT, message)?;
            self.connection.flush()?;
        }
        Ok(())
    }

    /// Takes what other programs answer.
    fn hear(&mut self) -> Result<(), Failure> {
        while let Some(event) = self.connection.poll_for_event()? {
            match event {
                Event::ClientMessage(message) => self.heard(&message),
                Event::SelectionRequest(request) => self.hand_over(&request)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn heard(&mut self, message: &ClientMessageEvent) {
        let [from, flags, ..] = message.data.as_data32();
        let Some(over) = self.over.as_mut().filter(|over| over.window == from) else {
            return;
        };
        if message.type_ == self.atoms.XdndStatus {
            over.asked = false;
            over.takes = flags & 1 == 1;
        } else if message.type_ == self.atoms.XdndFinished {
            // Said since version 5; older ones take everything.
            over.finished = Some(flags & 1 == 1);
        }
    }

    /// Gives the addresses of the files to who asks for them.
    fn hand_over(&self, request: &SelectionRequestEvent) -> Result<(), Failure> {
        let property = match request.property {
            x11rb::NONE => request.target,
            property => property,
        };
        let (mode, who) = (PropMode::REPLACE, request.requestor);
        let given = if request.target == self.atoms.URIS {
            let text = self.text.as_bytes();
            self.connection
                .change_property8(mode, who, property, self.atoms.URIS, text)?;
            property
        } else if request.target == self.atoms.TARGETS {
            let targets = [self.atoms.TARGETS, self.atoms.URIS];
            self.connection
                .change_property32(mode, who, property, self.atoms.ATOM, &targets)?;
            property
        } else {
            x11rb::NONE
        };
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: who,
            selection: request.selection,
            target: request.target,
            property: given,
        };
        self.connection
            .send_event(false, who, EventMask::NO_EVENT, answer)?;
        self.connection.flush()?;
        Ok(())
    }
}
