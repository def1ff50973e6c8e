//! Labferry carries a scientist's files to analysis platforms and brings the results home.

pub mod cli;
pub mod engine;
pub mod model;
pub mod net;
pub mod providers;
pub mod results;
pub mod sandbox;
pub mod store;
pub mod ui;
