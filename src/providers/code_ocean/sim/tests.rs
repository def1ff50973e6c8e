//! The simulator on the wire: one test for each line of the provider notes' checklist.

mod assets;
mod bench;
mod bucket;
mod finding;
mod orders;
mod results;
mod runs;
