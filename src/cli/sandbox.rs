//! `labferry sandbox`: serves the simulated platforms until Ctrl-C.

use crate::cli::arguments::SandboxArguments;
use crate::cli::out;
use crate::cli::session::interrupted;
use crate::cli::trouble::{Ending, Trouble};
use crate::sandbox::{Sandbox, SandboxError, SandboxOptions};

/// Prints the addresses and keys as the first line, then serves.
pub(super) async fn run(arguments: SandboxArguments) -> Result<Ending, Trouble> {
    let sandbox = Sandbox::start(SandboxOptions {
        port: arguments.port,
        storage_port: None,
        speed: arguments.speed,
        faults: arguments.faults,
    })
    .await
    .map_err(|error| explain(&error))?;
    out::object(&sandbox.addresses())?;
    tokio::select! {
        () = sandbox.wait() => {}
        () = interrupted() => {}
    }
    Ok(Ending::Done)
}

/// Why a sandbox did not start.
pub(super) fn explain(error: &SandboxError) -> Trouble {
    match error {
        SandboxError::Listen { .. } | SandboxError::Folder(_) => Trouble::problem(
            format!("{}.", sentence(error)),
            "Nothing was started.",
            "Choose another port, or leave --port out.",
        ),
        SandboxError::Speed(_) | SandboxError::Fault(_) => Trouble::wrong_use(
            format!("{}.", sentence(error)),
            "`labferry sandbox --help` says more.",
        ),
    }
}

/// The error with a capital letter, and the cause behind a colon.
fn sentence(error: &SandboxError) -> String {
    let mut text = error.to_string();
    if let Some(first) = text.get(..1).map(str::to_uppercase) {
        text.replace_range(..1, &first);
    }
    if let Some(cause) = std::error::Error::source(error) {
        text.push_str(": ");
        text.push_str(&cause.to_string());
    }
    text
}
