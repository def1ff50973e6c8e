//! Everything that is tested from outside, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_push_string,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests may stop the test"
)]

mod architecture;
mod bad_input;
mod biodock;
mod canaries;
mod checking;
mod cli;
mod cli_inputs;
mod cut_download;
mod explain;
mod faults;
mod four_platforms;
mod harness;
mod hostile;
mod journey;
mod kill;
mod large_upload;
mod looking;
mod machine;
mod many_jobs;
mod net;
mod old_journal;
mod program;
mod recovery;
mod recovery_gathering;
mod robustness;
mod sandbox;
mod seven_bridges;
mod simulation;
mod tables;
mod ui;
mod vault;
