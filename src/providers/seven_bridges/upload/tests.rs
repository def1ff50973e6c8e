//! Names and sizes of uploads.
