//! Everything that moves bytes over HTTP: one client, safe retries of reads, politeness, uploads, proven downloads.

pub mod api;
mod budget;
pub mod client;
pub mod commit_point;
pub mod download;
pub mod errors;
pub mod gate;
pub mod keep;
pub mod parts;
pub mod retry;
pub mod speed;
pub mod storage_errors;
pub mod upload;
