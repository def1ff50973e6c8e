//! The program: what was typed, and the window when nothing was.
#![cfg_attr(windows, windows_subsystem = "windows")]

use std::process::ExitCode;

use labferry::cli::{Next, run};

fn main() -> ExitCode {
    match run() {
        Next::Exit(code) => code,
        Next::Window(plan) => plan.could_not_open("there is none yet"),
    }
}
