//! Files that came home: unpacking them safely, recording them in a receipt, and reading them for the preview pane.
//!
//! Everything here works on files on this disk, on the caller's thread, and blocks: the engine decides which thread that is.
//! It does not fetch anything, knows no platform and draws nothing.

pub mod fingerprint;
pub mod image;
pub mod json;
pub mod labels;
pub mod masks;
pub mod names;
pub mod overlay;
pub mod pairing;
pub mod provenance;
pub mod receipt;
pub mod sniff;
pub mod table;
pub mod text;
pub mod unzip;

mod disk;
mod outline;
