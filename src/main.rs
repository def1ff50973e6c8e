//! The program: flags, log, window.

fn main() {}
