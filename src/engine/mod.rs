//! The engine: owns the journal, the connections and everything that takes time. The window and the command line
//! send it commands and read its snapshots; they share nothing else with it.

pub mod command;
pub mod snapshot;
