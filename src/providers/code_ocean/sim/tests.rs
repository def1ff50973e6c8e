//! The simulator on the wire: one test for each line of the provider notes' checklist.

mod bench;
mod runs;
