//! Everything that moves bytes over HTTP: one client, safe retries of reads, politeness, uploads, proven downloads.

pub mod client;
pub mod commit_point;
