//! What stays when the app closes: the journal of all work, the keys in the operating system's keyring, and the folders
//! everything lies in.
//!
//! It writes what it is told and decides nothing: which change follows from which event is the engine's part, and what is
//! in a results folder is that of `results`.

pub mod folders;
pub mod journal;
mod migrations;
mod opening;
mod rows;
pub mod vault;
