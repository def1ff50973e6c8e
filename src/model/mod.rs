//! Plain data every layer speaks: what a person picks, sends, watches and reads.
//!
//! The files stand in the order of the work: file, batch, pipeline, form, job, artifact, table.
//! No input or output, no async, no window; only the standard library, serde, jiff, regex and secrecy.

pub mod artifact;
pub mod batch;
pub mod connection;
pub mod error;
pub mod file;
pub mod folder;
pub mod form;
pub mod ids;
pub mod image_view;
pub mod job;
pub mod json;
pub mod meter;
pub mod notice;
pub mod numbering;
pub mod objects;
pub mod path_text;
pub mod pipeline;
pub mod preview;
pub mod provider;
pub mod remote;
pub mod report;
pub mod safe_url;
pub mod samples;
pub mod search;
pub mod secret;
pub mod settings;
pub mod shown;
pub mod table;
pub mod text;
pub mod thumbnail;
