//! The program: what was typed, and the window when nothing was.
#![cfg_attr(windows, windows_subsystem = "windows")]

use std::process::ExitCode;

use labferry::cli::{Next, run};
use labferry::ui::window::{self, WindowOptions};

fn main() -> ExitCode {
    let plan = match run() {
        Next::Exit(code) => return code,
        Next::Window(plan) => plan,
    };
    let options = WindowOptions {
        memory_file: Some(plan.folders.data.join("window.ron")),
        title_note: if plan.is_demo() { "Demo" } else { "" }.to_owned(),
    };
    match window::run(&plan.engine, &options) {
        Ok(()) => plan.closed(),
        Err(error) => plan.could_not_open(&error.to_string()),
    }
}
